//! B-EMR: a medical record travels from a user to a server database, is validated by a network of nodes some
//! of which lie, and is stored in a cloud that nobody has to trust.

pub mod crypto;
pub mod machine;
pub mod votes;
#[cfg(feature = "weave")]
pub mod weave;
pub mod keys;
pub mod session;
pub mod records;
pub mod wire;
