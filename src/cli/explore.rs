//! `bemr explore`: searches every state of the model within a scope.

use crate::{ExitStatus, print, print_json, tell};
use bemr_lab::explore::{
    Estimate, Found as Run, FoundStep, PartReport, SCOPES, SearchConfig, SearchSuite, estimate, search,
};
use bemr_spec::{Clause, Rules};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of `bemr explore`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// smoke (seconds), ci (minutes) or deep (hours).
    #[arg(value_parser = scope)]
    scope: &'static SearchSuite,
    /// Searches just the part of this name.
    #[arg(long)]
    part: Option<String>,
    /// Searches the mutant that lacks this clause.
    #[arg(long, value_parser = clause)]
    without: Option<Clause>,
    /// How many threads search.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// Ends cleanly when the process holds this many mebibytes.
    #[arg(long, default_value_t = 8192)]
    memory: u64,
    /// Serves the states of one part to a browser instead, at this address.
    #[arg(long, value_name = "ADDRESS")]
    serve: Option<String>,
    /// Where a trace is written of every run that breaks a goal.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

fn scope(text: &str) -> Result<&'static SearchSuite, String> {
    let names = || SCOPES.iter().map(|scope| scope.name).collect::<Vec<_>>().join(", ");
    SCOPES.iter().find(|scope| scope.name == text).ok_or_else(|| format!("the scopes are {}", names()))
}

fn clause(text: &str) -> Result<Clause, String> {
    Clause::find(text).ok_or_else(|| "no such clause".to_owned())
}

/// What a search says of a goal.
#[derive(Serialize)]
pub(super) struct GoalRow {
    pub(super) name: &'static str,
    pub(super) verdict: &'static str,
    pub(super) states: usize,
    pub(super) witness: Option<Vec<String>>,
    /// How long the parts took that look at it.
    #[serde(skip)]
    pub(super) seconds: f64,
}

#[derive(Serialize)]
struct PartRow {
    name: &'static str,
    states: usize,
    /// How many these are when nobody is taken for anybody else.
    stand_for: u64,
    /// How many there have to be, where that is known.
    pinned: Option<usize>,
    depth: usize,
    complete: bool,
    seconds: f64,
    /// Bytes that each state took, where the part held more than any before it.
    bytes: Option<u64>,
}

#[derive(Serialize)]
struct Report {
    scope: &'static str,
    parts: Vec<PartRow>,
    goals: Vec<GoalRow>,
    /// Where the traces of runs are that break a goal.
    found: Vec<String>,
}

/// A run, one line a step.
pub(super) fn lines(run: &Run) -> Vec<String> {
    let line = |FoundStep { action, parcel, happened }: &FoundStep| {
        let (actor, event) = (happened.actor, happened.event);
        let refused = happened.clause.map_or(String::new(), |clause| format!(" refused by {}", clause.id()));
        let parcel = parcel.as_ref().map_or(String::new(), |parcel| format!(": {parcel:?}"));
        format!("{actor}: {event}{refused}: {action:?}{parcel}")
    };
    run.steps.iter().map(line).collect()
}

/// Writes a trace of every run that breaks a goal, and says where.
pub(super) fn write_broken(
    part: &SearchConfig,
    rules: Rules,
    report: &PartReport,
    out: &Path,
) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    for goal in &report.goals {
        let Some(run) = &goal.broken else { continue };
        let mut told = run.tell(rules, part.setup);
        let note = format!("{} is broken in the part {}", goal.name, part.name);
        let note = told.trace.header.note.map_or(note.clone(), |more| format!("{note}; {more}"));
        told.trace.header.note = Some(note.clone());
        let path = out.join(format!("broken-{}-{}.jsonl", goal.name, part.name.replace(' ', "-")));
        std::fs::write(&path, told.trace.to_bytes())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        tell(&format!("{note}\nagain: bemr replay {}", path.display()));
        paths.push(path.display().to_string());
    }
    Ok(paths)
}

/// What all parts together say of each goal: broken where any breaks it, unfinished where one that looks at it was ended
/// before its time, unchecked where none looks at it.
pub(super) fn goals<'a>(reports: impl Iterator<Item = (&'a PartReport, f64)>) -> Vec<GoalRow> {
    let mut rows: BTreeMap<&'static str, GoalRow> = BTreeMap::new();
    for (report, seconds) in reports {
        for goal in &report.goals {
            let row = rows.entry(goal.name).or_insert(GoalRow {
                name: goal.name,
                verdict: "unchecked",
                states: 0,
                witness: None,
                seconds: 0.0,
            });
            if goal.checked {
                row.states += report.states;
                row.seconds += seconds;
                row.verdict = match row.verdict {
                    "unchecked" | "holds" if !report.complete => "unfinished",
                    "unchecked" => "holds",
                    verdict => verdict,
                };
            }
            match (&goal.broken, &goal.witness) {
                (Some(run), _) if row.verdict != "broken" => {
                    (row.verdict, row.witness) = ("broken", Some(lines(run)));
                }
                (None, Some(run)) if row.witness.is_none() => row.witness = Some(lines(run)),
                _ => {}
            }
        }
    }
    rows.into_values().collect()
}

