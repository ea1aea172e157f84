//! The network: nodes, what is in flight between them, and virtual time; one step at a time.

use crate::simulator::observer::mined_nonce;
use crate::simulator::{Cause, Envelope, Event, Next, Node, ProvisionedKeys, PublicTables, Scheduler};
use bemr::actors::user::{Answer, RequestId};
use bemr::actors::{Bsd, Cloud, Input, Output, Step, StoreHandle, User, Validator};
use bemr::audit::{AuditReport, Auditor, Inconsistency, audit};
use bemr::crypto::Digest;
use bemr::wire::{Name, Outcome, Time};
use bemr_spec::{Clause, Refusal};
use std::collections::BTreeMap;

/// A network that is ready to run.
pub struct Network {
    /// Everybody's keys: with them a caller can impersonate any principal.
    pub keys: ProvisionedKeys,
    /// Where cloud, BSD and ledger are stored.
    pub store: StoreHandle,
    nodes: BTreeMap<Name, Node>,
    scheduler: Scheduler,
    states_observed: bool,
}

impl Network {
    /// A network of these principals without nodes.
    pub fn empty(keys: ProvisionedKeys, store: StoreHandle, scheduler: Scheduler) -> Network {
        Network { keys, store, nodes: BTreeMap::new(), scheduler, states_observed: false }
    }

    /// From now on every event has the digest of its actor's public state. Hashing it costs time that only an observer
    /// needs to spend.
    pub fn observe_states(&mut self) {
        self.states_observed = true;
    }

    /// Adds a node under its actor's name.
    pub fn add(&mut self, mut node: Node) {
        let actor = node.actor();
        let (name, wake) = (actor.name().clone(), actor.wake());
        self.scheduler.set_timer(&name, wake);
        self.nodes.insert(name, node);
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.scheduler.now()
    }

    /// The node of this name.
    pub fn node(&mut self, name: &Name) -> Option<&mut Node> {
        self.nodes.get_mut(name)
    }

    /// Every node, in the order of names.
    pub fn nodes(&self) -> impl Iterator<Item = (&Name, &Node)> {
        self.nodes.iter()
    }

    /// A user.
    pub fn user(&mut self, user: &Name) -> Option<&mut User> {
        match self.nodes.get_mut(user) {
            Some(Node::User(user)) => Some(user),
            _ => None,
        }
    }

    /// The BSD.
    pub fn bsd(&mut self) -> Option<&mut Bsd> {
        match self.nodes.get_mut(&self.keys.roster.bsd) {
            Some(Node::Bsd(bsd)) => Some(bsd),
            _ => None,
        }
    }

    /// The cloud.
    pub fn cloud(&mut self) -> Option<&mut Cloud> {
        match self.nodes.get_mut(&self.keys.roster.cloud) {
            Some(Node::Cloud(cloud)) => Some(cloud),
            _ => None,
        }
    }

    /// A validator that follows the protocol.
    pub fn validator(&mut self, validator: &Name) -> Option<&mut Validator> {
        match self.nodes.get_mut(validator) {
            Some(Node::Validator(validator)) => Some(validator),
            _ => None,
        }
    }

    /// Calls `command` on a node and sends what it gives; nothing when no node has this name.
    pub fn command<T>(
        &mut self,
        name: &Name,
        command: impl FnOnce(&mut Node, Time) -> (T, Vec<Output>),
    ) -> Option<(T, Event)> {
        let now = self.now();
        let (answer, outputs) = command(self.nodes.get_mut(name)?, now);
        let step = Step::taken(bemr_spec::Event::Command, outputs);
        Some((answer, self.finish(name, None, Cause::Command, &step)))
    }

    /// As [`Network::command`], of a command that can be refused.
    ///
    /// # Errors
    /// Those of `command`; HSK-02 when no node has this name.
    fn try_command<T>(
        &mut self,
        name: &Name,
        command: impl FnOnce(&mut Node, Time) -> Result<(T, Vec<Output>), Refusal>,
    ) -> Result<(T, Event), Refusal> {
        let answer = self.command(name, |node, now| match command(node, now) {
            Ok((answer, outputs)) => (Ok(answer), outputs),
            Err(refusal) => (Err(refusal), Vec::new()),
        });
        let (answer, event) = answer.ok_or_else(|| Refusal::new(Clause::PeerIsIntended).at(name.as_str()))?;
        Ok((answer?, event))
    }

    /// Lets a user command their app, and gives the event too.
    ///
    /// # Errors
    /// Those of the command; ROL-04 when the node is not a user.
    pub fn as_user_observed<T>(
        &mut self,
        user: &Name,
        command: impl FnOnce(&mut User, Time) -> Result<(T, Vec<Output>), Refusal>,
    ) -> Result<(T, Event), Refusal> {
        self.try_command(user, |node, now| match node {
            Node::User(user) => command(user, now),
            _ => Err(Refusal::new(Clause::RoleFitsPlace)),
        })
    }

    /// Lets a user command their app.
    ///
    /// # Errors
    /// Those of [`Network::as_user_observed`].
    pub fn as_user<T>(
        &mut self,
        user: &Name,
        command: impl FnOnce(&mut User, Time) -> Result<(T, Vec<Output>), Refusal>,
    ) -> Result<T, Refusal> {
        self.as_user_observed(user, command).map(|(answer, _)| answer)
    }

    /// Lets the BSD close its audit log.
    ///
    /// # Errors
    /// Those of [`Bsd::close`].
    pub fn close_audit_log(&mut self) -> Result<Event, Refusal> {
        let bsd = self.keys.roster.bsd.clone();
        let closed = self.try_command(&bsd, |node, now| match node {
            Node::Bsd(bsd) => bsd.close(now).map(|outputs| ((), outputs)),
            _ => Err(Refusal::new(Clause::RoleFitsPlace)),
        });
        closed.map(|((), event)| event)
    }

