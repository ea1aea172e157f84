//! What the BSD takes from a user: every check of T_initial, the seals, and every row of the machine of a submission.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use crate::testbed::{
    Draft, HeldSession, RULES, Responder, Script, Testbed, always, broken, certify, reason, silent, sound,
    vote,
};
use bemr::actors::Input;
use bemr::actors::bsd::{Evidence, State, submission_machine as machine};
use bemr::crypto::{Digest, Domain, Suite};
use bemr::merkle::Frontier;
use bemr::records::Record;
use bemr::session::Custodian;
use bemr::transparency::CloudLog;
use bemr::wire::{
    Ballot, ContentType, Decision, Gossip, Height, InclusionProof, LeafKind, Message, Name, Outcome,
    ReadRequest, Receipt, RequestOutcome, Role, Seal, SealChainStart, SessionType, StoredRecord, Time,
    decode, encode,
};
use bemr_lab::simulator::{LedgerKind, NetworkConfig};
use bemr_spec::{Clause, Rules, Verdict, constants};
use std::collections::BTreeSet;

/// Bends an honest T_initial.
type Bend = fn(&mut Draft, &Testbed);

fn quiet(rules: Rules) -> (Testbed, Name) {
    let mut bed = Testbed::new(rules, 4);
    bed.script_all(|_| silent());
    let doctor = bed.network.keys.roster.doctor.clone();
    (bed, doctor)
}

fn bent(bed: &mut Testbed, who: &Name, bend: Bend) -> Draft {
    let mut draft = bed.draft(who, &sound(), &[]);
    bend(&mut draft, bed);
    draft
}

/// What the BSD makes of a bent T_initial: the clause that refuses it, having changed nothing.
fn clause_of(rules: Rules, who: impl Fn(&Testbed) -> Name, bend: Bend) -> Option<Clause> {
    let (mut bed, _) = quiet(rules);
    let who = who(&bed);
    let draft = bent(&mut bed, &who, bend);
    let bsd = bed.network.keys.roster.bsd.clone();
    let mut line = bed.connect(&who, &bsd, SessionType::Initial);
    let before = bed.actor(&bsd).state();
    let (step, answers) = bed.send_in(&mut line, &draft.message());
    match step.clause() {
        Some(clause) => {
            assert_eq!(bed.actor(&bsd).state(), before);
            assert_eq!(bed.bsd().submissions().count(), 0);
            assert_eq!(bed.state_of(&draft.tid()), State::AwaitingInitial);
            assert_eq!(step.verdict(), Verdict::Reject);
            let refused = Outcome {
                tid: draft.tid(),
                decision: Decision::Refused,
                reason: clause.into(),
                height: Height(0),
            };
            assert_eq!(answers, [Message::Outcome(refused)]);
        }
        None => {
            assert_ne!(bed.actor(&bsd).state(), before);
            assert_eq!(bed.state_of(&draft.tid()), State::AwaitingVotes);
        }
    }
    step.clause()
}

fn doctor(bed: &Testbed) -> Name {
    bed.network.keys.roster.doctor.clone()
}

/// The bent T_initial is refused by this clause, and taken without it.
fn only(clause: Clause, bend: Bend) {
    assert_eq!(clause_of(RULES, doctor, bend), Some(clause));
    assert_eq!(clause_of(RULES.without(clause), doctor, bend), None, "{clause}");
}

#[test]
fn an_honest_submission_is_taken() {
    assert_eq!(clause_of(RULES, doctor, |_, _| ()), None);
}

#[test]
fn the_version_is_one_and_the_suite_the_pinned_one() {
    only(Clause::ProtocolVersionIsOne, |draft, _| {
        draft.initial.header.version = 2;
        draft.sign();
    });
    only(Clause::SuiteMatches, |draft, _| {
        draft.initial.header.suite = Suite::Ristretto255;
        draft.sign();
    });
}

#[test]
fn only_the_users_own_signature_over_the_whole_header_is_taken() {
    let bends: [Bend; 4] = [
        |draft, bed| {
            let colleague = &bed.network.keys.credentials[&bed.network.keys.roster.colleague];
            let header = encode(&draft.initial.header);
            draft.initial.signature =
                colleague.identity().signing_key().sign(&RULES, Domain::T_INITIAL, &header);
        },
        |draft, _| {
            let header = encode(&draft.initial.header);
            draft.initial.signature =
                draft.own.identity().signing_key().sign(&RULES, Domain::T_BLOCK, &header);
        },
        |draft, _| draft.initial.header.patient = Name::new("somebody-else").unwrap(),
        |draft, _| draft.initial.header.expires = Time(draft.initial.header.expires.0 - 1),
    ];
    for bend in bends {
        only(Clause::UserSignsInitial, bend);
    }
}

#[test]
fn a_tid_is_derived_from_its_user_nonce_and_ciphertext() {
    only(Clause::TidIsDerived, |draft, _| {
        draft.initial.header.tid = Digest::of(Domain::TRANSACTION_ID, b"of my choice");
        draft.sign();
    });
}

#[test]
fn a_submission_names_this_bsd_and_this_network() {
    only(Clause::InitialNamesRecipient, |draft, _| {
        draft.initial.header.recipient = Name::new("another-bsd").unwrap();
        draft.sign();
    });
    only(Clause::InitialNamesRecipient, |draft, _| {
        draft.initial.header.network = Name::new("another-network").unwrap();
        draft.sign();
    });
}

