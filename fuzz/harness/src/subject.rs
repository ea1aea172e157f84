//! What is tested: the product, or the product with a bug.

use crate::targets::Kept;
use bemr::crypto::{Digest, Scalar};
use bemr::store::{RedbStore, StoreError};
use bemr::wire::{Codec, ConsistencyProof, InclusionProof};
use bemr_lab::lockstep::Sides;
use bemr_lab::trace::{Trace, TraceError};
use bemr_spec::{Refusal, Rules};
use std::path::Path;

/// What a decoder takes, written again.
pub type Again = fn(&Codec, &Rules, &[u8]) -> Result<Vec<u8>, Refusal>;

/// The first and the product of the two others.
pub type PlusProduct = fn(&Scalar, &Scalar, &Scalar) -> Result<Scalar, Refusal>;

/// `root`, size, leaf, proof.
pub type VerifyInclusion = fn(&Digest, u64, &Digest, &InclusionProof) -> bool;

/// Size and root of the first tree, of the second, proof.
pub type VerifyConsistency = fn((u64, &Digest), (u64, &Digest), &ConsistencyProof) -> bool;

/// Reads a trace.
pub type ReadTrace = fn(&[u8]) -> Result<Trace, TraceError>;

/// Reads all of the store on a path.
pub type Open = fn(&Path) -> Result<Kept, StoreError>;

/// What the targets call: the product, but where something else stands in its place. The product is not named here, so that a
/// fuzzing engine looks only at the part of it that a target calls.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The rules of model and implementation in lockstep.
    pub sides: Sides,
    /// The rules of everything else.
    pub rules: Rules,
    /// In the place of [`Codec::again`].
    pub again: Option<Again>,
    /// In the place of [`bemr::merkle::verify_inclusion`].
    pub inclusion: Option<VerifyInclusion>,
    /// In the place of [`bemr::merkle::verify_consistency`].
    pub consistency: Option<VerifyConsistency>,
    /// In the place of [`Scalar::plus_product`].
    pub plus_product: Option<PlusProduct>,
    /// In the place of [`Trace::read`].
    pub read_trace: Option<ReadTrace>,
    /// In the place of a store's own opening.
    pub open: Option<Open>,
}

impl Subject {
    /// The product as it is.
    pub const fn product() -> Subject {
        let law = Rules::hardened();
        Subject {
            sides: Sides { model: law, implementation: law },
            rules: law,
            again: None,
            inclusion: None,
            consistency: None,
            plus_product: None,
            read_trace: None,
            open: None,
        }
    }
}

/// All that the store on a path keeps.
pub(crate) fn open(path: &Path) -> Result<Kept, StoreError> {
    RedbStore::open(path).and_then(|store| Kept::of(&store))
}
