//! Adversaries by chance.

use crate::faults::{Adversary, FaultKind, FaultRule, Scope, Trigger};
use bemr_model::{Actor, MESSAGES, Setup, Time};
use rand::{Rng, RngExt};
use std::collections::BTreeSet;

/// The most rules of one that is drawn.
const RULES: usize = 4;

/// How long a life is thought to be, in milliseconds.
const LIFE: Time = 60_000;

/// The longest delay.
const LONG: Time = 5_000;

impl Adversary {
    /// Some adversary of a network: one to four rules that do not contradict each other. Of the validators at most those lie of
    /// whom the protocol bears that they do.
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
        let from = rng.random_range(0..LIFE);
        trigger.from = (from > LIFE / 8).then_some(from);
        trigger.until = Some(from + rng.random_range(1..LIFE / 2));
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

fn kind(rng: &mut impl Rng) -> FaultKind {
    match rng.random_range(0..18) {
        0 => FaultKind::Silence,
        1 => FaultKind::Delay { by: rng.random_range(1..=LONG) },
        2 => FaultKind::Drop,
        3 => FaultKind::Duplicate,
        4 => FaultKind::Reorder,
        5 => FaultKind::Replay,
        6 => FaultKind::Redirect,
        7 => FaultKind::Corrupt,
        8 => FaultKind::Impersonate,
        9 => FaultKind::Publish,
        10 => FaultKind::Contradict,
        11 => FaultKind::Equivocate,
        12 => FaultKind::Certify,
        13 => FaultKind::Falsify,
        14 => FaultKind::Crash,
        15 => FaultKind::Tamper,
        16 => FaultKind::Leak,
        _ => FaultKind::Lie,
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
