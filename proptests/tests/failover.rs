//! What happens when nobody answers, too late, or not all: attempts, dead sessions, the machines of the user and of closing
//! blocks, a store that fails, and towns under random fates with liars in them.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use crate::testbed::{
    Double, RULES, Script, Testbed, certify, packet_of, reason, record, says, silent, sound, vote,
};
use bemr::actors::bsd::{Evidence, State};
use bemr::actors::user::submitting_machine;
use bemr::actors::validator::closing_machine;
use bemr::actors::{Actor, Input, LedgerView, NodeContext, Output, Step, StoreHandle};
use bemr::crypto::{AeadKey, Digest, Domain, Suite};
use bemr::keys::Credentials;
use bemr::ledger::{Ledger, Proposal};
use bemr::store::{Commit, MemoryStore, Row, Store, StoreError, Table};
use bemr::wire::{
    ApprovedChange, Ballot, Block, BlockProposal, ClosingSignature, Decision, Entry, Gossip, Height, Message,
    Name, Outcome, PROTOCOL_VERSION, PolicyApproval, PolicyChange, QuorumCertificate, Signatory, TBlock,
    Time, Version, VoteBody, encode,
};
use bemr_lab::simulator::{Envelope, Event, LedgerKind, NetworkConfig, Node, ProvisionedKeys};
use bemr_spec::{Clause, Rules, constants};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

// ---- Attempts ----

/// Says nothing before it has heard the T_block `times` times, then votes true.
fn hard_of_hearing(times: usize) -> Script {
    Box::new(
        move |own, heard, block| {
            if heard < times { Vec::new() } else { vec![vote(own, block, Ballot::True, 0)] }
        },
    )
}

fn expiries(stage: &Testbed, event: &str) -> Vec<Time> {
    stage.events.iter().filter(|one| one.event == event).map(|one| one.time).collect()
}

#[test]
fn a_silent_network_is_asked_three_times_with_the_same_bytes() {
    let mut stage = Testbed::new(RULES, 4);
    stage.play_all(|_| silent());
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Deferred);
    for validator in stage.validators() {
        let heard = stage.heard(&validator);
        assert_eq!(heard.len(), constants::BSD_ATTEMPTS as usize);
        assert!(heard.iter().all(|block| block == &heard[0]));
    }
    let times = expiries(&stage, "AttemptExpired");
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert_eq!(gaps, [constants::BSD_ATTEMPT_MS, constants::BSD_ATTEMPT_MS]);
}

#[test]
fn without_a_bound_the_bsd_asks_for_ever() {
    let mut stage = Testbed::new(RULES.without(Clause::FailoverIsBounded), 4);
    stage.play_all(|_| silent());
    let tid = stage.submit(&sound());
    assert!(!stage.run(10 * constants::BSD_ATTEMPT_MS, |stage| stage.state_of(&tid).is_terminal()));
    assert!(stage.heard(&stage.validators()[0]).len() > constants::BSD_ATTEMPTS as usize);
}

#[test]
fn only_the_silent_are_asked_again() {
    let mut stage = Testbed::new(RULES, 4);
    stage.play_all(|number| if number < 2 { says(Ballot::True, 0) } else { hard_of_hearing(2) });
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed);
    let heard: Vec<usize> = stage.validators().iter().map(|name| stage.heard(name).len()).collect();
    assert_eq!(heard, [1, 1, 2, 2]);
}

#[test]
fn votes_of_several_attempts_add_up() {
    let mut stage = Testbed::new(RULES, 4);
    stage.play_all(|number| if number == 3 { silent() } else { hard_of_hearing(number + 1) });
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed);
    assert_eq!(expiries(&stage, "AttemptExpired").len(), 2);
    assert_eq!(stage.decided(&tid).unwrap().signatories.len(), 3);
}

#[test]
fn another_question_in_the_second_attempt_loses_the_votes_of_the_first() {
    // The third vote gets lost twice; honest actors vote. Without ACK-03 the second T_block is another one, and who voted on
    // the first refuses it.
    for (rules, refused) in [(RULES, false), (RULES.without(Clause::FailoverKeepsDigest), true)] {
        let mut stage = Testbed::new(rules, 4);
        stage.lose({
            let mut lost = 0;
            move |parcel| {
                let loses = parcel.label == "Vote" && lost < 2;
                lost += u32::from(loses);
                loses
            }
        });
        let tid = stage.submit(&sound());
        let state = stage.finish(&tid);
        let by_digest = stage.events.iter().any(|event| event.clause == Some(Clause::OneBlockPerTid));
        assert_eq!(by_digest, refused);
        assert_eq!(state, if refused { State::Deferred } else { State::Committed });
    }
}

// ---- Sessions that died ----

/// Loses the first `count` parcels with this label.
fn lose_first(stage: &mut Testbed, label: &'static str, count: usize) {
    let mut lost = 0;
    stage.lose(move |parcel| {
        let loses = parcel.label == label && lost < count;
        lost += usize::from(loses);
        loses
    });
}

#[test]
fn a_lost_finish_costs_one_attempt_and_no_more() {
    let mut stage = Testbed::new(RULES, 4);
    let bsd = stage.town.cast.bsd.clone();
    let mut lost = 0;
    // The doctor's finish arrives; those of the BSD to all four validators do not.
    stage.lose(move |parcel| {
        let loses = parcel.label == "Finish" && parcel.from == bsd && lost < 4;
        lost += u32::from(loses);
        loses
    });
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed);
    assert_eq!(expiries(&stage, "AttemptExpired").len(), 1);
    // The second transaction uses the sessions that live.
    let second = stage.submit(&record("Observation-bmd"));
    assert_eq!(stage.finish(&second), State::Committed);
    assert_eq!(expiries(&stage, "AttemptExpired").len(), 1);
}

