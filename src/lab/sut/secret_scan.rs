//! Looks for secrets in all that left an actor: what it sent, what it keeps in its store, what it says when it refuses,
//! and how its messages show themselves to people.
//!
//! A vault key stands in the part of a store that holds vault keys and nothing else (a file of its own on a disk): the
//! cloud's own secret, where it belongs. The key of the BSD's digests of taken records is its own too, in its own store.
//! Neither is looked for there.

use crate::sut::needles::Needles;
use crate::sut::{Bytes, Envelope, SystemUnderTest, samples};
use bemr::crypto::{AeadKey, Digest};
use bemr::store::{Commit, MemoryStore, Row, Store, StoreError, Table};
use bemr::wire::{self, encode};
use bemr_spec::Refusal;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a message shows to people hangs on what kind it is: the first of each is looked at, then one of so many.
const EVERY: u32 = 16;

const CHAIN_KEY: &str = "the chain key of a session";

/// What actors gave to their stores in this step.
#[derive(Default)]
pub(super) struct Kept {
    rows: Vec<Vec<u8>>,
    vault_keys: Vec<[u8; 32]>,
}

/// A store in memory that tells what is given to it.
pub(super) struct WatchedStore {
    store: MemoryStore,
    kept: Rc<RefCell<Kept>>,
}

impl WatchedStore {
    pub(super) fn new(kept: Rc<RefCell<Kept>>) -> WatchedStore {
        WatchedStore { store: MemoryStore::new(), kept }
    }
}

impl Store for WatchedStore {
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        let mut kept = self.kept.borrow_mut();
        for (key, value) in commit.rows() {
            kept.rows.push([key, value].concat());
        }
        kept.vault_keys.extend(commit.vault_keys().map(|key| *key.expose()));
        drop(kept);
        self.store.commit(commit)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(table, key)
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.store.scan(table, from, limit)
    }

    fn last(&self, table: Table) -> Result<Option<Row>, StoreError> {
        self.store.last(table)
    }

    fn len(&self, table: Table) -> Result<u64, StoreError> {
        self.store.len(table)
    }

    fn vault_key(&self, tid: &Digest) -> Result<Option<AeadKey>, StoreError> {
        self.store.vault_key(tid)
    }
}

/// What is watched, and what left an actor in this step beside envelopes.
#[derive(Default)]
pub(super) struct SecretScan {
    canaries: Option<Needles>,
    pub(super) kept: Rc<RefCell<Kept>>,
    refusal: Option<Refusal>,
    said: Vec<wire::Message>,
    /// How many messages of each name were said.
    shown: BTreeMap<&'static str, u32>,
    /// The chain keys of sessions that were there before anybody watched.
    earlier: Vec<[[u8; 32]; 2]>,
    /// The first envelope of this step.
    first: usize,
}

impl SecretScan {
    /// A step begins: `sent` envelopes were sent before.
    pub(super) fn begin(&mut self, sent: usize) {
        self.first = sent;
        self.refusal = None;
        self.said.clear();
        let mut kept = self.kept.borrow_mut();
        kept.rows.clear();
        if self.canaries.is_none() {
            kept.vault_keys.clear();
        }
    }

    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.refusal = Some(refusal);
    }

    pub(super) fn session(&mut self, keys: [[u8; 32]; 2]) {
        match &mut self.canaries {
            Some(canaries) => keys.iter().for_each(|key| canaries.insert(CHAIN_KEY, key)),
            None => self.earlier.push(keys),
        }
    }

    pub(super) fn said(&mut self, message: wire::Message, key: Option<&AeadKey>) {
        let Some(canaries) = &mut self.canaries else { return };
        if let Some(key) = key {
            canaries.insert("the key of a session record", key.expose());
        }
        match &message {
            wire::Message::TInitial(initial) => canaries.insert("the key of a record", &initial.record_key),
            wire::Message::TBlock(block) => {
                for opening in block.openings.iter() {
                    canaries.insert("the opening of an attribute", &opening.opening);
                }
            }
            _ => {}
        }
        self.said.push(message);
    }

    pub(super) fn supplied(&mut self, record: u16) {
        if let Some(canaries) = &mut self.canaries {
            canaries.insert("a record", samples::marker(record).as_bytes());
            canaries.insert("the name of a patient", samples::patient(record).as_bytes());
        }
    }
}

impl SystemUnderTest {
    /// From now on secrets are noted: keys and records. [`SystemUnderTest::leaks`] looks for them.
    pub fn watch(&mut self) {
        let mut canaries = Needles::new();
        for credentials in self.foundation.credentials.values() {
            let identity = credentials.identity();
            canaries.insert("a signing key", &identity.signing_key().to_bytes());
            canaries.insert("an agreement key", &identity.agreement_key().to_bytes());
        }
        for key in self.watch.earlier.drain(..).flatten() {
            canaries.insert(CHAIN_KEY, &key);
        }
        self.watch.canaries = Some(canaries);
        for (record, _) in self.supply.keys() {
            self.watch.supplied(*record);
        }
    }

    /// How many secrets are looked for.
    pub fn secrets(&self) -> usize {
        self.watch.canaries.as_ref().map_or(0, Needles::len)
    }

    /// The secrets that left an actor in the last step, and how: nothing when all is well.
    pub fn leaks(&mut self) -> Vec<String> {
        let SecretScan { canaries: Some(canaries), kept, refusal, said, shown, first, .. } = &mut self.watch
        else {
            return Vec::new();
        };
        let mut kept = kept.borrow_mut();
        for key in kept.vault_keys.drain(..) {
            canaries.insert("a vault key", &key);
        }
        let mut leaks = Vec::new();
        let mut look = |place: &str, bytes: &[u8], may: &[&str]| {
            let found = canaries.find(bytes).into_iter().filter(|what| !may.contains(what));
            leaks.extend(found.map(|what| format!("{what} in {place}")));
        };
        let mut before: Option<&Bytes> = None;
        for Envelope { bytes, .. } in &self.envelopes[*first..] {
            match bytes {
                Bytes::Packet(packet) => look("a packet", packet, &[]),
                // What is published lies in the pool once for each who hears it.
                Bytes::Gossip(gossip) if !matches!(before, Some(Bytes::Gossip(last)) if Rc::ptr_eq(last, gossip)) =>
                {
                    look(gossip.name(), &encode(&**gossip), &[]);
                }
                Bytes::Gossip(_) => {}
            }
            before = Some(bytes);
        }
        for row in &kept.rows {
            look("a store", row, &[]);
        }
        if let Some(refusal) = refusal {
            look("a refusal", format!("{refusal} {refusal:?}").as_bytes(), &[]);
        }
        for message in said.iter() {
            let before = shown.entry(message.name()).or_default();
            let is_looked_at = before.is_multiple_of(EVERY);
            *before += 1;
            if !is_looked_at {
                continue;
            }
            // Headers name their patient to whoever may see them.
            look(message.name(), format!("{message:?}").as_bytes(), &["the name of a patient"]);
        }
        leaks
    }

    /// The secrets that stand in `bytes`.
    pub fn tells(&self, bytes: &[u8]) -> Vec<&'static str> {
        self.watch.canaries.as_ref().map_or_else(Vec::new, |canaries| canaries.find(bytes))
    }
}
