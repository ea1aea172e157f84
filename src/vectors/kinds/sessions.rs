//! The handshake from both sides, records, and the seals that a custodian opens (chapters 5 and 6).

use super::keys::{Authority, LIFE, Trust, name, refused_by};
use super::primitives::{drawn, rng, scalar_bytes};
use super::tape::Tape;
use super::{Kind, Made, RULES, SUITES, Stop};
use crate::crypto::{AeadKey, Digest, Element, EncapsulationKey, Ephemeral, Suite, Tag, expand, extract};
use crate::keys::Identity;
use crate::network::START;
use crate::session::insider::Line;
use crate::session::{AwaitingHello, AwaitingResponse, Custodian, Session};
use crate::vectors::Hex;
use crate::vectors::near::{Lands, Neighbour, Sweep};
use crate::vectors::player::Own;
use crate::wire::{
    Certificate, Direction, Finish, Hello, IdentityProof, PROTOCOL_VERSION, Packet, Purpose, Record,
    RecordHeader, Response, Role, Seal, SealChainBody, SealChainStart, SealContext, SealedKey, SessionId,
    Stage, Time, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The key schedule of one handshake.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Shaken {
    hello: Hex,
    response: Hex,
    finish: Hex,
    t1: Hex,
    t2: Hex,
    t3: Hex,
    shared: Hex,
    secret: Hex,
    session: Hex,
    initiator_to_responder: Hex,
    responder_to_initiator: Hex,
}

/// What a handshake derives, as the chapter says it: once more beside the implementation's own.
struct Secrets {
    t1: Digest,
    shared: Vec<u8>,
    secret: [u8; 32],
}

fn transcript(number: u8, parts: &[&[u8]]) -> Digest {
    Digest::of(Tag::TRANSCRIPT, &[&[number], &*parts.concat()].concat())
}

impl Secrets {
    fn of(hello: &Hello, response: &Response, own: &Ephemeral, peer: &Element) -> Result<Secrets, Refusal> {
        let t1 = transcript(1, &[&encode(hello), &response.nonce, &encode(&response.ephemeral)]);
        let shared = own.try_agree(peer)?.as_bytes().to_vec();
        Ok(Secrets { t1, secret: *extract(t1.as_bytes(), &shared), shared })
    }

    fn key(&self, tag: Tag, transcript: &Digest) -> [u8; 32] {
        *expand::<32>(&self.secret, tag, transcript.as_bytes())
    }

    fn t2(&self, responder: &Certificate) -> Digest {
        transcript(2, &[self.t1.as_bytes(), &encode(responder)])
    }

    fn proof_key(&self, of_initiator: bool) -> (AeadKey, [u8; 12]) {
        let tag = if of_initiator { Tag::INITIATOR_PROOF_KEY } else { Tag::RESPONDER_PROOF_KEY };
        let mut nonce = [0; 12];
        nonce[0] = if of_initiator { 1 } else { 2 };
        (AeadKey::from_bytes(self.key(tag, &self.t1)), nonce)
    }

    fn seal(&self, of_initiator: bool, proof: &[u8]) -> Vec<u8> {
        let (key, nonce) = self.proof_key(of_initiator);
        key.seal(&nonce, self.t1.as_bytes(), proof)
    }

    fn open(&self, of_initiator: bool, proof: &[u8]) -> Result<IdentityProof, Stop> {
        let (key, nonce) = self.proof_key(of_initiator);
        let opened = key.open(&nonce, self.t1.as_bytes(), proof);
        let opened = opened.ok_or_else(|| Stop::Malformed("a proof does not open".to_owned()))?;
        Ok(decode(&RULES, &opened)?)
    }

    fn shaken(
        &self,
        hello: &Hello,
        response: &Response,
        finish: &Finish,
        session: &Session,
    ) -> Result<Shaken, Stop> {
        let responder = self.open(false, response.proof.as_slice())?.certificate;
        let initiator = self.open(true, finish.proof.as_slice())?.certificate;
        let t2 = self.t2(&responder);
        let t3 = transcript(3, &[t2.as_bytes(), &encode(&response.proof), &encode(&initiator)]);
        let id = self.key(Tag::SESSION_ID, &t3);
        if *session.id().0.as_bytes() != id {
            return Err(Stop::Malformed("the session has another id".to_owned()));
        }
        Ok(Shaken {
            hello: Hex(encode(&Packet::Hello(hello.clone()))),
            response: Hex(encode(&Packet::Response(response.clone()))),
            finish: Hex(encode(&Packet::Finish(finish.clone()))),
            t1: self.t1.as_bytes().into(),
            t2: t2.as_bytes().into(),
            t3: t3.as_bytes().into(),
            shared: Hex(self.shared.clone()),
            secret: self.secret.into(),
            session: id.into(),
            initiator_to_responder: self.key(Tag::CHAIN_INITIATOR, &t3).into(),
            responder_to_initiator: self.key(Tag::CHAIN_RESPONDER, &t3).into(),
        })
    }
}

fn purpose(number: u8) -> Result<Purpose, Stop> {
    let known = Purpose::ALL.into_iter().find(|purpose| *purpose as u8 == number);
    known.ok_or_else(|| Stop::Malformed(format!("no purpose {number}")))
}

/// A nonce, then an ephemeral pair.
fn pair(suite: Suite, bytes: &[u8]) -> Result<([u8; 32], Ephemeral), Stop> {
    let mut tape = Tape::of(bytes);
    let mut nonce = [0; 32];
    tape.fill_bytes(&mut nonce);
    let pair = Ephemeral::generate(suite, &mut tape);
    tape.end()?;
    Ok((nonce, pair))
}

/// What both sides are told.
struct Table {
    suite: Suite,
    authority: Authority,
    trust: Trust,
    initiator: (Own, Identity, Certificate),
    responder: (Own, Identity, Certificate),
    draws: [Vec<u8>; 2],
}

impl Table {
    fn set(suite: Suite, kind: &str) -> Table {
        let authority = Authority::new(suite, kind);
        let mut rng = rng(kind);
        let mut one = |serial, subject: &str, role| {
            let identity = Identity::generate(suite, &mut rng);
            let certificate = authority.certificate(serial, subject, role, &identity);
            let own = Own {
                signing: (*identity.signing_key().to_bytes()).as_slice().into(),
                agreement: (*identity.agreement_key().to_bytes()).as_slice().into(),
                certificate: Hex(encode(&certificate)),
            };
            (own, identity, certificate)
        };
        let (initiator, responder) = (one(1, "dr-ada", Role::Doctor), one(2, "bsd", Role::Bsd));
        let mut draw = || [drawn(&mut rng, 32), scalar_bytes(&mut rng, suite)].concat();
        let draws = [draw(), draw()];
        let trust = Trust::of(&authority.anchor(), &authority.list(1, &[u64::MAX]));
        Table { suite, authority, trust, initiator, responder, draws }
    }

    fn hello(&self, draw: &[u8]) -> Result<(Hello, Ephemeral), Stop> {
        let (nonce, pair) = pair(self.suite, draw)?;
        let ephemeral = pair.public().encode().into();
        let purpose = Purpose::Initial;
        Ok((Hello { version: PROTOCOL_VERSION, suite: self.suite, purpose, nonce, ephemeral }, pair))
    }

    /// A proof of identity, made to fit in this way: each bit leaves one thing as it was.
    fn mended(
        &self,
        mut proof: IdentityProof,
        secrets: &Secrets,
        heard: Option<(&Digest, &[u8])>,
        way: u8,
    ) -> IdentityProof {
        if way & 4 == 0 {
            let body = encode(&proof.certificate.body);
            proof.certificate.signature = self.authority.sign(Tag::CERTIFICATE, &body);
        }
        let (said, signer, tags) = match heard {
            None => {
                let tags = (Tag::RESPONDER_SIGNATURE, Tag::RESPONDER_CONFIRMATION);
                (secrets.t2(&proof.certificate), &self.responder.1, tags)
            }
            Some((t2, response)) => {
                let tags = (Tag::INITIATOR_SIGNATURE, Tag::INITIATOR_CONFIRMATION);
                let parts = [t2.as_bytes(), response, &encode(&proof.certificate)];
                (transcript(3, &parts), &self.initiator.1, tags)
            }
        };
        if way & 2 == 0 {
            proof.signature = signer.signing_key().sign(&RULES, tags.0, said.as_bytes());
        }
        if way & 1 == 0 {
            proof.confirmation = secrets.key(tags.1, &said);
        }
        proof
    }

    fn genuine(&self, certificate: &Certificate) -> IdentityProof {
        let signature = certificate.signature.clone();
        IdentityProof { certificate: certificate.clone(), signature, confirmation: [0; 32] }
    }

    const fn lands(&self) -> Lands<'static> {
        Lands { suite: self.suite, names: &["dr-ada", "bsd", "~"], entries: 3 }
    }
}

