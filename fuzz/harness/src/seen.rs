//! What an input exercised, as far as its target says so: for an engine that cannot see the branches of the code.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A set of things that happened.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    ignores: bool,
    cost: u64,
    features: BTreeSet<u64>,
    /// Clauses that refused something, by id.
    clauses: BTreeSet<&'static str>,
}

impl Seen {
    /// For who does not want to know: nothing is kept.
    pub fn ignoring() -> Seen {
        Seen { ignores: true, ..Seen::default() }
    }

    /// Notes that this happened.
    pub fn note(&mut self, feature: impl Hash) {
        if !self.ignores {
            self.cost += 1;
            // Its keys are fixed: the same feature has the same number in every run.
            let mut hasher = DefaultHasher::new();
            feature.hash(&mut hasher);
            self.features.insert(hasher.finish());
        }
    }

    /// Notes that a clause refused something.
    pub fn refused(&mut self, clause: &'static str) {
        if !self.ignores {
            self.clauses.insert(clause);
            self.note(clause);
        }
    }

    /// How much an input makes its target do, the same in every run: how often something was noted, and what was spent beside it.
    pub const fn cost(&self) -> u64 {
        self.cost
    }

    /// Adds what cost as much as so many things that happened.
    pub const fn spend(&mut self, cost: u64) {
        self.cost += cost;
    }

    /// The things that happened, by number.
    pub fn features(&self) -> impl Iterator<Item = u64> {
        self.features.iter().copied()
    }

    /// Whether there is something in here that is not in `other`.
    pub fn adds_to(&self, other: &Seen) -> bool {
        !self.features.is_subset(&other.features)
    }

    /// How many things are in here that are not in `other`.
    pub fn more_than(&self, other: &Seen) -> usize {
        self.features.difference(&other.features).count()
    }

    /// Takes up all that `other` has.
    pub fn take(&mut self, other: &Seen) {
        self.features.extend(&other.features);
        self.clauses.extend(&other.clauses);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cost = 0;
        self.features.clear();
        self.clauses.clear();
    }

    /// How many things.
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The clauses that refused something, by id.
    pub const fn clauses(&self) -> &BTreeSet<&'static str> {
        &self.clauses
    }
}
