//! Runs of the real protocol at some points of the grid, compared with the Monte-Carlo simulation.

use super::deciders::Rule;
use super::measures::{Estimate, Metric};
use super::protocol_run::{Seen, execute};
use super::random_inputs::{Noise, Size};
use super::{Adversary, Campaign, Share};
use crate::faults::{FaultKind, FaultRule, Scope, Trigger};
use crate::simulator::ByzantinePolicy;
use bemr::crypto::Suite;
use bemr_model::Actor;
use bemr_spec::Refusal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An adversary that the simulator can execute with the real protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Played {
    /// [`Adversary::Falsify`].
    Falsify,
    /// [`Adversary::BlackHole`]; they give no commit votes either.
    BlackHole,
    /// [`Adversary::Mixed`].
    Mixed,
}

impl Played {
    /// All of them.
    pub const ALL: [Played; 3] = [Played::Falsify, Played::BlackHole, Played::Mixed];

    /// The same adversary in the Monte-Carlo simulation.
    pub fn adversary(self) -> Adversary {
        match self {
            Played::Falsify => Adversary::Falsify,
            Played::BlackHole => Adversary::BlackHole,
            Played::Mixed => Adversary::Mixed,
        }
    }

    /// The fault rules of each Byzantine validator.
    fn rules(self) -> Vec<FaultRule> {
        let rule = |kind| FaultRule::new(kind, Scope::Node(Actor::Validator(0)));
        let one_in_two = Trigger { thousandths: Some(500), ..Trigger::ALWAYS };
        match self {
            Played::Falsify => vec![rule(FaultKind::Contradict)],
            Played::BlackHole => vec![rule(FaultKind::Silence)],
            Played::Mixed => vec![rule(FaultKind::Contradict), rule(FaultKind::Drop).when(one_in_two)],
        }
    }

    pub(super) fn policy(self) -> ByzantinePolicy {
        ByzantinePolicy::of(&self.rules())
    }
}

/// The noise of a real network: its BSD executes the contracts without error.
pub const REAL_NOISE: Noise = Noise { execution: 0.0, ..Noise::USUAL };

/// A point at which the real protocol runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GridPoint {
    /// What those held do.
    pub played: Played,
    /// How many are held.
    pub share: Share,
    /// Submissions in flight at a time.
    pub under_way: usize,
}

/// Runs of the real protocol at some spots.
#[derive(Clone, Debug, Serialize)]
pub struct Expedition {
    /// All chance comes from it.
    pub seed: u64,
    /// The suite of every key.
    #[serde(serialize_with = "named")]
    pub suite: Suite,
    /// Validators.
    pub validators: usize,
    /// Transactions at each point.
    pub transactions: usize,
    /// The share of right requests.
    pub prior: f64,
    /// Where.
    pub spots: Vec<GridPoint>,
}

fn named<S: serde::Serializer>(suite: &Suite, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&suite.to_string())
}

/// A point, and the result of the Monte-Carlo simulation.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// Where it is.
    pub spot: GridPoint,
    /// What was seen.
    pub seen: Seen,
    /// The rate of right decisions.
    pub cdr: f64,
    /// The same by the Monte-Carlo of the rule `bemr` in the same noise.
    pub expected: Estimate,
    /// The interval that contains the rate in 999 of 1000 cases if both agree.
    pub interval: (f64, f64),
    /// Whether it contains the rate.
    pub inside: bool,
    /// Whether it does, or does when each T_block that came too late is added.
    pub explained: bool,
}

impl Expedition {
    /// A seed of one point.
    fn seed_of(&self, point: usize) -> u64 {
        self.seed.wrapping_mul(1_000).wrapping_add(point as u64)
    }

    /// Goes to every spot; `done` hears how many transactions have ended.
    ///
    /// # Errors
    /// What refused a network, a record or a request: none of it is expected.
    pub fn run(&self, threads: usize, done: impl Fn(usize) + Sync) -> Result<Vec<Point>, Refusal> {
        let (next, over) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            let mut seen = Vec::new();
            loop {
                let point = next.fetch_add(1, Ordering::Relaxed);
                let Some(spot) = self.spots.get(point) else { return Ok(seen) };
                let ended = |count: usize| done(over.fetch_add(count, Ordering::Relaxed) + count);
                seen.push((point, execute(self, self.seed_of(point), spot, ended)?));
            }
        };
        let mut all: BTreeMap<usize, Seen> = BTreeMap::new();
        let results: Vec<Result<Vec<(usize, Seen)>, Refusal>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            // A panic of a worker has been reported already.
            workers.into_iter().map(|worker| worker.join().expect("a worker returns its refusal")).collect()
        });
        for result in results {
            all.extend(result?);
        }
        Ok(self.compare(all.into_values().collect(), threads))
    }

    /// Compares each point with the Monte-Carlo simulation.
    fn compare(&self, seen: Vec<Seen>, threads: usize) -> Vec<Point> {
        let size = Size { validators: self.validators, transactions: 500, runs: 100 };
        let adversaries = Played::ALL.map(Played::adversary).to_vec();
        let campaign = Campaign {
            noise: REAL_NOISE,
            priors: vec![self.prior],
            rules: vec![Rule::Bemr],
            adversaries,
            ..Campaign::usual(self.seed, size)
        };
        let table = campaign.run(threads, |_| ());
        let point = |(spot, seen): (&GridPoint, Seen)| {
            let cell = table.cell(self.prior, spot.played.adversary(), spot.share, Rule::Bemr)?;
            let expected = cell.measured.estimate(Metric::Cdr)?;
            let cdr = seen.cdr();
            let n = seen.all().max(1) as f64;
            // Normal, and no narrower than the rule of three where one side has nothing.
            let own = (expected.mean * (1.0 - expected.mean) / n).max(0.0).sqrt();
            let half = 3.29 * (own.powi(2) + (expected.half / 1.96).powi(2)).sqrt() + 3.0 / n;
            let interval = ((expected.mean - half).max(0.0), (expected.mean + half).min(1.0));
            let inside = interval.0 <= cdr && cdr <= interval.1;
            let given_back = cdr + seen.late as f64 / n;
            let explained = inside || (cdr < interval.0 && interval.0 <= given_back);
            Some(Point { spot: *spot, seen, cdr, expected, interval, inside, explained })
        };
        self.spots.iter().zip(seen).filter_map(point).collect()
    }
}
