//! Schnorr signatures over the order-q group of a suite: a commitment R and a response s.
//!
//! What a signature is for is a [`Domain`] that it covers; who may sign what is not known here.

use crate::crypto::public_key::PublicKey;
use crate::crypto::{Digest, Domain, Element, Factor, Scalar, Suite, expand_into, extract};
use bemr_spec::{Clause, Refusal, Rules, constants};
use rand::CryptoRng;
use std::collections::BTreeMap;
use tls_codec::{TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize};
use zeroize::Zeroizing;

/// A signature as bytes, `R || s`; parsed when it is verified.
#[derive(Clone, PartialEq, Eq, Hash, Debug, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Signature(TlsByteVecU16);

impl Signature {
    /// The signature with these bytes, whatever they are.
    pub fn from_bytes(bytes: &[u8]) -> Signature {
        Signature(bytes.into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// R's encoding and s.
    fn parse(&self, rules: &Rules, suite: Suite) -> Result<(&[u8], Scalar), Refusal> {
        let (commitment, response) = self
            .as_bytes()
            .split_at_checked(suite.element_len())
            .ok_or_else(|| Refusal::new(Clause::SuiteMatches).at("signature"))?;
        let response = Scalar::decode(rules, suite, response).map_err(|refusal| refusal.at("signature"))?;
        Ok((commitment, response))
    }
}

/// A secret signing key; erased when dropped.
pub struct SigningKey {
    secret: Scalar,
    public: VerifyingKey,
}

/// A public signing key. Two keys are equal when their elements are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyingKey(PublicKey);

/// One signature of a batch: who, for what, which message.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The signer's key.
    pub key: &'a VerifyingKey,
    /// What the signature is for.
    pub domain: Domain,
    /// The signed message.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a Signature,
}

impl SigningKey {
    /// A fresh pair.
    pub fn generate<R: CryptoRng + ?Sized>(suite: Suite, rng: &mut R) -> Self {
        SigningKey::from_secret(Scalar::random(suite, rng))
    }

    /// The pair with this secret scalar, as [`SigningKey::to_bytes`] wrote it.
    ///
    /// # Errors
    /// GRP-04, GRP-03.
    pub fn from_bytes(rules: &Rules, suite: Suite, secret: &[u8]) -> Result<Self, Refusal> {
        Scalar::decode(rules, suite, secret).map(SigningKey::from_secret)
    }

    /// The secret scalar, for storage under another key.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.secret.encode().to_vec())
    }

    /// The public half.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs `message` for `domain`.
    pub fn sign(&self, rules: &Rules, domain: Domain, message: &[u8]) -> Signature {
        sign(rules, &self.secret, &self.public.0, domain, message)
    }

