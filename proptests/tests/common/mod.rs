//! A network with honest actors on one side and everybody's keys on the other: the tests play the insiders.
//!
//! An insider speaks to an actor in a real session, so that nothing but what is said is false.

use bemr::actors::bsd::{Addressee, SubmissionCheck};
use bemr::actors::initial_builder::{Destination, build_initial};
use bemr::actors::user::{Answer, RequestId};
use bemr::actors::validator::vote_body;
use bemr::actors::{Actor, Input, LedgerView, NodeContext, Output, Received, Step, StoreHandle, User};
use bemr::crypto::{Digest, Domain, Signature, SigningKey, Suite};
use bemr::keys::{Credentials, Identity};
use bemr::ledger::Ledger;
use bemr::records::{PolicyRegistry, Record, SAMPLES};
use bemr::wire::{
    ApprovedChange, Ballot, Block, BlockBody, Decision, Entry, Gossip, InitialHeader, Message, Name,
    PROTOCOL_VERSION, PolicyApproval, PolicyChange, QuorumCertificate, RevocationList, Role, Signatory,
    TBlock, TInitial, TValid, Time, ValidBody, encode,
};
use bemr_lab::simulator::{LedgerKind, Network, NetworkConfig, Node};
use bemr_spec::{Clause, Refusal, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(crate) const RULES: Rules = Rules::hardened();

/// The records of the sample.
pub(crate) fn sample(name: &str) -> &'static [u8] {
    SAMPLES.iter().find(|(file, _)| file.starts_with(name)).expect("a file of the sample").1
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Some digest that nobody else names.
pub(crate) fn stray_digest() -> Digest {
    Digest::of(Domain::SEAL, b"stray")
}

/// What an actor made of what was said to it.
pub(crate) struct Heard {
    pub(crate) step: Step,
    /// What it said in the session.
    pub(crate) answers: Vec<Message>,
    /// Whether its public state is what it was.
    pub(crate) unchanged: bool,
}

impl Heard {
    #[track_caller]
    pub(crate) fn assert_refused(&self, clause: Clause) {
        match &self.step.outcome {
            Ok(_) => panic!("{} was taken, against {clause}", self.step.event),
            Err(refusal) => assert_eq!(refusal.clause(), clause, "{refusal}"),
        }
        assert_eq!(self.step.verdict(), clause.verdict());
        assert!(self.unchanged, "{} was refused and changed the state", self.step.event);
    }

    #[track_caller]
    pub(crate) fn assert_taken(&self) {
        if let Err(refusal) = &self.step.outcome {
            panic!("{} was refused by {refusal}", self.step.event);
        }
    }
}

/// The attack is refused by `clause` and changes nothing; the mutant of `clause` takes it.
#[track_caller]
pub(crate) fn refused_by(clause: Clause, attack: impl Fn(&mut Stage) -> Heard) {
    refused(clause, &attack);
    attack(&mut Stage::new(RULES.without(clause))).assert_taken();
}

/// The attack is refused by `clause` and changes nothing. For attacks that another clause stops behind this one.
#[track_caller]
pub(crate) fn refused(clause: Clause, attack: impl Fn(&mut Stage) -> Heard) {
    attack(&mut Stage::new(RULES)).assert_refused(clause);
}

pub(crate) struct Stage {
    pub(crate) town: Network,
    pub(crate) archive: StoreHandle,
    /// The insiders' copy of what is public.
    pub(crate) replica: LedgerView,
    pub(crate) rng: ChaCha20Rng,
    /// How far the insiders' clock and the actors' are ahead of the world's.
    pub(crate) later: u64,
    rules: Rules,
    offices: BTreeMap<Name, NodeContext>,
}

impl Stage {
    /// Four validators who close blocks by quorum.
    pub(crate) fn new(rules: Rules) -> Stage {
        Stage::of(NetworkConfig { rules, ..NetworkConfig::new(Suite::Tiny, 4) })
    }

    /// Four validators who close blocks by work.
    pub(crate) fn by_work(rules: Rules) -> Stage {
        Stage::of(NetworkConfig { rules, ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 4) })
    }

    pub(crate) fn of(scenario: NetworkConfig) -> Stage {
        let (archive, rules) = (scenario.archive.clone(), scenario.rules);
        let town = scenario.build().expect("a sound scenario");
        let ledger = Ledger::new(&rules, town.genesis.clone()).expect("a sound genesis");
        let policy = PolicyRegistry::shipped(town.genesis.network.clone());
        let replica = LedgerView::new(ledger, town.validators.clone(), policy);
        let rng = ChaCha20Rng::seed_from_u64(99);
        Stage { town, archive, replica, rng, later: 0, rules, offices: BTreeMap::new() }
    }

    /// The rules of the actors.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    pub(crate) fn now(&self) -> Time {
        self.town.world.now().after(self.later)
    }

    pub(crate) fn key(&self, who: &Name) -> SigningKey {
        let key = self.town.credentials[who].identity().signing_key();
        SigningKey::from_bytes(&RULES, key.verifying_key().suite(), &key.to_bytes()).expect("a key")
    }

    pub(crate) fn sign(&self, who: &Name, tag: Domain, message: &[u8]) -> Signature {
        self.key(who).sign(&RULES, tag, message)
    }

    /// An office like that of `who`, without any session.
    pub(crate) fn new_office(&self, who: &Name) -> NodeContext {
        let own = self.town.credentials[who].clone();
        let (trust, directory) = (self.town.trust.clone(), self.town.directory.clone());
        let rng = ChaCha20Rng::seed_from_u64(who.as_str().bytes().map(u64::from).sum());
        NodeContext::new(RULES, own, trust, directory, self.replica.clone(), rng.into())
    }

    /// The office of the insider `who`.
    pub(crate) fn context(&mut self, who: &Name) -> &mut NodeContext {
        if !self.offices.contains_key(who) {
            let office = self.new_office(who);
            self.offices.insert(who.clone(), office);
        }
        self.offices.get_mut(who).expect("it was put there")
    }

    /// Insider `who` begins anew: with other keys, or without its sessions.
    pub(crate) fn forget_office(&mut self, who: &Name) {
        self.offices.remove(who);
    }

    pub(crate) fn actor(&mut self, who: &Name) -> &mut dyn Actor {
        match self.town.world.node(who).expect("somebody of the cast") {
            Node::User(user) => user.as_mut(),
            Node::Bsd(bsd) => bsd.as_mut(),
            Node::Validator(validator) => validator.as_mut(),
            Node::Cloud(cloud) => cloud.as_mut(),
            Node::ByzantineValidator(insider) => insider.as_mut(),
        }
    }

    /// Insider `who` says something to the actor `to`, after a handshake where there is no session.
    #[track_caller]
    pub(crate) fn say(&mut self, who: &Name, to: &Name, message: Message) -> Heard {
        let now = self.now();
        let (outputs, _) = self.context(who).send(now, to, message).expect("an insider can speak");
        self.hand_over(who, to, outputs)
    }

    /// What insider `who` sends reaches the actor `to`, and the other way round, until one of them has no more to say.
    #[track_caller]
    pub(crate) fn hand_over(&mut self, who: &Name, to: &Name, outputs: Vec<Output>) -> Heard {
        let now = self.now();
        let mut packets: VecDeque<Output> = outputs.into();
        let mut answers = Vec::new();
        let mut last = None;
        while let Some(output) = packets.pop_front() {
            let Output::Send { to: addressee, packet, .. } = output else { continue };
            assert_eq!(&addressee, to);
            let actor = self.actor(to);
            let before = actor.state();
            let step = actor.handle(now, Input::Packet { from: who.clone(), packet });
            let unchanged = actor.state() == before;
            let (more, said) = self.hear(who, to, &step.outputs().cloned().collect::<Vec<_>>());
            packets.extend(more);
            answers.extend(said);
            let refused = step.outcome.is_err();
            last = Some((step, unchanged));
            if refused {
                break;
            }
        }
        let (step, unchanged) = last.expect("something was sent");
        Heard { step, answers, unchanged }
    }

    /// Insider `who` gets what the actor `from` sent to it: what the insider sends on its own, and what was said.
    #[track_caller]
    pub(crate) fn hear(
        &mut self,
        who: &Name,
        from: &Name,
        outputs: &[Output],
    ) -> (Vec<Output>, Vec<Message>) {
        let now = self.now();
        let (mut more, mut said) = (Vec::new(), Vec::new());
        for output in outputs {
            let Output::Send { to, packet, .. } = output else { continue };
            if to != who {
                continue;
            }
            match self.context(who).receive(now, from, packet).1 {
                Ok(Received::HandshakeProgress(_, outputs, _)) => more.extend(outputs),
                Ok(Received::Message { message, .. }) => said.push(message),
                Err(refusal) => panic!("{who} refuses what {from} says by {refusal}"),
            }
        }
        (more, said)
    }

    /// `from` tells the actor `to` something in public.
    pub(crate) fn tell(&mut self, from: &Name, to: &Name, gossip: Gossip) -> Heard {
        let now = self.now();
        let actor = self.actor(to);
        let before = actor.state();
        let step = actor.handle(now, Input::Gossip { from: from.clone(), gossip });
        let unchanged = actor.state() == before;
        Heard { step, answers: Vec::new(), unchanged }
    }

    /// Everybody hears of it.
    pub(crate) fn publish(&mut self, gossip: &Gossip) {
        let from = name("somebody");
        let everybody: Vec<Name> = self.town.world.nodes().map(|(name, _)| name.clone()).collect();
        for to in everybody {
            self.tell(&from, &to, gossip.clone());
        }
    }

    // What the insiders make.

    /// T_initial of a record, by `who`.
    pub(crate) fn initial(&mut self, who: &Name, record: &[u8], readers: &[Name]) -> TInitial {
        let destination = Destination {
            bsd: self.town.cast.bsd.clone(),
            network: self.town.genesis.network.clone(),
            height: self.replica.next_height(),
        };
        let record = Record::read(&RULES, record).expect("a record");
        let own = self.town.credentials[who].clone();
        let (now, rng) = (self.now(), &mut self.rng);
        let directory = &self.town.directory;
        build_initial(&RULES, rng, now, &own, directory, &self.replica.policy, &destination, &record, readers)
            .expect("a record that maps")
    }

    /// T_block of a T_initial: `header` and `body` change what user and BSD sign.
    pub(crate) fn block_with(
        &mut self,
        initial: &TInitial,
        header: impl FnOnce(&mut InitialHeader),
        body: impl FnOnce(&mut BlockBody),
    ) -> TBlock {
        let cast = self.town.cast.clone();
        let height = self.replica.next_height();
        let user = self.town.credentials[&initial.header.user].certified().clone();
        let addressee = Addressee { bsd: cast.bsd.clone(), network: self.town.genesis.network.clone() };
        let desk = SubmissionCheck {
            rules: &RULES,
            addressee: &addressee,
            directory: &self.town.directory,
            policy: &self.replica.policy,
            height,
            now: self.now(),
        };
        let intake = desk.check_record(initial, &user).expect("a sound submission");
        let mut signed = initial.header.clone();
        header(&mut signed);
        let message = encode(&signed);
        let mut asked = BlockBody {
            version: PROTOCOL_VERSION,
            suite: signed.suite,
            tid: signed.tid,
            bsd: cast.bsd.clone(),
            network: self.town.genesis.network.clone(),
            validators: self.town.validators.digest(),
            height,
            initial: Digest::of(Domain::T_INITIAL, &message),
            policy: intake.policy,
            seal: stray_digest(),
            issued: self.now(),
        };
        body(&mut asked);
        TBlock {
            signature: self.sign(&cast.bsd, Domain::T_BLOCK, &encode(&asked)),
            body: asked,
            initial: signed,
            user: user.certificate().clone(),
            user_signature: self.sign(&initial.header.user, Domain::T_INITIAL, &message),
            openings: intake.openings.into(),
        }
    }

    pub(crate) fn block(&mut self, initial: &TInitial) -> TBlock {
        self.block_with(initial, |_| (), |_| ())
    }

    /// Signs a T_block again, as user and BSD would, after a change of its parts.
    pub(crate) fn sign_block(&self, block: &mut TBlock) {
        block.signature = self.sign(&self.town.cast.bsd, Domain::T_BLOCK, &encode(&block.body));
    }

    /// What all validators say of a T_block.
    pub(crate) fn certificate(&self, block: &TBlock, ballot: Ballot, reason: u16) -> QuorumCertificate {
        let mut body = vote_body(block, &Ok(()));
        (body.ballot, body.reason) = (ballot, reason);
        let message = encode(&body);
        let validators = &self.town.cast.validators;
        let sign = |validator: &Name| Signatory {
            validator: validator.clone(),
            signature: self.sign(validator, Domain::VOTE, &message),
        };
        QuorumCertificate { body, signatories: validators.iter().map(sign).collect::<Vec<_>>().into() }
    }

    /// Closes a block of these entries, and everybody hears of it.
    pub(crate) fn close(&mut self, entries: Vec<Entry>) -> Block {
        let validators = self.town.cast.validators.clone();
        let mut proposal = self.replica.ledger.propose(entries, self.now(), validators[0].clone());
        let by_work = proposal.mine(1 << 20);
        let sign = |validator: &Name| proposal.sign(&RULES, validator, &self.key(validator));
        let signatories = if by_work { Vec::new() } else { validators.iter().map(sign).collect() };
        let block = proposal.close(signatories);
        let now = self.now();
        // What breaks a clause stays out of the copies of those who keep it.
        let _ = self.replica.on_block(&self.rules, now, block.clone());
        self.publish(&Gossip::Block(block.clone()));
        block
    }

    /// T_valid of a submission whose decision stands alone in the next block.
    pub(crate) fn valid_with(
        &mut self,
        initial: &TInitial,
        block: &TBlock,
        certificate: QuorumCertificate,
    ) -> TValid {
        let closed = self.close(vec![Entry::Decision(certificate.clone())]);
        let cast = &self.town.cast;
        let inclusion = bemr::wire::InclusionProof { index: 0, path: Vec::new().into() };
        let mut valid = TValid {
            body: ValidBody {
                version: PROTOCOL_VERSION,
                suite: block.body.suite,
                tid: block.body.tid,
                bsd: cast.bsd.clone(),
                cloud: cast.cloud.clone(),
                block: Digest::of(Domain::T_BLOCK, &encode(&block.body)),
                acknowledgement: certificate.digest(),
                height: closed.header().height,
                header: closed.header().digest(),
                seals: stray_digest(),
                issued: self.now(),
            },
            signature: Signature::from_bytes(&[]),
            initial: block.initial.clone(),
            user: block.user.clone(),
            user_signature: block.user_signature.clone(),
            block: block.body.clone(),
            acknowledgement: certificate,
            inclusion,
            grants: initial.grants.clone(),
            ciphertext: initial.ciphertext.clone(),
        };
        self.sign_valid(&mut valid);
        valid
    }

    /// Signs a T_valid again after a change of its parts.
    pub(crate) fn sign_valid(&self, valid: &mut TValid) {
        valid.signature = self.sign(&self.town.cast.bsd, Domain::T_VALID, &encode(&valid.body));
    }

    /// T_valid of a record that the network accepted.
    pub(crate) fn valid(&mut self, record: &[u8], readers: &[Name]) -> TValid {
        let initial = self.initial(&self.town.cast.doctor.clone(), record, readers);
        let block = self.block(&initial);
        let certificate = self.certificate(&block, Ballot::True, 0);
        self.valid_with(&initial, &block, certificate)
    }

    /// The BSD sends a T_valid to the cloud.
    #[track_caller]
    pub(crate) fn store(&mut self, valid: &TValid) -> Heard {
        let cast = self.town.cast.clone();
        self.say(&cast.bsd, &cast.cloud, Message::TValid(Box::new(valid.clone())))
    }

    /// A record of the doctor, stored by the cloud; its tid.
    #[track_caller]
    pub(crate) fn stored(&mut self, record: &[u8], readers: &[Name]) -> Digest {
        let valid = self.valid(record, readers);
        self.store(&valid).assert_taken();
        valid.body.tid
    }

    /// A change of policy that these principals sign.
    pub(crate) fn approved(&self, change: PolicyChange, by: &[&Name]) -> ApprovedChange {
        let message = encode(&change);
        let approve = |who: &&Name| PolicyApproval {
            administrator: (*who).clone(),
            signature: self.sign(who, Domain::POLICY_CHANGE, &message),
        };
        ApprovedChange { change, approvals: by.iter().map(approve).collect() }
    }

    /// The KDC takes back the certificate of `who`. Gives the list that says so.
    pub(crate) fn revoked(&mut self, who: &Name) -> RevocationList {
        let serial = self.town.credentials[who].certified().certificate().body.serial;
        assert!(self.town.kdc.revoke(serial));
        self.list()
    }

    /// The KDC's next list.
    pub(crate) fn list(&mut self) -> RevocationList {
        let now = self.now();
        self.town.kdc.revocation_list(&RULES, now)
    }

    /// `who` has no certificate in force and gets one in another role; insiders of that name use it.
    pub(crate) fn enrol(&mut self, who: &Name, role: Role) {
        let (now, rng) = (self.now(), &mut self.rng);
        let identity = Identity::generate(Suite::Tiny, rng);
        self.town.kdc.admit(who.clone(), role);
        let request = identity.enrolment_request(&RULES, who.clone(), role);
        let certificate = self.town.kdc.enrol(&RULES, now, &request).expect("an admitted principal");
        let certified = self.town.trust.verify(&RULES, now, &certificate).expect("a fresh certificate");
        let credentials = Credentials::new(&RULES, Arc::new(identity), certified).expect("own keys");
        self.town.credentials.insert(who.clone(), credentials);
        self.forget_office(who);
    }

    // What happens when the world runs.

    /// Lets things happen for at most `limit` milliseconds.
    pub(crate) fn run(&mut self, limit: u64) {
        self.town.run_until(limit, |_| (), |_| false);
    }

    /// A user submits a record and it is committed.
    #[track_caller]
    pub(crate) fn submit(&mut self, who: &Name, record: &[u8], readers: &[Name]) -> Digest {
        let record = Record::read(&RULES, record).expect("a record");
        let tid =
            self.town.by(who, |user, now| user.submit(now, &record, readers)).expect("a record that maps");
        self.town.run_until(600_000, |_| (), |town| town.user(who).is_none_or(|user| !user.awaits(&tid)));
        let outcome = self.town.user(who).and_then(|user| user.outcome(&tid)).expect("an outcome");
        assert_eq!(outcome.decision, Decision::Committed);
        tid
    }

    /// A user asks the cloud, and gets an answer.
    #[track_caller]
    pub(crate) fn ask(
        &mut self,
        who: &Name,
        ask: impl FnOnce(&mut User, Time) -> Result<(RequestId, Vec<Output>), Refusal>,
    ) -> Answer {
        let id = self.town.by(who, ask).expect("a request");
        self.town.run_until(60_000, |_| (), |town| town.user(who).is_none_or(|user| !user.awaits_answer(id)));
        self.town.user(who).and_then(|user| user.answer(id)).expect("an answer").clone()
    }

    /// What `who` gets of a record.
    #[track_caller]
    pub(crate) fn read(&mut self, who: &Name, tid: Digest) -> Answer {
        self.ask(who, |user, now| user.read(now, tid))
    }
}
