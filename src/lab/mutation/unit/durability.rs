//! What is stored before it is sent, and what is sent when it cannot be stored.

use crate::mutation::unit::cases::{Story, Told, begin, expect};
use crate::mutation::unit::envelopes::{ACQUAINTED, DOCTOR, submit};
use crate::mutation::unit::fixture::Perturbation;
use crate::simulator::NetworkConfig;
use bemr::actors::StoreHandle;
use bemr::crypto::{AeadKey, Digest, Suite};
use bemr::records::Record;
use bemr::store::{Commit, MemoryStore, Row, Store, StoreError, Table};
use bemr_model::{Action, Actor, Flaws};
use bemr_spec::Clause::{self, *};
use bemr_spec::Rules;
use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::rc::Rc;

pub(super) const STORIES: &[(Clause, &str, Story)] = &[
    (StoredBeforeSent, "a validator that voted, restarts and gets another T_block", asked_after_a_restart),
    (FailedStoreIsSilent, "a submission while the disk is full", full_disk),
];

fn asked_after_a_restart(rules: &Rules, _: Clause) -> Told {
    const VALIDATOR: Actor = Actor::Validator(0);
    let mut scene = begin(rules, &ACQUAINTED)?;
    scene.act(&submit(DOCTOR, 1, None)).ok_or("nobody submits")?;
    let asks =
        |envelope: &bemr_model::Envelope| (envelope.datagram.name(), envelope.to) == ("T_block", VALIDATOR);
    let first = scene.until(asks).ok_or("no T_block")?;
    scene.act(&Action::Deliver { envelope: first }).ok_or("it does not arrive")?;
    scene.lose();
    scene.act(&Action::Crash { actor: VALIDATOR, damage: None }).ok_or("it does not crash")?;
    // The BSD asks again in a new session.
    let second = scene.until(asks).ok_or("no second T_block")?;
    let other = Perturbation::Flawed("T_block", Flaws::of(AttributeHasItsType));
    expect(scene.attempt(second, other).ok_or("no other T_block")?.clause, OneBlockPerTid)
}

/// A store that is full from an instant on.
struct FullStore {
    store: MemoryStore,
    full: Rc<Cell<bool>>,
}

impl Store for FullStore {
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        match self.full.get() {
            true => Err(StoreError::unavailable(None, Error::from(ErrorKind::StorageFull))),
            false => self.store.commit(commit),
        }
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

fn full_disk(rules: &Rules, _: Clause) -> Told {
    const LIMIT: u64 = 1_000;
    let full = Rc::new(Cell::new(false));
    let store = StoreHandle::new(FullStore { store: MemoryStore::new(), full: Rc::clone(&full) });
    let config = NetworkConfig { rules: *rules, store: store.clone(), ..NetworkConfig::new(Suite::Tiny, 1) };
    let mut network = config.build().map_err(|refusal| format!("no network: {refusal}"))?;
    full.set(true);
    let doctor = network.keys.roster.doctor.clone();
    let text = br#"{"resourceType":"Patient","id":"p","birthDate":"1970-01-01"}"#;
    let record = Record::read(rules, text).map_err(|refusal| refusal.to_string())?;
    let submitted = network.as_user(&doctor, |user, now| user.submit(now, &record, &[]));
    let tid = submitted.map_err(|refusal| format!("not submitted: {refusal}"))?;
    network.run_for(LIMIT);
    store.take_failure().ok_or("nothing had to be stored")?;
    match network.outcome(&doctor, &tid, LIMIT) {
        None => Ok(()),
        Some(outcome) => Err(format!("the user is told {:?}", outcome.decision)),
    }
}
