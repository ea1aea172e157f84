//! The page: figures, tables and their explanations.

use super::html::{figure, hot};
use super::panels::{decisions, measures, protocol, reconstruction};
use super::{Report, words};
use crate::experiment::campaign::Table;
use crate::experiment::claims::{Added, Claim, Mirrored, Reconstructed, Worst};
use crate::experiment::{Adversary, Asked, Metric, Rule, Share};
use crate::html::{Entry, Page, escaped, paragraph, put, table as html_table};

const STYLE: &str = include_str!("figures.css");

/// The least balanced rate of each rule against each adversary, on one side of one half.
fn heat(out: &mut String, table: &Table, side: std::cmp::Ordering, caption: &str) {
    let heads: Vec<&str> = std::iter::once("rule").chain(Adversary::ALL.map(Adversary::name)).collect();
    let cell = |rule: Rule, adversary: Adversary| {
        let these = table.cells.iter().filter(|cell| {
            cell.rule == rule
                && cell.adversary == adversary
                && cell.prior == 0.5
                && cell.share.beside_half() == side
        });
        let least = these.filter_map(|cell| cell.measured.estimate(Metric::Bcdr)).map(|one| one.mean);
        least.min_by(f64::total_cmp).map_or(Entry::from("–"), hot)
    };
    let rows = table.campaign.rules.iter().map(|rule| {
        let cells = Adversary::ALL.into_iter().map(|adversary| cell(*rule, adversary));
        std::iter::once(Entry::from(rule.name())).chain(cells).collect()
    });
    html_table(out, caption, &heads, rows.collect());
}

fn claim_row(claim: &Claim) -> Vec<Entry> {
    let worst = |worst: &Option<Worst>| {
        worst.map_or("–".to_owned(), |Worst { adversary, share, bcdr }| {
            format!("{:.3} ± {:.3} ({}, f = {share})", bcdr.mean, bcdr.half, adversary.name())
        })
    };
    let yes = |holds: bool| if holds { "holds" } else { "fails" };
    vec![
        claim.rule.name().into(),
        claim.validators.to_string().into(),
        format!("{:.1}", claim.prior).into(),
        yes(claim.t1).into(),
        yes(claim.t2).into(),
        worst(&claim.below).into(),
        worst(&claim.at).into(),
        worst(&claim.above).into(),
        format!("{:.2}", claim.cost).into(),
    ]
}

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut out = String::new();
    opening(&mut out, report);
    if let Some(first) = report.tables.first() {
        measured(&mut out, report, first);
    }
    Page { title: "The evidential value of an ACK", styles: &[STYLE], script: None }.around(&out)
}

/// Everything that needs a table.
fn measured(out: &mut String, report: &Report, first: &Table) {
    put(out, format_args!("<h2 id=\"figure-1\">Decision ratio by attacker share</h2>"));
    for (id, prior) in [("decisions-balanced", 0.5), ("decisions-skewed", 0.9)] {
        figure(out, &decisions(first, id, prior));
    }
    put(
        out,
        format_args!("<h2 id=\"figure-2\">Authentication, black hole, falsification, loss, delays</h2>"),
    );
    for panel in measures(first).iter().filter(|panel| !panel.is_empty()) {
        figure(out, panel);
    }
    put(out, format_args!("<h2 id=\"heat\">Every rule against every adversary</h2>"));
    paragraph(
        out,
        "The least balanced rate of correct decisions (bCDR) over the shares on one side of one half. A coin, and accepting everything, \
         give one half.",
    );
    for table in &report.tables {
        let n = table.campaign.size.validators;
        heat(out, table, std::cmp::Ordering::Less, &format!("n = {n}, less than half Byzantine"));
        heat(out, table, std::cmp::Ordering::Greater, &format!("n = {n}, more than half Byzantine"));
    }
    put(out, format_args!("<h2 id=\"arises\">How the paper's figure can arise</h2>"));
    figure(out, &reconstruction(first));
    put(out, format_args!("<h2 id=\"real\">The real protocol</h2>"));
    figure(out, &protocol(&report.points));
    query_table(out, report);
    claim_tables(out, report, first);
    rule_list(out);
}

