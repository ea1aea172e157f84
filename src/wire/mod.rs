//! The wire: every message of the protocol in the TLS presentation language, with one encoding per value.
//!
//! A decoder here accepts exactly the bytes that the encoder writes; whether the contents are true is for the
//! rooms above.

mod attribute;
mod audit;
mod block;
mod certificate;
mod cloud_log;
mod codec_registry;
mod datagram;
mod gossip;
mod handshake;
mod ids;
mod list;
mod message;
mod policy;
mod proof;
mod reason;
mod record;
mod requests;
mod seal;
mod transaction;
mod vote;

internal!(use attribute::{Coding, Item, Measure, Quantity, Value});
pub use audit::{AuditEntry, AuditHead, AuditStart, LogState, SignedAuditHead, Terminal};
pub use block::{
    Anchor, Block, BlockHeader, ClosedHeader, Closing, ClosingRule, Entry, Genesis, LogKind, Target, Work,
    WorkRule,
};
pub use certificate::{
    Certificate, CertificateBody, EnrolmentBody, EnrolmentRequest, RevocationList, RevocationListBody, Role,
};
pub use cloud_log::{CloudHead, CloudLeaf, LeafKind, SignedCloudHead};
pub use datagram::Datagram;
internal!(use codec_registry::{CODECS, Codec, NOT_DECODED});
pub use gossip::{BlockProposal, ClosingSignature, Gossip};
internal!(use handshake::{Finish, Hello, IdentityProof, Response, SessionType});
pub use ids::{Height, Name, Time, Version};
pub use list::{List, Text};
internal!(use message::Message);
pub use policy::{
    ApprovedChange, Attribute, AttributeType, Bound, Check, Condition, Contract, DateOrderRule, Flag,
    NotFutureRule, OneOfRule, PolicyApproval, PolicyChange, PolicyEntry, PolicyRef, PolicySet, RangeRule,
    RequiredRule, Rule, SubjectRule, SubmitterRule, Template, Test, ValueSetRule,
};
pub use proof::{ConsistencyProof, InclusionProof};
pub use reason::Reason;
internal!(use record::{ContentType, Direction, Packet, Record, RecordHeader, SessionId});
pub use requests::{Decision, EraseApproval, EraseBody, Outcome};
internal!(use requests::{
    Erase, Grant, GrantBody, ReadProof, ReadRequest, ReadResponse, Receipt, RequestOutcome, Revoke, RevokeBody,
    StoredContent, StoredRecord,
});
pub use seal::{Seal, SealChainBody, SealChainStart, SealContext, SealDigest, SealedKey};
pub use transaction::{
    AttributeOpening, BlockBody, InitialHeader, TBlock, TInitial, TValid, ValidBody, WrappedKey,
};
pub use vote::{Ballot, QuorumCertificate, Signatory, Vote, VoteBody};

pub use bemr_spec::constants::PROTOCOL_VERSION;
use bemr_spec::{Clause, Refusal, Rules, constants};
use tls_codec::{DeserializeBytes, Serialize};

/// The one encoding of `value`.
///
/// # Panics
/// When a vector in `value` is longer than its type allows; the constructors of this room do not let one grow so.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    value.tls_serialize_detached().expect("every vector is within the bound that its constructor keeps")
}

/// The value that `bytes` encode; all of them.
///
/// # Errors
/// ENC-04 for more than [`constants::MESSAGE_BYTES`] bytes; ENC-01 for anything but the one encoding of a value.
pub fn decode<T: DeserializeBytes + Serialize>(rules: &Rules, bytes: &[u8]) -> Result<T, Refusal> {
    rules.require(Clause::SizeWithinBound, bytes.len() <= constants::MESSAGE_BYTES)?;
    let (value, rest) = T::tls_deserialize_bytes(bytes)
        .map_err(|error| Refusal::new(Clause::OneEncodingPerValue).at(error.to_string()))?;
    rules
        .check(Clause::OneEncodingPerValue, || rest.is_empty())
        .map_err(|refusal| refusal.at(format!("{} bytes after the end", rest.len())))?;
    Ok(value)
}
