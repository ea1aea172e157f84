//! Rules that count votes, and two baselines without the network.

use super::{Decided, Decider, Ruling};
use crate::experiment::Voters;
use crate::experiment::setting::{ATTEMPTS, Ballots, Delay, Reexecution};
use bemr::wire::Ballot;

/// The least number that exceeds two thirds of `validators`, as the protocol's validator set has it.
pub(super) fn quorum(validators: usize) -> usize {
    2 * validators / 3 + 1
}

/// The ballot of the majority of `heard`, and its voters; nothing in a tie.
pub(super) fn more(ballots: &Ballots<'_>, heard: Voters) -> Option<(Ballot, Voters)> {
    let (true_, false_) = (ballots.saying(Ballot::True, heard), ballots.saying(Ballot::False, heard));
    match true_.len().cmp(&false_.len()) {
        std::cmp::Ordering::Greater => Some((Ballot::True, true_)),
        std::cmp::Ordering::Less => Some((Ballot::False, false_)),
        std::cmp::Ordering::Equal => None,
    }
}

/// The majority of the answers of the first attempt, and the instant at which it is certain: when the rest cannot change it, or at
/// the end of the attempt.
pub(super) fn majority(ballots: &Ballots<'_>) -> (Option<(Ballot, Voters)>, Delay) {
    let all = ballots.all();
    let certain = |heard: Voters| {
        heard == all || more(ballots, heard).is_some_and(|(_, voters)| 2 * voters.len() > all.len())
    };
    match ballots.first(0, certain) {
        Some((at, heard)) => (more(ballots, heard), at),
        None => (more(ballots, ballots.answered(0)), Delay::end_of(0)),
    }
}

/// The single EHR server.
pub(super) struct Server;

impl Decider for Server {
    fn decide(&mut self, ballots: &Ballots<'_>, _: &mut Reexecution) -> Decided {
        for attempt in 0..ATTEMPTS {
            if let Some((at, heard)) = ballots.first(attempt, |heard| !heard.is_empty())
                && let Some((ballot, evidence)) = more(ballots, heard)
            {
                let acknowledged = Some(attempt as u8);
                return Decided { ruling: ballot.into(), at, acknowledged, evidence };
            }
        }
        let at = Delay::end_of(ATTEMPTS - 1);
        Decided { ruling: Ruling::Undecided, at, acknowledged: None, evidence: Voters::NOBODY }
    }
}

/// Majority of responders.
pub(super) struct Majority;

impl Decider for Majority {
    fn decide(&mut self, ballots: &Ballots<'_>, _: &mut Reexecution) -> Decided {
        let (verdict, at) = majority(ballots);
        let acknowledged = verdict.map(|_| 0);
        let (ruling, evidence) = verdict
            .map_or((Ruling::Undecided, ballots.answered(0)), |(ballot, voters)| (ballot.into(), voters));
        Decided { ruling, at, acknowledged, evidence }
    }
}

/// Byzantine quorum, in one attempt.
pub(super) struct Quorum;

/// The result of an attempt.
pub(super) enum Tally {
    /// A quorum of equal votes.
    Quorum(Ballot, Voters, Delay),
    /// A quorum is impossible.
    Conflict(Voters, Delay),
    /// Neither.
    Open,
}

/// The votes up to the end of an attempt, as the protocol's ballot box counts them.
pub(super) fn tally(ballots: &Ballots<'_>, attempt: usize) -> Tally {
    let (all, enough) = (ballots.all().len(), quorum(ballots.all().len()));
    let most = |heard: Voters| more(ballots, heard).map_or(heard.len() / 2, |(_, voters)| voters.len());
    let over = |heard: Voters| most(heard) >= enough || most(heard) + (all - heard.len()) < enough;
    match ballots.first(attempt, over) {
        None => Tally::Open,
        Some((at, heard)) => match more(ballots, heard) {
            Some((ballot, voters)) if voters.len() >= enough => Tally::Quorum(ballot, voters, at),
            _ => Tally::Conflict(heard, at),
        },
    }
}

impl Decider for Quorum {
    fn decide(&mut self, ballots: &Ballots<'_>, _: &mut Reexecution) -> Decided {
        let undecided =
            |evidence, at| Decided { ruling: Ruling::Undecided, at, acknowledged: None, evidence };
        match tally(ballots, 0) {
            Tally::Quorum(ballot, evidence, at) => {
                Decided { ruling: ballot.into(), at, acknowledged: Some(0), evidence }
            }
            Tally::Conflict(evidence, at) => undecided(evidence, at),
            Tally::Open => undecided(ballots.answered(0), Delay::end_of(0)),
        }
    }
}

/// Accepts everything.
pub(super) struct AcceptAll;

impl Decider for AcceptAll {
    fn decide(&mut self, _: &Ballots<'_>, _: &mut Reexecution) -> Decided {
        Decided { ruling: Ruling::Accept, at: Delay::NONE, acknowledged: None, evidence: Voters::NOBODY }
    }
}