fn opening(out: &mut String, report: &Report) {
    let sizes = report.tables.iter().map(|table| {
        let size = table.campaign.size;
        format!(
            "{} runs of {} transactions among {} validators",
            size.runs, size.transactions, size.validators
        )
    });
    let sizes: Vec<String> = sizes.collect();
    paragraph(
        out,
        &format!(
            "Fourteen rules decide whether requests are valid, from the votes of validators, some of them Byzantine, and from re-execution where a rule \
             permits it. {}; seed {}{}. Undecided counts as wrong. Bands are 95 % intervals over runs.",
            sizes.join("; "),
            report.expedition.seed,
            if report.quick { "; quick, with few runs" } else { "" },
        ),
    );
    words::claims(&report.tables).iter().for_each(|claim| paragraph(out, claim));
    let failures = report.failures();
    if failures.is_empty() {
        put(
            out,
            format_args!("<p class=\"verdict\">Every claim, negative control and proved bound holds.</p>"),
        );
    } else {
        put(out, format_args!("<div class=\"failure\"><p>Failures:</p><ul>"));
        failures.iter().for_each(|failure| put(out, format_args!("<li>{}</li>", escaped(failure))));
        put(out, format_args!("</ul></div>"));
    }
}

fn query_table(out: &mut String, report: &Report) {
    put(out, format_args!("<h2 id=\"query-strategies\">Query strategies</h2>"));
    paragraph(out, &words::asking(&report.asked));
    let rows = report.asked.iter().map(|Asked { order, adversary, share, quorum, messages, waited }| {
        vec![
            order.name().into(),
            adversary.name().into(),
            share.to_string().into(),
            format!("{:.3} ± {:.3}", quorum.mean, quorum.half).into(),
            format!("{messages:.1}").into(),
            waited.map_or("–".to_owned(), |waited| format!("{waited:.0}")).into(),
        ]
    });
    let heads =
        ["strategy", "adversary", "share", "correct quorum", "T_blocks per transaction", "mean wait in ms"];
    html_table(out, "Query strategies", &heads, rows.collect());
}

fn claim_tables(out: &mut String, report: &Report, first: &Table) {
    put(out, format_args!("<h2 id=\"claims\">Claims</h2>"));
    let heads = [
        "rule",
        "n",
        "prior",
        "T1",
        "T2",
        "worst below ½",
        "worst at ½",
        "worst above ½",
        "re-executions, at most",
    ];
    let rows = report.tables.iter().flat_map(Table::claims).map(|claim| claim_row(&claim));
    html_table(out, "T1 and T2 for every rule, by bCDR", &heads, rows.collect());

    let rows = report.tables.iter().flat_map(Table::mirrored).map(
        |Mirrored { rule, validators, share, sum, half, .. }| {
            vec![
                rule.name().into(),
                validators.to_string().into(),
                format!("{share} and {}", share.rest()).into(),
                format!("{sum:.4} ± {half:.4}").into(),
            ]
        },
    );
    let heads = ["rule", "n", "shares", "bCDR together, at most 1"];
    html_table(out, "The swap bound, under the mirror adversary", &heads, rows.collect());

    let shown = [Share::SWEEP[0], Share::SWEEP[3], Share::SWEEP[6], Share::SWEEP[9]];
    let added = first.added().into_iter().filter(|row| shown.contains(&row.share) && row.prior == 0.5);
    let rows = added.map(|Added { rule, share, with, without, .. }| {
        vec![
            rule.name().into(),
            share.to_string().into(),
            format!("{with:.3}").into(),
            format!("{without:.3}").into(),
            format!("{:+.3}", with - without).into(),
        ]
    });
    let heads = ["rule", "share", "CDR", "CDR, all silent", "difference"];
    html_table(
        out,
        "The value of votes for each rule, with validators that falsify and half of the requests valid",
        &heads,
        rows.collect(),
    );

    let rows = first.reconstruction().into_iter().map(
        |Reconstructed { prior, share, cdr, bcdr, far, accept_all }| {
            let numbers = [cdr, bcdr, far, accept_all].map(|number| Entry::from(format!("{number:.3}")));
            [format!("{prior:.1}").into(), Entry::from(share.to_string())]
                .into_iter()
                .chain(numbers)
                .collect()
        },
    );
    let heads = ["prior", "share", "paper_failrv CDR", "bCDR", "FAR", "prior_only CDR"];
    html_table(out, "The paper's rule and accepting everything", &heads, rows.collect());
}

fn rule_list(out: &mut String) {
    put(out, format_args!("<h2 id=\"rules\">Rules</h2>\n<dl>"));
    for rule in Rule::ALL {
        put(out, format_args!("<dt>{}</dt><dd>{}</dd>", rule.name(), escaped(rule.about())));
    }
    put(out, format_args!("</dl>"));
}
