//! The implementation's side of the lockstep: the actors of a small network on the tiny group, driven by the model's
//! actions, and what they do in the model's words.
//!
//! A system under test has no links and no clock. Envelopes lie in a pool until an action delivers them; time goes on when an action says
//! so. It checks nothing itself: it says what the actors did.

mod audit;
mod authority;
mod compromise;
mod corruption;
mod established;
mod insider;
mod key_recovery;
mod needles;
mod observation;
mod samples;
mod secret_scan;
mod store_corruption;

pub use insider::{Forger, OddCertificates};
pub use samples::BREAKABLE;

use crate::refinement::{RefinementMap, content_type, role, session_type};
use crate::simulator::{self, NetworkConfig, Node, ProvisionedKeys, START};
use crate::sut::key_recovery::KeyRecovery;
use crate::sut::secret_scan::{SecretScan, WatchedStore};
use bemr::actors::{Bsd, Cloud, Input, LedgerView, Output, Overheard, StoreHandle, User, Validator};
use bemr::crypto::{Digest, Suite};
use bemr::keys::Lifetimes;
use bemr::records::Record;
use bemr::session::Stolen;
use bemr::store::{Commit, recover, recover_ledger};
use bemr::transparency::CloudLog;
use bemr::wire::{self, Closing, EraseApproval, Name, Role, Time, encode};
use bemr_model::{Action, Actor, Command, Damage, Happened, LedgerKind, Message, Order, Packet, Setup, Tid};
use bemr_spec::{Clause, Event, Refusal, Rules};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Bytes of a [`wire::RecordHeader`].
const CLEAR: usize = 42;

/// What lies in the pool.
pub(super) struct Envelope {
    from: Actor,
    to: Actor,
    bytes: Bytes,
    /// What the model calls it, where the receiver's answer has to be named after it.
    packet: Option<Packet>,
}

/// What travels.
#[derive(Clone)]
enum Bytes {
    Packet(Rc<Vec<u8>>),
    Gossip(Rc<wire::Gossip>),
}

/// A network in which nothing happens by itself.
pub struct SystemUnderTest {
    rules: Rules,
    foundation: ProvisionedKeys,
    /// Who takes part, in the order of the model.
    actors: Vec<Actor>,
    names: Vec<Name>,
    nodes: Vec<Node>,
    archives: Vec<StoreHandle>,
    users: u8,
    seed: u64,
    now: Time,
    envelopes: Vec<Envelope>,
    tables: RefinementMap,
    supply: BTreeMap<(u16, Option<Clause>), Option<Record>>,
    found: Option<u64>,
    /// The nonce that the run which is executed again has in the present step.
    recorded: Option<u64>,
    watch: SecretScan,
    custody: KeyRecovery,
    /// What was read of the memory of actors.
    stolen: Vec<Stolen>,
    forger: Option<Box<dyn Forger>>,
    /// The policy as those know it who hear of every change.
    published: LedgerView,
    /// What was forged and is not said yet, and what the model calls it.
    forged: Vec<(wire::Message, Message)>,
    /// What was said and told lately without a flaw, newest last: what there is to forge.
    heard: VecDeque<(Actor, Message, wire::Message)>,
    told: VecDeque<(bemr_model::Gossip, Rc<wire::Gossip>)>,
}

/// An actor that starts, and the seal chain that it opened.
struct Begun {
    node: Node,
    chain: Option<Digest>,
}

/// The most of what was heard that is kept.
const HEARD: usize = 128;

/// The name of a user by number; those whom nobody certified have names too.
fn user_name(foundation: &ProvisionedKeys, user: u8) -> Name {
    let named = foundation.roster.users().get(usize::from(user)).map(|name| (*name).clone());
    named.unwrap_or_else(|| {
        Name::new(&format!("nobody-{user:02}")).expect("short printable ASCII without spaces")
    })
}

impl SystemUnderTest {
    /// The actors of `setup` under `rules`, on the tiny group.
    ///
    /// # Errors
    /// As [`SystemUnderTest::on`].
    pub fn new(rules: Rules, setup: &Setup) -> Result<SystemUnderTest, Refusal> {
        SystemUnderTest::on(Suite::Tiny, rules, setup)
    }

