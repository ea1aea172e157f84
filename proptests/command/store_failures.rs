//! Stores that the machine does not let be read or written: one line with the cause, exit code 2, and nothing is called
//! rejected that no rule rejected.

use crate::{Ran, bemr, program, run};
use bemr::store::RedbStore;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The cause in one line, and no outcome of any record.
fn ends_with(ran: &Ran, cause: &str) {
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.contains(cause), "{}", ran.err);
}

/// A run over the sample whose files may have so many bytes at most.
fn run_within_quota(bytes: u64, store: &Path) -> Ran {
    let bemr = program().get_program().to_owned();
    let limited = format!("ulimit -f {} && exec \"$0\" run --suite tiny --store \"$1\"", bytes / 512);
    Command::new("sh").arg("-c").arg(limited).arg(bemr).arg(store).output().unwrap().into()
}

#[cfg(unix)]
#[test]
fn a_quota_ends_the_run_wherever_it_is_reached_and_what_was_stored_is_consistent() {
    let mut stored = 0;
    for bytes in [0, 16 << 10, 64 << 10, 128 << 10, 192 << 10, 216 << 10, 232 << 10] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let ran = run_within_quota(bytes, &path);
        ends_with(&ran, &format!("{}: File too large", path.display()));
        if path.exists() {
            let audit = bemr([Path::new("audit"), Path::new("--store"), &path]);
            assert!(audit.code == 0 && audit.out.contains(" 0 deferred") || audit.code == 2, "{}", audit.out);
            stored += usize::from(audit.code == 0);
        }
    }
    assert!(stored > 0, "a quota has to be reached after something was stored");
}

#[test]
fn a_store_that_another_process_holds_is_said_to_be_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let _held = RedbStore::open(&path).unwrap();
    ends_with(&run([Path::new("--store"), &path]), "another process holds the store");
}

#[test]
fn an_empty_file_is_no_store_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fs::write(&path, "").unwrap();
    ends_with(&run([Path::new("--store"), &path]), "is an empty file, not a store");
    let audit = bemr([Path::new("audit"), Path::new("--store"), &path]);
    assert_eq!((audit.code, audit.out.as_str()), (2, ""));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file is made beside it");
}

#[cfg(unix)]
#[test]
fn a_folder_where_nothing_may_be_written_is_named_with_the_cause() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        // The superuser may write anywhere but into the kernel's own files.
        ends_with(&run(["--store", "/proc/store"]), "/proc/store: ");
    } else {
        let path = folder.path().join("store");
        ends_with(&run([Path::new("--store"), &path]), "Permission denied");
    }
}
