//! The auditor, who needs no secret: replays ledger, cloud log and audit log, and stops at the first thing that breaks a
//! clause (chapter 12).

use crate::checks::Checks;
use crate::ledger::Ledger;
use crate::public::{AuditEntry, Leaf, LeafKind, PublicRecord, SignedHead, Terminal, last, root};
use crate::{Ballot, Entry, Flaws, LedgerKind, LogKind, Place, Tid, Time};
use bemr_spec::{Clause, Rules};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What breaks a clause, and which.
pub(super) type Inconsistency = (Place, Clause);

/// What the cloud's log says of a record.
#[derive(Clone, Copy)]
struct Stored {
    leaf: u32,
    erased: bool,
    audited: bool,
}

struct Auditor<'a> {
    rules: &'a Rules,
    record: &'a PublicRecord,
    ledger: Ledger,
    stored: BTreeMap<Tid, Stored>,
    audited: BTreeSet<Tid>,
}

/// Replays a public record.
pub(super) fn audit(
    rules: &Rules,
    now: Time,
    (kind, members): (LedgerKind, u8),
    record: &PublicRecord,
) -> Result<(), Inconsistency> {
    let ledger = Ledger::new(kind, members);
    let (stored, audited) = (BTreeMap::new(), BTreeSet::new());
    let mut auditor = Auditor { rules, record, ledger, stored, audited };
    for block in &record.blocks {
        let place = Place::Block(block.proposal.height);
        auditor.ledger.append(rules, now, Arc::clone(block)).map_err(|clause| (place, clause))?;
    }
    auditor.cloud_log()?;
    auditor.audit_log()?;
    auditor.finish()
}

/// The heads of a log with how many items came before each: a head of size s comes right after item s - 1.
fn in_turn<'a, T>(
    items: &'a [T],
    heads: &'a [SignedHead],
) -> impl Iterator<Item = Result<(usize, &'a T), (usize, &'a SignedHead)>> {
    let (mut item, mut head) = (0, 0);
    std::iter::from_fn(move || {
        let due = heads.get(head).filter(|next| item == items.len() || next.head.size as usize <= item);
        if let Some(next) = due {
            head += 1;
            return Some(Err((item, next)));
        }
        item += 1;
        items.get(item - 1).map(|next| Ok((item - 1, next)))
    })
}

