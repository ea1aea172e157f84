//! Counts the group operations of a thread, so that a bench can compare a run with the sum of its operations.
//!
//! Only with the feature `tally`; without it nothing is counted and nothing costs anything.

use super::Suite;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// One kind of group operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The generator to a secret power.
    BasePower,
    /// Any element to a secret power.
    Power,
    /// A table of powers of a public key.
    Table,
    /// The decoding of an element, with its membership check.
    Decode,
    /// A product of public powers.
    Product {
        /// Whether the generator is one of the bases.
        generator: bool,
        /// Keys with a table.
        keys: usize,
        /// Elements without.
        others: usize,
    },
}

/// How many operations of each suite and kind.
pub type Tally = BTreeMap<(Suite, Operation), u64>;

thread_local! {
    static TALLY: RefCell<Tally> = const { RefCell::new(Tally::new()) };
}

pub(super) fn count(suite: Suite, operation: Operation) {
    TALLY.with_borrow_mut(|tally| *tally.entry((suite, operation)).or_default() += 1);
}

/// What this thread has done since it began or since [`reset`].
pub fn snapshot() -> Tally {
    TALLY.with_borrow(Clone::clone)
}

/// Starts again from nothing.
pub fn reset() {
    TALLY.with_borrow_mut(Tally::clear);
}
