//! Many random lives in lockstep.

use crate::conformance::lockstep::statistics::broken;
use crate::conformance::lockstep::{Divergence, Driver, Lockstep, Statistics, shrink};
use crate::conformance::{Header, Step, Trace};
use crate::crypto::Suite;
use bemr_spec::Rules;
use bemr_spec::model::{Action, Setup};

/// How many lives, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed; the lives have this one and those after it.
    pub seed: u64,
    /// How many.
    pub lives: u64,
    /// Steps of each.
    pub steps: usize,
    /// The rules of both sides.
    pub rules: Rules,
}

/// A life in which model and implementation parted.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// Its network.
    pub setup: Setup,
    /// The trace, as short as it could be made.
    pub actions: Vec<Action>,
    /// How many steps it had before.
    pub steps: usize,
    /// How they part.
    pub divergence: Divergence,
}

/// What a campaign found.
#[derive(Clone, Debug, Default)]
pub struct CampaignReport {
    /// Lives that were lived.
    pub lives: u64,
    /// What they exercised.
    pub statistics: Statistics,
    /// The first life in which the two parted.
    pub failure: Option<Failure>,
}

impl Failure {
    /// The trace, for people and for [`crate::conformance::rerun`].
    pub fn trace(&self, rules: Rules) -> Trace {
        let mut trace = trace_of(rules, &self.setup, &self.actions);
        trace.header.note = Some(format!("seed {}", self.seed));
        trace
    }
}

/// The trace of these actions, up to where model and implementation part. That step is told as the model has it.
pub fn trace_of(rules: Rules, setup: &Setup, actions: &[Action]) -> Trace {
    let header = Header::new(Suite::Tiny, &rules, *setup);
    let mut steps: Vec<Step> = Vec::new();
    let Ok(mut both) = Lockstep::new(rules, setup) else { return Trace { header, steps } };
    for action in actions {
        let number = steps.len() as u64 + 1;
        let alone = both.world().clone().perform(action);
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

impl Campaign {
    /// Lives all lives, or up to the first in which the two part; `tell` hears of each.
    pub fn run(&self, mut tell: impl FnMut(u64)) -> CampaignReport {
        let mut report = CampaignReport::default();
        for seed in self.seed..self.seed.saturating_add(self.lives) {
            let lived = self.live(seed, &mut report.statistics);
            report.lives += 1;
            tell(report.lives);
            if let Err(failure) = lived {
                report.failure = Some(*failure);
                return report;
            }
        }
        report
    }

    /// Lives one life.
    ///
    /// # Errors
    /// The life in which they part, made short.
    pub fn live(&self, seed: u64, statistics: &mut Statistics) -> Result<(), Box<Failure>> {
        let mut driver = Driver::new(seed);
        let setup = *driver.setup();
        let mut both = Lockstep::new(self.rules, &setup).expect("a driver's networks can be built");
        let mut actions = Vec::new();
        let fail = |actions: Vec<Action>| {
            let (short, divergence) = shrink(self.rules, &setup, &actions);
            let divergence = divergence.expect("the same steps part the same way again");
            Box::new(Failure { seed, setup, steps: actions.len(), actions: short, divergence })
        };
        while both.steps() < self.steps {
            let Some(action) = driver.next(both.world()) else { break };
            let broken = broken(both.world(), &action);
            match both.step(&action) {
                Ok(Some((done, happened))) => {
                    statistics.count(&done, &happened, broken);
                    actions.push(done);
                }
                Ok(None) => {}
                Err(_) => {
                    actions.push(action);
                    return Err(fail(actions));
                }
            }
        }
        both.look().map_err(|_| fail(actions))
    }
}
