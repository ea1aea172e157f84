//! One submission at the BSD: its machine, and what is known of it in each state.

use crate::crypto::Digest;
use crate::records::Failure;
use crate::session::UsedKey;
use crate::votes::BallotBox;
use crate::wire::{
    Certificate, Height, Name, QuorumCertificate, SealDigest, TBlock, TValid, Time, WrappedKey,
};
use tls_codec::{TlsByteVecU32, TlsVecU32};

pub use bemr_spec::machines::submission_machine;
pub use submission_machine::{Event, Guard, State};

/// What the BSD keeps of a submission until it ends.
pub(super) struct Submission {
    /// How many were taken before.
    pub(super) number: usize,
    pub(super) state: State,
    pub(super) user: Name,
    pub(super) certificate: Certificate,
    pub(super) block: TBlock,
    pub(super) verdict: Result<(), Failure>,
    pub(super) reuse: Digest,
    pub(super) ballots: BallotBox,
    /// Keys that carried T_block and the votes, until they are sealed.
    pub(super) used: Vec<UsedKey>,
    pub(super) seal: SealDigest,
    pub(super) grants: TlsVecU32<WrappedKey>,
    pub(super) ciphertext: TlsByteVecU32,
    /// Attempts of the present state so far.
    pub(super) attempts: u32,
    pub(super) deadline: Option<Time>,
    pub(super) acknowledgement: Option<QuorumCertificate>,
    pub(super) valid: Option<Box<TValid>>,
}

/// An accepted submission whose decision is final: what T_valid is made from, and nothing else is.
pub(super) struct Accepted {
    pub(super) acknowledgement: QuorumCertificate,
    pub(super) height: Height,
    pub(super) header: Digest,
    pub(super) inclusion: crate::wire::InclusionProof,
}
