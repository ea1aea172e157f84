//! A message with one field changed, by the tables of the chapters alone.
//!
//! A change is not made to break a given clause: whoever judges the message finds which clause rejects it, if any.

use super::near_elements;
use bemr::crypto::Suite;
use bemr::wire::{decode, encode};
use bemr_spec::messages::{Definition, Tables, Tree};
use bemr_spec::{Clause, Rules};
use std::collections::{BTreeMap, BTreeSet};
use tls_codec::{DeserializeBytes, Serialize};

/// A message of which one field has another value.
#[derive(Clone, Debug)]
pub(crate) struct MutatedMessage {
    /// The fields that hold the change, as `Table.field`, outermost first.
    pub(crate) fields: Vec<String>,
    /// What changed.
    pub(crate) comment: String,
    /// Its encoding.
    pub(crate) bytes: Vec<u8>,
}

impl MutatedMessage {
    /// The field and what it became.
    pub(crate) fn comment(&self) -> String {
        match self.fields.last() {
            Some(field) => format!("{field}: {}", self.comment),
            None => self.comment.clone(),
        }
    }
}

/// The tables of the chapters.
pub(crate) fn tables() -> &'static Tables {
    Tables::of_the_chapters().expect("a test parses the tables")
}

/// Every pair of a field, as `Table.field`, and a clause that checks it.
pub(crate) fn pairs() -> BTreeSet<(String, Clause)> {
    let mut pairs = BTreeSet::new();
    for (message, field) in
        tables().messages().flat_map(|message| message.fields.iter().map(move |field| (message, field)))
    {
        let name = format!("{}.{}", message.name, field.name);
        pairs.extend(field.checked_by.iter().map(|clause| (name.clone(), *clause)));
    }
    pairs
}

/// The clauses that check this field.
fn checked_by(field: &str) -> &'static [Clause] {
    let Some((table, name)) = field.rsplit_once('.') else { return &[] };
    let Some(Definition::Message(message)) = tables().definition(table) else { return &[] };
    let field = message.fields.iter().find(|field| field.name == name);
    field.map_or(&[], |field| field.checked_by.as_slice())
}

/// Whether this clause checks this field.
fn checks(field: &str, clause: Clause) -> bool {
    checked_by(field).contains(&clause)
}