#[test]
fn a_user_whose_finish_was_lost_submits_in_a_new_session() {
    let mut stage = Testbed::new(RULES, 4);
    lose_first(&mut stage, "Finish", 1);
    let doctor = stage.town.cast.doctor.clone();
    let tid = stage.submit(&sound());
    assert!(
        stage.run(2 * constants::USER_OUTCOME_MS, |stage| !stage.town.user(&doctor).unwrap().awaits(&tid))
    );
    assert_eq!(stage.state_of(&tid), State::Committed);
    assert_eq!(stage.town.user(&doctor).unwrap().outcome(&tid).unwrap().decision, Decision::Committed);
}

#[test]
fn a_validator_that_forgot_its_sessions_is_asked_in_a_new_one() {
    let mut stage = Testbed::new(RULES, 4);
    stage.play_all(|_| says(Ballot::True, 0));
    let first = stage.submit(&sound());
    assert_eq!(stage.finish(&first), State::Committed);
    stage.play_all(|_| says(Ballot::True, 0));
    let second = stage.submit(&record("Observation-bmd"));
    assert_eq!(stage.finish(&second), State::Committed);
    assert_eq!(
        expiries(&stage, "AttemptExpired").len(),
        1,
        "the first attempt went into sessions that nobody has"
    );
}

#[test]
fn a_lost_hello_is_said_again_and_a_deaf_peer_given_up() {
    let mut stage = Testbed::new(RULES, 4);
    lose_first(&mut stage, "Hello", 1);
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed);

    let mut stage = Testbed::new(RULES, 4);
    let deaf = stage.validators()[3].clone();
    let hellos = Rc::new(RefCell::new(Vec::new()));
    let (kept, to) = (Rc::clone(&hellos), deaf.clone());
    let bsd = stage.town.cast.bsd.clone();
    stage.fate(move |now: Time, parcel: Envelope| {
        if parcel.to == to && parcel.from == bsd && packet_of(&parcel).is_some() {
            kept.borrow_mut().push((now, parcel.label));
            return Vec::new();
        }
        vec![(0, parcel)]
    });
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed, "three of four are enough");
    stage.run(600_000, |_| false);
    let hellos = hellos.borrow();
    assert!(hellos.iter().all(|(_, label)| *label == "Hello"));
    let gaps: Vec<u64> = hellos.windows(2).map(|pair| pair[1].0.0 - pair[0].0.0).collect();
    assert_eq!(gaps, [2_000, 4_000, 8_000, 16_000], "and none after 60 000 ms");
    assert!(!stage.step(), "nothing is left to happen");
}

#[test]
fn a_response_that_takes_longer_than_the_first_wait_still_makes_a_session() {
    let mut stage = Testbed::new(RULES, 4);
    stage.fate(|_: Time, parcel: Envelope| {
        let delay = if parcel.label == "Response" { 3_000 } else { 0 };
        vec![(delay, parcel)]
    });
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed);
}

// ---- The user ----

#[test]
fn every_row_of_the_users_machine_is_driven() {
    use submitting_machine::{Event, Guard, State};
    let mut driven: BTreeSet<(State, Event, Guard)> = BTreeSet::new();
    let mut drive = |from: State, event: Event, guard: Guard, to: State| {
        let listed = submitting_machine::ROWS
            .iter()
            .any(|row| (row.from, row.event, row.guard, row.to) == (from, event, guard, to));
        assert!(listed);
        driven.insert((from, event, guard));
    };

    // Nobody ever answers: three times the same T_initial, then no more.
    let mut stage = Testbed::new(RULES, 4);
    let (bsd, doctor) = (stage.town.cast.bsd.clone(), stage.town.cast.doctor.clone());
    let mut double = Double::of(&mut stage, &bsd);
    let tid = stage.submit(&sound());
    let began = stage.town.world.now();
    let mut heard = Vec::new();
    while stage.step() {
        heard.extend(double.listen(&mut stage));
    }
    let Message::TInitial(first) = &heard[0] else { panic!("a submission") };
    assert_eq!(heard.len(), constants::USER_ATTEMPTS as usize);
    assert!(heard.iter().all(|message| matches!(message, Message::TInitial(one) if one == first)));
    drive(State::AwaitingOutcome, Event::OutcomeExpired, Guard::AttemptsAreLeft, State::AwaitingOutcome);
    let user = stage.town.user(&doctor).unwrap();
    assert!(!user.awaits(&tid) && user.outcome(&tid).is_none());
    drive(State::AwaitingOutcome, Event::OutcomeExpired, Guard::NoneIsLeft, State::GaveUp);
    let expired = expiries(&stage, "OutcomeExpired");
    assert_eq!(expired, [1, 2, 3].map(|attempt| began.after(attempt * constants::USER_OUTCOME_MS)));

    // An answer after that is too late.
    let outcome =
        Outcome { tid, decision: Decision::Committed, reason: bemr::wire::Reason::NONE, height: Height(1) };
    let before = stage.public(&doctor);
    let step = double.say(&mut stage, &doctor, Message::Outcome(outcome.clone()));
    assert_eq!(step.clause(), Some(Clause::EventFitsState));
    assert_eq!(stage.public(&doctor), before);
    assert!(stage.town.user(&doctor).unwrap().outcome(&tid).is_none());

    // An answer in time.
    let outcomes = |rules: Rules| {
        let mut stage = Testbed::new(rules, 4);
        let mut double = Double::of(&mut stage, &bsd);
        let tid = stage.submit(&sound());
        while double.listen(&mut stage).is_empty() {
            assert!(stage.step());
        }
        let first = Outcome { tid, ..outcome.clone() };
        assert_eq!(double.say(&mut stage, &doctor, Message::Outcome(first.clone())).clause(), None);
        assert_eq!(stage.town.user(&doctor).unwrap().outcome(&tid), Some(&first));
        // A second one contradicts it.
        let second = Outcome { decision: Decision::Rejected, ..first.clone() };
        let step = double.say(&mut stage, &doctor, Message::Outcome(second));
        let kept = stage.town.user(&doctor).unwrap().outcome(&tid) == Some(&first);
        (stage, double, step.clause(), kept)
    };
    let (mut stage, mut double, clause, kept) = outcomes(RULES);
    drive(
        State::AwaitingOutcome,
        Event::OutcomeArrived,
        Guard::ItComesFromTheBSDAndNamesAnOpenSubmission,
        State::Ended,
    );
    assert_eq!((clause, kept), (Some(Clause::EventFitsState), true));
    assert_eq!(outcomes(RULES.without(Clause::EventFitsState)).2, None);
    assert!(!outcomes(RULES.without(Clause::EventFitsState)).3, "the mutant believes the last who speaks");
    // Of a submission that the user did not make: there is nothing that a mutant could change.
    let before = stage.public(&doctor);
    let stranger = Outcome { tid: Digest::default(), ..outcome };
    assert_eq!(
        double.say(&mut stage, &doctor, Message::Outcome(stranger)).clause(),
        Some(Clause::EventFitsState)
    );
    // Nor does the BSD say anything else to a user.
    let block = vote_body(&stage);
    let nonsense = Message::Vote(crate::testbed::sign_vote(&stage.town.credentials[&bsd], block));
    let said =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| double.say(&mut stage, &doctor, nonsense)));
    assert!(said.is_err(), "SES-07 does not let it out");
    assert_eq!(stage.public(&doctor), before);
    assert_eq!(driven.len(), submitting_machine::ROWS.len());
}

