//! The memory of hellos that a responder has answered.

use crate::wire::Time;
use bemr_spec::constants;
use std::collections::{BTreeMap, VecDeque};

/// The nonces of the hellos answered in the last [`constants::HANDSHAKE_MS`], at most [`constants::HELLOS_REMEMBERED`].
#[derive(Debug, Default)]
pub(super) struct SeenHellos {
    expiry: BTreeMap<[u8; 32], Time>,
    order: VecDeque<[u8; 32]>,
}

impl SeenHellos {
    /// Whether a hello with this nonce was answered and is still remembered.
    pub(super) fn contains(&self, nonce: &[u8; 32], now: Time) -> bool {
        self.expiry.get(nonce).is_some_and(|expiry| now < *expiry)
    }

    /// Remembers a hello and forgets what has expired.
    pub(super) fn insert(&mut self, nonce: [u8; 32], now: Time) {
        while let Some(oldest) = self.order.front() {
            let expired = self.expiry.get(oldest).is_none_or(|expiry| *expiry <= now);
            if !expired && self.order.len() < constants::HELLOS_REMEMBERED {
                break;
            }
            self.expiry.remove(oldest);
            self.order.pop_front();
        }
        if self.expiry.insert(nonce, now.after(constants::HANDSHAKE_MS)).is_none() {
            self.order.push_back(nonce);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        debug_assert_eq!(self.order.len(), self.expiry.len());
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(n: usize) -> [u8; 32] {
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&(n as u64).to_be_bytes());
        nonce
    }

    #[test]
    fn a_hello_is_forgotten_at_the_end_of_its_time() {
        let mut seen = SeenHellos::default();
        seen.insert(nonce(1), Time(5));
        assert!(seen.contains(&nonce(1), Time(4 + constants::HANDSHAKE_MS)));
        assert!(!seen.contains(&nonce(1), Time(5 + constants::HANDSHAKE_MS)));
    }

    #[test]
    fn only_the_oldest_gives_way_and_only_when_the_memory_is_full() {
        let mut seen = SeenHellos::default();
        for n in 0..constants::HELLOS_REMEMBERED {
            seen.insert(nonce(n), Time(5));
        }
        assert!((0..constants::HELLOS_REMEMBERED).all(|n| seen.contains(&nonce(n), Time(5))));
        seen.insert(nonce(constants::HELLOS_REMEMBERED), Time(5));
        let remembered = (0..=constants::HELLOS_REMEMBERED).filter(|n| seen.contains(&nonce(*n), Time(5)));
        assert!(remembered.eq(1..=constants::HELLOS_REMEMBERED));
    }
}
