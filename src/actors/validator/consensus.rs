//! Block agreement: validators make blocks final by quorum, in rounds, or by proof of work.
//!
//! With a quorum the proposer of height h in round r is the member (h + r) mod n, in the order of names; a round lasts
//! two seconds. A validator signs one header of a height and no other, so that two quorums of one height are impossible
//! while fewer than 2·quorum − n are Byzantine. A validator that is asked to sign another header answers with the proposal
//! that it signed, and later proposers take that one up.
//!
//! A height stays open for ever when its signatures split: a Byzantine proposer shows two proposals, which is
//! attributable evidence against it, or most proposals of a round are lost and the next proposer did not receive the
//! first one. There is no change of view; submissions are then deferred, not decided wrongly.

use crate::actors::{NodeContext, Output, StoreHandle};
use crate::audit::verify_audit_head;
use crate::crypto::{Digest, Domain};
use crate::ledger::{ChainUpdate, Proposal, SignerLock};
use crate::store::Commit;
use crate::transparency::{LogOperator, verify_head};
use crate::wire::{
    Anchor, Block, BlockProposal, ClosingRule, ClosingSignature, Entry, Gossip, Height, LogKind, Name,
    QuorumCertificate, Signatory, SignedAuditHead, SignedCloudHead, Time, decode, encode,
};
use bemr_spec::{Clause, Refusal, constants};
use std::collections::BTreeMap;

use bemr_spec::machines::closing_machine::{Event, Guard, State};

/// The proposal that this validator signed for the height that it works on.
struct Signed {
    proposal: Proposal,
    signatories: BTreeMap<Name, Signatory>,
    /// When it was last shown to whom, so that two who signed different headers do not answer each other for ever.
    shown: BTreeMap<Name, Time>,
}

/// Whether a block may anchor `new` after `old` (LED-14): a log of a cloud has grown, an audit log may have been closed.
fn follows(old: &Anchor, new: &Anchor) -> bool {
    match new.kind {
        LogKind::Cloud => old.size < new.size,
        LogKind::Audit => old.size <= new.size,
    }
}

/// What can be seen of a validator's part in closing blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsensusReport {
    /// The state of its machine.
    pub state: State,
    /// The last header that it signed.
    pub signed: Option<(Height, Digest)>,
    /// How many signatures it has of the proposal that it signed for the height that it works on.
    pub signatures: usize,
    /// How many decisions wait for a block.
    pub decisions: usize,
    /// How many anchors do.
    pub anchors: usize,
}

/// A validator's part in closing blocks.
pub(super) struct Consensus {
    state: State,
    lock: SignerLock,
    cloud: LogOperator,
    bsd: LogOperator,
    decisions: BTreeMap<Digest, QuorumCertificate>,
    anchors: BTreeMap<LogKind, Anchor>,
    signed: Option<Signed>,
    mining: Option<Proposal>,
    /// When the present height began to have something to close.
    since: Option<Time>,
    next: Option<Time>,
    store: Option<StoreHandle>,
}

/// Where a store keeps the proposal that was signed last.
const SIGNED: &str = "signed proposal";

impl Consensus {
    pub(super) fn new(validator: Name, cloud: LogOperator, bsd: LogOperator) -> Consensus {
        Consensus {
            state: State::INITIAL,
            lock: SignerLock::new(validator),
            cloud,
            bsd,
            decisions: BTreeMap::new(),
            anchors: BTreeMap::new(),
            signed: None,
            mining: None,
            since: None,
            next: None,
            store: None,
        }
    }

