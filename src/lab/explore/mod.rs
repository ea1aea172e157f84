//! Exhaustive search of the model: every interleaving of what a small network and a bounded adversary can do.
//!
//! A *suite* is a list of *configurations*; a configuration is a network, what its users do, and what the adversary may do and how
//! often. Breadth-first search (`breadth_first`) visits every state, checks every goal in it, and finds a run for each `sometimes`.
//! The model has no bytes, so that a search covers none. A test counts the states of small configurations once more, with another checker
//! (`transition_system`).
//!
//! States are reduced in four ways, and tests show of each that it changes no verdict.
//!
//! - The network keeps no order: what is in flight is a multiset.
//! - An envelope that its receiver makes nothing of (chapter 10 says who processes what) is not sent at all.
//! - Symmetry reduction: of states that differ only by a permutation of users or validators that nothing tells apart, the search visits
//!   one. Which permutations these are follows from the configuration (`symmetry`), and is checked whenever an actor reacts.
//! - A nonce that closes a block has no value of its own: which it is depends on the block's digest.
//!
//! A configuration of which not every order is searched says so ([`Arrival`], partial-order reduction). There, of moves that happen to
//! validators who differ in nothing but their number, the search takes one, whatever their number is.
//!
//! Symmetry does not cover submissions: they are numbered in the order in which they were made, and sequence numbers, requests and the
//! audit log show that order. Nor does it cover users whom the script names, nor validators whose round as proposer can come before the
//! configuration's time is over: swapping two of those swaps two instants as well.

mod adversary;
mod breadth_first;
mod configuration;
mod counterexample;
mod estimate;
mod forgery;
mod goals;
mod partial_order;
mod search;
mod search_model;
mod state;
pub(crate) mod suites;
mod symmetry;
mod transition_cache;
mod transition_system;

pub use configuration::{Arrival, Budget, SearchConfig};
pub use counterexample::Counterexample;
pub use estimate::{Estimate, estimate};
pub use goals::{AuxiliaryProperty, BESIDE, CERTIFIED, PROGRESS, STORED, TERMINATION};
pub use search::{
    BoundedSearch, Found, FoundStep, GoalReport, Progress, SearchReport, search, search_bounded, search_for,
    search_within,
};
pub use search_model::SearchModel;
pub use state::{Move, SearchState};
pub use suites::{SUITES, SearchSuite};
pub use transition_system::TransitionSystem;
