//! What happens when nobody answers, too late, or not all: attempts, dead sessions, the machines of the user and of closing
//! blocks, a store that fails, and towns under random fates with liars in them.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use crate::testbed::{
    RULES, Responder, Script, Testbed, always, certify, reason, record, silent, sound, vote,
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

fn expiries(bed: &Testbed, event: &str) -> Vec<Time> {
    bed.events.iter().filter(|one| one.event.name() == event).map(|one| one.time).collect()
}

#[test]
fn a_silent_network_is_asked_three_times_with_the_same_bytes() {
    let mut bed = Testbed::new(RULES, 4);
    bed.script_all(|_| silent());
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Deferred);
    for validator in bed.validators() {
        let heard = bed.received(&validator);
        assert_eq!(heard.len(), constants::BSD_ATTEMPTS as usize);
        assert!(heard.iter().all(|block| block == &heard[0]));
    }
    let times = expiries(&bed, "AttemptExpired");
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert_eq!(gaps, [constants::BSD_ATTEMPT_MS, constants::BSD_ATTEMPT_MS]);
}

#[test]
fn without_a_bound_the_bsd_asks_for_ever() {
    let mut bed = Testbed::new(RULES.without(Clause::FailoverIsBounded), 4);
    bed.script_all(|_| silent());
    let tid = bed.submit(&sound());
    assert!(!bed.run(10 * constants::BSD_ATTEMPT_MS, |bed| bed.state_of(&tid).is_terminal()));
    assert!(bed.received(&bed.validators()[0]).len() > constants::BSD_ATTEMPTS as usize);
}

#[test]
fn only_the_silent_are_asked_again() {
    let mut bed = Testbed::new(RULES, 4);
    bed.script_all(|number| if number < 2 { always(Ballot::True, 0) } else { hard_of_hearing(2) });
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed);
    let heard: Vec<usize> = bed.validators().iter().map(|name| bed.received(name).len()).collect();
    assert_eq!(heard, [1, 1, 2, 2]);
}

#[test]
fn votes_of_several_attempts_add_up() {
    let mut bed = Testbed::new(RULES, 4);
    bed.script_all(|number| if number == 3 { silent() } else { hard_of_hearing(number + 1) });
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed);
    assert_eq!(expiries(&bed, "AttemptExpired").len(), 2);
    assert_eq!(bed.decided(&tid).unwrap().signatories.len(), 3);
}

#[test]
fn another_question_in_the_second_attempt_loses_the_votes_of_the_first() {
    // The third vote gets lost twice; honest actors vote. Without ACK-03 the second T_block is another one, and who voted on
    // the first refuses it.
    for (rules, refused) in [(RULES, false), (RULES.without(Clause::FailoverKeepsDigest), true)] {
        let mut bed = Testbed::new(rules, 4);
        bed.lose({
            let mut lost = 0;
            move |envelope| {
                let loses = envelope.label == "Vote" && lost < 2;
                lost += u32::from(loses);
                loses
            }
        });
        let tid = bed.submit(&sound());
        let state = bed.finish(&tid);
        let by_digest = bed.events.iter().any(|event| event.clause == Some(Clause::OneBlockPerTid));
        assert_eq!(by_digest, refused);
        assert_eq!(state, if refused { State::Deferred } else { State::Committed });
    }
}

// ---- Sessions that died ----

/// Loses the first `count` envelopes with this label.
fn lose_first(bed: &mut Testbed, label: &'static str, count: usize) {
    let mut lost = 0;
    bed.lose(move |envelope| {
        let loses = envelope.label == label && lost < count;
        lost += usize::from(loses);
        loses
    });
}

