//! The secrets that are searched for where they must not appear.
//!
//! A secret is found as its bytes, as hexadecimal digits, and as the decimal list that `Debug` makes of bytes. Secrets come with every
//! step, so an automaton would be rebuilt each time; and bytes are many more than secrets, so a text is probed at every fourth byte only.

/// The bytes of a secret that are indexed: its last ones, because secrets that are texts differ there. A shorter secret is not
/// searched for: it would be found by chance.
const SHORTEST: usize = 8;

/// A text is probed at every so many bytes. Every secret is indexed under as many windows, so that a probe meets one of them.
const STRIDE: usize = 4;

/// Bytes of a window: with [`STRIDE`] starts they fit into the indexed bytes.
const WINDOW: usize = SHORTEST + 1 - STRIDE;

/// The sieve of a new index has two to the power of this many bits; it grows with the index and stays in the nearest cache.
const SIEVE_BITS: u32 = 14;

/// Bits of the sieve for each slot of the index, and slots for each window, at least.
const BITS_PER_SLOT: usize = 8;
const SLOTS_PER_WINDOW: usize = 2;

/// Spreads windows over the sieve, those of digits too: the fraction of the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Secrets, indexed by [`STRIDE`] windows of each, and a sieve that almost nothing else passes.
pub(super) struct Needles {
    secrets: Vec<Secret>,
    windows: Vec<Window>,
    sieve: Vec<u64>,
    /// Places in `windows`, plus one; 0 is an empty slot.
    slots: Vec<u32>,
}

struct Secret {
    what: &'static str,
    bytes: Vec<u8>,
}

struct Window {
    bits: u64,
    secret: u32,
    /// Where it starts in the secret.
    offset: usize,
}

/// The window at `place`, and the seven or fewer bytes that follow it, as one word.
fn word(bytes: &[u8], place: usize) -> u64 {
    match bytes[place..].first_chunk::<8>() {
        Some(all) => u64::from_le_bytes(*all),
        None => bytes[place..].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// The bits of a window in a [`word`].
const fn window(word: u64) -> u64 {
    word & ((1 << (8 * WINDOW)) - 1)
}

impl Needles {
    pub(super) fn new() -> Needles {
        let mut needles =
            Needles { secrets: Vec::new(), windows: Vec::new(), sieve: Vec::new(), slots: Vec::new() };
        needles.resize(1 << SIEVE_BITS);
        needles
    }

    /// How many secrets there are.
    pub(super) fn len(&self) -> usize {
        self.secrets.len()
    }

    /// From now on `secret` is searched for.
    pub(super) fn insert(&mut self, what: &'static str, secret: &[u8]) {
        let Some(indexed) = secret.len().checked_sub(SHORTEST) else { return };
        let first = window(word(secret, indexed));
        if self.indexed(first).any(|one| self.secrets[one.secret as usize].bytes == secret) {
            return;
        }
        let number = self.secrets.len() as u32;
        self.secrets.push(Secret { what, bytes: secret.to_vec() });
        for offset in indexed..indexed + STRIDE {
            let bits = window(word(secret, offset));
            self.windows.push(Window { bits, secret: number, offset });
            self.index(self.windows.len());
        }
        if self.windows.len() * SLOTS_PER_WINDOW > self.slots.len() {
            self.resize(2 * BITS_PER_SLOT * self.slots.len());
        }
    }

    /// Makes sieve and index anew, with a sieve of so many bits.
    fn resize(&mut self, bits: usize) {
        self.sieve = vec![0; bits / 64];
        self.slots = vec![0; bits / BITS_PER_SLOT];
        (1..=self.windows.len()).for_each(|number| self.index(number));
    }

    /// The bit of the sieve for a window; the slot where its search begins follows from it.
    fn bit(&self, window: u64) -> usize {
        let bits = (64 * self.sieve.len()).trailing_zeros();
        (window.wrapping_mul(SPREAD) >> (64 - bits)) as usize
    }

    /// Puts the window with this number, counted from 1, into sieve and index.
    fn index(&mut self, number: usize) {
        let bit = self.bit(self.windows[number - 1].bits);
        self.sieve[bit / 64] |= 1 << (bit % 64);
        let mut slot = bit / BITS_PER_SLOT;
        while self.slots[slot] != 0 {
            slot = (slot + 1) % self.slots.len();
        }
        self.slots[slot] = number as u32;
    }

    /// The windows of secrets with these bits.
    fn indexed(&self, bits: u64) -> impl Iterator<Item = &Window> {
        let first = self.bit(bits) / BITS_PER_SLOT;
        let slots = self.slots[first..].iter().chain(&self.slots[..first]);
        let windows =
            slots.take_while(|number| **number != 0).map(|number| &self.windows[*number as usize - 1]);
        windows.filter(move |window| window.bits == bits)
    }

    /// The secrets that stand in `bytes`, in one of the three forms.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<&'static str> {
        let mut found = Vec::new();
        self.find_plain(bytes, &mut found);
        let (mut digits, mut numbers) = (0, 0);
        // Either form of a secret is longer than two words, so one of its words is whole.
        for place in (0..bytes.len().saturating_sub(SHORTEST - 1)).step_by(SHORTEST) {
            let word = &bytes[place..place + SHORTEST];
            if !word.is_ascii() {
                continue;
            }
            if place >= digits && word.iter().all(u8::is_ascii_hexdigit) {
                let run = run(bytes, place, u8::is_ascii_hexdigit);
                digits = run.end;
                for start in [run.start, run.start + 1] {
                    self.find_plain(&hexadecimal(&bytes[start..run.end]), &mut found);
                }
            }
            if place >= numbers && word.iter().all(is_of_a_list) {
                let run = run(bytes, place, is_of_a_list);
                numbers = run.end;
                lists(&bytes[run]).iter().for_each(|list| self.find_plain(list, &mut found));
            }
        }
        found
    }

    /// The secrets that stand in `bytes` as they are. Almost every step of this loop is one look into the sieve.
    fn find_plain(&self, bytes: &[u8], found: &mut Vec<&'static str>) {
        for place in (0..(bytes.len() + 1).saturating_sub(WINDOW)).step_by(STRIDE) {
            let bits = window(word(bytes, place));
            let bit = self.bit(bits);
            if self.sieve[bit / 64] & 1 << (bit % 64) == 0 {
                continue;
            }
            for Window { secret, offset, .. } in self.indexed(bits) {
                let Secret { what, bytes: secret } = &self.secrets[*secret as usize];
                if place.checked_sub(*offset).is_some_and(|start| bytes[start..].starts_with(secret)) {
                    found.push(*what);
                }
            }
        }
    }
}

/// The longest run of bytes around `place` that are all as `is` says.
fn run(bytes: &[u8], place: usize, is: impl Fn(&u8) -> bool) -> std::ops::Range<usize> {
    let before = bytes[..place].iter().rev().take_while(|byte| is(byte)).count();
    let after = bytes[place..].iter().take_while(|byte| is(byte)).count();
    place - before..place + after
}

/// What pairs of hexadecimal digits stand for; an odd one at the end is left out.
fn hexadecimal(digits: &[u8]) -> Vec<u8> {
    let value = |digit: u8| (digit & 0xf) + if digit.is_ascii_digit() { 0 } else { 9 };
    digits.chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}

const fn is_of_a_list(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b',' | b' ')
}

