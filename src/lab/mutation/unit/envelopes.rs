//! What happens to the envelopes of an honest life on their way, or comes too late, or twice.

use crate::forge::flaws_of;
use crate::mutation::unit::fixture::{Answer, Perturbation, everybody};
use crate::mutation::unit::{Door, Input};
use bemr_model::{
    Action, Actor, Change, Command, Corruption, Edition, Flaws, LedgerKind, Lifetimes, Members, Order, Setup,
    Tid,
};
use bemr_spec::Clause;
use bemr_spec::Clause::*;

pub(super) const DOCTOR: Actor = Actor::User(0);
pub(super) const COLLEAGUE: Actor = Actor::User(1);
pub(super) const ADMINISTRATOR: Actor = Actor::User(3);

/// The two administrators.
pub(super) const BOTH: Members = Members(0b11000);

pub(super) const fn submit(actor: Actor, record: u16, breaks: Option<Clause>) -> Action {
    Action::Command { actor, command: Command::Submit { record, breaks, readers: Members(0b10) } }
}

pub(super) const fn read(actor: Actor, tid: Tid) -> Action {
    Action::Command { actor, command: Command::Read { tid } }
}

pub(super) const fn order(order: Order) -> Action {
    Action::Command { actor: DOCTOR, command: Command::Order { tid: Tid::FIRST, order } }
}

pub(super) const fn change(actor: Actor, version: u32, effective: u64, approvals: Members) -> Action {
    let admission = Some(Edition { version, effective });
    let change = Change { templates: None, abeyance: None, admission };
    Action::Command { actor, command: Command::ChangePolicy { change, approvals } }
}

/// An honest life: a record is stored, read twice, shared and erased; a list and a change of policy are published; the audit log
/// is closed.
pub(super) const SCRIPT: &[Action] = &[
    submit(DOCTOR, 1, None),
    read(COLLEAGUE, Tid::FIRST),
    read(COLLEAGUE, Tid::FIRST),
    order(Order::Grant(2)),
    order(Order::Revoke(1)),
    order(Order::Grant(1)),
    order(Order::Revoke(1)),
    Action::Command { actor: Actor::Kdc, command: Command::IssueList },
    change(ADMINISTRATOR, 2, 30, BOTH),
    order(Order::Erase(Members(0b01001))),
    Action::Command { actor: Actor::Bsd, command: Command::CloseAudit },
];

/// Strangers, who shake hands first.
pub(super) const STRANGERS: Setup = Setup { established: false, ..everybody(LedgerKind::Quorum) };

/// Everybody knows everybody.
pub(super) const ACQUAINTED: Setup = everybody(LedgerKind::Quorum);

/// A network whose revocation list runs out soon.
const BRIEF: Setup =
    Setup { lifetimes: Lifetimes { list: 10_000, ..Lifetimes::LONG }, ..everybody(LedgerKind::Quorum) };

/// One record, submitted by somebody.
pub(super) const ONE: &[Action] = &[submit(DOCTOR, 1, None)];

type Case = (Clause, Setup, &'static [Action], &'static str, usize, Perturbation);

