//! The auditor.

use crate::audit::verify_audit_head;
use crate::crypto::{Digest, VerifyingKey};
use crate::ledger::Ledger;
use crate::merkle::Frontier;
use crate::transparency::{LogOperator, verify_head};
use crate::votes::ValidatorSet;
use crate::wire::{
    AuditEntry, AuditStart, Ballot, Block, CloudLeaf, Entry, Genesis, Height, LeafKind, LogKind, LogState,
    Name, PROTOCOL_VERSION, SignedAuditHead, SignedCloudHead, Terminal, Time,
};
use bemr_spec::{Clause, Refusal, Rules};
use std::collections::{BTreeMap, BTreeSet};

/// All that the public may see of a network.
#[derive(Clone, Debug)]
pub struct PublicRecord<'a> {
    /// The blocks in force, oldest first.
    pub blocks: &'a [Block],
    /// The leaves of the cloud's log, oldest first.
    pub leaves: &'a [CloudLeaf],
    /// Heads of the cloud's log, oldest first; every one that was anchored is among them.
    pub cloud_heads: &'a [SignedCloudHead],
    /// The entries of the audit log, oldest first.
    pub entries: &'a [AuditEntry],
    /// Heads of the audit log, oldest first; every one that was anchored is among them.
    pub audit_heads: &'a [SignedAuditHead],
}

/// An entry of the public record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// The block at this height.
    Block(Height),
    /// The entry with this index in the block at this height.
    LedgerEntry(Height, usize),
    /// The leaf with this index in the cloud's log.
    CloudLeaf(u64),
    /// The cloud's head over this many leaves.
    CloudHead(u64),
    /// The audit entry with this index.
    AuditEntry(u64),
    /// The audit head over this many entries.
    AuditHead(u64),
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Block(height) => write!(f, "block {height}"),
            Location::LedgerEntry(height, index) => write!(f, "block {height} entry {index}"),
            Location::CloudLeaf(index) => write!(f, "cloud leaf {index}"),
            Location::CloudHead(size) => write!(f, "cloud head over {size} leaves"),
            Location::AuditEntry(index) => write!(f, "audit entry {index}"),
            Location::AuditHead(count) => write!(f, "audit head over {count} entries"),
        }
    }
}

/// The first entry that does not fit the rest, and the clause that it breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entry}: {refusal}")]
pub struct Inconsistency {
    /// The entry.
    pub entry: Location,
    /// The clause.
    pub refusal: Refusal,
}

/// What a consistent record amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct AuditReport {
    /// Blocks in force.
    pub blocks: u64,
    /// Blocks that are final.
    pub final_blocks: u64,
    /// Decisions with verdict true.
    pub decided_true: u64,
    /// Decisions with verdict false.
    pub decided_false: u64,
    /// Anchors in final blocks.
    pub anchors: u64,
    /// Leaves of the cloud's log.
    pub leaves: u64,
    /// How many of them lie under a head that is anchored in a final block.
    pub leaves_anchored: u64,
    /// Records stored and not erased.
    pub records: u64,
    /// Records erased.
    pub erased: u64,
    /// Entries of the audit log.
    pub entries: u64,
    /// How many of them lie under a head that is anchored in a final block.
    pub entries_anchored: u64,
    /// Committed transactions.
    pub committed: u64,
    /// Rejected transactions.
    pub rejected: u64,
    /// Deferred transactions.
    pub deferred: u64,
    /// Aborted transactions.
    pub aborted: u64,
    /// Whether the audit log is closed: its newest head says so and is anchored in a final block.
    pub closed: bool,
}

/// What the cloud's log records of a record.
#[derive(Clone, Copy, Debug)]
struct Stored {
    leaf: u64,
    erased: bool,
    audited: bool,
}

/// Replays the public record a step at a time, each step at most logarithmic in what came before: first blocks,
/// then leaves and cloud heads, then audit entries and audit heads, then [`Auditor::finish`].
#[derive(Clone, Debug)]
pub struct Auditor {
    rules: Rules,
    now: Time,
    validators: ValidatorSet,
    cloud: LogOperator,
    bsd: (Name, VerifyingKey),
    ledger: Ledger,
    log: Frontier,
    stored: BTreeMap<Digest, Stored>,
    newest_cloud_head: Option<SignedCloudHead>,
    cloud_heads: BTreeSet<(u64, Digest)>,
    audited: BTreeSet<Digest>,
    count: u64,
    last: Digest,
    newest_audit_head: Option<SignedAuditHead>,
    audit_heads: BTreeSet<(u64, Digest)>,
    report: AuditReport,
}

