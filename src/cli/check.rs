//! `bemr check`: explores the model, lives random lives in lockstep, and runs every kept trace again.

use crate::adversary::{find, network};
use crate::check_page::{Checked, page};
use crate::explore::{GoalRow, goals, resident, table, write_broken};
use crate::{ExitStatus, print, print_json, tell};
use bemr_lab::explore::{SCOPES, search};
use bemr_lab::faults::Adversary;
use bemr_lab::lockstep::{Campaign, CampaignReport, Failure, drawn};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_spec::Rules;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of `bemr check`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Seconds instead of minutes.
    #[arg(long, conflicts_with = "deep")]
    quick: bool,
    /// Hours.
    #[arg(long)]
    deep: bool,
    /// The first seed of the random lives.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many random lives; as many as the form of the check has, where it does not say.
    #[arg(long)]
    lives: Option<u64>,
    /// Lives random lives under this adversary alone, by its name (`bemr adversary` lists them) or from a file.
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["deep", "report"])]
    adversary: Option<String>,
    /// Where a trace is written when model and implementation part.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Writes a page: goals, cliffs, kill matrix, and runs to go through step by step.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// The traces that are kept: each once showed a fault.
pub(super) const KEPT: &[(&str, &str)] = &[
    ("answer-like-a-lie", include_str!("../../proptests/traces/answer-like-a-lie.jsonl")),
    ("authorities-after-a-restart", include_str!("../../proptests/traces/authorities-after-a-restart.jsonl")),
    (
        "forked-log-is-not-the-anchored-one",
        include_str!("../../proptests/traces/forked-log-is-not-the-anchored-one.jsonl"),
    ),
    ("evidence-survives-a-restart", include_str!("../../proptests/traces/evidence-survives-a-restart.jsonl")),
    ("order-of-retries", include_str!("../../proptests/traces/order-of-retries.jsonl")),
    ("side-block-keeps-the-clock", include_str!("../../proptests/traces/side-block-keeps-the-clock.jsonl")),
];

/// A search ends cleanly when the process holds so many bytes; `bemr explore` can be told another bound.
const MEMORY: u64 = 8 << 30;

/// Steps of one random life.
const STEPS: usize = 400;

#[derive(Serialize)]
struct LockstepRow {
    traces: u64,
    steps: u64,
    clauses_refused: usize,
    divergences: usize,
}

#[derive(Serialize)]
struct Report {
    goals: Vec<GoalRow>,
    lockstep: LockstepRow,
    replayed: usize,
    /// Where the traces of what was found are.
    found: Vec<String>,
}

fn bar(length: Option<u64>, prefix: &'static str) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "{prefix} {wide_bar} {pos}/{len}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {prefix} {msg}, {elapsed}"),
    };
    bar.set_prefix(prefix);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