fn vote_body(stage: &Testbed) -> VoteBody {
    decision_body(stage, b"a decision")
}

// ---- Closing blocks ----

fn decision_body(stage: &Testbed, what: &[u8]) -> VoteBody {
    VoteBody {
        version: PROTOCOL_VERSION,
        suite: Suite::Tiny,
        network: stage.town.validators.network().clone(),
        validators: stage.town.validators.digest(),
        tid: Digest::of(Domain::TRANSACTION_ID, what),
        block: Digest::of(Domain::T_BLOCK, what),
        policy: Digest::default(),
        height: Height(1),
        ballot: Ballot::True,
        reason: 0,
    }
}

fn decision(stage: &Testbed, what: &[u8]) -> QuorumCertificate {
    let quorum = stage.town.validators.quorum();
    certify(stage, &stage.validators()[..quorum], &decision_body(stage, what))
}

/// One validator alone with the test, which plays the others.
struct Closing {
    stage: Testbed,
    us: Name,
    others: Vec<Credentials>,
}

impl Closing {
    fn new(rules: Rules) -> Closing {
        Closing::of(Testbed::new(rules, 4))
    }

    fn of(mut stage: Testbed) -> Closing {
        stage.lose(|_| true);
        let names = stage.validators();
        let others = names[1..].iter().map(|name| stage.town.credentials[name].clone()).collect();
        Closing { us: names[0].clone(), others, stage }
    }

    fn hears(&mut self, gossip: Gossip) -> Step {
        let from = self.others.first().map_or(&self.stage.town.cast.bsd, Credentials::name).clone();
        let us = self.us.clone();
        self.stage.give(&us, Input::Gossip { from, gossip })
    }

    fn ledger(&mut self) -> Ledger {
        let us = self.us.clone();
        self.stage.town.validator(&us).unwrap().ledger_view().ledger.clone()
    }

    fn height(&mut self) -> u64 {
        self.ledger().height().0
    }

    /// A proposal of another validator with one decision in it.
    fn proposal(&mut self, what: &[u8]) -> Proposal {
        let entry = Entry::Decision(decision(&self.stage, what));
        let proposer = self.others[0].name().clone();
        let now = self.stage.town.world.now();
        self.ledger().propose(vec![entry], now, proposer)
    }

    fn shown(&self, proposal: &Proposal, by: usize) -> Gossip {
        let own = &self.others[by];
        Gossip::Proposal(BlockProposal {
            header: proposal.header().clone(),
            entries: proposal.entries().to_vec().into(),
            signatory: proposal.sign(&RULES, own.name(), own.identity().signing_key()),
        })
    }

    fn signature(&self, proposal: &Proposal, by: usize) -> Gossip {
        let own = &self.others[by];
        let signatory = proposal.sign(&RULES, own.name(), own.identity().signing_key());
        Gossip::Closing(ClosingSignature {
            height: proposal.header().height,
            header: proposal.digest(),
            signatory,
        })
    }

    /// Lets time pass until the validator proposes.
    fn turn(&mut self) -> BlockProposal {
        for _ in 0..64 {
            let us = self.us.clone();
            let Some(Node::Validator(validator)) = self.stage.town.world.node(&us) else {
                panic!("a validator")
            };
            let wake = validator.wake().expect("something waits");
            let mut proposed = None;
            let now = self.stage.town.world.now();
            self.stage.town.world.command(&us, |node, _| {
                let Node::Validator(validator) = node else { panic!("a validator") };
                let step = validator.handle(wake.max(now), Input::Wake);
                for output in step.outputs() {
                    if let Output::Publish(Gossip::Proposal(proposal)) = output {
                        proposed = Some(proposal.clone());
                    }
                }
                ((), Vec::new())
            });
            if let Some(proposed) = proposed {
                return proposed;
            }
        }
        panic!("its turn never comes")
    }
}

fn told(step: &Step) -> Vec<&Gossip> {
    let gossip = step.outputs().filter_map(|output| match output {
        Output::Publish(gossip) | Output::SendGossip { gossip, .. } => Some(gossip),
        Output::Send { .. } => None,
    });
    gossip.collect()
}

