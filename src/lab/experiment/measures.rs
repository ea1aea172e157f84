//! The measures of a cell of the table: ratios with their spread over runs, delays, and injected faults.
//!
//! All sums are integers, so that neither the order of runs nor the number of threads changes a digit.

use super::counts::Counts;
use super::setting::Delay;
use serde::Serialize;

/// A ratio's mean over runs, and half the width of its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean over runs.
    pub mean: f64,
    /// 1.96 standard errors over runs.
    pub half: f64,
    /// Runs in which the ratio exists.
    pub runs: u64,
}

impl Estimate {
    /// The lower end of the interval.
    pub fn lower(&self) -> f64 {
        self.mean - self.half
    }

    /// The upper end of the interval.
    pub fn upper(&self) -> f64 {
        self.mean + self.half
    }
}

/// A ratio over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    runs: u64,
    sum: u128,
    squares: u128,
}

/// One, in the unit of the sums.
const ONE: f64 = (1_u64 << 40) as f64;

impl Spread {
    /// Adds a run's ratio, 0 to 1; none where its denominator is zero.
    pub(super) fn add(&mut self, part: u64, whole: u64) {
        if whole > 0 {
            let units = (u128::from(part) << 40) / u128::from(whole);
            self.runs += 1;
            self.sum += units;
            self.squares += units * units;
        }
    }

    pub(super) fn merge(&mut self, other: &Spread) {
        self.runs += other.runs;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    pub(super) fn estimate(&self) -> Option<Estimate> {
        if self.runs == 0 {
            return None;
        }
        let n = self.runs as f64;
        let mean = self.sum as f64 / ONE / n;
        let variance = (self.squares as f64 / ONE / ONE / n - mean * mean).max(0.0);
        let deviation = if self.runs > 1 { (variance * n / (n - 1.0)).sqrt() } else { 0.0 };
        Some(Estimate { mean, half: 1.96 * deviation / n.sqrt(), runs: self.runs })
    }
}

/// A ratio that is measured in every cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Right decisions; undecided counts as wrong.
    Cdr,
    /// The mean of the same over right and over wrong requests: the mix of requests has no part in it.
    Bcdr,
    /// Wrong requests that are accepted.
    Far,
    /// Right requests that are rejected.
    Frr,
    /// Undecided ones.
    Ur,
    /// The paper's authentication rate: right requests that are accepted in time.
    Ar,
    /// The paper's "likelihood of issuing valid authorizations": accepted ones that are right.
    Ap,
    /// The paper's "product loss ratio" to the letter: verdicts of the network over requests. A success.
    PsrLit,
    /// Valid requests that are not stored in the end.
    Plr,
    /// No verdict of the network in the first attempt.
    BhrEffective,
    /// No verdict of the network at all.
    BhrResidual,
    /// Wrong or no decisions that a falsified vote is in.
    FrEffective,
    /// Re-executions for each transaction.
    Cost,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 13] = [
        Metric::Cdr,
        Metric::Bcdr,
        Metric::Far,
        Metric::Frr,
        Metric::Ur,
        Metric::Ar,
        Metric::Ap,
        Metric::PsrLit,
        Metric::Plr,
        Metric::BhrEffective,
        Metric::BhrResidual,
        Metric::FrEffective,
        Metric::Cost,
    ];

    /// Its name in every table.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Cdr => "cdr",
            Metric::Bcdr => "bcdr",
            Metric::Far => "far",
            Metric::Frr => "frr",
            Metric::Ur => "ur",
            Metric::Ar => "authentication_rate",
            Metric::Ap => "authorization_precision",
            Metric::PsrLit => "psr_lit",
            Metric::Plr => "plr",
            Metric::BhrEffective => "bhr_effective",
            Metric::BhrResidual => "bhr_residual",
            Metric::FrEffective => "fr_effective",
            Metric::Cost => "reexecutions",
        }
    }

    fn of(self, run: &Counts) -> (u64, u64) {
        let [[wrong_in, wrong_out, _], [right_in, right_out, _]] = run.by;
        let (all, right, wrong) = (run.all(), run.of(true), run.of(false));
        let first = run.acknowledged[0];
        let acknowledged = run.acknowledged.iter().sum::<u64>();
        match self {
            Metric::Cdr => (run.correct(), all),
            Metric::Bcdr => (right_in * wrong + wrong_out * right, 2 * right * wrong),
            Metric::Far => (wrong_in, wrong),
            Metric::Frr => (right_out, right),
            Metric::Ur => (run.undecided(), all),
            Metric::Ar => (right_in, right),
            Metric::Ap => (right_in, right_in + wrong_in),
            Metric::PsrLit => (acknowledged, all),
            Metric::Plr => (right - right_in, right),
            Metric::BhrEffective => (all - first, all),
            Metric::BhrResidual => (all - acknowledged, all),
            Metric::FrEffective => (run.misled, all),
            Metric::Cost => (run.executed, all),
        }
    }
}

