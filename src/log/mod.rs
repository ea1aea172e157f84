//! The cloud's log: appending leaves, signing heads, and what a client holds against the cloud.
//!
//! It keeps no record, decides nothing about who may read, and writes to no disk.

mod cloud_log;
mod verify;
mod witness;

#[cfg(test)]
pub(crate) mod tests;

pub use cloud_log::{Appended, CloudLog};
pub use verify::{CloudIdentity, verify_anchored, verify_head, verify_leaf};
pub use witness::{HeadConflict, Witness};
