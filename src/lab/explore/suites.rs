//! The named scopes.

use crate::explore::{Arrival, Budget, SearchConfig, TERMINATION};
use bemr_model::{Actor, Change, Command, Edition, LedgerKind, Lifetimes, Members, Order, Setup, Tid};
use bemr_spec::Clause;

/// Parts that are searched one after the other.
#[derive(Clone, Copy, Debug)]
pub struct SearchSuite {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub says: &'static str,
    /// Whether its size is guessed before it is searched.
    pub long: bool,
    /// Its parts.
    pub configurations: &'static [SearchConfig],
}

/// Every scope.
pub const SUITES: &[SearchSuite] = &[
    SearchSuite {
        name: "smoke",
        says: "seconds: each kind of adversary once",
        long: false,
        configurations: SMOKE,
    },
    SearchSuite {
        name: "ci",
        says: "minutes: what every change has to pass",
        long: false,
        configurations: CI,
    },
    SearchSuite {
        name: "deep",
        says: "hours: more of everything, to the bound of memory",
        long: true,
        configurations: DEEP,
    },
];

pub(crate) const NONE: Budget =
    Budget { drop: 0, replay: 0, redirect: 0, early: 0, crash: 0, byzantine: 0, luck: 0 };
pub(crate) const DOCTOR: Actor = Actor::User(0);
pub(crate) const COLLEAGUE: Actor = Actor::User(1);
const ADMINISTRATOR: Actor = Actor::User(3);
const OTHER_ADMINISTRATOR: Actor = Actor::User(4);

/// Beyond every bound of chapter 9: three times the patience of a user.
pub(crate) const TO_THE_END: u64 = 600_000;

/// What holds of an honest BSD and cloud, however short the time.
pub(crate) const SAFETY: &[&str] = &[
    "G-ORI", "G-AGR", "G-SDN", "G-CIV", "G-PRV", "G-FRE", "G-HSK", "G-ORD", "G-SEC", "G-KEY", "G-IMM",
    "G-AUD", "G-ERA", "G-POL", "G-DEL", "G-ACC",
];

/// The same, and that whatever begins ends.
const ALL: &[&str] = &{
    let mut all = [TERMINATION; SAFETY.len() + 1];
    let mut place = 0;
    while place < SAFETY.len() {
        all[place] = SAFETY[place];
        place += 1;
    }
    all
};

/// What holds although the BSD lies (chapter 1: mB).
pub(crate) const WITHOUT_BSD: &[&str] = &["G-ORI", "G-AGR", "G-IMM", "G-POL", "G-DEL"];

/// What holds although the cloud lies (chapter 1: mC).
pub(crate) const WITHOUT_CLOUD: &[&str] =
    &["G-ORI", "G-FRE", "G-ORD", "G-SEC", "G-KEY", "G-IMM", "G-AUD", "G-DEL"];

pub(crate) const fn setup(users: u8, validators: u8) -> Setup {
    let (ledger, lifetimes) = (LedgerKind::Quorum, Lifetimes::LONG);
    Setup { users, validators, ledger, seed: 0, established: true, lifetimes }
}

pub(crate) const fn submit(record: u16, breaks: Option<Clause>) -> Command {
    Command::Submit { record, breaks, readers: Members(0) }
}

const fn change(templates: Option<Edition>, admission: Option<Edition>) -> Command {
    Command::ChangePolicy {
        change: Change { templates, abeyance: None, admission },
        approvals: Members(0b11000),
    }
}

pub(crate) const ONE: &[(Actor, Command)] = &[(DOCTOR, submit(1, None))];
pub(crate) const BROKEN: &[(Actor, Command)] = &[(DOCTOR, submit(1, Some(Clause::RangeRule)))];
const TWO_RECORDS: &[(Actor, Command)] =
    &[(DOCTOR, submit(1, None)), (DOCTOR, submit(2, Some(Clause::RangeRule)))];
