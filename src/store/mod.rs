//! What an actor keeps: in memory, or in a database on a path.
//!
//! One [`Commit`] is one acknowledged step: all of it is kept or nothing. The store knows the shape of what it
//! keeps but not whether it is allowed; [`recover`] alone looks inside, after an interruption.

mod commit;
mod error;
mod memory;
mod recovery;
#[cfg(feature = "store")]
mod redb_store;
mod table;
#[cfg(feature = "store")]
mod vault_file;

#[cfg(test)]
mod tests;

pub use commit::Commit;
pub use error::StoreError;
pub use memory::MemoryStore;
pub use recovery::{LogNodes, Recovered, recover, recover_audit_log, recover_ledger};
#[cfg(feature = "store")]
pub use redb_store::RedbStore;
pub use table::Table;

use crate::crypto::{AeadKey, Digest};
use crate::wire::{AuditEntry, Block, CloudLeaf, Height, Name, SignedAuditHead, SignedCloudHead, decode};
use bemr_spec::Rules;
use tls_codec::{DeserializeBytes, Serialize};

/// A row: its key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Stores commits. The four required reads give bytes; the typed methods decode what the tables hold.
pub trait Store {
    /// Keeps all of `commit`, or nothing. When it returns `Ok` on a path, the commit outlives the process.
    ///
    /// # Errors
    /// When the disk or the file does not let it; nothing was kept then.
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError>;

    /// The value under `key`.
    ///
    /// # Errors
    /// When the file is damaged there, or cannot be read. So for every read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows from `from` on, in ascending order of keys.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError>;

    /// The row with the greatest key.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn last(&self, table: Table) -> Result<Option<Row>, StoreError>;

    /// How many rows a table has.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn len(&self, table: Table) -> Result<u64, StoreError>;

    /// The key that a record's bytes are encrypted under; nothing once the record is erased.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn vault_key(&self, tid: &Digest) -> Result<Option<AeadKey>, StoreError>;

    /// The path that errors name.
    fn place(&self) -> Option<&std::path::Path> {
        None
    }

    /// The encrypted bytes of a record.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn blob(&self, tid: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Table::Blobs, tid.as_bytes())
    }

    /// The grant of a record's key to a reader.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn grant(&self, tid: &Digest, reader: &Name) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Table::Grants, &table::record_key(tid, reader))
    }

    /// The order by which a reader lost a record.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn revocation(&self, tid: &Digest, reader: &Name) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Table::Revoked, &table::record_key(tid, reader))
    }

    /// The order by which a record was erased.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn erasure(&self, tid: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Table::Erased, tid.as_bytes())
    }

    /// What is kept under a name of the caller's choice.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Table::Meta, name.as_bytes())
    }

    /// The certificate of a principal.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn certificate(&self, subject: &Name) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Table::Certificates, subject.as_str().as_bytes())
    }

    /// The leaf at an index of the cloud's log.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn leaf(&self, rules: &Rules, index: u64) -> Result<Option<CloudLeaf>, StoreError> {
        read(self, rules, Table::Leaves, &index.to_be_bytes())
    }

    /// The first head that the cloud signed when its log had this size.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn cloud_head(&self, rules: &Rules, size: u64) -> Result<Option<SignedCloudHead>, StoreError> {
        let rows = self.scan(Table::CloudHeads, &size.to_be_bytes(), 1)?;
        let row = rows.into_iter().find(|(key, _)| key.starts_with(&size.to_be_bytes()));
        row.map(|(key, bytes)| decoded(rules, self.place(), Table::CloudHeads, &key, &bytes)).transpose()
    }

    /// The newest head of the cloud's log.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn newest_cloud_head(&self, rules: &Rules) -> Result<Option<SignedCloudHead>, StoreError> {
        read_last(self, rules, Table::CloudHeads)
    }

    /// The block at a height.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn block(&self, rules: &Rules, height: Height) -> Result<Option<Block>, StoreError> {
        read(self, rules, Table::Blocks, &height.0.to_be_bytes())
    }

    /// The audit entry with this sequence number.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn audit_entry(&self, rules: &Rules, sequence: u64) -> Result<Option<AuditEntry>, StoreError> {
        read(self, rules, Table::AuditEntries, &sequence.to_be_bytes())
    }

    /// The newest head of the audit log.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn newest_audit_head(&self, rules: &Rules) -> Result<Option<SignedAuditHead>, StoreError> {
        read_last(self, rules, Table::AuditHeads)
    }
}

/// A message of a table that holds messages.
///
/// # Errors
/// As [`Store::get`], and when the value is not the message's encoding.
fn read<T, S>(store: &S, rules: &Rules, table: Table, key: &[u8]) -> Result<Option<T>, StoreError>
where
    T: DeserializeBytes + Serialize,
    S: Store + ?Sized,
{
    let value = store.get(table, key)?;
    value.map(|bytes| decoded(rules, store.place(), table, key, &bytes)).transpose()
}

fn read_last<T, S>(store: &S, rules: &Rules, table: Table) -> Result<Option<T>, StoreError>
where
    T: DeserializeBytes + Serialize,
    S: Store + ?Sized,
{
    let row = store.last(table)?;
    row.map(|(key, bytes)| decoded(rules, store.place(), table, &key, &bytes)).transpose()
}

/// Hands every row of a table to `each`, in ascending order of keys, a page at a time; the first error ends it.
///
/// # Errors
/// As [`Store::get`], or the error of `each`.
pub fn for_each_row<S: Store + ?Sized>(
    store: &S,
    table: Table,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    const PAGE: usize = 256;
    let mut from = Vec::new();
    loop {
        let rows = store.scan(table, &from, PAGE)?;
        for (key, bytes) in &rows {
            each(key, bytes)?;
        }
        match rows.last() {
            Some((key, _)) if rows.len() == PAGE => from = [key.as_slice(), &[0]].concat(),
            _ => return Ok(()),
        }
    }
}

/// Hands every message of a table that holds messages to `each`, in ascending order of keys.
///
/// # Errors
/// As [`for_each_row`], and when a value is not a message's encoding.
pub fn for_each<T, S>(
    store: &S,
    rules: &Rules,
    table: Table,
    mut each: impl FnMut(T) -> Result<(), StoreError>,
) -> Result<(), StoreError>
where
    T: DeserializeBytes + Serialize,
    S: Store + ?Sized,
{
    for_each_row(store, table, |key, bytes| each(decoded(rules, store.place(), table, key, bytes)?))
}

fn decoded<T: DeserializeBytes + Serialize>(
    rules: &Rules,
    place: Option<&std::path::Path>,
    table: Table,
    key: &[u8],
    bytes: &[u8],
) -> Result<T, StoreError> {
    decode(rules, bytes).map_err(|cause| StoreError::damaged(place, Some((table, key)), cause.to_string()))
}
