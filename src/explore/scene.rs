//! One state of a search, and what can happen in it.

use crate::explore::{Budget, Part, moves};
use bemr_spec::Rules;
use bemr_spec::model::{
    Actor, Command, Datagram, GOALS, Gossip, LedgerKind, Message, Output, Parcel, Step, System, Tid, Time,
    everything_ended,
};
use stateright::{Model, Property};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Actors, what is on its way, the time, and what the adversary may still do.
#[derive(Clone, Debug)]
pub struct Scene {
    pub(super) system: System,
    /// A fingerprint of each actor, made anew for those that something happened to.
    prints: Vec<u64>,
    /// On its way, in the order of fingerprints: the network keeps no order.
    pub(super) flying: Vec<(u64, Arc<Parcel>)>,
    /// Was delivered, each once, for replays.
    pub(super) old: Vec<(u64, Arc<Parcel>)>,
    pub(super) now: Time,
    pub(super) budget: Budget,
    /// How many commands of the script were given.
    said: usize,
    submissions: Tid,
    /// A nonce for each block that was found.
    nonces: u64,
}

impl Hash for Scene {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.prints.hash(hasher);
        self.flying.iter().chain(&self.old).for_each(|(print, _)| hasher.write_u64(*print));
        (self.flying.len(), self.now, self.budget, self.said, self.submissions).hash(hasher);
    }
}

impl PartialEq for Scene {
    fn eq(&self, other: &Scene) -> bool {
        let prints =
            |parcels: &[(u64, Arc<Parcel>)]| parcels.iter().map(|(print, _)| *print).collect::<Vec<_>>();
        self.prints == other.prints
            && prints(&self.flying) == prints(&other.flying)
            && prints(&self.old) == prints(&other.old)
            && (self.now, self.budget, self.said) == (other.now, other.budget, other.said)
    }
}

/// Something that can happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The next command of the script.
    Command,
    /// A parcel arrives.
    Deliver(Arc<Parcel>),
    /// A parcel is lost.
    Drop(Arc<Parcel>),
    /// A parcel arrives once more.
    Replay(Arc<Parcel>),
    /// A parcel arrives at somebody else, or from somebody else.
    Redirect(Arc<Parcel>, Actor, Actor),
    /// The instant comes that an actor waits for; under proof of work with or without a nonce.
    Wake(Actor, bool),
    /// An actor dies and starts again.
    Crash(Actor),
    /// An insider says something.
    Say(Actor, Actor, Message),
    /// An insider says something in public.
    Tell(Actor, Actor, Gossip),
}

/// A part under rules: what is searched.
pub struct Stage {
    pub(super) part: &'static Part,
    pub(super) rules: Rules,
    /// Whether parcels that no receiver makes anything of are left out.
    pub(super) reduced: bool,
    /// Set from outside to end a search.
    pub(super) stop: AtomicBool,
    /// What was found already: of the many runs that end in it, the first is a shortest one, and the only one kept.
    found: [[AtomicBool; 2]; GOALS.len() + 1],
}

impl Stage {
    pub(super) const fn new(part: &'static Part, rules: Rules) -> Stage {
        let found = [const { [const { AtomicBool::new(false) }; 2] }; GOALS.len() + 1];
        Stage { part, rules, reduced: true, stop: AtomicBool::new(false), found }
    }

    /// The same with the parcels that no receiver makes anything of.
    #[must_use]
    pub const fn unreduced(mut self) -> Stage {
        self.reduced = false;
        self
    }

    pub(super) fn begin(&self) -> Scene {
        let part = self.part;
        let system = System::new(&part.setup);
        let prints = (0..system.size()).map(|index| print(&system, index)).collect();
        Scene {
            system,
            prints,
            flying: Vec::new(),
            old: Vec::new(),
            now: 0,
            budget: part.budget,
            said: 0,
            submissions: 0,
            nonces: 0,
        }
    }

    /// Whether the receiver makes something of a parcel: chapter 10 says who hears what.
    fn is_heard(&self, parcel: &Parcel) -> bool {
        let validator = matches!(parcel.to, Actor::Validator(_));
        match &parcel.datagram {
            _ if self.part.silent.contains(&parcel.to) => false,
            _ if !self.reduced => true,
            Datagram::Packet(_)
            | Datagram::Gossip(
                Gossip::Block(_) | Gossip::PolicyChange { .. } | Gossip::RevocationList { .. },
            ) => true,
            Datagram::Gossip(Gossip::BlocksFrom(_)) => !matches!(parcel.to, Actor::User(_)),
            Datagram::Gossip(_) => validator,
        }
    }

