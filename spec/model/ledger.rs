//! The ledger: which block is taken, which chain is in force, what is final (chapter 10).

use crate::checks::Checks;
use crate::policy::Registry;
use crate::rename::renamed;
use crate::shared::Shared;
use crate::trust::Trust;
use crate::{
    Actor, Block, BlockId, Certificate, Change as PolicyChange, Entry, Flaws, Gossip, Head, Height,
    LedgerKind, LogKind, Members, Output, Proposal, Public, Tid, Time,
};
use bemr_spec::{Clause, Rules, constants, order};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Under proof of work, how many blocks have to stand on a final one.
pub(super) const CONFIRMATIONS: usize = 6;

/// How many signatures or votes of `members` are more than two thirds.
pub const fn quorum(members: u8) -> usize {
    2 * members as usize / 3 + 1
}

/// What a block did to the chain in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChainUpdate {
    /// It stands on the tip.
    Extended,
    /// It is held on another chain.
    Kept,
    /// Another chain is in force; these blocks are not any more.
    Reorganised(Vec<Arc<Block>>),
}

/// One actor's copy of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ledger {
    kind: LedgerKind,
    members: u8,
    pub(super) trunk: Vec<Arc<Block>>,
    sides: BTreeMap<BlockId, Arc<Block>>,
    /// Where in the trunk what stands.
    places: BTreeMap<BlockId, usize>,
    decisions: BTreeMap<Tid, usize>,
    anchors: BTreeMap<LogKind, Vec<(usize, Head)>>,
    asked: BTreeMap<Actor, (Time, Height)>,
    /// A final block was not in force any more: G-IMM is broken.
    pub(super) undone: bool,
    /// The policy, which goes by heights.
    pub(super) policy: Shared<Registry>,
}

impl Ledger {
    pub(super) fn new(kind: LedgerKind, members: u8) -> Ledger {
        Ledger {
            kind,
            members,
            trunk: Vec::new(),
            sides: BTreeMap::new(),
            places: BTreeMap::new(),
            decisions: BTreeMap::new(),
            anchors: BTreeMap::new(),
            asked: BTreeMap::new(),
            undone: false,
            policy: Shared::new(Registry::shipped()),
        }
    }

    pub(super) const fn kind(&self) -> LedgerKind {
        self.kind
    }

    pub(super) const fn members(&self) -> u8 {
        self.members
    }

    /// What was asked of whom lives in memory alone.
    pub(super) fn crash(&mut self) {
        self.asked.clear();
        // Blocks beside the chain in force are not kept either.
        self.sides.clear();
    }

    pub(super) fn blocks(&self) -> &[Arc<Block>] {
        &self.trunk
    }

    pub(super) fn height(&self) -> Height {
        self.trunk.last().map_or(0, |block| block.proposal.height)
    }

    pub(super) fn tip(&self) -> BlockId {
        self.trunk.last().map_or(BlockId(0), |block| block.id)
    }

    /// How many blocks of the chain in force are final.
    pub(super) fn final_blocks(&self) -> usize {
        match self.kind {
            LedgerKind::Quorum => self.trunk.len(),
            LedgerKind::Work => self.trunk.len().saturating_sub(CONFIRMATIONS),
        }
    }

    pub(super) fn final_height(&self) -> Height {
        let newest = self.final_blocks().checked_sub(1).and_then(|place| self.trunk.get(place));
        newest.map_or(0, |block| block.proposal.height)
    }

    /// The block in force at this height, and whether it is final.
    pub(super) fn at(&self, height: Height) -> Option<(&Arc<Block>, bool)> {
        let place = usize::try_from(height).ok()?.checked_sub(1)?;
        Some((self.trunk.get(place)?, place < self.final_blocks()))
    }

    /// The decision on `tid` in the chain in force, its block, and whether that is final.
    pub(super) fn decision(&self, tid: Tid) -> Option<(Certificate, &Arc<Block>, bool)> {
        let place = *self.decisions.get(&tid)?;
        let block = self.trunk.get(place)?;
        let certificate = block.proposal.entries.iter().find_map(|entry| match entry {
            Entry::Decision(certificate) if certificate.question.header.tid == tid => Some(*certificate),
            _ => None,
        })?;
        Some((certificate, block, place < self.final_blocks()))
    }

    pub(super) fn decides(&self, tid: Tid) -> bool {
        self.decisions.contains_key(&tid)
    }

    /// The newest anchor of a log in the chain in force.
    pub(super) fn newest_anchor(&self, kind: LogKind) -> Option<Head> {
        self.anchors.get(&kind)?.last().map(|(_, head)| *head)
    }

