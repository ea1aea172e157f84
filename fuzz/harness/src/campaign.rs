//! A campaign on the engine of this package: first the planted bugs, then the product.
#![allow(clippy::disallowed_types, reason = "a campaign is measured in real time")]

use crate::canaries::canaries;
use crate::engine::{Run, explore};
use crate::{Subject, TARGETS, Target, corpus};
use bemr::conformance::fuzzing::{CanaryRow, FUZZ_FORMAT, FuzzReport, TargetRow};
use bemr_spec::Clause;
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How a campaign is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How long a planted bug may take to be found.
    pub patience: Duration,
    /// How long each target is fuzzed.
    pub each: Duration,
    /// Whether it begins from nothing.
    pub empty: bool,
    /// How many targets run at once.
    pub threads: usize,
    /// Where chance begins.
    pub seed: u64,
    /// Targets; all where none is named.
    pub only: Vec<String>,
}

/// What is left of a campaign beside its report: an input that shows a fault, by the name of its target.
pub type Findings = Vec<(String, Vec<u8>)>;

fn timed(target: &Target, subject: &Subject, seeds: &[Vec<u8>], seed: u64, time: Duration) -> (Run, f64) {
    let start = Instant::now();
    let run = explore(target, subject, seeds, seed, |_| start.elapsed() < time);
    (run, start.elapsed().as_secs_f64())
}

/// Does each of these, so many at once; gives what came of them in their order.
fn each<T: Sync, R: Send>(work: &[T], threads: usize, act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (Mutex::new(0..work.len()), Mutex::new(Vec::new()));
    let worker = || {
        loop {
            let Some(at) = next.lock().expect("nobody panics with the lock").next() else { return };
            let result = act(&work[at]);
            done.lock().expect("nobody panics with the lock").push((at, result));
        }
    };
    std::thread::scope(|scope| (0..threads.max(1)).for_each(|_| drop(scope.spawn(worker))));
    let mut done = done.into_inner().expect("nobody panics with the lock");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Runs a campaign; `tell` hears of everything that ends.
///
/// # Errors
/// A corpus that cannot be read, or the name of no target.
pub fn campaign(plan: &Plan, tell: impl Fn(&str) + Sync) -> Result<(FuzzReport, Findings), String> {
    if let Some(unknown) = plan.only.iter().find(|name| crate::target(name).is_none()) {
        return Err(format!("{unknown}: no such target"));
    }
    let named = |name: &str| plan.only.is_empty() || plan.only.iter().any(|one| one == name);
    let seeds = |name: &str| -> Result<Vec<Vec<u8>>, String> {
        if plan.empty {
            return Ok(Vec::new());
        }
        let inputs = corpus::read(name).map_err(|error| format!("corpus of {name}: {error}"))?;
        Ok(inputs.into_iter().map(|(_, bytes)| bytes).collect())
    };
    let planted: Vec<_> = canaries().filter(|canary| named(canary.target)).collect();
    let rows = each(&planted, plan.threads, |canary| -> Result<CanaryRow, String> {
        let target = crate::target(canary.target).expect("a test says that canaries name targets");
        let seeds = seeds(canary.target)?;
        let (run, seconds) = timed(target, &(canary.subject)(), &seeds, plan.seed, plan.patience);
        let found = run.found.is_some();
        let how = if found { "found" } else { "MISSED" };
        tell(&format!("{}: {how} after {} executions, {seconds:.1} s", canary.name, run.executions));
        let (name, target, what) = (canary.name.to_owned(), canary.target.to_owned(), canary.what.to_owned());
        Ok(CanaryRow { name, target, what, found, executions: run.executions, seconds })
    });
    let canaries = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
    let targets: Vec<_> = TARGETS.iter().filter(|target| named(target.name)).collect();
    let rows = each(&targets, plan.threads, |target| -> Result<_, String> {
        let seeds = seeds(target.name)?;
        let (run, seconds) = timed(target, &Subject::product(), &seeds, plan.seed, plan.each);
        tell(&format!("{}: {} executions, {seconds:.1} s", target.name, run.executions));
        let found = run.found.as_ref().map(|found| printable(&found.message));
        let (executions, kept) = (run.executions, run.corpus.len() as u64);
        let row = TargetRow { name: target.name.to_owned(), executions, seconds, kept, found };
        Ok((row, run))
    });
    let (mut targets, mut clauses, mut findings) = (Vec::new(), BTreeSet::new(), Vec::new());
    for row in rows {
        let (row, run) = row?;
        if row.name == "lockstep" {
            clauses.extend(run.seen.clauses().iter().filter_map(|id| Clause::find(id)));
        }
        findings.extend(run.found.map(|found| (row.name.clone(), found.input)));
        targets.push(row);
    }
    let report = FuzzReport {
        format: FUZZ_FORMAT.to_owned(),
        commit: said("git", &["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]),
        toolchain: said("rustc", &["--version"]),
        engine: format!("bemr-fuzz, {} threads, seed {}", plan.threads, plan.seed),
        corpus: if plan.empty { "empty" } else { "committed" }.to_owned(),
        targets,
        clauses: clauses.into_iter().collect(),
        canaries,
    };
    Ok((report, findings))
}

/// A message as a line of a report.
fn printable(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}

/// What a program says; that it is unknown, where there is no such program.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let said = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let line = said.map(|bytes| printable(String::from_utf8_lossy(&bytes).trim()));
    line.filter(|line| !line.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}
