//! The implementation's side of the lockstep: the actors of a small network on the tiny group, driven by the model's
//! actions, and what they do in the model's words.
//!
//! A system under test has no links and no clock. Envelopes lie in a pool until an action delivers them; time goes on when an action says
//! so. It checks nothing itself: it says what the actors did.

mod audit;
mod authority;
mod commands;
mod compromise;
mod corruption;
mod established;
mod insider;
mod key_recovery;
mod needles;
mod observation;
mod outputs;
mod samples;
mod secret_scan;
mod setup;
mod store_corruption;

pub use insider::{Forger, OddCertificates};
pub use samples::BREAKABLE;

use crate::refinement::RefinementMap;
use crate::simulator::{Node, ProvisionedKeys};
use crate::sut::key_recovery::KeyRecovery;
use crate::sut::secret_scan::SecretScan;
use crate::sut::setup::user_name;
use bemr::actors::{Input, LedgerView, Output, StoreHandle};
use bemr::records::Record;
use bemr::session::Stolen;
use bemr::wire::{self, Name, Time};
use bemr_model::{Action, Actor, Happened, Message, Packet};
use bemr_spec::{Clause, Event, Refusal, Rules};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Bytes of a [`wire::RecordHeader`].
const CLEAR: usize = 42;

/// What lies in the pool.
pub(super) struct Envelope {
    from: Actor,
    to: Actor,
    bytes: Bytes,
    /// What the model calls it, where the receiver's answer has to be named after it.
    packet: Option<Packet>,
}

/// What travels.
#[derive(Clone)]
enum Bytes {
    Packet(Rc<Vec<u8>>),
    Gossip(Rc<wire::Gossip>),
}

/// A network in which nothing happens by itself.
pub struct SystemUnderTest {
    rules: Rules,
    foundation: ProvisionedKeys,
    /// Who takes part, in the order of the model.
    actors: Vec<Actor>,
    names: Vec<Name>,
    nodes: Vec<Node>,
    archives: Vec<StoreHandle>,
    users: u8,
    seed: u64,
    now: Time,
    envelopes: Vec<Envelope>,
    tables: RefinementMap,
    supply: BTreeMap<(u16, Option<Clause>), Option<Record>>,
    found: Option<u64>,
    /// The nonce that the run which is executed again has in the present step.
    recorded: Option<u64>,
    watch: SecretScan,
    custody: KeyRecovery,
    /// What was read of the memory of actors.
    stolen: Vec<Stolen>,
    forger: Option<Box<dyn Forger>>,
    /// The policy as those know it who hear of every change.
    published: LedgerView,
    /// What was forged and is not said yet, and what the model calls it.
    forged: Vec<(wire::Message, Message)>,
    /// What was said and told lately without a flaw, newest last: what there is to forge.
    heard: VecDeque<(Actor, Message, wire::Message)>,
    told: VecDeque<(bemr_model::Gossip, Rc<wire::Gossip>)>,
}

/// The most of what was heard that is kept.
const HEARD: usize = 128;

impl SystemUnderTest {
    fn slot(&self, actor: Actor) -> Option<usize> {
        let slot = match actor {
            Actor::Bsd => 0,
            Actor::Cloud => 1,
            Actor::User(number) => 2 + usize::from(number),
            Actor::Validator(number) => 2 + usize::from(self.users) + usize::from(number),
            Actor::Kdc => return None,
        };
        (self.actors.get(slot) == Some(&actor)).then_some(slot)
    }

    /// Who takes part.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// Milliseconds since the beginning.
    pub fn now(&self) -> bemr_model::Time {
        self.tables.time(self.now)
    }

    /// How many envelopes were sent so far: the next one gets this number.
    pub fn sent(&self) -> u32 {
        self.envelopes.len() as u32
    }

    /// To whom an envelope was sent.
    pub fn recipient(&self, envelope: u32) -> Option<Actor> {
        self.envelopes.get(envelope as usize).map(|envelope| envelope.to)
    }

    /// When an actor wants to be woken, if it waits for an instant.
    pub fn wakes(&mut self, actor: Actor) -> Option<bemr_model::Time> {
        let slot = self.slot(actor)?;
        let wake = self.nodes[slot].actor().wake()?;
        Some(self.tables.time(wake))
    }

