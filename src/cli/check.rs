//! `bemr check`: explores the model, executes random runs in lockstep, and replays every regression trace.

use crate::adversary::{find, network};
use crate::check_page::{Checked, page};
use crate::explore::{PropertyRow, properties, resident, table, write_broken, write_finding};
use crate::{ExitStatus, bar, files, note, print, print_json};
use bemr_lab::explore::{SUITES, SearchConfig, SearchReport, SearchSuite, search};
use bemr_lab::faults::Adversary;
use bemr_lab::lockstep::{Campaign, CampaignReport, Failure, drawn};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_spec::Rules;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Options of `bemr check`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Seconds instead of minutes.
    #[arg(long, conflicts_with = "deep")]
    quick: bool,
    /// Hours.
    #[arg(long)]
    deep: bool,
    /// The first seed of the random runs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of random runs; by default 500 with --quick, 1,000,000 with --deep, 10,000 otherwise.
    #[arg(long, alias = "lives")]
    runs: Option<u64>,
    /// Only random runs, under this adversary: a name (`bemr adversary` lists them) or a file.
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["deep", "report"])]
    adversary: Option<String>,
    /// The folder for the trace of a divergence or of a broken property.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Writes a page: security properties, resilience thresholds, mutation matrix, and runs to step through.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

macro_rules! regression_traces {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../proptests/traces/", $name, ".jsonl")))),*]
    };
}

/// The regression traces: each one reproduced a fault when it was added.
const REGRESSION_TRACES: &[(&str, &str)] = regression_traces![
    "answer-like-a-lie",
    "authorities-after-a-restart",
    "forked-log-is-not-the-anchored-one",
    "evidence-survives-a-restart",
    "order-of-retries",
    "side-block-keeps-the-clock",
];

/// The memory bound of a search in bytes; `bemr explore --memory` sets another one.
const MEMORY: u64 = 8 << 30;

/// The length of a random run in steps.
const STEPS: usize = 400;

#[derive(Serialize)]
struct LockstepRow {
    runs: u64,
    steps: u64,
    clauses_refused: usize,
    divergences: usize,
}

#[derive(Serialize)]
struct Report {
    properties: Vec<PropertyRow>,
    lockstep: LockstepRow,
    regression_traces: usize,
    /// The traces of divergences and of broken properties.
    failing_traces: Vec<String>,
}

pub(super) fn check(options: &Options) -> Result<ExitStatus, String> {
    let (suite, runs) = match (options.quick, options.deep) {
        (true, _) => ("smoke", 500),
        (_, true) => ("deep", 1_000_000),
        _ => ("ci", 10_000),
    };
    let runs = options.runs.unwrap_or(runs);
    if let Some(name) = &options.adversary {
        return check_under(name, runs, options);
    }
    // What cannot be written is said before the check, which takes minutes.
    let page_file =
        options.report.as_deref().map(|path| files::reserve(path, files::PAGE, &[])).transpose()?;
    files::create_folder(&options.out)?;
    let rules = Rules::hardened();
    let suite = SUITES.iter().find(|one| one.name == suite).ok_or("no such suite")?;
    let mut failing = Vec::new();
    let searches = explore(suite, rules, &options.out, &mut failing);
    let properties = properties(searches.iter().map(|(_, report, seconds)| (report, *seconds)));
    let lockstep = random_runs(options.seed, runs, rules);
    if let Some(failure) = &lockstep.failure {
        failing.push(write_failure(failure, rules, &options.out));
    }
    let differing = replay_regressions()?;
    if let (Some(path), Some(file)) = (&options.report, page_file) {
        let checked = Checked {
            suite: suite.name,
            searches: &searches,
            properties: &properties,
            lockstep: &lockstep,
            regressions: (REGRESSION_TRACES.len(), &differing),
            divergence: lockstep.failure.as_ref().map(|failure| failure.trace(rules)),
        };
        file.write(page(&checked))?;
        note(&path.display().to_string());
    }
    let (replayed, differ) = (REGRESSION_TRACES.len(), differing.len());
    failing.extend(differing);
    let invalid = searches.iter().any(|(_, report, _)| report.flaw.is_some());
    let broken = properties.iter().any(|property| property.verdict == "broken");
    let status = ExitStatus::of(!invalid && !broken && failing.is_empty());
    let row = LockstepRow::of(&lockstep);
    if options.json {
        let (lockstep, regression_traces, failing_traces) = (row, replayed, failing);
        print_json(&Report { properties, lockstep, regression_traces, failing_traces })?;
    } else {
        let table = table(&properties);
        print(&format!(
            "{table}\n\nlockstep: {row}\nregression traces: {replayed} replayed, {differ} differ"
        ))?;
    }
    Ok(status)
}