const TWICE: &[(Actor, Command)] = &[(DOCTOR, submit(1, None)), (COLLEAGUE, submit(1, None))];
pub(crate) const READ: &[(Actor, Command)] = &[
    (DOCTOR, submit(1, None)),
    (DOCTOR, Command::Read { tid: Tid::FIRST }),
    (COLLEAGUE, Command::Read { tid: Tid::FIRST }),
];
pub(crate) const READ_TWICE: &[(Actor, Command)] = &[
    (DOCTOR, submit(1, None)),
    (DOCTOR, Command::Read { tid: Tid::FIRST }),
    (DOCTOR, Command::Read { tid: Tid::FIRST }),
];
const SHARE: &[(Actor, Command)] = &[
    (DOCTOR, submit(1, None)),
    (DOCTOR, Command::Order { tid: Tid::FIRST, order: Order::Grant(1) }),
    (COLLEAGUE, Command::Read { tid: Tid::FIRST }),
    (DOCTOR, Command::Order { tid: Tid::FIRST, order: Order::Revoke(1) }),
    (COLLEAGUE, Command::Read { tid: Tid::FIRST }),
];
const ERASE: &[(Actor, Command)] = &[
    (DOCTOR, submit(1, None)),
    (DOCTOR, Command::Order { tid: Tid::FIRST, order: Order::Erase(Members(0b01001)) }),
    (DOCTOR, Command::Read { tid: Tid::FIRST }),
];
/// A change that holds when a record is judged.
pub(crate) const CHANGED: &[(Actor, Command)] =
    &[(ADMINISTRATOR, change(Some(Edition { version: 2, effective: 1 }), None)), (DOCTOR, submit(1, None))];
/// The second change is none.
const CHANGES: &[(Actor, Command)] = &[
    (ADMINISTRATOR, change(Some(Edition { version: 2, effective: 1 }), None)),
    (ADMINISTRATOR, change(None, None)),
    (DOCTOR, submit(1, None)),
    (ADMINISTRATOR, change(None, Some(Edition { version: 2, effective: 1 }))),
];
/// Something to be anchored, and nothing else.
pub(crate) const HEAD: &[(Actor, Command)] = &[(Actor::Bsd, Command::CloseAudit)];

/// One user, one validator, every session established, and no adversary: what the other configurations differ from.
pub(crate) const QUIET: SearchConfig = SearchConfig {
    name: "quiet",
    setup: setup(1, 1),
    script: ONE,
    insiders: &[],
    invents: false,
    impersonates: false,
    budget: NONE,
    arrival: Arrival::Any,
    silent: &[],
    until: TO_THE_END,
    goals: ALL,
    states: None,
    notices: &[],
};

/// Strangers shake hands while packets are redirected and replayed, to two users among others who do nothing.
pub(crate) const HANDSHAKE: SearchConfig = SearchConfig {
    name: "handshake",
    setup: Setup { established: false, ..setup(3, 2) },
    budget: Budget { redirect: 2, replay: 1, ..NONE },
    until: 1_000,
    goals: SAFETY,
    notices: &[
        (Clause::PeerIsIntended, "G-KEY"),
        (Clause::SessionIsFresh, "G-FRE"),
        (Clause::HelloDisplacesNone, "G-HSK"),
    ],
    states: Some(255_692),
    ..QUIET
};

pub(crate) const LOSS: SearchConfig = SearchConfig {
    name: "loss",
    budget: Budget { drop: 1, replay: 1, early: 1, ..NONE },
    notices: &[
        (Clause::SequenceAdvances, "G-FRE"),
        (Clause::SealBeforeNextStage, "G-ORD"),
        (Clause::SealedKeyIsErased, "G-SEC"),
        (Clause::FirstDecisionStands, "G-SDN"),
    ],
    states: Some(763_652),
    ..QUIET
};