impl<'a> Sweep<'a> {
    /// Of messages whose elements and signatures are of this suite, in which names can become these.
    pub(crate) const fn new(suite: Suite, names: &'a [&'a str], ways: u8) -> Sweep<'a> {
        Sweep { suite, names, entries: 3, ways, done: BTreeSet::new() }
    }

    /// The neighbours of a message of this table; none when it is not one.
    fn of(&self, table: &str, bytes: &[u8]) -> Vec<MutatedMessage> {
        tables().walk(table, bytes).map(|tree| self.around(&tree)).unwrap_or_default()
    }

    fn around(&self, tree: &Tree<'_>) -> Vec<MutatedMessage> {
        match tree {
            Tree::Number { width, value } => numbers(*width, *value),
            Tree::Choice { width, value, .. } => choices(*width, *value),
            Tree::Fixed(bytes) => fixed(bytes),
            Tree::Opaque { prefix: 1, bytes } => self.named(bytes),
            Tree::Opaque { prefix, bytes } => self.opaque(*prefix, bytes),
            Tree::List { prefix, items } => self.list(*prefix, items),
            Tree::Optional(None) => {
                // Only digests and heads are optional where somebody looks.
                vec![plain("there", [vec![1], vec![0; 32]].concat())]
            }
            Tree::Optional(Some(inner)) => {
                let mut near = vec![plain("absent", vec![0])];
                near.extend(self.around(inner).into_iter().map(|one| wrapped(one, &[1], &[])));
                near
            }
            Tree::Message { name, fields } => {
                let encoded: Vec<Vec<u8>> = fields.iter().map(|(_, field)| field.encode()).collect();
                let of_field = |(place, (field, tree)): (usize, &(&str, Tree<'_>))| {
                    let (before, after) = (encoded[..place].concat(), encoded[place + 1..].concat());
                    let field = format!("{name}.{field}");
                    let near = self.around(tree).into_iter();
                    near.map(move |one| {
                        let mut one = wrapped(one, &before, &after);
                        one.fields.insert(0, field.clone());
                        one
                    })
                    .collect::<Vec<_>>()
                };
                fields.iter().enumerate().flat_map(of_field).collect()
            }
        }
    }

    fn list(&self, prefix: u8, items: &[Tree<'_>]) -> Vec<MutatedMessage> {
        let encoded: Vec<Vec<u8>> = items.iter().map(Tree::encode).collect();
        let behind = |content: Vec<u8>| [length(prefix, content.len()), content].concat();
        let mut near = Vec::new();
        if let [before @ .., last] = encoded.as_slice() {
            near.push(plain("without its last entry", behind(before.concat())));
            near.push(plain("empty", behind(Vec::new())));
            near.push(plain("its last entry twice", behind([encoded.concat(), last.clone()].concat())));
        }
        if let [first, second, rest @ ..] = encoded.as_slice() {
            let turned = [second.clone(), first.clone(), rest.concat()].concat();
            near.push(plain("its first two entries exchanged", behind(turned)));
        }
        for (place, item) in items.iter().enumerate().take(self.entries) {
            for mut one in self.around(item) {
                let (before, after) = (encoded[..place].concat(), encoded[place + 1..].concat());
                one.bytes = behind([before, one.bytes, after].concat());
                one.comment = format!("entry {place}: {}", one.comment);
                near.push(one);
            }
        }
        near
    }

    fn named(&self, bytes: &[u8]) -> Vec<MutatedMessage> {
        let others = self.names.iter().filter(|name| name.as_bytes() != bytes);
        let behind = |name: &[u8]| [&[name.len() as u8], name].concat();
        others.map(|name| plain(&format!("`{name}`"), behind(name.as_bytes()))).collect()
    }

    fn opaque(&self, prefix: u8, bytes: &[u8]) -> Vec<MutatedMessage> {
        let suite = self.suite;
        let behind = |content: &[u8]| [length(prefix, content.len()), content.to_vec()].concat();
        let mut near = Vec::new();
        if let Some((last, before)) = bytes.split_last() {
            near.push(plain("its last bit changed", behind(&[before, &[last ^ 1]].concat())));
            near.push(plain("its first bit changed", behind(&[&[bytes[0] ^ 0x80], &bytes[1..]].concat())));
            near.push(plain("one byte less", behind(before)));
        }
        near.push(plain("one byte more", behind(&[bytes, &[0]].concat())));
        if prefix == 2 && bytes.len() == suite.element_len() {
            for (_, comment, element) in near_elements(suite, bytes) {
                near.push(plain(comment, behind(&element)));
            }
        }
        if prefix == 2 && bytes.len() == suite.signature_len() {
            let zero = vec![0; suite.scalar_len()];
            let zero = [&bytes[..suite.element_len()], &zero].concat();
            near.push(plain("a response of zero", behind(&zero)));
        }
        near
    }
}

fn plain(comment: &str, bytes: Vec<u8>) -> MutatedMessage {
    MutatedMessage { fields: Vec::new(), comment: comment.to_owned(), bytes }
}

fn wrapped(one: MutatedMessage, before: &[u8], after: &[u8]) -> MutatedMessage {
    MutatedMessage { bytes: [before, &one.bytes, after].concat(), ..one }
}

fn length(prefix: u8, bytes: usize) -> Vec<u8> {
    number(prefix, bytes as u64)
}

fn number(width: u8, value: u64) -> Vec<u8> {
    value.to_be_bytes()[8 - usize::from(width)..].to_vec()
}

fn numbers(width: u8, value: u64) -> Vec<MutatedMessage> {
    let most = u64::MAX >> (64 - 8 * u32::from(width));
    // A thousand is past every window, and a day past every life.
    let far = [value.saturating_sub(1_000), value.saturating_add(1_000), value.saturating_add(100_000_000)];
    let near = [value.wrapping_add(1) & most, value.wrapping_sub(1) & most];
    let others: BTreeSet<u64> = far.into_iter().chain([0, most]).filter(|other| *other <= most).collect();
    let others = near.into_iter().chain(others.into_iter().filter(|other| !near.contains(other)));
    others
        .filter(|other| *other != value)
        .map(|other| plain(&other.to_string(), number(width, other)))
        .collect()
}

fn choices(width: u8, value: u64) -> Vec<MutatedMessage> {
    let others: Vec<u64> = if width == 1 { (0..=14).collect() } else { vec![0, 1, 2, 3, 0xff01] };
    let others = others.into_iter().filter(|other| *other != value);
    others.map(|other| plain(&format!("value {other}"), number(width, other))).collect()
}

fn fixed(bytes: &[u8]) -> Vec<MutatedMessage> {
    let Some((last, before)) = bytes.split_last() else { return Vec::new() };
    vec![
        plain("its last bit changed", [before, &[last ^ 1]].concat()),
        plain("zeros", vec![0; bytes.len()]),
        plain("its first bit changed", [&[bytes[0] ^ 0x80], &bytes[1..]].concat()),
        plain("all ones", vec![0xff; bytes.len()]),
    ]
}

/// A neighbour as it is, in the one way that leaves everything else as it was.
pub(crate) fn as_it_is(near: &MutatedMessage, _: u8) -> Option<Vec<u8>> {
    Some(near.bytes.clone())
}

/// A neighbour whose other fields `again` makes fit in each way. One that is no longer of its type stays as it is.
pub(crate) fn mended<T: DeserializeBytes + Serialize>(
    again: impl Fn(&mut T, u8),
) -> impl Fn(&MutatedMessage, u8) -> Option<Vec<u8>> {
    move |near, way| match decode::<T>(&Rules::hardened(), &near.bytes) {
        Ok(mut value) => {
            again(&mut value, way);
            Some(encode(&value))
        }
        Err(_) => (way == 0).then(|| near.bytes.clone()),
    }
}

/// Looks through the neighbours of messages for one of each pair of field and clause.
pub(crate) struct Sweep<'a> {
    /// Elements and signatures are of this suite.
    pub(crate) suite: Suite,
    /// Names that somebody has.
    pub(crate) names: &'a [&'a str],
    /// Of how many entries of a list each is changed.
    pub(crate) entries: usize,
    /// In how many ways the rest is made to fit again.
    pub(crate) ways: u8,
    /// Pairs that were shown.
    pub(crate) done: BTreeSet<(String, Clause)>,
}

