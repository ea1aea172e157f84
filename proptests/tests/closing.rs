//! How validators close blocks: the protocol step by step, what a validator signs and what it refuses, and that nobody
//! makes it sign two headers of one height or brings the ledger to a standstill.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::common::{Heard, RULES, Stage, name, refused, refused_by, sample, stray_digest};
use bemr::actors::validator::closing_machine::{ROWS, State};
use bemr::actors::{Input, Output, Step, StoreHandle, Validator};
use bemr::audit::AuditLog;
use bemr::crypto::{Digest, Domain, SigningKey, Suite};
use bemr::ledger::Proposal;
use bemr::merkle::Frontier;
use bemr::store::{MemoryStore, recover_ledger};
use bemr::transparency::CloudLog;
use bemr::wire::{
    Anchor, Ballot, BlockHeader, BlockProposal, Closing, ClosingSignature, Entry, Gossip, Height, LeafKind,
    LogKind, Message, Name, QuorumCertificate, Signatory, SignedCloudHead, Time, VoteBody, encode,
};
use bemr_lab::simulator::{NetworkConfig, Node};
use bemr_spec::{Clause, Refusal, constants};

/// The decision on the n-th submission of the doctor.
fn decision(stage: &mut Stage, n: usize) -> QuorumCertificate {
    let doctor = stage.town.cast.doctor.clone();
    let record = [sample("Patient-example"), " ".repeat(n).as_bytes()].concat();
    let initial = stage.initial(&doctor, &record, &[]);
    let block = stage.block(&initial);
    stage.certificate(&block, Ballot::True, 0)
}

fn validator(stage: &Stage, n: usize) -> Name {
    stage.town.cast.validators[n - 1].clone()
}

/// Validator `n` comes to the instant that it asked for.
fn wake(stage: &mut Stage, n: usize) -> Step {
    let who = validator(stage, n);
    let wake = stage.actor(&who).wake().expect("it waits for something");
    stage.later += wake.0.saturating_sub(stage.now().0);
    let now = stage.now();
    stage.actor(&who).handle(now, Input::Wake)
}

fn only(step: &Step) -> &Gossip {
    let outputs: Vec<&Output> = step.outputs().collect();
    match outputs.as_slice() {
        [Output::Publish(gossip) | Output::SendGossip { gossip, .. }] => gossip,
        other => panic!("{other:?}"),
    }
}

/// A proposal of validator `n`, changed before it signs.
fn proposal(
    stage: &Stage,
    n: usize,
    entries: Vec<Entry>,
    change: impl FnOnce(&mut BlockHeader),
) -> BlockProposal {
    let who = validator(stage, n);
    let honest = stage.replica.ledger.propose(entries.clone(), stage.now(), who.clone());
    let mut header = honest.header().clone();
    change(&mut header);
    let signatory = Proposal::new(header.clone(), entries.clone()).sign(&RULES, &who, &stage.key(&who));
    BlockProposal { header, entries: entries.into(), signatory }
}

/// Validator 1 hears a proposal from validator 2.
fn proposed(stage: &mut Stage, proposal: BlockProposal) -> Heard {
    let (from, to) = (validator(stage, 2), validator(stage, 1));
    stage.tell(&from, &to, Gossip::Proposal(proposal))
}

fn tell(stage: &mut Stage, gossip: Gossip) -> Heard {
    let (from, to) = (validator(stage, 2), validator(stage, 1));
    stage.tell(&from, &to, gossip)
}

