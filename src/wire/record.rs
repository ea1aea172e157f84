//! Packets and session records.

use crate::crypto::Digest;
use crate::wire::{Finish, Hello, Response};
use tls_codec::{TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize};

/// The public name of a session: 32 bytes that disclose nothing about its principals.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
pub struct SessionId(pub Digest);

/// The stage that a key serves; one byte on the wire.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u8)]
pub enum ContentType {
    /// The handshake.
    Handshake = 0,
    /// T_initial and its outcome.
    Initial = 1,
    /// T_block and votes.
    Block = 2,
    /// T_valid and receipts.
    Valid = 3,
    /// Reads, grants, revocations of grants, erasures.
    Read = 4,
}

/// Which way a record goes; one byte on the wire.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u8)]
pub enum Direction {
    /// From the side that sent the hello.
    InitiatorToResponder = 1,
    /// To the side that sent the hello.
    ResponderToInitiator = 2,
}

/// The header of a protected record, in clear; its encoding is the associated data of the ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct RecordHeader {
    /// The session.
    pub session: SessionId,
    /// Which way it goes.
    pub direction: Direction,
    /// The stage.
    pub stage: ContentType,
    /// Its number in its direction; the first one is 1.
    pub sequence: u64,
}

/// A session record.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Record {
    /// Its header, in clear.
    pub header: RecordHeader,
    /// The message, encrypted, and its 16-byte tag.
    pub ciphertext: TlsByteVecU32,
}

/// What two peers send each other: messages of a handshake and protected records.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Packet {
    /// First message of a handshake.
    #[tls_codec(discriminant = 1)]
    Hello(Hello),
    /// Second message of a handshake.
    #[tls_codec(discriminant = 2)]
    Response(Response),
    /// Third message of a handshake.
    #[tls_codec(discriminant = 3)]
    Finish(Finish),
    /// A record of a session.
    #[tls_codec(discriminant = 4)]
    Record(Record),
}

impl Direction {
    /// The other direction.
    #[must_use]
    pub const fn reverse(self) -> Direction {
        match self {
            Direction::InitiatorToResponder => Direction::ResponderToInitiator,
            Direction::ResponderToInitiator => Direction::InitiatorToResponder,
        }
    }
}

impl Packet {
    /// The name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Packet::Hello(_) => "Hello",
            Packet::Response(_) => "Response",
            Packet::Finish(_) => "Finish",
            Packet::Record(_) => "Record",
        }
    }
}
