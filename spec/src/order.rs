//! The orders in which actors check their inputs, generated from the tables of the chapters.
//!
//! The first check of an order that fails refuses the input. What reads an order: the executable model, which asks in this
//! sequence; the message forger, which has to know which of two violations answers; the documentation of the functions that
//! check.

use crate::Clause;

/// One check of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// The clause that refuses when it fails.
    pub clause: Clause,
    /// What is checked, where the clause alone does not tell; empty otherwise.
    pub about: &'static str,
    /// The id of the order as part of which it is listed.
    pub part: Option<&'static str>,
}

/// The checks of one input, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The id in its caption.
    pub id: &'static str,
    /// Its checks; those of its parts stand in their places.
    pub checks: &'static [Check],
}

impl Order {
    /// The clauses of its checks, in their order; some occur more than once.
    pub fn clauses(&self) -> impl Iterator<Item = Clause> {
        self.checks.iter().map(|check| check.clause)
    }

    /// The index of the check of `clause`, counted from 0 among the checks of that clause.
    pub const fn position(&self, clause: Clause, occurrence: usize) -> Option<usize> {
        let (mut at, mut before) = (0, 0);
        while at < self.checks.len() {
            if self.checks[at].clause as usize == clause as usize {
                if before == occurrence {
                    return Some(at);
                }
                before += 1;
            }
            at += 1;
        }
        None
    }
}

include!(concat!(env!("OUT_DIR"), "/orders.rs"));
