//! The in-memory network: virtual time, links with latency, and a hook that decides what becomes of each packet.
//!
//! It carries bytes and knows nothing of what they mean.

mod conduct;
mod fate;
mod foundation;
mod links;
mod scenario;
mod world;

pub use conduct::{Conduct, Insider};
pub use fate::{Fair, Fate, Parcel};
pub use foundation::Foundation;
pub use links::Links;
pub use scenario::{Cast, LedgerKind, MAX_VALIDATORS, START, Scenario, Town};
pub use world::{Cause, Event, Node, World};
