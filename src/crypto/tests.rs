//! What each clause of the chapter on types refuses, what its mutant lets through, and what that would cost.

use super::*;
use super::{finite_field, jacobi};
use bemr_spec::{Clause, Rules, constants};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

const RULES: Rules = Rules::hardened();
const TAG: Domain = Domain::VOTE;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// floor(2^bits * e), by the series of 1 / k!.
fn scaled_e(bits: u32) -> BigUint {
    let guard = 64;
    let mut term = BigUint::from(1u8) << (bits + guard);
    let (mut sum, mut k) = (BigUint::ZERO, 1u32);
    while term != BigUint::ZERO {
        sum += &term;
        term /= k;
        k += 1;
    }
    sum >> guard
}

/// Rounds of Miller and Rabin with small bases: enough for numbers that nobody chose to fool it.
fn is_probable_prime(n: &BigUint) -> bool {
    let one = BigUint::from(1u8);
    let less = n - &one;
    let twos = less.trailing_zeros().unwrap_or(0);
    [2u8, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37].iter().all(|base| {
        let mut x = BigUint::from(*base).modpow(&(&less >> twos), n);
        if x == one || x == less {
            return true;
        }
        (1..twos).any(|_| {
            x = &x * &x % n;
            x == less
        })
    })
}

fn prime(suite: Suite) -> BigUint {
    let hex = match suite {
        Suite::Ffdhe2048 => finite_field::P_2048,
        Suite::Ffdhe3072 => finite_field::P_3072,
        Suite::Tiny => finite_field::P_TINY,
        Suite::Ristretto255 => unreachable!("no finite field"),
    };
    BigUint::parse_bytes(hex.as_bytes(), 16).expect("the constant is hexadecimal")
}

fn order(suite: Suite) -> BigUint {
    match suite {
        Suite::Ristretto255 => (BigUint::from(1u8) << 252) + 27742317777372353535851937790883648493u128,
        _ => prime(suite) >> 1,
    }
}

fn padded(suite: Suite, integer: &BigUint) -> Vec<u8> {
    let mut bytes = integer.to_bytes_be();
    bytes.splice(..0, vec![0; suite.element_len() - bytes.len()]);
    if suite == Suite::Ristretto255 {
        bytes.reverse();
    }
    bytes
}

const FIELDS: [Suite; 3] = [Suite::Ffdhe2048, Suite::Ffdhe3072, Suite::Tiny];

#[test]
fn the_primes_are_those_of_the_formula() {
    for (suite, bits, x) in [(Suite::Ffdhe2048, 2048, 560_316u32), (Suite::Ffdhe3072, 3072, 2_625_351)] {
        let one = BigUint::from(1u8);
        let p = (&one << bits) - (&one << (bits - 64)) + ((scaled_e(bits - 130) + x) << 64) - &one;
        assert_eq!(prime(suite), p);
    }
}

#[test]
fn the_primes_are_safe_and_two_generates_the_subgroup() {
    for suite in [Suite::Ffdhe2048, Suite::Tiny] {
        let (p, q) = (prime(suite), order(suite));
        assert!(is_probable_prime(&q) && is_probable_prime(&p), "{suite}");
        assert_eq!(BigUint::from(2u8).modpow(&q, &p), BigUint::from(1u8));
    }
}

#[test]
fn the_tiny_prime_is_the_greatest_of_its_kind() {
    let p = prime(Suite::Tiny);
    let kind =
        |p: &BigUint| p % 8u8 == BigUint::from(7u8) && is_probable_prime(p) && is_probable_prime(&(p >> 1u8));
    let above = std::iter::successors(Some((BigUint::from(1u8) << 64) - 1u8), |n| (n > &p).then(|| n - 1u8));
    assert_eq!(above.into_iter().find(kind), Some(p));
}

