//! The test vectors in `spec/vectors/` are current, strict, true and complete.

use bemr_lab::vectors::{
    self, FOLDER, File, KINDS, Outcome, Question, Respondent, SCHEMA, coverage, reply, run,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FOLDER)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of all files there.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder of vectors");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a readable entry").file_name().into_string().expect("a UTF-8 name"))
        .collect();
    names.sort();
    names
}

pub(super) fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let vectors = names().into_iter().filter(|name| name != SCHEMA);
        let read = |name: String| File::read(&bytes(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        vectors.map(read).collect()
    })
}

/// A short file, as JSON.
fn short() -> Value {
    serde_json::from_slice(&bytes("verify-tiny.json")).expect("it is JSON")
}

fn refused(file: &Value) -> String {
    let text = serde_json::to_vec(file).expect("it is JSON");
    File::read(&text).expect_err("it is not of the format").to_string()
}

/// Whether a suite's vectors take long to make; `bemr vectors generate --check` makes them, in CI.
fn takes_long(suite: &str) -> bool {
    suite.starts_with("ffdhe")
}

#[test]
fn the_vectors_of_the_quick_suites_are_what_the_command_writes() {
    let plans: Vec<_> = vectors::plans().into_iter().filter(|(_, suite)| !takes_long(suite)).collect();
    let made = vectors::generate(&plans, |_| ()).expect("they are made");
    assert_eq!(made.len(), plans.len() + 1, "and their schema");
    for (name, text) in made {
        assert!(
            bytes(&name) == text.as_bytes(),
            "{name} is stale: `bemr vectors generate {FOLDER}` writes it"
        );
    }
}

#[test]
fn there_is_a_file_for_every_kind_and_suite_and_no_other() {
    let mut expected: Vec<_> = vectors::plans().iter().map(|(kind, suite)| (kind.name, *suite)).collect();
    let mut there: Vec<_> = files().iter().map(|file| (file.kind.as_str(), file.suite.as_str())).collect();
    expected.sort();
    there.sort();
    assert_eq!(there, expected, "the files; `bemr vectors generate {FOLDER}` writes them");
    let mut named: Vec<_> = files().iter().map(File::name).chain([SCHEMA.to_owned()]).collect();
    named.sort();
    assert_eq!(names(), named, "each is named for its kind and suite");
}

#[test]
fn every_vector_is_answered_as_it_says() {
    for file in files() {
        let tally = run(file, &mut Respondent::This, || ()).expect("this implementation answers");
        assert_eq!((tally.agreed, tally.unsupported), (file.number_of_tests, 0), "{:?}", tally.differing);
    }
}

#[test]
fn every_pair_of_field_and_clause_is_shown_or_has_a_reason() {
    let coverage = coverage(files());
    assert!(coverage.missing.is_empty(), "neither: {:#?}", coverage.missing);
    assert!(coverage.stale.is_empty(), "reasons that hold no more: {:#?}", coverage.stale);
    assert_eq!(coverage.shown + coverage.reasoned, coverage.pairs);
    assert!(coverage.reasoned * 10 < coverage.pairs, "{} reasons", coverage.reasoned);
}

#[test]
fn every_suite_and_every_kind_has_a_file_with_both_results() {
    for kind in KINDS {
        for suite in kind.suites {
            let of = |file: &&File| file.kind == kind.name && file.suite == *suite;
            assert_eq!(files().iter().filter(of).count(), 1, "{} {suite}", kind.name);
        }
    }
    let refused =
        files().iter().flat_map(|file| &file.tests).filter(|test| test.answer.result == Outcome::Invalid);
    assert!(refused.count() > 1_000);
}

#[test]
fn the_schema_closes_every_object() {
    let schema: Value = serde_json::from_slice(&bytes(SCHEMA)).expect("it is JSON");
    let mut open = Vec::new();
    let mut left = vec![&schema];
    while let Some(value) = left.pop() {
        if let Value::Object(object) = value {
            if let Some(Value::Object(properties)) = object.get("properties") {
                let required = object.get("required").and_then(Value::as_array).map_or(0, Vec::len);
                let closed = object.get("additionalProperties") == Some(&json!(false));
                if !closed || required != properties.len() {
                    open.push(value);
                }
            }
            left.extend(object.values());
        }
        if let Value::Array(items) = value {
            left.extend(items);
        }
    }
    assert!(open.is_empty(), "{open:#?}");
}

#[test]
fn what_is_unknown_is_refused_by_name() {
    let mut file = short();
    file["tests"][2]["input"]["colour"] = json!("red");
    let told = refused(&file);
    assert!(told.contains("tcId 3") && told.contains("input.colour"), "{told}");
    let mut file = short();
    file["tests"][1]["colour"] = json!("red");
    assert!(refused(&file).contains("colour"));
    let mut file = short();
    file["colour"] = json!("red");
    assert!(refused(&file).contains("colour"));
}

