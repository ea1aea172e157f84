//! The handshake from both sides (chapter 5).

use super::drawn_bytes::Tape;
use super::draws::{drawn, rng, scalar_bytes};
use super::keys::{Authority, Trust, name};
use super::{Kind, Made, RULES, SUITES, Stop, rejected_by, swept};
use crate::forge::{Sweep, as_it_is, mended};
use crate::simulator::START;
use crate::vectors::Hex;
use crate::vectors::replayer::Own;
use bemr::crypto::{AeadKey, Digest, Domain, Element, Ephemeral, Suite, expand, extract};
use bemr::keys::{Credentials, Identity, TrustStore};
use bemr::session::{AwaitingHello, AwaitingResponse, Session};
use bemr::wire::{
    Certificate, ContentType, Direction, Finish, Hello, IdentityProof, PROTOCOL_VERSION, Packet, Record,
    RecordHeader, Response, Role, SessionId, SessionType, Time, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    Digest::of(Domain::TRANSCRIPT, &[&[number], &*parts.concat()].concat())
}

impl Secrets {
    fn of(hello: &Hello, response: &Response, own: &Ephemeral, peer: &Element) -> Result<Secrets, Refusal> {
        let t1 = transcript(1, &[&encode(hello), &response.nonce, &encode(&response.ephemeral)]);
        let shared = own.try_agree(peer)?.as_bytes().to_vec();
        Ok(Secrets { t1, secret: *extract(t1.as_bytes(), &shared), shared })
    }

    fn key(&self, tag: Domain, transcript: &Digest) -> [u8; 32] {
        *expand::<32>(&self.secret, tag, transcript.as_bytes())
    }

    fn t2(&self, responder: &Certificate) -> Digest {
        transcript(2, &[self.t1.as_bytes(), &encode(responder)])
    }

    fn proof_key(&self, of_initiator: bool) -> (AeadKey, [u8; 12]) {
        let tag = if of_initiator { Domain::INITIATOR_PROOF_KEY } else { Domain::RESPONDER_PROOF_KEY };
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
        let id = self.key(Domain::SESSION_ID, &t3);
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
            initiator_to_responder: self.key(Domain::CHAIN_INITIATOR, &t3).into(),
            responder_to_initiator: self.key(Domain::CHAIN_RESPONDER, &t3).into(),
        })
    }
}

