//! T_v: what follows from an ACK and the BSD's own re-verification.

use crate::actors::Output;
use crate::actors::bsd::submission::{Event, Guard, State};
use crate::actors::bsd::{Bsd, Evidence};
use crate::crypto::Digest;
use crate::wire::{Ballot, Decision, Gossip, Height, QuorumCertificate, Time};
use bemr_spec::{Clause, Refusal, Rules, constants};

/// The network's verdict on a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// A quorum voted true.
    True,
    /// A quorum voted false.
    False,
    /// No quorum can come about any more.
    Conflict,
    /// No quorum came about in time.
    Timeout,
}

impl From<Ballot> for Acknowledgement {
    fn from(ballot: Ballot) -> Self {
        match ballot {
            Ballot::True => Acknowledgement::True,
            Ballot::False => Acknowledgement::False,
        }
    }
}

/// What the decision table of chapter 9 says: which row of the machine applies, and the clause that decided when it is not
/// the contracts.
fn ruling(
    rules: &Rules,
    acknowledgement: Acknowledgement,
    reverified: bool,
) -> (Event, Guard, Option<Clause>) {
    let accepted = (Event::VoteArrived, Guard::QuorumTrueReVerificationHolds, None);
    let fail_open = !rules.in_force(Clause::AcceptNeedsQuorum);
    match (acknowledgement, reverified) {
        (Acknowledgement::True, true) => accepted,
        (Acknowledgement::True, false) if !rules.in_force(Clause::AcceptNeedsReverification) => accepted,
        (Acknowledgement::False, false) => {
            (Event::VoteArrived, Guard::QuorumFalseReVerificationDoesNotHold, None)
        }
        (Acknowledgement::True, false) | (Acknowledgement::False, true) => {
            let clause = Clause::AcceptNeedsReverification;
            (Event::VoteArrived, Guard::TheQuorumContradictsReVerification, Some(clause))
        }
        // Without ACK-04 a conflict or a time-out is taken for a true quorum.
        (Acknowledgement::Conflict | Acknowledgement::Timeout, _) if fail_open => accepted,
        (Acknowledgement::Conflict, true) => {
            (Event::VoteArrived, Guard::ConflictReVerificationHolds, Some(Clause::AcceptNeedsQuorum))
        }
        (Acknowledgement::Conflict, false) => {
            (Event::VoteArrived, Guard::ConflictReVerificationDoesNotHold, None)
        }
        (Acknowledgement::Timeout, true) => {
            let clause = Clause::FailoverIsBounded;
            (Event::AttemptExpired, Guard::NoneIsLeftReVerificationHolds, Some(clause))
        }
        (Acknowledgement::Timeout, false) => {
            (Event::AttemptExpired, Guard::NoneIsLeftReVerificationDoesNotHold, None)
        }
    }
}

/// The decision table of the chapter on votes: the state that follows while votes are awaited, and the clause that decided
/// when it is not the contracts.
pub fn decide(rules: &Rules, acknowledgement: Acknowledgement, reverified: bool) -> (State, Option<Clause>) {
    let (event, guard, clause) = ruling(rules, acknowledgement, reverified);
    let state = State::AwaitingVotes.on(rules, event, guard);
    (state.expect("every ruling is a row of the state that awaits votes"), clause)
}

impl Bsd {
    /// T_v: re-verifies, decides, and does what follows.
    pub(super) fn decide(
        &mut self,
        now: Time,
        tid: &Digest,
        acknowledgement: Acknowledgement,
        certificate: Option<QuorumCertificate>,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        let Some(submission) = self.open.get_mut(tid) else { return Ok(Vec::new()) };
        let reverified = submission.verdict.is_ok();
        let (event, guard, clause) = ruling(&rules, acknowledgement, reverified);
        let state = submission.state.on(&rules, event, guard)?;
        let reason = match (clause, &submission.verdict) {
            (Some(clause), _) => clause.code(),
            (None, Err(failure)) => failure.reason(),
            (None, Ok(())) => 0,
        };
        submission.acknowledgement.clone_from(&certificate);
        match state {
            State::AwaitingFinality | State::AwaitingRejection => {
                submission.state = state;
                submission.attempts = 0;
                submission.deadline = Some(now.after(constants::BSD_FINALITY_MS));
                let outputs = certificate.map(|certificate| {
                    // The votes in it were verified one by one.
                    self.context.ledger_view.ledger.note_verified(&certificate);
                    Output::Publish(Gossip::Decision(certificate))
                });
                Ok(outputs.into_iter().collect())
            }
            _ => {
                if clause == Some(Clause::AcceptNeedsReverification) {
                    self.keep_evidence(certificate.map(Evidence::Overruled));
                }
                let decision = if state == State::Rejected { Decision::Rejected } else { Decision::Deferred };
                self.end(now, tid, decision, reason, Height(0))
            }
        }
    }
}
