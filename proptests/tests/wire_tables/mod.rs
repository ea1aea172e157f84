//! The bytes that the implementation writes and takes are those that the message tables of the chapters describe.
//!
//! Two decoders see the same bytes: the implementation's, and the walker that knows nothing but the tables. They have
//! to agree on samples of every message and on everything near them: on what is refused as much as on what is taken.

mod policies;
mod samples;

use self::samples::{Sample, samples};
use bemr::wire::{Height, decode, encode};
use bemr_spec::messages::{Message, Tables, Tree, Type};
use bemr_spec::{Clause, Rules};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use std::fmt::Write as _;

fn tables() -> &'static Tables {
    Tables::of_the_chapters().unwrap_or_else(|flaws| {
        let mut all = String::new();
        flaws.iter().for_each(|flaw| writeln!(all, "{flaw}").expect("a string grows"));
        panic!("{all}")
    })
}

/// Both decoders on `bytes`: whether they take them. They have to agree, and to write again what they took.
fn both(sample: &Sample, bytes: &[u8]) -> Result<bool, String> {
    let differ = |what: &str| {
        let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        Err(format!("{}: {what}: {hex}", sample.table))
    };
    let walked = tables().walk(sample.table, bytes);
    if walked.as_ref().is_ok_and(|tree| tree.encode() != bytes) {
        return differ("the walker writes it otherwise");
    }
    let Some(decode_and_encode) = &sample.again else { return Ok(walked.is_ok()) };
    match (walked, decode_and_encode(bytes)) {
        (Ok(_), Ok(again)) if again == bytes => Ok(true),
        (Ok(_), Ok(_)) => differ("the implementation writes it otherwise"),
        (Err(_), Err(refusal)) if refusal.clause() == Clause::OneEncodingPerValue => Ok(false),
        (Err(mismatch), Ok(_)) => {
            differ(&format!("only the implementation takes it; the tables: {mismatch}"))
        }
        (_, Err(refusal)) => differ(&format!("the implementation refuses it by {refusal}")),
    }
}

/// How many of these byte strings both decoders take, and how many both refuse.
fn outcomes(sample: &Sample, inputs: impl IntoIterator<Item = Vec<u8>>) -> (usize, usize) {
    inputs.into_iter().fold((0, 0), |(taken, refused), bytes| match both(sample, &bytes) {
        Ok(true) => (taken + 1, refused),
        Ok(false) => (taken, refused + 1),
        Err(difference) => panic!("{difference}"),
    })
}

#[test]
fn samples_are_what_their_tables_say() {
    for sample in samples() {
        let mismatch = tables().walk(sample.table, &sample.bytes).err().map(|mismatch| mismatch.to_string());
        assert_eq!(mismatch, None);
        assert_eq!(both(&sample, &sample.bytes), Ok(true));
    }
}

#[test]
fn nothing_shorter_or_longer_is_taken() {
    for sample in samples() {
        let bytes = &sample.bytes;
        let shorter = (0..bytes.len()).map(|length| bytes[..length].to_vec());
        let longer = [0, 1, 0xff].map(|byte| [bytes, &[byte][..]].concat());
        assert_eq!(outcomes(&sample, shorter.chain(longer)), (0, bytes.len() + 3), "{}", sample.table);
    }
}

#[test]
fn both_decoders_agree_on_every_flipped_bit() {
    for sample in samples() {
        let flipped = (0..sample.bytes.len() * 8).map(|bit| {
            let mut bytes = sample.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        });
        let (taken, refused) = outcomes(&sample, flipped);
        assert!(taken + refused == sample.bytes.len() * 8 && taken > 0, "{}", sample.table);
    }
}

#[test]
fn both_decoders_agree_on_every_byte_lost_or_doubled() {
    for sample in samples() {
        let changed = (0..sample.bytes.len()).flat_map(|at| {
            let (before, after) = sample.bytes.split_at(at);
            [[before, &after[1..]].concat(), [before, &after[..1], after].concat()]
        });
        outcomes(&sample, changed);
    }
}

/// Every part in turn made shorter, longer, absent, doubled, or a value that stands in no list; all lengths right.
#[test]
fn both_decoders_agree_on_every_reshaped_part() {
    for sample in samples() {
        let tree = tables().walk(sample.table, &sample.bytes).expect("a sample is right");
        let reshaped = reshaped(&tree).into_iter().map(|tree| tree.encode());
        let (taken, refused) = outcomes(&sample, reshaped);
        assert!(taken + refused > 0, "{}: nothing to reshape", sample.table);
    }
}

const LONG: &[u8] = &[b'a'; 300];