#[test]
fn a_lost_finish_costs_one_attempt_and_no_more() {
    let mut bed = Testbed::new(RULES, 4);
    let bsd = bed.network.keys.roster.bsd.clone();
    let mut lost = 0;
    // The doctor's finish arrives; those of the BSD to all four validators do not.
    bed.lose(move |envelope| {
        let loses = envelope.label == "Finish" && envelope.from == bsd && lost < 4;
        lost += u32::from(loses);
        loses
    });
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed);
    assert_eq!(expiries(&bed, "AttemptExpired").len(), 1);
    // The second transaction uses the sessions that live.
    let second = bed.submit(&record("Observation-bmd"));
    assert_eq!(bed.finish(&second), State::Committed);
    assert_eq!(expiries(&bed, "AttemptExpired").len(), 1);
}

#[test]
fn a_user_whose_finish_was_lost_submits_in_a_new_session() {
    let mut bed = Testbed::new(RULES, 4);
    lose_first(&mut bed, "Finish", 1);
    let doctor = bed.network.keys.roster.doctor.clone();
    let tid = bed.submit(&sound());
    assert!(bed.run(2 * constants::USER_OUTCOME_MS, |bed| !bed.network.user(&doctor).unwrap().awaits(&tid)));
    assert_eq!(bed.state_of(&tid), State::Committed);
    assert_eq!(bed.network.user(&doctor).unwrap().outcome(&tid).unwrap().decision, Decision::Committed);
}

#[test]
fn a_validator_that_forgot_its_sessions_is_asked_in_a_new_one() {
    let mut bed = Testbed::new(RULES, 4);
    bed.script_all(|_| always(Ballot::True, 0));
    let first = bed.submit(&sound());
    assert_eq!(bed.finish(&first), State::Committed);
    bed.script_all(|_| always(Ballot::True, 0));
    let second = bed.submit(&record("Observation-bmd"));
    assert_eq!(bed.finish(&second), State::Committed);
    assert_eq!(
        expiries(&bed, "AttemptExpired").len(),
        1,
        "the first attempt went into sessions that nobody has"
    );
}

#[test]
fn a_lost_hello_is_said_again_and_a_deaf_peer_given_up() {
    let mut bed = Testbed::new(RULES, 4);
    lose_first(&mut bed, "Hello", 1);
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed);

    let mut bed = Testbed::new(RULES, 4);
    let deaf = bed.validators()[3].clone();
    let hellos = Rc::new(RefCell::new(Vec::new()));
    let (kept, to) = (Rc::clone(&hellos), deaf.clone());
    let bsd = bed.network.keys.roster.bsd.clone();
    bed.inject(move |now: Time, envelope: Envelope| {
        if envelope.to == to && envelope.from == bsd && envelope.packet().is_some() {
            kept.borrow_mut().push((now, envelope.label));
            return Vec::new();
        }
        vec![(0, envelope)]
    });
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed, "three of four are enough");
    bed.run(600_000, |_| false);
    let hellos = hellos.borrow();
    assert!(hellos.iter().all(|(_, label)| *label == "Hello"));
    let gaps: Vec<u64> = hellos.windows(2).map(|pair| pair[1].0.0 - pair[0].0.0).collect();
    assert_eq!(gaps, [2_000, 4_000, 8_000, 16_000], "and none after 60 000 ms");
    assert!(!bed.step(), "nothing is left to happen");
}