    /// Makes what a miner tries when it is woken next meet its target, if `recorded` is the nonce that it found in the run which
    /// is executed again, or not. The block that it finds has that nonce in the model.
    pub fn steer_mining(&mut self, actor: Actor, recorded: Option<u64>) {
        self.recorded = recorded;
        let Some(slot) = self.slot(actor) else { return };
        let now = self.now;
        if let Some(Node::Validator(validator)) = self.nodes.get_mut(slot)
            && let Some(wake) = bemr::actors::Actor::wake(&**validator)
        {
            validator.steer_mining(now.max(wake), recorded.is_some());
        }
    }

    /// The nonce of the block that the last step closed by work.
    pub fn found(&self) -> Option<u64> {
        self.found
    }

    /// What real values are called.
    pub fn tables(&self) -> &RefinementMap {
        &self.tables
    }

    /// Lets something happen; nothing when it cannot happen now.
    pub fn step(&mut self, action: &Action) -> Option<Happened> {
        self.found = None;
        self.watch.begin(self.envelopes.len());
        match *action {
            Action::Command { actor, command } => self.command(actor, command),
            Action::Deliver { envelope } => {
                let to = self.envelopes.get(envelope as usize)?.to;
                self.deliver(envelope, to, None)
            }
            Action::Redirect { envelope, to, from } => self.deliver(envelope, to, from),
            Action::Corrupt { envelope, how } => self.corrupt(envelope, how),
            Action::Wake { actor, .. } => {
                let slot = self.slot(actor)?;
                let wake = self.nodes[slot].actor().wake()?;
                self.now = self.now.max(wake);
                Some(self.happen(slot, None, None, Input::Wake))
            }
            Action::Pass { time } => {
                self.now = self.now.after(time);
                Some(self.happened(Actor::Bsd, None, Event::Pass, None, Vec::new()))
            }
            Action::Unseal { seal, ref faults } => self.unseal(seal, faults),
            Action::Leak { actor } => self.leak(actor),
            Action::Audit { ledger, ref falsified } => self.audit(ledger, falsified),
            Action::Crash { actor, damage } => self.crash(actor, damage),
            Action::Send { actor, to, ref message } => {
                let real = self.forge(|forger, sut| forger.message(sut, actor, to, message))?;
                self.send_as(actor, to, real, message)
            }
            Action::Inject { actor, to, ref packet, flaws } => {
                let real = self.forge(|forger, sut| forger.packet(sut, packet, flaws))?;
                self.inject(actor, to, &real, *packet)
            }
            Action::Publish { actor, to, ref gossip } => {
                let real = self.forge(|forger, sut| forger.gossip(sut, actor, to, gossip))?;
                self.publish(actor, to, real, gossip)
            }
        }
    }

    fn happened(
        &self,
        actor: Actor,
        from: Option<Actor>,
        event: Event,
        clause: Option<Clause>,
        sends: Vec<bemr_model::Output>,
    ) -> Happened {
        let (place, opened) = (None, Vec::new());
        Happened { time: self.now(), actor, from, event, clause, cause: None, place, opened, sends }
    }

    fn deliver(&mut self, envelope: u32, to: Actor, from: Option<Actor>) -> Option<Happened> {
        let slot = self.slot(to)?;
        let Envelope { from: sender, bytes, packet, .. } = self.envelopes.get(envelope as usize)?;
        let (from, cause) = (from.unwrap_or(*sender), *packet);
        let name = self.address(from)?;
        let input = match bytes {
            Bytes::Packet(packet) => Input::Packet { from: name, packet: packet.to_vec() },
            Bytes::Gossip(gossip) => Input::Gossip { from: name, gossip: wire::Gossip::clone(gossip) },
        };
        Some(self.happen(slot, Some(from), cause, input))
    }

    /// The name that stands on what comes from an actor.
    fn address(&self, from: Actor) -> Option<Name> {
        if from == Actor::Kdc { Some(self.name(from)) } else { Some(self.names[self.slot(from)?].clone()) }
    }

    fn happen(&mut self, slot: usize, from: Option<Actor>, cause: Option<Packet>, input: Input) -> Happened {
        let step = self.nodes[slot].actor().handle(self.now, input);
        let clause = step.clause();
        let because = step.outcome.as_ref().err().and_then(Refusal::cause);
        self.tables.learn_policies(&self.nodes[slot].context().ledger_view.policy);
        let taken = step.outcome.unwrap_or_else(|refusal| self.remember(refusal));
        let outputs = taken.into_iter().chain(step.repeats);
        let sends = self.send(slot, cause, outputs);
        Happened { cause: because, ..self.happened(self.actors[slot], from, step.event, clause, sends) }
    }

    fn remember(&mut self, refusal: Refusal) -> Vec<Output> {
        self.watch.refused(refusal);
        Vec::new()
    }
}
