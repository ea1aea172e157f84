//! The trace format `emr-trace/1`: one JSON document a line, the header first, then one step a line.

use crate::crypto::Digest;
use crate::network::Event;
use crate::wire::{Name, Role, Time};
use bemr_spec::Verdict;
use serde::{Deserialize, Serialize};

/// The name and version of the format.
pub const FORMAT: &str = "emr-trace/1";

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the program that wrote it.
    pub program: String,
    /// The suite of every key.
    pub suite: String,
    /// The rules in force.
    pub rules: String,
    /// How blocks are closed.
    pub ledger: String,
    /// The seed.
    pub seed: u64,
    /// When virtual time begins.
    pub start: Time,
    /// Who takes part.
    pub principals: Vec<Principal>,
}

/// One who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Their name.
    pub name: Name,
    /// Their role.
    pub role: Role,
}

/// Something that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// To whom; nobody in particular means everybody.
    pub to: Option<Name>,
    /// The name of the message.
    pub message: String,
    /// How many bytes.
    pub bytes: usize,
}

/// One line of a trace after the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceStep {
    /// Its number, from 1.
    pub step: u64,
    /// When.
    pub time: Time,
    /// To whom it happened.
    pub actor: Name,
    /// Who sent what arrived.
    pub from: Option<Name>,
    /// What happened.
    pub event: String,
    /// What the actor says of it.
    pub verdict: String,
    /// The clause that refused it.
    pub clause: Option<String>,
    /// What the actor sent.
    pub sends: Vec<Send>,
    /// Digest of the actor's public state afterwards.
    pub state: Digest,
}

impl TraceStep {
    /// The line for `event`.
    pub fn of(step: u64, event: &Event) -> TraceStep {
        let sends = event.sends.iter().map(|(to, message, bytes)| Send {
            to: to.clone(),
            message: (*message).to_owned(),
            bytes: *bytes,
        });
        TraceStep {
            step,
            time: event.time,
            actor: event.actor.clone(),
            from: event.from.clone(),
            event: event.event.to_owned(),
            verdict: match event.verdict {
                Verdict::Accept => "accept",
                Verdict::Ignore => "ignore",
                Verdict::Reject => "reject",
            }
            .to_owned(),
            clause: event.clause.map(|clause| clause.id().to_owned()),
            sends: sends.collect(),
            state: event.state,
        }
    }
}
