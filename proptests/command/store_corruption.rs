//! Corrupted stores, and paths that hold no store.

use crate::{bemr, run};
use bemr::store::{Commit, RedbStore, Store};
use bemr::wire::{Height, Terminal, Time};
use bemr_spec::Rules;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const RULES: Rules = Rules::hardened();

fn keys(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.keys", path.display()))
}

/// A store after a whole run over the sample.
fn stored() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    assert_eq!(run([Path::new("--store"), &path]).code, 0);
    (folder, path)
}

fn audit(path: &Path) -> crate::Ran {
    bemr([Path::new("audit"), Path::new("--store"), path])
}

/// The audit names this entry and this clause.
fn found(path: &Path, entry: &str, clause: &str) {
    let ran = audit(path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with(&format!("INCONSISTENT at {entry}: {clause} ")), "{}", ran.out);
    let json = bemr([Path::new("audit"), Path::new("--json"), Path::new("--store"), path]);
    assert_eq!(json.code, 1);
    let json = json.json();
    assert_eq!((&json["consistent"], &json["entry"]), (&false.into(), &entry.into()));
    assert_eq!((&json["clause"], &json["report"]), (&clause.into(), &serde_json::Value::Null));
}

#[test]
fn a_store_is_consistent_after_a_run_and_a_second_run_does_not_overwrite_it() {
    let (_folder, path) = stored();
    let ran = audit(&path);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("consistent: "), "{}", ran.out);
    assert!(
        ran.out.contains("10 leaves, 10 under a checkpoint")
            && ran.out.contains("13 entries, 13 under a checkpoint, closed")
    );
    const EARLIER: &str = r#"{"format":"of an earlier run"}"#;
    let trace = path.with_extension("trace");
    fs::write(&trace, EARLIER).unwrap();
    let again = run([Path::new("--store"), &path, Path::new("--trace"), &trace]);
    assert_eq!((again.code, again.out.as_str()), (2, ""));
    assert!(again.err.contains("holds a network already"), "{}", again.err);
    assert_eq!(fs::read_to_string(&trace).unwrap(), EARLIER, "a run that is refused overwrites nothing");
    assert_eq!(audit(&path).out, ran.out);
}

#[test]
fn a_rewritten_row_is_named_with_entry_and_clause() {
    let tampered = |change: &dyn Fn(&RedbStore) -> Commit| {
        let (folder, path) = stored();
        let mut store = RedbStore::open(&path).unwrap();
        let commit = change(&store);
        store.commit(commit).unwrap();
        (folder, path)
    };
    let (_folder, path) = tampered(&|store| {
        let mut entry = store.audit_entry(&RULES, 4).unwrap().unwrap();
        assert_ne!(entry.terminal, Terminal::Deferred);
        entry.time = Time(entry.time.0 + 1);
        Commit::new().audit_entry(&entry)
    });
    found(&path, "audit head over 5 entries", "AUD-02");
    let (_folder, path) = tampered(&|store| {
        let mut entry = store.audit_entry(&RULES, 4).unwrap().unwrap();
        entry.sequence = 3;
        Commit::new().audit_entry(&entry)
    });
    found(&path, "audit entry 3", "AUD-01");
    let (_folder, path) = tampered(&|store| {
        let mut head = store.newest_audit_head(&RULES).unwrap().unwrap();
        head.head.count += 1;
        Commit::new().audit_head(&head)
    });
    found(&path, "audit head over 14 entries", "AUD-02");
    let (_folder, path) = tampered(&|store| {
        let block = store.block(&RULES, Height(2)).unwrap().unwrap();
        Commit::new().remove_block(&block)
    });
    found(&path, "block 3", "LED-01");
    let (_folder, path) = tampered(&|_| Commit::new().meta("suite", vec![9, 9]));
    found(&path, &format!("{}, table meta, entry suite", path.display()), "CLD-06");
}

#[test]
fn a_corrupted_key_is_named_with_its_record() {
    let (_folder, path) = stored();
    let mut bytes = fs::read(keys(&path)).unwrap();
    bytes[5] ^= 1;
    fs::write(keys(&path), bytes).unwrap();
    let ran = audit(&path);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("store.keys, table vault_keys, entry ") && ran.out.contains("CLD-06"),
        "{}",
        ran.out
    );
}

#[test]
fn a_corrupted_file_is_reported_without_a_panic() {
    let (folder, path) = stored();
    let (bytes, key_bytes) = (fs::read(&path).unwrap(), fs::read(keys(&path)).unwrap());
    let hurt = folder.path().join("hurt");
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut noticed = 0;
    for round in 0..36 {
        let mut damaged = bytes.clone();
        match round % 4 {
            0 => damaged.truncate(rng.random_range(0..bytes.len())),
            1 => damaged[rng.random_range(0..320)] ^= 1 << rng.random_range(0..8),
            2 => damaged[rng.random_range(0..bytes.len())] ^= 1 << rng.random_range(0..8),
            _ => {
                let start = rng.random_range(0..bytes.len());
                let end = bytes.len().min(start + rng.random_range(1..9000));
                damaged[start..end].iter_mut().for_each(|byte| *byte = rng.random());
            }
        }
        fs::write(&hurt, &damaged).unwrap();
        fs::write(keys(&hurt), &key_bytes).unwrap();
        let ran = audit(&hurt);
        match ran.code {
            // A byte that nothing uses, or a prefix of the commits.
            0 => assert!(ran.out.starts_with("consistent"), "round {round}: {}", ran.out),
            1 => {
                assert!(ran.out.starts_with("INCONSISTENT at "), "round {round}: {}", ran.out);
                assert!(ran.out.contains("CLD-06 StoreMatchesHead"), "round {round}: {}", ran.out);
                noticed += 1;
            }
            code => panic!("round {round}: {code} {}", ran.err),
        }
    }
    assert!(noticed >= 18, "only {noticed}");
}

#[test]
fn a_path_without_a_store_is_reported_and_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let lines = |ran: crate::Ran, path: &Path| {
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.starts_with(&format!("bemr: {}: ", path.display())), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    };
    fs::write(at("letter"), "Dear Sir").unwrap();
    lines(run([Path::new("--store"), &at("letter")]), &at("letter"));
    assert_eq!(fs::read_to_string(at("letter")).unwrap(), "Dear Sir");
    lines(audit(&at("letter")), &at("letter"));
    for path in [at("no/where"), folder.path().to_owned()] {
        lines(run([Path::new("--store"), &path]), &path);
        lines(audit(&path), &path);
    }
    lines(audit(&at("absent")), &at("absent"));
    assert!(!at("absent").exists(), "an audit makes no store");
}

#[test]
fn a_locked_store_and_an_empty_store_give_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let open = RedbStore::open(&path).unwrap();
    let busy = audit(&path);
    assert_eq!((busy.code, busy.out.as_str()), (2, ""));
    assert!(busy.err.ends_with("another process holds the store\n"), "{}", busy.err);
    drop(open);
    let empty = audit(&path);
    assert_eq!((empty.code, empty.out.as_str()), (2, ""));
    assert!(empty.err.ends_with("store: nothing is stored yet\n"), "{}", empty.err);
    assert_eq!(run([Path::new("--store"), &path]).code, 0, "an empty store is as good as a new one");
}
