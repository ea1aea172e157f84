//! The chapters, the code and the tests agree on the clauses.

use bemr::weave::coverage::Coverage;
use bemr::weave::{self, Sources, machines};
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the project")
}

fn coverage() -> Coverage {
    let sources = Sources::read(root()).expect("the sources can be read");
    Coverage::of(&sources, weave::tables().expect("the tables have no flaw"), &machines::charts())
        .expect("they are Rust")
}

#[test]
fn the_generated_files_are_current() {
    let stale = weave::stale(root()).expect("the sources can be read");
    assert!(stale.is_empty(), "run `cargo run -- spec --write`: {stale:?}");
}

#[test]
fn every_clause_is_enforced_by_code() {
    let coverage = coverage();
    assert!(!coverage.clauses.is_empty());
    assert!(coverage.unenforced().is_empty(), "no code names {}", coverage.unenforced().join(", "));
}

#[test]
fn every_clause_is_shown_by_a_test() {
    let coverage = coverage();
    assert!(!coverage.clauses.is_empty());
    assert!(coverage.unshown().is_empty(), "no test names {}", coverage.unshown().join(", "));
}
