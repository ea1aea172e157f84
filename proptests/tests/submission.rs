//! What the BSD takes from a user: every check of T_initial, the seals, and every row of the machine of a submission.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use crate::testbed::{
    Double, Draft, Line, RULES, Script, Testbed, broken, certify, packet_of, reason, says, silent, sound,
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
    let mut stage = Testbed::new(rules, 4);
    stage.play_all(|_| silent());
    let doctor = stage.town.cast.doctor.clone();
    (stage, doctor)
}

fn bent(stage: &mut Testbed, who: &Name, bend: Bend) -> Draft {
    let mut draft = stage.draft(who, &sound(), &[]);
    bend(&mut draft, stage);
    draft
}

/// What the BSD makes of a bent T_initial: the clause that refuses it, having changed nothing.
fn clause_of(rules: Rules, who: impl Fn(&Testbed) -> Name, bend: Bend) -> Option<Clause> {
    let (mut stage, _) = quiet(rules);
    let who = who(&stage);
    let draft = bent(&mut stage, &who, bend);
    let bsd = stage.town.cast.bsd.clone();
    let mut line = stage.connect(&who, &bsd, SessionType::Initial);
    let before = stage.public(&bsd);
    let (step, answers) = stage.say(&mut line, &draft.message());
    match step.clause() {
        Some(clause) => {
            assert_eq!(stage.public(&bsd), before);
            assert_eq!(stage.bsd().submissions().count(), 0);
            assert_eq!(stage.state_of(&draft.tid()), State::AwaitingInitial);
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
            assert_ne!(stage.public(&bsd), before);
            assert_eq!(stage.state_of(&draft.tid()), State::AwaitingVotes);
        }
    }
    step.clause()
}

