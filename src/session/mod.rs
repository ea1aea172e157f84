//! Sessions between peers: the handshake, the key schedule, the record layer and the sealing of used keys.
//!
//! No sockets and no clock: a step takes bytes and an instant and gives bytes. A session lives in memory alone; it
//! can be neither copied nor written down, so an actor that restarts performs a new handshake, and no nonce can
//! repeat.

#[cfg(bemr_weaken)]
mod compromised;
mod custodian;
mod established;
mod initiator;
#[cfg(bemr_weaken)]
pub mod insider;
mod records;
mod replay_cache;
mod responder;
mod schedule;
mod seal;
mod session_type;
#[cfg(test)]
mod tests;

#[cfg(bemr_weaken)]
pub use compromised::Stolen;
pub use custodian::{Custodian, OpenedChain, RecoveredKey};
internal!(use established::{Opened, Position, Sent, Session, UsedKey});
internal!(use initiator::AwaitingResponse);
internal!(use records::RECORD_OVERHEAD);
internal!(use responder::{AwaitingFinish, AwaitingHello});
pub use seal::SealChain;
internal!(use seal::{SealableStage, Sealed, stage});

use bemr_spec::Refusal;

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
