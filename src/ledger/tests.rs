use super::*;
use crate::crypto::{Digest, Domain, SigningKey, Suite};
use crate::votes::ValidatorSet;
use crate::wire::{
    Anchor, Ballot, Block, Closing, ClosingRule, Entry, Genesis, Height, LogKind, Name, PROTOCOL_VERSION,
    QuorumCertificate, Signatory, Target, Time, VoteBody, WorkRule, decode, encode,
};
use bemr_spec::{Clause, Refusal, Rules, Verdict, constants};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

const RULES: Rules = Rules::hardened();
const NOW: Time = Time(1 << 40);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A network of validators whose keys the test holds.
pub(crate) struct Network {
    pub(crate) suite: Suite,
    pub(crate) keys: BTreeMap<Name, SigningKey>,
    pub(crate) validators: ValidatorSet,
}

impl Network {
    pub(crate) fn new(suite: Suite, size: usize, seed: u64) -> Network {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let keys: BTreeMap<Name, SigningKey> =
            (0..size).map(|i| (name(&format!("v{i:02}")), SigningKey::generate(suite, &mut rng))).collect();
        let members = keys.iter().map(|(name, key)| (name.clone(), key.verifying_key().clone())).collect();
        Network { suite, keys, validators: ValidatorSet::new(name("net"), members) }
    }

    pub(crate) fn genesis(&self, rule: ClosingRule) -> Genesis {
        Genesis {
            version: PROTOCOL_VERSION,
            network: name("net"),
            validators: self.validators.digest(),
            start: Time(1000),
            rule,
        }
    }

    pub(crate) fn ledger(&self, rule: ClosingRule) -> Ledger {
        Ledger::new(&RULES, self.genesis(rule)).unwrap()
    }

    pub(crate) fn sign(&self, count: usize, tag: Domain, message: &[u8]) -> Vec<Signatory> {
        let signers = self.keys.iter().take(count);
        signers
            .map(|(name, key)| Signatory {
                validator: name.clone(),
                signature: key.sign(&RULES, tag, message),
            })
            .collect()
    }

    pub(crate) fn certificate(&self, tid: Digest, ballot: Ballot) -> QuorumCertificate {
        let reason = u16::from(ballot == Ballot::False);
        let body = VoteBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            network: name("net"),
            validators: self.validators.digest(),
            tid,
            block: Digest::of(Domain::T_BLOCK, tid.as_bytes()),
            policy: Digest::of(Domain::POLICY_SET, b"p"),
            height: Height(1),
            ballot,
            reason,
        };
        let signatories = self.sign(self.validators.quorum(), Domain::VOTE, &encode(&body)).into();
        QuorumCertificate { body, signatories }
    }

    pub(crate) fn decision(&self, n: u64, ballot: Ballot) -> Entry {
        Entry::Decision(self.certificate(tid(n), ballot))
    }

    pub(crate) fn close(&self, proposal: Proposal) -> Block {
        let signatories =
            self.sign(self.validators.quorum(), Domain::BLOCK_CLOSE, proposal.digest().as_bytes());
        proposal.close(signatories)
    }

    /// A block on the tip, closed in the way of the ledger.
    pub(crate) fn next(&self, ledger: &Ledger, entries: Vec<Entry>, time: Time) -> Block {
        let mut proposal = ledger.propose(entries, time, name("v00"));
        match ledger.genesis().rule {
            ClosingRule::Quorum => self.close(proposal),
            ClosingRule::Work(_) => {
                assert!(proposal.mine(1 << 20), "the test targets are easy");
                proposal.close(Vec::new())
            }
        }
    }

    pub(crate) fn extend(&self, ledger: &mut Ledger, entries: Vec<Entry>) -> Block {
        let time = Time(1000 + (ledger.height().0 + 1) * 1000);
        let block = self.next(ledger, entries, time);
        ledger.append(&RULES, &self.validators, NOW, block.clone()).unwrap();
        block
    }

    fn offer(&self, rules: &Rules, ledger: &Ledger, block: &Block) -> Result<ChainUpdate, Refusal> {
        ledger.clone().append(rules, &self.validators, NOW, block.clone())
    }

    /// The hardened rules refuse by `clause`, its mutant does not, and the refusal changes nothing.
    fn shows(&self, clause: Clause, ledger: &Ledger, block: &Block) {
        let mut tried = ledger.clone();
        let refusal = tried.append(&RULES, &self.validators, NOW, block.clone()).unwrap_err();
        assert_eq!(refusal.clause(), clause, "{refusal}");
        assert_eq!(
            (tried.tip(), tried.height(), tried.forks()),
            (ledger.tip(), ledger.height(), ledger.forks())
        );
        let mutant = RULES.without(clause);
        assert!(
            self.offer(&mutant, ledger, block).is_ok(),
            "{clause}: {:?}",
            self.offer(&mutant, ledger, block)
        );
    }
}

