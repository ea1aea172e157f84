//! Audits, key recovery and damage to stores, by chance.

use bemr_model::{
    Action, Actor, Damage, Execution, Falsehood, Falsification, List, Row, SealFault, SealId, Tid, View,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How often which list is falsified.
const LISTS: [(List, u32); 5] = [
    (List::Entries, 40),
    (List::AuditHeads, 20),
    (List::Leaves, 20),
    (List::CloudHeads, 15),
    (List::Blocks, 5),
];

/// An auditor replays the public record with the blocks of one of the actors, as they are or falsified.
pub(super) fn audit(rng: &mut ChaCha8Rng, model: &Execution) -> Action {
    let actors: Vec<Actor> = model.system().actors().collect();
    let ledger = actors[rng.random_range(0..actors.len())];
    let count = [0, 1, 1, 1, 2][rng.random_range(0..5)];
    let falsified = (0..count).filter_map(|_| falsification(rng, model, ledger)).collect();
    Action::Audit { ledger, falsified }
}

fn falsification(rng: &mut ChaCha8Rng, model: &Execution, holder: Actor) -> Option<Falsification> {
    let mut drawn = rng.random_range(0..LISTS.iter().map(|(_, weight)| weight).sum::<u32>());
    let (list, _) = *LISTS.iter().find(|(_, weight)| {
        let this = drawn < *weight;
        drawn = drawn.saturating_sub(*weight);
        this
    })?;
    let size = model.system().listed(holder, list);
    let at = rng.random_range(0..size.max(1)) as u32;
    let changeable = list.fields();
    let how = match rng.random_range(0..6) {
        0 => Falsehood::Drop,
        1 => Falsehood::Repeat,
        2 => Falsehood::Swap,
        _ if changeable.is_empty() => Falsehood::Drop,
        _ => Falsehood::Change(changeable[rng.random_range(0..changeable.len())]),
    };
    let hidden = list != List::Blocks && rng.random_range(0..2) == 0;
    Some(Falsification { list, at, how, hidden })
}

/// The key-recovery agent opens an escrow package, more often than not a recent one, as it is or with faults.
pub(super) fn unseal(rng: &mut ChaCha8Rng, model: &Execution) -> Option<Action> {
    let seals: Vec<SealId> = model.system().seals().collect();
    let newest = if rng.random_range(0..2) == 0 { seals.len().min(6) } else { seals.len() };
    let seal = *seals.get(seals.len().checked_sub(1 + rng.random_range(0..newest.max(1)))?)?;
    let other = seals[rng.random_range(0..seals.len())].index;
    let count = [0, 1, 1, 1, 2][rng.random_range(0..5)];
    let faults = (0..count).map(|_| fault(rng, other)).collect();
    Some(Action::Unseal { seal, faults })
}

fn fault(rng: &mut ChaCha8Rng, other: u32) -> SealFault {
    match rng.random_range(0..30) {
        place @ 0..19 => SealFault::PLAIN[place],
        19..22 => SealFault::WrappedOf(other),
        22..25 => SealFault::Twice,
        _ => SealFault::KeyOf(other),
    }
}

/// Damage to the store of a crashed actor; nothing where it holds too little.
pub(super) fn damage(rng: &mut ChaCha8Rng, model: &Execution, actor: Actor) -> Option<Damage> {
    let (View::User { public, .. }
    | View::Bsd { public, .. }
    | View::Validator { public, .. }
    | View::Cloud { public, .. }) = model.view(actor)?
    else {
        return None;
    };
    let blocks = public.height;
    let listed = |list| model.system().listed(actor, list) as u32;
    let any = |rng: &mut ChaCha8Rng, size: u32| (size > 0).then(|| rng.random_range(0..size));
    // The rows that were written last are the ones that a crash loses.
    let late = |rng: &mut ChaCha8Rng, size: u32| any(rng, size.min(3)).map(|back| size - 1 - back);
    let block = |rng: &mut ChaCha8Rng| any(rng, blocks as u32).map(|place| Row::Block(u64::from(place) + 1));
    let (leaves, entries) = (listed(List::Leaves), listed(List::Entries));
    let tid = |rng: &mut ChaCha8Rng| any(rng, model.submissions().into()).map(|tid| Tid::nth(tid as u16));
    let row = match actor {
        Actor::Cloud => match rng.random_range(0..10) {
            0 => block(rng),
            1 => any(rng, leaves).map(Row::Leaf),
            2 => late(rng, leaves).map(Row::Leaf),
            3 => any(rng, leaves).map(|leaf| Row::Node { level: 1, index: leaf / 2 }),
            4 => any(rng, leaves).map(|leaf| Row::Node { level: 2, index: leaf / 4 }),
            5 => late(rng, leaves).map(|leaf| Row::CloudHead(leaf + 1)),
            6 => tid(rng).map(Row::Blob),
            7 => tid(rng).map(Row::VaultKey),
            8 => tid(rng).map(Row::Erased),
            _ => tid(rng).map(|tid| Row::Grant { tid, reader: rng.random_range(0..3) }),
        },
        Actor::Bsd => match rng.random_range(0..4) {
            0 => block(rng),
            1 => late(rng, listed(List::AuditHeads)).map(Row::AuditHead),
            2 => late(rng, entries).map(Row::AuditEntry),
            _ => any(rng, entries).map(Row::AuditEntry),
        },
        Actor::User(_) | Actor::Validator(_) | Actor::Kdc => block(rng),
    }?;
    Some(match rng.random_range(0..5) {
        0 | 1 => Damage::Missing(row),
        2 | 3 => Damage::Changed(row),
        _ => Damage::Back(row),
    })
}
