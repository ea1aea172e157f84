//! A store that ends with the process.

use crate::crypto::{AeadKey, Digest};
use crate::store::commit::Write;
use crate::store::{Commit, Row, Store, StoreError, Table};
use std::collections::BTreeMap;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
    keys: BTreeMap<Digest, AeadKey>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// The bytes of all keys and values, without what the maps add to them.
    pub fn bytes(&self) -> u64 {
        let rows = self.tables.values().flatten().map(|(key, value)| key.len() + value.len());
        rows.sum::<usize>() as u64 + 64 * self.keys.len() as u64
    }

    fn rows(&mut self, table: Table) -> &mut BTreeMap<Vec<u8>, Vec<u8>> {
        self.tables.entry(table).or_default()
    }
}

impl Store for MemoryStore {
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        for write in commit.writes {
            match write {
                Write::Put(table, key, value) => {
                    self.rows(table).insert(key, value);
                }
                Write::Delete(table, key) => {
                    self.rows(table).remove(&key);
                }
                Write::DeletePrefix(table, prefix) => {
                    let rows = self.rows(table);
                    let keys = rows.range(prefix.clone()..).map(|(key, _)| key.clone());
                    let keys: Vec<Vec<u8>> = keys.take_while(|key| key.starts_with(&prefix)).collect();
                    for key in keys {
                        rows.remove(&key);
                    }
                }
                Write::Key(tid, key) => {
                    self.keys.insert(tid, key);
                }
                Write::DestroyKey(tid) => {
                    self.keys.remove(&tid);
                }
            }
        }
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables.get(&table).and_then(|rows| rows.get(key)).cloned())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let Some(rows) = self.tables.get(&table) else { return Ok(Vec::new()) };
        let from = rows.range(from.to_vec()..).take(limit);
        Ok(from.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn last(&self, table: Table) -> Result<Option<Row>, StoreError> {
        let row = self.tables.get(&table).and_then(|rows| rows.last_key_value());
        Ok(row.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn len(&self, table: Table) -> Result<u64, StoreError> {
        let rows = match table {
            Table::VaultKeys => self.keys.len(),
            _ => self.tables.get(&table).map_or(0, BTreeMap::len),
        };
        Ok(rows as u64)
    }

    fn vault_key(&self, tid: &Digest) -> Result<Option<AeadKey>, StoreError> {
        Ok(self.keys.get(tid).cloned())
    }
}