#[test]
fn a_height_goes_from_proposal_to_close() {
    use closing_machine::{Event, ROWS, State};
    let mut driven = BTreeSet::new();
    bemr_spec::machine::driven::take();
    let mut drive = |from: State, event: Event, to: State| {
        let step = ("closing_machine", from.name(), event.name(), to.name());
        assert!(bemr_spec::machine::driven::take().contains(&step), "{step:?}");
        driven.insert((from, event, to));
    };

    // Our own turn: a proposal, the same one at the next turn, and a block once two others have signed.
    let mut closing = Closing::new(RULES);
    let certificate = decision(&closing.stage, b"one");
    closing.hears(Gossip::Decision(certificate)).outcome.unwrap();
    let proposed = closing.turn();
    drive(State::AwaitingProposal, Event::TurnCame, State::AwaitingClose);
    assert_eq!(closing.turn(), proposed);
    drive(State::AwaitingClose, Event::TurnCame, State::AwaitingClose);
    let proposal = Proposal::new(proposed.header, proposed.entries.into());
    let first = closing.hears(closing.signature(&proposal, 0));
    assert!(first.outcome.is_ok() && told(&first).is_empty() && closing.height() == 0);
    drive(State::AwaitingClose, Event::SignatureArrived, State::AwaitingClose);
    let again = closing.hears(closing.signature(&proposal, 0));
    assert!(told(&again).is_empty() && closing.height() == 0, "one validator is one signature");
    let second = closing.hears(closing.signature(&proposal, 1));
    assert!(matches!(told(&second)[..], [Gossip::Block(block)] if block.closed.signatories.len() == 3));
    assert_eq!(closing.height(), 1);
    drive(State::AwaitingClose, Event::SignatureArrived, State::Closed);
    // One that comes after the close has nothing to close.
    let late = closing.hears(closing.signature(&proposal, 2));
    assert_eq!(late.clause(), Some(Clause::EventFitsState));

    // The turn of another: a signature to who sent the proposal, the same one for the same header.
    let mut closing = Closing::new(RULES);
    let proposal = closing.proposal(b"two");
    let signed = closing.hears(closing.shown(&proposal, 0));
    let [Gossip::Closing(own)] = told(&signed)[..] else { panic!("{signed:?}") };
    assert_eq!((own.header, own.signatory.validator.as_str()), (proposal.digest(), closing.us.as_str()));
    drive(State::AwaitingProposal, Event::ProposalArrived, State::AwaitingClose);
    let again = closing.hears(closing.shown(&proposal, 0));
    assert_eq!(told(&again), [&Gossip::Closing(own.clone())]);
    drive(State::AwaitingClose, Event::ProposalArrived, State::AwaitingClose);
    let signatories: Vec<Signatory> = closing
        .others
        .iter()
        .map(|own| proposal.sign(&RULES, own.name(), own.identity().signing_key()))
        .collect();
    let block = proposal.clone().close(signatories);
    closing.hears(Gossip::Block(block.clone())).outcome.unwrap();
    assert_eq!(closing.height(), 1);
    drive(State::AwaitingClose, Event::BlockArrived, State::Closed);

    // A block that was closed without us. Its tid and that of the block before differ, so it stands in another town.
    let mut closing = Closing::new(RULES);
    closing.hears(Gossip::Block(block)).outcome.unwrap();
    assert_eq!(closing.height(), 1);
    drive(State::AwaitingProposal, Event::BlockArrived, State::Closed);

    // The same header from another who signed it: that makes three.
    let mut closing = Closing::new(RULES);
    let proposal = closing.proposal(b"three");
    closing.hears(closing.shown(&proposal, 0)).outcome.unwrap();
    let third = closing.hears(closing.shown(&proposal, 1));
    assert!(matches!(told(&third)[..], [Gossip::Closing(_), Gossip::Block(_)]), "{third:?}");
    assert_eq!(closing.height(), 1);
    drive(State::AwaitingClose, Event::ProposalArrived, State::Closed);

    // Of two validators one proposes and the other's signature closes.
    let mut closing = Closing::of(Testbed::new(RULES, 2));
    let proposal = closing.proposal(b"four");
    let second = closing.hears(closing.shown(&proposal, 0));
    assert!(matches!(told(&second)[..], [Gossip::Closing(_), Gossip::Block(_)]), "{second:?}");
    assert_eq!(closing.height(), 1);
    drive(State::AwaitingProposal, Event::ProposalArrived, State::Closed);

    // Where there is no other, the proposal is closed as it is made.
    let mut closing = Closing::of(Testbed::new(RULES, 1));
    let certificate = decision(&closing.stage, b"five");
    closing.hears(Gossip::Decision(certificate)).outcome.unwrap();
    closing.turn();
    assert_eq!(closing.height(), 1);
    drive(State::AwaitingProposal, Event::TurnCame, State::Closed);

    let rows: BTreeSet<_> = ROWS.iter().map(|row| (row.from, row.event, row.to)).collect();
    assert_eq!(driven, rows);
}

/// Under proof of work a block of one's own is taken as that of any other.
#[test]
fn a_height_that_is_mined_goes_from_its_beginning_to_its_close() {
    use closing_machine::{Event, State};
    let work = NetworkConfig { ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 1) };
    let mut closing = Closing::of(Testbed::of(work));
    let certificate = decision(&closing.stage, b"mined");
    closing.hears(Gossip::Decision(certificate)).outcome.unwrap();
    bemr_spec::machine::driven::take();
    let us = closing.us.clone();
    let end = closing.stage.town.world.now().after(600_000);
    while closing.height() == 0 {
        let Some(Node::Validator(validator)) = closing.stage.town.world.node(&us) else { panic!("one") };
        let wake = validator.wake().expect("a miner goes on");
        assert!(wake < end, "a block takes about 250 hashes");
        let step = validator.handle(wake, Input::Wake);
        assert!(step.outcome.is_ok());
        let mined = matches!(told(&step)[..], [Gossip::Block(_)]);
        assert_eq!(mined, closing.height() == 1);
    }
    let step = (State::AwaitingProposal, Event::BlockArrived, State::Closed);
    let step = ("closing_machine", step.0.name(), step.1.name(), step.2.name());
    let steps = bemr_spec::machine::driven::take();
    let of_closing: Vec<_> = steps.iter().filter(|step| step.0 == "closing_machine").collect();
    assert_eq!(of_closing, [&step], "mining makes no other step");
}

