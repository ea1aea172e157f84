use super::*;
use crate::wire::{ConsistencyProof, InclusionProof};

fn digests(n: u64) -> Vec<Digest> {
    (0..n).map(|i| Digest::of(Domain::CLOUD_LEAF, &i.to_be_bytes())).collect()
}

/// The definition of RFC 9162, word for word.
fn naive(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => leaf_hash(leaf),
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&naive(&leaves[..k]), &naive(&leaves[k..]))
        }
    }
}

#[test]
fn roots_of_every_small_size_are_those_of_the_definition() {
    let leaves = digests(70);
    let tree: MerkleTree = leaves.iter().collect();
    for size in 0..=70 {
        let expected = naive(&leaves[..size]);
        assert_eq!(tree.root_at(size as u64), Some(expected));
        assert_eq!(root_of(&leaves[..size]), expected);
    }
    assert_eq!(tree.root_at(71), None);
}

#[test]
fn every_inclusion_proof_of_small_trees_verifies_and_at_no_other_index_or_size() {
    let leaves = digests(33);
    let tree: MerkleTree = leaves.iter().collect();
    for size in 1..=33 {
        let root = tree.root_at(size).unwrap();
        for index in 0..size {
            let proof = tree.prove_inclusion(size, index).unwrap();
            let leaf = &leaves[index as usize];
            assert!(verify_inclusion(&root, size, leaf, &proof));
            for other in (0..size + 2).filter(|&other| other != index) {
                let moved = InclusionProof { index: other, ..proof.clone() };
                assert!(!verify_inclusion(&root, size, leaf, &moved));
            }
        }
        assert_eq!(tree.prove_inclusion(size, size), None);
    }
}

#[test]
fn a_proof_has_exactly_one_length() {
    let leaves = digests(21);
    let tree: MerkleTree = leaves.iter().collect();
    let root = tree.root();
    for index in 0..21 {
        let proof = tree.prove_inclusion(21, index).unwrap();
        let path = proof.path.as_slice();
        let longer = [path, &[root]].concat();
        let shorter = path[..path.len() - 1].to_vec();
        for path in [longer, shorter] {
            let proof = InclusionProof { index, path: path.into() };
            assert!(!verify_inclusion(&root, 21, &leaves[index as usize], &proof));
        }
    }
    for first in 0..=21 {
        let proof = tree.prove_consistency(first, 21).unwrap();
        let path = proof.path.as_slice();
        let old = tree.root_at(first).unwrap();
        let longer = [path, &[root]].concat();
        let mut wrong = vec![longer];
        if !path.is_empty() {
            wrong.push(path[..path.len() - 1].to_vec());
        }
        for path in wrong {
            assert!(!verify_consistency((first, &old), (21, &root), &ConsistencyProof { path: path.into() }));
        }
    }
}

#[test]
fn every_consistency_proof_of_small_trees_verifies_and_for_no_other_pair_of_roots() {
    let leaves = digests(34);
    let tree: MerkleTree = leaves.iter().collect();
    for second in 0..=34 {
        let new = tree.root_at(second).unwrap();
        for first in 0..=second {
            let old = tree.root_at(first).unwrap();
            let proof = tree.prove_consistency(first, second).unwrap();
            assert!(verify_consistency((first, &old), (second, &new), &proof), "{first} {second}");
            let forged = leaf_hash(&old);
            assert!(!verify_consistency((first, &forged), (second, &new), &proof));
            if first > 0 {
                assert!(!verify_consistency((first, &old), (second, &forged), &proof));
            }
        }
        assert_eq!(tree.prove_consistency(second + 1, second), None);
    }
}

#[test]
fn a_leaf_cannot_pass_for_a_node() {
    let leaves = digests(2);
    let inner = Digest::of_parts(
        Domain::MERKLE_LEAF,
        &[leaf_hash(&leaves[0]).as_bytes(), leaf_hash(&leaves[1]).as_bytes()],
    );
    assert_ne!(inner, root_of(&leaves));
}

#[test]
fn sizes_near_the_end_of_the_integers_neither_panic_nor_hang() {
    let digest = empty_root();
    let path: Vec<Digest> = vec![digest; 70];
    for size in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1] {
        for index in [0, 1, size - 1, size / 2, u64::MAX] {
            let proof = InclusionProof { index, path: path.clone().into() };
            assert!(!verify_inclusion(&digest, size, &digest, &proof));
            let proof = ConsistencyProof { path: path.clone().into() };
            assert!(!verify_consistency((index, &digest), (size, &leaf_hash(&digest)), &proof));
        }
    }
}

#[test]
fn a_frontier_has_a_peak_for_each_binary_one_of_its_size() {
    assert_eq!(Frontier::from_peaks(5, vec![empty_root(); 3]), None);
    assert_eq!(Frontier::from_peaks(0, vec![]), Some(Frontier::default()));
}

#[test]
fn a_tree_without_leaves_has_one_root() {
    let (proof, other) = (ConsistencyProof { path: Vec::new().into() }, leaf_hash(&Digest::default()));
    assert!(verify_consistency((0, &empty_root()), (0, &empty_root()), &proof));
    assert!(!verify_consistency((0, &other), (0, &other), &proof));
    assert!(verify_consistency((1, &other), (1, &other), &proof));
}
