//! The files of a store, changed by anybody: they open as they were after some commit, or with one clear error.

use crate::targets::recovery::{Kept, Past};
use crate::{Seen, Subject, subject};
use arbitrary::{Result, Unstructured};
use bemr::store::RedbStore;
use bemr_spec::Clause;
use std::fs;
use std::path::PathBuf;

/// The files of a store that a network left, and what was in it after each commit.
struct Left {
    folder: tempfile::TempDir,
    database: Vec<u8>,
    keys: Vec<u8>,
    moments: Vec<Kept>,
}

thread_local! {
    /// What is in it is the same each time it is made, but for what the database writes of itself.
    static LEFT: Left = Left::made();
}

impl Left {
    fn made() -> Left {
        let folder = tempfile::tempdir().expect("there is room for a temporary folder");
        let path = folder.path().join("store");
        let store = RedbStore::open(&path).expect("a new store in a new folder");
        let past = Past::lived(store);
        let read = |path: PathBuf| fs::read(path).expect("the store wrote it");
        let (database, keys) = (read(path), read(folder.path().join("store.keys")));
        Left { folder, database, keys, moments: past.moments }
    }
}

/// The files with a few changes, opened.
pub(super) fn run(subject: &Subject, input: &[u8], seen: &mut Seen) {
    // Bytes that end too early are no input.
    let _ = LEFT.with(|left| open(left, subject, &mut Unstructured::new(input), seen));
}

fn change(file: &mut Vec<u8>, bytes: &mut Unstructured<'_>) -> Result<()> {
    let at = bytes.int_in_range(0..=file.len().saturating_sub(1))?;
    // The first pages hold what all others hang on.
    let at = if bytes.arbitrary()? { at % 512 } else { at };
    match bytes.int_in_range(0..=4_u8)? {
        0 => file.truncate(at),
        1 => {
            let end = (at + bytes.int_in_range(1..=4096_usize)?).min(file.len());
            file[at..end].fill(0);
        }
        2 => {
            let from = bytes.int_in_range(0..=file.len().saturating_sub(1))?;
            let length = bytes.int_in_range(1..=4096_usize)?.min(file.len() - from.max(at));
            file.copy_within(from..from + length, at);
        }
        3 => file.extend(std::iter::repeat_n(bytes.arbitrary::<u8>()?, bytes.int_in_range(1..=64)?)),
        _ => {
            let bit = 1 << bytes.int_in_range(0..=7_u8)?;
            if let Some(byte) = file.get_mut(at) {
                *byte ^= bit;
            }
        }
    }
    Ok(())
}

fn open(left: &Left, subject: &Subject, bytes: &mut Unstructured<'_>, seen: &mut Seen) -> Result<()> {
    let (mut database, mut keys) = (left.database.clone(), left.keys.clone());
    for _ in 0..bytes.int_in_range(1..=3_u8)? {
        let of_keys = bytes.ratio(1, 6_u8)?;
        change(if of_keys { &mut keys } else { &mut database }, bytes)?;
    }
    let path = left.folder.path().join("damaged");
    fs::write(&path, &database).expect("there is room for a file");
    fs::write(left.folder.path().join("damaged.keys"), &keys).expect("there is room for a file");
    match subject.open.unwrap_or(subject::open)(&path) {
        Ok(kept) => {
            assert!(left.moments.contains(&kept), "a store opens that never was");
            seen.note(("opens", kept.tids().count()));
        }
        Err(error) => {
            let told = error.to_string();
            // A file with nothing in it is no damaged store but none.
            let is_store = !database.is_empty();
            assert!(!is_store || error.clause() == Some(Clause::StoreMatchesHead), "not by CLD-06: {told}");
            assert!(!told.contains('\n') && told.contains("damaged"), "no clear error: {told}");
            let told = told.rsplit('/').next().unwrap_or_default();
            seen.note(told.chars().filter(|c| !c.is_ascii_digit()).take(70).collect::<String>());
        }
    }
    Ok(())
}
