//! The adversaries, as data. They hold some of the validators; they see the truth, the honest votes before their own, and
//! every weight.

use super::Voters;
use super::deciders::Decider;
use super::random_inputs::Moment;
use super::setting::ATTEMPTS;
use serde::Serialize;

/// What the validators do that an attacker holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Adversary {
    /// They always say the opposite of the truth.
    Falsify,
    /// They never answer.
    BlackHole,
    /// They falsify, and drop one answer in two, in each attempt.
    Mixed,
    /// They are honest for three tenths of the run, and falsify from then on.
    Sleeper,
    /// They tell the truth until together they weigh as much as the honest who are right less those who err; then they falsify.
    Strategic,
    /// They falsify, and come back under a new name after each lie that an audit showed, and when they weigh less than
    /// somebody new.
    Whitewash,
    /// They say the opposite of the truth with the error and the silence of honest ones.
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

/// What everybody does in one transaction.
pub(super) struct Deeds {
    /// Who says the truth when answering.
    pub(super) right: Voters,
    /// Who has answered by the end of each attempt.
    pub(super) answered: [Voters; ATTEMPTS],
}

/// What everybody does: the honest as their chance has it, those of `held` as the adversary wants it.
pub(super) fn deeds(
    adversary: Adversary,
    held: Voters,
    all: Voters,
    moment: &Moment,
    done: f64,
    decider: &dyn Decider,
) -> Deeds {
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
    Deeds { right, answered }
}