#[test]
fn nobody_submits_in_the_name_or_role_of_another() {
    only(Clause::InitialSenderIsPeer, |draft, _| {
        draft.initial.header.role = Role::Assistant;
        draft.sign();
    });
    only(Clause::InitialSenderIsPeer, |draft, bed| {
        draft.initial.header.user = bed.network.keys.roster.colleague.clone();
        let bytes = draft.bytes.clone();
        draft.encrypt(&bytes);
        draft.bind();
        draft.readers(bed, &[&bed.network.keys.roster.colleague]);
    });
}

#[test]
fn an_administrator_submits_nothing() {
    let administrator = |bed: &Testbed| bed.network.keys.roster.administrators[0].clone();
    let honest: Bend = |_, _| ();
    assert_eq!(clause_of(RULES, administrator, honest), Some(Clause::RoleMaySubmit));
    // Without ROL-01 it goes on to who may read what was submitted, and without that it is taken.
    let submits = RULES.without(Clause::RoleMaySubmit);
    assert_eq!(clause_of(submits, administrator, honest), Some(Clause::GrantsNameAuthorisedReaders));
    assert_eq!(clause_of(submits.without(Clause::GrantsNameAuthorisedReaders), administrator, honest), None);
}

#[test]
fn a_submission_is_valid_from_its_issue_for_at_most_a_day() {
    let bends: [Bend; 4] = [
        |draft, _| {
            draft.initial.header.issued = draft.initial.header.issued.after(1);
            draft.sign();
        },
        |draft, _| {
            draft.initial.header.expires = draft.initial.header.issued;
            draft.sign();
        },
        |draft, _| {
            draft.initial.header.expires = draft.initial.header.expires.after(1);
            draft.sign();
        },
        |draft, _| {
            let header = &mut draft.initial.header;
            (header.issued, header.expires) = (Time(header.issued.0 - 86_400_000), header.issued);
            draft.sign();
        },
    ];
    let [too_early, void, too_long, of_yesterday] = bends;
    for bend in [too_early, void, too_long] {
        only(Clause::InitialWithinValidity, bend);
    }
    // Without INI-06 the readers' certificates, which were not valid yesterday, stop this one.
    assert_eq!(clause_of(RULES, doctor, of_yesterday), Some(Clause::InitialWithinValidity));
    // The last instant of a day is in time: what stops it then is INI-11, the readers' certificates of today.
    let (mut bed, doctor) = quiet(RULES);
    let mut draft = bed.draft(&doctor, &sound(), &[]);
    let header = &mut draft.initial.header;
    (header.issued, header.expires) = (Time(header.issued.0 - 86_399_999), header.issued.after(1));
    draft.sign();
    let bsd = bed.network.keys.roster.bsd.clone();
    let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
    assert_eq!(
        bed.send_in(&mut line, &draft.message()).0.clause(),
        Some(Clause::GrantsNameAuthorisedReaders)
    );
}

#[test]
fn the_ciphertext_is_the_one_that_was_signed() {
    // The same record with a space after its end: it opens, and maps onto the same attributes.
    only(Clause::CiphertextIsTheSigned, |draft, _| {
        let other = [draft.bytes.as_slice(), b" "].concat();
        draft.encrypt(&other);
    });
}

#[test]
fn a_record_opens_under_its_key() {
    let bend: Bend = |draft, _| {
        let mut ciphertext = draft.initial.ciphertext.as_slice().to_vec();
        *ciphertext.last_mut().unwrap() ^= 1;
        draft.initial.ciphertext = ciphertext.into();
        draft.bind();
        let readers: Vec<Name> = draft.initial.grants.iter().map(|grant| grant.reader.clone()).collect();
        assert_eq!(readers.len(), 1);
    };
    only(Clause::RecordOpensUnderItsKey, bend);
    // Who deciphers before the tag has verified does not notice either.
    assert_eq!(clause_of(RULES.without(Clause::TagVerifiedBeforeUse), doctor, bend), None);
    // What is shorter than a tag never opens.
    let short: Bend = |draft, _| {
        draft.initial.ciphertext = vec![0; 15].into();
        draft.bind();
    };
    assert_eq!(clause_of(RULES, doctor, short), Some(Clause::RecordOpensUnderItsKey));
}

#[test]
fn what_is_no_record_is_refused_by_the_clause_of_records() {
    let bends: [(Clause, Bend); 3] = [
        (Clause::RecordIsUtf8, |draft, _| draft.encrypt(b"{\"resourceType\": \"\xff\"}")),
        (Clause::RecordIsJson, |draft, _| draft.encrypt(b"{")),
        (Clause::ResourceTypeIsKnown, |draft, _| draft.encrypt(b"{\"resourceType\": \"Spaceship\"}")),
    ];
    for (clause, bend) in bends {
        let (mut bed, doctor) = quiet(RULES);
        let mut draft = bent(&mut bed, &doctor, bend);
        draft.bind();
        let bsd = bed.network.keys.roster.bsd.clone();
        let before = bed.actor(&bsd).state();
        let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
        assert_eq!(bed.send_in(&mut line, &draft.message()).0.clause(), Some(clause));
        assert_eq!(bed.actor(&bsd).state(), before);
    }
}

#[test]
fn the_commitments_are_those_of_the_record() {
    let bends: [Bend; 3] = [
        |draft, _| {
            let mut commitments = draft.initial.header.commitments.as_slice().to_vec();
            commitments[0] = Digest::of(Domain::COMMITMENT, b"another value");
            draft.initial.header.commitments = commitments.into();
            draft.sign();
        },
        |draft, _| {
            let mut commitments = draft.initial.header.commitments.as_slice().to_vec();
            commitments.swap(0, 1);
            draft.initial.header.commitments = commitments.into();
            draft.sign();
        },
        |draft, _| {
            let mut commitments = draft.initial.header.commitments.as_slice().to_vec();
            commitments.pop();
            draft.initial.header.commitments = commitments.into();
            draft.sign();
        },
    ];
    for bend in bends {
        only(Clause::CommitmentsMatchMapping, bend);
    }
}

