//! Makes a trace that shows a divergence shorter. A parcel is known by the step that sent it, so that leaving out other
//! steps does not change what is delivered.

use crate::conformance::lockstep::{Divergence, Lockstep};
use bemr_spec::Rules;
use bemr_spec::model::{Action, Setup};
use std::collections::BTreeMap;
use std::mem::discriminant;

/// An action whose parcel is named by step and place among what that step sent.
#[derive(Clone, Debug)]
struct Named {
    step: usize,
    action: Action,
    parcel: Option<(usize, u32)>,
}

/// The shortest trace found in which model and implementation part in the same way, and how they part.
pub fn shrink(rules: Rules, setup: &Setup, actions: &[Action]) -> (Vec<Action>, Option<Divergence>) {
    let mut named = name(rules, setup, actions);
    let Some((_, first)) = play(rules, setup, &named) else { return (actions.to_vec(), None) };
    let same = |found: &Divergence| discriminant(found) == discriminant(&first);
    let shows = |candidate: &[Named]| play(rules, setup, candidate).filter(|(_, found)| same(found));
    // Halves, then quarters, down to single steps, until nothing can be left out.
    let mut size = named.len().div_ceil(2).max(1);
    loop {
        let before = named.len();
        let mut start = 0;
        while start < named.len() {
            let end = (start + size).min(named.len());
            let candidate: Vec<Named> = named[..start].iter().chain(&named[end..]).cloned().collect();
            match shows(&candidate) {
                Some((used, _)) => {
                    named = candidate.into_iter().filter(|one| used.contains(&one.step)).collect()
                }
                None => start = end,
            }
        }
        if size > 1 {
            size = size.div_ceil(2);
        } else if named.len() == before {
            break;
        }
    }
    let (actions, found) = record(rules, setup, &named);
    (actions, found)
}

/// Names the parcels of a trace.
fn name(rules: Rules, setup: &Setup, actions: &[Action]) -> Vec<Named> {
    let Ok(mut both) = Lockstep::new(rules, setup) else { return Vec::new() };
    let mut sent_by: Vec<(usize, u32)> = Vec::new();
    let mut named = Vec::new();
    for (step, action) in actions.iter().enumerate() {
        let parcel = parcel_of(action).and_then(|parcel| sent_by.get(parcel as usize).copied());
        let before = both.world().parcels().len();
        let done = both.step(action);
        let after = both.world().parcels().len();
        sent_by.extend((0..(after - before) as u32).map(|place| (step, place)));
        named.push(Named { step, action: action.clone(), parcel });
        if done.is_err() {
            break;
        }
    }
    named
}

fn parcel_of(action: &Action) -> Option<u32> {
    match action {
        Action::Deliver { parcel } | Action::Redirect { parcel, .. } | Action::Spoil { parcel, .. } => {
            Some(*parcel)
        }
        _ => None,
    }
}

fn with_parcel(action: &Action, number: u32) -> Action {
    let mut action = action.clone();
    if let Action::Deliver { parcel } | Action::Redirect { parcel, .. } | Action::Spoil { parcel, .. } =
        &mut action
    {
        *parcel = number;
    }
    action
}

/// Plays what is left; gives the steps that could be done, and the divergence.
fn play(rules: Rules, setup: &Setup, named: &[Named]) -> Option<(Vec<usize>, Divergence)> {
    let mut both = Lockstep::new(rules, setup).ok()?;
    let mut sent: BTreeMap<(usize, u32), u32> = BTreeMap::new();
    let mut used = Vec::new();
    for Named { step, action, parcel } in named {
        let action = match (parcel_of(action), parcel) {
            (None, _) => action.clone(),
            (Some(_), Some(name)) => match sent.get(name) {
                Some(number) => with_parcel(action, *number),
                None => continue,
            },
            (Some(_), None) => continue,
        };
        let before = both.world().parcels().len() as u32;
        match both.step(&action) {
            Ok(Some(_)) => {
                used.push(*step);
                let after = both.world().parcels().len() as u32;
                sent.extend((before..after).map(|number| ((*step, number - before), number)));
            }
            Ok(None) => {}
            Err(found) => {
                used.push(*step);
                return Some((used, *found));
            }
        }
    }
    both.look().err().map(|found| (used, *found))
}

/// The trace with its parcels numbered anew.
fn record(rules: Rules, setup: &Setup, named: &[Named]) -> (Vec<Action>, Option<Divergence>) {
    let Ok(mut both) = Lockstep::new(rules, setup) else { return (Vec::new(), None) };
    let mut sent: BTreeMap<(usize, u32), u32> = BTreeMap::new();
    let mut actions = Vec::new();
    for Named { step, action, parcel } in named {
        let number = parcel.and_then(|name| sent.get(&name).copied());
        if parcel_of(action).is_some() && number.is_none() {
            continue;
        }
        let action = number.map_or_else(|| action.clone(), |number| with_parcel(action, number));
        let before = both.world().parcels().len() as u32;
        match both.step(&action) {
            Ok(Some((done, _))) => {
                let after = both.world().parcels().len() as u32;
                sent.extend((before..after).map(|number| ((*step, number - before), number)));
                actions.push(done);
            }
            Ok(None) => {}
            Err(found) => {
                actions.push(action);
                return (actions, Some(*found));
            }
        }
    }
    let found = both.look().err().map(|found| *found);
    (actions, found)
}
