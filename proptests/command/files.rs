//! Files that the user names: what is no file is refused, and no output destroys an input, a store, or its keys.

use crate::{GOOD, bemr, program, run};
use std::fs;
use std::path::{Path, PathBuf};

/// A store that `bemr run` wrote, in a folder of its own.
fn with_store() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("record.json"), GOOD).unwrap();
    let store = folder.path().join("old.db");
    let record = folder.path().join("record.json");
    let ran = run([Path::new("--records"), &record, Path::new("--store"), &store]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    (folder, store)
}

#[test]
fn a_trace_replaces_no_input_no_store_and_no_keys() {
    let (folder, store) = with_store();
    let at = |name: &str| folder.path().join(name);
    let keys = at("old.db.keys");
    fs::hard_link(at("record.json"), at("hard")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(at("record.json"), at("soft")).unwrap();
    let before: Vec<Vec<u8>> = [&at("record.json"), &store, &keys].map(|path| fs::read(path).unwrap()).into();
    let fresh = at("fresh.db");
    // A trace among the records is an input, and so is what a link to nothing would create.
    let records = at("records");
    fs::create_dir(&records).unwrap();
    fs::write(records.join("older.jsonl"), r#"{"format":"of an earlier run"}"#).unwrap();
    let among = run([Path::new("--records"), &records, Path::new("--trace"), &records.join("older.jsonl")]);
    assert_eq!((among.code, among.out.as_str()), (2, ""), "{}", among.err);
    #[cfg(unix)]
    std::os::unix::fs::symlink(at("fresh.db"), at("dangling")).unwrap();
    let mut targets = vec![at("record.json"), at("hard"), store.clone(), keys.clone()];
    targets.extend([fresh.clone(), at("fresh.db.keys"), folder.path().join(".").join("fresh.db.keys")]);
    targets.extend(if cfg!(unix) { vec![at("soft"), at("dangling")] } else { Vec::new() });
    for target in targets {
        let record = at("record.json");
        let ran = run([
            Path::new("--records"),
            &record,
            Path::new("--store"),
            &fresh,
            Path::new("--trace"),
            &target,
        ]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}: {}", target.display(), ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.err.contains(&target.display().to_string()), "{}", ran.err);
        assert!(!fresh.exists(), "refused before the work begins");
    }
    let after: Vec<Vec<u8>> = [&at("record.json"), &store, &keys].map(|path| fs::read(path).unwrap()).into();
    assert!(before == after, "no byte of them changed");
    assert_eq!(bemr([Path::new("audit"), Path::new("--store"), &store]).code, 0);
}

#[test]
fn an_output_replaces_an_older_one_of_its_kind_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (record, trace) = (folder.path().join("record.json"), folder.path().join("trace.jsonl"));
    fs::write(&record, GOOD).unwrap();
    let traced = |to: &Path| run([Path::new("--records"), &record, Path::new("--trace"), to]);
    assert_eq!((traced(&trace).code, traced(&trace).code), (0, 0), "twice to the same file");
    let letter = folder.path().join("letter");
    fs::write(&letter, "Dear Sir").unwrap();
    let ran = traced(&letter);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("is no output of this kind; it is not replaced"), "{}", ran.err);
    let page = ["attack", "C-01", "--report"];
    let ran = bemr(page.iter().map(Path::new).chain([letter.as_path()]));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert_eq!(fs::read(&letter).unwrap(), b"Dear Sir");
}

#[test]
fn what_cannot_be_written_is_said_before_the_work_or_printed_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "Dear Sir").unwrap();
    let explore = ["explore", "smoke", "--configuration", "handshake", "--out"];
    let ran = bemr(explore.iter().map(Path::new).chain([file.as_path()]));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains(&file.display().to_string()), "{}", ran.err);
}

#[test]
fn a_file_is_a_regular_one_and_bounded_whatever_its_metadata_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![folder.path().to_owned()];
    if cfg!(unix) {
        files.push("/dev/zero".into());
        let fifo = folder.path().join("fifo");
        if std::process::Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()) {
            files.push(fifo);
        }
    }
    for file in &files {
        for command in [
            &["adversary"][..],
            &["fuzz-report"],
            &["replay"],
            &["trace", "verify"],
            &["check", "--adversary"],
            &["audit", "--store"],
        ] {
            let ran = bemr(command.iter().map(Path::new).chain([file.as_path()]));
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{command:?} {}: {}", file.display(), ran.err);
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        }
    }
    let big = folder.path().join("big.json");
    fs::write(&big, vec![b' '; (1 << 20) + 1]).unwrap();
    let ran = bemr([Path::new("adversary"), &big]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("more than 1048576 bytes"), "{}", ran.err);
}

#[test]
fn what_is_no_store_is_bad_input_to_an_audit() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], b"Dear Sir", GOOD] {
        let path = folder.path().join("file");
        fs::write(&path, bytes).unwrap();
        let ran = program().args(["audit", "--store"]).arg(&path).output().unwrap();
        assert_eq!(ran.status.code(), Some(2), "{}", String::from_utf8_lossy(&ran.stderr));
        assert!(ran.stdout.is_empty() && String::from_utf8_lossy(&ran.stderr).contains("no store"));
    }
}
