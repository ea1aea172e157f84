//! Every decoder of this room by the name of its table: for who looks at all of them alike.
//!
//! A table that no decoder reads is in [`NOT_DECODED`], with the reason. A test checks that none is missing.

use super::*;
use crate::crypto::{Digest, Signature, Suite};

/// A decoder and its encoder.
#[derive(Clone, Copy)]
pub struct Codec {
    /// The name of the table, or of the type that needs none.
    pub table: &'static str,
    again: fn(&Rules, &[u8]) -> Result<Vec<u8>, Refusal>,
}

impl Codec {
    /// Decodes, and encodes what was decoded.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn again(&self, rules: &Rules, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        (self.again)(rules, bytes)
    }
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Codec({})", self.table)
    }
}

macro_rules! codecs {
    ($($type:ident),* $(,)?) => {
        /// All of them.
        pub const CODECS: &[Codec] = &[$(Codec {
            table: stringify!($type),
            again: |rules, bytes| decode::<$type>(rules, bytes).map(|value| encode(&value)),
        }),*];
    };
}

codecs! {
    Anchor, ApprovedChange, Attribute, AttributeOpening, AuditEntry, AuditHead, AuditStart, Block, BlockBody,
    BlockHeader, BlockProposal, Bound, Certificate, CertificateBody, Check, ClosedHeader, Closing,
    ClosingRule, ClosingSignature, CloudHead, CloudLeaf, Coding, Condition, ConsistencyProof, Contract,
    Digest, Direction, EnrolmentBody, EnrolmentRequest, Entry, Erase, EraseApproval, EraseBody, Finish,
    Genesis, Gossip, Grant, GrantBody, Height, Hello, IdentityProof, InclusionProof, InitialHeader, Item,
    Measure, Message, Name, Outcome, Packet, PolicyApproval, PolicyChange, PolicyEntry, PolicyRef, PolicySet,
    SessionType, Quantity, QuorumCertificate, ReadProof, ReadRequest, ReadResponse, Receipt, Record,
    RecordHeader, RequestOutcome, Response, RevocationList, RevocationListBody, Revoke, RevokeBody, Role,
    Rule, Seal, SealChainBody, SealChainStart, SealContext, SealedKey, Signatory, Signature,
    SignedAuditHead, SignedCloudHead, ContentType, StoredContent, StoredRecord, Suite, TBlock, TInitial, TValid,
    Target, Template, Text, Time, ValidBody, Value, Version, Vote, VoteBody, Work, WorkRule, WrappedKey,
}

/// Tables that no decoder reads by themselves.
pub const NOT_DECODED: &[(&str, &str)] = &[
    ("Member", "a part of ValidatorSet"),
    ("ValidatorSet", "it is hashed and never sent"),
    ("PacketKind", "the first byte of a Packet"),
];
