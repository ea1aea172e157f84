//! What somebody does after an honest life: commands to the authorities, and what an auditor, a custodian and a restarting
//! actor find in what they are given.

use crate::forge::flaws_of;
use crate::mutation::unit::envelopes::{ADMINISTRATOR, BOTH, COLLEAGUE, DOCTOR, change, submit};
use crate::mutation::unit::fixture::{Answer, everybody};
use crate::mutation::unit::{Door, Input};
use bemr_model::{
    Action, Actor, Command, Damage, Enrolment, Falsehood, Falsification, Field, Flaws, Key, LedgerKind, List,
    Members, Role, Row, SealFault, SealId, Tid,
};
use bemr_spec::Clause;
use bemr_spec::Clause::*;

/// One record is stored and one rejected, and the audit log is closed.
const LOGGED: &[Action] = &[
    submit(DOCTOR, 1, None),
    submit(COLLEAGUE, 2, Some(RangeRule)),
    submit(DOCTOR, 3, None),
    Action::Command { actor: Actor::Bsd, command: Command::CloseAudit },
];

/// One that asks for nothing that it should not.
const SOUND: Enrolment = Enrolment {
    subject: Some(Actor::User(1)),
    role: Role::Doctor,
    signing: Key(1_000),
    agreement: Key(1_001),
    flaws: Flaws::NONE,
};

const fn enrol(request: Enrolment) -> Action {
    Action::Command { actor: Actor::Kdc, command: Command::Enrol(request) }
}

/// Takes a certificate back, so that its subject can have another.
const REVOKED: &[Action] =
    &[Action::Command { actor: Actor::Kdc, command: Command::RevokeCertificate { subject: Actor::User(1) } }];

/// Requests and changes that the authorities refuse: the clause, the life before, what is done.
const ORDERS: &[(Clause, &[Action], Action)] = &[
    (OnePrincipalOneCertificate, &[], enrol(SOUND)),
    (KeysHaveOneUse, REVOKED, enrol(Enrolment { agreement: Key(1_000), ..SOUND })),
    (EnrolmentIsAdmitted, REVOKED, enrol(Enrolment { role: Role::Administrator, ..SOUND })),
    (RoleMayChangePolicy, &[], change(ADMINISTRATOR, 2, 30, Members(0b01001))),
    (PolicyChangeHasTwoAdministrators, &[], change(ADMINISTRATOR, 2, 30, Members(0b01000))),
    (PolicyVersionAdvances, &[], change(ADMINISTRATOR, 3, 30, BOTH)),
    (PolicyEffectiveLater, &[], change(ADMINISTRATOR, 2, 0, BOTH)),
];

/// What an auditor is shown that is not as it was: the clause, where, what, and whether the keeper hides it.
const SHOWN: &[(Clause, List, u32, Falsehood, bool)] = &[
    (EntryLinksPrevious, List::Entries, 0, Falsehood::Drop, false),
    (EntryLinksPrevious, List::Entries, 1, Falsehood::Change(Field::Previous), false),
    (AuditHeadSigned, List::AuditHeads, 0, Falsehood::Change(Field::Signature), false),
    (AuditHeadAnchored, List::Entries, 1, Falsehood::Change(Field::Content), true),
    (OneEntryPerTerminal, List::Entries, 0, Falsehood::Repeat, true),
    (CountIsClosed, List::Entries, 2, Falsehood::Drop, false),
    (EntryAgreesWithLedger, List::Entries, 0, Falsehood::Change(Field::Decision), true),
    (LogIsAppendOnly, List::Leaves, 0, Falsehood::Change(Field::Content), false),
    (HeadIsAnchored, List::Leaves, 0, Falsehood::Change(Field::Content), true),
    (HeadSignedByCloud, List::CloudHeads, 0, Falsehood::Change(Field::Signature), false),
    (LeafIsIncluded, List::Leaves, 0, Falsehood::Change(Field::Number), false),
    (StoredOnce, List::Leaves, 0, Falsehood::Repeat, true),
    (BlockLinksPrevious, List::Blocks, 0, Falsehood::Drop, false),
];

/// What the custodian is given that is not as it was made.
const SEALS: &[(Clause, SealFault)] = &[
    (ProtocolVersionIsOne, SealFault::Version),
    (SuiteMatches, SealFault::StartSuite),
    (ElementInRange, SealFault::StartElement),
    (ElementInSubgroup, SealFault::StartSubgroup),
    (SizeWithinBound, SealFault::TooManyKeys),
    (SealNamesItsContext, SealFault::Tid),
    (SealNamesItsContext, SealFault::StartCustodian),
    (SealedKeyIsErased, SealFault::Twice),
];

/// What happened to a store.
const STORES: &[(Clause, Actor, Damage)] = &[
    (StoreMatchesHead, Actor::Cloud, Damage::Changed(Row::Leaf(0))),
    (StoreMatchesHead, Actor::Cloud, Damage::Missing(Row::Blob(Tid::FIRST))),
    (StoreMatchesHead, Actor::Bsd, Damage::Changed(Row::AuditEntry(0))),
];

pub(super) fn doors() -> impl Iterator<Item = Door> {
    let orders = ORDERS.iter().map(|(clause, script, deed)| door(*clause, script, deed.clone()));
    let requests = flaws_of("Enrolment").iter();
    let requests =
        requests.map(|flaw| door(*flaw, REVOKED, enrol(Enrolment { flaws: Flaws::of(*flaw), ..SOUND })));
    let shown = SHOWN.iter().map(|(clause, list, at, how, hidden)| {
        let falsified = vec![Falsification { list: *list, at: *at, how: *how, hidden: *hidden }];
        door(*clause, LOGGED, Action::Audit { ledger: Actor::Bsd, falsified })
    });
    let seals = SEALS.iter().map(|(clause, fault)| {
        let seal = SealId { chain: 0, index: 1 };
        door(*clause, &LOGGED[..1], Action::Unseal { seal, faults: vec![*fault] })
    });
    let stores = STORES.iter().map(|(clause, actor, damage)| {
        door(*clause, &LOGGED[..1], Action::Crash { actor: *actor, damage: Some(*damage) })
    });
    orders.chain(requests).chain(shown).chain(seals).chain(stores)
}

fn door(clause: Clause, script: &'static [Action], deed: Action) -> Door {
    let told = serde_json::to_string(&deed).expect("an action is JSON");
    Door {
        clause,
        name: format!("after {} deeds: {told}", script.len()),
        input: Input::Deed {
            setup: everybody(LedgerKind::Quorum),
            script,
            deed,
            answer: Answer { clause: Some(clause), cause: None },
        },
    }
}
