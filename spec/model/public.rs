//! What is public, as an auditor is shown it: the ledger, the cloud's log, the audit log; and how it can be falsified.
//!
//! A digest is a number made of what it covers, so that two values have one digest only when they are one.

use crate::damage::Row;
use crate::ledger::Ledger;
use crate::terms::fingerprint;
use crate::{
    Actor, Block, Certificate, Decision, Entry, Flaws, Head, Height, LogKind, Question, System, Tid, Time,
};
use bemr_spec::Clause;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a leaf of the cloud's log tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeafKind {
    /// A record was stored.
    Record,
    /// A reader was given its key.
    Grant,
    /// A reader lost it.
    Revoke,
    /// It was erased.
    Erase,
}

/// A leaf of the cloud's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Leaf {
    pub(super) sequence: u32,
    /// Where it was logged: no two leaves are the same, whatever they tell.
    pub(super) logged: u32,
    pub(super) kind: LeafKind,
    pub(super) tid: Tid,
    pub(super) time: Time,
    /// Content and time are those that were logged: nobody looks at them, and the digest covers them.
    pub(super) genuine: bool,
}

/// An entry of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AuditEntry {
    pub(super) sequence: u32,
    pub(super) previous: u64,
    pub(super) tid: Tid,
    pub(super) terminal: Terminal,
    pub(super) block: Option<Question>,
    /// The decision, and whether its digest is another.
    pub(super) decision: Option<(Certificate, bool)>,
    pub(super) sealed: bool,
    /// As [`Leaf::genuine`], of reason and time.
    pub(super) genuine: bool,
}

/// How a transaction ended, as the audit log says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Terminal {
    Committed,
    Rejected,
    Deferred,
    Aborted,
}

impl Terminal {
    pub(super) const fn of(decision: Decision) -> Terminal {
        match decision {
            Decision::Committed => Terminal::Committed,
            Decision::Rejected => Terminal::Rejected,
            Decision::Deferred => Terminal::Deferred,
            Decision::Refused => Terminal::Aborted,
        }
    }

    const fn next(self) -> Terminal {
        match self {
            Terminal::Committed => Terminal::Rejected,
            Terminal::Rejected => Terminal::Deferred,
            Terminal::Deferred => Terminal::Aborted,
            Terminal::Aborted => Terminal::Committed,
        }
    }
}

/// A signed head of one of the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SignedHead {
    pub(super) head: Head,
    /// The root of the leaves, or the digest of the last entry.
    pub(super) over: u64,
    pub(super) flaws: Flaws,
}

/// Where something is wrong: in what an auditor is shown, or in a store.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The block of this height.
    Block(Height),
    /// A decision in the block of this height.
    Decision(Height),
    /// An anchor of the cloud's log in the block of this height.
    CloudAnchor(Height),
    /// An anchor of the audit log in the block of this height.
    AuditAnchor(Height),
    /// The leaf with this index.
    CloudLeaf(u32),
    /// The cloud's head over this many leaves.
    CloudHead(u32),
    /// The audit entry with this index.
    AuditEntry(u32),
    /// The audit head over this many entries.
    AuditHead(u32),
    /// A row of a store.
    Row(Row),
    /// The leaves in a store, as a whole.
    Leaves,
}

/// One of the lists that an auditor is shown.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// The blocks in force.
    Blocks,
    /// The leaves of the cloud's log.
    Leaves,
    /// The heads of the cloud's log.
    CloudHeads,
    /// The entries of the audit log.
    Entries,
    /// The heads of the audit log.
    AuditHeads,
}

