//! What a search met, each once and by number: states of actors, envelopes, messages of the adversary, and what actors made of what.
//!
//! A search meets the same actor in the same state again and again, where only the others and the network differ. What the actor
//! makes of an input depends on its state, the instant and the input alone: the model works it out once, and a search looks it up
//! ever after.

use crate::explore::adversary::{ByzantineMessage, Payload};
use crate::explore::{SearchConfig, adversary, forgery};
use bemr_model::{
    Actor, ActorState, Command, Datagram, Envelope, Gossip, Output, Proposal, Rename, Renaming, Step, System,
    Tid, Time,
};
use bemr_spec::{Clause, Event, Rules};
use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

/// The number of a state, an envelope, a message or a reaction, in the order in which the search met them.
pub(super) type Number = u32;

/// Looked up alone: its order, which is not that of anything, is never seen.
#[expect(clippy::disallowed_types, reason = "looked up alone, millions of times a second")]
type Table<K, V> = std::collections::HashMap<K, V, ahash::RandomState>;

/// One hash for every run.
fn hashing() -> ahash::RandomState {
    ahash::RandomState::with_seeds(1, 2, 3, 4)
}

/// Things that differ, numbered, with a fingerprint of each under every name.
pub(super) struct Pool<T> {
    numbers: Table<T, Number>,
    things: Vec<T>,
    /// Those of one thing side by side.
    prints: Vec<u64>,
    width: usize,
}

impl<T: Hash + Eq + Clone> Pool<T> {
    fn new(width: usize) -> Pool<T> {
        Pool { numbers: Table::with_hasher(hashing()), things: Vec::new(), prints: Vec::new(), width }
    }

    pub(super) fn get(&self, number: Number) -> &T {
        &self.things[number as usize]
    }

    pub(super) fn prints(&self, number: Number) -> &[u64] {
        let start = number as usize * self.width;
        &self.prints[start..start + self.width]
    }

    /// The number of a thing that was met.
    pub(super) fn find<Q: Hash + Eq + ?Sized>(&self, thing: &Q) -> Option<Number>
    where
        T: Borrow<Q>,
    {
        self.numbers.get(thing).copied()
    }

    /// Numbers a thing that was not met before.
    fn add(&mut self, thing: T, prints: impl Iterator<Item = u64>) -> Number {
        let number = self.things.len() as Number;
        self.prints.extend(prints);
        self.things.push(thing.clone());
        self.numbers.insert(thing, number);
        number
    }
}

fn prints<T: Hash + Rename>(thing: &T, names: &[Renaming]) -> impl Iterator<Item = u64> {
    let other = names.iter().skip(1).map(|names| hashing().hash_one(thing.renamed(names)));
    [hashing().hash_one(thing)].into_iter().chain(other)
}

/// Two validators who are one another, and under which name each is the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swap {
    pub(super) low: u8,
    pub(super) high: u8,
    pub(super) name: usize,
}

/// What happens to an actor.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    /// The command of the script at this place, and how many submissions there were.
    Command(u8, u16),
    /// An envelope arrives from this address.
    Envelope(Number, Actor),
    /// The instant comes that it waits for; under proof of work with or without a nonce.
    Instant(bool),
    /// It crashes and starts again.
    Crash,
    /// The adversary sends this.
    Byzantine(Number),
}

/// An actor's state, an instant and an input in two words: they are hashed for every successor of every state.
type Key = [u64; 2];

fn key(state: Number, now: Time, input: Input) -> Key {
    // `SearchModel` lets no instant come that has no room here.
    let begins = u64::from(state) << 32 | now;
    let (kind, rest, number) = match input {
        Input::Command(place, submissions) => (0, u64::from(place), u64::from(submissions)),
        Input::Envelope(number, from) => (1, address(from), u64::from(number)),
        Input::Instant(lucky) => (2, 0, u64::from(lucky)),
        Input::Crash => (3, 0, 0),
        Input::Byzantine(number) => (4, 0, u64::from(number)),
    };
    [begins, kind << 60 | rest << 32 | number]
}

