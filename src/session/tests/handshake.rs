//! Attacks on the handshake.

use super::forge;
use super::{HARD, Ward};
use crate::crypto::Ephemeral;
use crate::keys::tests::{NOW, OTHERS, SUITE, only};
use crate::session::{AwaitingHello, AwaitingResponse};
use crate::wire::{ContentType, Packet, Role, SessionType, encode};
use bemr_spec::{Clause, Refusal, constants};

#[test]
fn hsk_01_a_hello_of_another_version_or_suite_is_refused() {
    for (version, suite) in [(0, SUITE), (2, SUITE), (1, OTHERS[0]), (1, OTHERS[1])] {
        only(Clause::SuiteNotDowngraded, |rules| {
            let mut ward = Ward::new(40);
            let mut hello = forge::hello_in(&ward.hello(SessionType::Initial).1);
            (hello.version, hello.suite) = (version, suite);
            let packet = encode(&Packet::Hello(hello));
            AwaitingHello::new(&ward.bsd).on_hello(rules, &mut ward.world.rng, NOW, &packet).map(|_| ())
        });
    }
}

#[test]
fn hsk_03_05_c_01_a_man_in_the_middle_cannot_sign_for_either_side() {
    // Mallory answers the hello under her own ephemeral, with the BSD's public certificate.
    only(Clause::ResponderSignsTranscript, |rules| {
        let mut ward = Ward::new(41);
        let (state, hello) = ward.hello(SessionType::Initial);
        let certificate = ward.bsd.certified().certificate().clone();
        let mallory = ward.world.enrol("mallory", Role::Doctor);
        let (_, response) = forge::response(
            &mut ward.world.rng,
            &forge::hello_in(&hello),
            &certificate,
            mallory.identity().signing_key(),
            |_| {},
        );
        let (session, _) = state
            .on_response(rules, &mut ward.world.trust, NOW, &response)
            .map_err(|refused| Refusal::from(*refused))?;
        assert_eq!(session.peer().name(), ward.bsd.name(), "the mutant believes the man in the middle");
        Ok(())
    });
    // And says a hello of her own to the BSD, then claims the user's certificate.
    only(Clause::InitiatorSignsTranscript, |rules| {
        let mut ward = Ward::new(42);
        let (mallory, hello) = forge::Initiator::new(&mut ward.world.rng, SessionType::Initial);
        let own = ward.world.enrol("mallory", Role::Doctor);
        let mut listener = AwaitingHello::new(&ward.bsd);
        let (state, response) = listener.on_hello(&HARD, &mut ward.world.rng, NOW, &hello).unwrap();
        let finish = mallory.answered(&response).finish(
            ward.user.certified().certificate(),
            own.identity().signing_key(),
            |_| {},
        );
        let session = state
            .on_finish(rules, &mut ward.world.trust, NOW, &finish)
            .map_err(|refused| Refusal::from(*refused))?;
        assert_eq!(session.peer().name(), ward.user.name());
        Ok(())
    });
}

#[test]
fn c_01_relaying_with_swapped_ephemerals_opens_nothing() {
    let mut ward = Ward::new(43);
    let (state, hello) = ward.hello(SessionType::Initial);
    let mut swapped = forge::hello_in(&hello);
    swapped.ephemeral = Ephemeral::generate(SUITE, &mut ward.world.rng).public().encode().into();
    let mut listener = AwaitingHello::new(&ward.bsd);
    let packet = encode(&Packet::Hello(swapped));
    let (_, response) = listener.on_hello(&HARD, &mut ward.world.rng, NOW, &packet).unwrap();
    let refused = state.on_response(&HARD, &mut ward.world.trust, NOW, &response).unwrap_err();
    assert_eq!(refused.refusal.clause(), Clause::FlightIsAuthentic);
}

#[test]
fn hsk_06_c_02_a_session_is_not_bound_to_another_identity() {
    // Mallory, a user too, puts her certificate and signature where Alice's were, under the keys that Alice shares
    // with the BSD. She cannot make the confirmation over her own name: she has Alice's.
    only(Clause::InitiatorConfirmsKey, |rules| {
        let mut ward = Ward::new(44);
        let mallory = ward.world.enrol("mallory", Role::Doctor);
        let (alice, hello) = forge::Initiator::new(&mut ward.world.rng, SessionType::Initial);
        let mut listener = AwaitingHello::new(&ward.bsd);
        let (state, response) = listener.on_hello(&HARD, &mut ward.world.rng, NOW, &hello).unwrap();
        let answered = alice.answered(&response);
        let said_by_alice = answered.said(ward.user.certified().certificate());
        let alices =
            answered.schedule.confirmation(crate::wire::Direction::InitiatorToResponder, &said_by_alice);
        let certificate = mallory.certified().certificate();
        let finish = answered
            .finish(certificate, mallory.identity().signing_key(), |proof| proof.confirmation = alices);
        let session = state
            .on_finish(rules, &mut ward.world.trust, NOW, &finish)
            .map_err(|refused| Refusal::from(*refused))?;
        assert_eq!(session.peer().name(), mallory.name(), "the mutant credits Mallory with Alice's records");
        Ok(())
    });
}

