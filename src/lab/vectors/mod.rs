//! Test vectors: what every part of the protocol makes of an input, for implementations in other languages (chapter 20).
//!
//! They are generated, never written by hand: an honest input of each kind and, for each clause that reads it, the nearest
//! input that breaks it. What has to come out is what the specification says; where this implementation answers otherwise
//! nothing is generated. No rule of the protocol is decided here.

/// Types whose values are JSON: what a kind is given and what it yields.
macro_rules! data {
    ($($(#[$($of:tt)*])* $name:ident { $($(#[$($about:tt)*])* $field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$($of)*])*
        #[derive(Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub(in crate::vectors) struct $name { $($(#[$($about)*])* pub(in crate::vectors) $field: $kind),* }
    )*};
}

mod coverage;
mod file;
mod hex;
mod kinds;
mod recorder;
mod replayer;
mod run;

pub use coverage::{Coverage, REASONS, Reason, coverage};
pub use file::{Answer, File, MAX_BYTES, Outcome, Test, Unreadable};
pub use hex::Hex;
pub use kinds::{Entry, KINDS};
pub use run::{Difference, Evaluated, Program, Question, Reply, Respondent, Tally, no_question, reply, run};

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The folder of the vectors, from the root of the project.
pub const FOLDER: &str = "spec/vectors";

/// The name of the schema in the folder of vectors.
pub const SCHEMA: &str = "vectors.schema.json";

/// How many files are generated at once.
const THREADS: usize = 2;

/// A file that can be generated: a kind, and the name of one of its suites.
pub type Plan = (&'static Entry, &'static str);

/// Every file there is.
pub fn plans() -> Vec<Plan> {
    KINDS.iter().flat_map(|entry| entry.suites.iter().map(move |suite| (entry, *suite))).collect()
}

/// Makes files of vectors, and their schema: names and texts, the schema first and the files in the order of the plans.
///
/// # Errors
/// The first test on which specification and implementation differ.
pub fn generate(plans: &[Plan], done: impl Fn(&str) + Sync) -> Result<Vec<(String, String)>, String> {
    let next = AtomicUsize::new(0);
    let generated = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((entry, suite)) = plans.get(place) else { break };
                    let file = entry.file(suite).map(|file| (file.name(), file.write()));
                    if let Ok((name, _)) = &file {
                        done(name);
                    }
                    generated.lock().unwrap_or_else(PoisonError::into_inner).insert(place, file);
                }
            });
        }
    });
    let generated = generated.into_inner().unwrap_or_else(PoisonError::into_inner).into_values();
    std::iter::once(Ok((SCHEMA.to_owned(), schema()))).chain(generated).collect()
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
