//! The protocol as an executable model: pure, total, without bytes, clocks or randomness.
//!
//! It is written from the chapters, clause by clause, and from nothing else; the implementation knows nothing of it. One
//! function, [`System::deliver`] and its like, gives one input to one actor. What becomes of what the actor sends is the
//! business of who calls: an explorer tries everything, a runner does what a trace says.
//!
//! What it does not have: bytes and digests, hence nothing about encodings beyond that a broken one is refused; the contents
//! of records (a record *breaks* a rule or does not); templates and contracts as data (they have versions, and one contract
//! that ends all submissions while it is in force); certificates beside those that everybody begins with; targets of proof of
//! work (every block counts alike); and the bounds that only floods reach.

mod action;
mod auditor;
mod bsd;
mod causes;
mod checks;
mod cloud;
mod conjuncts;
mod consensus;
mod custodian;
mod damage;
mod enrolment;
mod goals;
mod kdc;
mod knowledge;
mod ledger;
mod network;
mod origin;
mod policy;
mod public;
mod rename;
mod roles;
mod session_manager;
mod shared;
mod system;
mod terms;
mod trust;
mod user;
mod validator;

pub use action::*;
pub use conjuncts::{BESIDE_GOALS, Conjunct};
pub use custodian::{MOST_FAULTS, SealFault, SealId};
pub use damage::{Damage, Row};
pub use enrolment::*;
pub use goals::{
    GOALS, Goal, SHOWN, everything_ended, final_blocks_agree, sound_is_committed, stored_is_certified,
    two_certificates,
};
pub use ledger::quorum;
pub use network::Execution;
pub use origin::{Forgery, Ordinal, Origin, Tid};
pub use policy::{Change, Edition, Newest, Policy, Versions};
pub use public::{Falsehood, Falsification, Field, LeafKind, List, Place};
pub use rename::{Rename, Renaming};
pub use roles::may_handle_records;
pub use system::{ActorState, Step, System};
pub use terms::*;
