//! Former names of commands and options: accepted, and absent from the help texts.

use crate::{Ran, bemr};

fn same(former: &[&str], current: &[&str]) -> Ran {
    let (former, current) = (bemr(former), bemr(current));
    assert_eq!((former.code, former.out), (current.code, current.out.clone()), "{}", former.err);
    current
}

#[test]
fn former_names_do_what_the_current_names_do() {
    let adversary = ["check", "--adversary", "sleepers", "--json"];
    let runs =
        same(&[&adversary[..], &["--lives", "2"]].concat(), &[&adversary[..], &["--runs", "2"]].concat());
    assert_eq!(runs.json()["lockstep"]["runs"], 2);
    let matrix = same(
        &["kill-matrix", "--checker", "lives", "--clause", "ENC-04"],
        &["mutation-matrix", "--checker", "runs", "--clause", "ENC-04"],
    );
    assert!(matrix.out.starts_with("ENC-04"), "{}", matrix.out);
    let thresholds = same(
        &["attack", "--cliff", "--validators", "1", "--json"],
        &["attack", "--thresholds", "--validators", "1", "--json"],
    );
    assert!(thresholds.json().as_array().is_some_and(|cells| !cells.is_empty()));
    let part = bemr(["explore", "smoke", "--part", "proof of work", "--json"]).json();
    let named = bemr(["explore", "smoke", "--configuration", "proof of work", "--json"]).json();
    let states = |report: &serde_json::Value| report["configurations"][0]["states"].as_u64();
    assert!(states(&part).is_some_and(|count| count > 0));
    assert_eq!(states(&part), states(&named));
    // The search itself takes minutes; the conflict shows which option was understood.
    let powers = bemr(["attack", "--powers", "C-09"]);
    assert_eq!(powers.code, 2);
    assert!(powers.err.contains("--capabilities"), "{}", powers.err);
}

#[test]
fn help_shows_the_current_names_only() {
    for (arguments, former, current) in [
        (&["--help"][..], "kill-matrix", "mutation-matrix"),
        (&["check", "--help"], "--lives", "--runs"),
        (&["attack", "--help"], "--cliff", "--thresholds"),
        (&["attack", "--help"], "--powers", "--capabilities"),
        (&["explore", "--help"], "--part", "--configuration"),
    ] {
        let help = bemr(arguments).out;
        assert!(help.contains(current) && !help.contains(former), "{arguments:?}: {help}");
    }
}
