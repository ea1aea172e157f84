//! What users and servers are told to do.

use crate::refinement::role;
use crate::simulator::Node;
use crate::sut::{SystemUnderTest, samples, user_name};
use bemr::actors::{Output, User};
use bemr::wire::{self, EraseApproval, Name, Role, Time};
use bemr_model::{Actor, Command, Happened, Order, Tid};
use bemr_spec::{Clause, Event, Refusal};

impl SystemUnderTest {
    pub(super) fn command(&mut self, actor: Actor, command: Command) -> Option<Happened> {
        if !command.is_for(actor) {
            return None;
        }
        if actor == Actor::Kdc {
            return self.kdc_command(command);
        }
        let slot = self.slot(actor)?;
        let now = self.now;
        let (event, answer) = match (command, actor) {
            (Command::CloseAudit, Actor::Bsd) => {
                let Node::Bsd(bsd) = &mut self.nodes[slot] else { return None };
                (Event::CloseAudit, bsd.close(now))
            }
            (Command::Submit { record, breaks, readers }, Actor::User(user)) => {
                if breaks == Some(Clause::SubmitterRule) && role(user) == Role::Doctor {
                    return None;
                }
                let readers: Vec<Name> =
                    readers.iter().map(|reader| user_name(&self.foundation, reader)).collect();
                self.watch.supplied(record);
                if breaks == Some(Clause::RecordWithinSize) {
                    let refusal = samples::too_long(&self.rules)?;
                    let clause = Some(refusal.clause());
                    self.remember(refusal);
                    return Some(self.happened(actor, None, Event::Command, clause, Vec::new()));
                }
                let supply = self.supply.entry((record, breaks));
                let real = supply.or_insert_with(|| samples::record(record, breaks)).as_ref()?;
                let Node::User(node) = &mut self.nodes[slot] else { return None };
                let submitted = node.submit(now, real, &readers);
                if submitted.is_ok()
                    && let Some(wire::Message::TInitial(initial)) = node.context().sessions.last_overheard()
                {
                    self.tables.submitted(initial, record, breaks);
                }
                (Event::Command, submitted.map(|(_, outputs)| outputs))
            }
            (Command::Read { tid }, Actor::User(user)) => {
                let tid = self.tables.real_tid(tid)?;
                (Event::Command, self.ask(slot, user, |node, now| node.read(now, tid))?)
            }
            (Command::Order { tid, order }, Actor::User(user)) => {
                (Event::Command, self.order(slot, user, tid, order)?)
            }
            (Command::ChangePolicy { change, approvals }, Actor::User(_)) => {
                (Event::Command, self.change_policy(slot, &change, approvals)?)
            }
            _ => return None,
        };
        self.tables.learn_policies(&self.nodes[slot].context().ledger_view.policy);
        let clause = answer.as_ref().err().map(Refusal::clause);
        let outputs = answer.unwrap_or_else(|refusal| self.remember(refusal));
        let sends = self.send(slot, None, outputs.into_iter());
        Some(self.happened(actor, None, event, clause, sends))
    }

    fn order(
        &mut self,
        slot: usize,
        user: u8,
        tid: Tid,
        order: Order,
    ) -> Option<Result<Vec<Output>, Refusal>> {
        let tid = self.tables.real_tid(tid)?;
        match order {
            Order::Grant(reader) => {
                let reader = user_name(&self.foundation, reader);
                self.ask(slot, user, |node, now| node.grant(now, tid, &reader))
            }
            Order::Revoke(reader) => {
                let reader = user_name(&self.foundation, reader);
                self.ask(slot, user, |node, now| node.revoke(now, tid, &reader))
            }
            Order::Erase(members) => {
                let Node::User(node) = &self.nodes[slot] else { return None };
                let body = node.erasure(self.now, tid);
                let approve = |member: u8| -> Option<EraseApproval> {
                    match self.nodes.get(self.slot(Actor::User(member))?)? {
                        Node::User(user) => Some(user.approve(&body)),
                        _ => None,
                    }
                };
                let approvals: Option<Vec<EraseApproval>> = members.iter().map(approve).collect();
                let approvals = approvals?;
                self.ask(slot, user, |node, now| node.erase(now, body, approvals))
            }
        }
    }

    fn ask<T>(
        &mut self,
        slot: usize,
        user: u8,
        ask: impl FnOnce(&mut User, Time) -> Result<(T, Vec<Output>), Refusal>,
    ) -> Option<Result<Vec<Output>, Refusal>> {
        let now = self.now;
        let Node::User(node) = &mut self.nodes[slot] else { return None };
        let asked = ask(node, now).map(|(_, outputs)| outputs);
        if asked.is_ok()
            && let Some(named) = node.context().sessions.last_overheard().and_then(wire::Message::request)
        {
            self.tables.requested(user, named);
        }
        Some(asked)
    }
}
