//! The handshake from both sides (chapter 5).

use super::keys::{Authority, Trust};
use super::prelude::*;
use crate::vectors::replayer::Own;
use bemr::keys::{Credentials, Identity, TrustStore};
use bemr::session::{AwaitingHello, AwaitingResponse, Session};
use rand::Rng;

data! {
    /// The key schedule of one handshake.
    Shaken {
        hello: Hex, response: Hex, finish: Hex, t1: Hex, t2: Hex, t3: Hex, shared: Hex, secret: Hex, session: Hex,
        initiator_to_responder: Hex, responder_to_initiator: Hex,
    }
    InitiatorInput {
        own: Own, trust: Trust, now: u64, purpose: u8, intended: String, drawn: Hex, answered: u64, response: Hex,
    }
    ResponderInput {
        own: Own,
        trust: Trust,
        /// Hellos that were answered before, and when.
        earlier: Vec<Heard>,
        now: u64, hello: Hex, drawn: Hex, finished: u64, finish: Hex,
    }
    /// A hello that was answered.
    Heard { now: u64, hello: Hex, drawn: Hex }
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

    /// The certificate in a proof of identity.
    fn certificate(&self, of_initiator: bool, proof: &[u8]) -> Result<Certificate, Stop> {
        let (key, nonce) = self.proof_key(of_initiator);
        let opened = key.open(&nonce, self.t1.as_bytes(), proof);
        let opened = opened.ok_or_else(|| Stop::Malformed("a proof does not open".to_owned()))?;
        Ok(decode::<IdentityProof>(&RULES, &opened)?.certificate)
    }
}

/// The key schedule of a handshake that ended in a session, derived from what this side drew.
fn schedule(suite: Suite, packets: [&[u8]; 3], drawn: &Hex, session: &Session) -> Result<Shaken, Stop> {
    let [hello, response, finish] = packets.map(|packet| decode(&RULES, packet));
    let (Packet::Hello(hello), Packet::Response(response), Packet::Finish(finish)) =
        (hello?, response?, finish?)
    else {
        return Err(Stop::Malformed("not the packets of a handshake".to_owned()));
    };
    let (_, pair) = pair(suite, drawn)?;
    let of_initiator = pair.public().encode() == hello.ephemeral.as_slice();
    let theirs = if of_initiator { &response.ephemeral } else { &hello.ephemeral };
    let secrets = Secrets::of(&hello, &response, &pair, &Element::decode(&RULES, suite, theirs.as_slice())?)?;
    let responder = secrets.certificate(false, response.proof.as_slice())?;
    let initiator = secrets.certificate(true, finish.proof.as_slice())?;
    let t2 = secrets.t2(&responder);
    let t3 = transcript(3, &[t2.as_bytes(), &encode(&response.proof), &encode(&initiator)]);
    let id = secrets.key(Domain::SESSION_ID, &t3);
    if *session.id().0.as_bytes() != id {
        return Err(Stop::Malformed("the session has another id".to_owned()));
    }
    let [hello, response, finish] = packets.map(Hex::from);
    let digest = |digest: &Digest| digest.as_bytes().into();
    Ok(Shaken {
        hello,
        response,
        finish,
        t1: digest(&secrets.t1),
        t2: digest(&t2),
        t3: digest(&t3),
        initiator_to_responder: secrets.key(Domain::CHAIN_INITIATOR, &t3).into(),
        responder_to_initiator: secrets.key(Domain::CHAIN_RESPONDER, &t3).into(),
        secret: secrets.secret.into(),
        shared: Hex(secrets.shared),
        session: id.into(),
    })
}

pub(super) fn purpose(number: u8) -> Result<SessionType, Stop> {
    let known = SessionType::ALL.into_iter().find(|purpose| *purpose as u8 == number);
    known.ok_or_else(|| Stop::Malformed(format!("no purpose {number}")))
}

/// A nonce, then an ephemeral pair.
fn pair(suite: Suite, bytes: &Hex) -> Result<([u8; 32], Ephemeral), String> {
    drawing(bytes, |tape| {
        let mut nonce = [0; 32];
        tape.fill_bytes(&mut nonce);
        (nonce, Ephemeral::generate(suite, tape))
    })
}

