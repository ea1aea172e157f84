//! What anybody can check: quorum certificates, Merkle trees, blocks, the cloud's log (chapters 9 to 11).

use super::keys::{name, refused_by};
use super::primitives::rng;
use super::{Kind, Made, NONE, RULES, SUITES, Stop};
use crate::crypto::{Digest, Signature, SigningKey, Suite, Tag, VerifyingKey};
use crate::ledger::{Ledger, Proposal};
use crate::log::{CloudIdentity, Witness, verify_anchored, verify_leaf};
use crate::merkle::{MerkleTree, verify_consistency, verify_inclusion};
use crate::network::START;
use crate::vectors::Hex;
use crate::vectors::near::{Lands, Neighbour, Sweep};
use crate::votes::{ValidatorSet, verify_quorum};
use crate::wire::{
    Anchor, Ballot, Block, Closing, ClosingRule, CloudHead, CloudLeaf, ConsistencyProof, Entry, Genesis,
    Height, InclusionProof, LeafKind, LogKind, Name, PROTOCOL_VERSION, QuorumCertificate, Signatory,
    SignedCloudHead, Target, Time, VoteBody, WorkRule, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The validators of a network.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Set {
    network: String,
    members: Vec<MemberOf>,
}

/// One of them.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct MemberOf {
    name: String,
    key: Hex,
}

impl Set {
    pub(in crate::vectors) fn of(set: &ValidatorSet) -> Set {
        let members = set.names().filter_map(|name| {
            Some(MemberOf { name: name.as_str().to_owned(), key: Hex(set.key(name)?.encode()) })
        });
        Set { network: set.network().as_str().to_owned(), members: members.collect() }
    }

    pub(in crate::vectors) fn set(&self, suite: Suite) -> Result<ValidatorSet, Stop> {
        let members = self
            .members
            .iter()
            .map(|member| Ok((name(&member.name)?, VerifyingKey::decode(&RULES, suite, &member.key.0)?)));
        let members = members.collect::<Result<BTreeMap<_, _>, Stop>>()?;
        Ok(ValidatorSet::new(name(&self.network)?, members))
    }
}

/// Validators whose keys are at hand.
struct Voters {
    suite: Suite,
    keys: BTreeMap<Name, SigningKey>,
    set: ValidatorSet,
}

impl Voters {
    fn new(suite: Suite, kind: &str, count: u8) -> Voters {
        let mut rng = rng(kind);
        let known = |number: u8| Name::new(&format!("validator-{number}")).expect("short printable ASCII");
        let keys: BTreeMap<Name, SigningKey> =
            (1..=count).map(|number| (known(number), SigningKey::generate(suite, &mut rng))).collect();
        let network = Name::new("pbn").expect("short printable ASCII");
        let members = keys.iter().map(|(name, key)| (name.clone(), key.verifying_key().clone())).collect();
        Voters { suite, set: ValidatorSet::new(network, members), keys }
    }

    fn sign(&self, who: &Name, tag: Tag, message: &[u8]) -> Option<Signature> {
        self.keys.get(who).map(|key| key.sign(&RULES, tag, message))
    }

    /// The signatures of the first so many.
    fn signatories(&self, count: usize, tag: Tag, message: &[u8]) -> Vec<Signatory> {
        let all = self.keys.iter().take(count);
        all.map(|(name, key)| Signatory {
            validator: name.clone(),
            signature: key.sign(&RULES, tag, message),
        })
        .collect()
    }

    /// Those who signed sign again.
    fn again(&self, signatories: &[Signatory], tag: Tag, message: &[u8]) -> Vec<Signatory> {
        let again = |one: &Signatory| Signatory {
            signature: self.sign(&one.validator, tag, message).unwrap_or_else(|| one.signature.clone()),
            ..one.clone()
        };
        signatories.iter().map(again).collect()
    }