#[test]
fn a_validator_signs_one_header_of_a_height_and_shows_it_to_who_asks_for_another() {
    for (rules, expected) in
        [(RULES, Some(Clause::OneCloseByValidator)), (RULES.without(Clause::OneCloseByValidator), None)]
    {
        let mut closing = Closing::new(rules);
        let (first, second) = (closing.proposal(b"one"), closing.proposal(b"two"));
        closing.hears(closing.shown(&first, 0)).outcome.unwrap();
        let us = closing.us.clone();
        let before = closing.stage.public(&us);
        let step = closing.hears(closing.shown(&second, 1));
        assert_eq!(step.clause(), expected);
        if expected.is_some() {
            assert_eq!(closing.stage.public(&us), before);
            assert!(matches!(told(&step)[..], [Gossip::Proposal(shown)] if shown.header == *first.header()));
        }
    }
}

#[test]
fn a_proposal_or_signature_of_a_stranger_or_under_a_wrong_key_counts_for_nothing() {
    let mut closing = Closing::new(RULES);
    let proposal = closing.proposal(b"one");
    let us = closing.us.clone();
    let before = closing.stage.public(&us);
    let cloud = closing.stage.town.credentials[&closing.stage.town.cast.cloud].clone();
    let stranger = proposal.sign(&RULES, cloud.name(), cloud.identity().signing_key());
    let forged = proposal.sign(&RULES, closing.others[1].name(), cloud.identity().signing_key());
    for (signatory, clause) in [(stranger, Clause::VoterIsAdmitted), (forged, Clause::VoteSigned)] {
        let shown = BlockProposal {
            header: proposal.header().clone(),
            entries: proposal.entries().to_vec().into(),
            signatory: signatory.clone(),
        };
        assert_eq!(closing.hears(Gossip::Proposal(shown)).clause(), Some(clause));
        assert_eq!(closing.stage.public(&us), before);
    }
    // The same once a header is signed.
    closing.hears(closing.shown(&proposal, 0)).outcome.unwrap();
    let stranger = proposal.sign(&RULES, cloud.name(), cloud.identity().signing_key());
    let forged = proposal.sign(&RULES, closing.others[1].name(), cloud.identity().signing_key());
    for (signatory, clause) in [(stranger, Clause::VoterIsAdmitted), (forged, Clause::VoteSigned)] {
        let signature =
            ClosingSignature { height: proposal.header().height, header: proposal.digest(), signatory };
        assert_eq!(closing.hears(Gossip::Closing(signature)).clause(), Some(clause));
        assert_eq!(closing.height(), 0);
    }
    let other = closing.proposal(b"two");
    assert_eq!(closing.hears(closing.signature(&other, 1)).clause(), Some(Clause::EventFitsState));
    closing.hears(closing.signature(&proposal, 1)).outcome.unwrap();
    assert_eq!(closing.height(), 1);
}

#[test]
fn a_signature_that_nobody_awaits_is_refused_by_the_table() {
    for (rules, place) in
        [(RULES, "SignatureArrived in AwaitingProposal"), (RULES.without(Clause::EventFitsState), "header")]
    {
        let mut closing = Closing::new(rules);
        let proposal = closing.proposal(b"one");
        let step = closing.hears(closing.signature(&proposal, 0));
        // Without the table the next check finds that there is no proposal that it could be for.
        let refusal = step.outcome.unwrap_err();
        assert_eq!((refusal.clause(), refusal.place()), (Clause::EventFitsState, Some(place)));
    }
}

#[test]
fn two_who_signed_different_headers_do_not_answer_each_other_for_ever() {
    let mut closing = Closing::new(RULES);
    let (first, second) = (closing.proposal(b"one"), closing.proposal(b"two"));
    closing.hears(closing.shown(&first, 0)).outcome.unwrap();
    let shown: usize = (0..10).map(|_| told(&closing.hears(closing.shown(&second, 1))).len()).sum();
    assert_eq!(shown, 1, "once a turn");
    // In a later turn it is shown again: the first one may have been lost.
    let us = closing.us.clone();
    let from = closing.others[0].name().clone();
    let later = closing.stage.town.world.now().after(2_000);
    let gossip = closing.shown(&second, 1);
    let Some(Node::Validator(validator)) = closing.stage.town.world.node(&us) else { panic!("a validator") };
    assert_eq!(told(&validator.handle(later, Input::Gossip { from, gossip })).len(), 1);
}

#[test]
fn a_split_height_stays_quiet_and_defers_what_waits_for_it() {
    // Seed 28 loses so much that two headers of one height are signed, neither by a quorum.
    let life = live(28);
    assert!(life.counts["steps"] < 20_000, "{:?}", life.counts);
}

#[test]
fn a_validator_that_missed_a_block_gets_it_when_it_proposes() {
    let mut stage = Testbed::new(RULES, 4);
    let behind = stage.validators()[1].clone();
    let to = behind.clone();
    let mut lost = false;
    stage.lose(move |parcel| {
        let loses = parcel.label == "Block" && parcel.to == to && !lost;
        lost |= loses;
        loses
    });
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed);
    stage.run(120_000, |_| false);
    let height = stage.bsd().ledger_view().ledger.height();
    assert_eq!(stage.town.validator(&behind).unwrap().ledger_view().ledger.height(), height);
}

// ---- A store that fails ----