#[test]
fn hsk_04_a_responder_that_cannot_confirm_the_key_is_refused() {
    only(Clause::ResponderConfirmsKey, |rules| {
        let mut ward = Ward::new(45);
        let (state, hello) = ward.hello(SessionType::Initial);
        let signer = ward.bsd.clone();
        let (_, response) = forge::response(
            &mut ward.world.rng,
            &forge::hello_in(&hello),
            signer.certified().certificate(),
            signer.identity().signing_key(),
            |proof| proof.confirmation = [0; 32],
        );
        state
            .on_response(rules, &mut ward.world.trust, NOW, &response)
            .map(|_| ())
            .map_err(|refused| Refusal::from(*refused))
    });
}

#[test]
fn hsk_02_another_server_does_not_stand_in_for_the_intended_one() {
    only(Clause::PeerIsIntended, |rules| {
        let mut ward = Ward::new(46);
        let other = ward.world.enrol("bsd2", Role::Bsd);
        let (state, hello) = ward.hello(SessionType::Initial);
        let mut listener = AwaitingHello::new(&other);
        let (_, response) = listener.on_hello(&HARD, &mut ward.world.rng, NOW, &hello).unwrap();
        state
            .on_response(rules, &mut ward.world.trust, NOW, &response)
            .map(|_| ())
            .map_err(|refused| Refusal::from(*refused))
    });
}

#[test]
fn hsk_07_c_04_three_clauses_stand_before_a_session_with_oneself() {
    let mut ward = Ward::new(47);
    let own = ward.user.clone();
    let refused = |rules: &bemr_spec::Rules, ward: &mut Ward| {
        let (state, hello) = ward.hello(SessionType::Initial);
        let (_, mirror) = forge::response(
            &mut ward.world.rng,
            &forge::hello_in(&hello),
            own.certified().certificate(),
            own.identity().signing_key(),
            |_| {},
        );
        state
            .on_response(rules, &mut ward.world.trust, NOW, &mirror)
            .err()
            .map(|refused| refused.refusal.clause())
    };
    let mut rules = HARD;
    for fence in [Clause::PeerIsNotSelf, Clause::PeerIsIntended, Clause::RoleFitsPlace] {
        assert_eq!(refused(&rules, &mut ward), Some(fence));
        rules = rules.without(fence);
    }
    assert_eq!(refused(&rules, &mut ward), None);
    only(Clause::PeerIsNotSelf, |rules| {
        let rng = &mut ward.world.rng;
        AwaitingResponse::begin(rules, rng, NOW, &ward.user, SessionType::Initial, ward.user.name())
            .map(|_| ())
    });
}

#[test]
fn hsk_08_a_hello_is_answered_once_while_it_is_remembered() {
    only(Clause::SessionIsFresh, |rules| {
        let mut ward = Ward::new(48);
        let hello = ward.hello(SessionType::Initial).1;
        let mut listener = AwaitingHello::new(&ward.bsd);
        let rng = &mut ward.world.rng;
        listener.on_hello(&HARD, rng, NOW, &hello).unwrap();
        let last = crate::wire::Time(NOW.0 + constants::HANDSHAKE_MS - 1);
        assert!(listener.on_hello(&HARD, rng, last, &hello).is_err());
        listener.on_hello(rules, rng, last, &hello).map(|_| ())
    });
}

#[test]
fn hsk_08_the_memory_of_hellos_is_bounded_and_expires() {
    let mut ward = Ward::new(49);
    let mut hello = forge::hello_in(&ward.hello(SessionType::Initial).1);
    let mut seen = crate::session::replay_cache::SeenHellos::default();
    for n in 0..2 * constants::HELLOS_REMEMBERED as u64 {
        hello.nonce[..8].copy_from_slice(&n.to_be_bytes());
        seen.insert(hello.nonce, NOW.after(n / 1000));
        assert!(seen.len() <= constants::HELLOS_REMEMBERED);
        assert!(seen.contains(&hello.nonce, NOW.after(n / 1000)));
    }
    seen.insert([0xff; 32], NOW.after(2 * constants::HANDSHAKE_MS));
    assert_eq!(seen.len(), 1);
}

