//! Randomness of the vectors themselves, and what several kinds share.

use super::Stop;
use crate::vectors::Hex;
use bemr::actors::Randomness;
use bemr::crypto::{Digest, Domain, Suite};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Randomness of the vectors themselves: one seed for each kind.
pub(super) fn rng(kind: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(*Digest::of(Domain::PUBLIC_STATE, kind.as_bytes()).as_bytes())
}

pub(super) fn drawn(rng: &mut ChaCha20Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// The bytes that one scalar is drawn from.
pub(super) fn scalar_bytes(rng: &mut ChaCha20Rng, suite: Suite) -> Vec<u8> {
    drawn(rng, suite.scalar_len() + 16)
}

/// These bytes in the place of randomness.
pub(super) fn given(bytes: &[u8]) -> Randomness {
    let mut source = Randomness::from_seed([0; 32]);
    source.give(bytes);
    source
}

/// What was drawn is exactly what was given.
pub(super) fn exhausted(source: &Randomness) -> Result<(), String> {
    source.used_up().then_some(()).ok_or_else(|| "not what is drawn".to_owned())
}

/// What comes of exactly these bytes.
pub(super) fn drawing<T>(bytes: &Hex, draw: impl FnOnce(&mut Randomness) -> T) -> Result<T, String> {
    let mut source = given(&bytes.0);
    let drawn = draw(&mut source);
    exhausted(&source).map(|()| drawn)
}

pub(super) fn tag(label: &str) -> Result<Domain, Stop> {
    let known = Domain::ALL.iter().copied().find(|tag| tag.label() == label);
    known.ok_or_else(|| Stop::Malformed(format!("no tag `{label}`")))
}

data! {
    /// Nothing comes out but that it is taken.
    Nothing {}
}