pub(super) fn explore(options: &Options) -> Result<ExitStatus, String> {
    let rules = options.without.map_or(Rules::hardened(), |clause| Rules::hardened().without(clause));
    let named = |name: &str| options.part.as_deref().is_none_or(|part| part == name);
    let mut parts: Vec<_> = options.scope.parts.iter().filter(|part| named(part.name)).collect();
    let Some(first) = parts.first() else {
        let names: Vec<_> = options.scope.parts.iter().map(|part| part.name).collect();
        return Err(format!("the parts of {} are {}", options.scope.name, names.join(", ")));
    };
    if let Some(address) = &options.serve {
        tell(&format!("{} at http://{address}/ until interrupted", first.name));
        first.serve(rules, address);
        return Ok(ExitStatus::Nothing);
    }
    let (mut reports, mut rows) = (Vec::new(), Vec::new());
    let (mut failed, mut found) = (false, Vec::new());
    let mut held = Held::new();
    // The smaller first: what each holds then shows.
    parts.sort_by_key(|part| part.states);
    for part in parts {
        if options.scope.long {
            tell(&format!("{}: {}", part.name, guess(part, rules, options)));
        }
        let (report, row) = measure(part, rules, options, &mut held);
        failed |= report.flaw.is_some();
        // What another part holds, or a mutant has, says nothing of the pinned count.
        if let Some(pinned) = row.pinned.filter(|pinned| options.without.is_none() && *pinned != row.states) {
            tell(&format!("{}: {} states, and there have to be {pinned}", part.name, row.states));
            failed = true;
        }
        found.extend(write_broken(part, rules, &report, &options.out)?);
        let seconds = row.seconds;
        rows.push(row);
        reports.push((report, seconds));
    }
    let goals = goals(reports.iter().map(|(report, seconds)| (report, *seconds)));
    let broken = goals.iter().any(|goal| goal.verdict == "broken");
    if options.json {
        print_json(&Report { scope: options.scope.name, parts: rows, goals, found })?;
    } else {
        print(&table(&goals))?;
    }
    Ok(if broken || failed { ExitStatus::Something } else { ExitStatus::Nothing })
}

/// Searches one part with a spinner, within the bound of memory.
fn measure(part: &SearchConfig, rules: Rules, options: &Options, held: &mut Held) -> (PartReport, PartRow) {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(part.name);
    bar.enable_steady_tick(Duration::from_millis(200));
    let before = held.most;
    let report = search(part.under(rules), usize::from(options.threads), |progress| {
        bar.set_message(format!("{} states, {} deep", progress.states, progress.depth));
        held.look() < options.memory << 20
    });
    held.look();
    let seconds = bar.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let PartReport { states, stand_for, depth, complete, .. } = report;
    let speed = states as f64 / seconds.max(1e-9);
    let end = match (complete, &report.flaw) {
        (true, _) => "all",
        (false, None) => "stopped at the bound of memory after",
        (false, Some(_)) => "given up after",
    };
    let names = if stand_for > states as u64 { format!(" for {stand_for}") } else { String::new() };
    // What an allocator once had it keeps: only who needs more than all before shows how much that is.
    let bytes = (held.most > before).then(|| (held.most - held.start) / states.max(1) as u64);
    let each = bytes.map_or(String::new(), |bytes| format!(", {bytes} bytes a state"));
    tell(&format!(
        "{}: {end} {states} states{names}, {depth} deep, {seconds:.1} s, {speed:.0} a second{each}",
        part.name
    ));
    if let Some(flaw) = &report.flaw {
        tell(&format!("{}: nothing of this counts: {flaw}", part.name));
    }
    let row =
        PartRow { name: part.name, states, stand_for, pinned: part.states, depth, complete, seconds, bytes };
    (report, row)
}

/// How many bytes the process held when it began, and at most.
struct Held {
    start: u64,
    most: u64,
}

impl Held {
    fn new() -> Held {
        let start = resident().unwrap_or(0);
        Held { start, most: start }
    }

    fn look(&mut self) -> u64 {
        let now = resident().unwrap_or(0);
        self.most = self.most.max(now);
        now
    }
}

/// How long a search grows before its size is guessed.
const GROWTH: Duration = Duration::from_secs(10);

/// Says how large a part may be, from its first seconds.
fn guess(part: &SearchConfig, rules: Rules, options: &Options) -> String {
    let clock = ProgressBar::hidden();
    let mut grown = Vec::new();
    let report = search(part.under(rules), usize::from(options.threads), |progress| {
        grown.push(progress);
        clock.elapsed() < GROWTH && resident().is_none_or(|held| held < options.memory << 20)
    });
    if report.complete {
        return format!("{} states, all found in the first seconds", report.states);
    }
    let speed = grown.last().map_or(0.0, |last| last.states as f64) / clock.elapsed().as_secs_f64().max(1e-9);
    match estimate(&grown) {
        Estimate::About(states) => {
            format!("an estimate: {states:.1e} states in {:.1} hours", states / speed.max(1.0) / 3600.0)
        }
        Estimate::MoreThan(states) => {
            format!("no estimate: more than {states} states, and no sign of an end at {speed:.0} a second")
        }
    }
}

/// The table of goals, for people.
pub(super) fn table(goals: &[GoalRow]) -> String {
    let mut out =
        format!("{:6}  {:10}  {:>10}  {:>8}  {:>8}", "goal", "verdict", "states", "time", "witness");
    for GoalRow { name, verdict, states, witness, seconds } in goals {
        let steps = witness.as_ref().map_or("-".to_owned(), |run| format!("{} steps", run.len()));
        let _ = write!(out, "\n{name:6}  {verdict:10}  {states:>10}  {seconds:>6.1} s  {steps:>8}");
        if *verdict == "broken" {
            witness.iter().flatten().for_each(|line| {
                let _ = write!(out, "\n        {line}");
            });
        }
    }
    out
}

/// How many bytes the process holds, where the system says so.
pub(super) fn resident() -> Option<u64> {
    memory_stats::memory_stats().map(|stats| stats.physical_mem as u64)
}
