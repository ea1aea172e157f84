//! Validator sets, ballot boxes and quorum certificates.
//!
//! It verifies and counts votes; the actors decide what follows.

mod ballot_box;
mod quorum;
mod validator_set;

internal!(use ballot_box::{BallotBox, Equivocation, Tally, VerifiedVote});
pub use quorum::{verify_quorum, verify_signatories};
pub use validator_set::ValidatorSet;