fn doctor(stage: &Testbed) -> Name {
    stage.town.cast.doctor.clone()
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
        |draft, stage| {
            let colleague = &stage.town.credentials[&stage.town.cast.colleague];
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
    only(Clause::InitialSenderIsPeer, |draft, stage| {
        draft.initial.header.user = stage.town.cast.colleague.clone();
        let bytes = draft.bytes.clone();
        draft.encrypt(&bytes);
        draft.bind();
        draft.readers(stage, &[&stage.town.cast.colleague]);
    });
}

#[test]
fn an_administrator_submits_nothing() {
    let administrator = |stage: &Testbed| stage.town.cast.administrators[0].clone();
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
    let (mut stage, doctor) = quiet(RULES);
    let mut draft = stage.draft(&doctor, &sound(), &[]);
    let header = &mut draft.initial.header;
    (header.issued, header.expires) = (Time(header.issued.0 - 86_399_999), header.issued.after(1));
    draft.sign();
    let bsd = stage.town.cast.bsd.clone();
    let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
    assert_eq!(stage.say(&mut line, &draft.message()).0.clause(), Some(Clause::GrantsNameAuthorisedReaders));
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
        let (mut stage, doctor) = quiet(RULES);
        let mut draft = bent(&mut stage, &doctor, bend);
        draft.bind();
        let bsd = stage.town.cast.bsd.clone();
        let before = stage.public(&bsd);
        let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
        assert_eq!(stage.say(&mut line, &draft.message()).0.clause(), Some(clause));
        assert_eq!(stage.public(&bsd), before);
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
        |draft, stage| {
            let header = draft.initial.header.clone();
            draft.readers(stage, &[&stage.town.cast.doctor, &stage.town.cast.colleague]);
            draft.initial.header = header;
            draft.sign();
        },
        |draft, stage| draft.readers(stage, &[&stage.town.cast.colleague, &stage.town.cast.doctor]),
        |draft, stage| draft.readers(stage, &[&stage.town.cast.doctor, &stage.town.cast.doctor]),
        |draft, stage| draft.readers(stage, &[&stage.town.cast.colleague]),
        |draft, stage| draft.readers(stage, &[&stage.town.cast.doctor, &stage.town.cast.administrators[0]]),
    ];
    for bend in bends {
        only(Clause::GrantsNameAuthorisedReaders, bend);
    }
    let stranger: Bend = |draft, stage| {
        draft.readers(stage, &[&stage.town.cast.doctor, &stage.town.cast.colleague]);
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
    let ended = |rules: Rules| -> (Testbed, Line, Draft) {
        let (mut stage, doctor) = quiet(rules);
        let bsd = stage.town.cast.bsd.clone();
        let draft = stage.draft(&doctor, &broken(), &[]);
        let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
        assert_eq!(stage.say(&mut line, &draft.message()).0.clause(), None);
        (stage, line, draft)
    };
    let (mut stage, mut line, draft) = ended(RULES);
    let bsd = stage.town.cast.bsd.clone();
    let before = stage.public(&bsd);
    let (step, answers) = stage.say(&mut line, &draft.message());
    assert_eq!((step.clause(), step.verdict()), (Some(Clause::TidIsFresh), Verdict::Ignore));
    assert!(answers.is_empty(), "nothing is known of it yet");
    assert_eq!(stage.public(&bsd), before);
    assert_eq!(stage.finish(&draft.tid()), State::Rejected);
    let before = stage.public(&bsd);
    let (step, answers) = stage.say(&mut line, &draft.message());
    assert_eq!(step.clause(), Some(Clause::TidIsFresh));
    assert_eq!(stage.public(&bsd), before);
    assert!(matches!(answers.as_slice(), [Message::Outcome(told)]
        if told.decision == Decision::Rejected && told.reason == bemr::wire::Reason::from_code(reason()) && told.tid == draft.tid()));

    let (mut stage, mut line, draft) = ended(RULES.without(Clause::TidIsFresh));
    assert_eq!(stage.finish(&draft.tid()), State::Rejected);
    assert_eq!(stage.say(&mut line, &draft.message()).0.clause(), None);
    assert_eq!(stage.state_of(&draft.tid()), State::AwaitingVotes, "a second chance at a verdict");
}

#[test]
fn the_outcome_is_told_to_nobody_else() {
    let (mut stage, doctor) = quiet(RULES);
    let bsd = stage.town.cast.bsd.clone();
    let draft = stage.draft(&doctor, &broken(), &[]);
    let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
    stage.say(&mut line, &draft.message()).0.outcome.unwrap();
    stage.finish(&draft.tid());
    let colleague = stage.town.cast.colleague.clone();
    let mut line = stage.connect(&colleague, &bsd, SessionType::Initial);
    let (step, answers) = stage.say(&mut line, &draft.message());
    assert_eq!(step.clause(), Some(Clause::InitialSenderIsPeer));
    assert!(matches!(answers.as_slice(), [Message::Outcome(told)] if told.decision == Decision::Refused));
}

#[test]
fn a_record_is_not_used_twice_for_one_patient() {
    let again = |rules: Rules| {
        let (mut stage, doctor) = quiet(rules);
        let bsd = stage.town.cast.bsd.clone();
        let first = stage.draft(&doctor, &sound(), &[]);
        let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
        stage.say(&mut line, &first.message()).0.outcome.unwrap();
        stage.run(1_000, |_| false);
        let second = stage.draft(&doctor, &sound(), &[]);
        assert_ne!(first.tid(), second.tid());
        let before = stage.public(&bsd);
        let clause = stage.say(&mut line, &second.message()).0.clause();
        assert_eq!(stage.public(&bsd) == before, clause.is_some());
        (stage, line, first, clause)
    };
    let (mut stage, mut line, first, clause) = again(RULES);
    assert_eq!(clause, Some(Clause::RecordNotReused));
    assert_eq!(again(RULES.without(Clause::RecordNotReused)).3, None);
    // A submission that did not commit does not use the record up.
    assert_eq!(stage.finish(&first.tid()), State::Deferred);
    let doctor = doctor(&stage);
    let third = stage.draft(&doctor, &sound(), &[]);
    assert_eq!(stage.say(&mut line, &third.message()).0.clause(), None);
}

#[test]
fn a_committed_record_stays_used() {
    let mut stage = Testbed::new(RULES, 4);
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed);
    let (bsd, doctor) = (stage.town.cast.bsd.clone(), doctor(&stage));
    let draft = stage.draft(&doctor, &sound(), &[]);
    let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
    assert_eq!(stage.say(&mut line, &draft.message()).0.clause(), Some(Clause::RecordNotReused));
}

