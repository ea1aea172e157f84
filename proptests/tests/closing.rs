//! How validators close blocks: the protocol step by step, what a validator signs and what it refuses, and that nobody
//! makes it sign two headers of one height or brings the ledger to a standstill.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::testbed::{RULES, Reply, Testbed, name, refused, refused_by, sample, stray_digest};
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
fn decision(bed: &mut Testbed, n: usize) -> QuorumCertificate {
    let doctor = bed.network.keys.roster.doctor.clone();
    let record = [sample("Patient-example"), " ".repeat(n).as_bytes()].concat();
    let initial = bed.initial(&doctor, &record, &[]);
    let block = bed.block(&initial);
    bed.certificate(&block, Ballot::True, 0)
}

fn validator(bed: &Testbed, n: usize) -> Name {
    bed.network.keys.roster.validators[n - 1].clone()
}

/// Validator `n` comes to the instant that it asked for.
fn wake(bed: &mut Testbed, n: usize) -> Step {
    let who = validator(bed, n);
    let wake = bed.actor(&who).wake().expect("it waits for something");
    bed.later += wake.0.saturating_sub(bed.now().0);
    let now = bed.now();
    bed.actor(&who).handle(now, Input::Wake)
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
    bed: &Testbed,
    n: usize,
    entries: Vec<Entry>,
    change: impl FnOnce(&mut BlockHeader),
) -> BlockProposal {
    let who = validator(bed, n);
    let honest = bed.replica.ledger.propose(entries.clone(), bed.now(), who.clone());
    let mut header = honest.header().clone();
    change(&mut header);
    let signatory = Proposal::new(header.clone(), entries.clone()).sign(&RULES, &who, &bed.key(&who));
    BlockProposal { header, entries: entries.into(), signatory }
}

/// Validator 1 hears a proposal from validator 2.
fn proposed(bed: &mut Testbed, proposal: BlockProposal) -> Reply {
    let (from, to) = (validator(bed, 2), validator(bed, 1));
    bed.send_gossip(&from, &to, Gossip::Proposal(proposal))
}

fn tell(bed: &mut Testbed, gossip: Gossip) -> Reply {
    let (from, to) = (validator(bed, 2), validator(bed, 1));
    bed.send_gossip(&from, &to, gossip)
}

#[test]
fn a_block_is_closed_step_by_step() {
    let mut bed = Testbed::new(RULES, 4);
    let certificate = decision(&mut bed, 0);
    for n in 1..=4 {
        let (from, to) = (bed.network.keys.roster.bsd.clone(), validator(&bed, n));
        bed.send_gossip(&from, &to, Gossip::Decision(certificate.clone())).assert_accepted();
    }
    // Height 1 is the second validator's.
    assert!(wake(&mut bed, 1).outputs().next().is_none());
    let step = wake(&mut bed, 2);
    let Gossip::Proposal(proposal) = only(&step).clone() else { panic!("{step:?}") };
    assert_eq!(proposal.entries.as_slice(), [Entry::Decision(certificate.clone())]);
    let second = validator(&bed, 2);
    let mut closings = Vec::new();
    for n in [1, 3, 4] {
        let to = validator(&bed, n);
        let heard = bed.send_gossip(&second, &to, Gossip::Proposal(proposal.clone()));
        heard.assert_accepted();
        let Gossip::Closing(closing) = only(&heard.step).clone() else { panic!("{:?}", heard.step) };
        // The same proposal again gets the same signature.
        let again = bed.send_gossip(&second, &to, Gossip::Proposal(proposal.clone()));
        assert!(again.unchanged && *only(&again.step) == Gossip::Closing(closing.clone()));
        closings.push((to, closing));
    }
    // Two of four are not more than two thirds, three are.
    let (from, closing) = closings[0].clone();
    let heard = bed.send_gossip(&from, &second, Gossip::Closing(closing));
    heard.assert_accepted();
    assert!(heard.step.outputs().next().is_none());
    let (from, closing) = closings[1].clone();
    let heard = bed.send_gossip(&from, &second, Gossip::Closing(closing));
    let Gossip::Block(block) = only(&heard.step).clone() else { panic!("{:?}", heard.step) };
    assert_eq!(block.closed.signatories.as_slice().len(), 3);
    for n in [1, 3, 4] {
        let to = validator(&bed, n);
        bed.send_gossip(&second, &to, Gossip::Block(block.clone())).assert_accepted();
        let ledger = &bed.network.validator(&to).unwrap().ledger_view().ledger;
        assert!(ledger.decision(&certificate.body.tid).is_some());
    }
    // The last signature comes when there is nothing to close any more; the block comes again.
    let (from, closing) = closings[2].clone();
    bed.send_gossip(&from, &second, Gossip::Closing(closing)).assert_refused(Clause::EventFitsState);
    let again = bed.send_gossip(&second, &from, Gossip::Block(block));
    again.assert_refused(Clause::HeaviestChainWins);
    assert_eq!(bed.actor(&second).wake(), None);
}

