//! Whether what happens is within what an adversary does, and how often a rule was carried out.

use crate::faults::{Act, Adversary, FaultRule};
use bemr_model::{Actor, Time};

/// A rule while it is carried out: how often it could have been, and how often it still may be.
#[derive(Clone, Debug)]
pub struct RunningRule {
    /// The rule.
    pub rule: FaultRule,
    seen: u32,
    left: Option<u32>,
}

impl RunningRule {
    /// A rule that was not carried out yet.
    pub fn new(rule: &FaultRule) -> RunningRule {
        RunningRule { rule: rule.clone(), seen: 0, left: rule.budget }
    }

    /// Takes an opportunity at this instant, on a message between these ends if it is one; whether the rule is carried out by scope,
    /// trigger and what is left of its budget. `lucky` draws whether a thing happens in so many of a thousand cases; nothing is drawn
    /// where the rule cannot be carried out. A chance where the rule has none is `seldom`.
    pub fn takes(
        &mut self,
        now: Time,
        on: Option<(Actor, Actor, &str)>,
        seldom: Option<u16>,
        lucky: impl FnOnce(u16) -> bool,
    ) -> bool {
        let FaultRule { scope, trigger, .. } = &self.rule;
        let covered = on.is_none_or(|(from, to, _)| scope.covers(from, to));
        if self.left == Some(0) || !covered || !trigger.covers(now, on.map(|(.., message)| message)) {
            return false;
        }
        self.seen += 1;
        let patient = trigger.after.is_some_and(|after| self.seen <= after);
        let lucky = trigger.thousandths.or(seldom).is_none_or(lucky);
        lucky && !patient
    }

    /// The rule was carried out.
    pub fn spend(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
    }
}

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
