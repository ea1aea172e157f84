//! Every mutant of the protocol's rooms was caught, or has a reason why nobody can tell it from what is there.
//!
//! They are asked about by `cargo run -p bemr-proptests --features tools --example mutants`, which takes its time.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use serde::Deserialize;
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
struct Reason {
    why: String,
    mutants: Vec<String>,
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants").join(file)).unwrap()
}

#[test]
fn no_mutant_survives_without_a_reason() {
    let found = read("FOUND.md");
    for section in ["## Survivors without a reason", "## Not asked to the end"] {
        assert!(!found.contains(section), "{section}");
    }
    let reasons: Vec<Reason> = serde_json::from_str(&read("reasons.json")).unwrap();
    let survivors = found.lines().skip_while(|line| *line != "## Survivors");
    let survivors: Vec<&str> = survivors.filter_map(|line| line.strip_prefix("- `")).collect();
    let explained = reasons.iter().flat_map(|reason| &reason.mutants);
    assert!(explained.map(|mutant| format!("{mutant}`")).eq(survivors));
    assert!(reasons.iter().all(|reason| reason.why.ends_with('.') && found.contains(&reason.why)));
}

#[test]
fn the_mutants_are_those_of_every_room_of_the_protocol() {
    let found = read("FOUND.md");
    for room in ["actors", "audit", "keys", "ledger", "merkle", "session", "store", "votes"] {
        assert!(found.contains(&format!("\n| {room} | ")), "{room}");
    }
}
