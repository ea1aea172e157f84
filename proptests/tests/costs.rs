//! What repeats costs what it should: digests and reads of a store, as functions of how much is there already.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::testbed::Testbed;
use bemr::actors::StoreHandle;
use bemr::audit::{AuditLog, Outcome as Ending};
use bemr::crypto::operations::digests;
use bemr::crypto::{AeadKey, Digest, Suite};
use bemr::store::{Commit, MemoryStore, Row, Store, StoreError, Table};
use bemr::wire::{Name, Terminal, Time};
use bemr_lab::simulator::NetworkConfig;
use bemr_spec::Rules;
use std::cell::Cell;
use std::rc::Rc;

const RULES: Rules = Rules::hardened();

/// As many records as make seven levels of a tree.
const RECORDS: u64 = 65;

/// A store that counts how often it is read.
struct CountingStore {
    store: MemoryStore,
    reads: Rc<Cell<u64>>,
}

impl CountingStore {
    fn read(&self) -> &MemoryStore {
        self.reads.set(self.reads.get() + 1);
        &self.store
    }
}

impl Store for CountingStore {
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        self.store.commit(commit)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read().get(table, key)
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.read().scan(table, from, limit)
    }

    fn last(&self, table: Table) -> Result<Option<Row>, StoreError> {
        self.read().last(table)
    }

    fn len(&self, table: Table) -> Result<u64, StoreError> {
        self.read().len(table)
    }

    fn vault_key(&self, tid: &Digest) -> Result<Option<AeadKey>, StoreError> {
        self.read().vault_key(tid)
    }
}

/// The levels of a tree with so many leaves.
const fn levels(leaves: u64) -> u64 {
    (u64::BITS - leaves.leading_zeros()) as u64
}

#[test]
fn the_cloud_stores_a_record_for_a_cost_that_grows_with_the_levels_of_its_log_alone() {
    let reads = Rc::new(Cell::new(0));
    let store = StoreHandle::new(CountingStore { store: MemoryStore::new(), reads: Rc::clone(&reads) });
    let mut bed = Testbed::of(NetworkConfig { store, ..NetworkConfig::new(Suite::Tiny, 1) });
    let mut first = None;
    for stored in 1..=RECORDS {
        let valid = bed.valid(crate::testbed::sample("Patient-example"), &[]);
        let before = (reads.get(), digests());
        bed.store(&valid).assert_accepted();
        let cost = (reads.get() - before.0, digests() - before.1);
        let base = *first.get_or_insert(cost);
        // A new leaf completes at most one node of each level, and the receipt proves it by one of each.
        assert!(
            cost.0 <= base.0 + 2 * levels(stored),
            "{stored} records: {} reads, at first {}",
            cost.0,
            base.0
        );
        assert!(
            cost.1 <= base.1 + 4 * levels(stored),
            "{stored} records: {} digests, at first {}",
            cost.1,
            base.1
        );
    }
}

#[test]
fn an_entry_of_the_audit_log_costs_the_same_however_many_there_are() {
    let name = |text: &str| Name::new(text).unwrap();
    let mut log = AuditLog::new(Suite::Tiny, name("network"), name("bsd"));
    let mut costs = Vec::new();
    for number in 0..RECORDS {
        let ending = Ending {
            tid: Digest::from_bytes([number as u8; 32]),
            terminal: Terminal::Deferred,
            reason: 0,
            block: None,
            decision: None,
            seal: None,
            time: Time(number),
        };
        let before = digests();
        log.append(&RULES, ending).unwrap();
        costs.push(digests() - before);
    }
    assert!(costs.iter().all(|cost| *cost == costs[0] && *cost > 0), "{costs:?}");
}