    /// As [`SystemUnderTest::new`], on another suite.
    ///
    /// # Errors
    /// VOT-01 for no validators or more than 64; ROL-04 for no users or more than five.
    pub fn on(suite: Suite, rules: Rules, setup: &Setup) -> Result<SystemUnderTest, Refusal> {
        SystemUnderTest::founded(SystemUnderTest::foundation_of(suite, rules, setup)?, rules, setup)
    }

    /// What the network of `setup` begins with.
    ///
    /// # Errors
    /// As [`SystemUnderTest::on`].
    pub fn foundation_of(suite: Suite, rules: Rules, setup: &Setup) -> Result<ProvisionedKeys, Refusal> {
        let Setup { users, validators, ledger, seed, lifetimes, .. } = *setup;
        if !(1..=5).contains(&users) {
            return Err(Refusal::new(Clause::RoleFitsPlace).at(format!("{users} users")));
        }
        if !(1..=64).contains(&validators) {
            return Err(Refusal::new(Clause::VoterIsAdmitted).at(format!("{validators} validators")));
        }
        let ledger = match ledger {
            LedgerKind::Quorum => simulator::LedgerKind::Quorum,
            LedgerKind::Work => simulator::LedgerKind::Work,
        };
        let lifetimes = Lifetimes { certificate: lifetimes.certificate, list: lifetimes.list };
        let scenario =
            NetworkConfig { rules, ledger, seed, lifetimes, ..NetworkConfig::new(suite, validators.into()) };
        scenario.provision()
    }

    /// As [`SystemUnderTest::new`], with what [`SystemUnderTest::foundation_of`] gave for the same rules and setup.
    ///
    /// # Errors
    /// As [`SystemUnderTest::on`].
    pub fn founded(
        foundation: ProvisionedKeys,
        rules: Rules,
        setup: &Setup,
    ) -> Result<SystemUnderTest, Refusal> {
        let Setup { users, validators, seed, established, .. } = *setup;
        let published = foundation.ledger_view.clone();
        let mut known = BTreeMap::new();
        known.insert(foundation.roster.bsd.clone(), Actor::Bsd);
        known.insert(foundation.roster.cloud.clone(), Actor::Cloud);
        for user in 0..64 {
            known.insert(user_name(&foundation, user), Actor::User(user));
        }
        for (number, name) in (0..).zip(&foundation.roster.validators) {
            known.insert(name.clone(), Actor::Validator(number));
        }
        let custody = KeyRecovery::new(&rules, &foundation)?;
        let actors = [Actor::Bsd, Actor::Cloud]
            .into_iter()
            .chain((0..users).map(Actor::User))
            .chain((0..validators).map(Actor::Validator));
        let mut sut = SystemUnderTest {
            rules,
            tables: RefinementMap::new(START, foundation.genesis.digest(), known),
            foundation,
            actors: actors.collect(),
            names: Vec::new(),
            nodes: Vec::new(),
            archives: Vec::new(),
            users,
            seed,
            now: START,
            envelopes: Vec::new(),
            supply: BTreeMap::new(),
            found: None,
            recorded: None,
            watch: SecretScan::default(),
            custody,
            stolen: Vec::new(),
            forger: None,
            published,
            forged: Vec::new(),
            heard: VecDeque::new(),
            told: VecDeque::new(),
        };
        for actor in sut.actors.clone() {
            let archive = StoreHandle::new(WatchedStore::new(Rc::clone(&sut.watch.kept)));
            let begun = sut.begin(actor, archive.clone())?;
            sut.names.push(sut.name(actor));
            sut.take_up(sut.nodes.len(), begun);
            sut.archives.push(archive);
        }
        for actor in sut.actors.clone() {
            let serial = sut.foundation.credentials[&sut.name(actor)].certified().certificate().body.serial;
            sut.tables.certified(serial, actor);
        }
        sut.tables.learn_policies(&sut.foundation.ledger_view.policy);
        if established {
            sut.establish()?;
        }
        Ok(sut)
    }

    fn name(&self, actor: Actor) -> Name {
        let cast = &self.foundation.roster;
        match actor {
            Actor::Bsd => cast.bsd.clone(),
            Actor::Cloud => cast.cloud.clone(),
            Actor::User(number) => user_name(&self.foundation, number),
            Actor::Validator(number) => cast.validators[usize::from(number)].clone(),
            Actor::Kdc => self.foundation.kdc.anchor().issuer,
        }
    }

