//! Secrets that are looked for where they must not be.
//!
//! Every secret is looked for as its bytes, as hexadecimal digits, and as the decimal list that `Debug` makes of bytes.
//! The matcher is our own because secrets come with every step: an automaton would be built anew each time.

use std::collections::{BTreeMap, BTreeSet};

/// A shorter one is found by chance. So many bytes of a secret choose its place in the sieve.
const SHORTEST: usize = 8;

/// The places of a new sieve: 2 to the power of this. It grows with what is looked for, and is small so that it stays in the nearest cache.
const SIEVE_BITS: u32 = 15;

/// One place of so many is taken at most.
const THIN: usize = 64;

/// Spreads what secrets begin with over the sieve, hexadecimal digits too: the fraction of the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Secrets, and a sieve that almost nothing else passes.
pub(super) struct Needles {
    sieve: Vec<u64>,
    bits: u32,
    by_start: BTreeMap<u64, Vec<Canary>>,
    known: BTreeSet<Vec<u8>>,
}

struct Canary {
    what: &'static str,
    bytes: Vec<u8>,
}

/// Where a beginning stands in a sieve of so many bits: which word of it, and which bit.
const fn place(start: u64, bits: u32) -> (usize, u64) {
    let place = start.wrapping_mul(SPREAD) >> (64 - bits);
    ((place / 64) as usize, 1 << (place % 64))
}

fn mark(sieve: &mut [u64], start: u64, bits: u32) {
    let (word, bit) = place(start, bits);
    sieve[word] |= bit;
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    base16ct::lower::encode_string(bytes).into_bytes()
}

/// As `Debug` writes a list of bytes, without its brackets.
fn decimal(bytes: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(5 * bytes.len());
    for (place, byte) in bytes.iter().enumerate() {
        written.extend_from_slice(if place == 0 { b"" } else { b", " });
        let digits = [byte / 100, byte / 10 % 10, byte % 10];
        let zeros = digits.iter().take(2).take_while(|digit| **digit == 0).count();
        written.extend(digits[zeros..].iter().map(|digit| b'0' + digit));
    }
    written
}

impl Needles {
    pub(super) fn new() -> Needles {
        let (by_start, known) = (BTreeMap::new(), BTreeSet::new());
        Needles { sieve: vec![0; 1 << (SIEVE_BITS - 6)], bits: SIEVE_BITS, by_start, known }
    }

    /// How many secrets there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// From now on `secret` is looked for.
    pub(super) fn plant(&mut self, what: &'static str, secret: &[u8]) {
        if secret.len() < SHORTEST || !self.known.insert(secret.to_vec()) {
            return;
        }
        for bytes in [secret.to_vec(), hexadecimal(secret), decimal(secret)] {
            let start = bytes[..SHORTEST].iter().fold(0, |start, byte| start << 8 | u64::from(*byte));
            self.by_start.entry(start).or_default().push(Canary { what, bytes });
            if self.by_start.len() * THIN > 1 << self.bits {
                self.bits += 1;
                self.sieve = vec![0; 1 << (self.bits - 6)];
                self.by_start.keys().for_each(|start| mark(&mut self.sieve, *start, self.bits));
            } else {
                mark(&mut self.sieve, start, self.bits);
            }
        }
    }

    /// The secrets that stand in `bytes`.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<&'static str> {
        let mut found = Vec::new();
        // Almost every step of this loop is one look into the sieve.
        let mut start: u64 = 0;
        for (end, byte) in bytes.iter().enumerate() {
            start = start << 8 | u64::from(*byte);
            let (word, bit) = place(start, self.bits);
            if self.sieve[word] & bit != 0 && end + 1 >= SHORTEST {
                let here = &bytes[end + 1 - SHORTEST..];
                let suspects = self.by_start.get(&start).into_iter().flatten();
                found.extend(suspects.filter(|one| here.starts_with(&one.bytes)).map(|one| one.what));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_secret_is_found_in_every_form_and_anywhere() {
        let mut canaries = Needles::new();
        canaries.plant("key", &[0xab, 0xcd, 1, 2, 3, 4, 5, 255]);
        canaries.plant("short", &[7; 7]);
        canaries.plant("text", b"canary.record.00001");
        assert_eq!(canaries.len(), 2);
        let found = |bytes: &[u8]| canaries.find(bytes);
        assert_eq!(found(&[0, 9, 0xab, 0xcd, 1, 2, 3, 4, 5, 255]), ["key"]);
        assert_eq!(found(&[0xab, 0xcd, 1, 2, 3, 4, 5]), [] as [&str; 0]);
        assert_eq!(found(b"it is abcd0102030405ff, is it not"), ["key"]);
        assert_eq!(found(format!("{:?}", [0xab, 0xcd, 1, 2, 3, 4, 5, 255]).as_bytes()), ["key"]);
        assert_eq!(found(b"canary.record.00001 canary.record.00001"), ["text", "text"]);
        assert_eq!(found(&[7; 64]), [] as [&str; 0]);
        assert_eq!(found(b""), [] as [&str; 0]);
    }

    #[test]
    fn every_secret_is_found_however_many_there_are() {
        let secret = |number: u64| ChaCha8Rng::seed_from_u64(number).random::<[u8; 32]>();
        let mut canaries = Needles::new();
        (0..3_000).for_each(|number| canaries.plant("key", &secret(number)));
        for number in 0..3_000 {
            assert_eq!(canaries.find(&secret(number)), ["key"], "{number}");
            assert_eq!(canaries.find(&hexadecimal(&secret(number))), ["key"], "{number}");
        }
        assert_eq!(canaries.find(&secret(3_000)), [] as [&str; 0]);
    }
}
