//! The same configuration for an adversary of less capability.

use crate::explore::{Budget, SearchConfig};
use crate::faults::{Capability, FaultKind};
use bemr_model::Actor;

/// The configuration with an adversary of no more than this capability; nothing where a lesser capability leaves it the same.
pub fn limited(power: Capability, part: &SearchConfig) -> Option<SearchConfig> {
    let has = |other: Capability| power >= other;
    let Budget { crash, byzantine, luck, .. } = part.budget;
    let allowed = |(nth, insider): &(usize, &Actor)| has(Capability::of(**insider, *nth));
    let insiders = part.insiders.iter().enumerate().take_while(allowed).count();
    let scripted = part.script.iter().any(|(actor, _)| *actor == Actor::Kdc);
    if scripted && !has(FaultKind::Certify.power(None)) {
        return None;
    }
    let impersonates = part.impersonates && has(FaultKind::Impersonate.power(None));
    let less = SearchConfig {
        insiders: &part.insiders[..insiders],
        impersonates,
        silent: if has(FaultKind::Silence.power(None)) { part.silent } else { &[] },
        budget: Budget {
            crash,
            byzantine: if insiders > 0 || impersonates { byzantine } else { 0 },
            luck,
            ..Budget::of(part.budget.rules().filter(|rule| has(rule.power())))
        },
        ..*part
    };
    let same = |weaker: &SearchConfig| {
        (weaker.insiders, weaker.impersonates, weaker.silent, weaker.budget)
            == (less.insiders, less.impersonates, less.silent, less.budget)
    };
    let mut weaker =
        Capability::ALL.into_iter().filter(|other| *other < power).filter_map(|other| limited(other, part));
    let is_new = weaker.next_back().is_none_or(|weaker| !same(&weaker));
    is_new.then_some(less)
}
