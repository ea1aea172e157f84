//! Merkle trees and their proofs (chapter 10).

use super::prelude::*;
use bemr::merkle::{MerkleTree, root_of, verify_consistency, verify_inclusion};

data! {
    TreeInput { digests: Vec<Hex> }
    TreeOutput { root: Hex, inclusion: Vec<Vec<Hex>>, consistency: Vec<Vec<Hex>> }
    InclusionInput { root: Hex, size: u64, digest: Hex, proof: Hex }
    ConsistencyInput { first_size: u64, first_root: Hex, second_size: u64, second_root: Hex, proof: Hex }
}

fn leaves(count: u8) -> Vec<Digest> {
    (0..count).map(|number| Digest::of(Domain::PUBLIC_STATE, &[number])).collect()
}

fn hexes(digests: &[Digest]) -> Vec<Hex> {
    digests.iter().map(|digest| digest.as_bytes().into()).collect()
}

/// The path without its first node, with one node more, and with this change.
fn paths(path: &[Digest], more: Digest, change: impl FnOnce(&mut Vec<Digest>)) -> [Vec<Digest>; 3] {
    let mut changed = path.to_vec();
    change(&mut changed);
    [path[1..].to_vec(), [path, &[more]].concat(), changed]
}

/// The root of a tree, and every proof in it.
impl TreeInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<TreeOutput, Stop> {
        let digests = self.digests.iter().map(Hex::digest).collect::<Result<Vec<_>, String>>()?;
        let (tree, size): (MerkleTree, u64) = (digests.iter().collect(), digests.len() as u64);
        let lost = || Stop::Malformed("a proof is missing".to_owned());
        let inclusion = (0..size)
            .map(|index| Ok(hexes(tree.prove_inclusion(size, index).ok_or_else(lost)?.path.as_slice())));
        let consistency = (0..=size)
            .map(|first| Ok(hexes(tree.prove_consistency(first, size).ok_or_else(lost)?.path.as_slice())));
        Ok(TreeOutput {
            root: tree.root().as_bytes().into(),
            inclusion: inclusion.collect::<Result<_, Stop>>()?,
            consistency: consistency.collect::<Result<_, Stop>>()?,
        })
    }

    pub(super) fn cases(_: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let case = |count: u8| {
            Case::new(format!("{count} leaves"), None, TreeInput { digests: hexes(&leaves(count)) })
        };
        Ok((0..=9).chain([13]).map(case).collect())
    }
}

/// A proof of inclusion.
impl InclusionInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<Nothing, Stop> {
        let (root, digest, proof) = (self.root.digest()?, self.digest.digest()?, self.proof.decode()?);
        RULES.require(Clause::EntryInclusionProven, verify_inclusion(&root, self.size, &digest, &proof))?;
        Ok(Nothing {})
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let clause = Clause::EntryInclusionProven;
        let digests = leaves(7);
        let tree: MerkleTree = digests.iter().collect();
        let proof = |index| tree.prove_inclusion(7, index).ok_or(Refusal::new(clause));
        let proven = |index: u64| -> Result<InclusionInput, Refusal> {
            let (root, digest) = (tree.root().as_bytes().into(), digests[index as usize].as_bytes().into());
            Ok(InclusionInput { root, size: 7, digest, proof: Hex::of(&proof(index)?) })
        };
        let mut cases = Cases::of(suite, proven(4)?);
        for index in 0..7 {
            let input = proven(index)?;
            cases.valid(format!("leaf {index} of 7"), |given| *given = input);
        }
        let path = proof(4)?.path.as_slice().to_vec();
        let [shorter, longer, turned] = paths(&path, digests[0], |path| path.reverse());
        for (field, comment, index, path) in [
            ("InclusionProof.index", "another index", 5, &path),
            ("InclusionProof.index", "an index past the end", 7, &path),
            ("InclusionProof.index", "the greatest index", u64::MAX, &path),
            ("InclusionProof.path", "a path that is too short", 4, &shorter),
            ("InclusionProof.path", "a path that is too long", 4, &longer),
            ("InclusionProof.path", "a path in another order", 4, &turned),
        ] {
            let proof = InclusionProof { index, path: path.clone().into() };
            cases.invalid(clause, comment, |input| input.proof = Hex::of(&proof)).about(&[field]);
        }
        let other = digests[5].as_bytes();
        cases.invalid(clause, "another size", |input| input.size = 6);
        cases.invalid(clause, "no leaves", |input| input.size = 0);
        cases.invalid(clause, "another leaf", |input| input.digest = other.into());
        cases.invalid(clause, "another root", |input| input.root = other.into());
        // The digest of a node passes for none.
        cases.invalid(clause, "an inner node for a leaf", |input| {
            input.digest = root_of(&digests[4..6]).as_bytes().into();
            input.proof = Hex::of(&InclusionProof { index: 2, path: shorter.into() });
        });
        Ok(cases.all())
    }
}

/// A proof of consistency.
impl ConsistencyInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<Nothing, Stop> {
        let (first, second) = (self.first_root.digest()?, self.second_root.digest()?);
        let (first, second) = ((self.first_size, &first), (self.second_size, &second));
        RULES.require(Clause::LogIsAppendOnly, verify_consistency(first, second, &self.proof.decode()?))?;
        Ok(Nothing {})
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let clause = Clause::LogIsAppendOnly;
        let digests = leaves(8);
        let tree: MerkleTree = digests.iter().collect();
        let lost = || Refusal::new(clause);
        let proof = |first, second| tree.prove_consistency(first, second).ok_or_else(lost);
        let root =
            |size| -> Result<Hex, Refusal> { Ok(tree.root_at(size).ok_or_else(lost)?.as_bytes().into()) };
        let proven = |first_size: u64, second_size: u64| -> Result<ConsistencyInput, Refusal> {
            let (first_root, second_root) = (root(first_size)?, root(second_size)?);
            let proof = Hex::of(&proof(first_size, second_size)?);
            Ok(ConsistencyInput { first_size, first_root, second_size, second_root, proof })
        };
        let mut cases = Cases::of(suite, proven(3, 7)?);
        for (first, second) in
            [(0, 0), (0, 5), (1, 1), (1, 2), (3, 7), (4, 7), (4, 8), (6, 8), (7, 8), (8, 8)]
        {
            let input = proven(first, second)?;
            cases.valid(format!("{first} of {second}"), |given| *given = input);
        }
        let path = proof(3, 7)?.path.as_slice().to_vec();
        let [shorter, longer, changed] = paths(&path, digests[0], |path| path[0] = digests[7]);
        for (comment, path) in [
            ("a path that is too short", shorter),
            ("a path that is too long", longer),
            ("an empty path", Vec::new()),
            ("another node", changed),
        ] {
            let proof = ConsistencyProof { path: path.into() };
            cases
                .invalid(clause, comment, |input| input.proof = Hex::of(&proof))
                .about(&["ConsistencyProof.path"]);
        }
        let other = digests[1].as_bytes();
        cases.invalid(clause, "another first root", |input| input.first_root = other.into());
        cases.invalid(clause, "another second root", |input| input.second_root = other.into());
        for (size, comment) in [
            (4, "another first size"),
            (8, "more before than after"),
            (0, "no leaves, and a path"),
            (7, "as many leaves, and a path"),
        ] {
            cases.invalid(clause, comment, |input| input.first_size = size);
        }
        Ok(cases.all())
    }
}