/// No validator answers: what a user is told then, and when.
pub(crate) const SILENCE: SearchConfig = SearchConfig {
    name: "silent validator",
    silent: &[Actor::Validator(0)],
    budget: Budget { drop: 2, early: 1, replay: 1, ..NONE },
    notices: &[
        (Clause::FailoverIsBounded, TERMINATION),
        (Clause::TidIsFresh, "G-AUD"),
        (Clause::AcceptNeedsQuorum, "G-CIV"),
    ],
    states: Some(46_118),
    ..QUIET
};

/// One validator of four votes as it likes and signs whatever is proposed, until the block is closed.
pub(crate) const LIAR: SearchConfig = SearchConfig {
    name: "lying validator",
    setup: setup(1, 4),
    insiders: &[Actor::Validator(0)],
    budget: Budget { byzantine: 1, ..NONE },
    until: 200,
    goals: SAFETY,
    notices: &[(Clause::MoreThanTwoThirds, "G-CIV"), (Clause::FirstDecisionStands, "G-SDN")],
    states: Some(1_261_205),
    ..QUIET
};

/// One validator of four says one thing and another, signed and unsigned, until there is a decision.
const CONTRARY: SearchConfig = SearchConfig {
    name: "contrary votes",
    setup: setup(1, 4),
    insiders: &[Actor::Validator(0)],
    budget: Budget { byzantine: 2, ..NONE },
    silent: &[Actor::Cloud],
    until: 100,
    goals: SAFETY,
    notices: &[
        (Clause::OneVotePerValidator, "G-ACC"),
        (Clause::VoteSigned, "G-ACC"),
        (Clause::VoteNamesBlock, "G-ACC"),
    ],
    states: Some(761),
    ..QUIET
};

/// Every validator lies about a record that breaks a rule.
pub(crate) const CONSPIRACY: SearchConfig = SearchConfig {
    name: "all validators lie",
    setup: setup(1, 2),
    script: BROKEN,
    insiders: &[Actor::Validator(0), Actor::Validator(1)],
    budget: Budget { byzantine: 2, ..NONE },
    until: 1_000,
    goals: SAFETY,
    notices: &[(Clause::AcceptNeedsReverification, "G-CIV")],
    states: Some(34_075),
    ..QUIET
};

/// Four validators close a block, and the second has its turn before it hears of the first. Who only
/// looks on is left out.
const CLOSING: SearchConfig = SearchConfig {
    name: "closing",
    setup: setup(1, 4),
    script: HEAD,
    budget: Budget { early: 1, drop: 1, ..NONE },
    silent: &[Actor::Bsd, Actor::Cloud, DOCTOR],
    until: 2_300,
    goals: SAFETY,
    notices: &[(Clause::OneCloseByValidator, "G-IMM")],
    states: Some(908_728),
    ..QUIET
};

/// A user submits in another's name.
pub(crate) const INSIDER: SearchConfig = SearchConfig {
    name: "insider user",
    setup: setup(2, 1),
    insiders: &[COLLEAGUE],
    invents: true,
    budget: Budget { byzantine: 2, replay: 2, drop: 1, ..NONE },
    until: 1_000,
    goals: SAFETY,
    notices: &[(Clause::InitialSenderIsPeer, "G-ORI")],
    states: Some(49_690),
    ..QUIET
};

pub(crate) const FALSE_BSD: SearchConfig = SearchConfig {
    name: "lying BSD",
    setup: setup(1, 2),
    insiders: &[Actor::Bsd],
    invents: true,
    budget: Budget { byzantine: 2, ..NONE },
    until: 500,
    goals: WITHOUT_BSD,
    notices: &[(Clause::BlockCarriesUserSignature, "G-ORI"), (Clause::OneBlockPerTid, "G-AGR")],
    states: Some(643_629),
    ..QUIET
};

pub(crate) const FALSE_CLOUD: SearchConfig = SearchConfig {
    name: "lying cloud",
    script: READ_TWICE,
    insiders: &[Actor::Cloud],
    invents: true,
    budget: Budget { byzantine: 2, drop: 1, replay: 1, ..NONE },
    until: 1_000,
    goals: WITHOUT_CLOUD,
    notices: &[(Clause::HeadNotOlder, "G-FRE"), (Clause::LeafIsIncluded, "G-DEL")],
    states: Some(1_448_516),
    ..QUIET
};