fn address(actor: Actor) -> u64 {
    match actor {
        Actor::Bsd => 0,
        Actor::Cloud => 1,
        Actor::Kdc => 2,
        Actor::User(number) => 1 << 8 | u64::from(number),
        Actor::Validator(number) => 2 << 8 | u64::from(number),
    }
}

/// An input in full.
enum Cause {
    Command(Tid, Command),
    Envelope(Arc<Envelope>, Actor),
    Instant(bool),
    Crash,
    Byzantine(ByzantineMessage),
}

impl Cause {
    fn renamed(&self, names: &Renaming) -> Cause {
        match self {
            // Whom the script names is not renamed.
            Cause::Command(tid, command) => Cause::Command(*tid, *command),
            Cause::Envelope(envelope, from) => Cause::Envelope(envelope.renamed(names), from.renamed(names)),
            Cause::Instant(lucky) => Cause::Instant(*lucky),
            Cause::Crash => Cause::Crash,
            Cause::Byzantine(message) => Cause::Byzantine(message.renamed(names)),
        }
    }

    fn happens(&self, rules: &Rules, system: &mut System, now: Time, actor: Actor) -> Option<Step> {
        match self {
            Cause::Command(tid, command) => system.command(rules, now, actor, *tid, *command),
            Cause::Envelope(envelope, from) => {
                system.deliver(rules, now, actor, *from, &envelope.datagram, envelope.flaws)
            }
            // Which nonce closes a block is a matter of its digest: of one block always the same.
            Cause::Instant(lucky) => system.wake(rules, now, actor, lucky.then_some(1)),
            Cause::Crash => system.crash(rules, actor),
            Cause::Byzantine(ByzantineMessage { by, to, payload }) => match payload {
                Payload::Message(message) => system.say(rules, now, actor, *to, *message),
                Payload::Gossip(gossip) => {
                    let sends = vec![Output::SendGossip(*to, gossip.clone())];
                    Some(Step { event: Event::Publish, clause: None, sends })
                }
                Payload::Packet(packet, flaws) => {
                    system.deliver(rules, now, actor, *by, &Datagram::Packet(*packet), *flaws)
                }
            },
        }
    }
}

/// The event, the clause that refused it, and what was sent.
type Outcome = (Event, Option<Clause>, Vec<Envelope>);

/// What an actor made of an input.
#[derive(Debug)]
pub(super) struct Reaction {
    /// Its state then.
    pub(super) state: Number,
    /// What is in flight then.
    pub(super) sends: Box<[Number]>,
}

/// What is worked out of an envelope when it is met.
struct Prompts {
    /// What it makes the adversary send: its receiver, who is an insider, or who poses as an end of a handshake.
    byzantine: Vec<Number>,
    /// To whom else, and from which address, it can be led.
    redirections: Vec<(Actor, Actor)>,
}

/// What a search met.
pub(super) struct TransitionCache {
    pub(super) states: Pool<ActorState>,
    /// When the actor wants to be woken, of each state.
    wakes: Vec<Option<Time>>,
    pub(super) envelopes: Pool<Arc<Envelope>>,
    prompts: Vec<Prompts>,
    pub(super) byzantine: Pool<ByzantineMessage>,
    /// What the adversary sends at an instant without an envelope that makes it.
    unprompted: Table<Time, Vec<Number>>,
    /// Nothing where an input cannot be.
    known: Table<Key, Option<Number>>,
    reactions: Vec<Reaction>,
    /// Names under which everything is looked at, the first of which renames nobody; behind them those of `swaps`.
    names: Vec<Renaming>,
    swaps: Vec<Swap>,
    /// An actor reacted otherwise under another name.
    pub(super) flaw: Option<String>,
}

