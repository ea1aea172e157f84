//! What actors send: into the pool, and in the words of the model.

use crate::refinement::{content_type, session_type};
use crate::sut::{Bytes, CLEAR, Envelope, SystemUnderTest};
use bemr::actors::{Output, Overheard};
use bemr::wire::{self, Closing};
use bemr_model::{Actor, Message, Packet};
use bemr_spec::Rules;
use std::rc::Rc;

impl SystemUnderTest {
    /// Puts what an actor sends into the pool, and says it in the words of the model.
    pub(super) fn send(
        &mut self,
        slot: usize,
        cause: Option<Packet>,
        outputs: impl Iterator<Item = Output>,
    ) -> Vec<bemr_model::Output> {
        let by = self.actors[slot];
        let mut written: Vec<(wire::SessionId, u64, Message)> = Vec::new();
        for heard in self.nodes[slot].context().sessions.overheard() {
            match heard {
                Overheard::Session(real, keys) => {
                    self.watch.session(keys);
                    if let Some(Packet::Response { session } | Packet::Finish { session, .. }) = cause {
                        self.tables.began(real, session);
                    }
                }
                Overheard::Message { message, written: place, .. } => {
                    // The answer to a request can be like a lie that was told before, and is its own.
                    let answers =
                        |record: &bemr_model::Record| matches!(record.message, Message::Read { .. });
                    let own = matches!(&cause, Some(Packet::Record(record)) if answers(record));
                    let forged = self.forged.iter().rposition(|(real, _)| !own && *real == message);
                    let said = match forged {
                        // Once it is written nobody says it again.
                        Some(number) if place.is_some() => self.forged.remove(number).1,
                        Some(number) => self.forged[number].1,
                        None => {
                            let said = self.tables.message(by, cause.as_ref(), &message);
                            self.hear(by, said, &message);
                            said
                        }
                    };
                    if let Some((position, _)) = &place {
                        written.push((position.session, position.sequence, said));
                    }
                    self.watch.said(message, place.as_ref().map(|(_, key)| key));
                }
            }
        }
        outputs.filter_map(|output| self.send_one(by, cause, &written, output)).collect()
    }

    pub(super) fn send_one(
        &mut self,
        by: Actor,
        cause: Option<Packet>,
        written: &[(wire::SessionId, u64, Message)],
        output: Output,
    ) -> Option<bemr_model::Output> {
        match output {
            Output::Send { to, packet, .. } => {
                let to = self.tables.actor(&to)?;
                let term = self.name_packet(by, to, cause, written, &packet)?;
                let bytes = Bytes::Packet(Rc::new(packet));
                self.envelopes.push(Envelope { from: by, to, bytes, packet: Some(term) });
                Some(bemr_model::Output::Send(to, term))
            }
            Output::SendGossip { to, gossip } => {
                let to = self.tables.actor(&to)?;
                let (term, bytes) = self.name_gossip(gossip);
                self.envelopes.push(Envelope { from: by, to, bytes, packet: None });
                Some(bemr_model::Output::SendGossip(to, term))
            }
            Output::Publish(gossip) => {
                if let wire::Gossip::Block(block) = &gossip
                    && let Closing::Work(work) = &block.header().closing
                {
                    self.found = Some(self.recorded.unwrap_or(work.nonce));
                    if let Some(recorded) = self.recorded {
                        self.tables.record_nonce(block.header(), recorded);
                    }
                }
                let (term, bytes) = self.name_gossip(gossip);
                for to in self.actors.iter().copied().filter(|to| *to != by) {
                    let bytes = bytes.clone();
                    self.envelopes.push(Envelope { from: by, to, bytes, packet: None });
                }
                Some(bemr_model::Output::Publish(term))
            }
        }
    }

    fn name_gossip(&mut self, gossip: wire::Gossip) -> (bemr_model::Gossip, Bytes) {
        let (term, gossip) = (self.tables.gossip(&gossip), Rc::new(gossip));
        self.hear_told(&term, &gossip);
        (term, Bytes::Gossip(gossip))
    }

    fn name_packet(
        &mut self,
        by: Actor,
        to: Actor,
        cause: Option<Packet>,
        written: &[(wire::SessionId, u64, Message)],
        packet: &[u8],
    ) -> Option<Packet> {
        // Of a record only what it says in clear is needed, of the others only the kind.
        let rules = Rules::hardened();
        if let Some((4, clear)) = packet.split_first().map(|(kind, rest)| (*kind, rest)) {
            let header: wire::RecordHeader = wire::decode(&rules, clear.get(..CLEAR)?).ok()?;
            let place = (header.session, header.sequence);
            let (.., message) =
                written.iter().find(|(session, sequence, _)| (*session, *sequence) == place)?;
            return Some(Packet::Record(bemr_model::Record {
                session: self.tables.session(&header.session),
                from_initiator: header.direction == wire::Direction::InitiatorToResponder,
                stage: content_type(header.stage),
                sequence: header.sequence as u32,
                message: *message,
            }));
        }
        Some(match wire::decode::<wire::Packet>(&rules, packet).ok()? {
            wire::Packet::Hello(hello) => {
                let purpose = session_type(hello.purpose);
                Packet::Hello { hello: self.tables.hello(by, to), purpose }
            }
            wire::Packet::Response(_) => {
                let Some(Packet::Hello { hello, .. }) = cause else { return None };
                Packet::Response { session: self.tables.response(hello, by) }
            }
            wire::Packet::Finish(_) => {
                let Some(Packet::Response { session }) = cause else { return None };
                Packet::Finish { session, by }
            }
            wire::Packet::Record(_) => return None,
        })
    }
}
