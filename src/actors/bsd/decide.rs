//! T_v: what follows from an ACK and the BSD's own re-verification.

use crate::actors::Output;
use crate::actors::bsd::submission::{Event, State};
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

/// The decision table of the chapter on votes: the state that follows, and the clause that decided when it is not
/// the contracts.
pub fn decide(rules: &Rules, acknowledgement: Acknowledgement, reverified: bool) -> (State, Option<Clause>) {
    let fail_open = !rules.in_force(Clause::AcceptNeedsQuorum);
    match (acknowledgement, reverified) {
        (Acknowledgement::True, true) => (State::AwaitingFinality, None),
        (Acknowledgement::True, false) if !rules.in_force(Clause::AcceptNeedsReverification) => {
            (State::AwaitingFinality, None)
        }
        (Acknowledgement::False, false) => (State::AwaitingRejection, None),
        (Acknowledgement::True, false) | (Acknowledgement::False, true) => {
            (State::Deferred, Some(Clause::AcceptNeedsReverification))
        }
        (Acknowledgement::Conflict | Acknowledgement::Timeout, _) if fail_open => {
            (State::AwaitingFinality, None)
        }
        (Acknowledgement::Conflict | Acknowledgement::Timeout, false) => (State::Rejected, None),
        (Acknowledgement::Conflict, true) => (State::Deferred, Some(Clause::AcceptNeedsQuorum)),
        (Acknowledgement::Timeout, true) => (State::Deferred, Some(Clause::FailoverIsBounded)),
    }
}

impl Bsd {
    /// T_v: re-verifies, decides, and does what follows.
    pub(super) fn decide(
        &mut self,
        now: Time,
        tid: &Digest,
        event: Event,
        acknowledgement: Acknowledgement,
        certificate: Option<QuorumCertificate>,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        let Some(submission) = self.open.get_mut(tid) else { return Ok(Vec::new()) };
        let reverified = submission.verdict.is_ok();
        let (next, clause) = decide(&rules, acknowledgement, reverified);
        // Without ACK-04 a submission is accepted on no certificate, for which the table has no row.
        let fail_open = next == State::AwaitingFinality && certificate.is_none();
        let state = if fail_open { next } else { submission.state.step(&rules, event, next)? };
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
