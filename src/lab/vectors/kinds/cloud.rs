//! Heads and leaves of the cloud's log (chapter 11).

use super::prelude::*;
use super::voters::{Arrived, Set, Voters};
use bemr::ledger::Ledger;
use bemr::merkle::MerkleTree;
use bemr::transparency::{LogClient, LogOperator, verify_anchored, verify_leaf};

data! {
    HeadInput {
        network: String, cloud: String, key: Hex,
        /// The head that the client remembers; empty for none.
        remembered: Hex,
        head: Hex, proof: Hex,
    }
    /// The head that is remembered afterwards.
    Remembered { size: u64, digest: Hex }
    LeafInput {
        /// The encoding of a `CloudHead`, already verified.
        head: Hex,
        leaf: Hex, inclusion: Hex, genesis: Hex, validators: Set, blocks: Vec<Arrived>,
        /// The head that the newest anchor names; empty when none is shown.
        anchored: Hex,
        extends: Hex,
    }
    /// The digest of the leaf.
    LeafOutput { digest: Hex }
}

/// A cloud's log whose key is at hand.
struct Log {
    key: SigningKey,
    leaves: Vec<CloudLeaf>,
}

impl Log {
    fn new(suite: Suite, kind: &str) -> Log {
        let leaf = |sequence: u64| CloudLeaf {
            sequence,
            kind: LeafKind::Record,
            tid: Digest::from_bytes([sequence as u8; 32]),
            content: Digest::from_bytes([0x40 + sequence as u8; 32]),
            time: START.after(sequence),
        };
        Log { key: SigningKey::generate(suite, &mut rng(kind)), leaves: (0..6).map(leaf).collect() }
    }

    fn tree(&self) -> MerkleTree {
        self.leaves.iter().map(CloudLeaf::digest).collect::<Vec<_>>().iter().collect()
    }

    /// A proof between two sizes; an empty one where there is none.
    fn proof(&self, first: u64, second: u64) -> ConsistencyProof {
        let proof = self.tree().prove_consistency(first, second);
        proof.unwrap_or(ConsistencyProof { path: Vec::new().into() })
    }

    fn head(&self, size: u64, time: u64) -> SignedCloudHead {
        self.signed(CloudHead {
            version: PROTOCOL_VERSION,
            suite: self.key.verifying_key().suite(),
            network: known("pbn"),
            cloud: known("cloud"),
            size,
            root: self.tree().root_at(size).unwrap_or_default(),
            time: START.after(time),
        })
    }

    fn signed(&self, head: CloudHead) -> SignedCloudHead {
        SignedCloudHead { signature: self.key.sign(&RULES, Domain::CLOUD_HEAD, &encode(&head)), head }
    }
}

/// A client takes a head of the cloud's log.
impl HeadInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Remembered, Stop> {
        let key = VerifyingKey::decode(&RULES, suite, &self.key.0)?;
        let operator = LogOperator { network: name(&self.network)?, name: name(&self.cloud)?, key };
        let mut client = match self.remembered.decode_optional()? {
            None => LogClient::new(operator),
            Some(head) => LogClient::resume(operator, head),
        };
        let head: SignedCloudHead = self.head.decode()?;
        client.observe(&RULES, &head, &self.proof.decode()?)?;
        Ok(Remembered { size: client.size(), digest: head.head.digest().as_bytes().into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::{HeadNotOlder, LogIsAppendOnly};
        let log = Log::new(suite, Self::NAME);
        let given = HeadInput {
            network: "pbn".to_owned(),
            cloud: "cloud".to_owned(),
            key: Hex(log.key.verifying_key().encode()),
            remembered: Hex::of(&log.head(3, 10)),
            head: Hex::of(&log.head(6, 20)),
            proof: Hex::of(&log.proof(3, 6)),
        };
        let mut cases = Cases::of(suite, given);
        let (path, size, time) = ("ConsistencyProof.path", "CloudHead.size", "CloudHead.time");
        type Row<'a> = (Option<Clause>, &'a str, &'a [&'a str], bool, (u64, u64), (u64, u64));
        let rows: [Row<'_>; 7] = [
            (None, "one that extends what is remembered", &[], false, (6, 20), (3, 6)),
            (None, "the first", &[], true, (6, 20), (6, 6)),
            (None, "the same size, later", &[], false, (3, 20), (3, 3)),
            (Some(LogIsAppendOnly), "the first, with a proof", &[path], true, (6, 20), (3, 6)),
            (Some(HeadNotOlder), "a smaller one", &[size], false, (2, 20), (2, 2)),
            (Some(HeadNotOlder), "an earlier one", &[time], false, (6, 9), (3, 6)),
            (Some(LogIsAppendOnly), "a proof from another size", &[path], false, (6, 20), (4, 6)),
        ];
        for (clause, comment, fields, first, (size, time), (from, to)) in rows {
            let change = |input: &mut HeadInput| {
                if first {
                    input.remembered.0.clear();
                }
                (input.head, input.proof) = (Hex::of(&log.head(size, time)), Hex::of(&log.proof(from, to)));
            };
            cases.add(clause, comment, change).about(fields);
        }
        let mut forked = Log::new(suite, Self::NAME);
        forked.leaves[1].content = Digest::default();
        let fork = (Hex::of(&forked.head(6, 20)), Hex::of(&forked.proof(3, 6)));
        cases
            .invalid(LogIsAppendOnly, "a log with another past", |input| (input.head, input.proof) = fork)
            .about(&["CloudHead.root"]);
        let repair = |message: &MutatedMessage, way: u8| {
            let head: SignedCloudHead = decode(&RULES, &message.bytes).ok()?;
            Some(if way == 0 { encode(&log.signed(head.head)) } else { encode(&head) })
        };
        let mut sweep = Sweep::new(suite, &["~"], 2);
        cases.sweep(&mut sweep, "SignedCloudHead", |input| &mut input.head, &repair);
        Ok(cases.all())
    }
}