    /// What happens next, which the caller may hand to [`Network::take`], lose, or replace; nothing when that is later than
    /// `end`, at which it is then.
    pub fn next(&mut self, end: Option<Time>) -> Option<Next> {
        self.scheduler.next(end)
    }

    /// Lets an envelope arrive or a timer expire.
    pub fn take(&mut self, next: Next) -> Event {
        match next {
            Next::Timer(name) => self.handle(&name, None, None, Ok(Input::Wake)),
            Next::Arrival(number, envelope) => {
                let (from, to) = (envelope.from.clone(), envelope.to.clone());
                let input = envelope.into_input(&self.keys.rules);
                self.handle(&to, Some(from), Some(number), input)
            }
        }
    }

    /// Lets the next thing happen; nothing when no envelope is in flight and no timer is set.
    pub fn step(&mut self) -> Option<Event> {
        let next = self.next(None)?;
        Some(self.take(next))
    }

    fn handle(
        &mut self,
        name: &Name,
        from: Option<Name>,
        envelope: Option<u64>,
        input: Result<Input, Refusal>,
    ) -> Event {
        let now = self.now();
        let step = match (self.nodes.get_mut(name), input) {
            (None, _) => Step::refused(
                bemr_spec::Event::Unexpected,
                Refusal::new(Clause::PeerIsIntended).at(name.as_str()),
            ),
            (Some(node), Ok(input)) => node.actor().handle(now, input),
            (Some(_), Err(refusal)) => Step::refused(bemr_spec::Event::Malformed, refusal),
        };
        let cause = envelope.map_or_else(|| Cause::Wake(mined_nonce(&step)), Cause::Envelope);
        self.finish(name, from, cause, &step)
    }

    /// Sets the timer of a node after a step, and sends what it sent.
    fn finish(&mut self, name: &Name, from: Option<Name>, cause: Cause, step: &Step) -> Event {
        let now = self.now();
        let mut state = None;
        if let Some(node) = self.nodes.get_mut(name) {
            let actor = node.actor();
            let wake = actor.wake();
            state = self.states_observed.then(|| actor.state());
            self.scheduler.set_timer(name, wake);
        }
        for output in step.outputs() {
            for envelope in Envelope::of(name, output, self.nodes.keys()) {
                self.scheduler.send(envelope);
            }
        }
        Event::of((now, name), from, cause, step, state)
    }

    /// Runs until `done`, until nothing is left to happen, until the store fails, or for `limit` milliseconds. Gives each event
    /// to `observe`.
    pub fn run_observed(
        &mut self,
        limit: u64,
        mut observe: impl FnMut(&Event),
        mut done: impl FnMut(&mut Network) -> bool,
    ) {
        let end = self.now().after(limit);
        while self.now() < end && !self.store.has_failed() && !done(self) {
            match self.step() {
                Some(event) => observe(&event),
                None => return,
            }
        }
    }

    /// As [`Network::run_observed`], without an observer.
    pub fn run_until(&mut self, limit: u64, done: impl FnMut(&mut Network) -> bool) {
        self.run_observed(limit, |_| (), done);
    }

    /// Runs for `limit` milliseconds or until nothing is left to happen.
    pub fn run_for(&mut self, limit: u64) {
        self.run_until(limit, |_| false);
    }

    /// Runs until one of these submissions of a user has ended, at most `limit` milliseconds. Gives those that have, with their
    /// outcomes; when none has, the network came to rest, and all of them end without one.
    pub fn outcomes(
        &mut self,
        user: &Name,
        awaited: &[Digest],
        limit: u64,
        observe: impl FnMut(&Event),
    ) -> Vec<(Digest, Option<Outcome>)> {
        let ended = |user: &User| awaited.iter().any(|tid| !user.awaits(tid));
        self.run_observed(limit, observe, |network| network.user(user).is_none_or(|user| ended(user)));
        let Some(user) = self.user(user) else { return Vec::new() };
        let at_rest = !ended(user);
        let ended = awaited.iter().filter(|tid| at_rest || !user.awaits(tid));
        ended.map(|tid| (*tid, user.outcome(tid).cloned())).collect()
    }

    /// Runs until a submission has ended, at most `limit` milliseconds: its outcome.
    pub fn outcome(&mut self, user: &Name, tid: &Digest, limit: u64) -> Option<Outcome> {
        self.outcomes(user, std::slice::from_ref(tid), limit, |_| ()).pop()?.1
    }

    /// Runs until a request is answered, at most `limit` milliseconds: the answer, which the user's app then forgets.
    pub fn answer(
        &mut self,
        user: &Name,
        request: RequestId,
        limit: u64,
        observe: impl FnMut(&Event),
    ) -> Option<Answer> {
        self.run_observed(limit, observe, |network| {
            network.user(user).is_none_or(|user| !user.awaits_answer(request))
        });
        self.user(user)?.take_answer(request)
    }

    /// Audits what the store holds in public, by an auditor whose clock shows `now`: the newest block's time where there is
    /// none.
    ///
    /// # Errors
    /// The store's, or the genesis'.
    pub fn audit(&self, now: Option<Time>) -> Result<Result<AuditReport, Inconsistency>, Refusal> {
        let ProvisionedKeys { rules, genesis, validators, cloud, bsd, .. } = &self.keys;
        let tables = self.store.read(|store| PublicTables::read(rules, store))?;
        let now = now.or(tables.latest()).unwrap_or(genesis.start);
        let bsd = (bsd.name.clone(), bsd.key.clone());
        let auditor = Auditor::new(rules, now, genesis.clone(), validators.clone(), cloud.clone(), bsd)?;
        Ok(audit(auditor, &tables.record()))
    }
}
