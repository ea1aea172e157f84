//! The roles that a certificate gives.

use serde::{Deserialize, Serialize};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// The role of a principal, one byte on the wire. The auditor has none: it holds no key.
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
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Role {
    /// A user who may submit and read everything of its patients.
    Doctor = 1,
    /// A user who may submit what the contracts let an assistant submit.
    Assistant = 2,
    /// A user who changes templates and contracts, never records.
    Administrator = 3,
    /// The server database.
    Bsd = 4,
    /// A node of the validating network.
    Validator = 5,
    /// The cloud.
    Cloud = 6,
    /// The holder of the offline key to which used transport keys are sealed.
    Custodian = 7,
}