/// A leaf under a head, and the head against the ledger.
impl LeafInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<LeafOutput, Stop> {
        let (head, leaf): (CloudHead, CloudLeaf) = (self.head.decode()?, self.leaf.decode()?);
        verify_leaf(&RULES, &head, &leaf, &self.inclusion.decode()?)?;
        let ledger = self.validators.ledger(suite, &self.genesis, &self.blocks)?;
        let extends: ConsistencyProof = self.extends.decode()?;
        let anchored: Option<CloudHead> = self.anchored.decode_optional()?;
        verify_anchored(&RULES, &ledger, &head, anchored.as_ref().map(|head| (head, &extends)))?;
        Ok(LeafOutput { digest: leaf.digest().as_bytes().into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let log = Log::new(suite, Self::NAME);
        let voters = Voters::new(suite, Self::NAME, 1);
        let genesis = voters.genesis(ClosingRule::Quorum);
        let (old, new) = (log.head(3, 10).head, log.head(6, 20).head);
        let ledger = Ledger::new(&RULES, genesis.clone())?;
        let blocks = |anchor: Anchor| {
            let block = voters.block(&ledger, vec![Entry::Anchor(anchor)], START.after(1));
            vec![Arrived { now: START.0 + 1, block: Hex::of(&block) }]
        };
        let anchor =
            Anchor { kind: LogKind::Cloud, keeper: old.cloud.clone(), size: old.size, head: old.digest() };
        let inclusion = log.tree().prove_inclusion(6, 4).ok_or(Refusal::new(Clause::LeafIsIncluded))?;
        let given = LeafInput {
            head: Hex::of(&new),
            leaf: Hex::of(&log.leaves[4]),
            inclusion: Hex::of(&inclusion),
            genesis: Hex::of(&genesis),
            validators: Set::of(&voters.set),
            blocks: blocks(anchor.clone()),
            anchored: Hex::of(&old),
            extends: Hex::of(&log.proof(3, 6)),
        };
        let anchored = Clause::HeadIsAnchored;
        let none = Hex::of(&ConsistencyProof { path: Vec::new().into() });
        let itself = |input: &mut LeafInput| {
            input.blocks = blocks(Anchor { size: 6, head: new.digest(), ..anchor.clone() });
            (input.anchored, input.extends) = (Hex::default(), none.clone());
        };
        let mut cases = Cases::of(suite, given);
        cases.valid("under a head that extends the anchored one", |_| ());
        cases.valid("under the anchored head", itself);
        cases.valid("without any anchor", |input| {
            itself(input);
            input.blocks.clear();
        });
        cases.invalid(anchored, "the anchored head is not shown", |input| input.anchored.0.clear());
        let mut sweep = Sweep::new(suite, &["~"], 1);
        type Part = fn(&mut LeafInput) -> &mut Hex;
        let parts: [(&str, Part); 5] = [
            ("CloudLeaf", |input| &mut input.leaf),
            ("InclusionProof", |input| &mut input.inclusion),
            ("ConsistencyProof", |input| &mut input.extends),
            ("CloudHead", |input| &mut input.anchored),
            ("CloudHead", |input| &mut input.head),
        ];
        for (table, place) in parts {
            cases.sweep(&mut sweep, table, place, &as_it_is);
        }
        // Another anchor, in a block that is as well closed.
        let others = [
            ("Anchor.head", Anchor { head: Digest::default(), ..anchor.clone() }),
            ("Anchor.size", Anchor { size: 4, ..anchor.clone() }),
        ];
        for (field, changed) in others {
            cases
                .invalid(anchored, format!("another {field}"), |input| input.blocks = blocks(changed))
                .about(&["Entry.anchor.anchor", field]);
        }
        let keeper = Anchor { keeper: known("~"), ..anchor.clone() };
        cases.valid("an anchor of another cloud's log", |input| input.blocks = blocks(keeper));
        Ok(cases.all())
    }
}