impl List {
    /// What can be changed in one of its items.
    pub const fn fields(self) -> &'static [Field] {
        use Field::{
            Block, Content, Decision, Kind, Number, OtherDecision, Over, Previous, Seal, Signature, State,
            Terminal, Tid, Time,
        };
        match self {
            List::Blocks => &[],
            List::Leaves => &[Number, Kind, Tid, Content],
            List::Entries => {
                &[Number, Previous, Tid, Terminal, Block, Decision, OtherDecision, Seal, Content]
            }
            List::CloudHeads => &[Number, Over, Time, Signature],
            List::AuditHeads => &[Number, Over, State, Time, Signature],
        }
    }
}

/// A field that is changed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Of a leaf or an entry its sequence number, of a head its size or count: one more.
    Number,
    /// Of an entry: the digest of the entry before it.
    Previous,
    /// Of a leaf: from a record to a grant, and from everything else to a record.
    Kind,
    /// Of a leaf or an entry: that of no transaction.
    Tid,
    /// Of an entry: committed, rejected, deferred, aborted, and committed again.
    Terminal,
    /// Of an entry: there is no T_block.
    Block,
    /// Of an entry: there is no decision.
    Decision,
    /// Of an entry that has one: another decision.
    OtherDecision,
    /// Of an entry: there is no seal.
    Seal,
    /// Of a leaf its content, of an entry its reason: another.
    Content,
    /// Of a head: the root, or the digest of the last entry.
    Over,
    /// Of a head of the audit log: open becomes closed, and closed open.
    State,
    /// Of a head that was signed later: the instant at which the network began.
    Time,
    /// Of a head: the signature.
    Signature,
}

/// What is done to a list.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Falsehood {
    /// An item is missing.
    Drop,
    /// It stands there twice.
    Repeat,
    /// It stands after the one that followed it.
    Swap,
    /// A field of it is another.
    Change(Field),
}

/// Something that is not as it was.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Falsification {
    /// In which list.
    pub list: List,
    /// At which place in it, from 0.
    pub at: u32,
    /// What.
    pub how: Falsehood,
    /// Whether its keeper hides it: numbers and links what follows in its log anew, and signs the heads over it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// All that the public may see of a network.
#[derive(Clone, Debug)]
pub(super) struct PublicRecord {
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) leaves: Vec<Leaf>,
    pub(super) cloud_heads: Vec<SignedHead>,
    pub(super) entries: Vec<AuditEntry>,
    pub(super) audit_heads: Vec<SignedHead>,
    /// What the keepers signed: anchors name a head by its digest.
    pub(super) signed: BTreeMap<Head, u64>,
}

/// Whether no two leaves that were logged apart are alike but for their content: whether that is alike too is a matter of digests.
fn told_apart(leaves: &[Leaf]) -> bool {
    let mut known = BTreeMap::new();
    leaves
        .iter()
        .all(|leaf| *known.entry((leaf.kind, leaf.tid, leaf.time)).or_insert(leaf.logged) == leaf.logged)
}

/// The root of the first `size` leaves.
pub(super) fn root(leaves: &[Leaf]) -> u64 {
    fingerprint(leaves)
}

/// The digest of the last of these entries, or of the start.
pub(super) fn last(entries: &[AuditEntry]) -> u64 {
    entries.last().map_or(0, fingerprint)
}

