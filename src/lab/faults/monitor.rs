//! Whether what happens is within what an adversary does.

use crate::faults::{Act, Adversary, FaultRule};
use bemr_model::Time;

/// An adversary, and what is left of its budgets. Chance, patience and prospects of winning are not held against it: of
/// those an act does not tell.
#[derive(Clone, Debug)]
pub struct Monitor {
    left: Vec<(FaultRule, Option<u32>)>,
}

impl Monitor {
    /// Of an adversary that has done nothing yet.
    pub fn new(adversary: &Adversary) -> Monitor {
        Monitor { left: adversary.rules().iter().map(|rule| (rule.clone(), rule.budget)).collect() }
    }

    /// Takes an act, on the account of the first rule that it can be; whether there is one.
    pub fn take(&mut self, now: Time, act: &Act) -> bool {
        let able = |(rule, left): &&mut (FaultRule, Option<u32>)| {
            *left != Some(0)
                && rule.kind.does(act.fault)
                && rule.scope.covers(act.from, act.to)
                && rule.trigger.covers(now, act.message)
        };
        match self.left.iter_mut().find(able) {
            Some((_, left)) => {
                *left = left.map(|left| left - 1);
                true
            }
            None => false,
        }
    }
}
