//! The actors: user, BSD, validator and cloud, each a state machine that does no input or output of its own.
//!
//! An actor takes one [`Input`] at an instant and answers with one [`Step`]: what it says of the input and what
//! it sends. A refused input leaves its state as it was. Nothing here knows of sockets, threads or clocks.

mod authority;
pub mod bsd;
mod certificate_directory;
pub mod cloud;
mod context;
mod gossip;
pub mod initial_builder;
mod interface;
mod ledger_view;
mod randomness;
mod session_manager;
mod store_handle;
pub mod user;
pub mod validator;

pub use bsd::Bsd;
pub use certificate_directory::CertificateDirectory;
pub use cloud::Cloud;
pub use context::NodeContext;
pub use interface::{Actor, Input, Output, Step};
pub use ledger_view::LedgerView;
pub use randomness::Randomness;
#[cfg(bemr_weaken)]
pub use session_manager::Overheard;
pub use session_manager::{Received, SessionManager};
pub use store_handle::StoreHandle;
pub use user::User;
pub use validator::Validator;
