//! The BSD: takes submissions (T_g), asks the network, decides (T_v), has accepted records stored, and keeps the
//! audit log.
//!
//! It evaluates contracts but does not vote, and cannot make the cloud store what the network did not accept.

mod check;
mod decide;
mod evidence;
mod initial;
mod persist;
mod submission;
mod terminal;
mod valid;
mod votes;

pub use check::{
    Addressee, SubmissionCheck, check_addressee, check_grants, check_tid, check_validity, facts,
};
pub use decide::{Acknowledgement, decide};
pub use evidence::Evidence;
pub use submission::{Event, Guard, State, submission_machine};

use crate::actors::{Actor, Input, LedgerView, NodeContext, Output, Received, Step, StoreHandle};
use crate::audit::AuditLog;
use crate::crypto::{Digest, Domain};
use crate::keys::{CertifiedPrincipal, TrustStore};
use crate::session::{SealChain, Sealed, UsedKey};
use crate::store::Commit;
use crate::transparency::LogOperator;
use crate::wire::{Decision, Gossip, Height, LogKind, Message, Name, Seal, SealDigest, Time, encode};
use bemr_spec::{Clause, Refusal, constants};
use std::collections::{BTreeMap, BTreeSet};
use submission::Submission;
use terminal::Ended;

/// The server database.
pub struct Bsd {
    context: NodeContext,
    addressee: Addressee,
    cloud: LogOperator,
    seals: SealChain,
    store: StoreHandle,
    audit: AuditLog,
    audit_head: Option<Digest>,
    reuse_key: [u8; 32],
    known: BTreeSet<Digest>,
    open: BTreeMap<Digest, Submission>,
    ended: BTreeMap<Digest, Ended>,
    evidence: Vec<Evidence>,
    /// Against whom in which transaction there is evidence: one piece suffices, and nobody can fill memory with more.
    convicted: BTreeSet<(Digest, Name)>,
}

impl Bsd {
    /// A BSD that has seen nothing.
    ///
    /// # Errors
    /// CLD-06 when the store does not take what it begins with.
    pub fn new(
        mut context: NodeContext,
        cloud: LogOperator,
        seals: SealChain,
        store: StoreHandle,
        audit: AuditLog,
    ) -> Result<Bsd, Refusal> {
        let mut reuse_key = [0; 32];
        rand::Rng::fill_bytes(&mut context.rng, &mut reuse_key);
        store.commit(persist::reuse_key(&reuse_key))?;
        context.persist_in(&store)?;
        Ok(Bsd::with(context, cloud, seals, store, audit, reuse_key))
    }

    fn with(
        context: NodeContext,
        cloud: LogOperator,
        seals: SealChain,
        store: StoreHandle,
        audit: AuditLog,
        reuse_key: [u8; 32],
    ) -> Bsd {
        let addressee = Addressee {
            bsd: context.name().clone(),
            network: context.ledger_view.validators.network().clone(),
        };
        Bsd {
            context,
            addressee,
            cloud,
            seals,
            store,
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
        let open = self.open.get(tid).map(|submission| submission.state);
        open.or_else(|| self.ended.get(tid).map(Ended::state)).unwrap_or(State::INITIAL)
    }

    /// The state of every submission that it knows.
    pub fn submissions(&self) -> impl Iterator<Item = (&Digest, State)> {
        let open = self.open.iter().map(|(tid, submission)| (tid, submission.state));
        open.chain(self.ended.iter().map(|(tid, ended)| (tid, ended.state())))
    }

    /// How many entries its audit log has.
    pub fn audited(&self) -> u64 {
        self.audit.count()
    }

    /// Its context, for checkers that observe it or act in its name.
    #[cfg(bemr_weaken)]
    pub fn context(&mut self) -> &mut NodeContext {
        &mut self.context
    }

    /// Its copy of the ledger and the policy.
    pub fn ledger_view(&self) -> &LedgerView {
        &self.context.ledger_view
    }

    /// Its copy of what the KDC publishes.
    pub fn trust(&self) -> &TrustStore {
        &self.context.trust
    }

    /// Whether the newest head of its audit log is anchored in a final block.
    pub fn is_anchored(&self) -> bool {
        let anchor = self.context.ledger_view.ledger.final_anchor(LogKind::Audit, self.context.name());
        anchor.map(|(_, anchor)| anchor.head) == self.audit_head
    }

    /// Closes the audit log: nothing follows. Gives the head to be anchored.
    ///
    /// # Errors
    /// AUD-05 for a second time, and while a submission is open: its end would follow. CLD-06 when the store does not take
    /// it.
    pub fn close(&mut self, now: Time) -> Result<Vec<Output>, Refusal> {
        let rules = &self.context.rules;
        self.audit.require_open(rules)?;
        rules
            .require(Clause::CountIsClosed, self.open.is_empty())
            .map_err(|refusal| refusal.at("a submission is open"))?;
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
    ) -> (bemr_spec::Event, Result<Vec<Output>, Refusal>, Vec<Output>) {
        match message {
            Message::TInitial(initial) => {
                let tid = initial.header.tid;
                let taken = self.on_initial(now, peer, &initial, key);
                let repeats = match &taken {
                    Err(refusal) if refusal.clause() == Clause::TidIsFresh => {
                        self.repeat_outcome(now, peer, &tid)
                    }
                    Err(refusal) if self.context.rules.is_silent(refusal) => Vec::new(),
                    Err(refusal) => self.refuse(now, peer, &tid, refusal),
                    Ok(_) => Vec::new(),
                };
                (Event::InitialArrived.into(), taken, repeats)
            }
            Message::Vote(vote) => {
                (Event::VoteArrived.into(), self.on_vote(now, peer, vote, key), Vec::new())
            }
            Message::Receipt(receipt) => {
                (Event::ReceiptArrived.into(), self.on_receipt(now, peer, &receipt), Vec::new())
            }
            other => {
                let refusal = Refusal::new(Clause::MessageTypeIsExpected).at(other.name());
                (bemr_spec::Event::Unexpected, Err(refusal), Vec::new())
            }
        }
    }

    pub(super) fn seal<S: crate::session::SealableStage>(
        &mut self,
        tid: Digest,
        keys: &mut Vec<UsedKey>,
    ) -> Result<Sealed<S>, Refusal> {
        let (seal, sealed) = self.seals.seal::<S>(&self.context.rules, tid, keys)?;
        self.keep_seal(&seal)?;
        Ok(sealed)
    }

    fn keep_seal(&mut self, seal: &Seal) -> Result<(), Refusal> {
        let name = format!("seal/{}", SealDigest::of(seal).0);
        self.store.commit(Commit::new().meta(&name, encode(seal)))
    }

    fn on_expiry(&mut self, now: Time, tid: &Digest) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        let Some(submission) = self.open.get_mut(tid) else { return Ok(Vec::new()) };
        // Should the step fail, it is tried again.
        submission.deadline = Some(now.after(constants::BSD_ATTEMPT_MS));
        let left =
            rules.require(Clause::FailoverIsBounded, submission.attempts < constants::BSD_ATTEMPTS).is_ok();
        match submission.state {
            State::AwaitingVotes if left => {
                let guard = Guard::AttemptsAreLeft;
                submission.state = submission.state.on(&rules, Event::AttemptExpired, guard)?;
                Ok(self.send_block(now, tid))
            }
            State::AwaitingVotes => self.decide(now, tid, Acknowledgement::Timeout, None),
            State::AwaitingReceipt if left => {
                let guard = Guard::AttemptsAreLeft;
                submission.state = submission.state.on(&rules, Event::ReceiptExpired, guard)?;
                self.send_valid(now, tid)
            }
            State::AwaitingReceipt => {
                submission.state.on(&rules, Event::ReceiptExpired, Guard::NoneIsLeft)?;
                let height = submission.valid.as_ref().map_or(Height(0), |valid| valid.body.height);
                self.end(now, tid, Decision::Deferred, Clause::FailoverIsBounded.code(), height)
            }
            State::AwaitingFinality => {
                submission.state.on(&rules, Event::FinalityExpired, Guard::Always)?;
                self.end(now, tid, Decision::Deferred, Clause::ConfirmationsReached.code(), Height(0))
            }
            State::AwaitingRejection => {
                submission.state.on(&rules, Event::FinalityExpired, Guard::Always)?;
                let reason = submission.acknowledgement.as_ref().map_or(0, |ack| ack.body.reason);
                self.end(now, tid, Decision::Rejected, reason, Height(0))
            }
            State::AwaitingInitial | State::Committed | State::Rejected | State::Deferred => Ok(Vec::new()),
        }
    }

