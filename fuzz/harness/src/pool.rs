//! The inputs that an engine mutates: for everything that was exercised the cheapest that exercises it.
//!
//! An input that is the cheapest for nothing any longer is dropped. So inputs do not grow with the length of a campaign, and
//! there are never more of them than things seen, beside seeds of which a target says nothing.

use crate::{Dice, Seen};
use std::collections::{BTreeMap, VecDeque};

/// So many of the newest that exercised something for the first time are mutated as often as all others together.
const NEWEST: usize = 16;

/// How much is done with an input, and how long it is.
type Cost = (u64, usize);

/// Inputs, and what each is kept for.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// By number.
    inputs: Vec<Kept>,
    /// For everything that was exercised what that costs, and the number of the input.
    cheapest: BTreeMap<u64, (Cost, u64)>,
    /// Numbers.
    newest: VecDeque<u64>,
    /// The last number that was given.
    last: u64,
}

#[derive(Clone, Debug)]
struct Kept {
    number: u64,
    input: Vec<u8>,
    /// For how many things it is the cheapest.
    holds: usize,
}

impl Pool {
    /// Keeps an input, if it exercises something that none before did, or none as cheaply. Whether none before did.
    pub fn offer(&mut self, input: Vec<u8>, seen: &Seen) -> bool {
        let (cost, number) = ((seen.cost(), input.len()), self.last + 1);
        let (mut holds, mut first, mut outdone) = (0, false, Vec::new());
        for feature in seen.features() {
            let held = self.cheapest.get(&feature);
            if held.is_none_or(|(held, _)| cost < *held) {
                holds += 1;
                match self.cheapest.insert(feature, (cost, number)) {
                    Some((_, before)) => outdone.push(before),
                    None => first = true,
                }
            }
        }
        if holds == 0 {
            return false;
        }
        outdone.into_iter().for_each(|before| self.release(before));
        self.push(input, holds);
        if first {
            self.newest.push_front(number);
            self.newest.truncate(NEWEST);
        }
        first
    }

    /// Keeps a seed; one that exercises something only as [`Pool::offer`] does.
    pub fn seed(&mut self, input: Vec<u8>, seen: &Seen) -> bool {
        if !seen.is_empty() {
            return self.offer(input, seen);
        }
        self.push(input, 0);
        false
    }

    fn push(&mut self, input: Vec<u8>, holds: usize) {
        self.last += 1;
        self.inputs.push(Kept { number: self.last, input, holds });
    }

    /// Something is exercised more cheaply by another than by the input of this number.
    fn release(&mut self, number: u64) {
        let place = self.place(number).expect("what is the cheapest for something is kept");
        self.inputs[place].holds -= 1;
        if self.inputs[place].holds == 0 {
            self.inputs.remove(place);
            self.newest.retain(|newest| *newest != number);
        }
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.inputs.binary_search_by_key(&number, |kept| kept.number).ok()
    }

    /// One to be mutated.
    pub fn pick(&self, dice: &mut Dice) -> &[u8] {
        let newest =
            self.newest.get(dice.below(2 * self.newest.len())).and_then(|number| self.place(*number));
        newest.map_or_else(|| self.any(dice), |place| &self.inputs[place].input)
    }

    /// Any of them; an empty one where there is none.
    pub fn any(&self, dice: &mut Dice) -> &[u8] {
        dice.pick(&self.inputs).map_or(&[], |kept| &kept.input)
    }

    /// The one that was kept last; an empty one where there is none.
    pub fn latest(&self) -> &[u8] {
        self.inputs.last().map_or(&[], |kept| &kept.input)
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// All of them, in the order in which they came.
    pub fn into_inputs(self) -> Vec<Vec<u8>> {
        self.inputs.into_iter().map(|kept| kept.input).collect()
    }
}
