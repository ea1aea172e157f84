//! The cloud's log: appending leaves, signing heads, and what a client holds against the cloud.
//!
//! It keeps no record, decides nothing about who may read, and writes to no disk.

mod client;
mod log;
mod verify;

#[cfg(test)]
pub(crate) mod tests;

pub use client::{HeadConflict, LogClient};
pub use log::{Appended, CloudLog};
pub use verify::{LogOperator, verify_anchored, verify_head, verify_leaf};
