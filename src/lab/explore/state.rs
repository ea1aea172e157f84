//! States of a search, packed one behind the other, and what can happen in one.

use crate::explore::Budget;
use crate::explore::transition_cache::{Number, Reaction, TransitionCache};
use bemr_model::{Actor, Time};
use std::hash::{Hash, Hasher};

/// The part of a state that is not a list: the time, how far the script is, and what the adversary may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) now: Time,
    pub(super) budget: Budget,
    /// How many commands of the script were given.
    pub(super) commands: u8,
    pub(super) submissions: u16,
}

/// A state, wherever it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct StateRef<'a> {
    pub(super) counters: Counters,
    /// The state of every actor, in their order.
    pub(super) actors: &'a [Number],
    /// Envelopes in flight, ascending: the network keeps no order.
    pub(super) in_flight: &'a [Number],
    /// Envelopes that were delivered, each once, while the adversary may still replay one; ascending.
    pub(super) delivered: &'a [Number],
}

impl StateRef<'_> {
    /// Adds up the fingerprints of all that the lists name, under each of the names that `sums` has room for: a sum, since neither
    /// the network nor the set of actors has an order (an actor's state says itself whose it is).
    pub(super) fn add_up(&self, cache: &TransitionCache, sums: &mut [u64]) {
        sums.fill(0);
        self.actors.iter().for_each(|number| add(sums, cache.states.prints(*number)));
        self.in_flight.iter().for_each(|number| add(sums, cache.envelopes.prints(*number)));
        self.delivered.iter().for_each(|number| add_delivered(sums, cache.envelopes.prints(*number)));
    }

    /// The same for the actors alone, as they are: what the goals look at.
    pub(super) fn system_print(&self, cache: &TransitionCache) -> u64 {
        self.actors.iter().fold(0, |sum, number| sum.wrapping_add(cache.states.prints(*number)[0]))
    }

    /// Whether a validator is one of two who can be swapped without a difference, and the other has the lower number.
    pub(super) fn has_twin_of_lower_number(&self, cache: &TransitionCache, validator: u8) -> bool {
        let mut swaps = cache.swaps().iter().filter(|swap| swap.high == validator).peekable();
        if swaps.peek().is_none() {
            return false;
        }
        let mut sums = vec![0; cache.width()];
        self.add_up(cache, &mut sums);
        swaps.any(|swap| sums[swap.name] == sums[0])
    }
}

fn add(sums: &mut [u64], prints: &[u64]) {
    sums.iter_mut().zip(prints).for_each(|(sum, print)| *sum = sum.wrapping_add(*print));
}

fn subtract(sums: &mut [u64], prints: &[u64]) {
    sums.iter_mut().zip(prints).for_each(|(sum, print)| *sum = sum.wrapping_sub(*print));
}

/// An envelope counts otherwise once it was delivered.
fn add_delivered(sums: &mut [u64], prints: &[u64]) {
    sums.iter_mut().zip(prints).for_each(|(sum, print)| *sum = sum.wrapping_add(print.rotate_left(32)));
}

/// What becomes of the envelopes that can be replayed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Delivered {
    Same,
    With(Number),
    /// Nothing can be replayed any more.
    Forgotten,
}

/// What a move makes of a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect<'a> {
    pub(super) counters: Counters,
    /// The envelope that is no longer in flight.
    pub(super) arrived: Option<Number>,
    pub(super) delivered: Delivered,
    /// The actor to whom something happened, by its place, and what it makes of it.
    pub(super) reaction: Option<(usize, &'a Reaction)>,
}

impl Effect<'_> {
    fn sends(&self) -> &[Number] {
        self.reaction.map_or(&[], |(_, reaction)| &reaction.sends)
    }

    /// The fingerprint of the state that it makes of `before`, whose lists add up to `sums`. It is that of the name under which the
    /// sum is least, so that states which differ in nothing but who is who have the same.
    pub(super) fn print(
        &self,
        cache: &TransitionCache,
        before: &StateRef<'_>,
        sums: &[u64],
        after: &mut [u64],
    ) -> u64 {
        after.copy_from_slice(sums);
        if let Some(number) = self.arrived {
            subtract(after, cache.envelopes.prints(number));
        }
        match self.delivered {
            Delivered::Same => {}
            Delivered::With(number) => add_delivered(after, cache.envelopes.prints(number)),
            Delivered::Forgotten => {
                for number in before.delivered {
                    let prints = cache.envelopes.prints(*number);
                    let each = after.iter_mut().zip(prints);
                    each.for_each(|(sum, print)| *sum = sum.wrapping_sub(print.rotate_left(32)));
                }
            }
        }
        if let Some((place, reaction)) = self.reaction {
            subtract(after, cache.states.prints(before.actors[place]));
            add(after, cache.states.prints(reaction.state));
        }
        self.sends().iter().for_each(|number| add(after, cache.envelopes.prints(*number)));
        print(after, &self.counters)
    }
}

