//! The right edge of a tree: all that appending and the root need.

use crate::crypto::Digest;
use crate::merkle::{empty_root, leaf_hash, node_hash};

/// The roots of the complete subtrees that a tree splits into, largest first: at most 64 digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

/// The root of a complete subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// It covers 2^level leaves.
    pub level: u8,
    /// How many subtrees of that level stand to its left.
    pub index: u64,
    /// Its hash.
    pub digest: Digest,
}

impl Frontier {
    /// The frontier with these parts; nothing unless there is one peak for each binary one of `size`.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Option<Frontier> {
        (peaks.len() == size.count_ones() as usize).then_some(Frontier { size, peaks })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the leaf made of `digest`. Hands back the subtrees that it completes, its own leaf first: two for
    /// each leaf on average, at most 64.
    pub fn append(&mut self, digest: &Digest) -> Vec<Node> {
        let mut node = Node { level: 0, index: self.size, digest: leaf_hash(digest) };
        let mut completed = vec![node];
        while node.index & 1 == 1 {
            let left = self.peaks.pop().expect("a right child has its left sibling among the peaks");
            node = Node {
                level: node.level + 1,
                index: node.index >> 1,
                digest: node_hash(&left, &node.digest),
            };
            completed.push(node);
        }
        self.peaks.push(node.digest);
        self.size += 1;
        completed
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        let mut right_to_left = self.peaks.iter().rev().copied();
        match right_to_left.next() {
            None => empty_root(),
            Some(last) => right_to_left.fold(last, |right, left| node_hash(&left, &right)),
        }
    }
}
