//! Provable bounds of a cell of the table, computed independently of the measurements.
//!
//! Every bound assumes independent errors of honest validators and the noise of the setting; chapter 16 has the proofs.

use super::adversary::Adversary;
use super::deciders::{Rule, SAMPLED};
use super::random_inputs::Noise;
use super::setting::ATTEMPTS;
use serde::Serialize;
use std::cmp::Ordering;

/// Bounds on the rate of right decisions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limit {
    /// No less than this.
    pub lower: Option<f64>,
    /// No more than this.
    pub upper: Option<f64>,
    /// Why.
    pub by: &'static str,
    /// Whether a measurement beyond it is a bug; otherwise it is for orientation.
    pub binding: bool,
}

/// The parameters of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Validators.
    pub validators: usize,
    /// Byzantine ones among them.
    pub held: usize,
    /// The share of the attacker.
    pub share: f64,
    /// Transactions of a run.
    pub transactions: usize,
    /// The share of right requests.
    pub prior: f64,
    /// What honest parties do wrong.
    pub noise: Noise,
    /// What those held do.
    pub adversary: Adversary,
}

/// P(X = k) for k = 0 to n, X binomial.
fn binomial(n: usize, p: f64) -> Vec<f64> {
    let mut weights = vec![1.0];
    for _ in 0..n {
        let mut next = vec![0.0; weights.len() + 1];
        for (k, weight) in weights.iter().enumerate() {
            next[k] += weight * (1.0 - p);
            next[k + 1] += weight * p;
        }
        weights = next;
    }
    weights
}

/// P(at least `least` of n), each with probability p.
pub fn at_least(least: usize, n: usize, p: f64) -> f64 {
    binomial(n, p).iter().skip(least).sum()
}

/// P(a majority of responders is right) where `held` of n always falsify: honest right ones outnumber all wrong ones.
pub fn majority_is_right(validators: usize, held: usize, noise: &Noise) -> f64 {
    let honest = validators - held;
    let heard = binomial(honest, 1.0 - noise.silence);
    let right = |heard: usize| {
        let correct = binomial(heard, 1.0 - noise.error);
        // c right of r heard: c > (r - c) + held.
        correct.iter().enumerate().filter(|(c, _)| 2 * c > heard + held).map(|(_, p)| p).sum::<f64>()
    };
    heard.iter().enumerate().map(|(r, p)| p * right(r)).sum()
}

/// P(some honest answer) when so many random validators are asked one after the other and a share is silent.
pub fn somebody_answers(share: f64, silence: f64, attempts: i32) -> f64 {
    1.0 - (share + (1.0 - share) * silence).powi(attempts)
}

/// Mistakes of weighted majority are at most this many times (best expert's mistakes + log2 n), for beta one half.
const WEIGHTED_MAJORITY: f64 = 2.409_420_839_653_209;

/// The bound on mistakes of weighted majority against the labels that it learns from.
pub fn weighted_majority_mistakes(best: u64, validators: usize) -> f64 {
    WEIGHTED_MAJORITY * (best as f64 + (validators as f64).log2())
}

impl Setting {
    /// Whether the Byzantine validators falsify in every transaction.
    fn is_constant(&self) -> bool {
        matches!(self.adversary, Adversary::Falsify | Adversary::Whitewash)
    }

    /// Bounds on the rate of right decisions of a rule in this set-up.
    pub fn limit(&self, rule: Rule) -> Limit {
        let Setting { validators, held, share, transactions, prior, noise, .. } = *self;
        let Noise { error, silence, execution } = noise;
        let honest = validators - held;
        let executed = 1.0 - execution;
        let quorum = 2 * validators / 3 + 1;
        let exact = |value: f64, by| Limit { lower: Some(value), upper: Some(value), by, binding: true };
        let least = |value: f64, by| Limit { lower: Some(value), upper: None, by, binding: true };
        match rule {
            Rule::Server
                if self.adversary == Adversary::Falsify || self.adversary == Adversary::BlackHole =>
            {
                let heard = 1.0 - silence.powi(ATTEMPTS as i32);
                exact((1.0 - share) * executed * heard, "an honest server, heard in three attempts")
            }
            Rule::Server => {
                let heard = 1.0 - silence.powi(ATTEMPTS as i32);
                least((1.0 - share) * executed * heard, "an honest server, heard in three attempts")
            }
            Rule::Majority => {
                let right = majority_is_right(validators, held, &noise);
                let by = "exact sum for falsifying validators, the worst for a majority";
                if self.is_constant() { exact(right, by) } else { least(right, by) }
            }
            Rule::BftQuorum => {
                let right = at_least(quorum, honest, (1.0 - silence) * (1.0 - error));
                let by = "a quorum of honest, right and heard validators";
                let exactly = self.is_constant() || self.adversary == Adversary::BlackHole || held == 0;
                if exactly { exact(right, by) } else { least(right, by) }
            }
            Rule::Bemr => {
                let heard = 1.0 - silence.powi(ATTEMPTS as i32);
                let right = at_least(quorum, honest, heard * (1.0 - error));
                let liars = quorum.saturating_sub(held);
                let certified_lie = if liars == 0 { 1.0 } else { at_least(liars, honest, heard * error) };
                let value = executed * (prior * right + (1.0 - prior) * (1.0 - certified_lie));
                least(
                    value,
                    "a right quorum for what is right; for what is wrong, no false quorum; and re-verification",
                )
            }
            Rule::FullRv => exact(executed, "re-verification errs with e_v, whatever anybody says"),
            Rule::ConflictRv => {
                let heard = at_least(1, honest, (1.0 - silence) * (1.0 - error));
                least(executed * heard, "re-verification wherever one correct validator is heard")
            }
            Rule::PriorOnly => exact(prior, "the share of right requests"),
            Rule::MwFull => {
                let best = error * (1.0 - silence) + silence * prior + execution;
                let mistakes = WEIGHTED_MAJORITY * (best + (validators as f64).log2() / transactions as f64);
                least(
                    1.0 - mistakes - execution,
                    "weighted majority, silence as false (Littlestone and Warmuth)",
                )
            }
            Rule::MwSampled | Rule::BetaSampled => {
                let best = error * (1.0 - silence) + silence * prior;
                let audits = SAMPLED * transactions as f64;
                let regret = (2.0 * (validators as f64).ln() / audits).sqrt();
                Limit {
                    lower: Some((1.0 - best - regret).max(0.0)),
                    upper: None,
                    by: "regret of a randomised forecaster under sampled labels: nearly vacuous",
                    binding: false,
                }
            }
            Rule::MwNaive | Rule::BetaFull | Rule::BetaSelf | Rule::PaperFailrv => {
                Limit { lower: None, upper: None, by: "nothing is proved", binding: false }
            }
        }
    }

    /// What the swap bound allows a rule that sees votes alone, under the worst adversary: at one half no more than one
    /// half; above, for a majority, what its exact rate below leaves over.
    pub fn swap(&self, rule: Rule) -> Option<f64> {
        let rest = self.validators - self.held;
        match (rule.is_vote_only(), self.held.cmp(&rest)) {
            (true, Ordering::Equal) => Some(0.5),
            (true, Ordering::Greater) if rule == Rule::Majority => {
                Some(1.0 - majority_is_right(self.validators, rest, &self.noise))
            }
            _ => None,
        }
    }
}
