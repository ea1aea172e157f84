//! Test vectors: what every part of the protocol makes of an input, for implementations in other languages (chapter 20).
//!
//! They are generated, never written by hand: an honest input of each kind and, for each clause that reads it, the nearest
//! input that breaks it. What has to come out is what the specification says; where this implementation answers otherwise
//! nothing is generated. No rule of the protocol is decided here.

mod coverage;
mod file;
mod hex;
mod kinds;
mod mend;
mod near;
mod player;
mod run;
mod town;

pub use coverage::{Coverage, REASONS, Reason, coverage};
pub use file::{Answer, File, Id, MAX_BYTES, Outcome, Test, Unreadable};
pub use hex::Hex;
pub use kinds::{Entry, KINDS};
pub use run::{Difference, Judged, Program, Question, Reply, Respondent, Tally, no_question, reply, run};

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The folder of the vectors, from the root of the project.
pub const FOLDER: &str = "spec/vectors";

/// The name of the schema in the folder of vectors.
pub const SCHEMA: &str = "vectors.schema.json";

/// Every file of vectors, and their schema, by name; or those of one kind.
///
/// # Errors
/// The first test on which specification and implementation differ.
pub fn generate(only: Option<&str>, mut done: impl FnMut(&str)) -> Result<Vec<(String, String)>, String> {
    let mut files = vec![(SCHEMA.to_owned(), schema())];
    for entry in KINDS.iter().filter(|entry| only.is_none_or(|only| entry.name == only)) {
        for suite in entry.suites {
            let file = entry.file(suite)?;
            done(&file.name());
            files.push((file.name(), file.write()));
        }
    }
    Ok(files)
}

/// The JSON Schema of a file, draft 2020-12.
pub fn schema() -> String {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12().for_serialize());
    let files: Vec<Value> = KINDS.iter().map(|entry| of_kind(entry, &mut generator)).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:bemr:{}", file::FORMAT),
        "title": file::FORMAT,
        "description": "A file of test vectors (chapter 20).",
        "oneOf": files,
        "$defs": generator.take_definitions(true),
    });
    close(&mut schema);
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

fn of_kind(entry: &Entry, generator: &mut SchemaGenerator) -> Value {
    let (input, output) = (entry.schemas)(generator);
    let clause = json!({ "type": "string", "pattern": "^[A-Z]{3}-[0-9]{2}$" });
    let test = json!({
        "type": "object",
        "properties": {
            "tcId": { "type": "integer", "minimum": 1 },
            "comment": { "type": "string" },
            "flags": { "type": "array", "items": clause },
            "fields": { "type": "array", "items": { "type": "string" } },
            "input": input,
            "result": { "enum": ["valid", "invalid"] },
            "clause": { "anyOf": [clause, { "type": "null" }] },
            "output": { "anyOf": [output, { "type": "null" }] },
        },
        "required": ["tcId", "comment", "flags", "fields", "input", "result", "clause", "output"],
    });
    json!({
        "title": entry.name,
        "type": "object",
        "properties": {
            "format": { "const": file::FORMAT },
            "kind": { "const": entry.name },
            "suite": { "enum": entry.suites },
            "numberOfTests": { "type": "integer", "minimum": 0 },
            "tests": { "type": "array", "items": test },
        },
        "required": ["format", "kind", "suite", "numberOfTests", "tests"],
    })
}

/// Nothing is unknown, and nothing is missing.
fn close(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                let all: Vec<Value> = properties.keys().map(|name| json!(name)).collect();
                object.insert("required".to_owned(), all.into());
                object.insert("additionalProperties".to_owned(), false.into());
            }
            object.values_mut().for_each(close);
        }
        _ => {}
    }
}
