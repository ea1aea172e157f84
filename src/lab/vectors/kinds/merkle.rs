//! Merkle trees and their proofs (chapter 10).

use super::{Kind, Made, NONE, RULES, Stop};
use crate::vectors::Hex;
use bemr::crypto::{Digest, Domain, Suite};
use bemr::merkle::{MerkleTree, verify_consistency, verify_inclusion};
use bemr::wire::{ConsistencyProof, InclusionProof, decode, encode};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    (0..count).map(|number| Digest::of(Domain::PUBLIC_STATE, &[number])).collect()
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
    type Output = super::draws::Nothing;

    fn judge(_: Suite, input: &InclusionInput) -> Result<super::draws::Nothing, Stop> {
        let root = Digest::from_bytes(input.root.array()?);
        let digest = Digest::from_bytes(input.digest.array()?);
        let proof: InclusionProof = decode(&RULES, &input.proof.0)?;
        RULES.require(Clause::EntryInclusionProven, verify_inclusion(&root, input.size, &digest, &proof))?;
        Ok(super::draws::Nothing {})
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
        let node = bemr::merkle::root_of(&digests[4..6]);
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
    type Output = super::draws::Nothing;

    fn judge(_: Suite, input: &ConsistencyInput) -> Result<super::draws::Nothing, Stop> {
        let first = Digest::from_bytes(input.first_root.array()?);
        let second = Digest::from_bytes(input.second_root.array()?);
        let proof: ConsistencyProof = decode(&RULES, &input.proof.0)?;
        let (first, second) = ((input.first_size, &first), (input.second_size, &second));
        RULES.require(Clause::LogIsAppendOnly, verify_consistency(first, second, &proof))?;
        Ok(super::draws::Nothing {})
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
