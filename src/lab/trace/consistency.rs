//! Whether each line can follow the ones before it.

use super::event;
use super::within_adversary::Within;
use super::{Flaw, Header, Principal, Step, TraceError, everybody};
use bemr_model::{Action, Actor, LedgerKind, Setup, Time};
use serde_json::Value;

/// What the lines so far say.
pub(super) struct Agreement {
    setup: Setup,
    everybody: Vec<Actor>,
    now: Time,
    steps: u64,
    /// What was sent: from whom, to whom, the name of the message; by number.
    envelopes: Vec<(Actor, Actor, String)>,
    /// What is left of the adversary, where the header names one.
    within: Option<Within>,
}

fn inconsistent(field: impl Into<String>, problem: impl Into<String>) -> TraceError {
    TraceError::new(Flaw::Inconsistent, field, problem)
}

fn check(field: &str, holds: bool, problem: impl FnOnce() -> String) -> Result<(), TraceError> {
    if holds { Ok(()) } else { Err(inconsistent(field, problem())) }
}

/// An actor, or nobody.
fn shown(actor: Option<Actor>) -> String {
    actor.map_or_else(|| "nobody".to_owned(), |actor| actor.to_string())
}

impl Agreement {
    pub(super) fn begin(header: &Header) -> Result<Agreement, TraceError> {
        let everybody: Vec<Actor> = everybody(&header.setup).collect();
        check("rules", header.rules.is_sorted_by(|one, next| one < next), || "not ascending".to_owned())?;
        let named = |principals: &[Principal]| {
            principals.iter().map(|principal| principal.actor).eq(everybody.iter().copied())
        };
        check("principals", header.principals.is_empty() || named(&header.principals), || {
            "not each actor of the setup once, in their order".to_owned()
        })?;
        let ascending = header.principals.is_sorted_by(|one, next| one.name < next.name);
        check("principals", ascending, || "the names are not in the order of the actors".to_owned())?;
        if let Some(Err(absent)) = header.adversary.as_ref().map(|adversary| adversary.fits(&header.setup)) {
            return Err(inconsistent(format!("adversary[{}].scope", absent.rule), absent.problem));
        }
        let within = header.adversary.as_ref().map(|adversary| Within::begin(&header.setup, adversary));
        Ok(Agreement { setup: header.setup, everybody, now: 0, steps: 0, envelopes: Vec::new(), within })
    }

    /// Takes the next step.
    pub(super) fn take(&mut self, step: &Step) -> Result<(), TraceError> {
        let due = self.steps + 1;
        check("step", step.step == due, || format!("{}, where {due} comes next", step.step))?;
        self.numbers(step)?;
        self.in_time(step)?;
        self.in_place(step)?;
        self.event(step)?;
        let verdict = Step::verdict_of(step.clause);
        check("verdict", step.verdict == verdict, || match step.clause {
            Some(clause) => format!("not what {} says", clause.id()),
            None => "not accept, and no clause".to_owned(),
        })?;
        let finds = matches!(step.action, Action::Audit { .. } | Action::Crash { damage: Some(_), .. });
        check("place", step.place.is_some() == (finds && step.clause.is_some()), || {
            "it stands where something is found wrong".to_owned()
        })?;
        self.opened(step)?;
        self.sent(step)?;
        if let Some(within) = &mut self.within {
            within.take(step).map_err(|act| {
                inconsistent(
                    "action",
                    format!("{act}, which the header's adversary does not do, or not any more"),
                )
            })?;
        }
        (self.steps, self.now) = (due, step.time);
        Ok(())
    }

    /// Everybody whom the step names is there.
    fn numbers(&self, step: &Step) -> Result<(), TraceError> {
        for (field, actor) in [("actor", step.actor), ("from", step.from)] {
            let there = actor.is_none_or(|actor| actor == Actor::Kdc || self.everybody.contains(&actor));
            check(field, there, || format!("the setup has no {}", shown(actor)))?;
        }
        let action = serde_json::to_value(&step.action).expect("what was read from JSON has a JSON form");
        self.named(&action, "", "action")
    }

