//! Texts and lists whose length prefix is part of their type.

use serde::{Deserialize, Serialize};
use tls_codec::{DeserializeBytes, Error, Size};

/// UTF-8 text of at most 65 535 bytes; on the wire `opaque Text<0..2^16-1>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(Box<str>);

impl Text {
    /// The longest text, in bytes.
    pub const MAX: usize = 0xffff;

    /// The text, or nothing when it is longer than [`Text::MAX`] bytes.
    pub fn new(text: &str) -> Option<Text> {
        (text.len() <= Text::MAX).then(|| Text(text.into()))
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Text::new(&text).ok_or("a text is at most 65535 bytes")
    }
}

impl From<Text> for String {
    fn from(text: Text) -> String {
        text.0.into()
    }
}

impl From<&crate::wire::Name> for Text {
    fn from(name: &crate::wire::Name) -> Text {
        Text(name.as_str().into())
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl Size for Text {
    fn tls_serialized_len(&self) -> usize {
        2 + self.0.len()
    }
}

impl tls_codec::Serialize for Text {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        writer.write_all(&(self.0.len() as u16).to_be_bytes())?;
        writer.write_all(self.0.as_bytes())?;
        Ok(self.tls_serialized_len())
    }
}

impl DeserializeBytes for Text {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(Error::EndOfStream)?;
        let (text, rest) =
            rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(Error::EndOfStream)?;
        let text = std::str::from_utf8(text).map_err(|_| Error::DecodingError("text is not UTF-8".into()))?;
        Ok((Text(text.into()), rest))
    }
}

/// A list whose elements take at most 16 777 215 bytes; on the wire `T List<0..2^24-1>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct List<T>(Vec<T>);

impl<T> List<T> {
    /// The most bytes that the elements take together.
    pub const MAX: usize = 0xff_ffff;
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(elements: Vec<T>) -> Self {
        List(elements)
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        List(elements.into_iter().collect())
    }
}

impl<T> std::ops::Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Size> Size for List<T> {
    fn tls_serialized_len(&self) -> usize {
        3 + self.0.iter().map(Size::tls_serialized_len).sum::<usize>()
    }
}

impl<T: tls_codec::Serialize> tls_codec::Serialize for List<T> {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let length = self.tls_serialized_len();
        let body = u32::try_from(length - 3).map_err(|_| Error::InvalidVectorLength)?;
        let [0, prefix @ ..] = body.to_be_bytes() else { return Err(Error::InvalidVectorLength) };
        writer.write_all(&prefix)?;
        for element in &self.0 {
            element.tls_serialize(writer)?;
        }
        Ok(length)
    }
}

impl<T: DeserializeBytes> DeserializeBytes for List<T> {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let ([a, b, c], rest) = bytes.split_first_chunk::<3>().ok_or(Error::EndOfStream)?;
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let (mut body, rest) = rest.split_at_checked(length).ok_or(Error::EndOfStream)?;
        let mut elements = Vec::new();
        while !body.is_empty() {
            let (element, after) = T::tls_deserialize_bytes(body)?;
            if after.len() == body.len() {
                return Err(Error::DecodingError("an element of a list takes at least one byte".into()));
            }
            elements.push(element);
            body = after;
        }
        Ok((List(elements), rest))
    }
}
