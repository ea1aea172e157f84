//! The whole table: every rule against every adversary, share and mix of requests, over many runs.
//!
//! Runs are independent, their random inputs are drawn beforehand, and cells are summed in integers, so that the result does not
//! depend on the number of threads.

use super::adversary::Adversary;
use super::counts::Counts;
use super::deciders::{Rule, Ruling};
use super::limits::{Limit, Setting, weighted_majority_mistakes};
use super::measures::Measured;
use super::random_inputs::{Noise, RandomInputs, Size};
use super::trial::{Held, trial};
use super::{Share, Voters};
use bemr::wire::Ballot;
use serde::Serialize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The parameters of a campaign.
#[derive(Clone, Debug, Serialize)]
pub struct Campaign {
    /// The seed of all randomness.
    pub seed: u64,
    /// The size of a run.
    pub size: Size,
    /// The errors of honest parties.
    pub noise: Noise,
    /// Shares of valid requests.
    pub priors: Vec<f64>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The adversaries.
    pub adversaries: Vec<Adversary>,
    /// Shares of Byzantine validators.
    pub shares: Vec<Share>,
}

/// The shares of valid requests by default.
pub const PRIORS: [f64; 2] = [0.5, 0.9];

/// One cell of the table.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Validators.
    pub validators: usize,
    /// The share of valid requests.
    pub prior: f64,
    /// The strategy of the Byzantine validators.
    pub adversary: Adversary,
    /// The share of Byzantine validators.
    pub share: Share,
    /// The decision rule.
    pub rule: Rule,
    /// The measures.
    pub measured: Measured,
    /// The provable bounds on the rate of correct decisions.
    pub limit: Limit,
    /// The swap bound, where the rule uses votes alone.
    pub swap: Option<f64>,
}

/// A rule with every validator silent.
#[derive(Clone, Debug)]
pub struct Silenced {
    /// Validators.
    pub validators: usize,
    /// The share of valid requests.
    pub prior: f64,
    /// The decision rule.
    pub rule: Rule,
    /// The measures.
    pub measured: Measured,
}

/// How close runs came to the bound on the mistakes of weighted majority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MistakeBound {
    /// Runs that were compared.
    pub runs: u64,
    /// Runs with more mistakes than the bound allows: must be none.
    pub broken: u64,
    /// The greatest share of the allowed mistakes in a run.
    pub closest: f64,
}

/// The result of a campaign.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its parameters.
    pub campaign: Campaign,
    /// The cells, in the order of mixes, adversaries, shares and rules.
    pub cells: Vec<Cell>,
    /// Every rule without votes.
    pub silenced: Vec<Silenced>,
    /// The bound on mistakes, run by run.
    pub mistakes: MistakeBound,
}

#[derive(Default)]
struct Sums {
    cells: Vec<Measured>,
    silenced: Vec<Measured>,
    mistakes: MistakeBound,
}

impl Campaign {
    /// Every rule, adversary, share and mix, with the usual noise.
    pub fn usual(seed: u64, size: Size) -> Campaign {
        Campaign {
            seed,
            size,
            noise: Noise::USUAL,
            priors: PRIORS.to_vec(),
            rules: Rule::ALL.to_vec(),
            adversaries: Adversary::ALL.to_vec(),
            shares: Share::SWEEP.to_vec(),
        }
    }

