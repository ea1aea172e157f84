//! The evidential value of an ACK: decision rules over votes, adversaries, and provable bounds of both.
//!
//! A Monte-Carlo simulation of the rules: a [`Campaign`] combines every rule, adversary, share of Byzantine validators and mix of
//! requests into a [`Table`]. It models decisions only, without keys, messages and certificates. The inputs of a decider
//! are [`Ballots`] and [`Reexecution`]:
//!
//! ```
//! use bemr_lab::experiment::{Ballots, Decided, Decider, Delay, Reexecution, Voters};
//!
//! struct Verifier;
//! impl Decider for Verifier {
//!     fn decide(&mut self, ballots: &Ballots<'_>, contracts: &mut Reexecution) -> Decided {
//!         let ruling = contracts.run().into();
//!         Decided { ruling, at: Delay::NONE, acknowledged: None, evidence: Voters::NOBODY }
//!     }
//! }
//! ```
//!
//! Neither contains the truth, and the result of re-execution is inaccessible until its cost is counted:
//!
//! ```compile_fail
//! use bemr_lab::experiment::{Ballots, Decided, Decider, Delay, Reexecution, Voters};
//!
//! struct Cheat;
//! impl Decider for Cheat {
//!     fn decide(&mut self, ballots: &Ballots<'_>, contracts: &mut Reexecution) -> Decided {
//!         let ruling = contracts.outcome.into();
//!         Decided { ruling, at: Delay::NONE, acknowledged: None, evidence: Voters::NOBODY }
//!     }
//! }
//! ```
//!
//! [`Expedition`] executes the real protocol with Byzantine validators at some [`GridPoint`]s. A [`Report`] contains everything
//! as CSV, JSON and one page.

mod adversary;
mod campaign;
mod claims;
mod counts;
mod deciders;
mod limits;
mod measures;
mod protocol;
mod protocol_run;
mod query_strategy;
mod random_inputs;
mod report;
mod setting;
mod share;
mod trial;
mod voters;

pub use adversary::Adversary;
pub use campaign::{Campaign, Cell, MistakeBound, PRIORS, Silenced, Table};
pub use claims::{ADOPTED, Added, CONTROLS, Claim, Mirrored, Reconstructed, T1, T2, Worst};
pub use deciders::{Asks, Decided, Decider, Rule, Ruling, SAMPLED, Uses};
pub use limits::{Limit, Setting, at_least, majority_is_right, somebody_answers, weighted_majority_mistakes};
pub use measures::{Delays, Estimate, Injected, Measured, Metric};
pub use protocol::{Expedition, GridPoint, Played, Point, REAL_NOISE};
pub use protocol_run::Seen;
pub use query_strategy::{Asked, Order, asking};
pub use random_inputs::{Noise, Size};
pub use report::{Report, Summary};
pub use setting::{ATTEMPTS, Ballots, Delay, LONGEST_WAIT, Reexecution};
pub use share::Share;
pub use voters::Voters;
