//! What an observer of a network sees of each step.

use bemr::actors::{Output, Step};
use bemr::crypto::Digest;
use bemr::wire::{Closing, Gossip, Name, Time};
use bemr_spec::{Clause, Verdict};
use tls_codec::Size;

/// Why a node took a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its owner commanded it.
    Command,
    /// The envelope with this number arrived.
    Envelope(u64),
    /// Its timer expired; with the nonce by which it closed a block then.
    Wake(Option<u64>),
}

/// One step of one node.
#[derive(Clone, Debug)]
pub struct Event {
    /// Why.
    pub cause: Cause,
    /// When.
    pub time: Time,
    /// The node.
    pub actor: Name,
    /// The claimed sender of the envelope that arrived.
    pub from: Option<Name>,
    /// What the actor calls the event.
    pub event: bemr_spec::Event,
    /// The actor's verdict.
    pub verdict: Verdict,
    /// The clause that refused the input.
    pub clause: Option<Clause>,
    /// What the actor sent: receiver (none for a broadcast), message, bytes.
    pub sends: Vec<(Option<Name>, &'static str, usize)>,
    /// Digest of the actor's public state afterwards, if [`super::Network::observe_states`] asked for it.
    pub state: Option<Digest>,
}

impl Event {
    pub(super) fn of(
        (time, actor): (Time, &Name),
        from: Option<Name>,
        cause: Cause,
        step: &Step,
        state: Option<Digest>,
    ) -> Event {
        let sends = step.outputs().map(|output| match output {
            Output::Send { to, label, packet } => (Some(to.clone()), *label, packet.len()),
            Output::SendGossip { to, gossip } => {
                (Some(to.clone()), gossip.name(), gossip.tls_serialized_len())
            }
            Output::Publish(gossip) => (None, gossip.name(), gossip.tls_serialized_len()),
        });
        Event {
            cause,
            time,
            actor: actor.clone(),
            from,
            event: step.event,
            verdict: step.verdict(),
            clause: step.clause(),
            sends: sends.collect(),
            state,
        }
    }
}

/// The nonce of a block that its miner publishes in this step.
pub(super) fn mined_nonce(step: &Step) -> Option<u64> {
    step.outputs().find_map(|output| match output {
        Output::Publish(Gossip::Block(block)) => match &block.header().closing {
            Closing::Work(work) => Some(work.nonce),
            Closing::Quorum(_) => None,
        },
        _ => None,
    })
}
