//! The prover: proofs at any size that a tree ever had, from its complete subtrees.

use crate::crypto::Digest;
use crate::merkle::{empty_root, node_hash};
use crate::wire::{ConsistencyProof, InclusionProof};
use std::ops::Range;

/// Where the complete subtrees of a tree are kept.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// The root of the subtree of the leaves `index * 2^level` up to `(index + 1) * 2^level`.
    ///
    /// # Errors
    /// When the tree has no such subtree, or whoever holds it cannot read it.
    fn node(&self, level: u8, index: u64) -> Result<Digest, Self::Error>;
}

/// The root of the first `size` leaves. Reads at most 64 nodes.
///
/// # Errors
/// As [`Nodes::node`], among others when the tree has fewer leaves.
pub fn root_at<N: Nodes>(nodes: &N, size: u64) -> Result<Digest, N::Error> {
    if size == 0 { Ok(empty_root()) } else { subtree(nodes, 0..size) }
}

/// Proves the leaf at `index` in the tree of the first `size` leaves, `index < size`. Reads O(log size) nodes.
///
/// # Errors
/// As [`Nodes::node`].
pub fn prove_inclusion<N: Nodes>(nodes: &N, size: u64, index: u64) -> Result<InclusionProof, N::Error> {
    let mut siblings = Vec::new();
    let mut leaves = 0..size;
    while leaves.end - leaves.start > 1 {
        let middle = split(&leaves);
        let (own, sibling) = match index < middle {
            true => (leaves.start..middle, middle..leaves.end),
            false => (middle..leaves.end, leaves.start..middle),
        };
        siblings.push(subtree(nodes, sibling)?);
        leaves = own;
    }
    siblings.reverse();
    Ok(InclusionProof { index, path: siblings.into() })
}

/// Proves that the tree of the first `second` leaves extends that of the first `first`. Reads O(log second) nodes. The
/// proof is empty where there is nothing to show: when `first` is zero or not less than `second`.
///
/// # Errors
/// As [`Nodes::node`].
pub fn prove_consistency<N: Nodes>(nodes: &N, first: u64, second: u64) -> Result<ConsistencyProof, N::Error> {
    let mut path = Vec::new();
    if 0 < first && first < second {
        let mut leaves = 0..second;
        // Whether `leaves` starts where the old tree starts: then the verifier holds its root already.
        let mut known = true;
        while leaves.end != first {
            let middle = split(&leaves);
            if first <= middle {
                path.push(subtree(nodes, middle..leaves.end)?);
                leaves.end = middle;
            } else {
                path.push(subtree(nodes, leaves.start..middle)?);
                leaves.start = middle;
                known = false;
            }
        }
        if !known {
            path.push(subtree(nodes, leaves)?);
        }
        path.reverse();
    }
    Ok(ConsistencyProof { path: path.into() })
}

/// Where a tree of at least two leaves splits: after the largest power of two that is less than its size.
fn split(leaves: &Range<u64>) -> u64 {
    leaves.start + (1 << (leaves.end - leaves.start - 1).ilog2())
}

fn subtree<N: Nodes>(nodes: &N, leaves: Range<u64>) -> Result<Digest, N::Error> {
    let size = leaves.end - leaves.start;
    if size.is_power_of_two() {
        let level = size.ilog2();
        return nodes.node(level as u8, leaves.start >> level);
    }
    let middle = split(&leaves);
    let left = subtree(nodes, leaves.start..middle)?;
    Ok(node_hash(&left, &subtree(nodes, middle..leaves.end)?))
}
