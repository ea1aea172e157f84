//! Looks inside a store after an interruption: does it match its newest signed head?

use crate::audit::AuditLog;
use crate::crypto::{Digest, VerifyingKey};
use crate::ledger::Ledger;
use crate::merkle::{Frontier, Nodes, leaf_hash};
use crate::store::{Store, StoreError, Table, decoded, for_each_row, table};
use crate::transparency::{LogOperator, verify_head};
use crate::votes::ValidatorSet;
use crate::wire::{
    AuditEntry, Block, CloudLeaf, Genesis, LeafKind, LogState, SignedAuditHead, SignedCloudHead, Time,
};
use bemr_spec::{Clause, Rules};
use std::collections::BTreeMap;
use tls_codec::{DeserializeBytes, Serialize};

/// A store whose log is the one that the cloud signed.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The newest head; nothing when nothing was ever committed.
    pub head: Option<SignedCloudHead>,
    /// The right edge of the log, from which it goes on.
    pub frontier: Frontier,
    /// How many records are stored and not erased.
    pub records: u64,
    /// How many records were erased.
    pub erased: u64,
}

/// Checks a cloud's store against the newest head in it: signature, leaves, subtrees, root, and that each record
/// that the log names is stored, or erased. Linear in the size of the log, constant memory apart from one digest
/// for each record.
///
/// # Errors
/// CLD-06 with the file, table and entry where the store first differs.
pub fn recover<S: Store + ?Sized>(
    rules: &Rules,
    store: &S,
    identity: &LogOperator,
) -> Result<Recovered, StoreError> {
    let damage = |entry: Option<(Table, &[u8])>, problem: String| {
        if rules.in_force(Clause::StoreMatchesHead) {
            Err(StoreError::damaged(store.place(), entry, problem))
        } else {
            Ok(())
        }
    };
    let head = store.newest_cloud_head(rules)?;
    if let Some(head) = &head
        && let Err(refusal) = verify_head(rules, identity, head)
    {
        damage(
            Some((Table::CloudHeads, &table::cloud_head_key(head.head.size, head.head.time))),
            refusal.to_string(),
        )?;
    }
    let mut frontier = Frontier::default();
    // Whether the record of each transaction is still there.
    let mut records: BTreeMap<Digest, bool> = BTreeMap::new();
    for_each(store, rules, Table::Leaves, leaf_key, |leaf: CloudLeaf| {
        let index = frontier.size();
        if leaf.sequence != index {
            damage(Some((Table::Leaves, &index.to_be_bytes())), format!("holds leaf {}", leaf.sequence))?;
        }
        for node in frontier.append(&leaf.digest()).iter().filter(|node| node.level > 0) {
            let key = table::node_key(node.level, node.index);
            if store.get(Table::Nodes, &key)?.as_deref() != Some(node.digest.as_bytes()) {
                damage(Some((Table::Nodes, &key)), "is not the hash of its leaves".to_owned())?;
            }
        }
        match leaf.kind {
            LeafKind::Record => {
                records.insert(leaf.tid, true);
            }
            LeafKind::Erase => {
                records.insert(leaf.tid, false);
            }
            LeafKind::Grant | LeafKind::Revoke => {}
        }
        Ok(())
    })?;
    let (size, root) = head.as_ref().map_or((0, crate::merkle::empty_root()), |s| (s.head.size, s.head.root));
    if frontier.size() != size {
        let held = frontier.size();
        damage(
            Some((Table::Leaves, &held.min(size).to_be_bytes())),
            format!("{held} leaves under a head of {size}"),
        )?;
    }
    if frontier.root() != root {
        damage(
            Some((Table::Leaves, &[])),
            format!("the leaves have root {}, the head {root}", frontier.root()),
        )?;
    }
    let nodes = frontier.size() - u64::from(frontier.size().count_ones());
    let live = records.values().filter(|present| **present).count() as u64;
    let erased = records.len() as u64 - live;
    let counts =
        [(Table::Nodes, nodes), (Table::Blobs, live), (Table::VaultKeys, live), (Table::Erased, erased)];
    for (tid, present) in &records {
        let has_blob = store.blob(tid)?.is_some();
        let has_key = store.vault_key(tid)?.is_some();
        let marked = store.erasure(tid)?.is_some();
        for (table, found, expected) in [
            (Table::Blobs, has_blob, *present),
            (Table::VaultKeys, has_key, *present),
            (Table::Erased, marked, !*present),
        ] {
            if found != expected {
                let problem = if found { "is there, against the log" } else { "is missing" };
                damage(Some((table, tid.as_bytes())), problem.to_owned())?;
            }
        }
    }
    for (table, expected) in counts {
        let held = store.len(table)?;
        if held != expected {
            damage(Some((table, &[])), format!("{held} rows where the log tells of {expected}"))?;
        }
    }
    for_each_row(store, Table::Grants, |key, _| {
        let tid = key.first_chunk().map(|tid| Digest::from_bytes(*tid));
        match tid.and_then(|tid| records.get(&tid)) {
            Some(true) => Ok(()),
            _ => damage(Some((Table::Grants, key)), "grants a record that is not there".to_owned()),
        }
    })?;
    Ok(Recovered { head, frontier, records: live, erased })
}

