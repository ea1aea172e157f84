//! The refinement mapping: what the values and messages of the implementation are in the model.
//!
//! A real value has the name that its first appearance gave it; a forged one, that of its term. What no table knows gets a name that
//! the model never uses, so it shows as a divergence.

mod authority;
mod forged;
mod map;
mod messages;
mod vocabulary;

pub use map::RefinementMap;

pub(crate) use authority::{ABEYANCE, ADMISSION, newest};
pub(crate) use map::{ballot, role};
pub(crate) use vocabulary::{content_type, decision, real_role, session_type};