#[test]
fn a_response_that_takes_longer_than_the_first_wait_still_makes_a_session() {
    let mut bed = Testbed::new(RULES, 4);
    bed.inject(|_: Time, envelope: Envelope| {
        let delay = if envelope.label == "Response" { 3_000 } else { 0 };
        vec![(delay, envelope)]
    });
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed);
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
    let mut bed = Testbed::new(RULES, 4);
    let (bsd, doctor) = (bed.network.keys.roster.bsd.clone(), bed.network.keys.roster.doctor.clone());
    let mut double = Responder::of(&mut bed, &bsd);
    let tid = bed.submit(&sound());
    let began = bed.network.now();
    let mut heard = Vec::new();
    while bed.step() {
        heard.extend(double.receive(&mut bed));
    }
    let Message::TInitial(first) = &heard[0] else { panic!("a submission") };
    assert_eq!(heard.len(), constants::USER_ATTEMPTS as usize);
    assert!(heard.iter().all(|message| matches!(message, Message::TInitial(one) if one == first)));
    drive(State::AwaitingOutcome, Event::OutcomeExpired, Guard::AttemptsAreLeft, State::AwaitingOutcome);
    let user = bed.network.user(&doctor).unwrap();
    assert!(!user.awaits(&tid) && user.outcome(&tid).is_none());
    drive(State::AwaitingOutcome, Event::OutcomeExpired, Guard::NoneIsLeft, State::GaveUp);
    let expired = expiries(&bed, "OutcomeExpired");
    assert_eq!(expired, [1, 2, 3].map(|attempt| began.after(attempt * constants::USER_OUTCOME_MS)));

    // An answer after that is too late.
    let outcome =
        Outcome { tid, decision: Decision::Committed, reason: bemr::wire::Reason::NONE, height: Height(1) };
    let before = bed.actor(&doctor).state();
    let step = double.send(&mut bed, &doctor, Message::Outcome(outcome.clone()));
    assert_eq!(step.clause(), Some(Clause::EventFitsState));
    assert_eq!(bed.actor(&doctor).state(), before);
    assert!(bed.network.user(&doctor).unwrap().outcome(&tid).is_none());

    // An answer in time.
    let outcomes = |rules: Rules| {
        let mut bed = Testbed::new(rules, 4);
        let mut double = Responder::of(&mut bed, &bsd);
        let tid = bed.submit(&sound());
        while double.receive(&mut bed).is_empty() {
            assert!(bed.step());
        }
        let first = Outcome { tid, ..outcome.clone() };
        assert_eq!(double.send(&mut bed, &doctor, Message::Outcome(first.clone())).clause(), None);
        assert_eq!(bed.network.user(&doctor).unwrap().outcome(&tid), Some(&first));
        // A second one contradicts it.
        let second = Outcome { decision: Decision::Rejected, ..first.clone() };
        let step = double.send(&mut bed, &doctor, Message::Outcome(second));
        let kept = bed.network.user(&doctor).unwrap().outcome(&tid) == Some(&first);
        (bed, double, step.clause(), kept)
    };
    let (mut bed, mut double, clause, kept) = outcomes(RULES);
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
    let before = bed.actor(&doctor).state();
    let stranger = Outcome { tid: Digest::default(), ..outcome };
    assert_eq!(
        double.send(&mut bed, &doctor, Message::Outcome(stranger)).clause(),
        Some(Clause::EventFitsState)
    );
    // Nor does the BSD say anything else to a user.
    let block = vote_body(&bed);
    let nonsense = Message::Vote(crate::testbed::sign_vote(&bed.network.keys.credentials[&bsd], block));
    let said =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| double.send(&mut bed, &doctor, nonsense)));
    assert!(said.is_err(), "SES-07 does not let it out");
    assert_eq!(bed.actor(&doctor).state(), before);
    assert_eq!(driven.len(), submitting_machine::ROWS.len());
}

fn vote_body(bed: &Testbed) -> VoteBody {
    decision_body(bed, b"a decision")
}

// ---- Closing blocks ----

fn decision_body(bed: &Testbed, what: &[u8]) -> VoteBody {
    VoteBody {
        version: PROTOCOL_VERSION,
        suite: Suite::Tiny,
        network: bed.network.keys.validators.network().clone(),
        validators: bed.network.keys.validators.digest(),
        tid: Digest::of(Domain::TRANSACTION_ID, what),
        block: Digest::of(Domain::T_BLOCK, what),
        policy: Digest::default(),
        height: Height(1),
        ballot: Ballot::True,
        reason: 0,
    }
}

fn decision(bed: &Testbed, what: &[u8]) -> QuorumCertificate {
    let quorum = bed.network.keys.validators.quorum();
    certify(bed, &bed.validators()[..quorum], &decision_body(bed, what))
}

