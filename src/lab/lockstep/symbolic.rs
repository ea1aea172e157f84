//! An action as it was meant: what it is about is named by what it is and not by its place in one run, so that it can be
//! done again where other things have happened before it.

use crate::faults::{Capability, FaultKind};
use crate::lockstep::forged_term;
use bemr_model::{Action, Actor, Command, Execution, Members, Order, Setup, Tid};
use bemr_spec::Clause;
use std::collections::{BTreeMap, BTreeSet};

/// An envelope by its ends, what is in it, and how many of the kind were sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeName {
    kind: Kind,
    nth: usize,
    /// Which step sent it, if steps have names, and how many of the kind it had sent before: what is looked for first.
    step: Option<usize>,
    place: usize,
}

/// From whom, to whom, and the name of the message.
type Kind = (Actor, Actor, &'static str);

/// Everything that was sent and submitted in one run, by name.
#[derive(Clone, Debug, Default)]
pub struct Register {
    envelopes: Vec<EnvelopeName>,
    all: BTreeMap<Kind, Vec<u32>>,
    by_step: BTreeMap<(Option<usize>, Kind), Vec<u32>>,
    /// The step that made each submission.
    submissions: Vec<Option<usize>>,
    /// What arrived where it was sent to.
    arrived: BTreeSet<u32>,
}

/// An action and the names of what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolicAction {
    action: Action,
    /// The envelope that it moves, or that it is a lie about.
    envelope: Option<EnvelopeName>,
    /// The step that submitted what it speaks of.
    submission: Option<usize>,
}

impl Register {
    /// Notes what a step did, sent and submitted. Steps have names in a run that is being shrunk, where they keep them.
    pub fn note(&mut self, step: Option<usize>, done: &Action, model: &Execution) {
        if let Action::Deliver { envelope } = done {
            self.arrived.insert(*envelope);
        }
        for (number, envelope) in (0..).zip(model.envelopes()).skip(self.envelopes.len()) {
            let kind = (envelope.from, envelope.to, envelope.datagram.name());
            let all = self.all.entry(kind).or_default();
            let now = self.by_step.entry((step, kind)).or_default();
            self.envelopes.push(EnvelopeName { kind, nth: all.len(), step, place: now.len() });
            all.push(number);
            now.push(number);
        }
        self.submissions.resize(usize::from(model.submissions()), step);
    }

    /// The envelope of this name. Where its step sent none, it is the first of the kind that has not arrived; where all have,
    /// the one of its number, or the newest.
    pub fn find(&self, named: &EnvelopeName) -> Option<u32> {
        let by_step = self.by_step.get(&(named.step, named.kind)).and_then(|sent| sent.get(named.place));
        let otherwise = || {
            let sent = self.all.get(&named.kind)?;
            let due = sent.iter().find(|envelope| !self.arrived.contains(envelope));
            due.or_else(|| sent.get(named.nth)).or(sent.last())
        };
        by_step.or_else(otherwise).copied()
    }

    fn submission(&self, step: Option<usize>, otherwise: Tid) -> Option<Tid> {
        let last = self.submissions.len().checked_sub(1)?;
        let found = step.and_then(|_| self.submissions.iter().position(|other| *other == step));
        Some(Tid::nth(found.unwrap_or(otherwise.place().map_or(last, |place| place.min(last))) as u16))
    }
}

impl SymbolicAction {
    /// What `action` is in this model.
    pub fn of(action: &Action, model: &Execution, register: &Register) -> SymbolicAction {
        let number = match action {
            Action::Deliver { envelope }
            | Action::Redirect { envelope, .. }
            | Action::Corrupt { envelope, .. } => Some(*envelope as usize),
            Action::Send { .. } | Action::Publish { .. } => forged_term::is_about(action, model),
            _ => None,
        };
        let envelope = number.and_then(|number| register.envelopes.get(number).cloned());
        let submission = match action {
            Action::Command { command: Command::Read { tid } | Command::Order { tid, .. }, .. } => {
                tid.place().and_then(|place| register.submissions.get(place)).copied().flatten()
            }
            _ => None,
        };
        SymbolicAction { action: action.clone(), envelope, submission }
    }

    /// The action that it is in this run; nothing where what it is about was not sent.
    pub fn action(&self, model: &Execution, register: &Register) -> Option<Action> {
        let mut action = self.action.clone();
        match &mut action {
            Action::Deliver { envelope }
            | Action::Redirect { envelope, .. }
            | Action::Corrupt { envelope, .. } => {
                *envelope = register.find(self.envelope.as_ref()?)?;
            }
            Action::Send { .. } | Action::Publish { .. } => {
                let genuine = self.envelope.as_ref().and_then(|named| register.find(named));
                if let Some(number) = genuine {
                    return forged_term::retold(&action, model.envelopes().get(number as usize)?);
                }
            }
            Action::Command { command: Command::Read { tid } | Command::Order { tid, .. }, .. } => {
                *tid = register.submission(self.submission, *tid)?;
            }
            _ => {}
        }
        Some(action)
    }

    /// What was meant, with the numbers of the run that it comes from.
    pub const fn meant(&self) -> &Action {
        &self.action
    }

    /// Who does it, where it takes an adversary who has their keys or their name.
    pub(super) const fn by(&self) -> Option<Actor> {
        match &self.action {
            Action::Send { actor, .. }
            | Action::Publish { actor, .. }
            | Action::Inject { actor, .. }
            | Action::Leak { actor }
            | Action::Crash { actor, .. } => Some(*actor),
            _ => None,
        }
    }