#[test]
fn the_symbol_is_that_of_euclids_algorithm() {
    fn euclid(a: &BigUint, n: &BigUint) -> i8 {
        let (mut a, mut n, mut sign) = (a % n, n.clone(), 1);
        while a != BigUint::ZERO {
            let twos = a.trailing_zeros().unwrap();
            a >>= twos;
            let eight = |x: &BigUint| (x % 8u8).to_u64_digits().first().copied().unwrap_or(0);
            if twos % 2 == 1 && matches!(eight(&n), 3 | 5) {
                sign = -sign;
            }
            if eight(&a) % 4 == 3 && eight(&n) % 4 == 3 {
                sign = -sign;
            }
            (a, n) = (&n % &a, a);
        }
        if n == BigUint::from(1u8) { sign } else { 0 }
    }
    let mut rng = rng(1);
    let mut seen = [0; 3];
    for round in 0..600 {
        let bytes = [4, 8, 9, 16, 24, 40, 256][round % 7];
        let (mut a, mut n) = (vec![0; bytes], vec![0; bytes]);
        rng.fill_bytes(&mut a);
        rng.fill_bytes(&mut n);
        match round % 5 {
            // Close numbers, small numbers, common factors, long runs of zeros.
            0 => a[..bytes / 2].copy_from_slice(&n.clone()[..bytes / 2]),
            1 => a[..bytes - 1].fill(0),
            2 => n[..bytes - 2].fill(0),
            3 => a[bytes / 4..].fill(0),
            _ => {}
        }
        n[bytes - 1] |= 1;
        let symbol = jacobi::symbol(&a, &n);
        assert_eq!(symbol, euclid(&BigUint::from_bytes_be(&a), &BigUint::from_bytes_be(&n)), "{a:?} {n:?}");
        seen[(symbol + 1) as usize] += 1;
    }
    assert!(seen.iter().all(|times| *times > 20), "{seen:?}");
    for a in 0..=255u8 {
        for n in (1..=255u8).step_by(2) {
            assert_eq!(jacobi::symbol(&[a], &[n]), euclid(&a.into(), &n.into()), "{a} {n}");
        }
    }
}

#[test]
fn grp_01_refuses_what_is_out_of_range() {
    let mutant = RULES.without(Clause::ElementInRange);
    for suite in FIELDS {
        let p = prime(suite);
        let not: Vec<BigUint> = vec![BigUint::ZERO, 1u8.into(), &p - 1u8, p.clone(), &p + 1u8];
        for integer in not {
            let error = Element::decode(&RULES, suite, &padded(suite, &integer)).unwrap_err();
            assert_eq!(error.clause(), Clause::ElementInRange, "{suite} {integer}");
        }
        // The mutant takes the identity, under which every shared secret is known beforehand.
        let one = Element::decode(&mutant, suite, &padded(suite, &1u8.into())).unwrap();
        let shared = Ephemeral::generate(suite, &mut rng(2)).agree(&one);
        assert_eq!(shared.as_bytes(), padded(suite, &1u8.into()));
        // It takes a second encoding of an element, too.
        let four = Element::decode(&mutant, suite, &padded(suite, &(&p + 4u8))).unwrap();
        assert_eq!(four, Element::decode(&RULES, suite, &padded(suite, &4u8.into())).unwrap());
    }
    let suite = Suite::Ristretto255;
    assert_eq!(Element::decode(&RULES, suite, &[0; 32]).unwrap_err().clause(), Clause::ElementInRange);
    assert_eq!(Element::decode(&RULES, suite, &[255; 32]).unwrap_err().clause(), Clause::ElementInRange);
    let identity = Element::decode(&mutant, suite, &[0; 32]).unwrap();
    assert_eq!(Ephemeral::generate(suite, &mut rng(2)).agree(&identity).as_bytes(), [0; 32]);
}

