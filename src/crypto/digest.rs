//! SHA-256 with a domain tag.

use crate::crypto::Domain;
use bemr_spec::constants;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// A SHA-256 digest, 32 bytes. Shown and serialised in JSON as 64 lower-case hexadecimal digits.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
pub struct Digest([u8; constants::DIGEST_BYTES]);

impl Digest {
    /// `SHA-256(length of label as one byte || label || message)`.
    pub fn of(domain: Domain, message: &[u8]) -> Digest {
        Digest::of_parts(domain, &[message])
    }

    /// As [`Digest::of`] of the parts one after the other. The caller sees to it that their lengths are fixed or
    /// written in them.
    pub fn of_parts(domain: Domain, parts: &[&[u8]]) -> Digest {
        #[cfg(bemr_weaken)]
        super::operations::note_digest();
        let mut prefix = Prefix::new(domain);
        for part in parts {
            prefix.0.update(part);
        }
        Digest(prefix.0.finalize().into())
    }

    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The first bytes of messages that differ only in what follows: they are hashed once for all of them.
pub(crate) struct Prefix(Sha256);

impl Prefix {
    fn new(domain: Domain) -> Prefix {
        let label = domain.label().as_bytes();
        let mut hash = Sha256::new();
        hash.update([label.len() as u8]);
        hash.update(label);
        Prefix(hash)
    }

    /// Of messages that begin so.
    pub(crate) fn of(domain: Domain, bytes: &[u8]) -> Prefix {
        let mut prefix = Prefix::new(domain);
        prefix.0.update(bytes);
        prefix
    }

    /// The digest of the message that ends so.
    pub(crate) fn digest(&self, rest: &[u8]) -> Digest {
        #[cfg(bemr_weaken)]
        super::operations::note_digest();
        let mut hash = self.0.clone();
        hash.update(rest);
        Digest(hash.finalize().into())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut digits = [0; 64];
        f.write_str(base16ct::lower::encode_str(&self.0, &mut digits).expect("two digits a byte"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 32 => Ok(Digest(bytes)),
            _ => Err("64 lower-case hexadecimal digits"),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
