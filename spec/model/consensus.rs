//! How validators close blocks: what waits, whose turn it is, who signed what, and mining (chapter 10).

use crate::checks::Checks;
use crate::ledger::{ChainUpdate, Ledger, follows, quorum};
use crate::rename::renamed;
use crate::{
    Actor, Block, BlockId, Certificate, Entry, Flaws, Gossip, Head, Height, LedgerKind, LogKind, Members,
    Output, Proposal, Tid, Time,
};
use bemr_spec::{Clause, Event, Rules, constants, order};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The proposal that was signed for the present height.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Signed {
    proposal: Arc<Proposal>,
    id: BlockId,
    signatories: Members,
    shown: BTreeMap<Actor, Time>,
}

/// A validator's part in closing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Closing {
    own: u8,
    pub(super) decisions: BTreeMap<Tid, Certificate>,
    pub(super) anchors: BTreeMap<LogKind, Head>,
    signed: Option<Signed>,
    /// The greatest height signed, and what.
    last: Option<(Height, BlockId)>,
    /// The block that is mined.
    mining: Option<Proposal>,
    since: Option<Time>,
    next: Option<Time>,
}

impl Closing {
    pub(super) fn new(own: u8) -> Closing {
        Closing {
            own,
            decisions: BTreeMap::new(),
            anchors: BTreeMap::new(),
            signed: None,
            last: None,
            mining: None,
            since: None,
            next: None,
        }
    }

    /// What was signed last survives, with its proposal; what waited does not.
    pub(super) fn crash(&mut self, ledger: &Ledger) {
        self.decisions.clear();
        self.anchors.clear();
        (self.since, self.next, self.mining) = (None, None, None);
        let own = self.own;
        self.signed = self.signed.take().filter(|signed| signed.proposal.height == ledger.height() + 1);
        if let Some(signed) = &mut self.signed {
            signed.signatories = Members::default().with(own);
            signed.shown.clear();
            self.something_waits(ledger, 0);
        }
    }

    pub(super) const fn wake(&self) -> Option<Time> {
        self.next
    }

    #[expect(clippy::type_complexity, reason = "the parts of a view")]
    pub(super) fn view(&self) -> (&'static str, Option<(Height, BlockId)>, u32, (u32, u32)) {
        let state = if self.signed.is_some() { "AwaitingClose" } else { "AwaitingProposal" };
        let signatures = self.signed.as_ref().map_or(0, |signed| signed.signatories.len());
        let waiting = (self.decisions.len() as u32, self.anchors.len() as u32);
        (state, self.last, signatures as u32, waiting)
    }

    pub(super) fn on_decision(
        &mut self,
        rules: &Rules,
        ledger: &Ledger,
        now: Time,
        certificate: Certificate,
    ) -> Result<(), Clause> {
        let mut asked = Checks::of(rules, Flaws::NONE).in_order(order::DECISION);
        let tid = certificate.question.header.tid;
        let fresh = !ledger.decides(tid) && !self.decisions.contains_key(&tid);
        asked.require(Clause::TidDecidedOnce, fresh)?;
        asked.require(Clause::SizeWithinBound, self.decisions.len() < constants::DECISIONS_PENDING)?;
        asked.require(Clause::EntryHasQuorum, ledger.certifies(&certificate))?;
        self.decisions.insert(tid, certificate);
        self.something_waits(ledger, now);
        Ok(())
    }

    pub(super) fn on_head(
        &mut self,
        rules: &Rules,
        ledger: &Ledger,
        now: Time,
        head: Head,
        flaws: Flaws,
    ) -> Result<(), Clause> {
        let checks = Checks::of(rules, flaws);
        checks.sound(match head.kind {
            LogKind::Cloud => Clause::HeadSignedByCloud,
            LogKind::Audit => Clause::AuditHeadSigned,
        })?;
        let known = [self.anchors.get(&head.kind).copied(), ledger.newest_anchor(head.kind)];
        let mut known = known.into_iter().flatten();
        if known.clone().any(|old| old == head) {
            return Ok(());
        }
        checks.require(Clause::HeadNotOlder, known.all(|old| follows(&old, &head)))?;
        self.anchors.insert(head.kind, head);
        self.something_waits(ledger, now);
        Ok(())
    }

    fn something_waits(&mut self, ledger: &Ledger, now: Time) {
        self.since = self.since.or(Some(now));
        self.schedule(ledger, now);
    }

    /// The next instant at which something is done of one's own accord.
    fn schedule(&mut self, ledger: &Ledger, now: Time) {
        self.next = self.since.map(|since| match ledger.kind() {
            LedgerKind::Work => now + constants::MINING_MS,
            LedgerKind::Quorum => {
                let start = since + constants::GATHERING_MS;
                if now < start {
                    start
                } else {
                    start + ((now - start) / constants::ROUND_MS + 1) * constants::ROUND_MS
                }
            }
        });
    }

