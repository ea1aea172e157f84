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