/// The measures of one cell, over all its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    spreads: [Spread; Metric::ALL.len()],
    total: Counts,
    faultless: u64,
}

/// How long decisions took, in virtual milliseconds. The undecided are counted, not averaged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Delays {
    /// The mean over decided transactions.
    pub mean: Option<f64>,
    /// The mean over right decisions.
    pub mean_right: Option<f64>,
    /// The paper's to the letter: the sum over decided ones by the number of right ones.
    pub average_lit: Option<f64>,
    /// The median.
    pub median: Option<u64>,
    /// The ninety-fifth part of a hundred.
    pub p95: Option<u64>,
    /// The greatest.
    pub max: Option<u64>,
    /// Decided ones.
    pub decided: u64,
    /// Undecided ones, whose delay is no less than the deadline.
    pub censored: u64,
}

/// The faults that an adversary injected, as shares of the possible ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Injected {
    /// Answers suppressed, of those due in the first attempt.
    pub suppressed: f64,
    /// False verdicts, of those delivered in the first attempt.
    pub falsified: f64,
    /// Falsified verdicts that a re-execution proved false, of those delivered.
    pub detected: Option<f64>,
}

impl Measured {
    pub(super) fn add(&mut self, run: &Counts) {
        assert!(
            run.identity_holds(),
            "every decision is correct, a false acceptance, a false rejection or undecided"
        );
        for (spread, metric) in self.spreads.iter_mut().zip(Metric::ALL) {
            let (part, whole) = metric.of(run);
            spread.add(part, whole);
        }
        self.faultless += u64::from(run.correct() == run.all());
        self.total.merge(run);
    }

    pub(super) fn merge(&mut self, other: &Measured) {
        for (into, from) in self.spreads.iter_mut().zip(&other.spreads) {
            into.merge(from);
        }
        self.faultless += other.faultless;
        self.total.merge(&other.total);
    }

    /// A ratio; none where it exists in no run.
    pub fn estimate(&self, metric: Metric) -> Option<Estimate> {
        self.spreads[metric as usize].estimate()
    }

    /// Runs without a wrong decision. Where all are, fewer than three in so many have one, by the rule of three.
    pub fn faultless(&self) -> u64 {
        self.faultless
    }

    /// Transactions in all runs.
    pub fn transactions(&self) -> u64 {
        self.total.all()
    }

    /// The share of requests that were right.
    pub fn prior(&self) -> f64 {
        self.total.of(true) as f64 / self.total.all() as f64
    }

    /// How long it took.
    pub fn delays(&self) -> Delays {
        let Counts { waited, waited_right, delays, .. } = &self.total;
        let decided: u64 = delays.iter().flatten().sum();
        let correct = self.total.correct();
        let mean = |sum: u64, of: u64| (of > 0).then(|| sum as f64 / of as f64);
        let steps = delays.iter().enumerate().flat_map(|(expired, row)| {
            let at = move |ticks: usize| Delay { expired: expired as u8, ticks: ticks as u8 }.milliseconds();
            row.iter().enumerate().map(move |(ticks, count)| (at(ticks), *count))
        });
        let steps: Vec<(u64, u64)> = steps.filter(|(_, count)| *count > 0).collect();
        let quantile = |hundredths: u64| {
            let mut seen = 0;
            let reached = |(at, count): &(u64, u64)| {
                seen += count;
                (seen * 100 >= decided * hundredths).then_some(*at)
            };
            steps.iter().find_map(reached)
        };
        Delays {
            mean: mean(*waited, decided),
            mean_right: mean(*waited_right, correct),
            average_lit: mean(*waited, correct),
            median: quantile(50),
            p95: quantile(95),
            max: steps.last().map(|(at, _)| *at),
            decided,
            censored: self.total.undecided(),
        }
    }

    /// What was injected.
    pub fn injected(&self) -> Injected {
        let Counts { asked, suppressed, delivered, falsified, proved, .. } = self.total;
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        Injected {
            suppressed: share(suppressed, asked),
            falsified: share(falsified, delivered),
            detected: (falsified > 0).then(|| share(proved, falsified)),
        }
    }
}
