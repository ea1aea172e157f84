//! Schnorr signatures.
use crate::crypto::{Digest, Element, Suite, Tag};
use bemr_spec::{Refusal, Rules};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use rand::CryptoRng;
use tls_codec::{TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize};

/// A signature as bytes; parsed when it is verified.
#[derive(Clone, PartialEq, Eq, Debug, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Signature(TlsByteVecU16);

/// A secret signing key.
pub struct SigningKey {
    secret: Scalar,
    public: VerifyingKey,
}

/// A public signing key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyingKey(Element);

/// One signature of a batch: who, for what, which message.
pub struct Signed<'a> {
    /// The signer's key.
    pub key: &'a VerifyingKey,
    /// What the signature is for.
    pub tag: Tag,
    /// The signed message.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a Signature,
}

impl SigningKey {
    /// A fresh pair.
    pub fn generate<R: CryptoRng + ?Sized>(_suite: Suite, rng: &mut R) -> Self {
        let secret = Scalar::random(rng);
        SigningKey { secret, public: VerifyingKey(Element(RistrettoPoint::mul_base(&secret))) }
    }
    /// The public half.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }
    /// Signs.
    pub fn sign(&self, rules: &Rules, tag: Tag, message: &[u8]) -> Signature {
        sign_with(rules, &self.secret, &self.public.0, tag, message)
    }
}

impl VerifyingKey {
    /// Parses a key. # Errors as Element::decode
    pub fn decode(rules: &Rules, suite: Suite, bytes: &[u8]) -> Result<Self, Refusal> {
        Element::decode(rules, suite, bytes).map(VerifyingKey)
    }
    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }
    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.0.suite()
    }
    /// Makes later verifications under this key faster, at the price of memory.
    pub fn precompute(&mut self) {}
    /// Whether `signature` is the holder's over `message` for `tag`.
    pub fn verify(&self, rules: &Rules, tag: Tag, message: &[u8], signature: &Signature) -> bool {
        verify_with(rules, &self.0, tag, message, signature)
    }
}

/// Whether every signature verifies; one wrong signature makes it false.
pub fn verify_all(rules: &Rules, batch: &[Signed<'_>]) -> bool {
    batch.iter().all(|s| s.key.verify(rules, s.tag, s.message, s.signature))
}

fn challenge(r: &[u8], y: &[u8], tag: Tag, message: &[u8]) -> Scalar {
    let d = Digest::of_parts(
        Tag::SIGNATURE_CHALLENGE,
        &[y, r, &[tag.label().len() as u8], tag.label().as_bytes(), message],
    );
    Scalar::from_bytes_mod_order(*d.as_bytes())
}

pub(super) fn sign_with(_rules: &Rules, x: &Scalar, y: &Element, tag: Tag, message: &[u8]) -> Signature {
    let k = Scalar::from_bytes_mod_order(
        *Digest::of_parts(
            Tag::SIGNATURE_NONCE,
            &[x.as_bytes(), &[tag.label().len() as u8], tag.label().as_bytes(), message],
        )
        .as_bytes(),
    );
    let r = Element(RistrettoPoint::mul_base(&k)).encode();
    let c = challenge(&r, &y.encode(), tag, message);
    let s = k + c * x;
    Signature([r.as_slice(), s.as_bytes()].concat().into())
}

pub(super) fn verify_with(_rules: &Rules, y: &Element, tag: Tag, message: &[u8], sig: &Signature) -> bool {
    let bytes = sig.0.as_slice();
    if bytes.len() != 64 {
        return false;
    }
    let (r, s) = bytes.split_at(32);
    let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().expect("32 bytes")))
    else {
        return false;
    };
    let c = challenge(r, &y.encode(), tag, message);
    RistrettoPoint::vartime_double_scalar_mul_basepoint(&-c, &y.0, &s).compress().as_bytes() == r
}
