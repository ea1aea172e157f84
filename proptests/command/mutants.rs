//! `bemr kill-matrix`: what it says of a clause, of who looks, and of what it cannot use.

use crate::bemr;

#[test]
fn a_clause_is_killed_and_the_document_says_by_whom() {
    let ran = bemr(["kill-matrix", "--quick", "--clause", "BLK-07", "--json"]);
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
fn a_goal_is_named_where_one_breaks() {
    let ran = bemr(["kill-matrix", "--checker", "search", "--clause", "HSK-08"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("HSK-08  G-FRE"), "{}", ran.out);
}

#[test]
fn a_clause_that_the_checkers_asked_do_not_notice_is_red() {
    // No goal speaks of memory.
    let ran = bemr(["kill-matrix", "--checker", "lives", "--clause", "ENC-04"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.starts_with("ENC-04  ALIVE"), "{}", ran.out);
}

#[test]
fn what_cannot_be_used_is_said_in_one_line() {
    for (arguments, said) in [
        (["kill-matrix", "--clause", "NOPE-01"], "no such clause"),
        (["kill-matrix", "--checker", "nobody"], "search, lives, lockstep, traces, unit"),
    ] {
        let ran = bemr(arguments);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(said), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
}