impl PublicRecord {
    /// What there is to see, with the blocks that `holder` has; nothing where there is no such actor.
    pub(super) fn of(system: &System, holder: Actor) -> Option<PublicRecord> {
        let ledger = system.ledgers().nth(system.index(holder)?)?;
        let (bsd, cloud) = (system.bsd(), system.cloud());
        let leaves: Vec<Leaf> = (0..)
            .zip(cloud.leaves.iter().zip(&cloud.heads))
            .map(|(sequence, ((kind, tid), head))| Leaf {
                sequence,
                logged: sequence,
                kind: *kind,
                tid: *tid,
                time: head.time,
                genuine: true,
            })
            .collect();
        let mut entries: Vec<AuditEntry> = Vec::new();
        for logged in &bsd.audit {
            entries.push(AuditEntry {
                sequence: entries.len() as u32,
                previous: last(&entries),
                tid: logged.tid,
                terminal: Terminal::of(logged.decision),
                block: Some(logged.question),
                decision: logged.certificate.map(|certificate| (certificate, false)),
                sealed: true,
                genuine: true,
            });
        }
        let over = |head: &Head, over: u64| SignedHead { head: *head, over, flaws: Flaws::NONE };
        let cloud_heads: Vec<SignedHead> =
            cloud.heads.iter().map(|head| over(head, root(&leaves[..head.size as usize]))).collect();
        let audit_heads: Vec<SignedHead> =
            bsd.heads.0.iter().map(|head| over(head, last(&entries[..head.size as usize]))).collect();
        let signed =
            cloud_heads.iter().chain(&audit_heads).map(|signed| (signed.head, signed.over)).collect();
        Some(PublicRecord {
            blocks: ledger.blocks().to_vec(),
            leaves,
            cloud_heads,
            entries,
            audit_heads,
            signed,
        })
    }

    /// Whether it holds, just so, all of a log that an anchor in a final block of this ledger covers.
    pub(super) fn holds_what_is_anchored(
        &self,
        genuine: &PublicRecord,
        ledger: &Ledger,
        kind: LogKind,
    ) -> bool {
        let final_blocks = &ledger.blocks()[..ledger.final_blocks()];
        let anchors = final_blocks.iter().flat_map(|block| &block.proposal.entries);
        let mut anchors = anchors.filter_map(|entry| match entry {
            Entry::Anchor(head) if head.kind == kind => Some(*head),
            _ => None,
        });
        anchors.all(|anchor| {
            let size = anchor.size as usize;
            let is_it = |signed: &&SignedHead| signed.head == anchor;
            let (heads, theirs, covered) = match kind {
                LogKind::Cloud => {
                    let covered = self.leaves.get(..size) == genuine.leaves.get(..size);
                    (&self.cloud_heads, &genuine.cloud_heads, covered)
                }
                LogKind::Audit => {
                    let covered = self.entries.get(..size) == genuine.entries.get(..size);
                    (&self.audit_heads, &genuine.audit_heads, covered)
                }
            };
            covered && theirs.iter().find(is_it).is_none_or(|signed| heads.contains(signed))
        })
    }

    /// Falsifies it; nothing where that cannot be done.
    pub(super) fn falsify(&mut self, falsification: &Falsification) -> Option<()> {
        let Falsification { list, at, how, hidden } = *falsification;
        let place = usize::try_from(at).ok()?;
        match list {
            List::Blocks => {
                (!hidden).then_some(())?;
                how.apply(&mut self.blocks, place, |_, _| None)
            }
            List::Leaves => {
                told_apart(&self.leaves).then_some(())?;
                how.apply(&mut self.leaves, place, change_leaf)?;
                if hidden {
                    may_be_hidden(how)?;
                    (0..).zip(&mut self.leaves).for_each(|(sequence, leaf)| leaf.sequence = sequence);
                    let leaves = &self.leaves;
                    sign_anew(&mut self.cloud_heads, at, how, |size| leaves.get(..size).map(root))?;
                }
                Some(())
            }
            List::Entries => {
                how.apply(&mut self.entries, place, change_entry)?;
                if hidden {
                    may_be_hidden(how)?;
                    for index in 0..self.entries.len() {
                        let previous = last(&self.entries[..index]);
                        let entry = &mut self.entries[index];
                        (entry.sequence, entry.previous) = (index as u32, previous);
                    }
                    let entries = &self.entries;
                    sign_anew(&mut self.audit_heads, at, how, |count| entries.get(..count).map(last))?;
                }
                Some(())
            }
            List::CloudHeads => {
                change_heads(&mut self.cloud_heads, place, how, hidden, Clause::HeadSignedByCloud)
            }
            List::AuditHeads => {
                change_heads(&mut self.audit_heads, place, how, hidden, Clause::AuditHeadSigned)
            }
        }
    }
}