/// One validator alone with the test, which plays the others.
struct Closing {
    bed: Testbed,
    us: Name,
    others: Vec<Credentials>,
}

impl Closing {
    fn new(rules: Rules) -> Closing {
        Closing::of(Testbed::new(rules, 4))
    }

    fn of(mut bed: Testbed) -> Closing {
        bed.lose(|_| true);
        let names = bed.validators();
        let others = names[1..].iter().map(|name| bed.network.keys.credentials[name].clone()).collect();
        Closing { us: names[0].clone(), others, bed }
    }

    fn hears(&mut self, gossip: Gossip) -> Step {
        let from = self.others.first().map_or(&self.bed.network.keys.roster.bsd, Credentials::name).clone();
        let us = self.us.clone();
        self.bed.deliver(&us, Input::Gossip { from, gossip })
    }

    fn ledger(&mut self) -> Ledger {
        let us = self.us.clone();
        self.bed.network.validator(&us).unwrap().ledger_view().ledger.clone()
    }

    fn height(&mut self) -> u64 {
        self.ledger().height().0
    }

    /// A proposal of another validator with one decision in it.
    fn proposal(&mut self, what: &[u8]) -> Proposal {
        let entry = Entry::Decision(decision(&self.bed, what));
        let proposer = self.others[0].name().clone();
        let now = self.bed.network.now();
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
            let Some(Node::Validator(validator)) = self.bed.network.node(&us) else { panic!("a validator") };
            let wake = validator.wake().expect("something waits");
            let mut proposed = None;
            let now = self.bed.network.now();
            self.bed.network.command(&us, |node, _| {
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
    let certificate = decision(&closing.bed, b"one");
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

    // A block that was closed without us. Its tid and that of the block before differ, so it stands in another network.
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
    let certificate = decision(&closing.bed, b"five");
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
    let certificate = decision(&closing.bed, b"mined");
    closing.hears(Gossip::Decision(certificate)).outcome.unwrap();
    bemr_spec::machine::driven::take();
    let us = closing.us.clone();
    let end = closing.bed.network.now().after(600_000);
    while closing.height() == 0 {
        let Some(Node::Validator(validator)) = closing.bed.network.node(&us) else { panic!("one") };
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
        let before = closing.bed.actor(&us).state();
        let step = closing.hears(closing.shown(&second, 1));
        assert_eq!(step.clause(), expected);
        if expected.is_some() {
            assert_eq!(closing.bed.actor(&us).state(), before);
            assert!(matches!(told(&step)[..], [Gossip::Proposal(shown)] if shown.header == *first.header()));
        }
    }
}

#[test]
fn a_proposal_or_signature_of_a_stranger_or_under_a_wrong_key_counts_for_nothing() {
    let mut closing = Closing::new(RULES);
    let proposal = closing.proposal(b"one");
    let us = closing.us.clone();
    let before = closing.bed.actor(&us).state();
    let cloud = closing.bed.network.keys.credentials[&closing.bed.network.keys.roster.cloud].clone();
    let stranger = proposal.sign(&RULES, cloud.name(), cloud.identity().signing_key());
    let forged = proposal.sign(&RULES, closing.others[1].name(), cloud.identity().signing_key());
    for (signatory, clause) in [(stranger, Clause::VoterIsAdmitted), (forged, Clause::VoteSigned)] {
        let shown = BlockProposal {
            header: proposal.header().clone(),
            entries: proposal.entries().to_vec().into(),
            signatory: signatory.clone(),
        };
        assert_eq!(closing.hears(Gossip::Proposal(shown)).clause(), Some(clause));
        assert_eq!(closing.bed.actor(&us).state(), before);
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
    let later = closing.bed.network.now().after(2_000);
    let gossip = closing.shown(&second, 1);
    let Some(Node::Validator(validator)) = closing.bed.network.node(&us) else { panic!("a validator") };
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
    let mut bed = Testbed::new(RULES, 4);
    let behind = bed.validators()[1].clone();
    let to = behind.clone();
    let mut lost = false;
    bed.lose(move |envelope| {
        let loses = envelope.label == "Block" && envelope.to == to && !lost;
        lost |= loses;
        loses
    });
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed);
    bed.run(120_000, |_| false);
    let height = bed.bsd().ledger_view().ledger.height();
    assert_eq!(bed.network.validator(&behind).unwrap().ledger_view().ledger.height(), height);
}

// ---- A store that fails ----

struct Moody {
    inner: MemoryStore,
    fails: Rc<Cell<bool>>,
}

impl Store for Moody {
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        if self.fails.get() {
            return Err(StoreError::unavailable(None, std::io::Error::from(std::io::ErrorKind::StorageFull)));
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

/// A network whose BSD and cloud share a store that fails when told to.
fn moody(rules: Rules) -> (Testbed, StoreHandle, Rc<Cell<bool>>) {
    let fails = Rc::new(Cell::new(false));
    let archive = StoreHandle::new(Moody { inner: MemoryStore::new(), fails: Rc::clone(&fails) });
    let config = NetworkConfig { rules, store: archive.clone(), ..NetworkConfig::new(Suite::Tiny, 4) };
    (Testbed::of(config), archive, fails)
}

#[test]
fn an_end_that_cannot_be_stored_is_not_sent_and_comes_when_the_store_works_again() {
    let (mut bed, archive, fails) = moody(RULES);
    bed.script_all(|_| silent());
    let tid = bed.submit(&sound());
    assert!(bed.run(10_000, |bed| bed.state_of(&tid) == State::AwaitingVotes));
    fails.set(true);
    assert!(!bed.run(30_000, |bed| bed.state_of(&tid) != State::AwaitingVotes));
    let doctor = bed.network.keys.roster.doctor.clone();
    assert!(bed.network.user(&doctor).unwrap().awaits(&tid));
    assert!(bed.events.iter().any(|event| event.clause == Some(Clause::FailedStoreIsSilent)));
    assert_eq!(archive.take_failure().unwrap().to_string(), "store in memory: no storage space");
    fails.set(false);
    assert_eq!(bed.finish(&tid), State::Deferred);
    bed.run(60_000, |_| false);
    assert_eq!(bed.audit().unwrap().deferred, 1);
    assert!(archive.take_failure().is_none());
}

#[test]
fn a_submission_that_cannot_be_stored_is_neither_taken_nor_refused() {
    for (rules, told) in [(RULES, false), (RULES.without(Clause::FailedStoreIsSilent), true)] {
        let (mut bed, archive, fails) = moody(rules);
        fails.set(true);
        let tid = bed.submit(&sound());
        while !archive.has_failed() {
            bed.network.step().expect("a network at work");
        }
        archive.take_failure();
        let doctor = bed.network.keys.roster.doctor.clone();
        bed.network.run_until(1_000, |network| !network.user(&doctor).unwrap().awaits(&tid));
        assert_eq!(bed.network.user(&doctor).unwrap().outcome(&tid).is_some(), told);
        assert_eq!(bed.state_of(&tid), State::AwaitingInitial);
        archive.take_failure();
        fails.set(false);
        // The user's app sends it again by itself.
        bed.network.run_until(200_000, |network| !network.user(&doctor).unwrap().awaits(&tid));
        let decision = bed.network.user(&doctor).unwrap().outcome(&tid).unwrap().decision;
        assert_eq!(decision, if told { Decision::Refused } else { Decision::Committed });
    }
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
    let policy = &foundation.ledger_view.policy;
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
    let approvals = foundation.roster.administrators.iter().map(approve).collect();
    ApprovedChange { change, approvals }
}

/// What an actor holds: the history of its policy and the number of its revocation list.
fn held(office: &NodeContext) -> (Digest, Version) {
    (office.ledger_view.policy.history(), office.trust.revocation_list().body.list)
}

#[test]
fn an_actor_that_starts_again_holds_every_change_and_the_list_that_it_kept_and_nobody_elses() {
    let scenario = NetworkConfig::new(Suite::Tiny, 4);
    let (mut foundation, now) = (scenario.provision().unwrap(), scenario.start);
    let archive = StoreHandle::new(MemoryStore::new());
    let (bsd, cloud) = (foundation.roster.bsd.clone(), foundation.roster.cloud.clone());
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
    let (mut foundation, now) = (scenario.provision().unwrap(), scenario.start);
    let fails = Rc::new(Cell::new(true));
    let archive = StoreHandle::new(Moody { inner: MemoryStore::new(), fails: Rc::clone(&fails) });
    let bsd = foundation.roster.bsd.clone();
    let mut office = begun(&mut foundation, &bsd, &archive);
    let (change, list) = (next_template(&foundation, 2), foundation.kdc.revocation_list(&RULES, now));
    let before = held(&office);
    let refused = [office.on_policy_change(now, &change), office.on_revocation_list(list.clone())];
    assert!(refused.iter().all(|one| one.as_ref().is_err_and(|r| r.clause() == Clause::FailedStoreIsSilent)));
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
    let foundation = scenario.provision().unwrap();
    let archive = StoreHandle::new(MemoryStore::new());
    let grow = |replica: &mut LedgerView, later: u64| {
        let time = Time(scenario.start.0 + 2_000 * (replica.ledger.height().0 + 1) + later);
        let mut proposal = replica.ledger.propose(Vec::new(), time, foundation.roster.validators[0].clone());
        assert!(proposal.mine(1 << 24));
        let change = replica.on_block(&RULES, time, proposal.close(Vec::new())).unwrap();
        archive.store_block(&change, &replica.ledger).unwrap();
    };
    let holds = |replica: &LedgerView| {
        let height = |n: u64| archive.read(|store| store.block(&RULES, Height(n))).unwrap();
        let held: Vec<Block> = (1..).map_while(height).collect();
        replica.ledger.blocks().eq(&held)
    };
    let (mut first, mut second) = (foundation.ledger_view.clone(), foundation.ledger_view.clone());
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

/// What a seed's network came to.
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
        1 => always(Ballot::True, 0),
        2 => always(Ballot::False, reason()),
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
    move |_, mut envelope| {
        if budget > 0 && (envelope.label == rare && pick(&mut rng, 100) < 90 || pick(&mut rng, 100) < percent)
        {
            budget -= 1;
            let mut kinds = kinds.borrow_mut();
            match if envelope.label == rare { 0 } else { pick(&mut rng, 4) } {
                0 => {
                    kinds.count("lost", 1);
                    return Vec::new();
                }
                1 => {
                    kinds.count("repeated", 1);
                    return vec![(0, envelope.clone()), (pick(&mut rng, 9_000), envelope)];
                }
                2 => {
                    kinds.count("delayed", 1);
                    return vec![(pick(&mut rng, 9_000), envelope)];
                }
                _ => {
                    kinds.count("bent", 1);
                    let at = pick(&mut rng, envelope.bytes.len() as u64) as usize;
                    // The first byte says what kind of datagram it is; the bed reads it.
                    Rc::make_mut(&mut envelope.bytes)[at.max(1)] ^= 1 << pick(&mut rng, 8);
                }
            }
        }
        vec![(0, envelope)]
    }
}

/// Runs the network of a seed to its end and checks all that has to hold whatever happened.
fn live(seed: u64) -> Life {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let validators = [1, 4, 4, 7][pick(&mut rng, 4) as usize];
    let ledger = if pick(&mut rng, 8) == 0 { LedgerKind::Work } else { LedgerKind::Quorum };
    let mut bed = Testbed::of(NetworkConfig { ledger, seed, ..NetworkConfig::new(Suite::Tiny, validators) });
    let liars = pick(&mut rng, (validators as u64 - 1) / 3 + 1) as usize;
    let names = bed.validators();
    for name in names.iter().take(liars) {
        bed.script(name, dishonest(pick(&mut rng, 8)));
    }
    let life = Rc::new(RefCell::new(Life::default()));
    bed.inject(fickle(seed, &life));

    let doctor = bed.network.keys.roster.doctor.clone();
    let files = ["Condition-f201", "broken-impossible-heart-rate", "Observation-bmd", "broken-active"];
    let mut submitted: Vec<(Digest, bool)> = Vec::new();
    for _ in 0..=pick(&mut rng, 3) {
        let file = files[(submitted.len() + pick(&mut rng, 2) as usize) % files.len()];
        let tid = bed.submit(&record(file));
        submitted.push((tid, !file.starts_with("broken")));
        bed.run(pick(&mut rng, 5_000), |_| false);
    }
    bed.run(u64::from(constants::USER_ATTEMPTS + 2) * constants::USER_OUTCOME_MS, |bed| {
        let user = bed.network.user(&doctor).unwrap();
        submitted.iter().all(|(tid, _)| !user.awaits(tid))
    });
    // What is under way at the BSD ends, and the ledger comes to rest.
    bed.run(200_000, |_| false);

    let mut life = life.borrow().clone();
    let entries: Vec<bemr::wire::AuditEntry> = bed
        .network
        .store
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
        let state = bed.state_of(tid);
        assert!(state.is_terminal() || state == State::AwaitingInitial, "{state} at the end");
        let ends: Vec<_> = entries.iter().filter(|entry| entry.tid == *tid).collect();
        assert_eq!(ends.len(), usize::from(state.is_terminal()), "one entry for one end");
        let user = bed.network.user(&doctor).unwrap();
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
        let stored = bed.network.cloud().unwrap().state_of(tid);
        if state == State::Committed {
            assert!(is_sound, "the BSD's own verdict");
            let certificate = bed.decided(tid).unwrap();
            assert_eq!(certificate.body.ballot, Ballot::True);
            bemr::votes::verify_quorum(&RULES, &bed.network.keys.validators, &certificate).unwrap();
            assert_eq!(stored, bemr::actors::cloud::record_machine::State::Stored);
        } else if stored != bemr::actors::cloud::record_machine::State::AwaitingValid {
            assert!(state == State::Deferred && *is_sound, "{state}: only a lost receipt explains it");
            life.count("stored, receipt lost", 1);
        }
        // Fewer than a third lie, so no lie has a quorum.
        assert!(state != State::Rejected || !is_sound, "an honest network rejects no sound record");
    }
    let overruled = bed.bsd().evidence().iter().filter(|one| matches!(one, Evidence::Overruled(_))).count();
    assert_eq!(overruled, 0, "no lie has a quorum");
    let liars: Vec<&Name> = names.iter().take(liars).collect();
    for evidence in bed.bsd().evidence() {
        let accused = match evidence {
            Evidence::Equivocation(two) => &two.second.validator,
            Evidence::LateAndContrary(one) => &one.validator,
            Evidence::Overruled(_) => continue,
        };
        assert!(liars.contains(&accused), "{accused} is honest");
        life.count("convicted", 1);
    }
    let report = bed.audit().unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(report.entries, entries.len() as u64);
    life.count("blocks", report.blocks);
    life.count("second attempts", expiries(&bed, "AttemptExpired").len() as u64);
    life.count("liars", liars.len() as u64);
    life.count("steps", bed.events.len() as u64);
    life.count("refused", bed.events.iter().filter(|event| event.clause.is_some()).count() as u64);
    life.log = bed.events.iter().map(|event: &Event| format!("{event:?}")).collect();
    life
}

/// BSD and cloud of this network have different branches in force for a while, and share a store.
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