    /// The newest anchor of a log in a final block.
    pub(super) fn final_anchor(&self, kind: LogKind) -> Option<Head> {
        let final_blocks = self.final_blocks();
        let newest_first = self.anchors.get(&kind)?.iter().rev();
        newest_first.into_iter().find(|(place, _)| *place < final_blocks).map(|(_, head)| *head)
    }

    /// The time of the block that the next one stands on.
    pub(super) fn tip_time(&self) -> Time {
        self.trunk.last().map_or(0, |block| block.proposal.time)
    }

    /// How many blocks of the trunk the chain that ends in `id` shares, and its blocks after that, oldest first.
    fn chain_to(&self, id: BlockId) -> Option<(usize, Vec<Arc<Block>>)> {
        let (mut at, mut branch) = (id, Vec::new());
        loop {
            if at == BlockId(0) {
                branch.reverse();
                return Some((0, branch));
            }
            if let Some(place) = self.places.get(&at) {
                branch.reverse();
                return Some((place + 1, branch));
            }
            let block = self.sides.get(&at)?;
            at = block.proposal.previous;
            branch.push(Arc::clone(block));
        }
    }

    /// The checks of a proposal: those of a block but for its close. Gives where it stands.
    pub(super) fn check_proposal(
        &self,
        rules: &Rules,
        now: Time,
        proposal: &Proposal,
        id: BlockId,
    ) -> Result<(usize, Vec<Arc<Block>>), Clause> {
        let place = self.check_place(rules, now, proposal, id)?;
        self.check_entries(rules, proposal, &place)?;
        self.check_decisions(rules, proposal)?;
        Ok(place)
    }

    fn check_place(
        &self,
        rules: &Rules,
        now: Time,
        proposal: &Proposal,
        id: BlockId,
    ) -> Result<(usize, Vec<Arc<Block>>), Clause> {
        let mut asked = Checks::of(rules, proposal.flaws).in_order(order::BLOCK_PLACE);
        let held = self.places.contains_key(&id) || self.sides.contains_key(&id);
        asked.require(Clause::HeaviestChainWins, !held)?;
        let chain = self.chain_to(proposal.previous);
        asked.require(Clause::BlockLinksPrevious, chain.is_some())?;
        let chain = chain.unwrap_or_else(|| (self.trunk.len(), Vec::new()));
        asked.require(Clause::FinalBlockStands, chain.0 >= self.final_blocks())?;
        let parent = chain.1.last().or_else(|| self.trunk.get(chain.0.checked_sub(1)?));
        let (height, time) = parent.map_or((0, 0), |parent| (parent.proposal.height, parent.proposal.time));
        asked.require(Clause::HeightAdvancesByOne, height + 1 == proposal.height)?;
        let advances = time < proposal.time && proposal.time <= now + constants::BLOCK_AHEAD_MS;
        asked.require(Clause::BlockTimeAdvances, advances)?;
        match self.kind {
            LedgerKind::Quorum => asked.require(Clause::BlockHasQuorum, true)?,
            LedgerKind::Work => {
                asked.require_state(Clause::BlockHasQuorum, true)?;
                asked.require_state(Clause::BlockHasQuorum, true)?;
                // A flaw of LED-05 is a digest that does not meet the target, which comes later.
                asked.require_state(Clause::WorkMeetsTarget, true)?;
                asked.require(Clause::TargetIsScheduled, true)?;
            }
        }
        Ok(chain)
    }

    fn check_entries(
        &self,
        rules: &Rules,
        proposal: &Proposal,
        (shared, branch): &(usize, Vec<Arc<Block>>),
    ) -> Result<(), Clause> {
        let checks = Checks::of(rules, proposal.flaws);
        checks.sound(Clause::MerkleRootMatches)?;
        let before = || branch.iter().flat_map(|block| &block.proposal.entries);
        let mut tids = BTreeSet::new();
        for entry in &proposal.entries {
            if let Entry::Decision(certificate) = entry {
                let tid = certificate.question.header.tid;
                let in_trunk = self.decisions.get(&tid).is_some_and(|place| place < shared);
                let in_branch = before()
                    .any(|entry| matches!(entry, Entry::Decision(other) if other.question.header.tid == tid));
                let once = tids.insert(tid) && !in_trunk && !in_branch;
                checks.require(Clause::TidDecidedOnce, once)?;
            }
        }
        checks.sound(Clause::TidDecidedOnce)?;
        for (index, entry) in proposal.entries.iter().enumerate() {
            if let Entry::Anchor(head) = entry {
                let same = |entry: &Entry| match entry {
                    Entry::Anchor(other) if other.kind == head.kind => Some(*other),
                    _ => None,
                };
                let here = proposal.entries[..index].iter().rev().find_map(same);
                let in_branch = || {
                    branch.iter().rev().find_map(|block| block.proposal.entries.iter().rev().find_map(same))
                };
                let in_trunk = || {
                    let anchors = self.anchors.get(&head.kind)?;
                    anchors.iter().rev().find(|(place, _)| place < shared).map(|(_, head)| *head)
                };
                let last = here.or_else(in_branch).or_else(in_trunk);
                checks.require(Clause::AnchorAdvances, last.is_none_or(|last| follows(&last, head)))?;
            }
        }
        checks.sound(Clause::AnchorAdvances)
    }

