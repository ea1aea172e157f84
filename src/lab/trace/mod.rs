//! The trace format `emr-trace/5` (chapter 19): one JSON document a line, the header first, then one step a line.
//!
//! There is one reader and one writer. The reader takes exactly what the writer writes, byte for byte. Nothing here runs a
//! trace.

mod account;
mod consistency;
mod event;
pub mod label;
mod read;
mod recorder;
mod replay;
mod schema;
mod within_adversary;
mod write;

pub use account::{Told, account};
pub use read::PRINTABLE;
pub use read::{Flaw, TraceError};
pub use recorder::{MAX_TRACED, Recorder};
pub use replay::{Replay, rerun, rerun_beside};
pub use schema::schema;
pub use write::TraceWriter;

use crate::faults::Adversary;
use crate::faults::{FaultRule, MOST_RULES};
use bemr::crypto::Digest;
use bemr::wire::Name;
pub use bemr_model::MESSAGES;
use bemr_model::{Action, Actor, Happened, LedgerKind, Place, Setup, Time};
use bemr_spec::{Clause, Event, Rules, Verdict};
use serde::{Deserialize, Serialize};

/// The name and version of the format.
pub const FORMAT: &str = "emr-trace/5";

/// The most bytes of a line, its end not counted.
pub const MAX_LINE: usize = 1 << 20;

/// The most steps.
pub const MAX_STEPS: u64 = 1 << 20;

/// The most bytes of a trace.
pub const MAX_BYTES: u64 = 1 << 28;

/// The most arrays and objects inside one another.
pub const MAX_NESTING: usize = 32;

/// The last instant: the end of the year 9999, in milliseconds since 1970.
pub const LATEST: Time = 253_402_300_799_999;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "TraceHeader")]
pub struct Header {
    /// The name and version of the format.
    #[schemars(extend("const" = FORMAT))]
    pub format: String,
    /// What wrote it: name and version.
    #[schemars(length(min = 1, max = 64), regex(pattern = read::PRINTABLE))]
    pub program: String,
    /// The suite of every key.
    #[schemars(extend("enum" = read::SUITES))]
    pub suite: String,
    /// The clauses that are not in force, ascending.
    #[schemars(extend("uniqueItems" = true))]
    pub rules: Vec<Clause>,
    /// What the model begins with.
    pub setup: Setup,
    /// The instant from which times count, in milliseconds since 1970.
    #[schemars(range(max = LATEST))]
    pub start: Time,
    /// The names of all actors, in the order of actors; none where there are no names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub principals: Vec<Principal>,
    /// What somebody does who is not honest, of all that happens; everything may be done, where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<FaultRule>", length(max = MOST_RULES))]
    pub adversary: Option<Adversary>,
    /// What a person should know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 4096), regex(pattern = read::PRINTABLE))]
    pub note: Option<String>,
}

/// The name of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
pub struct Principal {
    /// Who.
    pub actor: Actor,
    /// The name.
    #[schemars(with = "String", regex(pattern = "^[!-~]{1,64}$"))]
    pub name: Name,
}

/// Something that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
pub struct Send {
    /// To whom; nobody in particular means everybody else.
    pub to: Option<Actor>,
    /// The name of the message.
    #[schemars(extend("enum" = MESSAGES))]
    pub message: String,
    /// How many bytes, where there are bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub bytes: Option<u32>,
}

/// A line after the first: what somebody decided, and what happened then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
pub struct Step {
    /// Its number, from 1.
    #[schemars(range(min = 1, max = MAX_STEPS))]
    pub step: u64,
    /// What was done.
    pub action: Action,
    /// When, in milliseconds since the start.
    #[schemars(range(max = LATEST))]
    pub time: Time,
    /// To whom it happened; to nobody when time passed.
    pub actor: Option<Actor>,
    /// Who sent what arrived, as far as the receiver can tell.
    pub from: Option<Actor>,
    /// What happened.
    pub event: Event,
    /// What the actor says of it.
    pub verdict: Verdict,
    /// The clause that refused it.
    pub clause: Option<Clause>,
    /// Where what an auditor was shown contradicts itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The records that the custodian could open, by the numbers of their envelopes, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub opened: Vec<u32>,
    /// What the actor sent, in order.
    pub sends: Vec<Send>,
    /// Digest of the actor's public state afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[0-9a-f]{64}$"))]
    pub state: Option<Digest>,
}

/// A whole trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its first line.
    pub header: Header,
    /// The others.
    pub steps: Vec<Step>,
}

impl Header {
    /// The header of a trace that this program writes.
    pub fn new(suite: bemr::crypto::Suite, rules: &Rules, setup: Setup) -> Header {
        Header {
            format: FORMAT.to_owned(),
            program: concat!("bemr ", env!("CARGO_PKG_VERSION")).to_owned(),
            suite: suite.name().to_owned(),
            rules: Clause::ALL.into_iter().filter(|clause| !rules.in_force(*clause)).collect(),
            setup,
            start: 0,
            principals: Vec::new(),
            adversary: None,
            note: None,
        }
    }

    /// What an actor is called.
    pub fn name(&self, actor: Actor) -> String {
        let named = self.principals.iter().find(|principal| principal.actor == actor);
        named.map_or_else(|| actor.to_string(), |principal| principal.name.to_string())
    }
}

impl Step {
    /// The line for what became of an action, without bytes.
    pub fn of(step: u64, action: Action, happened: &Happened) -> Step {
        let sends = happened.sends.iter().map(|output| Send {
            to: output.to(),
            message: output.name().to_owned(),
            bytes: None,
        });
        Step {
            step,
            actor: (!action.is_nobodys()).then_some(happened.actor),
            action,
            time: happened.time,
            from: happened.from,
            event: happened.event,
            verdict: Step::verdict_of(happened.clause),
            clause: happened.clause,
            place: happened.place,
            opened: happened.opened.clone(),
            sends: sends.collect(),
            state: None,
        }
    }

    /// What an actor says of an input that this clause refused, or none did.
    pub fn verdict_of(clause: Option<Clause>) -> Verdict {
        clause.map_or(Verdict::Accept, Clause::verdict)
    }
}

/// Every actor of a network with this setup, ascending.
pub fn everybody(setup: &Setup) -> impl Iterator<Item = Actor> {
    let users = (0..setup.users).map(Actor::User);
    [Actor::Bsd, Actor::Cloud].into_iter().chain(users).chain((0..setup.validators).map(Actor::Validator))
}

/// How blocks are closed, in a word.
pub const fn closing(ledger: LedgerKind) -> &'static str {
    match ledger {
        LedgerKind::Quorum => "quorum",
        LedgerKind::Work => "proof of work",
    }
}
