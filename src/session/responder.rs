//! The side that answers a hello.

use crate::crypto::{Digest, Domain, Element, Ephemeral};
use crate::keys::{Credentials, TrustStore};
use crate::session::replay_cache::SeenHellos;
use crate::session::schedule::Schedule;
use crate::session::{Refused, Session};
use crate::wire::{
    Direction, Hello, IdentityProof, PROTOCOL_VERSION, Packet, Response, Time, decode, encode,
};
use bemr_spec::machines::responder::{Event, Guard, State};
use bemr_spec::{Clause, Refusal, Rules, constants};
use rand::CryptoRng;
use tls_codec::TlsByteVecU16;
use zeroize::Zeroizing;

/// A responder that awaits hellos; it stays, and makes an [`AwaitingFinish`] of each hello that it answers.
#[derive(Debug)]
pub struct AwaitingHello {
    own: Credentials,
    seen: SeenHellos,
}

/// A responder that has answered one hello and awaits the finish.
#[derive(Debug)]
pub struct AwaitingFinish {
    own: Credentials,
    schedule: Schedule,
    heard: Digest,
    hello: Hello,
    proof: TlsByteVecU16,
    began: Time,
}

impl AwaitingHello {
    /// A responder that answers every purpose that its role answers.
    pub fn new(own: &Credentials) -> AwaitingHello {
        AwaitingHello { own: own.clone(), seen: SeenHellos::default() }
    }

    /// Answers a hello; gives the response to send. It does not yet know to whom.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(hello)]
    pub fn on_hello<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        now: Time,
        packet: &[u8],
    ) -> Result<(AwaitingFinish, Vec<u8>), Refusal> {
        let hello = match decode(rules, packet)? {
            Packet::Hello(hello) => hello,
            other => return Err(refusal(rules, State::AwaitingHello, &other)),
        };
        let suite = self.own.identity().suite();
        rules
            .require(Clause::SuiteNotDowngraded, hello.version == PROTOCOL_VERSION)
            .map_err(|refusal| refusal.at("version"))?;
        rules
            .require(Clause::SuiteNotDowngraded, hello.suite == suite)
            .map_err(|refusal| refusal.at("suite"))?;
        self.own.role().require_place(rules, hello.purpose.responder())?;
        rules.check(Clause::SessionIsFresh, || !self.seen.contains(&hello.nonce, now))?;
        let element = Element::decode(rules, suite, hello.ephemeral.as_slice())
            .map_err(|refusal| refusal.at("ephemeral"))?;
        let next = State::AwaitingHello.on(rules, Event::Hello, Guard::EveryCheckHolds)?;
        debug_assert_eq!(next, State::AwaitingFinish, "the state that is returned");
        self.seen.insert(hello.nonce, now);

        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let pair = Ephemeral::generate(suite, rng);
        let ephemeral = pair.public().encode().into();
        let schedule = Schedule::new(&hello, &nonce, &ephemeral, &pair, &element);
        let certificate = self.own.certified().certificate();
        let heard = schedule.responder_transcript(certificate);
        let direction = Direction::ResponderToInitiator;
        let signing_key = self.own.identity().signing_key();
        let ours = IdentityProof {
            certificate: certificate.clone(),
            signature: signing_key.sign(rules, Domain::RESPONDER_SIGNATURE, heard.as_bytes()),
            confirmation: schedule.confirmation(direction, &heard),
        };
        let proof = schedule.seal_proof(direction, &ours);
        let packet = encode(&Packet::Response(Response { nonce, ephemeral, proof: proof.clone() }));
        let state = AwaitingFinish { own: self.own.clone(), schedule, heard, hello, proof, began: now };
        Ok((state, packet))
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.seen.len()
    }
}

impl AwaitingFinish {
    /// When the hello was answered.
    pub const fn began(&self) -> Time {
        self.began
    }

    /// Takes the finish; gives the session. A refused finish leaves the state as it was.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(finish)]
    pub fn on_finish(
        self,
        rules: &Rules,
        trust: &mut TrustStore,
        now: Time,
        packet: &[u8],
    ) -> Result<Session, Box<Refused<AwaitingFinish>>> {
        self.establish(rules, trust, now, packet)
            .map_err(|refusal| Box::new(Refused { state: self, refusal }))
    }

    fn establish(
        &self,
        rules: &Rules,
        trust: &mut TrustStore,
        now: Time,
        packet: &[u8],
    ) -> Result<Session, Refusal> {
        rules.require(Clause::SessionIsFresh, now < self.began.after(constants::HANDSHAKE_MS))?;
        let finish = match decode(rules, packet)? {
            Packet::Finish(finish) => finish,
            other => return Err(refusal(rules, State::AwaitingFinish, &other)),
        };
        let direction = Direction::InitiatorToResponder;
        let theirs = self.schedule.open_proof(rules, direction, &finish.proof)?;
        let peer = trust.verify(rules, now, &theirs.certificate)?;
        rules.require(Clause::PeerIsNotSelf, peer.name() != self.own.name())?;
        peer.role().require_place(rules, self.hello.purpose.initiator())?;
        let heard = Schedule::initiator_transcript(&self.heard, &self.proof, &theirs.certificate);
        let (clause, tag) = (Clause::InitiatorSignsTranscript, Domain::INITIATOR_SIGNATURE);
        peer.signing_key().vouches(rules, clause, tag, heard.as_bytes(), &theirs.signature)?;
        rules.check(Clause::InitiatorConfirmsKey, || {
            self.schedule.confirms(direction, &heard, &theirs.confirmation)
        })?;
        let next = State::AwaitingFinish.on(rules, Event::Finish, Guard::EveryCheckHolds)?;
        debug_assert_eq!(next, State::Established, "the state that is returned");
        let records = self.schedule.records(rules, &heard, direction.reverse());
        Ok(Session::new(records, &self.own, peer))
    }

    /// A record before the finish: refused, whatever it holds.
    ///
    /// # Errors
    /// SES-01. Its mutant opens what the unproven peer sent under keys of the transcript so far.
    pub fn on_record(&self, rules: &Rules, packet: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        rules.require(Clause::SessionEstablished, false)?;
        match decode(rules, packet)? {
            Packet::Record(record) => {
                let mut records = self.schedule.records(rules, &self.heard, Direction::ResponderToInitiator);
                records.open(rules, &record).map(|(message, ..)| message)
            }
            other => Err(Refusal::new(Clause::MessageTypeIsExpected).at(other.kind())),
        }
    }
}

/// Why a packet that `state` does not await is refused: it has a row for each kind.
fn refusal(rules: &Rules, state: State, packet: &Packet) -> Refusal {
    let event = match packet {
        Packet::Hello(_) => Event::Hello,
        Packet::Response(_) => Event::Response,
        Packet::Finish(_) => Event::Finish,
        Packet::Record(_) => Event::Record,
    };
    let taken = state.on(rules, event, Guard::Always);
    taken.err().unwrap_or_else(|| Refusal::new(Clause::EventFitsState)).at(packet.kind())
}