type Step = Result<(), Inconsistency>;

fn at(entry: Location) -> impl Fn(Refusal) -> Inconsistency {
    move |refusal| Inconsistency { entry, refusal }
}

impl Auditor {
    /// An auditor with clock `now` who knows the genesis and the public keys.
    ///
    /// # Errors
    /// As [`Ledger::new`].
    pub fn new(
        rules: &Rules,
        now: Time,
        genesis: Genesis,
        validators: ValidatorSet,
        cloud: LogOperator,
        bsd: (Name, VerifyingKey),
    ) -> Result<Auditor, Refusal> {
        let start =
            AuditStart { version: PROTOCOL_VERSION, network: genesis.network.clone(), bsd: bsd.0.clone() };
        Ok(Auditor {
            rules: *rules,
            now,
            validators,
            cloud,
            bsd,
            ledger: Ledger::new(rules, genesis)?,
            log: Frontier::default(),
            stored: BTreeMap::new(),
            newest_cloud_head: None,
            cloud_heads: BTreeSet::new(),
            audited: BTreeSet::new(),
            count: 0,
            last: start.digest(),
            newest_audit_head: None,
            audit_heads: BTreeSet::new(),
            report: AuditReport::default(),
        })
    }

    /// The ledger as replayed so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Replays a block.
    ///
    /// # Errors
    /// The LED clause that it breaks, as [`Ledger::append`].
    pub fn block(&mut self, block: &Block) -> Step {
        let place = Location::Block(block.header().height);
        self.ledger.append(&self.rules, &self.validators, self.now, block.clone()).map_err(at(place))?;
        Ok(())
    }

    /// Replays a leaf of the cloud's log.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(audit_leaf)]
    pub fn leaf(&mut self, leaf: &CloudLeaf) -> Step {
        let (rules, index) = (self.rules, self.log.size());
        let place = at(Location::CloudLeaf(index));
        rules.require(Clause::LeafIsIncluded, leaf.sequence == index).map_err(&place)?;
        let known = self.stored.get(&leaf.tid).copied();
        if leaf.kind == LeafKind::Record {
            rules
                .check(Clause::EntryAgreesWithLedger, || self.final_ballot(&leaf.tid) == Some(Ballot::True))
                .map_err(|refusal| place(refusal.at("no final decision is true")))?;
            rules.require(Clause::StoredOnce, known.is_none_or(|stored| stored.erased)).map_err(&place)?;
        } else {
            rules
                .require(Clause::EntryAgreesWithLedger, known.is_some())
                .map_err(|refusal| place(refusal.at("the record was never stored")))?;
        }
        rules
            .require(Clause::ErasedStaysErased, known.is_none_or(|stored| !stored.erased))
            .map_err(&place)?;
        let fresh = Stored { leaf: index, erased: false, audited: false };
        let stored = self.stored.entry(leaf.tid).or_insert(fresh);
        stored.erased |= leaf.kind == LeafKind::Erase;
        self.log.append(&leaf.digest());
        Ok(())
    }

    /// Replays a head of the cloud's log, right after the last leaf under it.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(audit_cloud_head)]
    pub fn cloud_head(&mut self, signed: &SignedCloudHead) -> Step {
        let (rules, head) = (self.rules, &signed.head);
        let place = at(Location::CloudHead(head.size));
        verify_head(&rules, &self.cloud, signed).map_err(&place)?;
        let newer = |old: &SignedCloudHead| old.head.size <= head.size && old.head.time <= head.time;
        let not_older = self.newest_cloud_head.as_ref().is_none_or(newer);
        rules.require(Clause::HeadNotOlder, not_older).map_err(&place)?;
        let grown = head.size == self.log.size() && head.root == self.log.root();
        rules.require(Clause::LogIsAppendOnly, grown).map_err(&place)?;
        self.cloud_heads.insert((head.size, head.digest()));
        self.newest_cloud_head = Some(signed.clone());
        Ok(())
    }

