//! Makes a trace of what happens on a network in one process.

use crate::simulator::{Cause, Event, Network};
use crate::trace::{Header, Principal, Send, Step};
use bemr::crypto::Digest;
use bemr::records::{Facts, Opened, PolicyRegistry, Record, map};
use bemr::wire::{ClosingRule, Height, Name, Role, Time};
use bemr_model::{self, Action, Actor, Command, Lifetimes, Members, Setup, Tid};
use bemr_spec::{Clause, Refusal, Rules};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The most validators of a network whose trace can be written.
pub const MAX_TRACED: usize = 64;

/// Turns commands and events of a [`Network`] into the steps of a trace. Time passes in steps of its own.
pub struct Recorder {
    rules: Rules,
    policy: PolicyRegistry,
    start: Time,
    actors: BTreeMap<Name, Actor>,
    now: bemr_model::Time,
    steps: u64,
    /// The records that were submitted, by the digest of their bytes.
    records: BTreeMap<[u8; 32], u16>,
    tids: BTreeMap<Digest, Tid>,
}

impl Recorder {
    /// A recorder of `network`, which was made from this seed and begins at this instant, with the header of the trace. From
    /// now on the network hashes states.
    ///
    /// # Errors
    /// VOT-01 for more than [`MAX_TRACED`] validators.
    pub fn begin(
        rules: Rules,
        seed: u64,
        start: Time,
        network: &mut Network,
    ) -> Result<(Recorder, Header), Refusal> {
        network.observe_states();
        let roster = &network.keys.roster;
        let validators = u8::try_from(roster.validators.len()).ok();
        let validators = validators.filter(|count| usize::from(*count) <= MAX_TRACED).ok_or_else(|| {
            Refusal::new(Clause::VoterIsAdmitted).at(format!("a trace has at most {MAX_TRACED} validators"))
        })?;
        let users = roster.users().into_iter().zip(0..).map(|(name, number)| (name, Actor::User(number)));
        let voters = roster.validators.iter().zip(0..).map(|(name, number)| (name, Actor::Validator(number)));
        let named =
            [(&roster.bsd, Actor::Bsd), (&roster.cloud, Actor::Cloud)].into_iter().chain(users).chain(voters);
        let principals: Vec<Principal> =
            named.map(|(name, actor)| Principal { actor, name: name.clone() }).collect();
        let ledger = match network.keys.genesis.rule {
            ClosingRule::Quorum => bemr_model::LedgerKind::Quorum,
            ClosingRule::Work(_) => bemr_model::LedgerKind::Work,
        };
        let (users, lifetimes) = (roster.users().len() as u8, Lifetimes::LONG);
        let setup = Setup { users, validators, ledger, seed, established: false, lifetimes };
        let recorder = Recorder {
            rules,
            policy: PolicyRegistry::shipped(network.keys.genesis.network.clone()),
            start,
            actors: principals.iter().map(|one| (one.name.clone(), one.actor)).collect(),
            now: 0,
            steps: 0,
            records: BTreeMap::new(),
            tids: BTreeMap::new(),
        };
        let header = Header {
            start: start.0,
            principals,
            ..Header::new(network.keys.kdc.anchor().suite, &rules, setup)
        };
        Ok((recorder, header))
    }

    /// The steps of an event that the network let happen.
    pub fn event(&mut self, event: &Event) -> Vec<Step> {
        let Some(actor) = self.actors.get(&event.actor).copied() else { return Vec::new() };
        let action = match event.cause {
            Cause::Envelope(number) => Action::Deliver { envelope: number.try_into().unwrap_or(u32::MAX) },
            Cause::Wake(found) => Action::Wake { actor, found },
            Cause::Command => return Vec::new(),
        };
        self.happened(event, action, event.event)
    }