#[test]
fn grp_02_refuses_what_is_outside_the_subgroup() {
    let mutant = RULES.without(Clause::ElementInSubgroup);
    for suite in FIELDS {
        let p = prime(suite);
        let outside = padded(suite, &(&p - 4u8));
        assert_eq!(
            Element::decode(&RULES, suite, &outside).unwrap_err().clause(),
            Clause::ElementInSubgroup,
            "{suite}"
        );
        // Under the mutant the shared secret tells whether the secret exponent is odd.
        let outside = Element::decode(&mutant, suite, &outside).unwrap();
        for seed in 0..4 {
            let secret = Scalar::random(suite, &mut rng(seed));
            let shared = BigUint::from_bytes_be(&outside.power(&secret).unwrap().encode());
            let odd = secret.encode().last().unwrap() & 1 == 1;
            assert_eq!(shared.modpow(&order(suite), &p) != BigUint::from(1u8), odd);
        }
    }
}

#[test]
fn grp_03_refuses_what_is_no_scalar_and_so_a_second_signature() {
    let mutant = RULES.without(Clause::ScalarInRange);
    for &suite in Suite::ALL {
        let q = order(suite);
        for integer in [BigUint::ZERO, q.clone(), &q + 1u8] {
            let error = Scalar::decode(&RULES, suite, &padded(suite, &integer)).unwrap_err();
            assert_eq!(error.clause(), Clause::ScalarInRange);
        }
        assert!(Scalar::decode(&RULES, suite, &padded(suite, &(&q - 1u8))).is_ok());

        let key = SigningKey::generate(suite, &mut rng(3));
        let signature = key.sign(&RULES, TAG, b"once");
        let (commitment, response) = signature.as_bytes().split_at(suite.element_len());
        let response = match suite {
            Suite::Ristretto255 => BigUint::from_bytes_le(response),
            _ => BigUint::from_bytes_be(response),
        };
        let second = Signature::from_bytes(&[commitment, &padded(suite, &(response + q))].concat());
        assert_ne!(second, signature);
        let refusal = key.verifying_key().check(&RULES, TAG, b"once", &second).unwrap_err();
        assert_eq!(refusal.clause(), Clause::ScalarInRange, "{suite}");
        assert!(key.verifying_key().verify(&mutant, TAG, b"once", &second), "{suite}");
    }
}

#[test]
fn grp_04_refuses_what_belongs_to_another_suite() {
    let mutant = RULES.without(Clause::SuiteMatches);
    for &suite in Suite::ALL {
        let key = SigningKey::generate(suite, &mut rng(4));
        let signature = key.sign(&RULES, TAG, b"m");
        for &other in Suite::ALL.iter().filter(|other| **other != suite) {
            let encoding = key.verifying_key().encode();
            let clause = |result: Result<Element, bemr_spec::Refusal>| result.unwrap_err().clause();
            assert_eq!(clause(Element::decode(&RULES, other, &encoding)), Clause::SuiteMatches);
            let stranger = SigningKey::generate(other, &mut rng(5));
            let refusal = stranger.verifying_key().check(&RULES, TAG, b"m", &signature).unwrap_err();
            assert_eq!(refusal.clause(), Clause::SuiteMatches, "{suite} {other}");
            let pair = Ephemeral::generate(other, &mut rng(6));
            let refusal = pair.try_agree(key.verifying_key().element()).unwrap_err();
            assert_eq!(refusal.clause(), Clause::SuiteMatches);
        }
    }
    // Under the mutant an element of the tiny group passes for one of a big group.
    let four = padded(Suite::Tiny, &4u8.into());
    assert!(Element::decode(&mutant, Suite::Ffdhe2048, &four).is_ok());
    assert!(Element::decode(&mutant, Suite::Tiny, &padded(Suite::Ffdhe2048, &4u8.into())).is_err());
}

