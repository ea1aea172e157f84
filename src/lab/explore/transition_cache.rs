//! What a search met, each once and by number: states of actors, parcels, lies, and what actors made of what.
//!
//! A search meets the same actor in the same state again and again, where only the others and the network differ. What it
//! makes of an input depends on its state, the instant and the input alone: it is worked out once, and looked up ever after.

use crate::explore::{SearchConfig, forgery, moves};
use bemr_model::{
    Actor, ActorState, Command, Datagram, Envelope, Flaws, Gossip, Message, Output, Packet, Proposal, Rename,
    Renaming, Step, System, Tid, Time,
};
use bemr_spec::{Clause, Rules};
use std::hash::Hash;
use std::sync::Arc;

/// The number of a state, a parcel or a lie, in the order in which the search met them.
pub(super) type Number = u32;

/// Looked up alone: its order, which is not that of anything, is never seen.
#[expect(clippy::disallowed_types, reason = "looked up alone, millions of times a second")]
type Table<K, V> = std::collections::HashMap<K, V, ahash::RandomState>;

/// Things that differ, numbered.
struct Pool<K, V> {
    numbers: Table<K, Number>,
    things: Vec<V>,
}

impl<K: Hash + Eq, V> Pool<K, V> {
    fn new() -> Pool<K, V> {
        Pool { numbers: Table::with_hasher(hashing()), things: Vec::new() }
    }

    /// The number of a thing that is made, where it is not there yet.
    fn add(&mut self, key: K, make: impl FnOnce(&K) -> V) -> Number {
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.things.len() as Number;
        self.things.push(make(&key));
        self.numbers.insert(key, number);
        number
    }
}

/// One hash for every run.
fn hashing() -> ahash::RandomState {
    ahash::RandomState::with_seeds(1, 2, 3, 4)
}

/// Two validators who are one another, and under which name each is the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swap {
    pub(super) low: u8,
    pub(super) high: u8,
    pub(super) name: usize,
}

/// A fingerprint under every name.
type Prints = Box<[u64]>;

/// A state of an actor.
pub(super) struct Met {
    state: ActorState,
    pub(super) wakes: Option<Time>,
    pub(super) prints: Prints,
}

/// A parcel.
pub(super) struct Sent {
    pub(super) parcel: Arc<Envelope>,
    pub(super) prints: Prints,
    /// What it makes an insider say to whom it is sent.
    pub(super) lies: Vec<Number>,
}

/// What an insider can say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lie {
    pub(super) by: Actor,
    pub(super) to: Actor,
    pub(super) says: Says,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Says {
    /// In a session.
    Message(Message),
    /// In public.
    Gossip(Gossip),
    /// In a handshake: a packet in the name of another, and the checks that it fails.
    Packet(Packet, Flaws),
}

impl Lie {
    /// Who does something then: to whom a packet comes, for nobody sends it; else who is made to say it.
    pub(super) const fn happens_to(&self) -> Actor {
        match self.says {
            Says::Message(_) | Says::Gossip(_) => self.by,
            Says::Packet(..) => self.to,
        }
    }
}

impl Rename for Lie {
    fn renamed(&self, names: &Renaming) -> Lie {
        let says = match &self.says {
            Says::Message(message) => Says::Message(message.renamed(names)),
            Says::Gossip(gossip) => Says::Gossip(gossip.renamed(names)),
            Says::Packet(packet, flaws) => Says::Packet(packet.renamed(names), *flaws),
        };
        Lie { by: self.by.renamed(names), to: self.to.renamed(names), says }
    }
}

/// What happens to an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Input {
    /// The command of the script at this place, and how many submissions there were.
    Command(u8, Tid),
    /// A parcel arrives from this address.
    Envelope(Number, Actor),
    /// The instant comes that it waits for; under proof of work with or without a nonce.
    Instant(bool),
    /// It dies and starts again.
    Death,
    /// The adversary speaks with its voice.
    Lie(Number),
}

/// The same in full.
enum Cause {
    Command(Tid, Command),
    Envelope(Arc<Envelope>, Actor),
    Instant(bool),
    Death,
    Lie(Lie),
}

impl Cause {
    fn renamed(&self, names: &Renaming) -> Cause {
        match self {
            // Whom the script names is not renamed.
            Cause::Command(tid, command) => Cause::Command(*tid, *command),
            Cause::Envelope(parcel, from) => Cause::Envelope(parcel.renamed(names), from.renamed(names)),
            Cause::Instant(lucky) => Cause::Instant(*lucky),
            Cause::Death => Cause::Death,
            Cause::Lie(lie) => Cause::Lie(lie.renamed(names)),
        }
    }