    fn named(&self, value: &Value, key: &str, path: &str) -> Result<(), TraceError> {
        let Setup { users, validators, .. } = self.setup;
        match value {
            Value::Object(fields) => {
                fields.iter().try_for_each(|(key, value)| self.named(value, key, &format!("{path}.{key}")))
            }
            Value::Array(items) => {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(index, value)| self.named(value, key, &format!("{path}[{index}]")))
            }
            Value::Number(number) => {
                let number = number.as_u64().unwrap_or(u64::MAX);
                let there = match key {
                    "user" | "owner" | "grant" | "revoke" => number < u64::from(users),
                    "validator" | "proposer" | "signatory" => number < u64::from(validators),
                    "readers" | "erase" => number >> users == 0,
                    "approvals" => number >> users == 0,
                    "signatories" => number.checked_shr(validators.into()).unwrap_or(0) == 0,
                    _ => true,
                };
                check(path, there, || "names somebody whom the setup does not have".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Time goes on when it passes and when somebody is woken, and stands still otherwise.
    fn in_time(&self, step: &Step) -> Result<(), TraceError> {
        let (now, time) = (self.now, step.time);
        check("time", time >= now, || format!("{time}, after {now}"))?;
        match &step.action {
            Action::Pass { time: passed } => {
                check("time", now.checked_add(*passed) == Some(time), || format!("not {passed} after {now}"))
            }
            Action::Wake { .. } => Ok(()),
            _ => check("time", time == now, || format!("{time}, and no time passed since {now}")),
        }
    }

    /// It happened to the actor to whom the action does it.
    fn in_place(&self, step: &Step) -> Result<(), TraceError> {
        let is = |field: &str, there: Option<Actor>, due: Option<Actor>| {
            check(field, there == due, || format!("{}, where it is {}", shown(there), shown(due)))
        };
        let to = |actor: Actor| is("actor", step.actor, Some(actor));
        let addressed = |field: &str, actor: Actor| {
            check(field, actor != Actor::Kdc, || "the KDC has no address".to_owned())
        };
        match &step.action {
            Action::Deliver { envelope } | Action::Corrupt { envelope, .. } => {
                let (sender, receiver) = self.envelope(*envelope)?;
                to(receiver)?;
                is("from", step.from, Some(sender))
            }
            Action::Redirect { envelope, to: receiver, from } => {
                let (sender, _) = self.envelope(*envelope)?;
                addressed("action.to", *receiver)?;
                to(*receiver)?;
                is("from", step.from, Some(from.unwrap_or(sender)))
            }
            Action::Inject { actor, to: receiver, .. } => {
                to(*receiver)?;
                is("from", step.from, Some(*actor))
            }
            Action::Command { actor, command } => {
                check("action.actor", command.is_for(*actor), || format!("{actor} takes no such command"))?;
                to(*actor)?;
                is("from", step.from, None)
            }
            Action::Wake { actor, found } => {
                let mines = self.setup.ledger == LedgerKind::Work && matches!(actor, Actor::Validator(_));
                addressed("action.actor", *actor)?;
                check("action.found", found.is_none() || mines, || format!("{actor} does not mine"))?;
                to(*actor)?;
                is("from", step.from, None)
            }
            Action::Pass { .. } | Action::Audit { .. } | Action::Unseal { .. } | Action::Leak { .. } => {
                if let Action::Leak { actor } = step.action {
                    addressed("action.actor", actor)?;
                }
                is("actor", step.actor, None)?;
                is("from", step.from, None)?;
                check("sends", step.sends.is_empty(), || "nobody does anything".to_owned())?;
                let looks = !matches!(step.action, Action::Pass { .. } | Action::Leak { .. });
                check("clause", looks || step.clause.is_none(), || "nobody refuses anything".to_owned())
            }
            Action::Send { actor, to: receiver, .. } | Action::Publish { actor, to: receiver, .. } => {
                addressed("action.to", *receiver)?;
                if matches!(step.action, Action::Send { .. }) {
                    addressed("action.actor", *actor)?;
                }
                check("action.to", actor != receiver, || "the one who speaks".to_owned())?;
                to(*actor)?;
                is("from", step.from, None)
            }
            Action::Crash { actor, .. } => {
                addressed("action.actor", *actor)?;
                to(*actor)?;
                is("from", step.from, None)
            }
        }
    }

    /// The event is one that the action can bring about at the actor.
    fn event(&self, step: &Step) -> Result<(), TraceError> {
        let message = match &step.action {
            Action::Deliver { envelope }
            | Action::Corrupt { envelope, .. }
            | Action::Redirect { envelope, .. } => {
                self.envelopes.get(*envelope as usize).map(|(_, _, message)| message.as_str())
            }
            Action::Inject { packet, .. } => Some(packet.name()),
            _ => None,
        };
        check("event", event::fits(step, message), || {
            format!(
                "{} cannot be what {} is at {}",
                step.event,
                message.unwrap_or("this action"),
                shown(step.actor)
            )
        })?;
        check("event", !event::is_refusal(step.event) || step.clause.is_some(), || {
            format!("{}, and no clause refuses it", step.event)
        })
    }

    /// Who opens records opens what was sent, and only who may.
    fn opened(&self, step: &Step) -> Result<(), TraceError> {
        let may = matches!(step.action, Action::Unseal { .. } | Action::Leak { .. }) && step.clause.is_none();
        check("opened", may || step.opened.is_empty(), || "nobody opens anything".to_owned())?;
        check("opened", step.opened.is_sorted_by(|one, next| one < next), || "not ascending".to_owned())?;
        let unsent = step.opened.iter().position(|envelope| *envelope as usize >= self.envelopes.len());
        unsent.map_or(Ok(()), |index| Err(inconsistent(format!("opened[{index}]"), "was not sent yet")))
    }

    fn envelope(&self, number: u32) -> Result<(Actor, Actor), TraceError> {
        let sent = self.envelopes.len();
        let envelope = usize::try_from(number).ok().and_then(|number| self.envelopes.get(number));
        envelope.map(|(sender, receiver, _)| (*sender, *receiver)).ok_or_else(|| {
            inconsistent("action.envelope", format!("{number} was not sent yet; {sent} envelopes were"))
        })
    }

    /// Numbers what the step sends.
    fn sent(&mut self, step: &Step) -> Result<(), TraceError> {
        let Some(sender) = step.actor else { return Ok(()) };
        for (index, send) in step.sends.iter().enumerate() {
            match send.to {
                Some(receiver) => {
                    let there = receiver != sender && self.everybody.contains(&receiver);
                    check(&format!("sends[{index}].to"), there, || {
                        format!("{receiver} is nobody else here")
                    })?;
                    self.envelopes.push((sender, receiver, send.message.clone()));
                }
                None => {
                    let others = self.everybody.iter().filter(|other| **other != sender);
                    self.envelopes.extend(others.map(|other| (sender, *other, send.message.clone())));
                }
            }
        }
        Ok(())
    }
}
