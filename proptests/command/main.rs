//! Tests of the program itself: exit codes, standard output and standard error.
//!
//! Declared in the `Cargo.toml` of `src/cli`, because Cargo passes the path of a program only to tests of its package.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

mod adversary;
mod aliases;
mod attack;
mod check;
mod crashes;
mod experiment;
mod explore;
mod files;
mod fuzz_report;
mod inputs;
mod mutation;
mod output;
mod store_corruption;
mod store_failures;
mod traces;
mod vectors;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The result of running the program.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
        let ran = Ran {
            code: output.status.code().expect("no signal ended it"),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran
    }
}

impl Ran {
    /// The only line on standard error that begins with `source`.
    fn line(&self, source: &Path) -> &str {
        let prefix = format!("{}: ", source.display());
        let mut lines = self.err.lines().filter_map(|line| line.strip_prefix(&prefix));
        let line = lines.next().unwrap_or_else(|| panic!("no line on {prefix}in {}", self.err));
        assert_eq!(lines.next(), None, "{}", self.err);
        line
    }

    /// The one JSON document on standard output.
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bemr"));
    command.stdin(Stdio::null()).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    command
}

fn bemr(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
    program().args(arguments).output().unwrap().into()
}

/// `bemr run` in the fastest suite.
fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
    program().args(["run", "--suite", "tiny"]).args(arguments).output().unwrap().into()
}

/// A record that every contract accepts.
const GOOD: &[u8] = include_bytes!("../../src/records/samples/Patient-example.json");

/// Parses a page, which is XML as well as HTML.
fn page(text: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(text, options).unwrap()
}

/// Asserts that a page refers to nothing outside itself.
fn is_self_contained(text: &str) {
    for outside in ["http:", "https:", "//", "url(", "@import", "<link", "src="] {
        assert!(!text.contains(outside), "{outside}");
    }
}
