//! The verifiers. They walk the bits of sizes and indices from the leaf upwards, where the prover splits ranges
//! from the root downwards.

use crate::crypto::Digest;
use crate::merkle::{empty_root, leaf_hash, node_hash};
use crate::wire::{ConsistencyProof, InclusionProof};

/// Whether `proof` shows the leaf made of `digest` in the tree with `size` leaves and `root`. A proof has one
/// length: neither a shorter nor a longer one verifies.
pub fn verify_inclusion(root: &Digest, size: u64, digest: &Digest, proof: &InclusionProof) -> bool {
    if proof.index >= size {
        return false;
    }
    let mut walk = Walk { node: proof.index, last: size - 1 };
    let mut hash = leaf_hash(digest);
    for sibling in proof.path.iter() {
        match walk.up() {
            None => return false,
            Some(Side::Left) => hash = node_hash(sibling, &hash),
            Some(Side::Right) => hash = node_hash(&hash, sibling),
        }
    }
    walk.last == 0 && hash == *root
}

/// Whether `proof` shows that the tree with `second` leaves and `second_root` extends the tree with `first`
/// leaves and `first_root`. A proof has one length.
pub fn verify_consistency(
    (first, first_root): (u64, &Digest),
    (second, second_root): (u64, &Digest),
    proof: &ConsistencyProof,
) -> bool {
    let path = proof.path.as_slice();
    if first == second {
        return path.is_empty() && first_root == second_root && (first > 0 || *first_root == empty_root());
    }
    if first == 0 {
        return path.is_empty() && *first_root == empty_root();
    }
    if first > second {
        return false;
    }
    let mut walk = Walk { node: first - 1, last: second - 1 };
    walk.skip_right_children();
    let (start, path) = match (first.is_power_of_two(), path.split_first()) {
        (true, _) => (first_root, path),
        (false, Some((start, path))) => (start, path),
        (false, None) => return false,
    };
    let (mut old, mut new) = (*start, *start);
    for sibling in path {
        match walk.up() {
            None => return false,
            Some(Side::Left) => {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
            }
            Some(Side::Right) => new = node_hash(&new, sibling),
        }
    }
    walk.last == 0 && old == *first_root && new == *second_root
}

/// On which side of the node its sibling stands.
enum Side {
    Left,
    Right,
}

/// A node of a level of the tree, and the last node of that level.
struct Walk {
    node: u64,
    last: u64,
}

impl Walk {
    /// Goes up to the next level where the node has a sibling, and one further; nothing at the root.
    fn up(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // The last node of an odd level has no sibling there: it is the same node one level up.
            while self.node & 1 == 0 && self.node != 0 {
                self.shift();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.shift();
        Some(side)
    }

    fn skip_right_children(&mut self) {
        while self.node & 1 == 1 {
            self.shift();
        }
    }

    fn shift(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}