    fn vote(&self, number: u8) -> VoteBody {
        VoteBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            network: self.set.network().clone(),
            validators: self.set.digest(),
            tid: Digest::from_bytes([number; 32]),
            block: Digest::from_bytes([number ^ 0x80; 32]),
            policy: Digest::from_bytes([9; 32]),
            height: Height(1),
            ballot: Ballot::True,
            reason: 0,
        }
    }

    fn certificate(&self, body: VoteBody) -> QuorumCertificate {
        let signatories = self.signatories(self.set.quorum(), Tag::VOTE, &encode(&body));
        QuorumCertificate { body, signatories: signatories.into() }
    }

    fn genesis(&self, rule: ClosingRule) -> Genesis {
        Genesis {
            version: PROTOCOL_VERSION,
            network: self.set.network().clone(),
            validators: self.set.digest(),
            start: START,
            rule,
        }
    }

    /// The next block of a ledger, closed.
    fn block(&self, ledger: &Ledger, entries: Vec<Entry>, time: Time) -> Block {
        let proposer = self.keys.keys().next().expect("there is a validator").clone();
        let mut proposal = ledger.propose(entries, time, proposer);
        if matches!(proposal.header().closing, Closing::Work(_)) {
            proposal.mine(1 << 20);
            return proposal.close(Vec::new());
        }
        let digest = proposal.digest();
        let signatories = self.signatories(self.set.quorum(), Tag::BLOCK_CLOSE, digest.as_bytes());
        proposal.close(signatories)
    }

    /// A block made to fit again: each bit leaves one thing as it was.
    fn mended(&self, mut block: Block, way: u8) -> Block {
        let mut entries = block.entries.as_slice().to_vec();
        if way & 4 == 0 {
            for entry in &mut entries {
                if let Entry::Decision(certificate) = entry {
                    let body = encode(&certificate.body);
                    let again = self.again(certificate.signatories.as_slice(), Tag::VOTE, &body);
                    certificate.signatories = again.into();
                }
            }
        }
        let header = &mut block.closed.header;
        if way & 2 == 0 {
            let digests: Vec<Digest> = entries.iter().map(Entry::digest).collect();
            header.root = crate::merkle::root_of(&digests);
            header.count = entries.len() as u32;
        }
        block.entries = entries.clone().into();
        if way & 8 == 0 && matches!(header.closing, Closing::Work(_)) {
            let mut proposal = Proposal::new(header.clone(), entries);
            proposal.mine(1 << 16);
            *header = proposal.header().clone();
        }
        if way & 1 == 0 {
            let digest = header.digest();
            let signatories = block.closed.signatories.as_slice();
            block.closed.signatories = self.again(signatories, Tag::BLOCK_CLOSE, digest.as_bytes()).into();
        }
        block
    }
}

/// A quorum certificate is verified.
pub(in crate::vectors) enum VerifyQuorum {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct QuorumInput {
    validators: Set,
    certificate: Hex,
}

/// A digest.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct DigestOf {
    digest: Hex,
    set: Hex,
}

impl Kind for VerifyQuorum {
    const NAME: &'static str = "quorum";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = QuorumInput;
    type Output = DigestOf;

