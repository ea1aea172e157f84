//! What one group operation, signature and encapsulation costs in each suite, beside `num-bigint` and, with the
//! feature `openssl`, OpenSSL's `BN_mod_exp` on numbers of the same size.
//!
//! Criterion measures each by itself; then one more run takes them turn by turn, so that a busy machine slows all
//! alike, and prints the ratios of their medians.
//! `BEMR_RATIOS=only cargo bench -p bemr-benches --features openssl --bench primitives` prints just the ratios.

#![allow(clippy::disallowed_types, reason = "a bench measures real time")]

use bemr::crypto::{
    DecapsulationKey, Domain, Element, Ephemeral, Factor, Scalar, Signature, Signed, SigningKey, Suite,
    VerifyingKey, verify_all,
};
use bemr_spec::Rules;
use criterion::Criterion;
use num_bigint::BigUint;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;
use std::time::{Duration, Instant};

const RULES: Rules = Rules::hardened();
const BATCH: usize = 16;

/// One thing to measure: its name and one round of it.
type Case = (&'static str, Box<dyn FnMut()>);

fn cases(suite: Suite) -> Vec<Case> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let exponent = Scalar::random(suite, &mut rng);
    let base = Element::base_power(&Scalar::random(suite, &mut rng));
    let encoded = base.encode();
    let mut keyed = Factor::from(base.clone());
    keyed.precompute();
    let challenge = Scalar::reduce(suite, &[0xa5; 32]);

    let key = SigningKey::generate(suite, &mut rng);
    let plain = key.verifying_key().clone();
    let mut ready = plain.clone();
    ready.precompute();
    let signature = key.sign(&RULES, Domain::VOTE, b"message");
    let batch: Vec<(VerifyingKey, Signature)> = (0..BATCH)
        .map(|_| {
            let key = SigningKey::generate(suite, &mut rng);
            let mut public = key.verifying_key().clone();
            public.precompute();
            (public, key.sign(&RULES, Domain::VOTE, b"message"))
        })
        .collect();
    let recipient = DecapsulationKey::generate(suite, &mut rng);
    let public = recipient.encapsulation_key().clone();
    let (encapsulation, _) = public.encapsulate(&RULES, &mut rng, b"context");

    let mut cases: Vec<Case> = Vec::new();
    let mut add = |name, round: Box<dyn FnMut()>| cases.push((name, round));
    let e = exponent.clone();
    add("fixed base", Box::new(move || drop(black_box(Element::base_power(&e)))));
    let (b, e) = (base.clone(), exponent.clone());
    add("variable base", Box::new(move || drop(black_box(b.power(&e)))));
    add(
        "key power",
        Box::new(move || drop(black_box(Element::public_product(suite, None, &[(&keyed, &challenge)])))),
    );
    add("key table", Box::new(move || black_box(Factor::from(base.clone())).precompute()));
    add("membership", Box::new(move || drop(black_box(Element::decode(&RULES, suite, &encoded)))));
    add("sign", Box::new(move || drop(black_box(key.sign(&RULES, Domain::VOTE, b"message")))));
    let s = signature.clone();
    add("verify", Box::new(move || assert!(plain.verify(&RULES, Domain::VOTE, b"message", &s))));
    add(
        "verify, key table",
        Box::new(move || assert!(ready.verify(&RULES, Domain::VOTE, b"message", &signature))),
    );
    add(
        "verify batch of 16",
        Box::new(move || {
            let signed =
                |(key, signature)| Signed { key, domain: Domain::VOTE, message: b"message", signature };
            let batch: Vec<_> = batch.iter().map(|(key, signature)| signed((key, signature))).collect();
            assert!(verify_all(&RULES, &batch));
        }),
    );
    let mut r = rng.clone();
    add("encapsulate", Box::new(move || drop(black_box(public.encapsulate(&RULES, &mut r, b"context")))));
    add(
        "decapsulate",
        Box::new(move || drop(black_box(recipient.decapsulate(&RULES, &encapsulation, b"context")))),
    );
    add("ephemeral pair", Box::new(move || drop(black_box(Ephemeral::generate(suite, &mut rng)))));
    cases.extend(oracles(suite, &exponent));
    cases
}

