//! The specification of B-EMR as values: the register of clauses, the verdicts, and the rules in force.
//!
//! The chapters beside this source are the specification; this package makes their clauses values that code can name, and
//! their message tables a decoder. There is no cryptography here, no clock, no randomness and no I/O.

mod clause;
pub mod constants;
pub mod machine;
pub mod machines;
pub mod messages;
pub mod order;
pub mod policies;
mod refusal;
mod rules;

pub use clause::{Clause, Verdict};
pub use machines::Event;
pub use refusal::Refusal;
pub use rules::Rules;

/// The examples of the README, so that they stay true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
