//! `bemr explore`: one configuration, a mutant, and a search that reaches the memory bound.

use crate::bemr;

#[test]
fn a_configuration_holds_its_properties_in_the_pinned_number_of_states() {
    let ran = bemr(["explore", "smoke", "--configuration", "proof of work", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = ran.json();
    let config = &json["configurations"][0];
    assert_eq!((&config["name"], &config["complete"]), (&"proof of work".into(), &true.into()));
    assert_eq!(config["states"], config["pinned"]);
    assert!(config["states"].as_u64().unwrap() > 0);
    let goals = json["properties"].as_array().unwrap();
    assert!(goals.iter().any(|goal| goal["name"] == "G-CIV" && goal["verdict"] == "holds"));
    assert!(goals.iter().all(|goal| goal["verdict"] != "broken"));
}

#[test]
fn a_mutant_breaks_a_property_and_the_run_is_shown() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let ran =
        bemr(["explore", "smoke", "--configuration", "proof of work", "--without", "LED-08", "--out", out]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let path = format!("{out}/broken-G-CIV-proof-of-work.jsonl");
    assert!(ran.err.contains(&format!("reproduce: bemr replay {path}")), "{}", ran.err);
    let again = bemr(["replay", &path]);
    assert_eq!(again.code, 1, "{}", again.err);
    assert!(again.err.contains("G-CIV is broken"), "{}", again.err);
    let broken = ran.out.lines().skip_while(|line| !line.starts_with("G-CIV     broken"));
    assert!(broken.skip(1).take_while(|line| line.starts_with("          ")).count() > 5, "{}", ran.out);
}

#[test]
fn a_long_search_estimates_its_size_first_and_stops_at_the_memory_bound() {
    let ran = bemr(["explore", "deep", "--configuration", "deep loss", "--memory", "1", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.lines().next().unwrap().contains("estimate"), "{}", ran.err);
    assert!(ran.err.contains("stopped at the memory bound"), "{}", ran.err);
    assert_eq!(ran.json()["configurations"][0]["complete"], false);
}

#[test]
fn a_count_other_than_the_pinned_one_is_a_failure() {
    let ran = bemr(["explore", "ci", "--configuration", "closing", "--memory", "1"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains(" states instead of the pinned "), "{}", ran.err);
}

#[test]
fn an_unknown_configuration_is_answered_with_the_known_ones() {
    let ran = bemr(["explore", "smoke", "--configuration", "nothing"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("handshake"), "{}", ran.err);
}