    fn entries(&self, ledger: &Ledger) -> Vec<Entry> {
        let decisions = self.decisions.values().filter(|one| !ledger.decides(one.question.header.tid));
        let anchors = self.anchors.values().copied().map(Entry::Anchor);
        decisions.copied().map(Entry::Decision).chain(anchors).collect()
    }

    fn propose(&self, ledger: &Ledger, now: Time, nonce: u64) -> Proposal {
        Proposal {
            height: ledger.height() + 1,
            previous: ledger.tip(),
            time: now.max(ledger.tip_time() + 1),
            proposer: self.own,
            entries: self.entries(ledger),
            nonce,
            flaws: Flaws::NONE,
        }
    }

    /// Its turn came, or an instant at which nothing of the machine is due.
    pub(super) fn on_wake(
        &mut self,
        rules: &Rules,
        ledger: &mut Ledger,
        now: Time,
        found: Option<u64>,
    ) -> (Event, Vec<Output>) {
        if self.next.is_none_or(|next| now < next) {
            return (Event::Wake, Vec::new());
        }
        let done = match ledger.kind() {
            LedgerKind::Quorum => match self.take_turn(rules, ledger, now) {
                Some(outputs) => (Event::TurnCame, outputs),
                None => (Event::Wake, Vec::new()),
            },
            LedgerKind::Work => (Event::Wake, self.mine(rules, ledger, now, found)),
        };
        self.schedule(ledger, now);
        done
    }

    /// The proposal is made anew when the tip or what waits has changed; which nonce closes it is a matter of digests.
    fn mine(&mut self, rules: &Rules, ledger: &mut Ledger, now: Time, found: Option<u64>) -> Vec<Output> {
        let (tip, entries) = (ledger.tip(), self.entries(ledger));
        let mined = self.mining.take().filter(|mined| mined.previous == tip && mined.entries == entries);
        let mined = mined.unwrap_or_else(|| self.propose(ledger, now, 0));
        let Some(nonce) = found else {
            self.mining = Some(mined);
            return Vec::new();
        };
        let proposal = Proposal { nonce, ..mined };
        let id = proposal.id();
        let block = Arc::new(Block { proposal, id, signatories: Members::default(), flaws: Flaws::NONE });
        match self.on_block(rules, ledger, now, &block) {
            Ok(()) => vec![Output::Publish(Gossip::Block(block))],
            Err(_) => Vec::new(),
        }
    }

    /// Nothing where it is the turn of another, or where nothing waits.
    fn take_turn(&mut self, rules: &Rules, ledger: &mut Ledger, now: Time) -> Option<Vec<Output>> {
        let since = self.since?;
        let turn = now.saturating_sub(since + constants::GATHERING_MS) / constants::ROUND_MS;
        let members = u64::from(ledger.members());
        if (ledger.height() + 1 + turn) % members != u64::from(self.own) {
            return None;
        }
        if self.signed.is_none() {
            let proposal = self.propose(ledger, now, 0);
            if proposal.entries.is_empty() {
                self.since = None;
                return None;
            }
            let id = proposal.id();
            let sound = ledger.check_proposal(rules, now, &proposal, id).is_ok();
            if !sound || self.sign(rules, Arc::new(proposal), id).is_err() {
                return Some(Vec::new());
            }
        }
        let proposal = self.signed_proposal().map(Output::Publish);
        Some(proposal.into_iter().chain(self.close_if_quorum(rules, ledger, now)).collect())
    }

    /// Signs a header, or the same again (LED-15).
    fn sign(&mut self, rules: &Rules, proposal: Arc<Proposal>, id: BlockId) -> Result<(), Clause> {
        let height = proposal.height;
        let once = self.last.is_none_or(|(last, signed)| last < height || (last, signed) == (height, id));
        Checks::of(rules, Flaws::NONE).require(Clause::OneCloseByValidator, once)?;
        self.last = Some((height, id));
        if self.signed.as_ref().is_none_or(|signed| signed.id != id) {
            let signatories = Members::default().with(self.own);
            self.signed = Some(Signed { proposal, id, signatories, shown: BTreeMap::new() });
        }
        Ok(())
    }

