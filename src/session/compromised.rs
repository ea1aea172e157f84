//! What an intruder finds of a session in memory, for checkers: the keys as they stand, and what opens with them.
//!
//! Nothing of the protocol is here: no actor steals.

use crate::session::records::{Chain, nonce};
use crate::wire::{Direction, Record, SessionId, encode};
use zeroize::Zeroizing;

/// No record is looked for further behind a stolen key than this.
const REACH: u64 = 1 << 16;

/// The keys of one end of a session at one moment.
pub struct Stolen {
    pub(super) id: SessionId,
    pub(super) chains: [(Direction, Chain); 2],
}

impl Stolen {
    /// The session.
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The message in a record, should one of these keys open it; the keys are tried, and nothing else is looked at.
    pub fn open(&self, record: &Record) -> Option<Zeroizing<Vec<u8>>> {
        let header = &record.header;
        let (_, chain) = self.chains.iter().find(|(direction, _)| *direction == header.direction)?;
        (header.session == self.id && header.sequence <= chain.last.saturating_add(REACH)).then_some(())?;
        let (_, key) = chain.ahead(header.sequence);
        let nonce = nonce(header.direction, header.stage, header.sequence);
        key.open(&nonce, &encode(header), record.ciphertext.as_slice()).map(Zeroizing::new)
    }
}

impl std::fmt::Debug for Stolen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stolen").field("id", &self.id).finish_non_exhaustive()
    }
}
