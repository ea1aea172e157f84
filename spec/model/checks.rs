//! The checks of one input: what its flaws fail, and what the receiver's state fails, each under the clause in force.

use crate::Flaws;
use bemr_spec::order::{Check, Order};
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

    /// Whether the clause is in force, for one that is no check of an input.
    pub(super) fn in_force(&self, clause: Clause) -> bool {
        self.rules.in_force(clause)
    }

    /// Whether the input has a flaw.
    pub(super) fn has(&self, flaw: Clause) -> bool {
        self.flaws.has(flaw)
    }

    /// The clause's check holds, unless the input has that flaw.
    pub(super) fn sound(&self, clause: Clause) -> Result<(), Clause> {
        self.require(clause, true)
    }

    /// These checks, to be asked in the order of a chapter's table.
    pub(super) const fn in_order(self, order: &'static Order) -> Ordered<'a> {
        Ordered { checks: self, left: order.checks }
    }

    /// The clause's check holds when `holds`, unless the input has that flaw.
    pub(super) fn require(&self, clause: Clause, holds: bool) -> Result<(), Clause> {
        let fails = !holds || self.flaws.has(clause);
        if fails && self.rules.in_force(clause) { Err(clause) } else { Ok(()) }
    }
}

/// The checks of one input that are still to be made, in the order of a chapter's table.
///
/// The model names those checks that depend on the receiver's state; each of the others fails exactly for an input with that
/// flaw, and is made when its turn comes.
pub(super) struct Ordered<'a> {
    checks: Checks<'a>,
    left: &'static [Check],
}

impl Ordered<'_> {
    /// The next check of `clause` holds when `holds`, unless the input has that flaw; and all checks before it hold.
    pub(super) fn require(&mut self, clause: Clause, holds: bool) -> Result<(), Clause> {
        self.up_to(|check| check.clause == clause)?;
        self.checks.require(clause, holds)
    }

    /// As [`Ordered::require`], for a check that no flaw makes fail: the flaw of that clause is another check's.
    pub(super) fn require_state(&mut self, clause: Clause, holds: bool) -> Result<(), Clause> {
        self.up_to(|check| check.clause == clause)?;
        if !holds && self.checks.rules.in_force(clause) { Err(clause) } else { Ok(()) }
    }

    /// All checks before those of a part hold. The caller makes the part's checks.
    pub(super) fn part(&mut self, part: &Order) -> Result<(), Clause> {
        self.up_to(|check| check.part == Some(part.id))?;
        self.left = self.left.get(part.checks.len() - 1..).unwrap_or_default();
        Ok(())
    }

    /// All checks that are left hold.
    pub(super) fn rest(self) -> Result<(), Clause> {
        if self.checks.flaws.is_empty() {
            return Ok(());
        }
        self.left.iter().try_for_each(|check| self.checks.sound(check.clause))
    }

    /// Makes the checks before the first one that is `wanted`, and takes that one off.
    fn up_to(&mut self, wanted: impl Fn(&Check) -> bool) -> Result<(), Clause> {
        // Without a flaw nothing hangs on the place: looking it up only shows that the table has the check.
        if self.checks.flaws.is_empty() && !cfg!(debug_assertions) {
            return Ok(());
        }
        let place = self.left.iter().position(wanted);
        let Some(place) = place else { panic!("the order has no such check after those that were made") };
        let before = &self.left[..place];
        self.left = &self.left[place + 1..];
        before.iter().try_for_each(|check| self.checks.sound(check.clause))
    }
}
