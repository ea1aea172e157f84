//! The report of a fuzzing campaign.

use bemr_lab::fuzz_report::{CanaryRow, FUZZ_FORMAT, FuzzReport, MAX_REPORT, TargetRow};
use bemr_spec::Clause;

fn report(canaries: &[(&str, bool)]) -> FuzzReport {
    let row = |(name, found): &(&str, bool)| CanaryRow {
        name: (*name).to_owned(),
        target: "proofs".to_owned(),
        what: "It is wrong.".to_owned(),
        found: *found,
        executions: 7,
        seconds: 0.5,
    };
    let target = TargetRow { name: "proofs".to_owned(), executions: 9, seconds: 1.0, kept: 1, found: None };
    FuzzReport {
        format: FUZZ_FORMAT.to_owned(),
        commit: "0".repeat(40),
        toolchain: "rustc".to_owned(),
        engine: "stable".to_owned(),
        corpus: "committed".to_owned(),
        targets: vec![target],
        clauses: vec![Clause::ALL[0]],
        canaries: canaries.iter().map(row).collect(),
    }
}

#[test]
fn a_report_is_read_as_it_was_written_and_nothing_else_is() {
    let written = serde_json::to_string(&report(&[("a", true)])).expect("a report is JSON");
    assert_eq!(FuzzReport::read(written.as_bytes()), Ok(report(&[("a", true)])));
    for (from, to) in [
        ("bemr-fuzz/1", "bemr-fuzz/0"),
        ("\"seconds\":0.5", "\"seconds\":-1"),
        ("\"seconds\":0.5", "\"seconds\":1e300"),
        ("\"kept\":1", "\"kept\":1,\"more\":1"),
        ("\"kept\":1,", ""),
        ("stable", "sta\\nble"),
        ("\"clauses\":[", "\"clauses\":[\"ABC-01\","),
    ] {
        assert!(written.contains(from), "{from}");
        let error = FuzzReport::read(written.replacen(from, to, 1).as_bytes()).expect_err(to);
        assert!(!error.contains('\n'), "{error}");
    }
    assert!(FuzzReport::read(&vec![b' '; MAX_REPORT + 1]).is_err());
}

#[test]
fn a_campaign_that_missed_a_planted_bug_has_shown_nothing() {
    assert_eq!(report(&[("a", true), ("b", true)]).uninformative(), None);
    let missed = report(&[("a", true), ("b", false)]).uninformative();
    assert_eq!(missed.as_deref(), Some("planted bugs were not found: b"));
    let unplanted = report(&[]).uninformative();
    assert_eq!(unplanted.as_deref(), Some("no bug was planted for: proofs"));
    let none = FuzzReport { targets: Vec::new(), ..report(&[]) };
    assert_eq!(none.uninformative().as_deref(), Some("no target was run"));
    let mut idle = report(&[("a", true)]);
    idle.targets[0].executions = 0;
    assert_eq!(idle.uninformative().as_deref(), Some("nothing was executed of: proofs"));
}
