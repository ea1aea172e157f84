//! One network, what its users do, and what the adversary may do and how often.

use crate::explore::SearchModel;
use bemr_model::{Actor, Command, Setup};
use bemr_spec::{Clause, Rules};
use serde::{Deserialize, Serialize};

/// How often the adversary may do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// A parcel is lost.
    pub drop: u8,
    /// A parcel that was delivered is delivered again.
    pub replay: u8,
    /// A parcel is delivered to another actor, or from another address.
    pub redirect: u8,
    /// An actor's time runs out although something is still on its way.
    pub early: u8,
    /// BSD, cloud or a validator dies and starts again.
    pub crash: u8,
    /// An insider says what an honest one would not.
    pub lie: u8,
    /// Under proof of work: a nonce is found.
    pub luck: u8,
}

/// In which orders a search has parcels arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// In every one.
    Any,
    /// What is public, but proposals and to others than validators blocks, and what is said to whoever collects it, votes and signatures
    /// of a closing, arrives before anything else happens; the rest in every order. Insiders sign every proposal, at once; what they are
    /// asked they answer truly or otherwise. Where turns come early, nobody hears of a block. Users do the next thing when nothing is on
    /// its way.
    Prompt,
    /// In one: what was met first arrives first, and insiders answer what they are asked truly or otherwise.
    InOrder,
}

/// A part of a scope.
#[derive(Clone, Copy, Debug)]
pub struct SearchConfig {
    /// Its name.
    pub name: &'static str,
    /// The network.
    pub setup: Setup,
    /// What users do, in this order, at any time.
    pub script: &'static [(Actor, Command)],
    /// Who is an insider of the adversary.
    pub insiders: &'static [Actor],
    /// Whether insiders say what nobody said in any form, which the implementation cannot be made to say.
    pub invents: bool,
    /// Whether the adversary makes packets of handshakes in anybody's name: each counts as a lie.
    pub poses: bool,
    /// What the adversary may do.
    pub budget: Budget,
    /// In which orders parcels arrive.
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
    /// The mutants that this part has to notice: without the clause a goal of this name is broken in it.
    pub notices: &'static [(Clause, &'static str)],
}

impl SearchConfig {
    /// The part under these rules.
    pub fn under(&self, rules: Rules) -> SearchModel {
        SearchModel::new(*self, rules)
    }
}
