//! The mutants, as `cargo mutants` lists them. What each would change is its word; that list is taken as it is.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Line and column, both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Point {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

#[derive(Deserialize)]
struct Listed {
    file: String,
    genre: Genre,
    name: String,
    replacement: String,
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    start: Point,
}

/// What kind of thing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

/// One change of the sources.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// File and change, and which of several alike. It says no line, so that it lasts.
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) genre: Genre,
    pub(crate) replacement: String,
    pub(crate) start: Point,
}

impl Mutant {
    /// The room that it is in.
    pub(crate) fn room(&self) -> &str {
        self.file.split('/').nth(1).unwrap_or_default()
    }
}

/// All mutants of the rooms that `.cargo/mutants.toml` names. A mutant's number is its place here, counted from 1.
pub(crate) fn list(project: &Path) -> Result<Vec<Mutant>, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["mutants", "--list", "--json"]).current_dir(project);
    let ran = cargo.output().map_err(|error| format!("cargo: {error}"))?;
    if !ran.status.success() {
        return Err(format!("cargo mutants --list: {}", String::from_utf8_lossy(&ran.stderr)));
    }
    let mut listed: Vec<Listed> = serde_json::from_slice(&ran.stdout).map_err(|error| error.to_string())?;
    listed.sort_by(|a, b| (&a.file, a.span.start, &a.name).cmp(&(&b.file, b.span.start, &b.name)));
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    let mutants = listed.into_iter().map(|Listed { file, genre, name, replacement, span }| {
        let change = name.splitn(4, ':').nth(3).unwrap_or_default().trim().to_owned();
        let count = alike.entry(format!("{file}: {change}")).or_default();
        *count += 1;
        let which = if *count > 1 { format!(" ({count})") } else { String::new() };
        Mutant { name: format!("{file}: {change}{which}"), file, genre, replacement, start: span.start }
    });
    Ok(mutants.collect())
}
