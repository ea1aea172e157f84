//! Type expressions.

use std::collections::BTreeMap;

/// A type of the TLS presentation language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A big-endian number of so many bytes.
    Number(u8),
    /// So many bytes.
    Fixed(u64),
    /// Bytes behind their length.
    Opaque(Bounds),
    /// Values of one type behind their length in bytes.
    Vector(Box<Type>, Bounds),
    /// A byte 0, or a byte 1 and a value.
    Optional(Box<Type>),
    /// One of a list of numbers.
    Enum(Enumeration),
    /// The fields of the case that an earlier field of the same message names.
    Select(String),
    /// 1 to 64 bytes of printable ASCII without the space, behind a one-byte length.
    Name,
    /// UTF-8 behind its two-byte length.
    Text,
    /// The message or enum of this name.
    Reference(String),
}

/// The least and greatest length of a vector, in bytes; its length prefix is as wide as the greatest needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub least: u64,
    /// The greatest.
    pub most: u64,
}

/// The values of an enum, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enumeration {
    /// Bytes on the wire.
    pub width: u8,
    /// Names and values, as listed.
    pub values: Vec<(String, u64)>,
    /// The message that a select puts behind a value, where the list names one.
    pub messages: BTreeMap<String, String>,
}

impl Bounds {
    /// How many bytes the length takes.
    pub const fn prefix(self) -> u8 {
        match self.most {
            0..=0xff => 1,
            0x100..=0xffff => 2,
            0x1_0000..=0xff_ffff => 3,
            _ => 4,
        }
    }
}

impl Enumeration {
    /// An enum of so many bytes without values.
    pub(super) const fn new(width: u8) -> Enumeration {
        Enumeration { width, values: Vec::new(), messages: BTreeMap::new() }
    }

    /// The name of a value.
    pub fn name(&self, value: u64) -> Option<&str> {
        self.values.iter().find(|(_, listed)| *listed == value).map(|(name, _)| name.as_str())
    }
}

/// The types that need no table.
pub(super) fn known() -> Vec<(&'static str, Type)> {
    let mut suites =
        vec![("ffdhe2048".to_owned(), 1), ("ffdhe3072".to_owned(), 2), ("ristretto255".to_owned(), 3)];
    if cfg!(bemr_weaken) {
        suites.push(("tiny".to_owned(), 0xff01));
    }
    vec![
        ("Name", Type::Name),
        ("Text", Type::Text),
        ("Height", Type::Number(8)),
        ("Version", Type::Number(4)),
        ("Time", Type::Number(8)),
        ("Digest", Type::Fixed(32)),
        ("Suite", Type::Enum(Enumeration { values: suites, ..Enumeration::new(2) })),
        ("Signature", Type::Opaque(Bounds { least: 0, most: 0xffff })),
    ]
}

/// Whether `text` can name a field or a message.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A type expression deeper than this is a mistake.
const DEEPEST: usize = 8;

/// Parses a type expression; an enum comes without its values.
pub(super) fn parse(text: &str) -> Result<Type, String> {
    parse_within(text.trim(), DEEPEST)
}

fn parse_within(text: &str, depth: usize) -> Result<Type, String> {
    let wrong = || format!("`{text}` is not a type");
    let depth = depth.checked_sub(1).ok_or_else(wrong)?;
    let number = |bytes| Ok(Type::Number(bytes));
    match text {
        "uint8" => return number(1),
        "uint16" => return number(2),
        "uint24" => return number(3),
        "uint32" => return number(4),
        "uint64" => return number(8),
        _ => {}
    }
    if let Some(size) = text.strip_prefix("opaque[").and_then(|rest| rest.strip_suffix(']')) {
        return quantity(size).map(Type::Fixed).ok_or_else(wrong);
    }
    if let Some(width) = enum_width(text) {
        return Ok(Type::Enum(Enumeration::new(width)));
    }
    if let Some(rest) = text.strip_prefix("select") {
        let on = rest.trim_start().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).map(str::trim);
        return on.filter(|on| is_identifier(on)).map(|on| Type::Select(on.to_owned())).ok_or_else(wrong);
    }
    if let Some(inner) = text.strip_prefix("optional<").and_then(|rest| rest.strip_suffix('>')) {
        return Ok(Type::Optional(Box::new(parse_within(inner.trim(), depth)?)));
    }
    if let Some(rest) = text.strip_suffix('>') {
        let (element, bounds) = rest.rsplit_once('<').ok_or_else(wrong)?;
        let bounds = parse_bounds(bounds).ok_or_else(wrong)?;
        return match element.trim() {
            "opaque" => Ok(Type::Opaque(bounds)),
            element => Ok(Type::Vector(Box::new(parse_within(element, depth)?), bounds)),
        };
    }
    is_identifier(text).then(|| Type::Reference(text.to_owned())).ok_or_else(wrong)
}

/// The width of `enum (n bytes)`.
fn enum_width(text: &str) -> Option<u8> {
    let inner = text.strip_prefix("enum")?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    match inner.trim().trim_end_matches(" bytes").trim_end_matches(" byte") {
        "1" => Some(1),
        "2" => Some(2),
        "4" => Some(4),
        _ => None,
    }
}

/// The width of the `enum (n bytes)` or `enum of n bytes` in a sentence.
pub(super) fn enum_width_in(sentence: &str) -> Option<u8> {
    let words = &sentence[sentence.find("enum ")?..];
    if let Some(rest) = words.strip_prefix("enum of ") {
        let (width, rest) = rest.split_once(" byte")?;
        return rest
            .starts_with(['.', ',', ':', ';', 's'])
            .then(|| enum_width(&format!("enum ({width})")))?;
    }
    enum_width(&words[..=words.find(')')?])
}

fn parse_bounds(text: &str) -> Option<Bounds> {
    let (least, most) = text.split_once("..")?;
    let bounds = Bounds { least: quantity(least)?, most: quantity(most)? };
    (bounds.least <= bounds.most && 0 < bounds.most && bounds.most <= 0xffff_ffff).then_some(bounds)
}

/// A number such as `64`, `0xff01`, `2^24` or `2^16-1`.
pub(super) fn quantity(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(at) = text.rfind(['+', '-']) {
        let (left, right) = (quantity(&text[..at])?, term(&text[at + 1..])?);
        return if text.as_bytes()[at] == b'+' { left.checked_add(right) } else { left.checked_sub(right) };
    }
    term(text)
}

fn term(text: &str) -> Option<u64> {
    match text.split_once('^') {
        Some((base, exponent)) => plain(base.trim())?.checked_pow(plain(exponent.trim())?.try_into().ok()?),
        None => plain(text.trim()),
    }
}

fn plain(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u64::from_str_radix(hex, 16).ok(),
        None if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}
