//! The deciders: each turns votes into a decision. It sees [`Ballots`] and [`Reexecution`] and nothing else.
//!
//! Which there are, as data, is in [`Rule`]; how well they do is for the rooms above to find out.

mod counting;
mod reputation;
mod reverifying;
mod rule;
mod weights;

pub use rule::{Asks, Rule, SAMPLED, Uses};

use super::Voters;
use super::setting::{Ballots, Delay, Reexecution};
use bemr::wire::Ballot;

/// What is decided of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It is taken.
    Accept,
    /// It is not.
    Reject,
    /// A person has to decide.
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
    /// The attempt, counted from 0, in which the network's verdict was there by this rule's own count.
    pub acknowledged: Option<u8>,
    /// Whose votes it was made from.
    pub evidence: Voters,
}

/// One rule at work, with what it has learnt.
pub trait Decider {
    /// Decides.
    fn decide(&mut self, ballots: &Ballots<'_>, contracts: &mut Reexecution) -> Decided;

    /// Learns what re-execution says of a transaction that was decided and then audited.
    fn learn(&mut self, _ballots: &Ballots<'_>, _label: Ballot) {}

    /// What the vote of the validator at this place weighs. An adversary sees it.
    fn weight(&self, _place: usize) -> f64 {
        1.0
    }

    /// What the vote of somebody new weighs.
    fn newcomer(&self) -> f64 {
        1.0
    }

    /// The validators at these places came back under new names.
    fn renew(&mut self, _places: Voters) {}
}
