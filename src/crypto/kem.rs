//! ElGamal key encapsulation, and proofs of possession of agreement keys.

use crate::crypto::public_key::PublicKey;
use crate::crypto::signature::{self, Signature};
use crate::crypto::{AeadKey, Domain, Element, Scalar, Suite, expand, extract};
use bemr_spec::{Clause, Refusal, Rules};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// The public agreement key of a principal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncapsulationKey(PublicKey);

/// The secret agreement key of a principal; erased when dropped.
pub struct DecapsulationKey {
    secret: Scalar,
    public: EncapsulationKey,
}

/// An encapsulated key: the encoding of one element.
pub type Encapsulation = Vec<u8>;

impl EncapsulationKey {
    /// Parses a key.
    ///
    /// # Errors
    /// As [`Element::decode`].
    pub fn decode(rules: &Rules, suite: Suite, bytes: &[u8]) -> Result<Self, Refusal> {
        PublicKey::decode(rules, suite, bytes).map(EncapsulationKey)
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encoding().to_vec()
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.0.suite()
    }

    /// A fresh key for the holder of the secret half, bound to `context`.
    pub fn encapsulate<R: CryptoRng + ?Sized>(
        &self,
        rules: &Rules,
        rng: &mut R,
        context: &[u8],
    ) -> (Encapsulation, AeadKey) {
        let ephemeral = Scalar::random(self.suite(), rng);
        let encapsulation = Element::base_power(&ephemeral).encode();
        let shared = self.0.element().power(&ephemeral).expect("the scalar was drawn for this key's suite");
        let shared = Zeroizing::new(shared);
        let key = derive(rules, &encapsulation, self, &shared, context);
        (encapsulation, key)
    }

    /// Whether `proof` is the holder's proof of possession over `message` for `domain`.
    pub fn verify_possession(
        &self,
        rules: &Rules,
        domain: Domain,
        message: &[u8],
        proof: &Signature,
    ) -> bool {
        signature::check(rules, &self.0, domain, message, proof).is_ok()
    }
}

impl DecapsulationKey {
    /// A fresh pair.
    pub fn generate<R: CryptoRng + ?Sized>(suite: Suite, rng: &mut R) -> Self {
        DecapsulationKey::from_secret(Scalar::random(suite, rng))
    }

    /// The pair with this secret scalar, as [`DecapsulationKey::to_bytes`] wrote it.
    ///
    /// # Errors
    /// GRP-04, GRP-03.
    pub fn from_bytes(rules: &Rules, suite: Suite, secret: &[u8]) -> Result<Self, Refusal> {
        Scalar::decode(rules, suite, secret).map(DecapsulationKey::from_secret)
    }

    /// The secret scalar, for storage under another key.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.secret.encode().to_vec())
    }

    /// The public half.
    pub fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.public
    }

    /// The key in an encapsulation. Another context or another recipient gives another key, which opens nothing.
    ///
    /// # Errors
    /// As [`Element::decode`].
    pub fn decapsulate(
        &self,
        rules: &Rules,
        encapsulation: &[u8],
        context: &[u8],
    ) -> Result<AeadKey, Refusal> {
        let element = Element::decode(rules, self.public.suite(), encapsulation)
            .map_err(|refusal| refusal.at("encapsulation"))?;
        let shared = Zeroizing::new(element.power(&self.secret)?);
        Ok(derive(rules, encapsulation, &self.public, &shared, context))
    }

    /// Proof of possession: a Schnorr signature under the agreement key, which signs nothing else.
    pub fn prove_possession(&self, rules: &Rules, domain: Domain, message: &[u8]) -> Signature {
        signature::sign(rules, &self.secret, &self.public.0, domain, message)
    }

    fn from_secret(secret: Scalar) -> Self {
        let public = EncapsulationKey(Element::base_power(&secret).into());
        DecapsulationKey { secret, public }
    }
}

impl std::fmt::Debug for DecapsulationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DecapsulationKey").field(&self.public).finish()
    }
}

fn derive(
    rules: &Rules,
    encapsulation: &[u8],
    recipient: &EncapsulationKey,
    shared: &Element,
    context: &[u8],
) -> AeadKey {
    let key = extract(b"", &Zeroizing::new(shared.encode()));
    let info = [&recipient.suite().number(), encapsulation, recipient.0.encoding(), context].concat();
    let info = if rules.in_force(Clause::EncapsulationIsContextual) { &*info } else { &[] };
    AeadKey::from_bytes(*expand::<32>(&key, Domain::ENCAPSULATION, info))
}
