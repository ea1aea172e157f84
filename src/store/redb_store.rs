//! A store in a database on a path, beside it the file of keys.
//!
//! The database checks its pages when it is opened. Beyond that every row carries a check value over its table,
//! key and value, and a panic inside the database becomes an error here: a damaged file is answered, not obeyed.

use crate::crypto::{AeadKey, Digest, Domain};
use crate::store::commit::Write;
use crate::store::vault_file::VaultFile;
use crate::store::{Commit, Row, Store, StoreError, Table};
use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableDefinition, WriteTransaction,
};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The length of the check value before each value.
const CHECK: usize = 16;

/// The cache of the database, in bytes.
const CACHE: usize = 64 << 20;

/// The format row of a new file.
const FORMAT: (&[u8], &[u8]) = (b"format", b"bemr store 1");

type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// A store in the files `path` and `path.keys`. One process at a time holds it.
#[derive(Debug)]
pub struct RedbStore {
    path: PathBuf,
    database: Database,
    vault: VaultFile,
    next_slot: u64,
    /// A commit failed half way: what is on the disk is known again when the store is opened again.
    stopped: bool,
}

const fn rows(table: Table) -> Rows {
    TableDefinition::new(table.name())
}

const HEADER: Rows = TableDefinition::new("header");

impl RedbStore {
    /// Opens the store on `path`, or makes a new one where no file is. Every page and every row is verified, an
    /// interrupted commit is undone, and keys that no row names are overwritten.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a file that is not such a store or was changed since it was written;
    /// [`StoreError::Unavailable`] when it cannot be opened, or another process holds it.
    pub fn open(path: impl AsRef<Path>) -> Result<RedbStore, StoreError> {
        let path = path.as_ref().to_owned();
        let held = match std::fs::metadata(&path) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(StoreError::unavailable(Some(&path), error)),
        };
        match held {
            None => create(&path)?,
            Some(found) if found.is_file() && found.len() == 0 => {
                let problem = "is an empty file, not a store; a new store needs a path where no file is";
                return Err(StoreError::damaged(Some(&path), None, problem));
            }
            Some(_) => {}
        }
        let database = guard(&path, || {
            Builder::new()
                .set_cache_size(CACHE)
                .set_check_integrity_on_open(true)
                .open(&path)
                .map_err(|error| opening(&path, error))
        })?;
        let keys = RedbStore::keys_of(&path);
        let vault = VaultFile::open(&keys).map_err(|error| StoreError::unavailable(Some(&keys), error))?;
        let mut store = RedbStore { path, database, vault, next_slot: 0, stopped: false };
        store.verify_rows()?;
        store.scrub_keys()?;
        Ok(store)
    }

    /// The file of keys that belongs to a store at this path.
    pub fn keys_of(path: &Path) -> PathBuf {
        let mut keys = path.as_os_str().to_owned();
        keys.push(".keys");
        keys.into()
    }

    /// Every row carries its check value, and the file states that it is a store of this format.
    fn verify_rows(&self) -> Result<(), StoreError> {
        let form = self.transaction(|transaction| match transaction.open_table(HEADER) {
            Ok(header) => Ok(header.get(FORMAT.0)?.map(|value| value.value().to_vec())),
            Err(error) => Err(error.into()),
        })?;
        if form.as_deref() != Some(FORMAT.1) {
            return Err(StoreError::damaged(Some(&self.path), None, "not a store of this form"));
        }
        for table in Table::ALL {
            super::for_each_row(self, table, |_, _| Ok(()))?;
        }
        Ok(())
    }

    /// Every key that a row names is there; every other slot becomes zero.
    fn scrub_keys(&mut self) -> Result<(), StoreError> {
        let mut live = std::collections::BTreeSet::new();
        super::for_each_row(self, Table::VaultKeys, |tid, row| {
            let (slot, _) = self.located_key(tid, row)?;
            live.insert(slot);
            Ok(())
        })?;
        let keys = RedbStore::keys_of(&self.path);
        let unavailable = |error| StoreError::unavailable(Some(&keys), error);
        let slots = self.vault.slots().map_err(unavailable)?;
        let mut changed = false;
        for slot in (0..slots).filter(|slot| !live.contains(slot)) {
            if self.vault.read(slot).map_err(unavailable)?.is_some() {
                self.vault.destroy(slot).map_err(unavailable)?;
                changed = true;
            }
        }
        if changed {
            self.vault.sync().map_err(unavailable)?;
        }
        self.next_slot = slots;
        Ok(())
    }

    /// The slot and key that a row of [`Table::VaultKeys`] names.
    fn located_key(&self, tid: &[u8], row: &[u8]) -> Result<(u64, AeadKey), StoreError> {
        let keys = RedbStore::keys_of(&self.path);
        let damaged =
            |problem: &str| StoreError::damaged(Some(&keys), Some((Table::VaultKeys, tid)), problem);
        let (slot, check) = row.split_first_chunk().ok_or_else(|| damaged("too short"))?;
        let slot = u64::from_be_bytes(*slot);
        let key = self.vault.read(slot).map_err(|error| StoreError::unavailable(Some(&keys), error))?;
        let key = key.ok_or_else(|| damaged("the key is missing"))?;
        if check != key_check(tid, &key).as_bytes() {
            return Err(damaged("the key is not the one that was kept"));
        }
        Ok((slot, key))
    }

    fn transaction<T>(
        &self,
        read: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        guard(&self.path, || {
            let transaction = self.database.begin_read().map_err(|e| self.trouble(e.into()))?;
            read(&transaction).map_err(|error| self.trouble(error))
        })
    }

    fn trouble(&self, error: redb::Error) -> StoreError {
        trouble(&self.path, error)
    }

    /// A value less its check value, which has to be right.
    fn checked(&self, table: Table, key: &[u8], stored: &[u8]) -> Result<Vec<u8>, StoreError> {
        match stored.split_first_chunk::<CHECK>() {
            Some((check, value)) if *check == row_check(table, key, value) => Ok(value.to_vec()),
            _ => Err(StoreError::damaged(Some(&self.path), Some((table, key)), "was changed on the disk")),
        }
    }

    fn write_rows(
        &self,
        transaction: &WriteTransaction,
        writes: &[Write],
        slots: &BTreeMap<Digest, (u64, Digest)>,
        freed: &mut Vec<u64>,
    ) -> Result<(), redb::Error> {
        for write in writes {
            match write {
                Write::Put(table, key, value) => put(transaction, *table, key, value)?,
                Write::Delete(table, key) => {
                    transaction.open_table(rows(*table))?.remove(key.as_slice())?;
                }
                Write::DeletePrefix(table, prefix) => {
                    let mut rows = transaction.open_table(rows(*table))?;
                    let mut keys = Vec::new();
                    for row in rows.range(prefix.as_slice()..)? {
                        let key = row?.0.value().to_vec();
                        if !key.starts_with(prefix) {
                            break;
                        }
                        keys.push(key);
                    }
                    for key in keys {
                        rows.remove(key.as_slice())?;
                    }
                }
                Write::Key(tid, _) => {
                    if let Some((slot, check)) = slots.get(tid) {
                        freed.extend(slot_of(transaction, tid)?.filter(|old| old != slot));
                        let value = [&slot.to_be_bytes()[..], check.as_bytes()].concat();
                        put(transaction, Table::VaultKeys, tid.as_bytes(), &value)?;
                    }
                }
                Write::DestroyKey(tid) => {
                    freed.extend(slot_of(transaction, tid)?);
                    transaction.open_table(rows(Table::VaultKeys))?.remove(tid.as_bytes().as_slice())?;
                }
            }
        }
        Ok(())
    }

    /// Puts the keys of a commit into fresh slots and sees them to the disk.
    fn place_keys(&mut self, writes: &[Write]) -> std::io::Result<BTreeMap<Digest, (u64, Digest)>> {
        let mut slots = BTreeMap::new();
        for write in writes {
            if let Write::Key(tid, key) = write {
                self.vault.write(self.next_slot, key)?;
                slots.insert(*tid, (self.next_slot, key_check(tid.as_bytes(), key)));
                self.next_slot += 1;
            }
        }
        if !slots.is_empty() {
            self.vault.sync()?;
        }
        Ok(slots)
    }

    fn commit_all(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let keys = RedbStore::keys_of(&self.path);
        let slots =
            self.place_keys(&commit.writes).map_err(|error| StoreError::unavailable(Some(&keys), error))?;
        let mut freed = Vec::new();
        guard(&self.path, || {
            let mut transaction = self.database.begin_write().map_err(|e| self.trouble(e.into()))?;
            transaction.set_durability(Durability::Immediate).map_err(|e| self.trouble(e.into()))?;
            self.write_rows(&transaction, &commit.writes, &slots, &mut freed).map_err(|e| self.trouble(e))?;
            transaction.commit().map_err(|e| self.trouble(e.into()))
        })?;
        if freed.is_empty() {
            return Ok(());
        }
        let destroyed = freed.iter().try_for_each(|slot| self.vault.destroy(*slot));
        destroyed
            .and_then(|()| self.vault.sync())
            .map_err(|error| StoreError::unavailable(Some(&keys), error))
    }
}