#[test]
fn a_signature_verifies_and_no_neighbour_of_it_does() {
    for &suite in Suite::ALL {
        let mut rng = rng(7);
        let (key, other) = (SigningKey::generate(suite, &mut rng), SigningKey::generate(suite, &mut rng));
        let mut public = key.verifying_key().clone();
        let signature = key.sign(&RULES, TAG, b"message");
        assert_eq!(signature.as_bytes().len(), suite.signature_len());
        for _ in 0..2 {
            assert!(public.verify(&RULES, TAG, b"message", &signature), "{suite}");
            assert!(!public.verify(&RULES, TAG, b"massage", &signature));
            assert!(!public.verify(&RULES, Domain::T_BLOCK, b"message", &signature));
            assert!(!other.verifying_key().verify(&RULES, TAG, b"message", &signature));
            for place in [0, suite.element_len() - 1, suite.element_len() + 3, suite.signature_len() - 2] {
                let mut bytes = signature.as_bytes().to_vec();
                bytes[place] ^= 1;
                assert!(
                    !public.verify(&RULES, TAG, b"message", &Signature::from_bytes(&bytes)),
                    "{suite} {place}"
                );
            }
            public.precompute();
        }
        for length in [0, 1, suite.element_len(), suite.signature_len() - 1] {
            let cut = Signature::from_bytes(&signature.as_bytes()[..length]);
            assert!(!public.verify(&RULES, TAG, b"message", &cut));
        }
    }
}

#[test]
fn sig_01_without_derived_nonces_two_signatures_give_the_key_away() {
    let mutant = RULES.without(Clause::NonceIsDerived);
    for &suite in Suite::ALL {
        let key = SigningKey::generate(suite, &mut rng(8));
        let sign = |rules: &Rules, message: &[u8]| key.sign(rules, TAG, message).as_bytes().to_vec();
        let commitment = |signature: &[u8]| signature[..suite.element_len()].to_vec();
        assert_eq!(sign(&RULES, b"one"), sign(&RULES, b"one"));
        assert_ne!(commitment(&sign(&RULES, b"one")), commitment(&sign(&RULES, b"two")));

        let (one, two) = (sign(&mutant, b"one"), sign(&mutant, b"two"));
        assert_eq!(commitment(&one), commitment(&two), "one nonce, two messages");
        // s1 - s2 = (c2 - c1) x.
        let q = order(suite);
        let integer = |bytes: &[u8]| match suite {
            Suite::Ristretto255 => BigUint::from_bytes_le(bytes),
            _ => BigUint::from_bytes_be(bytes),
        };
        let response = |signature: &[u8]| integer(&signature[suite.element_len()..]);
        let challenge = |message| {
            let challenge = signature::challenge(
                &RULES,
                suite,
                &key.verifying_key().encode(),
                &commitment(&one),
                TAG,
                message,
            );
            integer(challenge.encode())
        };
        let (c1, c2) = (challenge(b"one"), challenge(b"two"));
        let difference = (c2 + &q - c1) % &q;
        let x = (response(&one) + &q - response(&two)) * difference.modinv(&q).unwrap() % &q;
        assert_eq!(padded(suite, &x), *key.to_bytes(), "{suite}");
    }
}

