//! The three transactions.

use crate::crypto::{Digest, Signature, Suite};
use crate::wire::{Certificate, Height, InclusionProof, Name, PolicyRef, QuorumCertificate, Role, Time};
use tls_codec::{
    TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16, TlsVecU32,
};

/// What the user signs: everything about a submission but the record itself.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct InitialHeader {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of every key and signature below.
    pub suite: Suite,
    /// The transaction id, derived from `user`, `nonce` and `ciphertext`.
    pub tid: Digest,
    /// Who submits.
    pub user: Name,
    /// The role in which they submit.
    pub role: Role,
    /// The BSD that it is for.
    pub recipient: Name,
    /// The network that shall validate it.
    pub network: Name,
    /// The patient that the record is about.
    pub patient: Name,
    /// The template that the record was mapped onto.
    pub template: PolicyRef,
    /// The contracts in force for that template, in ascending order of their ids.
    pub contracts: TlsVecU16<PolicyRef>,
    /// One hiding commitment for each attribute of the template, in its order.
    pub commitments: TlsVecU16<Digest>,
    /// Digest of the record's ciphertext.
    pub ciphertext: Digest,
    /// Digest of the first wrapped keys.
    pub grants: Digest,
    /// When it was made.
    pub issued: Time,
    /// When it is void.
    pub expires: Time,
    /// Fresh random bytes.
    pub nonce: [u8; 32],
}

/// A record's key, encapsulated to one reader.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct WrappedKey {
    /// Who can open it.
    pub reader: Name,
    /// The encapsulation to the reader's agreement key.
    pub encapsulation: TlsByteVecU16,
    /// The record's key under the encapsulated key: 32 bytes and the tag.
    pub wrapped: TlsByteVecU16,
}

/// T_initial, from a user to a BSD.
#[derive(Clone, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct TInitial {
    /// What is signed.
    pub header: InitialHeader,
    /// The user's signature over `header`.
    pub signature: Signature,
    /// The record's key.
    pub record_key: [u8; 32],
    /// The record's key for each first reader, in ascending order of their names.
    pub grants: TlsVecU32<WrappedKey>,
    /// The record under its key.
    pub ciphertext: TlsByteVecU32,
}

impl std::fmt::Debug for TInitial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TInitial").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Drop for TInitial {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.record_key);
    }
}

/// One attribute shown to the validators.
#[derive(Clone, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct AttributeOpening {
    /// Its place in the template.
    pub index: u16,
    /// The random bytes of its commitment.
    pub opening: [u8; 32],
    /// Its canonical bytes.
    pub value: TlsByteVecU32,
}

impl std::fmt::Debug for AttributeOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttributeOpening").field("index", &self.index).finish_non_exhaustive()
    }
}

/// What the BSD signs to have a submission validated; its digest is what validators vote on.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct BlockBody {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of every key and signature below.
    pub suite: Suite,
    /// The transaction.
    pub tid: Digest,
    /// The BSD that asks.
    pub bsd: Name,
    /// The network that it asks.
    pub network: Name,
    /// Digest of the validator set that it asks.
    pub validators: Digest,
    /// The height whose policy applies.
    pub height: Height,
    /// Digest of the user's header.
    pub initial: Digest,
    /// Digest of the template and contracts that apply.
    pub policy: Digest,
    /// Digest of the seal of the key that carried T_initial.
    pub seal: Digest,
    /// When it was made.
    pub issued: Time,
}

/// T_block, from a BSD to each validator.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct TBlock {
    /// What is signed.
    pub body: BlockBody,
    /// The BSD's signature over `body`.
    pub signature: Signature,
    /// What the user signed.
    pub initial: InitialHeader,
    /// The user's certificate.
    pub user: Certificate,
    /// The user's signature over `initial`.
    pub user_signature: Signature,
    /// The attributes that the contracts check, in ascending order of their places.
    pub openings: TlsVecU32<AttributeOpening>,
}

/// What the BSD signs to have a record stored.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct ValidBody {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of every key and signature below.
    pub suite: Suite,
    /// The transaction.
    pub tid: Digest,
    /// The BSD that asks.
    pub bsd: Name,
    /// The cloud that it asks.
    pub cloud: Name,
    /// Digest of the T_block body.
    pub block: Digest,
    /// Digest of the quorum certificate.
    pub acknowledgement: Digest,
    /// The block that holds the decision.
    pub height: Height,
    /// Digest of that block's header.
    pub header: Digest,
    /// Digest of the seals of the keys that carried T_block and the votes.
    pub seals: Digest,
    /// When it was made.
    pub issued: Time,
}

/// T_valid, from a BSD to the cloud.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct TValid {
    /// What is signed.
    pub body: ValidBody,
    /// The BSD's signature over `body`.
    pub signature: Signature,
    /// What the user signed.
    pub initial: InitialHeader,
    /// The user's certificate.
    pub user: Certificate,
    /// The user's signature over `initial`.
    pub user_signature: Signature,
    /// What the validators voted on.
    pub block: BlockBody,
    /// The ACK.
    pub acknowledgement: QuorumCertificate,
    /// That the ACK is among the entries of that block.
    pub inclusion: InclusionProof,
    /// The record's key for each first reader.
    pub grants: TlsVecU32<WrappedKey>,
    /// The record under its key.
    pub ciphertext: TlsByteVecU32,
}