    fn check_decisions(&self, rules: &Rules, proposal: &Proposal) -> Result<(), Clause> {
        let checks = Checks::of(rules, proposal.flaws);
        checks.sound(Clause::EntryHasQuorum)?;
        proposal.entries.iter().try_for_each(|entry| match entry {
            Entry::Decision(certificate) => {
                checks.require(Clause::EntryHasQuorum, self.certifies(certificate))
            }
            Entry::Anchor(_) => Ok(()),
        })
    }

    /// Whether a certificate is what it says.
    pub(super) fn certifies(&self, certificate: &Certificate) -> bool {
        certificate.flaws.is_empty()
            && certificate.signatories.len() >= quorum(self.members)
            && certificate.signatories.iter().all(|signatory| signatory < self.members)
    }

    /// Takes a block, or refuses it and changes nothing.
    pub(super) fn append(
        &mut self,
        rules: &Rules,
        now: Time,
        block: Arc<Block>,
    ) -> Result<ChainUpdate, Clause> {
        let proposal = &block.proposal;
        let checks = Checks::of(rules, block.flaws);
        let place = self.check_place(rules, now, proposal, block.id)?;
        if self.kind == LedgerKind::Work {
            let proposed = Checks::of(rules, proposal.flaws);
            checks.sound(Clause::WorkMeetsTarget).and(proposed.sound(Clause::WorkMeetsTarget))?;
        }
        self.check_entries(rules, proposal, &place)?;
        if self.kind == LedgerKind::Quorum {
            let signed = block.signatories.len() >= quorum(self.members)
                && block.signatories.iter().all(|signatory| signatory < self.members);
            checks.require(Clause::BlockHasQuorum, signed)?;
        }
        self.check_decisions(rules, proposal)?;
        Ok(self.take(rules, place, block))
    }

    fn take(
        &mut self,
        rules: &Rules,
        (shared, branch): (usize, Vec<Arc<Block>>),
        block: Arc<Block>,
    ) -> ChainUpdate {
        if branch.is_empty() && shared == self.trunk.len() {
            self.push(block);
            self.forget_stale(rules);
            return ChainUpdate::Extended;
        }
        // Every block of one ledger has as much work: the model has no targets.
        let heavier = shared + branch.len() + 1 > self.trunk.len();
        if !heavier && rules.in_force(Clause::HeaviestChainWins) {
            self.sides.insert(block.id, block);
            return ChainUpdate::Kept;
        }
        self.undone |= shared < self.final_blocks();
        let mut removed = Vec::new();
        while self.trunk.len() > shared {
            if let Some(old) = self.pop() {
                self.sides.insert(old.id, Arc::clone(&old));
                removed.push(old);
            }
        }
        for block in branch.into_iter().chain([block]) {
            self.sides.remove(&block.id);
            self.push(block);
        }
        self.forget_stale(rules);
        ChainUpdate::Reorganised(removed)
    }

    fn push(&mut self, block: Arc<Block>) {
        let place = self.trunk.len();
        for entry in &block.proposal.entries {
            match entry {
                Entry::Decision(certificate) => {
                    self.decisions.entry(certificate.question.header.tid).or_insert(place);
                }
                Entry::Anchor(head) => self.anchors.entry(head.kind).or_default().push((place, *head)),
            }
        }
        self.places.insert(block.id, place);
        self.trunk.push(block);
    }

    fn pop(&mut self) -> Option<Arc<Block>> {
        let block = self.trunk.pop()?;
        let place = self.trunk.len();
        self.places.remove(&block.id);
        self.decisions.retain(|_, at| *at < place);
        self.anchors.values_mut().for_each(|anchors| anchors.retain(|(at, _)| *at < place));
        Some(block)
    }

