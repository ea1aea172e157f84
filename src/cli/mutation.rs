//! `bemr mutation-matrix`: runs every checker against the protocol without one clause, for each clause.

use crate::{ExitStatus, bar, note, print, print_json, write_file};
use bemr_lab::mutation::{CHECKERS, Corpus, Finding, Kind, Progress, Published, render, run};
use bemr_spec::Clause;
use std::path::Path;

/// The published matrix, from the root of the source tree; as Markdown and as JSON.
const PUBLISHED: &str = "spec/generated/mutation-matrix";

/// Options of `bemr mutation-matrix`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Only the mutant without this clause. --write keeps the published findings of the others.
    #[arg(long, value_parser = clause)]
    clause: Option<Clause>,
    /// Seconds instead of minutes: only regression traces and negative unit cases. --write keeps the published
    /// findings of the other checkers.
    #[arg(long)]
    quick: bool,
    /// Only this checker. --write keeps the published findings of the others.
    #[arg(long, value_parser = checker, conflicts_with = "quick")]
    checker: Option<Kind>,
    /// Publishes the matrix in `spec/`, and the witness traces that it found in `proptests/`.
    #[arg(long)]
    write: bool,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

fn clause(text: &str) -> Result<Clause, String> {
    Clause::find(text).ok_or_else(|| "no such clause".to_owned())
}

fn checker(text: &str) -> Result<Kind, String> {
    let text = if text == "lives" { Kind::Runs.name() } else { text };
    let names = || CHECKERS.iter().map(|checker| checker.kind.name()).collect::<Vec<_>>().join(", ");
    let named = CHECKERS.iter().find(|checker| checker.kind.name() == text);
    named.map(|checker| checker.kind).ok_or_else(|| format!("the checkers are {}", names()))
}

pub(super) fn mutation_matrix(options: &Options) -> Result<ExitStatus, String> {
    let root = Path::new(".");
    if !root.join("spec/chapters").is_dir() {
        return Err("spec/chapters: not found; the witness traces are read from the source tree, so run this at its root"
            .to_owned());
    }
    let mut corpus = Corpus::read(root).map_err(|error| error.to_string())?;
    let clauses = options.clause.map_or_else(|| Clause::ALL.to_vec(), |clause| vec![clause]);
    let bar = bar(Some(0), "{prefix} {wide_bar} {pos}/{len}, {elapsed}");
    let show = |progress: Progress| {
        bar.set_prefix(progress.kind.name());
        bar.set_length(progress.of as u64);
        bar.set_position(progress.done as u64);
    };
    let selected = CHECKERS
        .iter()
        .filter(|checker| !options.quick || checker.quick)
        .filter(|checker| options.checker.is_none_or(|kind| kind == checker.kind));
    let matrix = run(selected, &clauses, &mut corpus, show);
    bar.finish_and_clear();
    let published =
        match options.write && (options.quick || options.checker.is_some() || options.clause.is_some()) {
            true => current(root)?.refreshed(&matrix, &corpus),
            false => Published::of(&matrix, &corpus),
        };
    if options.write {
        corpus.write(root).map_err(|error| error.to_string())?;
        for (extension, text) in [("md", render(&published)), ("json", published.to_json())] {
            let path = root.join(PUBLISHED).with_extension(extension);
            write_file(&path, text)?;
            note(&format!("wrote {}", path.display()));
        }
    }
    if options.json {
        print_json(&published)?;
    } else {
        print(&summary(&published))?;
    }
    Ok(ExitStatus::of(published.is_sound()))
}

/// The matrix in the source tree.
fn current(root: &Path) -> Result<Published, String> {
    let path = root.join(PUBLISHED).with_extension("json");
    let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A line for each clause, and the totals.
fn summary(published: &Published) -> String {
    let mut lines: Vec<String> = Vec::new();
    for row in &published.rows {
        let findings = row.checkers.iter().map(|(kind, finding)| match finding {
            Finding::Noticed(notice) => format!("{} {}/{}", kind.name(), notice.cases, notice.steps),
            Finding::Missed { cases } => format!("{} -({cases})", kind.name()),
        });
        let findings: Vec<String> = findings.collect();
        let state = if row.killed { row.goal.as_deref().unwrap_or("") } else { "SURVIVED" };
        lines.push(format!("{:7} {:6} {}", row.clause.id(), state, findings.join("  ")));
    }
    let alarms = published.false_alarms.iter();
    lines.extend(alarms.map(|(kind, what)| format!("false alarm of {}: {what}", kind.name())));
    lines.push(published.totals());
    lines.join("\n")
}
