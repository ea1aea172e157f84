//! The claims about the table and their checks: the two claims with their negative controls, the swap bound under the mirror
//! adversary, every proved bound, and how the paper's figure can arise.

use super::campaign::{Cell, Table};
use super::deciders::Rule;
use super::measures::{Estimate, Metric};
use super::{Adversary, Share};
use serde::Serialize;
use std::cmp::Ordering;

/// The rule that the specification adopts for T_v's own verdict: full local re-execution.
pub const ADOPTED: Rule = Rule::FullRv;

/// Rules of which the second claim must not hold, or the experiment would show anything.
pub const CONTROLS: [Rule; 3] = [Rule::Majority, Rule::BetaSelf, Rule::PaperFailrv];

/// Claim T1: with less than one half Byzantine, the lower end of the interval of bCDR is above this.
pub const T1: f64 = 0.95;

/// Claim T2: with more than one half Byzantine, it is at least this.
pub const T2: f64 = 0.90;

/// The worst case of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Worst {
    /// The adversary.
    pub adversary: Adversary,
    /// Its share.
    pub share: Share,
    /// The balanced rate of right decisions.
    pub bcdr: Estimate,
}

/// The two claims of one rule in one mix of requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// The rule.
    pub rule: Rule,
    /// Validators.
    pub validators: usize,
    /// The share of right requests.
    pub prior: f64,
    /// The worst below, at and above one half.
    pub below: Option<Worst>,
    /// The worst at one half.
    pub at: Option<Worst>,
    /// The worst above one half.
    pub above: Option<Worst>,
    /// Whether T1 holds.
    pub t1: bool,
    /// Whether T2 holds.
    pub t2: bool,
    /// Re-executions for each transaction, where the adversary makes most of them necessary.
    pub cost: f64,
}

impl Table {
    /// The worst of a rule over adversaries and over shares on one side of one half, by the lower end of the interval.
    fn worst(&self, rule: Rule, prior: f64, side: Ordering) -> Option<Worst> {
        let these =
            |cell: &&Cell| cell.rule == rule && cell.prior == prior && cell.share.beside_half() == side;
        let worst = |cell: &Cell| {
            let bcdr = cell.measured.estimate(Metric::Bcdr)?;
            Some(Worst { adversary: cell.adversary, share: cell.share, bcdr })
        };
        let all = self.cells.iter().filter(these).filter_map(worst);
        all.min_by(|a, b| a.bcdr.lower().total_cmp(&b.bcdr.lower()))
    }

    /// The claims of every rule and mix.
    pub fn claims(&self) -> Vec<Claim> {
        let pairs = self.campaign.priors.iter();
        let pairs = pairs.flat_map(|prior| self.campaign.rules.iter().map(move |rule| (*prior, *rule)));
        let claim = |(prior, rule)| {
            let [below, at, above] = [Ordering::Less, Ordering::Equal, Ordering::Greater]
                .map(|side| self.worst(rule, prior, side));
            let costs = self.cells.iter().filter(|cell| cell.rule == rule && cell.prior == prior);
            let costs = costs.filter_map(|cell| cell.measured.estimate(Metric::Cost));
            Claim {
                rule,
                validators: self.campaign.size.validators,
                prior,
                below,
                at,
                above,
                t1: below.is_some_and(|worst| worst.bcdr.lower() > T1),
                t2: above.is_some_and(|worst| worst.bcdr.lower() >= T2),
                cost: costs.map(|cost| cost.mean).fold(0.0, f64::max),
            }
        };
        pairs.map(claim).collect()
    }

    /// The claims that fail.
    pub fn failed_claims(&self) -> Vec<String> {
        let mut failed = Vec::new();
        for Claim { rule, validators, prior, t1, t2, .. } in self.claims() {
            let name = rule.name();
            if rule == ADOPTED && !(t1 && t2) {
                failed.push(format!(
                    "{name}, n = {validators}, prior {prior}: T1 {t1}, T2 {t2}; both must hold"
                ));
            }
            if CONTROLS.contains(&rule) && t2 {
                failed.push(format!("{name}, n = {validators}, prior {prior}: T2 holds and must not"));
            }
        }
        failed
    }
}

/// A share and its complement, of a rule that uses votes alone, under the mirror adversary.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mirrored {
    /// The rule.
    pub rule: Rule,
    /// Validators.
    pub validators: usize,
    /// The share, below one half or one half.
    pub share: Share,
    /// bCDR at the share and at the rest, together.
    pub sum: f64,
    /// Half the width of its 95 % interval.
    pub half: f64,
    /// Whether it is at most one, within statistical error.
    pub holds: bool,
}

/// Standard errors beyond which a deviation is called a bug: among ten thousand comparisons chance makes less than one in a
/// hundred campaigns.
const SURE: f64 = 5.0;

/// The statistical error of a mean over runs, where `few` is the number of independent samples.
fn slack(estimate: &Estimate, few: f64) -> f64 {
    SURE * estimate.half / 1.96 + SURE.powi(2) / 2.0 / few
}