    fn from_secret(secret: Scalar) -> Self {
        let public = VerifyingKey(Element::base_power(&secret).into());
        SigningKey { secret, public }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

impl VerifyingKey {
    /// Parses a key.
    ///
    /// # Errors
    /// As [`Element::decode`].
    pub fn decode(rules: &Rules, suite: Suite, bytes: &[u8]) -> Result<Self, Refusal> {
        PublicKey::decode(rules, suite, bytes).map(VerifyingKey)
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encoding().to_vec()
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.0.suite()
    }

    /// The key as an element of the group.
    pub fn element(&self) -> &Element {
        self.0.element()
    }

    /// Makes later verifications under this key and its clones faster, at the price of a table of at most 98 KB. It
    /// pays after three verifications.
    pub fn precompute(&mut self) {
        self.0.precompute();
    }

    /// Whether `signature` is the holder's over `message` for `domain`.
    pub fn verify(&self, rules: &Rules, domain: Domain, message: &[u8], signature: &Signature) -> bool {
        self.check(rules, domain, message, signature).is_ok()
    }

    /// Checks that `signature` is the holder's, where `clause` demands it.
    ///
    /// # Errors
    /// `clause`, because of GRP-04, GRP-03 or SIG-03 as [`VerifyingKey::check`] has them.
    pub fn vouches(
        &self,
        rules: &Rules,
        clause: Clause,
        domain: Domain,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Refusal> {
        if !rules.in_force(clause) {
            return Ok(());
        }
        let checked = self.check(rules, domain, message, signature);
        checked.map_err(|refusal| Refusal::new(clause).because(refusal.clause()))
    }

    /// As [`VerifyingKey::verify`], with the reason.
    ///
    /// # Errors
    /// GRP-04 for a signature that is not as long as the suite's; GRP-03 for a response that is no scalar; SIG-03
    /// when the commitment is not the one recomputed.
    pub fn check(
        &self,
        rules: &Rules,
        domain: Domain,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Refusal> {
        check(rules, &self.0, domain, message, signature)
    }
}

/// Whether every signature verifies; one wrong signature makes it false, and [`invalid`] finds which.
///
/// The outcome is that of verifying each alone, but for a chance below 2^-127, at less than half the price.
pub fn verify_all(rules: &Rules, batch: &[Signed<'_>]) -> bool {
    let one_suite = batch.windows(2).all(|pair| pair[0].key.suite() == pair[1].key.suite());
    match batch {
        [first, _, ..] if one_suite && rules.in_force(Clause::CommitmentRecomputed) => {
            check_batch(rules, first.key.suite(), batch).is_ok()
        }
        _ => invalid(rules, batch).next().is_none(),
    }
}

/// Checks that every signature of a batch is right, where `clause` demands it.
///
/// # Errors
/// `clause`, because of what is wrong with the first that is wrong.
pub fn vouch_all(rules: &Rules, clause: Clause, batch: &[Signed<'_>]) -> Result<(), Refusal> {
    if !rules.in_force(clause) || verify_all(rules, batch) {
        return Ok(());
    }
    let why = |signed: &Signed<'_>| {
        signed
            .key
            .check(rules, signed.domain, signed.message, signed.signature)
            .err()
            .map(|refusal| refusal.clause())
    };
    let cause = batch.iter().find_map(why);
    Err(cause.map_or(Refusal::new(clause), |cause| Refusal::new(clause).because(cause)))
}

/// The places in a batch of the signatures that do not verify.
pub fn invalid(rules: &Rules, batch: &[Signed<'_>]) -> impl Iterator<Item = usize> {
    let wrong =
        |signed: &Signed<'_>| !signed.key.verify(rules, signed.domain, signed.message, signed.signature);
    batch.iter().enumerate().filter(move |(_, signed)| wrong(signed)).map(|(place, _)| place)
}

/// The proof of knowledge of `secret`: R = g^k, s = k - c * secret. Used for signatures and proofs of possession.
pub(super) fn sign(
    rules: &Rules,
    secret: &Scalar,
    public: &PublicKey,
    domain: Domain,
    message: &[u8],
) -> Signature {
    let (suite, negated) = (secret.suite(), secret.negate());
    for counter in 0..=u8::MAX {
        let nonce = nonce(rules, secret, domain, message, counter);
        if nonce.is_zero() {
            continue;
        }
        let commitment = Element::base_power(&nonce).encode();
        let challenge = challenge(rules, suite, public.encoding(), &commitment, domain, message);
        let response = nonce.plus_product(&challenge, &negated).expect("all three are of the key's suite");
        if !response.is_zero() {
            return Signature([&commitment, response.encode()].concat().into());
        }
    }
    unreachable!("256 derived scalars in a row are not all zero: q is above 2^62")
}

/// Refuses by GRP-04, GRP-03, SIG-03, in this order.
pub(super) fn check(
    rules: &Rules,
    public: &PublicKey,
    domain: Domain,
    message: &[u8],
    signature: &Signature,
) -> Result<(), Refusal> {
    let suite = public.suite();
    let (commitment, response) = signature.parse(rules, suite)?;
    rules.check(Clause::CommitmentRecomputed, || {
        let challenge = challenge(rules, suite, public.encoding(), commitment, domain, message);
        // The identity is no commitment: `public_product` refuses it.
        Element::public_product(suite, Some(&response), &[(public.factor(), &challenge)])
            .is_ok_and(|r| r.encode() == commitment)
    })
}

/// One equation for the whole batch: `g^(sum z s) * product Y^(z c) = product R^z`, with a coefficient z of 128 bits
/// for each signature that none of the signers could foresee.
fn check_batch(rules: &Rules, suite: Suite, batch: &[Signed<'_>]) -> Result<(), Refusal> {
    #[cfg(bemr_weaken)]
    let tally = crate::crypto::operations::Batch::begin();
    let mut parsed = Vec::with_capacity(batch.len());
    let mut transcript = Vec::with_capacity(2 + batch.len() * 2 * (suite.element_len() + suite.scalar_len()));
    transcript.extend_from_slice(&suite.number());
    for signed in batch {
        let (commitment, response) = signed.signature.parse(rules, suite)?;
        let key = signed.key.0.encoding();
        let challenge = challenge(rules, suite, key, commitment, signed.domain, signed.message);
        for part in [key, commitment, challenge.encode(), response.encode()] {
            transcript.extend_from_slice(part);
        }
        // R outside the subgroup would escape an equation in which its coefficient is even.
        let commitment = Factor::from(Element::decode(rules, suite, commitment)?);
        #[cfg(bemr_weaken)]
        tally.holds(signed.key.0.factor(), &challenge, &response, commitment.element());
        parsed.push((signed.key.0.factor(), key, commitment, challenge, response));
    }
    let seed = Digest::of(Domain::SIGNATURE_BATCH, &transcript);
    let zero = Scalar::reduce(suite, &[]);
    let mut responses = zero.clone();
    let mut keys: BTreeMap<&[u8], (&Factor, Scalar)> = BTreeMap::new();
    let mut commitments = Vec::with_capacity(batch.len());
    for (place, (factor, key, commitment, challenge, response)) in parsed.iter().enumerate() {
        let coefficient = coefficient(suite, &seed, place);
        responses = responses.plus_product(&coefficient, response)?;
        let (_, exponent) = keys.entry(key).or_insert_with(|| (factor, zero.clone()));
        *exponent = exponent.plus_product(&coefficient, challenge)?;
        commitments.push((commitment, coefficient));
    }
    let keys: Vec<_> = keys.values().map(|(key, exponent)| (*key, exponent)).collect();
    let commitments: Vec<_> = commitments.iter().map(|(commitment, z)| (*commitment, z)).collect();
    let recomputed = Element::public_product(suite, Some(&responses), &keys)?;
    let given = Element::public_product(suite, None, &commitments)?;
    rules.require(Clause::CommitmentRecomputed, recomputed == given)
}

fn coefficient(suite: Suite, seed: &Digest, place: usize) -> Scalar {
    let digest = Digest::of_parts(Domain::SIGNATURE_BATCH, &[seed.as_bytes(), &(place as u64).to_be_bytes()]);
    Scalar::reduce(suite, &digest.as_bytes()[..constants::BATCH_COEFFICIENT_BYTES])
}

fn nonce(rules: &Rules, secret: &Scalar, domain: Domain, message: &[u8], counter: u8) -> Scalar {
    let suite = secret.suite();
    let key = extract(b"", secret.encode());
    let (length, label) = labelled(domain);
    let digest = Digest::of_parts(Domain::SIGNATURE_NONCE, &[&length, label, message]);
    let context = [suite.number().as_slice(), &[counter], digest.as_bytes()].concat();
    let mut wide = Zeroizing::new(vec![0; Scalar::wide_len(suite)]);
    // The mutant forgets the message: every signature of a key has one nonce.
    let context = if rules.in_force(Clause::NonceIsDerived) { &*context } else { &[] };
    expand_into(&key, Domain::SIGNATURE_NONCE, context, &mut wide);
    Scalar::reduce(suite, &wide)
}

pub(super) fn challenge(
    rules: &Rules,
    suite: Suite,
    key: &[u8],
    commitment: &[u8],
    domain: Domain,
    message: &[u8],
) -> Scalar {
    let (number, (length, label)) = (suite.number(), labelled(domain));
    let covered: &[&[u8]] = if rules.in_force(Clause::ChallengeCoversKeyAndTag) {
        &[&number, key, commitment, &length, label, message]
    } else {
        &[&number, commitment, message]
    };
    Scalar::reduce(suite, Digest::of_parts(Domain::SIGNATURE_CHALLENGE, covered).as_bytes())
}

/// The length of a tag's label in one byte, and the label.
fn labelled(domain: Domain) -> ([u8; 1], &'static [u8]) {
    let label = domain.label().as_bytes();
    ([label.len() as u8], label)
}
