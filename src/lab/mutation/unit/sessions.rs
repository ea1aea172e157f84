//! Sessions between two ends, with records that do not belong where they come.

use crate::mutation::unit::cases::{Story, Told, begin, expect, response};
use crate::mutation::unit::envelopes::{ACQUAINTED, DOCTOR, ONE};
use crate::simulator::{NetworkConfig, ProvisionedKeys, START};
use crate::sut::SystemUnderTest;
use bemr::crypto::Suite;
use bemr::session::{AwaitingFinish, AwaitingHello, AwaitingResponse, Session};
use bemr::wire::{self, ContentType, SessionType};
use bemr_model::{self, Actor, Forgery, Happened, HelloId, Message, Ordinal, Packet};
use bemr_spec::Clause::*;
use bemr_spec::{Clause, Refusal, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

pub(super) const STORIES: &[(Clause, &str, Story)] = &[
    (MessageTypeIsExpected, "a vote in a session for submissions", misplaced_vote),
    (SessionEstablished, "a record before the finish", before_the_finish),
    (KeyNotExhausted, "a record more than a session may have", one_more),
    (RecordNamesSession, "a record of another session", another_session),
    (HelloDisplacesNone, "a hello before the finish of another", hello_before_the_finish),
];

const HARDENED: Rules = Rules::hardened();

fn told(refusal: Refusal) -> String {
    refusal.to_string()
}

fn found() -> Result<(ProvisionedKeys, ChaCha20Rng), String> {
    let foundation = NetworkConfig::new(Suite::Tiny, 1).provision().map_err(told)?;
    Ok((foundation, ChaCha20Rng::seed_from_u64(1)))
}

/// The doctor with a session, the BSD that has not heard the finish of it, and the finish.
fn half(
    foundation: &mut ProvisionedKeys,
    rng: &mut ChaCha20Rng,
) -> Result<(Session, AwaitingFinish, Vec<u8>), Refusal> {
    let cast = &foundation.roster;
    let of = |name| foundation.credentials.get(name).ok_or(Refusal::new(RoleFitsPlace));
    let (own, peer) = (of(&cast.doctor)?, of(&cast.bsd)?);
    let (near, hello) = AwaitingResponse::begin(&HARDENED, rng, START, own, SessionType::Initial, &cast.bsd)?;
    let (far, response) = AwaitingHello::new(peer).on_hello(&HARDENED, rng, START, &hello)?;
    let heard = near.on_response(&HARDENED, &mut foundation.trust, START, &response);
    let (near, finish) = heard.map_err(|refused| refused.refusal)?;
    Ok((near, far, finish))
}

fn session(foundation: &mut ProvisionedKeys, rng: &mut ChaCha20Rng) -> Result<(Session, Session), Refusal> {
    let (near, far, finish) = half(foundation, rng)?;
    let far = far.on_finish(&HARDENED, &mut foundation.trust, START, &finish);
    Ok((near, far.map_err(|refused| refused.refusal)?))
}

fn another_session(rules: &Rules, clause: Clause) -> Told {
    let (mut foundation, mut rng) = found()?;
    let (mut first, _) = session(&mut foundation, &mut rng).map_err(told)?;
    let (_, mut far) = session(&mut foundation, &mut rng).map_err(told)?;
    let record = first.seal_record(&HARDENED, ContentType::Initial, b"m").map_err(told)?.record;
    expect(far.open_record(rules, &record).err().map(|refusal| refusal.clause()), clause)
}

fn before_the_finish(rules: &Rules, clause: Clause) -> Told {
    let (mut foundation, mut rng) = found()?;
    let (mut near, far, _) = half(&mut foundation, &mut rng).map_err(told)?;
    let record = near.seal_record(&HARDENED, ContentType::Initial, b"m").map_err(told)?.record;
    expect(far.on_record(rules, &record).err().map(|refusal| refusal.clause()), clause)
}

fn one_more(rules: &Rules, clause: Clause) -> Told {
    let (mut foundation, mut rng) = found()?;
    let (mut near, _) = session(&mut foundation, &mut rng).map_err(told)?;
    near.wear_out();
    expect(near.seal_record(rules, ContentType::Initial, b"m").err().map(|refusal| refusal.clause()), clause)
}

/// Bytes of the doctor's arrive at the BSD.
fn arrives(sut: &mut SystemUnderTest, bytes: &[u8], term: Packet) -> Result<Happened, String> {
    let packet: wire::Packet = wire::decode(&HARDENED, bytes).map_err(told)?;
    sut.inject(DOCTOR, Actor::Bsd, &packet, term).ok_or_else(|| "it does not arrive".to_owned())
}

/// A handshake of the doctor with the BSD: the doctor's session, the term of the finish, and what became of it. With `disturbed`,
/// another hello under the doctor's address arrives before the finish.
fn handshake(sut: &mut SystemUnderTest, disturbed: bool) -> Result<(Session, Packet, Happened), String> {
    let ProvisionedKeys { credentials, roster, trust, .. } = sut.foundation();
    let own = credentials.get(&roster.doctor).ok_or("no doctor")?.clone();
    let (bsd, mut trust) = (roster.bsd.clone(), trust.clone());
    let (now, mut rng) = (START.after(sut.now()), ChaCha20Rng::seed_from_u64(1));
    let mut begin = || AwaitingResponse::begin(&HARDENED, &mut rng, now, &own, SessionType::Initial, &bsd);
    let (near, called) = begin().map_err(told)?;
    let (_, other) = begin().map_err(told)?;
    let hello = |number| {
        let hello = HelloId { from: DOCTOR, to: Actor::Bsd, number };
        Packet::Hello { hello, purpose: bemr_model::ContentType::Initial }
    };
    let first = Ordinal::default().forged(Forgery::ONLY);
    let answered = arrives(sut, &called, hello(first))?;
    let session = response(&answered).ok_or("no response")?;
    let answer = sut.sent_as(|sent| *sent == Packet::Response { session }).ok_or("no response")?;
    if disturbed {
        let answered = arrives(sut, &other, hello(Ordinal::default()))?;
        response(&answered).ok_or("no response to the other hello")?;
    }
    let established = near.on_response(&HARDENED, &mut trust, now, &wire::encode(&answer));
    let (near, finish) = established.map_err(|refused| told(refused.refusal))?;
    let term = Packet::Finish { session, by: DOCTOR };
    let finished = arrives(sut, &finish, term)?;
    Ok((near, term, finished))
}

/// A hello under the doctor's address, between the BSD's response to the doctor and the doctor's finish.
fn hello_before_the_finish(rules: &Rules, _: Clause) -> Told {
    let mut scene = begin(rules, &ACQUAINTED)?;
    match handshake(scene.sut(), true)?.2.clause {
        None => Ok(()),
        Some(clause) => Err(format!("the finish is refused by {}", clause.id())),
    }
}

/// A vote that a validator said, said by the doctor in a session of their own: the BSD hears votes, and not there.
fn misplaced_vote(rules: &Rules, clause: Clause) -> Told {
    let mut scene = begin(rules, &ACQUAINTED)?;
    scene.awaits(ONE, "Vote", 0).ok_or("nobody votes")?;
    let sut = scene.sut();
    let vote = sut.said_of(|said| matches!(said, Message::Vote(_))).ok_or("nobody votes")?.clone();
    let (mut near, term, _) = handshake(sut, false)?;
    let record =
        near.seal_record(&HARDENED, ContentType::Initial, &wire::encode(&vote)).map_err(told)?.record;
    expect(arrives(sut, &record, term)?.clause, clause)
}
