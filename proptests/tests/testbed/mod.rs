//! A town in which a test plays some of the parts itself, with their true keys, and decides what becomes of packets.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr::actors::bsd::State;
use bemr::actors::initial_builder::{
    Destination, ONE_NONCE, build_initial, grants_digest, record_context, transaction_id, wrap,
};
use bemr::actors::{Actor, Input, Output, Received, SessionManager, Step, StoreHandle};
use bemr::audit::{AuditReport, Auditor, Inconsistency, PublicRecord, audit};
use bemr::crypto::{AeadKey, Digest, Domain, Suite};
use bemr::keys::{Credentials, TrustStore};
use bemr::records::{Record, SAMPLES};
use bemr::session::{AwaitingResponse, Session};
use bemr::store::{Store, StoreError, Table, for_each};
use bemr::wire::{
    Ballot, ContentType, Message, Name, Packet, QuorumCertificate, SessionType, Signatory, TBlock, TInitial,
    Time, Vote, VoteBody, WrappedKey, decode, encode,
};
use bemr_lab::simulator::{Envelope, Event, FaultInjector, Network, NetworkConfig, Node, Reliable};
use bemr_spec::{Clause, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use tls_codec::{DeserializeBytes, Serialize};

pub(crate) const RULES: Rules = Rules::hardened();

/// More happens in no test.
const MOST_EVENTS: usize = 20_000;

/// What a played validator answers to the n-th T_block that it hears, counted from 1.
pub(crate) type Script = Box<dyn FnMut(&Credentials, usize, &TBlock) -> Vec<Vote>>;

struct Player {
    own: Credentials,
    neighbours: SessionManager,
    trust: TrustStore,
    rng: ChaCha20Rng,
    script: Script,
    heard: Vec<TBlock>,
}

/// One step of a submission at the BSD: its state before, what happened, its state after.
pub(crate) type Move = (State, &'static str, State);

pub(crate) struct Testbed {
    pub(crate) town: Network,
    pub(crate) archive: StoreHandle,
    /// All that happened, in order.
    pub(crate) events: Vec<Event>,
    /// The steps of the submission that is watched.
    pub(crate) moves: Vec<Move>,
    watched: Option<Digest>,
    players: BTreeMap<Name, Player>,
    mail: Rc<RefCell<VecDeque<Envelope>>>,
    fate: Rc<RefCell<Box<dyn FaultInjector>>>,
}

/// An initiator's session that a test holds in its own hands.
pub(crate) struct Line {
    pub(crate) who: Name,
    pub(crate) to: Name,
    pub(crate) session: Session,
}

impl Testbed {
    /// A town of `validators` under `rules` in which nobody is played yet.
    pub(crate) fn new(rules: Rules, validators: usize) -> Testbed {
        Testbed::of(NetworkConfig { rules, ..NetworkConfig::new(Suite::Tiny, validators) })
    }

    pub(crate) fn of(scenario: NetworkConfig) -> Testbed {
        let mail: Rc<RefCell<VecDeque<Envelope>>> = Rc::default();
        let fate: Rc<RefCell<Box<dyn FaultInjector>>> = Rc::new(RefCell::new(Box::new(Reliable)));
        let inner = Rc::clone(&fate);
        let archive = scenario.archive.clone();
        let fair = Box::new(move |now: Time, parcel: Envelope| inner.borrow_mut().decide(now, parcel));
        let town = NetworkConfig { fate: fair, ..scenario };
        let town = town.build().unwrap();
        Testbed {
            town,
            archive,
            events: Vec::new(),
            moves: Vec::new(),
            watched: None,
            players: BTreeMap::new(),
            mail,
            fate,
        }
    }

    /// From now on this decides what becomes of packets; those for played validators come to them all the same.
    pub(crate) fn fate(&mut self, mut fate: impl FaultInjector + 'static) {
        let mail = Rc::clone(&self.mail);
        let played: Vec<Name> = self.players.keys().cloned().collect();
        *self.fate.borrow_mut() = Box::new(move |now: Time, parcel: Envelope| {
            let delivered = fate.decide(now, parcel);
            let (kept, rest) = delivered
                .into_iter()
                .partition(|(_, parcel)| played.contains(&parcel.to) && packet_of(parcel).is_some());
            let kept: Vec<(u64, Envelope)> = kept;
            mail.borrow_mut().extend(kept.into_iter().map(|(_, parcel)| parcel));
            rest
        });
    }

    /// Loses every parcel of which `lost` says so.
    pub(crate) fn lose(&mut self, mut lost: impl FnMut(&Envelope) -> bool + 'static) {
        self.fate(
            move |_: Time, parcel: Envelope| if lost(&parcel) { Vec::new() } else { vec![(0, parcel)] },
        );
    }

    /// Plays a validator towards the BSD; its actor goes on closing blocks.
    pub(crate) fn play(
        &mut self,
        validator: &Name,
        script: impl FnMut(&Credentials, usize, &TBlock) -> Vec<Vote> + 'static,
    ) {
        let own = self.town.credentials[validator].clone();
        let seed = 1000 + self.players.len() as u64;
        let player = Player {
            neighbours: SessionManager::new(&own),
            own,
            trust: self.town.trust.clone(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            script: Box::new(script),
            heard: Vec::new(),
        };
        self.players.insert(validator.clone(), player);
        self.fate(Reliable);
    }

    /// Plays every validator, each by the script that `script` gives for its number from 0.
    pub(crate) fn play_all(&mut self, script: impl Fn(usize) -> Script) {
        for (number, validator) in self.town.cast.validators.clone().iter().enumerate() {
            self.play(validator, script(number));
        }
    }

    /// The T_blocks that a played validator heard.
    pub(crate) fn heard(&self, validator: &Name) -> &[TBlock] {
        &self.players[validator].heard
    }

    /// A played validator votes, of its own accord or late.
    pub(crate) fn vote(&mut self, validator: &Name, vote: Vote) -> Step {
        self.say_as(validator, Message::Vote(vote))
    }

    /// A played validator says something to the BSD.
    pub(crate) fn say_as(&mut self, validator: &Name, message: Message) -> Step {
        let now = self.town.world.now();
        let bsd = self.town.cast.bsd.clone();
        let player = self.players.get_mut(validator).unwrap();
        let said = player.neighbours.send(&RULES, &mut player.rng, now, &bsd, message).unwrap();
        let Output::Send { packet, .. } = &said.0[0] else { panic!("it has a session") };
        let packet = packet.clone();
        self.give(&bsd, Input::Packet { from: validator.clone(), packet })
    }

    pub(crate) fn validators(&self) -> Vec<Name> {
        self.town.cast.validators.clone()
    }

    pub(crate) fn bsd(&mut self) -> &mut bemr::actors::Bsd {
        self.town.bsd().unwrap()
    }

    pub(crate) fn state_of(&mut self, tid: &Digest) -> State {
        self.bsd().state_of(tid)
    }

    /// Digest of the public state of an actor.
    pub(crate) fn public(&mut self, who: &Name) -> Digest {
        actor(self.town.world.node(who).unwrap()).state()
    }

    pub(crate) fn watch(&mut self, tid: Digest) {
        self.watched = Some(tid);
    }

    /// Hands an actor an input at this instant; what it sends goes on its way.
    pub(crate) fn give(&mut self, to: &Name, input: Input) -> Step {
        let before = self.watched_state();
        let step = self.town.world.command(to, |node, now| {
            let step = actor(node).handle(now, input);
            let outputs = step.outputs().cloned().collect();
            (step, outputs)
        });
        let step = step.unwrap();
        if *to == self.town.cast.bsd {
            self.note(before, step.event);
        }
        step
    }

    fn watched_state(&mut self) -> Option<State> {
        let tid = self.watched?;
        Some(self.state_of(&tid))
    }

    fn note(&mut self, before: Option<State>, event: &'static str) {
        if let (Some(before), Some(after)) = (before, self.watched_state()) {
            self.moves.push((before, event, after));
        }
    }

    /// Lets the next thing happen; says whether there was any.
    pub(crate) fn step(&mut self) -> bool {
        let before = self.watched_state();
        let Some(event) = self.town.world.step() else { return self.deliver() };
        if event.actor == self.town.cast.bsd {
            self.note(before, event.event);
        }
        self.events.push(event);
        assert!(
            self.events.len() < MOST_EVENTS,
            "nobody talks without end: {:#?}",
            self.events.last_chunk::<8>()
        );
        self.deliver();
        true
    }

    /// Hands the mail to the played validators, and what they answer to the BSD.
    fn deliver(&mut self) -> bool {
        let mut any = false;
        loop {
            let parcel = self.mail.borrow_mut().pop_front();
            let Some(parcel) = parcel else { return any };
            any = true;
            let now = self.town.world.now();
            let player = self.players.get_mut(&parcel.to).unwrap();
            let Player { own, neighbours, trust, rng, script, heard } = player;
            let packet = packet_of(&parcel).unwrap();
            let mut answers = Vec::new();
            match neighbours.receive(&RULES, rng, trust, now, &parcel.from, packet) {
                (_, Ok(Received::HandshakeProgress(_, outputs, _))) => answers.extend(outputs),
                (_, Ok(Received::Message { message: Message::TBlock(block), .. })) => {
                    heard.push(*block);
                    let votes = script(own, heard.len(), heard.last().unwrap());
                    for vote in votes {
                        answers.extend(
                            neighbours.send(&RULES, rng, now, &parcel.from, Message::Vote(vote)).unwrap().0,
                        );
                    }
                }
                (_, Ok(Received::Message { message, .. })) => panic!("{} at a validator", message.name()),
                // What was lost or bent on its way.
                (_, Err(_)) => {}
            }
            for answer in answers {
                if let Output::Send { to, packet, .. } = answer {
                    self.give(&to, Input::Packet { from: parcel.to.clone(), packet });
                }
            }
        }
    }

    /// Lets things happen for `span` milliseconds or until `done`; says whether it is.
    pub(crate) fn run(&mut self, span: u64, mut done: impl FnMut(&mut Testbed) -> bool) -> bool {
        let end = self.town.world.now().after(span);
        while self.town.world.now() < end {
            if done(self) {
                return true;
            }
            if !self.step() {
                break;
            }
        }
        done(self)
    }

    /// Goes on until the BSD has ended the submission.
    pub(crate) fn finish(&mut self, tid: &Digest) -> State {
        let tid = *tid;
        assert!(self.run(600_000, |stage| stage.state_of(&tid).is_terminal()), "{}", self.state_of(&tid));
        self.state_of(&tid)
    }

    /// The doctor submits a record of the sample, and is watched.
    pub(crate) fn submit(&mut self, record: &Record) -> Digest {
        let doctor = self.town.cast.doctor.clone();
        let tid = self.town.by(&doctor, |user, now| user.submit(now, record, &[])).unwrap();
        self.watch(tid);
        tid
    }

    /// Shakes hands as `who`.
    pub(crate) fn connect(&mut self, who: &Name, to: &Name, purpose: SessionType) -> Line {
        let own = self.town.credentials[who].clone();
        let now = self.town.world.now();
        let mut rng = ChaCha20Rng::seed_from_u64(now.0 ^ self.events.len() as u64 ^ 0x5e55);
        let (state, hello) = AwaitingResponse::begin(&RULES, &mut rng, now, &own, purpose, to).unwrap();
        let shook = self.give(to, Input::Packet { from: who.clone(), packet: hello });
        let Some(Output::Send { packet, .. }) = shook.outputs().next() else {
            panic!("no response: {shook:?}")
        };
        let mut trust = self.town.trust.clone();
        let Ok((session, finish)) = state.on_response(&RULES, &mut trust, now, packet) else {
            panic!("no session")
        };
        self.give(to, Input::Packet { from: who.clone(), packet: finish }).outcome.unwrap();
        Line { who: who.clone(), to: to.clone(), session }
    }

    /// Says a message of the stage that its session has; gives what the actor made of it and what it answered.
    pub(crate) fn say(&mut self, line: &mut Line, message: &Message) -> (Step, Vec<Message>) {
        self.say_bytes(line, line_phase(line), &encode(message))
    }

    /// Says bytes as a record of `phase`.
    pub(crate) fn say_bytes(
        &mut self,
        line: &mut Line,
        phase: ContentType,
        bytes: &[u8],
    ) -> (Step, Vec<Message>) {
        let packet = line.session.seal_record(&RULES, phase, bytes).unwrap().record;
        let step = self.give(&line.to, Input::Packet { from: line.who.clone(), packet });
        let mut answers = Vec::new();
        for output in step.outputs() {
            if let Output::Send { to, packet, .. } = output
                && *to == line.who
                && matches!(decode::<Packet>(&RULES, packet), Ok(Packet::Record(_)))
            {
                let opened = line.session.open_record(&RULES, packet).unwrap();
                answers.push(decode(&RULES, &opened.message).unwrap());
            }
        }
        (step, answers)
    }

    /// A T_initial of `who`, as an honest app makes it, and everything it was made from.
    pub(crate) fn draft(&mut self, who: &Name, record: &Record, readers: &[Name]) -> Draft {
        let own = self.town.credentials[who].clone();
        let now = self.town.world.now();
        let (bsd, network) = (self.town.cast.bsd.clone(), self.town.validators.network().clone());
        let directory = self.town.directory.clone();
        let happened = self.events.len() as u64;
        let replica = self.bsd().ledger_view();
        let destination = Destination { bsd, network, height: replica.next_height() };
        let mut rng = ChaCha20Rng::seed_from_u64(now.0 ^ happened << 32);
        let initial = build_initial(
            &RULES,
            &mut rng,
            now,
            &own,
            &directory,
            &replica.policy,
            &destination,
            record,
            readers,
        );
        Draft { initial: initial.unwrap(), own, bytes: record.bytes().to_vec() }
    }

    /// Audits what the archive says in public.
    pub(crate) fn audit(&self) -> Result<AuditReport, Inconsistency> {
        fn all<T: DeserializeBytes + Serialize>(
            store: &dyn Store,
            table: Table,
        ) -> Result<Vec<T>, StoreError> {
            let mut rows = Vec::new();
            for_each(store, &RULES, table, |row| {
                rows.push(row);
                Ok(())
            })?;
            Ok(rows)
        }
        let town = &self.town;
        let (blocks, leaves, cloud_heads, entries, audit_heads) = self
            .archive
            .read(|store| {
                Ok((
                    all(store, Table::Blocks)?,
                    all(store, Table::Leaves)?,
                    all(store, Table::CloudHeads)?,
                    all(store, Table::AuditEntries)?,
                    all(store, Table::AuditHeads)?,
                ))
            })
            .unwrap();
        let record = PublicRecord {
            blocks: &blocks,
            leaves: &leaves,
            cloud_heads: &cloud_heads,
            entries: &entries,
            audit_heads: &audit_heads,
        };
        let (genesis, validators, now) = (town.genesis.clone(), town.validators.clone(), town.world.now());
        let bsd = (town.bsd.name.clone(), town.bsd.key.clone());
        let auditor = Auditor::new(&RULES, now, genesis, validators, town.cloud.clone(), bsd).unwrap();
        audit(auditor, &record)
    }

    /// Everything that a block of the ledger says of `tid`.
    pub(crate) fn decided(&mut self, tid: &Digest) -> Option<QuorumCertificate> {
        let ledger = &self.bsd().ledger_view().ledger;
        ledger.decision(tid).map(|found| found.certificate.clone())
    }
}

fn line_phase(line: &Line) -> ContentType {
    match line.session.purpose() {
        SessionType::Initial => ContentType::Initial,
        SessionType::Block => ContentType::Block,
        SessionType::Valid => ContentType::Valid,
        SessionType::Read => ContentType::Read,
    }
}

fn actor(node: &mut Node) -> &mut dyn Actor {
    match node {
        Node::User(user) => user.as_mut(),
        Node::Bsd(bsd) => bsd.as_mut(),
        Node::Validator(validator) => validator.as_mut(),
        Node::Cloud(cloud) => cloud.as_mut(),
        Node::ByzantineValidator(insider) => insider.as_mut(),
    }
}

/// The session packet in a parcel; nothing when it is gossip.
pub(crate) fn packet_of(parcel: &Envelope) -> Option<&[u8]> {
    (parcel.bytes.first() == Some(&1)).then(|| &parcel.bytes[5..])
}

/// A principal whom a test plays as the side that answers, from the packets that fate let it have.
pub(crate) struct Double {
    name: Name,
    neighbours: SessionManager,
    trust: TrustStore,
    rng: ChaCha20Rng,
    heard: Rc<RefCell<VecDeque<Envelope>>>,
}

impl Double {
    /// Takes the place of `name` for session packets: they come here and not to its actor.
    pub(crate) fn of(stage: &mut Testbed, name: &Name) -> Double {
        let heard: Rc<RefCell<VecDeque<Envelope>>> = Rc::default();
        let (kept, played) = (Rc::clone(&heard), name.clone());
        stage.lose(move |parcel| {
            let mine = parcel.to == played && packet_of(parcel).is_some();
            if mine {
                kept.borrow_mut().push_back(parcel.clone());
            }
            mine
        });
        let own = &stage.town.credentials[name];
        let (neighbours, trust) = (SessionManager::new(own), stage.town.trust.clone());
        Double { name: name.clone(), neighbours, trust, rng: ChaCha20Rng::seed_from_u64(99), heard }
    }

    /// Answers handshakes; gives what was said.
    pub(crate) fn listen(&mut self, stage: &mut Testbed) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let parcel = self.heard.borrow_mut().pop_front();
            let Some(parcel) = parcel else { return messages };
            let (now, packet) = (stage.town.world.now(), packet_of(&parcel).unwrap());
            let Double { neighbours, trust, rng, .. } = self;
            match neighbours.receive(&RULES, rng, trust, now, &parcel.from, packet).1.unwrap() {
                Received::Message { message, .. } => messages.push(message),
                Received::HandshakeProgress(_, outputs, _) => drop(self.send(stage, outputs)),
            }
        }
    }

    pub(crate) fn say(&mut self, stage: &mut Testbed, to: &Name, message: Message) -> Step {
        let now = stage.town.world.now();
        let said = self.neighbours.send(&RULES, &mut self.rng, now, to, message).unwrap();
        self.send(stage, said.0).pop().unwrap()
    }

    fn send(&mut self, stage: &mut Testbed, outputs: Vec<Output>) -> Vec<Step> {
        let mut steps = Vec::new();
        for output in outputs {
            if let Output::Send { to, packet, .. } = output {
                steps.push(stage.give(&to, Input::Packet { from: self.name.clone(), packet }));
            }
        }
        steps
    }
}

/// A T_initial that can be bent and signed again.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) initial: TInitial,
    pub(crate) own: Credentials,
    pub(crate) bytes: Vec<u8>,
}

