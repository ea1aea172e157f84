//! `bemr adversary`, and `bemr check --adversary`.

use crate::bemr;
use std::fs;
use std::path::Path;

#[test]
fn every_named_adversary_is_listed_with_its_power_and_its_ploys() {
    let listed = bemr(["adversary", "--json"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    let rows = listed.json();
    let rows = rows.as_array().expect("a list");
    assert!(rows.len() >= 25, "{}", rows.len());
    for row in rows {
        let name = row["name"].as_str().expect("a name");
        assert!(row["ploys"].as_array().is_some_and(|ploys| !ploys.is_empty()), "{name}");
        let one = bemr(["adversary", name, "--json"]);
        assert_eq!((one.code, &one.json()), (0, row), "{name}");
    }
    let told = bemr(["adversary", "sleepers", "--validators", "7"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("contradict: validator 5, after 2 times"), "{}", told.out);
    assert!(told.out.contains("minimum power: lying majority"), "{}", told.out);
}

#[test]
fn what_an_adversary_is_told_to_do_is_read_from_a_file_or_refused_with_the_ploy_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adversary.json");
    let asked = |text: &str| {
        fs::write(&path, text).unwrap();
        bemr([Path::new("adversary"), &path])
    };
    let written = bemr(["adversary", "equivocators", "--json"]).json()["ploys"].to_string();
    assert_eq!(asked(&written).code, 0);
    for (text, reason) in [
        ("[", "EOF"),
        ("[] []", "trailing characters"),
        (r#"[{"behaviour":"dance","target":"everything"}]"#, "[0].behaviour: unknown variant `dance`"),
        (r#"[{"behaviour":"drop","target":"everything","mood":1}]"#, "unknown field `mood`"),
        (
            r#"[{"behaviour":"drop","target":"everything"},{"behaviour":"drop","target":"everything"}]"#,
            "[1]: it is said twice, and so says [0]",
        ),
        (r#"[{"behaviour":"certify","target":{"node":"bsd"}}]"#, "[0]: bsd cannot certify"),
    ] {
        let ran = asked(text);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}");
        assert!(ran.err.contains(&path.display().to_string()) && ran.err.contains(reason), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    let nobody = bemr(["adversary", "nobody-knows-me"]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("no adversary has this name, and no file"), "{}", nobody.err);
}

#[test]
fn lives_are_lived_under_one_adversary() {
    let ran = bemr(["check", "--adversary", "strategists", "--lives", "12", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lockstep = &ran.json()["lockstep"];
    assert_eq!((&lockstep["traces"], &lockstep["divergences"]), (&12.into(), &0.into()));
    assert!(lockstep["steps"].as_u64().is_some_and(|steps| steps > 1_000), "{lockstep}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.json");
    fs::write(&path, r#"[{"behaviour":"crash","target":{"node":{"validator":9}}}]"#).unwrap();
    let ran =
        bemr([Path::new("check"), Path::new("--adversary"), &path, Path::new("--lives"), Path::new("3")]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("[0]: the setup has no validator 9"), "{}", ran.err);
}
