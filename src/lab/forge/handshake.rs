//! The proofs of identity of a handshake.

use super::{Forge, any, flip_last, packet, table};
use bemr::crypto::{Signature, SigningKey};
use bemr::session::insider::{Answered, respond};
use bemr::wire::{Certificate, Hello, IdentityProof, Name, Packet};
use bemr_model::Flaws;
use bemr_spec::Clause;
use rand::CryptoRng;

/// What somebody can do who stands between and has no keys.
pub(super) const BETWEEN: &[Clause] =
    &[Clause::ElementInRange, Clause::ElementInSubgroup, Clause::FlightIsAuthentic];

impl Forge<'_> {
    /// The response of `who` to the hello of `to`.
    pub fn response<R: CryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        hello: &Hello,
        who: &Name,
        to: &Name,
        flaws: Flaws,
    ) -> Option<Packet> {
        table::require("Response", flaws)?;
        let (certificate, signer) = self.shown(who, to, flaws)?;
        let edit = |proof: &mut IdentityProof| {
            let unsigned = flaws.has(Clause::ResponderSignsTranscript);
            spoil(proof, unsigned, flaws.has(Clause::ResponderConfirmsKey));
        };
        packet(&respond(self.rules, rng, hello, &certificate, signer, edit)?, between(flaws))
    }

    /// The finish of `who`, whom `to` has answered.
    pub fn finish(&self, answered: &Answered, who: &Name, to: &Name, flaws: Flaws) -> Option<Packet> {
        table::require("Finish", flaws)?;
        let (certificate, signer) = self.shown(who, to, flaws)?;
        let edit = |proof: &mut IdentityProof| {
            let unsigned = flaws.has(Clause::InitiatorSignsTranscript);
            spoil(proof, unsigned, flaws.has(Clause::InitiatorConfirmsKey));
        };
        packet(&answered.finish(self.rules, &certificate, signer, edit), between(flaws))
    }

    /// The certificate that `who` shows to `to`, and the key of its subject where a conspirator has it.
    fn shown(&self, who: &Name, to: &Name, flaws: Flaws) -> Option<(Certificate, &SigningKey)> {
        let own = self.keys.get(who)?;
        if flaws.has(Clause::PeerIsNotSelf) {
            let signer = self.keys.get(to).unwrap_or(own);
            let certificate = self.certificate(self.directory.get(to)?.certificate(), flaws)?;
            return Some((certificate, signer.identity().signing_key()));
        }
        let shown = match flaws.has(Clause::PeerIsIntended) {
            true => {
                let others = || self.keys.values().filter(|one| one.name() != who && one.name() != to);
                others().find(|one| one.role() == own.role()).or_else(|| others().next())?
            }
            false => own,
        };
        let certificate = self.certificate(shown.certified().certificate(), flaws)?;
        Some((certificate, shown.identity().signing_key()))
    }
}

fn between(flaws: Flaws) -> Flaws {
    flaws.iter().filter(|flaw| any(Flaws::of(*flaw), BETWEEN)).fold(Flaws::NONE, Flaws::and)
}

fn spoil(proof: &mut IdentityProof, unsigned: bool, unconfirmed: bool) {
    if unsigned && let Some(other) = flip_last(proof.signature.as_bytes()) {
        proof.signature = Signature::from_bytes(&other);
    }
    if unconfirmed {
        proof.confirmation[0] ^= 1;
    }
}