impl TransitionCache {
    pub(super) fn new(mut names: Vec<Renaming>, swaps: Vec<(u8, u8, Renaming)>) -> TransitionCache {
        let first = names.len();
        let placed = |(place, (low, high, _)): (usize, &(u8, u8, Renaming))| Swap {
            low: *low,
            high: *high,
            name: first + place,
        };
        let placed = swaps.iter().enumerate().map(placed).collect();
        names.extend(swaps.into_iter().map(|(_, _, names)| names));
        TransitionCache {
            states: Pool::new(names.len()),
            wakes: Vec::new(),
            envelopes: Pool::new(names.len()),
            prompts: Vec::new(),
            byzantine: Pool::new(0),
            unprompted: Table::with_hasher(hashing()),
            known: Table::with_hasher(hashing()),
            reactions: Vec::new(),
            names,
            swaps: placed,
            flaw: None,
        }
    }

    /// Under how many names a state is taken for the same.
    pub(super) fn names(&self) -> usize {
        self.names.len() - self.swaps.len()
    }

    /// How many fingerprints a thing has: one for each name, and one for each swap.
    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    /// Who can be swapped.
    pub(super) fn swaps(&self) -> &[Swap] {
        &self.swaps
    }

    pub(super) fn wakes(&self, state: Number) -> Option<Time> {
        self.wakes[state as usize]
    }

    pub(super) fn prompted(&self, envelope: Number) -> &[Number] {
        &self.prompts[envelope as usize].byzantine
    }

    pub(super) fn redirections(&self, envelope: Number) -> &[(Actor, Actor)] {
        &self.prompts[envelope as usize].redirections
    }

    pub(super) fn unprompted(&self, now: Time) -> Option<&[Number]> {
        self.unprompted.get(&now).map(Vec::as_slice)
    }

    /// The number of an actor's reaction, if it is known, and if there is one.
    pub(super) fn find_reaction(&self, state: Number, now: Time, input: Input) -> Option<Option<Number>> {
        self.known.get(&key(state, now, input)).copied()
    }

    pub(super) fn reaction(&self, number: Number) -> &Reaction {
        &self.reactions[number as usize]
    }

    /// Puts actors into their states.
    pub(super) fn restore(&self, system: &mut System, states: &[Number]) {
        for (actor, number) in system.actors().chain([Actor::Kdc]).zip(states) {
            system.restore(actor, self.states.get(*number).clone());
        }
    }

    /// Takes an actor's state in.
    pub(super) fn meet(&mut self, actor: Actor, system: &System) -> Number {
        let state = system.state(actor).expect("an actor of the configuration");
        self.states.find(&state).unwrap_or_else(|| {
            self.wakes.push(system.wakes(actor));
            let prints = prints(&state, &self.names);
            self.states.add(state.clone(), prints)
        })
    }

    fn send(&mut self, rules: &Rules, config: &SearchConfig, system: &System, envelope: Envelope) -> Number {
        if let Some(number) = self.envelopes.find(&envelope) {
            return number;
        }
        let mut messages = adversary::prompted(config, &envelope);
        messages.extend(forgery::prompted(rules, config, &envelope));
        let byzantine = self.number(messages);
        let redirections = adversary::redirections(&envelope, system.actors());
        self.prompts.push(Prompts { byzantine, redirections });
        let envelope = Arc::new(envelope);
        let prints = prints(&*envelope, &self.names);
        self.envelopes.add(Arc::clone(&envelope), prints)
    }

    fn number(&mut self, messages: Vec<ByzantineMessage>) -> Vec<Number> {
        let number = |message: ByzantineMessage| {
            let known = self.byzantine.find(&message);
            known.unwrap_or_else(|| self.byzantine.add(message, std::iter::empty()))
        };
        messages.into_iter().map(number).collect()
    }

    /// Works out what the adversary can send at an instant.
    pub(super) fn learn_unprompted(&mut self, rules: &Rules, config: &SearchConfig, now: Time) {
        let mut messages = adversary::unprompted(config, now);
        messages.extend(forgery::unprompted(rules, config));
        let numbers = self.number(messages);
        self.unprompted.insert(now, numbers);
    }

