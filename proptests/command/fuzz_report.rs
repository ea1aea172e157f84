//! `bemr fuzz-report`: an informative campaign, one that missed a planted bug, and a file that is no report.

use crate::{Ran, bemr};
use std::path::Path;

/// A campaign of one target and one planted bug.
fn report(found: bool, fault: &str) -> String {
    let target = format!(r#"{{"name":"proofs","executions":900,"seconds":2.0,"kept":4,"found":{fault}}}"#);
    let canary = format!(
        r#"{{"name":"fork-passes","target":"proofs","what":"A root is not compared.","found":{found},"executions":70,"seconds":0.5}}"#
    );
    format!(
        r#"{{"format":"bemr-fuzz/1","commit":"0123","toolchain":"rustc 1","engine":"a test","corpus":"committed","targets":[{target}],"clauses":["CLD-01","CLD-02"],"canaries":[{canary}]}}"#
    )
}

fn shown(text: &str, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    std::fs::write(&path, text).unwrap();
    bemr([&["fuzz-report", path.to_str().unwrap()], arguments].concat())
}

#[test]
fn a_campaign_that_found_only_the_planted_bugs_is_informative() {
    let ran = shown(&report(true, "null"), &["--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = ran.json();
    assert_eq!((&json["informative"], &json["clauses_reached"]), (&true.into(), &2.into()));
    assert!(json["clauses"].as_u64().unwrap() > 100, "all clauses are counted: {json}");
    let ran = shown(&report(true, "null"), &[]);
    assert_eq!((ran.code, ran.out.contains("450  ")), (0, true), "executions a second: {}", ran.out);
    assert!(ran.out.trim_end().ends_with("informative: all 1 planted bugs were found"), "{}", ran.out);
}

#[test]
fn a_campaign_that_missed_a_planted_bug_is_uninformative() {
    let ran = shown(&report(false, "null"), &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("UNINFORMATIVE: planted bugs were not found: fork-passes"), "{}", ran.out);
    let json = shown(&report(false, "null"), &["--json"]).json();
    assert_eq!(json["informative"], false);
}

#[test]
fn a_fault_is_a_failure() {
    let ran = shown(&report(true, r#""a proof of nothing verifies""#), &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("a proof of nothing verifies"), "{}", ran.out);
}

#[test]
fn a_file_that_is_no_report_is_answered_with_file_and_field() {
    for (text, field) in [
        (report(true, "null").replace("\"kept\":4", "\"kept\":-4"), "targets[0].kept"),
        (report(true, "null").replace("CLD-01", "CLD-99"), "clauses[0]"),
        (report(true, "null").replace("fuzz/1", "fuzz/9"), "format"),
        ("{".to_owned(), "line 1"),
    ] {
        let ran = shown(&text, &["--json"]);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (2, "", 1), "{}", ran.err);
        assert!(ran.err.contains("report.json: ") && ran.err.contains(field), "{field}: {}", ran.err);
    }
    let ran = bemr(["fuzz-report", Path::new("nowhere.json").to_str().unwrap()]);
    assert_eq!((ran.code, ran.err.starts_with("bemr: nowhere.json: ")), (2, true), "{}", ran.err);
}
