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

/// One operation alone, to be measured as often as you like; its inputs are made beforehand.
pub fn rehearsal<R: CryptoRng>(suite: Suite, operation: Operation, rng: &mut R) -> Box<dyn FnMut()> {
    use std::hint::black_box;
    let exponent = Scalar::random(suite, rng);
    let base = Element::base_power(&Scalar::random(suite, rng));
    match operation {
        Operation::BasePower => Box::new(move || drop(black_box(Element::base_power(&exponent)))),
        Operation::Power => Box::new(move || drop(black_box(base.power(&exponent)))),
        Operation::Table => Box::new(move || Factor::from(black_box(base.clone())).precompute()),
        Operation::Decode => {
            let encoding = base.encode();
            Box::new(move || drop(black_box(Element::decode(&Rules::hardened(), suite, &encoding))))
        }
        Operation::Encode => Box::new(move || drop(black_box(base.encode()))),
        Operation::Product { generator, keys, others, bits } => {
            let factors: Vec<(Factor, Scalar)> = (0..keys + others)
                .map(|place| {
                    let mut factor = Factor::from(Element::base_power(&Scalar::random(suite, rng)));
                    if place < keys {
                        factor.precompute();
                    }
                    let mut bytes = vec![0; bits / 8];
                    rng.fill_bytes(&mut bytes);
                    (factor, Scalar::reduce(suite, &bytes))
                })
                .collect();
            Box::new(move || {
                let factors: Vec<_> = factors.iter().map(|(factor, exponent)| (factor, exponent)).collect();
                drop(black_box(Element::public_product(suite, generator.then_some(&exponent), &factors)));
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
