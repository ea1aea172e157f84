//! Exhaustive search of the model: every interleaving of what a small network and a bounded adversary can do.
//!
//! A *scope* is a list of *parts*; a part is a network, what its users do, and what the adversary may do and how often.
//! Breadth-first search visits every state of a part, checks every goal in it, and finds a run for each `sometimes`.
//! No byte is looked at here: the model has none.
//!
//! States are reduced in two ways. The network keeps no order, so what is on its way is a multiset; and a parcel that its
//! receiver makes nothing of (chapter 10 says who hears what) is not sent at all: tests show that this changes no verdict.
//! Validators are *not* taken for one another: whose turn it is to propose is their number, counted from the height
//! (chapter 10), so that to swap two of them is to swap two instants as well, and a state and its mirror image have different
//! futures. Users differ by role, and submissions by the order in which they were made.

mod atlas;
mod goals;
mod moves;
mod part;
mod scene;
mod scopes;
mod search;
mod stage;
mod symmetry;

pub use goals::TERMINATION;
pub use part::{Budget, Part};
pub use scene::{Move, Scene};
pub use scopes::{SCOPES, Scope};
pub use search::{
    Estimate, Found, FoundStep, GoalReport, PartReport, Progress, estimate, search, search_for,
};
pub use stage::Stage;
