//! One network, what its users do, and what the adversary may do and how often.

use crate::explore::SearchModel;
use crate::faults::{FaultKind, FaultRule, Scope};
use bemr_model::{Actor, Command, Setup};
use bemr_spec::{Clause, Rules};
use std::mem::discriminant;

/// How often the adversary may do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// An envelope is lost.
    pub drop: u8,
    /// An envelope that was delivered is delivered again.
    pub replay: u8,
    /// An envelope is delivered to another actor, or from another address.
    pub redirect: u8,
    /// An actor's time runs out although something is still in flight.
    pub early: u8,
    /// BSD, cloud or a validator crashes and starts again.
    pub crash: u8,
    /// An insider sends what an honest actor would not.
    pub byzantine: u8,
    /// Under proof of work: a nonce is found.
    pub luck: u8,
}

/// What an adversary does to messages in flight, as far as a search can do it: a delay is that somebody waits no longer.
const OF_MESSAGES: [FaultKind; 4] =
    [FaultKind::Drop, FaultKind::Replay, FaultKind::Redirect, FaultKind::Delay { by: 1 }];

impl Budget {
    /// The fault rules that this allows for messages in flight.
    pub fn rules(self) -> impl Iterator<Item = FaultRule> {
        let times = [self.drop, self.replay, self.redirect, self.early];
        let allowed = OF_MESSAGES.into_iter().zip(times).filter(|(_, times)| *times > 0);
        allowed.map(|(kind, times)| FaultRule::new(kind, Scope::Everything).at_most(times.into()))
    }

    /// As much as these rules allow for messages in flight, and nothing else.
    pub fn of(rules: impl IntoIterator<Item = FaultRule>) -> Budget {
        let mut times = [0; OF_MESSAGES.len()];
        for rule in rules {
            let place = OF_MESSAGES.iter().position(|kind| discriminant(kind) == discriminant(&rule.kind));
            if let Some(place) = place {
                times[place] = rule.budget.map_or(u8::MAX, |budget| u8::try_from(budget).unwrap_or(u8::MAX));
            }
        }
        let [drop, replay, redirect, early] = times;
        Budget { drop, replay, redirect, early, ..Budget::default() }
    }
}

/// In which orders a search has envelopes arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// In every one.
    Any,
    /// Gossip (but proposals, and blocks to others than validators), votes and commit votes arrive before anything else happens; the
    /// rest in every order. Insiders sign every proposal, at once, and answer a T_block honestly or otherwise. Where rounds come early,
    /// nobody receives a block. Users give the next command when nothing is in flight.
    Prompt,
    /// In one: what was met first arrives first, and insiders answer a T_block honestly or otherwise.
    InOrder,
}

/// One search of a suite.
#[derive(Clone, Copy, Debug)]
pub struct SearchConfig {
    /// Its name.
    pub name: &'static str,
    /// The network.
    pub setup: Setup,
    /// The commands of users, in this order, at any time.
    pub script: &'static [(Actor, Command)],
    /// Who is an insider of the adversary.
    pub insiders: &'static [Actor],
    /// Whether insiders also send messages that are no changed form of a genuine one, which the implementation cannot be made to send.
    pub invents: bool,
    /// Whether the adversary makes handshake packets in anybody's name: each counts as Byzantine.
    pub impersonates: bool,
    /// What the adversary may do.
    pub budget: Budget,
    /// In which orders envelopes arrive.
    pub arrival: Arrival,
    /// Never answers: nothing that is sent to one of them arrives.
    pub silent: &'static [Actor],
    /// Nothing happens after this instant, in milliseconds.
    pub until: u64,
    /// The goals that are checked: those that hold under this adversary (chapter 1), and [`TERMINATION`] where `until` is
    /// beyond every bound of chapter 9.
    ///
    /// [`TERMINATION`]: crate::explore::TERMINATION
    pub goals: &'static [&'static str],
    /// How many states it has, where that is pinned.
    pub states: Option<usize>,
    /// The mutants that this search has to notice: without the clause it finds the goal of this name broken.
    pub notices: &'static [(Clause, &'static str)],
}

impl SearchConfig {
    /// What is searched under these rules.
    pub fn under(&self, rules: Rules) -> SearchModel {
        SearchModel::new(*self, rules)
    }
}
