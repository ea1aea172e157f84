//! The protocol as an executable model: pure, total, without bytes, clocks or randomness.
//!
//! It is written from the chapters, clause by clause, and from nothing else; the implementation knows nothing of it. One
//! function, [`System::step`], gives one input to one actor. What becomes of what the actor sends is the business of who
//! calls: an explorer tries everything, a runner does what a trace says.

mod action;
mod terms;

pub use action::*;
pub use terms::*;