const READING: SearchConfig = SearchConfig {
    name: "reads",
    setup: setup(2, 1),
    script: READ,
    budget: Budget { replay: 1, drop: 1, early: 1, ..NONE },
    until: 300,
    goals: SAFETY,
    notices: &[(Clause::ReaderIsGranted, "G-PRV")],
    states: Some(32_942),
    ..QUIET
};

const SHARING: SearchConfig = SearchConfig {
    name: "grant and revoke",
    setup: setup(2, 1),
    script: SHARE,
    budget: Budget { drop: 1, ..NONE },
    until: 300,
    goals: SAFETY,
    notices: &[(Clause::ReaderIsGranted, "G-PRV")],
    states: Some(540_350),
    ..QUIET
};

/// The administrator who approves does nothing else.
const ERASING: SearchConfig = SearchConfig {
    name: "erase",
    setup: setup(4, 1),
    silent: &[COLLEAGUE, Actor::User(2), Actor::User(3)],
    script: ERASE,
    budget: Budget { replay: 1, drop: 1, early: 1, ..NONE },
    until: 300,
    goals: SAFETY,
    notices: &[(Clause::ErasedStaysErased, "G-ERA")],
    states: Some(26_794),
    ..QUIET
};

/// Two administrators change templates and a contract while a record is submitted, and one of them lies.
pub(crate) const POLICY: SearchConfig = SearchConfig {
    name: "change of policy",
    setup: setup(5, 1),
    script: CHANGES,
    insiders: &[OTHER_ADMINISTRATOR],
    invents: true,
    budget: Budget { byzantine: 1, replay: 1, ..NONE },
    silent: &[Actor::Cloud, COLLEAGUE, Actor::User(2), ADMINISTRATOR, OTHER_ADMINISTRATOR],
    until: 250,
    goals: SAFETY,
    notices: &[
        (Clause::TemplateIsInForce, "G-POL"),
        (Clause::AllContractsApplied, "G-POL"),
        (Clause::MandatoryAreChecked, "G-POL"),
        (Clause::PolicyChangeHasTwoAdministrators, "G-POL"),
        (Clause::PolicyVersionAdvances, "G-POL"),
        (Clause::PolicyEffectiveLater, "G-POL"),
        (Clause::PolicyIsWellFormed, "G-POL"),
        (Clause::RoleMayChangePolicy, "G-PRV"),
    ],
    states: Some(17_287),
    ..QUIET
};

/// Two users submit the same record.
const SAME: SearchConfig = SearchConfig {
    name: "same record twice",
    setup: setup(2, 1),
    script: TWICE,
    budget: Budget { drop: 1, ..NONE },
    until: 1_000,
    goals: SAFETY,
    notices: &[(Clause::RecordNotReused, "G-AGR")],
    states: Some(3_447),
    ..QUIET
};

/// Two miners, and as many nonces as the budget says.
pub(crate) const WORK: SearchConfig = SearchConfig {
    name: "proof of work",
    setup: Setup { ledger: LedgerKind::Work, ..setup(1, 2) },
    budget: Budget { luck: 4, drop: 1, crash: 1, ..NONE },
    until: 250,
    goals: SAFETY,
    notices: &[(Clause::ConfirmationsReached, "G-CIV")],
    states: Some(1_196_527),
    ..QUIET
};

/// Three miners, each like the others.
const MINERS: SearchConfig = SearchConfig {
    name: "three miners",
    setup: Setup { ledger: LedgerKind::Work, ..setup(1, 3) },
    budget: Budget { luck: 2, ..NONE },
    notices: &[],
    states: Some(1_640),
    ..WORK
};

