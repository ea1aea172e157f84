//! The resilience thresholds: they are where chapter 15 says, they are found again, and what a configuration leaves out by
//! numbers changes no verdict.

use bemr_lab::attacks::threshold::{
    CONFIGURATIONS, Cell, Coalition, SIZES, SearchedCell, THRESHOLDS, ThresholdConfig, Verdict, cells_of,
    markdown, published,
};
use bemr_lab::explore::{CERTIFIED, PROGRESS, STORED, search};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_model::{Execution, GOALS};
use std::path::Path;

const CHAPTER: &str = include_str!("../../spec/chapters/15-goals-adversary.md");

fn config(name: &str) -> &'static ThresholdConfig {
    CONFIGURATIONS.iter().find(|config| config.name == name).expect("a configuration of this name")
}

const fn quorum(validators: u8) -> u8 {
    2 * validators / 3 + 1
}

/// How many have to lie for a fork: chapter 15's formula.
const fn forks_at(validators: u8) -> u8 {
    2 * quorum(validators) - validators
}

/// Whether chapter 15 lets the goal be broken where so many lie.
fn falls(goal: &str, Coalition { validators, lying }: Coalition) -> bool {
    match goal {
        // Two final blocks of one height, two certificates.
        "G-IMM" | CERTIFIED => lying >= forks_at(validators),
        // A true certificate for what breaks a rule, which an honest BSD refuses.
        STORED => lying >= quorum(validators),
        PROGRESS => lying > validators - quorum(validators),
        _ => false,
    }
}

#[test]
fn every_cell_is_known_and_every_cliff_is_where_the_chapter_says() {
    let cells = published();
    assert_eq!(cells.len(), cells_of(&SIZES).map(|(config, _)| config.goals.len()).sum::<usize>());
    for (config, coalition) in cells_of(&SIZES) {
        for goal in config.goals {
            let Coalition { validators, lying } = coalition;
            let mut here = cells.iter().filter(|cell| cell.is_of(config, goal, validators, lying));
            let cell = here.next().expect("a cell");
            let expected = falls(goal, coalition);
            match &cell.verdict {
                Verdict::Holds { states } => assert!(!expected && *states > 0, "{cell:?}"),
                Verdict::Broken { .. } => assert!(expected, "{cell:?}"),
                Verdict::Unfinished { why } => panic!("{goal}, {lying} of {validators}: {why}"),
            }
        }
    }
}

/// Networks so large are counted through.
const COUNTED: std::ops::RangeInclusive<u8> = 1..=40;

/// The least number that is more than two thirds, by trying.
fn least_above_two_thirds(validators: u8) -> u8 {
    (1..=validators).find(|signed| 3 * u16::from(*signed) > 2 * u16::from(validators)).expect("all are more")
}

/// Whether so many liars can give each of two sides a quorum: for some division of the honest validators, of whom each signs one
/// side or none, both sides have enough signatures with those of all liars.
fn can_fork(validators: u8, lying: u8, quorum: u8) -> bool {
    let honest = validators - lying;
    (0..=honest)
        .any(|here| (0..=honest - here).any(|there| lying + here >= quorum && lying + there >= quorum))
}

/// The fewest members that two quorums have in common, over all pairs of sets.
fn least_common(validators: u32, quorum: u32) -> u32 {
    let quorums: Vec<u32> = (0..1_u32 << validators).filter(|set| set.count_ones() == quorum).collect();
    // By symmetry one of the two can be held: members can be renamed.
    quorums.iter().map(|other| (quorums[0] & other).count_ones()).min().expect("there is a quorum")
}

#[test]
fn the_formulas_of_the_thresholds_are_those_of_counting() {
    let mut off_a_third = 0;
    for validators in COUNTED {
        let least = least_above_two_thirds(validators);
        assert_eq!(quorum(validators), least, "{validators}");
        assert_eq!(bemr_model::quorum(validators), usize::from(least), "{validators}");
        let fewest = (0..=validators).find(|lying| can_fork(validators, *lying, least));
        assert_eq!(fewest, Some(forks_at(validators)), "{validators}");
        assert!((forks_at(validators)..=validators).all(|lying| can_fork(validators, lying, least)));
        if validators <= 14 {
            assert_eq!(u32::from(forks_at(validators)), least_common(validators.into(), least.into()));
        }
        let above_a_third = (1..=validators).find(|lying| 3 * lying >= validators).expect("all are more");
        off_a_third += u8::from(fewest != Some(above_a_third));
        // Nothing is accepted without a quorum of those who answer; a lie needs a quorum of liars.
        for lying in 0..=validators {
            assert_eq!(lying > validators - least, validators - lying < least);
            assert_eq!(lying > validators - least, 3 * lying >= validators);
            assert_eq!(lying >= least, 3 * lying > 2 * validators);
        }
    }
    assert_eq!(off_a_third, 26, "of 40 sizes, those that are not 3k + 1");
    assert_eq!((forks_at(4), forks_at(7), forks_at(10), forks_at(20)), (2, 3, 4, 8));
}