    /// An actor that begins, or goes on from what `archive` holds.
    fn begin(&mut self, actor: Actor, archive: StoreHandle) -> Result<Begun, Refusal> {
        let rules = self.rules;
        let name = self.name(actor);
        let mut office = self.foundation.context(&name);
        let ProvisionedKeys { genesis, validators, cloud, bsd, .. } = &self.foundation;
        let (cloud, bsd) = (cloud.clone(), bsd.clone());
        office.sessions.tap();
        office.ledger_view.ledger =
            archive.read(|store| recover_ledger(&rules, store, genesis.clone(), validators, self.now))?;
        let mut chain = None;
        let node = match actor {
            Actor::Bsd => {
                let (seals, opened) = self.foundation.seal_chain(&mut office)?;
                // One start beside the other: the custodian needs them all.
                let (row, digest) = key_recovery::row(&opened);
                chain = Some(digest);
                archive.commit(Commit::new().meta(&row, encode(&opened)))?;
                Node::Bsd(Box::new(Bsd::resume(office, cloud, seals, archive)?))
            }
            Actor::Cloud => {
                let frontier = archive.read(|store| recover(&rules, store, &cloud))?.frontier;
                let (network, suite) = (cloud.network.clone(), self.foundation.suite);
                let log = CloudLog::new(suite, network, cloud.name, frontier);
                Node::Cloud(Box::new(Cloud::new(office, archive, log)?))
            }
            Actor::User(_) => Node::User(Box::new(User::new(office, bsd.name, cloud))),
            Actor::Validator(_) => Node::Validator(Box::new(Validator::resume(office, cloud, bsd, archive)?)),
            // It has no address, and so no place among the nodes.
            Actor::Kdc => return Err(Refusal::new(Clause::RoleFitsPlace).at("kdc")),
        };
        Ok(Begun { node, chain })
    }

    /// From now on the actor is this one.
    fn take_up(&mut self, slot: usize, Begun { node, chain }: Begun) {
        self.custody.chains.extend(chain);
        if slot == self.nodes.len() { self.nodes.push(node) } else { self.nodes[slot] = node }
    }

    fn slot(&self, actor: Actor) -> Option<usize> {
        let slot = match actor {
            Actor::Bsd => 0,
            Actor::Cloud => 1,
            Actor::User(number) => 2 + usize::from(number),
            Actor::Validator(number) => 2 + usize::from(self.users) + usize::from(number),
            Actor::Kdc => return None,
        };
        (self.actors.get(slot) == Some(&actor)).then_some(slot)
    }

    /// Who takes part.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// Milliseconds since the beginning.
    pub fn now(&self) -> bemr_model::Time {
        self.tables.time(self.now)
    }

    /// How many envelopes were sent so far: the next one gets this number.
    pub fn sent(&self) -> u32 {
        self.envelopes.len() as u32
    }

    /// To whom an envelope was sent.
    pub fn recipient(&self, envelope: u32) -> Option<Actor> {
        self.envelopes.get(envelope as usize).map(|envelope| envelope.to)
    }

    /// When an actor wants to be woken, if it waits for an instant.
    pub fn wakes(&mut self, actor: Actor) -> Option<bemr_model::Time> {
        let slot = self.slot(actor)?;
        let wake = self.nodes[slot].actor().wake()?;
        Some(self.tables.time(wake))
    }

    /// Makes what a miner tries when it is woken next meet its target, if `recorded` is the nonce that it found in the run which
    /// is executed again, or not. The block that it finds has that nonce in the model.
    pub fn steer_mining(&mut self, actor: Actor, recorded: Option<u64>) {
        self.recorded = recorded;
        let Some(slot) = self.slot(actor) else { return };
        let now = self.now;
        if let Some(Node::Validator(validator)) = self.nodes.get_mut(slot)
            && let Some(wake) = bemr::actors::Actor::wake(&**validator)
        {
            validator.steer_mining(now.max(wake), recorded.is_some());
        }
    }

    /// The nonce of the block that the last step closed by work.
    pub fn found(&self) -> Option<u64> {
        self.found
    }