#[test]
fn a_block_is_closed_step_by_step() {
    let mut stage = Stage::new(RULES);
    let certificate = decision(&mut stage, 0);
    for n in 1..=4 {
        let (from, to) = (stage.town.cast.bsd.clone(), validator(&stage, n));
        stage.tell(&from, &to, Gossip::Decision(certificate.clone())).assert_taken();
    }
    // Height 1 is the second validator's.
    assert!(wake(&mut stage, 1).outputs().next().is_none());
    let step = wake(&mut stage, 2);
    let Gossip::Proposal(proposal) = only(&step).clone() else { panic!("{step:?}") };
    assert_eq!(proposal.entries.as_slice(), [Entry::Decision(certificate.clone())]);
    let second = validator(&stage, 2);
    let mut closings = Vec::new();
    for n in [1, 3, 4] {
        let to = validator(&stage, n);
        let heard = stage.tell(&second, &to, Gossip::Proposal(proposal.clone()));
        heard.assert_taken();
        let Gossip::Closing(closing) = only(&heard.step).clone() else { panic!("{:?}", heard.step) };
        // The same proposal again gets the same signature.
        let again = stage.tell(&second, &to, Gossip::Proposal(proposal.clone()));
        assert!(again.unchanged && *only(&again.step) == Gossip::Closing(closing.clone()));
        closings.push((to, closing));
    }
    // Two of four are not more than two thirds, three are.
    let (from, closing) = closings[0].clone();
    let heard = stage.tell(&from, &second, Gossip::Closing(closing));
    heard.assert_taken();
    assert!(heard.step.outputs().next().is_none());
    let (from, closing) = closings[1].clone();
    let heard = stage.tell(&from, &second, Gossip::Closing(closing));
    let Gossip::Block(block) = only(&heard.step).clone() else { panic!("{:?}", heard.step) };
    assert_eq!(block.closed.signatories.as_slice().len(), 3);
    for n in [1, 3, 4] {
        let to = validator(&stage, n);
        stage.tell(&second, &to, Gossip::Block(block.clone())).assert_taken();
        let ledger = &stage.town.validator(&to).unwrap().ledger_view().ledger;
        assert!(ledger.decision(&certificate.body.tid).is_some());
    }
    // The last signature comes when there is nothing to close any more; the block comes again.
    let (from, closing) = closings[2].clone();
    stage.tell(&from, &second, Gossip::Closing(closing)).assert_refused(Clause::EventFitsState);
    let again = stage.tell(&second, &from, Gossip::Block(block));
    again.assert_refused(Clause::HeaviestChainWins);
    assert_eq!(stage.actor(&second).wake(), None);
}

#[test]
fn a_proposer_whom_nobody_heard_proposes_the_same_again() {
    let mut stage = Stage::new(RULES);
    let certificate = decision(&mut stage, 0);
    let (bsd, second) = (stage.town.cast.bsd.clone(), validator(&stage, 2));
    stage.tell(&bsd, &second, Gossip::Decision(certificate)).assert_taken();
    let first = only(&wake(&mut stage, 2)).clone();
    let before = stage.actor(&second).state();
    // Its next turn is the fifth: four validators take turns.
    for _ in 0..3 {
        assert!(wake(&mut stage, 2).outputs().next().is_none());
    }
    assert_eq!(*only(&wake(&mut stage, 2)), first);
    assert_eq!(stage.actor(&second).state(), before);
}

#[test]
fn a_validator_that_signed_proposes_what_it_signed() {
    let mut stage = Stage::new(RULES);
    let (seen, unseen) = (decision(&mut stage, 0), decision(&mut stage, 1));
    let third = validator(&stage, 3);
    let proposal = proposal(&stage, 2, vec![Entry::Decision(seen)], |_| ());
    let second = validator(&stage, 2);
    stage.tell(&second, &third, Gossip::Proposal(proposal.clone())).assert_taken();
    let bsd = stage.town.cast.bsd.clone();
    stage.tell(&bsd, &third, Gossip::Decision(unseen)).assert_taken();
    wake(&mut stage, 3);
    let step = wake(&mut stage, 3);
    let Gossip::Proposal(own) = only(&step) else { panic!("{step:?}") };
    assert_eq!((&own.header, &own.entries), (&proposal.header, &proposal.entries));
    assert_eq!(own.signatory.validator, third);
}

