//! The actors: user, BSD, validator and cloud, each a state machine that does no input or output of its own.
//!
//! An actor takes one [`Input`] at an instant and answers with one [`Step`]: what it says of the input and what
//! it sends. A refused input leaves its state as it was. Nothing here knows of sockets, threads or clocks.

mod archive;
mod authority;
pub mod bsd;
pub mod cloud;
pub mod compose;
mod directory;
mod gossip;
mod interface;
mod neighbours;
mod office;
mod randomness;
mod replica;
pub mod user;
pub mod validator;

pub use archive::Archive;
pub use bsd::Bsd;
pub use cloud::Cloud;
pub use directory::Directory;
pub use interface::{Actor, Input, Output, Step};
#[cfg(bemr_weaken)]
pub use neighbours::Overheard;
pub use neighbours::{MAX_SESSIONS, MAX_WAITING, Neighbours, RETRY, Received};
pub use office::Office;
pub use randomness::Randomness;
pub use replica::{MAX_BLOCKS, Replica};
pub use user::User;
pub use validator::Validator;
