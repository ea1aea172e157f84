//! The inputs of a decider: the votes with their times, and the contracts for re-execution.
//!
//! Neither type has a public constructor or a public field, and deciders have no other input, so that no decider can depend on the
//! truth, on which validators are Byzantine, or on random inputs.

use super::Voters;
use bemr::wire::Ballot;

/// How many times a T_block may be sent: as the protocol's BSD sends it.
pub const ATTEMPTS: usize = bemr_spec::constants::BSD_ATTEMPTS as usize;

/// The longest that a decision waits for votes, in virtual milliseconds.
pub const LONGEST_WAIT: u64 = ATTEMPTS as u64 * bemr_spec::constants::BSD_ATTEMPT_MS;

/// Virtual milliseconds of one tick.
pub(super) const TICK: u64 = 5;

/// The latest tick of an attempt at which an answer comes. The network's links take 5 to 25 ms each way.
pub(super) const LATEST: usize = 10;

/// How long a re-execution takes, in ticks.
pub(super) const EXECUTION: u8 = 1;

/// An instant of one decision, counted from when the network is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delay {
    /// Attempts that went by without enough.
    pub expired: u8,
    /// Ticks since the last of them.
    pub ticks: u8,
}

impl Delay {
    /// At once.
    pub const NONE: Delay = Delay { expired: 0, ticks: 0 };

    /// The end of an attempt, counted from 0.
    pub fn end_of(attempt: usize) -> Delay {
        Delay { expired: attempt as u8 + 1, ticks: 0 }
    }

    /// This delay and one re-execution.
    pub fn and_execution(self) -> Delay {
        Delay { ticks: self.ticks + EXECUTION, ..self }
    }

    /// In virtual milliseconds.
    pub fn milliseconds(self) -> u64 {
        u64::from(self.expired) * bemr_spec::constants::BSD_ATTEMPT_MS + u64::from(self.ticks) * TICK
    }
}

/// The votes on one transaction. A validator stores its vote, so that it is the same in all attempts.
#[derive(Clone, Copy, Debug)]
pub struct Ballots<'t> {
    pub(super) all: Voters,
    pub(super) says_true: Voters,
    /// Who has answered by the end of each attempt.
    pub(super) answered: [Voters; ATTEMPTS],
    /// Who is so many ticks away or nearer.
    pub(super) near: &'t [Voters; LATEST + 1],
}

impl Ballots<'_> {
    /// All that were queried.
    pub fn all(&self) -> Voters {
        self.all
    }

    /// Who has answered by the end of an attempt, counted from 0.
    pub fn answered(&self, attempt: usize) -> Voters {
        self.answered[attempt]
    }

    /// Who has answered by this tick of an attempt.
    pub fn heard(&self, attempt: usize, tick: usize) -> Voters {
        let before = if attempt == 0 { Voters::NOBODY } else { self.answered[attempt - 1] };
        before | (self.answered[attempt] & self.near[tick])
    }

    /// Those of `heard` who say this.
    pub fn saying(&self, ballot: Ballot, heard: Voters) -> Voters {
        match ballot {
            Ballot::True => heard & self.says_true,
            Ballot::False => heard.without(self.says_true),
        }
    }

    /// The first instant of an attempt at which those heard are `enough`, if any is.
    pub fn first(&self, attempt: usize, enough: impl Fn(Voters) -> bool) -> Option<(Delay, Voters)> {
        if !enough(self.answered[attempt]) {
            return None;
        }
        let at =
            |tick: usize| (Delay { expired: attempt as u8, ticks: tick as u8 }, self.heard(attempt, tick));
        (0..=LATEST).map(at).find(|(_, heard)| enough(*heard))
    }
}

/// The contracts, for execution on the committed values. The result has an error of its own, and execution has a cost.
#[derive(Debug)]
pub struct Reexecution {
    outcome: Ballot,
    ran: bool,
}

impl Reexecution {
    pub(super) fn new(outcome: Ballot) -> Reexecution {
        Reexecution { outcome, ran: false }
    }

    /// Executes them. A second time gives the stored result without further cost, because they are deterministic.
    pub fn run(&mut self) -> Ballot {
        self.ran = true;
        self.outcome
    }

    pub(super) fn ran(&self) -> bool {
        self.ran
    }
}
