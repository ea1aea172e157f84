//! The fast arithmetic against `num-bigint`, the readable one, on every suite that has a finite field, and against
//! the group's own laws on the curve.

use bemr::crypto::{Domain, Element, Factor, Scalar, Signed, SigningKey, Suite, invalid, verify_all};
use bemr_spec::{Clause, Rules};
use num_bigint::BigUint;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::LazyLock;

const RULES: Rules = Rules::hardened();

/// floor(2^bits * e), by the series of 1 / k!.
fn scaled_e(bits: u32) -> BigUint {
    let (mut term, mut sum, mut k) = (BigUint::from(1u8) << (bits + 64), BigUint::ZERO, 1u32);
    while term != BigUint::ZERO {
        sum += &term;
        term /= k;
        k += 1;
    }
    sum >> 64
}

/// A prime of RFC 7919 by its formula (appendix A), not from the code under test.
fn rfc7919(bits: u32, x: u32) -> BigUint {
    let power = |bits: u32| BigUint::from(1u8) << bits;
    power(bits) - power(bits - 64) + ((scaled_e(bits - 130) + x) << 64) - 1u8
}

fn prime(suite: Suite) -> BigUint {
    static P_2048: LazyLock<BigUint> = LazyLock::new(|| rfc7919(2048, 560_316));
    static P_3072: LazyLock<BigUint> = LazyLock::new(|| rfc7919(3072, 2_625_351));
    match suite {
        Suite::Ffdhe2048 => P_2048.clone(),
        Suite::Ffdhe3072 => P_3072.clone(),
        Suite::Tiny => (BigUint::from(1u8) << 64) - 8489u32,
        Suite::Ristretto255 => unreachable!("no finite field"),
    }
}

fn order(suite: Suite) -> BigUint {
    match suite {
        Suite::Ristretto255 => (BigUint::from(1u8) << 252) + 27742317777372353535851937790883648493u128,
        _ => prime(suite) >> 1,
    }
}

fn encode(suite: Suite, integer: &BigUint) -> Vec<u8> {
    let mut bytes = integer.to_bytes_be();
    bytes.splice(..0, vec![0; suite.element_len() - bytes.len()]);
    if suite == Suite::Ristretto255 {
        bytes.reverse();
    }
    bytes
}

fn integer(scalar: &Scalar) -> BigUint {
    match scalar.suite() {
        Suite::Ristretto255 => BigUint::from_bytes_le(scalar.encode()),
        _ => BigUint::from_bytes_be(scalar.encode()),
    }
}

fn scalar(suite: Suite, integer: &BigUint) -> Scalar {
    Scalar::reduce(suite, &integer.to_bytes_be())
}

fn field() -> impl Strategy<Value = Suite> {
    prop_oneof![6 => Just(Suite::Tiny), 2 => Just(Suite::Ffdhe2048), 1 => Just(Suite::Ffdhe3072)]
}

fn any_suite() -> impl Strategy<Value = Suite> {
    prop_oneof![4 => field(), 2 => Just(Suite::Ristretto255)]
}

/// An exponent of a suite: any, or the ends of the range, or the neighbours of a power of two, where words and rows of
/// tables end.
fn exponent(suite: Suite) -> impl Strategy<Value = BigUint> {
    let q = order(suite);
    let bits = q.bits();
    let any = prop::collection::vec(any::<u8>(), bits as usize / 8 + 16);
    let near_power = (0..bits, 0u8..=2).prop_map(|(bit, by)| (BigUint::from(1u8) << bit) + by);
    prop_oneof![
        4 => any.prop_map(|bytes| BigUint::from_bytes_be(&bytes)),
        2 => near_power.prop_map(|beyond| beyond - 1u8),
        1 => (1u8..4).prop_map({ let q = q.clone(); move |below| &q - below }),
        1 => (0u8..4).prop_map(BigUint::from),
    ]
    .prop_map(move |integer| integer % &q)
}