#[test]
fn sig_02_without_key_and_tag_in_the_challenge_a_signature_can_be_lifted() {
    let mutant = RULES.without(Clause::ChallengeCoversKeyAndTag);
    for &suite in Suite::ALL {
        let mut rng = rng(9);
        let key = SigningKey::generate(suite, &mut rng);
        let signature = key.sign(&RULES, Domain::VOTE, b"m");
        let refusal = key.verifying_key().check(&RULES, Domain::T_VALID, b"m", &signature).unwrap_err();
        assert_eq!(refusal.clause(), Clause::CommitmentRecomputed);
        let weak = key.sign(&mutant, Domain::VOTE, b"m");
        assert!(
            key.verifying_key().verify(&mutant, Domain::T_VALID, b"m", &weak),
            "{suite}: lifted to another stage"
        );

        // The signature bends into one under a related key: s' = s - c * bend verifies under Y' = Y * g^bend.
        let (commitment, response) = weak.as_bytes().split_at(suite.element_len());
        let response = Scalar::decode(&RULES, suite, response).unwrap();
        let challenge = signature::challenge(
            &mutant,
            suite,
            &key.verifying_key().encode(),
            commitment,
            Domain::VOTE,
            b"m",
        );
        let bend = Scalar::random(suite, &mut rng);
        let bent = response.plus_product(&challenge, &bend.negate()).unwrap();
        let factors = [(&Factor::from(key.verifying_key().element().clone()), &Scalar::reduce(suite, &[1]))];
        let related = Element::public_product(suite, Some(&bend), &factors).unwrap();
        let related = VerifyingKey::decode(&RULES, suite, &related.encode()).unwrap();
        let forged = Signature::from_bytes(&[commitment, bent.encode()].concat());
        assert!(
            related.verify(&mutant, Domain::VOTE, b"m", &forged),
            "{suite}: a signature under a related key"
        );
        assert!(!related.verify(&RULES, Domain::VOTE, b"m", &forged));
    }
}

#[test]
fn sig_03_without_the_comparison_anything_well_formed_is_a_signature() {
    let mutant = RULES.without(Clause::CommitmentRecomputed);
    for &suite in Suite::ALL {
        let mut rng = rng(10);
        let key = SigningKey::generate(suite, &mut rng);
        let commitment = Element::base_power(&Scalar::random(suite, &mut rng)).encode();
        let forged = Signature::from_bytes(&[&commitment, Scalar::random(suite, &mut rng).encode()].concat());
        let refusal = key.verifying_key().check(&RULES, TAG, b"m", &forged).unwrap_err();
        assert_eq!(refusal.clause(), Clause::CommitmentRecomputed);
        assert!(key.verifying_key().verify(&mutant, TAG, b"m", &forged), "{suite}");
    }
}

#[test]
fn forgeries_of_textbook_elgamal_do_not_carry_over() {
    for suite in FIELDS {
        let mut rng = rng(11);
        let key = SigningKey::generate(suite, &mut rng);
        let public = key.verifying_key();
        let q = order(suite);
        // C-13: R = g^u * Y, s = u, made without the secret, holds for the challenge 1 alone.
        let u = Scalar::random(suite, &mut rng);
        let one = Scalar::reduce(suite, &[1]);
        let commitment =
            Element::public_product(suite, Some(&u), &[(&Factor::from(public.element().clone()), &one)])
                .unwrap();
        let forged = Signature::from_bytes(&[&commitment.encode(), u.encode()].concat());
        assert!(!public.verify(&RULES, TAG, b"any", &forged), "{suite} C-13");
        // C-14: a commitment that divides p - 1 and a response that needs no key.
        for r in [BigUint::from(2u8), q.clone()] {
            let s = (&q - 1u8) >> 1;
            let forged = Signature::from_bytes(&[padded(suite, &r), padded(suite, &s)].concat());
            assert!(!public.verify(&RULES, TAG, b"any", &forged), "{suite} C-14");
        }
        // C-16: the same commitment once more, a multiple of p higher, where it still fits.
        let signature = key.sign(&RULES, TAG, b"m");
        let (commitment, response) = signature.as_bytes().split_at(suite.element_len());
        let higher = (BigUint::from_bytes_be(commitment) + prime(suite)).to_bytes_be();
        let forged = Signature::from_bytes(&[&higher, response].concat());
        assert!(!public.verify(&RULES, TAG, b"m", &forged), "{suite} C-16");
    }
}

fn batch_of(suite: Suite, signers: usize, signatures: usize) -> Vec<(VerifyingKey, Vec<u8>, Signature)> {
    let mut rng = rng(12);
    let keys: Vec<_> = (0..signers).map(|_| SigningKey::generate(suite, &mut rng)).collect();
    (0..signatures)
        .map(|i| {
            let key = &keys[i % signers];
            let message = vec![i as u8; i];
            let mut public = key.verifying_key().clone();
            if i % 2 == 0 {
                public.precompute();
            }
            (public, message.clone(), key.sign(&RULES, TAG, &message))
        })
        .collect()
}

