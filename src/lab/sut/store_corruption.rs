//! A store that was damaged while its actor was dead, and what the actor says of it.

use crate::sut::SystemUnderTest;
use bemr::actors::StoreHandle;
use bemr::crypto::{AeadKey, Digest};
use bemr::store::{Commit, Row as StoreRow, Store, StoreError, Table};
use bemr_model::{Actor, Damage, Place, Row};
use bemr_spec::Refusal;

/// Shows another store, but for one row. Nothing is kept in it.
struct Damaged {
    whole: StoreHandle,
    table: Table,
    key: Vec<u8>,
    /// What is there instead; nothing where the row is missing.
    value: Option<Vec<u8>>,
}

impl Damaged {
    fn read<T>(&self, read: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let broken = |refusal: Refusal| StoreError::damaged(None, None, refusal.to_string());
        self.whole.read(read).map_err(broken)
    }

    fn is_at(&self, table: Table, key: &[u8]) -> bool {
        (self.table, self.key.as_slice()) == (table, key)
    }
}

impl Store for Damaged {
    fn commit(&mut self, _: Commit) -> Result<(), StoreError> {
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_at(table, key) { Ok(self.value.clone()) } else { self.read(|store| store.get(table, key)) }
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        let mut rows = self.read(|store| store.scan(table, from, limit.saturating_add(1)))?;
        rows.retain(|(key, _)| !self.is_at(table, key));
        if let Some(value) = &self.value
            && self.table == table
            && self.key.as_slice() >= from
        {
            let place = rows.partition_point(|(key, _)| *key < self.key);
            rows.insert(place, (self.key.clone(), value.clone()));
        }
        rows.truncate(limit);
        Ok(rows)
    }

    fn last(&self, table: Table) -> Result<Option<StoreRow>, StoreError> {
        if self.table != table {
            return self.read(|store| store.last(table));
        }
        Ok(self.scan(table, &[], usize::MAX)?.pop())
    }

    fn len(&self, table: Table) -> Result<u64, StoreError> {
        let whole = self.read(|store| store.len(table))?;
        if self.table != table {
            return Ok(whole);
        }
        let was = match (table, <[u8; 32]>::try_from(self.key.as_slice())) {
            (Table::VaultKeys, Ok(tid)) => {
                self.read(|store| store.vault_key(&Digest::from_bytes(tid)))?.is_some()
            }
            _ => self.read(|store| store.get(table, &self.key))?.is_some(),
        };
        Ok(whole + u64::from(self.value.is_some()) - u64::from(was))
    }

    fn vault_key(&self, tid: &Digest) -> Result<Option<AeadKey>, StoreError> {
        if self.is_at(Table::VaultKeys, tid.as_bytes()) {
            return Ok(self.value.as_ref().map(|_| AeadKey::from_bytes([0; 32])));
        }
        self.read(|store| store.vault_key(tid))
    }
}

impl SystemUnderTest {
    /// An actor tries to start from a damaged copy of its store. What it says, and where it finds it; nothing where there is no
    /// such row.
    pub(super) fn start_damaged(
        &mut self,
        actor: Actor,
        damage: Damage,
    ) -> Option<Result<(), (Refusal, Place)>> {
        let (Damage::Missing(row) | Damage::Changed(row) | Damage::Back(row)) = damage;
        let whole = self.archives[self.slot(actor)?].clone();
        let (table, key) = self.row_key(&whole, row)?;
        let there = whole.read(|store| store.get(table, &key)).ok()?;
        let value = match damage {
            Damage::Missing(_) => None,
            Damage::Changed(_) => {
                let mut value = there?;
                *value.last_mut()? ^= 1;
                Some(value)
            }
            Damage::Back(_) => Some(Vec::new()),
        };
        let damaged = StoreHandle::new(Damaged { whole: whole.clone(), table, key, value });
        match self.begin(actor, damaged) {
            Ok(_) => Some(Ok(())),
            Err(refusal) => {
                let place = self.place_in(&whole, &refusal.to_string())?;
                Some(Err((refusal, place)))
            }
        }
    }

    /// Where a row is kept.
    fn row_key(&self, store: &StoreHandle, row: Row) -> Option<(Table, Vec<u8>)> {
        let number = |number: u32| u64::from(number).to_be_bytes().to_vec();
        let tid = |tid| Some(self.tables.real_tid(tid)?.as_bytes().to_vec());
        Some(match row {
            Row::Block(height) => (Table::Blocks, height.to_be_bytes().to_vec()),
            Row::Leaf(index) => (Table::Leaves, number(index)),
            Row::Node { level, index } => (Table::Nodes, [vec![level], number(index)].concat()),
            Row::CloudHead(size) => {
                let rows = store.read(|store| store.scan(Table::CloudHeads, &number(size), 1)).ok()?;
                (Table::CloudHeads, rows.into_iter().next()?.0)
            }
            Row::Blob(record) => (Table::Blobs, tid(record)?),
            Row::VaultKey(record) => (Table::VaultKeys, tid(record)?),
            Row::Erased(record) => (Table::Erased, tid(record)?),
            Row::Grant { tid: record, reader } => {
                let reader = super::user_name(&self.foundation, reader);
                (Table::Grants, [tid(record)?, reader.as_str().as_bytes().to_vec()].concat())
            }
            Row::AuditEntry(sequence) => (Table::AuditEntries, number(sequence)),
            Row::AuditHead(place) => {
                let rows = store.read(|store| store.scan(Table::AuditHeads, &[], usize::MAX)).ok()?;
                (Table::AuditHeads, rows.into_iter().nth(place as usize)?.0)
            }
        })
    }

    /// The row that an error names.
    fn place_in(&self, store: &StoreHandle, error: &str) -> Option<Place> {
        let (_, named) = error.split_once("table ")?;
        let (table, rest) = named.split_once(", entry ")?;
        let (entry, _) = rest.split_once(':')?;
        let number = || entry.rsplit(' ').next()?.parse::<u32>().ok();
        let tid = |digits: &str| {
            let bytes: Option<Vec<u8>> = (0..32)
                .map(|place| u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok())
                .collect();
            Some(Digest::from_bytes(bytes?.try_into().ok()?))
        };
        let record = || Some(self.tables.known_tid(&tid(entry)?));
        Some(Place::Row(match table {
            "blocks" => Row::Block(number()?.into()),
            "leaves" if entry.is_empty() => return Some(Place::Leaves),
            "leaves" => Row::Leaf(number()?),
            "nodes" => {
                let level = entry.split(' ').nth(1)?.parse().ok()?;
                Row::Node { level, index: number()? }
            }
            "cloud_heads" => Row::CloudHead(number()?),
            "blobs" => Row::Blob(record()?),
            "vault_keys" => Row::VaultKey(record()?),
            "erased" => Row::Erased(record()?),
            "grants" => {
                let name = (32..entry.len() / 2)
                    .map(|place| u8::from_str_radix(entry.get(2 * place..2 * place + 2)?, 16).ok())
                    .collect::<Option<Vec<u8>>>()?;
                let name = bemr::wire::Name::new(&String::from_utf8(name).ok()?)?;
                Row::Grant { tid: self.tables.known_tid(&tid(entry)?), reader: self.tables.user(&name) }
            }
            "audit_entries" => Row::AuditEntry(number()?),
            // Heads of one count are told apart by nothing that is shown; only the newest is looked at.
            "audit_heads" => {
                let heads = store.read(|store| store.len(Table::AuditHeads)).ok()?;
                Row::AuditHead(u32::try_from(heads.checked_sub(1)?).ok()?)
            }
            _ => return None,
        }))
    }
}
