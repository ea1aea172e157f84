//! Records the group operations of a thread, so that a bench can do them again by themselves: the same ones, on the same inputs, in
//! the same order. Beside them it counts what they would be without batches and without memory.
//!
//! Digests are counted.
//!
//! Only in this repository's builds (`--cfg bemr_weaken`), and only for a thread that asked for it. Hashing, encoding and
//! arithmetic modulo q are not group operations and are not recorded.

use super::{Element, Factor, Scalar, Suite};
use bemr_spec::Rules;
use std::cell::{Cell, RefCell};
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

/// What a thread has done since it began to record.
#[derive(Default)]
pub struct Recorded {
    /// The operations that were done, in order.
    pub done: Vec<Operation>,
    /// The same with every signature verified by itself, and as often as anybody must know it: where a batch was
    /// verified, what each of its signatures takes alone, and where a certificate was remembered, what it takes to
    /// verify it.
    pub singly: Vec<Operation>,
}

thread_local! {
    static DIGESTS: Cell<u64> = const { Cell::new(0) };
    static RECORD: RefCell<Option<Recorded>> = const { RefCell::new(None) };
    static BATCH: Cell<bool> = const { Cell::new(false) };
    static SPARED: Cell<bool> = const { Cell::new(false) };
}

/// How many digests this thread has computed.
pub fn digests() -> u64 {
    DIGESTS.get()
}

pub(super) fn note_digest() {
    DIGESTS.set(DIGESTS.get() + 1);
}

pub(super) fn note(operation: impl Fn() -> Operation) {
    RECORD.with_borrow_mut(|record| {
        if let Some(record) = record {
            if !SPARED.get() {
                record.done.push(operation());
            }
            if !BATCH.get() {
                record.singly.push(operation());
            }
        }
    });
}

/// Until it is dropped, what is done belongs to a batch of signatures.
pub(super) struct Batch(());

impl Batch {
    pub(super) fn begin() -> Batch {
        BATCH.set(true);
        Batch(())
    }

    /// One signature of the batch, and what it takes to verify it alone.
    pub(super) fn holds(&self, key: &Factor, challenge: &Scalar, response: &Scalar, commitment: &Element) {
        RECORD.with_borrow_mut(|record| {
            if let Some(Recorded { singly, .. }) = record {
                let factors = vec![(key.clone(), challenge.clone())];
                singly.push(Operation::Product(commitment.suite(), Some(response.clone()), factors));
                singly.push(Operation::Encode(commitment.clone()));
            }
        });
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        BATCH.set(false);
    }
}

/// What a remembered outcome spares; it is done while somebody records, and only then.
pub(crate) fn spared(work: impl FnOnce()) {
    if RECORD.with_borrow(Option::is_some) {
        SPARED.set(true);
        work();
        SPARED.set(false);
    }
}

/// From now on this thread's operations are recorded.
pub fn record() {
    RECORD.set(Some(Recorded::default()));
}

/// What this thread has done since [`record`]; no more is recorded.
pub fn recorded() -> Recorded {
    RECORD.take().unwrap_or_default()
}

#[cfg(all(test, bemr_weaken))]
mod tests {
    use super::*;
    use crate::crypto::signature::{Signed, verify_all};
    use crate::crypto::{Domain, SigningKey};
    use rand::SeedableRng;

    #[test]
    fn a_signature_costs_one_power_and_its_verification_one_product_and_each_one_encoding() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for &suite in Suite::ALL {
            let rules = Rules::hardened();
            let key = SigningKey::generate(suite, &mut rng);
            record();
            let signature = key.sign(&rules, Domain::VOTE, b"m");
            let done = recorded().done;
            assert!(matches!(&done[..], [Operation::BasePower(_), Operation::Encode(_)]), "{done:?}");
            record();
            assert!(key.verifying_key().verify(&rules, Domain::VOTE, b"m", &signature));
            let done = recorded().done;
            let [Operation::Product(_, Some(_), factors), Operation::Encode(_)] = &done[..] else {
                panic!("{done:?}")
            };
            assert_eq!(factors.len(), 1);
            record();
            done.iter().for_each(Operation::again);
            assert_eq!(format!("{:?}", recorded().done), format!("{done:?}"), "again means the same");
            assert!(recorded().done.is_empty(), "nobody records");
        }
    }

    #[test]
    fn a_batch_is_done_at_once_and_singly_it_is_as_many_verifications() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for &suite in Suite::ALL {
            let rules = Rules::hardened();
            let keys: Vec<_> = (0..5).map(|_| SigningKey::generate(suite, &mut rng)).collect();
            let signatures: Vec<_> = keys.iter().map(|key| key.sign(&rules, Domain::VOTE, b"m")).collect();
            let signed = keys.iter().zip(&signatures).map(|(key, signature)| Signed {
                key: key.verifying_key(),
                domain: Domain::VOTE,
                message: b"m",
                signature,
            });
            let batch: Vec<_> = signed.collect();
            record();
            assert!(batch.iter().all(|one| one.key.verify(&rules, one.domain, one.message, one.signature)));
            let alone = recorded();
            assert_eq!(format!("{:?}", alone.done), format!("{:?}", alone.singly));
            record();
            assert!(verify_all(&rules, &batch));
            let together = recorded();
            assert_eq!(format!("{:?}", together.singly), format!("{:?}", alone.singly));
            let products = together.done.iter().filter(|one| matches!(one, Operation::Product(..)));
            assert_eq!(products.count(), 2, "{:?}", together.done);
            record();
            assert!(keys[0].verifying_key().verify(&rules, Domain::VOTE, b"m", &signatures[0]));
            let verify = || assert!(verify_all(&rules, &batch));
            spared(verify);
            let after = recorded();
            assert_eq!(after.done.len(), 2, "what is spared is not done");
            assert_eq!(after.singly.len(), 2 + alone.singly.len(), "the batch is over");
            spared(|| panic!("nobody records"));
        }
    }
}
