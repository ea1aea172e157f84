//! Ephemeral Diffie–Hellman.

use crate::crypto::{Element, Scalar, Suite};
use bemr_spec::Refusal;
use rand::CryptoRng;
use zeroize::Zeroizing;

/// An ephemeral key pair, for one handshake; its secret is erased when dropped.
pub struct Ephemeral {
    secret: Scalar,
    public: Element,
}

/// The encoding of the shared element; erased when dropped.
pub struct SharedSecret(Zeroizing<Vec<u8>>);

impl Ephemeral {
    /// A fresh pair.
    pub fn generate<R: CryptoRng + ?Sized>(suite: Suite, rng: &mut R) -> Ephemeral {
        let secret = Scalar::random(suite, rng);
        Ephemeral { public: Element::base_power(&secret), secret }
    }

    /// The public half.
    pub fn public(&self) -> &Element {
        &self.public
    }

    /// The secret shared with the owner of `peer`. Borrows, so that a forged answer does not use up the pair. It is never the encoding of the identity: the
    /// order is prime, the peer's element not the identity and the secret not zero.
    ///
    /// # Panics
    /// When `peer` is of another suite. A peer that [`Element::decode`] parsed for the suite in use is not;
    /// [`Ephemeral::try_agree`] refuses it.
    pub fn agree(&self, peer: &Element) -> SharedSecret {
        self.try_agree(peer).expect("the peer's element was parsed for the suite of this pair")
    }

    /// As [`Ephemeral::agree`], for a peer whose suite is not known.
    ///
    /// # Errors
    /// GRP-04 when it is another.
    pub fn try_agree(&self, peer: &Element) -> Result<SharedSecret, Refusal> {
        let shared = Zeroizing::new(peer.power(&self.secret)?);
        Ok(SharedSecret(Zeroizing::new(shared.encode())))
    }
}

impl std::fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ephemeral").field(&self.public).finish()
    }
}

impl SharedSecret {
    /// Its bytes, for key derivation.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}