impl Falsehood {
    /// Does it to a list; nothing where it cannot be done there. `change` is what becomes of an item.
    pub fn apply<T: Clone>(
        self,
        list: &mut Vec<T>,
        at: usize,
        change: impl FnOnce(&mut T, Field) -> Option<()>,
    ) -> Option<()> {
        let item = list.get_mut(at)?;
        match self {
            Falsehood::Drop => drop(list.remove(at)),
            Falsehood::Repeat => {
                let again = item.clone();
                list.insert(at, again);
            }
            Falsehood::Swap => {
                (at + 1 < list.len()).then(|| list.swap(at, at + 1))?;
            }
            Falsehood::Change(field) => change(item, field)?,
        }
        Some(())
    }
}

/// A number or link that the keeper makes anew is right again.
fn may_be_hidden(how: Falsehood) -> Option<()> {
    (!matches!(how, Falsehood::Change(Field::Number | Field::Previous))).then_some(())
}

fn change_leaf(leaf: &mut Leaf, field: Field) -> Option<()> {
    match field {
        Field::Number => leaf.sequence += 1,
        Field::Kind => {
            leaf.kind = if leaf.kind == LeafKind::Record { LeafKind::Grant } else { LeafKind::Record };
        }
        Field::Tid => leaf.tid = Tid::UNKNOWN,
        Field::Content => leaf.genuine = !leaf.genuine,
        _ => return None,
    }
    Some(())
}

fn change_entry(entry: &mut AuditEntry, field: Field) -> Option<()> {
    match field {
        Field::Number => entry.sequence += 1,
        Field::Previous => entry.previous = !entry.previous,
        Field::Tid => entry.tid = Tid::UNKNOWN,
        Field::Terminal => entry.terminal = entry.terminal.next(),
        Field::Block => entry.block = entry.block.take().map(|_| None)?,
        Field::Decision => entry.decision = entry.decision.take().map(|_| None)?,
        Field::OtherDecision => {
            let (_, other) = entry.decision.as_mut()?;
            *other = !*other;
        }
        Field::Seal => entry.sealed = entry.sealed.then_some(false)?,
        Field::Content => entry.genuine = !entry.genuine,
        _ => return None,
    }
    Some(())
}

/// The keeper of a log signs heads anew over what there is now. `at` is where it differs.
fn sign_anew(
    heads: &mut [SignedHead],
    at: u32,
    how: Falsehood,
    over: impl Fn(usize) -> Option<u64>,
) -> Option<()> {
    for signed in heads.iter_mut().filter(|signed| signed.head.size > at) {
        match how {
            Falsehood::Drop => signed.head.size -= 1,
            Falsehood::Repeat => signed.head.size += 1,
            Falsehood::Swap | Falsehood::Change(_) => {}
        }
        signed.over = over(signed.head.size as usize)?;
        signed.flaws = Flaws::NONE;
    }
    Some(())
}

/// Heads are not numbered: to hide what is changed in one is to sign it again.
fn change_heads(
    heads: &mut Vec<SignedHead>,
    at: usize,
    how: Falsehood,
    hidden: bool,
    signature: Clause,
) -> Option<()> {
    let Falsehood::Change(field) = how else {
        (!hidden).then_some(())?;
        return how.apply(heads, at, |_, _| None);
    };
    let signed = heads.get_mut(at)?;
    match field {
        Field::Number => signed.head.size += 1,
        Field::Over => signed.over = !signed.over,
        Field::State if signature == Clause::AuditHeadSigned => signed.head.closed = !signed.head.closed,
        Field::Time => signed.head.time = (signed.head.time > 0).then_some(0)?,
        Field::Signature if !hidden => {}
        _ => return None,
    }
    signed.flaws = if hidden { Flaws::NONE } else { signed.flaws.and(signature) };
    Some(())
}
