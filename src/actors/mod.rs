//! The actors: user, BSD, validator and cloud, each a state machine that does no input or output of its own.
//!
//! An actor takes one [`Input`] at an instant and answers with one [`Step`]: its verdict on the input and what
//! it sends. A refused input leaves its state as it was. Nothing here knows of sockets, threads or clocks.

mod authority;
internal_mod!(bsd);
mod certificate_directory;
internal_mod!(cloud);
mod context;
mod gossip;
internal_mod!(initial_builder);
mod interface;
mod ledger_view;
mod provisioning;
mod randomness;
mod session_manager;
mod store_handle;
internal_mod!(user);
internal_mod!(validator);

pub use bsd::{Bsd, Evidence, State as SubmissionState};
pub use certificate_directory::CertificateDirectory;
pub use cloud::Cloud;
pub use cloud::record_machine::State as RecordState;
pub use context::NodeContext;
pub use interface::{Actor, Input, Output, Step};
pub use ledger_view::LedgerView;
pub use provisioning::Provisioning;
pub use randomness::Randomness;
#[cfg(bemr_weaken)]
pub use session_manager::Overheard;
internal!(use session_manager::{Received, SessionManager});
pub use store_handle::StoreHandle;
pub use user::{Answer, RequestId, User};
pub use validator::{ConsensusReport, TwoBlocks, Validator};
