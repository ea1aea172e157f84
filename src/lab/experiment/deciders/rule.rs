//! Which rules there are, who each asks, and what it uses beside votes.

use super::{Decider, counting, reputation, reverifying, weights};
use serde::Serialize;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// One EHR server.
    Server,
    /// Majority of responders.
    Majority,
    /// Byzantine quorum.
    BftQuorum,
    /// Beta reputation that feeds itself.
    BetaSelf,
    /// Beta reputation that is fed by audits of everything.
    BetaFull,
    /// The same, of a sample.
    BetaSampled,
    /// Multiplicative weights, fed by audits of everything.
    MwFull,
    /// The same, of a sample.
    MwSampled,
    /// Multiplicative weights in which newcomers begin at full weight.
    MwNaive,
    /// The paper to the letter.
    PaperFailrv,
    /// Re-verification on conflict.
    ConflictRv,
    /// Re-verification of everything.
    FullRv,
    /// This protocol.
    Bemr,
    /// Accepts everything.
    PriorOnly,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// The validators.
    Validators,
    /// One server, which is itself what an attacker may hold.
    Server,
    /// Nobody.
    Nobody,
}

/// What a rule uses beside votes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Uses {
    /// Nothing: the swap bound holds for it.
    VotesAlone,
    /// Re-execution when it decides.
    Reexecution,
    /// Re-execution of this share of transactions, drawn after the decision.
    Audits(f64),
}

/// The share of transactions that the sampled rules audit.
pub const SAMPLED: f64 = 0.1;

impl Uses {
    /// The share of transactions that is audited after the decision.
    pub fn audited(self) -> f64 {
        match self {
            Uses::Audits(share) => share,
            Uses::VotesAlone | Uses::Reexecution => 0.0,
        }
    }
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 14] = [
        Rule::Server,
        Rule::Majority,
        Rule::BftQuorum,
        Rule::BetaSelf,
        Rule::BetaFull,
        Rule::BetaSampled,
        Rule::MwFull,
        Rule::MwSampled,
        Rule::MwNaive,
        Rule::PaperFailrv,
        Rule::ConflictRv,
        Rule::FullRv,
        Rule::Bemr,
        Rule::PriorOnly,
    ];

    /// Its name in every table.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Server => "server",
            Rule::Majority => "majority",
            Rule::BftQuorum => "bft_quorum",
            Rule::BetaSelf => "beta_self",
            Rule::BetaFull => "beta_full",
            Rule::BetaSampled => "beta_sampled",
            Rule::MwFull => "mw_full",
            Rule::MwSampled => "mw_sampled",
            Rule::MwNaive => "mw_naive",
            Rule::PaperFailrv => "paper_failrv",
            Rule::ConflictRv => "conflict_rv",
            Rule::FullRv => "full_rv",
            Rule::Bemr => "bemr",
            Rule::PriorOnly => "prior_only",
        }
    }

    /// What it does, for people.
    pub fn about(self) -> &'static str {
        match self {
            Rule::Server => {
                "One EHR server runs the contracts itself, is asked up to three times, and is believed."
            }
            Rule::Majority => "More than half of those who answer in the first attempt.",
            Rule::BftQuorum => {
                "More than two thirds of all validators say the same in the first attempt; else undecided."
            }
            Rule::BetaSelf => "Votes weighed by beta reputation, which is fed by the rule's own decisions.",
            Rule::BetaFull => {
                "Votes weighed by beta reputation, which is fed by re-execution of everything after its decision."
            }
            Rule::BetaSampled => "The same, fed by one transaction in ten.",
            Rule::MwFull => {
                "Weighted majority: a wrong vote halves a weight, silence counts as false, newcomers begin at the least \
                 weight; everything is audited after its decision."
            }
            Rule::MwSampled => "The same, audited one transaction in ten.",
            Rule::MwNaive => {
                "Weighted majority with everything audited, in which newcomers begin at full weight: a negative control."
            }
            Rule::PaperFailrv => {
                "The paper to the letter: a majority's true is taken as it is; what failed or is missing is re-verified."
            }
            Rule::ConflictRv => {
                "Re-verifies where votes differ or fewer than half answer; else takes what all say."
            }
            Rule::FullRv => "Re-verifies everything and decides by that alone; asks nobody.",
            Rule::Bemr => {
                "This protocol: a quorum certificate in up to three attempts, re-verification of everything, and the \
                 table of decisions of chapter 9."
            }
            Rule::PriorOnly => "Accepts everything: what the mix of requests alone is worth.",
        }
    }

    /// Who is asked.
    pub fn asks(self) -> Asks {
        match self {
            Rule::Server => Asks::Server,
            Rule::FullRv | Rule::PriorOnly => Asks::Nobody,
            _ => Asks::Validators,
        }
    }

    /// What it uses beside votes.
    pub fn uses(self) -> Uses {
        match self {
            Rule::Server | Rule::Majority | Rule::BftQuorum | Rule::BetaSelf | Rule::PriorOnly => {
                Uses::VotesAlone
            }
            Rule::BetaFull | Rule::MwFull | Rule::MwNaive => Uses::Audits(1.0),
            Rule::BetaSampled | Rule::MwSampled => Uses::Audits(SAMPLED),
            Rule::PaperFailrv | Rule::ConflictRv | Rule::FullRv | Rule::Bemr => Uses::Reexecution,
        }
    }

    /// Whether it sees votes of validators and nothing else, so that the swap bound holds.
    pub fn is_vote_only(self) -> bool {
        self.uses() == Uses::VotesAlone && self.asks() == Asks::Validators
    }

    /// One that has learnt nothing, for so many validators.
    pub fn begin(self, validators: usize) -> Box<dyn Decider> {
        match self {
            Rule::Server => Box::new(counting::Server),
            Rule::Majority => Box::new(counting::Majority),
            Rule::BftQuorum => Box::new(counting::Quorum),
            Rule::BetaSelf => Box::new(reputation::Beta::fed_by_itself(validators)),
            Rule::BetaFull | Rule::BetaSampled => Box::new(reputation::Beta::fed_by_audits(validators)),
            Rule::MwFull | Rule::MwSampled => {
                Box::new(weights::Weighted::with_newcomers_at_least_weight(validators))
            }
            Rule::MwNaive => Box::new(weights::Weighted::with_newcomers_at_full_weight(validators)),
            Rule::PaperFailrv => Box::new(reverifying::OnlyFailures),
            Rule::ConflictRv => Box::new(reverifying::OnConflict),
            Rule::FullRv => Box::new(reverifying::Always),
            Rule::Bemr => Box::new(reverifying::Bemr),
            Rule::PriorOnly => Box::new(counting::AcceptAll),
        }
    }
}
