//! Bytes of which nothing is known.

use crate::Dice;
use crate::mutate::LONGEST;

/// Values at which lengths and numbers change their form.
const ODD: [u8; 8] = [0, 1, 2, 0x3f, 0x7f, 0x80, 0xfe, 0xff];

/// A few bytes changed, lost, doubled, or taken from `other`.
pub fn bytes(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(4) {
        change(dice, &mut bytes, other);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    if bytes.is_empty() {
        bytes.extend((0..=dice.below(24)).map(|_| dice.byte()));
        return;
    }
    let at = dice.below(bytes.len());
    let length = 1 + dice.below((bytes.len() - at).min(16));
    match dice.below(9) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes[at] = ODD[dice.below(ODD.len())],
        2 => bytes[at] = dice.byte(),
        3 => bytes[at] = bytes[at].wrapping_add(1 + dice.below(8) as u8),
        4 => drop(bytes.drain(at..at + length)),
        5 => {
            let doubled: Vec<u8> = bytes[at..at + length].to_vec();
            bytes.splice(at..at, doubled);
        }
        6 => {
            let drawn: Vec<u8> = (0..length).map(|_| dice.byte()).collect();
            bytes.splice(at..at, drawn);
        }
        7 if !other.is_empty() => {
            let from = dice.below(other.len());
            let length = 1 + dice.below((other.len() - from).min(32));
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, other[from..from + length].iter().copied());
        }
        _ => {
            let end = bytes.len().min(at + length);
            bytes[at..end].fill(ODD[dice.below(ODD.len())]);
        }
    }
}
