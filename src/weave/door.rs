//! The parts of `README.md` that are made from code and chapters: between `<!-- begin NAME -->` and `<!-- end NAME -->`.

use super::{Coverage, machines, tables};
use crate::conformance::one_record;
use crate::records::{RESOURCE_TYPES, SAMPLES, shipped_change};
use crate::wire::Name;
use bemr_spec::Clause;
use bemr_spec::messages::CHAPTERS;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;

/// `readme` with its generated parts made anew.
///
/// # Errors
/// A part that is missing; a record that does not travel.
pub(super) fn render(readme: &str, coverage: &Coverage) -> io::Result<String> {
    let flow = format!("```mermaid\n{}```\n", flow()?);
    replace(&replace(readme, "flow", &flow)?, "figures", &figures(coverage)?)
}

/// A record's way, as Mermaid.
pub(super) fn flow() -> io::Result<String> {
    one_record().map_err(|refusal| invalid(refusal.to_string()))
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

fn replace(text: &str, name: &str, part: &str) -> io::Result<String> {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let missing = || invalid(format!("README.md: no part `{name}`"));
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}{part}{end}{after}"))
}

fn figures(coverage: &Coverage) -> io::Result<String> {
    let clauses = Clause::ALL.len();
    let rows = |mark: &str| CHAPTERS.iter().flat_map(|(_, text)| text.lines()).filter(|line| line.starts_with(mark)).count();
    let attacks: BTreeSet<&str> = Clause::ALL.iter().flat_map(|clause| clause.stops()).copied().collect();
    let transitions: usize = machines::ALL.iter().map(|machine| machine.rows.len()).sum();
    let policy = shipped_change(Name::new("figures").expect("a short and printable name"));
    let table = [
        ("chapters", CHAPTERS.len().to_string()),
        ("clauses", clauses.to_string()),
        ("clauses enforced by code that names them", (clauses - coverage.unenforced().len()).to_string()),
        ("clauses shown by tests that name them", (clauses - coverage.unshown().len()).to_string()),
        ("statements of the paper, each with a reading", rows("| P-").to_string()),
        ("attacks on the published protocol, each with an answer", rows("| C-").to_string()),
        ("of these named by a clause that stops them", attacks.len().to_string()),
        ("messages as tables", tables()?.messages().count().to_string()),
        ("state machines, with their transitions", format!("{}, {transitions}", machines::ALL.len())),
        ("FHIR resource types", RESOURCE_TYPES.len().to_string()),
        ("templates, contracts", format!("{}, {}", policy.templates.iter().count(), policy.contracts.iter().count())),
        ("records in the sample", SAMPLES.len().to_string()),
    ];
    let mut out = String::from("| figure | |\n|---|---:|\n");
    for (what, figure) in table {
        writeln!(out, "| {what} | {figure} |").expect("a string grows");
    }
    Ok(out)
}
