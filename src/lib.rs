//! B-EMR: a medical record travels from a user to a server database, is validated by a network of nodes some
//! of which lie, and is stored in a cloud that nobody has to trust.

pub mod audit;
pub mod crypto;
pub mod ledger;
pub mod log;
pub mod merkle;
pub mod store;
pub mod votes;
pub mod wire;
