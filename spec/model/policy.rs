//! Templates and contracts as versions, and what a change of them does (chapter 7).
//!
//! Three things can change: all templates together, the contract *admission*, and the contract *abeyance*, which is not among
//! the shipped ones and comes before them in the order of ids. A new version of a template or of *admission* says what the
//! last one said. While an odd version of *abeyance* is in force no record keeps the rules (CON-06); an even one lists no
//! template.

use crate::checks::Checks;
use crate::rename::renamed;
use crate::roles::is_administrator;
use crate::trust::Trust;
use crate::{Actor, Flaws, Height, Members, Time};
use bemr_spec::{Clause, Rules};
use serde::{Deserialize, Serialize};

/// A version of something, and the height from which it is in force.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// From 1.
    pub version: u32,
    /// The first height at which it is in force.
    pub effective: Height,
}

impl Edition {
    /// What a network begins with.
    pub const SHIPPED: Edition = Edition { version: 1, effective: 1 };
}

/// A change of policy.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The next version of every template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<Edition>,
    /// The next version of the contract *abeyance*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abeyance: Option<Edition>,
    /// The next version of the contract *admission*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admission: Option<Edition>,
}

impl Change {
    fn editions(&self) -> [Option<Edition>; 3] {
        [self.templates, self.abeyance, self.admission]
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.editions().iter().all(Option::is_none)
    }
}

/// The policy that a submission names: versions, 0 where the contract is not in force.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Of its template.
    pub templates: u32,
    /// Of the contract *abeyance*.
    pub abeyance: u32,
    /// Of the contract *admission*.
    pub admission: u32,
}

impl Versions {
    /// What a network begins with.
    pub const SHIPPED: Versions = Versions { templates: 1, abeyance: 0, admission: 1 };

    pub(super) fn are_shipped(&self) -> bool {
        *self == Versions::SHIPPED
    }
}

impl Default for Versions {
    fn default() -> Versions {
        Versions::SHIPPED
    }
}

/// A policy by its digest: the same for versions that say the same, and for no others.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its template.
    pub templates: Edition,
    /// The contract *abeyance*, where it is in force.
    pub abeyance: Option<Edition>,
    /// The contract *admission*.
    pub admission: Edition,
}

impl Policy {
    /// What a network begins with.
    pub const SHIPPED: Policy =
        Policy { templates: Edition::SHIPPED, abeyance: None, admission: Edition::SHIPPED };

    pub(super) fn is_shipped(&self) -> bool {
        *self == Policy::SHIPPED
    }

    /// What a submission names that is judged by it.
    pub fn versions(&self) -> Versions {
        Versions {
            templates: self.templates.version,
            abeyance: self.abeyance.map_or(0, |edition| edition.version),
            admission: self.admission.version,
        }
    }
}

impl Default for Policy {
    fn default() -> Policy {
        Policy::SHIPPED
    }
}

/// A change that was taken: by whose approval, at which height, and what was wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Taken {
    pub(super) change: Change,
    pub(super) approvals: Members,
    pub(super) height: Height,
    pub(super) flaws: Flaws,
}

/// Every version that ever was, as one actor knows them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Registry {
    pub(super) templates: Vec<Edition>,
    pub(super) abeyance: Vec<Edition>,
    pub(super) admission: Vec<Edition>,
    /// The changes, in their order.
    pub(super) taken: Vec<Taken>,
}

impl Registry {
    /// The shipped policy.
    pub(super) fn shipped() -> Registry {
        Registry {
            templates: vec![Edition::SHIPPED],
            abeyance: Vec::new(),
            admission: vec![Edition::SHIPPED],
            taken: Vec::new(),
        }
    }

    /// The policy in force at a height.
    pub(super) fn in_force(&self, height: Height) -> Policy {
        // Of two versions in force the higher one counts, whichever came into force first.
        let newest = |all: &[Edition]| all.iter().rev().find(|one| one.effective <= height).copied();
        Policy {
            templates: newest(&self.templates).unwrap_or(Edition::SHIPPED),
            abeyance: newest(&self.abeyance).filter(|one| one.version % 2 == 1),
            admission: newest(&self.admission).unwrap_or(Edition::SHIPPED),
        }
    }

