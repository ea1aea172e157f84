//! What a campaign exercised: a check that nothing reached has shown nothing.

use bemr_spec::Clause;
use bemr_spec::model::{Action, Decision, Happened, Message, Output, Packet};
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Steps.
    pub steps: u64,
    /// Each kind of action.
    pub actions: BTreeMap<&'static str, u64>,
    /// Each clause that refused something.
    pub refused: BTreeMap<&'static str, u64>,
    /// Each message that was sent.
    pub sent: BTreeMap<&'static str, u64>,
    /// Each end of a submission that its user was told of.
    pub ends: BTreeMap<&'static str, u64>,
}

impl Statistics {
    /// Counts one step.
    pub fn count(&mut self, action: &Action, happened: &Happened) {
        self.steps += 1;
        *self.actions.entry(kind(action)).or_default() += 1;
        if let Some(clause) = happened.clause {
            *self.refused.entry(clause.id()).or_default() += 1;
        }
        for output in &happened.sends {
            *self.sent.entry(output.name()).or_default() += 1;
            if let Output::Send(_, Packet::Record(record)) = output
                && let Message::Outcome { decision, .. } = record.message
            {
                let end = match decision {
                    Decision::Committed => "committed",
                    Decision::Rejected => "rejected",
                    Decision::Deferred => "deferred",
                    Decision::Refused => "refused",
                };
                *self.ends.entry(end).or_default() += 1;
            }
        }
    }

    /// Adds what another campaign counted.
    pub fn add(&mut self, other: &Statistics) {
        self.steps += other.steps;
        for (own, others) in [
            (&mut self.actions, &other.actions),
            (&mut self.refused, &other.refused),
            (&mut self.sent, &other.sent),
            (&mut self.ends, &other.ends),
        ] {
            for (name, count) in others {
                *own.entry(name).or_default() += count;
            }
        }
    }

    /// How many times a clause refused something.
    pub fn refusals(&self, clause: Clause) -> u64 {
        self.refused.get(clause.id()).copied().unwrap_or_default()
    }
}

const fn kind(action: &Action) -> &'static str {
    match action {
        Action::Command { .. } => "command",
        Action::Deliver { .. } => "deliver",
        Action::Redirect { .. } => "redirect",
        Action::Spoil { .. } => "spoil",
        Action::Wake { .. } => "wake",
        Action::Pass { .. } => "pass",
        Action::Say { .. } => "say",
        Action::Tell { .. } => "tell",
        Action::Crash { .. } => "crash",
    }
}
