//! Weighted majority with multiplicative updates (Littlestone and Warmuth), beta one half.
//!
//! Silence is a vote for false. That makes every validator an expert in every transaction, which the bound needs.

use super::reputation::weigh;
use super::{Decided, Decider, Ruling};
use crate::experiment::Voters;
use crate::experiment::setting::{Ballots, Delay, Reexecution};
use bemr::wire::Ballot;

/// One half to this power; below the least normal number it is zero.
fn half_to(power: u32) -> f64 {
    if power < 1023 { f64::from_bits(u64::from(1023 - power) << 52) } else { 0.0 }
}

/// What somebody new begins with.
#[derive(Clone, Copy)]
enum Newcomers {
    /// As much as the least of all.
    LeastWeight,
    /// As much as everybody began with.
    FullWeight,
}

/// Weighted majority.
pub(super) struct Weighted {
    mistakes: Vec<u32>,
    /// One half to the power of mistakes, less the fewest that anybody made.
    weights: Vec<f64>,
    total: f64,
    newcomers: Newcomers,
}

impl Weighted {
    fn begin(validators: usize, newcomers: Newcomers) -> Weighted {
        Weighted {
            mistakes: vec![0; validators],
            weights: vec![1.0; validators],
            total: validators as f64,
            newcomers,
        }
    }

    pub(super) fn with_newcomers_at_least_weight(validators: usize) -> Weighted {
        Weighted::begin(validators, Newcomers::LeastWeight)
    }

    pub(super) fn with_newcomers_at_full_weight(validators: usize) -> Weighted {
        Weighted::begin(validators, Newcomers::FullWeight)
    }

    fn reweigh(&mut self) {
        let fewest = self.mistakes.iter().copied().min().unwrap_or(0);
        for (weight, mistakes) in self.weights.iter_mut().zip(&self.mistakes) {
            *weight = half_to(mistakes - fewest);
        }
        self.total = self.weights.iter().sum();
    }

    fn mistakes_of_newcomer(&self) -> u32 {
        match self.newcomers {
            Newcomers::LeastWeight => self.mistakes.iter().copied().max().unwrap_or(0),
            Newcomers::FullWeight => 0,
        }
    }
}

impl Decider for Weighted {
    fn decide(&mut self, ballots: &Ballots<'_>, _: &mut Reexecution) -> Decided {
        let ((for_true, for_false), evidence, at) = weigh(ballots, self.total, |place| self.weights[place]);
        // Whoever is still silent at the end says false; a tie is false as well.
        let verdict = if 2.0 * for_true > self.total { Ballot::True } else { Ballot::False };
        let heard_enough = at < Delay::end_of(0) || 2.0 * for_true.max(for_false) > self.total;
        let acknowledged = heard_enough.then_some(0);
        Decided { ruling: Ruling::from(verdict), at, acknowledged, evidence }
    }

    fn learn(&mut self, ballots: &Ballots<'_>, label: Ballot) {
        let right = match label {
            Ballot::True => ballots.saying(Ballot::True, ballots.answered(0)),
            Ballot::False => ballots.all().without(ballots.saying(Ballot::True, ballots.answered(0))),
        };
        let wrong = ballots.all().without(right);
        if wrong.is_empty() {
            return;
        }
        wrong.places().for_each(|place| self.mistakes[place] += 1);
        self.reweigh();
    }

    fn weight(&self, place: usize) -> f64 {
        self.weights[place]
    }

    fn newcomer(&self) -> f64 {
        let fewest = self.mistakes.iter().copied().min().unwrap_or(0);
        half_to(self.mistakes_of_newcomer().saturating_sub(fewest))
    }

    fn renew(&mut self, places: Voters) {
        let mistakes = self.mistakes_of_newcomer();
        places.places().for_each(|place| self.mistakes[place] = mistakes);
        self.reweigh();
    }
}