#[test]
fn a_proposer_whom_nobody_heard_proposes_the_same_again() {
    let mut bed = Testbed::new(RULES, 4);
    let certificate = decision(&mut bed, 0);
    let (bsd, second) = (bed.network.keys.roster.bsd.clone(), validator(&bed, 2));
    bed.send_gossip(&bsd, &second, Gossip::Decision(certificate)).assert_accepted();
    let first = only(&wake(&mut bed, 2)).clone();
    let before = bed.actor(&second).state();
    // Its next turn is the fifth: four validators take turns.
    for _ in 0..3 {
        assert!(wake(&mut bed, 2).outputs().next().is_none());
    }
    assert_eq!(*only(&wake(&mut bed, 2)), first);
    assert_eq!(bed.actor(&second).state(), before);
}

#[test]
fn a_validator_that_signed_proposes_what_it_signed() {
    let mut bed = Testbed::new(RULES, 4);
    let (seen, unseen) = (decision(&mut bed, 0), decision(&mut bed, 1));
    let third = validator(&bed, 3);
    let proposal = proposal(&bed, 2, vec![Entry::Decision(seen)], |_| ());
    let second = validator(&bed, 2);
    bed.send_gossip(&second, &third, Gossip::Proposal(proposal.clone())).assert_accepted();
    let bsd = bed.network.keys.roster.bsd.clone();
    bed.send_gossip(&bsd, &third, Gossip::Decision(unseen)).assert_accepted();
    wake(&mut bed, 3);
    let step = wake(&mut bed, 3);
    let Gossip::Proposal(own) = only(&step) else { panic!("{step:?}") };
    assert_eq!((&own.header, &own.entries), (&proposal.header, &proposal.entries));
    assert_eq!(own.signatory.validator, third);
}

