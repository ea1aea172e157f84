//! `bemr mutation-matrix`: verdict on a clause, selection of checkers, bad arguments.

use crate::bemr;

#[test]
fn the_document_names_the_checkers_that_kill_a_mutant() {
    let ran = bemr(["mutation-matrix", "--quick", "--clause", "BLK-07", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = ran.json();
    assert_eq!((&json["clauses"], &json["killed"]), (&1.into(), &1.into()));
    let row = &json["rows"][0];
    assert_eq!((&row["clause"], &row["name"]), (&"BLK-07".into(), &"OneBlockPerTid".into()));
    for checker in ["traces", "unit"] {
        assert_eq!(row["checkers"][checker]["verdict"], "noticed", "{checker}");
        assert!(row["checkers"][checker]["cases"].as_u64().unwrap() > 0);
    }
    assert_eq!(json["false_alarms"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_broken_property_is_named() {
    let ran = bemr(["mutation-matrix", "--checker", "search", "--clause", "HSK-08"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("HSK-08  G-FRE"), "{}", ran.out);
}

#[test]
fn a_surviving_mutant_is_a_failure() {
    // No security property depends on the bound of memory.
    let ran = bemr(["mutation-matrix", "--checker", "runs", "--clause", "ENC-04"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.starts_with("ENC-04  SURVIVED"), "{}", ran.out);
}

#[test]
fn bad_arguments_are_reported_in_one_line() {
    for (arguments, message) in [
        (["mutation-matrix", "--clause", "NOPE-01"], "no such clause"),
        (["mutation-matrix", "--checker", "nobody"], "search, runs, lockstep, traces, unit"),
    ] {
        let ran = bemr(arguments);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(message), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
}
