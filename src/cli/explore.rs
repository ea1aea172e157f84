//! `bemr explore`: explores every reachable state of the model in the configurations of a suite.

use crate::{ExitStatus, bar, files, note, print, print_json, write_into};
use bemr_lab::explore::{
    Estimate, Found as Run, FoundStep, SUITES, SearchConfig, SearchReport, SearchSuite, estimate, search,
};
use bemr_spec::{Clause, Rules};
use indicatif::ProgressBar;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of `bemr explore`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// smoke (seconds), ci (minutes) or deep (hours).
    #[arg(value_parser = suite)]
    suite: &'static SearchSuite,
    /// Only the configuration of this name.
    #[arg(long, alias = "part", value_name = "NAME")]
    configuration: Option<String>,
    /// Explores the mutant without this clause.
    #[arg(long, value_parser = clause)]
    without: Option<Clause>,
    /// The number of threads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// The memory bound in mebibytes; the search stops cleanly when the process reaches it.
    #[arg(long, default_value_t = 8192)]
    memory: u64,
    /// The folder for the trace of every run that breaks a property.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

fn suite(text: &str) -> Result<&'static SearchSuite, String> {
    let names = || SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>().join(", ");
    SUITES.iter().find(|suite| suite.name == text).ok_or_else(|| format!("the suites are {}", names()))
}

fn clause(text: &str) -> Result<Clause, String> {
    Clause::find(text).ok_or_else(|| "no such clause".to_owned())
}

/// The verdict on a property.
#[derive(Serialize)]
pub(super) struct PropertyRow {
    pub(super) name: &'static str,
    pub(super) verdict: &'static str,
    pub(super) states: usize,
    pub(super) witness: Option<Vec<String>>,
    /// The duration of the searches that check it.
    #[serde(skip)]
    pub(super) seconds: f64,
}

#[derive(Serialize)]
struct ConfigurationRow {
    name: &'static str,
    states: usize,
    /// The number of states without symmetry reduction.
    states_without_symmetry: u64,
    /// The number of states that the suite pins.
    pinned: Option<usize>,
    depth: usize,
    complete: bool,
    seconds: f64,
    /// Known only where the search needed more memory than all before it.
    bytes_per_state: Option<u64>,
}

#[derive(Serialize)]
struct Report {
    suite: &'static str,
    configurations: Vec<ConfigurationRow>,
    properties: Vec<PropertyRow>,
    /// The traces of runs that break a property.
    failing_traces: Vec<String>,
}

/// A run, one line per step.
pub(super) fn lines(run: &Run) -> Vec<String> {
    let line = |FoundStep { action, envelope, happened }: &FoundStep| {
        let (actor, event) = (happened.actor, happened.event);
        let refused = happened.clause.map_or(String::new(), |clause| format!(" refused by {}", clause.id()));
        let envelope = envelope.as_ref().map_or(String::new(), |envelope| format!(": {envelope:?}"));
        format!("{actor}: {event}{refused}: {action:?}{envelope}")
    };
    run.steps.iter().map(line).collect()
}

/// Writes a trace of every run that breaks a property, and returns the paths.
pub(super) fn write_broken(
    config: &SearchConfig,
    rules: Rules,
    report: &SearchReport,
    out: &Path,
) -> Vec<String> {
    let mut paths = Vec::new();
    for goal in &report.goals {
        let Some(run) = &goal.broken else { continue };
        let mut run = run.counterexample(rules, config.setup);
        let what = format!("{} is broken in the configuration {}", goal.name, config.name);
        let what = run.trace.header.note.map_or(what.clone(), |more| format!("{what}; {more}"));
        run.trace.header.note = Some(what.clone());
        let name = format!("broken-{}-{}.jsonl", goal.name, config.name.replace(' ', "-"));
        paths.push(write_finding(out, &name, &what, &run.trace.to_bytes()));
    }
    paths
}

/// Writes the trace of a finding and says how to reproduce it; prints the trace where the file cannot be written, so that what took
/// minutes to find is not lost. Returns the path.
pub(super) fn write_finding(out: &Path, name: &str, what: &str, trace: &[u8]) -> String {
    match write_into(out, name, trace) {
        Ok(path) => note(&format!("{what}\nreproduce: bemr replay {}", path.display())),
        Err(problem) => note(&format!("{what}\n{problem}; the trace is\n{}", String::from_utf8_lossy(trace))),
    }
    out.join(name).display().to_string()
}

