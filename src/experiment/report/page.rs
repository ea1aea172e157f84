//! The page: the paper's two figures drawn anew, what is provable beside them, and what each says in plain words.

use super::figures::{Figure, Series};
use super::html::{Entry, figure, paragraph, put, table as html_table};
use super::{Report, words};
use crate::conformance::drawing::escaped;
use crate::experiment::campaign::{Cell, Table};
use crate::experiment::claims::{Added, Claim, Mirrored, Reconstructed, Worst};
use crate::experiment::{Adversary, Asked, Metric, Point, Rule, Share};

const CSS: &str = include_str!("page.css");

/// Which adversary a figure is about.
#[derive(Clone, Copy)]
enum Against {
    /// At each share the one under which the value is least.
    Least,
    /// At each share the one under which it is greatest.
    Greatest,
    /// This one.
    One(Adversary),
}

/// A point of a line: share, value, and the ends of its interval.
type At = (f64, f64, f64, f64);

fn line(
    table: &Table,
    prior: f64,
    rule: Rule,
    against: Against,
    value: impl Fn(&Cell) -> Option<(f64, f64)>,
) -> Vec<At> {
    let at = |share: &Share| {
        let cells = table.against_all(prior, *share, rule);
        let values = cells.filter_map(|cell| value(cell).map(|value| (cell.adversary, value)));
        let (_, (mean, half)) = match against {
            Against::One(one) => values.into_iter().find(|(adversary, _)| *adversary == one),
            Against::Least => values.min_by(|a, b| a.1.0.total_cmp(&b.1.0)),
            Against::Greatest => values.max_by(|a, b| a.1.0.total_cmp(&b.1.0)),
        }?;
        Some((share.of_one(), mean, (mean - half).max(0.0), mean + half))
    };
    table.campaign.shares.iter().filter_map(at).collect()
}

fn measured(metric: Metric) -> impl Fn(&Cell) -> Option<(f64, f64)> {
    move |cell| cell.measured.estimate(metric).map(|estimate| (estimate.mean, estimate.half))
}

fn series(name: impl Into<String>, colour: usize, points: Vec<At>) -> Series {
    Series { name: name.into(), colour, dashed: false, points }
}

fn limit(name: impl Into<String>, colour: usize, points: Vec<At>) -> Series {
    Series { name: name.into(), colour, dashed: true, points }
}

/// The paper's first figure, for one mix of requests.
fn decisions(table: &Table, id: &'static str, prior: f64) -> Figure {
    let rules = [
        (Rule::Bemr, "B-EMR, this protocol"),
        (Rule::FullRv, "re-verification of everything (full_rv)"),
        (Rule::Server, "EHR server (server)"),
        (Rule::Majority, "votes alone (majority)"),
        (Rule::PaperFailrv, "the paper's rule to the letter (paper_failrv)"),
        (Rule::MwFull, "weighted majority, audited (mw_full)"),
    ];
    let mut lines: Vec<Series> = rules
        .iter()
        .enumerate()
        .map(|(colour, (rule, name))| {
            series(*name, colour, line(table, prior, *rule, Against::Least, measured(Metric::Cdr)))
        })
        .collect();
    let swap = line(table, prior, Rule::Majority, Against::One(Adversary::Mirror), |cell| {
        cell.swap.map(|swap| (swap, 0.0))
    });
    lines.push(limit("provable: no more than this for votes alone (majority)", 3, swap));
    let least = line(table, prior, Rule::MwFull, Against::One(Adversary::Falsify), |cell| {
        cell.limit.lower.map(|lower| (lower, 0.0))
    });
    lines.push(limit("provable: no less than this for weighted majority", 5, least));
    Figure {
        id,
        title: format!(
            "Decision ratio (CDR) by attacker share, n = {}, {:.0} % of requests right",
            table.campaign.size.validators,
            prior * 100.0
        ),
        description: words::decisions(table, prior),
        unit: "right decisions (CDR)",
        top: 1.05,
        series: lines,
    }
}

