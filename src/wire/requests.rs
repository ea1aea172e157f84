//! Reading, sharing and erasing what the cloud stores, and the answers to a submission.

use crate::crypto::{Digest, Domain, Signature, Suite};
use crate::wire::{
    BlockBody, Certificate, CloudHead, CloudLeaf, ConsistencyProof, Height, InclusionProof, InitialHeader,
    Name, Reason, SignedCloudHead, TValid, Time, WrappedKey, encode,
};
use tls_codec::{TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16};

/// What the owner of a record signs to let another read it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct GrantBody {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of the signature and the encapsulation.
    pub suite: Suite,
    /// The record's transaction.
    pub tid: Digest,
    /// Who grants.
    pub owner: Name,
    /// The cloud that shall hold it.
    pub cloud: Name,
    /// The record's key for the reader.
    pub key: WrappedKey,
    /// When it was made.
    pub issued: Time,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Grant {
    /// What is signed.
    pub body: GrantBody,
    /// The owner's signature over `body`.
    pub signature: Signature,
    /// The reader's certificate, from which the cloud takes their role.
    pub reader: Certificate,
}

impl Grant {
    /// What its leaf in the log names: all of it, since nobody guesses a signature.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::GRANT, &encode(self))
    }
}

/// What the owner of a record signs to end a grant.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct RevokeBody {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of the signature.
    pub suite: Suite,
    /// The record's transaction.
    pub tid: Digest,
    /// Who revokes.
    pub owner: Name,
    /// The cloud that holds the grant.
    pub cloud: Name,
    /// Who shall no longer read.
    pub reader: Name,
    /// When it was made.
    pub issued: Time,
}

/// The end of a grant.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Revoke {
    /// What is signed.
    pub body: RevokeBody,
    /// The owner's signature over `body`.
    pub signature: Signature,
}

impl Revoke {
    /// What its leaf in the log names: all of it, since nobody guesses a signature.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::REVOKE, &encode(self))
    }
}

/// What two authorities sign to have a record's key destroyed.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct EraseBody {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of the signatures.
    pub suite: Suite,
    /// The record's transaction.
    pub tid: Digest,
    /// The cloud that holds the record.
    pub cloud: Name,
    /// When it was made.
    pub issued: Time,
}

/// One authority's approval of an erasure.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct EraseApproval {
    /// Who approves.
    pub authority: Certificate,
    /// Their signature over the [`EraseBody`].
    pub signature: Signature,
}

/// The erasure of a record.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Erase {
    /// What is signed.
    pub body: EraseBody,
    /// The two approvals: an administrator's, and the owner's or another administrator's.
    pub approvals: TlsVecU16<EraseApproval>,
}

impl Erase {
    /// What its leaf in the log names: all of it, since nobody guesses a signature.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::ERASE, &encode(self))
    }
}

/// A user asks the cloud for a record.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct ReadRequest {
    /// The record's transaction.
    pub tid: Digest,
    /// Fresh random bytes that the answer repeats.
    pub nonce: [u8; 32],
    /// The size of the newest log head that the user has seen; zero for none.
    pub remembered: u64,
}

/// What the cloud keeps of a record beside its ciphertext; its digest is the record's leaf in the log.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct StoredRecord {
    /// What the user signed.
    pub initial: InitialHeader,
    /// The user's certificate.
    pub user: Certificate,
    /// The user's signature over `initial`.
    pub user_signature: Signature,
    /// What the validators voted on.
    pub block: BlockBody,
    /// Digest of the quorum certificate.
    pub acknowledgement: Digest,
    /// The block that holds the decision.
    pub height: Height,
}

impl StoredRecord {
    /// What the cloud keeps of a T_valid.
    pub fn of(valid: &TValid) -> StoredRecord {
        StoredRecord {
            initial: valid.initial.clone(),
            user: valid.user.clone(),
            user_signature: valid.user_signature.clone(),
            block: valid.block.clone(),
            acknowledgement: valid.body.acknowledgement,
            height: valid.body.height,
        }
    }

    /// What its leaf in the log names.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::STORED_RECORD, &encode(self))
    }
}

/// A record as the store holds it, under its vault key.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct StoredContent {
    /// What is kept of the record.
    pub record: StoredRecord,
    /// The record under its key.
    pub ciphertext: TlsByteVecU32,
}

/// The cloud's answer to a [`ReadRequest`].
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct ReadResponse {
    /// The nonce of the request.
    pub nonce: [u8; 32],
    /// What is kept of the record.
    pub record: StoredRecord,
    /// The record's key for this reader.
    pub key: WrappedKey,
    /// The record under its key.
    pub ciphertext: TlsByteVecU32,
    /// That the record is in the log, and the log extends the one that the user remembers.
    pub proof: ReadProof,
}

/// Shows a record in the cloud's log, and the log as one that extends what the reader and the ledger know of it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct ReadProof {
    /// The newest head.
    pub head: SignedCloudHead,
    /// That it extends the head that the reader remembers; empty for none.
    pub extends_remembered: ConsistencyProof,
    /// The head that the newest final anchor names, when the cloud knows one.
    pub anchored: Option<CloudHead>,
    /// That `head` extends `anchored`; empty for none.
    pub extends_anchored: ConsistencyProof,
    /// The record's leaf.
    pub leaf: CloudLeaf,
    /// That the leaf is in the log.
    pub inclusion: InclusionProof,
}

/// The cloud's answer to a T_valid.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Receipt {
    /// The head of the log after the record was stored.
    pub head: SignedCloudHead,
    /// The record's leaf.
    pub leaf: CloudLeaf,
    /// That the leaf is in the log.
    pub inclusion: InclusionProof,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Outcome {
    /// The transaction.
    pub tid: Digest,
    /// The decision.
    pub decision: Decision,
    /// The clause that decided; none for a committed record.
    pub reason: Reason,
    /// The block that holds the decision; zero for none.
    pub height: Height,
}

/// What became of a request to the cloud that no [`ReadResponse`] answers.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct RequestOutcome {
    /// What names the request: [`crate::wire::Message::request`].
    pub request: [u8; 32],
    /// The record's transaction.
    pub tid: Digest,
    /// Committed or refused.
    pub decision: Decision,
    /// The clause that refused the request; none when it was carried out.
    pub reason: Reason,
}

/// How a submission ended, one byte.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u8)]
pub enum Decision {
    /// The record is in the cloud.
    Committed = 1,
    /// A contract does not hold.
    Rejected = 2,
    /// A person has to look.
    Deferred = 3,
    /// The BSD did not take the submission.
    Refused = 4,
}
