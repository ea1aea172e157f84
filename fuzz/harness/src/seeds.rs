//! Makes the corpus: what happens on the wire of a life, records, kept traces, and what the engine finds from there, as small
//! as it can be made. It is made by a command, and what is in `fuzz/corpus` is what the command made.

mod runs;

use crate::corpus::Named;
use crate::engine::{execute, explore, minimised};
use crate::targets::{as_trace, kept, tables, tag_of};
use crate::{Seen, Subject, TARGETS, Target, target};
use bemr::records::SAMPLES;
use bemr::store::Table;
use bemr::wire::{CODECS, encode};
use bemr_lab::lockstep::{Coverage, Kind, Lockstep, Script, SetupCache};
use bemr_model::{Datagram, Execution};
use bemr_spec::Rules;
use bemr_spec::messages::{Bounds, Definition, Tree, Type};
use std::collections::{BTreeMap, BTreeSet};

/// How many inputs the engine makes, by target: where the seeds themselves are not all there is.
const DRAWN: [(&str, u64); 6] = [
    ("arithmetic", 20_000),
    ("lockstep", 100_000),
    ("proofs", 60_000),
    ("records", 40_000),
    ("recovery", 20_000),
    ("store_file", 400),
];

/// The most inputs of one target.
const MOST: usize = 200;

/// The longest input that is kept, in bytes.
const LONGEST: usize = 12_000;

/// The seeds of a target that stand for what is real.
pub fn real(name: &str) -> Vec<Named> {
    match name {
        "decoders" | "tables" => coded(),
        "records" => SAMPLES
            .iter()
            .map(|(name, bytes)| {
                // As small as it can be written.
                let value: serde_json::Value = serde_json::from_slice(bytes).expect("a sample is JSON");
                ((*name).to_owned(), serde_json::to_vec(&value).expect("JSON has a form"))
            })
            .collect(),
        "lockstep" => runs::told(),
        "traces" => traces(),
        _ => Vec::new(),
    }
}

/// The corpus of a target: each input exercises what none before it did. `tell` hears of every execution.
pub fn made(target: &Target, mut tell: impl FnMut(u64)) -> Vec<Named> {
    let subject = Subject::product();
    let real = real(target.name);
    let Some((_, drawn)) = DRAWN.iter().find(|(name, _)| *name == target.name) else { return real };
    let mut seeds: Vec<Vec<u8>> = real.iter().map(|(_, bytes)| bytes.clone()).collect();
    if target.name == "lockstep" {
        // What was reached once is not looked for again.
        let reached = crate::corpus::read(target.name).unwrap_or_default();
        seeds.extend(reached.into_iter().map(|(_, bytes)| bytes));
        seeds.extend(runs::probes().chain(runs::varied()));
    }
    let run = explore(target, &subject, &seeds, 1, |executed| {
        tell(executed);
        executed < *drawn
    });
    if let Some(found) = run.found {
        panic!("{}: {}", target.name, found.message);
    }
    let (corpus, mut drawn) = (run.corpus.into_inputs(), Vec::new());
    if target.name == "lockstep" {
        drawn = by_clause(target, &subject, &corpus);
    }
    fewest(target, &subject, corpus, &mut drawn);
    let mut named: BTreeMap<Vec<u8>, String> = real.into_iter().map(|(name, bytes)| (bytes, name)).collect();
    for (why, bytes) in drawn {
        let name = format!("{why}-{:04x}", digest(&bytes));
        named.entry(bytes).or_insert(name);
    }
    named.into_iter().map(|(bytes, name)| (name, bytes)).collect()
}

/// A short name of bytes.
fn digest(bytes: &[u8]) -> u16 {
    let hash =
        bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash >> 16) as u16 ^ hash as u16
}

fn seen_of(target: &Target, subject: &Subject, input: &[u8]) -> Seen {
    let mut seen = Seen::default();
    // A fault would have ended the run that made it.
    let _ = execute(target, subject, input, &mut seen);
    seen
}