/// The clause; the life; of which kind of envelope, and which of that kind; what happens to it.
const CASES: &[Case] = &[
    (OneEncodingPerValue, ACQUAINTED, ONE, "T_initial", 0, Perturbation::Spoilt(Corruption::Extend)),
    (SizeWithinBound, ACQUAINTED, ONE, "T_initial", 0, Perturbation::Spoilt(Corruption::Bloat)),
    (
        RevocationListIsCurrent,
        BRIEF,
        &[Action::Pass { time: 20_000 }, submit(DOCTOR, 1, None)],
        "T_initial",
        0,
        Perturbation::Nothing,
    ),
    (RoleMaySubmit, ACQUAINTED, &[submit(ADMINISTRATOR, 1, None)], "T_initial", 0, Perturbation::Nothing),
    (RoleFitsPlace, STRANGERS, ONE, "Hello", 0, Perturbation::Spoilt(Corruption::SessionType)),
    (SuiteNotDowngraded, STRANGERS, ONE, "Hello", 0, Perturbation::Spoilt(Corruption::Suite)),
    (SessionIsFresh, STRANGERS, ONE, "Hello", 0, Perturbation::Twice),
    (ElementInRange, STRANGERS, ONE, "Hello", 0, Perturbation::Spoilt(Corruption::Neutral)),
    (ElementInSubgroup, STRANGERS, ONE, "Hello", 0, Perturbation::Spoilt(Corruption::Outside)),
    (FlightIsAuthentic, STRANGERS, ONE, "Response", 0, Perturbation::Spoilt(Corruption::Flip)),
    (PeerIsNotSelf, STRANGERS, ONE, "Response", 0, Perturbation::Posed(DOCTOR, Flaws::NONE)),
    (PeerIsIntended, STRANGERS, ONE, "Response", 1, Perturbation::Posed(Actor::Validator(1), Flaws::NONE)),
    (RecordIsAuthentic, ACQUAINTED, ONE, "T_initial", 0, Perturbation::Spoilt(Corruption::Flip)),
    (SequenceAdvances, ACQUAINTED, ONE, "T_initial", 0, Perturbation::Twice),
    (SkipIsBounded, ACQUAINTED, ONE, "T_initial", 0, Perturbation::Spoilt(Corruption::Ahead)),
    (StageFitsSession, ACQUAINTED, ONE, "T_initial", 0, Perturbation::Spoilt(Corruption::Stage)),
    (DirectionIsIncoming, ACQUAINTED, ONE, "T_initial", 0, Perturbation::SentBack),
    (RequiredRule, ACQUAINTED, &[submit(DOCTOR, 1, Some(RequiredRule))], "T_block", 0, Perturbation::Nothing),
    (ValueSetRule, ACQUAINTED, &[submit(DOCTOR, 1, Some(ValueSetRule))], "T_block", 0, Perturbation::Nothing),
    (RangeRule, ACQUAINTED, &[submit(DOCTOR, 1, Some(RangeRule))], "T_block", 0, Perturbation::Nothing),
    (
        NotInFutureRule,
        ACQUAINTED,
        &[submit(DOCTOR, 1, Some(NotInFutureRule))],
        "T_block",
        0,
        Perturbation::Nothing,
    ),
    (
        SubmitterRule,
        ACQUAINTED,
        &[submit(Actor::User(2), 1, Some(SubmitterRule))],
        "T_block",
        0,
        Perturbation::Nothing,
    ),
    (
        DateOrderRule,
        ACQUAINTED,
        &[submit(DOCTOR, 1, Some(DateOrderRule))],
        "T_block",
        0,
        Perturbation::Nothing,
    ),
    (OneOfRule, ACQUAINTED, &[submit(DOCTOR, 1, Some(OneOfRule))], "T_block", 0, Perturbation::Nothing),
    (TidIsFresh, ACQUAINTED, ONE, "T_initial", 0, Perturbation::SaidAgain),
    (
        RecordNotReused,
        ACQUAINTED,
        &[submit(DOCTOR, 1, None), submit(COLLEAGUE, 1, None)],
        "T_initial",
        1,
        Perturbation::Nothing,
    ),
    (
        OneBlockPerTid,
        ACQUAINTED,
        ONE,
        "T_block",
        0,
        Perturbation::ThenFlawed("T_block", Flaws::of(SealDigestIsCarried)),
    ),
    (OneVotePerValidator, ACQUAINTED, ONE, "Vote", 0, Perturbation::SaidAgain),
    (FirstDecisionStands, ACQUAINTED, ONE, "Vote", 3, Perturbation::Nothing),
    (HeaviestChainWins, ACQUAINTED, ONE, "Block", 0, Perturbation::Twice),
    (
        FinalBlockStands,
        ACQUAINTED,
        ONE,
        "Block",
        0,
        Perturbation::ThenFlawed("Block", Flaws::of(MerkleRootMatches)),
    ),
    (StoredOnce, ACQUAINTED, ONE, "T_valid", 0, Perturbation::SaidAgain),
    (
        ReaderIsGranted,
        ACQUAINTED,
        &[submit(DOCTOR, 1, None), read(Actor::User(2), Tid::FIRST)],
        "ReadRequest",
        0,
        Perturbation::Nothing,
    ),
    (
        ErasedStaysErased,
        ACQUAINTED,
        &[submit(DOCTOR, 1, None), order(Order::Erase(Members(0b01001))), read(DOCTOR, Tid::FIRST)],
        "ReadRequest",
        0,
        Perturbation::Nothing,
    ),
];

pub(super) fn doors() -> impl Iterator<Item = Door> {
    let cases = CASES.iter().map(|(clause, setup, script, kind, nth, trick)| Door {
        clause: *clause,
        name: format!("{kind} {} of a life, {trick:?}", nth + 1),
        input: Input::Envelope {
            setup: *setup,
            script,
            kind,
            nth: *nth,
            trick: *trick,
            answer: Answer { clause: Some(*clause), cause: None },
        },
    });
    cases.chain(posed())
}

/// Responses to the first hello, which the BSD made with flaws.
fn posed() -> impl Iterator<Item = Door> {
    let listed = flaws_of("Response").iter();
    // Whom it shows is no flaw.
    let listed = listed.filter(|flaw| !matches!(flaw, PeerIsNotSelf | PeerIsIntended));
    listed.map(|flaw| Door {
        clause: *flaw,
        name: format!("Response with the flaw {}", flaw.id()),
        input: Input::Envelope {
            setup: STRANGERS,
            script: ONE,
            kind: "Response",
            nth: 0,
            trick: Perturbation::Posed(Actor::Bsd, Flaws::of(*flaw)),
            answer: Answer { clause: Some(*flaw), cause: None },
        },
    })
}