impl Sweep<'_> {
    /// The neighbours that show a pair that was not shown before. `mend` makes the other fields fit again, in each of its
    /// ways; `judge` says which clause rejects the message.
    pub(crate) fn run(
        &mut self,
        table: &str,
        genuine: &[u8],
        mend: impl Fn(&MutatedMessage, u8) -> Option<Vec<u8>>,
        mut judge: impl FnMut(&[u8]) -> Option<Clause>,
    ) -> Vec<(MutatedMessage, Clause)> {
        let mut found = Vec::new();
        for near in self.of(table, genuine) {
            // Two ways can come to the same message.
            let mut judged = BTreeMap::new();
            for way in 0..self.ways {
                if !self.may_show(&near) {
                    break;
                }
                let Some(bytes) = mend(&near, way) else { continue };
                if bytes == genuine {
                    continue;
                }
                let verdict = *judged.entry(bytes.clone()).or_insert_with(|| judge(&bytes));
                let Some(clause) = verdict else { continue };
                let shown = near.fields.iter().filter(|field| checks(field, clause));
                let shown: Vec<(String, Clause)> = shown.map(|field| (field.clone(), clause)).collect();
                if shown.iter().any(|pair| !self.done.contains(pair)) {
                    self.done.extend(shown);
                    found.push((MutatedMessage { bytes, ..near.clone() }, clause));
                }
            }
        }
        found
    }

    /// Whether a clause checks one of the changed fields that was not shown to check it before.
    fn may_show(&self, near: &MutatedMessage) -> bool {
        near.fields.iter().any(|field| {
            checked_by(field).iter().any(|clause| !self.done.contains(&(field.clone(), *clause)))
        })
    }
}
