//! What is provable: the numbers themselves, and that no cell goes beyond them.

use super::table;
use bemr_lab::experiment::{
    Adversary, Metric, Noise, Rule, Share, at_least, majority_is_right, somebody_answers,
    weighted_majority_mistakes,
};

/// Equal to so many digits.
fn near(value: f64, expected: f64, digits: i32) -> bool {
    (value - expected).abs() < 0.5 * 10_f64.powi(-digits)
}

#[test]
fn the_exact_sums_are_those_of_the_chapter() {
    for (error, expected) in [(0.02, 0.9929), (0.05, 0.9537), (0.10, 0.8186)] {
        let value = majority_is_right(21, 8, &Noise { error, ..Noise::USUAL });
        assert!(near(value, expected, 4), "{value}");
    }
    assert!(near(somebody_answers(0.5, 0.02, 10), 0.9988, 4));
    assert!(near(somebody_answers(0.9, 0.02, 10), 0.6435, 4));
    assert!(near(at_least(14, 14, 0.98 * 0.98), 0.567, 2), "all fourteen honest answer rightly");
    assert!(near(weighted_majority_mistakes(20, 20), 2.41 * (20.0 + 20_f64.log2()), 1));
}

#[test]
fn no_cell_goes_beyond_a_proved_bound_and_one_that_did_would_be_told() {
    let mut table = table(&Rule::ALL, 150, 6);
    assert_eq!(table.beyond(), Vec::<String>::new());
    assert_eq!(table.mistakes.runs, 6 * 140, "every run of weighted majority is compared");
    assert!(table.mistakes.closest > 0.3, "the bound is not far away: {:?}", table.mistakes);
    let bound = table.cells.iter().filter(|cell| cell.limit.binding).count();
    assert!(bound > table.cells.len() / 2, "{bound} cells have a bound");
    let cell = table.cells.iter_mut().find(|cell| cell.rule == Rule::FullRv).expect("a cell");
    cell.limit.upper = Some(0.5);
    assert_eq!(table.beyond().len(), 1);
}

#[test]
fn the_exact_value_of_a_majority_is_what_is_measured() {
    let table = table(&[Rule::Majority], 400, 10);
    for share in [3, 4, 5] {
        let cell = table.cell(0.5, Adversary::Falsify, Share::SWEEP[share], Rule::Majority).expect("a cell");
        let cdr = cell.measured.estimate(Metric::Cdr).expect("decisions");
        let exact = cell.limit.lower.expect("it is known");
        assert!((cdr.mean - exact).abs() < 0.01, "{share}: {} {exact}", cdr.mean);
    }
}

#[test]
fn no_rule_that_sees_votes_alone_is_right_on_both_sides_of_one_half() {
    let rules = [Rule::Majority, Rule::BftQuorum, Rule::BetaSelf];
    let mirrored = table(&rules, 200, 10).mirrored();
    assert_eq!(mirrored.len(), 3 * 5, "five pairs of shares for each");
    assert!(mirrored.iter().all(|pair| pair.holds), "{mirrored:?}");
    assert!(mirrored.iter().any(|pair| pair.sum > 0.95), "the bound is met: {mirrored:?}");
}

#[test]
fn a_rule_that_sees_more_than_votes_breaks_the_bound_so_that_the_check_would_notice() {
    let table = table(&[Rule::FullRv, Rule::MwFull], 200, 4);
    for rule in [Rule::FullRv, Rule::MwFull] {
        for share in [1, 4] {
            let at = |share: Share| {
                let cell = table.cell(0.5, Adversary::Mirror, share, rule).expect("a cell");
                cell.measured.estimate(Metric::Bcdr).expect("decisions").mean
            };
            let sum = at(Share::SWEEP[share]) + at(Share::SWEEP[share].rest());
            assert!(sum > 1.7, "{} {sum}", rule.name());
        }
    }
    assert!(table.mirrored().is_empty(), "it is not asked of them");
}
