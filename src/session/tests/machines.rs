//! Every row of the transition tables, driven.

use super::forge;
use super::{HARD, Ward};
use crate::crypto::SigningKey;
use crate::keys::Credentials;
use crate::keys::tests::{LIFETIMES, NOW, SUITE, World};
use crate::session::Session;
use crate::session::{AwaitingFinish, AwaitingHello, AwaitingResponse, Refused};
use crate::wire::{
    Certificate, ContentType, Direction, Hello, IdentityProof, Packet, Record, RecordHeader, Role, SessionId,
    SessionType, Time, decode, encode,
};
use bemr_spec::machine::Machine;
use bemr_spec::machines::{initiator as initiating, responder as responding, session as established};
use bemr_spec::{Clause, Refusal, Rules, constants};

/// A row: from, event, guard, to, output, and the clause of a refusal.
type Transition = (&'static str, &'static str, &'static str, &'static str, &'static str, Option<Clause>);

fn table(machine: &Machine) -> Vec<Transition> {
    let rows = machine.rows.iter();
    rows.map(|row| (row.from, row.event, row.guard, row.to, row.output, row.clauses.first().copied()))
        .collect()
}

type Outcome = Result<(&'static str, &'static str), Refusal>;

/// The clause that stands behind the row's own: what its mutant is refused by. None when the mutant is let through.
fn next_fence(row: &Transition) -> Option<Clause> {
    let (from, event, .., clause) = *row;
    match (from, event, clause?) {
        // A name that is one's own is then not the intended one, or not of the right role.
        ("AwaitingResponse", _, Clause::PeerIsNotSelf) => Some(Clause::PeerIsIntended),
        ("AwaitingFinish", _, Clause::PeerIsNotSelf) => Some(Clause::RoleFitsPlace),
        // A packet of another kind has nothing that the state could take, a rule more or less.
        (_, _, Clause::MessageTypeIsExpected) => Some(Clause::MessageTypeIsExpected),
        ("AwaitingHello" | "AwaitingResponse", _, Clause::SessionEstablished) => {
            Some(Clause::SessionEstablished)
        }
        // The record of another session; the one that the mutant takes is shown with the attacks.
        ("AwaitingFinish", _, Clause::SessionEstablished) => Some(Clause::RecordNamesSession),
        // The edited header is not what the sender vouched for; genuine ones are shown with the attacks.
        (
            "Established",
            "Record",
            Clause::DirectionIsIncoming
            | Clause::StageFitsSession
            | Clause::SequenceAdvances
            | Clause::SkipIsBounded
            | Clause::KeyNotExhausted,
        ) => Some(Clause::RecordIsAuthentic),
        _ => None,
    }
}

fn drive_all(table: &[Transition], drive: fn(&Transition, &Rules) -> Outcome) {
    assert!(!table.is_empty());
    for row in table {
        let (from, event, guard, to, output, clause) = *row;
        let place = format!("{from} / {event} / {guard}");
        match (clause, drive(row, &HARD)) {
            (None, outcome) => assert_eq!(outcome.unwrap(), (to, output), "{place}"),
            (Some(clause), Ok(reached)) => panic!("{place}: {clause} let it through to {reached:?}"),
            (Some(clause), Err(refusal)) => {
                assert_eq!(refusal.clause(), clause, "{place}: {refusal}");
                assert_eq!((to, output), (from, ""), "{place}: a refusal changes nothing");
                match (drive(row, &HARD.without(clause)), next_fence(row)) {
                    (Ok(_), None) => {}
                    (Ok(_), Some(fence)) => panic!("{place}: nothing stands at {fence}"),
                    (Err(next), Some(fence)) => assert_eq!(next.clause(), fence, "{place}: {next}"),
                    (Err(next), None) => panic!("{place}: the mutant of {clause} says {next}"),
                }
            }
        }
    }
}

#[test]
fn the_initiator_does_what_its_table_says() {
    drive_all(&table(&initiating::MACHINE), initiator);
}

#[test]
fn the_responder_does_what_its_table_says() {
    drive_all(&table(&responding::MACHINE), responder);
}

#[test]
fn a_session_does_what_its_table_says() {
    drive_all(&table(&established::MACHINE), session);
}

#[test]
fn no_row_stands_twice() {
    for machine in [&initiating::MACHINE, &responding::MACHINE, &established::MACHINE] {
        let table = table(machine);
        let rows: std::collections::BTreeSet<_> = table.iter().map(|r| (r.0, r.1, r.2)).collect();
        assert_eq!(rows.len(), table.len());
    }
}

fn packet(kind: &str, ward: &mut Ward) -> Vec<u8> {
    match kind {
        "Hello" => ward.hello(SessionType::Initial).1,
        "Response" => ward.half(SessionType::Initial).2,
        "Finish" => {
            let (initiator, _, response) = ward.half(SessionType::Initial);
            initiator.on_response(&HARD, &mut ward.world.trust, NOW, &response).unwrap().1
        }
        "Record" => {
            ward.session(SessionType::Initial)
                .0
                .seal_record(&HARD, ContentType::Initial, b"early")
                .unwrap()
                .record
        }
        other => panic!("no packet {other}"),
    }
}

fn spoil_tag(packet: &[u8]) -> Vec<u8> {
    let mut spoiled = packet.to_vec();
    *spoiled.last_mut().unwrap() ^= 1;
    spoiled
}

fn certificate(credentials: &Credentials) -> Certificate {
    credentials.certified().certificate().clone()
}

/// A certificate of the same keys by a KDC of one's own.
fn self_made(world: &mut World, genuine: &Certificate) -> Certificate {
    let rogue = SigningKey::generate(SUITE, &mut world.rng);
    let signature = rogue.sign(&HARD, crate::crypto::Domain::CERTIFICATE, &encode(&genuine.body));
    Certificate { body: genuine.body.clone(), signature }
}

fn initiator(row: &Transition, rules: &Rules) -> Outcome {
    let (from, event, guard, ..) = *row;
    let mut ward = Ward::new(30);
    if from == "Idle" {
        let (own, peer) = match guard {
            "with oneself" => (&ward.user, &ward.user),
            "another role" => (&ward.validator, &ward.bsd),
            _ => (&ward.user, &ward.bsd),
        };
        let rng = &mut ward.world.rng;
        AwaitingResponse::begin(rules, rng, NOW, own, SessionType::Initial, peer.name())?;
        return Ok(("AwaitingResponse", "Hello"));
    }
    // Begun late in the life of the certificates, so that one can expire while the handshake is under way.
    let begun = match guard {
        "certificate expired" => Time(NOW.0 + LIFETIMES.certificate - 1),
        _ => NOW,
    };
    let intended = match guard {
        "from another role" => ward.validator.name().clone(),
        _ => ward.bsd.name().clone(),
    };
    let (state, hello_packet) = AwaitingResponse::begin(
        &HARD,
        &mut ward.world.rng,
        begun,
        &ward.user,
        SessionType::Initial,
        &intended,
    )
    .unwrap();
    let hello = forge::hello_in(&hello_packet);
    let bsd = ward.bsd.clone();
    let mut listener = AwaitingHello::new(&bsd);
    let (_, honest) = listener.on_hello(&HARD, &mut ward.world.rng, begun, &hello_packet).unwrap();
    let mut now = begun;
    let keep = |_: &mut IdentityProof| {};
    let (user, validator) = (ward.user.clone(), ward.validator.clone());
    let from_whom = |ward: &mut Ward, who: &Credentials| {
        forge::response(&mut ward.world.rng, &hello, &certificate(who), who.identity().signing_key(), keep).1
    };
    let answer = match guard {
        "every check holds" => honest.clone(),
        "too late" => {
            now = begun.after(constants::HANDSHAKE_MS);
            honest.clone()
        }
        "ephemeral is no element" => neutral_response(&mut ward, &hello, &bsd),
        "does not open" => spoil_tag(&honest),
        "certificate not the KDC's" => {
            let fake = self_made(&mut ward.world, &certificate(&bsd));
            forge::response(&mut ward.world.rng, &hello, &fake, bsd.identity().signing_key(), keep).1
        }
        "certificate expired" => {
            now = begun.after(1);
            honest.clone()
        }
        "certificate revoked" => {
            ward.world.revoke(&bsd);
            honest.clone()
        }
        "from oneself" => from_whom(&mut ward, &user),
        "from another principal" => {
            let other = ward.world.enrol("bsd2", Role::Bsd);
            from_whom(&mut ward, &other)
        }
        "from another role" => from_whom(&mut ward, &validator),
        "wrong signature" => {
            let thief = SigningKey::generate(SUITE, &mut ward.world.rng);
            forge::response(&mut ward.world.rng, &hello, &certificate(&bsd), &thief, keep).1
        }
        "wrong confirmation" => {
            let signer = bsd.identity().signing_key();
            forge::response(&mut ward.world.rng, &hello, &certificate(&bsd), signer, |proof| {
                proof.confirmation[31] ^= 1;
            })
            .1
        }
        "" => packet(event, &mut ward),
        other => panic!("no case for {other}"),
    };
    let trust = &mut ward.world.trust;
    match state.on_response(rules, trust, now, &answer) {
        Ok((_, finish)) => {
            assert!(matches!(decode(&HARD, &finish).unwrap(), Packet::Finish(_)));
            Ok(("Established", "Finish"))
        }
        Err(refused) => {
            let Refused { state, refusal } = *refused;
            // The state is as it was: the honest answer, in time and from the intended peer, still counts.
            if !matches!(guard, "certificate revoked" | "from another role") {
                assert!(state.on_response(&HARD, trust, begun, &honest).is_ok(), "{guard}");
            }
            Err(refusal)
        }
    }
}

/// A response of the BSD itself with the neutral element: the shared secret is known to all.
fn neutral_response(ward: &mut Ward, hello: &Hello, bsd: &Credentials) -> Vec<u8> {
    use crate::crypto::{Domain, Element, Ephemeral};
    use crate::session::schedule::Schedule;
    use crate::wire::Response;
    let weak = HARD.without(Clause::ElementInRange);
    let bytes = forge::neutral(hello.ephemeral.as_slice());
    let element = Element::decode(&weak, SUITE, &bytes).unwrap();
    let anybody = Ephemeral::generate(SUITE, &mut ward.world.rng);
    let (nonce, ephemeral) = ([7; 32], bytes.into());
    let schedule = Schedule::new(hello, &nonce, &ephemeral, &anybody, &element);
    let said = schedule.responder_transcript(&certificate(bsd));
    let sender = Direction::ResponderToInitiator;
    let proof = IdentityProof {
        certificate: certificate(bsd),
        signature: bsd.identity().signing_key().sign(&HARD, Domain::RESPONDER_SIGNATURE, said.as_bytes()),
        confirmation: schedule.confirmation(sender, &said),
    };
    let proof = schedule.seal_proof(sender, &proof);
    encode(&Packet::Response(Response { nonce, ephemeral, proof }))
}

fn responder(row: &Transition, rules: &Rules) -> Outcome {
    if row.0 == "AwaitingHello" { listener(row, rules) } else { finisher(row, rules) }
}

fn listener(row: &Transition, rules: &Rules) -> Outcome {
    let (_, event, guard, ..) = *row;
    let mut ward = Ward::new(31);
    let bsd = ward.bsd.clone();
    let mut state = AwaitingHello::new(&bsd);
    let honest = ward.hello(SessionType::Initial).1;
    let mut hello = forge::hello_in(&honest);
    let input = match guard {
        "every check holds" => honest.clone(),
        "another version or suite" => {
            hello.version = 0;
            encode(&Packet::Hello(hello))
        }
        "own role does not answer it" => ward.hello(SessionType::Block).1,
        "nonce seen before" => {
            state.on_hello(&HARD, &mut ward.world.rng, NOW, &honest).unwrap();
            honest.clone()
        }
        "ephemeral is no element" => {
            hello.ephemeral = forge::neutral(hello.ephemeral.as_slice()).into();
            encode(&Packet::Hello(hello))
        }
        "" => packet(event, &mut ward),
        other => panic!("no case for {other}"),
    };
    let before = state.remembered();
    match state.on_hello(rules, &mut ward.world.rng, NOW, &input) {
        Ok((_, response)) => {
            assert!(matches!(decode(&HARD, &response).unwrap(), Packet::Response(_)));
            Ok(("AwaitingFinish", "Response"))
        }
        Err(refusal) => {
            assert_eq!(state.remembered(), before);
            if guard != "nonce seen before" {
                state.on_hello(&HARD, &mut ward.world.rng, NOW, &honest).unwrap();
            }
            Err(refusal)
        }
    }
}

fn finisher(row: &Transition, rules: &Rules) -> Outcome {
    let (_, event, guard, ..) = *row;
    let mut ward = Ward::new(32);
    let (user, bsd) = (ward.user.clone(), ward.bsd.clone());
    let begun = match guard {
        "certificate expired" => Time(NOW.0 + LIFETIMES.certificate - 1),
        _ => NOW,
    };
    let (initiator, hello) = forge::Initiator::new(&mut ward.world.rng, SessionType::Initial);
    let (state, response) =
        AwaitingHello::new(&bsd).on_hello(&HARD, &mut ward.world.rng, begun, &hello).unwrap();
    let answered = initiator.answered(&response);
    let keep = |_: &mut IdentityProof| {};
    let by = |who: &Credentials| answered.finish(&certificate(who), who.identity().signing_key(), keep);
    let honest = by(&user);
    let mut now = begun;
    let input = match guard {
        "every check holds" => honest.clone(),
        "too late" => {
            now = begun.after(constants::HANDSHAKE_MS);
            honest.clone()
        }
        "does not open" => spoil_tag(&honest),
        "certificate not the KDC's" => {
            let fake = self_made(&mut ward.world, &certificate(&user));
            answered.finish(&fake, user.identity().signing_key(), keep)
        }
        "certificate expired" => {
            now = begun.after(1);
            honest.clone()
        }
        "certificate revoked" => {
            ward.world.revoke(&user);
            honest.clone()
        }
        "from oneself" => by(&bsd),
        "from another role" => by(&ward.cloud),
        "wrong signature" => {
            let thief = SigningKey::generate(SUITE, &mut ward.world.rng);
            answered.finish(&certificate(&user), &thief, keep)
        }
        "wrong confirmation" => {
            answered.finish(&certificate(&user), user.identity().signing_key(), |proof| {
                proof.confirmation[0] ^= 0x80;
            })
        }
        "" => packet(event, &mut ward),
        other => panic!("no case for {other}"),
    };
    if event == "Record" {
        state.on_record(rules, &input)?;
        return Ok(("Established", ""));
    }
    let trust = &mut ward.world.trust;
    match state.on_finish(rules, trust, now, &input) {
        Ok(_) => Ok(("Established", "")),
        Err(refused) => {
            let Refused { state, refusal }: Refused<AwaitingFinish> = *refused;
            if guard != "certificate revoked" {
                assert!(state.on_finish(&HARD, trust, begun, &honest).is_ok(), "{guard}");
            }
            Err(refusal)
        }
    }
}

fn edited(packet: &[u8], edit: impl FnOnce(&mut RecordHeader)) -> Vec<u8> {
    match decode(&HARD, packet).unwrap() {
        Packet::Record(Record { mut header, ciphertext }) => {
            edit(&mut header);
            encode(&Packet::Record(Record { header, ciphertext }))
        }
        other => panic!("{}", other.kind()),
    }
}

fn session(row: &Transition, rules: &Rules) -> Outcome {
    let (_, event, guard, ..) = *row;
    let mut ward = Ward::new(33);
    let (mut near, mut far): (Session, Session) = ward.session(SessionType::Initial);
    if event == "Send" {
        let (stage, message) = match guard {
            "another stage" => (ContentType::Block, vec![]),
            "a message too long" => (ContentType::Initial, vec![0; constants::MESSAGE_BYTES]),
            "no key left" => {
                near.records.sending.exhaust();
                (ContentType::Initial, vec![])
            }
            _ => (ContentType::Initial, vec![]),
        };
        let before = near.records.sending.last();
        return match near.seal_record(rules, stage, &message) {
            Ok(sent) => {
                assert!(matches!(
                    decode(&HARD.without(Clause::SizeWithinBound), &sent.record).unwrap(),
                    Packet::Record(_)
                ));
                Ok(("Established", "Record"))
            }
            Err(refusal) => {
                assert_eq!(near.records.sending.last(), before);
                Err(refusal)
            }
        };
    }
    let honest = near.seal_record(&HARD, ContentType::Initial, b"m").unwrap().record;
    let input = match guard {
        "every check holds" => honest.clone(),
        "another session" => edited(&honest, |header| header.session = SessionId::default_for_tests()),
        "own direction" => edited(&honest, |header| header.direction = header.direction.reverse()),
        "another stage" => edited(&honest, |header| header.stage = ContentType::Block),
        "not after the last" => edited(&honest, |header| header.sequence = 0),
        "too far after the last" => {
            edited(&honest, |header| header.sequence = constants::RECORDS_SKIPPED + 1)
        }
        "past the last number" => {
            far.records.receiving.exhaust();
            edited(&honest, |header| header.sequence = constants::SESSION_RECORDS + 1)
        }
        "does not open" => spoil_tag(&honest),
        "" => packet(event, &mut ward),
        other => panic!("no case for {other}"),
    };
    let before = far.records.receiving.last();
    match far.open_record(rules, &input) {
        Ok(_) => Ok(("Established", "message")),
        Err(refusal) => {
            assert_eq!(far.records.receiving.last(), before);
            if guard != "past the last number" {
                far.open_record(&HARD, &honest).unwrap();
            }
            Err(refusal)
        }
    }
}

impl SessionId {
    fn default_for_tests() -> SessionId {
        SessionId(crate::crypto::Digest::from_bytes([9; 32]))
    }
}