#[test]
fn the_bsd_takes_no_message_that_the_table_gives_to_another_stage_or_direction() {
    let (mut stage, doctor) = quiet(RULES);
    let bsd = stage.town.cast.bsd.clone();
    let tid = Digest::default();
    let outcome =
        Outcome { tid, decision: Decision::Committed, reason: bemr::wire::Reason::NONE, height: Height(1) };
    let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
    let before = stage.public(&bsd);
    // The right stage, the wrong direction. There is no handler that a mutant could fall through to.
    let (step, _) = stage.say(&mut line, &Message::Outcome(outcome));
    assert_eq!(step.clause(), Some(Clause::MessageTypeIsExpected));
    // The wrong stage.
    let read = ReadRequest { tid, nonce: [0; 32], remembered: 0 };
    let answer = RequestOutcome {
        request: [0; 32],
        tid,
        decision: Decision::Committed,
        reason: bemr::wire::Reason::NONE,
    };
    for message in [Message::Answer(answer), Message::ReadRequest(read)] {
        let (step, _) = stage.say_bytes(&mut line, ContentType::Initial, &encode(&message));
        assert_eq!(step.clause(), Some(Clause::MessageTypeIsExpected));
    }
    assert_eq!(stage.public(&bsd), before);
}

#[test]
fn a_vote_in_the_session_of_a_user_is_no_vote() {
    for (rules, expected) in [
        (RULES, Clause::MessageTypeIsExpected),
        // The next check stands behind it: a user is no validator.
        (RULES.without(Clause::MessageTypeIsExpected), Clause::VoterIsAdmitted),
    ] {
        let (mut stage, doctor) = quiet(rules);
        let bsd = stage.town.cast.bsd.clone();
        let tid = stage.submit(&sound());
        assert!(stage.run(1_000, |stage| !stage.heard(&stage.validators()[3]).is_empty()));
        let block = stage.heard(&stage.validators()[3])[0].clone();
        let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
        let ballot = vote(&stage.town.credentials[&doctor], &block, Ballot::True, 0);
        let before = stage.public(&bsd);
        let (step, _) = stage.say_bytes(&mut line, ContentType::Initial, &encode(&Message::Vote(ballot)));
        assert_eq!(step.clause(), Some(expected));
        assert_eq!(stage.public(&bsd), before);
        assert_eq!(stage.state_of(&tid), State::AwaitingVotes);
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
        let (mut stage, doctor) = quiet(rules);
        let bsd = stage.town.cast.bsd.clone();
        let draft = stage.draft(&doctor, &sound(), &[]);
        let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
        let before = stage.public(&bsd);
        let bytes = [encode(&draft.message()), vec![0]].concat();
        let (step, _) = stage.say_bytes(&mut line, ContentType::Initial, &bytes);
        assert_eq!(step.clause(), trailing);
        assert_eq!(stage.public(&bsd) == before, trailing.is_some());
        let before = stage.public(&bsd);
        let packet = vec![0; constants::MESSAGE_BYTES + 1];
        let step = stage.give(&bsd, Input::Packet { from: doctor, packet });
        assert_eq!(step.clause(), Some(giant));
        assert_eq!(stage.public(&bsd), before);
    }
}

#[test]
fn no_bytes_disturb_the_bsd() {
    let (mut stage, doctor) = quiet(RULES);
    let bsd = stage.town.cast.bsd.clone();
    let draft = stage.draft(&doctor, &sound(), &[]);
    let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
    let before = stage.public(&bsd);
    let honest = encode(&draft.message());
    for cut in (0..honest.len()).step_by(97) {
        let (step, _) = stage.say_bytes(&mut line, ContentType::Initial, &honest[..cut]);
        assert_eq!(step.clause(), Some(Clause::OneEncodingPerValue));
    }
    assert_eq!(stage.public(&bsd), before);
    assert_eq!(stage.say(&mut line, &draft.message()).0.clause(), None);
}

// ---- Seals ----

