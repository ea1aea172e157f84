//! The register of clauses: as a table, and one clause at a time.

use super::coverage::{Coverage, Place};
use super::{cell, heading};
use bemr_spec::{Clause, Verdict};
use std::fmt::Write as _;

/// Every clause in one table.
pub(super) fn render() -> String {
    let mut out = heading("Register of clauses", "the chapters");
    out.push_str(
        "\n| clause | name | code | chapter | paper | stops | verdict |\n|---|---|---|---|---|---|---|\n",
    );
    for clause in Clause::ALL {
        writeln!(
            out,
            "| [{}](../chapters/{chapter}#{}) | {} | {} | {chapter} | {} | {} | {} |",
            clause.id(),
            anchor(clause),
            clause.name(),
            clause.code(),
            paper(clause),
            clause.stops().join(", "),
            verdict(clause),
            chapter = cell(clause.chapter()),
        )
        .expect("a string grows");
    }
    out
}

/// A clause as text: its sentence, its reason, its origin, what enforces it and what shows it.
pub fn explain(clause: Clause) -> String {
    let (chapter, verdict, code) = (clause.chapter(), verdict(clause), clause.code());
    let mut out = format!("{clause}  ({chapter}; {verdict}; code {code})\n\n  {}\n", clause.must());
    write!(out, "\nwhy\n  {}\n", clause.why()).expect("a string grows");
    let from = [paper(clause), clause.stops().join(", ")];
    write!(out, "\ncomes from\n  {}\n", or_nothing(&from[0])).expect("a string grows");
    write!(out, "\nstops\n  {}\n", or_nothing(&from[1])).expect("a string grows");
    if let Some(covered) = Coverage::recorded().covered(clause) {
        write!(out, "\nenforced in\n{}", places(&covered.enforced)).expect("a string grows");
        write!(out, "\nshown by\n{}", places(&covered.shown)).expect("a string grows");
        write!(out, "\nchecks the fields\n  {}\n", or_nothing(&covered.fields.join(", ")))
            .expect("a string grows");
        write!(out, "\ndecides in the machines\n  {}\n", or_nothing(&covered.machines.join(", ")))
            .expect("a string grows");
    }
    out
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

fn places(places: &[Place]) -> String {
    if places.is_empty() {
        return "  -\n".to_owned();
    }
    places.iter().map(|place| format!("  {}  {}\n", place.file, place.item)).collect()
}

fn paper(clause: Clause) -> String {
    clause.paper().iter().map(|number| format!("P-{number}")).collect::<Vec<_>>().join(", ")
}

fn verdict(clause: Clause) -> &'static str {
    match clause.verdict() {
        Verdict::Accept => "accept",
        Verdict::Ignore => "ignore",
        Verdict::Reject => "reject",
    }
}

/// The anchor of the heading `ID · Name` in Markdown: lower case, without the dot, a dash for each space.
fn anchor(clause: Clause) -> String {
    format!("{}--{}", clause.id(), clause.name()).to_ascii_lowercase()
}
