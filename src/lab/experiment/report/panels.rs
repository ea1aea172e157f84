//! The paper's two figures with the provable bounds, and the two that explain them.

use super::figures::{Figure, Series};
use super::words;
use crate::experiment::campaign::{Cell, Table};
use crate::experiment::{Adversary, Asks, LONGEST_WAIT, Metric, Played, Point, Rule, Share};

/// The adversary of a figure.
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
        // A band stays within what a ratio can be.
        let high = if mean <= 1.0 { (mean + half).min(1.0) } else { mean + half };
        Some((share.of_one(), mean, (mean - half).max(0.0), high))
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
pub(super) fn decisions(table: &Table, id: &'static str, prior: f64) -> Figure {
    let rules = [
        (Rule::Bemr, "B-EMR, this protocol"),
        (Rule::FullRv, "full local re-execution (full_rv)"),
        (Rule::Server, "EHR server (server)"),
        (Rule::Majority, "votes alone (majority)"),
        (Rule::PaperFailrv, "the paper's rule taken literally (paper_failrv)"),
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
            "Decision ratio (CDR) by attacker share, n = {}, {:.0} % of requests valid",
            table.campaign.size.validators,
            prior * 100.0
        ),
        description: words::decisions(table, prior),
        unit: "correct decisions (CDR)",
        top: 1.05,
        series: lines,
    }
}

/// The share of valid requests in the paper's second figure.
const SKEWED: f64 = 0.9;

/// The rules of the paper's second figure.
const COMPARED: [(Rule, &str); 5] = [
    (Rule::Bemr, "B-EMR, this protocol"),
    (Rule::FullRv, "full local re-execution (full_rv)"),
    (Rule::Server, "EHR server (server)"),
    (Rule::Majority, "votes alone (majority)"),
    (Rule::PaperFailrv, "the paper's rule taken literally (paper_failrv)"),
];

/// The caption of a panel.
struct Caption {
    id: &'static str,
    title: &'static str,
    description: &'static str,
    unit: &'static str,
}

impl Caption {
    fn figure(self, top: f64, series: Vec<Series>) -> Figure {
        let Caption { id, title, description, unit } = self;
        Figure { id, title: title.to_owned(), description: description.to_owned(), unit, top, series }
    }
}

/// A panel of a metric; `all` includes the rules without votes.
fn panel(table: &Table, caption: Caption, metric: Metric, against: Against, all: bool) -> Figure {
    let shown = COMPARED.iter().enumerate().filter(|(_, (rule, _))| all || rule.asks() != Asks::Nobody);
    let lines = shown.map(|(colour, (rule, name))| {
        series(*name, colour, line(table, SKEWED, *rule, against, measured(metric)))
    });
    caption.figure(1.05, lines.collect())
}

/// A panel of a delay under silent validators, with its bound.
fn delay(table: &Table, caption: Caption, pick: fn(&Cell) -> Option<f64>) -> Figure {
    let silent = Against::One(Adversary::BlackHole);
    let lines = COMPARED.iter().enumerate().map(|(colour, (rule, name))| {
        let at = |cell: &Cell| pick(cell).map(|value| (value, 0.0));
        series(*name, colour, line(table, SKEWED, *rule, silent, at))
    });
    let mut lines: Vec<Series> = lines.collect();
    let longest = LONGEST_WAIT as f64;
    let bound = table.campaign.shares.iter().map(|share| (share.of_one(), longest, longest, longest));
    lines.push(limit("provable: no more than this", 0, bound.collect()));
    caption.figure(13_000.0, lines)
}