    fn signed_proposal(&self) -> Option<Gossip> {
        let signed = self.signed.as_ref()?;
        let (proposal, signatory, flaws) = (Arc::clone(&signed.proposal), self.own, Flaws::NONE);
        Some(Gossip::Proposal { proposal, signatory, flaws })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of the message, and who takes it")]
    pub(super) fn on_proposal(
        &mut self,
        rules: &Rules,
        ledger: &mut Ledger,
        now: Time,
        from: Actor,
        proposal: &Arc<Proposal>,
        signatory: u8,
        flaws: Flaws,
    ) -> (Result<Vec<Output>, Clause>, Vec<Output>) {
        let id = proposal.id();
        let refused = match self.consider(rules, ledger, now, proposal, id, signatory, flaws) {
            Ok(()) => {
                let (height, signatory, flaws) = (proposal.height, self.own, Flaws::NONE);
                let closing = Gossip::Closing { height, block: id, signatory, flaws };
                let closed = self.close_if_quorum(rules, ledger, now);
                return (
                    Ok([Output::SendGossip(from, closing)].into_iter().chain(closed).collect()),
                    Vec::new(),
                );
            }
            Err(refused) => refused,
        };
        let repeats = match refused {
            Clause::OneCloseByValidator if self.may_show(now, from) => {
                self.signed_proposal().map(|shown| Output::SendGossip(from, shown)).into_iter().collect()
            }
            Clause::HeaviestChainWins | Clause::FinalBlockStands => ledger.blocks_from(proposal.height, from),
            _ => ledger.missing(now, refused, from),
        };
        (Err(refused), repeats)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of the message, and who takes it")]
    fn consider(
        &mut self,
        rules: &Rules,
        ledger: &Ledger,
        now: Time,
        proposal: &Arc<Proposal>,
        id: BlockId,
        signatory: u8,
        flaws: Flaws,
    ) -> Result<(), Clause> {
        let mut asked = Checks::of(rules, flaws).in_order(order::PROPOSAL);
        asked.require(Clause::VoterIsAdmitted, signatory < ledger.members())?;
        asked.part(order::PROPOSAL_CONTENT)?;
        if self.signed.as_ref().is_none_or(|signed| signed.id != id) {
            ledger.check_proposal(rules, now, proposal, id)?;
        }
        self.sign(rules, Arc::clone(proposal), id)?;
        if let Some(signed) = &mut self.signed {
            signed.signatories = signed.signatories.with(signatory);
        }
        self.something_waits(ledger, now);
        Ok(())
    }

    fn may_show(&mut self, now: Time, to: Actor) -> bool {
        let Some(signed) = &mut self.signed else { return false };
        let due = signed.shown.get(&to).is_none_or(|last| last + constants::ROUND_MS <= now);
        if due {
            signed.shown.insert(to, now);
        }
        due
    }

    pub(super) fn on_signature(
        &mut self,
        rules: &Rules,
        ledger: &mut Ledger,
        now: Time,
        block: BlockId,
        signatory: u8,
        flaws: Flaws,
    ) -> Result<Vec<Output>, Clause> {
        let mut asked = Checks::of(rules, flaws).in_order(order::CLOSING_SIGNATURE);
        let signed = self.signed.as_mut().ok_or(Clause::EventFitsState)?;
        // A flaw of STA-01 is that of the header.
        asked.require_state(Clause::EventFitsState, true)?;
        asked.require(Clause::VoterIsAdmitted, signatory < ledger.members())?;
        asked.require(Clause::EventFitsState, signed.id == block)?;
        asked.rest()?;
        signed.signatories = signed.signatories.with(signatory);
        Ok(self.close_if_quorum(rules, ledger, now))
    }

    fn close_if_quorum(&mut self, rules: &Rules, ledger: &mut Ledger, now: Time) -> Vec<Output> {
        let needed = quorum(ledger.members());
        let Some(signed) = self.signed.take_if(|signed| signed.signatories.len() >= needed) else {
            return Vec::new();
        };
        let Signed { proposal, id, signatories, .. } = signed;
        let proposal = Arc::unwrap_or_clone(proposal);
        let block = Arc::new(Block { proposal, id, signatories, flaws: Flaws::NONE });
        match ledger.append(rules, now, Arc::clone(&block)) {
            Ok(change) => {
                self.go_on(ledger, now, &change);
                vec![Output::Publish(Gossip::Block(block))]
            }
            Err(_) => Vec::new(),
        }
    }

    pub(super) fn on_block(
        &mut self,
        rules: &Rules,
        ledger: &mut Ledger,
        now: Time,
        block: &Arc<Block>,
    ) -> Result<(), Clause> {
        let change = ledger.append(rules, now, Arc::clone(block))?;
        self.go_on(ledger, now, &change);
        Ok(())
    }

    /// *Next height*: when a block came into force.
    fn go_on(&mut self, ledger: &Ledger, now: Time, change: &ChainUpdate) {
        match change {
            ChainUpdate::Kept => return,
            ChainUpdate::Extended => {}
            ChainUpdate::Reorganised(removed) => {
                for entry in removed.iter().flat_map(|block| &block.proposal.entries) {
                    if let Entry::Decision(certificate) = entry {
                        self.decisions.insert(certificate.question.header.tid, *certificate);
                    }
                }
            }
        }
        self.decisions.retain(|tid, _| !ledger.decides(*tid));
        self.anchors.retain(|kind, head| {
            ledger.newest_anchor(*kind).is_none_or(|newest| newest != *head && follows(&newest, head))
        });
        self.signed = None;
        self.mining = None;
        let open = ledger.blocks().iter().skip(ledger.final_blocks());
        let unfinished = open.into_iter().any(|block| !block.proposal.entries.is_empty());
        let waiting = !self.decisions.is_empty() || !self.anchors.is_empty() || unfinished;
        self.since = waiting.then_some(now);
        self.schedule(ledger, now);
    }
}

renamed!(Signed { proposal, id, signatories: of_validators, shown });
renamed!(Closing { own: of_validators, decisions, anchors, signed, last, mining, since, next });
