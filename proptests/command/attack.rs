//! `bemr attack`: the table, one attack, other rules.

use crate::bemr;
use bemr_lab::trace::Trace;
use std::path::Path;

fn attack<'a>(more: impl IntoIterator<Item = &'a str>) -> crate::Ran {
    bemr(["attack"].into_iter().chain(more).map(Path::new))
}

#[test]
fn every_attack_has_a_row_with_the_property_it_breaks_and_the_clause_that_stops_it() {
    let ran = attack(["--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let rows = ran.json();
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), 39);
    for row in rows {
        let (found, refused_by) = (&row["published"]["found"], &row["hardened"]["refused_by"]);
        assert_eq!(found.as_bool(), Some(refused_by.is_string()), "{row}");
        assert!(row["property"].as_str().is_some_and(|property| property.starts_with("G-")), "{row}");
    }
    let spliced = rows.iter().find(|row| row["id"] == "C-08").expect("C-08");
    assert_eq!(
        (&spliced["hardened"]["refused_by"], &spliced["property"]),
        (&"VOT-03".into(), &"G-CIV".into())
    );
    assert_eq!(spliced["published"]["minimum_capability"], "lying vote");
}

#[test]
fn one_attack_gives_two_replayable_traces_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let words = ["attack", "c-09", "--out"].map(Path::new).into_iter();
    let ran = bemr(words.chain([folder.path(), Path::new("--report"), &page]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("== published: without VOT-02; G-CIV is broken"), "{}", ran.out);
    assert!(ran.out.contains("== hardened: stopped by VOT-02"), "{}", ran.out);
    for (side, code) in [("published", 1), ("hardened", 0)] {
        let path = folder.path().join(format!("C-09-{side}.jsonl"));
        assert!(!Trace::open(&path).unwrap().steps.is_empty());
        let replayed = bemr([Path::new("replay"), &path]);
        assert_eq!(replayed.code, code, "{side}: {}", replayed.err);
    }
    let page = std::fs::read_to_string(page).unwrap();
    let drawn = crate::page(&page);
    let figures = drawn.descendants().filter(|node| node.has_tag_name("figure"));
    assert_eq!(figures.clone().count(), 2);
    for figure in figures {
        let arrows = figure.descendants().filter(|node| node.attribute("class") == Some("arrow")).count();
        assert!(arrows > 0, "an empty figure");
    }
    assert_eq!(drawn.descendants().filter(|node| node.attribute("data-go") == Some("next")).count(), 2);
    crate::is_self_contained(&page);
}

#[test]
fn an_attack_succeeds_only_under_rules_without_its_clause() {
    for (rules, code) in [("published", 1), ("without:VOT-02", 1), ("without:TPL-01", 0), ("hardened", 0)] {
        let ran = attack(["C-09", "--rules", rules, "--json"]);
        assert_eq!(ran.code, code, "{rules}: {}", ran.err);
        assert_eq!(ran.json()[0]["found"], code == 1, "{rules}");
    }
}

#[test]
fn an_unknown_attack_or_rule_is_bad_input() {
    for words in [&["C-99"][..], &["C-09", "--rules", "none"], &["C-13", "--rules", "published"]] {
        let ran = attack(words.iter().copied());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{words:?}");
        assert!(!ran.err.is_empty());
    }
}
