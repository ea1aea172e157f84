//! The checks of one input: what its flaws fail, and what the receiver's state fails, each under the clause in force.

use crate::Flaws;
use bemr_spec::{Clause, Rules};

/// The checks of one input, in the order in which they are asked.
#[derive(Clone, Copy)]
pub(super) struct Checks<'a> {
    rules: &'a Rules,
    flaws: Flaws,
}

impl<'a> Checks<'a> {
    pub(super) const fn of(rules: &'a Rules, flaws: Flaws) -> Checks<'a> {
        Checks { rules, flaws }
    }

    /// Whether the input has a flaw.
    pub(super) fn has(&self, flaw: Clause) -> bool {
        self.flaws.has(flaw)
    }

    /// The clause's check holds, unless the input has that flaw.
    pub(super) fn sound(&self, clause: Clause) -> Result<(), Clause> {
        self.require(clause, true)
    }

    /// Each of them, in this order.
    pub(super) fn all_sound(&self, clauses: &[Clause]) -> Result<(), Clause> {
        clauses.iter().try_for_each(|clause| self.sound(*clause))
    }

    /// The clause's check holds when `holds`, unless the input has that flaw.
    pub(super) fn require(&self, clause: Clause, holds: bool) -> Result<(), Clause> {
        let fails = !holds || self.flaws.has(clause);
        if fails && self.rules.in_force(clause) { Err(clause) } else { Ok(()) }
    }
}
