//! A campaign: first the planted bugs, then the product; on the engine of this package, or on libFuzzer.
#![allow(clippy::disallowed_types, reason = "a campaign is measured in real time")]

use crate::canaries::{Canary, canaries};
use crate::engine::{execute, explore};
use crate::kept::{Begin, resume};
use crate::{Seen, Subject, TARGETS, Target, cargo_fuzz, corpus};
use bemr_lab::fuzz_report::{CanaryRow, FUZZ_FORMAT, FuzzReport, TargetRow};
use bemr_spec::Clause;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What makes the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// That of this package.
    Stable,
    /// libFuzzer, by cargo-fuzz and a nightly compiler, without a sanitizer: the product has no unsafe code.
    LibFuzzer,
}

/// How a campaign is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What makes the inputs.
    pub engine: Engine,
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
    /// Where the engine of this package keeps what it finds in the product, and goes on from; nowhere where there is none.
    pub kept: Option<PathBuf>,
}

/// What is left of a campaign beside its report: an input that shows a fault, by the name of its target.
pub type Findings = Vec<(String, Vec<u8>)>;

/// What came of one target, with a bug or without.
pub(crate) struct Fuzzed {
    pub(crate) executions: u64,
    pub(crate) seconds: f64,
    pub(crate) kept: u64,
    /// The input that shows a fault, and what is wrong.
    pub(crate) found: Option<(Vec<u8>, String)>,
    /// What all that was kept exercises.
    pub(crate) seen: Seen,
}

/// What runs in the place of the product.
#[derive(Clone, Copy)]
pub(crate) enum Instead<'a> {
    /// The product itself.
    Product,
    /// The product with a bug.
    Planted(&'a Canary),
    /// Nothing: what the engine alone costs.
    Nothing,
}

/// Fuzzes a target for a time.
pub(crate) fn fuzz(
    plan: &Plan,
    target: &Target,
    instead: Instead<'_>,
    time: Duration,
) -> Result<Fuzzed, String> {
    let inputs = if plan.empty {
        Vec::new()
    } else {
        corpus::read(target.name).map_err(|error| unread(target, &error))?
    };
    let seeds: Vec<Vec<u8>> = inputs.into_iter().map(|(_, bytes)| bytes).collect();
    if plan.engine == Engine::LibFuzzer {
        return cargo_fuzz::fuzz(target, instead, &seeds, plan.seed, time);
    }
    let (subject, target) = match instead {
        Instead::Product => (Subject::product(), *target),
        Instead::Planted(canary) => ((canary.subject)(), *target),
        Instead::Nothing => (Subject::product(), Target { run: |_, _, _| (), ..*target }),
    };
    let start = Instant::now();
    let run = match (instead, &plan.kept) {
        // A planted bug is looked for from the corpus alone: so the times to it can be compared.
        (Instead::Product, Some(kept)) => {
            let begin = Begin { seeds, read_kept: !plan.empty, seed: plan.seed };
            resume(&target, kept, begin, |_| start.elapsed() < time)
                .map_err(|error| format!("{}: {error}", kept.join(target.name).display()))?
        }
        _ => explore(&target, &subject, &seeds, plan.seed, |_| start.elapsed() < time),
    };
    let found = run.found.map(|found| (found.input, found.message));
    let (executions, kept) = (run.executions, run.corpus.len() as u64);
    Ok(Fuzzed { executions, seconds: start.elapsed().as_secs_f64(), kept, found, seen: run.seen })
}

fn unread(target: &Target, error: &std::io::Error) -> String {
    format!("corpus of {}: {error}", target.name)
}

/// What these inputs exercise in the product.
pub(crate) fn exercised<'a>(target: &Target, inputs: impl IntoIterator<Item = &'a Vec<u8>>) -> Seen {
    let mut seen = Seen::default();
    for input in inputs {
        // What it finds was found already.
        let _ = execute(target, &Subject::product(), input, &mut seen);
    }
    seen
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
    // libFuzzer's binaries are built one after the other, in one folder.
    let threads = if plan.engine == Engine::LibFuzzer { 1 } else { plan.threads };
    let planted: Vec<_> = canaries().filter(|canary| named(canary.target)).collect();
    let rows = each(&planted, threads, |canary| -> Result<CanaryRow, String> {
        let target = crate::target(canary.target).expect("a test says that canaries name targets");
        let Fuzzed { executions, seconds, found, .. } =
            fuzz(plan, target, Instead::Planted(canary), plan.patience)?;
        let found = found.is_some();
        let how = if found { "found" } else { "MISSED" };
        tell(&format!("{}: {how} after {executions} executions, {seconds:.1} s", canary.name));
        let (name, target, what) = (canary.name.to_owned(), canary.target.to_owned(), canary.what.to_owned());
        Ok(CanaryRow { name, target, what, found, executions, seconds })
    });
    let canaries = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
    let targets: Vec<_> = TARGETS.iter().filter(|target| named(target.name)).collect();
    let rows = each(&targets, threads, |target| -> Result<_, String> {
        let fuzzed = fuzz(plan, target, Instead::Product, plan.each)?;
        tell(&format!("{}: {} executions, {:.1} s", target.name, fuzzed.executions, fuzzed.seconds));
        Ok((target.name.to_owned(), fuzzed))
    });
    let (mut targets, mut clauses, mut findings) = (Vec::new(), BTreeSet::new(), Vec::new());
    for row in rows {
        let (name, Fuzzed { executions, seconds, kept, found, seen }) = row?;
        if name == "lockstep" {
            clauses.extend(seen.clauses().iter().filter_map(|id| Clause::find(id)));
        }
        let told = found.as_ref().map(|(_, message)| printable(message));
        findings.extend(found.map(|(input, _)| (name.clone(), input)));
        targets.push(TargetRow { name, executions, seconds, kept, found: told });
    }
    let report = FuzzReport {
        format: FUZZ_FORMAT.to_owned(),
        commit: said("git", &["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]),
        toolchain: match plan.engine {
            Engine::Stable => said("rustc", &["--version"]),
            Engine::LibFuzzer => said("rustc", &["+nightly", "--version"]),
        },
        engine: match plan.engine {
            Engine::Stable => format!("bemr-fuzz, {} threads, seed {}", plan.threads, plan.seed),
            Engine::LibFuzzer => format!("libFuzzer without sanitizer, seed {}", plan.seed),
        },
        corpus: match &plan.kept {
            _ if plan.empty => "empty".to_owned(),
            Some(_) if plan.engine == Engine::Stable => "committed and kept".to_owned(),
            _ => "committed".to_owned(),
        },
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
