//! The cliffs: from how many liars on which goal breaks. They are where chapter 15 says, they are found again, and what a bench leaves out by
//! numbers changes no verdict.

use bemr_lab::attacks::threshold::{
    Among, BENCHES, Bench, CLIFF, Cell, Looked, SIZES, Verdict, markdown, published, questions_of,
};
use bemr_lab::explore::{CERTIFIED, PROGRESS, STORED, search};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_model::{Execution, GOALS};
use std::path::Path;

const CHAPTER: &str = include_str!("../../spec/chapters/15-goals-adversary.md");

fn bench(name: &str) -> &'static Bench {
    BENCHES.iter().find(|bench| bench.name == name).expect("a bench of this name")
}

const fn quorum(validators: u8) -> u8 {
    2 * validators / 3 + 1
}

/// Whether chapter 15 lets the goal be broken where so many lie.
fn falls(goal: &str, Among { validators, lying }: Among) -> bool {
    match goal {
        // Two final blocks of one height, two certificates: from n/3 on.
        "G-IMM" | CERTIFIED => 3 * lying >= validators,
        // A true certificate for what breaks a rule, which an honest BSD refuses: above 2n/3.
        STORED => 3 * lying > 2 * validators,
        PROGRESS => lying > validators - quorum(validators),
        _ => false,
    }
}

#[test]
fn every_cell_is_known_and_every_cliff_is_where_the_chapter_says() {
    let cells = published();
    assert_eq!(cells.len(), questions_of(&SIZES).map(|(bench, _)| bench.goals.len()).sum::<usize>());
    for (bench, among) in questions_of(&SIZES) {
        for goal in bench.goals {
            let Among { validators, lying } = among;
            let mut here = cells.iter().filter(|cell| cell.is_of(bench, goal, validators, lying));
            let cell = here.next().expect("a cell");
            let expected = falls(goal, among);
            match &cell.verdict {
                Verdict::Holds { states } => assert!(!expected && *states > 0, "{cell:?}"),
                Verdict::Broken { .. } => assert!(expected, "{cell:?}"),
                Verdict::Unfinished { why } => panic!("{goal}, {lying} of {validators}: {why}"),
            }
        }
    }
}

/// What [`falls`] says is what the chapter says: its rows, and its numbers.
#[test]
fn the_thresholds_are_those_of_the_chapter() {
    for row in [
        "| b < n/3 | no | no |",
        "| n/3 ≤ b ≤ 2n/3 | no | possible",
        "| b > 2n/3 | yes; an honest BSD still refuses it (ACK-05) | yes |",
    ] {
        assert!(CHAPTER.contains(row), "{row}");
    }
    let (_, rows) =
        CHAPTER.split_once("most Byzantine or silent validators with progress").expect("the table");
    let rows = rows.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<u8>> = rows
        .map(|row| {
            row.trim_matches('|').split('|').map(|cell| cell.trim().parse().expect("a number")).collect()
        })
        .collect();
    for validators in SIZES {
        let row = rows.iter().find(|row| row[0] == validators).expect("a row for each size");
        assert_eq!(row[1..], [quorum(validators), validators - quorum(validators)]);
    }
}

#[test]
fn the_table_is_that_of_its_cells() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(CLIFF).with_extension("md");
    let there = std::fs::read_to_string(path).expect("the table");
    assert!(
        there == markdown(&published(), &SIZES),
        "stale: cargo run --release -- attack --thresholds --write"
    );
}

/// All of the smaller two tables; of the larger one what takes seconds.
fn looked_at_again() -> impl Iterator<Item = (&'static Bench, Among)> {
    questions_of(&SIZES).filter(|(bench, Among { validators, lying })| {
        *validators < 10 || bench.name == "blocks" || matches!(lying, 0 | 3 | 4) && bench.name != "questions"
    })
}

#[test]
fn cells_are_found_again() {
    let cells = published();
    for (bench, among) in looked_at_again() {
        for Looked { cell, .. } in bench.look(among) {
            assert!(
                cells.contains(&cell),
                "stale: cargo run --release -- attack --thresholds --write: {cell:?}"
            );
        }
    }
}

/// Of a broken goal of the model a world goes through the run and breaks it at its last step. The implementation goes through as well,
/// but for what a liar signs of a block: it cannot be made to say what its validator would not.
#[test]
fn what_breaks_a_goal_is_gone_through_with_real_bytes_or_says_why_not() {
    let mut both = 0;
    for (bench, among) in questions_of(&[4]) {
        for looked in bench.look(among) {
            let (Some((part, run)), Some(told)) = (&looked.run, looked.tell()) else { continue };
            let Cell { goal, lying, .. } = &looked.cell;
            if let Some(goal) = GOALS.iter().find(|one| one.name == goal) {
                let mut world = Execution::new(bench.rules(), &part.setup);
                run.steps.iter().for_each(|step| assert!(world.step(&step.action).is_some(), "{goal:?}"));
                assert!(!goal.is_kept(world.system()), "{goal:?}, {lying}");
            }
            let trace = Trace::read(&told.trace.to_bytes()[..]).expect("a trace");
            let again = rerun(&trace);
            match told.both {
                Ok(()) => {
                    both += 1;
                    let agrees = matches!(again, Replay::Agrees { both: true, .. });
                    assert!(
                        agrees
                            || matches!(&again, Replay::Diverges { difference, .. } if difference.ends_with("is broken")),
                        "{goal}: {again:?}"
                    );
                }
                Err(why) => {
                    assert!(why.contains("nobody can make that"), "{goal}, {lying}: {why}");
                    assert!(matches!(again, Replay::Agrees { both: false, .. }), "{goal}: {again:?}");
                }
            }
        }
    }
    assert!(both >= 5, "{both}");
}

/// That validators who differ in nothing but their number are one another is worked out, and left out here: the same verdicts.
#[test]
fn who_is_who_on_a_bench_changes_no_verdict() {
    for name in ["votes", "blocks", "questions", "blind BSD"] {
        let bench = bench(name);
        for lying in 0..=4 {
            for part in bench.parts(Among { validators: 4, lying }) {
                let reduced = search(part.under(bench.rules()), 1, |_| true);
                let whole = search(part.under(bench.rules()).with_every_name(), 1, |_| true);
                assert_eq!((&reduced.flaw, reduced.complete, whole.complete), (&None, true, true));
                println!("{name}, {lying}: {} states of {}", reduced.states, whole.states);
                assert!(reduced.states <= whole.states);
                let verdicts = |report: &bemr_lab::explore::PartReport| -> Vec<(&str, bool)> {
                    report.goals.iter().map(|goal| (goal.name, goal.broken.is_some())).collect()
                };
                assert_eq!(verdicts(&reduced), verdicts(&whole), "{name}, {lying}");
            }
        }
    }
}
