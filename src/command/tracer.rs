//! Writes a trace to a file.

use crate::conformance::{FORMAT, Header, Principal, TraceStep};
use crate::network::{Event, Town};
use crate::wire::{ClosingRule, Time};
use serde::Serialize;
use std::fs::File;
use std::io::{LineWriter, Write};
use std::path::{Path, PathBuf};

/// Each line reaches the file as soon as it has happened: what a line says of a commit, the store holds.
pub(super) struct Tracer {
    path: PathBuf,
    out: LineWriter<File>,
    steps: u64,
}

impl Tracer {
    pub(super) fn create(path: &Path) -> Result<Tracer, String> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Tracer { path: path.to_owned(), out: LineWriter::new(file), steps: 0 })
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), String> {
        let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
        writeln!(self.out, "{text}").map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// The header.
    pub(super) fn begin(&mut self, seed: u64, start: Time, town: &Town) -> Result<(), String> {
        let principals =
            town.directory.iter().map(|one| Principal { name: one.name().clone(), role: one.role() });
        let ledger = match town.genesis.rule {
            ClosingRule::Quorum => "quorum",
            ClosingRule::Work(_) => "pow",
        };
        self.line(&Header {
            format: FORMAT.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            suite: town.kdc.anchor().suite.name().to_owned(),
            rules: "hardened".to_owned(),
            ledger: ledger.to_owned(),
            seed,
            start,
            principals: principals.collect(),
        })
    }

    /// One step.
    pub(super) fn step(&mut self, event: &Event) -> Result<(), String> {
        self.steps += 1;
        self.line(&TraceStep::of(self.steps, event))
    }
}
