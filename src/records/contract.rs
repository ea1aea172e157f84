//! Contracts: deterministic rules over the opened attributes of a record.
//!
//! Nothing here sees the record itself. The BSD, every validator and whoever re-executes a decision later run the
//! same function on the same values.

use crate::records::{Decimal, FhirDate};
use crate::wire::{
    Attribute, Bound, Check, Coding, Condition, Contract, Item, List, Name, PolicyRef, RangeRule, Role, Rule,
    Template, Test, Time, Value,
};
use bemr_spec::{Clause, Refusal, Rules};
use std::collections::{BTreeMap, BTreeSet};

/// What the contracts know of a submission beside its attributes. All of it is signed by the submitter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The role of the submitter.
    pub role: Role,
    /// When the submission was issued.
    pub issued: Time,
    /// The patient whom the submitter names.
    pub patient: Name,
}

/// The attributes that were opened, by their index in the template.
pub type Opened = BTreeMap<u16, Option<Value>>;

/// The first rule that a record breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The clause of the rule's kind.
    pub clause: Clause,
    /// The contract that has the rule.
    pub contract: PolicyRef,
    /// The index of the rule in the contract.
    pub rule: u16,
    /// The attributes that it checks.
    pub attributes: Vec<Name>,
}

impl Failure {
    /// The reason that a vote gives: the code of the clause. A vote for a record that breaks no rule gives 0.
    pub fn reason(&self) -> u16 {
        self.clause.code()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        let names: Vec<&str> = failure.attributes.iter().map(Name::as_str).collect();
        Refusal::new(failure.clause).at(format!(
            "rule {} of contract {}: {}",
            failure.rule,
            failure.contract,
            if names.is_empty() { "submitter".to_owned() } else { names.join(", ") }
        ))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Refusal::from(self.clone()).fmt(f)
    }
}

impl std::error::Error for Failure {}

/// The indices of the attributes of `template` that the rules of `contracts` look at: those to open.
pub fn checked_attributes(contracts: &[&Contract], template: &Template) -> BTreeSet<u16> {
    let rules = contracts.iter().flat_map(|contract| contract.rules.iter());
    let names = rules
        .flat_map(|rule| rule.check.attributes().into_iter().chain(rule.when.iter().map(|c| &c.attribute)));
    names.filter_map(|name| template.attribute(name)).map(|(index, _)| index).collect()
}

/// Tries every rule of `contracts` on the opened attributes of `template`.
///
/// An attribute that a rule needs and that was not opened fails the rule.
///
/// # Errors
/// The first rule that fails, contracts in the order of their ids, rules in the order of the contract.
pub fn evaluate(
    rules: &Rules,
    contracts: &[&Contract],
    template: &Template,
    opened: &Opened,
    facts: &Facts,
) -> Result<(), Failure> {
    let mut ordered = contracts.to_vec();
    ordered.sort_by(|a, b| a.id.cmp(&b.id));
    let view = View { template, opened, facts };
    for contract in ordered {
        for (index, rule) in (0u16..).zip(contract.rules.iter()) {
            let clause = rule.check.clause();
            if rules.check(clause, || view.keeps(rule).unwrap_or(false)).is_err() {
                let attributes = rule.check.attributes().into_iter().cloned().collect();
                return Err(Failure { clause, contract: contract.policy(), rule: index, attributes });
            }
        }
    }
    Ok(())
}

impl Check {
    /// The clause that it enforces.
    pub const fn clause(&self) -> Clause {
        match self {
            Check::Required(_) => Clause::RequiredRule,
            Check::ValueSet(_) => Clause::ValueSetRule,
            Check::Range(_) => Clause::RangeRule,
            Check::NotFuture(_) => Clause::NotInFutureRule,
            Check::Submitter(_) => Clause::SubmitterRule,
            Check::DateOrder(_) => Clause::DateOrderRule,
            Check::OneOf(_) => Clause::OneOfRule,
            Check::Subject(_) => Clause::SubjectRule,
        }
    }

    /// The attributes that it checks.
    pub fn attributes(&self) -> Vec<&Name> {
        match self {
            Check::Required(rule) => vec![&rule.attribute],
            Check::ValueSet(rule) => vec![&rule.attribute],
            Check::Range(rule) => vec![&rule.attribute],
            Check::NotFuture(rule) => vec![&rule.attribute],
            Check::Submitter(_) => vec![],
            Check::DateOrder(rule) => vec![&rule.earlier, &rule.later],
            Check::OneOf(rule) => rule.attributes.iter().collect(),
            Check::Subject(rule) => vec![&rule.attribute],
        }
    }
}

