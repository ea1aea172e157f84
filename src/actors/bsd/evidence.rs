//! What the BSD found out about others.

use crate::actors::bsd::{Bsd, persist};
use crate::votes::{BallotBox, Equivocation, VerifiedVote};
use crate::wire::{QuorumCertificate, Vote};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// The most pieces of evidence that it keeps; later ones are counted, not kept.
const MAX_EVIDENCE: usize = 4096;

/// What the BSD found out about others.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Evidence {
    /// A validator voted twice, differently.
    #[tls_codec(discriminant = 1)]
    Equivocation(Equivocation),
    /// A validator's vote came after a decision that it contradicts.
    #[tls_codec(discriminant = 2)]
    LateAndContrary(Vote),
    /// A quorum certified what re-verification contradicts.
    #[tls_codec(discriminant = 3)]
    Overruled(QuorumCertificate),
}

impl Bsd {
    pub(super) fn keep_evidence(&mut self, evidence: Option<Evidence>) {
        let Some(evidence) = evidence.filter(|_| self.evidence.len() != MAX_EVIDENCE) else { return };
        let fresh = match &evidence {
            Evidence::Equivocation(Equivocation { second: vote, .. }) | Evidence::LateAndContrary(vote) => {
                self.convicted.insert((vote.body.tid, vote.validator.clone()))
            }
            Evidence::Overruled(_) => true,
        };
        if fresh {
            // Evidence is sent to nobody, so the step succeeds although the store does not take it.
            let _ = self.store.commit(persist::evidence(self.evidence.len(), &evidence));
            self.evidence.push(evidence);
        }
    }
}

/// What a vote that came after the decision is evidence of: that its validator voted differently before, or
/// contradicts the quorum that decided.
pub(super) fn contrary(
    ballots: &BallotBox,
    decided: Option<&QuorumCertificate>,
    late: VerifiedVote,
) -> Option<Evidence> {
    let counted = ballots.counted(&late).cloned();
    let late = late.into_vote();
    match counted {
        Some(first) if first.body != late.body => {
            Some(Evidence::Equivocation(Equivocation { first, second: late }))
        }
        Some(_) => None,
        None => decided.filter(|decided| decided.body != late.body).map(|_| Evidence::LateAndContrary(late)),
    }
}
