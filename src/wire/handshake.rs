//! The three messages that open a session.

use crate::crypto::{Signature, Suite};
use crate::wire::Certificate;
use tls_codec::{TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize};

/// What a session is for; one byte on the wire. It carries the stage of the same number and no other.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u8)]
pub enum SessionType {
    /// A user hands records to the BSD.
    Initial = 1,
    /// The BSD asks a validator.
    Block = 2,
    /// The BSD hands decided records to the cloud.
    Valid = 3,
    /// A user reads from the cloud.
    Read = 4,
}

/// The first message, from the initiator: it names nobody.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Hello {
    /// 1.
    pub version: u16,
    /// The suite of the session.
    pub suite: Suite,
    /// What the session is for.
    pub purpose: SessionType,
    /// Fresh random bytes.
    pub nonce: [u8; 32],
    /// Encoding of a fresh element.
    pub ephemeral: TlsByteVecU16,
}

/// The second message, from the responder.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Response {
    /// Fresh random bytes.
    pub nonce: [u8; 32],
    /// Encoding of a fresh element.
    pub ephemeral: TlsByteVecU16,
    /// The responder's [`IdentityProof`], encrypted.
    pub proof: TlsByteVecU16,
}

/// The third message, from the initiator.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Finish {
    /// The initiator's [`IdentityProof`], encrypted.
    pub proof: TlsByteVecU16,
}

/// What either side proves to the other; travels encrypted.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct IdentityProof {
    /// Who.
    pub certificate: Certificate,
    /// By the certified signing key over the transcript.
    pub signature: Signature,
    /// Key confirmation over the transcript.
    pub confirmation: [u8; 32],
}
