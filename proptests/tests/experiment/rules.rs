//! What rules do against adversaries: claims with their negative controls, and the metrics by which they are told.

use super::table;
use bemr_lab::experiment::{
    ADOPTED, Adversary, CONTROLS, Campaign, Delays, GridPoint, LONGEST_WAIT, Metric, Noise, Order, Played,
    Report, Rule, Share, Size, Table, asking,
};
use std::cmp::Ordering;

fn mean(table: &Table, prior: f64, adversary: Adversary, share: usize, rule: Rule, metric: Metric) -> f64 {
    let cell = table.cell(prior, adversary, Share::SWEEP[share], rule).expect("a cell of the table");
    cell.measured.estimate(metric).expect("a ratio that exists").mean
}

#[test]
fn both_claims_hold_for_what_is_adopted_and_the_second_for_none_of_the_controls() {
    let rules: Vec<Rule> = CONTROLS.into_iter().chain([ADOPTED]).collect();
    let table = table(&rules, 200, 10);
    assert_eq!(table.failed_claims(), Vec::<String>::new());
    let claims = table.claims();
    assert_eq!(claims.len(), 2 * rules.len(), "one for each rule and mix");
    for claim in claims {
        assert_eq!(claim.t2, claim.rule == ADOPTED, "{claim:?}");
        let above = claim.above.expect("shares above one half");
        assert_eq!(above.share.beside_half(), Ordering::Greater);
    }
}

#[test]
fn what_is_adopted_is_the_best_of_those_that_keep_both_claims() {
    let generated = include_str!("../../../spec/generated/experiment.md");
    let choice = format!("The first is `{0}`; the specification adopts `{0}`.", ADOPTED.name());
    assert!(generated.contains(&choice), "{choice}");
}

#[test]
fn a_claim_that_fails_is_told() {
    let mut table = table(&[ADOPTED], 20, 2);
    assert_eq!(table.failed_claims(), Vec::<String>::new());
    // Nothing was measured.
    table.cells.iter_mut().for_each(|cell| cell.measured = Default::default());
    assert_eq!(table.failed_claims().len(), 2, "in both mixes");
}

#[test]
fn the_papers_pair_arises_from_the_mix_of_requests_alone() {
    let table = table(&[Rule::PaperFailrv, Rule::PriorOnly], 200, 10);
    let rows = table.reconstruction();
    assert_eq!(rows.len(), 20);
    for row in rows {
        match row.share.beside_half() {
            Ordering::Less => assert!(row.cdr > 0.95 && row.bcdr > 0.95, "{row:?}"),
            Ordering::Equal => {}
            Ordering::Greater => {
                assert!(
                    (row.cdr - row.accept_all).abs() < 0.005,
                    "the same as accepting everything: {row:?}"
                );
                assert!(row.far > 0.995, "every wrong request is accepted: {row:?}");
                assert!((row.bcdr - 0.5).abs() < 0.005, "as good as a coin: {row:?}");
                assert!((row.cdr - row.prior).abs() < 0.03, "{row:?}");
            }
        }
    }
}

#[test]
fn newcomers_at_full_weight_let_a_coalition_wash_itself_and_at_the_least_weight_do_not() {
    let table = table(&[Rule::MwNaive, Rule::MwFull], 600, 4);
    for share in [1, 5, 9] {
        let at = |rule| mean(&table, 0.5, Adversary::Whitewash, share, rule, Metric::Cdr);
        assert!(at(Rule::MwNaive) < 0.5, "{share}: {}", at(Rule::MwNaive));
        assert!(at(Rule::MwFull) > 0.94, "{share}: {}", at(Rule::MwFull));
    }
}

#[test]
fn trust_fed_by_its_own_decisions_does_worse_than_counting_against_a_strategic_coalition() {
    let table = table(&[Rule::BetaSelf, Rule::Majority], 300, 10);
    let at = |rule| mean(&table, 0.5, Adversary::Strategic, 4, rule, Metric::Cdr);
    assert!(at(Rule::Majority) > 0.95);
    assert!(at(Rule::BetaSelf) < at(Rule::Majority) - 0.2, "{}", at(Rule::BetaSelf));
}

