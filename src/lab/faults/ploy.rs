//! One ploy: a behaviour, on whom, when, and how often at most.

use crate::faults::{Behaviour, Power};
use bemr_model::{Actor, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The most ploys of an adversary.
pub const MOST_PLOYS: usize = 256;

/// On whom, or on what of all that travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// Everything.
    Everything,
    /// What this actor does, or sends.
    Node(Actor),
    /// What is sent to this actor.
    Towards(Actor),
    /// One direction of one link.
    Link {
        /// From whom.
        from: Actor,
        /// To whom.
        to: Actor,
    },
    /// What goes from these actors to the others, and from the others to these.
    Across(#[schemars(length(min = 1))] BTreeSet<Actor>),
}

impl Target {
    /// Whether what goes from one to the other is meant.
    pub fn covers(&self, from: Actor, to: Actor) -> bool {
        match self {
            Target::Everything => true,
            Target::Node(node) => from == *node,
            Target::Towards(node) => to == *node,
            Target::Link { from: one, to: other } => (from, to) == (*one, *other),
            Target::Across(side) => side.contains(&from) != side.contains(&to),
        }
    }

    /// The one actor that is meant, if it is one.
    pub const fn node(&self) -> Option<Actor> {
        match self {
            Target::Node(node) => Some(*node),
            _ => None,
        }
    }

    /// Everybody whom it names.
    pub fn named(&self) -> BTreeSet<Actor> {
        match self {
            Target::Everything => BTreeSet::new(),
            Target::Node(node) | Target::Towards(node) => BTreeSet::from([*node]),
            Target::Link { from, to } => BTreeSet::from([*from, *to]),
            Target::Across(side) => side.clone(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Everything => write!(out, "everything"),
            Target::Node(node) => write!(out, "{node}"),
            Target::Towards(node) => write!(out, "what goes to {node}"),
            Target::Link { from, to } => write!(out, "what goes from {from} to {to}"),
            Target::Across(side) => {
                let side: Vec<String> = side.iter().map(Actor::to_string).collect();
                write!(out, "what goes between {} and the others", side.join(", "))
            }
        }
    }
}

/// When: all of what it says has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Not before this instant, in milliseconds since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Time")]
    pub from: Option<Time>,
    /// Before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Time")]
    pub until: Option<Time>,
    /// It is a message of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("enum" = bemr_model::MESSAGES))]
    pub message: Option<String>,
    /// It could have been done this many times before: a sleeper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub after: Option<u32>,
    /// By chance, in so many of a thousand cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u16", range(min = 1, max = 999))]
    pub thousandths: Option<u16>,
    /// Only where the validators that vote otherwise are enough to win: without them there is no quorum any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("const" = true))]
    pub winning: bool,
}

impl When {
    /// Always.
    pub const ALWAYS: When =
        When { from: None, until: None, message: None, after: None, thousandths: None, winning: false };

    /// Whether instant and message are right: chance, patience and prospects are for who carries it out.
    pub fn covers(&self, now: Time, message: Option<&str>) -> bool {
        self.from.is_none_or(|from| now >= from)
            && self.until.is_none_or(|until| now < until)
            && self.message.as_deref().is_none_or(|name| message == Some(name))
    }

    /// Whether there is an instant at which both may be.
    pub(super) fn overlaps(&self, other: &When) -> bool {
        let ends =
            |one: &When, other: &When| one.until.is_some_and(|until| other.from.unwrap_or_default() >= until);
        !ends(self, other) && !ends(other, self)
    }
}

/// What an adversary does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ploy {
    /// What.
    pub behaviour: Behaviour,
    /// On whom.
    pub target: Target,
    /// When; always, where it does not say.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// How often at most; as often as it can be, where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1))]
    pub budget: Option<u32>,
}

impl When {
    fn is_always(&self) -> bool {
        *self == When::ALWAYS
    }
}

impl Ploy {
    /// This behaviour, always and without end.
    pub const fn new(behaviour: Behaviour, target: Target) -> Ploy {
        Ploy { behaviour, target, when: When::ALWAYS, budget: None }
    }

    /// The same at another time.
    #[must_use]
    pub fn when(self, when: When) -> Ploy {
        Ploy { when, ..self }
    }

    /// The same at most so often.
    #[must_use]
    pub fn at_most(self, times: u32) -> Ploy {
        Ploy { budget: Some(times), ..self }
    }

    /// How strong who does it has to be, alone.
    pub const fn power(&self) -> Power {
        self.behaviour.power(self.target.node())
    }
}

impl fmt::Display for Ploy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ploy { behaviour, target, when, budget } = self;
        let When { from, until, message, after, thousandths, winning } = when;
        write!(out, "{}", behaviour.word())?;
        if let Behaviour::Delay { by } = behaviour {
            write!(out, " by {by} ms")?;
        }
        write!(out, ": {target}")?;
        if let Some(message) = message {
            write!(out, ", {message} alone")?;
        }
        match (from, until) {
            (Some(from), Some(until)) => write!(out, ", from {from} to {until} ms")?,
            (Some(from), None) => write!(out, ", from {from} ms on")?,
            (None, Some(until)) => write!(out, ", until {until} ms")?,
            (None, None) => {}
        }
        if let Some(after) = after {
            write!(out, ", after {after} times")?;
        }
        if let Some(thousandths) = thousandths {
            write!(out, ", in {thousandths} of 1000 cases")?;
        }
        if *winning {
            write!(out, ", when that wins")?;
        }
        if let Some(budget) = budget {
            write!(out, ", at most {budget} times")?;
        }
        Ok(())
    }
}
