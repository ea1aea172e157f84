//! B-EMR: a medical record travels from a user to a server database, is validated by a network of nodes some
//! of which lie, and is stored in a cloud that nobody has to trust.
//!
//! The rooms, lowest first; each looks only at those above it in this list: [`crypto`], [`wire`], [`keys`],
//! [`session`], [`records`], [`votes`], [`merkle`], [`ledger`], [`log`], [`audit`], [`store`], [`mod@machine`],
//! [`actors`], [`network`], `conformance`, `command`.

pub mod actors;
pub mod audit;
#[cfg(all(feature = "cli", feature = "store", feature = "weaken"))]
pub mod command;
pub mod conformance;
pub mod crypto;
pub mod keys;
pub mod ledger;
pub mod log;
pub mod machine;
pub mod merkle;
pub mod network;
pub mod records;
pub mod session;
pub mod store;
pub mod votes;
#[cfg(feature = "weave")]
pub mod weave;
pub mod wire;
