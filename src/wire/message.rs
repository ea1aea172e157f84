//! The messages that session records carry.

use crate::wire::{
    ContentType, Erase, Grant, Outcome, ReadRequest, ReadResponse, Receipt, RequestOutcome, Revoke, TBlock,
    TInitial, TValid, Vote,
};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// The plaintext of a session record: one byte of type, then the struct of that type.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Message {
    /// A user submits a record.
    #[tls_codec(discriminant = 1)]
    TInitial(Box<TInitial>),
    /// The BSD reports the outcome.
    #[tls_codec(discriminant = 2)]
    Outcome(Outcome),
    /// The BSD asks for a vote.
    #[tls_codec(discriminant = 3)]
    TBlock(Box<TBlock>),
    /// A validator votes.
    #[tls_codec(discriminant = 4)]
    Vote(Vote),
    /// The BSD has a record stored.
    #[tls_codec(discriminant = 5)]
    TValid(Box<TValid>),
    /// The cloud has stored it.
    #[tls_codec(discriminant = 6)]
    Receipt(Receipt),
    /// A user asks for a record.
    #[tls_codec(discriminant = 7)]
    ReadRequest(ReadRequest),
    /// The cloud hands it over.
    #[tls_codec(discriminant = 8)]
    ReadResponse(Box<ReadResponse>),
    /// An owner shares a record.
    #[tls_codec(discriminant = 9)]
    Grant(Box<Grant>),
    /// An owner ends the sharing.
    #[tls_codec(discriminant = 10)]
    Revoke(Revoke),
    /// An authority has a record erased.
    #[tls_codec(discriminant = 11)]
    Erase(Erase),
    /// The cloud reports the outcome of a request.
    #[tls_codec(discriminant = 12)]
    Answer(RequestOutcome),
}

impl Message {
    /// Its name in traces and diagrams.
    pub const fn name(&self) -> &'static str {
        match self {
            Message::TInitial(_) => "T_initial",
            Message::Outcome(_) => "Outcome",
            Message::TBlock(_) => "T_block",
            Message::Vote(_) => "Vote",
            Message::TValid(_) => "T_valid",
            Message::Receipt(_) => "Receipt",
            Message::ReadRequest(_) => "ReadRequest",
            Message::ReadResponse(_) => "ReadResponse",
            Message::Grant(_) => "Grant",
            Message::Revoke(_) => "Revoke",
            Message::Erase(_) => "Erase",
            Message::Answer(_) => "Answer",
        }
    }

    /// What names a request to the cloud in its answer: the nonce of a read request, the digest of the signed statement
    /// of any other.
    pub fn request(&self) -> Option<[u8; 32]> {
        match self {
            Message::ReadRequest(request) => Some(request.nonce),
            Message::Grant(grant) => Some(*grant.digest().as_bytes()),
            Message::Revoke(revoke) => Some(*revoke.digest().as_bytes()),
            Message::Erase(erase) => Some(*erase.digest().as_bytes()),
            _ => None,
        }
    }

    /// The stage of the records that carry it.
    pub const fn stage(&self) -> ContentType {
        match self {
            Message::TInitial(_) | Message::Outcome(_) => ContentType::Initial,
            Message::TBlock(_) | Message::Vote(_) => ContentType::Block,
            Message::TValid(_) | Message::Receipt(_) => ContentType::Valid,
            Message::ReadRequest(_)
            | Message::ReadResponse(_)
            | Message::Grant(_)
            | Message::Revoke(_)
            | Message::Erase(_)
            | Message::Answer(_) => ContentType::Read,
        }
    }
}
