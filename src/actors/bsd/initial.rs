//! T_initial at the BSD: how it accepts or rejects a submission, and to whom it reports that.

use crate::actors::Output;
use crate::actors::bsd::submission::Submission;
use crate::actors::bsd::{Bsd, Event, Guard, SubmissionCheck};
use crate::crypto::{Digest, Domain};
use crate::keys::{CertifiedPrincipal, Party};
use crate::session::{Sealed, UsedKey, stage};
use crate::votes::BallotBox;
use crate::wire::{
    Ballot, Decision, Height, Message, Name, Outcome, PROTOCOL_VERSION, SealDigest, TInitial, Time, VoteBody,
    encode,
};
use bemr_spec::{Clause, Refusal};

impl Bsd {
    pub(super) fn on_initial(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        initial: &TInitial,
        key: UsedKey,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        peer.role().require_place(&rules, Party::User)?;
        let (tid, header) = (initial.header.tid, &initial.header);
        let ledger_view = &self.context.ledger_view;
        let height = ledger_view.next_height();
        let check = SubmissionCheck {
            rules: &rules,
            addressee: &self.addressee,
            directory: &self.context.directory,
            policy: &ledger_view.policy,
            height,
            now,
        };
        check.check_sender(initial, peer)?;
        let fresh = !self.open.contains_key(&tid) && !self.ended.contains_key(&tid);
        rules.require(Clause::TidIsFresh, fresh)?;
        self.audit.require_open(&rules)?;
        let intake = check.check_record(initial, peer)?;
        let reuse = self.reuse_digest(&header.patient, &intake.record);
        rules.require(Clause::RecordNotReused, !self.known.contains(&reuse))?;
        check.check_readers(initial)?;
        self.context.check_readers_certified(now, header.issued, &initial.grants)?;

        let state =
            self.state_of(&tid).on(&rules, Event::InitialArrived, Guard::EveryCheckOfTInitialHolds)?;
        let sealed = if rules.in_force(Clause::SealBeforeNextStage) {
            self.seal::<stage::Initial>(tid, &mut vec![key])?
        } else {
            Sealed::none(&rules, tid)?
        };
        let block = self.build_block(now, peer, initial, height, intake.policy, intake.openings, sealed)?;
        let validators = self.context.ledger_view.validators.clone();
        let asked = VoteBody {
            version: PROTOCOL_VERSION,
            suite: header.suite,
            network: self.addressee.network.clone(),
            validators: validators.digest(),
            tid,
            block: Digest::of(Domain::T_BLOCK, &encode(&block.body)),
            policy: block.body.policy,
            height,
            ballot: Ballot::True,
            reason: 0,
        };
        let submission = Submission {
            number: self.ended.len() + self.open.len(),
            state,
            user: header.user.clone(),
            certificate: peer.certificate().clone(),
            seal: SealDigest(block.body.seal),
            block,
            verdict: intake.verdict,
            reuse,
            ballots: BallotBox::new(validators, asked),
            used: Vec::new(),
            grants: initial.grants.clone(),
            ciphertext: initial.ciphertext.clone(),
            attempts: 0,
            deadline: None,
            acknowledgement: None,
            valid: None,
        };
        self.known.insert(reuse);
        self.open.insert(tid, submission);
        Ok(self.send_block(now, &tid))
    }

    pub(super) fn repeat_outcome(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        tid: &Digest,
    ) -> Vec<Output> {
        let ended = self.ended.get(tid).filter(|ended| ended.user == *peer.name());
        let message = ended.map(|ended| Message::Outcome(ended.outcome.clone()));
        message
            .and_then(|message| self.context.send(now, peer.name(), message).ok())
            .map_or(Vec::new(), |(sent, _)| sent)
    }

    /// Tells the sender which clause their submission breaks.
    pub(super) fn refuse(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        tid: &Digest,
        refusal: &Refusal,
    ) -> Vec<Output> {
        let outcome = Outcome {
            tid: *tid,
            decision: Decision::Refused,
            reason: refusal.clause().into(),
            height: Height(0),
        };
        self.context.send(now, peer.name(), Message::Outcome(outcome)).map_or(Vec::new(), |(sent, _)| sent)
    }

    fn reuse_digest(&self, patient: &Name, record: &[u8]) -> Digest {
        Digest::of_parts(Domain::RECORD_REUSE, &[&self.reuse_key, &encode(patient), record])
    }
}