pub(crate) fn tid(n: u64) -> Digest {
    Digest::of(Domain::TRANSACTION_ID, &n.to_be_bytes())
}

pub(crate) fn anchor(kind: LogKind, keeper: &str, size: u64, head: Digest) -> Entry {
    Entry::Anchor(Anchor { kind, keeper: name(keeper), size, head })
}

pub(crate) fn work(confirmations: u32) -> ClosingRule {
    let mut easiest = [255; 32];
    easiest[0] = 15;
    ClosingRule::Work(WorkRule { easiest: Target(easiest), interval: 1000, window: 4, confirmations })
}

fn network() -> Network {
    Network::new(Suite::Ristretto255, 4, 1)
}

#[test]
fn a_quorum_block_is_final_at_once_and_its_decisions_are_found_and_proven() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let block = net.extend(&mut ledger, vec![net.decision(1, Ballot::True), net.decision(2, Ballot::False)]);
    assert_eq!((ledger.height(), ledger.final_height()), (Height(1), Height(1)));
    ledger.require_final(&RULES, &block.header().digest()).unwrap();
    let decision = ledger.decision(&tid(2)).unwrap();
    assert_eq!((decision.index, decision.certificate.body.ballot), (1, Ballot::False));
    let proof = ledger.prove_entry(Height(1), 1).unwrap();
    let entry = block.entries.as_slice()[1].clone();
    verify_close(&RULES, &net.validators, &block.closed).unwrap();
    verify_entry(&RULES, block.header(), &entry, &proof).unwrap();
    assert!(ledger.decision(&tid(3)).is_none());
    assert_eq!(decode::<Block>(&RULES, &encode(&block)).unwrap(), block);
}

#[test]
fn an_entry_that_is_not_in_the_block_is_not_proven() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let block = net.extend(&mut ledger, vec![net.decision(1, Ballot::True), net.decision(2, Ballot::True)]);
    let proof = ledger.prove_entry(Height(1), 0).unwrap();
    let other = net.decision(3, Ballot::True);
    let refusal = verify_entry(&RULES, block.header(), &other, &proof).unwrap_err();
    assert_eq!(refusal.clause(), Clause::EntryInclusionProven);
    verify_entry(&RULES.without(Clause::EntryInclusionProven), block.header(), &other, &proof).unwrap();
}

#[test]
fn a_block_names_network_and_previous() {
    let net = network();
    for rule in [ClosingRule::Quorum, work(2)] {
        let mut ledger = net.ledger(rule);
        net.extend(&mut ledger, vec![]);
        let mut stray = ledger.propose(vec![], Time(9000), name("v00"));
        stray.header.previous = tid(7);
        stray.mine(1 << 20);
        let signed = matches!(ledger.genesis().rule, ClosingRule::Quorum);
        let block = if signed { net.close(stray.clone()) } else { stray.clone().close(vec![]) };
        net.shows(Clause::BlockLinksPrevious, &ledger, &block);
        stray.header.previous = ledger.tip();
        stray.header.network = name("other");
        stray.mine(1 << 20);
        let block = if signed { net.close(stray) } else { stray.close(vec![]) };
        net.shows(Clause::BlockLinksPrevious, &ledger, &block);
    }
}