    /// What real values are called.
    pub fn tables(&self) -> &RefinementMap {
        &self.tables
    }

    /// Lets something happen; nothing when it cannot happen now.
    pub fn step(&mut self, action: &Action) -> Option<Happened> {
        self.found = None;
        self.watch.begin(self.envelopes.len());
        match *action {
            Action::Command { actor, command } => self.command(actor, command),
            Action::Deliver { envelope } => {
                let to = self.envelopes.get(envelope as usize)?.to;
                self.deliver(envelope, to, None)
            }
            Action::Redirect { envelope, to, from } => self.deliver(envelope, to, from),
            Action::Corrupt { envelope, how } => self.corrupt(envelope, how),
            Action::Wake { actor, .. } => {
                let slot = self.slot(actor)?;
                let wake = self.nodes[slot].actor().wake()?;
                self.now = self.now.max(wake);
                Some(self.happen(slot, None, None, Input::Wake))
            }
            Action::Pass { time } => {
                self.now = self.now.after(time);
                Some(self.happened(Actor::Bsd, None, Event::Pass, None, Vec::new()))
            }
            Action::Unseal { seal, ref faults } => self.unseal(seal, faults),
            Action::Leak { actor } => self.leak(actor),
            Action::Audit { ledger, ref falsified } => self.audit(ledger, falsified),
            Action::Crash { actor, damage } => self.crash(actor, damage),
            Action::Send { actor, to, ref message } => {
                let real = self.forge(|forger, sut| forger.message(sut, actor, to, message))?;
                self.send_as(actor, to, real, message)
            }
            Action::Inject { actor, to, ref packet, flaws } => {
                let real = self.forge(|forger, sut| forger.packet(sut, packet, flaws))?;
                self.inject(actor, to, &real, *packet)
            }
            Action::Publish { actor, to, ref gossip } => {
                let real = self.forge(|forger, sut| forger.gossip(sut, actor, to, gossip))?;
                self.publish(actor, to, real, gossip)
            }
        }
    }

    fn happened(
        &self,
        actor: Actor,
        from: Option<Actor>,
        event: Event,
        clause: Option<Clause>,
        sends: Vec<bemr_model::Output>,
    ) -> Happened {
        let (place, opened) = (None, Vec::new());
        Happened { time: self.now(), actor, from, event, clause, cause: None, place, opened, sends }
    }

    fn deliver(&mut self, envelope: u32, to: Actor, from: Option<Actor>) -> Option<Happened> {
        let slot = self.slot(to)?;
        let Envelope { from: sender, bytes, packet, .. } = self.envelopes.get(envelope as usize)?;
        let (from, cause) = (from.unwrap_or(*sender), *packet);
        let name = self.address(from)?;
        let input = match bytes {
            Bytes::Packet(packet) => Input::Packet { from: name, packet: packet.to_vec() },
            Bytes::Gossip(gossip) => Input::Gossip { from: name, gossip: wire::Gossip::clone(gossip) },
        };
        Some(self.happen(slot, Some(from), cause, input))
    }

    /// The name that stands on what comes from an actor.
    fn address(&self, from: Actor) -> Option<Name> {
        if from == Actor::Kdc { Some(self.name(from)) } else { Some(self.names[self.slot(from)?].clone()) }
    }

    fn happen(&mut self, slot: usize, from: Option<Actor>, cause: Option<Packet>, input: Input) -> Happened {
        let step = self.nodes[slot].actor().handle(self.now, input);
        let clause = step.clause();
        let because = step.outcome.as_ref().err().and_then(Refusal::cause);
        self.tables.learn_policies(&self.nodes[slot].context().ledger_view.policy);
        let taken = step.outcome.unwrap_or_else(|refusal| self.remember(refusal));
        let outputs = taken.into_iter().chain(step.repeats);
        let sends = self.send(slot, cause, outputs);
        Happened { cause: because, ..self.happened(self.actors[slot], from, step.event, clause, sends) }
    }

    fn remember(&mut self, refusal: Refusal) -> Vec<Output> {
        self.watch.refused(refusal);
        Vec::new()
    }

