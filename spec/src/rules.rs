//! Which clauses are in force.
//!
//! Without the feature `weaken` there is one value, every test of it is a constant and compiles away.

use crate::{Clause, Refusal};

/// The set of clauses in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    #[cfg(bemr_weaken)]
    dropped: [u64; 4],
}

impl Rules {
    /// Every clause is in force.
    pub const fn hardened() -> Self {
        Rules {
            #[cfg(bemr_weaken)]
            dropped: [0; 4],
        }
    }

    /// The protocol as the paper has it, read literally: no clause is in force that stops an attack on it (chapter 18).
    #[cfg(bemr_weaken)]
    pub fn published() -> Self {
        let answers = Clause::ALL.into_iter().filter(|clause| !clause.stops().is_empty());
        answers.fold(Rules::hardened(), Rules::without)
    }

    /// The first specification: no clause is in force that answers a finding of its review. A search finds each finding there.
    #[cfg(bemr_weaken)]
    pub fn v1() -> Self {
        let answers = Clause::ALL.into_iter().filter(|clause| !clause.findings().is_empty());
        answers.fold(Rules::hardened(), Rules::without)
    }

    /// These rules less `clause`: the mutant of that clause.
    #[cfg(bemr_weaken)]
    #[must_use]
    pub const fn without(mut self, clause: Clause) -> Self {
        let index = clause as usize;
        self.dropped[index / 64] |= 1 << (index % 64);
        self
    }

    /// Whether `clause` is in force.
    #[cfg(bemr_weaken)]
    pub const fn in_force(&self, clause: Clause) -> bool {
        let index = clause as usize;
        self.dropped[index / 64] >> (index % 64) & 1 == 0
    }

    /// Whether `clause` is in force: always.
    #[cfg(not(bemr_weaken))]
    #[inline(always)]
    pub const fn in_force(&self, _clause: Clause) -> bool {
        true
    }

    /// Whether an actor tells nobody of this refusal (STA-03): its store failed, and the input broke no rule.
    #[inline]
    pub fn is_silent(&self, refusal: &Refusal) -> bool {
        refusal.clause() == Clause::FailedStoreIsSilent && self.in_force(Clause::FailedStoreIsSilent)
    }

    /// Goes on when `holds`, or when `clause` is not in force.
    ///
    /// # Errors
    /// The refusal by `clause` otherwise.
    #[inline]
    pub fn require(&self, clause: Clause, holds: bool) -> Result<(), Refusal> {
        self.check(clause, || holds)
    }

    /// As [`Rules::require`], for a test that costs something: it is not run when `clause` is not in force.
    ///
    /// # Errors
    /// The refusal by `clause` when it is in force and `holds` says no.
    #[inline]
    pub fn check(&self, clause: Clause, holds: impl FnOnce() -> bool) -> Result<(), Refusal> {
        if !self.in_force(clause) || holds() { Ok(()) } else { Err(Refusal::new(clause)) }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Rules::hardened()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardened_rules_hold_every_clause() {
        assert!(Clause::ALL.into_iter().all(|clause| Rules::hardened().in_force(clause)));
    }

    #[cfg(bemr_weaken)]
    #[test]
    fn the_first_specification_lacks_what_answers_its_review_and_nothing_else() {
        let lacks = |clause: &Clause| !Rules::v1().in_force(*clause);
        let lacking: Vec<Clause> = Clause::ALL.into_iter().filter(lacks).collect();
        assert!(lacking.contains(&Clause::HelloDisplacesNone));
        assert!(
            lacking.iter().all(|clause| clause.findings().iter().all(|finding| finding.starts_with("R-")))
        );
    }

    #[cfg(bemr_weaken)]
    #[test]
    fn a_mutant_drops_one_clause_and_no_other() {
        for dropped in Clause::ALL {
            let rules = Rules::hardened().without(dropped);
            for clause in Clause::ALL {
                assert_eq!(rules.in_force(clause), clause != dropped);
                assert_eq!(rules.require(clause, false).is_ok(), clause == dropped);
            }
        }
    }
}