fn ill(stop: Stop) -> Refusal {
    match stop {
        Stop::Refused(refusal) => refusal,
        Stop::Malformed(problem) => Refusal::new(Clause::EventFitsState).at(problem),
    }
}

/// The side that says hello.
pub(in crate::vectors) enum Initiator {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct InitiatorInput {
    own: Own,
    trust: Trust,
    now: u64,
    purpose: u8,
    intended: String,
    drawn: Hex,
    answered: u64,
    response: Hex,
}

impl Kind for Initiator {
    const NAME: &'static str = "initiator";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = InitiatorInput;
    type Output = Shaken;

    fn judge(suite: Suite, input: &InitiatorInput) -> Result<Shaken, Stop> {
        let mut trust = input.trust.store(suite)?;
        let own = input.own.credentials(suite, &mut trust, Time(input.now))?;
        let mut tape = Tape::of(&input.drawn.0);
        let (purpose, intended) = (purpose(input.purpose)?, name(&input.intended)?);
        let begun = AwaitingResponse::begin(&RULES, &mut tape, Time(input.now), &own, purpose, &intended);
        let (state, hello) = begun?;
        tape.end()?;
        let answered = state.on_response(&RULES, &mut trust, Time(input.answered), &input.response.0);
        let (session, finish) = answered.map_err(|refused| refused.refusal)?;
        let (Packet::Hello(hello), Packet::Response(response), Packet::Finish(finish)) =
            (decode(&RULES, &hello)?, decode(&RULES, &input.response.0)?, decode(&RULES, &finish)?)
        else {
            return Err(Stop::Malformed("not the packets of a handshake".to_owned()));
        };
        let (_, pair) = pair(suite, &input.drawn.0)?;
        let element = Element::decode(&RULES, suite, response.ephemeral.as_slice())?;
        Secrets::of(&hello, &response, &pair, &element)?.shaken(&hello, &response, &finish, &session)
    }

