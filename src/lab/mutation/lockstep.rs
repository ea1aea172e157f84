//! The checker that lives random lives of the mutated implementation beside the model with every clause. The model without the
//! clause beside the implementation with every clause parts where this does, and is not counted.

use crate::lockstep::{Campaign, Sides};
use crate::mutation::{Corpus, Finding, Mutant, Notice};
use bemr_spec::Rules;

/// Lives, and the steps of each.
const RUNS: u64 = 600;
const STEPS: usize = 400;

/// The first seed.
const SEED: u64 = 1;

/// The rules of both sides.
pub(super) fn sides(mutant: Mutant) -> Sides {
    Sides { model: Rules::hardened(), implementation: mutant.rules() }
}

pub(super) fn look(mutant: Mutant, _: &Corpus) -> Finding {
    let sides = sides(mutant);
    let report = Campaign { seed: SEED, runs: RUNS, steps: STEPS, sides }.run(|_| ());
    match report.failure {
        Some(failure) => Finding::Noticed(Notice {
            cases: report.runs,
            steps: failure.short.actions.len(),
            what: failure.short.divergence.to_string(),
            goal: None,
            trace: Some(Box::new(failure.trace(sides))),
        }),
        None => Finding::Missed { cases: report.runs },
    }
}