/// The fingerprint of a state whose lists add up to this under each name.
pub(super) fn print(sums: &[u64], counters: &Counters) -> u64 {
    let Counters { now, budget, commands, submissions } = *counters;
    let Budget { drop, replay, redirect, early, crash, byzantine, luck } = budget;
    let spent = u64::from_le_bytes([drop, replay, redirect, early, crash, byzantine, luck, commands]);
    let least = sums.iter().copied().min().unwrap_or(0);
    ahash::RandomState::with_seeds(5, 6, 7, 8).hash_one((least, now, spent, submissions))
}

/// States one behind the other.
#[derive(Clone, Debug, Default)]
pub(super) struct States {
    rows: Vec<Row>,
    /// Of each state the actors, what is in flight, and what was delivered.
    numbers: Vec<Number>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    counters: Counters,
    /// Where its numbers end, those of what is in flight, and those of the actors.
    end: usize,
    in_flight_end: usize,
    actors_end: usize,
}

impl States {
    /// One state, in which nothing was sent.
    pub(super) fn of_actors(numbers: Vec<Number>, budget: Budget) -> States {
        let counters = Counters { now: 0, budget, commands: 0, submissions: 0 };
        let end = numbers.len();
        States { rows: vec![Row { counters, end, in_flight_end: end, actors_end: end }], numbers }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.numbers.clear();
    }

    pub(super) fn get(&self, place: usize) -> StateRef<'_> {
        let row = &self.rows[place];
        let start = if place == 0 { 0 } else { self.rows[place - 1].end };
        StateRef {
            counters: row.counters,
            actors: &self.numbers[start..row.actors_end],
            in_flight: &self.numbers[row.actors_end..row.in_flight_end],
            delivered: &self.numbers[row.in_flight_end..row.end],
        }
    }

    /// Adds what a move makes of a state.
    pub(super) fn push(&mut self, before: &StateRef<'_>, effect: &Effect<'_>) {
        let start = self.numbers.len();
        self.numbers.extend_from_slice(before.actors);
        if let Some((place, reaction)) = effect.reaction {
            self.numbers[start + place] = reaction.state;
        }
        let actors_end = self.numbers.len();
        match effect.arrived.and_then(|number| before.in_flight.iter().position(|one| *one == number)) {
            Some(place) => {
                self.numbers.extend_from_slice(&before.in_flight[..place]);
                self.numbers.extend_from_slice(&before.in_flight[place + 1..]);
            }
            None => self.numbers.extend_from_slice(before.in_flight),
        }
        effect.sends().iter().for_each(|number| insert(&mut self.numbers, actors_end, *number));
        let in_flight_end = self.numbers.len();
        if !matches!(effect.delivered, Delivered::Forgotten) {
            self.numbers.extend_from_slice(before.delivered);
        }
        if let Delivered::With(number) = effect.delivered {
            insert(&mut self.numbers, in_flight_end, number);
        }
        let (counters, end) = (effect.counters, self.numbers.len());
        self.rows.push(Row { counters, end, in_flight_end, actors_end });
    }

    pub(super) fn append(&mut self, other: &States) {
        let shift = self.numbers.len();
        self.numbers.extend_from_slice(&other.numbers);
        self.rows.extend(other.rows.iter().map(|row| Row {
            counters: row.counters,
            end: row.end + shift,
            in_flight_end: row.in_flight_end + shift,
            actors_end: row.actors_end + shift,
        }));
    }
}

/// Puts a number into its place among those from `start` on.
fn insert(numbers: &mut Vec<Number>, start: usize, number: Number) {
    let place = start + numbers[start..].partition_point(|one| *one < number);
    numbers.insert(place, number);
}

/// A single state; its fingerprint is of the whole of it.
#[derive(Clone, Debug)]
pub struct SearchState {
    pub(super) state: States,
    print: u64,
}

impl SearchState {
    pub(super) fn new(state: States, cache: &TransitionCache) -> SearchState {
        let mut sums = vec![0; cache.names()];
        state.get(0).add_up(cache, &mut sums);
        let print = print(&sums, &state.get(0).counters);
        SearchState { state, print }
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

/// Something that can happen. Numbers are those of one search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The next command of the script.
    Command,
    /// An envelope arrives.
    Deliver(u32),
    /// An envelope is lost.
    Drop(u32),
    /// An envelope arrives once more.
    Replay(u32),
    /// An envelope arrives at another actor, or from another address.
    Redirect(u32, Actor, Actor),
    /// The instant comes that an actor waits for; under proof of work with or without a nonce.
    Wake(Actor, bool),
    /// An actor crashes and starts again.
    Crash(Actor),
    /// The adversary sends a message with an insider's keys or in another's name.
    Byzantine(u32),
}