    fn judge(suite: Suite, input: &QuorumInput) -> Result<DigestOf, Stop> {
        let set = input.validators.set(suite)?;
        let certificate: QuorumCertificate = decode(&RULES, &input.certificate.0)?;
        verify_quorum(&RULES, &set, &certificate)?;
        Ok(DigestOf { digest: certificate.digest().as_bytes().into(), set: set.digest().as_bytes().into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<QuorumInput>>, Refusal> {
        use Clause::{MoreThanTwoThirds, VoteSigned, VoterIsAdmitted};
        let voters = Voters::new(suite, Self::NAME, 4);
        let genuine = voters.certificate(voters.vote(1));
        let given = QuorumInput { validators: Set::of(&voters.set), certificate: Hex(encode(&genuine)) };
        let with = |bytes: &[u8]| QuorumInput { certificate: bytes.into(), ..given.clone() };
        let of = |count: usize| {
            let signatories = voters.signatories(count, Tag::VOTE, &encode(&genuine.body)).into();
            with(&encode(&QuorumCertificate { signatories, ..genuine.clone() }))
        };
        let mut made = vec![
            Made::valid("three of four", given.clone()),
            Made::valid("all four", of(4)),
            Made::invalid(MoreThanTwoThirds, "two of four", of(2)).of("QuorumCertificate.signatories"),
            Made::invalid(MoreThanTwoThirds, "none", of(0)).of("QuorumCertificate.signatories"),
        ];
        for (count, quorum) in [(1, 1), (2, 2), (3, 3), (6, 5), (7, 5)] {
            let few = Voters::new(suite, &format!("{} {count}", Self::NAME), count);
            let body = few.vote(1);
            for (signed, clause) in [(quorum, None), (quorum - 1, Some(MoreThanTwoThirds))] {
                let signatories = few.signatories(signed, Tag::VOTE, &encode(&body)).into();
                let certificate = QuorumCertificate { body: body.clone(), signatories };
                let input =
                    QuorumInput { validators: Set::of(&few.set), certificate: Hex(encode(&certificate)) };
                let comment = format!("{signed} of {count}");
                made.push(match clause {
                    None => Made::valid(comment, input),
                    Some(clause) => Made::invalid(clause, comment, input),
                });
            }
        }
        let mut sweep = Sweep {
            lands: Lands { suite, names: &["~", "validator-2"], entries: 3 },
            ways: 2,
            done: BTreeSet::new(),
        };
        let mend = |near: &Neighbour, way: u8| {
            let mut certificate: QuorumCertificate = decode(&RULES, &near.bytes).ok()?;
            if way == 0 {
                let body = encode(&certificate.body);
                let again = voters.again(certificate.signatories.as_slice(), Tag::VOTE, &body);
                certificate.signatories = again.into();
            }
            Some(encode(&certificate))
        };
        let judge = |bytes: &[u8]| refused_by(Self::judge(suite, &with(bytes)));
        for (near, clause) in sweep.run("QuorumCertificate", &encode(&genuine), mend, judge) {
            made.push(Made::near(clause, &near, with(&near.bytes)));
        }
        // Another set, which the certificate names.
        let mut other = Set::of(&voters.set);
        other.members[0].key = Hex(voters.keys.values().last().expect("four").verifying_key().encode());
        let renamed = |set: &Set| -> Result<Vec<u8>, Refusal> {
            let digest = set.set(suite).map_err(ill)?.digest();
            Ok(encode(&voters.certificate(VoteBody { validators: digest, ..voters.vote(1) })))
        };
        let input = QuorumInput { certificate: Hex(renamed(&other)?), validators: other };
        made.push(Made::invalid(VoteSigned, "a member with another key", input).of("Member.signing_key"));
        let mut other = Set::of(&voters.set);
        other.members[0].name = "validator-0".to_owned();
        let input = QuorumInput { certificate: Hex(renamed(&other)?), validators: other };
        made.push(
            Made::invalid(VoterIsAdmitted, "a member of another name", input)
                .of("ValidatorSet.members")
                .of("Member.validator"),
        );
        Ok(made)
    }
}

fn ill(stop: Stop) -> Refusal {
    match stop {
        Stop::Refused(refusal) => refusal,
        Stop::Malformed(problem) => Refusal::new(Clause::EventFitsState).at(problem),
    }
}

fn digests(hexes: &[Hex]) -> Result<Vec<Digest>, Stop> {
    hexes.iter().map(|hex| Ok(Digest::from_bytes(hex.array()?))).collect()
}

fn hexes<'a>(digests: impl IntoIterator<Item = &'a Digest>) -> Vec<Hex> {
    digests.into_iter().map(|digest| digest.as_bytes().into()).collect()
}

/// The root of a tree, and every proof in it.
pub(in crate::vectors) enum Tree {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct TreeInput {
    digests: Vec<Hex>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct TreeOutput {
    root: Hex,
    inclusion: Vec<Vec<Hex>>,
    consistency: Vec<Vec<Hex>>,
}

fn leaves(count: u8) -> Vec<Digest> {
    (0..count).map(|number| Digest::of(Tag::PUBLIC_STATE, &[number])).collect()
}

impl Kind for Tree {
    const NAME: &'static str = "merkle-tree";
    const SUITES: &'static [&'static str] = NONE;
    type Input = TreeInput;
    type Output = TreeOutput;

    fn judge(_: Suite, input: &TreeInput) -> Result<TreeOutput, Stop> {
        let digests = digests(&input.digests)?;
        let (tree, size): (MerkleTree, u64) = (digests.iter().collect(), digests.len() as u64);
        let lost = || Stop::Malformed("a proof is missing".to_owned());
        let inclusion = (0..size).map(|index| {
            let proof = tree.prove_inclusion(size, index).ok_or_else(lost)?;
            Ok(hexes(proof.path.as_slice()))
        });
        let consistency = (0..=size).map(|first| {
            let proof = tree.prove_consistency(first, size).ok_or_else(lost)?;
            Ok(hexes(proof.path.as_slice()))
        });
        Ok(TreeOutput {
            root: tree.root().as_bytes().into(),
            inclusion: inclusion.collect::<Result<_, Stop>>()?,
            consistency: consistency.collect::<Result<_, Stop>>()?,
        })
    }

    fn make(_: Suite) -> Result<Vec<Made<TreeInput>>, Refusal> {
        let one =
            |count: u8| Made::valid(format!("{count} leaves"), TreeInput { digests: hexes(&leaves(count)) });
        Ok((0..=9).chain([13]).map(one).collect())
    }
}

/// A proof of inclusion.
pub(in crate::vectors) enum Inclusion {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct InclusionInput {
    root: Hex,
    size: u64,
    digest: Hex,
    proof: Hex,
}

impl Kind for Inclusion {
    const NAME: &'static str = "merkle-inclusion";
    const SUITES: &'static [&'static str] = NONE;
    type Input = InclusionInput;
    type Output = super::primitives::Nothing;

    fn judge(_: Suite, input: &InclusionInput) -> Result<super::primitives::Nothing, Stop> {
        let root = Digest::from_bytes(input.root.array()?);
        let digest = Digest::from_bytes(input.digest.array()?);
        let proof: InclusionProof = decode(&RULES, &input.proof.0)?;
        RULES.require(Clause::EntryInclusionProven, verify_inclusion(&root, input.size, &digest, &proof))?;
        Ok(super::primitives::Nothing {})
    }

    fn make(suite: Suite) -> Result<Vec<Made<InclusionInput>>, Refusal> {
        let clause = Clause::EntryInclusionProven;
        let digests = leaves(7);
        let tree: MerkleTree = digests.iter().collect();
        let lost = || Refusal::new(clause);
        let proven = |index: u64| -> Result<InclusionInput, Refusal> {
            let proof = tree.prove_inclusion(7, index).ok_or_else(lost)?;
            Ok(InclusionInput {
                root: tree.root().as_bytes().into(),
                size: 7,
                digest: digests[index as usize].as_bytes().into(),
                proof: Hex(encode(&proof)),
            })
        };
        let mut made = Vec::new();
        for index in 0..7 {
            made.push(Made::valid(format!("leaf {index} of 7"), proven(index)?));
        }
        let given = proven(4)?;
        let proof: InclusionProof = decode(&RULES, &given.proof.0)?;
        let path = proof.path.as_slice().to_vec();
        let with = |index: u64, path: Vec<Digest>| InclusionInput {
            proof: Hex(encode(&InclusionProof { index, path: path.into() })),
            ..given.clone()
        };
        let longer: Vec<Digest> = path.iter().copied().chain([digests[0]]).collect();
        let turned: Vec<Digest> = path.iter().rev().copied().collect();
        let (index, of_path) = ("InclusionProof.index", "InclusionProof.path");
        made.extend([
            Made::invalid(clause, "another index", with(5, path.clone())).of(index),
            Made::invalid(clause, "an index past the end", with(7, path.clone())).of(index),
            Made::invalid(clause, "the greatest index", with(u64::MAX, path.clone())).of(index),
            Made::invalid(clause, "a path that is too short", with(4, path[1..].to_vec())).of(of_path),
            Made::invalid(clause, "a path that is too long", with(4, longer)).of(of_path),
            Made::invalid(clause, "a path in another order", with(4, turned)).of(of_path),
            Made::invalid(clause, "another size", InclusionInput { size: 6, ..given.clone() }),
            Made::invalid(clause, "no leaves", InclusionInput { size: 0, ..given.clone() }),
            Made::invalid(
                clause,
                "another leaf",
                InclusionInput { digest: digests[5].as_bytes().into(), ..given.clone() },
            ),
            Made::invalid(
                clause,
                "another root",
                InclusionInput { root: digests[5].as_bytes().into(), ..given.clone() },
            ),
        ]);
        // The digest of a node passes for none.
        let node = crate::merkle::root_of(&digests[4..6]);
        let inner = InclusionInput { digest: node.as_bytes().into(), ..with(2, path[1..].to_vec()) };
        made.push(Made::invalid(clause, "an inner node for a leaf", inner));
        let _ = suite;
        Ok(made)
    }
}

/// A proof of consistency.
pub(in crate::vectors) enum Consistency {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct ConsistencyInput {
    first_size: u64,
    first_root: Hex,
    second_size: u64,
    second_root: Hex,
    proof: Hex,
}

impl Kind for Consistency {
    const NAME: &'static str = "merkle-consistency";
    const SUITES: &'static [&'static str] = NONE;
    type Input = ConsistencyInput;
    type Output = super::primitives::Nothing;

    fn judge(_: Suite, input: &ConsistencyInput) -> Result<super::primitives::Nothing, Stop> {
        let first = Digest::from_bytes(input.first_root.array()?);
        let second = Digest::from_bytes(input.second_root.array()?);
        let proof: ConsistencyProof = decode(&RULES, &input.proof.0)?;
        let (first, second) = ((input.first_size, &first), (input.second_size, &second));
        RULES.require(Clause::LogIsAppendOnly, verify_consistency(first, second, &proof))?;
        Ok(super::primitives::Nothing {})
    }

    fn make(_: Suite) -> Result<Vec<Made<ConsistencyInput>>, Refusal> {
        let clause = Clause::LogIsAppendOnly;
        let digests = leaves(8);
        let tree: MerkleTree = digests.iter().collect();
        let lost = || Refusal::new(clause);
        let proven = |first: u64, second: u64| -> Result<ConsistencyInput, Refusal> {
            let proof = tree.prove_consistency(first, second).ok_or_else(lost)?;
            Ok(ConsistencyInput {
                first_size: first,
                first_root: tree.root_at(first).ok_or_else(lost)?.as_bytes().into(),
                second_size: second,
                second_root: tree.root_at(second).ok_or_else(lost)?.as_bytes().into(),
                proof: Hex(encode(&proof)),
            })
        };
        let mut made = Vec::new();
        for (first, second) in
            [(0, 0), (0, 5), (1, 1), (1, 2), (3, 7), (4, 7), (4, 8), (6, 8), (7, 8), (8, 8)]
        {
            made.push(Made::valid(format!("{first} of {second}"), proven(first, second)?));
        }
        let given = proven(3, 7)?;
        let proof: ConsistencyProof = decode(&RULES, &given.proof.0)?;
        let path = proof.path.as_slice().to_vec();
        let with = |path: Vec<Digest>| ConsistencyInput {
            proof: Hex(encode(&ConsistencyProof { path: path.into() })),
            ..given.clone()
        };
        let longer: Vec<Digest> = path.iter().copied().chain([digests[0]]).collect();
        let mut changed = path.clone();
        changed[0] = digests[7];
        let of_path = "ConsistencyProof.path";
        let root = |number: u8| -> Hex { leaves(8)[usize::from(number)].as_bytes().into() };
        made.extend([
            Made::invalid(clause, "a path that is too short", with(path[1..].to_vec())).of(of_path),
            Made::invalid(clause, "a path that is too long", with(longer)).of(of_path),
            Made::invalid(clause, "an empty path", with(Vec::new())).of(of_path),
            Made::invalid(clause, "another node", with(changed)).of(of_path),
            Made::invalid(
                clause,
                "another first root",
                ConsistencyInput { first_root: root(1), ..given.clone() },
            ),
            Made::invalid(
                clause,
                "another second root",
                ConsistencyInput { second_root: root(1), ..given.clone() },
            ),
            Made::invalid(clause, "another first size", ConsistencyInput { first_size: 4, ..given.clone() }),
            Made::invalid(
                clause,
                "more before than after",
                ConsistencyInput { first_size: 8, ..given.clone() },
            ),
            Made::invalid(
                clause,
                "no leaves, and a path",
                ConsistencyInput { first_size: 0, ..given.clone() },
            ),
            Made::invalid(clause, "as many leaves, and a path", ConsistencyInput { first_size: 7, ..given }),
        ]);
        Ok(made)
    }
}

/// A block arrives at a member of the network.
pub(in crate::vectors) enum TakeBlock {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct BlockInput {
    genesis: Hex,
    validators: Set,
    earlier: Vec<Arrived>,
    now: u64,
    block: Hex,
}

/// A block that was taken before.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Arrived {
    now: u64,
    block: Hex,
}

/// The ledger afterwards.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Standing {
    height: u64,
    tip: Hex,
    final_height: u64,
}

impl Kind for TakeBlock {
    const NAME: &'static str = "block";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = BlockInput;
    type Output = Standing;

    fn judge(suite: Suite, input: &BlockInput) -> Result<Standing, Stop> {
        let validators = input.validators.set(suite)?;
        let mut ledger = Ledger::new(&RULES, decode(&RULES, &input.genesis.0)?)?;
        for Arrived { now, block } in &input.earlier {
            ledger.append(&RULES, &validators, Time(*now), decode(&RULES, &block.0)?)?;
        }
        ledger.append(&RULES, &validators, Time(input.now), decode(&RULES, &input.block.0)?)?;
        Ok(Standing {
            height: ledger.height().0,
            tip: ledger.tip().as_bytes().into(),
            final_height: ledger.final_height().0,
        })
    }

    fn make(suite: Suite) -> Result<Vec<Made<BlockInput>>, Refusal> {
        let voters = Voters::new(suite, Self::NAME, 4);
        let mut made = Vec::new();
        // What depends on the group is shown for each; the whole of the rules once.
        let full = suite == Suite::Ristretto255;
        let mut done = BTreeSet::new();
        for rule in [ClosingRule::Quorum, ClosingRule::Work(work())] {
            let by_work = rule != ClosingRule::Quorum;
            let genesis = voters.genesis(rule.clone());
            let mut ledger = Ledger::new(&RULES, genesis.clone())?;
            let anchor = |size: u64| {
                let head = Digest::from_bytes([size as u8; 32]);
                let keeper = Name::new("cloud").expect("short printable ASCII");
                Entry::Anchor(Anchor { kind: LogKind::Cloud, keeper, size, head })
            };
            let decision = |number: u8| Entry::Decision(voters.certificate(voters.vote(number)));
            let lives = [vec![decision(1), anchor(1)], vec![anchor(3)], vec![decision(2), anchor(4)]];
            let (mut blocks, mut earlier) = (Vec::new(), Vec::new());
            for (height, entries) in (1..).zip(lives) {
                let time = START.after(1_500 * height);
                let block = voters.block(&ledger, entries, time);
                let input = BlockInput {
                    genesis: Hex(encode(&genesis)),
                    validators: Set::of(&voters.set),
                    earlier: earlier.clone(),
                    now: time.0,
                    block: Hex(encode(&block)),
                };
                let comment = format!("block {height}{}", if by_work { ", by work" } else { "" });
                made.push(Made::valid(comment, input.clone()));
                earlier.push(Arrived { now: time.0, block: Hex(encode(&block)) });
                ledger.append(&RULES, &voters.set, time, block.clone())?;
                blocks.push((input, block));
            }
            if !full {
                continue;
            }
            let (given, genuine) = blocks.pop().expect("three were made");
            let with = |bytes: &[u8]| BlockInput { block: bytes.into(), ..given.clone() };
            let judge = |bytes: &[u8]| refused_by(Self::judge(suite, &with(bytes)));
            let mend = |near: &Neighbour, way: u8| match decode::<Block>(&RULES, &near.bytes) {
                Ok(block) => Some(encode(&voters.mended(block, way))),
                Err(_) => (way == 0).then(|| near.bytes.clone()),
            };
            let lands = Lands { suite, names: &["~", "validator-2"], entries: 3 };
            let mut sweep =
                Sweep { lands, ways: if by_work { 16 } else { 8 }, done: std::mem::take(&mut done) };
            for (near, clause) in sweep.run("Block", &encode(&genuine), mend, judge) {
                made.push(Made::near(clause, &near, with(&near.bytes)));
            }
            done = sweep.done;
            let twice = |entries: Vec<Entry>| {
                let mut block = genuine.clone();
                block.entries = entries.into();
                with(&encode(&voters.mended(block, 0)))
            };
            let entries = genuine.entries.as_slice();
            let decided = |input| {
                Made::invalid(Clause::TidDecidedOnce, "a tid that the first block decided", input)
                    .of("Block.entries")
                    .of("Entry.body")
                    .of("Entry.decision.certificate")
            };
            made.push(decided(twice(vec![decision(1)])));
            made.push(
                Made::invalid(
                    Clause::AnchorAdvances,
                    "an anchor that does not advance",
                    twice(vec![anchor(3)]),
                )
                .of("Block.entries")
                .of("Entry.body")
                .of("Entry.anchor.anchor")
                .of("Anchor.size"),
            );
            let mut again = given.clone();
            again.earlier.push(Arrived { now: given.now, block: given.block.clone() });
            made.push(Made::invalid(Clause::HeaviestChainWins, "a block that is held", again.clone()));
            if by_work {
                let mut signed = genuine.clone();
                let digest = signed.closed.header.digest();
                signed.closed.signatories = voters.signatories(1, Tag::BLOCK_CLOSE, digest.as_bytes()).into();
                let input = with(&encode(&signed));
                made.push(
                    Made::invalid(Clause::WorkMeetsTarget, "signatories where there is work", input)
                        .of("Block.closed")
                        .of("ClosedHeader.signatories"),
                );
            }
            let rival = twice(entries[1..].to_vec());
            again.block = rival.block;
            if !by_work {
                made.push(Made::invalid(Clause::FinalBlockStands, "a second block of its height", again));
            }
            let early = BlockInput { now: given.now - 7_200_001, ..given.clone() };
            made.push(
                Made::invalid(Clause::BlockTimeAdvances, "too far ahead of the clock", early)
                    .of("BlockHeader.time"),
            );
            made.extend(of_genesis(suite, &voters, &genesis, &given, by_work)?);
        }
        Ok(made)
    }
}

/// Two blocks to a window, so that the third target is set anew.
fn work() -> WorkRule {
    let mut easiest = [0xff; 32];
    easiest[0] = 0x3f;
    WorkRule { easiest: Target(easiest), interval: 2_000, window: 2, confirmations: 1 }
}

/// One block in a network whose members agreed on something else.
fn of_genesis(
    suite: Suite,
    voters: &Voters,
    genesis: &Genesis,
    given: &BlockInput,
    by_work: bool,
) -> Result<Vec<Made<BlockInput>>, Refusal> {
    let mut made = Vec::new();
    let lands = Lands { suite, names: &["~"], entries: 3 };
    // Way 1: the blocks are those of the other network; way 0: they are linked to this one.
    let linked = |other: &Genesis, way: u8| -> Result<BlockInput, Refusal> {
        let bytes = Hex(encode(other));
        if way == 1 {
            return Ok(BlockInput { genesis: bytes, ..given.clone() });
        }
        let mut previous = other.digest();
        let all = given.earlier.iter().map(|one| (one.now, &one.block)).chain([(given.now, &given.block)]);
        let mut arrived = Vec::new();
        for (now, block) in all {
            let mut block: Block = decode(&RULES, &block.0)?;
            block.closed.header.previous = previous;
            let block = voters.mended(block, 0);
            previous = block.closed.header.digest();
            arrived.push(Arrived { now, block: Hex(encode(&block)) });
        }
        let last = arrived.pop().ok_or(Refusal::new(Clause::BlockLinksPrevious))?;
        Ok(BlockInput { genesis: bytes, earlier: arrived, block: last.block, ..given.clone() })
    };
    let inputs = std::cell::RefCell::new(BTreeMap::new());
    let mend = |near: &Neighbour, way: u8| {
        let other: Genesis = decode(&RULES, &near.bytes).ok()?;
        let input = linked(&other, way).ok()?;
        let key = [near.bytes.as_slice(), &[way]].concat();
        inputs.borrow_mut().insert(key.clone(), input);
        Some(key)
    };
    let judge = |key: &[u8]| {
        let input = inputs.borrow().get(key).cloned()?;
        refused_by(TakeBlock::judge(suite, &input))
    };
    let mut sweep = Sweep { lands, ways: 2, done: BTreeSet::new() };
    let found = sweep.run("Genesis", &encode(genesis), mend, judge);
    for (near, clause) in found {
        if let Some(input) = inputs.borrow().get(&near.bytes) {
            made.push(Made::near(clause, &near, input.clone()));
        }
    }
    // The other way to close blocks.
    let rule = if by_work { ClosingRule::Quorum } else { ClosingRule::Work(work()) };
    let other = Genesis { rule, ..genesis.clone() };
    let first = BlockInput { earlier: Vec::new(), ..linked(&other, 0)? };
    let mut first = first;
    let mut block: Block = decode(&RULES, &given.earlier[0].block.0)?;
    block.closed.header.previous = other.digest();
    (first.block, first.now) = (Hex(encode(&voters.mended(block, 0))), given.earlier[0].now);
    let clause = if by_work { Clause::BlockHasQuorum } else { Clause::WorkMeetsTarget };
    let both = [
        "ClosingRule.kind",
        "BlockHeader.closing",
        "Closing.kind",
        "Closing.body",
        "Block.closed",
        "ClosedHeader.header",
    ];
    made.push(
        both.into_iter()
            .fold(Made::invalid(clause, "a block that is closed in another way", first), |made, field| {
                made.of(field)
            }),
    );
    if by_work {
        made.extend(confirmed(voters, genesis)?);
    }
    Ok(made)
}

/// A rival to a block that is final when one block stands on it, and not when two have to.
fn confirmed(voters: &Voters, genesis: &Genesis) -> Result<Vec<Made<BlockInput>>, Refusal> {
    let lives = |genesis: &Genesis| -> Result<BlockInput, Refusal> {
        let mut ledger = Ledger::new(&RULES, genesis.clone())?;
        let rival = voters.block(&ledger, Vec::new(), START.after(700));
        let mut earlier = Vec::new();
        for height in 1..=2 {
            let time = START.after(1_000 * height);
            let block = voters.block(&ledger, Vec::new(), time);
            earlier.push(Arrived { now: time.0, block: Hex(encode(&block)) });
            ledger.append(&RULES, &voters.set, time, block)?;
        }
        Ok(BlockInput {
            genesis: Hex(encode(genesis)),
            validators: Set::of(&voters.set),
            earlier,
            now: START.0 + 3_000,
            block: Hex(encode(&rival)),
        })
    };
    let rule = |confirmations| ClosingRule::Work(WorkRule { confirmations, ..work() });
    let [one, two] = [1, 2].map(|confirmations| Genesis { rule: rule(confirmations), ..genesis.clone() });
    Ok(vec![
        Made::invalid(Clause::FinalBlockStands, "a rival of a block that one confirms", lives(&one)?)
            .of("WorkRule.confirmations"),
        Made::valid("a rival of a block that two have to confirm", lives(&two)?),
    ])
}

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
    identity: CloudIdentity,
    key: SigningKey,
    leaves: Vec<CloudLeaf>,
}

impl Log {
    fn new(suite: Suite, kind: &str) -> Log {
        let key = SigningKey::generate(suite, &mut rng(kind));
        let known = |text: &str| Name::new(text).expect("short printable ASCII");
        let identity =
            CloudIdentity { network: known("pbn"), cloud: known("cloud"), key: key.verifying_key().clone() };
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
            cloud: self.identity.cloud.clone(),
            size,
            root: self.tree().root_at(size).unwrap_or_default(),
            time: START.after(time),
        };
        self.signed(head)
    }

