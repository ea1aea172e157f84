//! Placeholder: the group of ristretto255 alone.
use crate::crypto::Suite;
use bemr_spec::{Clause, Refusal, Rules};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::traits::Identity;

/// A member of a suite's prime-order group, never the identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element(pub(crate) RistrettoPoint);

impl Element {
    /// Parses an element.
    ///
    /// # Errors
    /// GRP-01, GRP-02.
    pub fn decode(rules: &Rules, _suite: Suite, bytes: &[u8]) -> Result<Element, Refusal> {
        let point = CompressedRistretto::from_slice(bytes)
            .ok()
            .and_then(|c| c.decompress())
            .ok_or(Refusal::new(Clause::ElementInRange))?;
        rules.require(Clause::ElementInRange, point != RistrettoPoint::identity())?;
        Ok(Element(point))
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        self.0.compress().to_bytes().to_vec()
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        Suite::Ristretto255
    }
}