#[test]
fn the_first_readers_are_the_signed_ones_in_order_and_may_read() {
    let bends: [Bend; 5] = [
        // Other wrapped keys than those of the header.
        |draft, bed| {
            let header = draft.initial.header.clone();
            draft.readers(bed, &[&bed.network.keys.roster.doctor, &bed.network.keys.roster.colleague]);
            draft.initial.header = header;
            draft.sign();
        },
        |draft, bed| {
            draft.readers(bed, &[&bed.network.keys.roster.colleague, &bed.network.keys.roster.doctor])
        },
        |draft, bed| draft.readers(bed, &[&bed.network.keys.roster.doctor, &bed.network.keys.roster.doctor]),
        |draft, bed| draft.readers(bed, &[&bed.network.keys.roster.colleague]),
        |draft, bed| {
            draft.readers(bed, &[&bed.network.keys.roster.doctor, &bed.network.keys.roster.administrators[0]])
        },
    ];
    for bend in bends {
        only(Clause::GrantsNameAuthorisedReaders, bend);
    }
    let stranger: Bend = |draft, bed| {
        draft.readers(bed, &[&bed.network.keys.roster.doctor, &bed.network.keys.roster.colleague]);
        let mut grants = draft.initial.grants.as_slice().to_vec();
        grants[1].reader = Name::new("nobody-at-all").unwrap();
        draft.initial.grants = grants.into();
        draft.initial.header.grants = bemr::actors::initial_builder::grants_digest(&draft.initial.grants);
        draft.sign();
    };
    only(Clause::GrantsNameAuthorisedReaders, stranger);
}

#[test]
fn a_tid_is_taken_once_and_its_outcome_told_again() {
    // A record that breaks a contract and a network that says nothing: the BSD itself rejects it.
    let ended = |rules: Rules| -> (Testbed, HeldSession, Draft) {
        let (mut bed, doctor) = quiet(rules);
        let bsd = bed.network.keys.roster.bsd.clone();
        let draft = bed.draft(&doctor, &broken(), &[]);
        let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
        assert_eq!(bed.send_in(&mut line, &draft.message()).0.clause(), None);
        (bed, line, draft)
    };
    let (mut bed, mut line, draft) = ended(RULES);
    let bsd = bed.network.keys.roster.bsd.clone();
    let before = bed.actor(&bsd).state();
    let (step, answers) = bed.send_in(&mut line, &draft.message());
    assert_eq!((step.clause(), step.verdict()), (Some(Clause::TidIsFresh), Verdict::Ignore));
    assert!(answers.is_empty(), "nothing is known of it yet");
    assert_eq!(bed.actor(&bsd).state(), before);
    assert_eq!(bed.finish(&draft.tid()), State::Rejected);
    let before = bed.actor(&bsd).state();
    let (step, answers) = bed.send_in(&mut line, &draft.message());
    assert_eq!(step.clause(), Some(Clause::TidIsFresh));
    assert_eq!(bed.actor(&bsd).state(), before);
    assert!(matches!(answers.as_slice(), [Message::Outcome(told)]
        if told.decision == Decision::Rejected && told.reason == bemr::wire::Reason::from_code(reason()) && told.tid == draft.tid()));

    let (mut bed, mut line, draft) = ended(RULES.without(Clause::TidIsFresh));
    assert_eq!(bed.finish(&draft.tid()), State::Rejected);
    assert_eq!(bed.send_in(&mut line, &draft.message()).0.clause(), None);
    assert_eq!(bed.state_of(&draft.tid()), State::AwaitingVotes, "a second chance at a verdict");
}

#[test]
fn the_outcome_is_told_to_nobody_else() {
    let (mut bed, doctor) = quiet(RULES);
    let bsd = bed.network.keys.roster.bsd.clone();
    let draft = bed.draft(&doctor, &broken(), &[]);
    let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
    bed.send_in(&mut line, &draft.message()).0.outcome.unwrap();
    bed.finish(&draft.tid());
    let colleague = bed.network.keys.roster.colleague.clone();
    let mut line = bed.connect(&colleague, &bsd, SessionType::Initial);
    let (step, answers) = bed.send_in(&mut line, &draft.message());
    assert_eq!(step.clause(), Some(Clause::InitialSenderIsPeer));
    assert!(matches!(answers.as_slice(), [Message::Outcome(told)] if told.decision == Decision::Refused));
}

#[test]
fn a_record_is_not_used_twice_for_one_patient() {
    let again = |rules: Rules| {
        let (mut bed, doctor) = quiet(rules);
        let bsd = bed.network.keys.roster.bsd.clone();
        let first = bed.draft(&doctor, &sound(), &[]);
        let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
        bed.send_in(&mut line, &first.message()).0.outcome.unwrap();
        bed.run(1_000, |_| false);
        let second = bed.draft(&doctor, &sound(), &[]);
        assert_ne!(first.tid(), second.tid());
        let before = bed.actor(&bsd).state();
        let clause = bed.send_in(&mut line, &second.message()).0.clause();
        assert_eq!(bed.actor(&bsd).state() == before, clause.is_some());
        (bed, line, first, clause)
    };
    let (mut bed, mut line, first, clause) = again(RULES);
    assert_eq!(clause, Some(Clause::RecordNotReused));
    assert_eq!(again(RULES.without(Clause::RecordNotReused)).3, None);
    // A submission that did not commit does not use the record up.
    assert_eq!(bed.finish(&first.tid()), State::Deferred);
    let doctor = doctor(&bed);
    let third = bed.draft(&doctor, &sound(), &[]);
    assert_eq!(bed.send_in(&mut line, &third.message()).0.clause(), None);
}

