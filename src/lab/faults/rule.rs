//! One rule: a kind, on whom, when, and how often at most.

use crate::faults::{Capability, FaultKind};
use bemr_model::{Actor, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The most rules of an adversary.
pub const MOST_RULES: usize = 256;

/// On whom, or on what of all that travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
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

impl Scope {
    /// Whether what goes from one to the other is meant.
    pub fn covers(&self, from: Actor, to: Actor) -> bool {
        match self {
            Scope::Everything => true,
            Scope::Node(node) => from == *node,
            Scope::Towards(node) => to == *node,
            Scope::Link { from: one, to: other } => (from, to) == (*one, *other),
            Scope::Across(side) => side.contains(&from) != side.contains(&to),
        }
    }

    /// The one actor that is meant, if it is one.
    pub const fn node(&self) -> Option<Actor> {
        match self {
            Scope::Node(node) => Some(*node),
            _ => None,
        }
    }

    /// Everybody whom it names.
    pub fn named(&self) -> BTreeSet<Actor> {
        match self {
            Scope::Everything => BTreeSet::new(),
            Scope::Node(node) | Scope::Towards(node) => BTreeSet::from([*node]),
            Scope::Link { from, to } => BTreeSet::from([*from, *to]),
            Scope::Across(side) => side.clone(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Everything => write!(out, "everything"),
            Scope::Node(node) => write!(out, "{node}"),
            Scope::Towards(node) => write!(out, "what goes to {node}"),
            Scope::Link { from, to } => write!(out, "what goes from {from} to {to}"),
            Scope::Across(side) => {
                let side: Vec<String> = side.iter().map(Actor::to_string).collect();
                write!(out, "what goes between {} and the others", side.join(", "))
            }
        }
    }
}

/// When: all of what it says has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
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

impl Trigger {
    /// Always.
    pub const ALWAYS: Trigger =
        Trigger { from: None, until: None, message: None, after: None, thousandths: None, winning: false };

    /// Whether instant and message are right: chance, patience and prospects are for who carries it out.
    pub fn covers(&self, now: Time, message: Option<&str>) -> bool {
        self.from.is_none_or(|from| now >= from)
            && self.until.is_none_or(|until| now < until)
            && self.message.as_deref().is_none_or(|name| message == Some(name))
    }

    /// Whether there is an instant at which both may be.
    pub(super) fn overlaps(&self, other: &Trigger) -> bool {
        let ends = |one: &Trigger, other: &Trigger| {
            one.until.is_some_and(|until| other.from.unwrap_or_default() >= until)
        };
        !ends(self, other) && !ends(other, self)
    }
}

/// What an adversary does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What.
    pub kind: FaultKind,
    /// On whom.
    pub scope: Scope,
    /// When; always, where it does not say.
    #[serde(default, skip_serializing_if = "Trigger::is_always")]
    pub trigger: Trigger,
    /// How often at most; as often as it can be, where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1))]
    pub budget: Option<u32>,
}

impl Trigger {
    fn is_always(&self) -> bool {
        *self == Trigger::ALWAYS
    }
}

impl FaultRule {
    /// This kind, always and without end.
    pub const fn new(kind: FaultKind, scope: Scope) -> FaultRule {
        FaultRule { kind, scope, trigger: Trigger::ALWAYS, budget: None }
    }

    /// The same at another time.
    #[must_use]
    pub fn when(self, trigger: Trigger) -> FaultRule {
        FaultRule { trigger, ..self }
    }

    /// The same at most so often.
    #[must_use]
    pub fn at_most(self, times: u32) -> FaultRule {
        FaultRule { budget: Some(times), ..self }
    }

    /// How strong who does it has to be, alone.
    pub const fn power(&self) -> Capability {
        self.kind.power(self.scope.node())
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FaultRule { kind, scope, trigger, budget } = self;
        let Trigger { from, until, message, after, thousandths, winning } = trigger;
        write!(out, "{}", kind.word())?;
        if let FaultKind::Delay { by } = kind {
            write!(out, " by {by} ms")?;
        }
        write!(out, ": {scope}")?;
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
