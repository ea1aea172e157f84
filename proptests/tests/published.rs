//! The attacks that are equations, at real group sizes: each works on the paper's construction, and the protocol refuses what
//! it makes by the clause that chapter 18 names.

use bemr::crypto::{self, Domain, Element, SigningKey, Suite};
use bemr_lab::attacks::{algebraic, encoded, refusal_of};
use bemr_lab::paper::{Group, Hashing, KeyPair, Reading, StaticKey, verify};
use bemr_spec::{Clause, Rules};
use num_bigint::BigUint;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const RULES: Rules = Rules::hardened();
const FIELDS: [Suite; 2] = [Suite::Ffdhe2048, Suite::Ffdhe3072];
const HASHED: Reading = Reading { hashing: Hashing::MessageAndCommitment, ranges: true };

fn group(suite: Suite) -> Group {
    Group::of(suite).expect("a finite field")
}

fn integer() -> impl Strategy<Value = BigUint> {
    prop::array::uniform32(1u8..).prop_map(|bytes| BigUint::from_bytes_be(&bytes))
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..64)
}

/// Miller and Rabin's test to the bases 2 and 3: enough against a number that was not made to pass it.
fn is_probably_prime(n: &BigUint) -> bool {
    let less = n - 1u8;
    let twos = less.trailing_zeros().expect("n is above 1");
    let odd = &less >> twos;
    [2u8, 3].into_iter().all(|base| {
        let mut power = BigUint::from(base).modpow(&odd, n);
        let one = BigUint::from(1u8);
        power == one
            || (0..twos).any(|_| {
                let minus_one = power == less;
                power = &power * &power % n;
                minus_one
            })
    })
}

#[test]
fn the_careless_group_is_what_it_says() {
    let Group { p, g, order } = Group::careless();
    assert!(is_probably_prime(&p));
    assert_eq!(&p % 8u8, BigUint::from(5u8));
    assert_eq!(g.modpow(&(&order >> 1u8), &p), order, "2 to the power of (p - 1) / 2 is -1");
}

