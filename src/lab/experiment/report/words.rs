//! The text of the report. Every number in it comes from the table.

use crate::experiment::campaign::Table;
use crate::experiment::claims::{ADOPTED, T1, T2};
use crate::experiment::{Adversary, Asked, GridPoint, Metric, Order, Point, Rule, Share};

/// A number of a cell; a dash where there is none.
fn number(
    table: &Table,
    prior: f64,
    adversary: Adversary,
    share: usize,
    rule: Rule,
    metric: Metric,
) -> String {
    let cell = Share::SWEEP.get(share).and_then(|share| table.cell(prior, adversary, *share, rule));
    let estimate = cell.and_then(|cell| cell.measured.estimate(metric));
    estimate.map_or("–".to_owned(), |estimate| format!("{:.3}", estimate.mean))
}

/// The claims in a sentence each.
pub(super) fn claims(tables: &[Table]) -> Vec<String> {
    let mut said = Vec::new();
    for table in tables {
        let all = table.claims();
        let holds = |rule: Rule, which: fn(bool, bool) -> bool| {
            all.iter().filter(|claim| claim.rule == rule).all(|claim| which(claim.t1, claim.t2))
        };
        let both: Vec<&str> = table
            .campaign
            .rules
            .iter()
            .filter(|rule| holds(**rule, |t1, t2| t1 && t2))
            .map(|rule| rule.name())
            .collect();
        let n = table.campaign.size.validators;
        said.push(format!(
            "With {n} validators, T1 (balanced rate of correct decisions above {T1} for every share below one half) and T2 (at \
             least {T2:.2} above one half) hold against every adversary and in every mix of requests for: {}.",
            if both.is_empty() { "no rule".to_owned() } else { both.join(", ") }
        ));
    }
    said
}

/// The first figure.
pub(super) fn decisions(table: &Table, prior: f64) -> String {
    let at = |adversary, share, rule, metric| number(table, prior, adversary, share, rule, metric);
    format!(
        "Each line is the worst adversary at each share. A majority is correct in {} of cases with four in ten Byzantine and in {} with \
         six in ten: for rules that use votes alone, the rates below and above one half add up to no more than one. The single server \
         degrades with the probability that it is itself Byzantine. The paper's rule stays at {} above one half, which is the share of \
         valid requests, and accepts {} of the invalid ones. Local re-execution ({}) stays at {} at every share. This protocol \
         accepts nothing without a quorum: from three in ten on it defers valid requests that cannot be certified, and from \
         seven in ten on Byzantine validators certify invalid ones, which it defers as well: it accepts an invalid request only if its own re-execution errs too.",
        at(Adversary::Falsify, 4, Rule::Majority, Metric::Cdr),
        at(Adversary::Falsify, 6, Rule::Majority, Metric::Cdr),
        at(Adversary::Falsify, 6, Rule::PaperFailrv, Metric::Cdr),
        at(Adversary::Falsify, 6, Rule::PaperFailrv, Metric::Far),
        ADOPTED.name(),
        at(Adversary::Falsify, 9, ADOPTED, Metric::Cdr),
    )
}

/// The reconstruction.
pub(super) fn reconstruction(table: &Table) -> String {
    let at = |prior, share, rule, metric| number(table, prior, Adversary::Falsify, share, rule, metric);
    format!(
        "With nine valid requests in ten, the paper's rule taken literally is correct in {} of cases at f = 0.4 and in {} at every share \
         above one half: \"more than 95 %\" and \"equivalent to 90 %\". Accepting everything without asking anybody gives {}. \
         The {} above one half is the mix of requests: every invalid request is accepted (FAR {}), and the balanced rate is {}. With as many invalid \
         requests as valid ones the same rule gives {}. This shows how such a figure can arise; it is no evidence of the authors' \
         simulation.",
        at(0.9, 4, Rule::PaperFailrv, Metric::Cdr),
        at(0.9, 7, Rule::PaperFailrv, Metric::Cdr),
        at(0.9, 7, Rule::PriorOnly, Metric::Cdr),
        at(0.9, 7, Rule::PaperFailrv, Metric::Cdr),
        at(0.9, 7, Rule::PaperFailrv, Metric::Far),
        at(0.9, 7, Rule::PaperFailrv, Metric::Bcdr),
        at(0.5, 7, Rule::PaperFailrv, Metric::Cdr),
    )
}

/// The real protocol beside the Monte-Carlo.
pub(super) fn protocol(points: &[Point]) -> String {
    let transactions: u64 = points.iter().map(|point| point.seen.all()).sum();
    let alone = || points.iter().filter(|point| point.spot.under_way == 1);
    let inside = alone().filter(|point| point.inside).count();
    let (stored, read) = points.iter().fold((0, 0), |(stored, read), point| {
        (stored + point.seen.ends[0][0] + point.seen.ends[1][0], read + point.seen.read_back)
    });
    let wrong: u64 = points.iter().map(|point| point.seen.ends[0][0]).sum();
    let mut said = format!(
        "{transactions} transactions went through the real protocol: keys, handshakes, signed votes, certificates, blocks, a cloud. \
         With one in flight at a time, at {inside} of {} points the rate of correct decisions is within the interval of the Monte-Carlo simulation of the rule \
         bemr with the same errors, without errors of re-execution. {wrong} invalid requests were stored; {read} of {stored} \
         stored records were read back with their proofs. Honest validators err and are silent as often as in the simulation.",
        alone().count()
    );
    for Point { spot, seen, cdr, expected, .. } in points.iter().filter(|point| point.spot.under_way > 1) {
        let GridPoint { played, share, under_way } = spot;
        said += &format!(
            " With {under_way} in flight at a time ({}, f = {share}) it is {cdr:.3}, and {:.3} in the simulation: the ledger advances \
             during the first attempt, and {} T_blocks of later attempts were refused as too far behind (BLK-04), also by validators that \
             had voted on them.",
            played.adversary().name(),
            expected.mean,
            seen.late,
        );
    }
    said
}

/// Whom to ask first.
pub(super) fn asking(asked: &[Asked]) -> String {
    let find = |order: Order, share: usize| {
        asked.iter().find(|row| {
            (row.order, row.adversary, row.share) == (order, Adversary::Falsify, Share::SWEEP[share])
        })
    };
    let wait = |order, share| {
        let waited = find(order, share).and_then(|row| row.waited);
        waited.map_or("–".to_owned(), |waited| format!("{waited:.0} ms"))
    };
    let sent =
        |order, share| find(order, share).map_or("–".to_owned(), |row| format!("{:.1}", row.messages));
    format!(
        "Querying all at once costs {} messages per transaction and waits {}; trusted validators first costs {} and waits {}, since one silent \
         validator among the first quorum costs a whole attempt. With two in ten Byzantine it is {} and {} against {} and {}. \
         The protocol therefore queries all at once and retransmits to the silent ones, without any order of trust.",
        sent(Order::Everybody, 0),
        wait(Order::Everybody, 0),
        sent(Order::TrustedFirst, 0),
        wait(Order::TrustedFirst, 0),
        sent(Order::Everybody, 2),
        wait(Order::Everybody, 2),
        sent(Order::TrustedFirst, 2),
        wait(Order::TrustedFirst, 2),
    )
}