    fn make(suite: Suite) -> Result<Vec<Made<InitiatorInput>>, Refusal> {
        let table = Table::set(suite, Self::NAME);
        let (hello, own) = table.hello(&table.draws[0]).map_err(ill)?;
        let (nonce, theirs) = pair(suite, &table.draws[1]).map_err(ill)?;
        let mut response =
            Response { nonce, ephemeral: theirs.public().encode().into(), proof: Vec::new().into() };
        let secrets = Secrets::of(&hello, &response, &own, theirs.public())?;
        let proof = table.mended(table.genuine(&table.responder.2), &secrets, None, 0);
        response.proof = secrets.seal(false, &encode(&proof)).into();
        let genuine = encode(&Packet::Response(response.clone()));
        let given = InitiatorInput {
            own: table.initiator.0.clone(),
            trust: table.trust.clone(),
            now: START.0,
            purpose: Purpose::Initial as u8,
            intended: "bsd".to_owned(),
            drawn: Hex(table.draws[0].clone()),
            answered: START.0 + 10,
            response: Hex(genuine.clone()),
        };
        let with = |packet: Vec<u8>| InitiatorInput { response: Hex(packet), ..given.clone() };
        let mut made = vec![
            Made::valid("as the chapter says", given.clone()),
            Made::valid(
                "in the last millisecond",
                InitiatorInput { answered: START.0 + 59_999, ..given.clone() },
            ),
            Made::invalid(
                Clause::SessionIsFresh,
                "too late",
                InitiatorInput { answered: START.0 + 60_000, ..given.clone() },
            ),
            Made::invalid(
                Clause::PeerIsNotSelf,
                "with oneself",
                InitiatorInput { intended: "dr-ada".to_owned(), ..given.clone() },
            ),
            Made::invalid(
                Clause::RoleFitsPlace,
                "no place of a user",
                InitiatorInput { purpose: 2, ..given.clone() },
            ),
            Made::invalid(
                Clause::MessageTypeIsExpected,
                "a hello for a response",
                with(encode(&Packet::Hello(hello.clone()))),
            )
            .of("Packet.kind"),
        ];
        let header = RecordHeader {
            session: SessionId(Digest::default()),
            direction: Direction::ResponderToInitiator,
            stage: Stage::Initial,
            sequence: 1,
        };
        let early = encode(&Packet::Record(Record { header, ciphertext: vec![0; 16].into() }));
        made.push(
            Made::invalid(Clause::SessionEstablished, "a record for a response", with(early))
                .of("Packet.kind"),
        );
        let judge = |packet: &[u8]| refused_by(Self::judge(suite, &with(packet.to_vec())));
        let mut sweep = Sweep { lands: table.lands(), ways: 1, done: BTreeSet::new() };
        for (near, clause) in sweep.run("Packet", &genuine, |near, _| Some(near.bytes.clone()), judge) {
            made.push(Made::near(clause, &near, with(near.bytes.clone())));
        }
        let packet = |proof: &[u8]| {
            let proof = secrets.seal(false, proof).into();
            encode(&Packet::Response(Response { proof, ..response.clone() }))
        };
        let mend = |near: &Neighbour, way: u8| match decode::<IdentityProof>(&RULES, &near.bytes) {
            Ok(proof) => Some(encode(&table.mended(proof, &secrets, None, way))),
            Err(_) => (way == 0).then(|| near.bytes.clone()),
        };
        let judge = |proof: &[u8]| refused_by(Self::judge(suite, &with(packet(proof))));
        sweep.ways = 8;
        for (near, clause) in sweep.run("IdentityProof", &encode(&proof), mend, judge) {
            made.push(Made::near(clause, &near, with(packet(&near.bytes))));
        }
        // Another server with a genuine certificate, and a certificate after the list has run out.
        let other = table.authority.certificate(3, "bsd-2", Role::Bsd, &table.responder.1);
        let proof = table.mended(table.genuine(&other), &secrets, None, 0);
        made.push(
            Made::invalid(Clause::PeerIsIntended, "another server", with(packet(&encode(&proof))))
                .of("IdentityProof.certificate")
                .of("CertificateBody.subject"),
        );
        let mut lasting = table.responder.2.clone();
        lasting.body.not_after = Time(u64::MAX);
        let proof = table.mended(table.genuine(&lasting), &secrets, None, 0);
        let stale = table.authority.list_until(1, START.after(5));
        let late = InitiatorInput {
            trust: Trust::of(&table.authority.anchor(), &stale),
            ..with(packet(&encode(&proof)))
        };
        made.push(
            Made::invalid(Clause::RevocationListIsCurrent, "the list has run out", late)
                .of("IdentityProof.certificate"),
        );
        Ok(made)
    }
}

/// The side that answers.
pub(in crate::vectors) enum Responder {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct ResponderInput {
    own: Own,
    trust: Trust,
    /// Hellos that were answered before, and when.
    earlier: Vec<Heard>,
    now: u64,
    hello: Hex,
    drawn: Hex,
    finished: u64,
    finish: Hex,
}

/// A hello that was answered.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Heard {
    now: u64,
    hello: Hex,
    drawn: Hex,
}

impl Kind for Responder {
    const NAME: &'static str = "responder";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = ResponderInput;
    type Output = Shaken;

