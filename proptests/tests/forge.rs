//! Nearly valid messages: each flaw is refused by its clause and by no other, changes nothing, and is let through by the
//! mutant of its clause; of two flaws the one that is checked first refuses.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::testbed::{RULES, Reply, Testbed, sample};
use bemr::actors::initial_builder::wrap;
use bemr::actors::validator::vote_body;
use bemr::actors::{Input, Output, Step};
use bemr::audit::AuditLog;
use bemr::crypto::{Domain, Suite};
use bemr::keys::Identity;
use bemr::ledger::Proposal;
use bemr::merkle::Frontier;
use bemr::records::SAMPLES;
use bemr::session::insider::Caller;
use bemr::store::{Table, for_each};
use bemr::transparency::CloudLog;
use bemr::votes::verify_quorum;
use bemr::wire::{
    Anchor, Ballot, Block, BlockProposal, ClosingSignature, CloudLeaf, Contract, Decision, Entry, Erase,
    EraseApproval, EraseBody, Gossip, Grant, GrantBody, Height, LeafKind, LogKind, Message, Name, Outcome,
    PROTOCOL_VERSION, Packet, PolicyChange, QuorumCertificate, ReadRequest, Receipt, RequestOutcome, Revoke,
    RevokeBody, Role, SessionType, TBlock, TInitial, TValid, Version, Vote, decode, encode,
};
use bemr_lab::forge::{
    CONDITIONAL, COSTLY, Certificates, ENTAILS, FLAWS, Forge, MANNERS, RENEWING, STUBBORN, makes, packet,
};
use bemr_lab::simulator::NetworkConfig;
use bemr_model::Flaws;
use bemr_spec::{Clause, Rules, Verdict};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const RECORD: &str = "Observation-blood-pressure";

/// Forges one kind of message and hands it to the actor that it is for; nothing when it cannot be made.
type Deliver = Box<dyn FnMut(&mut Bench, Flaws, u8) -> Option<Reply>>;

struct Bench {
    rules: Rules,
    bed: Testbed,
    certificates: Certificates,
}

impl Bench {
    fn new(rules: Rules) -> Bench {
        Bench::of(rules, Testbed::new(rules, 4))
    }

    fn of(rules: Rules, mut bed: Testbed) -> Bench {
        let now = bed.now();
        let (kdc, everybody) = (&mut bed.network.keys.kdc, bed.network.keys.credentials.values());
        let (certificates, list) = Certificates::make(&RULES, kdc, now, everybody).unwrap();
        bed.network.keys.trust.update(&RULES, list.clone()).unwrap();
        bed.publish(&Gossip::RevocationList(list));
        Bench { rules, bed, certificates }
    }

