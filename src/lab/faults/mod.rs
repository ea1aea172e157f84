//! Adversaries as data: what one does, to whom, when and how often.
//!
//! An [`Adversary`] is a list of [`FaultRule`]s; everything that none of them says is done as an honest network does it. It can be
//! written down, read, and held against a trace: [`Monitor`] says whether what happened is within what the adversary was
//! said to do, [`least`] makes the weakest adversary out of what happened. What is not here: how a rule is carried out, which
//! is the business of who drives a network.

mod arbitrary;
mod capability;
mod catalogue;
mod kind;
mod minimise;
mod monitor;
mod observed;
mod rule;
mod validation;

pub use capability::Capability;
pub use catalogue::{NAMED, NamedAdversary};
pub use kind::{FaultKind, MAX_DELAY};
pub use minimise::least;
pub use monitor::{Monitor, RunningRule};
pub use observed::{Act, ObservedFault};
pub use rule::{FaultRule, MOST_RULES, Scope, Trigger};
pub use validation::Contradiction;

use bemr_model::{Actor, Setup};
use serde::{Deserialize, Serialize};

/// What somebody does who is not honest: rules that do not contradict each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<FaultRule>", into = "Vec<FaultRule>")]
pub struct Adversary(Vec<FaultRule>);

impl Adversary {
    /// Nobody: all are honest, and nothing is lost.
    pub const NOBODY: Adversary = Adversary(Vec::new());

    /// The adversary of these rules.
    ///
    /// # Errors
    /// The first rule that cannot be, alone or beside one before it, and why.
    pub fn new(rules: Vec<FaultRule>) -> Result<Adversary, Contradiction> {
        validation::check(&rules)?;
        Ok(Adversary(rules))
    }

    /// What it does. Where several fit one thing, the first that has budget left is meant.
    pub fn rules(&self) -> &[FaultRule] {
        &self.0
    }

    /// Whether everybody whom it names is in a network.
    ///
    /// # Errors
    /// The first rule that names somebody who is not.
    pub fn fits(&self, setup: &Setup) -> Result<(), Contradiction> {
        let absent = |actor: &Actor| match actor {
            Actor::User(number) => *number >= setup.users,
            Actor::Validator(number) => *number >= setup.validators,
            Actor::Bsd | Actor::Cloud | Actor::Kdc => false,
        };
        let mut rules = (0..).zip(&self.0);
        rules.try_for_each(|(rule, one)| match one.scope.named().into_iter().find(absent) {
            Some(actor) => Err(Contradiction { rule, problem: format!("the setup has no {actor}") }),
            None => Ok(()),
        })
    }

    /// How strong it has to be.
    pub fn power(&self) -> Capability {
        self.0.iter().map(|rule| rule.power()).max().map_or(Capability::Order, |power| match power {
            Capability::LyingVote if self.liars() > 1 => Capability::LyingMajority,
            power => power,
        })
    }

    /// How many validators say what they do not find.
    fn liars(&self) -> usize {
        let liars = self.0.iter().filter(|rule| rule.power() == Capability::LyingVote);
        liars.filter_map(|rule| rule.scope.node()).collect::<std::collections::BTreeSet<_>>().len()
    }
}

impl TryFrom<Vec<FaultRule>> for Adversary {
    type Error = Contradiction;

    fn try_from(rules: Vec<FaultRule>) -> Result<Adversary, Contradiction> {
        Adversary::new(rules)
    }
}

impl From<Adversary> for Vec<FaultRule> {
    fn from(adversary: Adversary) -> Vec<FaultRule> {
        adversary.0
    }
}
