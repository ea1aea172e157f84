//! What the adversary knows that nobody told it: the keys that leaked, and the records that open with them (chapter 19).
//!
//! What is sent it sees anyway, and what it makes itself it knows. Long-term keys open no record, so they are not here.

use crate::session_manager::SessionManager;
use crate::{Datagram, Envelope, Packet, Record, SessionId};
use bemr_spec::{Clause, Rules};
use std::collections::BTreeMap;

/// One direction of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ChainId {
    pub(super) session: SessionId,
    pub(super) from_initiator: bool,
}

impl ChainId {
    const fn of(record: &Record) -> ChainId {
        ChainId { session: record.session, from_initiator: record.from_initiator }
    }
}

/// The keys that leaked: of each chain, that after which record.
#[derive(Clone, Debug, Default)]
pub(super) struct Knowledge {
    after: BTreeMap<ChainId, u32>,
}

/// What somebody reads who has just learned more.
pub(super) struct Learned {
    /// All envelopes that open with what is known, by their numbers, ascending.
    pub(super) opened: Vec<u32>,
    /// Whether one of them went through its chain before that leaked.
    pub(super) past: bool,
}

impl Knowledge {
    /// The keys of an actor's sessions leak. Without SES-03 old keys are at hand, and leak too.
    pub(super) fn learn(&mut self, rules: &Rules, of: &SessionManager, sent: &[Envelope]) -> Learned {
        let ratchets = rules.in_force(Clause::SequenceAdvances);
        let chains: BTreeMap<ChainId, u32> = of.chains().collect();
        for (chain, last) in &chains {
            let after = if ratchets { *last } else { 0 };
            let known = self.after.entry(*chain).or_insert(after);
            *known = after.min(*known);
        }
        let mut learned = Learned { opened: Vec::new(), past: false };
        for (number, envelope) in (0..).zip(sent) {
            let Datagram::Packet(Packet::Record(record)) = &envelope.datagram else { continue };
            let chain = ChainId::of(record);
            if self.after.get(&chain).is_some_and(|after| record.sequence > *after) {
                learned.opened.push(number);
                // Of a chain that leaked before, the earlier moment counts.
                learned.past |= !ratchets && chains.get(&chain).is_some_and(|last| record.sequence <= *last);
            }
        }
        learned
    }
}
