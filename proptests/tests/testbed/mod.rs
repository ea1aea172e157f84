//! A network in which a test impersonates principals with their genuine keys and decides what becomes of packets.
//!
//! An impersonated principal sends over a genuine session, so that nothing but the message is false.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

mod draft;
mod held_session;
mod impersonation;
mod messages;
mod reply;
mod script;

pub(crate) use draft::Draft;
pub(crate) use held_session::HeldSession;
pub(crate) use messages::{broken, certify, name, reason, record, sample, sign_vote, sound};
pub(crate) use messages::{stray_digest, vote};
pub(crate) use reply::{Reply, refused, refused_by};
pub(crate) use script::{Responder, Script, always, silent};

use bemr::actors::bsd::State;
use bemr::actors::user::{Answer, RequestId};
use bemr::actors::{Actor, Bsd, Input, LedgerView, NodeContext, Output, Step, User};
use bemr::audit::{AuditReport, Inconsistency};
use bemr::crypto::{Digest, Suite};
use bemr::records::Record;
use bemr::wire::{Decision, Name, QuorumCertificate, Time};
use bemr_lab::simulator::{Envelope, Event, FaultInjector, LedgerKind, Network, NetworkConfig, Reliable};
use bemr_spec::{Refusal, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use script::ScriptedValidator;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

pub(crate) const RULES: Rules = Rules::hardened();

/// No test has more events.
const MOST_EVENTS: usize = 20_000;

/// One step of a submission at the BSD: its state before, the event, its state after.
pub(crate) type Transition = (State, &'static str, State);

pub(crate) struct Testbed {
    pub(crate) network: Network,
    /// All events, in order.
    pub(crate) events: Vec<Event>,
    /// The transitions of the submission that is watched.
    pub(crate) transitions: Vec<Transition>,
    /// What impersonated principals know of ledger and policy.
    pub(crate) replica: LedgerView,
    pub(crate) rng: ChaCha20Rng,
    /// How far the clock of impersonated principals, and that of actors to whom they send, is ahead of the network's.
    pub(crate) later: u64,
    watched: Option<Digest>,
    contexts: BTreeMap<Name, NodeContext>,
    scripted: BTreeMap<Name, ScriptedValidator>,
    /// The packets that were sent to scripted validators.
    mail: Rc<RefCell<VecDeque<Envelope>>>,
    injector: Rc<RefCell<Box<dyn FaultInjector>>>,
}

impl Testbed {
    /// So many validators who commit blocks by quorum.
    pub(crate) fn new(rules: Rules, validators: usize) -> Testbed {
        Testbed::of(NetworkConfig { rules, ..NetworkConfig::new(Suite::Tiny, validators) })
    }

    /// Four validators who commit blocks by proof of work.
    pub(crate) fn by_work(rules: Rules) -> Testbed {
        Testbed::of(NetworkConfig { rules, ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 4) })
    }

    pub(crate) fn of(config: NetworkConfig) -> Testbed {
        let injector: Rc<RefCell<Box<dyn FaultInjector>>> = Rc::new(RefCell::new(Box::new(Reliable)));
        let inner = Rc::clone(&injector);
        let outer = move |now: Time, envelope: Envelope| inner.borrow_mut().decide(now, envelope);
        let network = NetworkConfig { injector: Box::new(outer), ..config }.build().unwrap();
        Testbed {
            replica: network.keys.ledger_view.clone(),
            network,
            events: Vec::new(),
            transitions: Vec::new(),
            rng: ChaCha20Rng::seed_from_u64(99),
            later: 0,
            watched: None,
            contexts: BTreeMap::new(),
            scripted: BTreeMap::new(),
            mail: Rc::default(),
            injector,
        }
    }

    /// From now on this decides what becomes of packets; those for scripted validators reach them all the same.
    pub(crate) fn inject(&mut self, mut injector: impl FaultInjector + 'static) {
        let mail = Rc::clone(&self.mail);
        let scripted: Vec<Name> = self.scripted.keys().cloned().collect();
        *self.injector.borrow_mut() = Box::new(move |now: Time, envelope: Envelope| {
            let mut delivered = injector.decide(now, envelope);
            let to_script = |(_, envelope): &mut (u64, Envelope)| {
                scripted.contains(&envelope.to) && envelope.packet().is_some()
            };
            mail.borrow_mut().extend(delivered.extract_if(.., to_script).map(|(_, envelope)| envelope));
            delivered
        });
    }

    /// Loses every envelope that `lost` accepts.
    pub(crate) fn lose(&mut self, mut lost: impl FnMut(&Envelope) -> bool + 'static) {
        self.inject(
            move |_: Time, envelope: Envelope| {
                if lost(&envelope) { Vec::new() } else { vec![(0, envelope)] }
            },
        );
    }

    /// The instant at which impersonated principals act.
    pub(crate) fn now(&self) -> Time {
        self.network.now().after(self.later)
    }

    pub(crate) fn validators(&self) -> Vec<Name> {
        self.network.keys.roster.validators.clone()
    }

    pub(crate) fn bsd(&mut self) -> &mut Bsd {
        self.network.bsd().unwrap()
    }

    pub(crate) fn actor(&mut self, who: &Name) -> &mut dyn Actor {
        self.network.node(who).unwrap().actor()
    }

    pub(crate) fn state_of(&mut self, tid: &Digest) -> State {
        self.bsd().state_of(tid)
    }

    /// The certificate of a submission's decision in the ledger.
    pub(crate) fn decided(&mut self, tid: &Digest) -> Option<QuorumCertificate> {
        self.bsd().ledger_view().ledger.decision(tid).map(|found| found.certificate.clone())
    }

    /// Audits what the store holds in public.
    pub(crate) fn audit(&self) -> Result<AuditReport, Inconsistency> {
        self.network.audit(Some(self.network.now())).unwrap()
    }

    /// From now on the transitions of this submission are recorded.
    pub(crate) fn watch(&mut self, tid: Digest) {
        self.watched = Some(tid);
    }

    fn watched_state(&mut self) -> Option<State> {
        let tid = self.watched?;
        Some(self.state_of(&tid))
    }

    fn record_transition(&mut self, actor: &Name, before: Option<State>, event: &'static str) {
        if *actor == self.network.keys.roster.bsd
            && let (Some(before), Some(after)) = (before, self.watched_state())
        {
            self.transitions.push((before, event, after));
        }
    }

    /// Hands an actor an input at this instant; what it sends is in flight afterwards.
    pub(crate) fn deliver(&mut self, to: &Name, input: Input) -> Step {
        let before = self.watched_state();
        let step = self.network.command(to, |node, now| {
            let step = node.actor().handle(now, input);
            let outputs = step.outputs().cloned().collect();
            (step, outputs)
        });
        let (step, _) = step.unwrap();
        self.record_transition(to, before, step.event.name());
        step
    }

    /// Lets the next thing happen; whether there was any.
    pub(crate) fn step(&mut self) -> bool {
        let before = self.watched_state();
        let Some(event) = self.network.step() else { return self.run_scripts() };
        self.record_transition(&event.actor, before, event.event.name());
        self.events.push(event);
        assert!(self.events.len() < MOST_EVENTS, "endless: {:#?}", self.events.last_chunk::<8>());
        self.run_scripts();
        true
    }

    /// Runs for `span` milliseconds or until `done`; whether it is.
    pub(crate) fn run(&mut self, span: u64, mut done: impl FnMut(&mut Testbed) -> bool) -> bool {
        let end = self.network.now().after(span);
        while self.network.now() < end {
            if done(self) {
                return true;
            }
            if !self.step() {
                break;
            }
        }
        done(self)
    }

    /// Runs for `span` milliseconds.
    pub(crate) fn run_for(&mut self, span: u64) {
        self.run(span, |_| false);
    }

    /// Runs until the submission has reached a terminal state at the BSD.
    pub(crate) fn finish(&mut self, tid: &Digest) -> State {
        assert!(self.run(600_000, |bed| bed.state_of(tid).is_terminal()), "{}", self.state_of(tid));
        self.state_of(tid)
    }

    /// The doctor submits a record, and the submission is watched.
    pub(crate) fn submit(&mut self, record: &Record) -> Digest {
        let doctor = self.network.keys.roster.doctor.clone();
        let tid = self.network.as_user(&doctor, |user, now| user.submit(now, record, &[])).unwrap();
        self.watch(tid);
        tid
    }

    /// A user submits a record and it is committed.
    #[track_caller]
    pub(crate) fn commit(&mut self, who: &Name, record: &[u8], readers: &[Name]) -> Digest {
        let record = Record::read(&RULES, record).expect("a record");
        let submitted = self.network.as_user(who, |user, now| user.submit(now, &record, readers));
        let tid = submitted.expect("a record that maps");
        let outcome = self.network.outcome(who, &tid, 600_000).expect("an outcome");
        assert_eq!(outcome.decision, Decision::Committed);
        tid
    }

    /// A user sends a request to the cloud, and is answered.
    #[track_caller]
    pub(crate) fn ask(
        &mut self,
        who: &Name,
        ask: impl FnOnce(&mut User, Time) -> Result<(RequestId, Vec<Output>), Refusal>,
    ) -> Answer {
        let id = self.network.as_user(who, ask).expect("a request");
        self.network.answer(who, id, 60_000, |_| ()).expect("an answer")
    }

    /// What the cloud answers to a user who reads a record.
    #[track_caller]
    pub(crate) fn read(&mut self, who: &Name, tid: Digest) -> Answer {
        self.ask(who, |user, now| user.read(now, tid))
    }
}