struct Moody {
    inner: MemoryStore,
    fails: Rc<Cell<bool>>,
}

impl Store for Moody {
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        if self.fails.get() {
            return Err(StoreError::damaged(None, None, "the disk is full".to_owned()));
        }
        self.inner.commit(commit)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(table, key)
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(table, from, limit)
    }

    fn last(&self, table: Table) -> Result<Option<Row>, StoreError> {
        self.inner.last(table)
    }

    fn len(&self, table: Table) -> Result<u64, StoreError> {
        self.inner.len(table)
    }

    fn vault_key(&self, tid: &Digest) -> Result<Option<AeadKey>, StoreError> {
        self.inner.vault_key(tid)
    }
}

#[test]
fn an_end_that_cannot_be_kept_is_not_told_and_comes_when_it_can() {
    let fails = Rc::new(Cell::new(false));
    let archive = StoreHandle::new(Moody { inner: MemoryStore::new(), fails: Rc::clone(&fails) });
    let mut stage = Testbed::of(NetworkConfig { archive, ..NetworkConfig::new(Suite::Tiny, 4) });
    stage.play_all(|_| silent());
    let tid = stage.submit(&sound());
    assert!(stage.run(10_000, |stage| stage.state_of(&tid) == State::AwaitingVotes));
    fails.set(true);
    assert!(!stage.run(30_000, |stage| stage.state_of(&tid) != State::AwaitingVotes));
    let doctor = stage.town.cast.doctor.clone();
    assert!(stage.town.user(&doctor).unwrap().awaits(&tid));
    assert!(stage.events.iter().any(|event| event.clause == Some(Clause::StoreMatchesHead)));
    fails.set(false);
    assert_eq!(stage.finish(&tid), State::Deferred);
    stage.run(60_000, |_| false);
    assert_eq!(stage.audit().unwrap().deferred, 1);
    // A submission that cannot be sealed is refused and leaves nothing behind.
    fails.set(true);
    let second = stage.submit(&sound());
    stage.run(10_000, |_| false);
    assert_eq!(stage.state_of(&second), State::AwaitingInitial);
    let outcome = stage.town.user(&doctor).unwrap().outcome(&second).unwrap().clone();
    assert_eq!(
        (outcome.decision, outcome.reason.clause()),
        (Decision::Refused, Some(Clause::StoreMatchesHead))
    );
}

// ---- What the KDC and the administrators publish is held when it is kept ----

/// An actor that goes on from what `archive` holds for it.
fn begun(foundation: &mut ProvisionedKeys, who: &Name, archive: &StoreHandle) -> NodeContext {
    let mut office = foundation.context(who);
    office.persist_in(archive).unwrap();
    office
}

/// The next version of the template of observations, signed by both administrators.
fn next_template(foundation: &ProvisionedKeys, version: u32) -> ApprovedChange {
    let policy = &foundation.replica.policy;
    let observation = Name::new("observation").unwrap();
    let mut next = policy.template_in_force(&observation, Height(1)).unwrap().clone();
    (next.version, next.effective) = (Version(version), Height(10 * u64::from(version)));
    let change = PolicyChange {
        protocol: PROTOCOL_VERSION,
        network: foundation.genesis.network.clone(),
        templates: vec![next].into(),
        contracts: Vec::new().into(),
    };
    let message = encode(&change);
    let approve = |who: &Name| PolicyApproval {
        administrator: who.clone(),
        signature: foundation.credentials[who].identity().signing_key().sign(
            &RULES,
            Domain::POLICY_CHANGE,
            &message,
        ),
    };
    let approvals = foundation.cast.administrators.iter().map(approve).collect();
    ApprovedChange { change, approvals }
}

/// What an actor holds: the history of its policy and the number of its revocation list.
fn held(office: &NodeContext) -> (Digest, Version) {
    (office.ledger_view.policy.history(), office.trust.revocation_list().body.list)
}

#[test]
fn an_actor_that_starts_again_holds_every_change_and_the_list_that_it_kept_and_nobody_elses() {
    let scenario = NetworkConfig::new(Suite::Tiny, 4);
    let (mut foundation, now) = (scenario.found().unwrap(), scenario.start);
    let archive = StoreHandle::new(MemoryStore::new());
    let (bsd, cloud) = (foundation.cast.bsd.clone(), foundation.cast.cloud.clone());
    let mut office = begun(&mut foundation, &bsd, &archive);
    let first = held(&office);
    for version in [2, 3, 4] {
        office.on_policy_change(now, &next_template(&foundation, version)).unwrap();
        let list = foundation.kdc.revocation_list(&RULES, now);
        office.on_revocation_list(list).unwrap();
        let again = begun(&mut foundation, &bsd, &archive);
        assert_eq!(held(&again), held(&office), "{version}");
    }
    assert_eq!(held(&begun(&mut foundation, &cloud, &archive)), first);
}

#[test]
fn what_cannot_be_kept_is_not_held() {
    let scenario = NetworkConfig::new(Suite::Tiny, 4);
    let (mut foundation, now) = (scenario.found().unwrap(), scenario.start);
    let fails = Rc::new(Cell::new(true));
    let archive = StoreHandle::new(Moody { inner: MemoryStore::new(), fails: Rc::clone(&fails) });
    let bsd = foundation.cast.bsd.clone();
    let mut office = begun(&mut foundation, &bsd, &archive);
    let (change, list) = (next_template(&foundation, 2), foundation.kdc.revocation_list(&RULES, now));
    let before = held(&office);
    let refused = [office.on_policy_change(now, &change), office.on_revocation_list(list.clone())];
    assert!(refused.iter().all(|one| one.as_ref().is_err_and(|r| r.clause() == Clause::StoreMatchesHead)));
    assert_eq!(held(&office), before);
    fails.set(false);
    office.on_policy_change(now, &change).unwrap();
    office.on_revocation_list(list).unwrap();
    let after = held(&office);
    assert!(after.0 != before.0 && after.1 != before.1);
}

