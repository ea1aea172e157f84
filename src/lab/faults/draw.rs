//! Adversaries by chance.

use crate::faults::{Adversary, Behaviour, Ploy, Target, When};
use bemr_model::{Actor, MESSAGES, Setup, Time};
use rand::{Rng, RngExt};
use std::collections::BTreeSet;

/// The most ploys of one that is drawn.
const PLOYS: usize = 4;

/// How long a life is thought to be, in milliseconds.
const LIFE: Time = 60_000;

/// The longest delay.
const LONG: Time = 5_000;

impl Adversary {
    /// Some adversary of a network: one to four ploys that do not contradict each other. Of the validators at most those lie of
    /// whom the protocol bears that they do.
    pub fn draw(rng: &mut impl Rng, setup: &Setup) -> Adversary {
        let bearable = usize::from(setup.validators.saturating_sub(1) / 3);
        let mut drawn = Adversary::NOBODY;
        for _ in 0..rng.random_range(1..=PLOYS) {
            let mut ploys = drawn.0.clone();
            ploys.push(ploy(rng, setup));
            match Adversary::new(ploys) {
                Ok(next) if next.liars() <= bearable => drawn = next,
                // What cannot be beside the others is left out.
                _ => {}
            }
        }
        drawn
    }
}

fn ploy(rng: &mut impl Rng, setup: &Setup) -> Ploy {
    let behaviour = behaviour(rng);
    let target = target(rng, setup, behaviour);
    let mut when = When::ALWAYS;
    if rng.random_range(0..2) == 0 && behaviour != Behaviour::Silence {
        when.thousandths = Some([20, 100, 300, 700][rng.random_range(0..4)]);
    }
    if rng.random_range(0..3) == 0 || behaviour == Behaviour::Silence {
        let from = rng.random_range(0..LIFE);
        when.from = (from > LIFE / 8).then_some(from);
        when.until = Some(from + rng.random_range(1..LIFE / 2));
    }
    if behaviour.is_of_messages() && rng.random_range(0..3) == 0 {
        when.message = Some(MESSAGES[rng.random_range(0..MESSAGES.len())].to_owned());
    }
    if behaviour.is_of_votes() {
        when.winning = rng.random_range(0..4) == 0;
        when.after = (rng.random_range(0..4) == 0).then(|| rng.random_range(1..10));
    }
    let budget = (rng.random_range(0..3) == 0).then(|| rng.random_range(1..=20));
    Ploy { behaviour, target, when, budget }
}

fn behaviour(rng: &mut impl Rng) -> Behaviour {
    match rng.random_range(0..18) {
        0 => Behaviour::Silence,
        1 => Behaviour::Delay { by: rng.random_range(1..=LONG) },
        2 => Behaviour::Drop,
        3 => Behaviour::Duplicate,
        4 => Behaviour::Reorder,
        5 => Behaviour::Replay,
        6 => Behaviour::Redirect,
        7 => Behaviour::Spoil,
        8 => Behaviour::Pose,
        9 => Behaviour::Tell,
        10 => Behaviour::Contradict,
        11 => Behaviour::Equivocate,
        12 => Behaviour::Certify,
        13 => Behaviour::Falsify,
        14 => Behaviour::Crash,
        15 => Behaviour::Tamper,
        16 => Behaviour::Leak,
        _ => Behaviour::Lie,
    }
}

fn target(rng: &mut impl Rng, setup: &Setup, behaviour: Behaviour) -> Target {
    if behaviour == Behaviour::Certify {
        return Target::Node(Actor::Kdc);
    }
    let validator = |rng: &mut _| Actor::Validator(RngExt::random_range(rng, 0..setup.validators));
    let anybody = |rng: &mut _| match RngExt::random_range(rng, 0..5) {
        0 => Actor::Bsd,
        1 => Actor::Cloud,
        2 => Actor::User(RngExt::random_range(rng, 0..setup.users)),
        _ => validator(rng),
    };
    if behaviour.is_of_a_node() {
        return Target::Node(if behaviour.is_of_votes() { validator(rng) } else { anybody(rng) });
    }
    match rng.random_range(0..6) {
        0 => Target::Node(anybody(rng)),
        1 => Target::Towards(anybody(rng)),
        2 => Target::Link { from: anybody(rng), to: anybody(rng) },
        3 => {
            let many = rng.random_range(1..=usize::from(setup.validators));
            let side: BTreeSet<Actor> = (0..many).map(|_| anybody(rng)).collect();
            Target::Across(side)
        }
        _ => Target::Everything,
    }
}
