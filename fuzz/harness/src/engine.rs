//! A fuzzing engine on a stable compiler: it mutates inputs, and keeps those that exercise what none before did, or none as cheaply.
//!
//! It sees what targets say of themselves ([`Seen`]) and not the branches of the code; the same seed gives the same run. For
//! campaigns of hours there is libFuzzer.

use crate::pool::Pool;
use crate::{Dice, Seen, Subject, Target};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An input that shows a fault.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The input.
    pub input: Vec<u8>,
    /// What the target says of it.
    pub message: String,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// How many inputs were executed.
    pub executions: u64,
    /// The inputs that are kept.
    pub corpus: Pool,
    /// All that was exercised.
    pub seen: Seen,
    /// The first input that shows a fault; the run ends there.
    pub found: Option<Finding>,
}

/// Executes an input.
///
/// # Errors
/// What the target says, should it panic.
pub fn execute(target: &Target, subject: &Subject, input: &[u8], seen: &mut Seen) -> Result<(), String> {
    // What an input leaves behind is thrown away with it.
    let executed = catch_unwind(AssertUnwindSafe(|| (target.run)(subject, input, seen)));
    executed.map_err(|panic| match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().map_or("a panic", |message| message).to_owned(),
    })
}

/// Executes the seeds, then mutants of them and of all that was kept, until `go_on` says no to the number of executions so far or a fault
/// is found.
pub fn explore(
    target: &Target,
    subject: &Subject,
    seeds: &[Vec<u8>],
    seed: u64,
    go_on: impl FnMut(u64) -> bool,
) -> Run {
    explore_and_tell(target, subject, seeds, seed, go_on, |_| ())
}

/// As [`explore`]; `tell` hears of every mutant that exercises what none before did, at once.
pub fn explore_and_tell(
    target: &Target,
    subject: &Subject,
    seeds: &[Vec<u8>],
    seed: u64,
    mut go_on: impl FnMut(u64) -> bool,
    mut tell: impl FnMut(&[u8]),
) -> Run {
    let mut run = Run::default();
    let (mut dice, mut seen) = (Dice::new(seed), Seen::default());
    let mut waiting = seeds.iter();
    while go_on(run.executions) {
        let (input, is_seed) = match waiting.next() {
            Some(input) => (input.clone(), true),
            None => (mutant(target, &mut dice, &run.corpus), false),
        };
        seen.clear();
        run.executions += 1;
        if let Err(message) = execute(target, subject, &input, &mut seen) {
            run.found = Some(Finding { input, message });
            break;
        }
        let adds = if is_seed { run.corpus.seed(input, &seen) } else { run.corpus.offer(input, &seen) };
        if adds {
            run.seen.take(&seen);
            if !is_seed {
                tell(run.corpus.latest());
            }
        }
    }
    run
}

fn mutant(target: &Target, dice: &mut Dice, corpus: &Pool) -> Vec<u8> {
    let (input, other) = (corpus.pick(dice), corpus.any(dice));
    (target.mutate)(dice, input, other)
}

/// The input with as much left out as can be, so that `still` holds: chunks of lines or bytes, large ones first.
pub fn minimised(input: &[u8], lines: bool, mut still: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let split = |input: &[u8]| -> Vec<Vec<u8>> {
        if lines {
            input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
        } else {
            input.iter().map(|byte| vec![*byte]).collect()
        }
    };
    let mut parts = split(input);
    let mut size = parts.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < parts.len() {
            let end = (at + size).min(parts.len());
            let fewer: Vec<Vec<u8>> = parts[..at].iter().chain(&parts[end..]).cloned().collect();
            if still(&fewer.concat()) { parts = fewer } else { at = end }
        }
        if size == 1 {
            return parts.concat();
        }
        size = size.div_ceil(2);
    }
}

/// The input as small as it can be made: while it shows the same fault, or, where it shows none, exercises all that it did.
pub fn smallest(target: &Target, subject: &Subject, input: &[u8]) -> Vec<u8> {
    // A message mostly has numbers that change with the input.
    let kind =
        |message: String| message.split(|c: char| c.is_ascii_digit() || c == ':').next().map(str::to_owned);
    let judged = |input: &[u8]| {
        let mut seen = Seen::default();
        let fault = execute(target, subject, input, &mut seen).err().map(kind);
        (fault, seen)
    };
    let (fault, wanted) = judged(input);
    minimised(input, !target.plain, |smaller| {
        let (its_fault, seen) = judged(smaller);
        its_fault == fault && (fault.is_some() || !wanted.adds_to(&seen))
    })
}