/// One of the two, with its keys.
struct Peer {
    own: Own,
    identity: Identity,
    certificate: Certificate,
    drawn: Hex,
}

/// Initiator and responder up to the response.
struct Fixture {
    suite: Suite,
    authority: Authority,
    trust: Trust,
    initiator: Peer,
    responder: Peer,
    hello: Hello,
    response: Response,
    secrets: Secrets,
}

impl Fixture {
    fn new(suite: Suite, kind: &str) -> Result<Fixture, Stop> {
        let authority = Authority::new(suite, kind);
        let mut rng = rng(kind);
        let mut peer = |serial, subject: &str, role| {
            let identity = Identity::generate(suite, &mut rng);
            let certificate = authority.certificate(serial, subject, role, &identity);
            Peer { own: Own::with(&identity, &certificate), identity, certificate, drawn: Hex::default() }
        };
        let (mut initiator, mut responder) = (peer(1, "dr-ada", Role::Doctor), peer(2, "bsd", Role::Bsd));
        for peer in [&mut initiator, &mut responder] {
            peer.drawn = Hex([drawn(&mut rng, 32), scalar_bytes(&mut rng, suite)].concat());
        }
        let (nonce, own) = pair(suite, &initiator.drawn)?;
        let (ephemeral, purpose) = (own.public().encode().into(), SessionType::Initial);
        let hello = Hello { version: PROTOCOL_VERSION, suite, purpose, nonce, ephemeral };
        let (nonce, theirs) = pair(suite, &responder.drawn)?;
        let response =
            Response { nonce, ephemeral: theirs.public().encode().into(), proof: Vec::new().into() };
        let secrets = Secrets::of(&hello, &response, &own, theirs.public())?;
        let trust = authority.trust(&authority.list(1, &[u64::MAX]));
        let mut fixture = Fixture { suite, authority, trust, initiator, responder, hello, response, secrets };
        let proof = encode(&fixture.proof(&fixture.responder.certificate, None));
        fixture.response.proof = fixture.secrets.seal(false, &proof).into();
        Ok(fixture)
    }

    /// A proof of identity with this certificate; the initiator's with what it covers besides.
    fn proof(&self, certificate: &Certificate, heard: Option<(&Digest, &[u8])>) -> IdentityProof {
        let (certificate, signature) = (certificate.clone(), certificate.signature.clone());
        self.repaired(IdentityProof { certificate, signature, confirmation: [0; 32] }, heard, 0)
    }

    /// A proof of identity that is consistent again: each bit of the way leaves one thing as it was.
    fn repaired(&self, mut proof: IdentityProof, heard: Option<(&Digest, &[u8])>, way: u8) -> IdentityProof {
        if way & 4 == 0 {
            self.authority.sign_again(&mut proof.certificate);
        }
        let (said, signer, tags) = match heard {
            None => {
                let tags = (Domain::RESPONDER_SIGNATURE, Domain::RESPONDER_CONFIRMATION);
                (self.secrets.t2(&proof.certificate), &self.responder, tags)
            }
            Some((t2, response)) => {
                let tags = (Domain::INITIATOR_SIGNATURE, Domain::INITIATOR_CONFIRMATION);
                let parts = [t2.as_bytes(), response, &encode(&proof.certificate)];
                (transcript(3, &parts), &self.initiator, tags)
            }
        };
        if way & 2 == 0 {
            proof.signature = signer.identity.signing_key().sign(&RULES, tags.0, said.as_bytes());
        }
        if way & 1 == 0 {
            proof.confirmation = self.secrets.key(tags.1, &said);
        }
        proof
    }

    const fn sweep(&self) -> Sweep<'static> {
        Sweep::new(self.suite, &["dr-ada", "bsd", "~"], 1)
    }
}

/// A party to a handshake: its credentials, and whom it trusts.
type Party = (Credentials, TrustStore);

fn party(suite: Suite, own: &Own, trust: &Trust, now: u64) -> Result<Party, Stop> {
    let mut trust = trust.store(suite)?;
    Ok((own.credentials(suite, &mut trust, Time(now))?, trust))
}