    /// The steps of a submission: taken with this tid, or refused.
    ///
    /// # Errors
    /// Nothing left to number the record with.
    pub fn submitted(
        &mut self,
        record: &Record,
        readers: &[Name],
        at: (&Name, Time),
        outcome: Result<(Digest, &Event), Clause>,
    ) -> Result<Vec<Step>, &'static str> {
        let digest: [u8; 32] = Sha256::digest(record.bytes()).into();
        let full = |_| "a trace numbers at most 65536 records and submissions";
        let next = u16::try_from(self.records.len()).map_err(full)?;
        let command = Command::Submit {
            record: *self.records.entry(digest).or_insert(next),
            breaks: outcome.as_ref().map_or_else(|clause| Some(*clause), |_| self.breaks(record, at.1)),
            readers: readers.iter().filter_map(|reader| self.user(reader)).collect::<Members>(),
        };
        if let Ok((tid, _)) = outcome {
            self.tids.insert(tid, Tid::nth(u16::try_from(self.tids.len()).map_err(full)?));
        }
        Ok(self.command(at, command, outcome.map(|(_, event)| event)))
    }

    /// The steps of a request for a record that was submitted.
    pub fn asked(&mut self, tid: &Digest, at: (&Name, Time), outcome: Result<&Event, Clause>) -> Vec<Step> {
        match self.tids.get(tid) {
            Some(tid) => self.command(at, Command::Read { tid: *tid }, outcome),
            None => Vec::new(),
        }
    }

    /// The steps of the BSD's closing its audit log.
    pub fn closed(&mut self, at: (&Name, Time), outcome: Result<&Event, Clause>) -> Vec<Step> {
        self.command(at, Command::CloseAudit, outcome)
    }

    fn user(&self, name: &Name) -> Option<u8> {
        match self.actors.get(name) {
            Some(Actor::User(number)) => Some(*number),
            _ => None,
        }
    }

    /// What the contracts in force say of a doctor's record.
    fn breaks(&self, record: &Record, now: Time) -> Option<Clause> {
        let height = Height(1);
        let template = self.policy.template_for(record.resource_type(), height)?;
        let values = match map(&self.rules, template, record) {
            Ok(values) => values,
            Err(refusal) => return Some(refusal.clause()),
        };
        let policy = self.policy.policy_in_force(&template.id, height)?;
        let checked = policy.checked_attributes().into_iter();
        let opened: Opened =
            checked.filter_map(|index| Some((index, values.get(usize::from(index))?.clone()))).collect();
        let facts = Facts { role: Role::Doctor, issued: now, patient: record.patient() };
        policy.evaluate(&self.rules, &opened, &facts).err().map(|failure| failure.clause)
    }

    fn command(
        &mut self,
        (name, now): (&Name, Time),
        command: Command,
        outcome: Result<&Event, Clause>,
    ) -> Vec<Step> {
        let Some(actor) = self.actors.get(name).copied() else { return Vec::new() };
        let what = command.event();
        let action = Action::Command { actor, command };
        match outcome {
            Ok(event) => self.happened(event, action, what),
            Err(clause) => {
                let mut steps = self.passed(now);
                let mut refused = self.step(action, Some(actor), what);
                (refused.clause, refused.verdict) = (Some(clause), clause.verdict());
                steps.push(refused);
                steps
            }
        }
    }

    fn happened(&mut self, event: &Event, action: Action, what: bemr_spec::Event) -> Vec<Step> {
        let mut steps = self.passed(event.time);
        let actor = |name: &Name| self.actors.get(name).copied();
        let sends = event.sends.iter().map(|(to, message, bytes)| Send {
            to: to.as_ref().and_then(actor),
            message: (*message).to_owned(),
            bytes: Some((*bytes).try_into().unwrap_or(u32::MAX)),
        });
        let (sends, from) = (sends.collect(), event.from.as_ref().and_then(actor));
        let happened = Step {
            from,
            clause: event.clause,
            verdict: event.verdict,
            sends,
            state: event.state,
            ..self.step(action, actor(&event.actor), what)
        };
        steps.push(happened);
        steps
    }

    /// Time passes until `time`.
    fn passed(&mut self, time: Time) -> Vec<Step> {
        let passed = time.0.saturating_sub(self.start.0).saturating_sub(self.now);
        if passed == 0 {
            return Vec::new();
        }
        self.now += passed;
        vec![self.step(Action::Pass { time: passed }, None, bemr_spec::Event::Pass)]
    }

    fn step(&mut self, action: Action, actor: Option<Actor>, event: bemr_spec::Event) -> Step {
        self.steps += 1;
        Step {
            step: self.steps,
            action,
            time: self.now,
            actor,
            from: None,
            event,
            verdict: Step::verdict_of(None),
            clause: None,
            place: None,
            opened: Vec::new(),
            sends: Vec::new(),
            state: None,
        }
    }
}