    /// Goes on from what `store` holds, and keeps it there from now on.
    ///
    /// # Errors
    /// CLD-06 when the store is damaged.
    pub(super) fn resume(&mut self, context: &NodeContext, store: StoreHandle) -> Result<(), Refusal> {
        if let Some(bytes) = store.read(|store| store.meta(SIGNED))? {
            let kept: BlockProposal = decode(&context.rules, &bytes)
                .map_err(|cause| Refusal::new(Clause::StoreMatchesHead).at(format!("{SIGNED}: {cause}")))?;
            let proposal = Proposal::new(kept.header, kept.entries.into());
            let (height, digest) = (proposal.header().height, proposal.digest());
            self.lock = SignerLock::resume(context.name().clone(), height, digest);
            if height == context.ledger_view.next_height() {
                let signatories = BTreeMap::from([(context.name().clone(), kept.signatory)]);
                self.signed = Some(Signed { proposal, signatories, shown: BTreeMap::new() });
                self.state = State::AwaitingClose;
                self.something_waits(context, context.ledger_view.ledger.genesis().start);
            }
        }
        self.store = Some(store);
        Ok(())
    }

    pub(super) fn report(&self) -> ConsensusReport {
        ConsensusReport {
            state: self.state,
            signed: self.lock.last(),
            signatures: self.signed.as_ref().map_or(0, |signed| signed.signatories.len()),
            decisions: self.decisions.len(),
            anchors: self.anchors.len(),
        }
    }

    pub(super) fn wake(&self) -> Option<Time> {
        self.next
    }

    /// Takes a decision for the next block.
    pub(super) fn on_decision(
        &mut self,
        context: &mut NodeContext,
        now: Time,
        certificate: QuorumCertificate,
    ) -> Result<Vec<Output>, Refusal> {
        let NodeContext { rules, ledger_view, .. } = context;
        let tid = certificate.body.tid;
        let fresh = ledger_view.ledger.decision(&tid).is_none() && !self.decisions.contains_key(&tid);
        rules.require(Clause::TidDecidedOnce, fresh)?;
        rules.require(Clause::SizeWithinBound, self.decisions.len() < constants::DECISIONS_PENDING)?;
        ledger_view.ledger.verify_decision(rules, &ledger_view.validators, &certificate)?;
        self.decisions.insert(tid, certificate);
        self.something_waits(context, now);
        Ok(Vec::new())
    }

    /// Takes a head of the cloud's log, to be anchored.
    pub(super) fn on_cloud_head(
        &mut self,
        context: &NodeContext,
        now: Time,
        signed: SignedCloudHead,
    ) -> Result<Vec<Output>, Refusal> {
        verify_head(&context.rules, &self.cloud, &signed)?;
        let head = &signed.head;
        let anchor =
            Anchor { kind: LogKind::Cloud, keeper: head.cloud.clone(), size: head.size, head: head.digest() };
        self.anchor(context, now, anchor)
    }

    /// Takes a head of the audit log, to be anchored.
    pub(super) fn on_audit_head(
        &mut self,
        context: &NodeContext,
        now: Time,
        signed: SignedAuditHead,
    ) -> Result<Vec<Output>, Refusal> {
        verify_audit_head(&context.rules, &self.bsd.network, &self.bsd.name, &self.bsd.key, &signed)?;
        let head = &signed.head;
        let anchor =
            Anchor { kind: LogKind::Audit, keeper: head.bsd.clone(), size: head.count, head: head.digest() };
        self.anchor(context, now, anchor)
    }

    /// The pending pool holds the newest head of each log. It rejects one that is smaller than the pooled or anchored
    /// one, and a second one of the same size of a cloud: no block could hold it (LED-14).
    fn anchor(&mut self, context: &NodeContext, now: Time, anchor: Anchor) -> Result<Vec<Output>, Refusal> {
        let waiting = self.anchors.get(&anchor.kind);
        let anchored = context.ledger_view.ledger.newest_anchor(anchor.kind, &anchor.keeper);
        if waiting.into_iter().chain(anchored).any(|old| *old == anchor) {
            return Ok(Vec::new());
        }
        let newest = waiting.into_iter().chain(anchored).all(|old| follows(old, &anchor));
        context.rules.require(Clause::HeadNotOlder, newest)?;
        self.anchors.insert(anchor.kind, anchor);
        self.something_waits(context, now);
        Ok(Vec::new())
    }

