//! What an ACK is worth: rules that decide from votes, adversaries that lie, and what is provable of both.
//!
//! A fast Monte-Carlo of the rules: [`Campaign`] goes through every rule, adversary, share of liars and mix of requests
//! and gives a [`Table`]. It is about decisions; keys, messages and certificates have no part in it. A decider sees
//! [`Ballots`] and [`Reexecution`]:
//!
//! ```
//! use crate::experiment::{Ballots, Decided, Decider, Delay, Reexecution, Voters};
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
//! The truth is in neither, and what re-execution would say is closed until it is paid for:
//!
//! ```compile_fail
//! use crate::experiment::{Ballots, Decided, Decider, Delay, Reexecution, Voters};
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
//! The real protocol with validators that lie is run at some [`GridPoint`]s beside it: [`Expedition`]. A [`Report`] says all of
//! it as CSV, JSON and one page.

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