/// Adds of these as few to `few` as exercise much that those do not: cheap ones first.
fn fewest(target: &Target, subject: &Subject, mut corpus: Vec<Vec<u8>>, few: &mut Vec<Named>) {
    corpus.retain(|input| input.len() <= LONGEST);
    let mut all = Seen::default();
    few.iter().for_each(|(_, input)| all.take(&seen_of(target, subject, input)));
    let mut seen: Vec<(Seen, Vec<u8>)> =
        corpus.into_iter().map(|input| (seen_of(target, subject, &input), input)).collect();
    seen.sort_by_key(|(seen, input)| (seen.cost(), input.len()));
    for (seen, input) in seen {
        if few.len() < MOST && seen.adds_to(&all) {
            all.take(&seen);
            few.push(("drawn".to_owned(), input));
        }
    }
}

/// For each clause the cheapest life in which it refuses something, with everything left out that is not needed for the
/// clauses that no life before it reached.
fn by_clause(target: &Target, subject: &Subject, corpus: &[Vec<u8>]) -> Vec<Named> {
    let mut reached: Vec<(Seen, &Vec<u8>)> =
        corpus.iter().map(|input| (seen_of(target, subject, input), input)).collect();
    reached.sort_by_key(|(seen, input)| (seen.cost(), input.len()));
    let mut rarity: BTreeMap<&'static str, usize> = BTreeMap::new();
    for clause in reached.iter().flat_map(|(seen, _)| seen.clauses()) {
        *rarity.entry(clause).or_default() += 1;
    }
    // What seldom happens first: the lives in which it does reach much else.
    let mut order: Vec<(&'static str, usize)> = rarity.into_iter().collect();
    order.sort_by_key(|(clause, often)| (*often, *clause));
    let mut covered: BTreeSet<&'static str> = BTreeSet::new();
    let mut lives = Vec::new();
    for (clause, _) in order {
        if covered.contains(clause) {
            continue;
        }
        let Some((_, input)) = reached.iter().find(|(seen, _)| seen.clauses().contains(clause)) else {
            continue;
        };
        let still = |life: &[u8]| seen_of(target, subject, life).clauses().contains(clause);
        let short = sooner(&minimised(input, true, still), still);
        covered.extend(seen_of(target, subject, &short).clauses());
        lives.push((clause.to_owned(), short));
    }
    lives
}

/// The life with stretches of honest steps as short as can be, so that `still` holds.
fn sooner(life: &[u8], still: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut script = Script::read(life);
    for at in (0..script.moves.len()).filter(|at| script.moves[*at].kind == Kind::Go).collect::<Vec<_>>() {
        let (mut too_few, mut enough) = (0, script.moves[at].choice);
        while enough.saturating_sub(too_few) > 1 {
            let between = too_few + (enough - too_few) / 2;
            script.moves[at].choice = between;
            if still(&script.to_bytes()) { enough = between } else { too_few = between }
        }
        script.moves[at].choice = enough;
    }
    script.to_bytes()
}

/// The traces that once showed a fault, where they are short, and those of short lives.
fn traces() -> Vec<Named> {
    let subject = Subject::product();
    let Ok(lives) = crate::corpus::read("lockstep") else { return Vec::new() };
    let told = lives.into_iter().filter_map(|(name, bytes)| {
        let trace = as_trace(&subject, &bytes).0.to_bytes();
        (trace.len() <= LONGEST).then_some((name, trace))
    });
    let mut told: Vec<Named> = told.collect();
    told.sort_by_key(|(_, bytes)| bytes.len());
    told.truncate(24);
    told
}

/// A value of every table: what was heard in lives, what a store keeps, every part of those, and the least that the tables
/// allow, so that none is missing.
fn coded() -> Vec<Named> {
    let mut values: BTreeMap<&str, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for codec in CODECS {
        for bytes in least_of(codec.table) {
            values.entry(codec.table).or_default().insert(bytes);
        }
    }
    for (table, bytes) in whole() {
        let Ok(tree) = tables().walk(table, &bytes) else { continue };
        parts(&tree, &mut |table, bytes| {
            if let Some(codec) = CODECS.iter().find(|codec| codec.table == table) {
                values.entry(codec.table).or_default().insert(bytes);
            }
        });
    }
    let mut named = Vec::new();
    for (table, values) in values {
        let mut sorted: Vec<Vec<u8>> = values.into_iter().filter(|value| value.len() <= LONGEST).collect();
        sorted.sort_by_key(Vec::len);
        // The least, and some that are longer.
        let step = sorted.len().div_ceil(3).max(1);
        for (number, value) in sorted.iter().step_by(step).enumerate() {
            named.push((format!("{table}-{number}"), [&tag_of(table)[..], value].concat()));
        }
    }
    named
}

/// Every message in a value, itself first.
fn parts(tree: &Tree<'_>, tell: &mut impl FnMut(&str, Vec<u8>)) {
    match tree {
        Tree::Message { name, fields } => {
            tell(name, tree.encode());
            fields.iter().for_each(|(_, field)| parts(field, tell));
        }
        Tree::List { items, .. } => items.iter().for_each(|item| parts(item, tell)),
        Tree::Optional(Some(inner)) => parts(inner, tell),
        _ => {}
    }
}

/// What was said, told and kept, by the names of its tables.
fn whole() -> Vec<(&'static str, Vec<u8>)> {
    let mut whole = Vec::new();
    for (_, bytes) in crate::corpus::read("lockstep").unwrap_or_default().iter().chain(&runs::told()) {
        heard(&Script::read(bytes), &mut whole);
    }
    let kept = kept();
    let rows = [
        (Table::Certificates, "Certificate"),
        (Table::Grants, "Grant"),
        (Table::Revoked, "Revoke"),
        (Table::Erased, "Erase"),
        (Table::Leaves, "CloudLeaf"),
        (Table::CloudHeads, "SignedCloudHead"),
        (Table::Blocks, "Block"),
        (Table::AuditEntries, "AuditEntry"),
        (Table::AuditHeads, "SignedAuditHead"),
    ];
    for (table, name) in rows {
        whole.extend(kept.rows(table).map(|(_, value)| (name, value.clone())));
    }
    for (key, value) in kept.rows(Table::Meta) {
        let named = |start: &[u8]| key.starts_with(start);
        let name = match () {
            () if named(b"genesis") => "Genesis",
            () if named(b"seal-chain") => "SealChainStart",
            () if named(b"seal/") => "Seal",
            () if named(b"revocation-list") => "RevocationList",
            () => continue,
        };
        whole.push((name, value.clone()));
    }
    whole.extend(kept.tids().filter_map(|tid| Some(("StoredContent", kept.opened(tid)?))));
    whole
}

/// Plays a life again, and takes down what is said and told in it.
fn heard(script: &Script, whole: &mut Vec<(&'static str, Vec<u8>)>) {
    let (law, mut nursery, mut counts) = (Rules::hardened(), SetupCache::default(), Coverage::default());
    let Ok(actions) = script.execute(law, &mut nursery, &mut counts, |_, _| ()) else { return };
    let Ok(mut both) = Lockstep::new(Rules::hardened(), &script.setup) else { return };
    let mut seen = 0;
    for action in &actions {
        if both.step(action).is_err() {
            return;
        }
        let model: &Execution = both.model();
        for envelope in &model.envelopes()[seen..] {
            match &envelope.datagram {
                Datagram::Gossip(gossip) => {
                    whole.extend(both.sut().told(gossip).map(|real| ("Gossip", encode(real))));
                }
                Datagram::Packet(packet) => {
                    whole.extend(
                        both.sut().sent_as(|sent| sent == packet).map(|real| ("Packet", encode(&real))),
                    );
                    if let bemr_model::Packet::Record(record) = packet {
                        let said = both.sut().said(envelope.from, &record.message);
                        whole.extend(said.map(|real| ("Message", encode(real))));
                    }
                }
            }
        }
        seen = model.envelopes().len();
    }
}

/// The least values of a table, one for each case that an enum chooses in it.
fn least_of(table: &str) -> Vec<Vec<u8>> {
    match tables().definition(table) {
        Some(Definition::Message(message)) => {
            let mut values = vec![Vec::new()];
            let mut chosen: Vec<BTreeMap<&str, String>> = vec![BTreeMap::new()];
            for field in &message.fields {
                let (mut longer, mut choices) = (Vec::new(), Vec::new());
                for (value, choice) in values.iter().zip(&chosen) {
                    for (bytes, case) in least(
                        &field.ty,
                        &message.name,
                        choice,
                        tables().selector(&message.fields, selects(&field.ty)),
                    ) {
                        let mut choice = choice.clone();
                        choice.extend(case.map(|case| (field.name.as_str(), case)));
                        longer.push([&value[..], &bytes].concat());
                        choices.push(choice);
                    }
                }
                // Where many fields choose, not all of all.
                longer.truncate(40);
                choices.truncate(40);
                (values, chosen) = (longer, choices);
            }
            values
        }
        Some(Definition::Enum { values, .. }) => {
            values.values.iter().map(|(_, value)| number(values.width, *value)).collect()
        }
        Some(Definition::Known(ty)) => {
            least(ty, table, &BTreeMap::new(), None).into_iter().map(|(bytes, _)| bytes).collect()
        }
        None => Vec::new(),
    }
}

const fn selects(ty: &Type) -> &str {
    match ty {
        Type::Select(on) => on.as_str(),
        _ => "",
    }
}

fn number(width: u8, value: u64) -> Vec<u8> {
    value.to_be_bytes()[8 - usize::from(width)..].to_vec()
}

/// The least bytes of a type, and what they choose where it is an enum.
fn least(
    ty: &Type,
    message: &str,
    chosen: &BTreeMap<&str, String>,
    selector: Option<&bemr_spec::messages::Enumeration>,
) -> Vec<(Vec<u8>, Option<String>)> {
    let one = |bytes: Vec<u8>| vec![(bytes, None)];
    let behind = |bounds: Bounds, content: Vec<u8>| {
        one([number(bounds.prefix(), content.len() as u64), content].concat())
    };
    let of = |table: &str| least_of(table).into_iter().map(|bytes| (bytes, None)).collect::<Vec<_>>();
    let each = |values: &bemr_spec::messages::Enumeration| {
        values.values.iter().map(|(name, value)| (number(values.width, *value), Some(name.clone()))).collect()
    };
    match ty {
        Type::Number(width) => one(vec![0; usize::from(*width)]),
        Type::Fixed(size) => one(vec![0; *size as usize]),
        Type::Opaque(bounds) => behind(*bounds, vec![0; bounds.least as usize]),
        Type::Vector(element, bounds) if bounds.least > 0 => {
            let element = least(element, message, chosen, None).swap_remove(0).0;
            let count = (bounds.least as usize).div_ceil(element.len().max(1));
            behind(*bounds, element.repeat(count))
        }
        Type::Vector(_, bounds) => behind(*bounds, Vec::new()),
        Type::Optional(_) => one(vec![0]),
        Type::Enum(values) => each(values),
        Type::Select(on) => {
            let case = chosen.get(on.as_str()).cloned().unwrap_or_default();
            let shared = selector.and_then(|values| values.messages.get(&case)).cloned();
            of(&shared.unwrap_or_else(|| format!("{message}.{case}")))
        }
        Type::Name => one(vec![1, b'a']),
        Type::Text => one(vec![0, 0]),
        Type::Reference(name) => match tables().definition(name) {
            Some(Definition::Enum { values, .. } | Definition::Known(Type::Enum(values))) => each(values),
            _ => of(name).into_iter().take(2).collect(),
        },
    }
}

/// What the corpora are made in: the lives first, of which others are made.
pub fn order() -> impl Iterator<Item = &'static Target> {
    let lives = target("lockstep").into_iter();
    lives.chain(TARGETS.iter().filter(|target| target.name != "lockstep"))
}
