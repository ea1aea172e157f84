//! The side that sends the hello.

use crate::crypto::{Domain, Element, Ephemeral};
use crate::keys::{Credentials, TrustStore};
use crate::session::schedule::Schedule;
use crate::session::{Refused, Session};
use crate::wire::{
    Direction, Finish, Hello, IdentityProof, Name, PROTOCOL_VERSION, Packet, Response, SessionType, Time,
    decode, encode,
};
use bemr_spec::machines::initiator::{Event, Guard, State};
use bemr_spec::{Clause, Refusal, Rules, constants};
use rand::CryptoRng;

/// An initiator that has sent its hello and awaits the response of one intended peer.
pub struct AwaitingResponse {
    own: Credentials,
    intended: Name,
    hello: Hello,
    ephemeral: Ephemeral,
    began: Time,
}

impl AwaitingResponse {
    /// Begins a handshake with `intended`; gives the hello to send.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(begin_handshake)]
    pub fn begin<R: CryptoRng + ?Sized>(
        rules: &Rules,
        rng: &mut R,
        now: Time,
        own: &Credentials,
        purpose: SessionType,
        intended: &Name,
    ) -> Result<(AwaitingResponse, Vec<u8>), Refusal> {
        rules.require(Clause::PeerIsNotSelf, intended != own.name())?;
        own.role().require_place(rules, purpose.initiator())?;
        let next = State::Idle.on(rules, Event::Begin, Guard::OwnRoleOpensSuchSessions)?;
        debug_assert_eq!(next, State::AwaitingResponse, "the state that is returned");
        let suite = own.identity().suite();
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let ephemeral = Ephemeral::generate(suite, rng);
        let hello = Hello {
            version: PROTOCOL_VERSION,
            suite,
            purpose,
            nonce,
            ephemeral: ephemeral.public().encode().into(),
        };
        let packet = encode(&Packet::Hello(hello.clone()));
        let state =
            AwaitingResponse { own: own.clone(), intended: intended.clone(), hello, ephemeral, began: now };
        Ok((state, packet))
    }

    /// Takes the response; gives the session and the finish to send. A refused response leaves the state as it
    /// was, so that a forger cannot end a handshake.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(response)]
    pub fn on_response(
        self,
        rules: &Rules,
        trust: &mut TrustStore,
        now: Time,
        packet: &[u8],
    ) -> Result<(Session, Vec<u8>), Box<Refused<AwaitingResponse>>> {
        self.establish(rules, trust, now, packet)
            .map_err(|refusal| Box::new(Refused { state: self, refusal }))
    }

    fn establish(
        &self,
        rules: &Rules,
        trust: &mut TrustStore,
        now: Time,
        packet: &[u8],
    ) -> Result<(Session, Vec<u8>), Refusal> {
        rules.require(Clause::SessionIsFresh, now < self.began.after(constants::HANDSHAKE_MS))?;
        let Response { nonce, ephemeral, proof } = match decode(rules, packet)? {
            Packet::Response(response) => response,
            other => return Err(refusal(rules, &other)),
        };
        let element = Element::decode(rules, self.hello.suite, ephemeral.as_slice())
            .map_err(|refusal| refusal.at("ephemeral"))?;
        let schedule = Schedule::new(&self.hello, &nonce, &ephemeral, &self.ephemeral, &element);
        let theirs = schedule.open_proof(rules, Direction::ResponderToInitiator, &proof)?;
        let peer = trust.verify(rules, now, &theirs.certificate)?;
        let purpose = self.hello.purpose;
        rules.require(Clause::PeerIsNotSelf, peer.name() != self.own.name())?;
        rules
            .require(Clause::PeerIsIntended, *peer.name() == self.intended)
            .map_err(|refusal| refusal.at(peer.name().as_str()))?;
        peer.role().require_place(rules, purpose.responder())?;
        let heard = schedule.responder_transcript(&theirs.certificate);
        let (clause, tag) = (Clause::ResponderSignsTranscript, Domain::RESPONDER_SIGNATURE);
        peer.signing_key().vouches(rules, clause, tag, heard.as_bytes(), &theirs.signature)?;
        rules.check(Clause::ResponderConfirmsKey, || {
            schedule.confirms(Direction::ResponderToInitiator, &heard, &theirs.confirmation)
        })?;
        let next = State::AwaitingResponse.on(rules, Event::Response, Guard::EveryCheckHolds)?;
        debug_assert_eq!(next, State::Established, "the state that is returned");

        let own = Direction::InitiatorToResponder;
        let certificate = self.own.certified().certificate();
        let said = Schedule::initiator_transcript(&heard, &proof, certificate);
        let signing_key = self.own.identity().signing_key();
        let ours = IdentityProof {
            certificate: certificate.clone(),
            signature: signing_key.sign(rules, Domain::INITIATOR_SIGNATURE, said.as_bytes()),
            confirmation: schedule.confirmation(own, &said),
        };
        let finish = encode(&Packet::Finish(Finish { proof: schedule.seal_proof(own, &ours) }));
        let session = Session::new(schedule.records(rules, &said, own), &self.own, peer);
        Ok((session, finish))
    }
}

impl std::fmt::Debug for AwaitingResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwaitingResponse")
            .field("intended", &self.intended)
            .field("purpose", &self.hello.purpose)
            .field("began", &self.began)
            .finish_non_exhaustive()
    }
}

/// Why a packet other than a response is refused: the state has a row for each kind.
fn refusal(rules: &Rules, packet: &Packet) -> Refusal {
    let event = match packet {
        Packet::Hello(_) => Event::Hello,
        Packet::Response(_) => Event::Response,
        Packet::Finish(_) => Event::Finish,
        Packet::Record(_) => Event::Record,
    };
    let taken = State::AwaitingResponse.on(rules, event, Guard::Always);
    taken.err().unwrap_or_else(|| Refusal::new(Clause::EventFitsState)).at(packet.kind())
}
