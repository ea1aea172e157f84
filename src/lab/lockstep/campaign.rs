//! Many random runs in lockstep.

use crate::faults::Adversary;
use crate::lockstep::coverage::broken;
use crate::lockstep::{AdversarialDriver, Coverage, Divergence, Driver, Lockstep, ShrunkRun, Sides, shrink};
use crate::trace::{Header, Step, Trace};
use bemr::crypto::Suite;
use bemr_model::{Action, Execution, LedgerKind, Lifetimes, Setup};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many runs, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed; the runs have this one and those after it.
    pub seed: u64,
    /// How many.
    pub runs: u64,
    /// Steps of each run.
    pub steps: usize,
    /// The rules of each side.
    pub sides: Sides,
}

/// How many runs after a failure are searched for a shorter one, and the most failures among them.
const AFTER: u64 = 40;
const OTHERS: usize = 4;

/// A run in which model and implementation diverged.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// How many steps it had.
    pub steps: usize,
    /// As short as it could be made.
    pub short: ShrunkRun,
}

/// What a campaign found.
#[derive(Clone, Debug, Default)]
pub struct CampaignReport {
    /// Runs that were executed.
    pub runs: u64,
    /// What they exercised.
    pub statistics: Coverage,
    /// The first run in which the two diverged.
    pub failure: Option<Failure>,
}

impl Failure {
    /// The trace, for people and for [`crate::trace::rerun`].
    pub fn trace(&self, sides: impl Into<Sides>) -> Trace {
        let ShrunkRun { setup, actions, divergence } = &self.short;
        let mut trace = trace_of(sides, setup, actions);
        trace.header.adversary = Some(trace.adversary());
        trace.header.note = Some(note(self.seed, divergence));
        trace
    }
}

/// What was found, in a line that a header can hold.
fn note(seed: u64, divergence: &Divergence) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    format!("seed {seed}: {divergence}").chars().map(printable).take(1000).collect()
}

/// The trace of these actions, up to where model and implementation diverge. That step is recorded as the model performs it; the
/// rules are those of the implementation, so that a replay shows the divergence.
pub fn trace_of(sides: impl Into<Sides>, setup: &Setup, actions: &[Action]) -> Trace {
    let sides = sides.into();
    let header = Header::new(Suite::Tiny, &sides.implementation, *setup);
    let mut steps: Vec<Step> = Vec::new();
    let Ok(mut both) = Lockstep::new(sides, setup) else { return Trace { header, steps } };
    for action in actions {
        let number = steps.len() as u64 + 1;
        let alone = both.model().clone().perform(action);
        match both.step(action) {
            Ok(Some((done, happened))) => steps.push(Step::of(number, done, &happened)),
            Ok(None) => {}
            Err(_) => {
                steps.extend(alone.map(|happened| Step::of(number, action.clone(), &happened)));
                break;
            }
        }
    }
    Trace { header, steps }
}

/// An adversary drawn from a seed, and a network for it: of any size, closed by quorum or by work.
pub fn drawn(seed: u64) -> (Adversary, Setup) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let ledger = if rng.random_range(0..8) == 0 { LedgerKind::Work } else { LedgerKind::Quorum };
    let setup = Setup {
        users: rng.random_range(2..=5),
        validators: [1, 3, 4, 7, 10][rng.random_range(0..5)],
        ledger,
        seed,
        established: rng.random_range(0..2) == 0,
        lifetimes: Lifetimes::LONG,
    };
    (Adversary::draw(&mut rng, &setup), setup)
}

impl CampaignReport {
    /// Adds what another campaign found.
    pub fn add(&mut self, other: CampaignReport) {
        self.runs += other.runs;
        self.statistics.add(&other.statistics);
        self.failure = self.failure.take().or(other.failure);
    }
}