    /// Replays an entry of the audit log.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(audit_entry)]
    pub fn entry(&mut self, entry: &AuditEntry) -> Step {
        let rules = self.rules;
        let place = at(Location::AuditEntry(self.count));
        let closed = self.newest_audit_head.as_ref().is_some_and(|head| head.head.state == LogState::Closed);
        rules.require(Clause::CountIsClosed, !closed).map_err(&place)?;
        let linked = entry.sequence == self.count && entry.previous == self.last;
        rules.require(Clause::EntryLinksPrevious, linked).map_err(&place)?;
        rules.require(Clause::OneEntryPerTerminal, !self.audited.contains(&entry.tid)).map_err(&place)?;
        if rules.in_force(Clause::EntryAgreesWithLedger)
            && let Err(problem) = self.agrees(entry)
        {
            return Err(place(Refusal::new(Clause::EntryAgreesWithLedger).at(problem)));
        }
        self.audited.insert(entry.tid);
        if matches!(entry.terminal, Terminal::Committed | Terminal::Deferred)
            && let Some(stored) = self.stored.get_mut(&entry.tid)
        {
            stored.audited = true;
        }
        let ended = match entry.terminal {
            Terminal::Committed => &mut self.report.committed,
            Terminal::Rejected => &mut self.report.rejected,
            Terminal::Deferred => &mut self.report.deferred,
            Terminal::Aborted => &mut self.report.aborted,
        };
        *ended += 1;
        self.count += 1;
        self.last = entry.digest();
        Ok(())
    }

    /// Replays a head of the audit log, right after the last entry under it.
    ///
    /// # Errors
    /// AUD-02 for a head that is not signed, not of this log, or of another last entry; AUD-05 for another count.
    pub fn audit_head(&mut self, signed: &SignedAuditHead) -> Step {
        let (rules, head) = (self.rules, &signed.head);
        let place = at(Location::AuditHead(head.count));
        let network = &self.ledger.genesis().network;
        verify_audit_head(&rules, network, &self.bsd.0, &self.bsd.1, signed).map_err(&place)?;
        let closed = self.newest_audit_head.as_ref().is_some_and(|head| head.head.state == LogState::Closed);
        rules.require(Clause::CountIsClosed, head.count == self.count && !closed).map_err(&place)?;
        rules
            .require(Clause::AuditHeadSigned, head.last == self.last)
            .map_err(|refusal| place(refusal.at("last")))?;
        self.audit_heads.insert((head.count, head.digest()));
        self.newest_audit_head = Some(signed.clone());
        Ok(())
    }

    /// What only the whole shows: every anchor in a final block is a head that was presented, every leaf and
    /// entry lies under a head, and a log whose closed head is anchored covers every decision and every record.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(audit_end)]
    pub fn finish(mut self) -> Result<AuditReport, Inconsistency> {
        let rules = self.rules;
        let covered = self.newest_cloud_head.as_ref().map_or(0, |newest| newest.head.size);
        rules
            .require(Clause::LogIsAppendOnly, covered == self.log.size())
            .map_err(|refusal| at(Location::CloudLeaf(covered))(refusal.at("no head covers it")))?;
        let counted = self.newest_audit_head.as_ref().map_or(0, |newest| newest.head.count);
        rules
            .require(Clause::CountIsClosed, counted == self.count)
            .map_err(|refusal| at(Location::AuditEntry(counted))(refusal.at("no head covers it")))?;
        self.check_anchors()?;
        self.check_closed()?;
        self.report.leaves = self.log.size();
        self.report.entries = self.count;
        self.report.erased = self.stored.values().filter(|stored| stored.erased).count() as u64;
        self.report.records = self.stored.len() as u64 - self.report.erased;
        Ok(self.report)
    }

    fn check_anchors(&mut self) -> Step {
        let rules = self.rules;
        let final_height = self.ledger.final_height();
        for block in self.ledger.blocks() {
            let height = block.header().height;
            let is_final = height <= final_height;
            self.report.blocks += 1;
            self.report.final_blocks += u64::from(is_final);
            for (index, entry) in block.entries.iter().enumerate() {
                let anchor = match entry {
                    Entry::Decision(certificate) => {
                        match certificate.body.ballot {
                            Ballot::True => self.report.decided_true += 1,
                            Ballot::False => self.report.decided_false += 1,
                        }
                        continue;
                    }
                    Entry::Anchor(anchor) if is_final => anchor,
                    Entry::Anchor(_) => continue,
                };
                let (keeper, heads, clause, anchored) = match anchor.kind {
                    LogKind::Cloud => (
                        &self.cloud.name,
                        &self.cloud_heads,
                        Clause::HeadIsAnchored,
                        &mut self.report.leaves_anchored,
                    ),
                    LogKind::Audit => (
                        &self.bsd.0,
                        &self.audit_heads,
                        Clause::AuditHeadAnchored,
                        &mut self.report.entries_anchored,
                    ),
                };
                if anchor.keeper == *keeper {
                    rules.require(clause, heads.contains(&(anchor.size, anchor.head))).map_err(
                        |refusal| {
                            at(Location::LedgerEntry(height, index))(refusal.at("no such head was presented"))
                        },
                    )?;
                    self.report.anchors += 1;
                    *anchored = (*anchored).max(anchor.size);
                }
            }
        }
        Ok(())
    }