#[test]
fn heights_advance_by_one() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    net.extend(&mut ledger, vec![]);
    for height in [0, 1, 3, u64::MAX] {
        let mut proposal = ledger.propose(vec![], Time(9000), name("v00"));
        proposal.header.height = Height(height);
        net.shows(Clause::HeightAdvancesByOne, &ledger, &net.close(proposal));
    }
}

#[test]
fn root_and_count_are_those_of_the_entries() {
    let net = network();
    let ledger = net.ledger(ClosingRule::Quorum);
    let mut wrong_root = ledger.propose(vec![net.decision(1, Ballot::True)], Time(9000), name("v00"));
    let mut wrong_count = wrong_root.clone();
    wrong_root.header.root = tid(1);
    wrong_count.header.count = 2;
    let mut swapped = net.next(&ledger, vec![net.decision(1, Ballot::True)], Time(9000));
    swapped.entries = vec![net.decision(2, Ballot::True)].into();
    for block in [net.close(wrong_root), net.close(wrong_count), swapped] {
        net.shows(Clause::MerkleRootMatches, &ledger, &block);
    }
}

#[test]
fn a_quorum_block_has_the_signatures_of_more_than_two_thirds_of_its_validators() {
    let net = network();
    let ledger = net.ledger(ClosingRule::Quorum);
    let proposal = ledger.propose(vec![], Time(9000), name("v00"));
    let digest = proposal.digest();
    let few = proposal.clone().close(net.sign(2, Domain::BLOCK_CLOSE, digest.as_bytes()));
    let other_tag = proposal.clone().close(net.sign(3, Domain::VOTE, digest.as_bytes()));
    let mut twice = net.sign(3, Domain::BLOCK_CLOSE, digest.as_bytes());
    twice[2] = twice[1].clone();
    let twice = proposal.clone().close(twice);
    let strangers = Network::new(Suite::Ristretto255, 4, 2);
    let foreign = proposal.clone().close(strangers.sign(3, Domain::BLOCK_CLOSE, digest.as_bytes()));
    let mut other_set = proposal;
    other_set.header.closing = Closing::Quorum(strangers.validators.digest());
    for block in [few, other_tag, twice, foreign, net.close(other_set)] {
        net.shows(Clause::BlockHasQuorum, &ledger, &block);
    }
    let by_work = net.next(&net.ledger(work(1)), vec![], Time(9000));
    let mut relinked = Proposal::new(by_work.header().clone(), vec![]);
    relinked.header.previous = ledger.tip();
    relinked.mine(1 << 20);
    net.shows(Clause::BlockHasQuorum, &ledger, &relinked.close(vec![]));
}

#[test]
fn a_mined_block_meets_its_target_and_carries_no_signatures() {
    let net = network();
    let ledger = net.ledger(work(1));
    let mut proposal = ledger.propose(vec![], Time(9000), name("v00"));
    loop {
        let Closing::Work(work) = &mut proposal.header.closing else { panic!("mined") };
        let target = work.target;
        if !target.is_met_by(&proposal.digest()) {
            break;
        }
        let Closing::Work(work) = &mut proposal.header.closing else { panic!("mined") };
        work.nonce += 1;
    }
    net.shows(Clause::WorkMeetsTarget, &ledger, &proposal.clone().close(vec![]));
    assert!(proposal.mine(1 << 20));
    let digest = proposal.digest();
    let signed = proposal.clone().close(net.sign(1, Domain::BLOCK_CLOSE, digest.as_bytes()));
    net.shows(Clause::WorkMeetsTarget, &ledger, &signed);
    proposal.header.closing = Closing::Quorum(net.validators.digest());
    net.shows(Clause::WorkMeetsTarget, &ledger, &net.close(proposal));
}