    fn forge(&self, way: u8) -> Forge<'_> {
        Forge {
            rules: &RULES,
            keys: &self.bed.network.keys.credentials,
            certificates: &self.certificates,
            directory: &self.bed.network.keys.directory,
            policy: &self.bed.replica.policy,
            way,
        }
    }

    /// A packet arrives.
    fn arrives(&mut self, from: &Name, to: &Name, packet: &Packet) -> Reply {
        let now = self.bed.now();
        let actor = self.bed.actor(to);
        let before = actor.state();
        let step = actor.handle(now, Input::Packet { from: from.clone(), packet: encode(packet) });
        let unchanged = actor.state() == before;
        Reply { step, answers: Vec::new(), unchanged }
    }

    fn validator(&self, number: usize) -> Name {
        self.bed.network.keys.roster.validators[number].clone()
    }

    fn initial(&mut self) -> TInitial {
        let cast = self.bed.network.keys.roster.clone();
        self.bed.initial(&cast.doctor, sample(RECORD), std::slice::from_ref(&cast.colleague))
    }

    fn block(&mut self) -> TBlock {
        let initial = self.initial();
        self.bed.block(&initial)
    }

    /// The doctor's record is in the hands of the BSD, which asks the validators; what it asks.
    fn asked(&mut self) -> (TInitial, TBlock) {
        let cast = self.bed.network.keys.roster.clone();
        let initial = self.initial();
        let heard = self.bed.send(&cast.doctor, &cast.bsd, Message::TInitial(Box::new(initial.clone())));
        heard.assert_accepted();
        let mut asked = None;
        for validator in &cast.validators {
            match self.converse(validator, &cast.bsd, &heard.step.outputs().cloned().collect::<Vec<_>>()) {
                Some(Message::TBlock(block)) => asked = Some(*block),
                other => panic!("{other:?}"),
            }
        }
        (initial, asked.unwrap())
    }

    /// The insider `who` gets what `from` sent, and goes on until `from` says something.
    fn converse(&mut self, who: &Name, from: &Name, outputs: &[Output]) -> Option<Message> {
        let (replies, mut said) = self.bed.receive(who, from, outputs);
        if let Some(message) = said.pop() {
            return Some(message);
        }
        self.bed.exchange(who, from, replies).answers.pop()
    }

    /// The accepted record awaits the cloud's receipt; the genuine one.
    fn stored(&mut self) -> Receipt {
        let cast = self.bed.network.keys.roster.clone();
        let (_, block) = self.asked();
        let certificate = self.bed.certificate(&block, Ballot::True, 0);
        for signatory in certificate.signatories.iter() {
            let (validator, signature) = (signatory.validator.clone(), signatory.signature.clone());
            let vote = Vote { validator: validator.clone(), body: certificate.body.clone(), signature };
            self.bed.send(&validator, &cast.bsd, Message::Vote(vote));
        }
        let votes = QuorumCertificate {
            signatories: certificate.signatories.as_slice()[..3].to_vec().into(),
            ..certificate
        };
        let closed = self.closed(vec![Entry::Decision(votes)]);
        let now = self.bed.now();
        self.bed.replica.on_block(&RULES, now, closed.clone()).unwrap();
        self.bed.send_gossip(&cast.bsd, &cast.cloud, Gossip::Block(closed.clone())).assert_accepted();
        let heard = self.bed.send_gossip(&cast.cloud, &cast.bsd, Gossip::Block(closed));
        heard.assert_accepted();
        let outputs: Vec<Output> = heard.step.outputs().cloned().collect();
        let valid = match self.converse(&cast.cloud, &cast.bsd, &outputs) {
            Some(Message::TValid(valid)) => *valid,
            other => panic!("{other:?}"),
        };
        match self.bed.store(&valid).answers.pop() {
            Some(Message::Receipt(receipt)) => receipt,
            other => panic!("{other:?}"),
        }
    }

    /// A block on the replica's ledger that nobody has heard of, closed in due form.
    fn closed(&self, entries: Vec<Entry>) -> Block {
        let mut proposal = self.proposed(entries);
        let by_work = proposal.mine(1 << 20);
        let validators = &self.bed.network.keys.roster.validators;
        let sign = |validator: &Name| proposal.sign(&RULES, validator, &self.bed.key(validator));
        let signatories = if by_work { Vec::new() } else { validators.iter().map(sign).collect() };
        proposal.close(signatories)
    }

    fn proposed(&self, entries: Vec<Entry>) -> Proposal {
        self.bed.replica.ledger.propose(entries, self.bed.now(), self.validator(1))
    }

    fn proposal(&mut self) -> BlockProposal {
        let block = self.block();
        let decision = Entry::Decision(self.bed.certificate(&block, Ballot::True, 0));
        let proposal = self.proposed(vec![decision]);
        let second = self.validator(1);
        let signatory = proposal.sign(&RULES, &second, &self.bed.key(&second));
        BlockProposal {
            header: proposal.header().clone(),
            entries: proposal.entries().to_vec().into(),
            signatory,
        }
    }

    fn leaves(&self) -> Vec<CloudLeaf> {
        let mut leaves = Vec::new();
        let push = |leaf| {
            leaves.push(leaf);
            Ok(())
        };
        self.bed.network.store.read(|store| for_each(store, &RULES, Table::Leaves, push)).unwrap();
        leaves
    }

    /// What `user` sends reaches an insider with the keys of `to`; what was said.
    fn overheard(&mut self, to: &Name, user: &Name, mut outputs: Vec<Output>) -> Message {
        let now = self.bed.now();
        loop {
            let (replies, mut said) = self.bed.receive(to, user, &outputs);
            if let Some(message) = said.pop() {
                return message;
            }
            outputs = Vec::new();
            for reply in replies {
                let Output::Send { packet, .. } = reply else { continue };
                let step = self.bed.actor(user).handle(now, Input::Packet { from: to.clone(), packet });
                outputs.extend(step.outputs().cloned());
            }
        }
    }

    /// The colleague asks for the record of this tid, and the liar hears it.
    fn reads(&mut self, tid: bemr::crypto::Digest) -> ReadRequest {
        let cast = self.bed.network.keys.roster.clone();
        let now = self.bed.now();
        let (_, outputs) = self.bed.network.user(&cast.colleague).unwrap().read(now, tid).unwrap();
        match self.overheard(&cast.cloud, &cast.colleague, outputs) {
            Message::ReadRequest(request) => request,
            other => panic!("{other:?}"),
        }
    }

    /// What the honest cloud answers to the colleague.
    fn record(&mut self, request: &ReadRequest) -> bemr::wire::ReadResponse {
        let cast = self.bed.network.keys.roster.clone();
        let heard = self.bed.send(&cast.colleague, &cast.cloud, Message::ReadRequest(request.clone()));
        match heard.answers.as_slice() {
            [Message::ReadResponse(response)] => (**response).clone(),
            other => panic!("{other:?}"),
        }
    }

    fn grant(&mut self, tid: bemr::crypto::Digest) -> Grant {
        let cast = self.bed.network.keys.roster.clone();
        let reader = self.bed.network.keys.directory.get(&cast.colleague).unwrap().clone();
        let body = GrantBody {
            version: PROTOCOL_VERSION,
            suite: Suite::Tiny,
            tid,
            owner: cast.doctor.clone(),
            cloud: cast.cloud.clone(),
            key: wrap(&RULES, &mut self.bed.rng, &tid, &reader, &[9; 32]),
            issued: self.bed.now(),
        };
        let signature = self.bed.sign(&cast.doctor, Domain::GRANT, &encode(&body));
        Grant { body, signature, reader: reader.certificate().clone() }
    }

    fn revoke(&self, tid: bemr::crypto::Digest) -> Revoke {
        let cast = &self.bed.network.keys.roster;
        let body = RevokeBody {
            version: PROTOCOL_VERSION,
            suite: Suite::Tiny,
            tid,
            owner: cast.doctor.clone(),
            cloud: cast.cloud.clone(),
            reader: cast.colleague.clone(),
            issued: self.bed.now(),
        };
        let signature = self.bed.sign(&cast.doctor, Domain::REVOKE, &encode(&body));
        Revoke { body, signature }
    }

    fn erase(&self, tid: bemr::crypto::Digest) -> Erase {
        let cast = &self.bed.network.keys.roster;
        let (cloud, issued) = (cast.cloud.clone(), self.bed.now());
        let body = EraseBody { version: PROTOCOL_VERSION, suite: Suite::Tiny, tid, cloud, issued };
        let approve = |who: &Name| EraseApproval {
            authority: self.bed.network.keys.credentials[who].certified().certificate().clone(),
            signature: self.bed.sign(who, Domain::ERASE, &encode(&body)),
        };
        let approvals = vec![approve(&cast.doctor), approve(&cast.administrators[0])];
        Erase { body, approvals: approvals.into() }
    }

    /// A record of which a grant to the colleague was revoked; then it was granted anew, if `again`.
    fn shared(&mut self, again: bool) -> bemr::crypto::Digest {
        let cast = self.bed.network.keys.roster.clone();
        let tid = self.bed.stored(sample(RECORD), std::slice::from_ref(&cast.colleague));
        let revoke = self.revoke(tid);
        self.bed.send(&cast.doctor, &cast.cloud, Message::Revoke(revoke)).assert_accepted();
        self.bed.later += 1_000;
        if again {
            let grant = self.grant(tid);
            self.bed.send(&cast.doctor, &cast.cloud, Message::Grant(Box::new(grant))).assert_accepted();
            self.bed.later += 1_000;
        }
        tid
    }

    /// The packets of a session of the doctor's with the BSD: hello, finish, record.
    fn packet(&mut self, kind: &str) -> (Name, Name, Vec<u8>) {
        let cast = self.bed.network.keys.roster.clone();
        let (doctor, bsd) = (cast.doctor.clone(), cast.bsd.clone());
        let message = Message::TInitial(Box::new(self.initial()));
        let now = self.bed.now();
        let mut outputs = self.bed.context(&doctor).send(now, &bsd, message).unwrap().0;
        loop {
            let mut replies = Vec::new();
            for output in outputs {
                let Output::Send { packet, .. } = output else { continue };
                if decode::<Packet>(&RULES, &packet).unwrap().kind() == kind {
                    return (doctor, bsd, packet);
                }
                let step = self.bed.actor(&bsd).handle(now, Input::Packet { from: doctor.clone(), packet });
                replies.extend(step.outputs().cloned());
            }
            outputs = self.bed.receive(&doctor, &bsd, &replies).0;
        }
    }
}