impl Store for RedbStore {
    /// Keys go to their file first, then the database commits, then destroyed keys are overwritten; a process that
    /// dies in between leaves a slot that no row names, and the next [`RedbStore::open`] overwrites it.
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::unavailable(
                Some(&self.path),
                "an earlier commit failed; open the store again",
            ));
        }
        let result = self.commit_all(&commit);
        self.stopped = result.is_err();
        result
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let stored = self.transaction(|transaction| {
            let rows = transaction.open_table(rows(table))?;
            Ok(rows.get(key)?.map(|value| value.value().to_vec()))
        })?;
        stored.map(|stored| self.checked(table, key, &stored)).transpose()
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let stored = self.transaction(|transaction| {
            let rows = transaction.open_table(rows(table))?;
            let mut found = Vec::new();
            for row in rows.range(from..)?.take(limit) {
                let (key, value) = row?;
                found.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(found)
        })?;
        let check = |(key, stored): Row| self.checked(table, &key, &stored).map(|value| (key, value));
        stored.into_iter().map(check).collect()
    }

    fn last(&self, table: Table) -> Result<Option<Row>, StoreError> {
        let stored = self.transaction(|transaction| {
            let rows = transaction.open_table(rows(table))?;
            Ok(rows.last()?.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
        })?;
        stored.map(|(key, stored)| self.checked(table, &key, &stored).map(|value| (key, value))).transpose()
    }

    fn len(&self, table: Table) -> Result<u64, StoreError> {
        self.transaction(|transaction| Ok(transaction.open_table(rows(table))?.len()?))
    }

    fn vault_key(&self, tid: &Digest) -> Result<Option<AeadKey>, StoreError> {
        let row = self.get(Table::VaultKeys, tid.as_bytes())?;
        row.map(|row| self.located_key(tid.as_bytes(), &row).map(|(_, key)| key)).transpose()
    }

    fn place(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

/// Makes a new store beside `path` and moves it there when it is whole: a file at `path` is never half made.
fn create(path: &Path) -> Result<(), StoreError> {
    let unavailable = |error| StoreError::unavailable(Some(path), error);
    if RedbStore::keys_of(path).try_exists().map_err(unavailable)? {
        return Err(StoreError::damaged(Some(path), None, "is missing, but its file of keys is there"));
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unavailable(error)),
        _ => {}
    }
    let make = || -> Result<(), redb::Error> {
        let database = Builder::new().create(&fresh)?;
        let transaction = database.begin_write()?;
        transaction.open_table(HEADER)?.insert(FORMAT.0, FORMAT.1)?;
        for table in Table::ALL {
            transaction.open_table(rows(table))?;
        }
        transaction.commit()?;
        Ok(())
    };
    guard(path, || make().map_err(|error| trouble(path, error)))?;
    std::fs::rename(&fresh, path).map_err(unavailable)?;
    // The new name has to outlive a crash as well; where folders cannot be opened, the system sees to it.
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && let Ok(folder) = std::fs::File::open(folder)
    {
        folder.sync_all().map_err(unavailable)?;
    }
    Ok(())
}

fn put(transaction: &WriteTransaction, table: Table, key: &[u8], value: &[u8]) -> Result<(), redb::Error> {
    let stored = [&row_check(table, key, value)[..], value].concat();
    transaction.open_table(rows(table))?.insert(key, stored.as_slice())?;
    Ok(())
}

/// The slot that holds a transaction's key.
fn slot_of(transaction: &WriteTransaction, tid: &Digest) -> Result<Option<u64>, redb::Error> {
    let keys = transaction.open_table(rows(Table::VaultKeys))?;
    let row = keys.get(tid.as_bytes().as_slice())?;
    Ok(row.and_then(|row| row.value().get(CHECK..)?.first_chunk().map(|slot| u64::from_be_bytes(*slot))))
}

/// The first bytes of a digest over table, key and value. It finds accidents; who can rewrite a file can rewrite it.
fn row_check(table: Table, key: &[u8], value: &[u8]) -> [u8; CHECK] {
    let name = table.name().as_bytes();
    let lengths = [[name.len() as u8].as_slice(), &(key.len() as u32).to_be_bytes()].concat();
    let digest = Digest::of_parts(Domain::STORE_ROW, &[&lengths, name, key, value]);
    *digest.as_bytes().first_chunk().expect("a digest has 32 bytes")
}

/// Ties a key to its record. It discloses nothing of a key of 256 random bits.
fn key_check(tid: &[u8], key: &AeadKey) -> Digest {
    let bytes = Zeroizing::new([tid, key.expose()].concat());
    Digest::of_parts(Domain::STORE_ROW, &[&[0], &bytes])
}

/// Runs what uses the database; a panic in it is damage.
fn guard<T>(path: &Path, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // Nothing of ours is half changed when it unwinds; the database poisons its own locks.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(StoreError::damaged(Some(path), None, "the database cannot make sense of the file"))
    })
}

fn opening(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => {
            StoreError::unavailable(Some(path), "another process holds the store")
        }
        DatabaseError::Storage(error) => trouble(path, error.into()),
        DatabaseError::UpgradeRequired(_) | DatabaseError::RepairAborted => {
            StoreError::damaged(Some(path), None, error.to_string())
        }
        other => StoreError::unavailable(Some(path), other),
    }
}

fn trouble(path: &Path, error: redb::Error) -> StoreError {
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    match error {
        redb::Error::Io(error) if !matches!(error.kind(), InvalidData | UnexpectedEof) => {
            StoreError::unavailable(Some(path), error)
        }
        // The database does not write again after an error of the machine until it is opened anew.
        redb::Error::PreviousIo => StoreError::unavailable(Some(path), error),
        other => StoreError::damaged(Some(path), None, other.to_string()),
    }
}
