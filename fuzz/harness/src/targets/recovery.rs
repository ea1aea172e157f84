//! The store of a network after an interruption, with rows lost, changed, exchanged and brought back: what recovers is what was
//! committed at some moment, and a record that is read from it is the one that was stored.

use crate::{Seen, Subject};
use arbitrary::{Result, Unstructured};
use bemr::actors::StoreHandle;
use bemr::audit::AuditLog;
use bemr::crypto::{AeadKey, Digest, Suite, VerifyingKey};
use bemr::records::{Record, SAMPLES};
use bemr::store::{
    Commit, MemoryStore, Row, Store, StoreError, Table, recover, recover_audit_log, recover_ledger,
};
use bemr::transparency::LogOperator;
use bemr::votes::ValidatorSet;
use bemr::wire::{Genesis, Time, encode};
use bemr_lab::simulator::{Network, NetworkConfig, Roster};
use bemr_spec::{Clause, Rules};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Records that the network carries.
const RECORDS: usize = 3;

/// How long each may take, in virtual milliseconds.
const LIMIT: u64 = 60_000;

/// The tables that recovery looks at.
const LOOKED_AT: [Table; 8] = [
    Table::Leaves,
    Table::Nodes,
    Table::CloudHeads,
    Table::Blocks,
    Table::AuditEntries,
    Table::AuditHeads,
    Table::Blobs,
    Table::Erased,
];

type Stored<T> = std::result::Result<T, StoreError>;

/// Rows by table and key, and the keys of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    rows: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
    keys: BTreeMap<Digest, [u8; 32]>,
}

impl Kept {
    /// All that a store keeps.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(store: &dyn Store) -> Stored<Kept> {
        let mut kept = Kept::default();
        for table in Table::ALL.into_iter().filter(|table| *table != Table::VaultKeys) {
            bemr::store::for_each_row(store, table, |key, value| {
                kept.rows.entry(table).or_default().insert(key.to_vec(), value.to_vec());
                Ok(())
            })?;
        }
        for tid in kept.rows.get(&Table::Blobs).into_iter().flat_map(BTreeMap::keys) {
            let Some(tid) = tid.first_chunk().map(|tid| Digest::from_bytes(*tid)) else { continue };
            if let Some(key) = store.vault_key(&tid)? {
                kept.keys.insert(tid, *key.expose());
            }
        }
        Ok(kept)
    }

    /// The rows of a table.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
        self.rows.get(&table).into_iter().flatten()
    }

    /// A record as it was stored, out of its ciphertext.
    pub fn opened(&self, tid: &Digest) -> Option<Vec<u8>> {
        let key = AeadKey::from_bytes(*self.keys.get(tid)?);
        key.open(&[0; 12], tid.as_bytes(), self.rows.get(&Table::Blobs)?.get(tid.as_bytes().as_slice())?)
    }

    /// Who have records.
    pub fn tids(&self) -> impl Iterator<Item = &Digest> {
        self.keys.keys()
    }
}

/// It is looked at and not written to.
impl Store for Kept {
    fn commit(&mut self, _: Commit) -> Stored<()> {
        Err(StoreError::damaged(None, None, "is looked at and not written to"))
    }