impl InitiatorInput {
    /// As the party that it names.
    fn perform(&self, suite: Suite, (own, trust): &Party) -> Result<Shaken, Stop> {
        let mut trust = trust.clone();
        let (now, purpose, intended) = (Time(self.now), purpose(self.purpose)?, name(&self.intended)?);
        let mut tape = given(&self.drawn.0);
        let (state, hello) = AwaitingResponse::begin(&RULES, &mut tape, now, own, purpose, &intended)?;
        exhausted(&tape)?;
        let answered = state.on_response(&RULES, &mut trust, Time(self.answered), &self.response.0);
        let (session, finish) = answered.map_err(|refused| refused.refusal)?;
        schedule(suite, [&hello, &self.response.0, &finish], &self.drawn, &session)
    }
}

/// The side that says hello.
impl InitiatorInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Shaken, Stop> {
        self.perform(suite, &party(suite, &self.own, &self.trust, self.now)?)
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::*;
        let fixture = Fixture::new(suite, Self::NAME)?;
        let genuine = encode(&Packet::Response(fixture.response.clone()));
        let given = InitiatorInput {
            own: fixture.initiator.own.clone(),
            trust: fixture.trust.clone(),
            now: START.0,
            purpose: SessionType::Initial as u8,
            intended: "bsd".to_owned(),
            drawn: fixture.initiator.drawn.clone(),
            answered: START.0 + 10,
            response: Hex(genuine.clone()),
        };
        let party = party(suite, &given.own, &given.trust, given.now)?;
        let perform = |input: &InitiatorInput| rejected_by(input.perform(suite, &party));
        let mut cases = Cases::of(suite, given);
        cases.valid("as the chapter says", |_| ());
        cases.valid("in the last millisecond", |input| input.answered = START.0 + 59_999);
        cases.invalid(SessionIsFresh, "too late", |input| input.answered = START.0 + 60_000);
        cases.invalid(PeerIsNotSelf, "with oneself", |input| input.intended = "dr-ada".to_owned());
        cases.invalid(RoleFitsPlace, "no place of a user", |input| input.purpose = 2);
        let hello = Hex::of(&Packet::Hello(fixture.hello.clone()));
        cases
            .invalid(MessageTypeIsExpected, "a hello for a response", |input| input.response = hello)
            .about(&["Packet.kind"]);
        let (session, direction) = (SessionId(Digest::default()), Direction::ResponderToInitiator);
        let header = RecordHeader { session, direction, stage: ContentType::Initial, sequence: 1 };
        let early = Hex::of(&Packet::Record(Record { header, ciphertext: vec![0; 16].into() }));
        cases
            .invalid(SessionEstablished, "a record for a response", |input| input.response = early)
            .about(&["Packet.kind"]);
        let mut sweep = fixture.sweep();
        let put = |input: &mut InitiatorInput, packet: &[u8]| input.response = packet.into();
        cases.sweep_by(&mut sweep, "Packet", &genuine, &as_it_is, &put, &perform);
        let prove = |input: &mut InitiatorInput, proof: &[u8]| {
            let proof = fixture.secrets.seal(false, proof).into();
            input.response = Hex::of(&Packet::Response(Response { proof, ..fixture.response.clone() }));
        };
        let repair =
            mended(|proof: &mut IdentityProof, way| *proof = fixture.repaired(proof.clone(), None, way));
        sweep.ways = 8;
        let proof = encode(&fixture.proof(&fixture.responder.certificate, None));
        cases.sweep_by(&mut sweep, "IdentityProof", &proof, &repair, &prove, &perform);
        // Another server with a genuine certificate, and a certificate after the list has run out.
        let other = fixture.authority.certificate(3, "bsd-2", Role::Bsd, &fixture.responder.identity);
        let proof = encode(&fixture.proof(&other, None));
        cases
            .invalid(PeerIsIntended, "another server", |input| prove(input, &proof))
            .about(&["IdentityProof.certificate", "CertificateBody.subject"]);
        let mut lasting = fixture.responder.certificate.clone();
        lasting.body.not_after = Time(u64::MAX);
        let proof = encode(&fixture.proof(&lasting, None));
        let stale = fixture.authority.trust(&fixture.authority.list_until(1, &[], START.after(5)));
        cases
            .invalid(RevocationListIsCurrent, "the list has run out", |input| {
                input.trust = stale;
                prove(input, &proof);
            })
            .about(&["IdentityProof.certificate"]);
        Ok(cases.all())
    }
}

