//! The suites: which prime-order group, with SHA-256 and AES-256-GCM throughout.

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// A suite, two bytes on the wire.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[repr(u16)]
pub enum Suite {
    /// RFC 7919 ffdhe2048, subgroup of order q = (p - 1) / 2.
    Ffdhe2048 = 1,
    /// RFC 7919 ffdhe3072, subgroup of order q = (p - 1) / 2.
    Ffdhe3072 = 2,
    /// RFC 9496 ristretto255.
    Ristretto255 = 3,
    /// A 64-bit safe-prime group: the same code, no strength. For tests alone.
    #[cfg(feature = "weaken")]
    Tiny = 0xff01,
}
