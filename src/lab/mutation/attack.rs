//! The checker that lets the adversaries of the attack pairs break a goal without the clause: those whom the table of the
//! weakest ones names. It finds their runs anew; what is not in the table is not tried.

use crate::mutation::{Corpus, Finding, Mutant, Notice};

pub(super) fn look(mutant: Mutant, shelf: &Corpus) -> Finding {
    let mut cases = 0;
    // With nothing missing, the adversaries of all clauses may try.
    let of_this = |clause| mutant.0.is_none_or(|missing| missing == clause);
    for weakness in shelf.weaknesses.iter().filter(|weakness| of_this(weakness.clause)) {
        cases += 1;
        if let Some(steps) = weakness.run(mutant.rules()) {
            let (goal, power, scene) = (weakness.goal, weakness.power.name(), weakness.scene);
            let what = format!("{goal} is broken in {scene} by an adversary of the power of {power}");
            let goal = Some(goal.to_owned());
            return Finding::Noticed(Notice { cases, steps, what, goal, trace: None });
        }
    }
    Finding::Missed { cases }
}
