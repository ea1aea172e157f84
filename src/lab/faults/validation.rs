//! What cannot be: a rule that nobody could carry out, or two that exclude each other.

use crate::faults::rule::MOST_RULES;
use crate::faults::{FaultKind, FaultRule, Scope};
use bemr_model::{Actor, MESSAGES};

/// Why an adversary cannot be: the place of the rule, from 0, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[{rule}]: {problem}")]
pub struct Contradiction {
    /// Which.
    pub rule: usize,
    /// What is wrong.
    pub problem: String,
}

pub(super) fn check(rules: &[FaultRule]) -> Result<(), Contradiction> {
    let refuse = |rule, problem| Err(Contradiction { rule, problem });
    if rules.len() > MOST_RULES {
        return refuse(MOST_RULES, format!("more than {MOST_RULES} rules"));
    }
    for (place, rule) in rules.iter().enumerate() {
        if let Some(problem) = alone(rule) {
            return refuse(place, problem);
        }
        let before = rules[..place].iter().enumerate();
        if let Some((other, problem)) = before.map(|(at, other)| (at, beside(rule, other))).find_map(found) {
            return refuse(place, format!("{problem}, and so says [{other}]"));
        }
    }
    Ok(())
}

fn found((at, problem): (usize, Option<&'static str>)) -> Option<(usize, &'static str)> {
    problem.map(|problem| (at, problem))
}

/// What is wrong with one rule.
fn alone(rule: &FaultRule) -> Option<String> {
    let FaultRule { behaviour, target, when, budget } = rule;
    let word = behaviour.word();
    if *budget == Some(0) {
        return Some("a budget of none is no rule".to_owned());
    }
    if when.from.zip(when.until).is_some_and(|(from, until)| from >= until) {
        return Some("it ends before it begins".to_owned());
    }
    if let Some(name) = &when.message
        && !MESSAGES.contains(&name.as_str())
    {
        return Some(format!("no message is called {name:?}"));
    }
    if when.thousandths.is_some_and(|thousandths| !(1..1000).contains(&thousandths)) {
        return Some("a chance is 1 to 999 of a thousand; never and always have none".to_owned());
    }
    if *behaviour == (FaultKind::Delay { by: 0 }) {
        return Some("a delay of nothing is none".to_owned());
    }
    if *behaviour == FaultKind::Silence && (when.thousandths.is_some() || when.after.is_some()) {
        return Some("who is silent now and then drops messages".to_owned());
    }
    if when.winning && !behaviour.is_of_votes() {
        return Some(format!("{word} wins nothing: only votes do"));
    }
    match target {
        Scope::Link { from, to } if from == to => {
            return Some(format!("there is no link from {from} to itself"));
        }
        Scope::Across(side) if side.is_empty() => return Some("nobody is on that side".to_owned()),
        _ => {}
    }
    if target.named().contains(&Actor::Kdc) {
        let its_own = matches!(behaviour, FaultKind::Certify | FaultKind::Tell);
        let towards = !matches!(target, Scope::Node(_));
        if (!its_own && !behaviour.is_of_messages()) || towards && !matches!(target, Scope::Across(_)) {
            return Some(format!("the KDC has no address, and nobody can {word} there"));
        }
    }
    if behaviour.is_of_a_node() {
        return of_a_node(*behaviour, target);
    }
    None
}

/// Who can do it, or to whom it can be done.
fn of_a_node(behaviour: FaultKind, target: &Scope) -> Option<String> {
    let word = behaviour.word();
    let Some(node) = target.node() else {
        return Some(format!("{word} is of one node, and the target is {target}"));
    };
    let able = match behaviour {
        FaultKind::Contradict | FaultKind::Equivocate => matches!(node, Actor::Validator(_)),
        FaultKind::Certify => node == Actor::Kdc,
        FaultKind::Falsify | FaultKind::Leak => node != Actor::Kdc,
        // A user's app is not started again in this version.
        FaultKind::Crash | FaultKind::Tamper => !matches!(node, Actor::User(_) | Actor::Kdc),
        _ => true,
    };
    (!able).then(|| format!("{node} cannot {word}"))
}

/// What excludes one rule beside another.
fn beside(rule: &FaultRule, other: &FaultRule) -> Option<&'static str> {
    if rule == other {
        return Some("it is said twice");
    }
    if !rule.when.overlaps(&other.when) {
        return None;
    }
    let silent = |one: &FaultRule| one.behaviour == FaultKind::Silence && one.when.message.is_none();
    let speaks = |one: &FaultRule| one.behaviour.is_of_votes() || one.behaviour == FaultKind::Lie;
    let same = |one: &FaultRule, other: &FaultRule| one.target.node().is_some() && one.target == other.target;
    if same(rule, other) && (silent(rule) && speaks(other) || silent(other) && speaks(rule)) {
        return Some("who is silent says nothing, true or false");
    }
    let both = (rule.behaviour, other.behaviour);
    if same(rule, other)
        && matches!(
            both,
            (FaultKind::Contradict, FaultKind::Equivocate) | (FaultKind::Equivocate, FaultKind::Contradict)
        )
    {
        return Some("a vote is replaced or doubled, not both");
    }
    let always =
        |one: &FaultRule| one.behaviour.withholds() && one.when.thousandths.is_none() && one.budget.is_none();
    let again = |one: &FaultRule| {
        matches!(one.behaviour, FaultKind::Delay { .. } | FaultKind::Duplicate | FaultKind::Reorder)
    };
    let hides = |one: &FaultRule, other: &FaultRule| {
        always(one)
            && one.when.after.is_none()
            && again(other)
            && one.target == other.target
            && (one.when.message.is_none() || one.when.message == other.when.message)
    };
    if hides(rule, other) || hides(other, rule) {
        return Some("what never arrives arrives neither late nor twice nor first");
    }
    None
}