#[test]
fn of_two_branches_a_store_holds_the_heavier_and_of_equals_the_first() {
    let scenario = NetworkConfig { ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 4) };
    let foundation = scenario.found().unwrap();
    let archive = StoreHandle::new(MemoryStore::new());
    let grow = |replica: &mut LedgerView, later: u64| {
        let time = Time(scenario.start.0 + 2_000 * (replica.ledger.height().0 + 1) + later);
        let mut proposal = replica.ledger.propose(Vec::new(), time, foundation.cast.validators[0].clone());
        assert!(proposal.mine(1 << 24));
        let change = replica.on_block(&RULES, time, proposal.close(Vec::new())).unwrap();
        archive.store_block(&change, &replica.ledger).unwrap();
    };
    let holds = |replica: &LedgerView| {
        let height = |n: u64| archive.read(|store| store.block(&RULES, Height(n))).unwrap();
        let held: Vec<Block> = (1..).map_while(height).collect();
        replica.ledger.blocks().eq(&held)
    };
    let (mut first, mut second) = (foundation.replica.clone(), foundation.replica.clone());
    (0..3).for_each(|_| grow(&mut first, 0));
    assert!(holds(&first));
    for _ in 0..3 {
        grow(&mut second, 1);
        assert!(holds(&first));
    }
    grow(&mut second, 1);
    assert!(holds(&second));
    grow(&mut first, 0);
    assert!(holds(&second));
    grow(&mut first, 0);
    assert!(holds(&first));
}

// ---- Random fates ----

/// What a seed's town came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Life {
    /// How often each of these happened.
    counts: BTreeMap<&'static str, u64>,
    /// All that happened, for comparison.
    log: Vec<String>,
}

impl Life {
    fn count(&mut self, what: &'static str, times: u64) {
        *self.counts.entry(what).or_default() += times;
    }

    fn add(&mut self, other: &Life) {
        for (what, times) in &other.counts {
            self.count(what, *times);
        }
    }
}

fn pick(rng: &mut ChaCha20Rng, below: u64) -> u64 {
    rng.next_u64() % below
}

/// A validator that is not honest, of one of eight kinds; each behaves the same whenever the seed is the same.
fn dishonest(kind: u64) -> Script {
    match kind {
        0 => silent(),
        1 => says(Ballot::True, 0),
        2 => says(Ballot::False, reason()),
        3 => hard_of_hearing(2),
        4 => Box::new(|own, _, block| {
            vec![
                vote(own, block, Ballot::True, 0),
                vote(own, block, Ballot::False, reason()),
                vote(own, block, Ballot::True, 0),
            ]
        }),
        5 => Box::new(|own, heard, block: &TBlock| {
            let (ballot, reason) = if heard % 2 == 0 { (Ballot::True, 0) } else { (Ballot::False, 7) };
            vec![vote(own, block, ballot, reason)]
        }),
        6 => Box::new(|own, _, block| {
            let mut forged = vote(own, block, Ballot::True, 0);
            forged.signature = vote(own, block, Ballot::False, 3).signature;
            vec![forged]
        }),
        _ => Box::new(|own, _, block| {
            let mut other = block.clone();
            other.body.height = Height(block.body.height.0 + 1);
            vec![vote(own, &other, Ballot::True, 0), vote(own, block, Ballot::False, 11)]
        }),
    }
}

/// Loses, repeats, delays and bends packets, each kind within its budget.
fn fickle(
    seed: u64,
    kinds: &Rc<RefCell<Life>>,
) -> impl FnMut(Time, Envelope) -> Vec<(u64, Envelope)> + use<> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0xfa7e);
    let kinds = Rc::clone(kinds);
    let percent = [0, 2, 8, 25][pick(&mut rng, 4) as usize];
    // In some towns one kind of message hardly ever arrives.
    let rare =
        ["", "", "", "Decision", "T_valid", "Receipt", "Vote", "T_block", "Outcome", "Finish", "Block"];
    let rare = rare[pick(&mut rng, rare.len() as u64) as usize];
    let mut budget: u32 = 400;
    move |_, mut parcel| {
        if budget > 0 && (parcel.label == rare && pick(&mut rng, 100) < 90 || pick(&mut rng, 100) < percent) {
            budget -= 1;
            let mut kinds = kinds.borrow_mut();
            match if parcel.label == rare { 0 } else { pick(&mut rng, 4) } {
                0 => {
                    kinds.count("lost", 1);
                    return Vec::new();
                }
                1 => {
                    kinds.count("repeated", 1);
                    return vec![(0, parcel.clone()), (pick(&mut rng, 9_000), parcel)];
                }
                2 => {
                    kinds.count("delayed", 1);
                    return vec![(pick(&mut rng, 9_000), parcel)];
                }
                _ => {
                    kinds.count("bent", 1);
                    let at = pick(&mut rng, parcel.bytes.len() as u64) as usize;
                    // The first byte says what kind of datagram it is; the stage reads it.
                    parcel.bytes[at.max(1)] ^= 1 << pick(&mut rng, 8);
                }
            }
        }
        vec![(0, parcel)]
    }
}