/// Builds the ledger again from the blocks of a store, each checked as if it came from a stranger.
///
/// # Errors
/// CLD-06 with the block and the clause that it breaks.
pub fn recover_ledger<S: Store + ?Sized>(
    rules: &Rules,
    store: &S,
    genesis: Genesis,
    validators: &ValidatorSet,
    now: Time,
) -> Result<Ledger, StoreError> {
    let mut ledger = Ledger::new(rules, genesis)
        .map_err(|refusal| StoreError::damaged(store.place(), None, refusal.to_string()))?;
    for_each(store, rules, Table::Blocks, block_key, |block: Block| {
        let key = block_key(&block);
        match ledger.append(rules, validators, now, block) {
            Ok(_) => Ok(()),
            Err(refusal) => {
                Err(StoreError::damaged(store.place(), Some((Table::Blocks, &key)), refusal.to_string()))
            }
        }
    })?;
    Ok(ledger)
}

/// Goes on with the audit log that a store holds: `log` is empty and names its owner. Its entries are numbered and linked,
/// and its newest head is signed, counts them and names the last.
///
/// # Errors
/// CLD-06 with the entry or head where the store first differs.
pub fn recover_audit_log<S: Store + ?Sized>(
    rules: &Rules,
    store: &S,
    mut log: AuditLog,
    key: &VerifyingKey,
) -> Result<(AuditLog, Option<SignedAuditHead>), StoreError> {
    let damage = |table: Table, key: &[u8], problem: &str| {
        if rules.in_force(Clause::StoreMatchesHead) {
            Err(StoreError::damaged(store.place(), Some((table, key)), problem))
        } else {
            Ok(())
        }
    };
    let newest = store.newest_audit_head(rules)?;
    if let Some(signed) = &newest
        && let Err(refusal) = log.verify_head(rules, key, signed)
    {
        damage(Table::AuditHeads, &table::audit_head_key(&signed.head), &refusal.to_string())?;
    }
    for_each(store, rules, Table::AuditEntries, entry_key, |entry: AuditEntry| {
        if !log.is_next(&entry) {
            damage(Table::AuditEntries, &log.count().to_be_bytes(), "does not follow the one before it")?;
        }
        log.go_on(&entry);
        Ok(())
    })?;
    let counted = newest.as_ref().map_or(0, |signed| signed.head.count);
    if log.count() != counted {
        let first = log.count().min(counted);
        let problem = format!("{} entries under a head of {counted}", log.count());
        damage(Table::AuditEntries, &first.to_be_bytes(), &problem)?;
    }
    if let Some(SignedAuditHead { head, .. }) = &newest {
        if head.last != log.last() {
            let last = counted.saturating_sub(1).to_be_bytes();
            damage(Table::AuditEntries, &last, "is not the one that the head names")?;
        }
        if head.state == LogState::Closed {
            log.close();
        }
    }
    Ok((log, newest))
}

const fn leaf_key(leaf: &CloudLeaf) -> [u8; 8] {
    leaf.sequence.to_be_bytes()
}

fn block_key(block: &Block) -> [u8; 8] {
    block.header().height.0.to_be_bytes()
}

const fn entry_key(entry: &AuditEntry) -> [u8; 8] {
    entry.sequence.to_be_bytes()
}

/// Hands every message of a table to `each`, in ascending order of keys. Each stands under the key that is its own, or whoever
/// looks for it would not find it.
fn for_each<T, S>(
    store: &S,
    rules: &Rules,
    table: Table,
    key_of: impl Fn(&T) -> [u8; 8],
    mut each: impl FnMut(T) -> Result<(), StoreError>,
) -> Result<(), StoreError>
where
    T: DeserializeBytes + Serialize,
    S: Store + ?Sized,
{
    for_each_row(store, table, |key, bytes| {
        let message: T = decoded(rules, store.place(), table, key, bytes)?;
        if rules.in_force(Clause::StoreMatchesHead) && key != key_of(&message) {
            return Err(StoreError::damaged(store.place(), Some((table, key)), "stands in another's place"));
        }
        each(message)
    })
}

/// The nodes of the cloud's tree, read from a store.
#[derive(Debug)]
pub struct LogNodes<'a, S: ?Sized> {
    store: &'a S,
    rules: &'a Rules,
}

impl<'a, S: Store + ?Sized> LogNodes<'a, S> {
    /// The nodes that `store` keeps.
    pub fn new(rules: &'a Rules, store: &'a S) -> Self {
        LogNodes { store, rules }
    }
}

impl<S: Store + ?Sized> Nodes for LogNodes<'_, S> {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<Digest, StoreError> {
        let missing =
            |table, key: &[u8]| StoreError::damaged(self.store.place(), Some((table, key)), "is missing");
        if level == 0 {
            let leaf = self.store.leaf(self.rules, index)?;
            let leaf = leaf.ok_or_else(|| missing(Table::Leaves, &index.to_be_bytes()))?;
            return Ok(leaf_hash(&leaf.digest()));
        }
        let key = table::node_key(level, index);
        let bytes = self.store.get(Table::Nodes, &key)?;
        let digest = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        digest.map(Digest::from_bytes).ok_or_else(|| missing(Table::Nodes, &key))
    }
}
