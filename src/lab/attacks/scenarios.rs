//! The configurations in which attacks are searched. Each lists its insiders from the weakest to the strongest, so that an adversary of
//! less capability has the first of them.

use crate::explore::suites::{
    BROKEN, DOCTOR, NONE, ONE, POLICY, QUIET, READ, SAFETY, WITHOUT_BSD, WITHOUT_CLOUD, WORK, setup, submit,
};
use crate::explore::{Budget, SearchConfig};
use bemr_model::{Actor, Command, Enrolment, Key, Role, Setup};

/// The KDC issues a second certificate for a doctor.
const DOUBLE: &[(Actor, Command)] = &[(
    Actor::Kdc,
    Command::Enrol(Enrolment {
        subject: Some(DOCTOR),
        role: Role::Doctor,
        signing: Key(90),
        agreement: Key(91),
        flaws: bemr_model::Flaws::NONE,
    }),
)];

/// Two actors without a session, and an adversary between them that impersonates either.
pub(super) const STRANGERS: SearchConfig = SearchConfig {
    name: "strangers",
    setup: Setup { established: false, ..setup(1, 1) },
    impersonates: true,
    budget: Budget { byzantine: 2, redirect: 1, ..NONE },
    until: 1_000,
    goals: SAFETY,
    ..QUIET
};

/// The same, and the adversary redirects packets.
pub(super) const MISLED: SearchConfig = SearchConfig {
    name: "packets led astray",
    setup: Setup { established: false, ..setup(1, 2) },
    budget: Budget { redirect: 2, ..NONE },
    until: 1_000,
    goals: SAFETY,
    ..QUIET
};

pub(super) const REPLAYED: SearchConfig = SearchConfig {
    name: "replay",
    budget: Budget { drop: 1, replay: 1, early: 1, ..NONE },
    until: 1_000,
    goals: SAFETY,
    ..QUIET
};

/// A Byzantine user.
pub(super) const FALSE_USER: SearchConfig = SearchConfig {
    name: "lying user",
    setup: setup(2, 1),
    insiders: &[DOCTOR],
    budget: Budget { byzantine: 1, drop: 1, replay: 1, ..NONE },
    until: 200,
    goals: SAFETY,
    ..QUIET
};

/// One Byzantine validator of four.
pub(super) const FALSE_VOTER: SearchConfig = SearchConfig {
    name: "lying validator",
    setup: setup(1, 4),
    insiders: &[Actor::Validator(0)],
    budget: Budget { byzantine: 2, drop: 1, replay: 1, ..NONE },
    silent: &[Actor::Cloud],
    until: 100,
    goals: SAFETY,
    ..QUIET
};

/// The only validator never answers.
pub(super) const SILENT: SearchConfig = SearchConfig {
    name: "silent validator",
    silent: &[Actor::Validator(0)],
    budget: Budget { drop: 1, early: 1, replay: 1, ..NONE },
    ..QUIET
};

/// An administrator submits a record.
pub(super) const FALSE_ROLE: SearchConfig = SearchConfig {
    name: "administrator who submits",
    setup: setup(4, 1),
    script: &[(Actor::User(3), submit(1, None))],
    insiders: &[Actor::User(3)],
    budget: Budget { byzantine: 1, drop: 1, ..NONE },
    silent: &[Actor::Cloud, DOCTOR, Actor::User(1), Actor::User(2)],
    until: 100,
    goals: SAFETY,
    ..QUIET
};

pub(super) const FALSE_BSD: SearchConfig = SearchConfig {
    name: "lying BSD",
    setup: setup(1, 2),
    insiders: &[Actor::Bsd],
    budget: Budget { byzantine: 2, drop: 1, replay: 1, ..NONE },
    until: 500,
    goals: WITHOUT_BSD,
    ..QUIET
};

pub(super) const FALSE_KDC: SearchConfig =
    SearchConfig { name: "lying KDC", script: DOUBLE, until: 100, goals: SAFETY, ..QUIET };

/// Two miners, and a chain that a heavier one replaces.
pub(super) const REORGANISED: SearchConfig = SearchConfig {
    name: "overtaken chain",
    budget: Budget { luck: 4, drop: 1, ..NONE },
    notices: &[],
    states: None,
    ..WORK
};

pub(super) const CHANGED: SearchConfig =
    SearchConfig { name: "changed policy", notices: &[], states: None, ..POLICY };

pub(super) const FALSE_CLOUD: SearchConfig = SearchConfig {
    name: "lying cloud",
    setup: setup(2, 1),
    script: READ,
    insiders: &[Actor::Cloud],
    budget: Budget { byzantine: 2, drop: 1, replay: 1, ..NONE },
    until: 300,
    goals: WITHOUT_CLOUD,
    ..QUIET
};

/// Every validator is Byzantine, and the record breaks a rule.
pub(super) const CONSPIRACY: SearchConfig = SearchConfig {
    name: "all validators lie",
    setup: setup(1, 2),
    script: BROKEN,
    insiders: &[Actor::Validator(0), Actor::Validator(1)],
    budget: Budget { byzantine: 2, drop: 1, ..NONE },
    until: 1_000,
    goals: SAFETY,
    ..QUIET
};

/// The BSD receives messages of one validator of four only.
pub(super) const ECLIPSE: SearchConfig = SearchConfig {
    name: "eclipse",
    setup: setup(1, 4),
    insiders: &[Actor::Validator(0)],
    silent: &[Actor::Validator(1), Actor::Validator(2), Actor::Validator(3), Actor::Cloud],
    budget: Budget { byzantine: 3, drop: 1, ..NONE },
    until: 100,
    goals: SAFETY,
    ..QUIET
};

/// An honest run, after which keys are disclosed.
pub(super) const LATER: SearchConfig =
    SearchConfig { name: "afterwards", script: ONE, until: 1_000, goals: SAFETY, ..QUIET };

/// Every configuration.
pub(super) const SCENES: &[SearchConfig] = &[
    STRANGERS,
    MISLED,
    REPLAYED,
    FALSE_USER,
    FALSE_ROLE,
    FALSE_VOTER,
    ECLIPSE,
    CONSPIRACY,
    SILENT,
    REORGANISED,
    CHANGED,
    FALSE_CLOUD,
    FALSE_BSD,
    FALSE_KDC,
    LATER,
];
