//! How a submission ends: one entry of the audit log, one outcome.

use crate::actors::Output;
use crate::actors::bsd::submission::{State, Submission};
use crate::actors::bsd::{Bsd, persist};
use crate::audit::{AuditLog, Outcome as Ending};
use crate::crypto::{Digest, Domain};
use crate::store::Commit;
use crate::votes::BallotBox;
use crate::wire::{
    Decision, Gossip, Height, Message, Name, Outcome, QuorumCertificate, Reason, Terminal, Time, encode,
};
use bemr_spec::Refusal;

/// What is kept of a submission that ended.
pub(super) struct Ended {
    pub(super) user: Name,
    pub(super) outcome: Outcome,
    pub(super) ballots: BallotBox,
    pub(super) acknowledgement: Option<QuorumCertificate>,
}

impl Ended {
    pub(super) fn state(&self) -> State {
        match self.outcome.decision {
            Decision::Committed => State::Committed,
            Decision::Rejected => State::Rejected,
            Decision::Deferred | Decision::Refused => State::Deferred,
        }
    }
}

impl Bsd {
    /// Ends a submission: one audit entry, one outcome. When the entry cannot be kept, the submission has not ended.
    pub(super) fn end(
        &mut self,
        now: Time,
        tid: &Digest,
        decision: Decision,
        reason: u16,
        height: Height,
    ) -> Result<Vec<Output>, Refusal> {
        let Some(submission) = self.open.get(tid) else { return Ok(Vec::new()) };
        let ending = Ending {
            tid: *tid,
            terminal: match decision {
                Decision::Committed => Terminal::Committed,
                Decision::Rejected => Terminal::Rejected,
                Decision::Deferred => Terminal::Deferred,
                Decision::Refused => Terminal::Aborted,
            },
            reason,
            block: Some(Digest::of(Domain::T_BLOCK, &encode(&submission.block.body))),
            decision: (height > Height(0))
                .then(|| {
                    self.context.ledger_view.ledger.decision(tid).map(|found| found.certificate.digest())
                })
                .flatten(),
            seal: Some(submission.valid.as_ref().map_or(submission.seal.0, |valid| valid.body.seals)),
            time: now,
        };
        let mut audit = self.audit.clone();
        let entry = audit.append(&self.context.rules, ending)?;
        let outcome = Outcome { tid: *tid, decision, reason: Reason::from_code(reason), height };
        let Submission { user, reuse, ballots, acknowledgement, .. } = submission;
        let ended = Ended {
            user: user.clone(),
            outcome: outcome.clone(),
            ballots: ballots.clone(),
            acknowledgement: acknowledgement.clone(),
        };
        let (user, reuse) = (user.clone(), *reuse);
        // Once T_valid was sent the cloud may have the record, whatever came back.
        let stays = submission.valid.is_some();
        let commit = persist::ending(Commit::new().audit_entry(&entry), &ended, stays.then_some(reuse));
        let mut outputs = self.sign_audit(now, audit, commit)?;
        self.open.remove(tid);
        if !stays {
            self.known.remove(&reuse);
        }
        self.ended.insert(*tid, ended);
        // A user who is out of reach asks again.
        if let Ok((sent, _)) = self.context.send(now, &user, Message::Outcome(outcome)) {
            outputs.extend(sent);
        }
        Ok(outputs)
    }

    /// Signs `audit` as it stands and makes it the log, once it is kept with `commit`.
    pub(super) fn sign_audit(
        &mut self,
        now: Time,
        audit: AuditLog,
        commit: Commit,
    ) -> Result<Vec<Output>, Refusal> {
        let key = self.context.own.identity().signing_key();
        let head = audit.sign(&self.context.rules, key, now);
        self.store.commit(commit.audit_head(&head))?;
        self.audit = audit;
        self.audit_head = Some(head.head.digest());
        Ok(vec![Output::Publish(Gossip::AuditHead(head))])
    }
}
