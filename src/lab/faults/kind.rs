//! What is done.

use crate::faults::Capability;
use bemr_model::{Actor, Time};
use serde::{Deserialize, Serialize};

/// The longest delay of a rule: 365 days in milliseconds. A trace ends in the year 9999, and has to hold the delays of a whole run.
pub const MAX_DELAY: Time = 31_536_000_000;

/// What a rule does. The first ones are done to messages on their way, the next ones by actors whose keys the adversary has, the
/// last ones to actors and what they keep.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Nothing of it arrives: a black hole. Of a node, it never answers; across a border, a partition.
    Silence,
    /// It arrives later.
    Delay {
        /// By how many milliseconds.
        #[schemars(range(min = 1, max = MAX_DELAY))]
        by: Time,
    },
    /// It is lost.
    Drop,
    /// It arrives twice.
    Duplicate,
    /// It arrives before what was sent before it.
    Reorder,
    /// It arrives again, long after.
    Replay,
    /// It arrives at somebody else, or seems to come from somebody else.
    Redirect,
    /// It arrives with its bytes changed: falsification on a link.
    Corrupt,
    /// Packets of handshakes are made that seem to come from a node, with the keys of whomever they show.
    Impersonate,
    /// Something public is made that seems to come from a node.
    Publish,
    /// A validator votes otherwise than it finds, instead of its vote.
    Contradict,
    /// A validator votes otherwise than it finds, beside its vote.
    Equivocate,
    /// A node says what some check refuses, or what it said before, or to others.
    Lie,
    /// The KDC certifies another pair of keys for a name.
    Certify,
    /// The keeper of a log, or of seals, shows them otherwise than they are.
    Falsify,
    /// A node dies and starts again from what it kept.
    Crash,
    /// A node dies, and its store is not as it was when it starts again.
    Tamper,
    /// What a node has in memory is read.
    Leak,
}

impl FaultKind {
    /// Whether it is done to what is on its way.
    pub const fn is_of_messages(self) -> bool {
        matches!(
            self,
            FaultKind::Silence
                | FaultKind::Delay { .. }
                | FaultKind::Drop
                | FaultKind::Duplicate
                | FaultKind::Reorder
                | FaultKind::Replay
                | FaultKind::Redirect
                | FaultKind::Corrupt
        )
    }

    /// Whether nothing of what it is done to arrives as it was sent.
    pub const fn withholds(self) -> bool {
        matches!(self, FaultKind::Silence | FaultKind::Drop)
    }

    /// Whether it is a vote that is not what its validator found.
    pub const fn is_of_votes(self) -> bool {
        matches!(self, FaultKind::Contradict | FaultKind::Equivocate)
    }

    /// Whether it is done by, or to, one node.
    pub const fn is_of_a_node(self) -> bool {
        !self.is_of_messages()
    }

    /// How strong who does it has to be, alone; by, or to, `node`. That an actor dies is a fault, and takes no adversary.
    pub const fn power(self, node: Option<Actor>) -> Capability {
        match (self.facts().1, node) {
            (Some(capability), _) => capability,
            (None, Some(node)) => Capability::of(node, 0),
            (None, None) => Capability::Kdc,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        self.facts().0
    }

    /// The word for it, and the capability that it takes; none where that depends on the node.
    const fn facts(self) -> (&'static str, Option<Capability>) {
        match self {
            FaultKind::Silence => ("silence", Some(Capability::Silence)),
            FaultKind::Delay { .. } => ("delay", Some(Capability::Delay)),
            FaultKind::Drop => ("drop", Some(Capability::Drop)),
            FaultKind::Duplicate => ("duplicate", Some(Capability::Duplicate)),
            FaultKind::Reorder => ("reorder", Some(Capability::Order)),
            FaultKind::Replay => ("replay", Some(Capability::Replay)),
            FaultKind::Redirect => ("redirect", Some(Capability::Redirect)),
            FaultKind::Corrupt => ("corrupt", Some(Capability::Forge)),
            FaultKind::Impersonate => ("impersonate", Some(Capability::Forge)),
            FaultKind::Publish => ("publish", Some(Capability::Forge)),
            FaultKind::Contradict => ("contradict", Some(Capability::LyingVote)),
            FaultKind::Equivocate => ("equivocate", Some(Capability::LyingVote)),
            FaultKind::Lie => ("lie", None),
            FaultKind::Certify => ("certify", Some(Capability::Kdc)),
            FaultKind::Falsify => ("falsify", None),
            FaultKind::Crash => ("crash", Some(Capability::Order)),
            FaultKind::Tamper => ("tamper", None),
            FaultKind::Leak => ("leak", Some(Capability::Leak)),
        }
    }
}