#[test]
fn a_committed_record_stays_used() {
    let mut bed = Testbed::new(RULES, 4);
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed);
    let (bsd, doctor) = (bed.network.keys.roster.bsd.clone(), doctor(&bed));
    let draft = bed.draft(&doctor, &sound(), &[]);
    let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
    assert_eq!(bed.send_in(&mut line, &draft.message()).0.clause(), Some(Clause::RecordNotReused));
}

#[test]
fn the_bsd_takes_no_message_that_the_table_gives_to_another_stage_or_direction() {
    let (mut bed, doctor) = quiet(RULES);
    let bsd = bed.network.keys.roster.bsd.clone();
    let tid = Digest::default();
    let outcome =
        Outcome { tid, decision: Decision::Committed, reason: bemr::wire::Reason::NONE, height: Height(1) };
    let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
    let before = bed.actor(&bsd).state();
    // The right bed, the wrong direction. There is no handler that a mutant could fall through to.
    let (step, _) = bed.send_in(&mut line, &Message::Outcome(outcome));
    assert_eq!(step.clause(), Some(Clause::MessageTypeIsExpected));
    // The wrong bed.
    let read = ReadRequest { tid, nonce: [0; 32], remembered: 0 };
    let answer = RequestOutcome {
        request: [0; 32],
        tid,
        decision: Decision::Committed,
        reason: bemr::wire::Reason::NONE,
    };
    for message in [Message::Answer(answer), Message::ReadRequest(read)] {
        let (step, _) = bed.send_bytes(&mut line, ContentType::Initial, &encode(&message));
        assert_eq!(step.clause(), Some(Clause::MessageTypeIsExpected));
    }
    assert_eq!(bed.actor(&bsd).state(), before);
}

#[test]
fn a_vote_in_the_session_of_a_user_is_no_vote() {
    for (rules, expected) in [
        (RULES, Clause::MessageTypeIsExpected),
        // The next check stands behind it: a user is no validator.
        (RULES.without(Clause::MessageTypeIsExpected), Clause::VoterIsAdmitted),
    ] {
        let (mut bed, doctor) = quiet(rules);
        let bsd = bed.network.keys.roster.bsd.clone();
        let tid = bed.submit(&sound());
        assert!(bed.run(1_000, |bed| !bed.received(&bed.validators()[3]).is_empty()));
        let block = bed.received(&bed.validators()[3])[0].clone();
        let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
        let ballot = vote(&bed.network.keys.credentials[&doctor], &block, Ballot::True, 0);
        let before = bed.actor(&bsd).state();
        let (step, _) = bed.send_bytes(&mut line, ContentType::Initial, &encode(&Message::Vote(ballot)));
        assert_eq!(step.clause(), Some(expected));
        assert_eq!(bed.actor(&bsd).state(), before);
        assert_eq!(bed.state_of(&tid), State::AwaitingVotes);
    }
}

#[test]
fn a_message_has_one_encoding_within_its_bound() {
    for (rules, trailing, giant) in [
        (RULES, Some(Clause::OneEncodingPerValue), Clause::SizeWithinBound),
        (RULES.without(Clause::OneEncodingPerValue), None, Clause::SizeWithinBound),
        // What is too long is then at least no packet.
        (
            RULES.without(Clause::SizeWithinBound),
            Some(Clause::OneEncodingPerValue),
            Clause::OneEncodingPerValue,
        ),
    ] {
        let (mut bed, doctor) = quiet(rules);
        let bsd = bed.network.keys.roster.bsd.clone();
        let draft = bed.draft(&doctor, &sound(), &[]);
        let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
        let before = bed.actor(&bsd).state();
        let bytes = [encode(&draft.message()), vec![0]].concat();
        let (step, _) = bed.send_bytes(&mut line, ContentType::Initial, &bytes);
        assert_eq!(step.clause(), trailing);
        assert_eq!(bed.actor(&bsd).state() == before, trailing.is_some());
        let before = bed.actor(&bsd).state();
        let packet = vec![0; constants::MESSAGE_BYTES + 1];
        let step = bed.deliver(&bsd, Input::Packet { from: doctor, packet });
        assert_eq!(step.clause(), Some(giant));
        assert_eq!(bed.actor(&bsd).state(), before);
    }
}

#[test]
fn no_bytes_disturb_the_bsd() {
    let (mut bed, doctor) = quiet(RULES);
    let bsd = bed.network.keys.roster.bsd.clone();
    let draft = bed.draft(&doctor, &sound(), &[]);
    let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
    let before = bed.actor(&bsd).state();
    let honest = encode(&draft.message());
    for cut in (0..honest.len()).step_by(97) {
        let (step, _) = bed.send_bytes(&mut line, ContentType::Initial, &honest[..cut]);
        assert_eq!(step.clause(), Some(Clause::OneEncodingPerValue));
    }
    assert_eq!(bed.actor(&bsd).state(), before);
    assert_eq!(bed.send_in(&mut line, &draft.message()).0.clause(), None);
}

// ---- Seals ----

