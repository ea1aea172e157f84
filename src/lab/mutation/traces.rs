//! The checker that runs kept traces again: those that once showed a fault, then the killer of the clause that is missing.
//!
//! Under proof of work when a nonce is found hangs on every byte, so that whatever changes one goes otherwise. Traces that did not
//! come from the lack of this clause are left out there: what they showed would be that, and nothing of the clause.

use crate::mutation::lockstep::sides;
use crate::mutation::{Corpus, Finding, Mutant, Notice, WitnessTrace};
use crate::trace::{Replay, Trace, rerun_beside};
use bemr_model::LedgerKind;

/// With nothing missing every trace that there is goes as it tells, each killer too.
pub(super) fn look(mutant: Mutant, shelf: &Corpus) -> Finding {
    let quorum = |trace: &Trace| trace.header.setup.ledger == LedgerKind::Quorum;
    let kept = shelf.kept.iter().filter(|(_, trace)| trace.header.rules.is_empty() && quorum(trace));
    let killers = shelf.killers().filter(|killer| mutant.0.is_none_or(|clause| clause == killer.clause()));
    let killers = killers.map(|killer| (killer.clause().id(), killer.trace()));
    let mut cases = 0;
    for (name, trace) in kept.map(|(name, trace)| (name.as_str(), trace)).chain(killers) {
        cases += 1;
        if let Some((steps, difference)) = parts(mutant, trace) {
            let what = format!("{name}: {difference}");
            return Finding::Noticed(Notice { cases, steps, what, goal: None, trace: None });
        }
    }
    Finding::Missed { cases }
}

/// The step at which the mutated implementation goes otherwise than the trace tells, and how.
fn parts(mutant: Mutant, trace: &Trace) -> Option<(usize, String)> {
    match rerun_beside(sides(mutant), trace) {
        Replay::Agrees { .. } => None,
        Replay::Diverges { step, difference } => Some((step as usize, difference)),
        Replay::NotCompared => Some((0, "the actors cannot be made".to_owned())),
    }
}

impl WitnessTrace {
    /// Whether it does what it is for: the mutant goes otherwise at its last step, and nobody does with nothing missing.
    pub fn kills(&self) -> bool {
        let last = self.trace().steps.len();
        parts(Mutant(None), self.trace()).is_none()
            && parts(Mutant(Some(self.clause())), self.trace()).is_some_and(|(step, _)| step == last)
    }
}
