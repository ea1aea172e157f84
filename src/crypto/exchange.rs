//! Ephemeral Diffie–Hellman.
use crate::crypto::{Element, Suite};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// An ephemeral key pair, for one handshake.
pub struct Ephemeral {
    secret: Scalar,
    public: Element,
}

/// The encoding of the shared element; erased when dropped.
pub struct SharedSecret(Zeroizing<Vec<u8>>);

impl Ephemeral {
    /// A fresh pair.
    pub fn generate<R: CryptoRng + ?Sized>(_suite: Suite, rng: &mut R) -> Ephemeral {
        let secret = Scalar::random(rng);
        Ephemeral { secret, public: Element(RistrettoPoint::mul_base(&secret)) }
    }

    /// The public half.
    pub fn public(&self) -> &Element {
        &self.public
    }

    /// The secret shared with the owner of `peer`. Borrows, so that a forged answer does not use up the pair.
    pub fn agree(&self, peer: &Element) -> SharedSecret {
        SharedSecret(Zeroizing::new((peer.0 * self.secret).compress().to_bytes().to_vec()))
    }
}

impl SharedSecret {
    /// Its bytes, for key derivation.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
