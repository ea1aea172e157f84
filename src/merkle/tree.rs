//! A tree in memory.

use crate::crypto::Digest;
use crate::merkle::{Frontier, Node, Nodes, prove_consistency, prove_inclusion, root_at};
use crate::wire::{ConsistencyProof, InclusionProof};

/// A tree with all its complete subtrees in memory: 64 bytes for each leaf.
#[derive(Clone, Debug, Default)]
pub struct MerkleTree {
    frontier: Frontier,
    levels: Vec<Vec<Digest>>,
}

/// The tree has no such node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchNode {
    /// The level that was asked for.
    pub level: u8,
    /// The index that was asked for.
    pub index: u64,
}

impl MerkleTree {
    /// Appends the leaf made of `digest`.
    pub fn append(&mut self, digest: &Digest) {
        for Node { level, digest, .. } in self.frontier.append(digest) {
            match self.levels.get_mut(usize::from(level)) {
                Some(nodes) => nodes.push(digest),
                None => self.levels.push(vec![digest]),
            }
        }
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Its root.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// The root of its first `size` leaves; nothing when it has fewer.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        (size <= self.size()).then(|| root_at(self, size).ok()).flatten()
    }

    /// Proves the leaf at `index` in the tree of the first `size` leaves; nothing when there is none.
    pub fn prove_inclusion(&self, size: u64, index: u64) -> Option<InclusionProof> {
        (index < size && size <= self.size()).then(|| prove_inclusion(self, size, index).ok()).flatten()
    }

    /// Proves that the tree of the first `second` leaves extends that of the first `first`.
    pub fn prove_consistency(&self, first: u64, second: u64) -> Option<ConsistencyProof> {
        (first <= second && second <= self.size()).then(|| prove_consistency(self, first, second).ok()).flatten()
    }
}

impl Nodes for MerkleTree {
    type Error = NoSuchNode;

    fn node(&self, level: u8, index: u64) -> Result<Digest, NoSuchNode> {
        let nodes = self.levels.get(usize::from(level));
        let at = usize::try_from(index).ok();
        nodes.zip(at).and_then(|(nodes, at)| nodes.get(at)).copied().ok_or(NoSuchNode { level, index })
    }
}

impl<'a> FromIterator<&'a Digest> for MerkleTree {
    fn from_iter<I: IntoIterator<Item = &'a Digest>>(digests: I) -> Self {
        let mut tree = MerkleTree::default();
        for digest in digests {
            tree.append(digest);
        }
        tree
    }
}
