//! What happens to the parcels of an honest life on their way, or comes too late, or twice.

use crate::kill::unit::scene::{Answer, Trick, everybody};
use crate::kill::unit::{Door, Input};
use bemr_spec::Clause;
use bemr_spec::Clause::*;
use bemr_spec::model::{
    Action, Actor, Change, Command, Edition, Flaws, LedgerKind, Members, Order, Setup, Spoiling, Tid,
};

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
    Action::Command { actor: DOCTOR, command: Command::Order { tid: 0, order } }
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
    read(COLLEAGUE, 0),
    read(COLLEAGUE, 0),
    order(Order::Grant(2)),
    order(Order::Revoke(1)),
    order(Order::Grant(1)),
    order(Order::Revoke(1)),
    Action::Command { actor: Actor::Kdc, command: Command::IssueList },
    change(ADMINISTRATOR, 2, 30, BOTH),
    order(Order::Erase(Members(0b01001))),
    Action::Command { actor: Actor::Bsd, command: Command::CloseAudit },
];

pub(super) fn doors() -> impl Iterator<Item = Door> { std::iter::empty() }
