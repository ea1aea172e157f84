//! Adversaries by chance.

use crate::faults::FaultKind::{self, *};
use crate::faults::{Adversary, FaultRule, Scope, Trigger};
use bemr_model::{Actor, MESSAGES, Setup, Time};
use rand::{Rng, RngExt};
use std::collections::BTreeSet;

/// The most rules of one that is drawn.
const RULES: usize = 4;

/// How long a run is expected to take, in milliseconds.
const DURATION: Time = 60_000;

/// The longest delay.
const LONG: Time = 5_000;

impl Adversary {
    /// Some adversary of a network: one to four rules that do not contradict each other. At most as many validators are Byzantine
    /// as the protocol tolerates.
    pub fn draw(rng: &mut impl Rng, setup: &Setup) -> Adversary {
        let bearable = usize::from(setup.validators.saturating_sub(1) / 3);
        let mut drawn = Adversary::NOBODY;
        for _ in 0..rng.random_range(1..=RULES) {
            let mut rules = drawn.0.clone();
            rules.push(rule(rng, setup));
            match Adversary::new(rules) {
                Ok(next) if next.liars() <= bearable => drawn = next,
                // What cannot be beside the others is left out.
                _ => {}
            }
        }
        drawn
    }
}

fn rule(rng: &mut impl Rng, setup: &Setup) -> FaultRule {
    let kind = kind(rng);
    let scope = scope(rng, setup, kind);
    let mut trigger = Trigger::ALWAYS;
    if rng.random_range(0..2) == 0 && kind != FaultKind::Silence {
        trigger.thousandths = Some([20, 100, 300, 700][rng.random_range(0..4)]);
    }
    if rng.random_range(0..3) == 0 || kind == FaultKind::Silence {
        let from = rng.random_range(0..DURATION);
        trigger.from = (from > DURATION / 8).then_some(from);
        trigger.until = Some(from + rng.random_range(1..DURATION / 2));
    }
    if kind.is_of_messages() && rng.random_range(0..3) == 0 {
        trigger.message = Some(MESSAGES[rng.random_range(0..MESSAGES.len())].to_owned());
    }
    if kind.is_of_votes() {
        trigger.winning = rng.random_range(0..4) == 0;
        trigger.after = (rng.random_range(0..4) == 0).then(|| rng.random_range(1..10));
    }
    let budget = (rng.random_range(0..3) == 0).then(|| rng.random_range(1..=20));
    FaultRule { kind, scope, trigger, budget }
}

/// Their order is that of the numbers drawn.
const KINDS: [FaultKind; 18] = [
    Silence,
    Delay { by: LONG },
    Drop,
    Duplicate,
    Reorder,
    Replay,
    Redirect,
    Corrupt,
    Impersonate,
    Publish,
    Contradict,
    Equivocate,
    Certify,
    Falsify,
    Crash,
    Tamper,
    Leak,
    Lie,
];

fn kind(rng: &mut impl Rng) -> FaultKind {
    match KINDS[rng.random_range(0..KINDS.len())] {
        Delay { .. } => Delay { by: rng.random_range(1..=LONG) },
        kind => kind,
    }
}

fn scope(rng: &mut impl Rng, setup: &Setup, kind: FaultKind) -> Scope {
    if kind == FaultKind::Certify {
        return Scope::Node(Actor::Kdc);
    }
    let validator = |rng: &mut _| Actor::Validator(RngExt::random_range(rng, 0..setup.validators));
    let anybody = |rng: &mut _| match RngExt::random_range(rng, 0..5) {
        0 => Actor::Bsd,
        1 => Actor::Cloud,
        2 => Actor::User(RngExt::random_range(rng, 0..setup.users)),
        _ => validator(rng),
    };
    if kind.is_of_a_node() {
        return Scope::Node(if kind.is_of_votes() { validator(rng) } else { anybody(rng) });
    }
    match rng.random_range(0..6) {
        0 => Scope::Node(anybody(rng)),
        1 => Scope::Towards(anybody(rng)),
        2 => Scope::Link { from: anybody(rng), to: anybody(rng) },
        3 => {
            let many = rng.random_range(1..=usize::from(setup.validators));
            let side: BTreeSet<Actor> = (0..many).map(|_| anybody(rng)).collect();
            Scope::Across(side)
        }
        _ => Scope::Everything,
    }
}