impl ResponderInput {
    /// As the party that it names.
    fn perform(&self, suite: Suite, (own, trust): &Party) -> Result<Shaken, Stop> {
        let mut trust = trust.clone();
        let mut listening = AwaitingHello::new(own);
        let last = Heard { now: self.now, hello: self.hello.clone(), drawn: self.drawn.clone() };
        let mut answered = None;
        for Heard { now, hello, drawn } in self.earlier.iter().chain([&last]) {
            let mut tape = given(&drawn.0);
            answered = Some(listening.on_hello(&RULES, &mut tape, Time(*now), &hello.0)?);
            exhausted(&tape)?;
        }
        let (state, response) = answered.expect("the last hello was answered");
        let finished = state.on_finish(&RULES, &mut trust, Time(self.finished), &self.finish.0);
        let session = finished.map_err(|refused| refused.refusal)?;
        schedule(suite, [&self.hello.0, &response, &self.finish.0], &self.drawn, &session)
    }
}

/// The side that answers.
impl ResponderInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Shaken, Stop> {
        self.perform(suite, &party(suite, &self.own, &self.trust, self.now)?)
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let fixture = Fixture::new(suite, Self::NAME)?;
        let t2 = fixture.secrets.t2(&fixture.responder.certificate);
        let said = encode(&fixture.response.proof);
        let heard = Some((&t2, said.as_slice()));
        let finish = |proof: &[u8]| {
            encode(&Packet::Finish(Finish { proof: fixture.secrets.seal(true, proof).into() }))
        };
        let proof = encode(&fixture.proof(&fixture.initiator.certificate, heard));
        let (hello, genuine) = (Hex::of(&Packet::Hello(fixture.hello.clone())), finish(&proof));
        let given = ResponderInput {
            own: fixture.responder.own.clone(),
            trust: fixture.trust.clone(),
            earlier: Vec::new(),
            now: START.0,
            hello: hello.clone(),
            drawn: fixture.responder.drawn.clone(),
            finished: START.0 + 10,
            finish: Hex(genuine.clone()),
        };
        let party = party(suite, &given.own, &given.trust, given.now)?;
        let perform = |input: &ResponderInput| rejected_by(input.perform(suite, &party));
        let mut cases = Cases::of(suite, given);
        let again = |input: &mut ResponderInput, now: u64| {
            let drawn = fixture.initiator.drawn.clone();
            input.earlier.push(Heard { now, hello: hello.clone(), drawn });
            (input.now, input.finished) = (START.0 + 60_000, START.0 + 60_000);
        };
        cases.valid("as the chapter says", |_| ());
        cases.valid("in the last millisecond", |input| input.finished = START.0 + 59_999);
        let fresh = Clause::SessionIsFresh;
        cases.invalid(fresh, "too late", |input| input.finished = START.0 + 60_000);
        cases
            .invalid(fresh, "a hello that it remembers", |input| again(input, START.0 + 1))
            .about(&["Hello.nonce"]);
        cases.valid("a hello that it has forgotten", |input| again(input, START.0));
        cases
            .invalid(Clause::MessageTypeIsExpected, "a hello for a finish", |input| {
                input.finish = hello.clone();
            })
            .about(&["Packet.kind"]);
        let mut sweep = fixture.sweep();
        let put = |input: &mut ResponderInput, packet: &[u8]| input.hello = packet.into();
        cases.sweep_by(&mut sweep, "Packet", &hello.0, &as_it_is, &put, &perform);
        let put = |input: &mut ResponderInput, packet: &[u8]| input.finish = packet.into();
        cases.sweep_by(&mut sweep, "Packet", &genuine, &as_it_is, &put, &perform);
        let repair =
            mended(|proof: &mut IdentityProof, way| *proof = fixture.repaired(proof.clone(), heard, way));
        sweep.ways = 8;
        let prove = |input: &mut ResponderInput, proof: &[u8]| input.finish = Hex(finish(proof));
        cases.sweep_by(&mut sweep, "IdentityProof", &proof, &repair, &prove, &perform);
        Ok(cases.all())
    }
}