/// The bytes that stand in a text of digits, commas and spaces as `Debug` writes a list of bytes, without its brackets: one list for
/// every stretch that is written so.
fn lists(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lists = vec![Vec::new()];
    for between_commas in text.split(|byte| *byte == b',') {
        let mut is_first = true;
        for digits in between_commas.split(|byte| *byte == b' ').filter(|digits| !digits.is_empty()) {
            let value =
                digits.iter().try_fold(0_u8, |value, digit| value.checked_mul(10)?.checked_add(digit & 0xf));
            if !std::mem::take(&mut is_first) || value.is_none() {
                lists.push(Vec::new());
            }
            lists.last_mut().expect("it begins with one").extend(value);
        }
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_secret_is_found_in_every_form_and_anywhere() {
        let mut needles = Needles::new();
        needles.insert("key", &[0xab, 0xcd, 1, 2, 3, 4, 5, 255]);
        needles.insert("short", &[7; 7]);
        needles.insert("text", b"canary.record.00001");
        assert_eq!(needles.len(), 2);
        let found = |bytes: &[u8]| needles.find(bytes);
        assert_eq!(found(&[0, 9, 0xab, 0xcd, 1, 2, 3, 4, 5, 255]), ["key"]);
        assert_eq!(found(&[0xab, 0xcd, 1, 2, 3, 4, 5]), [] as [&str; 0]);
        assert_eq!(found(b"it is abcd0102030405ff, is it not"), ["key"]);
        assert_eq!(found(format!("{:?}", [0xab, 0xcd, 1, 2, 3, 4, 5, 255]).as_bytes()), ["key"]);
        assert_eq!(found(b"canary.record.00001 canary.record.00001"), ["text", "text"]);
        assert_eq!(found(&[7; 64]), [] as [&str; 0]);
        assert_eq!(found(b""), [] as [&str; 0]);
        assert_eq!(found(b"7 171, 205, 1, 2, 3, 4, 5, 255, 7"), ["key"]);
        assert_eq!(found(b"171, 205, 1, 2, 1000, 3, 4, 5, 255"), [] as [&str; 0]);
    }

    #[test]
    fn a_secret_is_found_at_every_offset() {
        for length in [SHORTEST, SHORTEST + 1, 19, 32] {
            let secret: Vec<u8> = ChaCha8Rng::seed_from_u64(1).random_iter().take(length).collect();
            let mut needles = Needles::new();
            needles.insert("key", &secret);
            let list = format!("{secret:?}");
            for form in [&secret[..], base16ct::lower::encode_string(&secret).as_bytes(), list.as_bytes()] {
                for (before, after) in (0..20).flat_map(|before| (0..10).map(move |after| (before, after))) {
                    let text = [&vec![b'g'; before][..], form, &vec![b'g'; after][..]].concat();
                    assert_eq!(needles.find(&text), ["key"], "{before} {after} {text:?}");
                }
            }
        }
    }

    #[test]
    fn every_secret_is_found_however_many_there_are() {
        let secret = |number: u64| ChaCha8Rng::seed_from_u64(number).random::<[u8; 32]>();
        let mut needles = Needles::new();
        (0..3_000).for_each(|number| needles.insert("key", &secret(number)));
        for number in 0..3_000 {
            assert_eq!(needles.find(&secret(number)), ["key"], "{number}");
            assert_eq!(
                needles.find(base16ct::lower::encode_string(&secret(number)).as_bytes()),
                ["key"],
                "{number}"
            );
        }
        assert_eq!(needles.find(&secret(3_000)), [] as [&str; 0]);
    }
}
