//! Attacks on the record layer.

use super::{HARD, Ward};
use crate::keys::tests::only;
#[cfg(bemr_weaken)]
use crate::session::insider::Line;
use crate::session::{RECORD_OVERHEAD, Session};
#[cfg(bemr_weaken)]
use crate::wire::Direction;
use crate::wire::{ContentType, Packet, Record, RecordHeader, SessionId, SessionType, decode, encode};
use bemr_spec::{Clause, Verdict, constants};

fn records(session: &mut Session, count: usize) -> Vec<Vec<u8>> {
    let stage = session.purpose().stage();
    (0..count).map(|n| session.seal_record(&HARD, stage, &[n as u8]).unwrap().record).collect()
}

fn edit(packet: &[u8], change: impl FnOnce(&mut RecordHeader)) -> Vec<u8> {
    let Packet::Record(Record { mut header, ciphertext }) = decode(&HARD, packet).unwrap() else { panic!() };
    change(&mut header);
    encode(&Packet::Record(Record { header, ciphertext }))
}

#[test]
fn a_record_is_as_much_longer_as_stated() {
    let (mut near, _) = Ward::new(60).session(SessionType::Read);
    let sent = near.seal_record(&HARD, ContentType::Read, &[0; 100]).unwrap();
    assert_eq!(sent.record.len(), 100 + RECORD_OVERHEAD);
}

#[test]
fn ses_02_every_flipped_bit_and_every_cut_is_refused_and_changes_nothing() {
    let (mut near, mut far) = Ward::new(61).session(SessionType::Block);
    let record = near.seal_record(&HARD, ContentType::Block, b"T_block").unwrap().record;
    for bit in 0..8 * record.len() {
        let mut flipped = record.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(far.open_record(&HARD, &flipped).is_err(), "bit {bit}");
    }
    for cut in 0..record.len() {
        assert!(far.open_record(&HARD, &record[..cut]).is_err());
    }
    assert_eq!(far.open_record(&HARD, &record).unwrap().message.as_slice(), b"T_block");
}

#[test]
fn ses_02_the_mutant_lets_a_bit_of_the_message_flip() {
    let message = only(Clause::RecordIsAuthentic, |rules| {
        let (mut near, mut far) = Ward::new(62).session(SessionType::Initial);
        let mut record = near.seal_record(&HARD, ContentType::Initial, b"pid=A").unwrap().record;
        let last = record.len() - 17;
        record[last] ^= b'A' ^ b'B';
        far.open_record(rules, &record).map(|opened| opened.message)
    });
    assert_eq!(message.as_slice(), b"pid=B");
}

#[test]
fn ses_03_a_replayed_or_late_record_is_ignored() {
    for at in [0, 1, 2] {
        let message = only(Clause::SequenceAdvances, |rules| {
            let (mut near, mut far) = Ward::new(63).session_under(rules, SessionType::Initial);
            let sent = records(&mut near, 3);
            far.open_record(&HARD, &sent[0]).unwrap();
            far.open_record(&HARD, &sent[2]).unwrap();
            far.open_record(rules, &sent[at]).map(|opened| opened.message)
        });
        assert_eq!(message.as_slice(), [at as u8]);
    }
    assert_eq!(Clause::SequenceAdvances.verdict(), Verdict::Ignore);
}

#[test]
fn ses_04_a_gap_of_the_limit_is_passed_and_no_more() {
    let skip = constants::RECORDS_SKIPPED as usize;
    let (mut near, mut far) = Ward::new(64).session(SessionType::Initial);
    let sent = records(&mut near, skip);
    assert!(far.open_record(&HARD, &sent[skip - 1]).is_ok());
    only(Clause::SkipIsBounded, |rules| {
        let (mut near, mut far) = Ward::new(64).session(SessionType::Initial);
        let sent = records(&mut near, skip + 1);
        far.open_record(rules, &sent[skip])
    });
}

#[test]
fn ses_05_the_last_number_is_the_last() {
    only(Clause::KeyNotExhausted, |rules| {
        let (mut near, _) = Ward::new(65).session(SessionType::Initial);
        near.records.sending.exhaust();
        near.seal_record(rules, ContentType::Initial, b"one too many")
    });
    // The receiver stops at the same number.
    only(Clause::KeyNotExhausted, |rules| {
        let (mut near, mut far) = Ward::new(65).session(SessionType::Initial);
        near.records.sending.exhaust();
        far.records.receiving.exhaust();
        let mutant = HARD.without(Clause::KeyNotExhausted);
        let sent = near.seal_record(&mutant, ContentType::Initial, b"one too many").unwrap();
        assert_eq!(sent.key.position().sequence, constants::SESSION_RECORDS + 1);
        far.open_record(rules, &sent.record)
    });
}

#[test]
fn ses_06_a_record_names_its_session() {
    only(Clause::RecordNamesSession, |rules| {
        let mut ward = Ward::new(66);
        let (mut near, mut far) = ward.session(SessionType::Initial);
        let record = records(&mut near, 1).remove(0);
        let other: SessionId = ward.session(SessionType::Initial).0.id();
        far.open_record(rules, &edit(&record, |header| header.session = other))
    });
}

