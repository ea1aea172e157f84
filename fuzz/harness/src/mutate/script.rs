//! Lives: the moves of an adversary who has seen one go well and tries another.

use crate::Dice;
use bemr_lab::lockstep::{Instruction, Kind, MOST_MOVES, Script};
use bemr_model::{LedgerKind, Lifetimes};

/// How often which kind is drawn: what honest life is made of most often.
const OFTEN: [(Kind, usize); 18] = [
    (Kind::Go, 30),
    (Kind::Command, 12),
    (Kind::Govern, 8),
    (Kind::Pass, 3),
    (Kind::Audit, 4),
    (Kind::Unseal, 4),
    (Kind::Lose, 3),
    (Kind::Reorder, 5),
    (Kind::Hurry, 5),
    (Kind::Replay, 6),
    (Kind::Redirect, 5),
    (Kind::Corrupt, 6),
    (Kind::Crash, 4),
    (Kind::Impersonate, 8),
    (Kind::Lie, 18),
    (Kind::Ambush, 6),
    (Kind::Conspire, 2),
    (Kind::Leak, 2),
];

/// A life like the one in `input`: a move is skipped, repeated, exchanged with another, made weaker or stronger, replayed
/// from elsewhere, or the life is spliced with the one in `other`.
pub fn script(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut script = Script::read(input);
    for _ in 0..=dice.below(4) {
        change(dice, &mut script, other);
    }
    script.moves.truncate(MOST_MOVES);
    script.to_bytes()
}

fn draw(dice: &mut Dice) -> Instruction {
    let mut drawn = dice.below(OFTEN.iter().map(|(_, often)| often).sum());
    for (kind, often) in OFTEN {
        if drawn < often {
            let choice = if kind == Kind::Go { 1 + dice.below(24) as u16 } else { dice.word() };
            return Instruction { kind, choice };
        }
        drawn -= often;
    }
    Instruction { kind: Kind::Go, choice: 1 }
}

fn change(dice: &mut Dice, script: &mut Script, other: &[u8]) {
    let count = script.moves.len();
    if count == 0 {
        script.moves.extend((0..4).map(|_| draw(dice)));
        return;
    }
    let (at, to) = (dice.below(count), dice.below(count));
    match dice.below(12) {
        // Skip.
        0 => {
            let end = (at + 1 + dice.below(4)).min(count);
            script.moves.drain(at..end);
        }
        // Repeat.
        1 => {
            let one = script.moves[at];
            script.moves.insert(to, one);
        }
        // Swap.
        2 => script.moves.swap(at, to),
        // Splice.
        3 => {
            let others = Script::read(other).moves;
            let from = dice.below(others.len());
            script.moves.truncate(at + 1);
            script.moves.extend(others.into_iter().skip(from));
        }
        // Replay from elsewhere.
        4 => {
            let others = Script::read(other).moves;
            let from = dice.below(others.len());
            let some: Vec<Instruction> = others.into_iter().skip(from).take(1 + dice.below(6)).collect();
            script.moves.splice(at..at, some);
        }
        // Weaken, strengthen.
        5 => script.moves[at].kind = script.moves[at].kind.weaker(),
        6 => script.moves[at].kind = script.moves[at].kind.stronger(),
        // The same kind of thing otherwise.
        7 => {
            let one = &mut script.moves[at];
            one.choice = if dice.once_in(3) { one.choice.wrapping_add(1) } else { draw(dice).choice };
            if one.kind == Kind::Go {
                one.choice = one.choice % 32 + 1;
            }
        }
        // An honest stretch is interrupted.
        8 => {
            if let Instruction { kind: Kind::Go, choice } = script.moves[at]
                && choice > 1
            {
                let before = 1 + dice.below(usize::from(choice) - 1) as u16;
                script.moves[at].choice = choice - before;
                script.moves.insert(at, Instruction { kind: Kind::Go, choice: before });
                script.moves.insert(at + 1, draw(dice));
            } else {
                script.moves.insert(at, draw(dice));
            }
        }
        9 => network(dice, script),
        // Something more.
        _ => script.moves.insert(if dice.once_in(2) { count } else { at }, draw(dice)),
    }
}

/// Another network.
fn network(dice: &mut Dice, script: &mut Script) {
    let setup = &mut script.setup;
    match dice.below(8) {
        0 => setup.users = 1 + dice.below(5) as u8,
        1 => setup.users = 5,
        2 => setup.validators = [1, 1, 3, 4, 7][dice.below(5)],
        3 => setup.ledger = if dice.once_in(3) { LedgerKind::Work } else { LedgerKind::Quorum },
        4 => setup.seed = dice.below(8) as u64,
        5 => setup.established = !setup.established,
        // Of few, so that a network need not be founded anew for each.
        6 => setup.lifetimes.list = [Lifetimes::LONG.list, 5_000, 20_000, 60_000][dice.below(4)],
        _ => {
            let few = [Lifetimes::LONG.certificate, 20_000, 60_000, 200_000];
            setup.lifetimes.certificate = few[dice.below(4)];
        }
    }
}