impl Draft {
    /// Signs the header as it stands.
    pub(crate) fn sign(&mut self) {
        let key = self.own.identity().signing_key();
        self.initial.signature = key.sign(&RULES, Domain::T_INITIAL, &encode(&self.initial.header));
    }

    /// Puts digest and tid of the ciphertext as it stands into the header, and signs.
    pub(crate) fn bind(&mut self) {
        let header = &mut self.initial.header;
        header.ciphertext = Digest::of(Domain::CIPHERTEXT, self.initial.ciphertext.as_slice());
        header.tid = transaction_id(&header.user, &header.nonce, &header.ciphertext);
        self.sign();
    }

    /// Encrypts other bytes under the same key.
    pub(crate) fn encrypt(&mut self, bytes: &[u8]) {
        let header = &self.initial.header;
        let context = record_context(&header.user, &header.nonce);
        let key = AeadKey::from_bytes(self.initial.record_key);
        self.initial.ciphertext = key.seal(&ONE_NONCE, &context, bytes).into();
    }

    /// Has these first readers, in this order, and signs.
    pub(crate) fn readers(&mut self, stage: &Testbed, readers: &[&Name]) {
        let mut rng = ChaCha20Rng::seed_from_u64(77);
        let tid = self.initial.header.tid;
        let wrapped = |name: &&Name| {
            let reader = stage.town.directory.get(name).unwrap();
            wrap(&RULES, &mut rng, &tid, reader, &self.initial.record_key)
        };
        let grants: Vec<WrappedKey> = readers.iter().map(wrapped).collect();
        self.initial.grants = grants.into();
        self.initial.header.grants = grants_digest(&self.initial.grants);
        self.sign();
    }

