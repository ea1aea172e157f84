//! Sessions that are there from the beginning: handshakes of which nobody hears.

use crate::sut::SystemUnderTest;
use bemr::actors::{Output, Overheard, Received};
use bemr::wire::SessionType;
use bemr_model::{Actor, Ordinal, SessionId};
use bemr_spec::{Clause, Refusal};

impl SystemUnderTest {
    /// Makes every session that an honest run needs (chapter 19), and says what the model calls it.
    pub(super) fn establish(&mut self) -> Result<(), Refusal> {
        for from in self.actors.clone() {
            let pairs = match from {
                Actor::User(_) => vec![(Actor::Bsd, SessionType::Initial), (Actor::Cloud, SessionType::Read)],
                Actor::Bsd => {
                    let validators = self.actors.iter().filter(|actor| matches!(actor, Actor::Validator(_)));
                    let cloud = [(Actor::Cloud, SessionType::Valid)];
                    validators.map(|validator| (*validator, SessionType::Block)).chain(cloud).collect()
                }
                Actor::Cloud | Actor::Validator(_) | Actor::Kdc => Vec::new(),
            };
            pairs.into_iter().try_for_each(|(to, purpose)| self.shake_hands(from, to, purpose))?;
        }
        Ok(())
    }

    fn shake_hands(&mut self, from: Actor, to: Actor, purpose: SessionType) -> Result<(), Refusal> {
        let place = |actor| self.slot(actor).expect("both take part");
        let ends = [place(from), place(to)];
        let names = ends.map(|slot| self.names[slot].clone());
        let office = self.nodes[ends[0]].context();
        let sessions = &mut office.sessions;
        let mut packet =
            packet(sessions.greet(&office.rules, &mut office.rng, self.now, &names[1], purpose)?)?;
        // Response, finish, and nothing more.
        for (slot, sender) in [(ends[1], &names[0]), (ends[0], &names[1])] {
            packet =
                self.answer(slot, sender, &packet)?.pop().ok_or_else(unanswered).and_then(self::packet)?;
        }
        self.answer(ends[1], &names[0], &packet)?;
        let session = SessionId { hello: self.tables.hello(from, to), by: to, number: Ordinal::default() };
        for slot in ends {
            for heard in self.nodes[slot].context().sessions.overheard() {
                if let Overheard::Session(real, keys) = heard {
                    self.tables.began(real, session);
                    self.watch.session(keys);
                }
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        slot: usize,
        from: &bemr::wire::Name,
        packet: &[u8],
    ) -> Result<Vec<Output>, Refusal> {
        match self.nodes[slot].context().receive(self.now, from, packet).1? {
            Received::HandshakeProgress(_, outputs, _) => Ok(outputs),
            Received::Message { .. } => Err(unanswered()),
        }
    }
}

fn unanswered() -> Refusal {
    Refusal::new(Clause::FlightIsAuthentic)
}

fn packet(output: Output) -> Result<Vec<u8>, Refusal> {
    match output {
        Output::Send { packet, .. } => Ok(packet),
        Output::SendGossip { .. } | Output::Publish(_) => Err(unanswered()),
    }
}
