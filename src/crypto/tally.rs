//! Records the group operations of a thread, so that a bench can do them again by themselves: the same ones, on the same inputs, in
//! the same order.
//!
//! Only with the feature `tally`; without it nothing is recorded and nothing costs anything. Hashing, encoding and
//! arithmetic modulo q are not group operations and are not recorded.

use super::{Element, Factor, Scalar, Suite};
use bemr_spec::Rules;
use std::cell::RefCell;
use std::hint::black_box;

/// A group operation and its inputs. Exponents are secrets: nothing shows them, and they are erased with it.
pub enum Operation {
    /// The generator to a secret power.
    BasePower(Scalar),
    /// An element to a secret power.
    Power(Element, Scalar),
    /// A table of powers of a public key.
    Table(Element),
    /// The decoding of an element, with its membership check.
    Decode(Suite, Vec<u8>),
    /// The encoding of an element.
    Encode(Element),
    /// A product of public powers, of the generator too where it has an exponent.
    Product(Suite, Option<Scalar>, Vec<(Factor, Scalar)>),
}

impl Operation {
    /// Does it once more.
    pub fn again(&self) {
        match self {
            Operation::BasePower(exponent) => drop(black_box(Element::base_power(exponent))),
            Operation::Power(base, exponent) => drop(black_box(base.power(exponent))),
            Operation::Table(base) => Factor::from(black_box(base.clone())).precompute(),
            Operation::Decode(suite, bytes) => {
                drop(black_box(Element::decode(&Rules::hardened(), *suite, bytes)));
            }
            Operation::Encode(element) => drop(black_box(element.encode())),
            Operation::Product(suite, generator, factors) => {
                let factors: Vec<_> = factors.iter().map(|(factor, exponent)| (factor, exponent)).collect();
                drop(black_box(Element::public_product(*suite, generator.as_ref(), &factors)));
            }
        }
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Operation::BasePower(_) => "BasePower",
            Operation::Power(..) => "Power",
            Operation::Table(_) => "Table",
            Operation::Decode(..) => "Decode",
            Operation::Encode(_) => "Encode",
            Operation::Product(..) => "Product",
        })
    }
}

thread_local! {
    static RECORD: RefCell<Option<Vec<Operation>>> = const { RefCell::new(None) };
}

pub(super) fn note(operation: impl FnOnce() -> Operation) {
    RECORD.with_borrow_mut(|record| {
        if let Some(record) = record {
            record.push(operation());
        }
    });
}

/// From now on this thread's operations are recorded.
pub fn record() {
    RECORD.set(Some(Vec::new()));
}

/// What this thread has done since [`record`]; no more is recorded.
pub fn recorded() -> Vec<Operation> {
    RECORD.take().unwrap_or_default()
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
            record();
            let signature = key.sign(&rules, Tag::VOTE, b"m");
            let done = recorded();
            assert!(matches!(&done[..], [Operation::BasePower(_), Operation::Encode(_)]), "{done:?}");
            record();
            assert!(key.verifying_key().verify(&rules, Tag::VOTE, b"m", &signature));
            let done = recorded();
            let [Operation::Product(_, Some(_), factors), Operation::Encode(_)] = &done[..] else {
                panic!("{done:?}")
            };
            assert_eq!(factors.len(), 1);
            record();
            done.iter().for_each(Operation::again);
            assert_eq!(format!("{:?}", recorded()), format!("{done:?}"), "again means the same");
            assert!(recorded().is_empty(), "nobody records");
        }
    }
}