fn signed(batch: &[(VerifyingKey, Vec<u8>, Signature)]) -> Vec<Signed<'_>> {
    batch.iter().map(|(key, message, signature)| Signed { key, domain: TAG, message, signature }).collect()
}

#[test]
fn a_batch_verifies_exactly_when_every_signature_does() {
    for &suite in Suite::ALL {
        assert!(verify_all(&RULES, &[]));
        for (signers, signatures) in [(1, 1), (1, 3), (3, 5)] {
            let batch = batch_of(suite, signers, signatures);
            assert!(verify_all(&RULES, &signed(&batch)), "{suite} {signers} {signatures}");
            assert_eq!(invalid(&RULES, &signed(&batch)).count(), 0);
            for wrong in 0..signatures {
                let mut broken = batch.clone();
                broken[wrong].1.push(0);
                assert!(!verify_all(&RULES, &signed(&broken)), "{suite} {wrong}");
                assert_eq!(invalid(&RULES, &signed(&broken)).collect::<Vec<_>>(), [wrong]);
            }
        }
        // Two errors that cancel when all coefficients are equal.
        let mut batch = batch_of(suite, 2, 2);
        let one = Scalar::reduce(suite, &[1]);
        for (place, shift) in [(0, one.clone()), (1, one.negate())] {
            let (commitment, response) = batch[place].2.as_bytes().split_at(suite.element_len());
            let moved = Scalar::decode(&RULES, suite, response).unwrap().plus_product(&shift, &one).unwrap();
            batch[place].2 = Signature::from_bytes(&[commitment, moved.encode()].concat());
        }
        assert!(!verify_all(&RULES, &signed(&batch)), "{suite}");
    }
}

/// What a holder can make who wants a signature that one verifier takes and another does not: R = -g^k.
fn two_faced(key: &SigningKey, message: &[u8], rng: &mut ChaCha20Rng) -> Signature {
    let public = key.verifying_key();
    let suite = public.suite();
    let nonce = Scalar::random(suite, rng);
    let commitment = BigUint::from_bytes_be(&Element::base_power(&nonce).encode());
    let commitment = padded(suite, &(prime(suite) - commitment));
    let challenge = signature::challenge(&RULES, suite, &public.encode(), &commitment, TAG, message);
    let secret = Scalar::decode(&RULES, suite, &key.to_bytes()).expect("a key has a scalar");
    let response = nonce.plus_product(&challenge, &secret.negate()).expect("one suite");
    Signature::from_bytes(&[&commitment, response.encode()].concat())
}

#[test]
fn a_batch_does_not_overlook_a_commitment_outside_the_subgroup() {
    let mutant = RULES.without(Clause::ElementInSubgroup);
    let mut overlooked = 0;
    for suite in FIELDS {
        let mut rng = rng(17);
        let key = SigningKey::generate(suite, &mut rng);
        let mut batch = batch_of(suite, 2, 2);
        for message in 0..6u8 {
            let signature = two_faced(&key, &[message], &mut rng);
            assert!(!key.verifying_key().verify(&mutant, TAG, &[message], &signature));
            batch.push((key.verifying_key().clone(), vec![message], signature));
            assert!(!verify_all(&RULES, &signed(&batch)), "{suite}");
            overlooked += usize::from(verify_all(&mutant, &signed(&batch)));
            if message % 2 == 0 {
                batch.pop();
            }
        }
    }
    // About half of them pass where nobody looks at the subgroup: the coefficients' parities add up.
    assert!((2..17).contains(&overlooked), "{overlooked}");
}

