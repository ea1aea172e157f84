//! The evidence for the mechanism of T_v: a small experiment, repeated whenever the specification is generated.

use super::heading;
use crate::experiment::{
    ADOPTED, Asked, Campaign, Claim, Metric, Rule, Share, Size, T1, T2, Table, Worst, asking,
};
use std::fmt::Write as _;

/// Large enough to tell the rules apart, small enough for every test run.
const SIZE: Size = Size { validators: 20, transactions: 200, runs: 20 };
const ASKED: Size = Size { validators: 20, transactions: 250, runs: 4 };
const SEED: u64 = 1;

/// Shares on both sides of one half.
fn shares() -> Vec<Share> {
    [0, 2, 3, 4, 5, 6, 7, 9].map(|tenths| Share::SWEEP[tenths]).to_vec()
}

pub(super) fn render() -> String {
    let campaign = Campaign { shares: shares(), ..Campaign::usual(SEED, SIZE) };
    let table = campaign.run(2, |_| ());
    let mut out = heading("The evidential value of an ACK", "a small run of the experiment");
    let Size { validators, transactions, runs } = SIZE;
    put(
        &mut out,
        format_args!(
            "\n{runs} runs of {transactions} transactions among {validators} validators, seed {SEED}; honest error and silence 0.02 each, error \
             of re-execution 0.001. Rules, adversaries and measures are those of `bemr experiment`, which runs all of it at a larger size. \
             bCDR is the mean rate of correct decisions over valid and over invalid requests; undecided counts as wrong.\n\n\
             T1: with less than one half Byzantine, the lower end of the 95 % interval of bCDR is above {T1}. T2: with more, it is at least {T2:.2}. \
             Both under the worst adversary.\n\n## Rules\n\n\
             | rule | valid requests | worst bCDR below ½ | worst at ½ | worst above ½ | T1 | T2 | re-executions, all honest | at most |\n\
             |---|---:|---:|---:|---:|---|---|---:|---:|"
        ),
    );
    for claim in table.claims() {
        row(&mut out, &table, &claim);
    }
    put(
        &mut out,
        format_args!(
            "\n## Query strategies\n\n\
             | strategy | adversary | Byzantine share | correct quorum | T_blocks per transaction | mean wait |\n|---|---|---:|---:|---:|---:|"
        ),
    );
    for Asked { order, adversary, share, quorum, messages, waited } in asking(SEED, ASKED) {
        let waited = waited.map_or("–".to_owned(), |waited| format!("{waited:.0} ms"));
        put(
            &mut out,
            format_args!(
                "| {} | {} | {share} | {:.3} | {messages:.1} | {waited} |",
                order.name(),
                adversary.name(),
                quorum.mean
            ),
        );
    }
    choice(&mut out, &table);
    out
}

fn row(out: &mut String, table: &Table, claim: &Claim) {
    let worst = |worst: &Option<Worst>| worst.map_or("–".to_owned(), |one| format!("{:.3}", one.bcdr.mean));
    let says = |holds: bool| if holds { "holds" } else { "fails" };
    let Claim { rule, prior, below, at, above, t1, t2, cost, .. } = claim;
    put(
        out,
        format_args!(
            "| `{}` | {prior:.1} | {} | {} | {} | {} | {} | {:.2} | {cost:.2} |",
            rule.name(),
            worst(below),
            worst(at),
            worst(above),
            says(*t1),
            says(*t2),
            quiet_cost(table, *rule, *prior),
        ),
    );
}

/// Re-executions per transaction where all validators are honest.
fn quiet_cost(table: &Table, rule: Rule, prior: f64) -> f64 {
    let cells = table.against_all(prior, Share::SWEEP[0], rule);
    cells.filter_map(|cell| cell.measured.estimate(Metric::Cost)).map(|cost| cost.mean).fold(0.0, f64::max)
}

/// The rules that satisfy both claims in every mix, in descending order of their worst bCDR.
fn best(table: &Table) -> Vec<(Rule, f64)> {
    let claims = table.claims();
    let of = |rule: &Rule| {
        let these = || claims.iter().filter(|claim| claim.rule == *rule);
        let least = |claim: &Claim| {
            [claim.below, claim.above].into_iter().flatten().map(|worst| worst.bcdr.mean).fold(1.0, f64::min)
        };
        these().all(|claim| claim.t1 && claim.t2).then(|| (*rule, these().map(least).fold(1.0, f64::min)))
    };
    let mut all: Vec<(Rule, f64)> = table.campaign.rules.iter().filter_map(of).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}

fn choice(out: &mut String, table: &Table) {
    let best = best(table);
    let list = |(rule, worst): &(Rule, f64)| format!("`{}` ({worst:.3})", rule.name());
    let kept: Vec<String> = best.iter().map(list).collect();
    let first = best.first().map_or("none", |(rule, _)| rule.name());
    put(
        out,
        format_args!(
            "\n## The choice\n\n\
             Rules that satisfy T1 and T2 in both mixes, with their worst bCDR: {}. The first is `{first}`; the specification adopts `{}`.\n\n\
             - **Local re-execution:** always (ACK-05). The BSD executes the contracts when it accepts T_initial, and may reuse that verdict; so \
             full re-execution costs it no execution that it does not perform already, and every rule that saves executions is worse.\n\
             - **Query strategy:** all at once. A quorum is one of all validators (QUO-01), so that another strategy saves at most a \
             third of the messages, and one silent validator among the first costs an attempt.\n\
             - **Retransmission:** to those that have not answered, with the same T_block (ACK-02, ACK-03).\n\
             - **Trust scores:** none. Scores that learn from the decisions that they influence (`beta_self`) are worse than counting; those that learn from audits need \
             the re-executions that alone decide better.\n\n\
             The row `bemr` is the whole decision: the BSD's verdict *and* a quorum certificate (ACK-04). The quorum adds no accuracy. From three in ten \
             on it defers valid requests, so that `bemr` satisfies neither claim; it ensures that a BSD alone cannot accept.",
            if kept.is_empty() { "none".to_owned() } else { kept.join(", ") },
            ADOPTED.name(),
        ),
    );
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string grows");
}
