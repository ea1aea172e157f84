//! What an adversary who follows the key schedule, but not the rules, can send.

use crate::crypto::{Digest, Domain, Element, Ephemeral, SigningKey, Suite};
use crate::keys::tests::SUITE;
use crate::session::schedule::Schedule;
use crate::session::tests::HARD;
use crate::wire::{
    Certificate, Direction, Finish, Hello, IdentityProof, PROTOCOL_VERSION, Packet, Response, SessionType,
    decode, encode,
};
use rand::CryptoRng;
use tls_codec::TlsByteVecU16;

pub(super) fn hello_in(packet: &[u8]) -> Hello {
    match decode(&HARD, packet).unwrap() {
        Packet::Hello(hello) => hello,
        other => panic!("{}", other.kind()),
    }
}

pub(super) fn response_in(packet: &[u8]) -> Response {
    match decode(&HARD, packet).unwrap() {
        Packet::Response(response) => response,
        other => panic!("{}", other.kind()),
    }
}

/// The encoding of the neutral element, as long as that of any other.
pub(super) fn neutral(like: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; like.len()];
    if SUITE != Suite::Ristretto255 {
        *bytes.last_mut().unwrap() = 1;
    }
    bytes
}

/// A response to `hello` that claims `certificate`, signed by `signer`, with the proof as `edit` leaves it.
pub(super) fn response<R: CryptoRng + ?Sized>(
    rng: &mut R,
    hello: &Hello,
    certificate: &Certificate,
    signer: &SigningKey,
    edit: impl FnOnce(&mut IdentityProof),
) -> (Schedule, Vec<u8>) {
    let pair = Ephemeral::generate(SUITE, rng);
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    let ephemeral: TlsByteVecU16 = pair.public().encode().into();
    let element = Element::decode(&HARD, SUITE, hello.ephemeral.as_slice()).unwrap();
    let schedule = Schedule::new(hello, &nonce, &ephemeral, &pair, &element);
    let said = schedule.responder_transcript(certificate);
    let sender = Direction::ResponderToInitiator;
    let mut proof = IdentityProof {
        certificate: certificate.clone(),
        signature: signer.sign(&HARD, Domain::RESPONDER_SIGNATURE, said.as_bytes()),
        confirmation: schedule.confirmation(sender, &said),
    };
    edit(&mut proof);
    let proof = schedule.seal_proof(sender, &proof);
    (schedule, encode(&Packet::Response(Response { nonce, ephemeral, proof })))
}

/// An initiator that may say whatever it likes.
pub(super) struct Initiator {
    hello: Hello,
    pair: Ephemeral,
}

/// It, after it has opened the response.
pub(super) struct Answered {
    pub(super) schedule: Schedule,
    pub(super) heard: Digest,
    proof: TlsByteVecU16,
}

impl Initiator {
    pub(super) fn new<R: CryptoRng + ?Sized>(rng: &mut R, purpose: SessionType) -> (Initiator, Vec<u8>) {
        let pair = Ephemeral::generate(SUITE, rng);
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let ephemeral = pair.public().encode().into();
        let hello = Hello { version: PROTOCOL_VERSION, suite: SUITE, purpose, nonce, ephemeral };
        let packet = encode(&Packet::Hello(hello.clone()));
        (Initiator { hello, pair }, packet)
    }

    pub(super) fn answered(self, packet: &[u8]) -> Answered {
        let response = response_in(packet);
        let element = Element::decode(&HARD, SUITE, response.ephemeral.as_slice()).unwrap();
        let schedule = Schedule::new(&self.hello, &response.nonce, &response.ephemeral, &self.pair, &element);
        let theirs = schedule.open_proof(&HARD, Direction::ResponderToInitiator, &response.proof).unwrap();
        let heard = schedule.responder_transcript(&theirs.certificate);
        Answered { schedule, heard, proof: response.proof }
    }
}

impl Answered {
    /// What an initiator with this certificate signs.
    pub(super) fn said(&self, certificate: &Certificate) -> Digest {
        Schedule::initiator_transcript(&self.heard, &self.proof, certificate)
    }

    /// A finish that claims `certificate`, signed by `signer`, with the proof as `edit` leaves it.
    pub(super) fn finish(
        &self,
        certificate: &Certificate,
        signer: &SigningKey,
        edit: impl FnOnce(&mut IdentityProof),
    ) -> Vec<u8> {
        let said = self.said(certificate);
        let sender = Direction::InitiatorToResponder;
        let mut proof = IdentityProof {
            certificate: certificate.clone(),
            signature: signer.sign(&HARD, Domain::INITIATOR_SIGNATURE, said.as_bytes()),
            confirmation: self.schedule.confirmation(sender, &said),
        };
        edit(&mut proof);
        encode(&Packet::Finish(Finish { proof: self.schedule.seal_proof(sender, &proof) }))
    }
}
