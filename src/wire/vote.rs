//! Votes of validators and the quorum certificates that they add up to.

use crate::crypto::{Digest, Signature, Suite};
use crate::wire::{Height, Name};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU32};

/// A validator's verdict on a transaction, one byte.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u8)]
pub enum Ballot {
    /// A contract does not hold.
    False = 0,
    /// Every contract holds.
    True = 1,
}

/// What a validator signs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct VoteBody {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The suite of every signature below.
    pub suite: Suite,
    /// The network that votes.
    pub network: Name,
    /// Digest of the validator set that votes.
    pub validators: Digest,
    /// The transaction.
    pub tid: Digest,
    /// Digest of the T_block body.
    pub block: Digest,
    /// Digest of the set of template and contract versions that were applied.
    pub policy: Digest,
    /// The height whose policy was applied.
    pub height: Height,
    /// The verdict.
    pub ballot: Ballot,
    /// Why the verdict is false, zero when it is true.
    pub reason: u16,
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Vote {
    /// Who votes.
    pub validator: Name,
    /// The contents.
    pub body: VoteBody,
    /// The validator's signature over `body`.
    pub signature: Signature,
}

/// One signature of a quorum.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Signatory {
    /// Who signed.
    pub validator: Name,
    /// The signature.
    pub signature: Signature,
}

/// More than two thirds of the validators saying the same; signatories in ascending order of their names.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct QuorumCertificate {
    /// The body that all of them signed.
    pub body: VoteBody,
    /// Who they are.
    pub signatories: TlsVecU32<Signatory>,
}