#[test]
fn entries_that_come_later_under_a_signed_header_are_not_taken() {
    let mut stage = Stage::new(RULES);
    let (decided, other) = (decision(&mut stage, 0), decision(&mut stage, 1));
    let genuine = proposal(&stage, 2, vec![Entry::Decision(decided.clone())], |_| ());
    proposed(&mut stage, genuine.clone()).assert_taken();
    // Nobody's key is needed: the signature is over the header alone.
    let spoiled = BlockProposal { entries: vec![Entry::Decision(other)].into(), ..genuine.clone() };
    proposed(&mut stage, spoiled).assert_taken();
    let held = loop {
        let step = wake(&mut stage, 1);
        let shown = step.outputs().find_map(|output| match output {
            Output::Publish(Gossip::Proposal(own)) => Some(own.clone()),
            _ => None,
        });
        if let Some(shown) = shown {
            break shown;
        }
    };
    assert_eq!((&held.header, &held.entries), (&genuine.header, &genuine.entries));
}

#[test]
fn one_validator_closes_alone_and_two_close_together() {
    let mut stage = Stage::of(NetworkConfig::new(Suite::Tiny, 1));
    let certificate = decision(&mut stage, 0);
    let (bsd, first) = (stage.town.cast.bsd.clone(), validator(&stage, 1));
    stage.tell(&bsd, &first, Gossip::Decision(certificate)).assert_taken();
    let step = wake(&mut stage, 1);
    let names: Vec<&str> = step
        .outputs()
        .map(|output| match output {
            Output::Publish(gossip) => gossip.name(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["Proposal", "Block"]);

    let mut stage = Stage::of(NetworkConfig::new(Suite::Tiny, 2));
    let certificate = decision(&mut stage, 0);
    let proposal = proposal(&stage, 2, vec![Entry::Decision(certificate)], |_| ());
    let heard = proposed(&mut stage, proposal);
    heard.assert_taken();
    assert!(heard.step.outputs().any(|output| matches!(output, Output::Publish(Gossip::Block(_)))));
}

#[test]
fn a_validator_signs_one_header_of_a_height() {
    let two = |stage: &mut Stage| {
        let (first, second) = (decision(stage, 0), decision(stage, 1));
        let first = proposal(stage, 2, vec![Entry::Decision(first)], |_| ());
        proposed(stage, first.clone()).assert_taken();
        let second = proposal(stage, 2, vec![Entry::Decision(second)], |_| ());
        let heard = proposed(stage, second);
        if heard.step.outcome.is_err() {
            // Who asks is shown what was signed, by this validator too.
            let Gossip::Proposal(shown) = only(&heard.step) else { panic!("{:?}", heard.step) };
            assert_eq!((&shown.header, &shown.signatory.validator), (&first.header, &validator(stage, 1)));
        }
        heard
    };
    refused_by(Clause::OneCloseByValidator, two);
    // Its own turn does not change that: a signature given is given.
    refused_by(Clause::OneCloseByValidator, |stage| {
        let (own, other) = (decision(stage, 0), decision(stage, 1));
        let (bsd, second) = (stage.town.cast.bsd.clone(), validator(stage, 2));
        stage.tell(&bsd, &second, Gossip::Decision(own)).assert_taken();
        wake(stage, 2);
        let rival = proposal(stage, 3, vec![Entry::Decision(other)], |_| ());
        let third = validator(stage, 3);
        stage.tell(&third, &second, Gossip::Proposal(rival))
    });
}

#[test]
fn a_closed_height_is_closed() {
    // The block in force is final: a header of a lower height does not get as far as LED-15.
    refused(Clause::FinalBlockStands, |stage| {
        let other = decision(stage, 0);
        let rival = proposal(stage, 2, vec![Entry::Decision(other)], |_| ());
        stage.close(Vec::new());
        proposed(stage, rival)
    });
}

#[test]
fn every_row_of_the_closing_machine_leads_somewhere() {
    assert!(State::Closed.is_terminal());
    // What no row leads to, or no row takes, stops the build: `spec/tests/build.rs`.
    for &state in State::ALL {
        assert!(state == State::INITIAL || ROWS.iter().any(|row| row.to == state));
    }
}

#[test]
fn a_proposal_is_checked_before_it_is_signed() {
    let one = |stage: &mut Stage, change: fn(&mut BlockHeader)| {
        let certificate = decision(stage, 0);
        let proposal = proposal(stage, 2, vec![Entry::Decision(certificate)], change);
        proposed(stage, proposal)
    };
    refused_by(Clause::ProtocolVersionIsOne, |stage| one(stage, |header| header.version = 2));
    refused_by(Clause::BlockLinksPrevious, |stage| one(stage, |header| header.previous = stray_digest()));
    refused_by(Clause::BlockLinksPrevious, |stage| one(stage, |header| header.network = name("pbn-2")));
    refused_by(Clause::HeightAdvancesByOne, |stage| one(stage, |header| header.height = Height(2)));
    refused_by(Clause::BlockTimeAdvances, |stage| one(stage, |header| header.time = Time(1)));
    refused_by(Clause::BlockTimeAdvances, |stage| {
        one(stage, |header| header.time = header.time.after(7_200_001))
    });
    refused_by(Clause::MerkleRootMatches, |stage| one(stage, |header| header.root = stray_digest()));
    refused_by(Clause::MerkleRootMatches, |stage| one(stage, |header| header.count = 2));
    refused_by(Clause::BlockHasQuorum, |stage| {
        one(stage, |header| header.closing = Closing::Quorum(stray_digest()))
    });
}

#[test]
fn a_proposal_without_a_validators_signature_is_refused() {
    refused(Clause::VoterIsAdmitted, |stage| {
        let mut proposal = proposal(stage, 2, Vec::new(), |_| ());
        proposal.signatory.validator = name("validator-9");
        proposed(stage, proposal)
    });
    refused_by(Clause::VoteSigned, |stage| {
        let mut proposal = proposal(stage, 2, Vec::new(), |_| ());
        proposal.signatory.validator = validator(stage, 3);
        proposed(stage, proposal)
    });
}

#[test]
fn entries_of_a_proposal_are_checked() {
    refused_by(Clause::TidDecidedOnce, |stage| {
        let certificate = decision(stage, 0);
        stage.close(vec![Entry::Decision(certificate.clone())]);
        let proposal = proposal(stage, 2, vec![Entry::Decision(certificate)], |_| ());
        proposed(stage, proposal)
    });
    refused_by(Clause::EntryHasQuorum, |stage| {
        let mut certificate = decision(stage, 0);
        certificate.signatories = certificate.signatories.as_slice()[..2].to_vec().into();
        let proposal = proposal(stage, 2, vec![Entry::Decision(certificate)], |_| ());
        proposed(stage, proposal)
    });
    refused_by(Clause::AnchorAdvances, |stage| {
        let anchor = |size| {
            let keeper = stage.town.cast.cloud.clone();
            Entry::Anchor(Anchor { kind: LogKind::Cloud, keeper, size, head: stray_digest() })
        };
        let (old, new) = (anchor(1), anchor(2));
        stage.close(vec![new]);
        let proposal = proposal(stage, 2, vec![old], |_| ());
        proposed(stage, proposal)
    });
}

#[test]
fn a_validator_that_missed_a_block_asks_for_it() {
    let mut stage = Stage::new(RULES);
    let first = validator(&stage, 1);
    let now = stage.now();
    let mut blocks = Vec::new();
    for _ in 0..3 {
        // Nobody tells validator 1.
        let validators = stage.town.cast.validators.clone();
        let proposal = stage.replica.ledger.propose(Vec::new(), now, validators[1].clone());
        let signatories = validators.iter().map(|who| proposal.sign(&RULES, who, &stage.key(who))).collect();
        let block = proposal.close(signatories);
        stage.replica.on_block(&RULES, now, block.clone()).unwrap();
        let second = validator(&stage, 2);
        stage.tell(&first, &second, Gossip::Block(block.clone())).assert_taken();
        blocks.push(block);
    }
    let heard = tell(&mut stage, Gossip::Block(blocks[2].clone()));
    heard.assert_refused(Clause::BlockLinksPrevious);
    assert_eq!(*only(&heard.step), Gossip::BlocksFrom(Height(1)));
    let second = validator(&stage, 2);
    let heard = stage.tell(&first, &second, Gossip::BlocksFrom(Height(1)));
    let told: Vec<Gossip> = heard
        .step
        .outputs()
        .map(|output| match output {
            Output::SendGossip { to, gossip } if *to == first => gossip.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, blocks.into_iter().map(Gossip::Block).collect::<Vec<_>>());
    told.into_iter().for_each(|gossip| tell(&mut stage, gossip).assert_taken());
}

#[test]
fn a_block_without_a_quorum_is_refused() {
    refused_by(Clause::BlockHasQuorum, |stage| {
        let (first, second) = (validator(stage, 1), validator(stage, 2));
        let proposal = stage.replica.ledger.propose(Vec::new(), stage.now(), second.clone());
        let two = [&first, &second].map(|who| proposal.sign(&RULES, who, &stage.key(who)));
        tell(stage, Gossip::Block(proposal.close(two.to_vec())))
    });
}

/// Validator 1 has signed a proposal, and hears a signature for it, changed before it is heard.
fn closing(stage: &mut Stage, change: impl FnOnce(&Stage, &mut ClosingSignature)) -> Heard {
    let certificate = decision(stage, 0);
    let proposal = proposal(stage, 2, vec![Entry::Decision(certificate)], |_| ());
    proposed(stage, proposal.clone()).assert_taken();
    let third = validator(stage, 3);
    let header = proposal.header.digest();
    let signature = stage.sign(&third, Domain::BLOCK_CLOSE, header.as_bytes());
    let signatory = Signatory { validator: third, signature };
    let mut closing = ClosingSignature { height: proposal.header.height, header, signatory };
    change(stage, &mut closing);
    tell(stage, Gossip::Closing(closing))
}

#[test]
fn a_closing_signature_is_a_validators_for_what_was_signed() {
    closing(&mut Stage::new(RULES), |_, _| ()).assert_taken();
    refused(Clause::VoterIsAdmitted, |stage| {
        closing(stage, |_, closing| closing.signatory.validator = name("validator-9"))
    });
    refused_by(Clause::VoteSigned, |stage| {
        closing(stage, |stage, closing| {
            let doctor = stage.town.cast.doctor.clone();
            closing.signatory.signature = stage.sign(&doctor, Domain::BLOCK_CLOSE, closing.header.as_bytes());
        })
    });
    // For what this validator did not sign there is nothing to add it to, whatever the rules.
    refused(Clause::EventFitsState, |stage| closing(stage, |_, closing| closing.header = stray_digest()));
    refused(Clause::EventFitsState, |stage| {
        let second = validator(stage, 2);
        let signature = stage.sign(&second, Domain::BLOCK_CLOSE, stray_digest().as_bytes());
        let signatory = Signatory { validator: second, signature };
        tell(
            stage,
            Gossip::Closing(ClosingSignature { height: Height(1), header: stray_digest(), signatory }),
        )
    });
}

#[test]
fn a_decision_waits_once_and_with_its_quorum() {
    refused_by(Clause::TidDecidedOnce, |stage| {
        let certificate = decision(stage, 0);
        tell(stage, Gossip::Decision(certificate.clone())).assert_taken();
        tell(stage, Gossip::Decision(certificate))
    });
    refused_by(Clause::TidDecidedOnce, |stage| {
        let certificate = decision(stage, 0);
        stage.close(vec![Entry::Decision(certificate.clone())]);
        tell(stage, Gossip::Decision(certificate))
    });
    refused_by(Clause::EntryHasQuorum, |stage| {
        let mut certificate = decision(stage, 0);
        certificate.body.ballot = Ballot::False;
        tell(stage, Gossip::Decision(certificate))
    });
}

/// Heads of a log of the cloud with so many leaves, signed this much later.
fn cloud_head(stage: &Stage, size: u64, later: u64) -> SignedCloudHead {
    let (network, cloud) = (stage.town.genesis.network.clone(), stage.town.cast.cloud.clone());
    let mut log = CloudLog::new(Suite::Tiny, network, cloud.clone(), Frontier::default());
    for _ in 0..size {
        log.append(LeafKind::Record, stray_digest(), stray_digest(), Time(size));
    }
    log.sign(&RULES, &stage.key(&cloud), stage.now().after(later))
}

fn anchor_of(signed: &SignedCloudHead) -> Entry {
    let head = &signed.head;
    Entry::Anchor(Anchor {
        kind: LogKind::Cloud,
        keeper: head.cloud.clone(),
        size: head.size,
        head: head.digest(),
    })
}

#[test]
fn a_head_to_be_anchored_is_signed_and_new() {
    refused_by(Clause::HeadSignedByCloud, |stage| {
        let mut head = cloud_head(stage, 2, 0);
        head.head.size = 3;
        tell(stage, Gossip::CloudHead(head))
    });
    refused_by(Clause::HeadNotOlder, |stage| {
        let head = cloud_head(stage, 2, 0);
        tell(stage, Gossip::CloudHead(head)).assert_taken();
        let head = cloud_head(stage, 1, 0);
        tell(stage, Gossip::CloudHead(head))
    });
    let audit = |stage: &Stage, who: &Name| {
        let bsd = stage.town.cast.bsd.clone();
        AuditLog::new(Suite::Tiny, stage.town.genesis.network.clone(), bsd).sign(
            &RULES,
            &stage.key(who),
            stage.now(),
        )
    };
    let mut stage = Stage::new(RULES);
    let head = audit(&stage, &stage.town.cast.bsd);
    tell(&mut stage, Gossip::AuditHead(head)).assert_taken();
    refused_by(Clause::AuditHeadSigned, |stage| {
        let head = audit(stage, &stage.town.cast.cloud);
        tell(stage, Gossip::AuditHead(head))
    });
}

#[test]
fn two_heads_of_one_size_bring_the_ledger_to_no_standstill() {
    // A cloud signs its log twice. The second head cannot be anchored (LED-14); a validator that proposed it would
    // give its one signature of that height to a block that nobody takes.
    let mut stage = Stage::new(RULES);
    let (one, two) = (cloud_head(&stage, 2, 0), cloud_head(&stage, 2, 1));
    stage.close(vec![anchor_of(&one)]);
    for n in 1..=4 {
        let (cloud, to) = (stage.town.cast.cloud.clone(), validator(&stage, n));
        stage.tell(&cloud, &to, Gossip::CloudHead(two.clone())).assert_refused(Clause::HeadNotOlder);
        assert_eq!(stage.actor(&to).wake(), None);
    }
    let doctor = stage.town.cast.doctor.clone();
    stage.submit(&doctor, sample("Patient-example"), &[]);

    // The mutant of CLD-04 lets it wait; what it would propose is checked like the proposal of another.
    let mut stage = Stage::new(RULES.without(Clause::HeadNotOlder));
    stage.close(vec![anchor_of(&one)]);
    let third = validator(&stage, 3);
    stage.tell(&third, &third, Gossip::CloudHead(two)).assert_taken();
    let before = stage.actor(&third).state();
    assert!(wake(&mut stage, 3).outputs().next().is_none());
    assert_eq!(stage.actor(&third).state(), before);
    let certificate = decision(&mut stage, 0);
    let proposal = proposal(&stage, 2, vec![Entry::Decision(certificate)], |_| ());
    let second = validator(&stage, 2);
    stage.tell(&second, &third, Gossip::Proposal(proposal)).assert_taken();
}

/// Validator 1 ends, and another process starts from what it kept.
fn restart(stage: &mut Stage, archive: &StoreHandle) {
    let first = validator(stage, 1);
    let (genesis, validators) = (stage.town.genesis.clone(), stage.town.validators.clone());
    let now = stage.now();
    let ledger = archive.read(|store| recover_ledger(&RULES, store, genesis, &validators, now)).unwrap();
    let mut office = stage.new_office(&first);
    office.rules = stage.rules();
    office.ledger_view.ledger = ledger;
    let (cloud, bsd) = (stage.town.cloud.clone(), stage.town.bsd.clone());
    let validator = Validator::resume(office, cloud, bsd, archive.clone()).unwrap();
    stage.town.world.add(Node::Validator(Box::new(validator)));
    let bsd = stage.town.cast.bsd.clone();
    stage.forget_office(&bsd);
}

#[test]
fn a_validator_that_restarts_signs_no_other_header() {
    refused_by(Clause::OneCloseByValidator, |stage| {
        let archive = StoreHandle::new(MemoryStore::new());
        restart(stage, &archive);
        stage.close(Vec::new());
        let (one, other) = (decision(stage, 0), decision(stage, 1));
        let signed = proposal(stage, 2, vec![Entry::Decision(one)], |_| ());
        proposed(stage, signed.clone()).assert_taken();
        let closing = proposed(stage, signed.clone());
        restart(stage, &archive);
        // It is at the height where it was, and gives the same signature to the same header.
        let again = proposed(stage, signed);
        assert_eq!(only(&again.step), only(&closing.step));
        let rival = proposal(stage, 2, vec![Entry::Decision(other)], |_| ());
        proposed(stage, rival)
    });
}

#[test]
fn a_validator_that_restarts_proposes_what_it_signed() {
    let mut stage = Stage::new(RULES);
    let archive = StoreHandle::new(MemoryStore::new());
    restart(&mut stage, &archive);
    let certificate = decision(&mut stage, 0);
    let signed = proposal(&stage, 2, vec![Entry::Decision(certificate)], |_| ());
    proposed(&mut stage, signed.clone()).assert_taken();
    restart(&mut stage, &archive);
    let shown = (0..5).find_map(|_| wake(&mut stage, 1).outputs().next().cloned());
    let Some(Output::Publish(Gossip::Proposal(own))) = shown else { panic!("{shown:?}") };
    assert_eq!((own.header, own.entries), (signed.header, signed.entries));
}

#[test]
fn a_validator_that_restarts_repeats_its_votes() {
    refused_by(Clause::OneBlockPerTid, |stage| {
        let archive = StoreHandle::new(MemoryStore::new());
        restart(stage, &archive);
        let cast = stage.town.cast.clone();
        let initial = stage.initial(&cast.doctor, sample("Patient-example"), &[]);
        let block = stage.block(&initial);
        let ask = |stage: &mut Stage, block: &bemr::wire::TBlock| {
            stage.say(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(block.clone())))
        };
        let vote = ask(stage, &block);
        restart(stage, &archive);
        let again = ask(stage, &block);
        again.assert_taken();
        assert_eq!(again.answers, vote.answers);
        let other = stage.block_with(&initial, |_| (), |body| body.issued = body.issued.after(1));
        ask(stage, &other)
    });
}

#[test]
fn what_a_block_leaves_waits_for_the_next() {
    let mut stage = Stage::new(RULES);
    let (bsd, third) = (stage.town.cast.bsd.clone(), validator(&stage, 3));
    let (first, second) = (decision(&mut stage, 0), decision(&mut stage, 1));
    for certificate in [&first, &second] {
        let heard = stage.tell(&bsd, &third, Gossip::Decision(certificate.clone()));
        heard.assert_taken();
        assert!(!heard.unchanged, "that it waits can be observed");
    }
    stage.close(vec![Entry::Decision(first)]);
    assert_eq!(stage.town.validator(&third).unwrap().consensus().decisions, 1);
    assert!(stage.actor(&third).wake().is_some());
    stage.close(vec![Entry::Decision(second)]);
    assert_eq!(stage.actor(&third).wake(), None);
}

#[test]
fn a_block_in_force_shows_in_the_state_of_everybody() {
    let mut stage = Stage::new(RULES);
    let everybody: Vec<Name> = stage.town.world.nodes().map(|(name, _)| name.clone()).collect();
    let before: Vec<_> = everybody.iter().map(|who| stage.actor(who).state()).collect();
    stage.close(Vec::new());
    for (who, before) in everybody.iter().zip(before) {
        assert_ne!(stage.actor(who).state(), before, "{who}");
    }
}

#[test]
fn who_lacks_blocks_gets_as_many_as_one_request_brings() {
    let mut stage = Stage::new(RULES);
    (0..constants::BLOCKS_SENT + 6).for_each(|_| drop(stage.close(Vec::new())));
    let heard = tell(&mut stage, Gossip::BlocksFrom(Height(2)));
    let heights = heard.step.outputs().map(|output| match output {
        Output::SendGossip { gossip: Gossip::Block(block), .. } => block.header().height.0,
        other => panic!("{other:?}"),
    });
    assert!(heights.eq(2..2 + constants::BLOCKS_SENT));
}

#[test]
fn one_peer_is_asked_for_the_same_blocks_once_in_two_seconds() {
    let mut stage = Stage::new(RULES);
    let (now, replica, peer) = (stage.now(), &mut stage.replica, name("somebody"));
    let refusal = Refusal::new(Clause::BlockLinksPrevious);
    let asked =
        [0, 1_999, 2_000, 2_001].map(|later| replica.missing(now.after(later), &refusal, &peer).len());
    assert_eq!(asked, [1, 0, 1, 0]);
}

#[test]
fn what_waits_for_a_block_is_bounded_and_so_is_the_block() {
    let mut stage = Stage::new(RULES);
    let sample = decision(&mut stage, 0).body;
    let signers: Vec<_> = (1..=3).map(|n| (validator(&stage, n), stage.key(&validator(&stage, n)))).collect();
    let certificate = |n: usize| {
        let body = VoteBody { tid: Digest::of(Domain::TRANSACTION_ID, &n.to_be_bytes()), ..sample.clone() };
        let message = encode(&body);
        let sign = |(who, key): &(Name, SigningKey)| Signatory {
            validator: who.clone(),
            signature: key.sign(&RULES, Domain::VOTE, &message),
        };
        let signatories = signers.iter().map(sign).collect();
        Gossip::Decision(QuorumCertificate { body, signatories })
    };
    let (from, second) = (name("somebody"), validator(&stage, 2));
    let now = stage.now();
    let hears = |stage: &mut Stage, gossip| {
        stage.actor(&second).handle(now, Input::Gossip { from: from.clone(), gossip }).outcome
    };
    let head = cloud_head(&stage, 1, 0);
    hears(&mut stage, Gossip::CloudHead(head)).unwrap();
    for n in 0..constants::DECISIONS_PENDING {
        hears(&mut stage, certificate(n)).unwrap();
    }
    let refusal = hears(&mut stage, certificate(constants::DECISIONS_PENDING)).unwrap_err();
    assert_eq!(refusal.clause(), Clause::SizeWithinBound);
    let step = wake(&mut stage, 2);
    let Gossip::Proposal(proposal) = only(&step) else { panic!("{step:?}") };
    assert_eq!(proposal.entries.as_slice().len(), constants::BLOCK_ENTRIES);
}
