//! JSON: records, and the lines of traces.

use crate::mutate::{LONGEST, bytes};
use crate::{Dice, grow};
use serde_json::{Map, Value};

/// Texts and numbers at which records are read otherwise.
const TEXTS: [&str; 12] = [
    "",
    " ",
    "a",
    "0",
    "1.50",
    "2027-01-01",
    "2027-01-01T00:00:00Z",
    "1970",
    "#a",
    "Patient/p",
    "true",
    "http://loinc.org",
];

/// One of so many mutants is none, but grown out of nothing.
const GROWN: usize = 32;

/// Another record: of its values some are changed, or only bytes. What is no record has nothing to be changed: of it one is
/// grown, more often than not.
pub fn json(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let read = |bytes| serde_json::from_slice::<Value>(bytes).ok().filter(Value::is_object);
    let (root, grown) = (read(input), dice.once_in(GROWN));
    if grown || root.is_none() && !dice.once_in(4) {
        return grow::resource(dice);
    }
    let Some(mut root) = root.filter(|_| !dice.once_in(3)) else {
        return bytes(dice, input, other);
    };
    let donor = read(other);
    for _ in 0..=dice.below(3) {
        change(dice, &mut root, donor.as_ref());
    }
    let mut made = serde_json::to_vec(&root).unwrap_or_default();
    made.truncate(LONGEST);
    made
}

/// Another trace: a line is skipped, repeated, exchanged, changed, or taken from another one. What has no line to begin with is
/// no trace: one is grown.
pub fn lines(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    if !input.starts_with(b"{") || dice.once_in(GROWN) {
        return grow::life(dice);
    }
    let split = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let (mut lines, others) = (split(input), split(other));
    let (at, to) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(9) {
        // Cut short.
        8 => {
            let kept = input.len() - dice.below(input.len().min(8) + 1);
            return input[..kept].to_vec();
        }
        0 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at].clone()),
        2 => lines.swap(at, to),
        3 => lines.truncate(at + 1),
        4 => lines.splice(at.., others.into_iter().skip(at)).for_each(drop),
        5 => lines[at] = bytes(dice, &lines[at], &[]),
        _ => lines[at] = other_token(dice, &lines[at], &lines[to]),
    }
    let mut made = lines.concat();
    made.truncate(LONGEST);
    made
}

/// The numbers and strings of a line, by where they begin and end.
fn tokens(line: &[u8]) -> Vec<(usize, usize)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let length = match line[at] {
            b'"' => line[at + 1..].iter().position(|byte| *byte == b'"').map_or(1, |end| end + 2),
            b'0'..=b'9' => line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
            _ => 0,
        };
        if length > 0 {
            tokens.push((at, at + length));
        }
        at += length.max(1);
    }
    tokens
}

/// The line with one number or string exchanged for another. A line has one form: what parses it and writes it again loses
/// the order of its fields.
fn other_token(dice: &mut Dice, line: &[u8], other: &[u8]) -> Vec<u8> {
    let Some(&(start, end)) = dice.pick(&tokens(line)) else { return line.to_vec() };
    let elsewhere = tokens(other);
    let with = match (dice.below(6), dice.pick(&elsewhere)) {
        (0, _) => b"0".to_vec(),
        (1, _) => b"4294967295".to_vec(),
        (2, _) => b"18446744073709551615".to_vec(),
        (3, _) => dice.below(300).to_string().into_bytes(),
        (_, Some((from, to))) => other[*from..*to].to_vec(),
        _ => b"1".to_vec(),
    };
    [&line[..start], &with, &line[end..]].concat()
}

/// Goes down to some value and changes it.
fn change(dice: &mut Dice, value: &mut Value, donor: Option<&Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let at = dice.below(members.len());
            match (dice.below(8), members.keys().nth(at).cloned()) {
                (0, Some(key)) => drop(members.remove(&key)),
                (1, Some(key)) => {
                    let moved = members.remove(&key).unwrap_or_default();
                    members.insert(format!("{key}x"), moved);
                }
                (2, Some(key)) => graft(dice, members, key, donor),
                (_, Some(key)) => {
                    if let Some(inner) = members.get_mut(&key) {
                        change(dice, inner, donor);
                    }
                }
                _ => {}
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = dice.below(items.len());
            match dice.below(6) {
                0 => drop(items.remove(at)),
                1 if items.len() < 64 => items.insert(at, items[at].clone()),
                _ => change(dice, &mut items[at], donor),
            }
        }
        value => *value = other_value(dice, value),
    }
}

/// Puts a value of another record under a key.
fn graft(dice: &mut Dice, members: &mut Map<String, Value>, key: String, donor: Option<&Value>) {
    let Some(Value::Object(others)) = donor else { return };
    let at = dice.below(others.len());
    if let Some((name, value)) = others.iter().nth(at) {
        members.insert(if dice.once_in(2) { name.clone() } else { key }, value.clone());
    }
}

fn other_value(dice: &mut Dice, value: &Value) -> Value {
    match (dice.below(9), value) {
        (0, _) => Value::Null,
        (1, _) => Value::Bool(dice.once_in(2)),
        (2, _) => Value::Array(vec![value.clone()]),
        (3, _) => Value::from(dice.word()),
        (4, Value::Number(number)) => {
            number.as_u64().map_or(Value::from(1), |number| Value::from(number.wrapping_add(1)))
        }
        (4 | 5, _) => Value::from(u64::MAX),
        (6, Value::String(text)) => {
            let mut text = text.clone();
            text.pop();
            Value::String(text)
        }
        _ => Value::from(TEXTS[dice.below(TEXTS.len())]),
    }
}