#[test]
fn ses_07_a_session_carries_its_own_stage_and_no_other() {
    for purpose in SessionType::ALL {
        for stage in [
            ContentType::Handshake,
            ContentType::Initial,
            ContentType::Block,
            ContentType::Valid,
            ContentType::Read,
        ] {
            if stage == purpose.stage() {
                continue;
            }
            // A careless sender, and a receiver that is not.
            only(Clause::StageFitsSession, |rules| {
                let (mut near, mut far) = Ward::new(67).session(purpose);
                let careless = HARD.without(Clause::StageFitsSession);
                let sent = near.seal_record(&careless, stage, b"m").unwrap();
                far.open_record(rules, &sent.record)
            });
            only(Clause::StageFitsSession, |rules| {
                Ward::new(67).session(purpose).0.seal_record(rules, stage, b"m")
            });
        }
    }
}

#[test]
fn ses_08_c_04_a_record_sent_back_to_its_sender_is_refused() {
    let message = only(Clause::DirectionIsIncoming, |rules| {
        let (mut near, _) = Ward::new(68).session_under(rules, SessionType::Initial);
        let record = near.seal_record(&HARD, ContentType::Initial, b"mine").unwrap().record;
        near.open_record(rules, &record).map(|opened| opened.message)
    });
    assert_eq!(message.as_slice(), b"mine");
}

#[test]
fn a_stolen_session_opens_no_earlier_record() {
    let (mut near, mut far) = Ward::new(69).session(SessionType::Initial);
    let sent = records(&mut near, 5);
    for record in &sent {
        far.open_record(&HARD, record).unwrap();
    }
    // What an intruder finds in both memories now.
    let stolen = [near.records.sending.stolen(), far.records.receiving.stolen()];
    for record in &sent {
        let Packet::Record(Record { header, ciphertext }) = decode(&HARD, record).unwrap() else { panic!() };
        let nonce = crate::session::records::nonce(header.direction, header.stage, header.sequence);
        for chain in &stolen {
            assert_eq!(chain.last(), 5);
            for ahead in 6..6 + constants::RECORDS_SKIPPED {
                let key = chain.key_ahead(ahead);
                assert!(key.open(&nonce, &encode(&header), ciphertext.as_slice()).is_none());
            }
        }
    }
}

#[test]
fn the_two_directions_and_all_records_have_different_keys() {
    let (mut near, mut far) = Ward::new(70).session(SessionType::Initial);
    let mut keys = std::collections::BTreeSet::new();
    for _ in 0..10 {
        keys.insert(*near.seal_record(&HARD, ContentType::Initial, b"").unwrap().key.key.expose());
        keys.insert(*far.seal_record(&HARD, ContentType::Initial, b"").unwrap().key.key.expose());
    }
    assert_eq!(keys.len(), 20);
}

#[test]
fn keys_do_not_show() {
    let (mut near, _) = Ward::new(71).session(SessionType::Initial);
    let sent = near.seal_record(&HARD, ContentType::Initial, b"m").unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let list = format!("{:?}", &sent.key.key.expose()[..8]);
    let shown = format!("{:?} {:?}", near, sent.key);
    assert!(
        !shown.contains(&hex(&sent.key.key.expose()[..8])) && !shown.contains(list.trim_matches(['[', ']']))
    );
}

#[cfg(bemr_weaken)]
#[test]
fn a_line_with_the_keys_of_one_side_goes_on_as_that_side() {
    let (mut near, mut far) = Ward::new(66).session(SessionType::Initial);
    let stage = SessionType::Initial.stage();
    let first = near.seal_record(&HARD, stage, b"1").unwrap().record;
    far.open_record(&HARD, &first).unwrap();
    let [sending, receiving] = far.chains();
    let own = Direction::ResponderToInitiator;
    let mut line = Line::new(&HARD, far.id(), SessionType::Initial, own, (sending, 0), (receiving, 1));
    assert_eq!(line.chains(), far.chains());
    assert_eq!(line.open(&HARD, &first).unwrap_err().clause(), Clause::SequenceAdvances);
    let second = near.seal_record(&HARD, stage, b"2").unwrap().record;
    assert_eq!(line.open(&HARD, &second).unwrap().as_slice(), b"2");
    far.open_record(&HARD, &second).unwrap();
    let said = line.seal(&HARD, stage, b"back").unwrap();
    assert_eq!(said, far.seal_record(&HARD, stage, b"back").unwrap().record);
    assert_eq!(near.open_record(&HARD, &said).unwrap().message.as_slice(), b"back");
    assert_eq!(line.chains(), far.chains());
    assert_eq!(near.chains(), [line.chains()[1], line.chains()[0]]);
}

#[cfg(bemr_weaken)]
#[test]
fn with_stolen_keys_nothing_is_looked_for_without_end() {
    let (mut near, far) = Ward::new(67).session(SessionType::Initial);
    let stolen = far.stolen();
    let packet = near.seal_record(&HARD, SessionType::Initial.stage(), b"1").unwrap().record;
    let record = |packet: &[u8]| match decode(&HARD, packet).unwrap() {
        Packet::Record(record) => record,
        other => panic!("{other:?}"),
    };
    assert_eq!(stolen.open(&record(&packet)).unwrap().as_slice(), b"1");
    assert!(stolen.open(&record(&edit(&packet, |header| header.sequence = u64::MAX))).is_none());
}