#[test]
fn what_is_missing_is_refused_by_name() {
    for field in ["tcId", "comment", "flags", "fields", "input", "result", "clause", "output"] {
        let mut file = short();
        file["tests"][1].as_object_mut().expect("a test").remove(field);
        assert!(refused(&file).contains(field), "{field}: {}", refused(&file));
    }
    for field in ["public", "tag", "message", "signature"] {
        let mut file = short();
        file["tests"][1]["input"].as_object_mut().expect("an input").remove(field);
        let told = refused(&file);
        assert!(told.contains("tcId 2") && told.contains(field), "{field}: {told}");
    }
    for field in ["format", "kind", "suite", "numberOfTests", "tests"] {
        let mut file = short();
        file.as_object_mut().expect("a file").remove(field);
        assert!(refused(&file).contains(field), "{field}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    /// What is changed, and how.
    type Change = (&'static str, fn(&mut Value));
    let changes: [Change; 9] = [
        ("tcId", |file| file["tests"][1]["tcId"] = json!(7)),
        ("numberOfTests", |file| file["numberOfTests"] = json!(1)),
        ("format", |file| file["format"] = json!("bemr vectors 2")),
        ("kind", |file| file["kind"] = json!("verily")),
        ("suite", |file| file["suite"] = json!("every")),
        ("clause", |file| file["tests"][0]["clause"] = json!("SIG-03")),
        ("clause", |file| file["tests"][1]["clause"] = Value::Null),
        ("output", |file| file["tests"][0]["output"] = Value::Null),
        ("flags", |file| file["tests"][1]["flags"] = json!(["GRP-01"])),
    ];
    for (field, change) in changes {
        let mut file = short();
        change(&mut file);
        assert!(refused(&file).contains(field), "{field}: {}", refused(&file));
    }
    let mut upper = short();
    let public = upper["tests"][0]["input"]["public"].as_str().expect("digits").to_uppercase();
    upper["tests"][0]["input"]["public"] = json!(format!("AB{}", &public[2..]));
    assert!(refused(&upper).contains("hexadecimal"));
}

#[test]
fn a_test_that_says_something_wrong_is_found_out() {
    let wrong = |change: &dyn Fn(&mut Value)| {
        let mut file = short();
        change(&mut file);
        let file = File::read(&serde_json::to_vec(&file).expect("JSON")).expect("it is still of the format");
        run(&file, &mut Respondent::This, || ()).expect("it is answered").differing.len()
    };
    assert_eq!(wrong(&|_| ()), 0);
    assert_eq!(
        wrong(&|file| {
            file["tests"][1]["clause"] = json!("GRP-03");
            file["tests"][1]["flags"] = json!(["GRP-03"]);
        }),
        1,
        "another clause"
    );
    assert_eq!(
        wrong(&|file| {
            let test = &mut file["tests"][1];
            (test["result"], test["clause"], test["output"]) = (json!("valid"), Value::Null, json!({}));
        }),
        1,
        "taken instead of refused"
    );
}

#[test]
fn a_bit_turned_over_in_what_is_given_changes_what_comes_out() {
    // Of each file, in the first test that is taken: one digit of the longest text of the input. What stands in a record
    // need not show.
    let mut tried = 0;
    let looked_at = |file: &&File| {
        ["every", "tiny"].contains(&file.suite.as_str())
            && !["record", "contracts", "value"].contains(&file.kind.as_str())
    };
    for file in files().iter().filter(looked_at) {
        let Some(test) = file.tests.iter().find(|test| test.answer.result == Outcome::Valid) else {
            continue;
        };
        let mut input = test.input.clone();
        let Some(text) = longest(&mut input) else { continue };
        let middle = text.len() / 2;
        let digit = if text.as_bytes()[middle] == b'0' { "1" } else { "0" };
        text.replace_range(middle..=middle, digit);
        let (kind, suite) = (file.kind.clone(), file.suite.clone());
        let replied = reply(&Question { kind, suite, tc_id: test.tc_id, input });
        assert_ne!(replied.output, test.answer.output, "{} tcId {}", file.name(), test.tc_id);
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}

/// The longest hexadecimal text in a value.
fn longest(value: &mut Value) -> Option<&mut String> {
    match value {
        Value::String(text) => {
            Some(text).filter(|text| text.len() > 1 && text.bytes().all(|b| b.is_ascii_hexdigit()))
        }
        Value::Array(items) => items.iter_mut().filter_map(longest).max_by_key(|text| text.len()),
        Value::Object(members) => members.values_mut().filter_map(longest).max_by_key(|text| text.len()),
        _ => None,
    }
}
