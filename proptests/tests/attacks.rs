//! Every row of chapter 18 is carried out or explained, by its own adversary, on the protocol as the paper has it; and what stops it is what
//! the chapter says.

use bemr_lab::attacks::{
    Attack, CATALOGUE, How, Outcome, Pair, TABLE, WEAKNESSES, Weakness, limited, markdown, outcome,
    weaknesses_as_markdown,
};
use bemr_lab::faults::Capability;
use bemr_lab::forge::FLAWS;
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_model::{GOALS, SHOWN};
use bemr_spec::{Clause, Rules};
use std::path::Path;
use std::sync::LazyLock;

static OUTCOMES: LazyLock<Vec<Outcome>> = LazyLock::new(|| CATALOGUE.iter().map(outcome).collect());

const CHAPTER: &str = include_str!("../../spec/chapters/18-attacks.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the project")
}

fn pairs() -> impl Iterator<Item = (&'static Attack, &'static Pair)> {
    let of = |(attack, outcome): (&'static Attack, &'static Outcome)| Some((attack, outcome.pair.as_ref()?));
    CATALOGUE.iter().zip(OUTCOMES.iter()).filter_map(of)
}

#[test]
fn every_row_of_the_chapter_is_in_the_catalogue_in_its_order() {
    let row = |line: &'static str| line.strip_prefix("| C-")?.split_once(" |").map(|(id, _)| id);
    let chapter: Vec<String> = CHAPTER.lines().filter_map(row).map(|id| format!("C-{id}")).collect();
    let catalogue: Vec<&str> = CATALOGUE.iter().map(|attack| attack.id).collect();
    assert_eq!(chapter, catalogue);
    assert_eq!(catalogue.len(), 39);
}

#[test]
fn what_an_attack_lacks_and_what_stops_it_are_clauses_that_the_chapter_names_for_it() {
    for (attack, outcome) in CATALOGUE.iter().zip(OUTCOMES.iter()) {
        let lacking = match attack.how {
            How::Searched { without, .. } => without,
            How::Computed { .. } => &[],
        };
        let stopped = outcome.row.hardened.refused_by.and_then(Clause::find);
        for clause in lacking.iter().copied().chain(stopped) {
            assert!(clause.stops().contains(&attack.id), "{} does not name {}", attack.id, clause.id());
        }
    }
}

#[test]
fn every_attack_is_carried_out_and_stopped() {
    for (attack, outcome) in CATALOGUE.iter().zip(OUTCOMES.iter()) {
        println!("{} {}", attack.id, outcome.line());
        assert!(outcome.row.published.found, "{}", attack.id);
        assert!(outcome.row.published.implementation, "{}: {:?}", attack.id, outcome.row.note);
        assert!(outcome.row.hardened.refused_by.is_some(), "{}", attack.id);
    }
}

#[test]
fn a_told_attack_breaks_its_goal_at_its_last_step_on_both_sides() {
    for (attack, pair) in pairs() {
        let trace = Trace::read(&pair.published.trace.to_bytes()[..]).expect("a trace");
        match rerun(&trace) {
            // It ought to have ended; nothing that is done breaks it.
            Replay::Agrees { both: true, .. } => assert_eq!(attack.goal(), "G-TER", "{}", attack.id),
            Replay::Diverges { step, difference } => {
                assert_eq!(step, trace.steps.len() as u64, "{}: {difference}", attack.id);
                assert!(difference.ends_with(" is broken"), "{}: {difference}", attack.id);
            }
            other => panic!("{}: {other:?}", attack.id),
        }
    }
}

#[test]
fn the_same_steps_under_every_clause_break_nothing_on_either_side() {
    for (attack, pair) in pairs() {
        let trace = Trace::read(&pair.hardened.trace.to_bytes()[..]).expect("a trace");
        assert!(trace.header.rules.is_empty());
        let again = rerun(&trace);
        assert!(matches!(again, Replay::Agrees { both: true, .. }), "{}: {again:?}", attack.id);
    }
}

#[test]
fn under_every_clause_the_same_adversary_finds_nothing_in_the_same_scene() {
    for (attack, pair) in pairs() {
        // Termination is not claimed where the time is too short for it, nor when nobody is left to answer.
        let found = attack.weakest(Rules::hardened());
        assert!(
            found.is_none(),
            "{} by {:?}: {:?}",
            attack.id,
            pair.power,
            found.map(|(power, _, run, _)| (power, run))
        );
    }
}

#[test]
fn the_published_protocol_as_a_whole_has_the_attacks_but_for_those_that_need_another_to_fail() {
    // It waits for ever (C-10), and so never goes on without an answer.
    const EXCLUDED: &[&str] = &["C-11"];
    let missing: Vec<&str> =
        pairs().filter(|(_, pair)| pair.in_the_whole.is_none()).map(|(attack, _)| attack.id).collect();
    assert_eq!(missing, EXCLUDED);
}

#[test]
fn a_weaker_adversary_has_less_of_a_scene() {
    for attack in CATALOGUE {
        let How::Searched { part, .. } = attack.how else { continue };
        let mut before = None;
        for power in Capability::ALL {
            let Some(limited) = limited(power, part) else { continue };
            if let Some(before) = before.replace(limited) {
                let (less, more) = (before.budget, limited.budget);
                assert!(before.insiders.len() <= limited.insiders.len());
                assert!(
                    less.drop <= more.drop && less.replay <= more.replay && less.byzantine <= more.byzantine
                );
            }
        }
        let strongest = before.expect("the KDC has everything");
        assert_eq!((strongest.insiders, strongest.budget), (part.insiders, part.budget), "{}", attack.id);
    }
}

#[test]
fn what_a_goal_forbids_to_take_can_be_made() {
    for goal in GOALS.iter().chain(SHOWN) {
        for (kind, flaws) in goal.forbids {
            let (_, listed) = FLAWS.iter().find(|(name, _)| name == kind).expect("a kind of message");
            let unknown: Vec<_> = flaws.iter().filter(|flaw| !listed.contains(flaw)).collect();
            assert!(unknown.is_empty(), "{}: {kind} {unknown:?}", goal.name);
        }
    }
}

#[test]
fn the_table_of_attacks_is_current() {
    let there = std::fs::read_to_string(root().join(TABLE)).expect("the table");
    assert!(there == markdown(&OUTCOMES), "stale: cargo run --release -- attack --write");
}

/// Of the table of powers, what can be looked at again in little time: every row, in its own scene.
#[test]
fn what_the_table_of_powers_says_is_found_again_and_it_knows_every_clause() {
    let there = std::fs::read_to_string(root().join(WEAKNESSES)).expect("the table");
    let rows: Vec<Weakness> = there.lines().filter_map(Weakness::read).collect();
    assert!(rows.len() >= 60, "{} rows", rows.len());
    assert!(
        there == weaknesses_as_markdown(&rows),
        "another form: cargo run --release -- attack --capabilities --write"
    );
    let gone: Vec<_> = rows.iter().filter(|one| !one.stands()).collect();
    assert!(gone.is_empty(), "stale: {gone:?}");
}
