//! What exhaustive search of the model shows, and that it would see what it has to see.

use bemr::explore::{PartReport, SCOPES, Scope, TERMINATION, search, search_for};
use bemr_spec::model::GOALS;
use bemr_spec::{Clause, Rules};

fn scope(name: &str) -> &'static Scope {
    SCOPES.iter().find(|scope| scope.name == name).expect("a scope of this name")
}

/// Searches every part of a scope to its end; the counts are the pinned ones and no goal is broken.
fn searched(scope: &Scope) -> Vec<PartReport> {
    let mut counts = Vec::new();
    let mut reports = Vec::new();
    for part in scope.parts {
        let report = search(part.under(Rules::hardened()), 2, |_| true);
        println!("{}: {} states, {} deep", part.name, report.states, report.depth);
        assert!(report.complete, "{}", part.name);
        for goal in &report.goals {
            assert!(goal.broken.is_none(), "{} is broken in {}: {:?}", goal.name, part.name, goal.broken);
        }
        counts.push((part.name, part.states, report.states));
        reports.push(report);
    }
    let other: Vec<_> = counts.iter().filter(|(_, pinned, states)| *pinned != Some(*states)).collect();
    assert!(other.is_empty(), "part, pinned, counted: {other:?}");
    reports
}

fn names() -> impl Iterator<Item = &'static str> {
    GOALS.iter().map(|goal| goal.name).chain([TERMINATION])
}

#[test]
fn smoke_has_the_pinned_states_and_keeps_every_goal_and_each_of_them_happens() {
    let reports = searched(scope("smoke"));
    for goal in names() {
        let of_goal = || reports.iter().flat_map(|report| &report.goals).filter(|one| one.name == goal);
        assert!(of_goal().any(|one| one.checked), "{goal} is checked nowhere");
        let happens = goal == TERMINATION || of_goal().any(|one| one.witness.is_some());
        assert!(happens, "{goal}: what it speaks of never happens");
    }
}

#[test]
#[ignore = "minutes: `bemr explore ci` asserts the same"]
fn ci_has_the_pinned_states_and_keeps_every_goal() {
    let states: usize = searched(scope("ci")).iter().map(|report| report.states).sum();
    assert!(states >= 5_000_000, "{states}");
}

#[test]
fn ci_is_pinned_at_five_million_states_or_more() {
    let pinned: Vec<usize> = scope("ci").parts.iter().filter_map(|part| part.states).collect();
    assert_eq!(pinned.len(), scope("ci").parts.len());
    assert!(pinned.iter().sum::<usize>() >= 5_000_000, "{pinned:?}");
}

#[test]
fn every_goal_has_a_mutant_that_its_part_notices() {
    let mut noticed: Vec<(Clause, &str)> = Vec::new();
    for part in scope("ci").parts {
        for (clause, goal) in part.notices {
            assert!(part.goals.contains(goal), "{} does not check {goal}", part.name);
            let (found, states) = search_for(part.under(Rules::hardened().without(*clause)), goal, 2);
            let run =
                found.unwrap_or_else(|| panic!("{}: {goal} survives without {}", part.name, clause.id()));
            println!(
                "{}: {goal} without {}: {} steps, {states} states visited",
                part.name,
                clause.id(),
                run.steps.len()
            );
            assert!(!run.steps.is_empty());
            noticed.push((*clause, goal));
        }
    }
    for goal in names() {
        assert!(noticed.iter().any(|(_, broken)| *broken == goal), "no mutant breaks {goal}");
    }
    for goal in GOALS {
        for clause in goal.needs {
            assert!(noticed.contains(&(*clause, goal.name)), "{} needs {}", goal.name, clause.id());
        }
    }
}

#[test]
fn parcels_that_nobody_hears_change_no_verdict() {
    let part = scope("smoke").parts.iter().find(|part| part.name == "proof of work").unwrap();
    for rules in [Rules::hardened(), Rules::hardened().without(Clause::ConfirmationsReached)] {
        let verdicts = |report: &PartReport| -> Vec<_> {
            let of_goal = |one: &bemr::explore::GoalReport| {
                (one.name, one.checked, one.broken.is_some(), one.witness.is_some())
            };
            report.goals.iter().map(of_goal).collect()
        };
        let reduced = search(part.under(rules), 2, |_| true);
        let whole = search(part.under(rules).unreduced(), 2, |_| true);
        println!("{} states of {}", reduced.states, whole.states);
        assert!(reduced.states < whole.states);
        assert_eq!(verdicts(&reduced), verdicts(&whole));
    }
}

#[test]
fn a_search_that_is_told_to_stop_stops_and_says_so() {
    let part = scope("ci").parts.iter().find(|part| part.name == "lying validator").unwrap();
    let report = search(part.under(Rules::hardened()), 2, |progress| progress.states < 1_000);
    assert!(!report.complete);
    assert!(report.states >= 1_000 && Some(report.states) < part.states, "{}", report.states);
}
