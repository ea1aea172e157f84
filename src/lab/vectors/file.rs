//! A file of vectors as JSON, and how strictly it is read.

use crate::vectors::kinds::{Entry, KINDS};
use bemr_spec::Clause;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a file of this format says it is.
pub(super) const FORMAT: &str = "bemr vectors 1";

/// The most bytes of a file that is read.
pub const MAX_BYTES: u64 = 16 << 20;

/// A file of vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// `bemr vectors 1`.
    pub format: String,
    /// The kind of its tests.
    pub kind: String,
    /// The name of the suite; `every` where none is used.
    pub suite: String,
    /// How many tests there are.
    #[serde(rename = "numberOfTests")]
    pub number_of_tests: u64,
    /// The tests.
    pub tests: Vec<Test>,
}

/// One vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Its number in the file, from 1.
    #[serde(rename = "tcId")]
    pub tc_id: u64,
    /// What it shows.
    pub comment: String,
    /// The clause that it breaks, or that it shows kept.
    pub flags: Vec<Clause>,
    /// The fields that hold what is wrong, as `Table.field`, outermost first; empty where no table has it.
    pub fields: Vec<String>,
    /// What is given.
    pub input: Value,
    /// What has to come out.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it was taken.
    pub result: Outcome,
    /// The clause that refused it; null when it was taken.
    pub clause: Option<Clause>,
    /// What it gave; null when it was refused.
    pub output: Value,
}

/// Taken or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Taken.
    Valid,
    /// Refused or ignored.
    Invalid,
}

/// Why a file was not taken: the test and the field, where they are known, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{field}: {problem}", .test.map_or_else(String::new, |id| format!("tcId {id}: ")))]
pub struct Unreadable {
    /// The number of the test.
    pub test: Option<u64>,
    /// The path of the field.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

fn unreadable(test: Option<u64>, field: impl Into<String>, problem: impl Into<String>) -> Unreadable {
    Unreadable { test, field: field.into(), problem: problem.into() }
}

/// Parses a value in which nothing is unknown and nothing is missing: what it means, written again, is what it was.
pub(super) fn strictly<T: serde::de::DeserializeOwned + Serialize>(
    value: &Value,
) -> Result<T, (String, String)> {
    let read: T = serde_path_to_error::deserialize(value)
        .map_err(|error| (error.path().to_string(), error.inner().to_string()))?;
    let again = serde_json::to_value(&read).map_err(|error| (String::new(), error.to_string()))?;
    match difference(value, &again) {
        None => Ok(read),
        Some(field) => Err((field, "missing, unknown or not in its one form".to_owned())),
    }
}

/// The path of the first place where two values differ.
fn difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys());
            keys.into_iter().find_map(|key| {
                let inner = match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => difference(one, other)?,
                    _ => String::new(),
                };
                Some(if inner.is_empty() { key.clone() } else { format!("{key}.{inner}") })
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(place, (one, other))| {
                let inner = difference(one, other)?;
                Some(if inner.is_empty() { format!("{place}") } else { format!("{place}.{inner}") })
            })
        }
        _ => (one != other).then(String::new),
    }
}

impl File {
    /// Reads a file; nothing in it is unknown and nothing missing.
    ///
    /// # Errors
    /// The first test and field that is not of the format.
    pub fn read(bytes: &[u8]) -> Result<File, Unreadable> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(unreadable(None, "file", format!("more than {MAX_BYTES} bytes")));
        }
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| unreadable(None, "file", error.to_string()))?;
        let file: File = strictly(&value).map_err(|(field, problem)| {
            let place = field.strip_prefix("tests[").or(field.strip_prefix("tests."));
            let place: String =
                place.into_iter().flat_map(str::chars).take_while(char::is_ascii_digit).collect();
            let test = place.parse::<u64>().ok().map(|place| place + 1);
            unreadable(test, field, problem)
        })?;
        if file.format != FORMAT {
            return Err(unreadable(None, "format", format!("not `{FORMAT}`")));
        }
        let entry = Entry::find(&file.kind).ok_or_else(|| {
            unreadable(None, "kind", format!("no kind `{}` among {}", file.kind, KINDS.len()))
        })?;
        if !entry.suites.contains(&file.suite.as_str()) {
            return Err(unreadable(None, "suite", format!("not one of {}", entry.suites.join(", "))));
        }
        if file.number_of_tests != file.tests.len() as u64 {
            return Err(unreadable(None, "numberOfTests", format!("there are {}", file.tests.len())));
        }
        for (place, test) in (1..).zip(&file.tests) {
            let here = |field: &str, problem: &str| Err(unreadable(Some(test.tc_id), field, problem));
            if test.tc_id != place {
                return here("tcId", &format!("test {place} of the file"));
            }
            let Answer { result, clause, output } = &test.answer;
            if clause.is_some() != (*result == Outcome::Invalid) {
                return here("clause", "there is one exactly when the result is invalid");
            }
            if output.is_null() != (*result == Outcome::Invalid) {
                return here("output", "there is one exactly when the result is valid");
            }
            if clause.is_some_and(|clause| !test.flags.contains(&clause)) {
                return here("flags", "the clause is not among them");
            }
            let shaped = (entry.shape)(&test.input, (!output.is_null()).then_some(output));
            shaped.map_err(|(field, problem)| unreadable(Some(test.tc_id), field, problem))?;
        }
        Ok(file)
    }

    /// The file as it is written: one test a line.
    pub fn write(&self) -> String {
        let line = |test: &Test| serde_json::to_string(test).expect("a test is JSON");
        let tests: Vec<String> = self.tests.iter().map(line).collect();
        format!(
            "{{\"format\":\"{FORMAT}\",\"kind\":\"{}\",\"suite\":\"{}\",\"numberOfTests\":{},\"tests\":[\n{}\n]}}\n",
            self.kind,
            self.suite,
            self.number_of_tests,
            tests.join(",\n")
        )
    }

    /// Its name in the folder of vectors.
    pub fn name(&self) -> String {
        match self.suite.as_str() {
            EVERY => format!("{}.json", self.kind),
            suite => format!("{}-{suite}.json", self.kind),
        }
    }
}

/// The suite of what uses none.
pub(super) const EVERY: &str = "every";
