//! Messages that insiders forge: every flaw of the forge's tables, and every manner in which a check can fail.

use crate::forge::{FLAWS, MANNERS, STUBBORN};
use crate::mutation::unit::fixture::{Answer, Perturbation, everybody};
use crate::mutation::unit::{Door, Input, envelopes};
use bemr_model::{Flaws, LedgerKind};
use bemr_spec::Clause;
use bemr_spec::Clause::*;

/// Kinds of which an honest run with established sessions has no envelope, or that another kind stands for: the cases of `actions`.
const ELSEWHERE: [&str; 8] =
    ["Certificate", "Answer", "Outcome", "Record", "Hello", "Response", "Finish", "Enrolment"];

/// Which envelope of its kind a flaw shows in; the first, where it does not say.
const NTH: &[(&str, Clause, usize)] = &[
    // The reader remembers a head.
    ("ReadResponse", HeadNotOlder, 1),
    // A grant to this reader was revoked before.
    ("Grant", StatementAdvances, 1),
    ("Revoke", StatementAdvances, 1),
];

fn nth(kind: &str, flaw: Clause) -> usize {
    NTH.iter().find(|(name, one, _)| (*name, *one) == (kind, flaw)).map_or(0, |(.., nth)| *nth)
}

/// By work alone a block can have these flaws.
fn ledger(kind: &str, flaw: Clause) -> LedgerKind {
    let work = matches!(kind, "Block" | "Close") && matches!(flaw, TargetIsScheduled | WorkMeetsTarget);
    if work { LedgerKind::Work } else { LedgerKind::Quorum }
}

pub(super) fn doors() -> impl Iterator<Item = Door> {
    let here = |kind: &str| !ELSEWHERE.contains(&kind);
    let flaws = FLAWS.iter().filter(move |(kind, _)| here(kind)).flat_map(|(kind, listed)| {
        let listed = listed.iter().filter(|flaw| {
            // An administrator's submission is in `envelopes`; of the others the mutant refuses them by the same clause.
            (*kind, **flaw) != ("T_initial", RoleMaySubmit)
                && !STUBBORN.iter().any(|(name, stubborn, _)| (name, stubborn) == (kind, flaw))
        });
        listed.map(|flaw| door(kind, *flaw, Flaws::of(*flaw), *flaw, None))
    });
    let manners = MANNERS.iter().map(|(kind, flaw, manner)| {
        let cause = if *manner == ScalarInRange { Some(ScalarInRange) } else { None };
        door(kind, *flaw, Flaws::of(*flaw).and(*manner), *manner, cause)
    });
    // A signature over something else is refused because its commitment is another.
    let recomputed = MANNERS.iter().filter(|(.., manner)| *manner == ScalarInRange);
    let recomputed = recomputed.map(|(kind, flaw, _)| {
        door(kind, *flaw, Flaws::of(*flaw), CommitmentRecomputed, Some(CommitmentRecomputed))
    });
    flaws.chain(manners).chain(recomputed)
}

/// A message of this kind with these flaws, which `by` refuses, shows whether `clause` is in force.
fn door(kind: &'static str, by: Clause, flaws: Flaws, clause: Clause, cause: Option<Clause>) -> Door {
    let with: Vec<&str> = flaws.iter().map(Clause::id).collect();
    Door {
        clause,
        name: format!("{kind} with the flaw {}", with.join(" and ")),
        input: Input::Envelope {
            setup: everybody(ledger(kind, by)),
            script: envelopes::SCRIPT,
            kind: if kind == "Close" { "Block" } else { kind },
            nth: nth(kind, by),
            trick: Perturbation::Flawed(kind, flaws),
            answer: Answer { clause: Some(by), cause },
        },
    }
}