/// The paper's second figure: one panel for each of its measures.
pub(super) fn measures(table: &Table) -> Vec<Figure> {
    vec![
        panel(
            table,
            Caption {
                id: "authentication",
                title: "Authentication rate by attacker share, worst adversary, 90 % of requests valid",
                description: "Valid requests that are accepted in time (recall), of all valid requests. For B-EMR it shows the price of a quorum: \
             nothing is accepted once more than a third is Byzantine. The paper's rule keeps it high by accepting invalid requests as well.",
                unit: "authentication rate",
            },
            Metric::Ar,
            Against::Least,
            true,
        ),
        panel(
            table,
            Caption {
                id: "black-hole",
                title: "Black-hole rate by attacker share, silent validators",
                description: "Requests without a verdict of the network in the first attempt, by each rule's own count. At f = 0 it is natural loss. A quorum of \
             all validators needs nearly all others once three in ten are silent; a majority of responders needs one answer.",
                unit: "no verdict in the first attempt",
            },
            Metric::BhrEffective,
            Against::One(Adversary::BlackHole),
            false,
        ),
        panel(
            table,
            Caption {
                id: "falsification",
                title: "Falsification rate by attacker share, validators that falsify",
                description: "Requests that are decided incorrectly, or not at all, with a falsified vote in the evidence. For B-EMR all of these are deferrals or \
             rejections of valid requests: its false acceptance rate is at most the error of re-execution.",
                unit: "misled decisions",
            },
            Metric::FrEffective,
            Against::One(Adversary::Falsify),
            false,
        ),
        panel(
            table,
            Caption {
                id: "false-acceptance",
                title: "False acceptance by attacker share, worst adversary",
                description: "Invalid requests that are accepted. A rate of correct decisions hides these when most requests are valid: the paper's rule accepts \
             all of them above one half.",
                unit: "false acceptance rate",
            },
            Metric::Far,
            Against::Greatest,
            true,
        ),
        panel(
            table,
            Caption {
                id: "loss",
                title: "Loss of valid records by attacker share, worst adversary",
                description: "Valid requests that are not stored: the loss that the name of the paper's product loss ratio suggests. The paper \
             defines the opposite under that name, a success ratio; it is the column psr_lit.",
                unit: "product loss ratio (ours)",
            },
            Metric::Plr,
            Against::Greatest,
            true,
        ),
        delay(
            table,
            Caption {
                id: "delay",
                title: "Average authentication delay by attacker share, silent validators",
                description: "Virtual time from request to decision, over decided requests; the tables count undecided ones, which are never averaged. One attempt is 4 s. \
             A rule that waits for all validators waits a whole attempt as soon as one is silent.",
                unit: "virtual milliseconds",
            },
            |cell| cell.measured.delays().mean,
        ),
        delay(
            table,
            Caption {
                id: "longest-delay",
                title: "Maximum authentication delay by attacker share, silent validators",
                description: "The longest virtual time to a decision. Three attempts bound it for every rule.",
                unit: "virtual milliseconds",
            },
            |cell| cell.measured.delays().max.map(|max| max as f64),
        ),
    ]
}

/// How the paper's figure can arise.
pub(super) fn reconstruction(table: &Table) -> Figure {
    let falsify = Against::One(Adversary::Falsify);
    let of = |rule, metric| line(table, 0.9, rule, falsify, measured(metric));
    Figure {
        id: "reconstruction",
        title: "How the paper's pair can arise: 90 % of requests valid, validators that falsify".to_owned(),
        description: words::reconstruction(table),
        unit: "share",
        top: 1.05,
        series: vec![
            series("the paper's rule: correct decisions (CDR)", 4, of(Rule::PaperFailrv, Metric::Cdr)),
            series("the paper's rule: balanced (bCDR)", 1, of(Rule::PaperFailrv, Metric::Bcdr)),
            series(
                "the paper's rule: invalid requests accepted (FAR)",
                3,
                of(Rule::PaperFailrv, Metric::Far),
            ),
            limit("accepting everything (prior_only)", 2, of(Rule::PriorOnly, Metric::Cdr)),
        ],
    }
}

/// The real protocol beside the Monte-Carlo.
pub(super) fn protocol(points: &[Point]) -> Figure {
    let mut lines = Vec::new();
    for (place, played) in Played::ALL.into_iter().enumerate() {
        let these =
            || points.iter().filter(move |point| point.spot.played == played && point.spot.under_way == 1);
        let seen = these().map(|point| {
            let share = point.spot.share.of_one();
            (share, point.cdr, point.interval.0, point.interval.1)
        });
        lines.push(series(
            format!("real protocol, {}; band: the interval of the simulation", played.adversary().name()),
            place,
            seen.collect(),
        ));
        let expected = these().map(|point| {
            let mean = point.expected.mean;
            (point.spot.share.of_one(), mean, mean, mean)
        });
        lines.push(limit(format!("Monte-Carlo, {}", played.adversary().name()), place, expected.collect()));
    }
    Figure {
        id: "protocol",
        title: "The real protocol and the Monte-Carlo simulation of its rule".to_owned(),
        description: words::protocol(points),
        unit: "correct decisions (CDR)",
        top: 1.05,
        series: lines.into_iter().filter(|line| !line.points.is_empty()).collect(),
    }
}
