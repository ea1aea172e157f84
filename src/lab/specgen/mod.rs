//! Generates the parts of the specification that derive from code and chapters, in `spec/generated/`.
//!
//! These are the register of clauses, every message in the presentation language, every state machine, the coverage of each
//! clause as Markdown and as JSON, the sequence diagram of one record, and the evidential value of an ACK; beside them the JSON
//! Schema of traces, and two blocks of `README.md`. All are committed; a test fails when [`write()`] would change one.

mod conjuncts;
pub mod coverage;
mod experiment;
pub mod machines;
mod readme;
mod register;
mod sources;

#[cfg(test)]
mod tests;

pub use register::explain;
pub use sources::Sources;

use crate::trace;
use bemr_spec::messages::{CHAPTERS, Tables};
use coverage::Coverage;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The folder of the generated files, from the root of the project.
pub const FOLDER: &str = "spec/generated";

/// The JSON Schema of traces, from the root of the project.
pub const SCHEMA: &str = "spec/trace.schema.json";

/// The other file with generated blocks, from the root of the project.
pub const README: &str = "README.md";

/// Writes the generated files under `root`, the root of the project, and returns those that changed.
///
/// # Errors
/// A source that cannot be read or has no tokens; an invalid table of messages; a file that cannot be written.
pub fn write(root: &Path) -> io::Result<Vec<PathBuf>> {
    let stale = differing(root)?;
    fs::create_dir_all(root.join(FOLDER))?;
    for (path, text) in &stale {
        fs::write(root.join(path), text)?;
    }
    Ok(stale.into_iter().map(|(path, _)| path).collect())
}

/// The generated files under `root` that [`write()`] would change.
///
/// # Errors
/// As [`write()`].
pub fn stale(root: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(differing(root)?.into_iter().map(|(path, _)| path).collect())
}

fn differing(root: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let mut differing = Vec::new();
    for (path, text) in generate(&Sources::read(root)?, &fs::read_to_string(root.join(README))?)? {
        let same = match fs::read(root.join(&path)) {
            Ok(there) => there == text.as_bytes(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if !same {
            differing.push((path, text));
        }
    }
    Ok(differing)
}

fn generate(sources: &Sources, readme_text: &str) -> io::Result<[(PathBuf, String); 10]> {
    let tables = tables()?;
    let charts = machines::charts();
    let coverage = Coverage::of(sources, tables, &charts)?;
    let at = |name| Path::new(FOLDER).join(name);
    Ok([
        (at("register.md"), register::render()),
        (at("messages.md"), messages(tables)),
        (at("machines.md"), machines::render(&charts)),
        (at("coverage.md"), coverage.render()),
        (at("coverage.json"), coverage.to_json()),
        (
            at("flow.md"),
            heading("Sequence diagram of one record", "the trace of a run") + "\n" + &readme::flow()?,
        ),
        (at("experiment.md"), experiment::render()),
        (at("conjuncts.md"), conjuncts::render()),
        (SCHEMA.into(), serde_json::to_string_pretty(&trace::schema())? + "\n"),
        (README.into(), readme::render(readme_text, tables, &coverage)?),
    ])
}

/// The tables of the chapters.
///
/// # Errors
/// All their defects, as one error.
pub fn tables() -> io::Result<&'static Tables> {
    Tables::of_the_chapters().map_err(|flaws| {
        let flaws: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        io::Error::new(io::ErrorKind::InvalidData, flaws.join("\n"))
    })
}

fn messages(tables: &Tables) -> String {
    let mut out = heading("Messages", "the tables of the chapters");
    out.push_str("\nThe comment of each field names the party that sets it and the clauses that check it.\n");
    for (chapter, _) in CHAPTERS {
        let shown = tables.presentation(chapter);
        if !shown.is_empty() {
            write!(out, "\n## [{chapter}](../chapters/{chapter})\n\n```tls\n{shown}```\n")
                .expect("a string grows");
        }
    }
    out
}

fn heading(title: &str, from: &str) -> String {
    format!("# {title}\n\n<!-- Written by `cargo run -- spec --write` from {from}. -->\n")
}

/// Text as the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
