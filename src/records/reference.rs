//! One name for what a reference refers to, however it refers to it.
//!
//! It does not follow references: two that name the same patient in two ways give two names.

use crate::crypto::{Digest, Domain};
use crate::records::Record;
use crate::records::json::Json;
use crate::wire::Name;

/// The name of a referent that the record does not identify.
pub const UNKNOWN: &str = "unknown";

const LITERAL: u8 = 1;
const IDENTIFIER: u8 = 2;
const DISPLAY: u8 = 3;

/// The name of the patient at `element`: the `id` of a Patient, the Reference of any other resource.
pub(super) fn patient(record: &Record, element: Option<&Json>) -> Name {
    match element {
        Some(Json::String(id)) if record.is_patient() && is_id(id) => literal(&format!("Patient/{id}")),
        Some(reference @ Json::Object(_)) if !record.is_patient() => name(record, reference),
        _ => unknown(),
    }
}

/// Whether `text` has the form of a FHIR id.
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// The name of what the Reference `element` refers to.
pub(super) fn name(record: &Record, element: &Json) -> Name {
    let reference = element.member("reference").and_then(Json::text);
    match reference.map(|reference| (reference, reference.strip_prefix('#'))) {
        Some((reference, None)) => return literal(reference),
        Some((_, Some(id))) => {
            if let Some(name) = contained(record, id).and_then(|resource| {
                resource.member("identifier").and_then(|all| all.elements().iter().find_map(identifier))
            }) {
                return name;
            }
        }
        None => {}
    }
    let named = element.member("identifier").and_then(identifier);
    let shown = || element.member("display").and_then(Json::text).map(|display| digest(DISPLAY, &[display]));
    named.or_else(shown).unwrap_or_else(unknown)
}

/// The resource contained in `record` that has this id.
pub(super) fn contained<'a>(record: &'a Record, id: &str) -> Option<&'a Json> {
    let all = record.root().member("contained")?.elements();
    all.iter().find(|resource| resource.member("id").and_then(Json::text) == Some(id))
}

fn unknown() -> Name {
    Name::new(UNKNOWN).expect("it is short printable ASCII")
}

/// The name of an Identifier that has a value.
fn identifier(element: &Json) -> Option<Name> {
    let value = element.member("value").and_then(Json::text)?;
    let system = element.member("system").and_then(Json::text).unwrap_or_default();
    Some(digest(IDENTIFIER, &[system, value]))
}

/// A reference that has a path and fits is its own name; the version that it may ask for is no part of it.
fn literal(reference: &str) -> Name {
    let reference = reference.split_once("/_history/").map_or(reference, |(unversioned, _)| unversioned);
    let own = reference.contains('/') || reference.starts_with("urn:");
    Name::new(reference).filter(|_| own).unwrap_or_else(|| digest(LITERAL, &[reference]))
}

/// `h:` and the first 62 hexadecimal digits of the digest of `kind` and the length-prefixed texts.
fn digest(kind: u8, texts: &[&str]) -> Name {
    let mut message = vec![kind];
    for text in texts {
        message.extend((text.len() as u32).to_be_bytes());
        message.extend(text.as_bytes());
    }
    let digits = Digest::of(Domain::REFERENT, &message).to_string();
    Name::new(&format!("h:{}", &digits[..62])).expect("64 characters of printable ASCII")
}