    fn judge(suite: Suite, input: &ResponderInput) -> Result<Shaken, Stop> {
        let mut trust = input.trust.store(suite)?;
        let own = input.own.credentials(suite, &mut trust, Time(input.now))?;
        let mut listening = AwaitingHello::new(&own);
        for Heard { now, hello, drawn } in &input.earlier {
            let mut tape = Tape::of(&drawn.0);
            listening.on_hello(&RULES, &mut tape, Time(*now), &hello.0)?;
            tape.end()?;
        }
        let mut tape = Tape::of(&input.drawn.0);
        let (state, response) = listening.on_hello(&RULES, &mut tape, Time(input.now), &input.hello.0)?;
        tape.end()?;
        let finished = state.on_finish(&RULES, &mut trust, Time(input.finished), &input.finish.0);
        let session = finished.map_err(|refused| refused.refusal)?;
        let (Packet::Hello(hello), Packet::Response(response), Packet::Finish(finish)) =
            (decode(&RULES, &input.hello.0)?, decode(&RULES, &response)?, decode(&RULES, &input.finish.0)?)
        else {
            return Err(Stop::Malformed("not the packets of a handshake".to_owned()));
        };
        let (_, pair) = pair(suite, &input.drawn.0)?;
        let element = Element::decode(&RULES, suite, hello.ephemeral.as_slice())?;
        Secrets::of(&hello, &response, &pair, &element)?.shaken(&hello, &response, &finish, &session)
    }

