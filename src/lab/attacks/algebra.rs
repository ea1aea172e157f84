//! The equations of chapter 18, carried out with one key each at real sizes; random ones are a property test's.

use crate::attacks::algebraic;
use crate::attacks::evidence::Evidence;
use crate::attacks::replay::less;
use crate::paper::{Group, Hashing, KeyPair, Reading, Signature, StaticKey, verify};
use bemr::crypto::{self, Domain, Element, SigningKey, Suite};
use bemr_spec::{Clause, Rules};
use num_bigint::BigUint;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const SUITE: Suite = Suite::Ffdhe2048;
const RULES: Rules = Rules::hardened();
const HASHED: Reading = Reading { hashing: Hashing::MessageAndCommitment, ranges: true };

/// What the adversary wants to have signed.
const WANTED: &[u8] = b"T_initial of another patient";

fn group() -> Group {
    Group::of(SUITE).expect("a finite field")
}

/// A secret that nobody but this file knows; it is no key.
fn secret() -> BigUint {
    BigUint::from(0x0f1e_2d3c_4b5a_6978_u64).pow(30)
}

/// Big-endian, as wide as the suite's elements; the low digits of what is wider.
pub fn encoded(suite: Suite, integer: &BigUint) -> Vec<u8> {
    let bytes = integer.to_bytes_be();
    let width = suite.element_len();
    let low = &bytes[bytes.len().saturating_sub(width)..];
    [vec![0; width - low.len()], low.to_vec()].concat()
}

/// What the protocol says of a forged pair, given as commitment and response of a signature of its own; nothing where it takes
/// the pair, or for a suite that is no finite field.
pub fn refusal_of(suite: Suite, message: &[u8], forged: &Signature) -> Option<Clause> {
    let key = SigningKey::generate(suite, &mut ChaCha20Rng::seed_from_u64(7));
    let response = &forged.s % Group::of(suite)?.order;
    let signature = [encoded(suite, &forged.r), encoded(suite, &response)].concat();
    let signature = crypto::Signature::from_bytes(&signature);
    let checked = key.verifying_key().check(&RULES, Domain::T_INITIAL, message, &signature);
    checked.err().map(|refusal| refusal.clause())
}

fn forged(
    reading: &Reading,
    group: &Group,
    pair: &KeyPair,
    message: &[u8],
    forged: &Signature,
    says: &str,
) -> Result<Evidence, String> {
    if !verify(group, reading, pair.public(), message, forged) {
        return Err("the forgery does not verify".to_owned());
    }
    Ok(Evidence {
        published: says.to_owned(),
        refused_by: refusal_of(SUITE, message, forged).ok_or("the protocol takes it")?,
        steps: 1,
    })
}

pub(super) fn small_order() -> Result<Evidence, String> {
    let group = group();
    let victim = StaticKey::new(&group, secret());
    let minus_one = group.exponents();
    let answered = victim.agree(&group, &minus_one);
    let bit = algebraic::residue_of_static_key(&group, &minus_one, 2, |key| *key == answered);
    let bit = bit.filter(|bit| victim.is_residue(*bit, 2)).ok_or("the secret does not show")?;
    let refusal =
        Element::decode(&RULES, SUITE, &encoded(SUITE, &minus_one)).err().ok_or("p - 1 is decoded")?;
    let published = format!(
        "p - 1 in place of g^x: the session key is one of two, and the static secret is {bit} modulo 2"
    );
    Ok(Evidence { published, refused_by: refusal.clause(), steps: 1 })
}

pub(super) fn unhashed() -> Result<Evidence, String> {
    let (group, reading) = (group(), Reading { hashing: Hashing::None, ranges: true });
    let pair = KeyPair::new(&group, secret());
    let (message, made) = algebraic::message_for(&group, pair.public(), &BigUint::from(12_345u32));
    forged(&reading, &group, &pair, &message, &made, "a message and its signature, from the public key alone")
}

pub(super) fn weak_generator() -> Result<Evidence, String> {
    let group = Group::careless();
    let pair = KeyPair::new(&group, secret());
    let made = algebraic::with_dividing_generator(&group, &HASHED, pair.public(), WANTED);
    let made = made.ok_or("2 divides p - 1")?;
    forged(
        &HASHED,
        &group,
        &pair,
        WANTED,
        &made,
        "the signature of any message, in a group with p = 1 modulo 4",
    )
}

pub(super) fn standard_groups() -> Result<Evidence, String> {
    let group = group();
    let pair = KeyPair::new(&group, secret());
    let made = algebraic::on_standard_group(&group, &HASHED, WANTED);
    forged(&HASHED, &group, &pair, WANTED, &made, "a signature of any message under every key of ffdhe2048")
}

pub(super) fn one_nonce() -> Result<Evidence, String> {
    let group = group();
    let pair = KeyPair::new(&group, secret());
    let nonce = BigUint::from(3u8).pow(200);
    let sign = |message: &[u8]| pair.sign(&group, &HASHED, message, &nonce).ok_or("the nonce is even");
    let (one, other) = (sign(b"one")?, sign(b"other")?);
    let found = algebraic::secret_of_one_nonce(&group, &HASHED, (b"one", &one), (b"other", &other));
    if !found.is_some_and(|found| pair.is_secret(&group, &found)) {
        return Err("the equations have no solution".to_owned());
    }
    let key = SigningKey::generate(SUITE, &mut ChaCha20Rng::seed_from_u64(3));
    let repeats = |rules: &Rules| {
        let commitment = |message: &[u8]| {
            key.sign(rules, Domain::T_INITIAL, message).as_bytes()[..SUITE.element_len()].to_vec()
        };
        commitment(b"one") == commitment(b"other")
    };
    if repeats(&RULES) || !repeats(&less(&[Clause::NonceIsDerived])) {
        return Err("whether a nonce repeats does not hang on SIG-01".to_owned());
    }
    let published = "the secret key, from two signatures with one nonce".to_owned();
    Ok(Evidence { published, refused_by: Clause::NonceIsDerived, steps: 2 })
}

pub(super) fn unbounded() -> Result<Evidence, String> {
    let (group, reading) = (group(), Reading { hashing: Hashing::Message, ranges: false });
    let pair = KeyPair::new(&group, secret());
    let genuine =
        pair.sign(&group, &reading, b"genuine", &BigUint::from(3u8).pow(200)).ok_or("the nonce is even")?;
    let made = algebraic::from_another(&group, &reading, (b"genuine", &genuine), WANTED);
    let made = made.ok_or("the digest has no inverse")?;
    forged(
        &reading,
        &group,
        &pair,
        WANTED,
        &made,
        "from one signature that of any other message, with r above p",
    )
}
