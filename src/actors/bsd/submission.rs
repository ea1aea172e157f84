//! One submission at the BSD: its machine, and what is known of it in each state.

use crate::crypto::Digest;
use crate::records::Failure;
use crate::session::UsedKey;
use crate::votes::BallotBox;
use crate::wire::{
    Certificate, Height, Name, QuorumCertificate, SealDigest, TBlock, TValid, Time, WrappedKey,
};
use tls_codec::{TlsByteVecU32, TlsVecU32};

crate::machine! {
    /// What the BSD (T_v) does with one submission.
    name: submission_machine,
    states {
        AwaitingInitial "nothing is known of the tid",
        AwaitingVotes "T_block is with the validators",
        AwaitingFinality "accepted; the decision is not final yet",
        AwaitingRejection "rejected by the network; the decision is not final yet",
        AwaitingReceipt "T_valid is with the cloud",
        Committed "the cloud has the record",
        Rejected "a contract does not hold",
        Deferred "a person has to decide",
    }
    events {
        InitialArrived "T_initial came in",
        VoteArrived "a vote came in",
        AttemptExpired "the time for votes is over",
        BlockArrived "a block came into force",
        FinalityExpired "the time for a final decision is over",
        ReceiptArrived "a receipt came in",
        ReceiptExpired "the time for a receipt is over",
    }
    rows {
        AwaitingInitial, InitialArrived, "every check of T_initial holds" => AwaitingVotes, "T_block to every validator",
            [UserSignsInitial, TidIsFresh, CommitmentsMatchMapping, SealBeforeNextStage];
        AwaitingVotes, VoteArrived, "a quorum is possible, none is there" => AwaitingVotes, "", [MoreThanTwoThirds];
        AwaitingVotes, VoteArrived, "quorum true, re-verification holds" => AwaitingFinality, "Decision to everybody",
            [MoreThanTwoThirds, AcceptNeedsQuorum, AcceptNeedsReverification];
        AwaitingVotes, VoteArrived, "quorum false, re-verification does not hold" => AwaitingRejection,
            "Decision to everybody", [MoreThanTwoThirds];
        AwaitingVotes, VoteArrived, "the quorum contradicts re-verification" => Deferred, "Outcome; evidence",
            [AcceptNeedsReverification];
        AwaitingVotes, VoteArrived, "conflict, re-verification holds" => Deferred, "Outcome", [AcceptNeedsQuorum];
        AwaitingVotes, VoteArrived, "conflict, re-verification does not hold" => Rejected, "Outcome", [AcceptNeedsQuorum];
        AwaitingVotes, AttemptExpired, "attempts are left" => AwaitingVotes, "T_block to the silent validators",
            [FailoverIsBounded, FailoverKeepsDigest];
        AwaitingVotes, AttemptExpired, "none is left, re-verification holds" => Deferred, "Outcome",
            [FailoverIsBounded, AcceptNeedsQuorum];
        AwaitingVotes, AttemptExpired, "none is left, re-verification does not hold" => Rejected, "Outcome",
            [FailoverIsBounded, AcceptNeedsQuorum];
        AwaitingFinality, BlockArrived, "the decision is not final" => AwaitingFinality, "", [ConfirmationsReached];
        AwaitingFinality, BlockArrived, "the decision is final" => AwaitingReceipt, "T_valid to the cloud",
            [ConfirmationsReached, OnlyAcceptedIsPromoted, SealBeforeNextStage];
        AwaitingFinality, BlockArrived, "another decision is final" => Deferred, "Outcome; evidence",
            [ConfirmationsReached, AcceptNeedsReverification];
        AwaitingFinality, FinalityExpired => Deferred, "Outcome", [ConfirmationsReached];
        AwaitingRejection, BlockArrived, "the decision is not final" => AwaitingRejection, "", [ConfirmationsReached];
        AwaitingRejection, BlockArrived, "the decision is final" => Rejected, "Outcome", [ConfirmationsReached];
        AwaitingRejection, BlockArrived, "another decision is final" => Deferred, "Outcome; evidence",
            [ConfirmationsReached, AcceptNeedsReverification];
        AwaitingRejection, FinalityExpired => Rejected, "Outcome", [ConfirmationsReached];
        AwaitingReceipt, ReceiptArrived, "every check of the receipt holds" => Committed, "Outcome",
            [HeadSignedByCloud, LeafIsIncluded];
        AwaitingReceipt, ReceiptExpired, "attempts are left" => AwaitingReceipt, "T_valid to the cloud", [FailoverIsBounded];
        AwaitingReceipt, ReceiptExpired, "none is left" => Deferred, "Outcome", [FailoverIsBounded];
    }
    others {
        [AwaitingVotes, AwaitingFinality, AwaitingRejection, AwaitingReceipt, Committed, Rejected, Deferred],
            InitialArrived => [TidIsFresh];
        [AwaitingInitial], VoteArrived => [VoteNamesBlock];
        [AwaitingFinality, AwaitingRejection, AwaitingReceipt, Committed, Rejected, Deferred],
            VoteArrived => [FirstDecisionStands];
        [AwaitingInitial, AwaitingVotes, AwaitingReceipt, Committed, Rejected, Deferred], BlockArrived => [];
        [AwaitingInitial, AwaitingFinality, AwaitingRejection, AwaitingReceipt, Committed, Rejected, Deferred],
            AttemptExpired => [];
        [AwaitingInitial, AwaitingVotes, AwaitingReceipt, Committed, Rejected, Deferred], FinalityExpired => [];
        [AwaitingInitial, AwaitingVotes, AwaitingFinality, AwaitingRejection, Committed, Rejected, Deferred],
            ReceiptExpired => [];
    }
}

pub use submission_machine::{Event, State};

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