#[test]
fn the_key_of_t_initial_is_sealed_before_t_block_goes_out_and_the_custodian_opens_it() {
    let (mut bed, doctor) = quiet(RULES);
    let bsd = bed.network.keys.roster.bsd.clone();
    let draft = bed.draft(&doctor, &sound(), &[]);
    let mut line = bed.connect(&doctor, &bsd, SessionType::Initial);
    let sent = line.session.seal_record(&RULES, ContentType::Initial, &encode(&draft.message())).unwrap();
    let step = bed.deliver(&bsd, Input::Packet { from: doctor, packet: sent.record.clone() });
    assert_eq!(step.clause(), None);
    assert!(bed.run(1_000, |bed| !bed.received(&bed.validators()[0]).is_empty()));
    let block = bed.received(&bed.validators()[0])[0].clone();
    let kept = |name: String| bed.network.store.read(|store| store.meta(&name)).unwrap().unwrap();
    let seal: Seal = decode(&RULES, &kept(format!("seal/{}", block.body.seal))).unwrap();
    assert_eq!(bemr::wire::SealDigest::of(&seal).0, block.body.seal);
    assert_eq!((seal.context.tid, seal.context.stage), (draft.tid(), ContentType::Initial));
    let start: SealChainStart = decode(&RULES, &kept("seal-chain".to_owned())).unwrap();
    let custodian = bed.network.keys.credentials[&bed.network.keys.roster.custodian].clone();
    let mut chain = Custodian::new(&RULES, custodian).unwrap().open_chain(&RULES, &start).unwrap();
    let keys = chain.open(&RULES, &seal).unwrap();
    let message = keys.iter().find_map(|key| key.open_record(&RULES, &sent.record).ok()).unwrap();
    assert_eq!(decode::<Message>(&RULES, &message).unwrap(), draft.message());
}

#[test]
fn without_a_seal_no_validator_votes() {
    for (rules, heard, voted) in [
        (RULES, true, true),
        // The BSD of this mutant seals nothing: its T_block names no seal, and validators refuse it by SEA-04.
        (RULES.without(Clause::SealBeforeNextStage), true, false),
        (RULES.without(Clause::SealBeforeNextStage).without(Clause::SealDigestIsCarried), true, true),
    ] {
        let mut bed = Testbed::new(rules, 4);
        let tid = bed.submit(&sound());
        let ended = bed.finish(&tid);
        assert_eq!(ended, if voted { State::Committed } else { State::Deferred });
        let asked = bed.events.iter().filter(|event| event.event == bemr_spec::Event::BlockRequestArrived);
        let asked: Vec<Option<Clause>> = asked.map(|event| event.clause).collect();
        assert_eq!(!asked.is_empty(), heard);
        let refused = (!voted).then_some(Clause::SealDigestIsCarried);
        assert!(asked.iter().all(|clause| *clause == refused), "{asked:?}");
    }
}

#[test]
fn the_audit_log_names_the_seal_that_the_last_message_carried() {
    let committed = |record: &Record| {
        let mut bed = Testbed::new(RULES, 4);
        let tid = bed.submit(record);
        let state = bed.finish(&tid);
        let entry = bed.network.store.read(|store| store.audit_entry(&RULES, 0)).unwrap().unwrap();
        let seal = entry.seal.unwrap();
        let kept = bed.network.store.read(|store| store.meta(&format!("seal/{seal}"))).unwrap().unwrap();
        let seal: Seal = decode(&RULES, &kept).unwrap();
        assert_eq!(seal.context.tid, tid);
        (state, seal)
    };
    let (state, seal) = committed(&sound());
    assert_eq!((state, seal.context.stage), (State::Committed, ContentType::Block));
    // A quorum of three: the keys of the three votes that were counted by then, and of the four T_blocks.
    assert_eq!(seal.context.keys.len(), 7);
    let (state, seal) = committed(&broken());
    assert_eq!((state, seal.context.stage), (State::Rejected, ContentType::Initial));
}

// ---- Every row of the machine ----

/// A network in which every validator votes by `script`, and a record is submitted.
fn staged(record: &Record, script: impl Fn(usize) -> Script) -> (Testbed, Digest) {
    let mut bed = Testbed::new(RULES, 4);
    bed.script_all(script);
    let tid = bed.submit(record);
    (bed, tid)
}

/// Half of them say true and half false: no quorum can come about.
fn torn(number: usize) -> Script {
    if number < 2 { always(Ballot::True, 0) } else { always(Ballot::False, reason()) }
}

fn honest_true(_: usize) -> Script {
    always(Ballot::True, 0)
}

fn honest_false(_: usize) -> Script {
    always(Ballot::False, reason())
}

fn no_vote(_: usize) -> Script {
    silent()
}

/// How the submission ended, with the clause or code that the user was told and whether a block says so.
fn ended(bed: &mut Testbed, tid: &Digest, state: State, told: u16) {
    assert_eq!(bed.finish(tid), state);
    let doctor = doctor(bed);
    let tid = *tid;
    bed.run(10_000, |bed| !bed.network.user(&doctor).unwrap().awaits(&tid));
    let outcome = bed.network.user(&doctor).unwrap().outcome(&tid).unwrap().clone();
    let decision = match state {
        State::Committed => Decision::Committed,
        State::Rejected => Decision::Rejected,
        _ => Decision::Deferred,
    };
    assert_eq!((outcome.decision, outcome.reason), (decision, bemr::wire::Reason::from_code(told)));
    let entries = bed.network.store.read(|store| store.len(bemr::store::Table::AuditEntries)).unwrap();
    assert_eq!(entries, 1, "one end, one entry");
    let stored = bed.network.cloud().unwrap().state_of(&tid);
    assert_eq!(
        stored == bemr::actors::cloud::record_machine::State::AwaitingValid,
        state != State::Committed
    );
    assert_eq!(bed.bsd().state_of(&tid), state);
}

