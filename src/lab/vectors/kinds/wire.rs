//! Every message by itself: the bytes that are its encoding, and bytes near them that are none (chapter 3).

use super::draws::Nothing;
use super::run::PATIENT;
use super::{Kind, Made, RULES, Stop};
use crate::forge::{Sweep, as_it_is, tables};
use crate::simulator::LedgerKind;
use crate::vectors::Hex;
use crate::vectors::recorder::Recorder;
use crate::vectors::replayer::{Event, Send};
use bemr::crypto::{Digest, Domain, Suite};
use bemr::records::shipped_change;
use bemr::wire::{CODECS, ClosingRule, PolicyEntry, PolicySet, Target, WorkRule, encode};
use bemr_spec::messages::Tree;
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A message is decoded.
pub(in crate::vectors) enum Decode {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct DecodeInput {
    /// The name of its table.
    table: String,
    bytes: Hex,
}

impl Kind for Decode {
    const NAME: &'static str = "decode";
    const SUITES: &'static [&'static str] = &["ristretto255"];
    type Input = DecodeInput;
    type Output = Nothing;

    fn judge(_: Suite, input: &DecodeInput) -> Result<Nothing, Stop> {
        let codec = CODECS.iter().find(|codec| codec.table == input.table);
        let codec = codec.ok_or_else(|| Stop::Malformed(format!("no table `{}`", input.table)))?;
        if codec.again(&RULES, &input.bytes.0)? != input.bytes.0 {
            return Err(Stop::Malformed("it is encoded otherwise".to_owned()));
        }
        Ok(Nothing {})
    }

    fn make(suite: Suite) -> Result<Vec<Made<DecodeInput>>, Refusal> {
        let mut made = Vec::new();
        let mut sweep = Sweep::new(suite, &["~"], 1);
        for (table, bytes) in samples(suite)? {
            let input = |bytes: &[u8]| DecodeInput { table: table.clone(), bytes: bytes.into() };
            made.push(Made::valid(table.clone(), input(&bytes)));
            let clause = Clause::OneEncodingPerValue;
            let longer = [bytes.as_slice(), &[0]].concat();
            made.push(Made::invalid(clause, format!("{table}: a byte after its end"), input(&longer)));
            if let Some((_, shorter)) = bytes.split_last() {
                let input = input(shorter);
                made.push(Made::invalid(clause, format!("{table}: without its last byte"), input));
            }
            made.extend(Self::swept(suite, &mut sweep, &table, &bytes, as_it_is, input));
        }
        Ok(made)
    }
}

/// The shortest encoding of each table that a recorder's life shows, outermost tables first.
fn samples(suite: Suite) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let mut recorder = Recorder::new(suite, 1, LedgerKind::Quorum)?;
    let mut found = BTreeMap::new();
    let submit = Event::Submit { record: PATIENT.into(), readers: vec!["dr-ben".to_owned()] };
    recorder.happen("dr-ada", submit)?;
    recorder.until(20_000, |_| false)?;
    if let Some(tid) = recorder.tid() {
        recorder.happen("dr-ada", Event::Read { tid: tid.as_bytes().into() })?;
        recorder.until(1_000, |_| false)?;
        let reader = "mia".to_owned();
        recorder.happen("dr-ada", Event::Grant { tid: tid.as_bytes().into(), reader: reader.clone() })?;
        recorder.until(1_000, |_| false)?;
        recorder.happen("dr-ada", Event::Revoke { tid: tid.as_bytes().into(), reader })?;
        recorder.until(1_000, |_| false)?;
    }
    for recording in recorder.recordings.values() {
        note(&mut found, "Genesis", &recording.begin.genesis.0);
        note(&mut found, "RevocationList", &recording.begin.trust.list.0);
        for send in recording.did.iter().flat_map(|did| &did.sends) {
            match send {
                Send::Packet { bytes, message, .. } => {
                    note(&mut found, "Packet", &bytes.0);
                    if let Some(message) = message {
                        note(&mut found, "Message", &message.0);
                    }
                }
                Send::Tell { bytes, .. } | Send::Publish { bytes } => note(&mut found, "Gossip", &bytes.0),
            }
        }
    }
    let network = recorder.network.keys.genesis.network.clone();
    let change = shipped_change(network.clone());
    change.templates.iter().for_each(|one| note(&mut found, "Template", &encode(one)));
    change.contracts.iter().for_each(|one| note(&mut found, "Contract", &encode(one)));
    let entry = |policy| PolicyEntry { policy, digest: Digest::of(Domain::TEMPLATE, b"") };
    let contracts = change.contracts.iter().take(1).map(|one| entry(one.policy())).collect();
    let set = PolicySet { template: entry(change.templates[0].policy()), contracts };
    note(&mut found, "PolicySet", &encode(&set));
    let work = WorkRule { easiest: Target([0x3f; 32]), interval: 1, window: 2, confirmations: 3 };
    note(&mut found, "ClosingRule", &encode(&ClosingRule::Work(work)));
    let doctor = &recorder.network.keys.credentials[&recorder.network.keys.roster.doctor];
    let request = doctor.identity().enrolment_request(&RULES, doctor.name().clone(), doctor.role());
    note(&mut found, "EnrolmentRequest", &encode(&request));
    for (table, bytes) in recorder.stored()? {
        note(&mut found, table, &bytes);
    }
    found.retain(|table, _| CODECS.iter().any(|codec| codec.table == table));
    Ok(found)
}

/// Notes a message and all that is in it, where it is the shortest so far.
fn note(found: &mut BTreeMap<String, Vec<u8>>, table: &str, bytes: &[u8]) {
    if let Ok(tree) = tables().walk(table, bytes) {
        note_tree(found, &tree);
        keep(found, table, bytes.to_vec());
    }
}

fn note_tree(found: &mut BTreeMap<String, Vec<u8>>, tree: &Tree<'_>) {
    match tree {
        Tree::Message { name, fields } => {
            keep(found, name, tree.encode());
            fields.iter().for_each(|(_, field)| note_tree(found, field));
        }
        Tree::List { items, .. } => items.iter().for_each(|item| note_tree(found, item)),
        Tree::Optional(Some(inner)) => note_tree(found, inner),
        _ => {}
    }
}

fn keep(found: &mut BTreeMap<String, Vec<u8>>, table: &str, bytes: Vec<u8>) {
    match found.get_mut(table) {
        Some(kept) if kept.len() <= bytes.len() => {}
        Some(kept) => *kept = bytes,
        None => drop(found.insert(table.to_owned(), bytes)),
    }
}
