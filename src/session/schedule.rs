//! The transcript and the keys that a handshake derives from it.

use crate::crypto::{AeadKey, Digest, Domain, Element, Ephemeral, expand, extract};
use crate::session::records::{Records, nonce, open_authentic};
use crate::wire::{
    Certificate, ContentType, Direction, Hello, IdentityProof, SessionId, SessionType, decode, encode,
};
use bemr_spec::{Clause, Refusal, Rules};
use subtle::ConstantTimeEq;
use tls_codec::TlsByteVecU16;
use zeroize::Zeroizing;

/// The secret of one handshake and the digest of its messages in clear.
pub(super) struct Schedule {
    purpose: SessionType,
    clear: Digest,
    secret: Zeroizing<[u8; 32]>,
}

impl Schedule {
    /// The schedule of the handshake of `hello` and the clear part of its answer; `own` and `peer` are the two
    /// ephemerals as this side knows them.
    pub(super) fn new(
        hello: &Hello,
        response_nonce: &[u8; 32],
        response_ephemeral: &TlsByteVecU16,
        own: &Ephemeral,
        peer: &Element,
    ) -> Schedule {
        let parts = [&encode(hello)[..], response_nonce, &encode(response_ephemeral)];
        let clear = transcript(1, &parts);
        let secret = extract(clear.as_bytes(), own.agree(peer).as_bytes());
        Schedule { purpose: hello.purpose, clear, secret }
    }

    /// What the responder signs: everything in clear, and who it is.
    pub(super) fn responder_transcript(&self, responder: &Certificate) -> Digest {
        transcript(2, &[self.clear.as_bytes(), &encode(responder)])
    }

    /// What the initiator signs: all that, the responder's proof, and who the initiator is.
    pub(super) fn initiator_transcript(
        responder_transcript: &Digest,
        responder_proof: &TlsByteVecU16,
        initiator: &Certificate,
    ) -> Digest {
        transcript(3, &[responder_transcript.as_bytes(), &encode(responder_proof), &encode(initiator)])
    }

    fn proof_key(&self, sender: Direction) -> AeadKey {
        let tag = match sender {
            Direction::InitiatorToResponder => Domain::INITIATOR_PROOF_KEY,
            Direction::ResponderToInitiator => Domain::RESPONDER_PROOF_KEY,
        };
        AeadKey::from_bytes(*expand(&self.secret, tag, self.clear.as_bytes()))
    }

    /// A proof of identity, encrypted.
    pub(super) fn seal_proof(&self, sender: Direction, proof: &IdentityProof) -> TlsByteVecU16 {
        let nonce = nonce(sender, ContentType::Handshake, 0);
        self.proof_key(sender).seal(&nonce, self.clear.as_bytes(), &encode(proof)).into()
    }

    /// The proof of identity in `proof`.
    pub(super) fn open_proof(
        &self,
        rules: &Rules,
        sender: Direction,
        proof: &TlsByteVecU16,
    ) -> Result<IdentityProof, Refusal> {
        let nonce = nonce(sender, ContentType::Handshake, 0);
        let key = self.proof_key(sender);
        let bytes = open_authentic(
            rules,
            Clause::FlightIsAuthentic,
            &key,
            &nonce,
            self.clear.as_bytes(),
            proof.as_slice(),
        )?;
        decode(rules, &bytes)
    }

    /// The sender's key confirmation over its transcript.
    pub(super) fn confirmation(&self, sender: Direction, transcript: &Digest) -> [u8; 32] {
        let tag = match sender {
            Direction::InitiatorToResponder => Domain::INITIATOR_CONFIRMATION,
            Direction::ResponderToInitiator => Domain::RESPONDER_CONFIRMATION,
        };
        *expand(&self.secret, tag, transcript.as_bytes())
    }

    /// Whether `claimed` is the sender's key confirmation; takes the same time for every wrong one.
    pub(super) fn confirms(&self, sender: Direction, transcript: &Digest, claimed: &[u8; 32]) -> bool {
        self.confirmation(sender, transcript).ct_eq(claimed).into()
    }

    /// The record layer of the session that ends with `transcript`, for the side that sends in `sending`.
    pub(super) fn records(&self, rules: &Rules, transcript: &Digest, sending: Direction) -> Records {
        let context = transcript.as_bytes();
        // The mutant of SES-08 has one chain for both directions, as a key without direction has.
        let back = if rules.in_force(Clause::DirectionIsIncoming) {
            Domain::CHAIN_RESPONDER
        } else {
            Domain::CHAIN_INITIATOR
        };
        let chain = |direction| {
            let tag = match direction {
                Direction::InitiatorToResponder => Domain::CHAIN_INITIATOR,
                Direction::ResponderToInitiator => back,
            };
            expand(&self.secret, tag, context)
        };
        let id = SessionId(Digest::from_bytes(*expand(&self.secret, Domain::SESSION_ID, context)));
        Records::new(rules, id, self.purpose, sending, chain(sending), chain(sending.reverse()))
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schedule").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

fn transcript(step: u8, parts: &[&[u8]]) -> Digest {
    Digest::of(Domain::TRANSCRIPT, &[&[step], &parts.concat()[..]].concat())
}