    fn get(&self, table: Table, key: &[u8]) -> Stored<Option<Vec<u8>>> {
        Ok(self.rows.get(&table).and_then(|rows| rows.get(key)).cloned())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Stored<Vec<Row>> {
        let Some(rows) = self.rows.get(&table) else { return Ok(Vec::new()) };
        let from = rows.range(from.to_vec()..).take(limit);
        Ok(from.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn last(&self, table: Table) -> Stored<Option<Row>> {
        let row = self.rows.get(&table).and_then(|rows| rows.last_key_value());
        Ok(row.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn len(&self, table: Table) -> Stored<u64> {
        let rows = match table {
            Table::VaultKeys => self.keys.len(),
            _ => self.rows.get(&table).map_or(0, BTreeMap::len),
        };
        Ok(rows as u64)
    }

    fn vault_key(&self, tid: &Digest) -> Stored<Option<AeadKey>> {
        Ok(self.keys.get(tid).copied().map(AeadKey::from_bytes))
    }
}

/// A store that notes what it keeps after each commit.
struct Noting<S> {
    store: S,
    moments: Rc<RefCell<Vec<Kept>>>,
}

impl<S: Store> Store for Noting<S> {
    fn commit(&mut self, commit: Commit) -> Stored<()> {
        self.store.commit(commit)?;
        self.moments.borrow_mut().push(Kept::of(&self.store)?);
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> Stored<Option<Vec<u8>>> {
        self.store.get(table, key)
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Stored<Vec<Row>> {
        self.store.scan(table, from, limit)
    }

    fn last(&self, table: Table) -> Stored<Option<Row>> {
        self.store.last(table)
    }

    fn len(&self, table: Table) -> Stored<u64> {
        self.store.len(table)
    }

    fn vault_key(&self, tid: &Digest) -> Stored<Option<AeadKey>> {
        self.store.vault_key(tid)
    }
}

/// A network that carried records, as its store tells of it.
pub(super) struct Past {
    /// What was kept after each commit.
    pub(super) moments: Vec<Kept>,
    cloud: LogOperator,
    genesis: Genesis,
    validators: ValidatorSet,
    audit: AuditLog,
    bsd: VerifyingKey,
    now: Time,
}

thread_local! {
    /// The same each time it is made.
    static PAST: Past = Past::lived(MemoryStore::new());
}

/// What the network kept at its end.
pub fn kept() -> Kept {
    PAST.with(|past| past.moments.last().cloned().unwrap_or_default())
}

impl Past {
    /// Lives it, with this store.
    pub(super) fn lived(store: impl Store + 'static) -> Past {
        let rules = Rules::hardened();
        let noted: Rc<RefCell<Vec<Kept>>> = Rc::default();
        let archive = StoreHandle::new(Noting { store, moments: Rc::clone(&noted) });
        let config = NetworkConfig { store: archive, ..NetworkConfig::new(Suite::Tiny, 1) };
        let mut network = config.build().expect("one validator is a network");
        let (doctor, colleague) = (network.keys.roster.doctor.clone(), network.keys.roster.colleague.clone());
        let mut tids = Vec::new();
        for (_, bytes) in SAMPLES.iter().take(RECORDS) {
            let record = Record::read(&rules, bytes).expect("a sample is a record");
            let tid = network
                .as_user(&doctor, |user, now| user.submit(now, &record, std::slice::from_ref(&colleague)));
            let tid = tid.expect("a doctor may submit a sample");
            network.outcome(&doctor, &tid, LIMIT);
            tids.push(tid);
        }
        regret(&mut network, &tids);
        network.run_for(LIMIT);
        let key = network.keys.bsd.key.clone();
        let bsd = network.keys.bsd.name.clone();
        let moments = noted.take();
        Past {
            moments,
            audit: AuditLog::new(Suite::Tiny, network.keys.cloud.network.clone(), bsd),
            cloud: network.keys.cloud.clone(),
            genesis: network.keys.genesis.clone(),
            validators: network.keys.validators.clone(),
            bsd: key,
            now: network.now(),
        }
    }
}

/// The doctor lets the assistant read the first record and the colleague read it no longer, and has the last one erased.
fn regret(network: &mut Network, tids: &[Digest]) {
    let (Some(&first), Some(&last)) = (tids.first(), tids.last()) else { return };
    let Roster { doctor, colleague, assistant, administrators: [administrator, _], .. } =
        network.keys.roster.clone();
    network.as_user(&doctor, |user, now| user.grant(now, first, &assistant)).expect("an owner may grant");
    network.as_user(&doctor, |user, now| user.revoke(now, first, &colleague)).expect("an owner may revoke");
    let now = network.now();
    let body = network.user(&doctor).expect("the doctor is a user").erasure(now, last);
    let approvals = [&doctor, &administrator]
        .map(|name| network.user(name).expect("authorities are users").approve(&body))
        .to_vec();
    network
        .as_user(&doctor, |user, now| user.erase(now, body, approvals))
        .expect("two authorities may erase");
}

/// What recovers was there once.
pub(super) fn run(subject: &Subject, input: &[u8], seen: &mut Seen) {
    // Bytes that end too early are no input.
    let _ = PAST.with(|past| damage(past, subject, &mut Unstructured::new(input), seen));
}

fn damage(past: &Past, subject: &Subject, bytes: &mut Unstructured<'_>, seen: &mut Seen) -> Result<()> {
    let mut kept = past.moments[bytes.choose_index(past.moments.len())?].clone();
    for _ in 0..bytes.int_in_range(1..=3_u8)? {
        change(past, &mut kept, bytes)?;
    }
    check(past, subject, &kept, seen);
    Ok(())
}

/// Loses, changes, exchanges or brings back a row, or a key.
fn change(past: &Past, kept: &mut Kept, bytes: &mut Unstructured<'_>) -> Result<()> {
    let table = *bytes.choose(&LOOKED_AT)?;
    let rows = kept.rows.entry(table).or_default();
    let place = bytes.int_in_range(0..=rows.len().saturating_sub(1))?;
    let Some(key) = rows.keys().nth(place).cloned() else { return Ok(()) };
    match bytes.int_in_range(0..=6_u8)? {
        0 => drop(rows.remove(&key)),
        1 => {
            let value = rows.entry(key).or_default();
            let at = bytes.int_in_range(0..=value.len().saturating_sub(1))?;
            let bit = 1 << bytes.int_in_range(0..=7_u8)?;
            if let Some(byte) = value.get_mut(at) {
                *byte ^= bit;
            }
        }
        2 => {
            let value = rows.entry(key).or_default();
            value.truncate(bytes.int_in_range(0..=value.len())?);
        }
        3 => {
            let other = rows.values().nth(bytes.int_in_range(0..=rows.len() - 1)?).cloned();
            rows.insert(key, other.unwrap_or_default());
        }
        4 => {
            let moment = &past.moments[bytes.choose_index(past.moments.len())?];
            kept.rows.insert(table, moment.rows.get(&table).cloned().unwrap_or_default());
        }
        5 => {
            let mut other = key.clone();
            let at = bytes.int_in_range(0..=other.len().saturating_sub(1))?;
            if let Some(byte) = other.get_mut(at) {
                *byte = bytes.arbitrary()?;
            }
            let value = rows.remove(&key).unwrap_or_default();
            rows.insert(other, value);
        }
        _ => {
            let tids: Vec<Digest> = kept.keys.keys().copied().collect();
            if tids.is_empty() {
                return Ok(());
            }
            let (one, other) = (*bytes.choose(&tids)?, *bytes.choose(&tids)?);
            let key = kept.keys.remove(&other);
            kept.keys.extend(key.map(|key| (one, key)));
        }
    }
    Ok(())
}

/// Whether what is kept in a table was there once, from its beginning on.
fn was_there(past: &Past, kept: &Kept, table: Table) -> bool {
    past.moments.iter().any(|moment| moment.rows(table).eq(kept.rows(table)))
}

fn check(past: &Past, subject: &Subject, kept: &Kept, seen: &mut Seen) {
    let rules = &subject.rules;
    let refused = |error: &StoreError| {
        assert!(error.clause() == Some(Clause::StoreMatchesHead), "not by CLD-06: {error}");
        assert!(!error.to_string().contains('\n'), "more than a line: {error}");
    };
    match recover(rules, kept, &past.cloud) {
        Ok(recovered) => {
            seen.note(("cloud", recovered.records));
            assert!(was_there(past, kept, Table::Leaves), "a log recovers that never was");
            let head = recovered.head.as_ref().map(encode);
            let signed = |moment: &Kept| {
                head.as_ref().is_none_or(|head| moment.rows(Table::CloudHeads).any(|(_, one)| one == head))
            };
            assert!(past.moments.iter().any(signed), "a head recovers that nobody signed");
            for tid in kept.tids() {
                let genuine = past.moments.iter().find_map(|moment| moment.opened(tid));
                let read = kept.opened(tid);
                assert!(read.is_none() || read == genuine, "another record than was stored: {tid}");
            }
        }
        Err(error) => {
            refused(&error);
            seen.note(place(&error));
        }
    }
    match recover_ledger(rules, kept, past.genesis.clone(), &past.validators, past.now) {
        Ok(ledger) => {
            seen.note(("ledger", ledger.height().0));
            let tip = ledger.blocks().last().map(encode);
            let was =
                |moment: &Kept| moment.rows(Table::Blocks).last().map(|(_, block)| block) == tip.as_ref();
            assert!(
                tip.is_none() || past.moments.iter().any(was),
                "a branch recovers that never was in force"
            );
        }
        Err(error) => {
            refused(&error);
            seen.note(place(&error));
        }
    }
    match recover_audit_log(rules, kept, past.audit.clone(), &past.bsd) {
        Ok((log, _)) => {
            seen.note(("audit", log.count()));
            assert!(was_there(past, kept, Table::AuditEntries), "an audit log recovers that never was");
        }
        Err(error) => {
            refused(&error);
            seen.note(place(&error));
        }
    }
}

/// Where the trouble is, without numbers.
fn place(error: &StoreError) -> String {
    error.to_string().chars().filter(|c| !c.is_ascii_hexdigit()).take(60).collect()
}
