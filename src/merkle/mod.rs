//! Append-only Merkle trees of the shape of RFC 9162: growing them, proving, verifying.
//!
//! The verifiers share no code with the prover beyond the two hashes. What a leaf means, who signs a root and
//! where nodes are kept is for other rooms.

mod frontier;
mod prove;
mod tree;
mod verify;

#[cfg(test)]
mod tests;

pub use frontier::{Frontier, Node};
pub use prove::{Nodes, prove_consistency, prove_inclusion, root_at};
pub use tree::{MerkleTree, NoSuchNode};
pub use verify::{verify_consistency, verify_inclusion};

use crate::crypto::{Digest, Domain};

/// The root of the tree without leaves.
pub fn empty_root() -> Digest {
    Digest::of(Domain::MERKLE_EMPTY, &[])
}

/// The hash of a leaf made of `digest`.
pub fn leaf_hash(digest: &Digest) -> Digest {
    Digest::of(Domain::MERKLE_LEAF, digest.as_bytes())
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(Domain::MERKLE_NODE, &[left.as_bytes(), right.as_bytes()])
}

/// The root of the tree of these leaf digests.
pub fn root_of<'a>(digests: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut frontier = Frontier::default();
    for digest in digests {
        frontier.append(digest);
    }
    frontier.root()
}
