//! `bemr fuzz-report`: the summary of a fuzzing campaign, and whether the campaign was informative.

use crate::{ExitStatus, files, print, print_json};
use bemr_lab::fuzz_report::{FuzzReport, MAX_REPORT};
use bemr_spec::Clause;
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;

/// Options of `bemr fuzz-report`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// The report that a campaign of `fuzz/` wrote.
    file: PathBuf,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    informative: bool,
    /// Why it is not informative.
    why: Option<String>,
    clauses_reached: usize,
    /// The number of clauses in the specification.
    clauses: usize,
    report: &'a FuzzReport,
}

pub(super) fn fuzz_report(options: &Options) -> Result<ExitStatus, String> {
    let name = options.file.display();
    let bytes = files::read(&options.file, MAX_REPORT as u64)?;
    let report = FuzzReport::read(&bytes).map_err(|problem| format!("{name}: {problem}"))?;
    let why = report.uninformative();
    let failed = why.is_some() || report.found().next().is_some();
    if options.json {
        let (informative, clauses_reached, clauses) =
            (why.is_none(), report.clauses.len(), Clause::ALL.len());
        print_json(&Shown { informative, why, clauses_reached, clauses, report: &report })?;
    } else {
        print(&summary(&report, why.as_deref()))?;
    }
    Ok(ExitStatus::of(!failed))
}

fn summary(report: &FuzzReport, why: Option<&str>) -> String {
    let FuzzReport { commit, toolchain, engine, corpus, targets, clauses, canaries, .. } = report;
    let mut text = format!("commit {commit}, {toolchain}\n{engine}, from the {corpus} corpus\n\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:14} {:>12} {:>9} {:>9} {:>6}  found",
        "target", "executions", "seconds", "per s", "corpus"
    );
    for row in targets {
        let rate = if row.seconds > 0.0 { row.executions as f64 / row.seconds } else { 0.0 };
        let found = row.found.as_deref().unwrap_or("nothing");
        let _ = writeln!(
            text,
            "{:14} {:>12} {:>9.1} {rate:>9.0} {:>6}  {found}",
            row.name, row.executions, row.seconds, row.kept
        );
    }
    let _ = writeln!(
        text,
        "\nclauses reached by the lockstep target: {} of {}",
        clauses.len(),
        Clause::ALL.len()
    );
    let _ = writeln!(text, "\n{:20} {:14} {:>12} {:>9}", "planted bug", "target", "executions", "seconds");
    for row in canaries {
        let missed = if row.found { "" } else { "  MISSED" };
        let _ = writeln!(
            text,
            "{:20} {:14} {:>12} {:>9.1}{missed}",
            row.name, row.target, row.executions, row.seconds
        );
    }
    let _ = match why {
        Some(why) => write!(text, "\nUNINFORMATIVE: {why}"),
        None => write!(text, "\ninformative: all {} planted bugs were found", canaries.len()),
    };
    text
}
