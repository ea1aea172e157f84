//! The audit log of a server database: entries and signed heads.

use crate::crypto::{Digest, Domain, Signature, Suite};
use crate::wire::{Name, Time, encode};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// How a transaction ended, one byte.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u8)]
pub enum Terminal {
    /// The cloud stored the record.
    Committed = 1,
    /// A contract does not hold.
    Rejected = 2,
    /// The decision is for people.
    Deferred = 3,
    /// It ended before anything was decided.
    Aborted = 4,
}

/// One terminal state.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct AuditEntry {
    /// Its index in the log, from 0.
    pub sequence: u64,
    /// Digest of the entry before, or of the start of the log.
    pub previous: Digest,
    /// The transaction.
    pub tid: Digest,
    /// How it ended.
    pub terminal: Terminal,
    /// The code of the clause that ended it, zero for none.
    pub reason: u16,
    /// Digest of the T_block body, when one was sent.
    pub block: Option<Digest>,
    /// Digest of the quorum certificate, when there is one.
    pub decision: Option<Digest>,
    /// Digest of the seals of the transaction's keys, when something was sealed.
    pub seal: Option<Digest>,
    /// When it ended.
    pub time: Time,
}

/// What the first entry of an audit log names as the entry before it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct AuditStart {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The network.
    pub network: Name,
    /// Whose log it is.
    pub bsd: Name,
}

/// Whether an audit log goes on, one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum LogState {
    /// More entries may follow.
    Open = 0,
    /// The log is complete: nothing follows.
    Closed = 1,
}

/// The head of a server database's audit log.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct AuditHead {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of the signature.
    pub suite: Suite,
    /// The network.
    pub network: Name,
    /// Whose log it is.
    pub bsd: Name,
    /// How many entries the log has.
    pub count: u64,
    /// Digest of the last entry, or of the start of the log.
    pub last: Digest,
    /// Whether the log goes on.
    pub state: LogState,
    /// When it was signed.
    pub time: Time,
}

/// A head with the server database's signature.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct SignedAuditHead {
    /// The contents.
    pub head: AuditHead,
    /// The signature over `head`.
    pub signature: Signature,
}

impl AuditEntry {
    /// What the next entry names.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::AUDIT_ENTRY, &encode(self))
    }
}

impl AuditStart {
    /// What the first entry names.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::AUDIT_START, &encode(self))
    }
}

impl AuditHead {
    /// What an anchor names.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::AUDIT_HEAD, &encode(self))
    }
}
