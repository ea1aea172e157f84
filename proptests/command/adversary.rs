//! `bemr adversary`, and `bemr check --adversary`.

use crate::{bemr, run};
use std::fs;
use std::path::Path;

#[test]
fn every_named_adversary_is_listed_with_its_capability_and_its_fault_rules() {
    let listed = bemr(["adversary", "--json"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    let rows = listed.json();
    let rows = rows.as_array().expect("a list");
    assert!(rows.len() >= 25, "{}", rows.len());
    for row in rows {
        let name = row["name"].as_str().expect("a name");
        assert!(row["fault_rules"].as_array().is_some_and(|rules| !rules.is_empty()), "{name}");
        let one = bemr(["adversary", name, "--json"]);
        assert_eq!((one.code, &one.json()), (0, row), "{name}");
    }
    let described = bemr(["adversary", "sleepers", "--validators", "7"]);
    assert_eq!(described.code, 0, "{}", described.err);
    assert!(described.out.contains("contradict: validator 5, after 2 times"), "{}", described.out);
    assert!(described.out.contains("minimum capability: lying majority"), "{}", described.out);
}

#[test]
fn fault_rules_are_read_from_a_file_or_refused_with_the_rule_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adversary.json");
    let asked = |text: &str| {
        fs::write(&path, text).unwrap();
        bemr([Path::new("adversary"), &path])
    };
    let written = bemr(["adversary", "equivocators", "--json"]).json()["fault_rules"].to_string();
    assert_eq!(asked(&written).code, 0);
    for (text, reason) in [
        ("[", "EOF"),
        ("[] []", "trailing characters"),
        (r#"[{"kind":"dance","scope":"everything"}]"#, "[0].kind: unknown variant `dance`"),
        (r#"[{"kind":"drop","scope":"everything","mood":1}]"#, "unknown field `mood`"),
        (
            r#"[{"kind":"drop","scope":"everything"},{"kind":"drop","scope":"everything"}]"#,
            "[1]: it is said twice, and so says [0]",
        ),
        (r#"[{"kind":"certify","scope":{"node":"bsd"}}]"#, "[0]: bsd cannot certify"),
        ("[]", "no fault rule"),
        (r#"[{"kind":"drop","scope":{"node":{"validator":255}}}]"#, "[0]: the setup has no validator 255"),
        (r#"[{"kind":"drop","scope":{"node":{"user":99}}}]"#, "[0]: the setup has no user 99"),
        (
            r#"[{"kind":{"delay":{"by":18446744073709551615}},"scope":"everything"}]"#,
            "[0]: by: a delay is 1 to 31536000000 ms",
        ),
        (r#"[{"kind":{"delay":{"by":0}},"scope":"everything"}]"#, "[0]: by: a delay is 1 to 31536000000 ms"),
    ] {
        let ran = asked(text);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}");
        assert!(ran.err.contains(&path.display().to_string()) && ran.err.contains(reason), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    let nobody = bemr(["adversary", "nobody-knows-me"]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("neither a named adversary nor a file"), "{}", nobody.err);
}

#[test]
fn a_run_under_an_adversary_shows_what_it_does_to_the_sample() {
    let quiet = run(["--json"]);
    let rows = |ran: &crate::Ran| ran.json()["records"].as_array().expect("rows").clone();
    let committed = |ran: &crate::Ran| rows(ran).iter().filter(|row| row["verdict"] == "committed").count();
    assert!(committed(&quiet) >= 5, "{}", quiet.out);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adversary.json");
    let under = |rules: &str| {
        fs::write(&path, rules).unwrap();
        run([Path::new("--json"), Path::new("--adversary"), &path])
    };
    let hole = under(r#"[{"kind":"silence","scope":{"node":"bsd"}}]"#);
    assert_eq!(committed(&hole), 0, "nothing that the server database sends arrives");
    assert!(hole.err.contains("adversary: silence: bsd: "), "{}", hole.err);
    let twice = under(r#"[{"kind":"duplicate","scope":"everything"}]"#);
    assert_eq!(committed(&twice), committed(&quiet));
    let late = under(r#"[{"kind":{"delay":{"by":2000}},"scope":"everything","budget":3}]"#);
    assert!(late.err.contains(": 3 times"), "{}", late.err);
    let liar = under(r#"[{"kind":"contradict","scope":{"node":{"validator":0}}}]"#);
    assert_eq!(committed(&liar), committed(&quiet), "one of four changes nothing");
    for other in [r#"[{"kind":"leak","scope":{"node":"bsd"}}]"#, "[]"] {
        let refused = under(other);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{}", refused.err);
    }
    let same =
        [0, 1].map(|_| under(r#"[{"kind":"drop","scope":"everything","trigger":{"thousandths":50}}]"#));
    assert_eq!((&same[0].out, &same[0].err), (&same[1].out, &same[1].err), "the same seed, the same bytes");
}

#[test]
fn random_runs_are_executed_under_one_adversary() {
    let ran = bemr(["check", "--adversary", "strategists", "--runs", "12", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lockstep = &ran.json()["lockstep"];
    assert_eq!((&lockstep["runs"], &lockstep["divergences"]), (&12.into(), &0.into()));
    assert!(lockstep["steps"].as_u64().is_some_and(|steps| steps > 1_000), "{lockstep}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.json");
    fs::write(&path, r#"[{"kind":"crash","scope":{"node":{"validator":9}}}]"#).unwrap();
    let ran =
        bemr([Path::new("check"), Path::new("--adversary"), &path, Path::new("--runs"), Path::new("3")]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("[0]: the setup has no validator 9"), "{}", ran.err);
}
