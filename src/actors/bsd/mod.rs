//! The BSD: takes submissions (T_g), asks the network, decides (T_v), has accepted records stored, and keeps the
//! audit log.
//!
//! It evaluates contracts but does not vote, and cannot make the cloud store what the network did not accept.

mod decide;
mod intake;
mod submission;

pub use decide::{Acknowledgement, decide};
pub use intake::{Addressee, Desk, check_addressee, check_grants, check_tid, check_validity, facts};
pub use submission::{Event, State, submission_machine};

use crate::actors::{Actor, Archive, Input, Office, Output, Received, Step};
use crate::audit::{AuditLog, Outcome as Ending};
use crate::crypto::{Digest, Tag};
use crate::keys::{CertifiedPrincipal, Place};
use crate::log::{CloudIdentity, verify_head, verify_leaf};
use crate::merkle::MerkleTree;
use crate::session::{SealChain, Sealed, UsedKey, stage};
use crate::store::Commit;
use crate::votes::{BallotBox, Equivocation, Tally, VerifiedVote};
use crate::wire::{
    Ballot, BlockBody, Decision, Gossip, Height, LeafKind, LogKind, Message, Name, Outcome, PROTOCOL_VERSION,
    QuorumCertificate, Receipt, Seal, SealDigest, StoredRecord, TBlock, TInitial, TValid, Terminal, Time,
    ValidBody, Vote, VoteBody, encode,
};
use bemr_spec::{Clause, Refusal};
use std::collections::{BTreeMap, BTreeSet};
use submission::{Accepted, Submission};

/// How long the BSD waits for votes, and for a receipt, in each attempt, in milliseconds.
pub const ATTEMPT: u64 = 4_000;

/// How many times it sends one message.
pub const ATTEMPTS: u32 = 3;

/// How long it waits for a decision to become final, in milliseconds.
pub const FINALITY: u64 = 60_000;

/// The most pieces of evidence that it keeps; later ones are counted, not kept.
const MAX_EVIDENCE: usize = 4096;

/// What the BSD found out about others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A validator said two things.
    Equivocation(Equivocation),
    /// A validator's vote came after a decision that it contradicts.
    LateAndContrary(Vote),
    /// A quorum certified what re-verification contradicts.
    Overruled(QuorumCertificate),
}

/// The server database.
pub struct Bsd {
    office: Office,
    addressee: Addressee,
    cloud: CloudIdentity,
    seals: SealChain,
    archive: Archive,
    audit: AuditLog,
    audit_head: Option<Digest>,
    reuse_key: [u8; 32],
    known: BTreeSet<Digest>,
    open: BTreeMap<Digest, Submission>,
    ended: BTreeMap<Digest, Ended>,
    evidence: Vec<Evidence>,
    /// Of whom in which transaction there is evidence: one piece convicts, and nobody can fill the room with more.
    convicted: BTreeSet<(Digest, Name)>,
}

/// What is kept of a submission that ended.
struct Ended {
    user: Name,
    outcome: Outcome,
    ballots: BallotBox,
    acknowledgement: Option<QuorumCertificate>,
}

impl Bsd {
    /// A BSD that has seen nothing.
    pub fn new(
        mut office: Office,
        cloud: CloudIdentity,
        seals: SealChain,
        archive: Archive,
        audit: AuditLog,
    ) -> Bsd {
        let mut reuse_key = [0; 32];
        rand::Rng::fill_bytes(&mut office.rng, &mut reuse_key);
        let addressee =
            Addressee { bsd: office.name().clone(), network: office.replica.validators.network().clone() };
        Bsd {
            office,
            addressee,
            cloud,
            seals,
            archive,
            audit,
            audit_head: None,
            reuse_key,
            known: BTreeSet::new(),
            open: BTreeMap::new(),
            ended: BTreeMap::new(),
            evidence: Vec::new(),
            convicted: BTreeSet::new(),
        }
    }

    /// What it found out about others, oldest first.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The state of a submission; [`State::AwaitingInitial`] for one that it does not know.
    pub fn state_of(&self, tid: &Digest) -> State {
        let ended = |ended: &Ended| match ended.outcome.decision {
            Decision::Committed => State::Committed,
            Decision::Rejected => State::Rejected,
            Decision::Deferred | Decision::Refused => State::Deferred,
        };
        let open = self.open.get(tid).map(|submission| submission.state);
        open.or_else(|| self.ended.get(tid).map(ended)).unwrap_or(State::INITIAL)
    }