    fn make(suite: Suite) -> Result<Vec<Made<ResponderInput>>, Refusal> {
        let table = Table::set(suite, Self::NAME);
        let (hello, theirs) = table.hello(&table.draws[0]).map_err(ill)?;
        let (nonce, own) = pair(suite, &table.draws[1]).map_err(ill)?;
        let mut response =
            Response { nonce, ephemeral: own.public().encode().into(), proof: Vec::new().into() };
        let secrets = Secrets::of(&hello, &response, &own, theirs.public())?;
        let ours = table.mended(table.genuine(&table.responder.2), &secrets, None, 0);
        response.proof = secrets.seal(false, &encode(&ours)).into();
        let t2 = secrets.t2(&table.responder.2);
        let said = encode(&response.proof);
        let heard = Some((&t2, said.as_slice()));
        let proof = table.mended(table.genuine(&table.initiator.2), &secrets, heard, 0);
        let packet =
            |proof: &[u8]| encode(&Packet::Finish(Finish { proof: secrets.seal(true, proof).into() }));
        let genuine = packet(&encode(&proof));
        let called = encode(&Packet::Hello(hello));
        let given = ResponderInput {
            own: table.responder.0.clone(),
            trust: table.trust.clone(),
            earlier: Vec::new(),
            now: START.0,
            hello: Hex(called.clone()),
            drawn: Hex(table.draws[1].clone()),
            finished: START.0 + 10,
            finish: Hex(genuine.clone()),
        };
        let with = |finish: Vec<u8>| ResponderInput { finish: Hex(finish), ..given.clone() };
        let again = |now: u64| ResponderInput {
            earlier: vec![Heard { now, hello: Hex(called.clone()), drawn: Hex(table.draws[0].clone()) }],
            now: START.0 + 60_000,
            finished: START.0 + 60_000,
            ..given.clone()
        };
        let mut made = vec![
            Made::valid("as the chapter says", given.clone()),
            Made::valid(
                "in the last millisecond",
                ResponderInput { finished: START.0 + 59_999, ..given.clone() },
            ),
            Made::invalid(
                Clause::SessionIsFresh,
                "too late",
                ResponderInput { finished: START.0 + 60_000, ..given.clone() },
            ),
            Made::invalid(Clause::SessionIsFresh, "a hello that it remembers", again(START.0 + 1))
                .of("Hello.nonce"),
            Made::valid("a hello that it has forgotten", again(START.0)),
            Made::invalid(Clause::MessageTypeIsExpected, "a hello for a finish", with(called.clone()))
                .of("Packet.kind"),
        ];
        let judge = |hello: &[u8]| {
            refused_by(Self::judge(suite, &ResponderInput { hello: hello.into(), ..given.clone() }))
        };
        let mut sweep = Sweep { lands: table.lands(), ways: 1, done: BTreeSet::new() };
        for (near, clause) in sweep.run("Packet", &called, |near, _| Some(near.bytes.clone()), judge) {
            let input = ResponderInput { hello: Hex(near.bytes.clone()), ..given.clone() };
            made.push(Made::near(clause, &near, input));
        }
        let judge = |finish: &[u8]| refused_by(Self::judge(suite, &with(finish.to_vec())));
        for (near, clause) in sweep.run("Packet", &genuine, |near, _| Some(near.bytes.clone()), judge) {
            made.push(Made::near(clause, &near, with(near.bytes.clone())));
        }
        let mend = |near: &Neighbour, way: u8| match decode::<IdentityProof>(&RULES, &near.bytes) {
            Ok(proof) => Some(encode(&table.mended(proof, &secrets, heard, way))),
            Err(_) => (way == 0).then(|| near.bytes.clone()),
        };
        let judge = |proof: &[u8]| refused_by(Self::judge(suite, &with(packet(proof))));
        sweep.ways = 8;
        for (near, clause) in sweep.run("IdentityProof", &encode(&proof), mend, judge) {
            made.push(Made::near(clause, &near, with(packet(&near.bytes))));
        }
        Ok(made)
    }
}

/// A record is sealed.
pub(in crate::vectors) enum SealRecord {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct SealRecordInput {
    session: Hex,
    purpose: u8,
    direction: u8,
    chain: Hex,
    sent: u64,
    stage: u8,
    message: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct SealRecordOutput {
    packet: Hex,
    chain: Hex,
}

fn direction(number: u8) -> Result<Direction, Stop> {
    match number {
        1 => Ok(Direction::InitiatorToResponder),
        2 => Ok(Direction::ResponderToInitiator),
        _ => Err(Stop::Malformed(format!("no direction {number}"))),
    }
}

fn stage(number: u8) -> Result<Stage, Stop> {
    let all = [Stage::Handshake, Stage::Initial, Stage::Block, Stage::Valid, Stage::Read];
    let known = all.into_iter().find(|stage| *stage as u8 == number);
    known.ok_or_else(|| Stop::Malformed(format!("no stage {number}")))
}

/// The keys of two chains, and the name of their session.
fn chains(rng: &mut ChaCha20Rng) -> [[u8; 32]; 2] {
    [(); 2].map(|()| {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        key
    })
}

impl Kind for SealRecord {
    const NAME: &'static str = "seal-record";
    const SUITES: &'static [&'static str] = super::NONE;
    type Input = SealRecordInput;
    type Output = SealRecordOutput;