#[test]
fn entries_that_come_later_under_a_signed_header_are_not_taken() {
    let mut bed = Testbed::new(RULES, 4);
    let (decided, other) = (decision(&mut bed, 0), decision(&mut bed, 1));
    let genuine = proposal(&bed, 2, vec![Entry::Decision(decided.clone())], |_| ());
    proposed(&mut bed, genuine.clone()).assert_accepted();
    // Nobody's key is needed: the signature is over the header alone.
    let spoiled = BlockProposal { entries: vec![Entry::Decision(other)].into(), ..genuine.clone() };
    proposed(&mut bed, spoiled).assert_accepted();
    let held = loop {
        let step = wake(&mut bed, 1);
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
    let mut bed = Testbed::of(NetworkConfig::new(Suite::Tiny, 1));
    let certificate = decision(&mut bed, 0);
    let (bsd, first) = (bed.network.keys.roster.bsd.clone(), validator(&bed, 1));
    bed.send_gossip(&bsd, &first, Gossip::Decision(certificate)).assert_accepted();
    let step = wake(&mut bed, 1);
    let names: Vec<&str> = step
        .outputs()
        .map(|output| match output {
            Output::Publish(gossip) => gossip.name(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["Proposal", "Block"]);

    let mut bed = Testbed::of(NetworkConfig::new(Suite::Tiny, 2));
    let certificate = decision(&mut bed, 0);
    let proposal = proposal(&bed, 2, vec![Entry::Decision(certificate)], |_| ());
    let heard = proposed(&mut bed, proposal);
    heard.assert_accepted();
    assert!(heard.step.outputs().any(|output| matches!(output, Output::Publish(Gossip::Block(_)))));
}

#[test]
fn a_validator_signs_one_header_of_a_height() {
    let two = |bed: &mut Testbed| {
        let (first, second) = (decision(bed, 0), decision(bed, 1));
        let first = proposal(bed, 2, vec![Entry::Decision(first)], |_| ());
        proposed(bed, first.clone()).assert_accepted();
        let second = proposal(bed, 2, vec![Entry::Decision(second)], |_| ());
        let heard = proposed(bed, second);
        if heard.step.outcome.is_err() {
            // Who asks is shown what was signed, by this validator too.
            let Gossip::Proposal(shown) = only(&heard.step) else { panic!("{:?}", heard.step) };
            assert_eq!((&shown.header, &shown.signatory.validator), (&first.header, &validator(bed, 1)));
        }
        heard
    };
    refused_by(Clause::OneCloseByValidator, two);
    // Its own turn does not change that: a signature given is given.
    refused_by(Clause::OneCloseByValidator, |bed| {
        let (own, other) = (decision(bed, 0), decision(bed, 1));
        let (bsd, second) = (bed.network.keys.roster.bsd.clone(), validator(bed, 2));
        bed.send_gossip(&bsd, &second, Gossip::Decision(own)).assert_accepted();
        wake(bed, 2);
        let rival = proposal(bed, 3, vec![Entry::Decision(other)], |_| ());
        let third = validator(bed, 3);
        bed.send_gossip(&third, &second, Gossip::Proposal(rival))
    });
}

#[test]
fn a_closed_height_is_closed() {
    // The block in force is final: a header of a lower height does not get as far as LED-15.
    refused(Clause::FinalBlockStands, |bed| {
        let other = decision(bed, 0);
        let rival = proposal(bed, 2, vec![Entry::Decision(other)], |_| ());
        bed.close(Vec::new());
        proposed(bed, rival)
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
    let one = |bed: &mut Testbed, change: fn(&mut BlockHeader)| {
        let certificate = decision(bed, 0);
        let proposal = proposal(bed, 2, vec![Entry::Decision(certificate)], change);
        proposed(bed, proposal)
    };
    refused_by(Clause::ProtocolVersionIsOne, |bed| one(bed, |header| header.version = 2));
    refused_by(Clause::BlockLinksPrevious, |bed| one(bed, |header| header.previous = stray_digest()));
    refused_by(Clause::BlockLinksPrevious, |bed| one(bed, |header| header.network = name("pbn-2")));
    refused_by(Clause::HeightAdvancesByOne, |bed| one(bed, |header| header.height = Height(2)));
    refused_by(Clause::BlockTimeAdvances, |bed| one(bed, |header| header.time = Time(1)));
    refused_by(Clause::BlockTimeAdvances, |bed| {
        one(bed, |header| header.time = header.time.after(7_200_001))
    });
    refused_by(Clause::MerkleRootMatches, |bed| one(bed, |header| header.root = stray_digest()));
    refused_by(Clause::MerkleRootMatches, |bed| one(bed, |header| header.count = 2));
    refused_by(Clause::BlockHasQuorum, |bed| {
        one(bed, |header| header.closing = Closing::Quorum(stray_digest()))
    });
}

#[test]
fn a_proposal_without_a_validators_signature_is_refused() {
    refused(Clause::VoterIsAdmitted, |bed| {
        let mut proposal = proposal(bed, 2, Vec::new(), |_| ());
        proposal.signatory.validator = name("validator-9");
        proposed(bed, proposal)
    });
    refused_by(Clause::VoteSigned, |bed| {
        let mut proposal = proposal(bed, 2, Vec::new(), |_| ());
        proposal.signatory.validator = validator(bed, 3);
        proposed(bed, proposal)
    });
}

#[test]
fn entries_of_a_proposal_are_checked() {
    refused_by(Clause::TidDecidedOnce, |bed| {
        let certificate = decision(bed, 0);
        bed.close(vec![Entry::Decision(certificate.clone())]);
        let proposal = proposal(bed, 2, vec![Entry::Decision(certificate)], |_| ());
        proposed(bed, proposal)
    });
    refused_by(Clause::EntryHasQuorum, |bed| {
        let mut certificate = decision(bed, 0);
        certificate.signatories = certificate.signatories.as_slice()[..2].to_vec().into();
        let proposal = proposal(bed, 2, vec![Entry::Decision(certificate)], |_| ());
        proposed(bed, proposal)
    });
    refused_by(Clause::AnchorAdvances, |bed| {
        let anchor = |size| {
            let keeper = bed.network.keys.roster.cloud.clone();
            Entry::Anchor(Anchor { kind: LogKind::Cloud, keeper, size, head: stray_digest() })
        };
        let (old, new) = (anchor(1), anchor(2));
        bed.close(vec![new]);
        let proposal = proposal(bed, 2, vec![old], |_| ());
        proposed(bed, proposal)
    });
}

#[test]
fn a_validator_that_missed_a_block_asks_for_it() {
    let mut bed = Testbed::new(RULES, 4);
    let first = validator(&bed, 1);
    let now = bed.now();
    let mut blocks = Vec::new();
    for _ in 0..3 {
        // Nobody tells validator 1.
        let validators = bed.network.keys.roster.validators.clone();
        let proposal = bed.replica.ledger.propose(Vec::new(), now, validators[1].clone());
        let signatories = validators.iter().map(|who| proposal.sign(&RULES, who, &bed.key(who))).collect();
        let block = proposal.close(signatories);
        bed.replica.on_block(&RULES, now, block.clone()).unwrap();
        let second = validator(&bed, 2);
        bed.send_gossip(&first, &second, Gossip::Block(block.clone())).assert_accepted();
        blocks.push(block);
    }
    let heard = tell(&mut bed, Gossip::Block(blocks[2].clone()));
    heard.assert_refused(Clause::BlockLinksPrevious);
    assert_eq!(*only(&heard.step), Gossip::BlocksFrom(Height(1)));
    let second = validator(&bed, 2);
    let heard = bed.send_gossip(&first, &second, Gossip::BlocksFrom(Height(1)));
    let told: Vec<Gossip> = heard
        .step
        .outputs()
        .map(|output| match output {
            Output::SendGossip { to, gossip } if *to == first => gossip.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, blocks.into_iter().map(Gossip::Block).collect::<Vec<_>>());
    told.into_iter().for_each(|gossip| tell(&mut bed, gossip).assert_accepted());
}

#[test]
fn a_block_without_a_quorum_is_refused() {
    refused_by(Clause::BlockHasQuorum, |bed| {
        let (first, second) = (validator(bed, 1), validator(bed, 2));
        let proposal = bed.replica.ledger.propose(Vec::new(), bed.now(), second.clone());
        let two = [&first, &second].map(|who| proposal.sign(&RULES, who, &bed.key(who)));
        tell(bed, Gossip::Block(proposal.close(two.to_vec())))
    });
}

/// Validator 1 has signed a proposal, and hears a signature for it, changed before it is heard.
fn closing(bed: &mut Testbed, change: impl FnOnce(&Testbed, &mut ClosingSignature)) -> Reply {
    let certificate = decision(bed, 0);
    let proposal = proposal(bed, 2, vec![Entry::Decision(certificate)], |_| ());
    proposed(bed, proposal.clone()).assert_accepted();
    let third = validator(bed, 3);
    let header = proposal.header.digest();
    let signature = bed.sign(&third, Domain::BLOCK_CLOSE, header.as_bytes());
    let signatory = Signatory { validator: third, signature };
    let mut closing = ClosingSignature { height: proposal.header.height, header, signatory };
    change(bed, &mut closing);
    tell(bed, Gossip::Closing(closing))
}

#[test]
fn a_closing_signature_is_a_validators_for_what_was_signed() {
    closing(&mut Testbed::new(RULES, 4), |_, _| ()).assert_accepted();
    refused(Clause::VoterIsAdmitted, |bed| {
        closing(bed, |_, closing| closing.signatory.validator = name("validator-9"))
    });
    refused_by(Clause::VoteSigned, |bed| {
        closing(bed, |bed, closing| {
            let doctor = bed.network.keys.roster.doctor.clone();
            closing.signatory.signature = bed.sign(&doctor, Domain::BLOCK_CLOSE, closing.header.as_bytes());
        })
    });
    // For what this validator did not sign there is nothing to add it to, whatever the rules.
    refused(Clause::EventFitsState, |bed| closing(bed, |_, closing| closing.header = stray_digest()));
    refused(Clause::EventFitsState, |bed| {
        let second = validator(bed, 2);
        let signature = bed.sign(&second, Domain::BLOCK_CLOSE, stray_digest().as_bytes());
        let signatory = Signatory { validator: second, signature };
        tell(bed, Gossip::Closing(ClosingSignature { height: Height(1), header: stray_digest(), signatory }))
    });
}

#[test]
fn a_decision_waits_once_and_with_its_quorum() {
    refused_by(Clause::TidDecidedOnce, |bed| {
        let certificate = decision(bed, 0);
        tell(bed, Gossip::Decision(certificate.clone())).assert_accepted();
        tell(bed, Gossip::Decision(certificate))
    });
    refused_by(Clause::TidDecidedOnce, |bed| {
        let certificate = decision(bed, 0);
        bed.close(vec![Entry::Decision(certificate.clone())]);
        tell(bed, Gossip::Decision(certificate))
    });
    refused_by(Clause::EntryHasQuorum, |bed| {
        let mut certificate = decision(bed, 0);
        certificate.body.ballot = Ballot::False;
        tell(bed, Gossip::Decision(certificate))
    });
}

/// Heads of a log of the cloud with so many leaves, signed this much later.
fn cloud_head(bed: &Testbed, size: u64, later: u64) -> SignedCloudHead {
    let (network, cloud) = (bed.network.keys.genesis.network.clone(), bed.network.keys.roster.cloud.clone());
    let mut log = CloudLog::new(Suite::Tiny, network, cloud.clone(), Frontier::default());
    for _ in 0..size {
        log.append(LeafKind::Record, stray_digest(), stray_digest(), Time(size));
    }
    log.sign(&RULES, &bed.key(&cloud), bed.now().after(later))
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
    refused_by(Clause::HeadSignedByCloud, |bed| {
        let mut head = cloud_head(bed, 2, 0);
        head.head.size = 3;
        tell(bed, Gossip::CloudHead(head))
    });
    refused_by(Clause::HeadNotOlder, |bed| {
        let head = cloud_head(bed, 2, 0);
        tell(bed, Gossip::CloudHead(head)).assert_accepted();
        let head = cloud_head(bed, 1, 0);
        tell(bed, Gossip::CloudHead(head))
    });
    let audit = |bed: &Testbed, who: &Name| {
        let bsd = bed.network.keys.roster.bsd.clone();
        AuditLog::new(Suite::Tiny, bed.network.keys.genesis.network.clone(), bsd).sign(
            &RULES,
            &bed.key(who),
            bed.now(),
        )
    };
    let mut bed = Testbed::new(RULES, 4);
    let head = audit(&bed, &bed.network.keys.roster.bsd);
    tell(&mut bed, Gossip::AuditHead(head)).assert_accepted();
    refused_by(Clause::AuditHeadSigned, |bed| {
        let head = audit(bed, &bed.network.keys.roster.cloud);
        tell(bed, Gossip::AuditHead(head))
    });
}

#[test]
fn two_heads_of_one_size_bring_the_ledger_to_no_standstill() {
    // A cloud signs its log twice. The second head cannot be anchored (LED-14); a validator that proposed it would
    // give its one signature of that height to a block that nobody takes.
    let mut bed = Testbed::new(RULES, 4);
    let (one, two) = (cloud_head(&bed, 2, 0), cloud_head(&bed, 2, 1));
    bed.close(vec![anchor_of(&one)]);
    for n in 1..=4 {
        let (cloud, to) = (bed.network.keys.roster.cloud.clone(), validator(&bed, n));
        bed.send_gossip(&cloud, &to, Gossip::CloudHead(two.clone())).assert_refused(Clause::HeadNotOlder);
        assert_eq!(bed.actor(&to).wake(), None);
    }
    let doctor = bed.network.keys.roster.doctor.clone();
    bed.commit(&doctor, sample("Patient-example"), &[]);

    // The mutant of CLD-04 lets it wait; what it would propose is checked like the proposal of another.
    let mut bed = Testbed::new(RULES.without(Clause::HeadNotOlder), 4);
    bed.close(vec![anchor_of(&one)]);
    let third = validator(&bed, 3);
    bed.send_gossip(&third, &third, Gossip::CloudHead(two)).assert_accepted();
    let before = bed.actor(&third).state();
    assert!(wake(&mut bed, 3).outputs().next().is_none());
    assert_eq!(bed.actor(&third).state(), before);
    let certificate = decision(&mut bed, 0);
    let proposal = proposal(&bed, 2, vec![Entry::Decision(certificate)], |_| ());
    let second = validator(&bed, 2);
    bed.send_gossip(&second, &third, Gossip::Proposal(proposal)).assert_accepted();
}

/// Validator 1 ends, and another process starts from what it kept.
fn restart(bed: &mut Testbed, archive: &StoreHandle) {
    let first = validator(bed, 1);
    let (genesis, validators) = (bed.network.keys.genesis.clone(), bed.network.keys.validators.clone());
    let now = bed.now();
    let ledger = archive.read(|store| recover_ledger(&RULES, store, genesis, &validators, now)).unwrap();
    let mut office = bed.new_context(&first);
    office.rules = bed.network.keys.rules;
    office.ledger_view.ledger = ledger;
    let (cloud, bsd) = (bed.network.keys.cloud.clone(), bed.network.keys.bsd.clone());
    let validator = Validator::resume(office, cloud, bsd, archive.clone()).unwrap();
    bed.network.add(Node::Validator(Box::new(validator)));
    let bsd = bed.network.keys.roster.bsd.clone();
    bed.forget_context(&bsd);
}

#[test]
fn a_validator_that_restarts_signs_no_other_header() {
    refused_by(Clause::OneCloseByValidator, |bed| {
        let archive = StoreHandle::new(MemoryStore::new());
        restart(bed, &archive);
        bed.close(Vec::new());
        let (one, other) = (decision(bed, 0), decision(bed, 1));
        let signed = proposal(bed, 2, vec![Entry::Decision(one)], |_| ());
        proposed(bed, signed.clone()).assert_accepted();
        let closing = proposed(bed, signed.clone());
        restart(bed, &archive);
        // It is at the height where it was, and gives the same signature to the same header.
        let again = proposed(bed, signed);
        assert_eq!(only(&again.step), only(&closing.step));
        let rival = proposal(bed, 2, vec![Entry::Decision(other)], |_| ());
        proposed(bed, rival)
    });
}

#[test]
fn a_validator_that_restarts_proposes_what_it_signed() {
    let mut bed = Testbed::new(RULES, 4);
    let archive = StoreHandle::new(MemoryStore::new());
    restart(&mut bed, &archive);
    let certificate = decision(&mut bed, 0);
    let signed = proposal(&bed, 2, vec![Entry::Decision(certificate)], |_| ());
    proposed(&mut bed, signed.clone()).assert_accepted();
    restart(&mut bed, &archive);
    let shown = (0..5).find_map(|_| wake(&mut bed, 1).outputs().next().cloned());
    let Some(Output::Publish(Gossip::Proposal(own))) = shown else { panic!("{shown:?}") };
    assert_eq!((own.header, own.entries), (signed.header, signed.entries));
}

#[test]
fn a_validator_that_restarts_repeats_its_votes() {
    refused_by(Clause::OneBlockPerTid, |bed| {
        let archive = StoreHandle::new(MemoryStore::new());
        restart(bed, &archive);
        let cast = bed.network.keys.roster.clone();
        let initial = bed.initial(&cast.doctor, sample("Patient-example"), &[]);
        let block = bed.block(&initial);
        let ask = |bed: &mut Testbed, block: &bemr::wire::TBlock| {
            bed.send(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(block.clone())))
        };
        let vote = ask(bed, &block);
        restart(bed, &archive);
        let again = ask(bed, &block);
        again.assert_accepted();
        assert_eq!(again.answers, vote.answers);
        let other = bed.block_with(&initial, |_| (), |body| body.issued = body.issued.after(1));
        ask(bed, &other)
    });
}

#[test]
fn a_validator_that_does_not_store_its_vote_votes_otherwise_after_a_restart() {
    for (rules, refused) in [(RULES, true), (RULES.without(Clause::StoredBeforeSent), false)] {
        let mut bed = Testbed::new(rules, 4);
        let archive = StoreHandle::new(MemoryStore::new());
        restart(&mut bed, &archive);
        let cast = bed.network.keys.roster.clone();
        let initial = bed.initial(&cast.doctor, sample("Patient-example"), &[]);
        let one = bed.block(&initial);
        let other = bed.block_with(&initial, |_| (), |body| body.issued = body.issued.after(1));
        bed.send(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(one))).assert_accepted();
        restart(&mut bed, &archive);
        let asked = bed.send(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(other)));
        match refused {
            true => asked.assert_refused(Clause::OneBlockPerTid),
            false => asked.assert_accepted(),
        }
    }
}

#[test]
fn what_a_block_leaves_waits_for_the_next() {
    let mut bed = Testbed::new(RULES, 4);
    let (bsd, third) = (bed.network.keys.roster.bsd.clone(), validator(&bed, 3));
    let (first, second) = (decision(&mut bed, 0), decision(&mut bed, 1));
    for certificate in [&first, &second] {
        let heard = bed.send_gossip(&bsd, &third, Gossip::Decision(certificate.clone()));
        heard.assert_accepted();
        assert!(!heard.unchanged, "that it waits can be observed");
    }
    bed.close(vec![Entry::Decision(first)]);
    assert_eq!(bed.network.validator(&third).unwrap().consensus().decisions, 1);
    assert!(bed.actor(&third).wake().is_some());
    bed.close(vec![Entry::Decision(second)]);
    assert_eq!(bed.actor(&third).wake(), None);
}

#[test]
fn a_block_in_force_shows_in_the_state_of_everybody() {
    let mut bed = Testbed::new(RULES, 4);
    let everybody: Vec<Name> = bed.network.nodes().map(|(name, _)| name.clone()).collect();
    let before: Vec<_> = everybody.iter().map(|who| bed.actor(who).state()).collect();
    bed.close(Vec::new());
    for (who, before) in everybody.iter().zip(before) {
        assert_ne!(bed.actor(who).state(), before, "{who}");
    }
}

#[test]
fn who_lacks_blocks_gets_as_many_as_one_request_brings() {
    let mut bed = Testbed::new(RULES, 4);
    (0..constants::BLOCKS_SENT + 6).for_each(|_| drop(bed.close(Vec::new())));
    let heard = tell(&mut bed, Gossip::BlocksFrom(Height(2)));
    let heights = heard.step.outputs().map(|output| match output {
        Output::SendGossip { gossip: Gossip::Block(block), .. } => block.header().height.0,
        other => panic!("{other:?}"),
    });
    assert!(heights.eq(2..2 + constants::BLOCKS_SENT));
}

#[test]
fn one_peer_is_asked_for_the_same_blocks_once_in_two_seconds() {
    let mut bed = Testbed::new(RULES, 4);
    let (now, replica, peer) = (bed.now(), &mut bed.replica, name("somebody"));
    let refusal = Refusal::new(Clause::BlockLinksPrevious);
    let asked =
        [0, 1_999, 2_000, 2_001].map(|later| replica.missing(now.after(later), &refusal, &peer).len());
    assert_eq!(asked, [1, 0, 1, 0]);
}

#[test]
fn what_waits_for_a_block_is_bounded_and_so_is_the_block() {
    let mut bed = Testbed::new(RULES, 4);
    let sample = decision(&mut bed, 0).body;
    let signers: Vec<_> = (1..=3).map(|n| (validator(&bed, n), bed.key(&validator(&bed, n)))).collect();
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
    let (from, second) = (name("somebody"), validator(&bed, 2));
    let now = bed.now();
    let hears = |bed: &mut Testbed, gossip| {
        bed.actor(&second).handle(now, Input::Gossip { from: from.clone(), gossip }).outcome
    };
    let head = cloud_head(&bed, 1, 0);
    hears(&mut bed, Gossip::CloudHead(head)).unwrap();
    for n in 0..constants::DECISIONS_PENDING {
        hears(&mut bed, certificate(n)).unwrap();
    }
    let refusal = hears(&mut bed, certificate(constants::DECISIONS_PENDING)).unwrap_err();
    assert_eq!(refusal.clause(), Clause::SizeWithinBound);
    let step = wake(&mut bed, 2);
    let Gossip::Proposal(proposal) = only(&step) else { panic!("{step:?}") };
    assert_eq!(proposal.entries.as_slice().len(), constants::BLOCK_ENTRIES);
}
