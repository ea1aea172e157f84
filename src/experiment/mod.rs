//! What an ACK is worth: rules that decide from votes, adversaries that lie, and what is provable of both.
//!
//! A fast Monte-Carlo of the rules: [`Campaign`] goes through every rule, adversary, share of liars and mix of requests
//! and gives a [`Table`]. It is about decisions; keys, messages and certificates have no part in it. A decider sees
//! [`Ballots`] and [`Reexecution`], whose fields are closed to it:
//!
//! ```compile_fail
//! use bemr::experiment::{Decided, Decider, Ballots, Reexecution};
//! struct Cheat;
//! impl Decider for Cheat {
//!     fn decide(&mut self, ballots: &Ballots<'_>, contracts: &mut Reexecution) -> Decided {
//!         let truth = contracts.outcome;
//!         todo!()
//!     }
//! }
//! ```

mod adversary;
mod asking;
mod bench;
mod campaign;
mod claims;
mod counts;
mod deciders;
mod limits;
mod measures;
mod protocol;
mod report;
mod share;
mod tape;
mod trial;
mod visit;
mod voters;

pub use adversary::Adversary;
pub use asking::{Asked, Order, asking};
pub use bench::{ATTEMPTS, Ballots, Delay, LONGEST_WAIT, Reexecution};
pub use campaign::{Campaign, Cell, MistakeBound, PRIORS, Silenced, Table};
pub use claims::{ADOPTED, Added, CONTROLS, Claim, Mirrored, Reconstructed, T1, T2, Worst};
pub use deciders::{Asks, Decided, Decider, Rule, Ruling, SAMPLED, Uses};
pub use limits::{Limit, Setting, at_least, majority_is_right, somebody_answers, weighted_majority_mistakes};
pub use measures::{Delays, Estimate, Injected, Measured, Metric};
pub use protocol::{Expedition, Played, Point, REAL_NOISE, Spot};
pub use report::{Report, Summary};
pub use share::Share;
pub use tape::{Noise, Size};
pub use visit::Seen;
pub use voters::Voters;
