//! Inputs that are no records: one line for each, and the others are still processed.

use crate::{GOOD, Ran, program, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `good.json` beside a file that holds `bytes`; the line on that file.
fn beside(bytes: &[u8]) -> (Ran, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.json"), GOOD).unwrap();
    let bad = folder.path().join("bad.json");
    fs::write(&bad, bytes).unwrap();
    let ran = run([Path::new("--records"), folder.path()]);
    let line = ran.line(&bad).to_owned();
    (ran, line)
}

/// The file cannot be read: exit code 2, and the good one is committed and read back.
fn unreadable(bytes: &[u8]) -> String {
    let (ran, line) = beside(bytes);
    assert_eq!(ran.code, 2, "{line}");
    let totals = "1 submitted, 1 committed, 0 rejected, 0 deferred, 1 unreadable; 1 read back and verified";
    assert!(ran.out.ends_with(&format!("{totals}\n")), "{}", ran.out);
    line
}

#[test]
fn what_is_not_json_is_named_with_line_and_column() {
    assert_eq!(unreadable(b"hello"), "REC-02 RecordIsJson: line 1, column 1: expected value");
    let open = unreadable(b"{\n\"resourceType\": \"Patient\",\n\"id\": }");
    assert_eq!(open, "REC-02 RecordIsJson: line 3, column 7: expected value");
    assert_eq!(unreadable(b""), "REC-02 RecordIsJson: line 1, column 1: EOF while parsing a value");
    let marked = [b"\xef\xbb\xbf", GOOD].concat();
    assert_eq!(unreadable(&marked), "REC-02 RecordIsJson: line 1, column 1: a byte order mark");
    assert!(unreadable(&[GOOD, b"{}"].concat()).starts_with("REC-02"), "one document in a file");
}

#[test]
fn what_is_not_utf8_is_named_with_line_and_column() {
    let line = unreadable(b"{\"resourceType\":\n\"Pat\xffient\"}");
    assert_eq!(line, "REC-01 RecordIsUtf8: line 2, column 5");
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert!(unreadable(&[b"\xfe\xff", &utf16[..]].concat()).starts_with("REC-01 RecordIsUtf8: line 1"));
}

#[test]
fn an_unknown_type_is_answered_with_the_known_ones() {
    let known = "AllergyIntolerance, Condition, DiagnosticReport, Immunization, MedicationRequest, Observation, \
                 Patient";
    let line = unreadable(br#"{"resourceType":"Encounter"}"#);
    assert_eq!(line, format!("REC-06 ResourceTypeIsKnown: resourceType \"Encounter\" is not one of {known}"));
    assert!(unreadable(b"{}").ends_with(known));
    assert!(unreadable(b"[1]").ends_with(known));
}

#[test]
fn a_repeated_key_is_named_with_the_line_of_its_second_value() {
    let line = unreadable(b"{\"resourceType\":\"Patient\",\n\"id\":\"a\",\n\"id\":\"b\"}");
    assert_eq!(line, "REC-03 NoDuplicateKeys: line 3, column 6: $ has the key \"id\" twice");
}

#[test]
fn absurd_depth_is_refused_where_it_gets_too_deep() {
    let deep =
        [b"{\"resourceType\":\"Patient\",\n\"x\":", &[b'['; 200_000][..], &[b']'; 200_000], b"}"].concat();
    let line = unreadable(&deep);
    assert_eq!(line, "REC-04 DepthWithinBound: line 2, column 68: deeper than 64 arrays and objects");
    assert!(unreadable(&vec![b'['; 1 << 20]).starts_with("REC-02 RecordIsJson: line 1"));
}

#[test]
fn a_missing_attribute_is_a_rejection_that_names_it() {
    let (ran, line) = beside(br#"{"resourceType":"Observation","subject":{"reference":"Patient/1"}}"#);
    assert_eq!(line, "TPL-03 RequiredAttributePresent: attribute status at status");
    assert_eq!(ran.code, 0, "a rejection is a decision that stands");
    assert!(ran.out.contains("2 submitted, 1 committed, 1 rejected"), "{}", ran.out);
}

#[test]
fn a_record_that_comes_twice_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.json"), folder.path().join("b.json"));
    fs::write(&first, GOOD).unwrap();
    fs::write(&second, GOOD).unwrap();
    let ran = run([Path::new("--records"), folder.path()]);
    assert_eq!(ran.line(&second), "INI-07 RecordNotReused: refused by the server database");
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("2 submitted, 1 committed, 1 rejected"), "{}", ran.out);
}

/// Enough for the program and the largest record, and less than the input.
#[cfg(target_os = "linux")]
#[test]
fn sixty_four_mebibytes_are_refused_in_bounded_memory_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let huge = folder.path().join("huge.json");
    let filler = vec![b'a'; 64 << 20];
    fs::write(&huge, [br#"{"resourceType":"Patient","id":""#, &filler[..], b"\"}"].concat()).unwrap();
    // As large as a record may be, and far too many values.
    let values = folder.path().join("values.json");
    fs::write(&values, [b"[0", &b",0".repeat((8 << 20) - 2)[..], b"]"].concat()).unwrap();
    // Kibibytes of memory, seconds of computing.
    let script = "ulimit -v 60000 && ulimit -t 20 && exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(program().get_program());
    let ran: Ran =
        command.args(["run", "--suite", "tiny", "--records"]).arg(folder.path()).output().unwrap().into();
    assert_eq!(ran.code, 2);
    assert_eq!(ran.line(&huge), "REC-05 RecordWithinSize: more than 16777216 bytes");
    assert!(ran.line(&values).ends_with("more than 1048576 values"));
}

#[test]
fn a_record_of_fifteen_mebibytes_goes_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.json");
    let text = format!(r#"{{"resourceType":"Patient","id":"large","text":"{}"}}"#, "a".repeat(15 << 20));
    fs::write(&path, text).unwrap();
    let ran = run([Path::new("--records"), &path]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("1 committed") && ran.out.contains("1 read back and verified"), "{}", ran.out);
}

#[test]
fn folders_and_missing_files_get_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("inner")).unwrap();
    fs::write(at("good.json"), GOOD).unwrap();
    fs::create_dir(at("inner/empty")).unwrap();
    let ran = run([Path::new("--records"), &at("absent"), folder.path(), &at("inner/empty")]);
    assert_eq!(ran.code, 2);
    assert!(ran.line(&at("absent")).contains("No such file"), "{}", ran.err);
    assert_eq!(ran.line(&at("inner/empty")), "the folder is empty");
    assert!(ran.line(&at("inner")).starts_with("a folder inside a folder of records is not read"));
    assert!(ran.out.contains("1 submitted, 1 committed"), "{}", ran.out);
    assert_eq!(ran.err.lines().count(), 3);
}

