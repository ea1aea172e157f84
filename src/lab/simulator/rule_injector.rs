//! Fault rules carried out in a simulated network.

use crate::faults::{Adversary, FaultKind, FaultRule, RunningRule, Scope, Trigger};
use crate::simulator::{ByzantinePolicy, Envelope, FaultInjector, Roster};
use bemr::wire::{Name, Time};
use bemr_model::Actor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// After how many milliseconds a replayed envelope arrives again.
const REPLAYED_AFTER: u64 = 60_000;

/// How often each rule was carried out, in their order. Votes are not counted: a validator does not say which it falsified.
pub type Injected = Rc<RefCell<Vec<u32>>>;

/// What an adversary makes of a network: what becomes of envelopes, and how validators behave.
pub struct Injection {
    /// Decides what becomes of each envelope.
    pub injector: Box<dyn FaultInjector>,
    /// How each validator behaves, in their order.
    pub policies: Vec<ByzantinePolicy>,
    /// Counts while the network runs.
    pub injected: Injected,
}

struct RuleInjector {
    rules: Vec<RunningRule>,
    actors: BTreeMap<Name, Actor>,
    start: Time,
    rng: ChaCha8Rng,
    injected: Injected,
}

impl Injection {
    /// The rules of an adversary in a network of so many validators whose time begins at `start`; chance comes from the seed.
    ///
    /// # Errors
    /// The first rule that a simulated network does not carry out.
    pub fn new(
        adversary: &Adversary,
        validators: usize,
        start: Time,
        seed: u64,
    ) -> Result<Injection, String> {
        let roster = Roster::new(validators);
        for (place, rule) in adversary.rules().iter().enumerate() {
            if !is_carried_out(rule) {
                return Err(format!(
                    "[{place}]: {rule}: a run carries out silence, delay, drop, duplicate and replay, and contradict \
                     whenever a validator votes; `bemr check --adversary` carries out every rule"
                ));
            }
        }
        let users = (0..).map(Actor::User).zip(roster.users());
        let validators = (0..=u8::MAX).map(Actor::Validator).zip(&roster.validators);
        let servers = [(Actor::Bsd, &roster.bsd), (Actor::Cloud, &roster.cloud)];
        let actors = users.chain(validators).chain(servers);
        let injected = Rc::new(RefCell::new(vec![0; adversary.rules().len()]));
        let policy = |place: usize| {
            let own = |rule: &&FaultRule| rule.scope.node() == Some(Actor::Validator(place as u8));
            let votes = |rule: &&FaultRule| rule.kind == FaultKind::Contradict;
            let rules: Vec<FaultRule> = adversary.rules().iter().filter(own).filter(votes).cloned().collect();
            ByzantinePolicy::of(&rules)
        };
        Ok(Injection {
            policies: (0..roster.validators.len()).map(policy).collect(),
            injector: Box::new(RuleInjector {
                rules: adversary.rules().iter().map(RunningRule::new).collect(),
                actors: actors.map(|(actor, name)| (name.clone(), actor)).collect(),
                start,
                rng: ChaCha8Rng::seed_from_u64(seed),
                injected: Rc::clone(&injected),
            }),
            injected,
        })
    }
}

fn is_carried_out(rule: &FaultRule) -> bool {
    let FaultRule { kind, scope, trigger, budget } = rule;
    match kind {
        FaultKind::Silence
        | FaultKind::Delay { .. }
        | FaultKind::Drop
        | FaultKind::Duplicate
        | FaultKind::Replay => true,
        FaultKind::Contradict => {
            let always = Trigger { thousandths: trigger.thousandths, ..Trigger::ALWAYS } == *trigger;
            always && budget.is_none() && matches!(scope, Scope::Node(Actor::Validator(_)))
        }
        _ => false,
    }
}

impl RuleInjector {
    /// The first rule that is carried out on this envelope.
    fn fires(&mut self, now: Time, envelope: &Envelope) -> Option<FaultKind> {
        let from = *self.actors.get(&envelope.from)?;
        let to = *self.actors.get(&envelope.to)?;
        let since = now.0.saturating_sub(self.start.0);
        for (place, running) in self.rules.iter_mut().enumerate() {
            let lucky = |thousandths| self.rng.random_range(0..1_000) < thousandths;
            let on = Some((from, to, envelope.label));
            if !running.rule.kind.is_of_votes() && running.takes(since, on, None, lucky) {
                running.spend();
                self.injected.borrow_mut()[place] += 1;
                return Some(running.rule.kind);
            }
        }
        None
    }
}

impl FaultInjector for RuleInjector {
    fn decide(&mut self, now: Time, envelope: Envelope) -> Vec<(u64, Envelope)> {
        match self.fires(now, &envelope) {
            Some(FaultKind::Silence | FaultKind::Drop) => Vec::new(),
            Some(FaultKind::Delay { by }) => vec![(by, envelope)],
            Some(FaultKind::Duplicate) => vec![(0, envelope.clone()), (0, envelope)],
            Some(FaultKind::Replay) => vec![(0, envelope.clone()), (REPLAYED_AFTER, envelope)],
            _ => vec![(0, envelope)],
        }
    }
}
