//! Names, heights, versions and instants.

use serde::{Deserialize, Serialize};
use tls_codec::{DeserializeBytes, Error, Size, TlsDeserializeBytes, TlsSerialize, TlsSize};

/// The name of a principal, patient, template, contract or attribute: 1 to 64 bytes of printable ASCII
/// without the space; on the wire `opaque Name<1..64>` with a one-byte length.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(std::sync::Arc<str>);

impl Name {
    /// The longest name, in bytes.
    pub const MAX: usize = 64;

    /// Parses a name.
    ///
    /// # Errors
    /// Nothing when `text` is empty, longer than [`Name::MAX`] or has a byte outside `!`..=`~`.
    pub fn new(text: &str) -> Option<Name> {
        let fits = (1..=Name::MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Name(text.into()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Name::new(&text).ok_or("a name is 1 to 64 bytes of printable ASCII without spaces")
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.as_str().to_owned()
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl Size for Name {
    fn tls_serialized_len(&self) -> usize {
        1 + self.0.len()
    }
}

impl tls_codec::Serialize for Name {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        writer.write_all(&[self.0.len() as u8])?;
        writer.write_all(self.0.as_bytes())?;
        Ok(self.tls_serialized_len())
    }
}

impl DeserializeBytes for Name {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (&length, rest) = bytes.split_first().ok_or(Error::EndOfStream)?;
        let (text, rest) = rest.split_at_checked(length.into()).ok_or(Error::EndOfStream)?;
        let name = std::str::from_utf8(text).ok().and_then(Name::new);
        name.map(|name| (name, rest)).ok_or_else(|| Error::DecodingError("not a name".into()))
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
            TlsSerialize, TlsDeserializeBytes, TlsSize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// The height of a block; the first one closed has height 1.
    Height(u64)
}
number! {
    /// The version of a template, contract or list; the first one is 1.
    Version(u32)
}
number! {
    /// An instant of virtual time: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
    Time(u64)
}

impl Time {
    /// The instant `milliseconds` later, at most the last one.
    #[must_use]
    pub const fn after(self, milliseconds: u64) -> Time {
        Time(self.0.saturating_add(milliseconds))
    }
}