#[test]
fn a_name_with_control_characters_stays_on_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("two\nlines\u{1b}[2J"), b"x").unwrap();
    let ran = run([Path::new("--records"), folder.path()]);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.contains(r"two\nlines\u{1b}[2J: REC-02"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let made = Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    std::os::unix::fs::symlink("loop", at("loop")).unwrap();
    fs::write(at("good.json"), GOOD).unwrap();
    let ran = run([Path::new("--records"), folder.path(), &at("pipe"), Path::new("/dev/zero")]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.line(&at("socket")), "neither a file nor a folder");
    assert_eq!(ran.line(Path::new("/dev/zero")), "neither a file nor a folder");
    assert_eq!(ran.err.matches("pipe: neither a file nor a folder").count(), 2, "{}", ran.err);
    assert!(ran.line(&at("loop")).contains("symbolic link"), "{}", ran.err);
    assert!(ran.out.contains("1 submitted, 1 committed"), "{}", ran.out);
}

/// Who may read everything runs the program as somebody who may not.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_gets_a_line() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mode = |path: &Path, bits| fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
    mode(folder.path(), 0o755);
    let (secret, closed) = (at("secret.json"), at("closed"));
    fs::write(&secret, GOOD).unwrap();
    fs::write(at("good.json"), GOOD).unwrap();
    fs::create_dir(&closed).unwrap();
    mode(&secret, 0o000);
    mode(&closed, 0o000);
    let copy: PathBuf = at("bemr");
    fs::copy(program().get_program(), &copy).unwrap();
    let mut command = Command::new(copy);
    if fs::File::open(&secret).is_ok() {
        command.uid(65_534);
    }
    command.args(["run", "--suite", "tiny", "--records"]).args([&secret, &closed, &at("good.json")]);
    let ran: Ran = command.output().unwrap().into();
    mode(&closed, 0o755);
    assert_eq!(ran.code, 2);
    assert!(ran.line(&secret).contains("Permission denied"), "{}", ran.err);
    assert!(ran.line(&closed).contains("Permission denied"), "{}", ran.err);
    assert!(ran.out.contains("1 submitted, 1 committed"), "{}", ran.out);
}
