//! The adversaries, as data. An adversary controls some of the validators; it knows the truth, the honest votes before its own,
//! and every weight.

use super::Voters;
use super::deciders::Decider;
use super::random_inputs::NetworkDraw;
use super::setting::ATTEMPTS;
use serde::Serialize;

/// The strategy of the Byzantine validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Adversary {
    /// They always vote against the truth.
    Falsify,
    /// They never answer.
    BlackHole,
    /// They falsify, and drop every second answer, in each attempt.
    Mixed,
    /// They are honest for three tenths of the run, and falsify from then on.
    Sleeper,
    /// They vote truthfully until together they weigh as much as the correct honest ones less the erring ones; then they falsify.
    Strategic,
    /// They falsify, and return under a new name after each falsification that an audit reveals, and when they weigh less than
    /// a newcomer.
    Whitewash,
    /// They vote against the truth with the error and the silence of honest ones.
    Mirror,
}

/// The share of a run for which a sleeper is honest.
const ASLEEP: f64 = 0.3;

impl Adversary {
    /// All of them.
    pub const ALL: [Adversary; 7] = [
        Adversary::Falsify,
        Adversary::BlackHole,
        Adversary::Mixed,
        Adversary::Sleeper,
        Adversary::Strategic,
        Adversary::Whitewash,
        Adversary::Mirror,
    ];

    /// Its name in every table.
    pub fn name(self) -> &'static str {
        match self {
            Adversary::Falsify => "falsify",
            Adversary::BlackHole => "black_hole",
            Adversary::Mixed => "mixed",
            Adversary::Sleeper => "sleeper",
            Adversary::Strategic => "strategic",
            Adversary::Whitewash => "whitewash",
            Adversary::Mirror => "mirror",
        }
    }
}

/// The behaviour of all validators in one transaction.
pub(super) struct Behaviour {
    /// Those that vote truthfully when they answer.
    pub(super) right: Voters,
    /// Those that have answered by the end of each attempt.
    pub(super) answered: [Voters; ATTEMPTS],
}

/// The behaviour of all validators: honest ones by the random inputs, those of `held` by the adversary.
pub(super) fn behaviour(
    adversary: Adversary,
    held: Voters,
    all: Voters,
    moment: &NetworkDraw,
    done: f64,
    decider: &dyn Decider,
) -> Behaviour {
    let honest = all.without(held);
    let truthful = honest.without(moment.errs);
    let (right, silent): (Voters, [Voters; ATTEMPTS]) = match adversary {
        Adversary::Falsify | Adversary::Whitewash => (truthful, [Voters::NOBODY; ATTEMPTS]),
        Adversary::BlackHole => (truthful, [held; ATTEMPTS]),
        Adversary::Mixed => (truthful, moment.coins.map(|coins| coins & held)),
        Adversary::Sleeper if done < ASLEEP => {
            (all.without(moment.errs), moment.silent.map(|silent| silent & held))
        }
        Adversary::Sleeper => (truthful, [Voters::NOBODY; ATTEMPTS]),
        Adversary::Strategic => {
            let weight = |voters: Voters| voters.places().map(|place| decider.weight(place)).sum::<f64>();
            let heard = honest.without(moment.silent[0]);
            let against = weight(heard & truthful) - weight(heard.without(truthful));
            let lie = !held.is_empty() && weight(held) >= against;
            (if lie { truthful } else { truthful | held }, [Voters::NOBODY; ATTEMPTS])
        }
        Adversary::Mirror => (truthful | (held & moment.errs), moment.silent.map(|silent| silent & held)),
    };
    let mut answered = [Voters::NOBODY; ATTEMPTS];
    let mut before = Voters::NOBODY;
    for (attempt, answered) in answered.iter_mut().enumerate() {
        let quiet = silent[attempt] | (moment.silent[attempt] & honest);
        before = before | all.without(quiet);
        *answered = before;
    }
    Behaviour { right, answered }
}