    fn something_waits(&mut self, context: &NodeContext, now: Time) {
        if self.since.is_none() {
            self.since = Some(now);
        }
        self.schedule(context, now);
    }

    /// Sets the next instant at which this validator does something of its own accord.
    fn schedule(&mut self, context: &NodeContext, now: Time) {
        let Some(since) = self.since else {
            self.next = None;
            return;
        };
        self.next = Some(match context.ledger_view.ledger.genesis().rule {
            ClosingRule::Work(_) => now.after(constants::MINING_MS),
            ClosingRule::Quorum => {
                let start = since.after(constants::GATHERING_MS);
                if now < start {
                    start
                } else {
                    start.after(((now.0 - start.0) / constants::ROUND_MS + 1) * constants::ROUND_MS)
                }
            }
        });
    }

    fn entries(&self, context: &NodeContext) -> Vec<Entry> {
        let ledger = &context.ledger_view.ledger;
        let decisions = self.decisions.values().filter(|one| ledger.decision(&one.body.tid).is_none());
        let decisions =
            decisions.take(constants::BLOCK_ENTRIES - self.anchors.len()).cloned().map(Entry::Decision);
        decisions.chain(self.anchors.values().cloned().map(Entry::Anchor)).collect()
    }

    /// Does what the instant asks for: proposes in its turn, or tries nonces. Gives what happened, too: its turn came, or an
    /// instant at which nothing of the machine is due.
    pub(super) fn on_wake(
        &mut self,
        context: &mut NodeContext,
        now: Time,
    ) -> (bemr_spec::Event, Vec<Output>) {
        let idle = (bemr_spec::Event::Wake, Vec::new());
        if self.next.is_none_or(|next| now < next) {
            return idle;
        }
        let done = match context.ledger_view.ledger.genesis().rule {
            ClosingRule::Work(_) => (bemr_spec::Event::Wake, self.mine(context, now)),
            ClosingRule::Quorum => {
                let outputs = self.take_turn(context, now);
                outputs.map_or(idle, |outputs| (Event::TurnCame.into(), outputs))
            }
        };
        self.schedule(context, now);
        done
    }

    /// Proposes; nothing where it is the turn of another, or where nothing waits.
    fn take_turn(&mut self, context: &mut NodeContext, now: Time) -> Option<Vec<Output>> {
        let since = self.since?;
        let turn = now.0.saturating_sub(since.0.saturating_add(constants::GATHERING_MS)) / constants::ROUND_MS;
        let height = context.ledger_view.next_height().0;
        if context.ledger_view.validators.at(height.wrapping_add(turn)) != Some(context.name()) {
            return None;
        }
        let rules = context.rules;
        let proposed_before = self.signed.is_some();
        if !proposed_before {
            let entries = self.entries(context);
            if entries.is_empty() {
                self.since = None;
                return None;
            }
            let proposal = context.ledger_view.ledger.propose(entries, now, context.name().clone());
            // What the others would refuse must not take this validator's one signature of the height.
            let NodeContext { ledger_view, .. } = context;
            let checked = ledger_view.ledger.check_proposal(&rules, &ledger_view.validators, now, &proposal);
            if checked.and_then(|()| self.sign(context, proposal)).is_err() {
                return Some(Vec::new());
            }
        }
        let guard = match (proposed_before, self.has_quorum(context)) {
            (true, _) => Guard::Always,
            (false, false) => Guard::OthersHaveToSign,
            (false, true) => Guard::ThereIsNoOtherValidator,
        };
        let proposal = self.signed_proposal(context).map(Gossip::Proposal);
        let alone = self.proceed(context, now, Event::TurnCame, guard).unwrap_or_default();
        Some(proposal.map(Output::Publish).into_iter().chain(alone).collect())
    }