/// What a rule may look at.
struct View<'a> {
    template: &'a Template,
    opened: &'a Opened,
    facts: &'a Facts,
}

impl<'a> View<'a> {
    /// The attribute and its items, none when it is absent; nothing when it was not opened.
    fn open(&self, name: &Name) -> Option<(&'a Attribute, &'a [Item])> {
        let (index, attribute) = self.template.attribute(name)?;
        let value = self.opened.get(&index)?;
        Some((attribute, value.as_deref().unwrap_or_default()))
    }

    /// Whether `rule` holds; nothing when that is undetermined.
    fn keeps(&self, rule: &Rule) -> Option<bool> {
        for condition in rule.when.iter() {
            if !self.meets(condition)? {
                return Some(true);
            }
        }
        match &rule.check {
            Check::Required(rule) => Some(!self.open(&rule.attribute)?.1.is_empty()),
            Check::ValueSet(rule) => {
                let (_, items) = self.open(&rule.attribute)?;
                Some(items.iter().all(|item| *item == Item::Unstated || has(item, &rule.members)))
            }
            Check::Range(rule) => {
                let (_, items) = self.open(&rule.attribute)?;
                items.iter().try_fold(true, |kept, item| Some(kept && within(rule, item)?))
            }
            Check::NotFuture(rule) => {
                Some(!self.moments(&rule.attribute)?.iter().any(|moment| moment.is_after(self.facts.issued)))
            }
            Check::Submitter(rule) => Some(rule.roles.contains(&self.facts.role)),
            Check::DateOrder(rule) => {
                let later = self.moments(&rule.later)?;
                let disorder = |moment: &FhirDate| later.iter().any(|other| moment.is_wholly_after(other));
                Some(!self.moments(&rule.earlier)?.iter().any(disorder))
            }
            Check::OneOf(rule) => {
                let mut present = 0;
                for name in rule.attributes.iter() {
                    present += usize::from(!self.open(name)?.1.is_empty());
                }
                Some((usize::from(rule.min)..=usize::from(rule.max)).contains(&present))
            }
            Check::Subject(rule) => match self.open(&rule.attribute)?.1 {
                [Item::Text(patient)] => Some(patient.as_str() == self.facts.patient.as_str()),
                _ => Some(false),
            },
        }
    }

    fn meets(&self, condition: &Condition) -> Option<bool> {
        let (_, items) = self.open(&condition.attribute)?;
        let found = || items.iter().any(|item| has(item, &condition.codes));
        Some(match condition.is {
            Test::Present => !items.is_empty(),
            Test::Absent => items.is_empty(),
            Test::Has => found(),
            Test::Lacks => !found(),
        })
    }

    /// The moments of an attribute; nothing when one of its items is no moment.
    fn moments(&self, name: &Name) -> Option<Vec<FhirDate>> {
        let (attribute, items) = self.open(name)?;
        let stated = items.iter().filter(|item| **item != Item::Unstated);
        stated
            .map(|item| match item {
                Item::Text(text) => FhirDate::parse(attribute.kind, text.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// Whether `item` is one of `codes`, or has a coding that is.
fn has(item: &Item, codes: &List<Coding>) -> bool {
    match item {
        Item::Unstated => false,
        Item::Text(text) => codes.iter().any(|code| code.system.is_empty() && code.code == *text),
        Item::Concept(codings) => codings.iter().any(|coding| codes.contains(coding)),
        Item::Measure(measure) => measure.codes.iter().any(|coding| codes.contains(coding)),
    }
}

/// Whether `item` lies in the range, or the rule is not about it; nothing when a number cannot be read.
fn within(rule: &RangeRule, item: &Item) -> Option<bool> {
    let literal = match item {
        Item::Unstated => return Some(true),
        Item::Text(text) => text,
        Item::Measure(measure) => match &measure.quantity {
            Some(quantity) if has(item, &rule.codes) && rule.units.contains(&quantity.unit) => {
                &quantity.value
            }
            _ => return Some(true),
        },
        Item::Concept(_) => return None,
    };
    let value = Decimal::parse(literal.as_str())?;
    let beyond = |bound: &Bound, past: std::cmp::Ordering| {
        let order = value.cmp(&Decimal::parse(bound.value.as_str())?);
        Some(order == past || (order.is_eq() && !bound.inclusive.is_yes()))
    };
    let low = rule.low.as_ref().map_or(Some(false), |bound| beyond(bound, std::cmp::Ordering::Less))?;
    let high = rule.high.as_ref().map_or(Some(false), |bound| beyond(bound, std::cmp::Ordering::Greater))?;
    Some(!low && !high)
}