    pub(crate) fn message(&self) -> Message {
        Message::TInitial(Box::new(self.initial.clone()))
    }

    pub(crate) fn tid(&self) -> Digest {
        self.initial.header.tid
    }
}

/// A record of the sample by the beginning of its file name.
pub(crate) fn record(name: &str) -> Record {
    let (_, bytes) = SAMPLES.iter().find(|(file, _)| file.starts_with(name)).unwrap();
    Record::read(&RULES, bytes).unwrap()
}

/// A record that keeps every contract.
pub(crate) fn sound() -> Record {
    record("Condition-f201")
}

/// A record that breaks a contract.
pub(crate) fn broken() -> Record {
    record("broken-impossible-heart-rate")
}

/// The vote of `own` on `block`.
pub(crate) fn vote(own: &Credentials, block: &TBlock, ballot: Ballot, reason: u16) -> Vote {
    let body = &block.body;
    sign_vote(
        own,
        VoteBody {
            version: body.version,
            suite: body.suite,
            network: body.network.clone(),
            validators: body.validators,
            tid: body.tid,
            block: Digest::of(Domain::T_BLOCK, &encode(body)),
            policy: body.policy,
            height: body.height,
            ballot,
            reason,
        },
    )
}

pub(crate) fn sign_vote(own: &Credentials, body: VoteBody) -> Vote {
    let signature = own.identity().signing_key().sign(&RULES, Domain::VOTE, &encode(&body));
    Vote { validator: own.name().clone(), body, signature }
}

/// A certificate of the votes of these validators.
pub(crate) fn certify(stage: &Testbed, validators: &[Name], body: &VoteBody) -> QuorumCertificate {
    let signed = |name: &Name| {
        let vote = sign_vote(&stage.town.credentials[name], body.clone());
        Signatory { validator: vote.validator, signature: vote.signature }
    };
    let signatories: Vec<Signatory> = validators.iter().map(signed).collect();
    QuorumCertificate { body: body.clone(), signatories: signatories.into() }
}

/// Says nothing, ever.
pub(crate) fn silent() -> Script {
    Box::new(|_, _, _| Vec::new())
}

/// Always votes so.
pub(crate) fn says(ballot: Ballot, reason: u16) -> Script {
    Box::new(move |own, _, block| vec![vote(own, block, ballot, reason)])
}

/// The reason of an honest vote against [`broken`].
pub(crate) fn reason() -> u16 {
    Clause::RangeRule.code()
}