    fn sign(&mut self, context: &NodeContext, proposal: Proposal) -> Result<Signatory, Refusal> {
        let key = context.own.identity().signing_key();
        let mut lock = self.lock.clone();
        let signatory = lock.sign(&context.rules, key, &proposal)?;
        if let Some(store) = &self.store
            && self.lock.last() != lock.last()
        {
            let kept = BlockProposal {
                header: proposal.header().clone(),
                entries: proposal.entries().to_vec().into(),
                signatory: signatory.clone(),
            };
            store.commit(Commit::new().meta(SIGNED, encode(&kept)))?;
        }
        self.lock = lock;
        match &mut self.signed {
            // The signature is over the header: entries that come later under it were not checked.
            Some(signed) if signed.proposal.digest() == proposal.digest() => {}
            signed => {
                let signatories = BTreeMap::from([(context.name().clone(), signatory.clone())]);
                *signed = Some(Signed { proposal, signatories, shown: BTreeMap::new() });
            }
        }
        Ok(signatory)
    }

    fn signed_proposal(&self, context: &NodeContext) -> Option<BlockProposal> {
        let signed = self.signed.as_ref()?;
        Some(BlockProposal {
            header: signed.proposal.header().clone(),
            entries: signed.proposal.entries().to_vec().into(),
            signatory: signed.signatories.get(context.name())?.clone(),
        })
    }

    /// Signs a proposal, or shows the one that was signed.
    pub(super) fn on_proposal(
        &mut self,
        context: &mut NodeContext,
        now: Time,
        from: &Name,
        proposal: BlockProposal,
    ) -> (Result<Vec<Output>, Refusal>, Vec<Output>) {
        let height = proposal.header.height;
        let outcome = self.consider(context, now, proposal);
        match outcome {
            Ok((consensus, outputs)) => {
                let consensus = Output::SendGossip { to: from.clone(), gossip: Gossip::Closing(consensus) };
                (Ok([consensus].into_iter().chain(outputs).collect()), Vec::new())
            }
            Err(refusal) => {
                let locked = refusal.clause() == Clause::OneCloseByValidator && self.may_show(now, from);
                let shown = self.signed_proposal(context).filter(|_| locked).map(Gossip::Proposal);
                let shown = shown.map(|gossip| Output::SendGossip { to: from.clone(), gossip });
                // Who proposes for a height that is closed has missed its block.
                let late = matches!(refusal.clause(), Clause::HeaviestChainWins | Clause::FinalBlockStands);
                let closed = if late { context.ledger_view.blocks_from(height, from) } else { Vec::new() };
                let missing = context.ledger_view.missing(now, &refusal, from);
                (Err(refusal), shown.into_iter().chain(missing).chain(closed).collect())
            }
        }
    }

    /// Shows its proposal to each peer at most once in a turn.
    fn may_show(&mut self, now: Time, to: &Name) -> bool {
        let Some(signed) = &mut self.signed else { return false };
        let due = signed.shown.get(to).is_none_or(|last| last.after(constants::ROUND_MS) <= now);
        if due {
            signed.shown.insert(to.clone(), now);
        }
        due
    }

    fn consider(
        &mut self,
        context: &mut NodeContext,
        now: Time,
        proposal: BlockProposal,
    ) -> Result<(ClosingSignature, Vec<Output>), Refusal> {
        let NodeContext { rules, ledger_view, .. } = context;
        let rules = *rules;
        let proposed = Proposal::new(proposal.header, proposal.entries.into());
        let digest = proposed.digest();
        let key = ledger_view.validators.key(&proposal.signatory.validator);
        let key = key.ok_or_else(|| Refusal::new(Clause::VoterIsAdmitted).at("signatory"))?;
        key.vouches(
            &rules,
            Clause::VoteSigned,
            Domain::BLOCK_CLOSE,
            digest.as_bytes(),
            &proposal.signatory.signature,
        )
        .map_err(|refusal| refusal.at("signatory"))?;
        let known = self.signed.as_ref().is_some_and(|signed| signed.proposal.digest() == digest);
        if !known {
            let validators = ledger_view.validators.clone();
            ledger_view.ledger.check_proposal(&rules, &validators, now, &proposed)?;
        }
        let height = proposed.header().height;
        let signed_before = self.signed.is_some();
        let own = self.sign(context, proposed)?;
        if let Some(signed) = &mut self.signed {
            signed.signatories.insert(proposal.signatory.validator.clone(), proposal.signatory);
        }
        self.something_waits(context, now);
        let guard = match (signed_before, self.has_quorum(context)) {
            (false, false) => Guard::EveryCheckOfTheBlockButItsCloseHolds,
            (false, true) => Guard::TheSameAndTwoSignaturesAreMoreThanTwoThirds,
            (true, false) => Guard::TheSameHeaderAndMoreThanTwoThirdsHaveNotSigned,
            (true, true) => Guard::TheSameHeaderAndMoreThanTwoThirdsHaveSigned,
        };
        let outputs = self.proceed(context, now, Event::ProposalArrived, guard)?;
        Ok((ClosingSignature { height, header: digest, signatory: own }, outputs))
    }

