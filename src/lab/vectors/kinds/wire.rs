//! Every message by itself: the bytes that are its encoding, and bytes near them that are none (chapter 3).

use super::prelude::*;
use super::run::PATIENT;
use crate::forge::tables;
use crate::simulator::LedgerKind;
use crate::vectors::recorder::Recorder;
use crate::vectors::replayer::{Event, Send};
use bemr::records::shipped_change;
use bemr_spec::messages::Tree;
use std::collections::BTreeMap;

data! {
    DecodeInput {
        /// The name of its table.
        table: String,
        bytes: Hex,
    }
}

/// A message is decoded.
impl DecodeInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<Nothing, Stop> {
        let codec = CODECS.iter().find(|codec| codec.table == self.table);
        let codec = codec.ok_or_else(|| Stop::Malformed(format!("no table `{}`", self.table)))?;
        if codec.again(&RULES, &self.bytes.0)? != self.bytes.0 {
            return Err(Stop::Malformed("it is encoded otherwise".to_owned()));
        }
        Ok(Nothing {})
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut all = Vec::new();
        let mut sweep = Sweep::new(suite, &["~"], 1);
        for (table, bytes) in samples(suite)? {
            let given = DecodeInput { table: table.clone(), bytes: (&bytes).into() };
            let mut cases = Cases::of(suite, given);
            cases.valid(table.clone(), |_| ());
            let clause = Clause::OneEncodingPerValue;
            cases.invalid(clause, format!("{table}: a byte after its end"), |input| input.bytes.0.push(0));
            if !bytes.is_empty() {
                let comment = format!("{table}: without its last byte");
                cases.invalid(clause, comment, |input| input.bytes.0.truncate(bytes.len() - 1));
            }
            cases.sweep(&mut sweep, &table, |input| &mut input.bytes, &as_it_is);
            all.extend(cases.all());
        }
        Ok(all)
    }
}

/// The shortest encoding of each table.
#[derive(Default)]
struct Shortest(BTreeMap<String, Vec<u8>>);

impl Shortest {
    /// Notes a message and all that is in it.
    fn note(&mut self, table: &str, bytes: &[u8]) {
        if let Ok(tree) = tables().walk(table, bytes) {
            self.note_tree(&tree);
            self.keep(table, bytes.to_vec());
        }
    }

    fn note_tree(&mut self, tree: &Tree<'_>) {
        match tree {
            Tree::Message { name, fields } => {
                self.keep(name, tree.encode());
                fields.iter().for_each(|(_, field)| self.note_tree(field));
            }
            Tree::List { items, .. } => items.iter().for_each(|item| self.note_tree(item)),
            Tree::Optional(Some(inner)) => self.note_tree(inner),
            _ => {}
        }
    }

    fn keep(&mut self, table: &str, bytes: Vec<u8>) {
        let kept = self.0.entry(table.to_owned()).or_insert_with(|| bytes.clone());
        if bytes.len() < kept.len() {
            *kept = bytes;
        }
    }
}

/// The shortest encoding of each table that a recorder's run shows.
fn samples(suite: Suite) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let mut recorder = Recorder::new(suite, 1, LedgerKind::Quorum)?;
    let mut found = Shortest::default();
    recorder.submit("dr-ada", PATIENT, &["dr-ben"])?;
    recorder.wait(20_000)?;
    if let Some(tid) = recorder.tid() {
        let tid: Hex = tid.as_bytes().into();
        let reader = "mia".to_owned();
        for event in [
            Event::Read { tid: tid.clone() },
            Event::Grant { tid: tid.clone(), reader: reader.clone() },
            Event::Revoke { tid, reader },
        ] {
            recorder.happen("dr-ada", event)?;
            recorder.wait(1_000)?;
        }
    }
    for recording in recorder.recordings.values() {
        found.note("Genesis", &recording.begin.genesis.0);
        found.note("RevocationList", &recording.begin.trust.list.0);
        for send in recording.did.iter().flat_map(|did| &did.sends) {
            match send {
                Send::Packet { bytes, message, .. } => {
                    found.note("Packet", &bytes.0);
                    message.iter().for_each(|message| found.note("Message", &message.0));
                }
                Send::Tell { bytes, .. } | Send::Publish { bytes } => found.note("Gossip", &bytes.0),
            }
        }
    }
    let keys = &recorder.network.keys;
    let change = shipped_change(keys.genesis.network.clone());
    change.templates.iter().for_each(|one| found.note("Template", &encode(one)));
    change.contracts.iter().for_each(|one| found.note("Contract", &encode(one)));
    let entry = |policy| PolicyEntry { policy, digest: Digest::of(Domain::TEMPLATE, b"") };
    let contracts = change.contracts.iter().take(1).map(|one| entry(one.policy())).collect();
    let set = PolicySet { template: entry(change.templates[0].policy()), contracts };
    found.note("PolicySet", &encode(&set));
    let work = WorkRule { easiest: Target([0x3f; 32]), interval: 1, window: 2, confirmations: 3 };
    found.note("ClosingRule", &encode(&ClosingRule::Work(work)));
    let doctor = &keys.credentials[&keys.roster.doctor];
    let request = doctor.identity().enrolment_request(&RULES, doctor.name().clone(), doctor.role());
    found.note("EnrolmentRequest", &encode(&request));
    for (table, bytes) in recorder.stored()? {
        found.note(table, &bytes);
    }
    found.0.retain(|table, _| CODECS.iter().any(|codec| codec.table == table));
    Ok(found.0)
}
