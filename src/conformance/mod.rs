//! Traces: what happened, step by step, in one format that people and programs read.
//!
//! A trace holds public things alone: who did what, the verdict, the clause, sizes, and digests of public state.

mod diagram;
mod picture;
#[cfg(feature = "weaken")]
pub mod rig;
mod trace;

pub use diagram::{sequence, story};
pub use picture::one_record;
pub use trace::{FORMAT, Header, Principal, Send, TraceStep};