fn accepted_and_stored() -> Testbed {
    let (mut bed, tid) = staged(&sound(), honest_true);
    ended(&mut bed, &tid, State::Committed, 0);
    let certificate = bed.decided(&tid).unwrap();
    assert_eq!(certificate.body.ballot, Ballot::True);
    assert!(certificate.signatories.len() >= 3);
    bed
}

fn rejected_by_the_network() -> Testbed {
    let (mut bed, tid) = staged(&broken(), honest_false);
    ended(&mut bed, &tid, State::Rejected, reason());
    assert_eq!(bed.decided(&tid).unwrap().body.ballot, Ballot::False);
    bed
}

fn a_lying_quorum_says_true() -> Testbed {
    let (mut bed, tid) = staged(&broken(), honest_true);
    ended(&mut bed, &tid, State::Deferred, Clause::AcceptNeedsReverification.code());
    let [Evidence::Overruled(certificate)] = bed.bsd().evidence() else {
        panic!("the quorum convicts itself")
    };
    assert_eq!((certificate.body.tid, certificate.body.ballot), (tid, Ballot::True));
    bed
}

fn a_lying_quorum_says_false() -> Testbed {
    let (mut bed, tid) = staged(&sound(), honest_false);
    ended(&mut bed, &tid, State::Deferred, Clause::AcceptNeedsReverification.code());
    assert!(matches!(bed.bsd().evidence(), [Evidence::Overruled(one)] if one.body.ballot == Ballot::False));
    bed
}

fn torn_over_a_sound_record() -> Testbed {
    let (mut bed, tid) = staged(&sound(), torn);
    ended(&mut bed, &tid, State::Deferred, Clause::AcceptNeedsQuorum.code());
    assert!(bed.decided(&tid).is_none());
    bed
}

fn torn_over_a_broken_record() -> Testbed {
    let (mut bed, tid) = staged(&broken(), torn);
    ended(&mut bed, &tid, State::Rejected, reason());
    bed
}

fn nobody_votes_on_a_sound_record() -> Testbed {
    let (mut bed, tid) = staged(&sound(), no_vote);
    ended(&mut bed, &tid, State::Deferred, Clause::FailoverIsBounded.code());
    bed
}

fn nobody_votes_on_a_broken_record() -> Testbed {
    let (mut bed, tid) = staged(&broken(), no_vote);
    ended(&mut bed, &tid, State::Rejected, reason());
    bed
}

fn by_work(record: &Record) -> (Testbed, Digest) {
    let mut bed =
        Testbed::of(NetworkConfig { ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 4) });
    let tid = bed.submit(record);
    (bed, tid)
}

fn confirmations_come_one_by_one() -> Testbed {
    let (mut bed, tid) = by_work(&sound());
    ended(&mut bed, &tid, State::Committed, 0);
    bed
}

fn confirmations_of_a_rejection_come_one_by_one() -> Testbed {
    let (mut bed, tid) = by_work(&broken());
    ended(&mut bed, &tid, State::Rejected, reason());
    bed
}

/// Nobody hears of the decision, so no block ever holds it.
fn unheard(record: &Record, script: fn(usize) -> Script) -> (Testbed, Digest) {
    let (mut bed, tid) = staged(record, script);
    bed.lose(|envelope| envelope.label == "Decision");
    (bed, tid)
}

fn the_decision_never_becomes_final() -> Testbed {
    let (mut bed, tid) = unheard(&sound(), honest_true);
    assert!(bed.run(10_000, |bed| bed.state_of(&tid) == State::AwaitingFinality));
    let decided = bed.network.now();
    ended(&mut bed, &tid, State::Deferred, Clause::ConfirmationsReached.code());
    let expired = bed.events.iter().rfind(|event| event.event == bemr_spec::Event::FinalityExpired).unwrap();
    assert_eq!(expired.time, decided.after(constants::BSD_FINALITY_MS));
    bed
}

fn the_rejection_never_becomes_final() -> Testbed {
    let (mut bed, tid) = unheard(&broken(), honest_false);
    assert!(bed.run(10_000, |bed| bed.state_of(&tid) == State::AwaitingRejection));
    ended(&mut bed, &tid, State::Rejected, reason());
    bed
}

/// More than a third lie to the BSD: the ledger holds the opposite of what they told it.
fn two_faced(record: &Record, script: fn(usize) -> Script, ballot: Ballot, reason: u16) -> Testbed {
    let (mut bed, tid) = unheard(record, script);
    let waits = |state| matches!(state, State::AwaitingFinality | State::AwaitingRejection);
    assert!(bed.run(10_000, |bed| waits(bed.state_of(&tid))));
    let block = bed.received(&bed.validators()[0])[0].clone();
    let liar = bed.network.keys.credentials[&bed.validators()[0]].clone();
    let body = vote(&liar, &block, ballot, reason).body;
    let other = certify(&bed, &bed.validators()[..3], &body);
    for validator in bed.validators() {
        let gossip = Gossip::Decision(other.clone());
        bed.deliver(&validator, Input::Gossip { from: liar.name().clone(), gossip }).outcome.unwrap();
    }
    ended(&mut bed, &tid, State::Deferred, Clause::AcceptNeedsReverification.code());
    assert_eq!(bed.bsd().evidence(), [Evidence::Overruled(other)]);
    bed
}

fn the_ledger_says_false_after_a_true_quorum() -> Testbed {
    two_faced(&sound(), honest_true, Ballot::False, reason())
}