    /// Puts what an actor sends into the pool, and says it in the words of the model.
    fn send(
        &mut self,
        slot: usize,
        cause: Option<Packet>,
        outputs: impl Iterator<Item = Output>,
    ) -> Vec<bemr_model::Output> {
        let by = self.actors[slot];
        let mut written: Vec<(wire::SessionId, u64, Message)> = Vec::new();
        for heard in self.nodes[slot].context().sessions.overheard() {
            match heard {
                Overheard::Session(real, keys) => {
                    self.watch.session(keys);
                    if let Some(Packet::Response { session } | Packet::Finish { session, .. }) = cause {
                        self.tables.began(real, session);
                    }
                }
                Overheard::Message { message, written: place, .. } => {
                    // The answer to a request can be like a lie that was told before, and is its own.
                    let answers =
                        |record: &bemr_model::Record| matches!(record.message, Message::Read { .. });
                    let own = matches!(&cause, Some(Packet::Record(record)) if answers(record));
                    let forged = self.forged.iter().rposition(|(real, _)| !own && *real == message);
                    let said = match forged {
                        // Once it is written nobody says it again.
                        Some(number) if place.is_some() => self.forged.remove(number).1,
                        Some(number) => self.forged[number].1,
                        None => {
                            let said = self.tables.message(by, cause.as_ref(), &message);
                            self.hear(by, said, &message);
                            said
                        }
                    };
                    if let Some((position, _)) = &place {
                        written.push((position.session, position.sequence, said));
                    }
                    self.watch.said(message, place.as_ref().map(|(_, key)| key));
                }
            }
        }
        outputs.filter_map(|output| self.send_one(by, cause, &written, output)).collect()
    }

    fn send_one(
        &mut self,
        by: Actor,
        cause: Option<Packet>,
        written: &[(wire::SessionId, u64, Message)],
        output: Output,
    ) -> Option<bemr_model::Output> {
        match output {
            Output::Send { to, packet, .. } => {
                let to = self.tables.actor(&to)?;
                let term = self.name_packet(by, to, cause, written, &packet)?;
                let bytes = Bytes::Packet(Rc::new(packet));
                self.envelopes.push(Envelope { from: by, to, bytes, packet: Some(term) });
                Some(bemr_model::Output::Send(to, term))
            }
            Output::SendGossip { to, gossip } => {
                let to = self.tables.actor(&to)?;
                let term = self.tables.gossip(&gossip);
                let gossip = Rc::new(gossip);
                self.hear_told(&term, &gossip);
                let bytes = Bytes::Gossip(gossip);
                self.envelopes.push(Envelope { from: by, to, bytes, packet: None });
                Some(bemr_model::Output::SendGossip(to, term))
            }
            Output::Publish(gossip) => {
                if let wire::Gossip::Block(block) = &gossip
                    && let Closing::Work(work) = &block.header().closing
                {
                    self.found = Some(self.recorded.unwrap_or(work.nonce));
                    if let Some(recorded) = self.recorded {
                        self.tables.record_nonce(block.header(), recorded);
                    }
                }
                let term = self.tables.gossip(&gossip);
                let gossip = Rc::new(gossip);
                self.hear_told(&term, &gossip);
                let bytes = Bytes::Gossip(gossip);
                for to in self.actors.iter().copied().filter(|to| *to != by) {
                    let bytes = bytes.clone();
                    self.envelopes.push(Envelope { from: by, to, bytes, packet: None });
                }
                Some(bemr_model::Output::Publish(term))
            }
        }
    }

