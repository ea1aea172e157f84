//! The checker that plays the lives that the fuzzers kept, with the mutated implementation beside the model with every clause.
//! Those that are named after the clause come first: it is what they were kept for.

use crate::lockstep::{Coverage, Script, ScriptDivergence, SetupCache};
use crate::mutation::lockstep::sides;
use crate::mutation::{Corpus, Finding, Mutant, Notice};

pub(super) fn look(mutant: Mutant, shelf: &Corpus) -> Finding {
    let named = |name: &str| mutant.0.is_some_and(|clause| name.starts_with(clause.id()));
    let (first, others): (Vec<_>, Vec<_>) = shelf.runs.iter().partition(|(name, _)| named(name));
    let mut nursery = SetupCache::default();
    let mut cases = 0;
    for (name, script) in first.into_iter().chain(others) {
        cases += 1;
        if let Err(parted) = execute(script, mutant, &mut nursery) {
            let short = parted.shrunk(sides(mutant));
            let (steps, divergence) = short.map_or((parted.actions.len(), parted.divergence), |short| {
                (short.actions.len(), short.divergence)
            });
            let what = format!("{name}: {divergence}");
            return Finding::Noticed(Notice { cases, steps, what, goal: None, trace: None });
        }
    }
    Finding::Missed { cases }
}

fn execute(script: &Script, mutant: Mutant, nursery: &mut SetupCache) -> Result<(), Box<ScriptDivergence>> {
    script.execute(sides(mutant), nursery, &mut Coverage::default(), |_, _| ()).map(drop)
}
