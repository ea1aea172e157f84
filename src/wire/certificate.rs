//! Roles, enrolment requests, certificates and revocation lists.
//!
//! Bytes alone: whether a certificate holds is for the room of keys.

use crate::crypto::{Signature, Suite};
use crate::wire::{Name, Time, Version};
use serde::{Deserialize, Serialize};
use tls_codec::{TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU32};

/// What a principal is; one byte on the wire.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    TlsSerialize,
    TlsDeserializeBytes,
    TlsSize,
)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Role {
    /// A doctor.
    Doctor = 1,
    /// A medical assistant.
    Assistant = 2,
    /// A system administrator.
    Administrator = 3,
    /// The blockchain server database.
    Bsd = 4,
    /// A node of the permissioned network.
    Validator = 5,
    /// The cloud.
    Cloud = 6,
    /// The holder of the offline key to which used keys are sealed.
    Custodian = 7,
}

/// What a principal asks the KDC to certify; both proofs of possession are over its encoding.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct EnrolmentBody {
    /// 1.
    pub version: u16,
    /// The suite of both keys.
    pub suite: Suite,
    /// Who asks.
    pub subject: Name,
    /// As what.
    pub role: Role,
    /// Encoding of the public signing key.
    pub signing_key: TlsByteVecU16,
    /// Encoding of the public agreement key.
    pub agreement_key: TlsByteVecU16,
}

/// An enrolment request.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct EnrolmentRequest {
    /// What is asked.
    pub body: EnrolmentBody,
    /// By the signing key over the body.
    pub signing_proof: Signature,
    /// By the agreement key over the body.
    pub agreement_proof: Signature,
}

/// What the KDC certifies of a principal; its signature is over this encoding.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct CertificateBody {
    /// 1.
    pub version: u16,
    /// The suite of both keys and of the KDC's.
    pub suite: Suite,
    /// The number of the certificate; the first one is 1.
    pub serial: u64,
    /// Whose it is.
    pub subject: Name,
    /// The one role that it gives.
    pub role: Role,
    /// Encoding of the public signing key.
    pub signing_key: TlsByteVecU16,
    /// Encoding of the public agreement key.
    pub agreement_key: TlsByteVecU16,
    /// The first instant at which it holds.
    pub not_before: Time,
    /// The first instant at which it holds no more.
    pub not_after: Time,
    /// The KDC.
    pub issuer: Name,
}

/// A certificate as it travels. It is not verified: only a
/// [`CertifiedPrincipal`](crate::keys::CertifiedPrincipal) does.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Certificate {
    /// What the KDC says.
    pub body: CertificateBody,
    /// The KDC's signature over the body.
    pub signature: Signature,
}

/// Which certificates hold no more; the KDC's signature is over this encoding.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct RevocationListBody {
    /// 1.
    pub version: u16,
    /// The suite of the KDC's key.
    pub suite: Suite,
    /// The KDC.
    pub issuer: Name,
    /// The number of the list; the first one is 1.
    pub list: Version,
    /// When it was made: the first instant at which it counts.
    pub issued: Time,
    /// The first instant at which it counts no more.
    pub next_update: Time,
    /// The revoked serials, each greater than the one before.
    pub serials: TlsVecU32<u64>,
}

/// A revocation list as it travels.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct RevocationList {
    /// What the KDC says.
    pub body: RevocationListBody,
    /// The KDC's signature over the body.
    pub signature: Signature,
}
