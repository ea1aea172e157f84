//! The lives that the corpus of the lockstep target is made from.

use crate::corpus::Named;
use bemr::conformance::lockstep::{Kind, MOST_AT_ONCE, Move, Script};
use bemr_spec::model::LedgerKind;

/// Lives without an adversary.
pub(super) fn honest() -> Vec<Named> {
    let life = |users: u8, validators: u8, acquainted: bool, commands: u16| {
        let mut script = Script::default();
        (script.setup.users, script.setup.validators, script.setup.acquainted) =
            (users, validators, acquainted);
        for choice in 0..commands {
            script.moves.push(Move { kind: Kind::Command, choice });
            script.moves.push(Move { kind: Kind::Go, choice: MOST_AT_ONCE });
        }
        script.to_bytes()
    };
    vec![
        ("honest-one-record".to_owned(), life(1, 1, false, 1)),
        ("honest-four-validators".to_owned(), life(3, 4, true, 3)),
        ("honest-many-commands".to_owned(), life(5, 1, true, 6)),
    ]
}

/// An honest life of one record, with one adverse move at each point of it in many ways.
pub(super) fn probes() -> impl Iterator<Item = Vec<u8>> {
    const WAYS: u16 = 150;
    const POINTS: u16 = 14;
    const KINDS: [Kind; 3] = [Kind::Lie, Kind::Ambush, Kind::Pose];
    let life = |kind: Kind, point: u16, choice: u16| {
        let mut script = Script::default();
        script.setup.acquainted = kind != Kind::Pose;
        let go = |choice| Move { kind: Kind::Go, choice };
        let record = Move { kind: Kind::Command, choice: 0 };
        script.moves = vec![record, go(point), Move { kind, choice }, go(6)];
        script.to_bytes()
    };
    let ways =
        move |kind| (1..=POINTS).flat_map(move |point| (0..WAYS).map(move |way| life(kind, point, way)));
    KINDS.into_iter().flat_map(ways)
}

/// What a life goes on with after it was interrupted.
const REST: [Move; 4] = [
    Move { kind: Kind::Command, choice: 1 },
    Move { kind: Kind::Go, choice: MOST_AT_ONCE },
    Move { kind: Kind::Command, choice: 3 },
    Move { kind: Kind::Go, choice: MOST_AT_ONCE },
];

/// Lives in networks of several forms, each with one move of another kind in it, and what is honest after it. What refuses
/// nothing is seen in them too: a seal that opens, an audit without findings, what leaks, who starts again.
pub(super) fn varied() -> impl Iterator<Item = Vec<u8>> {
    const WAYS: u16 = 16;
    const POINTS: [u16; 3] = [9, 25, 60];
    const NETWORKS: [(u8, u8, LedgerKind); 3] =
        [(5, 1, LedgerKind::Quorum), (3, 4, LedgerKind::Quorum), (3, 4, LedgerKind::Work)];
    const KINDS: [Kind; 12] = [
        Kind::Command,
        Kind::Govern,
        Kind::Audit,
        Kind::Unseal,
        Kind::Lose,
        Kind::Reorder,
        Kind::Hurry,
        Kind::Redirect,
        Kind::Spoil,
        Kind::Crash,
        Kind::Conspire,
        Kind::Leak,
    ];
    let life = |(users, validators, ledger), kind, point, choice| {
        let mut script = Script::default();
        (script.setup.users, script.setup.validators, script.setup.ledger) = (users, validators, ledger);
        script.setup.acquainted = true;
        let begin = [Move { kind: Kind::Command, choice: 0 }, Move { kind: Kind::Go, choice: point }];
        script.moves.extend(begin);
        script.moves.push(Move { kind, choice });
        script.moves.extend(REST);
        script.to_bytes()
    };
    let ways = move |network, kind| {
        POINTS.into_iter().flat_map(move |point| (0..WAYS).map(move |way| life(network, kind, point, way)))
    };
    NETWORKS.into_iter().flat_map(move |network| KINDS.into_iter().flat_map(move |kind| ways(network, kind)))
}