    /// Blocks whose chain lacks a final block are forgotten.
    fn forget_stale(&mut self, rules: &Rules) {
        if self.sides.is_empty() || !rules.in_force(Clause::FinalBlockStands) {
            return;
        }
        let final_blocks = self.final_blocks();
        let stale = |id: &BlockId| self.chain_to(*id).is_none_or(|(shared, _)| shared < final_blocks);
        let stale: Vec<BlockId> = self.sides.keys().copied().filter(stale).collect();
        stale.iter().for_each(|id| drop(self.sides.remove(id)));
    }

    /// What is asked of who sent a block or a proposal that does not link to any held (*Catching up*).
    pub(super) fn missing(&mut self, now: Time, refused: Clause, from: Actor) -> Vec<Output> {
        if refused != Clause::BlockLinksPrevious {
            return Vec::new();
        }
        let height = self.final_height() + 1;
        self.asked.retain(|_, (last, _)| now < *last + constants::CATCH_UP_MS);
        if self.asked.get(&from).is_some_and(|(_, asked)| *asked == height) {
            return Vec::new();
        }
        self.asked.insert(from, (now, height));
        vec![Output::SendGossip(from, Gossip::BlocksFrom(height))]
    }

    /// The blocks from a height on, for who asked.
    pub(super) fn blocks_from(&self, height: Height, to: Actor) -> Vec<Output> {
        let below = usize::try_from(height.saturating_sub(1)).unwrap_or(usize::MAX);
        let from_there = self.trunk.iter().skip(below);
        from_there
            .take(constants::BLOCKS_SENT as usize)
            .map(|block| Output::SendGossip(to, Gossip::Block(Arc::clone(block))))
            .collect()
    }

    /// Takes a change of policy.
    pub(super) fn on_policy_change(
        &mut self,
        rules: &Rules,
        now: Time,
        trust: &Trust,
        change: PolicyChange,
        approvals: Members,
        flaws: Flaws,
    ) -> Result<(), Clause> {
        let height = self.height();
        self.policy.take(rules, now, trust, height, change, approvals, flaws)
    }

    /// What can be seen of it, and of the list that `trust` holds.
    pub(super) fn view(&self, trust: &Trust) -> Public {
        Public {
            height: self.height(),
            final_height: self.final_height(),
            tip: self.tip(),
            policy: self.policy.newest(),
            list: trust.list(),
        }
    }

    /// Takes a block that arrived; asks for what is missing where it does not fit.
    pub(super) fn on_block(
        &mut self,
        rules: &Rules,
        now: Time,
        from: Actor,
        block: &Arc<Block>,
    ) -> (Result<ChainUpdate, Clause>, Vec<Output>) {
        let taken = self.append(rules, now, Arc::clone(block));
        let missing = taken.as_ref().err().map_or(Vec::new(), |refused| self.missing(now, *refused, from));
        (taken, missing)
    }
}

/// Whether a block may anchor `new` after `old` (LED-14).
pub(super) fn follows(old: &Head, new: &Head) -> bool {
    match new.kind {
        LogKind::Cloud => old.size < new.size,
        LogKind::Audit => old.size <= new.size,
    }
}

renamed!(Ledger {
    kind,
    members: of_nobody,
    trunk,
    sides,
    places,
    decisions,
    anchors,
    asked,
    undone,
    policy
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Proposal;

    #[test]
    fn a_longer_chain_undoes_a_final_block_only_where_final_blocks_need_not_stand() {
        let append = |rules: &Rules, ledger: &mut Ledger, chain: u64, blocks: u64| {
            let mut previous = BlockId(0);
            for height in 1..=blocks {
                let (time, proposer, entries, flaws) = (height, 0, Vec::new(), Flaws::NONE);
                let proposal = Proposal { height, previous, time, proposer, entries, nonce: chain, flaws };
                previous = proposal.id();
                let block = Block { id: previous, proposal, signatories: Members::default(), flaws };
                ledger.append(rules, blocks, Arc::new(block))?;
            }
            Ok::<(), Clause>(())
        };
        let hardened = Rules::hardened();
        let mut ledger = Ledger::new(LedgerKind::Work, 2);
        // As long as nothing of it is final, a chain gives way.
        append(&hardened, &mut ledger, 1, 6).unwrap();
        append(&hardened, &mut ledger, 2, 7).unwrap();
        assert!(!ledger.undone);
        assert_eq!(append(&hardened, &mut ledger, 3, 8), Err(Clause::FinalBlockStands));
        assert!(!ledger.undone);
        #[cfg(bemr_weaken)]
        {
            append(&hardened.without(Clause::FinalBlockStands), &mut ledger, 4, 8).unwrap();
            assert!(ledger.undone);
        }
    }
}