pub(super) fn purpose(number: u8) -> Result<SessionType, Stop> {
    let known = SessionType::ALL.into_iter().find(|purpose| *purpose as u8 == number);
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
            let own = Authority::own(&certificate, &identity);
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
        let purpose = SessionType::Initial;
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
            proof.certificate.signature = self.authority.sign(Domain::CERTIFICATE, &body);
        }
        let (said, signer, tags) = match heard {
            None => {
                let tags = (Domain::RESPONDER_SIGNATURE, Domain::RESPONDER_CONFIRMATION);
                (secrets.t2(&proof.certificate), &self.responder.1, tags)
            }
            Some((t2, response)) => {
                let tags = (Domain::INITIATOR_SIGNATURE, Domain::INITIATOR_CONFIRMATION);
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

    const fn sweep(&self) -> Sweep<'static> {
        Sweep::new(self.suite, &["dr-ada", "bsd", "~"], 1)
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

impl InitiatorInput {
    /// With the credentials and the trust that it speaks of.
    fn shake(&self, suite: Suite, own: &Credentials, mut trust: TrustStore) -> Result<Shaken, Stop> {
        let mut tape = Tape::of(&self.drawn.0);
        let (purpose, intended) = (purpose(self.purpose)?, name(&self.intended)?);
        let begun = AwaitingResponse::begin(&RULES, &mut tape, Time(self.now), own, purpose, &intended);
        let (state, hello) = begun?;
        tape.end()?;
        let answered = state.on_response(&RULES, &mut trust, Time(self.answered), &self.response.0);
        let (session, finish) = answered.map_err(|refused| refused.refusal)?;
        let (Packet::Hello(hello), Packet::Response(response), Packet::Finish(finish)) =
            (decode(&RULES, &hello)?, decode(&RULES, &self.response.0)?, decode(&RULES, &finish)?)
        else {
            return Err(Stop::Malformed("not the packets of a handshake".to_owned()));
        };
        let (_, pair) = pair(suite, &self.drawn.0)?;
        let element = Element::decode(&RULES, suite, response.ephemeral.as_slice())?;
        Secrets::of(&hello, &response, &pair, &element)?.shaken(&hello, &response, &finish, &session)
    }
}

impl Kind for Initiator {
    const NAME: &'static str = "initiator";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = InitiatorInput;
    type Output = Shaken;

    fn judge(suite: Suite, input: &InitiatorInput) -> Result<Shaken, Stop> {
        let mut trust = input.trust.store(suite)?;
        let own = input.own.credentials(suite, &mut trust, Time(input.now))?;
        input.shake(suite, &own, trust)
    }

    fn make(suite: Suite) -> Result<Vec<Made<InitiatorInput>>, Refusal> {
        let table = Table::set(suite, Self::NAME);
        let (hello, own) = table.hello(&table.draws[0])?;
        let (nonce, theirs) = pair(suite, &table.draws[1])?;
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
            purpose: SessionType::Initial as u8,
            intended: "bsd".to_owned(),
            drawn: Hex(table.draws[0].clone()),
            answered: START.0 + 10,
            response: Hex(genuine.clone()),
        };
        let with = |packet: Vec<u8>| InitiatorInput { response: Hex(packet), ..given.clone() };
        let mut trust = given.trust.store(suite)?;
        let own = given.own.credentials(suite, &mut trust, Time(given.now))?;
        let shake = |input: &InitiatorInput| rejected_by(input.shake(suite, &own, trust.clone()));
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
            stage: ContentType::Initial,
            sequence: 1,
        };
        let early = encode(&Packet::Record(Record { header, ciphertext: vec![0; 16].into() }));
        made.push(
            Made::invalid(Clause::SessionEstablished, "a record for a response", with(early))
                .of("Packet.kind"),
        );
        let mut sweep = table.sweep();
        let with = |packet: &[u8]| InitiatorInput { response: packet.into(), ..given.clone() };
        made.extend(swept(&mut sweep, "Packet", &genuine, as_it_is, with, shake));
        let packet = |proof: &[u8]| {
            let proof = secrets.seal(false, proof).into();
            encode(&Packet::Response(Response { proof, ..response.clone() }))
        };
        let mend = mended(|proof: &mut IdentityProof, way| {
            *proof = table.mended(proof.clone(), &secrets, None, way)
        });
        sweep.ways = 8;
        let proven = |proof: &[u8]| with(&packet(proof));
        made.extend(swept(&mut sweep, "IdentityProof", &encode(&proof), mend, proven, shake));
        // Another server with a genuine certificate, and a certificate after the list has run out.
        let other = table.authority.certificate(3, "bsd-2", Role::Bsd, &table.responder.1);
        let proof = table.mended(table.genuine(&other), &secrets, None, 0);
        made.push(
            Made::invalid(Clause::PeerIsIntended, "another server", proven(&encode(&proof)))
                .of("IdentityProof.certificate")
                .of("CertificateBody.subject"),
        );
        let mut lasting = table.responder.2.clone();
        lasting.body.not_after = Time(u64::MAX);
        let proof = table.mended(table.genuine(&lasting), &secrets, None, 0);
        let stale = table.authority.list_until(1, START.after(5));
        let late =
            InitiatorInput { trust: Trust::of(&table.authority.anchor(), &stale), ..proven(&encode(&proof)) };
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

impl ResponderInput {
    /// With the credentials and the trust that it speaks of.
    fn shake(&self, suite: Suite, own: &Credentials, mut trust: TrustStore) -> Result<Shaken, Stop> {
        let mut listening = AwaitingHello::new(own);
        for Heard { now, hello, drawn } in &self.earlier {
            let mut tape = Tape::of(&drawn.0);
            listening.on_hello(&RULES, &mut tape, Time(*now), &hello.0)?;
            tape.end()?;
        }
        let mut tape = Tape::of(&self.drawn.0);
        let (state, response) = listening.on_hello(&RULES, &mut tape, Time(self.now), &self.hello.0)?;
        tape.end()?;
        let finished = state.on_finish(&RULES, &mut trust, Time(self.finished), &self.finish.0);
        let session = finished.map_err(|refused| refused.refusal)?;
        let (Packet::Hello(hello), Packet::Response(response), Packet::Finish(finish)) =
            (decode(&RULES, &self.hello.0)?, decode(&RULES, &response)?, decode(&RULES, &self.finish.0)?)
        else {
            return Err(Stop::Malformed("not the packets of a handshake".to_owned()));
        };
        let (_, pair) = pair(suite, &self.drawn.0)?;
        let element = Element::decode(&RULES, suite, hello.ephemeral.as_slice())?;
        Secrets::of(&hello, &response, &pair, &element)?.shaken(&hello, &response, &finish, &session)
    }
}

impl Kind for Responder {
    const NAME: &'static str = "responder";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = ResponderInput;
    type Output = Shaken;

    fn judge(suite: Suite, input: &ResponderInput) -> Result<Shaken, Stop> {
        let mut trust = input.trust.store(suite)?;
        let own = input.own.credentials(suite, &mut trust, Time(input.now))?;
        input.shake(suite, &own, trust)
    }

    fn make(suite: Suite) -> Result<Vec<Made<ResponderInput>>, Refusal> {
        let table = Table::set(suite, Self::NAME);
        let (hello, theirs) = table.hello(&table.draws[0])?;
        let (nonce, own) = pair(suite, &table.draws[1])?;
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
        let mut trust = given.trust.store(suite)?;
        let own = given.own.credentials(suite, &mut trust, Time(given.now))?;
        let shake = |input: &ResponderInput| rejected_by(input.shake(suite, &own, trust.clone()));
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
        let mut sweep = table.sweep();
        let heard_by = |hello: &[u8]| ResponderInput { hello: hello.into(), ..given.clone() };
        made.extend(swept(&mut sweep, "Packet", &called, as_it_is, heard_by, shake));
        let with = |finish: &[u8]| ResponderInput { finish: finish.into(), ..given.clone() };
        made.extend(swept(&mut sweep, "Packet", &genuine, as_it_is, with, shake));
        let mend = mended(|proof: &mut IdentityProof, way| {
            *proof = table.mended(proof.clone(), &secrets, heard, way);
        });
        sweep.ways = 8;
        let proven = |proof: &[u8]| with(&packet(proof));
        made.extend(swept(&mut sweep, "IdentityProof", &encode(&proof), mend, proven, shake));
        Ok(made)
    }
}