    fn send(&self, scene: &mut Scene, from: Actor, sends: Vec<Output>) {
        let mut put = |to: Actor, datagram: Datagram| {
            let parcel = Parcel { from, to, datagram, flaws: Default::default() };
            if self.is_heard(&parcel) {
                insert(&mut scene.flying, (parcel_print(&parcel), Arc::new(parcel)));
            }
        };
        for output in sends {
            match output {
                Output::Send(to, packet) => put(to, Datagram::Packet(packet)),
                Output::Tell(to, gossip) => put(to, Datagram::Gossip(gossip)),
                Output::Publish(gossip) => {
                    let others = scene.system.actors().filter(|to| *to != from);
                    others.for_each(|to| put(to, Datagram::Gossip(gossip.clone())));
                }
            }
        }
    }

    /// What of this happens to whom; nothing when it cannot.
    fn perform(&self, scene: &mut Scene, what: &Move) -> Option<(Actor, Step)> {
        let rules = &self.rules;
        let now = scene.now;
        match what {
            Move::Command => {
                let (actor, command) = *self.part.script.get(scene.said)?;
                scene.said += 1;
                let step = scene.system.command(rules, now, actor, scene.submissions, command)?;
                scene.submissions += Tid::from(matches!(command, Command::Submit { .. }));
                Some((actor, step))
            }
            Move::Deliver(parcel) => {
                remove(&mut scene.flying, parcel);
                if scene.budget.replay > 0 && !scene.old.iter().any(|(_, old)| old == parcel) {
                    insert(&mut scene.old, (parcel_print(parcel), Arc::clone(parcel)));
                }
                self.arrive(scene, parcel, parcel.to, parcel.from)
            }
            Move::Drop(parcel) => {
                scene.budget.drop -= 1;
                remove(&mut scene.flying, parcel);
                Some((parcel.to, Step { event: "Drop", clause: None, sends: Vec::new() }))
            }
            Move::Replay(parcel) => {
                scene.budget.replay -= 1;
                if scene.budget.replay == 0 {
                    scene.old.clear();
                }
                self.arrive(scene, parcel, parcel.to, parcel.from)
            }
            Move::Redirect(parcel, to, from) => {
                scene.budget.redirect -= 1;
                remove(&mut scene.flying, parcel);
                self.arrive(scene, parcel, *to, *from)
            }
            Move::Wake(actor, lucky) => {
                if !scene.flying.is_empty() {
                    scene.budget.early -= 1;
                }
                scene.now = scene.now.max(scene.system.wakes(*actor)?);
                if *lucky {
                    scene.budget.luck -= 1;
                    scene.nonces += 1;
                }
                let found = lucky.then_some(scene.nonces);
                Some((*actor, scene.system.wake(rules, scene.now, *actor, found)?))
            }
            Move::Crash(actor) => {
                scene.budget.crash -= 1;
                Some((*actor, scene.system.crash(*actor)?))
            }
            Move::Say(actor, to, message) => {
                scene.budget.lie -= 1;
                Some((*actor, scene.system.say(rules, now, *actor, *to, *message)?))
            }
            Move::Tell(actor, to, gossip) => {
                scene.budget.lie -= 1;
                let sends = vec![Output::Tell(*to, gossip.clone())];
                Some((*actor, Step { event: "Tell", clause: None, sends }))
            }
        }
    }

    fn arrive(&self, scene: &mut Scene, parcel: &Parcel, to: Actor, from: Actor) -> Option<(Actor, Step)> {
        let step = scene.system.deliver(&self.rules, scene.now, to, from, &parcel.datagram, parcel.flaws)?;
        Some((to, step))
    }

    /// The scene after a move, with what the actor said of it.
    pub(super) fn play(&self, scene: &Scene, what: &Move) -> Option<(Scene, Actor, Step)> {
        let mut next = scene.clone();
        let (actor, mut step) = self.perform(&mut next, what)?;
        let index = next.system.index(actor)?;
        next.prints[index] = print(&next.system, index);
        self.send(&mut next, actor, std::mem::take(&mut step.sends));
        Some((next, actor, step))
    }
}

fn print(system: &System, index: usize) -> u64 {
    let mut hasher = hasher();
    system.hash_actor(index, &mut hasher);
    hasher.finish()
}

fn parcel_print(parcel: &Parcel) -> u64 {
    let mut hasher = hasher();
    parcel.hash(&mut hasher);
    hasher.finish()
}

/// One hash for every run and machine.
fn hasher() -> ahash::AHasher {
    use std::hash::BuildHasher;
    ahash::RandomState::with_seeds(1, 2, 3, 4).build_hasher()
}

fn insert(parcels: &mut Vec<(u64, Arc<Parcel>)>, parcel: (u64, Arc<Parcel>)) {
    let place = parcels.partition_point(|(print, _)| *print < parcel.0);
    parcels.insert(place, parcel);
}

