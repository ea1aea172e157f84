//! The deciders: each maps [`Ballots`] and [`Reexecution`] to a decision. [`Rule`] lists them.

mod counting;
mod reputation;
mod reverifying;
mod rule;
mod weights;

pub use rule::{Asks, Rule, SAMPLED, Uses};

use super::Voters;
use super::setting::{Ballots, Delay, Reexecution};
use bemr::wire::Ballot;

/// The decision on a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Accepted.
    Accept,
    /// Rejected.
    Reject,
    /// Manual adjudication.
    Undecided,
}

impl From<Ballot> for Ruling {
    fn from(ballot: Ballot) -> Ruling {
        match ballot {
            Ballot::True => Ruling::Accept,
            Ballot::False => Ruling::Reject,
        }
    }
}

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub ruling: Ruling,
    /// When.
    pub at: Delay,
    /// The attempt, counted from 0, in which this rule had a verdict of the network.
    pub acknowledged: Option<u8>,
    /// The voters whose votes it is based on.
    pub evidence: Voters,
}

/// One rule and its learnt state.
pub trait Decider {
    /// Decides.
    fn decide(&mut self, ballots: &Ballots<'_>, contracts: &mut Reexecution) -> Decided;

    /// Learns the result of re-execution for a transaction that was decided and then audited.
    fn learn(&mut self, _ballots: &Ballots<'_>, _label: Ballot) {}

    /// The weight of the vote of the validator at this place. Adversaries know it.
    fn weight(&self, _place: usize) -> f64 {
        1.0
    }

    /// The weight of the vote of a newcomer.
    fn newcomer(&self) -> f64 {
        1.0
    }

    /// The validators at these places returned under new names.
    fn renew(&mut self, _places: Voters) {}
}
