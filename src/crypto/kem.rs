//! ElGamal key encapsulation.
use crate::crypto::{AeadKey, Element, Suite, Tag, expand, extract};
use bemr_spec::{Refusal, Rules};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use rand::CryptoRng;

/// The public agreement key of a principal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncapsulationKey(Element);

/// The secret agreement key of a principal.
pub struct DecapsulationKey {
    secret: Scalar,
    public: EncapsulationKey,
}

/// An encapsulated key: the encoding of one element.
pub type Encapsulation = Vec<u8>;

impl EncapsulationKey {
    /// Parses a key. # Errors as Element::decode
    pub fn decode(rules: &Rules, suite: Suite, bytes: &[u8]) -> Result<Self, Refusal> {
        Element::decode(rules, suite, bytes).map(EncapsulationKey)
    }
    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }
    /// A fresh key for the holder of the secret half, bound to `context`.
    pub fn encapsulate<R: CryptoRng + ?Sized>(
        &self,
        rules: &Rules,
        rng: &mut R,
        context: &[u8],
    ) -> (Encapsulation, AeadKey) {
        let _ = rules;
        let e = Scalar::random(rng);
        let enc = Element(RistrettoPoint::mul_base(&e)).encode();
        let key = derive(&enc, &self.encode(), &(self.0.0 * e).compress().to_bytes(), context);
        (enc, key)
    }
}

impl DecapsulationKey {
    /// A fresh pair.
    pub fn generate<R: CryptoRng + ?Sized>(_suite: Suite, rng: &mut R) -> Self {
        let secret = Scalar::random(rng);
        DecapsulationKey { secret, public: EncapsulationKey(Element(RistrettoPoint::mul_base(&secret))) }
    }
    /// The public half.
    pub fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.public
    }
    /// The key in an encapsulation. # Errors GRP-01, GRP-02
    pub fn decapsulate(
        &self,
        rules: &Rules,
        encapsulation: &[u8],
        context: &[u8],
    ) -> Result<AeadKey, Refusal> {
        let element = Element::decode(rules, Suite::Ristretto255, encapsulation)?;
        Ok(derive(
            encapsulation,
            &self.public.encode(),
            &(element.0 * self.secret).compress().to_bytes(),
            context,
        ))
    }
    /// Proof of possession: a Schnorr signature under the agreement key.
    pub fn prove_possession(&self, rules: &Rules, tag: Tag, message: &[u8]) -> crate::crypto::Signature {
        super::signature::sign_with(rules, &self.secret, &self.public.0, tag, message)
    }
}

impl EncapsulationKey {
    /// Whether `proof` is the holder's proof of possession.
    pub fn verify_possession(
        &self,
        rules: &Rules,
        tag: Tag,
        message: &[u8],
        proof: &crate::crypto::Signature,
    ) -> bool {
        super::signature::verify_with(rules, &self.0, tag, message, proof)
    }
}

fn derive(enc: &[u8], recipient: &[u8], shared: &[u8], context: &[u8]) -> AeadKey {
    let prk = extract(b"", shared);
    let info = [enc, recipient, context].concat();
    AeadKey::from_bytes(*expand::<32>(&prk, Tag::ENCAPSULATION, &info))
}
