//! The attacker's share.

use serde::{Serialize, Serializer};

/// A share of validators in tenths, so that it is an exact number of them where ten divides their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u8);

impl Share {
    /// All.
    pub const WHOLE: Share = Share(10);

    /// None to nine tenths.
    pub const SWEEP: [Share; 10] =
        [Share(0), Share(1), Share(2), Share(3), Share(4), Share(5), Share(6), Share(7), Share(8), Share(9)];

    /// So many of this many, rounded down.
    pub fn of(self, validators: usize) -> usize {
        validators * usize::from(self.0) / 10
    }

    /// As a number, 0 to 1.
    pub fn of_one(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// What the attacker does not hold.
    pub fn rest(self) -> Share {
        Share(10 - self.0)
    }

    /// Below, at or above one half.
    pub fn beside_half(self) -> std::cmp::Ordering {
        self.0.cmp(&5)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1}", self.of_one())
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.of_one())
    }
}
