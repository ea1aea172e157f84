//! ElGamal signatures as the textbooks have them: (r, s) with y^r * r^s = g^h modulo p.

use crate::paper::Group;
use num_bigint::BigUint;
use sha2::{Digest as _, Sha256};

/// What is signed of a message. The paper does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashing {
    /// The message itself, as an integer.
    None,
    /// Its SHA-256 digest.
    Message,
    /// The SHA-256 digest of the message and r.
    MessageAndCommitment,
}

/// How the paper's one word "ElGamal" is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What is signed.
    pub hashing: Hashing,
    /// Whether 0 < r < p and 0 < s < p - 1 are checked.
    pub ranges: bool,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The commitment.
    pub r: BigUint,
    /// The response.
    pub s: BigUint,
}

/// A pair of keys.
pub struct KeyPair {
    secret: BigUint,
    public: BigUint,
}

impl Reading {
    /// The integer that is signed.
    pub fn digest(&self, message: &[u8], r: &BigUint) -> BigUint {
        match self.hashing {
            Hashing::None => BigUint::from_bytes_be(message),
            Hashing::Message => BigUint::from_bytes_be(&Sha256::digest(message)),
            Hashing::MessageAndCommitment => {
                let covered = [message, &r.to_bytes_be()].concat();
                BigUint::from_bytes_be(&Sha256::digest(covered))
            }
        }
    }
}

impl KeyPair {
    /// The pair of this secret.
    pub fn new(group: &Group, secret: BigUint) -> KeyPair {
        let public = group.power(&secret);
        KeyPair { secret, public }
    }

    /// The public half.
    pub const fn public(&self) -> &BigUint {
        &self.public
    }

    /// Whether this is the secret half, modulo the order of the generator.
    pub fn is_secret(&self, group: &Group, guess: &BigUint) -> bool {
        guess % &group.order == &self.secret % &group.order
    }

    /// Signs with this nonce; nothing when it has no inverse, or s would be 0.
    pub fn sign(
        &self,
        group: &Group,
        reading: &Reading,
        message: &[u8],
        nonce: &BigUint,
    ) -> Option<Signature> {
        let (r, order) = (group.power(nonce), &group.order);
        let digest = reading.digest(message, &r) % order;
        let numerator = (digest + order - &self.secret * &r % order) % order;
        let s = numerator * nonce.modinv(order)? % order;
        (s != BigUint::ZERO).then_some(Signature { r, s })
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Whether the equation holds, and the ranges where they are checked.
pub fn verify(group: &Group, reading: &Reading, public: &BigUint, message: &[u8], one: &Signature) -> bool {
    let Signature { r, s } = one;
    let in_range = |integer: &BigUint, end: &BigUint| *integer > BigUint::ZERO && integer < end;
    if reading.ranges && !(in_range(r, &group.p) && in_range(s, &group.exponents())) {
        return false;
    }
    let left = public.modpow(r, &group.p) * r.modpow(s, &group.p) % &group.p;
    left == group.power(&reading.digest(message, r))
}