    /// Counts a signature for the proposal that this validator signed.
    pub(super) fn on_signature(
        &mut self,
        context: &mut NodeContext,
        now: Time,
        signature: ClosingSignature,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = context.rules;
        self.state.expects(&rules, Event::SignatureArrived)?;
        let validators = &context.ledger_view.validators;
        let key = validators.key(&signature.signatory.validator);
        let key = key.ok_or_else(|| Refusal::new(Clause::VoterIsAdmitted).at("signatory"))?;
        let signed = self.signed.as_mut().filter(|signed| signed.proposal.digest() == signature.header);
        let signed = signed.ok_or_else(|| Refusal::new(Clause::EventFitsState).at("header"))?;
        let (message, by) = (signature.header.as_bytes(), &signature.signatory.signature);
        key.vouches(&rules, Clause::VoteSigned, Domain::BLOCK_CLOSE, message, by)?;
        signed.signatories.insert(signature.signatory.validator.clone(), signature.signatory);
        let guard = match self.has_quorum(context) {
            false => Guard::MoreThanTwoThirdsHaveNotSigned,
            true => Guard::MoreThanTwoThirdsHaveSigned,
        };
        self.proceed(context, now, Event::SignatureArrived, guard)
    }

    /// Whether more than two thirds of the validators signed the header that this validator signed.
    fn has_quorum(&self, context: &NodeContext) -> bool {
        let quorum = context.ledger_view.validators.quorum();
        self.signed.as_ref().is_some_and(|signed| signed.signatories.len() >= quorum)
    }

    /// Makes the transition; where it closes the height, commits the block that this validator signed.
    fn proceed(
        &mut self,
        context: &mut NodeContext,
        now: Time,
        event: Event,
        guard: Guard,
    ) -> Result<Vec<Output>, Refusal> {
        let next = self.state.on(&context.rules, event, guard)?;
        let Some(signed) = self.signed.take_if(|_| next == State::Closed) else {
            self.state = next;
            return Ok(Vec::new());
        };
        let block = signed.proposal.close(signed.signatories.into_values().collect());
        let change = context.ledger_view.on_own_block(&context.rules, now, block.clone())?;
        if let Some(store) = &self.store {
            store.store_block(&change, &context.ledger_view.ledger)?;
        }
        self.state = next;
        self.go_on(context, now, &change);
        Ok(vec![Output::Publish(Gossip::Block(block))])
    }

    /// Takes a closed block.
    pub(super) fn on_block(
        &mut self,
        context: &mut NodeContext,
        now: Time,
        block: Block,
    ) -> Result<Vec<Output>, Refusal> {
        self.state.expects(&context.rules, Event::BlockArrived)?;
        let change = context.ledger_view.on_block(&context.rules, now, block)?;
        if let Some(store) = &self.store {
            store.store_block(&change, &context.ledger_view.ledger)?;
        }
        // A block beside the chain in force changes nothing of what is worked on.
        if change != ChainUpdate::Kept {
            self.state =
                self.state.on(&context.rules, Event::BlockArrived, Guard::EveryCheckOfTheBlockHolds)?;
            self.go_on(context, now, &change);
        }
        Ok(Vec::new())
    }