    fn happens(&self, rules: &Rules, system: &mut System, now: Time, actor: Actor) -> Option<Step> {
        match self {
            Cause::Command(tid, command) => system.command(rules, now, actor, *tid, *command),
            Cause::Envelope(parcel, from) => {
                system.deliver(rules, now, actor, *from, &parcel.datagram, parcel.flaws)
            }
            // Which nonce closes a block is a matter of its digest: of one block always the same.
            Cause::Instant(lucky) => system.wake(rules, now, actor, lucky.then_some(1)),
            Cause::Death => system.crash(actor),
            Cause::Lie(Lie { to, says: Says::Message(message), .. }) => {
                system.say(rules, now, actor, *to, *message)
            }
            Cause::Lie(Lie { to, says: Says::Gossip(gossip), .. }) => {
                let sends = vec![Output::Tell(*to, gossip.clone())];
                Some(Step { event: "Tell", clause: None, sends })
            }
            Cause::Lie(Lie { by, says: Says::Packet(packet, flaws), .. }) => {
                system.deliver(rules, now, actor, *by, &Datagram::Packet(*packet), *flaws)
            }
        }
    }
}

/// The event, the clause that refused it, and what was sent.
type Outcome = (&'static str, Option<Clause>, Vec<Envelope>);

/// What an actor made of an input.
pub(super) struct Reaction {
    pub(super) state: Number,
    /// What is on its way then.
    pub(super) sends: Box<[Number]>,
}

/// What a search met.
pub(super) struct TransitionCache {
    states: Pool<ActorState, Met>,
    parcels: Pool<Arc<Envelope>, Sent>,
    lies: Pool<Lie, Lie>,
    /// What insiders say at an instant without a parcel that makes them.
    unprompted: Table<Time, Vec<Number>>,
    reactions: Table<(Number, Time, Input), Option<Reaction>>,
    /// Names under which everything is looked at, the first of which renames nobody; behind them those of [`TransitionCache::swaps`].
    names: Vec<Renaming>,
    /// Two validators who are one another, and the place among the names of the one that swaps them.
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
            states: Pool::new(),
            parcels: Pool::new(),
            lies: Pool::new(),
            unprompted: Table::with_hasher(hashing()),
            reactions: Table::with_hasher(hashing()),
            names,
            swaps: placed,
            flaw: None,
        }
    }

    /// Under how many names a scene is taken for the same.
    pub(super) fn names(&self) -> usize {
        self.names.len() - self.swaps.len()
    }

    /// Who can be swapped.
    pub(super) fn swaps(&self) -> &[Swap] {
        &self.swaps
    }

    pub(super) fn state(&self, number: Number) -> &Met {
        &self.states.things[number as usize]
    }

    pub(super) fn parcel(&self, number: Number) -> &Sent {
        &self.parcels.things[number as usize]
    }

    pub(super) fn lie(&self, number: Number) -> &Lie {
        &self.lies.things[number as usize]
    }

    /// The number of a parcel that was met.
    pub(super) fn find(&self, parcel: &Envelope) -> Option<Number> {
        self.parcels.numbers.get(parcel).copied()
    }

    pub(super) fn unprompted(&self, now: Time) -> Option<&[Number]> {
        self.unprompted.get(&now).map(Vec::as_slice)
    }

    pub(super) fn reaction(&self, state: Number, now: Time, input: Input) -> Option<&Option<Reaction>> {
        self.reactions.get(&(state, now, input))
    }

    /// Puts actors into their states.
    pub(super) fn restore(&self, system: &mut System, states: &[Number]) {
        for (actor, number) in system.actors().chain([Actor::Kdc]).zip(states) {
            system.restore(actor, self.state(*number).state.clone());
        }
    }

    /// Takes an actor's state in.
    pub(super) fn meet(&mut self, actor: Actor, system: &System) -> Number {
        let state = system.state(actor).expect("an actor of the part");
        let names = &self.names;
        self.states.add(state, |state| Met {
            state: state.clone(),
            wakes: system.wakes(actor),
            prints: prints(state, names),
        })
    }

    fn send(&mut self, rules: &Rules, part: &SearchConfig, parcel: Envelope) -> Number {
        if let Some(number) = self.find(&parcel) {
            return number;
        }
        let mut told = moves::prompted(part, &parcel);
        told.extend(forgery::prompted(rules, part, &parcel));
        let lies = self.take_lies(told);
        let names = &self.names;
        self.parcels.add(Arc::new(parcel), |parcel| Sent {
            parcel: Arc::clone(parcel),
            prints: prints(&**parcel, names),
            lies,
        })
    }

    fn take_lies(&mut self, told: Vec<Lie>) -> Vec<Number> {
        told.into_iter().map(|lie| self.lies.add(lie, Lie::clone)).collect()
    }

    /// Works out what insiders can say at an instant.
    pub(super) fn learn_unprompted(&mut self, rules: &Rules, part: &SearchConfig, now: Time) {
        let mut told = moves::unprompted(part, now);
        told.extend(forgery::unprompted(rules, part));
        let lies = self.take_lies(told);
        self.unprompted.insert(now, lies);
    }

    /// Works out what an actor makes of an input.
    pub(super) fn learn(
        &mut self,
        rules: &Rules,
        part: &SearchConfig,
        start: &System,
        heard: impl Fn(&Envelope) -> bool,
        (actor, state, now, input): (Actor, Number, Time, Input),
    ) {
        let cause = match input {
            Input::Command(place, tid) => Cause::Command(tid, part.script[usize::from(place)].1),
            Input::Envelope(number, from) => Cause::Envelope(Arc::clone(&self.parcel(number).parcel), from),
            Input::Instant(lucky) => Cause::Instant(lucky),
            Input::Death => Cause::Death,
            Input::Lie(number) => Cause::Lie(self.lie(number).clone()),
        };
        let before = self.state(state).state.clone();
        let mut system = start.clone();
        system.restore(actor, before.clone());
        let reaction = cause.happens(rules, &mut system, now, actor).map(|step| {
            let parcels = parcels(&system, actor, step.sends);
            for parcel in &parcels {
                if let Some(proposal) = proposal(&parcel.datagram) {
                    self.names.iter_mut().for_each(|names| names.meet(proposal));
                }
            }
            (step.event, step.clause, parcels)
        });
        self.compare(rules, start, (actor, &before, now, &cause), (&system, reaction.as_ref()));
        let reaction = reaction.map(|(_, _, parcels)| {
            let sends =
                parcels.into_iter().filter(&heard).map(|parcel| self.send(rules, part, parcel)).collect();
            Reaction { state: self.meet(actor, &system), sends }
        });
        self.reactions.insert((state, now, input), reaction);
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
                let mut parcels = parcels(&system, other, step.sends);
                parcels.sort_unstable();
                (step.event, step.clause, parcels)
            });
            let renamed = reaction.map(|(event, clause, parcels)| {
                let mut parcels: Vec<Envelope> = parcels.iter().map(|parcel| parcel.renamed(names)).collect();
                parcels.sort_unstable();
                (*event, *clause, parcels)
            });
            let state = after.state(actor).map(|state| state.renamed(names));
            if (again, system.state(other)) != (renamed, state) && self.flaw.is_none() {
                self.flaw = Some(format!("{actor} and {other} are not the same at {now} ms"));
            }
        }
    }
}

