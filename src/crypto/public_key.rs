//! A public key inside: its element, ready for products of powers, and its encoding.

use super::{Element, Factor, Suite};
use bemr_spec::{Refusal, Rules};
use std::sync::Arc;

/// What verifying keys and encapsulation keys have in common. Two are equal when their elements are. Clones are cheap.
#[derive(Clone)]
pub(super) struct PublicKey {
    factor: Factor,
    /// Every challenge covers it, and on the curve it takes a root in the field: it is made once.
    encoding: Arc<[u8]>,
}

impl PublicKey {
    /// Parses a key.
    ///
    /// # Errors
    /// As [`Element::decode`].
    pub(super) fn decode(rules: &Rules, suite: Suite, bytes: &[u8]) -> Result<PublicKey, Refusal> {
        Element::decode(rules, suite, bytes).map(PublicKey::from)
    }

    pub(super) fn encoding(&self) -> &[u8] {
        &self.encoding
    }

    pub(super) fn element(&self) -> &Element {
        self.factor.element()
    }

    pub(super) fn suite(&self) -> Suite {
        self.element().suite()
    }

    pub(super) fn factor(&self) -> &Factor {
        &self.factor
    }

    /// As [`Factor::precompute`].
    pub(super) fn precompute(&mut self) {
        self.factor.precompute();
    }
}

impl From<Element> for PublicKey {
    fn from(element: Element) -> PublicKey {
        PublicKey { encoding: element.encode().into(), factor: element.into() }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.factor == other.factor
    }
}

impl Eq for PublicKey {}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.factor.fmt(f)
    }
}
