//! Bytes as JSON: lower-case hexadecimal digits, and nothing else.

use bemr::crypto::Digest;
use bemr::wire::{decode, encode};
use bemr_spec::{Refusal, Rules};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Bytes, shown as hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex(pub Vec<u8>);

impl Hex {
    /// The encoding of a message.
    pub(super) fn of(message: &impl tls_codec::Serialize) -> Hex {
        Hex(encode(message))
    }

    /// The message of which this is the encoding.
    pub(super) fn decode<T: tls_codec::DeserializeBytes + tls_codec::Serialize>(&self) -> Result<T, Refusal> {
        decode(&Rules::hardened(), &self.0)
    }

    /// As [`Hex::decode`]; nothing where there are no bytes.
    pub(super) fn decode_optional<T: tls_codec::DeserializeBytes + tls_codec::Serialize>(
        &self,
    ) -> Result<Option<T>, Refusal> {
        if self.0.is_empty() { Ok(None) } else { self.decode().map(Some) }
    }

    /// As a digest.
    pub(super) fn digest(&self) -> Result<Digest, String> {
        self.array().map(Digest::from_bytes)
    }

    /// As so many bytes.
    ///
    /// # Errors
    /// What is wrong, when there are more or fewer.
    pub fn array<const N: usize>(&self) -> Result<[u8; N], String> {
        self.0.as_slice().try_into().map_err(|_| format!("{} bytes instead of {N}", self.0.len()))
    }
}

impl<T: AsRef<[u8]>> From<T> for Hex {
    fn from(bytes: T) -> Hex {
        Hex(bytes.as_ref().to_vec())
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hex, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = base16ct::lower::decode_vec(&text);
        bytes.map(Hex).map_err(|_| D::Error::custom("expected pairs of lower-case hexadecimal digits"))
    }
}

impl schemars::JsonSchema for Hex {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hex".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^([0-9a-f]{2})*$" })
    }
}
