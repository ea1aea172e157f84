//! T_v: what follows from an ACK and the BSD's own re-verification.

use crate::actors::bsd::submission::State;
use crate::wire::Ballot;
use bemr_spec::{Clause, Rules};

/// What the network says of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// A quorum says true.
    True,
    /// A quorum says false.
    False,
    /// No quorum can come about any more.
    Conflict,
    /// No quorum came about in time.
    Timeout,
}

impl From<Ballot> for Acknowledgement {
    fn from(ballot: Ballot) -> Self {
        match ballot {
            Ballot::True => Acknowledgement::True,
            Ballot::False => Acknowledgement::False,
        }
    }
}

/// The decision table of the chapter on votes: the state that follows, and the clause that decided when it is not
/// the contracts.
pub fn decide(rules: &Rules, acknowledgement: Acknowledgement, reverified: bool) -> (State, Option<Clause>) {
    let fail_open = !rules.in_force(Clause::AcceptNeedsQuorum);
    match (acknowledgement, reverified) {
        (Acknowledgement::True, true) => (State::AwaitingFinality, None),
        (Acknowledgement::True, false) if !rules.in_force(Clause::AcceptNeedsReverification) => {
            (State::AwaitingFinality, None)
        }
        (Acknowledgement::False, false) => (State::AwaitingRejection, None),
        (Acknowledgement::True, false) | (Acknowledgement::False, true) => {
            (State::Deferred, Some(Clause::AcceptNeedsReverification))
        }
        (Acknowledgement::Conflict | Acknowledgement::Timeout, _) if fail_open => {
            (State::AwaitingFinality, None)
        }
        (Acknowledgement::Conflict | Acknowledgement::Timeout, false) => (State::Rejected, None),
        (Acknowledgement::Conflict, true) => (State::Deferred, Some(Clause::AcceptNeedsQuorum)),
        (Acknowledgement::Timeout, true) => (State::Deferred, Some(Clause::FailoverIsBounded)),
    }
}
