//! The public ledger: a tree of blocks of which one branch is in force, closed by quorum or by proof of work.
//!
//! It holds decisions and anchors, no record and no attribute. It does not vote, does not decide what goes into
//! a block, and sends nothing.

mod branch;
mod canonical;
mod inclusion;
mod proposal;
mod replica;
mod schedule;
mod signer_lock;
mod verified;

#[cfg(test)]
pub(crate) mod tests;

pub use inclusion::{double_signers, verify_close, verify_entry};
internal!(use proposal::Proposal);
pub use replica::{ChainUpdate, Decision, Ledger};
internal!(use signer_lock::SignerLock);