#[test]
fn a_batch_of_two_suites_is_verified_one_by_one() {
    let mut batch = batch_of(Suite::Tiny, 1, 2);
    batch.extend(batch_of(Suite::Ristretto255, 1, 2));
    assert!(verify_all(&RULES, &signed(&batch)));
    batch[3].1.push(0);
    assert!(!verify_all(&RULES, &signed(&batch)));
}

#[test]
fn kem_01_the_key_depends_on_suite_encapsulation_recipient_and_context() {
    let mutant = RULES.without(Clause::EncapsulationIsContextual);
    for &suite in Suite::ALL {
        let mut rng = rng(13);
        let recipient = DecapsulationKey::generate(suite, &mut rng);
        let (encapsulation, key) = recipient.encapsulation_key().encapsulate(&RULES, &mut rng, b"here");
        let again = recipient.decapsulate(&RULES, &encapsulation, b"here").unwrap();
        assert_eq!(key.expose(), again.expose());
        let elsewhere = recipient.decapsulate(&RULES, &encapsulation, b"there").unwrap();
        assert_ne!(key.expose(), elsewhere.expose());
        let stranger = DecapsulationKey::generate(suite, &mut rng);
        assert_ne!(key.expose(), stranger.decapsulate(&RULES, &encapsulation, b"here").unwrap().expose());
        // Opening elsewhere fails by the tag, and the tag's clause names it.
        let sealed = key.seal(&[0; 12], b"", b"secret");
        let refusal = elsewhere.open_checked(&RULES, &[0; 12], b"", &sealed).unwrap_err();
        assert_eq!(refusal.clause(), Clause::TagVerifiedBeforeUse);

        let (encapsulation, key) = recipient.encapsulation_key().encapsulate(&mutant, &mut rng, b"here");
        let elsewhere = recipient.decapsulate(&mutant, &encapsulation, b"there").unwrap();
        assert_eq!(key.expose(), elsewhere.expose(), "{suite}: an encapsulation that opens anywhere");
        assert!(recipient.decapsulate(&RULES, &encapsulation[1..], b"here").is_err());
    }
}

#[test]
fn possession_of_an_agreement_key_is_proved_by_its_holder_alone() {
    for &suite in Suite::ALL {
        let mut rng = rng(14);
        let (holder, thief) =
            (DecapsulationKey::generate(suite, &mut rng), DecapsulationKey::generate(suite, &mut rng));
        let domain = Domain::POSSESSION_AGREEMENT;
        let proof = holder.prove_possession(&RULES, domain, b"id");
        assert!(holder.encapsulation_key().verify_possession(&RULES, domain, b"id", &proof));
        assert!(!thief.encapsulation_key().verify_possession(&RULES, domain, b"id", &proof));
        assert!(!holder.encapsulation_key().verify_possession(
            &RULES,
            Domain::POSSESSION_SIGNING,
            b"id",
            &proof
        ));
    }
}

#[test]
fn aed_01_releases_nothing_before_the_tag_verified() {
    let mutant = RULES.without(Clause::TagVerifiedBeforeUse);
    let key = AeadKey::from_bytes([7; 32]);
    let sealed = key.seal(&[1; 12], b"header", b"ten thousand");
    assert_eq!(key.open(&[1; 12], b"header", &sealed).unwrap(), b"ten thousand");
    for place in 0..sealed.len() {
        let mut bent = sealed.clone();
        bent[place] ^= 1;
        let refusal = key.open_checked(&RULES, &[1; 12], b"header", &bent).unwrap_err();
        assert_eq!(refusal.clause(), Clause::TagVerifiedBeforeUse);
        assert!(key.open_checked(&mutant, &[1; 12], b"header", &bent).is_ok());
    }
    assert!(key.open_checked(&RULES, &[1; 12], b"another header", &sealed).is_err());
    assert!(key.open_checked(&RULES, &[2; 12], b"header", &sealed).is_err());
    // Under the mutant a bit turned on the way is a bit turned in the record.
    let mut bent = sealed;
    bent[0] ^= b't' ^ b'T';
    assert_eq!(key.open_checked(&mutant, &[1; 12], b"header", &bent).unwrap(), b"Ten thousand");
    for rules in [RULES, mutant] {
        assert!(key.open_checked(&rules, &[1; 12], b"", &[0; constants::AEAD_TAG_BYTES - 1]).is_err());
    }
}

