//! Exit codes, JSON, traces, and streams that nobody reads.

use crate::{bemr, program, run};
use bemr_lab::trace::{FORMAT, Trace};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

#[test]
fn the_sample_runs_and_every_rejection_is_a_decision_that_stands() {
    let ran = bemr(["run"]);
    assert_eq!(ran.code, 0);
    let totals =
        "13 submitted, 10 committed, 3 rejected, 0 deferred, 0 unreadable; 10 read back and verified";
    assert!(ran.out.ends_with(&format!("{totals}\n")), "{}", ran.out);
    assert!(include_str!("../../README.md").contains(totals));
    assert_eq!(ran.out.lines().count(), 1 + 13 + 1);
    assert_eq!(ran.err.lines().count(), 3, "one line for each that was rejected: {}", ran.err);
}

#[test]
fn every_suite_and_ledger_carries_the_sample() {
    for suite in ["ffdhe3072", "ristretto255", "tiny"] {
        for ledger in ["quorum", "pow"] {
            if suite == "ffdhe3072" && ledger == "pow" {
                continue;
            }
            let ran = bemr(["run", "--suite", suite, "--ledger", ledger, "--validators", "3"]);
            assert_eq!(ran.code, 0, "{suite} {ledger}: {}", ran.err);
            assert!(
                ran.out.contains("10 committed, 3 rejected, 0 deferred"),
                "{suite} {ledger}: {}",
                ran.out
            );
        }
    }
}

#[test]
fn json_is_one_document_with_these_fields() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.json");
    std::fs::write(&bad, "x").unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../records/samples");
    let ran = run([Path::new("--json"), Path::new("--records"), &bad, &samples.join("Patient-example.json")]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    let json = ran.json();
    let fields =
        |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let named = |names: &str| names.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(fields(&json), named("submitted committed rejected deferred verified_reads records"));
    let totals = ["submitted", "committed", "rejected", "deferred", "verified_reads"];
    assert_eq!(totals.map(|name| json[name].as_u64().unwrap()), [1, 1, 0, 0, 1]);
    let records = json["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(fields(record), named("source resource_type verdict clause tid height"));
    }
    assert_eq!(records[0]["source"], bad.to_str().unwrap());
    assert_eq!(records[0]["verdict"], "unreadable");
    assert_eq!(records[0]["clause"], "REC-02");
    assert!(records[0]["tid"].is_null() && records[0]["height"].is_null());
    assert_eq!(records[1]["resource_type"], "Patient");
    assert_eq!(records[1]["verdict"], "committed");
    assert!(records[1]["clause"].is_null());
    assert_eq!(records[1]["tid"].as_str().unwrap().len(), 64);
    assert_eq!(records[1]["height"], 1);
}

#[test]
fn audit_and_spec_speak_json_too() {
    let audit = bemr(["audit", "--json"]);
    assert_eq!(audit.code, 0, "{}", audit.err);
    assert_eq!(audit.json()["consistent"], true);
    assert_eq!(audit.json()["report"]["committed"], 10);
    assert_eq!(audit.json()["report"]["closed"], true);
    let clause = bemr(["spec", "KEY-03", "--json"]);
    assert_eq!((clause.code, &clause.json()["id"]), (0, &"KEY-03".into()));
    let all = bemr(["spec", "--json"]);
    assert_eq!(all.json().as_array().unwrap().len(), bemr(["spec"]).out.lines().count());
}

#[test]
fn a_clause_is_found_by_id_and_by_name() {
    let by_id = bemr(["spec", "KEY-03"]);
    assert_eq!(by_id.code, 0);
    assert!(by_id.out.contains("KeysHaveOneUse"), "{}", by_id.out);
    assert_eq!(bemr(["spec", "KeysHaveOneUse"]).out, by_id.out);
    let none = bemr(["spec", "NOPE"]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert!(none.err.starts_with("bemr: NOPE: no such clause"), "{}", none.err);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let folder = tempfile::tempdir().unwrap();
    for ledger in ["quorum", "pow"] {
        let go = |seed: &str, name: &str| {
            let trace = folder.path().join(name);
            let arguments = ["--json", "--seed", seed, "--ledger", ledger, "--trace"];
            let ran = run(arguments.map(Path::new).into_iter().chain([trace.as_path()]));
            assert_eq!(ran.code, 0, "{}", ran.err);
            (ran.out, ran.err, std::fs::read_to_string(trace).unwrap())
        };
        let first = go("7", "a");
        assert_eq!(first, go("7", "b"));
        let other = go("8", "c");
        assert_ne!(first.0, other.0);
        assert_ne!(first.2, other.2);
    }
}

#[test]
fn a_trace_is_a_header_and_numbered_steps_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    let start = "2028-02-29T12:00:00+01:00";
    assert_eq!(run([Path::new("--start"), Path::new(start), Path::new("--trace"), &path]).code, 0);
    let Trace { header, steps } = Trace::open(&path).unwrap();
    assert_eq!((header.format.as_str(), header.suite.as_str()), (FORMAT, "tiny"));
    assert_eq!(header.start, 1_835_434_800_000);
    assert!(steps.len() > 100);
    assert!(steps.iter().zip(1..).all(|(step, number)| step.step == number));
    assert!(steps.is_sorted_by_key(|step| step.time));
}

#[test]
fn wrong_arguments_end_with_2_and_say_so_on_standard_error() {
    let wrong: [&[&str]; 11] = [
        &[],
        &["walk"],
        &["run", "--records"],
        &["run", "--suite", "rot13"],
        &["run", "--validators", "0"],
        &["run", "--validators", "257"],
        &["run", "--ledger", "paper"],
        &["run", "--start", "tomorrow"],
        &["run", "--seed", "-1"],
        &["run", "stray.json"],
        &["audit", "--records", "x"],
    ];
    for arguments in wrong {
        let ran = bemr(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
    for right in [["--help"], ["--version"]] {
        let ran = bemr(right);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
}

#[test]
fn a_trace_that_cannot_be_written_ends_the_run_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("no/where"), folder.path().to_owned()] {
        let ran = run([Path::new("--trace"), &path]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.err.starts_with(&format!("bemr: {}: ", path.display())), "{}", ran.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_counts() {
    let ran = run(["--trace", "/dev/full"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("/dev/full: No space left"), "{}", ran.err);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = program().args(["run", "--suite", "tiny"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("bemr: standard output: No space left"), "{err}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [&["run", "--suite", "tiny"][..], &["run", "--suite", "tiny", "--json"], &["spec"]] {
        let mut child =
            program().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let mut deaf =
            program().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((deaf.stdout.take(), deaf.stderr.take()));
        assert_eq!(deaf.wait().unwrap().code(), Some(0));
    }
}
