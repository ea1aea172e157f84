//! AES-256-GCM (NIST SP 800-38D) with a nonce of 96 bits and a tag of 128.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use bemr_spec::{Clause, Refusal, Rules, constants};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// An AES-256-GCM key; erased when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AeadKey([u8; constants::DIGEST_BYTES]);

impl AeadKey {
    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; constants::DIGEST_BYTES]) -> AeadKey {
        AeadKey(bytes)
    }

    /// Its bytes, for wrapping under another key.
    pub const fn expose(&self) -> &[u8; constants::DIGEST_BYTES] {
        &self.0
    }

    /// Ciphertext and 16-byte tag. The caller never repeats a nonce under a key.
    pub fn seal(
        &self,
        nonce: &[u8; constants::AEAD_NONCE_BYTES],
        associated_data: &[u8],
        plaintext: &[u8],
    ) -> Vec<u8> {
        Aes256Gcm::new(&self.0.into())
            .encrypt(&Nonce::from(*nonce), Payload { msg: plaintext, aad: associated_data })
            .expect("a plaintext in memory is shorter than 2^36 bytes")
    }

    /// The plaintext, or nothing when the tag does not verify.
    pub fn open(
        &self,
        nonce: &[u8; constants::AEAD_NONCE_BYTES],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Option<Vec<u8>> {
        Aes256Gcm::new(&self.0.into())
            .decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: associated_data })
            .ok()
    }

    /// As [`AeadKey::open`], with a refusal.
    ///
    /// # Errors
    /// AED-01 when the tag does not verify, and for fewer bytes than a tag has.
    pub fn open_checked(
        &self,
        rules: &Rules,
        nonce: &[u8; constants::AEAD_NONCE_BYTES],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        self.open_by(rules, Clause::TagVerifiedBeforeUse, nonce, associated_data, ciphertext)
    }

    /// As [`AeadKey::open_checked`], where another clause demands that the ciphertext opens.
    ///
    /// # Errors
    /// `clause`, because of AED-01, when the tag does not verify, and for fewer bytes than a tag has.
    pub fn open_by(
        &self,
        rules: &Rules,
        clause: Clause,
        nonce: &[u8; constants::AEAD_NONCE_BYTES],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let refusal = || match clause {
            Clause::TagVerifiedBeforeUse => Refusal::new(clause),
            _ => Refusal::new(clause).because(Clause::TagVerifiedBeforeUse),
        };
        if rules.in_force(clause) && rules.in_force(Clause::TagVerifiedBeforeUse) {
            return self.open(nonce, associated_data, ciphertext).ok_or_else(refusal);
        }
        // The mutant deciphers first and asks later: counter mode is its own inverse.
        let body = ciphertext.len().checked_sub(constants::AEAD_TAG_BYTES).ok_or_else(refusal)?;
        let mut plaintext = self.seal(nonce, associated_data, &ciphertext[..body]);
        plaintext.truncate(body);
        Ok(plaintext)
    }
}

impl std::fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AeadKey(..)")
    }
}