    /// Turns to the next height.
    fn go_on(&mut self, context: &NodeContext, now: Time, change: &ChainUpdate) {
        if let ChainUpdate::Reorganised { removed, .. } = change {
            for entry in removed.iter().flat_map(|block| block.entries.iter()) {
                if let Entry::Decision(certificate) = entry {
                    self.decisions.insert(certificate.body.tid, certificate.clone());
                }
            }
        }
        self.forget_closed(context);
        self.signed = None;
        self.mining = None;
        // The next height begins.
        self.state = State::INITIAL;
        let waiting = !self.decisions.is_empty() || !self.anchors.is_empty();
        self.since = (waiting || self.confirms(context)).then_some(now);
        self.schedule(context, now);
    }

    /// Under proof of work blocks go on until what stands in them is final.
    fn confirms(&self, context: &NodeContext) -> bool {
        let ledger = &context.ledger_view.ledger;
        let open = ledger.final_height().0 + 1..=ledger.height().0;
        open.filter_map(|height| ledger.block(crate::wire::Height(height)))
            .any(|block| !block.entries.is_empty())
    }

    fn forget_closed(&mut self, context: &NodeContext) {
        let ledger = &context.ledger_view.ledger;
        self.decisions.retain(|tid, _| ledger.decision(tid).is_none());
        self.anchors.retain(|kind, anchor| {
            let newest = ledger.newest_anchor(*kind, &anchor.keeper);
            newest.is_none_or(|newest| newest != anchor && follows(newest, anchor))
        });
    }

    /// What an observer can learn of it: the pending pool and what was signed last.
    pub(super) fn state(&self) -> Vec<u8> {
        let mut state = self.state.name().as_bytes().to_vec();
        state.extend((self.decisions.len() as u64).to_be_bytes());
        self.anchors.values().for_each(|anchor| state.extend(encode(anchor)));
        self.lock
            .last()
            .iter()
            .for_each(|(height, digest)| state.extend([encode(height), encode(digest)].concat()));
        state.extend(self.signed.iter().flat_map(|signed| (signed.signatories.len() as u64).to_be_bytes()));
        state
    }

    /// Makes the nonces that are tried at `now`, if any are, meet the target or not.
    #[cfg(bemr_weaken)]
    pub(super) fn steer_mining(&mut self, context: &NodeContext, now: Time, lucky: bool) {
        let mines = matches!(context.ledger_view.ledger.genesis().rule, ClosingRule::Work(_));
        if !mines || self.next.is_none_or(|next| now < next) {
            return;
        }
        self.prepare_mining(context, now);
        if let Some(proposal) = &mut self.mining {
            proposal.steer(constants::MINING_NONCES, lucky);
        }
    }

    /// The block that is mined is the one that extends the tip by what waits.
    fn prepare_mining(&mut self, context: &NodeContext, now: Time) {
        let entries = self.entries(context);
        let tip = context.ledger_view.ledger.tip();
        let stale = self
            .mining
            .as_ref()
            .is_none_or(|proposal| proposal.header().previous != tip || proposal.entries() != entries);
        if stale {
            self.mining = Some(context.ledger_view.ledger.propose(entries, now, context.name().clone()));
        }
    }

    fn mine(&mut self, context: &mut NodeContext, now: Time) -> Vec<Output> {
        self.prepare_mining(context, now);
        let Some(mut proposal) = self.mining.take() else { return Vec::new() };
        if !proposal.mine(constants::MINING_NONCES) {
            self.mining = Some(proposal);
            return Vec::new();
        }
        let block = proposal.close(Vec::new());
        match self.on_block(context, now, block.clone()) {
            Ok(_) => vec![Output::Publish(Gossip::Block(block))],
            Err(_) => Vec::new(),
        }
    }
}
