use super::*;
use crate::crypto::{Digest, Domain, SigningKey, Suite};
use crate::ledger::tests::{Network, anchor, name, tid, work};
use crate::merkle::{Frontier, MerkleTree};
use crate::wire::{
    ClosingRule, CloudLeaf, ConsistencyProof, LeafKind, LogKind, SignedCloudHead, Time, decode, encode,
};
use bemr_spec::{Clause, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const RULES: Rules = Rules::hardened();

/// A cloud whose key the test holds, with its whole tree.
pub(crate) struct Cloud {
    pub(crate) key: SigningKey,
    pub(crate) identity: LogOperator,
    pub(crate) log: CloudLog,
    pub(crate) tree: MerkleTree,
    pub(crate) leaves: Vec<CloudLeaf>,
}

impl Cloud {
    pub(crate) fn new(suite: Suite) -> Cloud {
        let key = SigningKey::generate(suite, &mut ChaCha20Rng::seed_from_u64(77));
        let identity =
            LogOperator { network: name("net"), name: name("cloud"), key: key.verifying_key().clone() };
        let log = CloudLog::new(suite, name("net"), name("cloud"), Frontier::default());
        Cloud { key, identity, log, tree: MerkleTree::default(), leaves: Vec::new() }
    }

    pub(crate) fn append(&mut self, kind: LeafKind, tid: Digest) -> Appended {
        let content = Digest::of(Domain::T_VALID, tid.as_bytes());
        let appended = self.log.append(kind, tid, content, Time(self.log.size()));
        self.tree.append(&appended.leaf.digest());
        self.leaves.push(appended.leaf.clone());
        appended
    }

    pub(crate) fn grow(&mut self, to: u64) -> SignedCloudHead {
        while self.log.size() < to {
            self.append(LeafKind::Record, tid(self.log.size()));
        }
        self.head(to)
    }

    pub(crate) fn head(&self, time: u64) -> SignedCloudHead {
        self.log.sign(&RULES, &self.key, Time(time))
    }

    fn proof(&self, first: u64, second: u64) -> ConsistencyProof {
        self.tree.prove_consistency(first, second).unwrap()
    }
}

fn cloud() -> Cloud {
    Cloud::new(Suite::Ristretto255)
}

fn empty() -> ConsistencyProof {
    ConsistencyProof { path: Vec::new().into() }
}

#[test]
fn a_witness_follows_a_log_that_grows() {
    let mut cloud = cloud();
    let mut witness = LogClient::new(cloud.identity.clone());
    let mut size = 0;
    for to in [0, 1, 1, 5, 8, 21] {
        let head = cloud.grow(to);
        witness.observe(&RULES, &head, &cloud.proof(size, to)).unwrap();
        size = to;
    }
    assert_eq!(witness.size(), 21);
    let head = cloud.head(99);
    assert_eq!(decode::<SignedCloudHead>(&RULES, &encode(&head)).unwrap(), head);
}

#[test]
fn a_head_is_signed_by_its_cloud_and_names_it() {
    let mut cloud = cloud();
    let head = cloud.grow(3);
    let other_key = SigningKey::generate(Suite::Ristretto255, &mut ChaCha20Rng::seed_from_u64(5));
    let mut grown = head.clone();
    grown.head.size = 4;
    let forged = cloud.log.sign(&RULES, &other_key, Time(3));
    let other_log = CloudLog::new(Suite::Ristretto255, name("net"), name("other"), Frontier::default());
    let renamed = other_log.sign(&RULES, &cloud.key, Time(3));
    for wrong in [grown, forged, renamed] {
        let refusal = verify_head(&RULES, &cloud.identity, &wrong).unwrap_err();
        assert_eq!(refusal.clause(), Clause::HeadSignedByCloud);
        verify_head(&RULES.without(Clause::HeadSignedByCloud), &cloud.identity, &wrong).unwrap();
        assert!(LogClient::new(cloud.identity.clone()).observe(&RULES, &wrong, &empty()).is_err());
    }
}

#[test]
fn a_leaf_is_proven_at_its_own_index() {
    let mut cloud = cloud();
    let head = cloud.grow(9).head;
    let leaf = cloud.leaves[4].clone();
    let proof = cloud.tree.prove_inclusion(9, 4).unwrap();
    verify_leaf(&RULES, &head, &leaf, &proof).unwrap();
    let mut other = leaf.clone();
    other.kind = LeafKind::Erase;
    let mut moved = leaf;
    moved.sequence = 5;
    for wrong in [other, moved] {
        let refusal = verify_leaf(&RULES, &head, &wrong, &proof).unwrap_err();
        assert_eq!(refusal.clause(), Clause::LeafIsIncluded);
        verify_leaf(&RULES.without(Clause::LeafIsIncluded), &head, &wrong, &proof).unwrap();
    }
}

#[test]
fn a_rolled_back_head_is_refused() {
    let mut cloud = cloud();
    let old = cloud.grow(4);
    let earlier = cloud.grow(9);
    let new = cloud.head(50);
    let mut witness = LogClient::new(cloud.identity.clone());
    witness.observe(&RULES, &new, &empty()).unwrap();
    for (wrong, proof) in [(old, cloud.proof(4, 9)), (earlier, empty())] {
        let refusal = witness.observe(&RULES, &wrong, &proof).unwrap_err();
        assert_eq!(refusal.clause(), Clause::HeadNotOlder);
        assert_eq!(witness.newest(), Some(&new));
        witness.clone().observe(&RULES.without(Clause::HeadNotOlder), &wrong, &proof).unwrap();
    }
}

#[test]
fn a_forked_log_is_refused_and_two_heads_of_one_size_are_evidence() {
    let mut cloud = cloud();
    let mut witness = LogClient::new(cloud.identity.clone());
    let seen = cloud.grow(4);
    witness.observe(&RULES, &seen, &empty()).unwrap();
    let mut forked = Cloud::new(Suite::Ristretto255);
    forked.append(LeafKind::Record, tid(1000));
    let same_size = forked.grow(4);
    let longer = forked.grow(7);
    for (wrong, proof) in [(&same_size, empty()), (&longer, forked.proof(4, 7)), (&longer, empty())] {
        let refusal = witness.observe(&RULES, wrong, &proof).unwrap_err();
        assert_eq!(refusal.clause(), Clause::LogIsAppendOnly);
        witness.clone().observe(&RULES.without(Clause::LogIsAppendOnly), wrong, &proof).unwrap();
    }
    let conflict = witness.conflict(&RULES, &same_size).unwrap();
    assert_eq!((conflict.first, conflict.second), (seen.clone(), same_size));
    assert_eq!(witness.conflict(&RULES, &longer), None);
    assert_eq!(witness.conflict(&RULES, &seen), None);
}

#[test]
fn a_head_extends_the_one_that_a_final_block_anchors() {
    let net = Network::new(Suite::Ristretto255, 4, 1);
    let mut cloud = cloud();
    let mut ledger = net.ledger(ClosingRule::Quorum);
    let fresh = cloud.grow(2).head;
    verify_anchored(&RULES, &ledger, &fresh, None).unwrap();
    let anchored = cloud.grow(5).head;
    net.extend(&mut ledger, vec![anchor(LogKind::Cloud, "cloud", 5, anchored.digest())]);
    verify_anchored(&RULES, &ledger, &anchored, None).unwrap();
    let newer = cloud.grow(8).head;
    let proof = cloud.proof(5, 8);
    verify_anchored(&RULES, &ledger, &newer, Some((&anchored, &proof))).unwrap();
    let mut forked = Cloud::new(Suite::Ristretto255);
    forked.append(LeafKind::Record, tid(1000));
    let stray = forked.grow(8).head;
    let same_size = forked.head(1).head;
    let cases = [
        (&newer, None),
        (&fresh, Some((&anchored, &proof))),
        (&stray, Some((&anchored, &proof))),
        (&newer, Some((&same_size, &proof))),
    ];
    for (head, old) in cases {
        let refusal = verify_anchored(&RULES, &ledger, head, old).unwrap_err();
        assert_eq!(refusal.clause(), Clause::HeadIsAnchored);
        verify_anchored(&RULES.without(Clause::HeadIsAnchored), &ledger, head, old).unwrap();
    }
}

#[test]
fn an_anchor_counts_when_its_block_is_final() {
    let net = Network::new(Suite::Ristretto255, 4, 1);
    let mut cloud = cloud();
    let mut ledger = net.ledger(work(2));
    let anchored = cloud.grow(5).head;
    let newer = cloud.grow(8).head;
    net.extend(&mut ledger, vec![anchor(LogKind::Cloud, "cloud", 5, anchored.digest())]);
    net.extend(&mut ledger, vec![]);
    verify_anchored(&RULES, &ledger, &newer, None).unwrap();
    net.extend(&mut ledger, vec![]);
    assert!(verify_anchored(&RULES, &ledger, &newer, None).is_err());
}