/// A user submits two records, of which one breaks a rule, and both stand in blocks.
const TWO: SearchConfig = SearchConfig {
    name: "two records",
    script: TWO_RECORDS,
    budget: Budget { drop: 1, replay: 1, ..NONE },
    until: 1_000,
    goals: SAFETY,
    states: Some(21_842),
    ..QUIET
};

const CRASHES: SearchConfig = SearchConfig {
    name: "crashes",
    budget: Budget { crash: 2, drop: 1, ..NONE },
    states: Some(2_823_821),
    ..QUIET
};

const SMOKE: &[SearchConfig] = &[
    CONTRARY,
    SearchConfig { setup: Setup { established: false, ..setup(1, 2) }, states: Some(19_543), ..HANDSHAKE },
    CONSPIRACY,
    SILENCE,
    ERASING,
    POLICY,
    SearchConfig { budget: Budget { byzantine: 1, ..NONE }, states: Some(8_624), ..FALSE_CLOUD },
    SearchConfig { budget: Budget { luck: 2, ..NONE }, until: 200, states: Some(444), ..WORK },
];
const CI: &[SearchConfig] = &[
    HANDSHAKE,
    LOSS,
    SILENCE,
    LIAR,
    CONTRARY,
    CONSPIRACY,
    CLOSING,
    INSIDER,
    FALSE_BSD,
    FALSE_CLOUD,
    READING,
    SHARING,
    ERASING,
    POLICY,
    SAME,
    WORK,
    MINERS,
    TWO,
    CRASHES,
];

impl SearchConfig {
    /// The same with more of everything, so that nobody has counted its states.
    const fn deeper(self, name: &'static str, budget: Budget) -> SearchConfig {
        SearchConfig { name, budget, states: None, ..self }
    }

    const fn among(self, users: u8, validators: u8) -> SearchConfig {
        SearchConfig { setup: setup(users, validators), ..self }
    }

    const fn until(self, until: u64) -> SearchConfig {
        SearchConfig { until, ..self }
    }
}

/// Of every adversary more.
const DEEP: &[SearchConfig] = &[
    HANDSHAKE.deeper("deep handshake", Budget { redirect: 3, replay: 2, drop: 1, ..NONE }),
    LOSS.deeper("deep loss", Budget { drop: 2, replay: 2, early: 2, ..NONE }).among(1, 2),
    SILENCE.deeper("deep silence", Budget { drop: 3, replay: 2, early: 2, ..NONE }),
    LIAR.deeper("deep lying validator", Budget { byzantine: 2, drop: 1, early: 1, ..NONE }).until(2_300),
    CONSPIRACY.deeper("deep conspiracy", Budget { byzantine: 3, drop: 1, ..NONE }).among(1, 3),
    SearchConfig {
        insiders: &[Actor::Validator(0)],
        ..CLOSING.deeper("deep closing", Budget { early: 2, byzantine: 2, drop: 1, ..NONE })
    },
    INSIDER.deeper("deep insider user", Budget { byzantine: 3, replay: 2, drop: 1, ..NONE }).among(2, 2),
    FALSE_BSD.deeper("deep lying BSD", Budget { byzantine: 3, replay: 1, ..NONE }).among(1, 3),
    FALSE_CLOUD.deeper("deep lying cloud", Budget { byzantine: 3, replay: 1, drop: 1, early: 1, ..NONE }),
    SHARING.deeper("deep grant and revoke", Budget { replay: 2, drop: 1, early: 1, ..NONE }).until(1_000),
    ERASING.deeper("deep erase", Budget { replay: 2, drop: 2, early: 2, ..NONE }).until(1_000),
    SAME.deeper("deep same record twice", Budget { drop: 1, replay: 1, early: 1, ..NONE }).among(2, 2),
    WORK.deeper("deep proof of work", Budget { luck: 8, drop: 1, early: 2, ..NONE }).until(1_000),
    CRASHES.deeper("deep crashes", Budget { crash: 3, drop: 1, early: 1, ..NONE }).among(1, 2),
];
