//! What is tested: the product, or the product with a bug.

use crate::targets::Kept;
use bemr::conformance::lockstep::Sides;
use bemr::conformance::{Trace, TraceError};
use bemr::crypto::{Digest, Scalar};
use bemr::merkle::{verify_consistency, verify_inclusion};
use bemr::store::{RedbStore, StoreError};
use bemr::wire::{Codec, ConsistencyProof, InclusionProof};
use bemr_spec::{Refusal, Rules};
use std::path::Path;

/// What a decoder takes, written again.
pub type Again = fn(&Codec, &Rules, &[u8]) -> Result<Vec<u8>, Refusal>;

/// `root`, size, leaf, proof.
pub type VerifyInclusion = fn(&Digest, u64, &Digest, &InclusionProof) -> bool;

/// Size and root of the first tree, of the second, proof.
pub type VerifyConsistency = fn((u64, &Digest), (u64, &Digest), &ConsistencyProof) -> bool;

/// What the targets call.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The rules of model and implementation in lockstep.
    pub sides: Sides,
    /// The rules of everything else.
    pub rules: Rules,
    /// Decodes and encodes again.
    pub again: Again,
    /// The verifier of inclusion.
    pub inclusion: VerifyInclusion,
    /// The verifier of consistency.
    pub consistency: VerifyConsistency,
    /// The first and the product of the two others.
    pub plus_product: fn(&Scalar, &Scalar, &Scalar) -> Result<Scalar, Refusal>,
    /// Reads a trace.
    pub read_trace: fn(&[u8]) -> Result<Trace, TraceError>,
    /// Opens the store on a path and reads all of it.
    pub open: fn(&Path) -> Result<Kept, StoreError>,
}

impl Subject {
    /// The product as it is.
    pub fn product() -> Subject {
        Subject {
            sides: Rules::hardened().into(),
            rules: Rules::hardened(),
            again: Codec::again,
            inclusion: verify_inclusion,
            consistency: verify_consistency,
            plus_product: Scalar::plus_product,
            read_trace: |bytes| Trace::read(bytes),
            open,
        }
    }
}

/// All that the store on a path keeps.
pub(crate) fn open(path: &Path) -> Result<Kept, StoreError> {
    RedbStore::open(path).and_then(|store| Kept::of(&store))
}
