//! The public ledger: a tree of blocks of which one branch is in force, closed by quorum or by proof of work.
//!
//! It holds decisions and anchors, no record and no attribute. It does not vote, does not decide what goes into
//! a block, and sends nothing.

mod ancestry;
mod book;
mod closer;
mod inclusion;
mod proposal;
mod schedule;
mod trunk;
mod verified;

#[cfg(test)]
pub(crate) mod tests;

pub use book::{Change, Decision, Ledger, MAX_AHEAD, MAX_ENTRIES};
pub use closer::Closer;
pub use inclusion::{double_signers, verify_close, verify_entry};
pub use proposal::Proposal;
