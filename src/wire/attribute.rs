//! Attributes of a record: what a template maps it onto.

use crate::wire::{List, Text};
use serde::{Deserialize, Serialize};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// A code and the system that it belongs to; either may be empty, `system` is empty for a plain code.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    TlsSerialize,
    TlsDeserializeBytes,
    TlsSize,
)]
#[serde(deny_unknown_fields)]
pub struct Coding {
    /// The URI of the code system.
    #[serde(default)]
    pub system: Text,
    /// The code.
    pub code: Text,
}

/// A measured amount.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Quantity {
    /// `<`, `<=`, `>=`, `>` or empty.
    pub comparator: Text,
    /// The literal of a decimal number.
    pub value: Text,
    /// The unit: system and code, both empty when the record does not code it.
    pub unit: Coding,
}

/// What was measured, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Measure {
    /// What was measured.
    pub codes: List<Coding>,
    /// How much, when the record gives a number.
    pub quantity: Option<Quantity>,
}

/// One item of the value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Item {
    /// The element is there and has, instead of a value, extensions that give the reason.
    #[tls_codec(discriminant = 0)]
    Unstated,
    /// The literal of any type but the two below.
    #[tls_codec(discriminant = 1)]
    Text(Text),
    /// The codings of a concept, in their order, without display texts.
    #[tls_codec(discriminant = 2)]
    Concept(List<Coding>),
    /// A measurement.
    #[tls_codec(discriminant = 3)]
    Measure(Measure),
}

/// The value of an attribute that is present: one item, or at least one when the path has a `[*]`.
pub type Value = List<Item>;
