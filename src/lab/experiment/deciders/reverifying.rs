//! Rules with local re-execution of the contracts.

use super::counting::{Tally, majority, tally};
use super::{Decided, Decider, Ruling};
use crate::experiment::Voters;
use crate::experiment::setting::{ATTEMPTS, Ballots, Delay, Reexecution};
use bemr::actors::bsd::{Acknowledgement, State, decide};
use bemr::wire::Ballot;
use bemr_spec::Rules;

/// The paper's sections 2.4.2 and 5 taken literally: re-executes only failed and missing verdicts.
pub(super) struct OnlyFailures;

impl Decider for OnlyFailures {
    fn decide(&mut self, ballots: &Ballots<'_>, contracts: &mut Reexecution) -> Decided {
        let (verdict, at) = majority(ballots);
        let acknowledged = verdict.map(|_| 0);
        match verdict {
            Some((Ballot::True, evidence)) => Decided { ruling: Ruling::Accept, at, acknowledged, evidence },
            _ => {
                let (ruling, evidence) = (contracts.run().into(), Voters::NOBODY);
                Decided { ruling, at: at.and_execution(), acknowledged, evidence }
            }
        }
    }
}

/// Re-executes on any dissent, and where fewer than half answer.
pub(super) struct OnConflict;

impl Decider for OnConflict {
    fn decide(&mut self, ballots: &Ballots<'_>, contracts: &mut Reexecution) -> Decided {
        let all = ballots.all();
        let split = |heard: Voters| {
            let true_ = ballots.saying(Ballot::True, heard);
            !true_.is_empty() && true_ != heard
        };
        let (at, heard) = ballots
            .first(0, |heard| split(heard) || heard == all)
            .unwrap_or((Delay::end_of(0), ballots.answered(0)));
        if split(heard) || 2 * heard.len() < all.len() {
            let (ruling, evidence) = (contracts.run().into(), Voters::NOBODY);
            return Decided { ruling, at: at.and_execution(), acknowledged: None, evidence };
        }
        let unanimous =
            if ballots.saying(Ballot::True, heard).is_empty() { Ballot::False } else { Ballot::True };
        Decided { ruling: unanimous.into(), at, acknowledged: Some(0), evidence: heard }
    }
}

/// Re-executes everything, without votes.
pub(super) struct Always;

impl Decider for Always {
    fn decide(&mut self, _: &Ballots<'_>, contracts: &mut Reexecution) -> Decided {
        Decided {
            ruling: contracts.run().into(),
            at: Delay::NONE.and_execution(),
            acknowledged: None,
            evidence: Voters::NOBODY,
        }
    }
}

/// The BSD of this protocol: its attempts, its count of votes, its table of decisions.
pub(super) struct Bemr;

impl Decider for Bemr {
    fn decide(&mut self, ballots: &Ballots<'_>, contracts: &mut Reexecution) -> Decided {
        let mut acknowledged = None;
        let mut attempt = 0;
        let (acknowledgement, evidence, at) = loop {
            match tally(ballots, attempt) {
                Tally::Quorum(ballot, voters, at) => {
                    acknowledged = Some(attempt as u8);
                    break (ballot.into(), voters, at);
                }
                Tally::Conflict(heard, at) => break (Acknowledgement::Conflict, heard, at),
                Tally::Open if attempt + 1 == ATTEMPTS => {
                    break (Acknowledgement::Timeout, ballots.answered(attempt), Delay::end_of(attempt));
                }
                Tally::Open => attempt += 1,
            }
        };
        let holds = contracts.run() == Ballot::True;
        // The table of the protocol itself, not a copy of it.
        let ruling = match decide(&Rules::hardened(), acknowledgement, holds) {
            (State::AwaitingFinality, _) => Ruling::Accept,
            (State::AwaitingRejection | State::Rejected, _) => Ruling::Reject,
            _ => Ruling::Undecided,
        };
        Decided { ruling, at: at.and_execution(), acknowledged, evidence }
    }
}
