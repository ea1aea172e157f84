//! Blocks of the public ledger.

use crate::crypto::{Digest, Domain, Prefix};
use crate::wire::{Height, Name, QuorumCertificate, Signatory, Time, encode};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU32};

/// A number below 2^256, 32 bytes, the most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Target(pub [u8; 32]);

/// What every member of a network agrees on before the first block.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Genesis {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The network.
    pub network: Name,
    /// Digest of its validator set.
    pub validators: Digest,
    /// The instant from which block times count.
    pub start: Time,
    /// How blocks are closed.
    pub rule: ClosingRule,
}

/// How the blocks of a ledger are closed.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum ClosingRule {
    /// More than two thirds of the validators sign the header; the block is final at once.
    #[tls_codec(discriminant = 1)]
    Quorum,
    /// The header's digest is below a target; the block is final when enough blocks stand on it.
    #[tls_codec(discriminant = 2)]
    Work(WorkRule),
}

/// The schedule of proof of work.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct WorkRule {
    /// The first and easiest target.
    pub easiest: Target,
    /// The time that one block should take, in milliseconds.
    pub interval: u64,
    /// After how many blocks the target is set anew.
    pub window: u32,
    /// How many blocks stand on a final one.
    pub confirmations: u32,
}

/// The part of a header that closes the block.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Closing {
    /// By the quorum of this validator set.
    #[tls_codec(discriminant = 1)]
    Quorum(Digest),
    /// By proof of work.
    #[tls_codec(discriminant = 2)]
    Work(Work),
}

/// A proof of work.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Work {
    /// The digest of the header is below it.
    pub target: Target,
    /// What the search changes.
    pub nonce: u64,
}

/// The header of a block.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct BlockHeader {
    /// [`crate::wire::PROTOCOL_VERSION`].
    pub version: u16,
    /// The network.
    pub network: Name,
    /// One more than the block before.
    pub height: Height,
    /// Digest of the header before, or of the genesis.
    pub previous: Digest,
    /// When the block was proposed.
    pub time: Time,
    /// Root of the Merkle tree of the entries.
    pub root: Digest,
    /// How many entries there are.
    pub count: u32,
    /// Who proposed the block.
    pub proposer: Name,
    /// How it is closed.
    pub closing: Closing,
}

/// Which log an anchor is of, one byte.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u8)]
pub enum LogKind {
    /// The log of a cloud.
    Cloud = 1,
    /// The audit log of a server database.
    Audit = 2,
}

/// Fixes the head of a log in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Anchor {
    /// Which kind of log.
    pub kind: LogKind,
    /// Whose log.
    pub keeper: Name,
    /// How many entries the head covers.
    pub size: u64,
    /// Digest of the head.
    pub head: Digest,
}

/// An entry of a block. It discloses no patient, no user and no attribute.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Entry {
    /// What the validators decided on a transaction.
    #[tls_codec(discriminant = 1)]
    Decision(QuorumCertificate),
    /// The head of a log.
    #[tls_codec(discriminant = 2)]
    Anchor(Anchor),
}

/// A header and what closes it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct ClosedHeader {
    /// The header.
    pub header: BlockHeader,
    /// The validators who signed it in ascending order of their names; none under proof of work.
    pub signatories: TlsVecU32<Signatory>,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Block {
    /// The header and its close.
    pub closed: ClosedHeader,
    /// The entries.
    pub entries: TlsVecU32<Entry>,
}

impl Genesis {
    /// What the first block names as the block before it.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::GENESIS, &encode(self))
    }
}

impl BlockHeader {
    /// What identifies the block.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::BLOCK_HEADER, &encode(self))
    }

    /// The digest with each nonce, for a search: the nonce is the end of the encoding, and what comes before it is hashed once.
    pub(crate) fn digest_by_nonce(&self) -> impl Fn(u64) -> Digest + use<> {
        let mut bytes = encode(self);
        bytes.truncate(bytes.len() - size_of::<u64>());
        let prefix = Prefix::of(Domain::BLOCK_HEADER, &bytes);
        move |nonce| prefix.digest(&nonce.to_be_bytes())
    }
}

impl Entry {
    /// What the entry's leaf in the block's tree is made of.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::LEDGER_ENTRY, &encode(self))
    }
}

/// [`Entry::Decision`] without a copy of the certificate.
#[derive(TlsSerialize, TlsSize)]
#[repr(u8)]
enum Borrowed<'a> {
    #[tls_codec(discriminant = 1)]
    Decision(&'a QuorumCertificate),
}

impl QuorumCertificate {
    /// What identifies the certificate.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::QUORUM, &encode(self))
    }

    /// As [`Entry::digest`], of the entry that it makes.
    pub fn entry_digest(&self) -> Digest {
        Digest::of(Domain::LEDGER_ENTRY, &encode(&Borrowed::Decision(self)))
    }
}

impl Block {
    /// The header.
    pub fn header(&self) -> &BlockHeader {
        &self.closed.header
    }
}