    /// TPL-01 and CON-01 of what a submission names, at a height. Gives what it names: nothing can be judged by what is not
    /// known.
    pub(super) fn check(
        &self,
        checks: &Checks<'_>,
        named: Versions,
        height: Height,
    ) -> Result<Policy, Clause> {
        let version = |all: &[Edition], version| all.iter().find(|one| one.version == version).copied();
        let now = self.in_force(height).versions();
        let templates = version(&self.templates, named.templates).ok_or(Clause::TemplateIsInForce)?;
        checks.require(Clause::TemplateIsInForce, now.templates == named.templates)?;
        let contracts = now.abeyance == named.abeyance && now.admission == named.admission;
        checks.require(Clause::AllContractsApplied, contracts)?;
        let abeyance = version(&self.abeyance, named.abeyance);
        let admission = version(&self.admission, named.admission).ok_or(Clause::AllContractsApplied)?;
        Ok(Policy { templates, abeyance, admission })
    }

    /// Whether this template is one that it knows.
    pub(super) fn knows_template(&self, version: u32) -> bool {
        self.templates.iter().any(|one| one.version == version)
    }

    /// Whether these contracts are ones that it knows: nobody else may read under them.
    pub(super) fn knows_contracts(&self, named: Versions) -> bool {
        let knows = |all: &[Edition], version| all.iter().any(|one| one.version == version);
        knows(&self.admission, named.admission)
            && (named.abeyance == 0 || knows(&self.abeyance, named.abeyance))
    }

    /// Takes a change that was approved, or refuses it and changes nothing.
    #[expect(clippy::too_many_arguments, reason = "the parts of a change, and who takes it")]
    pub(super) fn take(
        &mut self,
        rules: &Rules,
        now: Time,
        trust: &Trust,
        height: Height,
        change: Change,
        approvals: Members,
        flaws: Flaws,
    ) -> Result<(), Clause> {
        let (checks, flawless) = (Checks::of(rules, flaws), Checks::of(rules, Flaws::NONE));
        checks.sound(Clause::ProtocolVersionIsOne)?;
        for user in approvals.iter() {
            trust.recheck(&flawless, now, Actor::User(user))?;
            flawless.require(Clause::RoleMayChangePolicy, is_administrator(user))?;
        }
        // A flaw is the last approval's: a second one of the same, a stranger's, or not over this change.
        checks.require(Clause::PolicyChangeHasTwoAdministrators, approvals.len() >= 2)?;
        let lines = [&self.templates, &self.abeyance, &self.admission];
        for (edition, line) in change.editions().into_iter().zip(lines) {
            let Some(edition) = edition else { continue };
            let last = line.last().map_or(0, |newest| newest.version);
            checks.require(Clause::PolicyVersionAdvances, edition.version == last + 1)?;
            checks.require(Clause::PolicyEffectiveLater, edition.effective > height)?;
        }
        checks.require(Clause::PolicyIsWellFormed, !change.is_empty())?;
        checks.sound(Clause::MandatoryAreChecked)?;
        let lines = [&mut self.templates, &mut self.abeyance, &mut self.admission];
        for (edition, line) in change.editions().into_iter().zip(lines) {
            line.extend(edition);
            line.sort_unstable();
        }
        self.taken.push(Taken { change, approvals, height, flaws });
        Ok(())
    }

    /// Whether at least two approved every change.
    pub(super) fn is_approved_by_two(&self) -> bool {
        self.taken.iter().all(|one| one.approvals.len() >= 2)
    }

    /// Whether nothing is wrong with any change.
    pub(super) fn is_genuine(&self) -> bool {
        self.taken.iter().all(|one| one.flaws.is_empty())
    }

    /// Whether every change changes something.
    pub(super) fn is_of_changes(&self) -> bool {
        self.taken.iter().all(|one| !one.change.is_empty())
    }

    /// Whether no change was in force at the height of its block already.
    pub(super) fn is_told_before(&self) -> bool {
        let mut editions = self
            .taken
            .iter()
            .flat_map(|one| one.change.editions().into_iter().flatten().map(|edition| (one.height, edition)));
        editions.all(|(height, edition)| edition.effective > height)
    }

    /// Whether the versions of everything follow each other from the first.
    pub(super) fn is_in_order(&self) -> bool {
        let first_to_last =
            |all: &[Edition]| all.iter().zip(1..).all(|(one, version)| one.version == version);
        [&self.templates, &self.abeyance, &self.admission].into_iter().all(|line| first_to_last(line))
    }

    /// Whether administrators alone approved every change.
    pub(super) fn is_by_administrators(&self) -> bool {
        self.taken.iter().all(|one| one.approvals.iter().all(is_administrator))
    }

    /// The newest version of each.
    pub(super) fn newest(&self) -> Newest {
        Newest {
            templates: self.templates.last().copied(),
            abeyance: self.abeyance.last().copied(),
            admission: self.admission.last().copied(),
        }
    }
}

/// The newest version of each thing that can change, as one actor knows it.
pub type Newest = Change;

renamed!(Taken { change, approvals: of_users, height, flaws });
renamed!(Registry { templates, abeyance, admission, taken });
