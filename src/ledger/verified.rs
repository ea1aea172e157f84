//! Remembers which quorum certificates were verified, so that none is verified twice.

use crate::crypto::Digest;
use std::collections::{BTreeSet, VecDeque};

/// How many certificates are remembered; the oldest is forgotten first.
const CAPACITY: usize = 4096;

/// The digests of verified certificates as entries. A digest covers all of a certificate, its validator set included.
#[derive(Clone, Debug, Default)]
pub(super) struct Verified {
    known: BTreeSet<Digest>,
    order: VecDeque<Digest>,
}

impl Verified {
    pub(super) fn contains(&self, certificate: &Digest) -> bool {
        self.known.contains(certificate)
    }

    pub(super) fn insert(&mut self, certificate: Digest) {
        if self.known.insert(certificate) {
            self.order.push_back(certificate);
        }
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_the_oldest_and_stays_within_its_capacity() {
        let digest = |i: usize| Digest::of(crate::crypto::Domain::QUORUM, &i.to_be_bytes());
        let mut verified = Verified::default();
        for i in 0..CAPACITY + 10 {
            verified.insert(digest(i));
            verified.insert(digest(i));
        }
        assert_eq!(verified.known.len(), CAPACITY);
        assert!(!verified.contains(&digest(9)) && verified.contains(&digest(10)));
    }
}