impl Table {
    /// The check of the swap bound: a sum above one shows that a rule uses more than votes.
    pub fn mirrored(&self) -> Vec<Mirrored> {
        let rules = self.campaign.rules.iter().copied().filter(|rule| rule.is_vote_only());
        let pairs = rules.flat_map(|rule| self.campaign.priors.iter().map(move |prior| (rule, *prior)));
        let mut found = Vec::new();
        for (rule, prior) in pairs {
            // Balanced truth is what the bound is about.
            if prior != 0.5 {
                continue;
            }
            let at = |share: Share| {
                self.cell(prior, Adversary::Mirror, share, rule)?.measured.estimate(Metric::Bcdr)
            };
            let shares = self.campaign.shares.iter().copied();
            for share in shares.filter(|share| share.beside_half() != Ordering::Greater) {
                let (Some(here), Some(there)) = (at(share), at(share.rest())) else { continue };
                let half = here.half.hypot(there.half);
                let sum = here.mean + there.mean;
                let holds = sum <= 1.0 + SURE * half / 1.96;
                let validators = self.campaign.size.validators;
                found.push(Mirrored { rule, validators, share, sum, half, holds });
            }
        }
        found
    }

    /// Cells beyond a proved bound: each is a bug.
    pub fn beyond(&self) -> Vec<String> {
        let mut beyond = Vec::new();
        for cell in self.cells.iter().filter(|cell| cell.limit.binding) {
            let Some(cdr) = cell.measured.estimate(Metric::Cdr) else { continue };
            // A server is taken for a whole run.
            let few = if cell.rule == Rule::Server { cdr.runs } else { cell.measured.transactions() };
            let slack = slack(&cdr, few as f64);
            let low = cell.limit.lower.is_some_and(|lower| cdr.mean < lower - slack);
            let high = cell.limit.upper.is_some_and(|upper| cdr.mean > upper + slack);
            if low || high {
                let Cell { validators, prior, adversary, share, rule, limit, .. } = cell;
                beyond.push(format!(
                    "{} against {} at f = {share}, n = {validators}, prior {prior}: CDR {:.4}, and {} allows {:?} to {:?}",
                    rule.name(),
                    adversary.name(),
                    cdr.mean,
                    limit.by,
                    limit.lower,
                    limit.upper,
                ));
            }
        }
        if self.mistakes.broken > 0 {
            beyond.push(format!(
                "weighted majority: {} runs with more mistakes than proved",
                self.mistakes.broken
            ));
        }
        beyond
    }
}

/// How the paper's figure can arise: its rule to the letter, beside accepting everything.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reconstructed {
    /// The share of right requests.
    pub prior: f64,
    /// The attacker's share.
    pub share: Share,
    /// The paper's rule.
    pub cdr: f64,
    /// Balanced: what the mix of requests has no part in.
    pub bcdr: f64,
    /// Wrong requests that it accepts.
    pub far: f64,
    /// Accepting everything.
    pub accept_all: f64,
}

impl Table {
    /// The paper's rule against validators that falsify, in every mix and share.
    pub fn reconstruction(&self) -> Vec<Reconstructed> {
        let at = |prior: f64, share: Share, rule: Rule, metric: Metric| {
            let cell = self.cell(prior, Adversary::Falsify, share, rule)?;
            cell.measured.estimate(metric).map(|estimate| estimate.mean)
        };
        let row = |prior: f64, share: Share| {
            Some(Reconstructed {
                prior,
                share,
                cdr: at(prior, share, Rule::PaperFailrv, Metric::Cdr)?,
                bcdr: at(prior, share, Rule::PaperFailrv, Metric::Bcdr)?,
                far: at(prior, share, Rule::PaperFailrv, Metric::Far)?,
                accept_all: at(prior, share, Rule::PriorOnly, Metric::Cdr)?,
            })
        };
        let shares = &self.campaign.shares;
        let priors = self.campaign.priors.iter();
        priors.flat_map(|prior| shares.iter().filter_map(|share| row(*prior, *share))).collect()
    }
}

/// What the network adds to a rule: its rate of right decisions less that with every validator silent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Added {
    /// The rule.
    pub rule: Rule,
    /// Validators.
    pub validators: usize,
    /// The share of right requests.
    pub prior: f64,
    /// The attacker's share; its validators falsify.
    pub share: Share,
    /// CDR with votes.
    pub with: f64,
    /// CDR without.
    pub without: f64,
}

impl Table {
    /// What the network adds to each rule against validators that falsify.
    pub fn added(&self) -> Vec<Added> {
        let cells = self.cells.iter().filter(|cell| cell.adversary == Adversary::Falsify);
        let row = |cell: &Cell| {
            let without = self.without_votes(cell.prior, cell.rule)?.measured.estimate(Metric::Cdr)?;
            Some(Added {
                rule: cell.rule,
                validators: cell.validators,
                prior: cell.prior,
                share: cell.share,
                with: cell.measured.estimate(Metric::Cdr)?.mean,
                without: without.mean,
            })
        };
        cells.filter_map(row).collect()
    }
}
