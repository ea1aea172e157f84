//! What cannot be: a rule that nobody could carry out, or two that exclude each other.

use crate::faults::rule::MOST_RULES;
use crate::faults::{FaultKind, FaultRule, MAX_DELAY, Scope};
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
    let FaultRule { kind, scope, trigger, budget } = rule;
    let word = kind.word();
    if *budget == Some(0) {
        return Some("a budget of none is no rule".to_owned());
    }
    if trigger.from.zip(trigger.until).is_some_and(|(from, until)| from >= until) {
        return Some("it ends before it begins".to_owned());
    }
    if let Some(name) = &trigger.message
        && !MESSAGES.contains(&name.as_str())
    {
        return Some(format!("no message is called {name:?}"));
    }
    if trigger.thousandths.is_some_and(|thousandths| !(1..1000).contains(&thousandths)) {
        return Some("a chance is 1 to 999 of a thousand; never and always have none".to_owned());
    }
    if let FaultKind::Delay { by } = kind
        && !(1..=MAX_DELAY).contains(by)
    {
        return Some(format!("by: a delay is 1 to {MAX_DELAY} ms"));
    }
    if *kind == FaultKind::Silence && (trigger.thousandths.is_some() || trigger.after.is_some()) {
        return Some("who is silent now and then drops messages".to_owned());
    }
    if trigger.winning && !kind.is_of_votes() {
        return Some(format!("{word} wins nothing: only votes do"));
    }
    match scope {
        Scope::Link { from, to } if from == to => {
            return Some(format!("there is no link from {from} to itself"));
        }
        Scope::Across(side) if side.is_empty() => return Some("nobody is on that side".to_owned()),
        _ => {}
    }
    if scope.named().contains(&Actor::Kdc) {
        let its_own = matches!(kind, FaultKind::Certify | FaultKind::Publish);
        let towards = !matches!(scope, Scope::Node(_));
        if (!its_own && !kind.is_of_messages()) || towards && !matches!(scope, Scope::Across(_)) {
            return Some(format!("the KDC has no address, and nobody can {word} there"));
        }
    }
    if kind.is_of_a_node() {
        return of_a_node(*kind, scope);
    }
    None
}

/// Who can do it, or to whom it can be done.
fn of_a_node(kind: FaultKind, scope: &Scope) -> Option<String> {
    let word = kind.word();
    let Some(node) = scope.node() else {
        return Some(format!("{word} is of one node, and the scope is {scope}"));
    };
    let able = match kind {
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
    if !rule.trigger.overlaps(&other.trigger) {
        return None;
    }
    let silent = |one: &FaultRule| one.kind == FaultKind::Silence && one.trigger.message.is_none();
    let speaks = |one: &FaultRule| one.kind.is_of_votes() || one.kind == FaultKind::Lie;
    let same = |one: &FaultRule, other: &FaultRule| one.scope.node().is_some() && one.scope == other.scope;
    if same(rule, other) && (silent(rule) && speaks(other) || silent(other) && speaks(rule)) {
        return Some("who is silent says nothing, true or false");
    }
    let both = (rule.kind, other.kind);
    if same(rule, other)
        && matches!(
            both,
            (FaultKind::Contradict, FaultKind::Equivocate) | (FaultKind::Equivocate, FaultKind::Contradict)
        )
    {
        return Some("a vote is replaced or doubled, not both");
    }
    let always =
        |one: &FaultRule| one.kind.withholds() && one.trigger.thousandths.is_none() && one.budget.is_none();
    let again = |one: &FaultRule| {
        matches!(one.kind, FaultKind::Delay { .. } | FaultKind::Duplicate | FaultKind::Reorder)
    };
    let hides = |one: &FaultRule, other: &FaultRule| {
        always(one)
            && one.trigger.after.is_none()
            && again(other)
            && one.scope == other.scope
            && (one.trigger.message.is_none() || one.trigger.message == other.trigger.message)
    };
    if hides(rule, other) || hides(other, rule) {
        return Some("what never arrives arrives neither late nor twice nor first");
    }
    None
}