#[test]
fn mining_is_deterministic_starts_at_zero_and_keeps_to_its_budget() {
    let net = network();
    let ledger = net.ledger(work(1));
    let fresh = ledger.propose(vec![], Time(9000), name("v00"));
    let nonce = |proposal: &Proposal| match &proposal.header.closing {
        Closing::Work(work) => work.nonce,
        Closing::Quorum(_) => panic!("mined"),
    };
    let mut whole = fresh.clone();
    assert!(whole.mine(u64::MAX));
    let mut steps = fresh.clone();
    let mut tried = 0;
    while !steps.mine(1) {
        tried += 1;
        assert_eq!(nonce(&steps), tried);
    }
    assert_eq!(steps, whole);
    let mut none = fresh.clone();
    assert!(!none.mine(0));
    assert_eq!(none, fresh);
}

#[test]
fn the_target_is_the_scheduled_one() {
    let net = network();
    let mut ledger = net.ledger(work(1));
    for _ in 0..4 {
        net.extend(&mut ledger, vec![]);
    }
    let mut easy = ledger.propose(vec![], Time(9000), name("v00"));
    let Closing::Work(work) = &mut easy.header.closing else { panic!("mined") };
    work.target = Target([255; 32]);
    assert!(easy.mine(1 << 10));
    net.shows(Clause::TargetIsScheduled, &ledger, &easy.close(vec![]));
}

#[test]
fn the_schedule_answers_fast_blocks_with_a_harder_target() {
    let net = network();
    let mut ledger = net.ledger(work(1));
    let mut targets = Vec::new();
    for i in 1..=9 {
        let block = net.next(&ledger, vec![], Time(1000 + i * 500));
        let Closing::Work(work) = &block.header().closing else { panic!("mined") };
        targets.push(work.target);
        ledger.append(&RULES, &net.validators, NOW, block).unwrap();
    }
    assert!(targets[..4].iter().all(|target| *target == targets[0]));
    assert!(targets[4..8].iter().all(|target| *target == targets[4]));
    assert!(targets[4] < targets[0] && targets[8] < targets[4]);
}

#[test]
fn a_schedule_with_a_zero_is_refused() {
    let net = network();
    let rule = WorkRule { easiest: Target([0; 32]), interval: 1, window: 1, confirmations: 1 };
    let refusal = Ledger::new(&RULES, net.genesis(ClosingRule::Work(rule))).unwrap_err();
    assert_eq!(refusal.clause(), Clause::TargetIsScheduled);
}

#[test]
fn block_times_advance_and_do_not_run_ahead_of_the_clock() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    net.extend(&mut ledger, vec![]);
    for time in [0, 1000, 2000, NOW.0 + constants::BLOCK_AHEAD_MS + 1] {
        let mut proposal = ledger.propose(vec![], Time(9000), name("v00"));
        proposal.header.time = Time(time);
        net.shows(Clause::BlockTimeAdvances, &ledger, &net.close(proposal));
    }
    let latest = net.next(&ledger, vec![], Time(NOW.0 + constants::BLOCK_AHEAD_MS));
    net.offer(&RULES, &ledger, &latest).unwrap();
}

#[test]
fn a_transaction_is_decided_once() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let twice =
        net.next(&ledger, vec![net.decision(1, Ballot::True), net.decision(1, Ballot::False)], Time(9000));
    net.shows(Clause::TidDecidedOnce, &ledger, &twice);
    net.extend(&mut ledger, vec![net.decision(1, Ballot::True)]);
    for ballot in [Ballot::True, Ballot::False] {
        let again =
            net.next(&ledger, vec![net.decision(2, Ballot::True), net.decision(1, ballot)], Time(9000));
        net.shows(Clause::TidDecidedOnce, &ledger, &again);
    }
}

