//! From a decision that is final to the cloud's receipt.

use crate::actors::Output;
use crate::actors::bsd::submission::Accepted;
use crate::actors::bsd::{Bsd, Event, Evidence, Guard, State};
use crate::crypto::{Digest, Domain};
use crate::keys::CertifiedPrincipal;
use crate::merkle::MerkleTree;
use crate::session::{Sealed, stage};
use crate::transparency::{verify_head, verify_leaf};
use crate::wire::{
    Decision, Height, LeafKind, Message, PROTOCOL_VERSION, Receipt, Role, StoredRecord, TValid, Time,
    ValidBody, encode,
};
use bemr_spec::{Clause, Refusal, constants};
use std::collections::BTreeMap;

impl Bsd {
    /// Goes on with what awaits a block. A submission that cannot go on does not keep the others from it; it stays
    /// as it is until its time is over.
    pub(super) fn on_blocks(&mut self, now: Time) -> (Vec<Output>, Option<Refusal>) {
        let waiting = |state| matches!(state, State::AwaitingFinality | State::AwaitingRejection);
        let tids = self.in_order(|one| waiting(one.state));
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
        let rules = self.context.rules;
        let Some(submission) = self.open.get_mut(tid) else { return Ok(Vec::new()) };
        let ledger = &self.context.ledger_view.ledger;
        let decision = ledger.decision(tid);
        let is_final =
            decision.as_ref().is_some_and(|found| ledger.require_final(&rules, found.digest).is_ok());
        let state = submission.state;
        let Some(found) = decision.filter(|_| is_final) else {
            submission.state = state.on(&rules, Event::BlockArrived, Guard::TheDecisionIsNotFinal)?;
            return Ok(Vec::new());
        };
        let (height, header) = (found.block.header().height, *found.digest);
        let sent = found.certificate.body.clone();
        if submission.acknowledgement.as_ref().is_some_and(|decided| decided.body != sent) {
            state.on(&rules, Event::BlockArrived, Guard::AnotherDecisionIsFinal)?;
            let other = found.certificate.clone();
            self.keep_evidence(Some(Evidence::Overruled(other)));
            return self.end(now, tid, Decision::Deferred, Clause::AcceptNeedsReverification.code(), height);
        }
        // Without ACK-06 a rejected submission is promoted as if it had been accepted.
        let accepted_only = rules.in_force(Clause::OnlyAcceptedIsPromoted);
        let state = if accepted_only { state } else { State::AwaitingFinality };
        let next = state.on(&rules, Event::BlockArrived, Guard::TheDecisionIsFinal)?;
        if next == State::Rejected {
            return self.end(now, tid, Decision::Rejected, sent.reason, height);
        }
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
        let valid = self.build_valid(now, tid, accepted, sealed)?;
        if let Some(submission) = self.open.get_mut(tid) {
            submission.state = next;
            submission.attempts = 0;
            submission.valid = Some(Box::new(valid));
        }
        self.send_valid(now, tid)
    }

    fn build_valid(
        &self,
        now: Time,
        tid: &Digest,
        accepted: Accepted,
        sealed: Sealed<stage::Block>,
    ) -> Result<TValid, Refusal> {
        let rules = &self.context.rules;
        let submission = self.open.get(tid).ok_or_else(|| Refusal::new(Clause::OnlyAcceptedIsPromoted))?;
        let block = &submission.block;
        let body = ValidBody {
            version: PROTOCOL_VERSION,
            suite: block.body.suite,
            tid: *tid,
            bsd: self.context.name().clone(),
            cloud: self.cloud.name.clone(),
            block: Digest::of(Domain::T_BLOCK, &encode(&block.body)),
            acknowledgement: accepted.acknowledgement.digest(),
            height: accepted.height,
            header: accepted.header,
            seals: sealed.digest_for(rules, tid)?.0,
            issued: now,
        };
        let signature =
            self.context.own.identity().signing_key().sign(rules, Domain::T_VALID, &encode(&body));
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

    pub(super) fn send_valid(&mut self, now: Time, tid: &Digest) -> Result<Vec<Output>, Refusal> {
        let Some(submission) = self.open.get_mut(tid) else { return Ok(Vec::new()) };
        let Some(valid) = submission.valid.clone() else { return Ok(Vec::new()) };
        submission.attempts += 1;
        submission.deadline = Some(now.after(constants::BSD_ATTEMPT_MS));
        let again = submission.attempts > 1;
        let cloud = self.cloud.name.clone();
        let (outputs, _) = match again {
            true => self.context.retransmit(now, &cloud, Message::TValid(valid))?,
            false => self.context.send(now, &cloud, Message::TValid(valid))?,
        };
        Ok(outputs)
    }

    pub(super) fn on_receipt(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        receipt: &Receipt,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        peer.require_claim(&rules, &self.cloud.name, Role::Cloud)?;
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
        submission.state.on(&rules, Event::ReceiptArrived, Guard::EveryCheckOfTheReceiptHolds)?;
        let height = submission.valid.as_ref().map_or(Height(0), |valid| valid.body.height);
        self.end(now, &tid, Decision::Committed, 0, height)
    }
}
