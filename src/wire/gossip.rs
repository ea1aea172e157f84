//! Public statements: blocks, signed tree heads, changes of policy, revocation lists. Each carries signatures or proof
//! of work.

use crate::crypto::Digest;
use crate::wire::{
    ApprovedChange, Block, BlockHeader, Entry, Height, QuorumCertificate, RevocationList, Signatory,
    SignedAuditHead, SignedCloudHead,
};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU32};

/// A block that awaits its close, with the signature of the validator who sends it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct BlockProposal {
    /// Its header.
    pub header: BlockHeader,
    /// Its entries.
    pub entries: TlsVecU32<Entry>,
    /// A validator's closing signature: the proposer's own, or that of one who passes the proposal on.
    pub signatory: Signatory,
}

/// A validator's signature that closes a block.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct ClosingSignature {
    /// The height of the block.
    pub height: Height,
    /// Digest of its header.
    pub header: Digest,
    /// The validator and the signature.
    pub signatory: Signatory,
}

/// One public statement: one byte of type, then the struct of that type.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Gossip {
    /// A decision for the ledger.
    #[tls_codec(discriminant = 1)]
    Decision(QuorumCertificate),
    /// A head of the cloud's log, to be anchored.
    #[tls_codec(discriminant = 2)]
    CloudHead(SignedCloudHead),
    /// A head of the audit log, to be anchored.
    #[tls_codec(discriminant = 3)]
    AuditHead(SignedAuditHead),
    /// A block to be closed.
    #[tls_codec(discriminant = 4)]
    Proposal(BlockProposal),
    /// A signature that helps to close it.
    #[tls_codec(discriminant = 5)]
    Closing(ClosingSignature),
    /// A closed block.
    #[tls_codec(discriminant = 6)]
    Block(Block),
    /// Asks for the blocks from this height on.
    #[tls_codec(discriminant = 7)]
    BlocksFrom(Height),
    /// A change of templates or contracts.
    #[tls_codec(discriminant = 8)]
    PolicyChange(ApprovedChange),
    /// Which certificates hold no more.
    #[tls_codec(discriminant = 9)]
    RevocationList(RevocationList),
}

impl Gossip {
    /// Its name in traces and diagrams.
    pub const fn name(&self) -> &'static str {
        match self {
            Gossip::Decision(_) => "Decision",
            Gossip::CloudHead(_) => "CloudHead",
            Gossip::AuditHead(_) => "AuditHead",
            Gossip::Proposal(_) => "Proposal",
            Gossip::Closing(_) => "Closing",
            Gossip::Block(_) => "Block",
            Gossip::BlocksFrom(_) => "BlocksFrom",
            Gossip::PolicyChange(_) => "PolicyChange",
            Gossip::RevocationList(_) => "RevocationList",
        }
    }
}