    /// Works out what an actor makes of an input. Of what it sends, what is not `heard` is left out.
    pub(super) fn learn(
        &mut self,
        rules: &Rules,
        config: &SearchConfig,
        start: &System,
        heard: impl Fn(&Envelope) -> bool,
        (actor, state, now, input): (Actor, Number, Time, Input),
    ) -> Option<Number> {
        let cause = match input {
            Input::Command(place, submissions) => {
                Cause::Command(Tid::nth(submissions), config.script[usize::from(place)].1)
            }
            Input::Envelope(number, from) => Cause::Envelope(Arc::clone(self.envelopes.get(number)), from),
            Input::Instant(lucky) => Cause::Instant(lucky),
            Input::Crash => Cause::Crash,
            Input::Byzantine(number) => Cause::Byzantine(self.byzantine.get(number).clone()),
        };
        let before = self.states.get(state).clone();
        let mut system = start.clone();
        system.restore(actor, before.clone());
        let reaction = cause.happens(rules, &mut system, now, actor).map(|step| {
            let envelopes = envelopes(&system, actor, step.sends);
            for envelope in &envelopes {
                if let Some(proposal) = proposal(&envelope.datagram) {
                    self.names.iter_mut().for_each(|names| names.meet(proposal));
                }
            }
            (step.event, step.clause, envelopes)
        });
        self.compare(rules, start, (actor, &before, now, &cause), (&system, reaction.as_ref()));
        let reaction = reaction.map(|(_, _, envelopes)| {
            let heard = envelopes.into_iter().filter(&heard);
            let sends = heard.map(|envelope| self.send(rules, config, start, envelope)).collect();
            let reaction = Reaction { state: self.meet(actor, &system), sends };
            self.reactions.push(reaction);
            self.reactions.len() as Number - 1
        });
        self.known.insert(key(state, now, input), reaction);
        reaction
    }

    /// Whether the actor would do the same under every other name; the first time that it would not is noted.
    fn compare(
        &mut self,
        rules: &Rules,
        start: &System,
        (actor, before, now, cause): (Actor, &ActorState, Time, &Cause),
        (after, reaction): (&System, Option<&Outcome>),
    ) {
        for names in self.names.iter().skip(1) {
            let other = actor.renamed(names);
            let mut system = start.clone();
            system.restore(other, before.renamed(names));
            let step = cause.renamed(names).happens(rules, &mut system, now, other);
            let again = step.map(|step| {
                let mut envelopes = envelopes(&system, other, step.sends);
                envelopes.sort_unstable();
                (step.event, step.clause, envelopes)
            });
            let renamed = reaction.map(|(event, clause, envelopes)| {
                let mut envelopes: Vec<Envelope> =
                    envelopes.iter().map(|envelope| envelope.renamed(names)).collect();
                envelopes.sort_unstable();
                (*event, *clause, envelopes)
            });
            let state = after.state(actor).map(|state| state.renamed(names));
            if (again, system.state(other)) != (renamed, state) && self.flaw.is_none() {
                self.flaw = Some(format!("{actor} and {other} are not the same at {now} ms"));
            }
        }
    }
}

/// The envelopes that an actor's outputs make.
fn envelopes(system: &System, from: Actor, sends: Vec<Output>) -> Vec<Envelope> {
    let mut envelopes = Vec::new();
    let mut put =
        |to: Actor, datagram| envelopes.push(Envelope { from, to, datagram, flaws: Default::default() });
    for output in sends {
        match output {
            Output::Send(to, packet) => put(to, Datagram::Packet(packet)),
            Output::SendGossip(to, gossip) => put(to, Datagram::Gossip(gossip)),
            Output::Publish(gossip) => {
                let others = system.actors().filter(|to| *to != from);
                others.for_each(|to| put(to, Datagram::Gossip(gossip.clone())));
            }
        }
    }
    envelopes
}

fn proposal(datagram: &Datagram) -> Option<&Proposal> {
    match datagram {
        Datagram::Gossip(Gossip::Proposal { proposal, .. }) => Some(proposal),
        Datagram::Gossip(Gossip::Block(block)) => Some(&block.proposal),
        _ => None,
    }
}