#[test]
fn this_protocol_accepts_no_more_wrong_requests_than_reverification_errs_on() {
    let size = Size { validators: 20, transactions: 200, runs: 6 };
    let noise = Noise { execution: 0.0, ..Noise::USUAL };
    let table = Campaign { noise, rules: vec![Rule::Bemr], ..Campaign::usual(1, size) }.run(2, |_| ());
    for cell in &table.cells {
        let far = cell.measured.estimate(Metric::Far).expect("wrong requests");
        let frr = cell.measured.estimate(Metric::Frr).expect("right requests");
        assert!(far.mean + frr.mean == 0.0, "{} at {}: {far:?} {frr:?}", cell.adversary.name(), cell.share);
    }
    let deferred = mean(&table, 0.5, Adversary::Falsify, 7, Rule::Bemr, Metric::Ur);
    assert!(deferred > 0.99, "the price: where liars certify lies, all is deferred");
}

#[test]
fn right_wrong_and_undecided_add_up_in_every_cell() {
    let table = table(&Rule::ALL, 100, 1);
    for cell in &table.cells {
        let of = |metric| cell.measured.estimate(metric).map_or(0.0, |estimate| estimate.mean);
        let prior = cell.measured.prior();
        // The shares of right and wrong requests that are undecided are within UR.
        let told = 1.0 - prior * of(Metric::Frr) - (1.0 - prior) * of(Metric::Far) - of(Metric::Ur);
        assert!((told - of(Metric::Cdr)).abs() < 1e-9, "{} {}", cell.rule.name(), cell.adversary.name());
    }
}

#[test]
fn no_decision_waits_longer_than_three_attempts_and_the_undecided_are_counted() {
    let table = table(&Rule::ALL, 60, 2);
    let mut censored = 0;
    for cell in &table.cells {
        let Delays { median, p95, max, decided, censored: open, .. } = cell.measured.delays();
        assert_eq!(decided + open, cell.measured.transactions());
        censored += open;
        if let (Some(median), Some(p95), Some(max)) = (median, p95, max) {
            assert!(median <= p95 && p95 <= max && max <= LONGEST_WAIT + 5, "{median} {p95} {max}");
        }
    }
    assert!(censored > 0, "some are undecided");
}

#[test]
fn the_network_adds_nothing_to_a_rule_that_does_not_ask_it_and_everything_to_one_that_only_counts() {
    let table = table(&[Rule::FullRv, Rule::Majority, Rule::PaperFailrv], 100, 4);
    for added in table.added() {
        match (added.rule, added.share == Share::SWEEP[0]) {
            (Rule::FullRv, _) => assert_eq!(added.with, added.without),
            (Rule::Majority, true) => assert!(added.with > 0.99 && added.without == 0.0, "{added:?}"),
            _ => {}
        }
    }
    let lost =
        table.added().into_iter().filter(|one| one.rule == Rule::PaperFailrv && one.with < one.without);
    assert!(lost.count() > 0, "under the paper's rule the network takes away what re-verification alone has");
}

#[test]
fn votes_in_an_order_of_trust_spare_messages_and_cost_attempts() {
    let rows = asking(1, Size { validators: 20, transactions: 150, runs: 2 });
    let of = |order: Order| rows.iter().filter(move |row| row.order == order);
    for (all, trusted) in of(Order::Everybody).zip(of(Order::TrustedFirst)) {
        assert!(trusted.messages < all.messages, "{trusted:?} {all:?}");
        // With three in ten held all others are needed in either order.
        assert!(trusted.waited > all.waited || all.share == Share::SWEEP[3], "{trusted:?} {all:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_number_of_threads() {
    let csv = |seed, threads| {
        let size = Size { validators: 10, transactions: 20, runs: 5 };
        let table = Campaign::usual(seed, size).run(threads, |_| ());
        let expedition = bemr_lab::experiment::Expedition {
            seed,
            suite: bemr::crypto::Suite::Tiny,
            validators: 4,
            transactions: 2,
            prior: 0.5,
            spots: vec![GridPoint { played: Played::Falsify, share: Share::SWEEP[3], under_way: 1 }],
        };
        let points = expedition.run(threads, |_| ()).expect("a fair network");
        let report = Report { quick: true, tables: vec![table], asked: Vec::new(), expedition, points };
        (report.csv(), report.json(), report.html())
    };
    let once = csv(1, 1);
    assert_eq!(once, csv(1, 2));
    assert_eq!(once, csv(1, 3));
    assert_ne!(once.0, csv(2, 1).0);
}
