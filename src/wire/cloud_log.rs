//! The cloud's log: leaves and signed heads.

use crate::crypto::{Digest, Domain, Signature, Suite};
use crate::wire::{Name, Time, encode};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// What a leaf of the cloud's log records, one byte.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u8)]
pub enum LeafKind {
    /// A record was stored.
    Record = 1,
    /// A reader was given a record's key.
    Grant = 2,
    /// A reader lost a grant.
    Revoke = 3,
    /// A record was erased.
    Erase = 4,
}

/// A leaf of the cloud's log. It outlives the record, so it names neither patient, user nor reader.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct CloudLeaf {
    /// Its index in the log, from 0.
    pub sequence: u64,
    /// What happened.
    pub kind: LeafKind,
    /// The transaction that brought the record.
    pub tid: Digest,
    /// Digest of the signed message that was carried out.
    pub content: Digest,
    /// When.
    pub time: Time,
}

/// The head of a cloud's log.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct CloudHead {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of the signature.
    pub suite: Suite,
    /// The network that the cloud serves.
    pub network: Name,
    /// The cloud.
    pub cloud: Name,
    /// How many leaves the log has.
    pub size: u64,
    /// Root of the Merkle tree of the leaves.
    pub root: Digest,
    /// When it was signed.
    pub time: Time,
}

/// A head with the cloud's signature.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct SignedCloudHead {
    /// The contents.
    pub head: CloudHead,
    /// The cloud's signature over `head`.
    pub signature: Signature,
}

impl CloudLeaf {
    /// What the leaf in the tree is made of.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::CLOUD_LEAF, &encode(self))
    }
}

impl CloudHead {
    /// What an anchor names.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::CLOUD_HEAD, &encode(self))
    }
}