impl Campaign {
    /// Executes all runs, or up to the first in which the two diverge, and calls `tell` after each.
    pub fn run(&self, tell: impl FnMut(u64)) -> CampaignReport {
        self.run_by(tell, |seed, statistics| self.live(seed, statistics))
    }

    /// The shortest of a failure of [`Campaign::run`] and the next few: how far a run shrinks is a matter of luck.
    pub fn shortest(&self, first: Failure) -> Failure {
        let after = first.seed.saturating_add(1)..=first.seed.saturating_add(AFTER);
        let others = after.filter_map(|seed| self.live(seed, &mut Coverage::default()).err()).take(OTHERS);
        others.fold(
            first,
            |best, other| {
                if other.short.actions.len() < best.short.actions.len() { *other } else { best }
            },
        )
    }

    /// As [`Campaign::run`], each run in the network and under the adversary that `of` gives for its seed.
    pub fn run_under(
        &self,
        mut of: impl FnMut(u64) -> (Adversary, Setup),
        tell: impl FnMut(u64),
    ) -> CampaignReport {
        self.run_by(tell, |seed, statistics| {
            let (adversary, setup) = of(seed);
            self.live_under(&adversary, &setup, statistics).map(drop)
        })
    }

    fn run_by(
        &self,
        mut tell: impl FnMut(u64),
        mut live: impl FnMut(u64, &mut Coverage) -> Result<(), Box<Failure>>,
    ) -> CampaignReport {
        let mut report = CampaignReport::default();
        for seed in self.seed..self.seed.saturating_add(self.runs) {
            let executed = live(seed, &mut report.statistics);
            report.runs += 1;
            tell(report.runs);
            if let Err(failure) = executed {
                report.failure = Some(*failure);
                return report;
            }
        }
        report
    }

    /// Executes one run.
    ///
    /// # Errors
    /// The run in which they diverge, shrunk.
    pub fn live(&self, seed: u64, statistics: &mut Coverage) -> Result<(), Box<Failure>> {
        let mut driver = Driver::new(seed);
        let setup = *driver.setup();
        self.live_by(seed, &setup, statistics, |model| driver.next(model)).map(drop)
    }

    /// Executes one run under an adversary, and gives its actions.
    ///
    /// # Errors
    /// The run in which they diverge, shrunk.
    pub fn live_under(
        &self,
        adversary: &Adversary,
        setup: &Setup,
        statistics: &mut Coverage,
    ) -> Result<Vec<Action>, Box<Failure>> {
        let mut adversarial = AdversarialDriver::new(adversary, setup);
        self.live_by(setup.seed, setup, statistics, |model| adversarial.next(model))
    }

    fn live_by(
        &self,
        seed: u64,
        setup: &Setup,
        statistics: &mut Coverage,
        mut next: impl FnMut(&Execution) -> Option<Action>,
    ) -> Result<Vec<Action>, Box<Failure>> {
        let mut both = match Lockstep::new(self.sides, setup) {
            Ok(both) => both,
            Err(refusal) => {
                let divergence = Divergence::Beginning(refusal.clause());
                let short = ShrunkRun { setup: *setup, actions: Vec::new(), divergence };
                return Err(Box::new(Failure { seed, steps: 0, short }));
            }
        };
        let mut actions = Vec::new();
        let fail = |actions: &[Action]| {
            let short = shrink(self.sides, setup, actions).expect("the same steps diverge again");
            Box::new(Failure { seed, steps: actions.len(), short })
        };
        while both.steps() < self.steps {
            let Some(action) = next(both.model()) else { break };
            let broken = broken(both.model(), &action);
            match both.step(&action) {
                Ok(Some((done, happened))) => {
                    statistics.count(&done, &happened, broken);
                    actions.push(done);
                }
                Ok(None) => {}
                Err(_) => {
                    actions.push(action);
                    return Err(fail(&actions));
                }
            }
        }
        both.check().map_err(|_| fail(&actions))?;
        Ok(actions)
    }
}