/// The prime of a finite-field suite, 2q + 1; the encoding of the scalar -1 is q - 1.
fn prime(suite: Suite) -> Option<BigUint> {
    let minus_one = Scalar::reduce(suite, &[1]).negate();
    (suite != Suite::Ristretto255).then(|| (BigUint::from_bytes_be(minus_one.encode()) + 1u8) * 2u8 + 1u8)
}

/// The same exponentiation by others; there are none on the curve.
fn oracles(suite: Suite, exponent: &Scalar) -> Vec<Case> {
    let Some(p) = prime(suite) else { return Vec::new() };
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let base = Element::base_power(&Scalar::random(suite, &mut rng)).encode();
    let mut cases = Vec::new();
    #[cfg(feature = "openssl")]
    {
        use openssl::bn::{BigNum, BigNumContext};
        let number = |bytes: &[u8]| BigNum::from_slice(bytes).expect("OpenSSL reads a number");
        let (b, e, p) = (number(&base), number(exponent.encode()), number(&p.to_bytes_be()));
        let mut context = BigNumContext::new().expect("OpenSSL has memory");
        let mut out = BigNum::new().expect("OpenSSL has memory");
        let round = move || out.mod_exp(&b, &e, &p, &mut context).expect("OpenSSL raises to a power");
        cases.push(("OpenSSL BN_mod_exp", Box::new(round) as Box<dyn FnMut()>));
    }
    let (b, e) = (BigUint::from_bytes_be(&base), BigUint::from_bytes_be(exponent.encode()));
    cases
        .push(("num-bigint modpow", Box::new(move || drop(black_box(b.modpow(&e, &p)))) as Box<dyn FnMut()>));
    cases
}

/// Medians in microseconds, of rounds taken turn by turn.
fn medians(cases: &mut [Case], budget: Duration) -> Vec<f64> {
    let mut times = vec![Vec::new(); cases.len()];
    let start = Instant::now();
    while start.elapsed() < budget || times[0].len() < 5 {
        for ((_, round), times) in cases.iter_mut().zip(&mut times) {
            let begin = Instant::now();
            round();
            times.push(begin.elapsed().as_secs_f64() * 1e6);
        }
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    times.iter().map(|times| times[times.len() / 2]).collect()
}

fn ratios(suite: Suite) {
    let mut cases = cases(suite);
    let medians = medians(&mut cases, Duration::from_secs(4));
    let of = |name| cases.iter().position(|(other, _)| *other == name).map(|place| medians[place]);
    let unit = of("OpenSSL BN_mod_exp").or(of("num-bigint modpow"));
    println!("\n{suite}: median of one, and as a part of one full-size exponentiation by others");
    for ((name, _), median) in cases.iter().zip(&medians) {
        match unit {
            Some(unit) => println!("  {name:20} {median:10.1} us {:8.3}", median / unit),
            None => println!("  {name:20} {median:10.1} us"),
        }
    }
    let (Some(unit), Suite::Ffdhe2048 | Suite::Ffdhe3072) = (of("OpenSSL BN_mod_exp"), suite) else { return };
    let target = |what: &str, ratio: f64, holds: bool| {
        println!("  target {what}: {ratio:.2}, {}", if holds { "met" } else { "MISSED" });
    };
    let [Some(fixed), Some(verify), Some(member)] = ["fixed base", "verify, key table", "membership"].map(of)
    else {
        unreachable!("every suite has these cases")
    };
    target("fixed base at least 2.5 times as fast", unit / fixed, unit / fixed >= 2.5);
    target("verification at most 0.7", verify / unit, verify / unit <= 0.7);
    target("membership check at most 0.1", member / unit, member / unit <= 0.1);
}

fn main() {
    if std::env::var_os("BEMR_RATIOS").is_none() {
        let mut criterion = Criterion::default().sample_size(20).configure_from_args();
        for &suite in Suite::ALL {
            let mut group = criterion.benchmark_group(suite.name());
            group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
            for (name, mut round) in cases(suite) {
                group.bench_function(name, |bencher| bencher.iter(&mut round));
            }
            group.finish();
        }
        criterion.final_summary();
    }
    Suite::ALL.iter().for_each(|suite| ratios(*suite));
}
