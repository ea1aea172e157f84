//! One state of a search, and what can happen in it.

use crate::explore::Budget;
use crate::explore::transition_cache::{Number, TransitionCache};
use bemr_model::{Actor, Time};
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

/// Actors, what is on its way, the time, and what the adversary may still do.
#[derive(Clone, Debug)]
pub struct SearchState {
    /// Of every actor, in their order.
    pub(super) states: Box<[Number]>,
    /// On its way, ascending: the network keeps no order.
    pub(super) flying: Vec<Number>,
    /// Was delivered, each once, for replays; ascending.
    pub(super) old: Vec<Number>,
    pub(super) now: Time,
    pub(super) budget: Budget,
    /// How many commands of the script were given.
    pub(super) said: u8,
    pub(super) submissions: u16,
    /// The same for every scene that is this one under other names, and for no other.
    pub(super) print: u64,
    /// How many scenes are this one under other names, itself among them.
    pub(super) orbit: u16,
    /// What the goals say of it, where somebody asked.
    pub(super) verdict: OnceLock<u64>,
}

/// Something that can happen. Numbers are those of one search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The next command of the script.
    Command,
    /// A parcel arrives.
    Deliver(u32),
    /// A parcel is lost.
    Drop(u32),
    /// A parcel arrives once more.
    Replay(u32),
    /// A parcel arrives at somebody else, or from somebody else.
    Redirect(u32, Actor, Actor),
    /// The instant comes that an actor waits for; under proof of work with or without a nonce.
    Wake(Actor, bool),
    /// An actor dies and starts again.
    Crash(Actor),
    /// An insider says something.
    Lie(u32),
}

impl SearchState {
    pub(super) fn new(states: Box<[Number]>, budget: Budget, atlas: &TransitionCache) -> SearchState {
        let (flying, old) = (Vec::new(), Vec::new());
        let mut scene = SearchState {
            states,
            flying,
            old,
            now: 0,
            budget,
            said: 0,
            submissions: 0,
            print: 0,
            orbit: 1,
            verdict: OnceLock::new(),
        };
        scene.look(atlas);
        scene
    }

    /// Takes its fingerprint, after it has changed: of all names under which it can be seen the one with the least counts.
    pub(super) fn look(&mut self, atlas: &TransitionCache) {
        let own = self.sum(atlas, 0);
        let (mut least, mut fixed) = (own, 1);
        for name in 1..atlas.names() {
            let sum = self.sum(atlas, name);
            least = least.min(sum);
            fixed += usize::from(sum == own);
        }
        self.orbit = (atlas.names() / fixed) as u16;
        let rest = (least, self.now, self.budget, self.said, self.submissions);
        self.print = ahash::RandomState::with_seeds(5, 6, 7, 8).hash_one(rest);
    }

    /// Whether a validator is one of two who can be swapped without a difference, and the other has the lower number.
    pub(super) fn is_a_copy(&self, atlas: &TransitionCache, validator: u8) -> bool {
        let own = self.sum(atlas, 0);
        let mut swaps = atlas.swaps().iter().filter(|swap| swap.high == validator);
        swaps.any(|swap| self.sum(atlas, swap.name) == own)
    }

    /// A sum, since there is no order; an actor's state says itself whose it is.
    fn sum(&self, atlas: &TransitionCache, name: usize) -> u64 {
        let states = self.states.iter().map(|state| atlas.state(*state).prints[name]);
        let flying = self.flying.iter().map(|parcel| atlas.parcel(*parcel).prints[name]);
        let old = self.old.iter().map(|parcel| atlas.parcel(*parcel).prints[name].rotate_left(32));
        states.chain(flying).chain(old).fold(0, u64::wrapping_add)
    }
}

impl Hash for SearchState {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.print);
    }
}

impl PartialEq for SearchState {
    fn eq(&self, other: &SearchState) -> bool {
        self.print == other.print
    }
}

/// Puts a number into its place.
pub(super) fn insert(numbers: &mut Vec<Number>, number: Number) {
    let place = numbers.partition_point(|one| *one < number);
    numbers.insert(place, number);
}