pub(super) fn check(options: &Options) -> Result<ExitStatus, String> {
    let (scope, lives) = match (options.quick, options.deep) {
        (true, _) => ("smoke", 500),
        (_, true) => ("deep", 1_000_000),
        _ => ("ci", 10_000),
    };
    let lives = options.lives.unwrap_or(lives);
    if let Some(named) = &options.adversary {
        return under(named, lives, options);
    }
    if let Some(path) = &options.report {
        // First what may refuse, then what takes minutes.
        std::fs::write(path, "").map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let rules = Rules::hardened();
    let scope = SCOPES.iter().find(|one| one.name == scope).ok_or("no such scope")?;
    let (mut reports, mut found) = (Vec::new(), Vec::new());
    for part in scope.parts {
        let bar = bar(None, part.name);
        let report = search(part.under(rules), 2, |progress| {
            bar.set_message(format!("{} states", progress.states));
            resident().is_none_or(|held| held < MEMORY)
        });
        let seconds = bar.elapsed().as_secs_f64();
        bar.finish_and_clear();
        if let Some(flaw) = &report.flaw {
            tell(&format!("{}: nothing of this counts: {flaw}", part.name));
        }
        found.extend(write_broken(part, rules, &report, &options.out)?);
        reports.push((*part, report, seconds));
    }
    let goals = goals(reports.iter().map(|(_, report, seconds)| (report, *seconds)));
    let flawed = reports.iter().any(|(_, report, _)| report.flaw.is_some());

    let lives = Campaign { seed: options.seed, lives, steps: STEPS, sides: rules.into() };
    let mut lockstep = campaign(&lives, "lives", |lives, tell| lives.run(tell));
    lockstep.failure = lockstep.failure.map(|failure| lives.shortest(failure));
    if lockstep.failure.is_none() {
        // One life in nine is under an adversary that is given as data.
        let lives = Campaign { lives: lives.lives / 8, ..lives };
        lockstep.add(campaign(&lives, "adversaries", |lives, tell| lives.run_under(drawn, tell)));
    }
    if let Some(failure) = &lockstep.failure {
        found.push(write_failure(failure, rules, &options.out)?);
    }
    let mut differ = Vec::new();
    for (name, text) in KEPT {
        let trace = Trace::read(text.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
        if let Replay::Parts { step, difference } = rerun(&trace) {
            tell(&format!("{name}: step {step}: {difference}"));
            differ.push(format!("proptests/traces/{name}.jsonl"));
        }
    }

    if let Some(path) = &options.report {
        let checked = Checked {
            scope: scope.name,
            parts: &reports,
            goals: &goals,
            lockstep: &lockstep,
            kept: (KEPT.len(), &differ),
            divergence: lockstep.failure.as_ref().map(|failure| failure.trace(rules)),
        };
        std::fs::write(path, page(&checked)).map_err(|error| format!("{}: {error}", path.display()))?;
        tell(&path.display().to_string());
    }
    let differing = differ.len();
    found.extend(differ);

    let broken = flawed || goals.iter().any(|goal| goal.verdict == "broken");
    let row = LockstepRow::of(&lockstep);
    if options.json {
        let failed = !found.is_empty() || broken;
        print_json(&Report { goals, lockstep: row, replayed: KEPT.len(), found })?;
        return Ok(if failed { ExitStatus::Something } else { ExitStatus::Nothing });
    }
    print(&format!(
        "{}\n\nlockstep: {row}\nkept traces: {} run again, {} differ",
        table(&goals),
        KEPT.len(),
        differing,
    ))?;
    Ok(if broken || !found.is_empty() { ExitStatus::Something } else { ExitStatus::Nothing })
}

/// Lives under one adversary.
fn under(named: &str, lives: u64, options: &Options) -> Result<ExitStatus, String> {
    let rules = Rules::hardened();
    let sizes = [4, 7, 10].map(|validators| Ok((validators, find(named, validators)?)));
    let sizes = sizes.into_iter().collect::<Result<Vec<(u8, Adversary)>, String>>()?;
    for (validators, adversary) in &sizes {
        adversary.fits(&network(*validators, 0)).map_err(|problem| format!("{named}: {problem}"))?;
    }
    let of = |seed: u64| {
        let (validators, adversary) = &sizes[seed as usize % sizes.len()];
        (adversary.clone(), network(*validators, seed))
    };
    let bar = bar(Some(lives), "lives");
    let campaign = Campaign { seed: options.seed, lives, steps: STEPS, sides: rules.into() };
    let report = campaign.run_under(of, |lived| bar.set_position(lived));
    bar.finish_and_clear();
    let mut found = Vec::new();
    if let Some(failure) = &report.failure {
        found.push(write_failure(failure, rules, &options.out)?);
    }
    let row = LockstepRow::of(&report);
    let verdict = if found.is_empty() { ExitStatus::Nothing } else { ExitStatus::Something };
    if options.json {
        print_json(&Report { goals: Vec::new(), lockstep: row, replayed: 0, found })?;
    } else {
        print(&format!("under {named}: {row}"))?;
    }
    Ok(verdict)
}

impl LockstepRow {
    fn of(report: &CampaignReport) -> LockstepRow {
        LockstepRow {
            traces: report.lives,
            steps: report.statistics.steps,
            clauses_refused: report.statistics.refused.len(),
            divergences: usize::from(report.failure.is_some()),
        }
    }
}

impl std::fmt::Display for LockstepRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LockstepRow { traces, steps, clauses_refused, divergences } = self;
        write!(
            out,
            "{traces} lives, {steps} steps, {clauses_refused} clauses refused something, {divergences} divergences"
        )
    }
}

/// Writes the trace of a life in which the two part, says so, and gives its path.
fn write_failure(failure: &Failure, rules: Rules, out: &Path) -> Result<String, String> {
    let path = out.join(format!("divergence-{}.jsonl", failure.seed));
    std::fs::create_dir_all(out)
        .and_then(|()| std::fs::write(&path, failure.trace(rules).to_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    tell(&format!("{}\nagain: bemr replay {}", failure.short.divergence, path.display()));
    Ok(path.display().to_string())
}

fn campaign(
    campaign: &Campaign,
    prefix: &'static str,
    run: impl FnOnce(&Campaign, &dyn Fn(u64)) -> CampaignReport,
) -> CampaignReport {
    let bar = bar(Some(campaign.lives), prefix);
    let report = run(campaign, &|lived| bar.set_position(lived));
    bar.finish_and_clear();
    report
}
