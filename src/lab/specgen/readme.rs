//! The generated blocks of `README.md`: between `<!-- begin NAME -->` and `<!-- end NAME -->`.

use super::{Coverage, Tables, machines};
use crate::sequence::one_record;
use bemr::records::{RESOURCE_TYPES, SAMPLES, shipped_change};
use bemr::wire::Name;
use bemr_spec::Clause;
use bemr_spec::messages::CHAPTERS;
use std::fmt::Write as _;
use std::io;

/// Replaces the generated blocks of `readme`.
///
/// # Errors
/// A missing block; a refusal in the run.
pub(super) fn render(readme: &str, tables: &Tables, coverage: &Coverage) -> io::Result<String> {
    replace(&replace(readme, "flow", &flow()?)?, "figures", &figures(tables, coverage))
}

/// The sequence diagram of one record, as Mermaid.
///
/// # Errors
/// A refusal in the run.
pub(super) fn flow() -> io::Result<String> {
    let diagram = one_record().map_err(|refusal| invalid(refusal.to_string()))?;
    Ok(format!("```mermaid\n{diagram}```\n"))
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

fn replace(text: &str, name: &str, part: &str) -> io::Result<String> {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let missing = || invalid(format!("README.md: no block `{name}`"));
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}{part}{end}{after}"))
}

fn figures(tables: &Tables, coverage: &Coverage) -> String {
    let clauses = Clause::ALL.len();
    let lines = || CHAPTERS.iter().flat_map(|(_, text)| text.lines());
    let rows = |mark: &str| lines().filter(|line| line.starts_with(mark)).count();
    let policy = shipped_change(Name::new("figures").expect("a short and printable name"));
    let table = [
        ("chapters of the specification", CHAPTERS.len()),
        ("clauses", clauses),
        ("… enforced by code that names them", clauses - coverage.unenforced().len()),
        ("… shown by a test that names them", clauses - coverage.unshown().len()),
        ("message tables", tables.messages().count()),
        ("state machines", machines::charts().len()),
        ("statements of the paper, each with a reading", rows("| P-")),
        ("attacks on the published protocol, each with the clauses that stop it", rows("| C-")),
        ("FHIR resource types", RESOURCE_TYPES.len()),
        ("templates", policy.templates.iter().count()),
        ("contracts", policy.contracts.iter().count()),
        ("records in the sample", SAMPLES.len()),
    ];
    let mut out = String::from("| | |\n|---|---:|\n");
    for (what, figure) in table {
        writeln!(out, "| {what} | {figure} |").expect("a string grows");
    }
    out
}
