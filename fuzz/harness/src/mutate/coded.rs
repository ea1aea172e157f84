//! Values of the wire: their parts changed, all lengths right again.

use crate::Dice;
use crate::mutate::{LONGEST, bytes};
use crate::targets::{codec_of, tables, tag_of};
use bemr::wire::CODECS;
use bemr_spec::messages::Tree;

/// The deepest part that is changed.
const DEEPEST: usize = 12;

/// Another value of the same table more often than not: of its parts some are changed, or only bytes.
pub fn coded(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let Some((codec, value)) = codec_of(input).filter(|_| !dice.once_in(40)) else {
        let table = dice.pick(CODECS).map_or("Name", |codec| codec.table);
        return [&tag_of(table)[..], input.get(2..).unwrap_or_default()].concat();
    };
    let tag = tag_of(codec.table);
    let walked = tables().walk(codec.table, value).ok().filter(|_| !dice.once_in(3));
    let changed = match walked {
        Some(mut tree) => {
            let others = codec_of(other);
            let donor = others.and_then(|(codec, value)| tables().walk(codec.table, value).ok());
            for _ in 0..=dice.below(3) {
                change(dice, &mut tree, donor.as_ref(), DEEPEST);
            }
            tree.encode()
        }
        None => bytes(dice, value, other.get(2..).unwrap_or_default()),
    };
    let mut made = [&tag[..], &changed].concat();
    // Where a value ends is what decoders get wrong first.
    match dice.below(20) {
        0 => made.push(if dice.once_in(2) { 0 } else { dice.byte() }),
        1 => drop(made.pop()),
        _ => {}
    }
    made.truncate(LONGEST);
    made
}

/// Goes down to some part and changes it.
fn change<'a>(dice: &mut Dice, tree: &mut Tree<'a>, donor: Option<&Tree<'a>>, deepest: usize) {
    match tree {
        Tree::Message { fields, .. } if !fields.is_empty() => {
            let at = dice.below(fields.len());
            if let Some(field) = fields.get_mut(at) {
                change(dice, &mut field.1, donor, deepest.saturating_sub(1));
            }
        }
        Tree::List { items, .. } if !items.is_empty() && deepest > 0 && dice.once_in(2) => {
            let at = dice.below(items.len());
            if let Some(item) = items.get_mut(at) {
                change(dice, item, donor, deepest - 1);
            }
        }
        Tree::Optional(Some(inner)) if deepest > 0 && !dice.once_in(4) => {
            change(dice, inner, donor, deepest - 1)
        }
        part => reshape(dice, part, donor),
    }
}

const LONG: &[u8] = &[b'a'; 300];

/// The part itself: shorter, longer, absent, doubled, exchanged, another number, or a value that stands in no list.
fn reshape<'a>(dice: &mut Dice, part: &mut Tree<'a>, donor: Option<&Tree<'a>>) {
    if dice.once_in(6)
        && let Some(other) = donor.and_then(|donor| some_part(dice, donor))
    {
        *part = other.clone();
        return;
    }
    match part {
        Tree::Number { value, .. } => {
            *value = match dice.below(5) {
                0 => 0,
                1 => u64::MAX,
                2 => value.wrapping_add(1),
                3 => *value ^ 1 << dice.below(64),
                _ => u64::from(dice.word()),
            };
        }
        Tree::Choice { width, value, .. } => {
            *value = if dice.once_in(3) {
                u64::from(dice.word()) >> (16 - 8 * u32::from((*width).min(2)))
            } else {
                dice.below(12) as u64
            };
        }
        Tree::Fixed(bytes) => *bytes = cut(dice, bytes),
        Tree::Opaque { bytes, prefix } => {
            let most = if *prefix == 1 { 255 } else { LONG.len() };
            *bytes = match dice.below(6) {
                0 => &[],
                1 => &LONG[..dice.below(most)],
                2 => b" ",
                3 => b"\xff\xfe",
                4 => b"1.50",
                _ => cut(dice, bytes),
            };
        }
        Tree::List { items, .. } => match (dice.below(4), items.len()) {
            (0, _) => items.clear(),
            (1, count) if count > 0 => drop(items.remove(dice.below(count))),
            (2, count) if count > 1 => items.swap(dice.below(count), dice.below(count)),
            (_, count) if 0 < count && count < 64 => {
                let at = dice.below(count);
                let doubled = items[at].clone();
                items.insert(at, doubled);
            }
            _ => {}
        },
        Tree::Optional(inner) => *inner = None,
        Tree::Message { .. } => {}
    }
}

/// Some of the bytes.
fn cut<'a>(dice: &mut Dice, bytes: &'a [u8]) -> &'a [u8] {
    &bytes[dice.below(bytes.len() + 1)..]
}

/// Any part of a value.
fn some_part<'t, 'a>(dice: &mut Dice, tree: &'t Tree<'a>) -> Option<&'t Tree<'a>> {
    match tree {
        Tree::Message { fields, .. } => dice
            .pick(fields)
            .and_then(|(_, field)| if dice.once_in(3) { Some(field) } else { some_part(dice, field) }),
        Tree::List { items, .. } => dice.pick(items),
        Tree::Optional(inner) => inner.as_deref(),
        part => Some(part),
    }
}
