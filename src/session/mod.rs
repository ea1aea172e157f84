//! Sessions between neighbours: the handshake, the key schedule, the record layer and the sealing of used keys.
//!
//! No sockets and no clock: a step takes bytes and an instant and gives bytes. A session lives in memory alone; it
//! can be neither copied nor written down, so an actor that starts again shakes hands again, and no nonce can
//! repeat.

mod custodian;
mod fresh;
mod initiator;
#[cfg(bemr_weaken)]
pub mod insider;
mod open;
mod places;
mod records;
mod responder;
mod schedule;
mod seal;
#[cfg(bemr_weaken)]
mod stolen;
#[cfg(test)]
mod tests;

pub use custodian::{Custodian, OpenedChain, RecoveredKey};
pub use fresh::{HANDSHAKE_TIME, REMEMBERED_HELLOS};
pub use initiator::AwaitingResponse;
pub use open::{Opened, Position, Sent, Session, UsedKey};
pub use records::{RECORD_OVERHEAD, SEQUENCE_LIMIT, SKIP_LIMIT};
pub use responder::{AwaitingFinish, AwaitingHello};
pub use seal::{MAX_SEALED_KEYS, SEAL_LIMIT, SealChain, SealableStage, Sealed, stage};
#[cfg(bemr_weaken)]
pub use stolen::Stolen;

/// The transitions of the machines in this room.
pub mod transitions {
    pub use super::initiator::TRANSITIONS as INITIATOR;
    pub use super::open::TRANSITIONS as SESSION;
    pub use super::responder::TRANSITIONS as RESPONDER;
}

use bemr_spec::{Clause, Refusal};

/// One row of a transition table: from, event, guard, to, output, and the clause of a refusal.
pub type Transition = (&'static str, &'static str, &'static str, &'static str, &'static str, Option<Clause>);

/// A state that refused an event, as it was before.
#[derive(Debug)]
pub struct Refused<S> {
    /// The state, unchanged.
    pub state: S,
    /// Why.
    pub refusal: Refusal,
}

impl<S> From<Refused<S>> for Refusal {
    fn from(refused: Refused<S>) -> Refusal {
        refused.refusal
    }
}