#[test]
fn two_sides_agree() {
    for &suite in Suite::ALL {
        let mut rng = rng(15);
        let (a, b) = (Ephemeral::generate(suite, &mut rng), Ephemeral::generate(suite, &mut rng));
        let (to_b, to_a) = (a.public().clone(), b.public().clone());
        let to_b = Element::decode(&RULES, suite, &to_b.encode()).unwrap();
        let (at_a, at_b) = (a.agree(&to_a), b.agree(&to_b));
        assert_eq!(at_a.as_bytes(), at_b.as_bytes());
        assert_eq!(at_a.as_bytes().len(), suite.element_len());
    }
}

#[test]
fn keys_survive_storage_and_show_no_secret() {
    for &suite in Suite::ALL {
        let mut rng = rng(16);
        let signing = SigningKey::generate(suite, &mut rng);
        let stored = signing.to_bytes();
        let restored = SigningKey::from_bytes(&RULES, suite, &stored).unwrap();
        assert_eq!(restored.verifying_key(), signing.verifying_key());
        let agreement = DecapsulationKey::generate(suite, &mut rng);
        let restored = DecapsulationKey::from_bytes(&RULES, suite, &agreement.to_bytes()).unwrap();
        assert_eq!(restored.encapsulation_key(), agreement.encapsulation_key());
        let refusal = SigningKey::from_bytes(&RULES, suite, &vec![0; suite.scalar_len()]).unwrap_err();
        assert_eq!(refusal.clause(), Clause::ScalarInRange);

        let hex: String = stored.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = Scalar::random(suite, &mut rng);
        let shown = format!(
            "{signing:?} {agreement:?} {:?} {secret:?} {:?}",
            AeadKey::from_bytes([0xab; 32]),
            Ephemeral::generate(suite, &mut rng)
        );
        assert!(
            !shown.contains(&hex[..16]) && !shown.contains("abab") && !shown.contains("171, 171"),
            "{shown}"
        );
    }
}

#[test]
fn a_suite_has_one_name_and_one_number() {
    for &suite in Suite::ALL {
        assert_eq!(suite.to_string().parse::<Suite>(), Ok(suite));
        let bytes = tls_codec::Serialize::tls_serialize_detached(&suite).unwrap();
        assert_eq!(bytes, suite.number());
    }
    assert!("ffdhe1024".parse::<Suite>().unwrap_err().contains("ffdhe3072"));
}

#[test]
fn the_check_values_of_the_chapter_hold() {
    let chapter = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/chapters/03-types-constants-suites.md");
    let text = std::fs::read_to_string(chapter).unwrap();
    let (_, section) = text.split_once("## Check values").unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for &suite in Suite::ALL {
        let row = section.lines().find_map(|line| line.strip_prefix(&format!("| {suite} | "))).unwrap();
        let values: Vec<_> = row.split('`').collect();
        let of = |byte| Scalar::reduce(suite, &vec![byte; suite.scalar_len() + 16]);
        let key = SigningKey::from_bytes(&RULES, suite, of(0x42).encode()).unwrap();
        let signature = key.sign(&RULES, Domain::VOTE, b"a message");
        let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(signature.as_bytes()).into();
        assert_eq!(hex(&digest), values[1], "{suite}");
        let recipient = DecapsulationKey::from_bytes(&RULES, suite, of(0x42).encode()).unwrap();
        let encapsulation = Element::base_power(&of(0x17)).encode();
        let key = recipient.decapsulate(&RULES, &encapsulation, b"context").unwrap();
        assert_eq!(hex(key.expose()), values[3], "{suite}");
    }
}
