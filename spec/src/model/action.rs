//! What the world does next: the lines of a trace that somebody decides, be it a user, an adversary or the weather.

use crate::Clause;
use crate::model::{Actor, Gossip, Height, Members, Message, Order, Tid};
use serde::{Deserialize, Serialize};

/// What happens to the bytes of a parcel on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoiling {
    /// A bit of the last byte is turned over: of a ciphertext its tag, of a handshake packet its proof.
    Flip,
    /// The last byte is cut off.
    Cut,
    /// A byte is added.
    Extend,
}

impl Spoiling {
    /// All of them.
    pub const ALL: [Spoiling; 3] = [Spoiling::Flip, Spoiling::Cut, Spoiling::Extend];
}

/// What an actor does of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A user submits the next record. `record` numbers its bytes and patient; `breaks` is what the contracts say of it.
    Submit {
        /// The record and its patient; equal numbers are equal bytes.
        record: u16,
        /// The rule that it breaks, if it breaks one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        breaks: Option<Clause>,
        /// Who shall be able to read it beside the submitter.
        #[serde(default, skip_serializing_if = "Members::is_empty_ref")]
        readers: Members,
    },
    /// A user asks for a record.
    Read {
        /// Which.
        tid: Tid,
    },
    /// A user has something done with a record.
    Order {
        /// Which.
        tid: Tid,
        /// What.
        order: Order,
    },
    /// The BSD closes its audit log.
    CloseAudit,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// An actor does something of its own accord.
    Command {
        /// Who.
        actor: Actor,
        /// What.
        command: Command,
    },
    /// A parcel arrives where it was sent to. Parcels are numbered from 0 in the order in which they were sent; what is
    /// published is one parcel for each other actor, in the order of actors. One that was delivered can be delivered again.
    Deliver {
        /// Which.
        parcel: u32,
    },
    /// A parcel arrives at somebody else.
    Redirect {
        /// Which.
        parcel: u32,
        /// Where.
        to: Actor,
    },
    /// A parcel arrives with its bytes changed.
    Spoil {
        /// Which.
        parcel: u32,
        /// How.
        how: Spoiling,
    },
    /// The instant comes that an actor waits for; time goes on to it.
    Wake {
        /// Who.
        actor: Actor,
        /// Under proof of work: the nonce that the validator found in this interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<u64>,
    },
    /// Time passes, and nobody does anything.
    Pass {
        /// Milliseconds.
        time: u64,
    },
    /// An actor whose keys the adversary has says something, in a session of its own. The message is made and signed as its
    /// sender would, but for its flaws.
    Say {
        /// Who.
        actor: Actor,
        /// To whom.
        to: Actor,
        /// What.
        message: Message,
    },
    /// The adversary says something in public.
    Tell {
        /// From whom it seems to come.
        actor: Actor,
        /// To whom.
        to: Actor,
        /// What.
        gossip: Gossip,
    },
    /// An actor dies and starts again from what it keeps.
    Crash {
        /// Who.
        actor: Actor,
    },
}

/// What an actor says of an input, the same of model and implementation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What happened, by the name that the state machines use.
    pub event: &'static str,
    /// The clause that refused it.
    pub clause: Option<Clause>,
}

/// What can be seen of an actor from outside its secrets, to compare model and implementation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct View {
    /// Name and value, in a fixed order for each kind of actor.
    pub facts: Vec<(String, String)>,
}

/// Where a ledger stands: part of every view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerView {
    /// Height of the newest block in force.
    pub height: Height,
    /// Height of the newest final block.
    pub last_final: Height,
    /// Decisions in force.
    pub decisions: usize,
}
