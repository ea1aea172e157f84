//! A session of an initiator that a test holds itself.

use super::{RULES, Testbed};
use bemr::actors::{Input, Output, Step};
use bemr::session::{AwaitingResponse, Session};
use bemr::wire::{ContentType, Message, Name, Packet, SessionType, decode, encode};

/// An initiator's session in the hands of a test, which may send any bytes as any content type.
pub(crate) struct HeldSession {
    pub(crate) who: Name,
    pub(crate) to: Name,
    pub(crate) session: Session,
}

impl HeldSession {
    fn content_type(&self) -> ContentType {
        match self.session.purpose() {
            SessionType::Initial => ContentType::Initial,
            SessionType::Block => ContentType::Block,
            SessionType::Valid => ContentType::Valid,
            SessionType::Read => ContentType::Read,
        }
    }
}

impl Testbed {
    /// Performs a handshake as `who`.
    pub(crate) fn connect(&mut self, who: &Name, to: &Name, session_type: SessionType) -> HeldSession {
        let own = self.network.keys.credentials[who].clone();
        let now = self.now();
        let (state, hello) =
            AwaitingResponse::begin(&RULES, &mut self.rng, now, &own, session_type, to).unwrap();
        let responded = self.deliver(to, Input::Packet { from: who.clone(), packet: hello });
        let Some(Output::Send { packet, .. }) = responded.outputs().next() else {
            panic!("no response: {responded:?}")
        };
        let mut trust = self.network.keys.trust.clone();
        let Ok((session, finish)) = state.on_response(&RULES, &mut trust, now, packet) else {
            panic!("no session")
        };
        self.deliver(to, Input::Packet { from: who.clone(), packet: finish }).outcome.unwrap();
        HeldSession { who: who.clone(), to: to.clone(), session }
    }

    /// Sends a message as the content type of its session; gives the actor's step and its answers.
    pub(crate) fn send_in(&mut self, held: &mut HeldSession, message: &Message) -> (Step, Vec<Message>) {
        self.send_bytes(held, held.content_type(), &encode(message))
    }

    /// Sends bytes as a record of this content type.
    pub(crate) fn send_bytes(
        &mut self,
        held: &mut HeldSession,
        content_type: ContentType,
        bytes: &[u8],
    ) -> (Step, Vec<Message>) {
        let packet = held.session.seal_record(&RULES, content_type, bytes).unwrap().record;
        let step = self.deliver(&held.to, Input::Packet { from: held.who.clone(), packet });
        let mut answers = Vec::new();
        for output in step.outputs() {
            if let Output::Send { to, packet, .. } = output
                && *to == held.who
                && matches!(decode::<Packet>(&RULES, packet), Ok(Packet::Record(_)))
            {
                let opened = held.session.open_record(&RULES, packet).unwrap();
                answers.push(decode(&RULES, &opened.message).unwrap());
            }
        }
        (step, answers)
    }
}
