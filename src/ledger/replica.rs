//! The ledger itself: appending, choosing among branches, finality, look-up.

use crate::crypto::Digest;
use crate::ledger::branch::Ancestry;
use crate::ledger::canonical::{CanonicalChain, CheckedBlock};
use crate::ledger::schedule::scheduled_target;
use crate::ledger::verified::Verified;
use crate::ledger::{Proposal, verify_close};
use crate::merkle::{MerkleTree, root_of};
use crate::votes::{ValidatorSet, verify_quorum};
use crate::wire::{
    Anchor, Block, BlockHeader, Closing, ClosingRule, Entry, Genesis, Height, InclusionProof, LogKind, Name,
    PROTOCOL_VERSION, QuorumCertificate, Time, Work, WorkRule,
};
use bemr_spec::{Clause, Refusal, Rules, constants};
use num_bigint::BigUint;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A replica of the ledger. Cloning shares the blocks.
#[derive(Clone, Debug)]
pub struct Ledger {
    genesis: Genesis,
    start: Digest,
    canonical: CanonicalChain,
    /// Blocks that were checked and stand on no final block's rival, but not on the canonical chain.
    forks: BTreeMap<Digest, Arc<CheckedBlock>>,
    verified: Verified,
}

/// What a block did to the branch in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainUpdate {
    /// It extends the branch.
    Extended,
    /// It is kept on a branch that is not in force.
    Kept,
    /// It makes another branch the one in force.
    Reorganised {
        /// The blocks that are no longer in force, newest first.
        removed: Vec<Block>,
        /// How many blocks came into force, this one included.
        added: usize,
    },
}

/// A decision that the branch in force holds.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// The block.
    pub block: &'a Block,
    /// Digest of its header.
    pub digest: &'a Digest,
    /// The index among its entries.
    pub index: usize,
    /// What was decided.
    pub certificate: &'a QuorumCertificate,
}

/// What is known of a quorum's signatures under a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Close {
    /// The block came with them.
    Claimed,
    /// The caller gathered them and verified each.
    Gathered,
}

impl Ledger {
    /// The ledger without blocks.
    ///
    /// # Errors
    /// ENC-03 for another version, LED-06 for a schedule with a zero in it.
    pub fn new(rules: &Rules, genesis: Genesis) -> Result<Ledger, Refusal> {
        rules.require(Clause::ProtocolVersionIsOne, genesis.version == PROTOCOL_VERSION)?;
        if let ClosingRule::Work(rule) = &genesis.rule
            && !rule.is_sound()
        {
            return Err(Refusal::new(Clause::TargetIsScheduled).at("genesis.rule"));
        }
        let start = genesis.digest();
        let (canonical, forks, verified) = Default::default();
        Ok(Ledger { genesis, start, canonical, forks, verified })
    }

    /// What it started from.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The height of the newest block in force; 0 without blocks.
    pub fn height(&self) -> Height {
        self.canonical.tip().map_or(Height(0), |held| held.block.header().height)
    }

    /// The digest that the next block names as previous.
    pub fn tip(&self) -> Digest {
        self.canonical.tip().map_or(self.start, |held| held.digest)
    }

    /// The block in force at `height`.
    pub fn block(&self, height: Height) -> Option<&Block> {
        self.canonical.position_at(height).map(|position| &self.canonical.blocks()[position].block)
    }