/// A suite and so many of its exponents.
fn exponents<const N: usize>(
    suites: impl Strategy<Value = Suite>,
) -> impl Strategy<Value = (Suite, [BigUint; N])> {
    suites.prop_flat_map(|suite| {
        let all = prop::collection::vec(exponent(suite), N);
        (Just(suite), all.prop_map(|all| all.try_into().expect("N of them")))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn powers_of_the_generator_and_of_any_base_are_modpow((suite, [e, f]) in exponents(field())) {
        let p = prime(suite);
        let base = BigUint::from(2u8).modpow(&e, &p);
        prop_assert_eq!(Element::base_power(&scalar(suite, &e)).encode(), encode(suite, &base));
        if base > BigUint::from(1u8) {
            let element = Element::decode(&RULES, suite, &encode(suite, &base)).unwrap();
            let power = element.power(&scalar(suite, &f)).unwrap();
            prop_assert_eq!(power.encode(), encode(suite, &base.modpow(&f, &p)));
        }
    }

    #[test]
    fn products_of_public_powers_are_products_of_modpows(
        (suite, [e, f, g, h]) in exponents(field()),
        short in any::<bool>(),
        tables in any::<[bool; 2]>(),
    ) {
        let p = prime(suite);
        // Short exponents stay within a key's table, long ones go past its end.
        let cut = |e: &BigUint| if short { e % (BigUint::from(1u8) << 400) } else { e.clone() };
        let bases = [&h, &(&h + 5u8)].map(|e| BigUint::from(2u8).modpow(e, &p));
        prop_assume!(bases.iter().all(|base| *base > BigUint::from(1u8)));
        let mut expected = BigUint::from(2u8).modpow(&e, &p);
        let mut factors = Vec::new();
        for ((base, exponent), table) in bases.iter().zip([cut(&f), cut(&g)]).zip(tables) {
            expected = expected * base.modpow(&exponent, &p) % &p;
            let mut factor = Factor::from(Element::decode(&RULES, suite, &encode(suite, base)).unwrap());
            if table {
                factor.precompute();
            }
            factors.push((factor, scalar(suite, &exponent)));
        }
        let factors: Vec<_> = factors.iter().map(|(factor, exponent)| (factor, exponent)).collect();
        let product = Element::public_product(suite, Some(&scalar(suite, &e)), &factors);
        if expected == BigUint::from(1u8) {
            prop_assert_eq!(product.unwrap_err().clause(), Clause::ElementInRange);
        } else {
            prop_assert_eq!(product.unwrap().encode(), encode(suite, &expected));
        }
    }

    #[test]
    fn membership_is_that_the_power_of_q_is_one((suite, [integer]) in exponents(field()), negate in any::<bool>()) {
        let (p, q) = (prime(suite), order(suite));
        let integer = if negate { (&p - &integer) % &p } else { integer };
        let decoded = Element::decode(&RULES, suite, &encode(suite, &integer)).map_err(|refusal| refusal.clause());
        let expected = if integer <= BigUint::from(1u8) || integer >= &p - 1u8 {
            Err(Clause::ElementInRange)
        } else if integer.modpow(&q, &p) != BigUint::from(1u8) {
            Err(Clause::ElementInSubgroup)
        } else {
            Ok(encode(suite, &integer))
        };
        prop_assert_eq!(decoded.map(|element| element.encode()), expected);
    }

    #[test]
    fn scalars_are_integers_modulo_q(
        (suite, [a, b, c]) in exponents(any_suite()),
        wide in prop::collection::vec(any::<u8>(), 0..900),
    ) {
        let q = order(suite);
        prop_assert_eq!(integer(&Scalar::reduce(suite, &wide)), BigUint::from_bytes_be(&wide) % &q);
        let [x, y, z] = [&a, &b, &c].map(|e| scalar(suite, e));
        prop_assert_eq!(integer(&x.plus_product(&y, &z).unwrap()), (&a + &b * &c) % &q);
        prop_assert_eq!(integer(&x.negate()), (&q - &a) % &q);
        prop_assert_eq!(Scalar::decode(&RULES, suite, x.encode()).is_ok(), a != BigUint::ZERO);
        let above = encode(suite, &(&q + &a % 1000u32));
        prop_assert_eq!(Scalar::decode(&RULES, suite, &above).unwrap_err().clause(), Clause::ScalarInRange);
    }

    #[test]
    fn exponents_add_and_multiply((suite, [a, b]) in exponents(any_suite())) {
        prop_assume!(a != BigUint::ZERO && b != BigUint::ZERO && (&a + &b) % order(suite) != BigUint::ZERO);
        let [x, y] = [&a, &b].map(|e| scalar(suite, e));
        let (to_x, to_y) = (Element::base_power(&x), Element::base_power(&y));
        prop_assert_eq!(to_x.power(&y).unwrap(), to_y.power(&x).unwrap());
        let one = Scalar::reduce(suite, &[1]);
        let mut keyed = Factor::from(to_y);
        let product = Element::public_product(suite, Some(&x), &[(&keyed, &one)]).unwrap();
        prop_assert_eq!(&product, &Element::base_power(&x.plus_product(&y, &one).unwrap()));
        keyed.precompute();
        prop_assert_eq!(product, Element::public_product(suite, Some(&x), &[(&keyed, &one)]).unwrap());
    }

    #[test]
    fn an_element_has_one_encoding(suite in any_suite(), bytes in prop::collection::vec(any::<u8>(), 384)) {
        let bytes = &bytes[..suite.element_len()];
        if let Ok(element) = Element::decode(&RULES, suite, bytes) {
            prop_assert_eq!(element.encode(), bytes);
        }
    }

    #[test]
    fn a_batch_and_its_signatures_agree(
        suite in any_suite(),
        seed in any::<u64>(),
        broken in prop::collection::vec(prop::bool::weighted(0.2), 1..6),
        signers in 1usize..4,
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let keys: Vec<_> = (0..signers).map(|_| SigningKey::generate(suite, &mut rng)).collect();
        let messages: Vec<_> = (0..broken.len()).map(|i| [i as u8, 0]).collect();
        let signatures: Vec<_> = broken
            .iter()
            .zip(keys.iter().cycle())
            .zip(&messages)
            .map(|((broken, key), message)| key.sign(&RULES, Domain::VOTE, &[message[0], u8::from(*broken)]))
            .collect();
        let batch: Vec<_> = signatures
            .iter()
            .zip(keys.iter().cycle())
            .zip(&messages)
            .map(|((signature, key), message)| Signed { key: key.verifying_key(), domain: Domain::VOTE, message, signature })
            .collect();
        let wrong: Vec<_> = (0..broken.len()).filter(|i| broken[*i]).collect();
        prop_assert_eq!(verify_all(&RULES, &batch), wrong.is_empty());
        prop_assert_eq!(invalid(&RULES, &batch).collect::<Vec<_>>(), wrong);
    }
}