#[test]
fn hsk_09_every_flipped_bit_of_every_message_is_refused_and_ends_nothing() {
    let mut ward = Ward::new(50);
    let (mut initiator, hello) = ward.hello(SessionType::Initial);
    let mut listener = AwaitingHello::new(&ward.bsd);
    let (mut responder, response) = listener.on_hello(&HARD, &mut ward.world.rng, NOW, &hello).unwrap();

    // A flipped hello is refused at once, or its answer does not open at the initiator.
    for at in 0..hello.len() {
        let mut flipped = hello.clone();
        flipped[at] ^= 1 << (at % 8);
        let mut other = AwaitingHello::new(&ward.bsd);
        let Ok((_, answer)) = other.on_hello(&HARD, &mut ward.world.rng, NOW, &flipped) else { continue };
        let refused = initiator.on_response(&HARD, &mut ward.world.trust, NOW, &answer).unwrap_err();
        assert_eq!(refused.refusal.clause(), Clause::FlightIsAuthentic, "byte {at} of the hello");
        initiator = refused.state;
    }
    for at in 0..response.len() {
        let mut flipped = response.clone();
        flipped[at] ^= 1 << (at % 8);
        let refused = initiator.on_response(&HARD, &mut ward.world.trust, NOW, &flipped).unwrap_err();
        initiator = refused.state;
    }
    for cut in 0..response.len() {
        let refused = initiator.on_response(&HARD, &mut ward.world.trust, NOW, &response[..cut]).unwrap_err();
        assert_eq!(refused.refusal.clause(), Clause::OneEncodingPerValue);
        initiator = refused.state;
    }
    let (near, finish) = initiator.on_response(&HARD, &mut ward.world.trust, NOW, &response).unwrap();
    for at in 0..finish.len() {
        let mut flipped = finish.clone();
        flipped[at] ^= 1 << (at % 8);
        let refused = responder.on_finish(&HARD, &mut ward.world.trust, NOW, &flipped).unwrap_err();
        responder = refused.state;
    }
    let far = responder.on_finish(&HARD, &mut ward.world.trust, NOW, &finish).unwrap();
    assert_eq!(near.id(), far.id());
}

#[test]
fn hsk_09_the_mutant_takes_a_spoiled_tag() {
    only(Clause::FlightIsAuthentic, |rules| {
        let mut ward = Ward::new(51);
        let (initiator, _, mut response) = ward.half(SessionType::Initial);
        *response.last_mut().unwrap() ^= 1;
        initiator
            .on_response(rules, &mut ward.world.trust, NOW, &response)
            .map(|_| ())
            .map_err(|refused| Refusal::from(*refused))
    });
}

#[test]
fn ses_01_no_record_counts_before_the_initiator_has_proved_itself() {
    only(Clause::SessionEstablished, |rules| {
        let mut ward = Ward::new(52);
        let (nobody, hello) = forge::Initiator::new(&mut ward.world.rng, SessionType::Initial);
        let mut listener = AwaitingHello::new(&ward.bsd);
        let (state, response) = listener.on_hello(&HARD, &mut ward.world.rng, NOW, &hello).unwrap();
        // Keys of the transcript so far: a peer without any certificate has them.
        let answered = nobody.answered(&response);
        let direction = crate::wire::Direction::InitiatorToResponder;
        let mut records = answered.schedule.records(&HARD, &answered.heard, direction);
        let (record, ..) = records.seal(&HARD, ContentType::Initial, b"who am I").unwrap();
        let message = state.on_record(rules, &record)?;
        assert_eq!(message.as_slice(), b"who am I");
        Ok(())
    });
}

#[test]
fn identities_do_not_show_on_the_wire() {
    let mut ward = Ward::new(53);
    let (initiator, hello) = ward.hello(SessionType::Initial);
    let mut listener = AwaitingHello::new(&ward.bsd);
    let (responder, response) = listener.on_hello(&HARD, &mut ward.world.rng, NOW, &hello).unwrap();
    let (mut near, finish) = initiator.on_response(&HARD, &mut ward.world.trust, NOW, &response).unwrap();
    responder.on_finish(&HARD, &mut ward.world.trust, NOW, &finish).unwrap();
    let record = near.seal_record(&HARD, ContentType::Initial, b"m").unwrap().record;
    for packet in [&hello, &response, &finish, &record] {
        for principal in [&ward.user, &ward.bsd] {
            let body = &principal.certified().certificate().body;
            for secret in [body.subject.as_str().as_bytes(), body.signing_key.as_slice()] {
                assert!(!packet.windows(secret.len()).any(|window| window == secret));
            }
        }
    }
}

#[test]
fn two_handshakes_share_nothing() {
    let mut ward = Ward::new(54);
    let (mut first, _) = ward.session(SessionType::Initial);
    let (second, mut far) = ward.session(SessionType::Initial);
    assert_ne!(first.id(), second.id());
    let record = first.seal_record(&HARD, ContentType::Initial, b"m").unwrap().record;
    assert_eq!(far.open_record(&HARD, &record).unwrap_err().clause(), Clause::RecordNamesSession);
}
