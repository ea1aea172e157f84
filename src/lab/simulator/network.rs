//! Actors on a network, one input at a time.

use crate::simulator::ByzantineValidator;
use crate::simulator::{Envelope, Links};
use bemr::actors::NodeContext;
use bemr::actors::{Actor, Bsd, Cloud, Input, Output, Step, User, Validator};
use bemr::crypto::Digest;
use bemr::wire::{Closing, Gossip, Name, Time, decode, encode};
use bemr_spec::{Clause, Refusal, Rules, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use tls_codec::{TlsByteSliceU32, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize};

/// One of the actors.
pub enum Node {
    /// A user.
    User(Box<User>),
    /// A BSD.
    Bsd(Box<Bsd>),
    /// A validator.
    Validator(Box<Validator>),
    /// A cloud.
    Cloud(Box<Cloud>),
    /// A validator with a conduct of its own, for checkers.
    ByzantineValidator(Box<ByzantineValidator>),
}

impl Node {
    /// The actor's office, for checkers.
    pub(crate) fn context(&mut self) -> &mut NodeContext {
        match self {
            Node::User(user) => user.context(),
            Node::Bsd(bsd) => bsd.context(),
            Node::Validator(validator) => validator.context(),
            Node::Cloud(cloud) => cloud.context(),
            Node::ByzantineValidator(insider) => insider.validator().context(),
        }
    }

    pub(crate) fn actor(&mut self) -> &mut dyn Actor {
        match self {
            Node::User(user) => user.as_mut(),
            Node::Bsd(bsd) => bsd.as_mut(),
            Node::Validator(validator) => validator.as_mut(),
            Node::Cloud(cloud) => cloud.as_mut(),
            Node::ByzantineValidator(insider) => insider.as_mut(),
        }
    }
}

/// What travels between two nodes.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
#[derive(TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
enum Datagram {
    #[tls_codec(discriminant = 1)]
    Packet(TlsByteVecU32),
    #[tls_codec(discriminant = 2)]
    Gossip(Gossip),
}

/// A [`Datagram`] to be sent, without a copy of what is in it.
#[derive(TlsSerialize, TlsSize)]
#[repr(u8)]
enum Sent<'a> {
    #[tls_codec(discriminant = 1)]
    Packet(TlsByteSliceU32<'a>),
    #[tls_codec(discriminant = 2)]
    Gossip(&'a Gossip),
}

/// Why something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The actor's owner wanted it.
    Command,
    /// The parcel with this number arrived.
    Envelope(u64),
    /// The instant came that the actor waited for; with the nonce by which it closed a block then.
    Wake(Option<u64>),
}

/// One thing that happened to one actor.
#[derive(Clone, Debug)]
pub struct Event {
    /// Why.
    pub cause: Cause,
    /// When.
    pub time: Time,
    /// To whom.
    pub actor: Name,
    /// Who sent what arrived; none where nothing did.
    pub from: Option<Name>,
    /// What happened.
    pub event: &'static str,
    /// What the actor says of it.
    pub verdict: Verdict,
    /// The clause that refused it.
    pub clause: Option<Clause>,
    /// What the actor sent: to whom, which message, how many bytes. Nobody in particular means everybody.
    pub sends: Vec<(Option<Name>, &'static str, usize)>,
    /// Digest of the actor's public state afterwards, in a world that is watched.
    pub state: Option<Digest>,
}

/// Actors, links and virtual time.
pub struct Simulator {
    rules: Rules,
    now: Time,
    nodes: BTreeMap<Name, Node>,
    wakes: BTreeMap<Name, Time>,
    alarms: BTreeSet<(Time, Name)>,
    links: Links,
    watched: bool,
}

impl Simulator {
    /// An empty world at `start`.
    pub fn new(rules: Rules, start: Time, links: Links) -> Simulator {
        Simulator {
            rules,
            now: start,
            nodes: BTreeMap::new(),
            wakes: BTreeMap::new(),
            alarms: BTreeSet::new(),
            links,
            watched: false,
        }
    }

    /// From now on every event tells the public state of its actor. To hash that is the work of who watches, not of the
    /// network.
    pub fn watch(&mut self) {
        self.watched = true;
    }

    /// Adds a node under its actor's name.
    pub fn add(&mut self, mut node: Node) {
        let actor = node.actor();
        let (name, wake) = (actor.name().clone(), actor.wake());
        self.nodes.insert(name.clone(), node);
        self.set_alarm(&name, wake);
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The node of this name.
    pub fn node(&mut self, name: &Name) -> Option<&mut Node> {
        self.nodes.get_mut(name)
    }

    /// Every node, in the order of names.
    pub fn nodes(&self) -> impl Iterator<Item = (&Name, &Node)> {
        self.nodes.iter()
    }

    /// Lets an actor do something of its own accord: `command` gives what it sends.
    pub fn command<T>(
        &mut self,
        name: &Name,
        command: impl FnOnce(&mut Node, Time) -> (T, Vec<Output>),
    ) -> Option<T> {
        self.command_seen(name, command).map(|(answer, _)| answer)
    }

    /// As [`Simulator::command`], with what happened.
    pub fn command_seen<T>(
        &mut self,
        name: &Name,
        command: impl FnOnce(&mut Node, Time) -> (T, Vec<Output>),
    ) -> Option<(T, Event)> {
        let now = self.now;
        let node = self.nodes.get_mut(name)?;
        let (answer, outputs) = command(node, now);
        let actor = node.actor();
        let (wake, state) = (actor.wake(), self.watched.then(|| actor.state()));
        self.set_alarm(name, wake);
        for output in &outputs {
            self.dispatch(name, output);
        }
        let step = Step::taken("Command", outputs);
        Some((answer, event(now, name, None, Cause::Command, &step, state)))
    }

    /// Lets the next thing happen; nothing when no packet is in flight and nobody waits for an instant.
    pub fn step(&mut self) -> Option<Event> {
        let arrival = self.links.next_arrival();
        let alarm = self.alarms.first().map(|(time, _)| *time);
        match (arrival, alarm) {
            (None, None) => None,
            (Some(arrival), alarm) if alarm.is_none_or(|alarm| arrival <= alarm) => {
                let (time, number, parcel) = self.links.receive()?;
                self.now = self.now.max(time);
                Some(self.deliver(number, parcel))
            }
            _ => {
                let (time, name) = self.alarms.pop_first()?;
                self.wakes.remove(&name);
                self.now = self.now.max(time);
                Some(self.happen(&name, None, None, Ok(Input::Wake)))
            }
        }
    }

    fn deliver(&mut self, number: u64, parcel: Envelope) -> Event {
        let from = parcel.from.clone();
        let input = decode::<Datagram>(&self.rules, &parcel.bytes).map(|datagram| match datagram {
            Datagram::Packet(packet) => Input::Packet { from: parcel.from, packet: packet.into() },
            Datagram::Gossip(gossip) => Input::Gossip { from: parcel.from, gossip },
        });
        self.happen(&parcel.to, Some(from), Some(number), input)
    }

    fn happen(
        &mut self,
        name: &Name,
        from: Option<Name>,
        parcel: Option<u64>,
        input: Result<Input, Refusal>,
    ) -> Event {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(name) else {
            let refusal = Refusal::new(Clause::PeerIsIntended).at(name.as_str());
            let step = Step::refused("unknown destination", refusal);
            return event(
                now,
                name,
                from,
                parcel.map_or(Cause::Wake(None), Cause::Envelope),
                &step,
                self.watched.then(Digest::default),
            );
        };
        let actor = node.actor();
        let step = match input {
            Ok(input) => actor.handle(now, input),
            Err(refusal) => Step::refused("unreadable packet", refusal),
        };
        let (wake, state) = (actor.wake(), self.watched.then(|| actor.state()));
        self.set_alarm(name, wake);
        for output in step.outputs() {
            self.dispatch(name, output);
        }
        let cause = parcel.map_or_else(|| Cause::Wake(step.outputs().find_map(found)), Cause::Envelope);
        event(now, name, from, cause, &step, state)
    }

    /// An actor is never woken at an instant that has passed: one that asks for it is woken at the next one.
    fn set_alarm(&mut self, name: &Name, wake: Option<Time>) {
        let time = wake.map(|time| time.max(self.now.after(1)));
        if self.wakes.get(name) == time.as_ref() {
            return;
        }
        if let Some(former) = self.wakes.remove(name) {
            self.alarms.remove(&(former, name.clone()));
        }
        if let Some(time) = time {
            self.alarms.insert((time, name.clone()));
            self.wakes.insert(name.clone(), time);
        }
    }

    fn dispatch(&mut self, from: &Name, output: &Output) {
        let send = |links: &mut Links, now, to: &Name, label, bytes: Vec<u8>| {
            links.send(now, Envelope { from: from.clone(), to: to.clone(), label, bytes });
        };
        match output {
            Output::Send { to, label, packet } => {
                let bytes = encode(&Sent::Packet(TlsByteSliceU32(packet)));
                send(&mut self.links, self.now, to, label, bytes);
            }
            Output::SendGossip { to, gossip } => {
                let bytes = encode(&Sent::Gossip(gossip));
                send(&mut self.links, self.now, to, gossip.name(), bytes);
            }
            Output::Publish(gossip) => {
                let bytes = encode(&Sent::Gossip(gossip));
                for to in self.nodes.keys().filter(|to| *to != from) {
                    send(&mut self.links, self.now, to, gossip.name(), bytes.clone());
                }
            }
        }
    }
}

/// The nonce of a block that its maker publishes.
fn found(output: &Output) -> Option<u64> {
    match output {
        Output::Publish(Gossip::Block(block)) => match &block.header().closing {
            Closing::Work(work) => Some(work.nonce),
            Closing::Quorum(_) => None,
        },
        _ => None,
    }
}

fn event(
    time: Time,
    actor: &Name,
    from: Option<Name>,
    cause: Cause,
    step: &Step,
    state: Option<Digest>,
) -> Event {
    let sends = step.outputs().map(|output| match output {
        Output::Send { to, label, packet } => (Some(to.clone()), *label, packet.len()),
        Output::SendGossip { to, gossip } => {
            (Some(to.clone()), gossip.name(), tls_codec::Size::tls_serialized_len(gossip))
        }
        Output::Publish(gossip) => (None, gossip.name(), tls_codec::Size::tls_serialized_len(gossip)),
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
