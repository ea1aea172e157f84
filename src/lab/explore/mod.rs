//! Exhaustive search of the model: every interleaving of what a small network and a bounded adversary can do.
//!
//! A *scope* is a list of *parts*; a part is a network, what its users do, and what the adversary may do and how often.
//! Breadth-first search visits every state of a part, checks every goal in it, and finds a run for each `sometimes`.
//! No byte is looked at here: the model has none.
//!
//! States are reduced in four ways, and tests show of each that it changes no verdict.
//!
//! - The network keeps no order: what is on its way is a multiset.
//! - A parcel that its receiver makes nothing of (chapter 10 says who hears what) is not sent at all.
//! - Users and validators whom nothing tells apart are one another: of the states that differ in nothing but who of them is
//!   who, one is looked at. Who they are follows from the part (`symmetry`), and is checked whenever one of them reacts.
//! - A nonce that closes a block has no value of its own: which it is, is a matter of the block's digest.
//!
//! A part of which not every order is searched says so ([`Arrival`]). There, of moves that happen to validators who differ in nothing
//! but their number, one is looked at, whatever their number is.
//!
//! Submissions are never taken for one another: they are numbered in the order in which they were made, and sequence numbers,
//! questions and the audit log show that order. Nor are users whom the script names, nor validators whose turn to propose can
//! come before the part is over: to swap two of those is to swap two instants as well.

mod configuration;
mod counterexample;
mod forgery;
mod goals;
mod moves;
mod partial_order;
mod search;
mod search_model;
mod state;
pub(crate) mod suites;
mod symmetry;
mod transition_cache;

pub use configuration::{Arrival, Budget, SearchConfig};
pub use counterexample::Counterexample;
pub use goals::{AuxiliaryProperty, BESIDE, CERTIFIED, PROGRESS, STORED, TERMINATION};
pub use search::{
    BoundedSearch, Estimate, Found, FoundStep, GoalReport, PartReport, Progress, estimate, hunt, search,
    search_for, search_within,
};
pub use search_model::SearchModel;
pub use state::{Move, SearchState};
pub use suites::{SCOPES, SearchSuite};