/// The paper's second figure: one panel for each of its measures.
fn measures(table: &Table) -> Vec<Figure> {
    let prior = 0.9;
    let rules = [
        (Rule::Bemr, "B-EMR, this protocol"),
        (Rule::FullRv, "re-verification of everything (full_rv)"),
        (Rule::Server, "EHR server (server)"),
        (Rule::Majority, "votes alone (majority)"),
        (Rule::PaperFailrv, "the paper's rule to the letter (paper_failrv)"),
    ];
    let asked = |(_, (rule, _)): &(usize, &(Rule, &str))| rule.asks() != crate::experiment::Asks::Nobody;
    let panel = |id, title: &str, description: &str, unit, metric, against, all: bool| {
        let lines = rules.iter().enumerate().filter(|one| all || asked(one));
        let lines = lines.map(|(colour, (rule, name))| {
            series(*name, colour, line(table, prior, *rule, against, measured(metric)))
        });
        Figure {
            id,
            title: title.to_owned(),
            description: description.to_owned(),
            unit,
            top: 1.05,
            series: lines.collect(),
        }
    };
    let delay = |id, title: &str, description: &str, pick: fn(&Cell) -> Option<f64>| {
        let lines = rules.iter().enumerate().map(|(colour, (rule, name))| {
            let at = |cell: &Cell| pick(cell).map(|value| (value, 0.0));
            series(*name, colour, line(table, prior, *rule, Against::One(Adversary::BlackHole), at))
        });
        let mut lines: Vec<Series> = lines.collect();
        let longest = crate::experiment::LONGEST_WAIT as f64;
        let bound = table.campaign.shares.iter().map(|share| (share.of_one(), longest, longest, longest));
        lines.push(limit("provable: no more than this", 0, bound.collect()));
        Figure {
            id,
            title: title.to_owned(),
            description: description.to_owned(),
            unit: "virtual milliseconds",
            top: 13_000.0,
            series: lines,
        }
    };
    vec![
        panel(
            "authentication",
            "Authentication rate by attacker share, worst adversary, 90 % of requests right",
            "Right requests that are accepted in time (recall), of all right requests. For B-EMR it is the price of asking for a quorum: \
             nothing is accepted once more than a third is held. The paper's rule keeps it high by accepting what is wrong as well.",
            "authentication rate",
            Metric::Ar,
            Against::Least,
            true,
        ),
        panel(
            "black-hole",
            "Black-hole rate by attacker share, silent validators",
            "Requests without a verdict of the network in the first attempt, by each rule's own count. At f = 0 it is natural loss. A quorum of \
             all needs nearly everybody once three in ten are silent; a majority of responders needs one answer.",
            "no verdict in the first attempt",
            Metric::BhrEffective,
            Against::One(Adversary::BlackHole),
            false,
        ),
        panel(
            "falsification",
            "Falsification rate by attacker share, validators that falsify",
            "Requests that are decided wrongly, or not at all, with a falsified vote in the evidence. For B-EMR all of these are deferrals or \
             rejections of what is right: its false acceptance rate is at most the error of re-verification.",
            "misled decisions",
            Metric::FrEffective,
            Against::One(Adversary::Falsify),
            false,
        ),
        panel(
            "false-acceptance",
            "False acceptance by attacker share, worst adversary",
            "Wrong requests that are accepted. This is what a rate of right decisions hides when most requests are right: the paper's rule accepts \
             all of them above one half.",
            "false acceptance rate",
            Metric::Far,
            Against::Greatest,
            true,
        ),
        panel(
            "loss",
            "Loss of right records by attacker share, worst adversary",
            "Right requests that are not stored in the end: the loss that the name of the paper's product loss ratio promises. What the paper \
             defines under that name is its opposite, a success ratio; it is the column psr_lit.",
            "product loss ratio (ours)",
            Metric::Plr,
            Against::Greatest,
            true,
        ),
        delay(
            "delay",
            "Average authentication delay by attacker share, silent validators",
            "Virtual time from question to decision, over decided requests; undecided ones are counted in the tables and never averaged. One attempt is 4 s. \
             A rule that waits for everybody waits a whole attempt as soon as one is silent.",
            |cell| cell.measured.delays().mean,
        ),
        delay(
            "longest-delay",
            "Maximum authentication delay by attacker share, silent validators",
            "The longest virtual time to a decision. Three attempts bound it for every rule.",
            |cell| cell.measured.delays().max.map(|max| max as f64),
        ),
    ]
}

/// How the paper's figure can arise.
fn reconstruction(table: &Table) -> Figure {
    let falsify = Against::One(Adversary::Falsify);
    let of = |rule, metric| line(table, 0.9, rule, falsify, measured(metric));
    Figure {
        id: "reconstruction",
        title: "How the paper's pair can arise: 90 % of requests right, validators that falsify".to_owned(),
        description: words::reconstruction(table),
        unit: "share",
        top: 1.05,
        series: vec![
            series("the paper's rule: right decisions (CDR)", 4, of(Rule::PaperFailrv, Metric::Cdr)),
            series("the paper's rule: balanced (bCDR)", 1, of(Rule::PaperFailrv, Metric::Bcdr)),
            series("the paper's rule: wrong requests accepted (FAR)", 3, of(Rule::PaperFailrv, Metric::Far)),
            limit("accepting everything (prior_only)", 2, of(Rule::PriorOnly, Metric::Cdr)),
        ],
    }
}