fn remove(parcels: &mut Vec<(u64, Arc<Parcel>)>, parcel: &Parcel) {
    if let Some(place) = parcels.iter().position(|(_, one)| **one == *parcel) {
        parcels.remove(place);
    }
}

/// Whether this is the first time.
fn first(found: &AtomicBool) -> bool {
    !found.swap(true, Ordering::Relaxed)
}

fn holds<const N: usize>(stage: &Stage, scene: &Scene) -> bool {
    (GOALS[N].holds)(&scene.system) || !first(&stage.found[N][0])
}

fn happens<const N: usize>(stage: &Stage, scene: &Scene) -> bool {
    let found = &stage.found[N][1];
    !found.load(Ordering::Relaxed) && (GOALS[N].sometimes.1)(&scene.system) && first(found)
}

/// The name under which a search reports what sometimes has to happen for a goal.
pub(super) fn witness(goal: &str) -> Option<&'static str> {
    PROPERTIES.iter().find(|(name, ..)| *name == goal).map(|(_, witness, ..)| *witness)
}

type Condition = fn(&Stage, &Scene) -> bool;

macro_rules! properties {
    ($($index:literal),*) => {
        [$((GOALS[$index].name, GOALS[$index].sometimes.0, holds::<$index> as Condition, happens::<$index> as Condition)),*]
    };
}

/// Every goal with its two conditions.
const PROPERTIES: [(&str, &str, Condition, Condition); GOALS.len()] =
    properties!(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);

/// G-TER: where nothing can happen any more within the time of the part, everything has ended.
pub const TERMINATION: &str = "G-TER";

fn terminates(stage: &Stage, scene: &Scene) -> bool {
    let waits = |actor| scene.system.wakes(actor).is_some_and(|time| time <= stage.part.until);
    let over =
        scene.flying.is_empty() && scene.said == stage.part.script.len() && !scene.system.actors().any(waits);
    !over || everything_ended(&scene.system) || !first(&stage.found[GOALS.len()][0])
}

impl Model for Stage {
    type State = Scene;
    type Action = Move;

    fn init_states(&self) -> Vec<Scene> {
        vec![self.begin()]
    }

    fn actions(&self, scene: &Scene, actions: &mut Vec<Move>) {
        if self.stop.load(Ordering::Relaxed) {
            return;
        }
        let Budget { drop, replay, redirect, early, crash, lie, luck } = scene.budget;
        if scene.said < self.part.script.len() {
            actions.push(Move::Command);
        }
        let mut last = None;
        for (print, parcel) in &scene.flying {
            // Two equal parcels are one choice.
            if last.replace(*print) == Some(*print) {
                continue;
            }
            actions.push(Move::Deliver(Arc::clone(parcel)));
            if drop > 0 {
                actions.push(Move::Drop(Arc::clone(parcel)));
            }
            if redirect > 0 {
                moves::redirections(scene, parcel, actions);
            }
        }
        if replay > 0 {
            actions.extend(scene.old.iter().map(|(_, parcel)| Move::Replay(Arc::clone(parcel))));
        }
        if scene.flying.is_empty() || early > 0 {
            let waits = |actor| Some((scene.system.wakes(actor)?, actor));
            let waiting: Vec<(Time, Actor)> = scene.system.actors().filter_map(waits).collect();
            let first = waiting.iter().map(|(time, _)| *time).min();
            let first = first.filter(|first| *first <= self.part.until);
            for (_, actor) in waiting.into_iter().filter(|(time, _)| Some(*time) == first) {
                actions.push(Move::Wake(actor, false));
                let miner =
                    self.part.setup.ledger == LedgerKind::Work && matches!(actor, Actor::Validator(_));
                if miner && luck > 0 {
                    actions.push(Move::Wake(actor, true));
                }
            }
        }
        if crash > 0 {
            let mortal = |actor: &Actor| !matches!(actor, Actor::User(_));
            actions.extend(scene.system.actors().filter(mortal).map(Move::Crash));
        }
        if lie > 0 {
            moves::lies(self, scene, actions);
        }
    }

    fn next_state(&self, scene: &Scene, what: Move) -> Option<Scene> {
        self.play(scene, &what).map(|(next, ..)| next)
    }

    fn properties(&self) -> Vec<Property<Stage>> {
        let checked = |name: &str| self.part.goals.contains(&name);
        let mut properties: Vec<Property<Stage>> = Vec::new();
        for (name, witness, holds, happens) in PROPERTIES {
            if checked(name) {
                properties.push(Property::always(name, holds));
            }
            if properties.iter().all(|property| property.name != witness) {
                properties.push(Property::sometimes(witness, happens));
            }
        }
        if checked(TERMINATION) {
            properties.push(Property::always(TERMINATION, terminates));
        }
        properties
    }
}
