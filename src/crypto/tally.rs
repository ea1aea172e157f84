//! Counts the group operations of a thread, so that a bench can compare a run with the sum of its operations.
//!
//! Only with the feature `tally`; without it nothing is counted and nothing costs anything. Hashing, encoding and
//! arithmetic modulo q are not group operations and are not counted.

use super::{Element, Factor, Scalar, Suite};
use bemr_spec::Rules;
use rand::CryptoRng;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// One kind of group operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The generator to a secret power.
    BasePower,
    /// Any element to a secret power.
    Power,
    /// A table of powers of a public key.
    Table,
    /// The decoding of an element, with its membership check.
    Decode,
    /// The encoding of an element.
    Encode,
    /// A product of public powers.
    Product {
        /// Whether the generator is one of the bases, with an exponent of full size.
        generator: bool,
        /// Keys with a table.
        keys: usize,
        /// Elements without.
        others: usize,
        /// Bits of the longest exponent of the two, rounded up to a multiple of 64.
        bits: usize,
    },
}

/// How many operations of each suite and kind.
pub type Tally = BTreeMap<(Suite, Operation), u64>;

thread_local! {
    static TALLY: RefCell<Tally> = const { RefCell::new(Tally::new()) };
}

pub(super) fn count(suite: Suite, operation: Operation) {
    TALLY.with_borrow_mut(|tally| *tally.entry((suite, operation)).or_default() += 1);
}

/// What this thread has done since it began or since [`reset`].
pub fn snapshot() -> Tally {
    TALLY.with_borrow(Clone::clone)
}

/// Starts again from nothing.
pub fn reset() {
    TALLY.with_borrow_mut(Tally::clear);
}

/// How many inputs a rehearsal takes in turn: with one alone the processor would learn its bits by heart. Batches
/// have one, because in a run every node of the network verifies the very same batch.
const VARIANTS: usize = 16;

/// One operation alone, to be measured as often as you like; its inputs are made beforehand.
pub fn rehearsal<R: CryptoRng>(suite: Suite, operation: Operation, rng: &mut R) -> Box<dyn FnMut()> {
    use std::hint::black_box;
    let exponents: Vec<Scalar> = (0..VARIANTS).map(|_| Scalar::random(suite, rng)).collect();
    let bases: Vec<Element> =
        (0..VARIANTS).map(|_| Element::base_power(&Scalar::random(suite, rng))).collect();
    let mut turn = (0..VARIANTS).cycle();
    let mut next = move || turn.next().expect("a cycle has no end");
    match operation {
        Operation::BasePower => Box::new(move || drop(black_box(Element::base_power(&exponents[next()])))),
        Operation::Power => Box::new(move || {
            let turn = next();
            drop(black_box(bases[turn].power(&exponents[turn])));
        }),
        Operation::Table => Box::new(move || Factor::from(black_box(bases[next()].clone())).precompute()),
        Operation::Decode => {
            let encodings: Vec<Vec<u8>> = bases.iter().map(Element::encode).collect();
            Box::new(move || drop(black_box(Element::decode(&Rules::hardened(), suite, &encodings[next()]))))
        }
        Operation::Encode => Box::new(move || drop(black_box(bases[next()].encode()))),
        Operation::Product { generator, keys, others, bits } => {
            let mut exponent = || {
                let mut bytes = vec![0; bits / 8];
                rng.fill_bytes(&mut bytes);
                Scalar::reduce(suite, &bytes)
            };
            let variants = if keys + others > 1 { 1 } else { VARIANTS };
            let variants: Vec<Vec<Scalar>> =
                (0..variants).map(|_| (0..keys + others).map(|_| exponent()).collect()).collect();
            let mut factors: Vec<Factor> = (0..keys + others)
                .map(|_| Factor::from(Element::base_power(&Scalar::random(suite, rng))))
                .collect();
            factors.iter_mut().take(keys).for_each(Factor::precompute);
            Box::new(move || {
                let turn = next() % variants.len();
                let factors: Vec<_> = factors.iter().zip(&variants[turn]).collect();
                let product = Element::public_product(suite, generator.then_some(&exponents[turn]), &factors);
                drop(black_box(product));
            })
        }
    }
}

#[cfg(all(test, feature = "weaken"))]
mod tests {
    use super::*;
    use crate::crypto::{SigningKey, Tag};
    use rand::SeedableRng;

    #[test]
    fn a_signature_costs_one_power_and_its_verification_one_product_and_each_one_encoding() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for &suite in Suite::ALL {
            let rules = Rules::hardened();
            let key = SigningKey::generate(suite, &mut rng);
            reset();
            let signature = key.sign(&rules, Tag::VOTE, b"m");
            let encoded = ((suite, Operation::Encode), 1);
            assert_eq!(snapshot(), Tally::from([((suite, Operation::BasePower), 1), encoded]));
            reset();
            assert!(key.verifying_key().verify(&rules, Tag::VOTE, b"m", &signature));
            let mut tally = snapshot();
            assert_eq!(tally.remove_entry(&encoded.0), Some(encoded));
            let ((_, operation), times) = tally.first_key_value().unwrap();
            assert!(matches!(operation, Operation::Product { generator: true, keys: 0, others: 1, .. }));
            assert_eq!((tally.len(), *times), (1, 1));
            reset();
            rehearsal(suite, *operation, &mut rng)();
            assert!(snapshot().contains_key(&(suite, *operation)), "{suite} {:?} {operation:?}", snapshot());
        }
    }
}
