//! One network in one process: actors, envelopes in flight, a scheduler in virtual time, a hook for fault injection and one for
//! observation.
//!
//! It carries bytes and does not interpret them. The same seed gives the same bytes.

mod byzantine;
mod config;
mod envelope;
mod injector;
mod network;
mod node;
mod observer;
mod provisioned;
mod public_record;
mod roster;
mod rule_injector;
mod scheduler;

pub use byzantine::{ByzantinePolicy, ByzantineValidator};
pub use config::{LedgerKind, MAX_VALIDATORS, NetworkConfig, START};
pub use envelope::Envelope;
pub use injector::{FaultInjector, Reliable};
pub use network::Network;
pub use node::Node;
pub use observer::{Cause, Event};
pub use provisioned::ProvisionedKeys;
pub use public_record::PublicTables;
pub use roster::Roster;
pub use rule_injector::{Injected, Injection};
pub use scheduler::{Next, Scheduler};
