//! The in-memory network: virtual time, links with latency, and a hook that decides what becomes of each packet.
//!
//! It carries bytes and knows nothing of what they mean.

mod byzantine;
mod configuration;
mod fault_injector;
mod links;
mod network;
mod provisioned;

pub use byzantine::{ByzantinePolicy, ByzantineValidator};
pub use configuration::{LedgerKind, MAX_VALIDATORS, Network, NetworkConfig, Roster, START};
pub use fault_injector::{Envelope, FaultInjector, Reliable};
pub use links::Links;
pub use network::{Cause, Event, Node, Simulator};
pub use provisioned::ProvisionedKeys;