#[test]
fn every_decision_in_a_block_has_its_quorum() {
    let net = network();
    let ledger = net.ledger(ClosingRule::Quorum);
    let mut few = net.certificate(tid(1), Ballot::True);
    few.signatories = few.signatories.as_slice()[..2].to_vec().into();
    let mut turned = net.certificate(tid(1), Ballot::False);
    turned.body.ballot = Ballot::True;
    let mut elsewhere = net.certificate(tid(1), Ballot::True);
    elsewhere.body.network = name("other");
    for wrong in [few, turned, elsewhere] {
        let block =
            net.next(&ledger, vec![net.decision(2, Ballot::True), Entry::Decision(wrong)], Time(9000));
        net.shows(Clause::EntryHasQuorum, &ledger, &block);
        let refusal = net.offer(&RULES, &ledger, &block).unwrap_err();
        assert!(refusal.place().unwrap().starts_with("entry 1"));
    }
}

#[test]
fn a_certificate_that_the_caller_verified_is_not_verified_again_but_a_changed_one_is() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let mut unsigned = net.certificate(tid(1), Ballot::True);
    unsigned.signatories = Vec::new().into();
    assert_eq!(unsigned.entry_digest(), Entry::Decision(unsigned.clone()).digest());
    ledger.note_verified(&unsigned);
    let block = net.next(&ledger, vec![Entry::Decision(unsigned.clone())], Time(9000));
    net.offer(&RULES, &ledger, &block).unwrap();
    unsigned.body.ballot = Ballot::False;
    let block = net.next(&ledger, vec![Entry::Decision(unsigned)], Time(9000));
    assert_eq!(net.offer(&RULES, &ledger, &block).unwrap_err().clause(), Clause::EntryHasQuorum);
}

#[test]
fn anchors_of_a_log_grow() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    net.extend(&mut ledger, vec![anchor(LogKind::Cloud, "cloud", 5, tid(1))]);
    assert_eq!(ledger.final_anchor(LogKind::Cloud, &name("cloud")).unwrap().1.size, 5);
    for size in [4, 5] {
        let block = net.next(&ledger, vec![anchor(LogKind::Cloud, "cloud", size, tid(2))], Time(9000));
        net.shows(Clause::AnchorAdvances, &ledger, &block);
    }
    let pair = [6, 6].map(|size| anchor(LogKind::Cloud, "cloud", size, tid(size)));
    net.shows(Clause::AnchorAdvances, &ledger, &net.next(&ledger, pair.to_vec(), Time(9000)));
    let others = vec![
        anchor(LogKind::Cloud, "cloud", 6, tid(2)),
        anchor(LogKind::Audit, "cloud", 1, tid(2)),
        anchor(LogKind::Cloud, "other", 1, tid(2)),
    ];
    net.extend(&mut ledger, others);
}

#[test]
fn no_block_replaces_one_that_a_quorum_closed_and_its_double_signers_are_known() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let before = ledger.clone();
    let first = net.extend(&mut ledger, vec![net.decision(1, Ballot::True)]);
    let rival = net.next(&before, vec![net.decision(1, Ballot::False)], Time(5000));
    net.shows(Clause::FinalBlockStands, &ledger, &rival);
    let liars = double_signers(&RULES, &net.validators, &first.closed, &rival.closed);
    assert_eq!(liars.len(), net.validators.quorum());
    assert!(double_signers(&RULES, &net.validators, &first.closed, &first.closed).is_empty());
    let second = net.next(&ledger, vec![], Time(6000));
    assert!(double_signers(&RULES, &net.validators, &first.closed, &second.closed).is_empty());
}

