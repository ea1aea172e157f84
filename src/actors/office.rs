//! What every actor has: a name and keys, the KDC's list, its neighbours and a source of randomness.

use crate::actors::{Directory, Neighbours, Output, Received, Replica};
use crate::keys::{Credentials, TrustStore};
use crate::session::UsedKey;
use crate::wire::{Message, Name, Time};
use bemr_spec::{Refusal, Rules};
use rand_chacha::ChaCha20Rng;

/// The common part of every actor.
pub struct Office {
    /// The rules in force.
    pub rules: Rules,
    /// Its keys and certificate.
    pub own: Credentials,
    /// What it trusts.
    pub trust: TrustStore,
    /// The published certificates.
    pub directory: Directory,
    /// Its sessions.
    pub neighbours: Neighbours,
    /// Its copy of what is public.
    pub replica: Replica,
    /// Its randomness.
    pub rng: ChaCha20Rng,
}

impl Office {
    /// Its name.
    pub fn name(&self) -> &Name {
        self.own.name()
    }

    /// Says `message` to `peer`.
    ///
    /// # Errors
    /// Those of [`Neighbours::say`].
    pub fn say(
        &mut self,
        now: Time,
        peer: &Name,
        message: Message,
    ) -> Result<(Vec<Output>, Option<UsedKey>), Refusal> {
        self.neighbours.say(&self.rules, &mut self.rng, now, peer, message)
    }

    /// Says `message` to each of `peers`.
    ///
    /// # Errors
    /// As [`Neighbours::say`].
    pub fn say_to_all(
        &mut self,
        now: Time,
        peers: &[Name],
        message: &Message,
    ) -> Result<(Vec<Output>, Vec<UsedKey>), Refusal> {
        self.neighbours.say_to_all(&self.rules, &mut self.rng, now, peers, message)
    }

    /// Takes a packet.
    pub fn receive(&mut self, now: Time, from: &Name, packet: &[u8]) -> (&'static str, Result<Received, Refusal>) {
        self.neighbours.receive(&self.rules, &mut self.rng, &mut self.trust, now, from, packet)
    }

    /// Begins anew the handshakes that got no response.
    pub fn retry(&mut self, now: Time) -> Vec<Output> {
        self.neighbours.retry(&self.rules, &mut self.rng, now)
    }
}