    /// The blocks in force, oldest first.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = &Block> + DoubleEndedIterator {
        self.canonical.blocks().iter().map(|held| &held.block)
    }

    /// How many blocks are held beside the branch in force.
    pub fn forks(&self) -> usize {
        self.forks.len()
    }

    /// How many blocks in force are final.
    fn final_blocks(&self) -> usize {
        match &self.genesis.rule {
            ClosingRule::Quorum => self.canonical.len(),
            ClosingRule::Work(rule) => self.canonical.len().saturating_sub(rule.confirmations as usize),
        }
    }

    /// The height of the newest final block; 0 when none is.
    pub fn final_height(&self) -> Height {
        let newest = self.final_blocks().checked_sub(1).map(|position| &self.canonical.blocks()[position]);
        newest.map_or(Height(0), |held| held.block.header().height)
    }

    /// Checks that the block with this header digest is in force and final.
    ///
    /// # Errors
    /// LED-08.
    pub fn require_final(&self, rules: &Rules, block: &Digest) -> Result<(), Refusal> {
        let is_final = self.canonical.position(block).is_some_and(|position| position < self.final_blocks());
        rules.require(Clause::ConfirmationsReached, is_final)
    }

    /// The decision on a transaction in the branch in force, final or not.
    pub fn decision(&self, tid: &Digest) -> Option<Decision<'_>> {
        let place = self.canonical.decision(tid)?;
        let CheckedBlock { block, digest, .. } = &*self.canonical.blocks()[place.position];
        match block.entries.as_slice().get(place.index)? {
            Entry::Decision(certificate) => Some(Decision { block, digest, index: place.index, certificate }),
            Entry::Anchor(_) => None,
        }
    }

    /// The newest anchor of a log in a final block.
    pub fn final_anchor(&self, kind: LogKind, keeper: &Name) -> Option<(Height, &Anchor)> {
        let final_blocks = self.final_blocks();
        let mut newest_first = self.canonical.anchors(kind, keeper).rev();
        let (place, anchor) = newest_first.find(|(place, _)| place.position < final_blocks)?;
        Some((self.canonical.blocks()[place.position].block.header().height, anchor))
    }

    /// The newest anchor of a log in the branch in force, final or not.
    pub fn newest_anchor(&self, kind: LogKind, keeper: &Name) -> Option<&Anchor> {
        self.canonical.anchors(kind, keeper).next_back().map(|(_, anchor)| anchor)
    }

    /// The tree over the entries of the block at `height`.
    pub fn entry_tree(&self, height: Height) -> Option<MerkleTree> {
        let digests: Vec<Digest> = self.block(height)?.entries.iter().map(Entry::digest).collect();
        Some(digests.iter().collect())
    }

    /// Proves the entry at `index` of the block at `height`, for [`crate::ledger::verify_entry`].
    pub fn prove_entry(&self, height: Height, index: usize) -> Option<InclusionProof> {
        let tree = self.entry_tree(height)?;
        tree.prove_inclusion(tree.size(), index as u64)
    }

    /// A block on the branch in force, to be closed. Its time is `time`, or one millisecond after its
    /// predecessor's when that is later.
    pub fn propose(&self, entries: Vec<Entry>, time: Time, proposer: Name) -> Proposal {
        let chain = self.trunk_chain();
        let earliest = chain.parent().map_or(self.genesis.start, |held| held.block.header().time).after(1);
        let digests: Vec<Digest> = entries.iter().map(Entry::digest).collect();
        let closing = match &self.genesis.rule {
            ClosingRule::Quorum => Closing::Quorum(self.genesis.validators),
            ClosingRule::Work(rule) => {
                Closing::Work(Work { target: scheduled_target(&self.genesis, rule, &chain), nonce: 0 })
            }
        };
        let header = BlockHeader {
            version: PROTOCOL_VERSION,
            network: self.genesis.network.clone(),
            height: Height(self.height().0.saturating_add(1)),
            previous: self.tip(),
            time: time.max(earliest),
            root: root_of(&digests),
            count: digests.len() as u32,
            proposer,
            closing,
        };
        Proposal { header, entries }
    }

    /// Checks a proposal as [`Ledger::append`] checks a block, apart from its close; a validator signs no other.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(proposal_content)]
    pub fn check_proposal(
        &mut self,
        rules: &Rules,
        validators: &ValidatorSet,
        now: Time,
        proposal: &Proposal,
    ) -> Result<(), Refusal> {
        let (header, entries) = (&proposal.header, &proposal.entries);
        let chain = self.check_place(rules, now, header, &proposal.digest(), entries.len())?;
        let digests: Vec<Digest> = entries.iter().map(Entry::digest).collect();
        check_entries(rules, &chain, header, entries, &digests)?;
        self.check_decisions(rules, validators, entries, &digests)
    }

    /// Checks a block and takes it into the tree. `now` is the clock of who checks.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(block)]
    pub fn append(
        &mut self,
        rules: &Rules,
        validators: &ValidatorSet,
        now: Time,
        block: Block,
    ) -> Result<ChainUpdate, Refusal> {
        self.append_closed(rules, validators, now, block, Close::Claimed)
    }

    /// As [`Ledger::append`], for a block that the caller closed itself: under a quorum it verified each signature when
    /// that came in.
    ///
    /// # Errors
    /// As [`Ledger::append`], without LED-04.
    pub fn append_own(
        &mut self,
        rules: &Rules,
        validators: &ValidatorSet,
        now: Time,
        block: Block,
    ) -> Result<ChainUpdate, Refusal> {
        self.append_closed(rules, validators, now, block, Close::Gathered)
    }

    fn append_closed(
        &mut self,
        rules: &Rules,
        validators: &ValidatorSet,
        now: Time,
        block: Block,
        close: Close,
    ) -> Result<ChainUpdate, Refusal> {
        let (header, entries) = (block.header(), block.entries.as_slice());
        let digest = header.digest();
        let chain = self.check_place(rules, now, header, &digest, entries.len())?;
        let by_work = matches!(self.genesis.rule, ClosingRule::Work(_));
        if by_work {
            verify_close(rules, validators, &block.closed)?;
        }
        let digests: Vec<Digest> = entries.iter().map(Entry::digest).collect();
        check_entries(rules, &chain, header, entries, &digests)?;
        if !by_work && close == Close::Claimed {
            verify_close(rules, validators, &block.closed)?;
        }
        let work: BigUint = chain.work() + header.worth();
        let (shared, branch) = (chain.shared, chain.branch);
        self.check_decisions(rules, validators, entries, &digests)?;
        Ok(self.take(rules, shared, branch, Arc::new(CheckedBlock { digest, work, block })))
    }

    /// Verifies a certificate, unless this very one was verified before.
    ///
    /// # Errors
    /// LED-11.
    pub fn verify_decision(
        &mut self,
        rules: &Rules,
        validators: &ValidatorSet,
        certificate: &QuorumCertificate,
    ) -> Result<(), Refusal> {
        self.verify_entry(rules, validators, certificate, certificate.entry_digest())
    }

    /// As [`Ledger::verify_decision`], where the digest of the certificate as an entry is known.
    fn verify_entry(
        &mut self,
        rules: &Rules,
        validators: &ValidatorSet,
        certificate: &QuorumCertificate,
        digest: Digest,
    ) -> Result<(), Refusal> {
        if !rules.in_force(Clause::EntryHasQuorum) {
            return Ok(());
        }
        let body = &certificate.body;
        let here = body.network == self.genesis.network && validators.digest() == self.genesis.validators;
        rules.require(Clause::EntryHasQuorum, here).map_err(|refusal| refusal.at("network"))?;
        if self.verified.contains(&digest) {
            #[cfg(bemr_weaken)]
            crate::crypto::operations::spared(|| drop(verify_quorum(rules, validators, certificate)));
            return Ok(());
        }
        verify_quorum(rules, validators, certificate)
            .map_err(|cause| Refusal::new(Clause::EntryHasQuorum).at(cause.to_string()))?;
        self.verified.insert(digest);
        Ok(())
    }

    /// Whether this very certificate was verified here before.
    pub fn is_verified(&self, certificate: &QuorumCertificate) -> bool {
        self.verified.contains(&certificate.entry_digest())
    }

    /// Tells the ledger that the caller has verified this very certificate under the validator set of the
    /// genesis, so that it need not be verified again.
    pub fn note_verified(&mut self, certificate: &QuorumCertificate) {
        self.verified.insert(certificate.entry_digest());
    }

    fn trunk_chain(&self) -> Ancestry<'_> {
        Ancestry { canonical: &self.canonical, shared: self.canonical.len(), branch: Vec::new() }
    }

    /// The chain that ends in the block with this digest.
    fn chain_to(&self, digest: &Digest) -> Option<Ancestry<'_>> {
        let mut branch = Vec::new();
        let mut at = *digest;
        loop {
            if at == self.start {
                branch.reverse();
                return Some(Ancestry { canonical: &self.canonical, shared: 0, branch });
            }
            if let Some(position) = self.canonical.position(&at) {
                branch.reverse();
                return Some(Ancestry { canonical: &self.canonical, shared: position + 1, branch });
            }
            let held = self.forks.get(&at)?;
            at = held.block.header().previous;
            branch.push(held.clone());
        }
    }

    fn check_place(
        &self,
        rules: &Rules,
        now: Time,
        header: &BlockHeader,
        digest: &Digest,
        entries: usize,
    ) -> Result<Ancestry<'_>, Refusal> {
        rules.require(Clause::ProtocolVersionIsOne, header.version == PROTOCOL_VERSION)?;
        rules
            .require(Clause::SizeWithinBound, entries <= constants::BLOCK_ENTRIES)
            .map_err(|refusal| refusal.at("entries"))?;
        let held = self.canonical.position(digest).is_some() || self.forks.contains_key(digest);
        rules.require(Clause::HeaviestChainWins, !held)?;
        let chain = match self.chain_to(&header.previous) {
            Some(chain) => chain,
            None if rules.in_force(Clause::BlockLinksPrevious) => {
                return Err(Refusal::new(Clause::BlockLinksPrevious).at("previous"));
            }
            None => self.trunk_chain(),
        };
        rules
            .require(Clause::BlockLinksPrevious, header.network == self.genesis.network)
            .map_err(|refusal| refusal.at("network"))?;
        rules.require(Clause::FinalBlockStands, chain.shared >= self.final_blocks())?;
        let (height, time) = match chain.parent() {
            Some(parent) => (parent.block.header().height, parent.block.header().time),
            None => (Height(0), self.genesis.start),
        };
        rules.require(Clause::HeightAdvancesByOne, height.0.checked_add(1) == Some(header.height.0))?;
        rules
            .require(
                Clause::BlockTimeAdvances,
                time < header.time && header.time <= now.after(constants::BLOCK_AHEAD_MS),
            )
            .map_err(|refusal| refusal.at("time"))?;
        self.check_closing(rules, &chain, header)?;
        Ok(chain)
    }

    /// The header is closed in the way of this ledger, and aims at the target of its place.
    fn check_closing(
        &self,
        rules: &Rules,
        chain: &Ancestry<'_>,
        header: &BlockHeader,
    ) -> Result<(), Refusal> {
        match (&self.genesis.rule, &header.closing) {
            (ClosingRule::Quorum, Closing::Quorum(set)) => rules
                .require(Clause::BlockHasQuorum, *set == self.genesis.validators)
                .map_err(|refusal| refusal.at("closing.validators")),
            (ClosingRule::Quorum, Closing::Work(_)) => {
                rules.require(Clause::BlockHasQuorum, false).map_err(|refusal| refusal.at("closing"))
            }
            (ClosingRule::Work(_), Closing::Quorum(_)) => {
                rules.require(Clause::WorkMeetsTarget, false).map_err(|refusal| refusal.at("closing"))
            }
            (ClosingRule::Work(rule), Closing::Work(work)) => self.check_target(rules, rule, chain, work),
        }
    }

    fn check_target(
        &self,
        rules: &Rules,
        rule: &WorkRule,
        chain: &Ancestry<'_>,
        work: &Work,
    ) -> Result<(), Refusal> {
        rules.check(Clause::TargetIsScheduled, || work.target == scheduled_target(&self.genesis, rule, chain))
    }

    fn check_decisions(
        &mut self,
        rules: &Rules,
        validators: &ValidatorSet,
        entries: &[Entry],
        digests: &[Digest],
    ) -> Result<(), Refusal> {
        for (index, (entry, digest)) in entries.iter().zip(digests).enumerate() {
            if let Entry::Decision(certificate) = entry {
                self.verify_entry(rules, validators, certificate, *digest)
                    .map_err(|refusal| at_entry(index, refusal))?;
            }
        }
        Ok(())
    }

    /// Takes a block that passed every check and stands on `branch` beside the first `shared` blocks.
    fn take(
        &mut self,
        rules: &Rules,
        shared: usize,
        branch: Vec<Arc<CheckedBlock>>,
        held: Arc<CheckedBlock>,
    ) -> ChainUpdate {
        if branch.is_empty() && shared == self.canonical.len() {
            self.canonical.push(held);
            self.forget_stale_sides(rules);
            return ChainUpdate::Extended;
        }
        let best = self.canonical.tip().map_or_else(BigUint::default, |tip| tip.work.clone());
        if rules.in_force(Clause::HeaviestChainWins) && held.work <= best {
            self.forks.insert(held.digest, held);
            return ChainUpdate::Kept;
        }
        let mut removed = Vec::new();
        while self.canonical.len() > shared
            && let Some(old) = self.canonical.pop()
        {
            removed.push(old.block.clone());
            self.forks.insert(old.digest, old);
        }
        let added = branch.len() + 1;
        for held in branch.into_iter().chain([held]) {
            self.forks.remove(&held.digest);
            self.canonical.push(held);
        }
        self.forget_stale_sides(rules);
        ChainUpdate::Reorganised { removed, added }
    }

    /// Drops the forks that leave the canonical chain below its newest final block: they can never win.
    fn forget_stale_sides(&mut self, rules: &Rules) {
        if self.forks.is_empty() || !rules.in_force(Clause::FinalBlockStands) {
            return;
        }
        let final_blocks = self.final_blocks();
        let stale: Vec<Digest> = self
            .forks
            .keys()
            .filter(|digest| self.chain_to(digest).is_none_or(|chain| chain.shared < final_blocks))
            .copied()
            .collect();
        for digest in stale {
            self.forks.remove(&digest);
        }
    }
}