    fn judge(_: Suite, input: &SealRecordInput) -> Result<SealRecordOutput, Stop> {
        let id = SessionId(Digest::from_bytes(input.session.array()?));
        let (purpose, own) = (purpose(input.purpose)?, direction(input.direction)?);
        let sending = (input.chain.array()?, input.sent);
        let mut line = Line::new(&RULES, id, purpose, own, sending, ([0; 32], 0));
        let packet = line.seal(&RULES, stage(input.stage)?, &input.message.0)?;
        Ok(SealRecordOutput { packet: Hex(packet), chain: line.chains()[0].into() })
    }

    fn make(_: Suite) -> Result<Vec<Made<SealRecordInput>>, Refusal> {
        let [session, chain] = chains(&mut rng(Self::NAME));
        let given = SealRecordInput {
            session: session.into(),
            purpose: 1,
            direction: 1,
            chain: chain.into(),
            sent: 0,
            stage: 1,
            message: b"what is said".into(),
        };
        let last = SealRecordInput { sent: (1 << 20) - 1, ..given.clone() };
        Ok(vec![
            Made::valid("the first", given.clone()),
            Made::valid("nothing", SealRecordInput { message: Hex::default(), ..given.clone() }),
            Made::valid("the other direction", SealRecordInput { direction: 2, ..given.clone() }),
            Made::valid("another purpose", SealRecordInput { purpose: 3, stage: 3, ..given.clone() }),
            Made::valid("the last", last.clone()),
            Made::invalid(Clause::KeyNotExhausted, "one more", SealRecordInput { sent: 1 << 20, ..last }),
            Made::invalid(Clause::StageFitsSession, "another stage", SealRecordInput { stage: 2, ..given })
                .of("RecordHeader.stage"),
        ])
    }
}

/// A record is opened.
pub(in crate::vectors) enum OpenRecord {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct OpenRecordInput {
    session: Hex,
    purpose: u8,
    direction: u8,
    chain: Hex,
    received: u64,
    packet: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct OpenRecordOutput {
    message: Hex,
    chain: Hex,
}

impl Kind for OpenRecord {
    const NAME: &'static str = "open-record";
    const SUITES: &'static [&'static str] = super::NONE;
    type Input = OpenRecordInput;
    type Output = OpenRecordOutput;