#[test]
fn a_validator_closes_one_block_of_a_height() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let (validator, key) = net.keys.first_key_value().unwrap();
    let mut closer = SignerLock::new(validator.clone());
    let first = ledger.propose(vec![], Time(5000), name("v00"));
    let rival = ledger.propose(vec![], Time(5001), name("v00"));
    closer.sign(&RULES, key, &first).unwrap();
    closer.sign(&RULES, key, &first).unwrap();
    let refusal = closer.sign(&RULES, key, &rival).unwrap_err();
    assert_eq!(refusal.clause(), Clause::OneCloseByValidator);
    let (height, digest) = closer.last().unwrap();
    let mut resumed = SignerLock::resume(validator.clone(), height, digest);
    assert!(resumed.sign(&RULES, key, &rival).is_err());
    assert!(resumed.clone().sign(&RULES.without(Clause::OneCloseByValidator), key, &rival).is_ok());
    ledger.append(&RULES, &net.validators, NOW, net.close(first)).unwrap();
    resumed.sign(&RULES, key, &ledger.propose(vec![], Time(6000), name("v00"))).unwrap();
}

#[test]
fn a_proposal_is_checked_like_a_block_before_it_is_signed() {
    let net = network();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let mut proposal = ledger.propose(vec![net.decision(1, Ballot::True)], Time(5000), name("v00"));
    ledger.check_proposal(&RULES, &net.validators, NOW, &proposal).unwrap();
    proposal.header.root = tid(9);
    let refusal = ledger.check_proposal(&RULES, &net.validators, NOW, &proposal).unwrap_err();
    assert_eq!(refusal.clause(), Clause::MerkleRootMatches);
}

#[test]
fn a_block_that_is_held_already_is_ignored() {
    let net = network();
    for rule in [ClosingRule::Quorum, work(5)] {
        let mut ledger = net.ledger(rule);
        let block = net.extend(&mut ledger, vec![]);
        let refusal = net.offer(&RULES, &ledger, &block).unwrap_err();
        assert_eq!((refusal.clause(), refusal.verdict()), (Clause::HeaviestChainWins, Verdict::Ignore));
    }
}

#[test]
fn versions_and_sizes_are_checked_first() {
    let net = network();
    let ledger = net.ledger(ClosingRule::Quorum);
    let mut proposal = ledger.propose(vec![], Time(9000), name("v00"));
    proposal.header.version = 2;
    net.shows(Clause::ProtocolVersionIsOne, &ledger, &net.close(proposal));
    let many =
        (0..=constants::BLOCK_ENTRIES as u64).map(|i| anchor(LogKind::Cloud, "cloud", i, tid(1))).collect();
    net.shows(Clause::SizeWithinBound, &ledger, &net.next(&ledger, many, Time(9000)));
}

/// Blocks of a private chain on `base`, each with the given entries.
fn fork(net: &Network, base: &Ledger, blocks: Vec<Vec<Entry>>) -> Vec<Block> {
    let mut private = base.clone();
    let mut made = Vec::new();
    for entries in blocks {
        let time = Time(private.blocks().last().map_or(1000, |block| block.header().time.0) + 1001);
        let block = net.next(&private, entries, time);
        private.append(&RULES, &net.validators, NOW, block.clone()).unwrap();
        made.push(block);
    }
    made
}