/// Runs the town of a seed to its end and checks all that has to hold whatever happened.
fn live(seed: u64) -> Life {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let validators = [1, 4, 4, 7][pick(&mut rng, 4) as usize];
    let ledger = if pick(&mut rng, 8) == 0 { LedgerKind::Work } else { LedgerKind::Quorum };
    let mut stage =
        Testbed::of(NetworkConfig { ledger, seed, ..NetworkConfig::new(Suite::Tiny, validators) });
    let liars = pick(&mut rng, (validators as u64 - 1) / 3 + 1) as usize;
    let names = stage.validators();
    for name in names.iter().take(liars) {
        stage.play(name, dishonest(pick(&mut rng, 8)));
    }
    let life = Rc::new(RefCell::new(Life::default()));
    stage.fate(fickle(seed, &life));

    let doctor = stage.town.cast.doctor.clone();
    let files = ["Condition-f201", "broken-impossible-heart-rate", "Observation-bmd", "broken-active"];
    let mut submitted: Vec<(Digest, bool)> = Vec::new();
    for _ in 0..=pick(&mut rng, 3) {
        let file = files[(submitted.len() + pick(&mut rng, 2) as usize) % files.len()];
        let tid = stage.submit(&record(file));
        submitted.push((tid, !file.starts_with("broken")));
        stage.run(pick(&mut rng, 5_000), |_| false);
    }
    stage.run(u64::from(constants::USER_ATTEMPTS + 2) * constants::USER_OUTCOME_MS, |stage| {
        let user = stage.town.user(&doctor).unwrap();
        submitted.iter().all(|(tid, _)| !user.awaits(tid))
    });
    // What is under way at the BSD ends, and the ledger comes to rest.
    stage.run(200_000, |_| false);

    let mut life = life.borrow().clone();
    let entries: Vec<bemr::wire::AuditEntry> = stage
        .archive
        .read(|store| {
            let mut entries = Vec::new();
            bemr::store::for_each(store, &RULES, Table::AuditEntries, |entry| {
                entries.push(entry);
                Ok(())
            })?;
            Ok(entries)
        })
        .unwrap();
    for (tid, is_sound) in &submitted {
        let state = stage.state_of(tid);
        assert!(state.is_terminal() || state == State::AwaitingInitial, "{state} at the end");
        let ends: Vec<_> = entries.iter().filter(|entry| entry.tid == *tid).collect();
        assert_eq!(ends.len(), usize::from(state.is_terminal()), "one entry for one end");
        let user = stage.town.user(&doctor).unwrap();
        assert!(!user.awaits(tid));
        let told = user.outcome(tid).map(|outcome| outcome.decision);
        let expected = match state {
            State::Committed => Decision::Committed,
            State::Rejected => Decision::Rejected,
            State::Deferred => Decision::Deferred,
            _ => Decision::Refused,
        };
        assert!(told.is_none_or(|told| told == expected), "{told:?} of {state}");
        life.count(if told.is_some() { "told" } else { "gave up" }, 1);
        life.count(state.name(), 1);
        let stored = stage.town.cloud().unwrap().state_of(tid);
        if state == State::Committed {
            assert!(is_sound, "the BSD's own verdict");
            let certificate = stage.decided(tid).unwrap();
            assert_eq!(certificate.body.ballot, Ballot::True);
            bemr::votes::verify_quorum(&RULES, &stage.town.validators, &certificate).unwrap();
            assert_eq!(stored, bemr::actors::cloud::record_machine::State::Stored);
        } else if stored != bemr::actors::cloud::record_machine::State::AwaitingValid {
            assert!(state == State::Deferred && *is_sound, "{state}: only a lost receipt explains it");
            life.count("stored, receipt lost", 1);
        }
        // Fewer than a third lie, so no lie has a quorum.
        assert!(state != State::Rejected || !is_sound, "an honest network rejects no sound record");
    }
    let overruled = stage.bsd().evidence().iter().filter(|one| matches!(one, Evidence::Overruled(_))).count();
    assert_eq!(overruled, 0, "no lie has a quorum");
    let liars: Vec<&Name> = names.iter().take(liars).collect();
    for evidence in stage.bsd().evidence() {
        let accused = match evidence {
            Evidence::Equivocation(two) => &two.second.validator,
            Evidence::LateAndContrary(one) => &one.validator,
            Evidence::Overruled(_) => continue,
        };
        assert!(liars.contains(&accused), "{accused} is honest");
        life.count("convicted", 1);
    }
    let report = stage.audit().unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(report.entries, entries.len() as u64);
    life.count("blocks", report.blocks);
    life.count("second attempts", expiries(&stage, "AttemptExpired").len() as u64);
    life.count("liars", liars.len() as u64);
    life.count("steps", stage.events.len() as u64);
    life.count("refused", stage.events.iter().filter(|event| event.clause.is_some()).count() as u64);
    life.log = stage.events.iter().map(|event: &Event| format!("{event:?}")).collect();
    life
}

/// BSD and cloud of this town have different branches in force for a while, and share a store.
#[test]
fn rival_branches_are_never_mixed_in_one_store() {
    live(13_395_014_237_227_939_628);
}

#[test]
fn whatever_becomes_of_packets_every_submission_ends_once_and_rightly() {
    let mut sum = Life::default();
    for seed in 0..60 {
        let life = std::panic::catch_unwind(|| live(seed));
        let life = life.unwrap_or_else(|cause| {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(cause)
        });
        sum.add(&life);
    }
    println!("{:#?}", sum.counts);
    let floors = [
        ("Committed", 10),
        ("Rejected", 10),
        ("Deferred", 5),
        ("told", 50),
        ("gave up", 1),
        ("lost", 100),
        ("repeated", 50),
        ("delayed", 50),
        ("bent", 50),
        ("second attempts", 20),
        ("liars", 10),
        ("convicted", 1),
        ("stored, receipt lost", 1),
    ];
    for (what, floor) in floors {
        let count = sum.counts.get(what).copied().unwrap_or_default();
        assert!(count >= floor, "{what}: {count} of at least {floor}");
    }
}

#[test]
fn the_same_seed_gives_the_same_life() {
    for seed in [3, 1_000_003] {
        let (first, second) = (live(seed), live(seed));
        assert!(!first.log.is_empty());
        assert_eq!(first, second);
    }
    assert_ne!(live(3).log, live(4).log);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_seed_gives_a_life_without_a_wrong_end(seed: u64) {
        live(seed);
    }
}
