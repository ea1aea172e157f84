//! `bemr kill-matrix`: shows every checker a protocol that lacks a clause, clause after clause.

use crate::{ExitStatus, print, print_json, tell};
use bemr_lab::mutation::{CHECKERS, Corpus, Finding, Kind, Progress, Published, render, run};
use bemr_spec::Clause;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::time::Duration;

/// Where the matrix is published, from the root of the source tree; with another end for people and for programs.
const PUBLISHED: &str = "spec/generated/kill-matrix";

/// Options of `bemr kill-matrix`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Looks at this clause alone.
    #[arg(long, value_parser = clause, conflicts_with = "write")]
    clause: Option<Clause>,
    /// Seconds instead of minutes: kept traces and inputs at the door. With --write what the others said before stays.
    #[arg(long)]
    quick: bool,
    /// Asks this checker alone. With --write what the others said before stays.
    #[arg(long, value_parser = checker, conflicts_with = "quick")]
    checker: Option<Kind>,
    /// Publishes the matrix in `spec/`, and the traces that it found in `proptests/`.
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
    let names = || CHECKERS.iter().map(|checker| checker.kind.name()).collect::<Vec<_>>().join(", ");
    let named = CHECKERS.iter().find(|checker| checker.kind.name() == text);
    named.map(|checker| checker.kind).ok_or_else(|| format!("the checkers are {}", names()))
}

pub(super) fn kill_matrix(options: &Options) -> Result<ExitStatus, String> {
    let root = Path::new(".");
    if !root.join("spec/chapters").is_dir() {
        return Err(
            "spec/chapters: not here; the kept traces are in the source tree, at whose root this runs"
                .to_owned(),
        );
    }
    let mut shelf = Corpus::read(root).map_err(|error| error.to_string())?;
    let clauses = options.clause.map_or_else(|| Clause::ALL.to_vec(), |clause| vec![clause]);
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}, {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.enable_steady_tick(Duration::from_millis(200));
    let show = |progress: Progress| {
        bar.set_prefix(progress.kind.name());
        bar.set_length(progress.of as u64);
        bar.set_position(progress.done as u64);
    };
    let asked = CHECKERS
        .iter()
        .filter(|checker| !options.quick || checker.quick)
        .filter(|checker| options.checker.is_none_or(|kind| kind == checker.kind));
    let matrix = run(asked, &clauses, &mut shelf, show);
    bar.finish_and_clear();
    let published = match options.write && (options.quick || options.checker.is_some()) {
        true => before(root)?.refreshed(&matrix, &shelf),
        false => Published::of(&matrix, &shelf),
    };
    if options.write {
        shelf.write(root).map_err(|error| error.to_string())?;
        for (end, text) in [("md", render(&published)), ("json", published.to_json())] {
            let path = root.join(PUBLISHED).with_extension(end);
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
            tell(&format!("wrote {}", path.display()));
        }
    }
    if options.json {
        print_json(&published)?;
    } else {
        print(&told(&published))?;
    }
    Ok(if published.is_sound() { ExitStatus::Nothing } else { ExitStatus::Something })
}

/// What is published now.
fn before(root: &Path) -> Result<Published, String> {
    let path = root.join(PUBLISHED).with_extension("json");
    let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A line for each clause, and the totals.
fn told(published: &Published) -> String {
    let mut lines: Vec<String> = Vec::new();
    for row in &published.rows {
        let said = row.checkers.iter().map(|(kind, finding)| match finding {
            Finding::Noticed(notice) => format!("{} {}/{}", kind.name(), notice.cases, notice.steps),
            Finding::Missed { cases } => format!("{} -({cases})", kind.name()),
        });
        let said: Vec<String> = said.collect();
        let state = if row.killed { row.goal.as_deref().unwrap_or("") } else { "ALIVE" };
        lines.push(format!("{:7} {:6} {}", row.clause.id(), state, said.join("  ")));
    }
    let alarms = published.false_alarms.iter();
    lines.extend(alarms.map(|(kind, what)| format!("with nothing missing, {} notices: {what}", kind.name())));
    lines.push(published.totals());
    lines.join("\n")
}
