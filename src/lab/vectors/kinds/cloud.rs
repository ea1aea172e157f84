//! Heads and leaves of the cloud's log (chapter 11).

use super::block::Arrived;
use super::draws::rng;
use super::keys::name;
use super::voters::{Set, Voters};
use super::{Kind, Made, RULES, SUITES, Stop, known};
use crate::forge::{MutatedMessage, Sweep, as_it_is};
use crate::simulator::START;
use crate::vectors::Hex;
use bemr::crypto::{Digest, Domain, SigningKey, Suite, VerifyingKey};
use bemr::ledger::Ledger;
use bemr::merkle::MerkleTree;
use bemr::transparency::{LogClient, LogOperator, verify_anchored, verify_leaf};
use bemr::wire::{
    Anchor, ClosingRule, CloudHead, CloudLeaf, ConsistencyProof, Entry, LeafKind, LogKind, PROTOCOL_VERSION,
    SignedCloudHead, Time, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A client takes a head of the cloud's log.
pub(in crate::vectors) enum TakeHead {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct HeadInput {
    network: String,
    cloud: String,
    key: Hex,
    /// The head that the client remembers; empty for none.
    remembered: Hex,
    head: Hex,
    proof: Hex,
}

/// The head that is remembered afterwards.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Remembered {
    size: u64,
    digest: Hex,
}

/// A cloud's log whose key is at hand.
struct Log {
    identity: LogOperator,
    key: SigningKey,
    leaves: Vec<CloudLeaf>,
}

impl Log {
    fn new(suite: Suite, kind: &str) -> Log {
        let key = SigningKey::generate(suite, &mut rng(kind));
        let identity =
            LogOperator { network: known("pbn"), name: known("cloud"), key: key.verifying_key().clone() };
        let leaf = |sequence: u64| CloudLeaf {
            sequence,
            kind: LeafKind::Record,
            tid: Digest::from_bytes([sequence as u8; 32]),
            content: Digest::from_bytes([0x40 + sequence as u8; 32]),
            time: START.after(sequence),
        };
        Log { identity, key, leaves: (0..6).map(leaf).collect() }
    }

    fn tree(&self) -> MerkleTree {
        let digests: Vec<Digest> = self.leaves.iter().map(CloudLeaf::digest).collect();
        digests.iter().collect()
    }

    fn head(&self, size: u64, time: u64) -> SignedCloudHead {
        let head = CloudHead {
            version: PROTOCOL_VERSION,
            suite: self.key.verifying_key().suite(),
            network: self.identity.network.clone(),
            cloud: self.identity.name.clone(),
            size,
            root: self.tree().root_at(size).unwrap_or_default(),
            time: START.after(time),
        };
        self.signed(head)
    }

    fn signed(&self, head: CloudHead) -> SignedCloudHead {
        SignedCloudHead { signature: self.key.sign(&RULES, Domain::CLOUD_HEAD, &encode(&head)), head }
    }
}

impl Kind for TakeHead {
    const NAME: &'static str = "cloud-head";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = HeadInput;
    type Output = Remembered;

    fn judge(suite: Suite, input: &HeadInput) -> Result<Remembered, Stop> {
        let key = VerifyingKey::decode(&RULES, suite, &input.key.0)?;
        let identity = LogOperator { network: name(&input.network)?, name: name(&input.cloud)?, key };
        let mut witness = match input.remembered.0.as_slice() {
            [] => LogClient::new(identity),
            bytes => LogClient::resume(identity, decode(&RULES, bytes)?),
        };
        let (head, proof) = (decode(&RULES, &input.head.0)?, decode(&RULES, &input.proof.0)?);
        witness.observe(&RULES, &head, &proof)?;
        Ok(Remembered { size: witness.size(), digest: head.head.digest().as_bytes().into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<HeadInput>>, Refusal> {
        use Clause::{HeadNotOlder, LogIsAppendOnly};
        let log = Log::new(suite, Self::NAME);
        let proof = |first: u64, second: u64| {
            let proof = log.tree().prove_consistency(first, second);
            encode(&proof.unwrap_or(ConsistencyProof { path: Vec::new().into() }))
        };
        let (old, new) = (log.head(3, 10), log.head(6, 20));
        let given = HeadInput {
            network: "pbn".to_owned(),
            cloud: "cloud".to_owned(),
            key: Hex(log.identity.key.encode()),
            remembered: Hex(encode(&old)),
            head: Hex(encode(&new)),
            proof: Hex(proof(3, 6)),
        };
        let with = |head: &SignedCloudHead, proof: Vec<u8>| HeadInput {
            head: Hex(encode(head)),
            proof: Hex(proof),
            ..given.clone()
        };
        let first = |proof: Vec<u8>| HeadInput { remembered: Hex::default(), ..with(&new, proof) };
        let mut made = vec![
            Made::valid("one that extends what is remembered", given.clone()),
            Made::valid("the first", first(proof(6, 6))),
            Made::valid("the same size, later", with(&log.head(3, 20), proof(3, 3))),
            Made::invalid(LogIsAppendOnly, "the first, with a proof", first(proof(3, 6)))
                .of("ConsistencyProof.path"),
            Made::invalid(HeadNotOlder, "a smaller one", with(&log.head(2, 20), proof(2, 2)))
                .of("CloudHead.size"),
            Made::invalid(HeadNotOlder, "an earlier one", with(&log.head(6, 9), proof(3, 6)))
                .of("CloudHead.time"),
            Made::invalid(LogIsAppendOnly, "a proof from another size", with(&new, proof(4, 6)))
                .of("ConsistencyProof.path"),
        ];
        let mut forked = Log::new(suite, Self::NAME);
        forked.leaves[1].content = Digest::default();
        let fork = forked.tree().prove_consistency(3, 6).map(|proof| encode(&proof)).unwrap_or_default();
        made.push(
            Made::invalid(LogIsAppendOnly, "a log with another past", with(&forked.head(6, 20), fork))
                .of("CloudHead.root"),
        );
        let mut sweep = Sweep::new(suite, &["~"], 2);
        let mend = |near: &MutatedMessage, way: u8| {
            let head: SignedCloudHead = decode(&RULES, &near.bytes).ok()?;
            Some(if way == 0 { encode(&log.signed(head.head)) } else { encode(&head) })
        };
        let with = |head: &[u8]| HeadInput { head: head.into(), ..given.clone() };
        made.extend(Self::swept(suite, &mut sweep, "SignedCloudHead", &encode(&new), mend, with));
        Ok(made)
    }
}

/// A leaf under a head, and the head against the ledger.
pub(in crate::vectors) enum CheckLeaf {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct LeafInput {
    /// The encoding of a `CloudHead`, already verified.
    head: Hex,
    leaf: Hex,
    inclusion: Hex,
    genesis: Hex,
    validators: Set,
    blocks: Vec<Arrived>,
    /// The head that the newest anchor names; empty when none is shown.
    anchored: Hex,
    extends: Hex,
}

/// The digest of the leaf.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct LeafOutput {
    digest: Hex,
}

impl Kind for CheckLeaf {
    const NAME: &'static str = "cloud-leaf";
    const SUITES: &'static [&'static str] = &["ristretto255", "tiny"];
    type Input = LeafInput;
    type Output = LeafOutput;

    fn judge(suite: Suite, input: &LeafInput) -> Result<LeafOutput, Stop> {
        let head: CloudHead = decode(&RULES, &input.head.0)?;
        let leaf: CloudLeaf = decode(&RULES, &input.leaf.0)?;
        verify_leaf(&RULES, &head, &leaf, &decode(&RULES, &input.inclusion.0)?)?;
        let validators = input.validators.set(suite)?;
        let mut ledger = Ledger::new(&RULES, decode(&RULES, &input.genesis.0)?)?;
        for Arrived { now, block } in &input.blocks {
            ledger.append(&RULES, &validators, Time(*now), decode(&RULES, &block.0)?)?;
        }
        let extends: ConsistencyProof = decode(&RULES, &input.extends.0)?;
        let anchored: Option<CloudHead> = match input.anchored.0.as_slice() {
            [] => None,
            bytes => Some(decode(&RULES, bytes)?),
        };
        verify_anchored(&RULES, &ledger, &head, anchored.as_ref().map(|head| (head, &extends)))?;
        Ok(LeafOutput { digest: leaf.digest().as_bytes().into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<LeafInput>>, Refusal> {
        let log = Log::new(suite, Self::NAME);
        let voters = Voters::new(suite, Self::NAME, 1);
        let genesis = voters.genesis(ClosingRule::Quorum);
        let (old, new) = (log.head(3, 10).head, log.head(6, 20).head);
        let block_of = |anchor: Anchor| -> Result<Arrived, Refusal> {
            let ledger = Ledger::new(&RULES, genesis.clone())?;
            let block = voters.block(&ledger, vec![Entry::Anchor(anchor)], START.after(1));
            Ok(Arrived { now: START.0 + 1, block: Hex(encode(&block)) })
        };
        let anchor =
            Anchor { kind: LogKind::Cloud, keeper: old.cloud.clone(), size: old.size, head: old.digest() };
        let tree = log.tree();
        let lost = || Refusal::new(Clause::LeafIsIncluded);
        let inclusion = tree.prove_inclusion(6, 4).ok_or_else(lost)?;
        let extends = tree.prove_consistency(3, 6).ok_or_else(lost)?;
        let given = LeafInput {
            head: Hex(encode(&new)),
            leaf: Hex(encode(&log.leaves[4])),
            inclusion: Hex(encode(&inclusion)),
            genesis: Hex(encode(&genesis)),
            validators: Set::of(&voters.set),
            blocks: vec![block_of(anchor.clone())?],
            anchored: Hex(encode(&old)),
            extends: Hex(encode(&extends)),
        };
        let none = ConsistencyProof { path: Vec::new().into() };
        let itself = LeafInput {
            blocks: vec![block_of(Anchor { size: 6, head: new.digest(), ..anchor.clone() })?],
            anchored: Hex::default(),
            extends: Hex(encode(&none)),
            ..given.clone()
        };
        let bare = LeafInput { blocks: Vec::new(), ..itself.clone() };
        let hidden = LeafInput { anchored: Hex::default(), ..given.clone() };
        let anchored = Clause::HeadIsAnchored;
        let mut made = vec![
            Made::valid("under a head that extends the anchored one", given.clone()),
            Made::valid("under the anchored head", itself),
            Made::valid("without any anchor", bare),
            Made::invalid(anchored, "the anchored head is not shown", hidden),
        ];
        let mut sweep = Sweep::new(suite, &["~"], 1);
        type Put = fn(&mut LeafInput, &[u8]);
        let parts: [(&str, &Hex, Put); 5] = [
            ("CloudLeaf", &given.leaf, |input, bytes| input.leaf = bytes.into()),
            ("InclusionProof", &given.inclusion, |input, bytes| input.inclusion = bytes.into()),
            ("ConsistencyProof", &given.extends, |input, bytes| input.extends = bytes.into()),
            ("CloudHead", &given.anchored, |input, bytes| input.anchored = bytes.into()),
            ("CloudHead", &given.head, |input, bytes| input.head = bytes.into()),
        ];
        for (table, genuine, put) in parts {
            let with = |bytes: &[u8]| {
                let mut input = given.clone();
                put(&mut input, bytes);
                input
            };
            made.extend(Self::swept(suite, &mut sweep, table, &genuine.0, as_it_is, with));
        }
        // Another anchor, in a block that is as well closed.
        let others: [(&str, Anchor); 3] = [
            ("Anchor.head", Anchor { head: Digest::default(), ..anchor.clone() }),
            ("Anchor.size", Anchor { size: 4, ..anchor.clone() }),
            ("Anchor.keeper", Anchor { keeper: known("~"), ..anchor.clone() }),
        ];
        for (field, changed) in others {
            let keeper = field == "Anchor.keeper";
            let input = LeafInput { blocks: vec![block_of(changed)?], ..given.clone() };
            made.push(match keeper {
                true => Made::valid("an anchor of another cloud's log", input),
                false => Made::invalid(anchored, format!("another {field}"), input)
                    .of("Entry.anchor.anchor")
                    .of(field),
            });
        }
        Ok(made)
    }
}