/// The entries are those of the header, decide nothing twice and anchor no log backwards.
fn check_entries(
    rules: &Rules,
    chain: &Ancestry<'_>,
    header: &BlockHeader,
    entries: &[Entry],
    digests: &[Digest],
) -> Result<(), Refusal> {
    rules.check(Clause::MerkleRootMatches, || {
        header.count as usize == digests.len() && header.root == root_of(digests)
    })?;
    let mut tids = std::collections::BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Entry::Decision(certificate) = entry {
            let tid = certificate.body.tid;
            rules
                .check(Clause::TidDecidedOnce, || tids.insert(tid) && !chain.decides(&tid))
                .map_err(|refusal| at_entry(index, refusal))?;
        }
    }
    let mut sizes: BTreeMap<(LogKind, &Name), u64> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Entry::Anchor(anchor) = entry {
            let log = (anchor.kind, &anchor.keeper);
            let before =
                sizes.insert(log, anchor.size).or_else(|| chain.anchored(anchor.kind, &anchor.keeper));
            let advances = |before: u64| match anchor.kind {
                LogKind::Cloud => before < anchor.size,
                // The head that closes an audit log counts the entries of the head before it.
                LogKind::Audit => before <= anchor.size,
            };
            rules
                .require(Clause::AnchorAdvances, before.is_none_or(advances))
                .map_err(|refusal| at_entry(index, refusal))?;
        }
    }
    Ok(())
}

fn at_entry(index: usize, refusal: Refusal) -> Refusal {
    let place = match refusal.place() {
        Some(place) => format!("entry {index}: {place}"),
        None => format!("entry {index}"),
    };
    refusal.at(place)
}