#[test]
fn under_proof_of_work_a_longer_private_chain_takes_back_a_decision_that_is_not_final() {
    let net = network();
    let mut ledger = net.ledger(work(3));
    net.extend(&mut ledger, vec![]);
    let base = ledger.clone();
    let public = net.extend(&mut ledger, vec![net.decision(1, Ballot::True)]);
    net.extend(&mut ledger, vec![]);
    let private = fork(&net, &base, vec![vec![net.decision(1, Ballot::False)], vec![], vec![]]);
    let digest = public.header().digest();
    assert_eq!(ledger.require_final(&RULES, &digest).unwrap_err().clause(), Clause::ConfirmationsReached);
    ledger.require_final(&RULES.without(Clause::ConfirmationsReached), &digest).unwrap();
    let mut changes = Vec::new();
    for block in private {
        changes.push(ledger.append(&RULES, &net.validators, NOW, block).unwrap());
    }
    assert_eq!(changes[..2], [ChainUpdate::Kept, ChainUpdate::Kept]);
    let ChainUpdate::Reorganised { removed, added } = &changes[2] else { panic!("{changes:?}") };
    assert_eq!((removed.len(), *added, &removed[1]), (2, 3, &public));
    assert_eq!(ledger.decision(&tid(1)).unwrap().certificate.body.ballot, Ballot::False);
    assert_eq!((ledger.height(), ledger.forks()), (Height(4), 2));
    // The losing branch wins again when it grows.
    let mut loser = base;
    for block in removed.iter().rev() {
        loser.append(&RULES, &net.validators, NOW, block.clone()).unwrap();
    }
    for block in fork(&net, &loser, vec![vec![], vec![]]) {
        ledger.append(&RULES, &net.validators, NOW, block).unwrap();
    }
    assert_eq!(ledger.decision(&tid(1)).unwrap().certificate.body.ballot, Ballot::True);
}

#[test]
fn under_proof_of_work_no_chain_takes_back_a_final_block() {
    let net = network();
    let mut ledger = net.ledger(work(2));
    let base = ledger.clone();
    let public = net.extend(&mut ledger, vec![net.decision(1, Ballot::True)]);
    net.extend(&mut ledger, vec![]);
    net.extend(&mut ledger, vec![]);
    ledger.require_final(&RULES, &public.header().digest()).unwrap();
    let private = fork(&net, &base, vec![vec![net.decision(1, Ballot::False)], vec![], vec![], vec![]]);
    net.shows(Clause::FinalBlockStands, &ledger, &private[0]);
    let mutant = RULES.without(Clause::FinalBlockStands);
    let mut fooled = ledger.clone();
    for block in private {
        fooled.append(&mutant, &net.validators, NOW, block).unwrap();
    }
    assert_eq!(fooled.decision(&tid(1)).unwrap().certificate.body.ballot, Ballot::False);
}

#[test]
fn a_chain_of_equal_work_does_not_replace_the_first_one_held() {
    let net = network();
    let mut ledger = net.ledger(work(3));
    let base = ledger.clone();
    let first = net.extend(&mut ledger, vec![net.decision(1, Ballot::True)]);
    let equal = fork(&net, &base, vec![vec![net.decision(1, Ballot::False)]]).remove(0);
    assert_eq!(net.offer(&RULES, &ledger, &equal).unwrap(), ChainUpdate::Kept);
    let mutant = RULES.without(Clause::HeaviestChainWins);
    assert_eq!(
        net.offer(&mutant, &ledger, &equal).unwrap(),
        ChainUpdate::Reorganised { removed: vec![first], added: 1 }
    );
}

#[test]
fn most_work_wins_even_when_it_is_the_shorter_chain() {
    let net = network();
    let mut ledger = net.ledger(work(9));
    for _ in 0..3 {
        let block = net.next(&ledger, vec![], Time(0));
        ledger.append(&RULES, &net.validators, NOW, block).unwrap();
    }
    let base = ledger;
    // The window ends at once: the next targets are a quarter, each block worth four.
    let mut hard = base.clone();
    let mut fast = Vec::new();
    for _ in 0..2 {
        let block = net.next(&hard, vec![], Time(0));
        hard.append(&RULES, &net.validators, NOW, block.clone()).unwrap();
        fast.push(block);
    }
    // The window takes long: the targets stay the easiest.
    let mut easy = base.clone();
    for i in 0..3 {
        let block = net.next(&easy, vec![], Time(100_000 + i * 50_000));
        easy.append(&RULES, &net.validators, NOW, block).unwrap();
    }
    assert!(easy.height() > hard.height());
    for block in fast {
        easy.append(&RULES, &net.validators, NOW, block).unwrap();
    }
    assert_eq!(easy.tip(), hard.tip());
}

