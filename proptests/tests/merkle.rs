//! Merkle trees against their recursive definition, and proofs against every change.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use bemr::crypto::{Digest, Domain};
use bemr::merkle::{Frontier, MerkleTree, root_of, verify_consistency, verify_inclusion};
use bemr::wire::{ConsistencyProof, InclusionProof};
use proptest::prelude::*;

/// RFC 9162, section 2.1.1, as it is written, with the tags of the chapter on the ledger.
fn oracle(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(Domain::MERKLE_EMPTY, &[]),
        [leaf] => Digest::of(Domain::MERKLE_LEAF, leaf.as_bytes()),
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            let (left, right) = (oracle(&leaves[..k]), oracle(&leaves[k..]));
            Digest::of_parts(Domain::MERKLE_NODE, &[left.as_bytes(), right.as_bytes()])
        }
    }
}

/// RFC 9162, section 2.1.3.1.
fn oracle_path(index: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, sibling) = match index < k {
        true => (oracle_path(index, &leaves[..k]), oracle(&leaves[k..])),
        false => (oracle_path(index - k, &leaves[k..]), oracle(&leaves[..k])),
    };
    path.push(sibling);
    path
}

/// RFC 9162, section 2.1.4.1.
fn oracle_consistency(m: usize, leaves: &[Digest], complete: bool) -> Vec<Digest> {
    if m == leaves.len() {
        return if complete { Vec::new() } else { vec![oracle(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, sibling) = match m <= k {
        true => (oracle_consistency(m, &leaves[..k], complete), oracle(&leaves[k..])),
        false => (oracle_consistency(m - k, &leaves[k..], false), oracle(&leaves[..k])),
    };
    path.push(sibling);
    path
}

fn leaves() -> impl Strategy<Value = Vec<Digest>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(Digest::from_bytes), 1..200)
}

fn flip(path: &[Digest], at: usize) -> Vec<Digest> {
    let mut path = path.to_vec();
    let mut bytes = *path[at % path.len()].as_bytes();
    bytes[at % 32] ^= 1 << (at % 8);
    let at = at % path.len();
    path[at] = Digest::from_bytes(bytes);
    path
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_and_proofs_are_those_of_the_definition(leaves in leaves(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let tree: MerkleTree = leaves.iter().collect();
        let size = a.index(leaves.len()) + 1;
        let index = b.index(size);
        prop_assert_eq!(tree.root(), oracle(&leaves));
        prop_assert_eq!(root_of(&leaves), oracle(&leaves));
        prop_assert_eq!(tree.root_at(size as u64), Some(oracle(&leaves[..size])));
        let inclusion = tree.prove_inclusion(size as u64, index as u64).unwrap();
        prop_assert_eq!(inclusion.path.as_slice(), &oracle_path(index, &leaves[..size])[..]);
        let consistency = tree.prove_consistency(index as u64 + 1, size as u64).unwrap();
        prop_assert_eq!(consistency.path.as_slice(), &oracle_consistency(index + 1, &leaves[..size], true)[..]);
    }

    #[test]
    fn proofs_verify_and_no_changed_proof_does(leaves in leaves(), at in any::<usize>(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let tree: MerkleTree = leaves.iter().collect();
        let size = a.index(leaves.len()) as u64 + 1;
        let index = b.index(size as usize) as u64;
        let root = tree.root_at(size).unwrap();
        let leaf = &leaves[index as usize];
        let proof = tree.prove_inclusion(size, index).unwrap();
        prop_assert!(verify_inclusion(&root, size, leaf, &proof));
        let path = proof.path.as_slice();
        if !path.is_empty() {
            let changed = InclusionProof { index, path: flip(path, at).into() };
            prop_assert!(!verify_inclusion(&root, size, leaf, &changed));
            let short = InclusionProof { index, path: path[1..].to_vec().into() };
            prop_assert!(!verify_inclusion(&root, size, leaf, &short));
        }
        let first = index + 1;
        let old = tree.root_at(first).unwrap();
        let proof = tree.prove_consistency(first, size).unwrap();
        prop_assert!(verify_consistency((first, &old), (size, &root), &proof));
        let path = proof.path.as_slice();
        if !path.is_empty() {
            let changed = ConsistencyProof { path: flip(path, at).into() };
            prop_assert!(!verify_consistency((first, &old), (size, &root), &changed));
        }
    }

    #[test]
    fn a_tree_with_one_other_leaf_is_never_consistent(leaves in leaves(), at in any::<prop::sample::Index>(), extra in 1usize..50) {
        let tree: MerkleTree = leaves.iter().collect();
        let mut forked = leaves.clone();
        let changed = at.index(leaves.len());
        forked[changed] = Digest::of(Domain::MERKLE_LEAF, leaves[changed].as_bytes());
        forked.extend((0..extra).map(|i| Digest::of(Domain::MERKLE_LEAF, &i.to_be_bytes())));
        let fork: MerkleTree = forked.iter().collect();
        let proof = fork.prove_consistency(tree.size(), fork.size()).unwrap();
        prop_assert!(!verify_consistency((tree.size(), &tree.root()), (fork.size(), &fork.root()), &proof));
    }

    #[test]
    fn no_proof_makes_a_verifier_panic(index in any::<u64>(), size in any::<u64>(), path in prop::collection::vec(any::<[u8; 32]>().prop_map(Digest::from_bytes), 0..80)) {
        let root = Digest::default();
        let inclusion = InclusionProof { index, path: path.clone().into() };
        prop_assert!(!verify_inclusion(&root, size, &root, &inclusion));
        let consistency = ConsistencyProof { path: path.into() };
        prop_assert!(!verify_consistency((index, &root), (size, &Digest::from_bytes([1; 32])), &consistency));
    }

    #[test]
    fn a_frontier_grows_like_its_tree(leaves in leaves()) {
        let mut frontier = Frontier::default();
        let mut completed = 0;
        for (n, leaf) in leaves.iter().enumerate() {
            completed += frontier.append(leaf).len();
            prop_assert_eq!(frontier.root(), oracle(&leaves[..=n]));
        }
        prop_assert!(completed < 2 * leaves.len());
    }
}