    fn judge(_: Suite, input: &OpenRecordInput) -> Result<OpenRecordOutput, Stop> {
        let id = SessionId(Digest::from_bytes(input.session.array()?));
        let (purpose, own) = (purpose(input.purpose)?, direction(input.direction)?.reverse());
        let receiving = (input.chain.array()?, input.received);
        let mut line = Line::new(&RULES, id, purpose, own, ([0; 32], 0), receiving);
        let message = line.open(&RULES, &input.packet.0)?;
        Ok(OpenRecordOutput { message: message.as_slice().into(), chain: line.chains()[1].into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<OpenRecordInput>>, Refusal> {
        let [session, chain] = chains(&mut rng(Self::NAME));
        let id = SessionId(Digest::from_bytes(session));
        let message = b"what was said";
        // What the sender of record `sequence` says, with a header like this.
        let sealed = |header: &RecordHeader| {
            let steps = header.sequence.clamp(1, 2_000);
            let before = (1..steps).fold(chain, |chain, _| *expand::<32>(&chain, Tag::CHAIN_NEXT, b""));
            let key = AeadKey::from_bytes(*expand::<32>(&before, Tag::RECORD_KEY, b""));
            let mut nonce = [0; 12];
            (nonce[0], nonce[1]) = (header.direction as u8, header.stage as u8);
            nonce[4..].copy_from_slice(&header.sequence.to_be_bytes());
            let ciphertext = key.seal(&nonce, &encode(header), message).into();
            encode(&Packet::Record(Record { header: *header, ciphertext }))
        };
        let header = |sequence| RecordHeader {
            session: id,
            direction: Direction::InitiatorToResponder,
            stage: Stage::Initial,
            sequence,
        };
        let given = OpenRecordInput {
            session: session.into(),
            purpose: 1,
            direction: 1,
            chain: chain.into(),
            received: 0,
            packet: Hex(sealed(&header(1))),
        };
        let with = |packet: Vec<u8>| OpenRecordInput { packet: Hex(packet), ..given.clone() };
        let mut made = vec![
            Made::valid("the first", given.clone()),
            Made::valid("one that skips 1023", with(sealed(&header(1024)))),
            Made::invalid(Clause::SkipIsBounded, "one that skips 1024", with(sealed(&header(1025))))
                .of("RecordHeader.sequence"),
        ];
        let exhausted = OpenRecordInput { received: 1 << 20, ..with(sealed(&header((1 << 20) + 1))) };
        made.push(
            Made::invalid(Clause::KeyNotExhausted, "one more than there are", exhausted)
                .of("RecordHeader.sequence"),
        );
        let repeated = OpenRecordInput { received: 1, ..given.clone() };
        made.push(
            Made::invalid(Clause::SequenceAdvances, "the last one again", repeated)
                .of("RecordHeader.sequence"),
        );
        let hello = Hello {
            version: PROTOCOL_VERSION,
            suite: Suite::Ristretto255,
            purpose: Purpose::Initial,
            nonce: [7; 32],
            ephemeral: vec![0; 32].into(),
        };
        made.push(
            Made::invalid(Clause::MessageTypeIsExpected, "a hello", with(encode(&Packet::Hello(hello))))
                .of("Packet.kind"),
        );
        let lands = Lands { suite, names: &[], entries: 3 };
        let mut sweep = Sweep { lands, ways: 2, done: BTreeSet::new() };
        let mend = |near: &Neighbour, way: u8| match (way, decode(&RULES, &near.bytes)) {
            (0, Ok(Packet::Record(record))) => Some(sealed(&record.header)),
            (1, _) => Some(near.bytes.clone()),
            _ => None,
        };
        let judge = |packet: &[u8]| refused_by(Self::judge(suite, &with(packet.to_vec())));
        for (near, clause) in sweep.run("Packet", &given.packet.0, mend, judge) {
            made.push(Made::near(clause, &near, with(near.bytes.clone())));
        }
        Ok(made)
    }
}

/// The custodian opens a seal.
pub(in crate::vectors) enum OpenSeal {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct OpenSealInput {
    own: Own,
    trust: Trust,
    now: u64,
    start: Hex,
    earlier: Vec<Hex>,
    seal: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct OpenSealOutput {
    digest: Hex,
    keys: Vec<Recovered>,
}

/// A key, and which record it opens.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Recovered {
    session: Hex,
    direction: u8,
    stage: u8,
    sequence: u64,
    key: Hex,
}

impl Kind for OpenSeal {
    const NAME: &'static str = "open-seal";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = OpenSealInput;
    type Output = OpenSealOutput;

    fn judge(suite: Suite, input: &OpenSealInput) -> Result<OpenSealOutput, Stop> {
        let mut trust = input.trust.store(suite)?;
        let custodian = Custodian::new(&RULES, input.own.credentials(suite, &mut trust, Time(input.now))?)?;
        let mut chain = custodian.open_chain(&RULES, &decode(&RULES, &input.start.0)?)?;
        for seal in &input.earlier {
            chain.open(&RULES, &decode(&RULES, &seal.0)?)?;
        }
        let seal: Seal = decode(&RULES, &input.seal.0)?;
        let keys = chain.open(&RULES, &seal)?.into_iter().map(|key| {
            let position = key.position();
            Recovered {
                session: position.session.0.as_bytes().into(),
                direction: position.direction as u8,
                stage: position.stage as u8,
                sequence: position.sequence,
                key: key.key().expose().into(),
            }
        });
        Ok(OpenSealOutput {
            digest: Digest::of(Tag::SEAL, &input.seal.0).as_bytes().into(),
            keys: keys.collect(),
        })
    }

    fn make(suite: Suite) -> Result<Vec<Made<OpenSealInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let authority = Authority::new(suite, Self::NAME);
        let identity = &authority.identity;
        let certificate = authority.certificate(1, "custodian", Role::Custodian, identity);
        let own = Own {
            signing: (*identity.signing_key().to_bytes()).as_slice().into(),
            agreement: (*identity.agreement_key().to_bytes()).as_slice().into(),
            certificate: Hex(encode(&certificate)),
        };
        let known = |text: &str| name(text).map_err(ill);
        let body = SealChainBody {
            version: PROTOCOL_VERSION,
            suite,
            owner: known("bsd")?,
            custodian: known("custodian")?,
        };
        let public =
            EncapsulationKey::decode(&RULES, suite, &identity.agreement_key().encapsulation_key().encode())?;
        let (encapsulation, shared) = public.encapsulate(&RULES, &mut rng, &encode(&body));
        let start = SealChainStart { body, encapsulation: encapsulation.into() };
        let chain = Digest::of(Tag::SEAL_CHAIN, &encode(&start));
        let first = *expand::<32>(shared.expose(), Tag::SEAL_CHAIN, chain.as_bytes());
        let key = |byte: u8, sequence| SealedKey {
            session: SessionId(Digest::from_bytes([byte; 32])),
            direction: Direction::InitiatorToResponder,
            sequence,
            peer: name("dr-ada").unwrap_or_else(|_| unreachable!("it is printable and short")),
        };
        let context = |index, stage, keys: Vec<SealedKey>| SealContext {
            version: PROTOCOL_VERSION,
            chain,
            index,
            tid: Digest::from_bytes([5; 32]),
            stage,
            owner: start.body.owner.clone(),
            keys: keys.into(),
        };
        // What is no key, the same bytes for each.
        let sealed = |context: SealContext| {
            let steps = context.index.clamp(1, 1_000);
            let before = (1..steps).fold(first, |chain, _| *expand::<32>(&chain, Tag::SEAL_NEXT, b""));
            let key = AeadKey::from_bytes(*expand::<32>(&before, Tag::SEAL_KEY, b""));
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&context.index.to_be_bytes());
            let plain: Vec<u8> = (0..context.keys.len()).flat_map(|at| [at as u8 + 1; 32]).collect();
            let wrapped = key.seal(&nonce, &encode(&context), &plain).into();
            encode(&Seal { context, wrapped })
        };
        let genuine = sealed(context(1, Stage::Initial, vec![key(1, 1), key(2, 9)]));
        let given = OpenSealInput {
            own,
            trust: Trust::of(&authority.anchor(), &authority.list(1, &[])),
            now: START.0 + LIFE / 2,
            start: Hex(encode(&start)),
            earlier: Vec::new(),
            seal: Hex(genuine.clone()),
        };
        let with = |seal: Vec<u8>| OpenSealInput { seal: Hex(seal), ..given.clone() };
        let after = |seal: Vec<u8>| OpenSealInput { earlier: vec![Hex(genuine.clone())], ..with(seal) };
        let mut made = vec![
            Made::valid("the first of the chain", given.clone()),
            Made::valid("the same again", after(genuine.clone())),
            Made::valid("the third", with(sealed(context(3, Stage::Block, vec![key(1, 1)])))),
            Made::invalid(
                Clause::SealedKeyIsErased,
                "a key that came out of another seal",
                after(sealed(context(2, Stage::Initial, vec![key(3, 1), key(2, 9)]))),
            )
            .of("SealContext.keys"),
            Made::invalid(
                Clause::SealedKeyIsErased,
                "one key twice",
                with(sealed(context(1, Stage::Initial, vec![key(1, 1), key(1, 1)]))),
            )
            .of("SealContext.keys"),
        ];
        let lands = || Lands { suite, names: &["~", "bsd-2"], entries: 3 };
        let mut sweep = Sweep { lands: lands(), ways: 2, done: BTreeSet::new() };
        let mend = |near: &Neighbour, way: u8| match (way, decode::<Seal>(&RULES, &near.bytes)) {
            (0, Ok(seal)) => Some(sealed(seal.context)),
            (1, _) => Some(near.bytes.clone()),
            _ => None,
        };
        let judge = |seal: &[u8]| refused_by(Self::judge(suite, &with(seal.to_vec())));
        for (near, clause) in sweep.run("Seal", &genuine, mend, judge) {
            made.push(Made::near(clause, &near, with(near.bytes.clone())));
        }
        let with = |start: &[u8]| OpenSealInput { start: start.into(), ..given.clone() };
        let judge = |start: &[u8]| refused_by(Self::judge(suite, &with(start)));
        for (near, clause) in
            sweep.run("SealChainStart", &given.start.0, |near, _| Some(near.bytes.clone()), judge)
        {
            made.push(Made::near(clause, &near, with(&near.bytes)));
        }
        Ok(made)
    }
}