    /// The open submissions that are `such`, in the order in which they were taken.
    fn in_order(&self, such: impl Fn(&Submission) -> bool) -> Vec<Digest> {
        let these = self.open.iter().filter(|(_, one)| such(one));
        let mut these: Vec<(usize, Digest)> = these.map(|(tid, one)| (one.number, *tid)).collect();
        these.sort_unstable();
        these.into_iter().map(|(_, tid)| tid).collect()
    }

    fn on_wake(&mut self, now: Time) -> Step {
        let mut outputs = self.context.retry(now);
        let due = |one: &Submission| one.deadline.is_some_and(|deadline| deadline <= now);
        let expired = self.in_order(due);
        let first = expired.first().map(|tid| self.state_of(tid));
        let event: bemr_spec::Event = match first {
            Some(State::AwaitingVotes) => Event::AttemptExpired.into(),
            Some(State::AwaitingReceipt) => Event::ReceiptExpired.into(),
            Some(_) => Event::FinalityExpired.into(),
            None => bemr_spec::Event::Wake,
        };
        let mut refusal = None;
        for tid in expired {
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
        let Gossip::Block(block) = gossip else { return self.context.on_gossip(now, from, gossip) };
        let event = bemr_spec::Event::BlockArrived;
        let (taken, missing) = self.context.on_block(now, from, block);
        let kept = taken.and_then(|change| self.store.store_block(&change, &self.context.ledger_view.ledger));
        let (outputs, stuck) = match kept {
            Ok(()) => self.on_blocks(now),
            Err(refusal) => (missing, Some(refusal)),
        };
        match stuck {
            None => Step::taken(event, outputs),
            Some(refusal) => Step { event, outcome: Err(refusal), repeats: outputs },
        }
    }
}

impl Actor for Bsd {
    fn name(&self) -> &Name {
        self.context.name()
    }

    fn handle(&mut self, now: Time, input: Input) -> Step {
        match input {
            Input::Wake => self.on_wake(now),
            Input::Gossip { from, gossip } => self.on_gossip(now, &from, gossip),
            Input::Packet { from, packet } => match self.context.receive(now, &from, &packet) {
                (event, Err(refusal)) => Step::refused(event, refusal),
                (_, Ok(Received::HandshakeProgress(event, outputs, sent))) => {
                    for (_, message, key) in sent {
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
        deadlines.chain(self.context.sessions.wake()).min()
    }

    fn state(&self) -> Digest {
        let mut public = self.context.ledger_view.state();
        public.extend(self.audit.count().to_be_bytes());
        for (tid, submission) in &self.open {
            public.extend(tid.as_bytes());
            public.extend(submission.state.name().as_bytes());
        }
        Digest::of(Domain::PUBLIC_STATE, &public)
    }
}