/// The parcels that an actor's outputs make.
fn parcels(system: &System, from: Actor, sends: Vec<Output>) -> Vec<Envelope> {
    let mut parcels = Vec::new();
    let mut put =
        |to: Actor, datagram| parcels.push(Envelope { from, to, datagram, flaws: Default::default() });
    for output in sends {
        match output {
            Output::Send(to, packet) => put(to, Datagram::Packet(packet)),
            Output::Tell(to, gossip) => put(to, Datagram::Gossip(gossip)),
            Output::Publish(gossip) => {
                let others = system.actors().filter(|to| *to != from);
                others.for_each(|to| put(to, Datagram::Gossip(gossip.clone())));
            }
        }
    }
    parcels
}

fn proposal(datagram: &Datagram) -> Option<&Proposal> {
    match datagram {
        Datagram::Gossip(Gossip::Proposal { proposal, .. }) => Some(proposal),
        Datagram::Gossip(Gossip::Block(block)) => Some(&block.proposal),
        _ => None,
    }
}

fn prints<T: Hash + Rename>(thing: &T, names: &[Renaming]) -> Prints {
    let other = names.iter().skip(1).map(|names| hashing().hash_one(thing.renamed(names)));
    [hashing().hash_one(thing)].into_iter().chain(other).collect()
}
