//! Traces: what happened, step by step, in one format that people and programs read.
//!
//! A trace holds public things alone: who did what, the verdict, the clause, sizes, and digests of public state.

pub mod drawing;
#[cfg(feature = "weaken")]
pub mod forge;
pub mod fuzzing;
#[cfg(feature = "weaken")]
pub mod lockstep;
mod picture;
mod recorder;
mod rerun;
#[cfg(feature = "weaken")]
pub mod rig;
pub mod trace;

pub use picture::one_record;
pub use recorder::{MAX_TRACED, Recorder};
#[cfg(feature = "weaken")]
pub use rerun::rerun_beside;
pub use rerun::{Rerun, rerun};
pub use trace::{FORMAT, Flaw, Header, Principal, Send, Step, Trace, TraceError, TraceWriter};
