//! The kill matrix: what is published is what the checkers say, and nothing of it is out of date.
//!
//! The long checkers are not run here: what they found is kept as one trace for each clause, and these are run again.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr_lab::mutation::unit::doors;
use bemr_lab::mutation::{CHECKERS, Corpus, DEFENCE, Kind, Mutant, Published, render, run};
use bemr_spec::{Clause, Rules};
use std::path::{Path, PathBuf};

const RULES: Rules = Rules::hardened();

/// Of all mutants, at least these many are noticed by checkers of two families: nine of ten.
const BY_TWO: usize = 136;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn shelf() -> Corpus {
    Corpus::read(&root()).unwrap_or_else(|error| panic!("{error}"))
}

fn read(name: &str) -> String {
    let path = root().join("spec/generated").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn published() -> Published {
    serde_json::from_str(&read("mutation-matrix.json")).unwrap()
}

/// What to do about a matrix that is out of date.
const AGAIN: &str = "again: cargo run --release -- mutation-matrix --write";

#[test]
fn each_input_is_refused_by_its_clause_and_the_mutant_of_the_clause_answers_otherwise() {
    let doors = doors();
    let mut wrong = Vec::new();
    for door in &doors {
        if let Err(answered) = door.knock(&RULES) {
            wrong.push(format!("{}: {}: {answered}", door.clause().id(), door.name()));
        } else if door.knock(&RULES.without(door.clause())).is_ok() {
            wrong.push(format!("{}: {}: the mutant answers the same", door.clause().id(), door.name()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let without = Clause::ALL.into_iter().filter(|clause| doors.iter().all(|door| door.clause() != *clause));
    assert_eq!(without.collect::<Vec<_>>(), []);
    println!("{} inputs", doors.len());
    assert!(doors.len() >= 280);
}

#[test]
fn each_killer_goes_as_it_tells_but_without_its_clause() {
    let shelf = shelf();
    let mut count = 0;
    for killer in shelf.killers() {
        assert!(killer.kills(), "{}: {AGAIN}", killer.clause().id());
        count += 1;
    }
    assert!(count >= BY_TWO, "{count}");
}

#[test]
fn the_published_matrix_is_of_these_clauses_and_killers_and_what_the_quick_checkers_say() {
    let (published, mut shelf) = (published(), shelf());
    let rows = published.rows.iter().map(|row| (row.clause, row.name.as_str()));
    assert!(rows.eq(Clause::ALL.into_iter().map(|clause| (clause, clause.name()))), "{AGAIN}");
    assert_eq!(published.killers, shelf.digest(), "{AGAIN}");
    let quick = CHECKERS.iter().filter(|checker| checker.quick);
    let again = run(quick, &Clause::ALL, &mut shelf, |_| ());
    assert_eq!(again.false_alarms, []);
    let mut compared = 0;
    for (row, again) in published.rows.iter().zip(&again.rows) {
        for (kind, finding) in &again.findings {
            assert_eq!(row.checkers.get(kind), Some(finding), "{} {}: {AGAIN}", row.clause.id(), kind.name());
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * Clause::ALL.len());
}

#[test]
fn the_published_table_is_the_published_document() {
    assert_eq!(read("mutation-matrix.md"), render(&published()), "{AGAIN}");
    assert_eq!(read("mutation-matrix.json"), published().to_json(), "{AGAIN}");
}

#[test]
fn every_mutant_is_killed_and_nine_of_ten_by_two_families() {
    let published = published();
    assert!(published.is_sound(), "{}", published.totals());
    let by_two = |row: &&bemr_lab::mutation::Entry| {
        let noticed = row.checkers.iter().filter(|(_, finding)| finding.notice().is_some());
        let mut families: Vec<_> = noticed.map(|(kind, _)| kind.family()).collect();
        families.dedup();
        families.len() > 1
    };
    let counted = published.rows.iter().filter(by_two).count();
    assert_eq!(counted, published.by_two);
    assert!(counted >= BY_TWO, "{counted} of at least {BY_TWO}");
}

#[test]
fn what_breaks_no_goal_has_a_reason_and_nothing_else_has() {
    let needed: Vec<Clause> =
        published().rows.iter().filter(|row| row.goal.is_none()).map(|row| row.clause).collect();
    let given: Vec<Clause> = DEFENCE.iter().map(|(clause, _)| *clause).collect();
    let missing: Vec<&Clause> = needed.iter().filter(|clause| !given.contains(clause)).collect();
    let superfluous: Vec<&Clause> = given.iter().filter(|clause| !needed.contains(clause)).collect();
    assert_eq!((missing, superfluous), (vec![], vec![]));
    assert_eq!(given, needed, "in the order of the register, each once");
    for row in published().rows {
        let reason = DEFENCE.iter().find(|(clause, _)| *clause == row.clause).map(|(_, why)| *why);
        assert_eq!(row.reason.as_deref(), reason, "{}: {AGAIN}", row.clause.id());
    }
    // A clause that a reason leans on is one.
    for (clause, why) in DEFENCE {
        let words = why.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        for word in words.filter(|word| word.len() == 6 && word.as_bytes()[3] == b'-') {
            let named = Clause::find(word).unwrap_or_else(|| panic!("{}: {word}", clause.id()));
            assert_ne!(named, *clause, "{} leans on itself", clause.id());
        }
    }
}

#[test]
fn a_goal_that_breaks_is_one_and_is_said_by_who_looks_at_goals() {
    let mut goals = std::collections::BTreeSet::new();
    for row in published().rows {
        for (kind, finding) in &row.checkers {
            let goal = finding.notice().and_then(|notice| notice.goal.clone());
            assert_eq!(
                goal.is_some(),
                finding.notice().is_some() && matches!(kind, Kind::Search | Kind::Runs | Kind::Attack)
            );
            goals.extend(goal);
        }
    }
    let known = bemr_model::GOALS.iter().chain(bemr_model::SHOWN).map(|goal| goal.name);
    let known: std::collections::BTreeSet<&str> = known.chain([bemr_lab::explore::TERMINATION]).collect();
    assert!(goals.iter().all(|goal| known.contains(goal.as_str())), "{goals:?}");
    assert_eq!(goals.len(), known.len(), "each goal has a clause without which it breaks: {goals:?}");
}

#[test]
fn the_checkers_are_one_of_each_kind_and_see_nothing_where_nothing_is_missing() {
    let mut kinds: Vec<Kind> = CHECKERS.iter().map(|checker| checker.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), CHECKERS.len());
    let shelf = shelf();
    for checker in CHECKERS.iter().filter(|checker| checker.quick) {
        let finding = (checker.look)(Mutant(None), &shelf);
        assert!(finding.notice().is_none(), "{}: {finding:?}", checker.kind.name());
    }
}