#[test]
fn the_key_of_t_initial_is_sealed_before_t_block_goes_out_and_the_custodian_opens_it() {
    let (mut stage, doctor) = quiet(RULES);
    let bsd = stage.town.cast.bsd.clone();
    let draft = stage.draft(&doctor, &sound(), &[]);
    let mut line = stage.connect(&doctor, &bsd, SessionType::Initial);
    let sent = line.session.seal_record(&RULES, ContentType::Initial, &encode(&draft.message())).unwrap();
    let step = stage.give(&bsd, Input::Packet { from: doctor, packet: sent.record.clone() });
    assert_eq!(step.clause(), None);
    assert!(stage.run(1_000, |stage| !stage.heard(&stage.validators()[0]).is_empty()));
    let block = stage.heard(&stage.validators()[0])[0].clone();
    let kept = |name: String| stage.archive.read(|store| store.meta(&name)).unwrap().unwrap();
    let seal: Seal = decode(&RULES, &kept(format!("seal/{}", block.body.seal))).unwrap();
    assert_eq!(bemr::wire::SealDigest::of(&seal).0, block.body.seal);
    assert_eq!((seal.context.tid, seal.context.stage), (draft.tid(), ContentType::Initial));
    let start: SealChainStart = decode(&RULES, &kept("seal-chain".to_owned())).unwrap();
    let custodian = stage.town.credentials[&stage.town.cast.custodian].clone();
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
        let mut stage = Testbed::new(rules, 4);
        let tid = stage.submit(&sound());
        let ended = stage.finish(&tid);
        assert_eq!(ended, if voted { State::Committed } else { State::Deferred });
        let asked = stage.events.iter().filter(|event| event.event == "BlockRequestArrived");
        let asked: Vec<Option<Clause>> = asked.map(|event| event.clause).collect();
        assert_eq!(!asked.is_empty(), heard);
        let refused = (!voted).then_some(Clause::SealDigestIsCarried);
        assert!(asked.iter().all(|clause| *clause == refused), "{asked:?}");
    }
}