    fn name_packet(
        &mut self,
        by: Actor,
        to: Actor,
        cause: Option<Packet>,
        written: &[(wire::SessionId, u64, Message)],
        packet: &[u8],
    ) -> Option<Packet> {
        // Of a record only what it says in clear is needed, of the others only the kind.
        let rules = Rules::hardened();
        if let Some((4, clear)) = packet.split_first().map(|(kind, rest)| (*kind, rest)) {
            let header: wire::RecordHeader = wire::decode(&rules, clear.get(..CLEAR)?).ok()?;
            let place = (header.session, header.sequence);
            let (.., message) =
                written.iter().find(|(session, sequence, _)| (*session, *sequence) == place)?;
            return Some(Packet::Record(bemr_model::Record {
                session: self.tables.session(&header.session),
                from_initiator: header.direction == wire::Direction::InitiatorToResponder,
                stage: content_type(header.stage),
                sequence: header.sequence as u32,
                message: *message,
            }));
        }
        Some(match wire::decode::<wire::Packet>(&rules, packet).ok()? {
            wire::Packet::Hello(hello) => {
                let purpose = session_type(hello.purpose);
                Packet::Hello { hello: self.tables.hello(by, to), purpose }
            }
            wire::Packet::Response(_) => {
                let Some(Packet::Hello { hello, .. }) = cause else { return None };
                Packet::Response { session: self.tables.response(hello, by) }
            }
            wire::Packet::Finish(_) => {
                let Some(Packet::Response { session }) = cause else { return None };
                Packet::Finish { session, by }
            }
            wire::Packet::Record(_) => return None,
        })
    }

    fn command(&mut self, actor: Actor, command: Command) -> Option<Happened> {
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
                if submitted.is_ok() {
                    self.learn_submission(slot, record, breaks);
                }
                (Event::Command, submitted.map(|(_, outputs)| outputs))
            }
            (Command::Read { tid }, Actor::User(user)) => {
                let tid = self.tables.real_tid(tid)?;
                self.ask(slot, user, Event::Command, |node, now| node.read(now, tid))?
            }
            (Command::Order { tid, order }, Actor::User(user)) => self.order(slot, user, tid, order)?,
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
    ) -> Option<(Event, Result<Vec<Output>, Refusal>)> {
        let tid = self.tables.real_tid(tid)?;
        match order {
            Order::Grant(reader) => {
                let reader = user_name(&self.foundation, reader);
                self.ask(slot, user, Event::Command, |node, now| node.grant(now, tid, &reader))
            }
            Order::Revoke(reader) => {
                let reader = user_name(&self.foundation, reader);
                self.ask(slot, user, Event::Command, |node, now| node.revoke(now, tid, &reader))
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
                self.ask(slot, user, Event::Command, |node, now| node.erase(now, body, approvals))
            }
        }
    }

    fn ask<T>(
        &mut self,
        slot: usize,
        user: u8,
        event: Event,
        ask: impl FnOnce(&mut User, Time) -> Result<(T, Vec<Output>), Refusal>,
    ) -> Option<(Event, Result<Vec<Output>, Refusal>)> {
        let now = self.now;
        let Node::User(node) = &mut self.nodes[slot] else { return None };
        let asked = ask(node, now).map(|(_, outputs)| outputs);
        if asked.is_ok()
            && let Some(named) = node.context().sessions.last_overheard().and_then(wire::Message::request)
        {
            self.tables.requested(user, named);
        }
        Some((event, asked))
    }

    fn learn_submission(&mut self, slot: usize, record: u16, breaks: Option<Clause>) {
        let said = self.nodes[slot].context().sessions.last_overheard();
        if let Some(wire::Message::TInitial(initial)) = said {
            self.tables.submitted(initial, record, breaks);
        }
    }

    fn crash(&mut self, actor: Actor, damage: Option<Damage>) -> Option<Happened> {
        let slot = self.slot(actor)?;
        if matches!(actor, Actor::User(_)) {
            let name = self.names[slot].clone();
            let mut office = self.foundation.context(&name);
            office.sessions.tap();
            if let Node::User(user) = self.nodes.remove(slot) {
                self.nodes.insert(slot, Node::User(Box::new(user.restart(office))));
            }
            return Some(self.happened(actor, None, Event::Crash, None, Vec::new()));
        }
        let found = match damage {
            Some(damage) => self.start_damaged(actor, damage)?.err(),
            None => None,
        };
        // What was damaged is made good.
        let archive = self.archives[slot].clone();
        let begun = self.begin(actor, archive);
        let clause = begun.as_ref().err().map(Refusal::clause);
        if let Ok(begun) = begun {
            self.take_up(slot, begun);
        }
        let clause = clause.or(found.as_ref().map(|(refusal, _)| refusal.clause()));
        let mut happened = self.happened(actor, None, Event::Crash, clause, Vec::new());
        if let Some((refusal, place)) = found {
            happened.place = Some(place);
            self.watch.refused(refusal);
        }
        Some(happened)
    }
}