#[test]
fn c_03_elements_of_small_order_leave_few_keys_and_tell_of_a_static_secret() {
    let one = BigUint::from(1u8);
    for (secret, seed) in [(0x1234_5678_9abc_def1_u64, 1u32), (0x0fed_cba9_8765_4322, 2)] {
        for suite in FIELDS {
            let group = group(suite);
            let victim = StaticKey::new(&group, BigUint::from(secret) * 0x1_0000_0001_u64 + seed);
            // Of order 1, of no order, of order 2.
            for element in [&BigUint::ZERO, &one] {
                assert_eq!(victim.agree(&group, element), StaticKey::key(element));
            }
            let minus_one = group.exponents();
            let answered = victim.agree(&group, &minus_one);
            let bit = algebraic::residue_of_static_key(&group, &minus_one, 2, |key| *key == answered);
            assert!(bit.is_some_and(|bit| victim.is_residue(bit, 2)));
            for (element, clause) in [
                (&BigUint::ZERO, Clause::ElementInRange),
                (&one, Clause::ElementInRange),
                (&minus_one, Clause::ElementInRange),
                // Of order 2q: half of what is sent to a careless receiver is.
                (&(&group.p - 2u8), Clause::ElementInSubgroup),
            ] {
                let refusal = Element::decode(&RULES, suite, &encoded(suite, element)).unwrap_err();
                assert_eq!(refusal.clause(), clause, "{element}");
            }
        }
        let group = Group::careless();
        let victim = StaticKey::new(&group, BigUint::from(secret));
        let fourth = group.power(&(&group.order >> 2u8));
        let answered = victim.agree(&group, &fourth);
        let residue = algebraic::residue_of_static_key(&group, &fourth, 4, |key| *key == answered);
        assert!(residue.is_some_and(|residue| victim.is_residue(residue, 4)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn an_honest_signature_verifies_under_every_reading_and_another_message_does_not(
        secret in integer(), nonce in integer(), message in message(), ranges in any::<bool>(),
    ) {
        let group = group(Suite::Ffdhe2048);
        let nonce = nonce | BigUint::from(1u8);
        let pair = KeyPair::new(&group, secret);
        for hashing in [Hashing::None, Hashing::Message, Hashing::MessageAndCommitment] {
            let reading = Reading { hashing, ranges };
            let signature = pair.sign(&group, &reading, &message, &nonce);
            let signature = signature.expect("q is prime and s is 0 for one nonce in q");
            prop_assert!(verify(&group, &reading, pair.public(), &message, &signature));
            let other = [&message[..], b"!"].concat();
            prop_assert!(!verify(&group, &reading, pair.public(), &other, &signature));
        }
    }

    #[test]
    fn c_13_without_a_hash_every_number_makes_a_signed_message(secret in integer(), u in integer()) {
        let reading = Reading { hashing: Hashing::None, ranges: true };
        for suite in FIELDS {
            let group = group(suite);
            let pair = KeyPair::new(&group, secret.clone());
            let (message, forged) = algebraic::message_for(&group, pair.public(), &u);
            prop_assert!(verify(&group, &reading, pair.public(), &message, &forged));
            prop_assert!(!verify(&group, &HASHED, pair.public(), &message, &forged), "a hash stops this one");
            prop_assert_eq!(refusal_of(suite, &message, &forged), Some(Clause::CommitmentRecomputed));
        }
    }

    #[test]
    fn c_14_a_generator_that_divides_p_minus_one_signs_everything(secret in integer(), message in message()) {
        let group = Group::careless();
        let pair = KeyPair::new(&group, secret);
        let forged = algebraic::with_dividing_generator(&group, &HASHED, pair.public(), &message);
        let forged = forged.expect("2 divides p - 1");
        prop_assert!(verify(&group, &HASHED, pair.public(), &message, &forged));
        // The protocol's groups are constants, and none has p = 1 modulo 4.
        for suite in FIELDS {
            let standard = self::group(suite);
            let public = standard.power(&BigUint::from(5u8));
            let none = algebraic::with_dividing_generator(&standard, &HASHED, &public, &message);
            prop_assert_eq!(none, None);
        }
    }

    #[test]
    fn c_14b_on_the_standard_groups_everything_is_signed_under_every_key(
        secret in integer(), message in message(),
    ) {
        for suite in FIELDS {
            let group = group(suite);
            let pair = KeyPair::new(&group, secret.clone());
            let forged = algebraic::on_standard_group(&group, &HASHED, &message);
            prop_assert!(verify(&group, &HASHED, pair.public(), &message, &forged));
            prop_assert_eq!(refusal_of(suite, &message, &forged), Some(Clause::CommitmentRecomputed));
            // Where signatures are verified in a batch, r is decoded as an element, and it is none.
            let commitment = Element::decode(&RULES, suite, &encoded(suite, &forged.r)).unwrap_err();
            prop_assert_eq!(commitment.clause(), Clause::ElementInSubgroup);
        }
    }

    #[test]
    fn c_15_two_signatures_with_one_nonce_give_the_key(
        secret in integer(), nonce in integer(), first in message(), second in message(),
    ) {
        prop_assume!(first != second);
        for suite in FIELDS {
            let group = group(suite);
            let pair = KeyPair::new(&group, secret.clone());
            let sign = |message: &[u8]| pair.sign(&group, &HASHED, message, &nonce).expect("q is prime");
            let (one, other) = (sign(&first), sign(&second));
            let found = algebraic::secret_of_one_nonce(&group, &HASHED, (&first, &one), (&second, &other));
            prop_assert!(found.is_some_and(|found| pair.is_secret(&group, &found)));
            // The protocol's nonces are those of key, tag and message.
            let key = SigningKey::generate(suite, &mut ChaCha20Rng::seed_from_u64(3));
            let signed = |message: &[u8]| key.sign(&RULES, Domain::T_INITIAL, message);
            let commitment = |message: &[u8]| signed(message).as_bytes()[..suite.element_len()].to_vec();
            prop_assert_ne!(commitment(&first), commitment(&second));
            prop_assert_eq!(signed(&first), signed(&first));
        }
    }

    #[test]
    fn c_16_without_the_bound_on_r_one_signature_gives_every_other(
        secret in integer(), nonce in integer(), first in message(), second in message(),
    ) {
        prop_assume!(first != second);
        let reading = Reading { hashing: Hashing::Message, ranges: false };
        for suite in FIELDS {
            let group = group(suite);
            let pair = KeyPair::new(&group, secret.clone());
            let genuine = pair.sign(&group, &reading, &first, &nonce).expect("q is prime");
            let forged = algebraic::from_another(&group, &reading, (&first, &genuine), &second);
            let forged = forged.expect("q is prime");
            prop_assert!(verify(&group, &reading, pair.public(), &second, &forged));
            prop_assert!(forged.r >= group.p);
            let bounded = Reading { ranges: true, ..reading };
            prop_assert!(!verify(&group, &bounded, pair.public(), &second, &forged));
            // As wide as it is, it is no signature of the suite; cut to the width of one, it is no commitment.
            let wide = [forged.r.to_bytes_be(), encoded(suite, &forged.s)].concat();
            let key = SigningKey::generate(suite, &mut ChaCha20Rng::seed_from_u64(7));
            let wide = crypto::Signature::from_bytes(&wide);
            let refusal = key.verifying_key().check(&RULES, Domain::T_INITIAL, &second, &wide).unwrap_err();
            prop_assert_eq!(refusal.clause(), Clause::SuiteMatches);
            prop_assert_eq!(refusal_of(suite, &second, &forged), Some(Clause::CommitmentRecomputed));
        }
    }
}
