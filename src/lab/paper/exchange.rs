//! Diffie-Hellman with a static key that answers whatever element it is sent.

use crate::paper::Group;
use num_bigint::BigUint;
use sha2::{Digest as _, Sha256};

/// One end: the paper checks no element and authenticates no exchange.
pub struct StaticKey {
    secret: BigUint,
    public: BigUint,
}

impl StaticKey {
    /// The end with this secret.
    pub fn new(group: &Group, secret: BigUint) -> StaticKey {
        let public = group.power(&secret);
        StaticKey { secret, public }
    }

    /// What it sends.
    pub const fn public(&self) -> &BigUint {
        &self.public
    }

    /// The session key with whoever sent `element`.
    pub fn agree(&self, group: &Group, element: &BigUint) -> [u8; 32] {
        StaticKey::key(&element.modpow(&self.secret, &group.p))
    }

    /// The session key that a shared element makes.
    pub fn key(shared: &BigUint) -> [u8; 32] {
        Sha256::digest(shared.to_bytes_be()).into()
    }

    /// The secret modulo a small number, to see whether a guess is right.
    pub fn is_residue(&self, guess: u32, modulus: u32) -> bool {
        &self.secret % modulus == BigUint::from(guess)
    }
}

impl std::fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticKey").field("public", &self.public).finish_non_exhaustive()
    }
}
