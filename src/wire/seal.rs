//! Seals: used session keys, encrypted to the custodian.

use crate::crypto::{Digest, Suite};
use crate::wire::{ContentType, Direction, Name, SessionId};
use tls_codec::{TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU32};

/// Who opens a seal chain and for whom; the context of its one encapsulation.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct SealChainBody {
    /// 1.
    pub version: u16,
    /// The suite of the custodian's key.
    pub suite: Suite,
    /// Who seals.
    pub owner: Name,
    /// Who can open.
    pub custodian: Name,
}

/// The start of a seal chain.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct SealChainStart {
    /// Who and for whom.
    pub body: SealChainBody,
    /// The first chain key, encapsulated to the custodian.
    pub encapsulation: TlsByteVecU16,
}

/// Which record a sealed key protected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct SealedKey {
    /// The session of the record.
    pub session: SessionId,
    /// Its direction.
    pub direction: Direction,
    /// Its number.
    pub sequence: u64,
    /// The other principal of the session.
    pub peer: Name,
}

/// What a seal is bound to; its encoding is the associated data of the wrapped keys.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct SealContext {
    /// 1.
    pub version: u16,
    /// Digest of the start of the chain.
    pub chain: Digest,
    /// The number of the seal in its chain; the first one is 1.
    pub index: u64,
    /// The transaction.
    pub tid: Digest,
    /// The stage that all the keys served.
    pub stage: ContentType,
    /// Who seals.
    pub owner: Name,
    /// The keys, in the order of the wrapped bytes.
    pub keys: TlsVecU32<SealedKey>,
}

/// A seal.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Seal {
    /// What it is bound to.
    pub context: SealContext,
    /// The keys, 32 bytes each, encrypted, and one 16-byte tag.
    pub wrapped: TlsByteVecU32,
}

/// The digest of a seal, as messages and the audit log carry it; 32 zeros for none.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    TlsSerialize,
    TlsDeserializeBytes,
    TlsSize,
)]
pub struct SealDigest(pub Digest);