fn the_ledger_says_true_after_a_false_quorum() -> Testbed {
    two_faced(&broken(), honest_false, Ballot::True, 0)
}

fn the_cloud_answers_to_the_second_t_valid() -> Testbed {
    let (mut bed, tid) = staged(&sound(), honest_true);
    let mut lost = 0;
    bed.lose(move |envelope| {
        lost += u32::from(envelope.label == "T_valid");
        envelope.label == "T_valid" && lost == 1
    });
    ended(&mut bed, &tid, State::Committed, 0);
    bed
}

fn the_cloud_is_out_of_reach() -> Testbed {
    let (mut bed, tid) = staged(&sound(), honest_true);
    bed.lose(|envelope| envelope.to.as_str() == "cloud" && envelope.packet().is_some());
    assert!(bed.run(60_000, |bed| bed.state_of(&tid) == State::AwaitingReceipt));
    let sent = bed.network.now();
    ended(&mut bed, &tid, State::Deferred, Clause::FailoverIsBounded.code());
    let expired: Vec<Time> = bed
        .events
        .iter()
        .filter(|event| event.event == bemr_spec::Event::ReceiptExpired)
        .map(|event| event.time)
        .collect();
    assert_eq!(expired, [1, 2, 3].map(|attempt| sent.after(attempt * constants::BSD_ATTEMPT_MS)));
    bed
}