    /// A log whose closed head is anchored covers everything.
    fn check_closed(&mut self) -> Step {
        let rules = self.rules;
        let Some(newest) =
            self.newest_audit_head.as_ref().filter(|newest| newest.head.state == LogState::Closed)
        else {
            return Ok(());
        };
        let anchored = self.ledger.final_anchor(LogKind::Audit, &self.bsd.0);
        let closed = rules.check(Clause::AuditHeadAnchored, || {
            anchored.is_some_and(|(_, anchor)| anchor.head == newest.head.digest())
        });
        if closed.is_err() {
            // The server database stopped, or the ledger is not that far yet: nothing is claimed of the whole.
            return Ok(());
        }
        self.report.closed = true;
        for block in self.ledger.blocks() {
            for (index, entry) in block.entries.iter().enumerate() {
                if let Entry::Decision(certificate) = entry {
                    rules
                        .require(Clause::OneEntryPerTerminal, self.audited.contains(&certificate.body.tid))
                        .map_err(|refusal| {
                            at(Location::LedgerEntry(block.header().height, index))(
                                refusal.at("no audit entry"),
                            )
                        })?;
                }
            }
        }
        let untold = self.stored.values().filter(|stored| !stored.audited).map(|stored| stored.leaf).min();
        match untold {
            Some(leaf) => rules
                .require(Clause::OneEntryPerTerminal, false)
                .map_err(|refusal| at(Location::CloudLeaf(leaf))(refusal.at("no audit entry"))),
            None => Ok(()),
        }
    }

    /// The final verdict on a transaction.
    fn final_ballot(&self, tid: &Digest) -> Option<Ballot> {
        let decision = self.ledger.decision(tid)?;
        let is_final = self.ledger.require_final(&Rules::hardened(), decision.digest).is_ok();
        is_final.then_some(decision.certificate.body.ballot)
    }

    /// Whether an entry agrees with ledger and cloud.
    fn agrees(&self, entry: &AuditEntry) -> Result<(), &'static str> {
        let decision = self.ledger.decision(&entry.tid);
        if let Some(named) = &entry.decision {
            let Some(decision) = &decision else { return Err("the ledger has no decision on it") };
            if decision.certificate.digest() != *named {
                return Err("the ledger has another decision on it");
            }
            if entry.block != Some(decision.certificate.body.block) {
                return Err("the decision is on another T_block");
            }
        }
        let ballot = decision.map(|decision| decision.certificate.body.ballot);
        match entry.terminal {
            Terminal::Committed if entry.decision.is_none() => Err("committed without a decision"),
            Terminal::Committed if self.final_ballot(&entry.tid) != Some(Ballot::True) => {
                Err("committed without a final decision that is true")
            }
            Terminal::Committed if !self.stored.contains_key(&entry.tid) => {
                Err("committed, but the cloud has none")
            }
            Terminal::Committed if entry.seal.is_none() => Err("committed without a seal"),
            // Nothing else is stored.
            Terminal::Rejected | Terminal::Aborted if ballot == Some(Ballot::True) => {
                Err("not committed, but the decision is true")
            }
            // Every receipt can be lost: the server then knows of the decision, but not that the cloud has acted on it.
            Terminal::Deferred if self.stored.contains_key(&entry.tid) && entry.decision.is_none() => {
                Err("deferred without a decision, but the cloud has it")
            }
            _ => Ok(()),
        }
    }
}

/// Replays a whole public record with an auditor that has replayed nothing yet.
///
/// # Errors
/// The first inconsistency: in the ledger, then in the cloud's log, then in the audit log, then across them.
pub fn audit(mut auditor: Auditor, record: &PublicRecord<'_>) -> Result<AuditReport, Inconsistency> {
    for block in record.blocks {
        auditor.block(block)?;
    }
    let mut heads = record.cloud_heads.iter().peekable();
    for leaf in record.leaves {
        while let Some(signed) = heads.next_if(|signed| signed.head.size <= auditor.log.size()) {
            auditor.cloud_head(signed)?;
        }
        auditor.leaf(leaf)?;
    }
    for signed in heads {
        auditor.cloud_head(signed)?;
    }
    let mut heads = record.audit_heads.iter().peekable();
    for entry in record.entries {
        while let Some(signed) = heads.next_if(|signed| signed.head.count <= auditor.count) {
            auditor.audit_head(signed)?;
        }
        auditor.entry(entry)?;
    }
    for signed in heads {
        auditor.audit_head(signed)?;
    }
    auditor.finish()
}
