//! Secrets that are looked for where they must not be.
//!
//! Every secret is looked for as its bytes, as hexadecimal digits, and as the decimal list that `Debug` makes of bytes.
//! The matcher is our own because secrets come with every step: an automaton would be built anew each time.

use std::collections::{BTreeMap, BTreeSet};

/// A shorter one is found by chance.
const SHORTEST: usize = 8;

/// How many bits of a secret choose its place in the sieve.
const SIEVE_BITS: u32 = 20;

/// Secrets, and a sieve that almost nothing else passes.
pub(super) struct Canaries {
    sieve: Vec<u64>,
    by_start: BTreeMap<[u8; 4], Vec<Canary>>,
    known: BTreeSet<Vec<u8>>,
}

struct Canary {
    what: &'static str,
    bytes: Vec<u8>,
}

fn place(start: [u8; 4]) -> (usize, u64) {
    let bits = u32::from_be_bytes(start) >> (32 - SIEVE_BITS);
    ((bits / 64) as usize, 1 << (bits % 64))
}

impl Canaries {
    pub(super) fn new() -> Canaries {
        Canaries { sieve: vec![0; 1 << (SIEVE_BITS - 6)], by_start: BTreeMap::new(), known: BTreeSet::new() }
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
        let hexadecimal: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let decimal: Vec<String> = secret.iter().map(u8::to_string).collect();
        for bytes in [secret.to_vec(), hexadecimal.into_bytes(), decimal.join(", ").into_bytes()] {
            let start = [bytes[0], bytes[1], bytes[2], bytes[3]];
            let (word, bit) = place(start);
            self.sieve[word] |= bit;
            self.by_start.entry(start).or_default().push(Canary { what, bytes });
        }
    }

    /// The secrets that stand in `bytes`.
    pub(super) fn find<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = &'static str> + 'a {
        bytes.windows(4).enumerate().flat_map(move |(at, start)| {
            let start = [start[0], start[1], start[2], start[3]];
            let (word, bit) = place(start);
            let suspects = match self.sieve[word] & bit {
                0 => None,
                _ => self.by_start.get(&start),
            };
            let found = move |one: &&Canary| bytes[at..].starts_with(&one.bytes);
            suspects.into_iter().flatten().filter(found).map(|one| one.what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form_and_anywhere() {
        let mut canaries = Canaries::new();
        canaries.plant("key", &[0xab, 0xcd, 1, 2, 3, 4, 5, 255]);
        canaries.plant("short", &[7; 7]);
        canaries.plant("text", b"canary.record.00001");
        assert_eq!(canaries.len(), 2);
        let found = |bytes: &[u8]| canaries.find(bytes).collect::<Vec<_>>();
        assert_eq!(found(&[0, 9, 0xab, 0xcd, 1, 2, 3, 4, 5, 255]), ["key"]);
        assert_eq!(found(&[0xab, 0xcd, 1, 2, 3, 4, 5]), [] as [&str; 0]);
        assert_eq!(found(b"it is abcd0102030405ff, is it not"), ["key"]);
        assert_eq!(found(format!("{:?}", [0xab, 0xcd, 1, 2, 3, 4, 5, 255]).as_bytes()), ["key"]);
        assert_eq!(found(b"canary.record.00001 canary.record.00001"), ["text", "text"]);
        assert_eq!(found(&[7; 64]), [] as [&str; 0]);
        assert_eq!(found(b""), [] as [&str; 0]);
    }
}