/// A row of the machine (from, event, to) and the scenarios that drive it.
type Scenarios = (&'static str, &'static str, &'static str, Vec<fn() -> Testbed>);

/// A scenario for each row, by the row's state, event and guard.
fn scenarios() -> Vec<Scenarios> {
    vec![
        ("AwaitingInitial", "InitialArrived", "every check of T_initial holds", vec![accepted_and_stored]),
        ("AwaitingVotes", "VoteArrived", "a quorum is possible, none is there", vec![accepted_and_stored]),
        ("AwaitingVotes", "VoteArrived", "quorum true, re-verification holds", vec![accepted_and_stored]),
        (
            "AwaitingVotes",
            "VoteArrived",
            "quorum false, re-verification does not hold",
            vec![rejected_by_the_network],
        ),
        (
            "AwaitingVotes",
            "VoteArrived",
            "the quorum contradicts re-verification",
            vec![a_lying_quorum_says_true, a_lying_quorum_says_false],
        ),
        ("AwaitingVotes", "VoteArrived", "conflict, re-verification holds", vec![torn_over_a_sound_record]),
        (
            "AwaitingVotes",
            "VoteArrived",
            "conflict, re-verification does not hold",
            vec![torn_over_a_broken_record],
        ),
        (
            "AwaitingVotes",
            "AttemptExpired",
            "attempts are left",
            vec![nobody_votes_on_a_sound_record, nobody_votes_on_a_broken_record],
        ),
        (
            "AwaitingVotes",
            "AttemptExpired",
            "none is left, re-verification holds",
            vec![nobody_votes_on_a_sound_record],
        ),
        (
            "AwaitingVotes",
            "AttemptExpired",
            "none is left, re-verification does not hold",
            vec![nobody_votes_on_a_broken_record],
        ),
        (
            "AwaitingFinality",
            "BlockArrived",
            "the decision is not final",
            vec![confirmations_come_one_by_one],
        ),
        (
            "AwaitingFinality",
            "BlockArrived",
            "the decision is final",
            vec![confirmations_come_one_by_one, accepted_and_stored],
        ),
        (
            "AwaitingFinality",
            "BlockArrived",
            "another decision is final",
            vec![the_ledger_says_false_after_a_true_quorum],
        ),
        ("AwaitingFinality", "FinalityExpired", "", vec![the_decision_never_becomes_final]),
        (
            "AwaitingRejection",
            "BlockArrived",
            "the decision is not final",
            vec![confirmations_of_a_rejection_come_one_by_one],
        ),
        ("AwaitingRejection", "BlockArrived", "the decision is final", vec![rejected_by_the_network]),
        (
            "AwaitingRejection",
            "BlockArrived",
            "another decision is final",
            vec![the_ledger_says_true_after_a_false_quorum],
        ),
        ("AwaitingRejection", "FinalityExpired", "", vec![the_rejection_never_becomes_final]),
        ("AwaitingReceipt", "ReceiptArrived", "every check of the receipt holds", vec![accepted_and_stored]),
        (
            "AwaitingReceipt",
            "ReceiptExpired",
            "attempts are left",
            vec![the_cloud_answers_to_the_second_t_valid],
        ),
        ("AwaitingReceipt", "ReceiptExpired", "none is left", vec![the_cloud_is_out_of_reach]),
    ]
}

#[test]
fn every_row_of_the_machine_is_driven() {
    let mut driven = BTreeSet::new();
    for (from, event, guard, stages) in scenarios() {
        let rows = machine::ROWS.iter().zip(machine::MACHINE.rows);
        let mut rows = rows.filter(|(_, row)| (row.from, row.event, row.guard) == (from, event, guard));
        let (row, _) = rows.next().unwrap_or_else(|| panic!("no row {from}, {event}, {guard}"));
        for bed in stages {
            let bed = bed();
            let step = (row.from, row.event.name(), row.to);
            assert!(bed.transitions.contains(&step), "{from}, {event}, {guard}: {:?}", bed.transitions);
            for (from, event, to) in bed.transitions {
                let mut rows = machine::ROWS.iter();
                let listed = rows.any(|row| (row.from, row.event.name(), row.to) == (from, event, to));
                assert!(from == to || listed, "{from} {event} {to}");
            }
        }
        assert!(driven.insert((from, event, guard)), "twice");
    }
    assert_eq!(driven.len(), machine::ROWS.len());
    println!("{} rows driven", driven.len());
}

#[test]
fn a_receipt_for_what_awaits_none_is_refused() {
    // STA-01 in the place where the cloud's answer comes late: the submission has ended.
    let mut bed = accepted_and_stored();
    let bsd = bed.network.keys.roster.bsd.clone();
    let before = bed.actor(&bsd).state();
    let (cloud, held) =
        (bed.network.keys.roster.cloud.clone(), std::rc::Rc::new(std::cell::RefCell::new(Vec::new())));
    // A second submission whose receipts are held back until it has been deferred.
    let kept = std::rc::Rc::clone(&held);
    bed.lose(move |envelope| {
        let receipt = envelope.label == "Receipt";
        if receipt {
            kept.borrow_mut().push(envelope.packet().unwrap().to_vec());
        }
        receipt
    });
    let tid = bed.submit(&crate::testbed::record("Observation-bmd"));
    assert_eq!(bed.finish(&tid), State::Deferred);
    assert_ne!(bed.actor(&bsd).state(), before);
    let before = bed.actor(&bsd).state();
    let late = held.borrow().last().unwrap().clone();
    let step = bed.deliver(&bsd, Input::Packet { from: cloud, packet: late });
    assert_eq!(step.clause(), Some(Clause::EventFitsState));
    assert_eq!((bed.actor(&bsd).state(), bed.state_of(&tid)), (before, State::Deferred));
    // What the cloud has and the BSD never heard of, the auditor forgives: nobody lied.
    let stored = bed.network.cloud().unwrap().state_of(&tid);
    assert_eq!(stored, bemr::actors::cloud::record_machine::State::Stored);
}

#[test]
fn t_valid_is_made_of_accepted_and_final_submissions_alone() {
    // ACK-06 and SEA-01 hold by construction: T_valid takes what only a final block and a seal give, so no input is
    // refused by them here. What can be seen is that T_valid goes out in no other state.
    let _: (Clause, Clause) = (Clause::OnlyAcceptedIsPromoted, Clause::SealBeforeNextStage);
    for (_, _, _, stages) in scenarios() {
        for bed in stages {
            let bed = bed();
            let from_bsd = bed.events.iter().filter(|event| event.actor == bed.network.keys.roster.bsd);
            let mut promoted = false;
            for event in from_bsd {
                if event.sends.iter().any(|(to, _, _)| to.as_ref() == Some(&bed.network.keys.roster.cloud)) {
                    assert!(
                        matches!(event.event.name(), "BlockArrived" | "Response" | "ReceiptExpired" | "Wake"),
                        "{event:?}"
                    );
                    promoted = true;
                }
            }
            let reached = bed.transitions.iter().any(|(_, _, to)| *to == State::AwaitingReceipt);
            assert_eq!(promoted, reached);
        }
    }
}

#[test]
fn the_audit_log_is_anchored_once_a_final_block_holds_its_newest_head() {
    let (mut bed, tid) = staged(&sound(), honest_true);
    assert!(bed.bsd().is_anchored(), "there is nothing to anchor");
    bed.finish(&tid);
    assert!(!bed.bsd().is_anchored());
    assert!(bed.run(60_000, |bed| bed.bsd().is_anchored()));
}

#[test]
fn a_receipt_is_of_the_records_own_leaf() {
    for (kind, own, taken) in
        [(LeafKind::Record, true, true), (LeafKind::Record, false, false), (LeafKind::Grant, true, false)]
    {
        let mut bed = Testbed::new(RULES, 4);
        let (bsd, cloud) = (bed.network.keys.roster.bsd.clone(), bed.network.keys.roster.cloud.clone());
        let mut double = Responder::of(&mut bed, &cloud);
        let tid = bed.submit(&sound());
        let mut heard = Vec::new();
        while heard.is_empty() {
            assert!(bed.step());
            heard = double.receive(&mut bed);
        }
        let Some(Message::TValid(valid)) = heard.pop() else { panic!("a T_valid") };
        let content = if own { StoredRecord::of(&valid).digest() } else { Digest::default() };
        let (network, now) = (bed.network.keys.genesis.network.clone(), bed.network.now());
        let mut log = CloudLog::new(Suite::Tiny, network, cloud.clone(), Frontier::default());
        let leaf = log.append(kind, tid, content, now).leaf;
        let key = bed.network.keys.credentials[&cloud].identity().signing_key();
        let head = log.sign(&RULES, key, now);
        let inclusion = InclusionProof { index: 0, path: Vec::new().into() };
        let step = double.send(&mut bed, &bsd, Message::Receipt(Receipt { head, leaf, inclusion }));
        assert_eq!(step.clause(), (!taken).then_some(Clause::LeafIsIncluded));
        assert_eq!(bed.state_of(&tid) == State::Committed, taken);
    }
}

#[test]
fn an_end_without_a_final_decision_names_none() {
    let mut bed =
        Testbed::of(NetworkConfig { ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 4) });
    let bsd = bed.network.keys.roster.bsd.clone();
    let mut blocks = 0;
    bed.lose(move |envelope| {
        let block = envelope.to == bsd && envelope.label == "Block";
        blocks += u32::from(block);
        block && blocks > 1
    });
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Deferred);
    assert!(bed.bsd().ledger_view().ledger.decision(&tid).is_some());
    let entry = bed.network.store.read(|store| store.audit_entry(&RULES, 0)).unwrap().unwrap();
    assert_eq!((entry.reason, entry.decision), (Clause::ConfirmationsReached.code(), None));
}
