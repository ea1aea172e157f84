//! The suites: which prime-order group, with SHA-256 and AES-256-GCM throughout.

use crate::crypto::finite_field;
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
    #[cfg(bemr_weaken)]
    Tiny = 0xff01,
}

impl Suite {
    /// Every suite of this build, in the order of their numbers.
    pub const ALL: &'static [Suite] = &[
        Suite::Ffdhe2048,
        Suite::Ffdhe3072,
        Suite::Ristretto255,
        #[cfg(bemr_weaken)]
        Suite::Tiny,
    ];

    /// Its two bytes on the wire.
    pub const fn number(self) -> [u8; 2] {
        (self as u16).to_be_bytes()
    }

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Suite::Ffdhe2048 => "ffdhe2048",
            Suite::Ffdhe3072 => "ffdhe3072",
            Suite::Ristretto255 => "ristretto255",
            #[cfg(bemr_weaken)]
            Suite::Tiny => "tiny",
        }
    }

    /// The prime of a finite-field suite, as hexadecimal digits; a curve has none.
    pub const fn modulus(self) -> Option<&'static str> {
        match self {
            Suite::Ffdhe2048 => Some(finite_field::P_2048),
            Suite::Ffdhe3072 => Some(finite_field::P_3072),
            Suite::Ristretto255 => None,
            #[cfg(bemr_weaken)]
            Suite::Tiny => Some(finite_field::P_TINY),
        }
    }

    /// Bytes of the encoding of an element.
    pub const fn element_len(self) -> usize {
        match self {
            Suite::Ffdhe2048 => 256,
            Suite::Ffdhe3072 => 384,
            Suite::Ristretto255 => 32,
            #[cfg(bemr_weaken)]
            Suite::Tiny => 8,
        }
    }

    /// Bytes of the encoding of a scalar: as many as of an element.
    pub const fn scalar_len(self) -> usize {
        self.element_len()
    }

    /// Bytes of a signature: an element and a scalar.
    pub const fn signature_len(self) -> usize {
        self.element_len() + self.scalar_len()
    }
}

impl std::fmt::Display for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Suite {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Suite::ALL.iter().copied().find(|suite| suite.name() == text).ok_or_else(|| {
            let names: Vec<_> = Suite::ALL.iter().map(|suite| suite.name()).collect();
            format!("no suite `{text}`; there are {}", names.join(", "))
        })
    }
}
