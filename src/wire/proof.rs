//! Proofs about Merkle trees.

use crate::crypto::Digest;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16};

/// Shows that a leaf stands at an index of a tree whose size and root the verifier knows.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct InclusionProof {
    /// The index of the leaf, from 0.
    pub index: u64,
    /// The siblings on the way from the leaf to the root.
    pub path: TlsVecU16<Digest>,
}

/// Shows that a tree extends another one; the verifier knows both sizes and roots.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct ConsistencyProof {
    /// The subtrees that rebuild both roots.
    pub path: TlsVecU16<Digest>,
}