fn reshaped<'a>(tree: &Tree<'a>) -> Vec<Tree<'a>> {
    match tree {
        Tree::Number { width, .. } => {
            [0, 1, u64::MAX].map(|value| Tree::Number { width: *width, value }).into_iter().collect()
        }
        Tree::Choice { width, name, .. } => {
            let most = if *width == 1 { 0xff } else { 0x1ff };
            (0..=most).map(|value| Tree::Choice { width: *width, value, name }).collect()
        }
        Tree::Fixed(bytes) => vec![Tree::Fixed(&bytes[1..]), Tree::Fixed(LONG)],
        Tree::Opaque { prefix, bytes } => {
            let most = if *prefix == 1 { 0xff } else { LONG.len() };
            let others = [
                &[][..],
                &bytes[bytes.len().min(1)..],
                &LONG[..64],
                &LONG[..65],
                &LONG[..most],
                b" ",
                b"\x7f",
            ];
            others.map(|bytes| Tree::Opaque { prefix: *prefix, bytes }).into_iter().collect()
        }
        Tree::List { prefix, items } => {
            let list = |items| Tree::List { prefix: *prefix, items };
            let mut others = vec![list(Vec::new())];
            for (at, item) in items.iter().enumerate() {
                let mut fewer = items.clone();
                fewer.remove(at);
                let mut more = items.clone();
                more.insert(at, item.clone());
                others.extend([list(fewer), list(more)]);
                others.extend(reshaped(item).into_iter().map(|item| {
                    let mut items = items.clone();
                    items[at] = item;
                    list(items)
                }));
            }
            others
        }
        Tree::Optional(None) => Vec::new(),
        Tree::Optional(Some(inner)) => {
            let mut others = vec![Tree::Optional(None)];
            others.extend(reshaped(inner).into_iter().map(|inner| Tree::Optional(Some(Box::new(inner)))));
            others
        }
        Tree::Message { name: message, fields } => {
            let mut others = Vec::new();
            for (at, (name, field)) in fields.iter().enumerate() {
                others.extend(reshaped(field).into_iter().map(|field| {
                    let mut fields = fields.clone();
                    fields[at] = (name, field);
                    Tree::Message { name: message, fields }
                }));
            }
            others
        }
    }
}

/// No table goes unchecked: each is seen in the bytes of some sample, and so is each case of a select.
#[test]
fn every_table_is_in_some_sample() {
    let samples = samples();
    let mut seen = BTreeSet::new();
    for sample in &samples {
        let tree = tables().walk(sample.table, &sample.bytes).expect("a sample is right");
        messages_in(&tree, &mut seen);
    }
    let cases = |message: &'static Message| {
        let selectors = message.fields.iter().filter_map(|field| match &field.ty {
            Type::Select(on) => tables().selector(&message.fields, on).map(|values| (on, values)),
            _ => None,
        });
        selectors.flat_map(move |(on, values)| {
            values.values.iter().map(move |(case, _)| format!("{}.{on} = {case}", message.name))
        })
    };
    let expected = tables().messages().flat_map(|message| cases(message).chain([message.name.clone()]));
    let missing: Vec<String> = expected.filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no sample in samples.rs shows {}", missing.join(", "));
}

/// The names of the messages in a value, and what its enums are, such as `Entry.kind = decision`.
fn messages_in(tree: &Tree<'_>, seen: &mut BTreeSet<String>) {
    match tree {
        Tree::Message { name, fields } => {
            seen.insert((*name).to_owned());
            for (field, value) in fields {
                if let Tree::Choice { name: chosen, .. } = value {
                    seen.insert(format!("{name}.{field} = {chosen}"));
                }
                messages_in(value, seen);
            }
        }
        Tree::List { items, .. } => items.iter().for_each(|item| messages_in(item, seen)),
        Tree::Optional(Some(inner)) => messages_in(inner, seen),
        _ => {}
    }
}

#[test]
fn both_decoders_agree_on_scrambled_samples() {
    let samples = samples();
    tables();
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let strategy = (
        any::<prop::sample::Index>(),
        prop::collection::vec(change, 1..8),
        prop::option::of(any::<prop::sample::Index>()),
    );
    let scrambled = TestRunner::default().run(&strategy, |(which, changes, cut)| {
        let sample = which.get(&samples);
        let mut bytes = sample.bytes.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        both(sample, &bytes).map(drop).map_err(TestCaseError::fail)
    });
    if let Err(difference) = scrambled {
        panic!("{difference}");
    }
}

#[test]
fn without_one_encoding_per_value_bytes_after_the_end_are_taken() {
    let rules = Rules::hardened().without(Clause::OneEncodingPerValue);
    let longer = [&encode(&Height(7))[..], &[0]].concat();
    assert_eq!(decode::<Height>(&rules, &longer), Ok(Height(7)));
    let refusal = decode::<Height>(&Rules::hardened(), &longer).expect_err("one byte too many");
    assert_eq!(refusal.clause(), Clause::OneEncodingPerValue);
}