fn in_session(
    from: Name,
    to: Name,
    mut forge: impl FnMut(&Forge<'_>, Flaws) -> Option<Message> + 'static,
) -> Deliver {
    Box::new(move |bench, flaws, way| {
        let message = forge(&bench.forge(way), flaws)?;
        Some(bench.bed.send(&from, &to, message))
    })
}

fn in_public(
    from: Name,
    to: Name,
    mut forge: impl FnMut(&Forge<'_>, Flaws) -> Option<Gossip> + 'static,
) -> Deliver {
    Box::new(move |bench, flaws, way| {
        let gossip = forge(&bench.forge(way), flaws)?;
        Some(bench.bed.send_gossip(&from, &to, gossip))
    })
}

/// Brings everybody to where a message of this kind is awaited.
fn scene(bench: &mut Bench, kind: &str) -> Deliver {
    let cast = bench.bed.network.keys.roster.clone();
    let (doctor, colleague, bsd, cloud) = (cast.doctor, cast.colleague, cast.bsd, cast.cloud);
    let (first, second) = (bench.validator(0), bench.validator(1));
    match kind {
        "T_initial" => {
            let [administrator, _] = cast.administrators;
            let barred = bench.bed.initial(&administrator, sample(RECORD), &[]);
            let genuine = bench.initial();
            Box::new(move |bench, flaws, way| {
                // Who may submit cannot fail to, without another role.
                let barred_speaks =
                    flaws.has(Clause::RoleMaySubmit) && !flaws.has(Clause::InitialSenderIsPeer);
                let (who, genuine) =
                    if barred_speaks { (&administrator, &barred) } else { (&doctor, &genuine) };
                let forged = bench.forge(way).initial(genuine, flaws)?;
                let renewed = forged.header.tid != genuine.header.tid;
                let renewing = flaws.iter().any(|flaw| RENEWING.contains(&flaw));
                let keeps = flaws.has(Clause::TidIsDerived) || flaws.has(Clause::CiphertextIsTheSigned);
                assert_eq!(renewed, renewing && !keeps, "{flaws:?}");
                Some(bench.bed.send(who, &bsd, Message::TInitial(Box::new(forged))))
            })
        }
        "T_block" => {
            let genuine = bench.block();
            in_session(bsd, first, move |forge, flaws| {
                Some(Message::TBlock(Box::new(forge.block(&genuine, flaws)?)))
            })
        }
        "Vote" => {
            let (_, block) = bench.asked();
            let body = vote_body(&block, &Ok(()));
            let signature = bench.bed.sign(&first, Domain::VOTE, &encode(&body));
            let genuine = Vote { validator: first.clone(), body, signature };
            in_session(first, bsd, move |forge, flaws| Some(Message::Vote(forge.vote(&genuine, flaws)?)))
        }
        "T_valid" => {
            let genuine: TValid = bench.bed.valid(sample(RECORD), &[colleague]);
            in_session(bsd, cloud, move |forge, flaws| {
                Some(Message::TValid(Box::new(forge.valid(&genuine, flaws)?)))
            })
        }
        "Receipt" => {
            let genuine = bench.stored();
            in_session(cloud, bsd, move |forge, flaws| {
                Some(Message::Receipt(forge.receipt(&genuine, flaws)?))
            })
        }
        "ReadResponse" | "Answer" => {
            let tid = bench.bed.stored(sample(RECORD), std::slice::from_ref(&colleague));
            // The reader remembers the head, and the ledger anchors it.
            let head = bench.bed.network.cloud().unwrap().head().unwrap().head.clone();
            let (log, keeper) = (LogKind::Cloud, cloud.clone());
            let anchor = Anchor { kind: log, keeper, size: head.size, head: head.digest() };
            bench.bed.close(vec![Entry::Anchor(anchor)]);
            let request = bench.reads(tid);
            let genuine = bench.record(&request);
            let honest = Message::ReadResponse(Box::new(genuine));
            bench.bed.send(&cloud, &colleague, honest).assert_accepted();
            let request = bench.reads(tid);
            let genuine = bench.record(&request);
            if kind == "Answer" {
                let (request, decision) = (request.nonce, Decision::Refused);
                let genuine =
                    RequestOutcome { request, tid, decision, reason: bemr::wire::Reason::from_code(1) };
                return in_session(cloud, colleague, move |forge, flaws| {
                    Some(Message::Answer(forge.answer(&genuine, flaws)?))
                });
            }
            let leaves = bench.leaves();
            in_session(cloud, colleague, move |forge, flaws| {
                let forged = forge.record(&genuine, &leaves, request.remembered, flaws)?;
                Some(Message::ReadResponse(Box::new(forged)))
            })
        }
        "Outcome" => {
            let record = bemr::records::Record::read(&RULES, sample(RECORD)).unwrap();
            let now = bench.bed.now();
            let (tid, outputs) = bench.bed.network.user(&doctor).unwrap().submit(now, &record, &[]).unwrap();
            bench.overheard(&bsd, &doctor, outputs);
            let genuine = Outcome {
                tid,
                decision: Decision::Deferred,
                reason: bemr::wire::Reason::from_code(1),
                height: Height(0),
            };
            in_session(bsd, doctor, move |forge, flaws| {
                Some(Message::Outcome(forge.outcome(&genuine, flaws)?))
            })
        }
        "Grant" | "Revoke" | "Erase" => {
            let tid = bench.shared(kind == "Revoke");
            let genuine = match kind {
                "Grant" => Message::Grant(Box::new(bench.grant(tid))),
                "Revoke" => Message::Revoke(bench.revoke(tid)),
                _ => Message::Erase(bench.erase(tid)),
            };
            in_session(doctor, cloud, move |forge, flaws| forge.order(&genuine, flaws))
        }
        "Decision" | "Certificate" => {
            let block = bench.block();
            let genuine = bench.bed.certificate(&block, Ballot::True, 0);
            let certificate = kind == "Certificate";
            in_public(bsd, first, move |forge, flaws| {
                let forged = match certificate {
                    true => forge.certified(&genuine, flaws),
                    false => forge.decision(&genuine, flaws),
                };
                forged.map(Gossip::Decision)
            })
        }
        "CloudHead" => {
            let network = bench.bed.network.keys.genesis.network.clone();
            let mut log = CloudLog::new(Suite::Tiny, network, cloud.clone(), Frontier::default());
            let stray = crate::testbed::stray_digest();
            log.append(LeafKind::Record, stray, stray, bench.bed.now());
            let genuine = log.sign(&RULES, &bench.bed.key(&cloud), bench.bed.now());
            in_public(cloud, first, move |forge, flaws| {
                forge.cloud_head(&genuine, flaws).map(Gossip::CloudHead)
            })
        }
        "AuditHead" => {
            let network = bench.bed.network.keys.genesis.network.clone();
            let log = AuditLog::new(Suite::Tiny, network, bsd.clone());
            let genuine = log.sign(&RULES, &bench.bed.key(&bsd), bench.bed.now());
            in_public(bsd, first, move |forge, flaws| {
                forge.audit_head(&genuine, flaws).map(Gossip::AuditHead)
            })
        }
        "Proposal" => {
            let genuine = bench.proposal();
            in_public(second, first, move |forge, flaws| {
                forge.proposal(&genuine, flaws).map(Gossip::Proposal)
            })
        }
        "Closing" => {
            let proposal = bench.proposal();
            bench.bed.send_gossip(&second, &first, Gossip::Proposal(proposal.clone())).assert_accepted();
            let third = bench.validator(2);
            let header = Proposal::new(proposal.header.clone(), proposal.entries.into());
            let signatory = header.sign(&RULES, &third, &bench.bed.key(&third));
            let (height, header) = (proposal.header.height, proposal.header.digest());
            let genuine = ClosingSignature { height, header, signatory };
            in_public(third, first, move |forge, flaws| forge.closing(&genuine, flaws).map(Gossip::Closing))
        }
        "Block" | "Close" => {
            let block = bench.block();
            let decision = Entry::Decision(bench.bed.certificate(&block, Ballot::True, 0));
            let genuine = bench.closed(vec![decision]);
            let close = kind == "Close";
            in_public(second, first, move |forge, flaws| {
                let (block, close) = if close { (Flaws::NONE, flaws) } else { (flaws, Flaws::NONE) };
                forge.closed(&genuine, block, close).map(Gossip::Block)
            })
        }
        "Response" => {
            // A user awaits it.
            let now = bench.bed.now();
            let tid = crate::testbed::stray_digest();
            let (_, outputs) = bench.bed.network.user(&doctor).unwrap().read(now, tid).unwrap();
            let [Output::Send { packet, .. }] = outputs.as_slice() else { panic!("{outputs:?}") };
            let Packet::Hello(hello) = decode(&RULES, packet).unwrap() else { panic!("a user calls") };
            let mut rng = ChaCha20Rng::seed_from_u64(4);
            Box::new(move |bench, flaws, way| {
                let forged = bench.forge(way).response(&mut rng, &hello, &cloud, &doctor, flaws)?;
                Some(bench.arrives(&cloud, &doctor, &forged))
            })
        }
        "Finish" => {
            let caller = Caller::new(&mut bench.bed.rng, Suite::Tiny, SessionType::Initial);
            let response = bench.arrives(&doctor, &bsd, &caller.hello());
            let Some(Output::Send { packet, .. }) = response.step.outputs().next() else {
                panic!("{response:?}", response = response.step)
            };
            let Packet::Response(response) = decode(&RULES, packet).unwrap() else { panic!("it answers") };
            let answered = caller.answered(&RULES, &response).unwrap();
            Box::new(move |bench, flaws, way| {
                let forged = bench.forge(way).finish(&answered, &doctor, &bsd, flaws)?;
                Some(bench.arrives(&doctor, &bsd, &forged))
            })
        }
        "Enrolment" => {
            let (subject, role) = (crate::testbed::name("newcomer"), Role::Doctor);
            bench.bed.network.keys.kdc.admit(subject.clone(), role);
            let identity = Identity::generate(Suite::Tiny, &mut bench.bed.rng);
            let genuine = identity.enrolment_request(&RULES, subject, role).body;
            Box::new(move |bench, flaws, way| {
                let keys = (identity.signing_key(), identity.agreement_key());
                let forged = bench.forge(way).enrolment(&genuine, keys, flaws)?;
                let (now, rules) = (bench.bed.now(), bench.rules);
                let kdc = &mut bench.bed.network.keys.kdc;
                let before = kdc.last_serial();
                let issued = kdc.enrol(&rules, now, &forged);
                let unchanged = kdc.last_serial() == before;
                let step = Step {
                    event: bemr_spec::Event::Enrol,
                    outcome: issued.map(|_| Vec::new()),
                    repeats: Vec::new(),
                };
                Some(Reply { step, answers: Vec::new(), unchanged })
            })
        }
        "RevocationList" => {
            let genuine = bench.bed.list();
            in_public(second, first, move |forge, flaws| {
                forge.revocation_list(&genuine, flaws).map(Gossip::RevocationList)
            })
        }
        "PolicyChange" => {
            let [one, other] = cast.administrators;
            let policy = &bench.bed.replica.policy;
            let newest = policy.contracts().find(|one| one.id.as_str() == "admission").unwrap();
            let (version, effective) = (Version(2), Height(30));
            let next = Contract { version, effective, ..newest.clone() };
            let network = policy.network().clone();
            let (templates, contracts) = (Vec::new().into(), vec![next].into());
            let change = PolicyChange { protocol: PROTOCOL_VERSION, network, templates, contracts };
            let genuine = bench.bed.approved(change, &[&one, &other]);
            in_public(second, first, move |forge, flaws| {
                forge.policy_change(&genuine, flaws).map(Gossip::PolicyChange)
            })
        }
        "Hello" | "Record" => {
            let (from, to, bytes) = bench.packet(kind);
            by_packet(from, to, &bytes)
        }
        _ => unreachable!("{kind}"),
    }
}

fn by_packet(from: Name, to: Name, genuine: &[u8]) -> Deliver {
    let genuine: Packet = decode(&RULES, genuine).unwrap();
    Box::new(move |bench, flaws, _| {
        let forged = packet(&genuine, flaws)?;
        Some(bench.arrives(&from, &to, &forged))
    })
}

/// By which clause the receiver refuses a flaw: in the ledger whatever is wrong with a certificate is LED-11.
fn refusing(kind: &str, flaw: Clause) -> Clause {
    if kind == "Certificate" { Clause::EntryHasQuorum } else { flaw }
}

fn costly(kind: &str, flaw: Clause) -> bool {
    COSTLY.contains(&(kind, flaw))
}

/// A network whose blocks can have this flaw.
fn bench(kind: &str, flaws: Flaws, rules: Rules) -> Bench {
    let work = flaws.has(Clause::TargetIsScheduled) || flaws.has(Clause::WorkMeetsTarget);
    match work && matches!(kind, "Block" | "Close") {
        true => Bench::of(rules, Testbed::by_work(rules)),
        false => Bench::new(rules),
    }
}

/// The benches of one kind, by quorum and by work: who refuses has not changed, and can refuse again.
struct Benches {
    kind: &'static str,
    rules: Rules,
    by_quorum: Option<(Bench, Deliver)>,
    by_work: Option<(Bench, Deliver)>,
}

impl Benches {
    fn new(kind: &'static str, rules: Rules) -> Benches {
        Benches { kind, rules, by_quorum: None, by_work: None }
    }

    fn hear(&mut self, flaws: Flaws, way: u8) -> Option<Reply> {
        let work = flaws.has(Clause::TargetIsScheduled) || flaws.has(Clause::WorkMeetsTarget);
        let place = if work { &mut self.by_work } else { &mut self.by_quorum };
        let (bench, deliver) = place.get_or_insert_with(|| {
            let mut bench = bench(self.kind, flaws, self.rules);
            let deliver = scene(&mut bench, self.kind);
            (bench, deliver)
        });
        let heard = deliver(bench, flaws, way);
        if heard.as_ref().is_some_and(|heard| heard.step.outcome.is_ok()) {
            // What was taken cannot be taken again.
            *place = None;
        }
        heard
    }
}

#[test]
fn what_has_no_flaw_is_taken() {
    for (kind, _) in FLAWS {
        let heard = Benches::new(kind, RULES).hear(Flaws::NONE, 0).unwrap();
        assert!(heard.step.outcome.is_ok(), "{kind}: {:?}", heard.step.outcome);
    }
}

#[test]
fn each_flaw_is_refused_by_its_clause() {
    let mut shown = 0;
    for (kind, flaws) in FLAWS {
        let mut benches = Benches::new(kind, RULES);
        for flaw in *flaws {
            let ways = if costly(kind, *flaw) { 1 } else { 5 };
            for way in 0..ways {
                let heard = benches.hear(Flaws::of(*flaw), way);
                let heard = heard.unwrap_or_else(|| panic!("{kind} {flaw}: it can be made"));
                let clause = refusing(kind, *flaw);
                assert_eq!(heard.step.clause(), Some(clause), "{kind} {flaw} way {way}: {:?}", heard.step);
                assert_ne!(heard.step.verdict(), Verdict::Accept);
                assert!(heard.unchanged, "{kind} {flaw} way {way}");
            }
            shown += 1;
        }
    }
    println!("{shown} flaws of {} kinds are each refused by their clause", FLAWS.len());
    assert!(shown >= 130);
}

#[test]
fn in_whatever_manner_a_check_fails_its_clause_refuses_and_says_because_of_what() {
    for (kind, flaw, manner) in MANNERS {
        let both = Flaws::of(*flaw).and(*manner);
        assert!(makes(kind, both) && !makes(kind, Flaws::of(*manner)), "{kind} {flaw} {manner}");
        let heard = Benches::new(kind, RULES).hear(both, 0).unwrap();
        let refusal = heard.step.outcome.unwrap_err();
        let cause = match manner {
            Clause::ScalarInRange => Some(Clause::ScalarInRange),
            Clause::ChallengeCoversKeyAndTag => Some(Clause::CommitmentRecomputed),
            _ => None,
        };
        assert!(heard.unchanged, "{kind} {manner}");
        assert_eq!((refusal.clause(), refusal.cause()), (*flaw, cause), "{kind} {manner}");
    }
}

/// What is left to refuse a message whose flaw is not checked.
fn left(kind: &str, flaw: Clause) -> Option<Clause> {
    let stubborn = STUBBORN.iter().find(|(name, one, _)| *name == kind && *one == flaw);
    let entails = ENTAILS.iter().find(|(name, one, ..)| *name == kind && *one == flaw);
    stubborn.map(|(_, clause, _)| *clause).or(entails.map(|(_, _, clause, _)| *clause))
}

#[test]
fn the_mutant_of_a_clause_lets_its_flaw_through() {
    let (mut taken, mut wrong) = (0, Vec::new());
    for (kind, flaws) in FLAWS {
        for flaw in *flaws {
            let rules = RULES.without(refusing(kind, *flaw));
            let heard = Benches::new(kind, rules).hear(Flaws::of(*flaw), 0).unwrap();
            let clause = heard.step.clause();
            if clause != left(kind, *flaw) {
                wrong.push((kind, flaw.id(), clause.map(Clause::id)));
            }
            taken += usize::from(clause.is_none());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{taken} flaws are the only ones of their message: the mutant takes it");
    assert!(taken >= 140);
}

#[test]
fn of_two_flaws_the_first_in_the_order_of_checks_refuses() {
    let (mut shown, mut unmade) = (0, 0);
    for (kind, flaws) in FLAWS {
        let mut benches = Benches::new(kind, RULES);
        for (place, one) in flaws.iter().enumerate() {
            for other in &flaws[place + 1..] {
                let both = Flaws::of(*other).and(*one);
                assert_eq!(both, Flaws::of(*one).and(*other));
                let Some(heard) = benches.hear(both, 0) else {
                    unmade += 1;
                    continue;
                };
                assert!(makes(kind, both));
                let clause = refusing(kind, *one);
                assert_eq!(heard.step.clause(), Some(clause), "{kind} {one} {other}: {:?}", heard.step);
                assert!(heard.unchanged, "{kind} {one} {other}");
                shown += 1;
            }
        }
    }
    println!("{shown} pairs of flaws are refused by the first, {unmade} cannot be made");
    assert!(shown >= 700 && unmade <= 50);
}

#[test]
fn a_message_with_two_flaws_has_both() {
    let (mut shown, mut wrong) = (0, Vec::new());
    for (kind, flaws) in FLAWS {
        for (place, one) in flaws.iter().enumerate() {
            // The mutant of the first clause refuses by the second, if nothing is left between them.
            let mut benches = Benches::new(kind, RULES.without(refusing(kind, *one)));
            let left = left(kind, *one).and_then(|left| flaws.iter().position(|flaw| *flaw == left));
            for (later, other) in flaws.iter().enumerate().skip(place + 1) {
                if costly(kind, *one) || costly(kind, *other) {
                    continue;
                }
                let Some(heard) = benches.hear(Flaws::of(*one).and(*other), 0) else { continue };
                let clause = heard.step.clause();
                let first = flaws[left.map_or(later, |left| left.min(later))];
                if *kind == "Certificate" {
                    assert_eq!(clause, None, "LED-11 is one clause");
                } else if (*one, *other) == (Clause::DecisionIsFinal, Clause::EntryInclusionProven) {
                    assert_eq!(clause, None, "without a block there is nothing to be included in");
                } else if clause == Some(first) {
                    shown += usize::from(first == *other);
                } else {
                    wrong.push((kind, one.id(), other.id(), clause.map(Clause::id)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{shown} pairs of flaws are both in their message");
    assert!(shown >= 850);
}

/// The tests above have one record and four validators.
#[test]
fn any_record_can_be_spoilt() {
    let looking = |kind: &str, flaw: &Clause| match kind {
        "T_initial" => {
            RENEWING.contains(flaw) && !costly(kind, *flaw) || *flaw == Clause::CommitmentsMatchMapping
        }
        _ => matches!(
            flaw,
            Clause::CheckedAttributesOpened
                | Clause::OpeningsMatchCommitments
                | Clause::AttributeHasItsType
                | Clause::RequiredAttributePresent
        ),
    };
    let mut bench = Bench::new(RULES);
    let cast = bench.bed.network.keys.roster.clone();
    let mut shown = 0;
    for (name, bytes) in SAMPLES {
        let initial = bench.bed.initial(&cast.doctor, bytes, &[]);
        let block = bench.bed.block(&initial);
        for (kind, flaws) in FLAWS.iter().filter(|(kind, _)| matches!(*kind, "T_initial" | "T_block")) {
            for flaw in flaws.iter().filter(|flaw| looking(kind, flaw)) {
                for way in 0..2 {
                    let (flaws, forge) = (Flaws::of(*flaw), bench.forge(way));
                    let heard = if *kind == "T_initial" {
                        let forged = forge.initial(&initial, flaws).unwrap();
                        bench.bed.send(&cast.doctor, &cast.bsd, Message::TInitial(Box::new(forged)))
                    } else {
                        let forged = forge.block(&block, flaws).unwrap();
                        bench.bed.send(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(forged)))
                    };
                    assert_eq!(heard.step.clause(), Some(*flaw), "{name} {kind} {flaw}: {:?}", heard.step);
                }
                shown += 1;
            }
        }
    }
    assert!(shown >= 14 * SAMPLES.len());
}

#[test]
fn a_certificate_is_spoilt_whatever_the_quorum() {
    let (_, flaws) = FLAWS.iter().find(|(kind, _)| *kind == "Certificate").unwrap();
    for validators in 1..=8 {
        let mut bench = Bench::of(RULES, Testbed::of(NetworkConfig::new(Suite::Tiny, validators)));
        let block = bench.block();
        let mut genuine = bench.bed.certificate(&block, Ballot::True, 0);
        let all = genuine.signatories.as_slice().to_vec();
        let set = bench.bed.network.keys.validators.clone();
        for signatories in [&all[..], &all[..set.quorum()]] {
            genuine.signatories = signatories.to_vec().into();
            verify_quorum(&RULES, &set, &genuine).unwrap();
            for (place, one) in flaws.iter().enumerate() {
                for way in 0..2 {
                    let forged = bench.forge(way).certified(&genuine, Flaws::of(*one));
                    let Some(forged) = forged else {
                        panic!("{validators} {one}");
                    };
                    assert_eq!(verify_quorum(&RULES, &set, &forged).unwrap_err().clause(), *one);
                    verify_quorum(&RULES.without(*one), &set, &forged).unwrap();
                }
                for other in &flaws[place + 1..] {
                    let both = Flaws::of(*one).and(*other);
                    if let Some(forged) = bench.forge(0).certified(&genuine, both) {
                        assert_eq!(verify_quorum(&RULES, &set, &forged).unwrap_err().clause(), *one);
                        let rules = RULES.without(*one);
                        assert_eq!(verify_quorum(&rules, &set, &forged).unwrap_err().clause(), *other);
                    } else {
                        assert!(signatories.len() < 3, "{validators} {one} {other}");
                    }
                }
            }
        }
    }
}

#[test]
fn without_the_keys_nothing_is_signed() {
    let mut bench = Bench::new(RULES);
    let initial = bench.initial();
    let block = bench.bed.block(&initial);
    let nobody = std::collections::BTreeMap::new();
    let flaw = Flaws::of(Clause::ProtocolVersionIsOne);
    let forge = Forge { keys: &nobody, ..bench.forge(0) };
    assert_eq!(forge.initial(&initial, flaw), None);
    assert_eq!(forge.block(&block, flaw), None);
    // A BSD of whose users none conspires cannot sign for them.
    let bsd = bench.bed.network.keys.roster.bsd.clone();
    let own = [(bsd.clone(), bench.bed.network.keys.credentials[&bsd].clone())].into();
    let forge = Forge { keys: &own, ..bench.forge(0) };
    assert!(forge.block(&block, flaw).is_some());
    assert_eq!(forge.block(&block, Flaws::of(Clause::TidIsDerived)), None);
}

#[test]
fn what_cannot_be_made_is_not_made() {
    assert!(!makes("T_initial", Flaws::of(Clause::TidIsFresh)));
    assert!(!makes("T_nothing", Flaws::NONE));
    let expired = Flaws::of(Clause::CertificateWithinValidity);
    assert!(makes("T_block", expired) && !makes("T_block", expired.and(Clause::CertificateNotRevoked)));
    for (kind, flaw, _) in STUBBORN {
        assert!(makes(kind, Flaws::of(*flaw)), "{kind} {flaw}");
    }
    for (kind, flaw) in COSTLY {
        assert!(makes(kind, Flaws::of(*flaw)), "{kind} {flaw}");
    }
    for (kind, flaw, _) in CONDITIONAL {
        assert!(makes(kind, Flaws::of(*flaw)), "{kind} {flaw}");
    }
    for flaw in RENEWING {
        assert!(makes("T_initial", Flaws::of(*flaw)), "{flaw}");
    }
}
