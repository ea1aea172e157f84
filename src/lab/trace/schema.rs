//! The JSON Schema of a line, from the declarations that the reader reads by.

use super::{FORMAT, Header, Step};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema, draft 2020-12. The first line of a trace is a `Header`, every other one a `Step`.
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12().for_serialize());
    let (header, step) = (generator.subschema_for::<Header>(), generator.subschema_for::<Step>());
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:bemr:{FORMAT}"),
        "title": FORMAT,
        "description": "A line of a trace: the first is a Header, every other one a Step (chapter 19).",
        "oneOf": [header, step],
        "$defs": generator.take_definitions(true),
    });
    tighten(&mut schema);
    schema
}

/// What the reader is strict about beside the declarations: no field is unknown, and one that may be left out is not null.
/// Widths of numbers become bounds.
fn tighten(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tighten),
        Value::Object(object) => {
            let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                let optional = properties.iter_mut().filter(|(name, _)| !required.contains(&json!(name)));
                optional.for_each(|(_, field)| not_null(field));
                object.insert("additionalProperties".to_owned(), false.into());
            }
            bound(object);
            object.values_mut().for_each(tighten);
        }
        _ => {}
    }
}

/// A field without the alternative `null`.
fn not_null(field: &mut Value) {
    let null = json!("null");
    if let Some(Value::Array(types)) = field.get_mut("type") {
        types.retain(|one| *one != null);
    }
    if let Some(Value::Array(alternatives)) = field.get_mut("anyOf") {
        alternatives.retain(|one| one.get("type") != Some(&null));
    }
}

fn bound(object: &mut Map<String, Value>) {
    let greatest = match object.get("format").and_then(Value::as_str) {
        Some("uint8") => u64::from(u8::MAX),
        Some("uint16") => u64::from(u16::MAX),
        Some("uint32") => u64::from(u32::MAX),
        Some("uint64") => u64::MAX,
        _ => return,
    };
    object.remove("format");
    object.entry("minimum").or_insert_with(|| 0.into());
    object.entry("maximum").or_insert_with(|| greatest.into());
}