    /// How many submissions have not ended.
    pub fn open_submissions(&self) -> usize {
        self.open.len()
    }

    /// Its copy of the ledger and the policy.
    pub fn replica(&self) -> &crate::actors::Replica {
        &self.office.replica
    }

    /// Whether the newest head of its audit log is anchored in a final block.
    pub fn is_anchored(&self) -> bool {
        let anchor = self.office.replica.ledger.final_anchor(LogKind::Audit, self.office.name());
        anchor.map(|(_, anchor)| anchor.head) == self.audit_head
    }

    /// Closes the audit log: nothing follows. Gives the head to be anchored.
    ///
    /// # Errors
    /// CLD-06 when the store does not take it.
    pub fn close(&mut self, now: Time) -> Result<Vec<Output>, Refusal> {
        let mut audit = self.audit.clone();
        audit.close();
        self.sign_audit(now, audit, Commit::new())
    }

    fn on_message(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        message: Message,
        key: UsedKey,
    ) -> (&'static str, Result<Vec<Output>, Refusal>, Vec<Output>) {
        match message {
            Message::TInitial(initial) => {
                let tid = initial.header.tid;
                let taken = self.on_initial(now, peer, &initial, key);
                let repeats = match &taken {
                    Err(refusal) if refusal.clause() == Clause::TidIsFresh => {
                        self.repeat_outcome(now, peer, &tid)
                    }
                    Err(refusal) => self.refuse(now, peer, &tid, refusal),
                    Ok(_) => Vec::new(),
                };
                (Event::InitialArrived.name(), taken, repeats)
            }
            Message::Vote(vote) => {
                (Event::VoteArrived.name(), self.on_vote(now, peer, vote, key), Vec::new())
            }
            Message::Receipt(receipt) => {
                (Event::ReceiptArrived.name(), self.on_receipt(now, peer, &receipt), Vec::new())
            }
            other => {
                let refusal = Refusal::new(Clause::MessageTypeIsExpected).at(other.name());
                (other.name(), Err(refusal), Vec::new())
            }
        }
    }