/// The real protocol beside the Monte-Carlo.
fn protocol(points: &[Point]) -> Figure {
    let mut lines = Vec::new();
    for (place, adversary) in crate::experiment::PLAYED.into_iter().enumerate() {
        let these = || points.iter().filter(move |point| point.adversary == adversary);
        let seen = these().map(|point| {
            let share = point.share.of_one();
            (share, point.cdr, point.interval.0, point.interval.1)
        });
        lines.push(series(
            format!("real protocol, {}; band: the Monte-Carlo's interval", adversary.name()),
            place,
            seen.collect(),
        ));
        let expected = these().map(|point| {
            let mean = point.expected.mean;
            (point.share.of_one(), mean, mean, mean)
        });
        lines.push(limit(format!("Monte-Carlo, {}", adversary.name()), place, expected.collect()));
    }
    Figure {
        id: "protocol",
        title: "The real protocol beside the Monte-Carlo of its rule".to_owned(),
        description: words::protocol(points),
        unit: "right decisions (CDR)",
        top: 1.05,
        series: lines.into_iter().filter(|line| !line.points.is_empty()).collect(),
    }
}

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
        least.min_by(f64::total_cmp).map_or(Entry::from("–"), Entry::hot)
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
    let title = "What an ACK is worth";
    put(
        &mut out,
        format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
             <title>{title}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">To the text</a>\n<main id=\"main\">\n<h1>{title}</h1>"
        ),
    );
    opening(&mut out, report);
    let Some(first) = report.tables.first() else { return out };
    put(&mut out, format_args!("<h2 id=\"figure-1\">Decision ratio by attacker share</h2>"));
    for (id, prior) in [("decisions-balanced", 0.5), ("decisions-skewed", 0.9)] {
        figure(&mut out, &decisions(first, id, prior));
    }
    put(
        &mut out,
        format_args!("<h2 id=\"figure-2\">Authentication, black hole, falsification, loss, delays</h2>"),
    );
    for panel in measures(first).iter().filter(|panel| !panel.is_empty()) {
        figure(&mut out, panel);
    }
    put(&mut out, format_args!("<h2 id=\"heat\">Every rule against every adversary</h2>"));
    paragraph(
        &mut out,
        "The least balanced rate of right decisions (bCDR) over the shares on one side of one half. One half is what a coin is worth, \
         and what accepting everything is worth.",
    );
    for table in &report.tables {
        let n = table.campaign.size.validators;
        heat(&mut out, table, std::cmp::Ordering::Less, &format!("n = {n}, less than half held"));
        heat(&mut out, table, std::cmp::Ordering::Greater, &format!("n = {n}, more than half held"));
    }
    put(&mut out, format_args!("<h2 id=\"arises\">How the paper's figure can arise</h2>"));
    figure(&mut out, &reconstruction(first));
    put(&mut out, format_args!("<h2 id=\"real\">The real protocol</h2>"));
    figure(&mut out, &protocol(&report.points));
    closing(&mut out, report, first);
    out
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
            "Fourteen rules decide whether requests are right, from votes of validators of whom some lie, and from re-execution where a rule \
             may. {}; seed {}{}. Undecided counts as wrong. Bands are 95 % intervals over runs.",
            sizes.join("; "),
            report.expedition.seed,
            if report.quick { "; a quick look, with few runs" } else { "" },
        ),
    );
    words::claims(&report.tables).iter().for_each(|claim| paragraph(out, claim));
    let failures = report.failures();
    if failures.is_empty() {
        put(
            out,
            format_args!(
                "<p class=\"verdict\">Every claim, negative control and proved bound is as it should be.</p>"
            ),
        );
    } else {
        put(out, format_args!("<div class=\"bad\"><p>Not as it should be:</p><ul>"));
        failures.iter().for_each(|failure| put(out, format_args!("<li>{}</li>", escaped(failure))));
        put(out, format_args!("</ul></div>"));
    }
}

fn closing(out: &mut String, report: &Report, first: &Table) {
    put(out, format_args!("<h2 id=\"asking\">Whom to ask first</h2>"));
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
    let heads = ["order", "adversary", "share", "right quorum", "T_blocks a transaction", "mean wait in ms"];
    html_table(out, "Orders of asking", &heads, rows.collect());

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
    let heads = ["rule", "share", "CDR", "CDR, all silent", "what the network adds"];
    html_table(
        out,
        "What votes add to each rule, validators that falsify, half of the requests right",
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
    html_table(out, "The paper's rule beside accepting everything", &heads, rows.collect());

    put(out, format_args!("<h2 id=\"rules\">Rules</h2>\n<dl>"));
    for rule in Rule::ALL {
        put(out, format_args!("<dt>{}</dt><dd>{}</dd>", rule.name(), escaped(rule.about())));
    }
    put(out, format_args!("</dl>\n</main>\n</body>\n</html>"));
}
