//! Somebody reads the memory of an actor, and opens with what is there what they saw on the links.

use crate::sut::{Bytes, Envelope, SystemUnderTest};
use bemr::wire::{self, decode};
use bemr_model::{Actor, Happened, Packet};
use bemr_spec::{Event, Rules};

impl SystemUnderTest {
    /// The keys of an actor's sessions leak; what opens with all that ever leaked.
    pub(super) fn leak(&mut self, actor: Actor) -> Option<Happened> {
        let slot = self.slot(actor)?;
        self.stolen.extend(self.nodes[slot].context().sessions.stolen());
        let mut happened = self.happened(Actor::Bsd, None, Event::Leak, None, Vec::new());
        happened.opened = (0..)
            .zip(&self.envelopes)
            .filter(|(_, envelope)| self.reads(envelope))
            .map(|(at, _)| at)
            .collect();
        Some(happened)
    }

    fn reads(&self, envelope: &Envelope) -> bool {
        let (Bytes::Packet(packet), Some(Packet::Record(record))) = (&envelope.bytes, &envelope.packet)
        else {
            return false;
        };
        // An intruder obeys no rules.
        let rules = Rules::hardened();
        let Ok(wire::Packet::Record(sealed)) = decode(&rules, packet) else { return false };
        let mut of_session = self.stolen.iter().filter(|stolen| stolen.id() == sealed.header.session);
        of_session.any(|stolen| {
            let message = stolen.open(&sealed).and_then(|text| decode::<wire::Message>(&rules, &text).ok());
            message.is_some_and(|message| message.name() == record.message.name())
        })
    }
}