    /// How strong who does it has to be; nothing where it is done by who is honest.
    pub(super) fn power(&self) -> Option<Capability> {
        let kind = match &self.action {
            Action::Send { .. } => FaultKind::Lie,
            Action::Publish { .. } => FaultKind::Publish,
            Action::Inject { .. } => FaultKind::Impersonate,
            Action::Corrupt { .. } => FaultKind::Corrupt,
            Action::Redirect { .. } => FaultKind::Redirect,
            Action::Leak { .. } => FaultKind::Leak,
            Action::Crash { damage: Some(_), .. } => FaultKind::Tamper,
            Action::Crash { .. } => FaultKind::Crash,
            Action::Audit { falsified, .. } if !falsified.is_empty() => FaultKind::Falsify,
            Action::Unseal { faults, .. } if !faults.is_empty() => FaultKind::Falsify,
            _ => return None,
        };
        Some(kind.power(self.by()))
    }

    /// The same with less of the adversary in it, or of what it is about.
    pub(super) fn weaker(&self) -> Vec<SymbolicAction> {
        let with = |action: Action| SymbolicAction { action, ..self.clone() };
        match &self.action {
            Action::Redirect { envelope, to, from } => {
                let delivered = with(Action::Deliver { envelope: *envelope });
                let unnamed =
                    from.map(|_| with(Action::Redirect { envelope: *envelope, to: *to, from: None }));
                [delivered].into_iter().chain(unnamed).collect()
            }
            Action::Corrupt { envelope, .. } => vec![with(Action::Deliver { envelope: *envelope })],
            Action::Send { .. } | Action::Publish { .. } => {
                forged_term::with_fewer_flaws(&self.action).into_iter().map(with).collect()
            }
            Action::Command { actor, command: Command::Submit { record, breaks, readers } }
                if !readers.is_empty() =>
            {
                let command =
                    Command::Submit { record: *record, breaks: *breaks, readers: Members::default() };
                vec![with(Action::Command { actor: *actor, command })]
            }
            _ => Vec::new(),
        }
    }

    /// The record that it submits, and the rule that this breaks.
    pub(super) const fn record(&self) -> Option<(u16, Option<Clause>)> {
        match self.action {
            Action::Command { command: Command::Submit { record, breaks, .. }, .. } => Some((record, breaks)),
            _ => None,
        }
    }

    /// The same with another record.
    pub(super) fn with_record(&self, other: u16, rule: Option<Clause>) -> SymbolicAction {
        let mut renamed = self.clone();
        if let Action::Command { command: Command::Submit { record, breaks, .. }, .. } = &mut renamed.action {
            (*record, *breaks) = (other, rule);
        }
        renamed
    }

    /// Whether everybody whom it names is in a network of this size.
    pub fn fits(&self, setup: &Setup) -> bool {
        self.among(|actor| Some(actor).filter(|actor| is_in(setup, *actor))).as_ref() == Some(self)
    }

    /// The same among other actors; nothing when one of them is nobody then.
    pub(super) fn among(&self, other: impl Fn(Actor) -> Option<Actor>) -> Option<SymbolicAction> {
        let mut renamed = self.clone();
        if let Some(EnvelopeName { kind: (from, to, _), .. }) = &mut renamed.envelope {
            (*from, *to) = (other(*from)?, other(*to)?);
        }
        match &mut renamed.action {
            Action::Command { actor, command } => {
                *actor = other(*actor)?;
                let user = |user| match other(Actor::User(user)) {
                    Some(Actor::User(user)) => Some(user),
                    _ => None,
                };
                let some = |users: Members| users.iter().filter_map(user).collect();
                match command {
                    Command::Submit { readers, .. } => *readers = some(*readers),
                    Command::Order { order: Order::Grant(one) | Order::Revoke(one), .. } => {
                        *one = user(*one)?
                    }
                    Command::Order { order: Order::Erase(approvals), .. } => *approvals = some(*approvals),
                    Command::ChangePolicy { approvals, .. } => *approvals = some(*approvals),
                    Command::Enrol(enrolment) => {
                        if let Some(subject) = &mut enrolment.subject {
                            *subject = other(*subject)?;
                        }
                    }
                    Command::RevokeCertificate { subject } => *subject = other(*subject)?,
                    Command::Read { .. } | Command::CloseAudit | Command::IssueList => {}
                }
            }
            Action::Wake { actor, .. } | Action::Leak { actor } | Action::Crash { actor, .. } => {
                *actor = other(*actor)?;
            }
            Action::Redirect { to, from, .. } => {
                *to = other(*to)?;
                *from = match *from {
                    Some(from) => Some(other(from)?),
                    None => None,
                };
            }
            // What a lie says besides is taken from what it is about.
            Action::Send { .. } | Action::Publish { .. } if renamed.envelope.is_none() => return None,
            Action::Send { actor, to, .. } | Action::Publish { actor, to, .. } => {
                (*actor, *to) = (other(*actor)?, other(*to)?);
            }
            // The packets of a handshake hold the names of both ends.
            Action::Inject { actor, to, .. } => {
                let same = other(*actor) == Some(*actor) && other(*to) == Some(*to);
                same.then_some(())?;
            }
            Action::Audit { ledger, .. } => *ledger = other(*ledger)?,
            Action::Unseal { .. } | Action::Deliver { .. } | Action::Corrupt { .. } | Action::Pass { .. } => {
            }
        }
        Some(renamed)
    }
}

/// Whether an actor takes part in a network of this size.
pub(super) const fn is_in(setup: &Setup, actor: Actor) -> bool {
    match actor {
        Actor::User(user) => user < setup.users,
        Actor::Validator(validator) => validator < setup.validators,
        Actor::Bsd | Actor::Cloud | Actor::Kdc => true,
    }
}