/// The verdict of all searches on each property: broken where one breaks it, unfinished where one that checks it was
/// stopped early, unchecked where none checks it.
pub(super) fn properties<'a>(reports: impl Iterator<Item = (&'a SearchReport, f64)>) -> Vec<PropertyRow> {
    let mut rows: BTreeMap<&'static str, PropertyRow> = BTreeMap::new();
    for (report, seconds) in reports {
        for goal in &report.goals {
            let row = rows.entry(goal.name).or_insert(PropertyRow {
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
    let named = |name: &str| options.configuration.as_deref().is_none_or(|wanted| wanted == name);
    let mut configs: Vec<_> =
        options.suite.configurations.iter().filter(|config| named(config.name)).collect();
    if configs.is_empty() {
        let names: Vec<_> = options.suite.configurations.iter().map(|config| config.name).collect();
        return Err(format!("the configurations of {} are {}", options.suite.name, names.join(", ")));
    }
    let (mut reports, mut rows) = (Vec::new(), Vec::new());
    let (mut failed, mut failing_traces) = (false, Vec::new());
    files::create_folder(&options.out)?;
    let mut memory = Memory::new();
    // The smaller first, so that the memory of each shows.
    configs.sort_by_key(|config| config.states);
    for config in configs {
        if options.suite.long {
            note(&format!("{}: {}", config.name, guess(config, rules, options)));
        }
        let (report, row) = measure(config, rules, options, &mut memory);
        failed |= report.flaw.is_some();
        // The pinned count is that of the protocol, not of a mutant.
        if let Some(pinned) = row.pinned.filter(|pinned| options.without.is_none() && *pinned != row.states) {
            note(&format!("{}: {} states instead of the pinned {pinned}", config.name, row.states));
            failed = true;
        }
        failing_traces.extend(write_broken(config, rules, &report, &options.out));
        let seconds = row.seconds;
        rows.push(row);
        reports.push((report, seconds));
    }
    let properties = properties(reports.iter().map(|(report, seconds)| (report, *seconds)));
    let broken = properties.iter().any(|row| row.verdict == "broken");
    if options.json {
        let (suite, configurations) = (options.suite.name, rows);
        print_json(&Report { suite, configurations, properties, failing_traces })?;
    } else {
        print(&table(&properties))?;
    }
    Ok(ExitStatus::of(!broken && !failed))
}

/// Searches one configuration with a spinner, within the memory bound.
fn measure(
    config: &SearchConfig,
    rules: Rules,
    options: &Options,
    memory: &mut Memory,
) -> (SearchReport, ConfigurationRow) {
    let bar = bar(None, "{spinner} {prefix}: {msg}, {elapsed}");
    bar.set_prefix(config.name);
    let before = memory.peak;
    let report = search(config.under(rules), usize::from(options.threads), |progress| {
        bar.set_message(format!("{} states, {} deep", progress.states, progress.depth));
        memory.sample() < options.memory << 20
    });
    memory.sample();
    let seconds = bar.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let SearchReport { states, stand_for, depth, complete, .. } = report;
    let speed = states as f64 / seconds.max(1e-9);
    let end = match (complete, &report.flaw) {
        (true, _) => "all",
        (false, None) => "stopped at the memory bound after",
        (false, Some(_)) => "aborted after",
    };
    let symmetry = match stand_for > states as u64 {
        true => format!(" ({stand_for} without symmetry reduction)"),
        false => String::new(),
    };
    // The allocator returns no memory, so only a search that raises the peak shows its need.
    let bytes_per_state = (memory.peak > before).then(|| (memory.peak - memory.start) / states.max(1) as u64);
    let each = bytes_per_state.map_or(String::new(), |bytes| format!(", {bytes} bytes per state"));
    note(&format!(
        "{}: {end} {states} states{symmetry}, {depth} deep, {seconds:.1} s, {speed:.0} per second{each}",
        config.name
    ));
    if let Some(flaw) = &report.flaw {
        note(&format!("{}: the search is invalid: {flaw}", config.name));
    }
    let row = ConfigurationRow {
        name: config.name,
        states,
        states_without_symmetry: stand_for,
        pinned: config.states,
        depth,
        complete,
        seconds,
        bytes_per_state,
    };
    (report, row)
}

/// The resident memory of the process in bytes: at its start, and the peak.
struct Memory {
    start: u64,
    peak: u64,
}

impl Memory {
    fn new() -> Memory {
        let start = resident().unwrap_or(0);
        Memory { start, peak: start }
    }

    fn sample(&mut self) -> u64 {
        let now = resident().unwrap_or(0);
        self.peak = self.peak.max(now);
        now
    }
}

/// How long a search runs before its size is estimated.
const GROWTH: Duration = Duration::from_secs(10);

/// Estimates the size of a search from its first seconds.
fn guess(config: &SearchConfig, rules: Rules, options: &Options) -> String {
    let clock = ProgressBar::hidden();
    let mut grown = Vec::new();
    let report = search(config.under(rules), usize::from(options.threads), |progress| {
        grown.push(progress);
        clock.elapsed() < GROWTH && resident().is_none_or(|bytes| bytes < options.memory << 20)
    });
    if report.complete {
        return format!("{} states, all explored within the first seconds", report.states);
    }
    let speed = grown.last().map_or(0.0, |last| last.states as f64) / clock.elapsed().as_secs_f64().max(1e-9);
    match estimate(&grown) {
        Estimate::About(states) => {
            format!("an estimate: {states:.1e} states in {:.1} hours", states / speed.max(1.0) / 3600.0)
        }
        Estimate::MoreThan(states) => {
            format!("no estimate: more than {states} states and still growing at {speed:.0} per second")
        }
    }
}

/// The table of security properties.
pub(super) fn table(properties: &[PropertyRow]) -> String {
    let mut out =
        format!("{:8}  {:10}  {:>10}  {:>8}  {:>8}", "property", "verdict", "states", "time", "witness");
    for PropertyRow { name, verdict, states, witness, seconds } in properties {
        let steps = witness.as_ref().map_or("-".to_owned(), |run| format!("{} steps", run.len()));
        let _ = write!(out, "\n{name:8}  {verdict:10}  {states:>10}  {seconds:>6.1} s  {steps:>8}");
        if *verdict == "broken" {
            witness.iter().flatten().for_each(|line| {
                let _ = write!(out, "\n          {line}");
            });
        }
    }
    out
}

/// The resident memory of the process in bytes, where the system reports it.
pub(super) fn resident() -> Option<u64> {
    memory_stats::memory_stats().map(|stats| stats.physical_mem as u64)
}
