//! Verification equations of the tiny group that held in this thread. Only in this repository's builds.
//!
//! In a simulated network a dozen nodes of one thread verify the same signatures. Whether an equation holds is a function of its four
//! values alone, so it is evaluated once for each; everything before it (lengths, ranges, the challenge over key, domain and message) is
//! computed every time. Suites that protect anything have no such memory, and while a thread records its group operations it is not used.

use super::{Scalar, Suite, operations};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// After so many the memory begins anew.
const LIMIT: usize = 1 << 12;

/// Key, commitment, challenge and response.
type Equation = [[u8; 8]; 4];

thread_local! {
    static VERIFIED: RefCell<BTreeSet<Equation>> = const { RefCell::new(BTreeSet::new()) };
}

/// The equation `g^response * key^challenge = commitment`; nothing outside the tiny group.
pub(super) fn equation(
    suite: Suite,
    key: &[u8],
    commitment: &[u8],
    challenge: &Scalar,
    response: &Scalar,
) -> Option<Equation> {
    if suite != Suite::Tiny || operations::is_recording() {
        return None;
    }
    let [key, commitment, challenge, response] =
        [key, commitment, challenge.encode(), response.encode()].map(|value| value.try_into().ok());
    Some([key?, commitment?, challenge?, response?])
}

/// Whether all of these are known to hold.
pub(super) fn all_hold<'a>(equations: impl IntoIterator<Item = &'a Option<Equation>>) -> bool {
    VERIFIED.with_borrow(|verified| {
        let is_known = |one: &Option<Equation>| one.is_some_and(|one| verified.contains(&one));
        equations.into_iter().all(is_known)
    })
}

/// Remembers that these were verified.
pub(super) fn remember(equations: impl IntoIterator<Item = Option<Equation>>) {
    VERIFIED.with_borrow_mut(|verified| {
        for one in equations.into_iter().flatten() {
            if verified.len() >= LIMIT {
                verified.clear();
            }
            verified.insert(one);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Domain, Signature, Signed, SigningKey, verify_all};
    use bemr_spec::Rules;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    const RULES: Rules = Rules::hardened();

    fn remembered() -> usize {
        VERIFIED.with_borrow(BTreeSet::len)
    }

    fn flipped(signature: &Signature, place: usize) -> Signature {
        let mut bytes = signature.as_bytes().to_vec();
        bytes[place] ^= 1;
        Signature::from_bytes(&bytes)
    }

    #[test]
    fn only_what_was_verified_is_remembered_and_nothing_that_differs_from_it() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let [key, other] = [(); 2].map(|()| SigningKey::generate(Suite::Tiny, &mut rng));
        let (signature, domain) = (key.sign(&RULES, Domain::VOTE, b"m"), Domain::VOTE);
        let holder = key.verifying_key();
        let before = remembered();
        for _ in 0..2 {
            assert!(holder.verify(&RULES, domain, b"m", &signature));
            assert!(!holder.verify(&RULES, domain, b"n", &signature));
            assert!(!holder.verify(&RULES, Domain::CERTIFICATE, b"m", &signature));
            assert!(!other.verifying_key().verify(&RULES, domain, b"m", &signature));
            (0..16)
                .for_each(|place| assert!(!holder.verify(&RULES, domain, b"m", &flipped(&signature, place))));
        }
        assert_eq!(remembered(), before + 1);
    }

    #[test]
    fn a_batch_is_remembered_signature_by_signature() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let keys: Vec<_> = (0..4).map(|_| SigningKey::generate(Suite::Tiny, &mut rng)).collect();
        let signatures: Vec<_> = keys.iter().map(|key| key.sign(&RULES, Domain::VOTE, b"m")).collect();
        let batch = |message: &'static [u8]| -> Vec<Signed<'_>> {
            let both = keys.iter().zip(&signatures);
            both.map(|(key, signature)| {
                let key = key.verifying_key();
                Signed { key, domain: Domain::VOTE, message, signature }
            })
            .collect()
        };
        let before = remembered();
        assert!(!verify_all(&RULES, &batch(b"n")));
        assert_eq!(remembered(), before);
        assert!(verify_all(&RULES, &batch(b"m")) && verify_all(&RULES, &batch(b"m")[1..]));
        assert_eq!(remembered(), before + 4);
        let wrong = flipped(&signatures[2], 15);
        let mut one_is_wrong = batch(b"m");
        one_is_wrong[2].signature = &wrong;
        assert!(!verify_all(&RULES, &one_is_wrong));
    }

    #[test]
    fn other_suites_and_recordings_have_no_memory() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let before = remembered();
        for suite in [Suite::Ristretto255, Suite::Tiny] {
            let key = SigningKey::generate(suite, &mut rng);
            let signature = key.sign(&RULES, Domain::VOTE, b"m");
            operations::record();
            assert!(key.verifying_key().verify(&RULES, Domain::VOTE, b"m", &signature));
            operations::recorded();
            if suite != Suite::Tiny {
                assert!(key.verifying_key().verify(&RULES, Domain::VOTE, b"m", &signature));
            }
        }
        assert_eq!(remembered(), before);
    }
}