impl Auditor<'_> {
    fn checks(&self) -> Checks<'_> {
        Checks::of(self.rules, Flaws::NONE)
    }

    /// The final verdict on a transaction.
    fn final_ballot(&self, tid: Tid) -> Option<Ballot> {
        let (certificate, _, is_final) = self.ledger.decision(tid)?;
        is_final.then_some(certificate.ballot)
    }

    fn cloud_log(&mut self) -> Result<(), Inconsistency> {
        let record = self.record;
        let mut newest: Option<&SignedHead> = None;
        for next in in_turn(&record.leaves, &record.cloud_heads) {
            match next {
                Ok((index, leaf)) => {
                    self.leaf(index as u32, leaf)
                        .map_err(|clause| (Place::CloudLeaf(index as u32), clause))?;
                }
                Err((seen, signed)) => {
                    self.cloud_head(&record.leaves[..seen], newest, signed)
                        .map_err(|clause| (Place::CloudHead(signed.head.size), clause))?;
                    newest = Some(signed);
                }
            }
        }
        Ok(())
    }

    fn leaf(&mut self, index: u32, leaf: &Leaf) -> Result<(), Clause> {
        let known = self.stored.get(&leaf.tid).copied();
        let checks = self.checks();
        checks.require(Clause::LeafIsIncluded, leaf.sequence == index)?;
        if leaf.kind == LeafKind::Record {
            let accepted = self.final_ballot(leaf.tid) == Some(Ballot::True);
            checks.require(Clause::EntryAgreesWithLedger, accepted)?;
            checks.require(Clause::StoredOnce, known.is_none_or(|stored| stored.erased))?;
        } else {
            checks.require(Clause::EntryAgreesWithLedger, known.is_some())?;
        }
        checks.require(Clause::ErasedStaysErased, known.is_none_or(|stored| !stored.erased))?;
        let fresh = Stored { leaf: index, erased: false, audited: false };
        self.stored.entry(leaf.tid).or_insert(fresh).erased |= leaf.kind == LeafKind::Erase;
        Ok(())
    }

    fn cloud_head(
        &self,
        leaves: &[Leaf],
        before: Option<&SignedHead>,
        signed: &SignedHead,
    ) -> Result<(), Clause> {
        let checks = Checks::of(self.rules, signed.flaws);
        let head = signed.head;
        checks.sound(Clause::HeadSignedByCloud)?;
        let newer = before.is_none_or(|old| old.head.size <= head.size && old.head.time <= head.time);
        checks.require(Clause::HeadNotOlder, newer)?;
        let covers = head.size as usize == leaves.len() && signed.over == root(leaves);
        checks.require(Clause::LogIsAppendOnly, covers)
    }

    fn audit_log(&mut self) -> Result<(), Inconsistency> {
        let record = self.record;
        let mut closed = false;
        for next in in_turn(&record.entries, &record.audit_heads) {
            match next {
                Ok((index, entry)) => {
                    self.entry(index, entry, closed)
                        .map_err(|clause| (Place::AuditEntry(index as u32), clause))?;
                }
                Err((seen, signed)) => {
                    let checks = Checks::of(self.rules, signed.flaws);
                    let entries = &record.entries[..seen];
                    let counts = signed.head.size as usize == seen && !closed;
                    checks
                        .sound(Clause::AuditHeadSigned)
                        .and_then(|()| checks.require(Clause::CountIsClosed, counts))
                        .and_then(|()| checks.require(Clause::AuditHeadSigned, signed.over == last(entries)))
                        .map_err(|clause| (Place::AuditHead(signed.head.size), clause))?;
                    closed |= signed.head.closed;
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, index: usize, entry: &AuditEntry, closed: bool) -> Result<(), Clause> {
        let checks = self.checks();
        checks.require(Clause::CountIsClosed, !closed)?;
        let linked =
            entry.sequence as usize == index && entry.previous == last(&self.record.entries[..index]);
        checks.require(Clause::EntryLinksPrevious, linked)?;
        checks.require(Clause::OneEntryPerTerminal, !self.audited.contains(&entry.tid))?;
        checks.require(Clause::EntryAgreesWithLedger, self.agrees(entry))?;
        self.audited.insert(entry.tid);
        if matches!(entry.terminal, Terminal::Committed | Terminal::Deferred)
            && let Some(stored) = self.stored.get_mut(&entry.tid)
        {
            stored.audited = true;
        }
        Ok(())
    }

    /// *What agrees*, of an entry.
    fn agrees(&self, entry: &AuditEntry) -> bool {
        let decided = self.ledger.decision(entry.tid).map(|(certificate, ..)| certificate);
        if let Some((named, other)) = entry.decision {
            let same = decided.is_some_and(|decided| !other && decided == named);
            if !same || entry.block != Some(named.question) {
                return false;
            }
        }
        let stored = self.stored.contains_key(&entry.tid);
        match entry.terminal {
            Terminal::Committed => {
                let accepted = self.final_ballot(entry.tid) == Some(Ballot::True);
                entry.decision.is_some() && accepted && stored && entry.sealed
            }
            Terminal::Rejected | Terminal::Aborted => {
                decided.is_none_or(|decided| decided.ballot != Ballot::True) && !stored
            }
            Terminal::Deferred => !stored || entry.decision.is_some(),
        }
    }

    fn finish(&self) -> Result<(), Inconsistency> {
        let (checks, record) = (self.checks(), self.record);
        let newest = |heads: &[SignedHead]| heads.last().map_or(0, |signed| signed.head.size);
        let (covered, counted) = (newest(&record.cloud_heads), newest(&record.audit_heads));
        checks
            .require(Clause::LogIsAppendOnly, covered as usize == record.leaves.len())
            .map_err(|clause| (Place::CloudLeaf(covered), clause))?;
        checks
            .require(Clause::CountIsClosed, counted as usize == record.entries.len())
            .map_err(|clause| (Place::AuditEntry(counted), clause))?;
        self.anchors()?;
        self.closed()
    }

    /// The head that an anchor names is presented.
    fn anchors(&self) -> Result<(), Inconsistency> {
        let final_blocks = &self.ledger.blocks()[..self.ledger.final_blocks()];
        for block in final_blocks {
            let height = block.proposal.height;
            for entry in &block.proposal.entries {
                let Entry::Anchor(anchor) = entry else { continue };
                let (heads, clause, place) = match anchor.kind {
                    LogKind::Cloud => {
                        (&self.record.cloud_heads, Clause::HeadIsAnchored, Place::CloudAnchor(height))
                    }
                    LogKind::Audit => {
                        (&self.record.audit_heads, Clause::AuditHeadAnchored, Place::AuditAnchor(height))
                    }
                };
                let over = self.record.signed.get(anchor);
                let presented = heads.iter().any(|one| one.head == *anchor && Some(&one.over) == over);
                self.checks().require(clause, presented).map_err(|clause| (place, clause))?;
            }
        }
        Ok(())
    }

    /// A log whose closed head is its newest anchor tells of everything.
    fn closed(&self) -> Result<(), Inconsistency> {
        let record = self.record;
        let Some(newest) = record.audit_heads.last().filter(|newest| newest.head.closed) else {
            return Ok(());
        };
        let anchored = self
            .ledger
            .final_anchor(LogKind::Audit)
            .is_some_and(|anchor| anchor == newest.head && record.signed.get(&anchor) == Some(&newest.over));
        if self.checks().require(Clause::AuditHeadAnchored, anchored).is_err() {
            return Ok(());
        }
        for block in self.ledger.blocks() {
            for entry in &block.proposal.entries {
                if let Entry::Decision(certificate) = entry {
                    let told = self.audited.contains(&certificate.question.header.tid);
                    self.checks()
                        .require(Clause::OneEntryPerTerminal, told)
                        .map_err(|clause| (Place::Decision(block.proposal.height), clause))?;
                }
            }
        }
        let untold = self.stored.values().filter(|stored| !stored.audited).map(|stored| stored.leaf).min();
        match untold {
            Some(leaf) => self
                .checks()
                .require(Clause::OneEntryPerTerminal, false)
                .map_err(|clause| (Place::CloudLeaf(leaf), clause)),
            None => Ok(()),
        }
    }
}
