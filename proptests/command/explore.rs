//! `bemr explore`: what it says of a part, of a mutant, and of a search that is too large.

use crate::bemr;

#[test]
fn a_part_holds_its_goals_in_the_pinned_number_of_states() {
    let ran = bemr(["explore", "smoke", "--part", "proof of work", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = ran.json();
    let part = &json["parts"][0];
    assert_eq!((&part["name"], &part["complete"]), (&"proof of work".into(), &true.into()));
    assert_eq!(part["states"], part["pinned"]);
    assert!(part["states"].as_u64().unwrap() > 0);
    let goals = json["goals"].as_array().unwrap();
    assert!(goals.iter().any(|goal| goal["name"] == "G-CIV" && goal["verdict"] == "holds"));
    assert!(goals.iter().all(|goal| goal["verdict"] != "broken"));
}

#[test]
fn a_mutant_is_broken_and_the_run_is_shown() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let ran = bemr(["explore", "smoke", "--part", "proof of work", "--without", "LED-08", "--out", out]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let path = format!("{out}/broken-G-CIV-proof-of-work.jsonl");
    assert!(ran.err.contains(&format!("again: bemr replay {path}")), "{}", ran.err);
    let again = bemr(["replay", &path]);
    assert_eq!(again.code, 1, "{}", again.err);
    assert!(again.err.contains("G-CIV is broken"), "{}", again.err);
    let broken = ran.out.lines().skip_while(|line| !line.starts_with("G-CIV   broken"));
    assert!(broken.skip(1).take_while(|line| line.starts_with("        ")).count() > 5, "{}", ran.out);
}

#[test]
fn a_long_search_guesses_its_size_first_and_stops_at_the_bound_of_memory() {
    let ran = bemr(["explore", "deep", "--part", "deep loss", "--memory", "1", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.lines().next().unwrap().contains("estimate"), "{}", ran.err);
    assert!(ran.err.contains("stopped at the bound of memory"), "{}", ran.err);
    assert_eq!(ran.json()["parts"][0]["complete"], false);
}

#[test]
fn a_count_that_is_not_the_pinned_one_is_found() {
    let ran = bemr(["explore", "ci", "--part", "closing", "--memory", "1"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains(" states, and there have to be "), "{}", ran.err);
}

#[test]
fn an_unknown_part_is_answered_with_those_that_there_are() {
    let ran = bemr(["explore", "smoke", "--part", "nothing"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("handshake"), "{}", ran.err);
}
