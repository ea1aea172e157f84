//! Words that mean something somewhere, for engines that know nothing: the labels and tags of the specification, clauses,
//! messages, enums, and what a life is told in.

use bemr_lab::lockstep::Script;
use bemr_lab::trace::MESSAGES;
use bemr_spec::Clause;
use bemr_spec::messages::{CHAPTERS, Tables, Type};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

/// Where it is kept.
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../bemr.dict")
}

/// The file, in the form that libFuzzer and AFL read.
pub fn dictionary() -> String {
    let mut words: BTreeSet<Vec<u8>> = BTreeSet::new();
    let tables = crate::targets::tables();
    for message in tables.messages() {
        for field in &message.fields {
            words.insert(field.name.clone().into_bytes());
            words.extend(codes(tables, &field.ty));
        }
    }
    words.extend(labels().map(str::to_owned).map(String::into_bytes));
    words.extend(Clause::ALL.map(|clause| clause.id().as_bytes().to_vec()));
    words.extend(Clause::ALL.map(|clause| clause.code().to_be_bytes().to_vec()));
    words.extend(MESSAGES.map(|message| message.as_bytes().to_vec()));
    words.extend(Script::words().map(|word| word.as_bytes().to_vec()));
    words.extend(bemr::records::RESOURCE_TYPES.map(|(name, _)| name.as_bytes().to_vec()));
    let mut text = String::from("# Written by `cargo run -p bemr-fuzz -- dictionary`.\n");
    for word in words.iter().filter(|word| !word.is_empty()) {
        let escaped = word.iter().fold(String::new(), |mut text, byte| {
            match byte {
                b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
                b' '..=b'~' => text.push(char::from(*byte)),
                byte => write!(text, "\\x{byte:02X}").expect("a string grows"),
            }
            text
        });
        writeln!(text, "\"{escaped}\"").expect("a string grows");
    }
    text
}

/// The values of an enum, as they stand on the wire; of more than one byte, for others say nothing.
fn codes(tables: &Tables, ty: &Type) -> Vec<Vec<u8>> {
    let values = match ty {
        Type::Enum(values) => Some(values),
        Type::Reference(name) => match tables.definition(name) {
            Some(bemr_spec::messages::Definition::Enum { values, .. }) => Some(values),
            _ => None,
        },
        _ => None,
    };
    let wide = values.into_iter().filter(|values| values.width > 1).flat_map(|values| &values.values);
    wide.map(|(_, value)| value.to_be_bytes()[6..].to_vec()).collect()
}

/// What the chapters put in backticks that begins as labels and tags do.
fn labels() -> impl Iterator<Item = &'static str> {
    let quoted = CHAPTERS.iter().flat_map(|(_, text)| text.split('`').skip(1).step_by(2));
    quoted.filter(|text| text.starts_with("bemr/1 "))
}