/// Searches every configuration of a suite, and appends the traces of broken properties.
fn explore(
    suite: &SearchSuite,
    rules: Rules,
    out: &Path,
    failing: &mut Vec<String>,
) -> Vec<(SearchConfig, SearchReport, f64)> {
    let mut searches = Vec::new();
    for config in suite.configurations {
        let bar = bar(None, "{spinner} {prefix} {msg}, {elapsed}");
        bar.set_prefix(config.name);
        let report = search(config.under(rules), 2, |progress| {
            bar.set_message(format!("{} states", progress.states));
            resident().is_none_or(|bytes| bytes < MEMORY)
        });
        let seconds = bar.elapsed().as_secs_f64();
        bar.finish_and_clear();
        if let Some(flaw) = &report.flaw {
            note(&format!("{}: the search is invalid: {flaw}", config.name));
        }
        failing.extend(write_broken(config, rules, &report, out));
        searches.push((*config, report, seconds));
    }
    searches
}

/// Executes random runs in lockstep, a ninth of them under random adversaries; shrinks a failure.
fn random_runs(seed: u64, runs: u64, rules: Rules) -> CampaignReport {
    let all = Campaign { seed, runs, steps: STEPS, sides: rules.into() };
    let mut report = campaign(&all, "runs", |campaign, done| campaign.run(done));
    report.failure = report.failure.map(|failure| all.shortest(failure));
    if report.failure.is_none() {
        let adversarial = Campaign { runs: runs / 8, ..all };
        report.add(campaign(&adversarial, "adversaries", |campaign, done| campaign.run_under(drawn, done)));
    }
    report
}

/// Replays every regression trace and returns the files of those that differ.
fn replay_regressions() -> Result<Vec<String>, String> {
    let mut differing = Vec::new();
    for (name, text) in REGRESSION_TRACES {
        let trace = Trace::read(text.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
        if let Replay::Diverges { step, difference } = rerun(&trace) {
            note(&format!("{name}: step {step}: {difference}"));
            differing.push(format!("proptests/traces/{name}.jsonl"));
        }
    }
    Ok(differing)
}

/// Executes random runs under one adversary.
fn check_under(name: &str, runs: u64, options: &Options) -> Result<ExitStatus, String> {
    let rules = Rules::hardened();
    let sizes = [4, 7, 10].map(|validators| Ok((validators, find(name, validators)?)));
    let sizes = sizes.into_iter().collect::<Result<Vec<(u8, Adversary)>, String>>()?;
    files::create_folder(&options.out)?;
    let of = |seed: u64| {
        let (validators, adversary) = &sizes[seed as usize % sizes.len()];
        (adversary.clone(), network(*validators, seed))
    };
    let all = Campaign { seed: options.seed, runs, steps: STEPS, sides: rules.into() };
    let report = campaign(&all, "runs", |campaign, done| campaign.run_under(of, done));
    let mut failing_traces = Vec::new();
    if let Some(failure) = &report.failure {
        failing_traces.push(write_failure(failure, rules, &options.out));
    }
    let status = ExitStatus::of(failing_traces.is_empty());
    let lockstep = LockstepRow::of(&report);
    if options.json {
        print_json(&Report { properties: Vec::new(), lockstep, regression_traces: 0, failing_traces })?;
    } else {
        print(&format!("under {name}: {lockstep}"))?;
    }
    Ok(status)
}

impl LockstepRow {
    fn of(report: &CampaignReport) -> LockstepRow {
        LockstepRow {
            runs: report.runs,
            steps: report.statistics.steps,
            clauses_refused: report.statistics.refused.len(),
            divergences: usize::from(report.failure.is_some()),
        }
    }
}

impl std::fmt::Display for LockstepRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LockstepRow { runs, steps, clauses_refused, divergences } = self;
        write!(
            out,
            "{runs} runs, {steps} steps, {clauses_refused} clauses refused an input, {divergences} divergences"
        )
    }
}

/// Writes the trace of a run in which model and implementation diverge, and returns its path.
fn write_failure(failure: &Failure, rules: Rules, out: &Path) -> String {
    let name = format!("divergence-{}.jsonl", failure.seed);
    let trace = failure.trace(rules).to_bytes();
    write_finding(out, &name, &failure.short.divergence.to_string(), &trace)
}

fn campaign(
    campaign: &Campaign,
    prefix: &'static str,
    run: impl FnOnce(&Campaign, &dyn Fn(u64)) -> CampaignReport,
) -> CampaignReport {
    let bar = bar(Some(campaign.runs), "{prefix} {wide_bar} {pos}/{len}, {eta} left");
    bar.set_prefix(prefix);
    let report = run(campaign, &|done| bar.set_position(done));
    bar.finish_and_clear();
    report
}