    /// Executes it. `done` receives the number of finished runs.
    ///
    /// # Panics
    /// For more than [`Voters::MOST`] validators or none.
    pub fn run(self, threads: usize, done: impl Fn(usize) + Sync) -> Table {
        assert!((1..=Voters::MOST).contains(&self.size.validators), "a set of validators is one word");
        let (next, over) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            let mut sums = self.nothing();
            loop {
                let run = next.fetch_add(1, Ordering::Relaxed);
                if run >= self.size.runs {
                    return sums;
                }
                self.one_run(run, &mut sums);
                done(over.fetch_add(1, Ordering::Relaxed) + 1);
            }
        };
        let mut total = self.nothing();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                // A panic of a worker has been reported already.
                total.merge(&worker.join().expect("a worker only counts"));
            }
        });
        self.table(total)
    }

    fn nothing(&self) -> Sums {
        let pairs = self.priors.len() * self.rules.len();
        let cells = pairs * self.adversaries.len() * self.shares.len();
        Sums {
            cells: vec![Measured::default(); cells],
            silenced: vec![Measured::default(); pairs],
            mistakes: MistakeBound::default(),
        }
    }

    /// Mixes, adversaries, shares and rules, in the order of cells.
    fn places(&self) -> impl Iterator<Item = (f64, Adversary, Share, Rule)> {
        let Campaign { priors, adversaries, shares, rules, .. } = self;
        priors.iter().flat_map(move |prior| {
            adversaries.iter().flat_map(move |adversary| {
                let of = move |share: &Share| {
                    let share = *share;
                    rules.iter().map(move |rule| (*prior, *adversary, share, *rule))
                };
                shares.iter().flat_map(of)
            })
        })
    }

    fn one_run(&self, run: usize, sums: &mut Sums) {
        let inputs = RandomInputs::draw(self.seed, run, &self.size, &self.noise);
        for ((prior, adversary, share, rule), cell) in self.places().zip(&mut sums.cells) {
            let held = Held::By(adversary, share);
            let counts = match rule {
                Rule::MwFull => watched(rule, held, prior, &inputs, share, &mut sums.mistakes),
                _ => trial(rule, held, prior, &inputs, |_, _, _| ()),
            };
            cell.add(&counts);
        }
        let pairs = self.priors.iter().flat_map(|prior| self.rules.iter().map(move |rule| (*prior, *rule)));
        for ((prior, rule), silenced) in pairs.zip(&mut sums.silenced) {
            silenced.add(&trial(rule, Held::AllSilent, prior, &inputs, |_, _, _| ()));
        }
    }

    fn table(self, sums: Sums) -> Table {
        let Size { validators, transactions, .. } = self.size;
        let cell =
            |((prior, adversary, share, rule), measured): ((f64, Adversary, Share, Rule), Measured)| {
                let held = share.of(validators);
                let share_of_one = share.of_one();
                let noise = self.noise;
                let setting =
                    Setting { validators, held, share: share_of_one, transactions, prior, noise, adversary };
                let (limit, swap) = (setting.limit(rule), setting.swap(rule));
                Cell { validators, prior, adversary, share, rule, measured, limit, swap }
            };
        let cells = self.places().zip(sums.cells).map(cell).collect();
        let pairs = self.priors.iter().flat_map(|prior| self.rules.iter().map(move |rule| (*prior, *rule)));
        let silenced = pairs.zip(sums.silenced);
        let silenced = silenced
            .map(|((prior, rule), measured)| Silenced { validators, prior, rule, measured })
            .collect();
        Table { cells, silenced, mistakes: sums.mistakes, campaign: self }
    }
}

/// A run of weighted majority, whose mistakes are compared with their bound. Mistakes are those against the labels that
/// it learns from, which is what the bound is about.
fn watched(
    rule: Rule,
    held: Held,
    prior: f64,
    inputs: &RandomInputs,
    share: Share,
    bound: &mut MistakeBound,
) -> Counts {
    let validators = inputs.taken.len();
    let (mut mistakes, mut of_each) = (0_u64, vec![0_u64; validators]);
    let counts = trial(rule, held, prior, inputs, |ruling, ballots, label| {
        mistakes += u64::from(ruling != Ruling::from(label));
        let said_true = ballots.saying(Ballot::True, ballots.answered(0));
        let wrong = match label {
            Ballot::True => ballots.all().without(said_true),
            Ballot::False => said_true,
        };
        wrong.places().for_each(|place| of_each[place] += 1);
    });
    // A Byzantine validator may change its name, so that it is no fixed expert.
    let honest = &inputs.taken[share.of(validators)..];
    if let Some(best) = honest.iter().map(|place| of_each[*place]).min() {
        let used = mistakes as f64 / weighted_majority_mistakes(best, validators);
        bound.runs += 1;
        bound.broken += u64::from(used > 1.0);
        bound.closest = bound.closest.max(used);
    }
    counts
}

impl Sums {
    fn merge(&mut self, other: &Sums) {
        for (into, from) in self.cells.iter_mut().zip(&other.cells) {
            into.merge(from);
        }
        for (into, from) in self.silenced.iter_mut().zip(&other.silenced) {
            into.merge(from);
        }
        self.mistakes.runs += other.mistakes.runs;
        self.mistakes.broken += other.mistakes.broken;
        self.mistakes.closest = self.mistakes.closest.max(other.mistakes.closest);
    }
}

impl Table {
    /// The cell with these parameters.
    pub fn cell(&self, prior: f64, adversary: Adversary, share: Share, rule: Rule) -> Option<&Cell> {
        self.cells.iter().find(|cell| {
            (cell.prior, cell.adversary, cell.share, cell.rule) == (prior, adversary, share, rule)
        })
    }

    /// The cells with these parameters, of every adversary.
    pub fn against_all(&self, prior: f64, share: Share, rule: Rule) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(move |cell| (cell.prior, cell.share, cell.rule) == (prior, share, rule))
    }

    /// A rule without votes.
    pub fn without_votes(&self, prior: f64, rule: Rule) -> Option<&Silenced> {
        self.silenced.iter().find(|one| (one.prior, one.rule) == (prior, rule))
    }
}
