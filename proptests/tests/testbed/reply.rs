//! What an actor made of a message, and what a test asserts of it.

use super::{RULES, Testbed};
use bemr::actors::Step;
use bemr::wire::Message;
use bemr_spec::Clause;

/// What an actor made of a message.
pub(crate) struct Reply {
    pub(crate) step: Step,
    /// What it answered in the session.
    pub(crate) answers: Vec<Message>,
    /// Whether its public state is what it was.
    pub(crate) unchanged: bool,
}

impl Reply {
    #[track_caller]
    pub(crate) fn assert_refused(&self, clause: Clause) {
        match &self.step.outcome {
            Ok(_) => panic!("{} was accepted, against {clause}", self.step.event),
            Err(refusal) => assert_eq!(refusal.clause(), clause, "{refusal}"),
        }
        assert_eq!(self.step.verdict(), clause.verdict());
        assert!(self.unchanged, "{} was refused and changed the state", self.step.event);
    }

    #[track_caller]
    pub(crate) fn assert_accepted(&self) {
        if let Err(refusal) = &self.step.outcome {
            panic!("{} was refused by {refusal}", self.step.event);
        }
    }
}

/// The attack is refused by `clause` and changes nothing; the mutant of `clause` accepts it.
#[track_caller]
pub(crate) fn refused_by(clause: Clause, attack: impl Fn(&mut Testbed) -> Reply) {
    refused(clause, &attack);
    attack(&mut Testbed::new(RULES.without(clause), 4)).assert_accepted();
}

/// The attack is refused by `clause` and changes nothing. For attacks that another clause stops behind this one.
#[track_caller]
pub(crate) fn refused(clause: Clause, attack: impl Fn(&mut Testbed) -> Reply) {
    attack(&mut Testbed::new(RULES, 4)).assert_refused(clause);
}
