//! The named scopes.

use crate::explore::{Budget, Part};
use bemr_spec::Clause;
use bemr_spec::model::{Actor, Command, LedgerKind, Members, Order, Setup};

/// Parts that are searched one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub says: &'static str,
    /// Its parts.
    pub parts: &'static [Part],
}

/// Every scope.
pub const SCOPES: &[Scope] = &[
    Scope { name: "smoke", says: "seconds: each kind of adversary once", parts: SMOKE },
    Scope { name: "ci", says: "minutes: what every change has to pass", parts: CI },
    Scope { name: "deep", says: "hours: more of everything, to the bound of memory", parts: DEEP },
];

const NONE: Budget = Budget { drop: 0, replay: 0, redirect: 0, early: 0, crash: 0, lie: 0, luck: 0 };
const DOCTOR: Actor = Actor::User(0);
const COLLEAGUE: Actor = Actor::User(1);

const fn setup(users: u8, validators: u8) -> Setup {
    Setup { users, validators, ledger: LedgerKind::Quorum, seed: 0 }
}

const fn submit(record: u16, breaks: Option<Clause>) -> Command {
    Command::Submit { record, breaks, readers: Members(0) }
}

const ONE: &[(Actor, Command)] = &[(DOCTOR, submit(1, None))];
const BROKEN: &[(Actor, Command)] = &[(DOCTOR, submit(1, Some(Clause::RangeRule)))];
const TWO: &[(Actor, Command)] = &[(DOCTOR, submit(1, None)), (COLLEAGUE, submit(1, None))];
const READ: &[(Actor, Command)] =
    &[(DOCTOR, submit(1, None)), (DOCTOR, Command::Read { tid: 0 }), (COLLEAGUE, Command::Read { tid: 0 })];
const ERASE: &[(Actor, Command)] = &[
    (DOCTOR, submit(1, None)),
    (DOCTOR, Command::Order { tid: 0, order: Order::Erase(Members(0b01001)) }),
    (DOCTOR, Command::Read { tid: 0 }),
];

const HANDSHAKE: Part = Part {
    name: "handshake",
    setup: setup(1, 2),
    acquainted: false,
    script: ONE,
    insiders: &[],
    budget: Budget { redirect: 2, replay: 1, ..NONE },
    until: 1_000,
    notices: &[(Clause::PeerIsIntended, "G-KEY"), (Clause::SessionIsFresh, "G-FRE")],
};

const LOSS: Part = Part {
    name: "loss",
    setup: setup(1, 1),
    acquainted: true,
    script: ONE,
    insiders: &[],
    budget: Budget { drop: 1, replay: 1, early: 1, ..NONE },
    until: 600_000,
    notices: &[
        (Clause::SequenceAdvances, "G-FRE"),
        (Clause::SealBeforeNextStage, "G-ORD"),
        (Clause::SealedKeyIsErased, "G-SEC"),
    ],
};

const LIAR: Part = Part {
    name: "lying validator",
    setup: setup(1, 4),
    acquainted: true,
    script: BROKEN,
    insiders: &[Actor::Validator(0)],
    budget: Budget { lie: 1, ..NONE },
    until: 190,
    notices: &[(Clause::MoreThanTwoThirds, "G-CIV")],
};

const SMOKE: &[Part] = &[HANDSHAKE, LOSS, LIAR];
const CI: &[Part] = &[HANDSHAKE, LOSS, LIAR];
const DEEP: &[Part] = &[HANDSHAKE, LOSS, LIAR];
#[expect(dead_code, reason = "not yet in a scope")]
const REST: &[&[(Actor, Command)]] = &[TWO, READ, ERASE];
