//! Model and implementation in lockstep through a life that the bytes tell, with everything that an adversary does in it.

use crate::{Seen, Subject};
use bemr_lab::lockstep::{Coverage, Script, SetupCache, trace_of};
use bemr_lab::trace::Trace;
use bemr_model::{Action, Happened, Setup};
use bemr_spec::Clause;
use std::cell::RefCell;

thread_local! {
    /// A life goes the same with it and without.
    static NURSERY: RefCell<SetupCache> = RefCell::default();
}

/// They agree on every step, no goal is broken, no secret is out.
pub(super) fn run(subject: &Subject, input: &[u8], seen: &mut Seen) {
    let script = Script::read(input);
    seen.spend(birth(&script.setup));
    let mut statistics = Coverage::default();
    let played = NURSERY.with_borrow_mut(|nursery| {
        script
            .execute(subject.sides, nursery, &mut statistics, |action, happened| note(seen, action, happened))
    });
    for clause in clauses_of(&statistics) {
        seen.refused(clause);
    }
    if let Err(parted) = played {
        panic!("step {}: {}", parted.actions.len(), parted.divergence);
    }
}

/// What a life costs before its first step, where a step is three things that happen: a network that is founded already, and
/// handshakes.
fn birth(setup: &Setup) -> u64 {
    let (users, validators) = (u64::from(setup.users), u64::from(setup.validators));
    let sessions = if setup.established { 2 * users + validators + 1 } else { 0 };
    15 + 5 * sessions
}

/// What happened to whom, what it was, and why it was refused.
fn note(seen: &mut Seen, action: &Action, happened: &Happened) {
    let actor = std::mem::discriminant(&happened.actor);
    let what = std::mem::discriminant(action);
    seen.note((actor, what, happened.event, happened.clause, happened.cause));
    seen.note((what, happened.place.is_some(), happened.opened.is_empty()));
    for output in &happened.sends {
        seen.note((happened.event, output.name()));
    }
}

/// The clauses that kept something from being taken, by id.
pub fn clauses_of(statistics: &Coverage) -> impl Iterator<Item = &'static str> {
    let reached: Vec<&'static str> =
        Clause::ALL.into_iter().filter(|clause| statistics.refusals(*clause) > 0).map(Clause::id).collect();
    reached.into_iter()
}

/// The trace of a life: up to where the two part and as short as it can be made, should they.
pub fn as_trace(subject: &Subject, input: &[u8]) -> (Trace, Option<String>) {
    let script = Script::read(input);
    match script.execute(subject.sides, &mut SetupCache::default(), &mut Coverage::default(), |_, _| ()) {
        Ok(actions) => (trace_of(subject.sides, &script.setup, &actions), None),
        Err(parted) => {
            let short = parted.shrunk(subject.sides);
            let (setup, actions) =
                short.map_or((parted.setup, parted.actions), |short| (short.setup, short.actions));
            let mut trace = trace_of(subject.sides, &setup, &actions);
            let told = parted.divergence.to_string();
            trace.header.note =
                Some(told.chars().map(|c| if c.is_control() { ' ' } else { c }).take(1000).collect());
            (trace, Some(told))
        }
    }
}