    fn on_initial(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        initial: &TInitial,
        key: UsedKey,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.office.rules;
        peer.role().require_place(&rules, Place::User)?;
        let (tid, header) = (initial.header.tid, &initial.header);
        let replica = &self.office.replica;
        let height = replica.next_height();
        let desk = Desk {
            rules: &rules,
            addressee: &self.addressee,
            directory: &self.office.directory,
            policy: &replica.policy,
            height,
            now,
        };
        desk.check_sender(initial, peer)?;
        let fresh = !self.open.contains_key(&tid) && !self.ended.contains_key(&tid);
        rules.require(Clause::TidIsFresh, fresh)?;
        let intake = desk.check_record(initial, peer)?;
        let reuse = self.reuse_digest(&header.patient, &intake.record);
        rules.require(Clause::RecordNotReused, !self.known.contains(&reuse))?;
        desk.check_readers(initial)?;
        self.office.check_readers_certified(now, header.issued, &initial.grants)?;

        let state = State::INITIAL.step(&rules, Event::InitialArrived, State::AwaitingVotes)?;
        let sealed = if rules.in_force(Clause::SealBeforeNextStage) {
            self.seal::<stage::Initial>(tid, &mut vec![key])?
        } else {
            Sealed::none(&rules, tid)?
        };
        let block = self.compose_block(now, peer, initial, height, intake.policy, intake.openings, sealed)?;
        let validators = self.office.replica.validators.clone();
        let asked = VoteBody {
            version: PROTOCOL_VERSION,
            suite: header.suite,
            network: self.addressee.network.clone(),
            validators: validators.digest(),
            tid,
            block: Digest::of(Tag::T_BLOCK, &encode(&block.body)),
            policy: block.body.policy,
            height,
            ballot: Ballot::True,
            reason: 0,
        };
        let submission = Submission {
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

    #[expect(clippy::too_many_arguments, reason = "T_block is made from exactly these parts")]
    fn compose_block(
        &self,
        now: Time,
        peer: &CertifiedPrincipal,
        initial: &TInitial,
        height: Height,
        policy: Digest,
        openings: Vec<crate::wire::AttributeOpening>,
        sealed: Sealed<stage::Initial>,
    ) -> Result<TBlock, Refusal> {
        let rules = &self.office.rules;
        let header = &initial.header;
        let body = BlockBody {
            version: PROTOCOL_VERSION,
            suite: header.suite,
            tid: header.tid,
            bsd: self.office.name().clone(),
            network: self.addressee.network.clone(),
            validators: self.office.replica.validators.digest(),
            height,
            initial: Digest::of(Tag::T_INITIAL, &encode(header)),
            policy,
            seal: sealed.digest_for(rules, &header.tid)?.0,
            issued: now,
        };
        let signature = self.office.own.identity().signing_key().sign(rules, Tag::T_BLOCK, &encode(&body));
        Ok(TBlock {
            body,
            signature,
            initial: header.clone(),
            user: peer.certificate().clone(),
            user_signature: initial.signature.clone(),
            openings: openings.into(),
        })
    }

    /// Sends T_block, the same bytes each time, to the validators that have not voted. One that cannot be reached
    /// does not keep it from the others.
    fn send_block(&mut self, now: Time, tid: &Digest) -> Vec<Output> {
        let Some(submission) = self.open.get_mut(tid) else { return Vec::new() };
        submission.attempts += 1;
        submission.deadline = Some(now.after(ATTEMPT));
        let again = submission.attempts > 1;
        let mut block = submission.block.clone();
        let silent: Vec<Name> = submission.ballots.silent().cloned().collect();
        if again && !self.office.rules.in_force(Clause::FailoverKeepsDigest) {
            block.body.issued = now;
            let key = self.office.own.identity().signing_key();
            block.signature = key.sign(&self.office.rules, Tag::T_BLOCK, &encode(&block.body));
        }
        if !again {
            let message = Message::TBlock(Box::new(block));
            let (outputs, keys) = self.office.say_to_all(now, &silent, &message);
            self.note_used(tid, keys);
            return outputs;
        }
        let mut outputs = Vec::new();
        for validator in silent {
            let message = Message::TBlock(Box::new(block.clone()));
            if let Ok((sent, key)) = self.office.say_again(now, &validator, message) {
                outputs.extend(sent);
                self.note_used(tid, key);
            }
        }
        outputs
    }

    fn note_used(&mut self, tid: &Digest, keys: impl IntoIterator<Item = UsedKey>) {
        if let Some(submission) = self.open.get_mut(tid) {
            submission.used.extend(keys);
        }
    }

    fn on_vote(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        vote: Vote,
        key: UsedKey,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.office.rules;
        rules
            .require(Clause::VoterIsAdmitted, vote.validator == *peer.name())
            .map_err(|refusal| refusal.at("sent by another"))?;
        let tid = vote.body.tid;
        let Some(submission) = self.open.get_mut(&tid) else {
            let ended = self.ended.get(&tid).ok_or_else(|| Refusal::new(Clause::VoteNamesBlock).at("tid"))?;
            let vote = ended.ballots.verify(&rules, vote)?;
            let contrary = contrary(&ended.ballots, ended.acknowledgement.as_ref(), vote);
            self.keep_evidence(contrary);
            return Err(Refusal::new(Clause::FirstDecisionStands));
        };
        let vote = submission.ballots.verify(&rules, vote)?;
        if submission.state != State::AwaitingVotes {
            if let Err(refusal) = rules.require(Clause::FirstDecisionStands, false) {
                let contrary = contrary(&submission.ballots, submission.acknowledgement.as_ref(), vote);
                self.keep_evidence(contrary);
                return Err(refusal);
            }
            submission.state = State::AwaitingVotes;
        }
        if let Some(equivocation) = submission.ballots.cast(&rules, vote)? {
            self.keep_evidence(Some(Evidence::Equivocation(equivocation)));
            return Err(Refusal::new(Clause::OneVotePerValidator).at("contrary"));
        }
        submission.used.push(key);
        let tally = submission.ballots.tally(&rules);
        match tally {
            Tally::Open => {
                let submission = self.open.get_mut(&tid).expect("it was there above");
                submission.state = submission.state.step(&rules, Event::VoteArrived, State::AwaitingVotes)?;
                Ok(Vec::new())
            }
            Tally::Conflict => self.decide(now, &tid, Event::VoteArrived, Acknowledgement::Conflict, None),
            Tally::Quorum(certificate) => {
                let acknowledgement = Acknowledgement::from(certificate.body.ballot);
                self.decide(now, &tid, Event::VoteArrived, acknowledgement, Some(certificate))
            }
        }
    }

    /// T_v: re-verifies, decides, and does what follows.
    fn decide(
        &mut self,
        now: Time,
        tid: &Digest,
        event: Event,
        acknowledgement: Acknowledgement,
        certificate: Option<QuorumCertificate>,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.office.rules;
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
                submission.deadline = Some(now.after(FINALITY));
                let outputs = certificate.map(|certificate| {
                    // The votes in it were verified one by one.
                    self.office.replica.ledger.note_verified(&certificate);
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

    /// Goes on with what awaits a block. A submission that cannot go on does not keep the others from it; it stays
    /// as it is until its time is over.
    fn on_blocks(&mut self, now: Time) -> (Vec<Output>, Option<Refusal>) {
        let waiting = |state| matches!(state, State::AwaitingFinality | State::AwaitingRejection);
        let tids: Vec<Digest> =
            self.open.iter().filter(|(_, one)| waiting(one.state)).map(|(tid, _)| *tid).collect();
        let (mut outputs, mut refusal) = (Vec::new(), None);
        let mut trees = BTreeMap::new();
        for tid in tids {
            match self.on_block_for(now, &tid, &mut trees) {
                Ok(sent) => outputs.extend(sent),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        (outputs, refusal)
    }

    /// Goes on with a submission when its decision is final. `trees` keeps the trees of the blocks looked at so far.
    fn on_block_for(
        &mut self,
        now: Time,
        tid: &Digest,
        trees: &mut BTreeMap<Height, MerkleTree>,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.office.rules;
        let Some(submission) = self.open.get_mut(tid) else { return Ok(Vec::new()) };
        let ledger = &self.office.replica.ledger;
        let decision = ledger.decision(tid);
        let is_final =
            decision.as_ref().is_some_and(|found| ledger.require_final(&rules, found.digest).is_ok());
        let state = submission.state;
        let Some(found) = decision.filter(|_| is_final) else {
            submission.state = state.step(&rules, Event::BlockArrived, state)?;
            return Ok(Vec::new());
        };
        let (height, header) = (found.block.header().height, *found.digest);
        let said = found.certificate.body.clone();
        if submission.acknowledgement.as_ref().is_some_and(|decided| decided.body != said) {
            state.step(&rules, Event::BlockArrived, State::Deferred)?;
            let other = found.certificate.clone();
            self.keep_evidence(Some(Evidence::Overruled(other)));
            return self.end(now, tid, Decision::Deferred, Clause::AcceptNeedsReverification.code(), height);
        }
        if state == State::AwaitingRejection {
            state.step(&rules, Event::BlockArrived, State::Rejected)?;
            return self.end(now, tid, Decision::Rejected, said.reason, height);
        }
        let next = state.step(&rules, Event::BlockArrived, State::AwaitingReceipt)?;
        let tree = trees.entry(height).or_insert_with(|| ledger.entry_tree(height).unwrap_or_default());
        let inclusion = tree.prove_inclusion(tree.size(), found.index as u64);
        let accepted = Accepted {
            acknowledgement: found.certificate.clone(),
            height,
            header,
            inclusion: inclusion.expect("the ledger just named this entry"),
        };
        let mut used = std::mem::take(&mut submission.used);
        let sealed = if rules.in_force(Clause::SealBeforeNextStage) {
            self.seal::<stage::Block>(*tid, &mut used)?
        } else {
            Sealed::none(&rules, *tid)?
        };
        let valid = self.compose_valid(now, tid, accepted, sealed)?;
        if let Some(submission) = self.open.get_mut(tid) {
            submission.state = next;
            submission.attempts = 0;
            submission.valid = Some(Box::new(valid));
        }
        self.send_valid(now, tid)
    }

    fn compose_valid(
        &self,
        now: Time,
        tid: &Digest,
        accepted: Accepted,
        sealed: Sealed<stage::Block>,
    ) -> Result<TValid, Refusal> {
        let rules = &self.office.rules;
        let submission = self.open.get(tid).ok_or_else(|| Refusal::new(Clause::OnlyAcceptedIsPromoted))?;
        let block = &submission.block;
        let body = ValidBody {
            version: PROTOCOL_VERSION,
            suite: block.body.suite,
            tid: *tid,
            bsd: self.office.name().clone(),
            cloud: self.cloud.cloud.clone(),
            block: Digest::of(Tag::T_BLOCK, &encode(&block.body)),
            acknowledgement: accepted.acknowledgement.digest(),
            height: accepted.height,
            header: accepted.header,
            seals: sealed.digest_for(rules, tid)?.0,
            issued: now,
        };
        let signature = self.office.own.identity().signing_key().sign(rules, Tag::T_VALID, &encode(&body));
        Ok(TValid {
            body,
            signature,
            initial: block.initial.clone(),
            user: submission.certificate.clone(),
            user_signature: block.user_signature.clone(),
            block: block.body.clone(),
            acknowledgement: accepted.acknowledgement,
            inclusion: accepted.inclusion,
            grants: submission.grants.clone(),
            ciphertext: submission.ciphertext.clone(),
        })
    }

    fn send_valid(&mut self, now: Time, tid: &Digest) -> Result<Vec<Output>, Refusal> {
        let Some(submission) = self.open.get_mut(tid) else { return Ok(Vec::new()) };
        let Some(valid) = submission.valid.clone() else { return Ok(Vec::new()) };
        submission.attempts += 1;
        submission.deadline = Some(now.after(ATTEMPT));
        let again = submission.attempts > 1;
        let cloud = self.cloud.cloud.clone();
        let (outputs, _) = match again {
            true => self.office.say_again(now, &cloud, Message::TValid(valid))?,
            false => self.office.say(now, &cloud, Message::TValid(valid))?,
        };
        Ok(outputs)
    }

    fn on_receipt(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        receipt: &Receipt,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.office.rules;
        peer.require_claim(&rules, &self.cloud.cloud, crate::wire::Role::Cloud)?;
        let tid = receipt.leaf.tid;
        let submission =
            self.open.get_mut(&tid).ok_or_else(|| Refusal::new(Clause::EventFitsState).at("tid"))?;
        submission.state.expects(&rules, Event::ReceiptArrived)?;
        verify_head(&rules, &self.cloud, &receipt.head)?;
        let stored = submission.valid.as_deref().map(StoredRecord::of);
        rules
            .check(Clause::LeafIsIncluded, || {
                receipt.leaf.kind == LeafKind::Record
                    && stored.is_some_and(|stored| receipt.leaf.content == stored.digest())
            })
            .map_err(|refusal| refusal.at("leaf"))?;
        verify_leaf(&rules, &receipt.head.head, &receipt.leaf, &receipt.inclusion)?;
        submission.state.step(&rules, Event::ReceiptArrived, State::Committed)?;
        let height = submission.valid.as_ref().map_or(Height(0), |valid| valid.body.height);
        self.end(now, &tid, Decision::Committed, 0, height)
    }

    /// Ends a submission: one audit entry, one outcome. When the entry cannot be kept, the submission has not ended.
    fn end(
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
            block: Some(Digest::of(Tag::T_BLOCK, &encode(&submission.block.body))),
            decision: (height > Height(0))
                .then(|| self.office.replica.ledger.decision(tid).map(|found| found.certificate.digest()))
                .flatten(),
            seal: Some(submission.valid.as_ref().map_or(submission.seal.0, |valid| valid.body.seals)),
            time: now,
        };
        let mut audit = self.audit.clone();
        let entry = audit.append(&self.office.rules, ending)?;
        let mut outputs = self.sign_audit(now, audit, Commit::new().audit_entry(&entry))?;
        let Some(submission) = self.open.remove(tid) else { return Ok(outputs) };
        let Submission { user, reuse, ballots, acknowledgement, .. } = submission;
        if decision != Decision::Committed {
            self.known.remove(&reuse);
        }
        let outcome = Outcome { tid: *tid, decision, reason, height };
        // A user who is out of reach asks again.
        if let Ok((sent, _)) = self.office.say(now, &user, Message::Outcome(outcome.clone())) {
            outputs.extend(sent);
        }
        self.ended.insert(*tid, Ended { user, outcome, ballots, acknowledgement });
        Ok(outputs)
    }

    /// Signs `audit` as it stands and makes it the log, once it is kept with `commit`.
    fn sign_audit(&mut self, now: Time, audit: AuditLog, commit: Commit) -> Result<Vec<Output>, Refusal> {
        let key = self.office.own.identity().signing_key();
        let head = audit.sign(&self.office.rules, key, now);
        self.archive.commit(commit.audit_head(&head))?;
        self.audit = audit;
        self.audit_head = Some(head.head.digest());
        Ok(vec![Output::Publish(Gossip::AuditHead(head))])
    }

    fn seal<S: crate::session::SealableStage>(
        &mut self,
        tid: Digest,
        keys: &mut Vec<UsedKey>,
    ) -> Result<Sealed<S>, Refusal> {
        let (seal, sealed) = self.seals.seal::<S>(&self.office.rules, tid, keys)?;
        self.keep_seal(&seal)?;
        Ok(sealed)
    }

    fn keep_seal(&mut self, seal: &Seal) -> Result<(), Refusal> {
        let name = format!("seal/{}", SealDigest::of(seal).0);
        self.archive.commit(Commit::new().meta(&name, encode(seal)))
    }

    fn repeat_outcome(&mut self, now: Time, peer: &CertifiedPrincipal, tid: &Digest) -> Vec<Output> {
        let ended = self.ended.get(tid).filter(|ended| ended.user == *peer.name());
        let message = ended.map(|ended| Message::Outcome(ended.outcome.clone()));
        message
            .and_then(|message| self.office.say(now, peer.name(), message).ok())
            .map_or(Vec::new(), |(sent, _)| sent)
    }

    /// Tells the sender which clause their submission breaks.
    fn refuse(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        tid: &Digest,
        refusal: &Refusal,
    ) -> Vec<Output> {
        let outcome = Outcome {
            tid: *tid,
            decision: Decision::Refused,
            reason: refusal.clause().code(),
            height: Height(0),
        };
        self.office.say(now, peer.name(), Message::Outcome(outcome)).map_or(Vec::new(), |(sent, _)| sent)
    }

    fn reuse_digest(&self, patient: &Name, record: &[u8]) -> Digest {
        Digest::of_parts(Tag::RECORD_REUSE, &[&self.reuse_key, &encode(patient), record])
    }

    fn keep_evidence(&mut self, evidence: Option<Evidence>) {
        let Some(evidence) = evidence else { return };
        let fresh = match &evidence {
            Evidence::Equivocation(Equivocation { second: vote, .. }) | Evidence::LateAndContrary(vote) => {
                self.convicted.len() < MAX_EVIDENCE
                    && self.convicted.insert((vote.body.tid, vote.validator.clone()))
            }
            Evidence::Overruled(_) => true,
        };
        if fresh && self.evidence.len() < MAX_EVIDENCE {
            self.evidence.push(evidence);
        }
    }

    fn on_expiry(&mut self, now: Time, tid: &Digest) -> Result<Vec<Output>, Refusal> {
        let rules = self.office.rules;
        let Some(submission) = self.open.get_mut(tid) else { return Ok(Vec::new()) };
        // Should the step fail, it is tried again.
        submission.deadline = Some(now.after(ATTEMPT));
        let left = rules.require(Clause::FailoverIsBounded, submission.attempts < ATTEMPTS).is_ok();
        match submission.state {
            State::AwaitingVotes if left => {
                submission.state =
                    submission.state.step(&rules, Event::AttemptExpired, State::AwaitingVotes)?;
                Ok(self.send_block(now, tid))
            }
            State::AwaitingVotes => {
                self.decide(now, tid, Event::AttemptExpired, Acknowledgement::Timeout, None)
            }
            State::AwaitingReceipt if left => {
                submission.state =
                    submission.state.step(&rules, Event::ReceiptExpired, State::AwaitingReceipt)?;
                self.send_valid(now, tid)
            }
            State::AwaitingReceipt => {
                submission.state.step(&rules, Event::ReceiptExpired, State::Deferred)?;
                let height = submission.valid.as_ref().map_or(Height(0), |valid| valid.body.height);
                self.end(now, tid, Decision::Deferred, Clause::FailoverIsBounded.code(), height)
            }
            State::AwaitingFinality => {
                submission.state.step(&rules, Event::FinalityExpired, State::Deferred)?;
                self.end(now, tid, Decision::Deferred, Clause::ConfirmationsReached.code(), Height(0))
            }
            State::AwaitingRejection => {
                submission.state.step(&rules, Event::FinalityExpired, State::Rejected)?;
                let reason = submission.acknowledgement.as_ref().map_or(0, |ack| ack.body.reason);
                self.end(now, tid, Decision::Rejected, reason, Height(0))
            }
            State::AwaitingInitial | State::Committed | State::Rejected | State::Deferred => Ok(Vec::new()),
        }
    }

    fn on_wake(&mut self, now: Time) -> Step {
        let mut outputs = self.office.retry(now);
        let due = |one: &Submission| one.deadline.is_some_and(|deadline| deadline <= now);
        let expired: Vec<(Digest, State)> =
            self.open.iter().filter(|(_, one)| due(one)).map(|(tid, one)| (*tid, one.state)).collect();
        let event = match expired.first() {
            Some((_, State::AwaitingVotes)) => Event::AttemptExpired.name(),
            Some((_, State::AwaitingReceipt)) => Event::ReceiptExpired.name(),
            Some(_) => Event::FinalityExpired.name(),
            None => "Retry",
        };
        let mut refusal = None;
        for (tid, _) in expired {
            match self.on_expiry(now, &tid) {
                Ok(sent) => outputs.extend(sent),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        match refusal {
            None => Step::taken(event, outputs),
            Some(refusal) => Step { event, outcome: Err(refusal), repeats: outputs },
        }
    }

    fn on_gossip(&mut self, now: Time, from: &Name, gossip: Gossip) -> Step {
        let event = gossip.name();
        match gossip {
            Gossip::Block(block) => match self.office.replica.on_block(&self.office.rules, now, block) {
                Ok(change) => {
                    let kept = self.archive.keep_block(&change, &self.office.replica.ledger);
                    let (outputs, stuck) = match kept {
                        Ok(()) => self.on_blocks(now),
                        Err(refusal) => (Vec::new(), Some(refusal)),
                    };
                    let event = Event::BlockArrived.name();
                    match stuck {
                        None => Step::taken(event, outputs),
                        Some(refusal) => Step { event, outcome: Err(refusal), repeats: outputs },
                    }
                }
                Err(refusal) => {
                    let repeats = self.office.replica.missing(now, &refusal, from);
                    Step { event: Event::BlockArrived.name(), outcome: Err(refusal), repeats }
                }
            },
            Gossip::BlocksFrom(height) => Step::taken(event, self.office.replica.blocks_from(height, from)),
            Gossip::PolicyChange(change) => {
                let outcome = self.office.on_policy_change(now, &change);
                Step { event, outcome: outcome.map(|()| Vec::new()), repeats: Vec::new() }
            }
            Gossip::RevocationList(list) => {
                let outcome = self.office.on_revocation_list(list);
                Step { event, outcome: outcome.map(|()| Vec::new()), repeats: Vec::new() }
            }
            _ => Step::taken(event, Vec::new()),
        }
    }
}

/// What a vote that came after the decision is evidence of: that its validator said something else before, or
/// contradicts the quorum that decided.
fn contrary(
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

impl Actor for Bsd {
    fn name(&self) -> &Name {
        self.office.name()
    }

    fn handle(&mut self, now: Time, input: Input) -> Step {
        match input {
            Input::Wake => self.on_wake(now),
            Input::Gossip { from, gossip } => self.on_gossip(now, &from, gossip),
            Input::Packet { from, packet } => match self.office.receive(now, &from, &packet) {
                (event, Err(refusal)) => Step::refused(event, refusal),
                (_, Ok(Received::Shook(event, outputs, said))) => {
                    for (_, message, key) in said {
                        if let Message::TBlock(block) = message {
                            self.note_used(&block.body.tid, [key]);
                        }
                    }
                    Step::taken(event, outputs)
                }
                (_, Ok(Received::Message { peer, message, key })) => {
                    let (event, outcome, repeats) = self.on_message(now, &peer, message, key);
                    Step { event, outcome, repeats }
                }
            },
        }
    }

    fn wake(&self) -> Option<Time> {
        let deadlines = self.open.values().filter_map(|one| one.deadline);
        deadlines.chain(self.office.neighbours.wake()).min()
    }

    fn state(&self) -> Digest {
        let mut public = self.office.replica.state();
        public.extend(self.audit.count().to_be_bytes());
        for (tid, submission) in &self.open {
            public.extend(tid.as_bytes());
            public.extend(submission.state.name().as_bytes());
        }
        Digest::of(Tag::PUBLIC_STATE, &public)
    }
}