#[test]
fn the_audit_log_names_the_seal_that_the_last_message_carried() {
    let committed = |record: &Record| {
        let mut stage = Testbed::new(RULES, 4);
        let tid = stage.submit(record);
        let state = stage.finish(&tid);
        let entry = stage.archive.read(|store| store.audit_entry(&RULES, 0)).unwrap().unwrap();
        let seal = entry.seal.unwrap();
        let kept = stage.archive.read(|store| store.meta(&format!("seal/{seal}"))).unwrap().unwrap();
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

/// A town in which every validator votes by `script`, and a record is submitted.
fn staged(record: &Record, script: impl Fn(usize) -> Script) -> (Testbed, Digest) {
    let mut stage = Testbed::new(RULES, 4);
    stage.play_all(script);
    let tid = stage.submit(record);
    (stage, tid)
}

/// Half of them say true and half false: no quorum can come about.
fn torn(number: usize) -> Script {
    if number < 2 { says(Ballot::True, 0) } else { says(Ballot::False, reason()) }
}

fn honest_true(_: usize) -> Script {
    says(Ballot::True, 0)
}

fn honest_false(_: usize) -> Script {
    says(Ballot::False, reason())
}

fn no_vote(_: usize) -> Script {
    silent()
}

/// How the submission ended, with the clause or code that the user was told and whether a block says so.
fn ended(stage: &mut Testbed, tid: &Digest, state: State, told: u16) {
    assert_eq!(stage.finish(tid), state);
    let doctor = doctor(stage);
    let tid = *tid;
    stage.run(10_000, |stage| !stage.town.user(&doctor).unwrap().awaits(&tid));
    let outcome = stage.town.user(&doctor).unwrap().outcome(&tid).unwrap().clone();
    let decision = match state {
        State::Committed => Decision::Committed,
        State::Rejected => Decision::Rejected,
        _ => Decision::Deferred,
    };
    assert_eq!((outcome.decision, outcome.reason), (decision, bemr::wire::Reason::from_code(told)));
    let entries = stage.archive.read(|store| store.len(bemr::store::Table::AuditEntries)).unwrap();
    assert_eq!(entries, 1, "one end, one entry");
    let stored = stage.town.cloud().unwrap().state_of(&tid);
    assert_eq!(
        stored == bemr::actors::cloud::record_machine::State::AwaitingValid,
        state != State::Committed
    );
    assert_eq!(stage.bsd().state_of(&tid), state);
}

fn accepted_and_stored() -> Testbed {
    let (mut stage, tid) = staged(&sound(), honest_true);
    ended(&mut stage, &tid, State::Committed, 0);
    let certificate = stage.decided(&tid).unwrap();
    assert_eq!(certificate.body.ballot, Ballot::True);
    assert!(certificate.signatories.len() >= 3);
    stage
}

fn rejected_by_the_network() -> Testbed {
    let (mut stage, tid) = staged(&broken(), honest_false);
    ended(&mut stage, &tid, State::Rejected, reason());
    assert_eq!(stage.decided(&tid).unwrap().body.ballot, Ballot::False);
    stage
}

fn a_lying_quorum_says_true() -> Testbed {
    let (mut stage, tid) = staged(&broken(), honest_true);
    ended(&mut stage, &tid, State::Deferred, Clause::AcceptNeedsReverification.code());
    let [Evidence::Overruled(certificate)] = stage.bsd().evidence() else {
        panic!("the quorum convicts itself")
    };
    assert_eq!((certificate.body.tid, certificate.body.ballot), (tid, Ballot::True));
    stage
}

fn a_lying_quorum_says_false() -> Testbed {
    let (mut stage, tid) = staged(&sound(), honest_false);
    ended(&mut stage, &tid, State::Deferred, Clause::AcceptNeedsReverification.code());
    assert!(matches!(stage.bsd().evidence(), [Evidence::Overruled(one)] if one.body.ballot == Ballot::False));
    stage
}

fn torn_over_a_sound_record() -> Testbed {
    let (mut stage, tid) = staged(&sound(), torn);
    ended(&mut stage, &tid, State::Deferred, Clause::AcceptNeedsQuorum.code());
    assert!(stage.decided(&tid).is_none());
    stage
}

fn torn_over_a_broken_record() -> Testbed {
    let (mut stage, tid) = staged(&broken(), torn);
    ended(&mut stage, &tid, State::Rejected, reason());
    stage
}

fn nobody_votes_on_a_sound_record() -> Testbed {
    let (mut stage, tid) = staged(&sound(), no_vote);
    ended(&mut stage, &tid, State::Deferred, Clause::FailoverIsBounded.code());
    stage
}

fn nobody_votes_on_a_broken_record() -> Testbed {
    let (mut stage, tid) = staged(&broken(), no_vote);
    ended(&mut stage, &tid, State::Rejected, reason());
    stage
}

fn by_work(record: &Record) -> (Testbed, Digest) {
    let mut stage =
        Testbed::of(NetworkConfig { ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 4) });
    let tid = stage.submit(record);
    (stage, tid)
}

fn confirmations_come_one_by_one() -> Testbed {
    let (mut stage, tid) = by_work(&sound());
    ended(&mut stage, &tid, State::Committed, 0);
    stage
}

fn confirmations_of_a_rejection_come_one_by_one() -> Testbed {
    let (mut stage, tid) = by_work(&broken());
    ended(&mut stage, &tid, State::Rejected, reason());
    stage
}

/// Nobody hears of the decision, so no block ever holds it.
fn unheard(record: &Record, script: fn(usize) -> Script) -> (Testbed, Digest) {
    let (mut stage, tid) = staged(record, script);
    stage.lose(|parcel| parcel.label == "Decision");
    (stage, tid)
}

fn the_decision_never_becomes_final() -> Testbed {
    let (mut stage, tid) = unheard(&sound(), honest_true);
    assert!(stage.run(10_000, |stage| stage.state_of(&tid) == State::AwaitingFinality));
    let decided = stage.town.world.now();
    ended(&mut stage, &tid, State::Deferred, Clause::ConfirmationsReached.code());
    let expired = stage.events.iter().rfind(|event| event.event == "FinalityExpired").unwrap();
    assert_eq!(expired.time, decided.after(constants::BSD_FINALITY_MS));
    stage
}

fn the_rejection_never_becomes_final() -> Testbed {
    let (mut stage, tid) = unheard(&broken(), honest_false);
    assert!(stage.run(10_000, |stage| stage.state_of(&tid) == State::AwaitingRejection));
    ended(&mut stage, &tid, State::Rejected, reason());
    stage
}

/// More than a third lie to the BSD: the ledger holds the opposite of what they told it.
fn two_faced(record: &Record, script: fn(usize) -> Script, ballot: Ballot, reason: u16) -> Testbed {
    let (mut stage, tid) = unheard(record, script);
    let waits = |state| matches!(state, State::AwaitingFinality | State::AwaitingRejection);
    assert!(stage.run(10_000, |stage| waits(stage.state_of(&tid))));
    let block = stage.heard(&stage.validators()[0])[0].clone();
    let liar = stage.town.credentials[&stage.validators()[0]].clone();
    let body = vote(&liar, &block, ballot, reason).body;
    let other = certify(&stage, &stage.validators()[..3], &body);
    for validator in stage.validators() {
        let gossip = Gossip::Decision(other.clone());
        stage.give(&validator, Input::Gossip { from: liar.name().clone(), gossip }).outcome.unwrap();
    }
    ended(&mut stage, &tid, State::Deferred, Clause::AcceptNeedsReverification.code());
    assert_eq!(stage.bsd().evidence(), [Evidence::Overruled(other)]);
    stage
}

fn the_ledger_says_false_after_a_true_quorum() -> Testbed {
    two_faced(&sound(), honest_true, Ballot::False, reason())
}

fn the_ledger_says_true_after_a_false_quorum() -> Testbed {
    two_faced(&broken(), honest_false, Ballot::True, 0)
}

fn the_cloud_answers_to_the_second_t_valid() -> Testbed {
    let (mut stage, tid) = staged(&sound(), honest_true);
    let mut lost = 0;
    stage.lose(move |parcel| {
        lost += u32::from(parcel.label == "T_valid");
        parcel.label == "T_valid" && lost == 1
    });
    ended(&mut stage, &tid, State::Committed, 0);
    stage
}

fn the_cloud_is_out_of_reach() -> Testbed {
    let (mut stage, tid) = staged(&sound(), honest_true);
    stage.lose(|parcel| parcel.to.as_str() == "cloud" && packet_of(parcel).is_some());
    assert!(stage.run(60_000, |stage| stage.state_of(&tid) == State::AwaitingReceipt));
    let sent = stage.town.world.now();
    ended(&mut stage, &tid, State::Deferred, Clause::FailoverIsBounded.code());
    let expired: Vec<Time> =
        stage.events.iter().filter(|event| event.event == "ReceiptExpired").map(|event| event.time).collect();
    assert_eq!(expired, [1, 2, 3].map(|attempt| sent.after(attempt * constants::BSD_ATTEMPT_MS)));
    stage
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
        for stage in stages {
            let stage = stage();
            let step = (row.from, row.event.name(), row.to);
            assert!(stage.moves.contains(&step), "{from}, {event}, {guard}: {:?}", stage.moves);
            for (from, event, to) in stage.moves {
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
    let mut stage = accepted_and_stored();
    let bsd = stage.town.cast.bsd.clone();
    let before = stage.public(&bsd);
    let (cloud, held) =
        (stage.town.cast.cloud.clone(), std::rc::Rc::new(std::cell::RefCell::new(Vec::new())));
    // A second submission whose receipts are held back until it has been deferred.
    let kept = std::rc::Rc::clone(&held);
    stage.lose(move |parcel| {
        let receipt = parcel.label == "Receipt";
        if receipt {
            kept.borrow_mut().push(packet_of(parcel).unwrap().to_vec());
        }
        receipt
    });
    let tid = stage.submit(&crate::testbed::record("Observation-bmd"));
    assert_eq!(stage.finish(&tid), State::Deferred);
    assert_ne!(stage.public(&bsd), before);
    let before = stage.public(&bsd);
    let late = held.borrow().last().unwrap().clone();
    let step = stage.give(&bsd, Input::Packet { from: cloud, packet: late });
    assert_eq!(step.clause(), Some(Clause::EventFitsState));
    assert_eq!((stage.public(&bsd), stage.state_of(&tid)), (before, State::Deferred));
    // What the cloud has and the BSD never heard of, the auditor forgives: nobody lied.
    let stored = stage.town.cloud().unwrap().state_of(&tid);
    assert_eq!(stored, bemr::actors::cloud::record_machine::State::Stored);
}

#[test]
fn t_valid_is_made_of_accepted_and_final_submissions_alone() {
    // ACK-06 and SEA-01 hold by construction: T_valid takes what only a final block and a seal give, so no input is
    // refused by them here. What can be seen is that T_valid goes out in no other state.
    let _: (Clause, Clause) = (Clause::OnlyAcceptedIsPromoted, Clause::SealBeforeNextStage);
    for (_, _, _, stages) in scenarios() {
        for stage in stages {
            let stage = stage();
            let from_bsd = stage.events.iter().filter(|event| event.actor == stage.town.cast.bsd);
            let mut promoted = false;
            for event in from_bsd {
                if event.sends.iter().any(|(to, _, _)| to.as_ref() == Some(&stage.town.cast.cloud)) {
                    assert!(
                        matches!(event.event, "BlockArrived" | "Response" | "ReceiptExpired" | "Retry"),
                        "{event:?}"
                    );
                    promoted = true;
                }
            }
            let reached = stage.moves.iter().any(|(_, _, to)| *to == State::AwaitingReceipt);
            assert_eq!(promoted, reached);
        }
    }
}

#[test]
fn the_audit_log_is_anchored_once_a_final_block_holds_its_newest_head() {
    let (mut stage, tid) = staged(&sound(), honest_true);
    assert!(stage.bsd().is_anchored(), "there is nothing to anchor");
    stage.finish(&tid);
    assert!(!stage.bsd().is_anchored());
    assert!(stage.run(60_000, |stage| stage.bsd().is_anchored()));
}

#[test]
fn a_receipt_is_of_the_records_own_leaf() {
    for (kind, own, taken) in
        [(LeafKind::Record, true, true), (LeafKind::Record, false, false), (LeafKind::Grant, true, false)]
    {
        let mut stage = Testbed::new(RULES, 4);
        let (bsd, cloud) = (stage.town.cast.bsd.clone(), stage.town.cast.cloud.clone());
        let mut double = Double::of(&mut stage, &cloud);
        let tid = stage.submit(&sound());
        let mut heard = Vec::new();
        while heard.is_empty() {
            assert!(stage.step());
            heard = double.listen(&mut stage);
        }
        let Some(Message::TValid(valid)) = heard.pop() else { panic!("a T_valid") };
        let content = if own { StoredRecord::of(&valid).digest() } else { Digest::default() };
        let (network, now) = (stage.town.genesis.network.clone(), stage.town.world.now());
        let mut log = CloudLog::new(Suite::Tiny, network, cloud.clone(), Frontier::default());
        let leaf = log.append(kind, tid, content, now).leaf;
        let key = stage.town.credentials[&cloud].identity().signing_key();
        let head = log.sign(&RULES, key, now);
        let inclusion = InclusionProof { index: 0, path: Vec::new().into() };
        let step = double.say(&mut stage, &bsd, Message::Receipt(Receipt { head, leaf, inclusion }));
        assert_eq!(step.clause(), (!taken).then_some(Clause::LeafIsIncluded));
        assert_eq!(stage.state_of(&tid) == State::Committed, taken);
    }
}

#[test]
fn an_end_without_a_final_decision_names_none() {
    let mut stage =
        Testbed::of(NetworkConfig { ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 4) });
    let bsd = stage.town.cast.bsd.clone();
    let mut blocks = 0;
    stage.lose(move |parcel| {
        let block = parcel.to == bsd && parcel.label == "Block";
        blocks += u32::from(block);
        block && blocks > 1
    });
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Deferred);
    assert!(stage.bsd().ledger_view().ledger.decision(&tid).is_some());
    let entry = stage.archive.read(|store| store.audit_entry(&RULES, 0)).unwrap().unwrap();
    assert_eq!((entry.reason, entry.decision), (Clause::ConfirmationsReached.code(), None));
}
