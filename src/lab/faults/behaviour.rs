//! What is done.

use crate::faults::Power;
use bemr_model::{Actor, Time};
use serde::{Deserialize, Serialize};

/// What a ploy does. The first ones are done to messages on their way, the next ones by actors whose keys the adversary has, the
/// last ones to actors and what they keep.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Behaviour {
    /// Nothing of it arrives: a black hole. Of a node, it never answers; across a border, a partition.
    Silence,
    /// It arrives later.
    Delay {
        /// By how many milliseconds.
        #[schemars(range(min = 1))]
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
    Spoil,
    /// Packets of handshakes are made that seem to come from a node, with the keys of whomever they show.
    Pose,
    /// Something public is made that seems to come from a node.
    Tell,
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

impl Behaviour {
    /// Whether it is done to what is on its way.
    pub const fn is_of_messages(self) -> bool {
        matches!(
            self,
            Behaviour::Silence
                | Behaviour::Delay { .. }
                | Behaviour::Drop
                | Behaviour::Duplicate
                | Behaviour::Reorder
                | Behaviour::Replay
                | Behaviour::Redirect
                | Behaviour::Spoil
        )
    }

    /// Whether nothing of what it is done to arrives as it was sent.
    pub const fn withholds(self) -> bool {
        matches!(self, Behaviour::Silence | Behaviour::Drop)
    }

    /// Whether it is a vote that is not what its validator found.
    pub const fn is_of_votes(self) -> bool {
        matches!(self, Behaviour::Contradict | Behaviour::Equivocate)
    }

    /// Whether it is done by, or to, one node.
    pub const fn is_of_a_node(self) -> bool {
        !self.is_of_messages()
    }

    /// How strong who does it has to be, alone; by, or to, `node`. That an actor dies is a fault, and takes no adversary.
    pub const fn power(self, node: Option<Actor>) -> Power {
        match self {
            Behaviour::Reorder | Behaviour::Crash => Power::Order,
            Behaviour::Silence => Power::Silence,
            Behaviour::Delay { .. } => Power::Delay,
            Behaviour::Drop => Power::Drop,
            Behaviour::Duplicate => Power::Duplicate,
            Behaviour::Replay => Power::Replay,
            Behaviour::Redirect => Power::Redirect,
            Behaviour::Spoil | Behaviour::Pose | Behaviour::Tell => Power::Forge,
            Behaviour::Contradict | Behaviour::Equivocate => Power::LyingVote,
            Behaviour::Certify => Power::Kdc,
            Behaviour::Leak => Power::Leak,
            Behaviour::Lie | Behaviour::Falsify | Behaviour::Tamper => match node {
                Some(node) => Power::of(node, 0),
                None => Power::Kdc,
            },
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Behaviour::Silence => "silence",
            Behaviour::Delay { .. } => "delay",
            Behaviour::Drop => "drop",
            Behaviour::Duplicate => "duplicate",
            Behaviour::Reorder => "reorder",
            Behaviour::Replay => "replay",
            Behaviour::Redirect => "redirect",
            Behaviour::Spoil => "spoil",
            Behaviour::Pose => "pose",
            Behaviour::Tell => "tell",
            Behaviour::Contradict => "contradict",
            Behaviour::Equivocate => "equivocate",
            Behaviour::Lie => "lie",
            Behaviour::Certify => "certify",
            Behaviour::Falsify => "falsify",
            Behaviour::Crash => "crash",
            Behaviour::Tamper => "tamper",
            Behaviour::Leak => "leak",
        }
    }
}
