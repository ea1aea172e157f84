//! Exhaustive search of the model: every interleaving of what a small network and a bounded adversary can do.
//!
//! A *scope* is a list of *parts*; a part is a network, what its users do, and what the adversary may do and how often.
//! Breadth-first search visits every state of a part, checks every goal in it, and finds a run for each `sometimes`.
//! No byte is looked at here: the model has none.

mod moves;
mod part;
mod scene;
mod scopes;
mod search;

pub use part::{Budget, Part};
pub use scene::{Move, Scene};
pub use scopes::{SCOPES, Scope};
pub use search::{Found, GoalReport, PartReport, search, search_for};