/// What [`falls`] says is what the chapter says: its rows, and its numbers.
#[test]
fn the_thresholds_are_those_of_the_chapter() {
    for row in [
        "| b ≤ n − quorum | no | no | yes",
        "| n − quorum < b < 2·quorum − n | no | no | only",
        "| 2·quorum − n ≤ b < quorum | no | possible",
        "| b ≥ quorum | yes; an honest BSD still refuses it (ACK-05) | yes |",
    ] {
        assert!(CHAPTER.contains(row), "{row}");
    }
    let (_, rows) = CHAPTER.split_once("| n | quorum |").expect("the table");
    let rows = rows.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<u8>> = rows
        .map(|row| {
            row.trim_matches('|').split('|').map(|cell| cell.trim().parse().expect("a number")).collect()
        })
        .collect();
    for row in &rows {
        let (validators, least) = (row[0], least_above_two_thirds(row[0]));
        let fewest = (0..=validators).find(|lying| can_fork(validators, *lying, least)).expect("all can");
        assert_eq!(row[1..], [least, validators - least, fewest, least]);
    }
    for validators in SIZES.into_iter().chain([20, 40]) {
        assert!(rows.iter().any(|row| row[0] == validators), "a row for {validators}");
    }
}

#[test]
fn the_table_is_that_of_its_cells() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(THRESHOLDS).with_extension("md");
    let there = std::fs::read_to_string(path).expect("the table");
    assert!(
        there == markdown(&published(), &SIZES),
        "stale: cargo run --release -- attack --thresholds --write"
    );
}

/// All of the smaller two tables; of the larger one what takes seconds.
fn looked_at_again() -> impl Iterator<Item = (&'static ThresholdConfig, Coalition)> {
    cells_of(&SIZES).filter(|(config, Coalition { validators, lying })| {
        *validators < 10
            || config.name == "blocks"
            || matches!(lying, 0 | 3 | 4) && config.name != "questions"
    })
}

#[test]
fn cells_are_found_again() {
    let cells = published();
    for (config, coalition) in looked_at_again() {
        for SearchedCell { cell, .. } in config.search(coalition) {
            assert!(
                cells.contains(&cell),
                "stale: cargo run --release -- attack --thresholds --write: {cell:?}"
            );
        }
    }
}

/// The model executes the run of a broken goal and breaks it at its last step. The implementation executes it as well,
/// but for what a liar signs of a block: it cannot be made to say what its validator would not.
#[test]
fn what_breaks_a_goal_is_gone_through_with_real_bytes_or_says_why_not() {
    let mut both = 0;
    for (config, coalition) in cells_of(&[4]) {
        for searched in config.search(coalition) {
            let (Some((part, run)), Some(told)) = (&searched.run, searched.counterexample()) else {
                continue;
            };
            let Cell { goal, lying, .. } = &searched.cell;
            if let Some(goal) = GOALS.iter().find(|one| one.name == goal) {
                let mut model = Execution::new(config.rules(), &part.setup);
                run.steps.iter().for_each(|step| assert!(model.step(&step.action).is_some(), "{goal:?}"));
                assert!(!goal.is_kept(model.system()), "{goal:?}, {lying}");
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
        let config = config(name);
        for lying in 0..=4 {
            for part in config.parts(Coalition { validators: 4, lying }) {
                let reduced = search(part.under(config.rules()), 1, |_| true);
                let whole = search(part.under(config.rules()).with_every_name(), 1, |_| true);
                assert_eq!((&reduced.flaw, reduced.complete, whole.complete), (&None, true, true));
                println!("{name}, {lying}: {} states of {}", reduced.states, whole.states);
                assert!(reduced.states <= whole.states);
                let verdicts = |report: &bemr_lab::explore::SearchReport| -> Vec<(&str, bool)> {
                    report.goals.iter().map(|goal| (goal.name, goal.broken.is_some())).collect()
                };
                assert_eq!(verdicts(&reduced), verdicts(&whole), "{name}, {lying}");
            }
        }
    }
}