    fn signed(&self, head: CloudHead) -> SignedCloudHead {
        SignedCloudHead { signature: self.key.sign(&RULES, Tag::CLOUD_HEAD, &encode(&head)), head }
    }
}

impl Kind for TakeHead {
    const NAME: &'static str = "cloud-head";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = HeadInput;
    type Output = Remembered;

    fn judge(suite: Suite, input: &HeadInput) -> Result<Remembered, Stop> {
        let key = VerifyingKey::decode(&RULES, suite, &input.key.0)?;
        let identity = CloudIdentity { network: name(&input.network)?, cloud: name(&input.cloud)?, key };
        let mut witness = match input.remembered.0.as_slice() {
            [] => Witness::new(identity),
            bytes => Witness::resume(identity, decode(&RULES, bytes)?),
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
        let mut sweep =
            Sweep { lands: Lands { suite, names: &["~"], entries: 3 }, ways: 2, done: BTreeSet::new() };
        let mend = |near: &Neighbour, way: u8| {
            let head: SignedCloudHead = decode(&RULES, &near.bytes).ok()?;
            Some(if way == 0 { encode(&log.signed(head.head)) } else { encode(&head) })
        };
        let judge =
            |head: &[u8]| refused_by(Self::judge(suite, &HeadInput { head: head.into(), ..given.clone() }));
        for (near, clause) in sweep.run("SignedCloudHead", &encode(&new), mend, judge) {
            made.push(Made::near(
                clause,
                &near,
                HeadInput { head: Hex(near.bytes.clone()), ..given.clone() },
            ));
        }
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
        let mut sweep =
            Sweep { lands: Lands { suite, names: &["~"], entries: 3 }, ways: 1, done: BTreeSet::new() };
        let as_is = |near: &Neighbour, _| Some(near.bytes.clone());
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
            let judge = |bytes: &[u8]| refused_by(Self::judge(suite, &with(bytes)));
            for (near, clause) in sweep.run(table, &genuine.0, as_is, judge) {
                made.push(Made::near(clause, &near, with(&near.bytes)));
            }
        }
        // Another anchor, in a block that is as well closed.
        let other = Name::new("~").expect("short printable ASCII");
        let others: [(&str, Anchor); 3] = [
            ("Anchor.head", Anchor { head: Digest::default(), ..anchor.clone() }),
            ("Anchor.size", Anchor { size: 4, ..anchor.clone() }),
            ("Anchor.keeper", Anchor { keeper: other, ..anchor.clone() }),
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
