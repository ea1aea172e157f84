//! Sets of validators, as one word.

use std::ops::{BitAnd, BitOr, BitXor};

/// A set of validators, each by its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Voters(u128);

impl Voters {
    /// The most validators that a set can hold: places are below it.
    pub const MOST: usize = 128;

    /// Nobody.
    pub const NOBODY: Voters = Voters(0);

    /// The first `count` places, at most [`Voters::MOST`].
    pub fn first(count: usize) -> Voters {
        Voters(1_u128.checked_shl(count as u32).map_or(u128::MAX, |above| above - 1))
    }

    /// Those whose bit is set, the least for place 0.
    pub fn of_bits(bits: u128) -> Voters {
        Voters(bits)
    }

    /// The one at this place, below [`Voters::MOST`].
    pub fn only(place: usize) -> Voters {
        Voters(1 << place)
    }

    /// How many.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether it is nobody.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the one at this place is among them.
    pub fn has(self, place: usize) -> bool {
        !(self & Voters::only(place)).is_empty()
    }

    /// Those who are not in `others`.
    pub fn without(self, others: Voters) -> Voters {
        Voters(self.0 & !others.0)
    }

    /// Their places, ascending.
    pub fn places(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (place < Voters::MOST).then_some(place)
        })
    }
}

impl BitAnd for Voters {
    type Output = Voters;
    fn bitand(self, other: Voters) -> Voters {
        Voters(self.0 & other.0)
    }
}

impl BitOr for Voters {
    type Output = Voters;
    fn bitor(self, other: Voters) -> Voters {
        Voters(self.0 | other.0)
    }
}

impl BitXor for Voters {
    type Output = Voters;
    fn bitxor(self, other: Voters) -> Voters {
        Voters(self.0 ^ other.0)
    }
}

impl FromIterator<usize> for Voters {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Voters {
        places.into_iter().fold(Voters::NOBODY, |set, place| set | Voters::only(place))
    }
}
