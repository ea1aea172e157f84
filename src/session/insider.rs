//! The two ends of a handshake, and the seals of a chain, as somebody makes them who keeps the key schedule and not the rules.
//! For checkers.

use crate::crypto::{DecapsulationKey, Digest, Domain, Element, Ephemeral, SigningKey, Suite};
use crate::session::records::Records;
use crate::session::schedule::Schedule;
use crate::session::seal::{chain_id, first_chain_key, ratchet, seal_nonce};
use crate::wire::{
    Certificate, ContentType, Direction, Finish, Hello, IdentityProof, PROTOCOL_VERSION, Packet, Response,
    Seal, SealChainStart, SealContext, SessionId, SessionType, decode, encode,
};
use bemr_spec::{Clause, Refusal, Rules, constants};
use rand::CryptoRng;
use tls_codec::TlsByteVecU16;
use zeroize::Zeroizing;

/// An initiator, of whom nobody knows yet who it will be.
pub struct Caller {
    hello: Hello,
    pair: Ephemeral,
}

/// It, with the response to its hello.
pub struct Answered {
    schedule: Schedule,
    heard: Digest,
    proof: TlsByteVecU16,
}

impl Caller {
    /// One with a fresh hello.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R, suite: Suite, purpose: SessionType) -> Caller {
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let pair = Ephemeral::generate(suite, rng);
        let ephemeral = pair.public().encode().into();
        Caller { hello: Hello { version: PROTOCOL_VERSION, suite, purpose, nonce, ephemeral }, pair }
    }

    /// Its hello.
    pub fn hello(&self) -> Packet {
        Packet::Hello(self.hello.clone())
    }

    /// Opens the response; nothing when it does not open.
    pub fn answered(&self, rules: &Rules, response: &Response) -> Option<Answered> {
        let element = Element::decode(rules, self.hello.suite, response.ephemeral.as_slice()).ok()?;
        let schedule = Schedule::new(&self.hello, &response.nonce, &response.ephemeral, &self.pair, &element);
        let theirs = schedule.open_proof(rules, Direction::ResponderToInitiator, &response.proof).ok()?;
        let heard = schedule.responder_transcript(&theirs.certificate);
        Some(Answered { schedule, heard, proof: response.proof.clone() })
    }
}

impl Answered {
    /// A finish that shows `certificate` and is signed by `signer`, with the proof as `edit` leaves it.
    pub fn finish(
        &self,
        rules: &Rules,
        certificate: &Certificate,
        signer: &SigningKey,
        edit: impl FnOnce(&mut IdentityProof),
    ) -> Packet {
        let said = Schedule::initiator_transcript(&self.heard, &self.proof, certificate);
        let sender = Direction::InitiatorToResponder;
        let mut proof = IdentityProof {
            certificate: certificate.clone(),
            signature: signer.sign(rules, Domain::INITIATOR_SIGNATURE, said.as_bytes()),
            confirmation: self.schedule.confirmation(sender, &said),
        };
        edit(&mut proof);
        Packet::Finish(Finish { proof: self.schedule.seal_proof(sender, &proof) })
    }
}

/// A response to `hello` that shows `certificate` and is signed by `signer`, with the proof as `edit` leaves it; nothing when
/// the hello has no element.
pub fn respond<R: CryptoRng + ?Sized>(
    rules: &Rules,
    rng: &mut R,
    hello: &Hello,
    certificate: &Certificate,
    signer: &SigningKey,
    edit: impl FnOnce(&mut IdentityProof),
) -> Option<Packet> {
    let element = Element::decode(rules, hello.suite, hello.ephemeral.as_slice()).ok()?;
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    let pair = Ephemeral::generate(hello.suite, rng);
    let ephemeral = pair.public().encode().into();
    let schedule = Schedule::new(hello, &nonce, &ephemeral, &pair, &element);
    let said = schedule.responder_transcript(certificate);
    let sender = Direction::ResponderToInitiator;
    let mut proof = IdentityProof {
        certificate: certificate.clone(),
        signature: signer.sign(rules, Domain::RESPONDER_SIGNATURE, said.as_bytes()),
        confirmation: schedule.confirmation(sender, &said),
    };
    edit(&mut proof);
    let proof = schedule.seal_proof(sender, &proof);
    Some(Packet::Response(Response { nonce, ephemeral, proof }))
}

/// A seal of the chain that begins with `start`, with this context around what is no key: 32 zeros for each. `custodian` is the
/// key to which the chain was opened; the owner has the same by other means. Nothing where the index is not in the chain.
pub fn wrap_anew(
    rules: &Rules,
    custodian: &DecapsulationKey,
    start: &SealChainStart,
    context: SealContext,
) -> Option<Seal> {
    (1..=constants::CHAIN_SEALS).contains(&context.index).then_some(())?;
    let shared = custodian.decapsulate(rules, start.encapsulation.as_slice(), &encode(&start.body)).ok()?;
    let (mut chain, mut key) = ratchet(&first_chain_key(&shared, &chain_id(start)));
    for _ in 1..context.index {
        (chain, key) = ratchet(&chain);
    }
    let none = vec![0; 32 * context.keys.len()];
    let wrapped = key.seal(&seal_nonce(context.index), &encode(&context), &none).into();
    Some(Seal { context, wrapped })
}

/// The record layer of one side as it stands, without its principals.
pub struct Line(Records);

impl Line {
    /// A line whose side sends in `own`, after so many records were sent and received, with the chain keys behind them.
    pub fn new(
        rules: &Rules,
        id: SessionId,
        purpose: SessionType,
        own: Direction,
        sending: ([u8; 32], u64),
        receiving: ([u8; 32], u64),
    ) -> Line {
        let chain = |(key, _): ([u8; 32], u64)| Zeroizing::new(key);
        let mut records = Records::new(rules, id, purpose, own, chain(sending), chain(receiving));
        records.counted(sending.1, receiving.1);
        Line(records)
    }

    /// Opens a record.
    ///
    /// # Errors
    /// As [`crate::session::Session::open_record`].
    pub fn open(&mut self, rules: &Rules, packet: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        match decode(rules, packet)? {
            Packet::Record(record) => self.0.open(rules, &record).map(|(message, ..)| message),
            other => Err(Refusal::new(Clause::MessageTypeIsExpected).at(other.kind())),
        }
    }

    /// Seals a message.
    ///
    /// # Errors
    /// As [`crate::session::Session::seal_record`].
    pub fn seal(&mut self, rules: &Rules, stage: ContentType, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.0.seal(rules, stage, message).map(|(packet, ..)| packet)
    }

    /// The chain keys as they stand: sending, receiving.
    pub fn chains(&self) -> [[u8; 32]; 2] {
        self.0.chains()
    }
}
