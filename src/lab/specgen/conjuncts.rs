//! The conjuncts of the goals and the states that break each, as a table.

use super::{cell, heading};
use bemr_model::{BESIDE_GOALS, Conjunct, GOALS, SHOWN};
use std::fmt::Write as _;

/// Every conjunct in one table.
pub(super) fn render() -> String {
    let mut out = heading("Conjuncts of the goals", "the goals of the model");
    out.push_str(
        "\nA test constructs every state of the last column from an honest run: the state breaks the conjunct in its row and no other\n\
         conjunct of that goal. Beside these, what a goal forbids to believe is tried kind by kind and check by check.\n\n\
         | goal | conjunct | broken by |\n|---|---|---|\n",
    );
    let goals = GOALS.iter().chain(SHOWN).map(|goal| (goal.name, goal.conjuncts));
    for (goal, conjuncts) in goals.chain(BESIDE_GOALS.iter().copied()) {
        for Conjunct { says, broken_by, .. } in conjuncts {
            writeln!(out, "| {goal} | {} | {} |", cell(says), cell(&broken_by.join("; ")))
                .expect("a string grows");
        }
    }
    out
}