#[test]
fn a_side_branch_obeys_the_clauses_of_its_own_chain_and_is_forgotten_when_it_cannot_win() {
    let net = network();
    let mut ledger = net.ledger(work(2));
    let base = ledger.clone();
    net.extend(&mut ledger, vec![net.decision(1, Ballot::True), anchor(LogKind::Cloud, "cloud", 9, tid(1))]);
    // What the trunk decided and anchored is not decided and anchored on the branch.
    let entries = || vec![net.decision(1, Ballot::True), anchor(LogKind::Cloud, "cloud", 3, tid(1))];
    let side = fork(&net, &base, vec![entries()]).remove(0);
    assert_eq!(ledger.append(&RULES, &net.validators, NOW, side.clone()).unwrap(), ChainUpdate::Kept);
    // What the branch decided and anchored is.
    let mut branch = base.clone();
    branch.append(&RULES, &net.validators, NOW, side.clone()).unwrap();
    let again = net.next(&branch, vec![net.decision(1, Ballot::True)], Time(5000));
    net.shows(Clause::TidDecidedOnce, &ledger, &again);
    let back = net.next(&branch, vec![anchor(LogKind::Cloud, "cloud", 3, tid(2))], Time(5000));
    net.shows(Clause::AnchorAdvances, &ledger, &back);
    net.extend(&mut ledger, vec![]);
    assert_eq!(ledger.forks(), 1);
    net.extend(&mut ledger, vec![]);
    assert_eq!(ledger.forks(), 0);
    let orphan = net.next(&branch, vec![], Time(9000));
    assert_eq!(net.offer(&RULES, &ledger, &orphan).unwrap_err().clause(), Clause::BlockLinksPrevious);
}

#[test]
fn a_schedule_with_a_zero_in_it_is_refused() {
    let zeros: [fn(&mut WorkRule); 4] = [
        |rule| rule.easiest = Target([0; 32]),
        |rule| rule.interval = 0,
        |rule| rule.window = 0,
        |rule| rule.confirmations = 0,
    ];
    let net = Network::new(Suite::Ristretto255, 4, 71);
    for zero in zeros {
        let ClosingRule::Work(mut rule) = work(2) else { panic!("a rule of work") };
        zero(&mut rule);
        let refusal = Ledger::new(&RULES, net.genesis(ClosingRule::Work(rule))).unwrap_err();
        assert_eq!((refusal.clause(), refusal.place()), (Clause::TargetIsScheduled, Some("genesis.rule")));
    }
}

#[test]
fn an_anchor_of_a_branch_advances_its_own_log_and_no_other() {
    let net = Network::new(Suite::Ristretto255, 4, 72);
    let mut ledger = net.ledger(work(4));
    let mut other = ledger.clone();
    (0..2).for_each(|_| drop(net.extend(&mut ledger, vec![])));
    let others = vec![anchor(LogKind::Audit, "x", 50, tid(1)), anchor(LogKind::Cloud, "y", 60, tid(2))];
    let first = net.extend(&mut other, others);
    let second = net.extend(&mut other, vec![anchor(LogKind::Cloud, "x", 2, tid(3))]);
    for block in [first, second] {
        assert_eq!(ledger.append(&RULES, &net.validators, NOW, block).unwrap(), ChainUpdate::Kept);
    }
}

#[test]
fn a_decision_of_another_network_is_none_here() {
    let net = Network::new(Suite::Ristretto255, 4, 73);
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let mut certificate = net.certificate(tid(1), Ballot::True);
    ledger.clone().verify_decision(&RULES, &net.validators, &certificate).unwrap();
    certificate.body.network = name("net2");
    certificate.signatories = net.sign(3, Domain::VOTE, &encode(&certificate.body)).into();
    let refusal = ledger.verify_decision(&RULES, &net.validators, &certificate).unwrap_err();
    assert_eq!((refusal.clause(), refusal.place()), (Clause::EntryHasQuorum, Some("network")));
}
