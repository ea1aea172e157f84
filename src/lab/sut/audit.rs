//! What an auditor is shown: the public record as the actors have it, falsified as a term says, with the keepers' keys where
//! they hide it.

use crate::simulator::{Node, START};
use crate::sut::SystemUnderTest;
use bemr::actors::LedgerView;
use bemr::audit::{Auditor, PublicRecord, audit};
use bemr::crypto::{Digest, Domain, Signature, SigningKey};
use bemr::merkle::root_of;
use bemr::store::{Store, StoreError, Table, for_each};
use bemr::wire::{
    AuditEntry, AuditStart, Block, CloudLeaf, Entry, LeafKind, LogKind, LogState, Name, PROTOCOL_VERSION,
    SignedAuditHead, SignedCloudHead, Terminal, encode,
};
use bemr::{audit as auditing, wire};
use bemr_model::{Actor, Falsehood, Falsification, Field, Happened, List, MOST_FALSIFIED, Place};
use bemr_spec::{Event, Rules};
use tls_codec::{DeserializeBytes, Serialize};

/// The tid of no transaction.
const NOBODYS: Digest = Digest::from_bytes([0xff; 32]);

/// A head of a log, with who signs it.
trait Head: Clone {
    fn size(&mut self) -> &mut u64;
    fn over(&mut self) -> &mut Digest;
    fn time(&mut self) -> &mut wire::Time;
    /// Open becomes closed, and closed open; nothing for a log that is never closed.
    fn turn(&mut self) -> Option<()>;
    fn signature(&mut self) -> &mut Signature;
    fn sign(&mut self, rules: &Rules, key: &SigningKey);
}

impl Head for SignedCloudHead {
    fn size(&mut self) -> &mut u64 {
        &mut self.head.size
    }

    fn over(&mut self) -> &mut Digest {
        &mut self.head.root
    }

    fn time(&mut self) -> &mut wire::Time {
        &mut self.head.time
    }

    fn turn(&mut self) -> Option<()> {
        None
    }

    fn signature(&mut self) -> &mut Signature {
        &mut self.signature
    }

    fn sign(&mut self, rules: &Rules, key: &SigningKey) {
        self.signature = key.sign(rules, Domain::CLOUD_HEAD, &encode(&self.head));
    }
}

impl Head for SignedAuditHead {
    fn size(&mut self) -> &mut u64 {
        &mut self.head.count
    }

    fn over(&mut self) -> &mut Digest {
        &mut self.head.last
    }

    fn time(&mut self) -> &mut wire::Time {
        &mut self.head.time
    }

    fn turn(&mut self) -> Option<()> {
        self.head.state = match self.head.state {
            LogState::Open => LogState::Closed,
            LogState::Closed => LogState::Open,
        };
        Some(())
    }

    fn signature(&mut self) -> &mut Signature {
        &mut self.signature
    }

    fn sign(&mut self, rules: &Rules, key: &SigningKey) {
        self.signature = key.sign(rules, Domain::AUDIT_HEAD, &encode(&self.head));
    }
}

/// A public record, with the keys of who keeps the logs.
struct Shown<'a> {
    rules: Rules,
    /// What the first audit entry names.
    start: Digest,
    cloud: &'a SigningKey,
    bsd: &'a SigningKey,
    blocks: Vec<Block>,
    leaves: Vec<CloudLeaf>,
    cloud_heads: Vec<SignedCloudHead>,
    entries: Vec<AuditEntry>,
    audit_heads: Vec<SignedAuditHead>,
}

impl SystemUnderTest {
    /// An auditor is shown what there is to see, with the blocks that `holder` has.
    pub(super) fn audit(&mut self, holder: Actor, falsified: &[Falsification]) -> Option<Happened> {
        let mut shown = self.shown(holder)?;
        (falsified.len() <= MOST_FALSIFIED).then_some(())?;
        falsified.iter().try_for_each(|one| shown.falsify(one))?;
        let found = self.replay(&shown)?;
        let clause = found.as_ref().map(|found| found.refusal.clause());
        let mut happened = self.happened(Actor::Bsd, None, Event::Audit, clause, Vec::new());
        happened.place = found.as_ref().map(|found| place(&shown.blocks, found.entry));
        if let Some(found) = found {
            self.watch.refused(found.refusal);
        }
        Some(happened)
    }

    fn replay(&self, shown: &Shown<'_>) -> Option<Option<auditing::Inconsistency>> {
        let foundation = &self.foundation;
        let record = PublicRecord {
            blocks: &shown.blocks,
            leaves: &shown.leaves,
            cloud_heads: &shown.cloud_heads,
            entries: &shown.entries,
            audit_heads: &shown.audit_heads,
        };
        let auditor = Auditor::new(
            &self.rules,
            self.now,
            foundation.genesis.clone(),
            foundation.validators.clone(),
            foundation.cloud.clone(),
            (foundation.bsd.name.clone(), foundation.bsd.key.clone()),
        );
        Some(audit(auditor.ok()?, &record).err())
    }

    fn shown(&self, holder: Actor) -> Option<Shown<'_>> {
        let foundation = &self.foundation;
        let key = |who: &Name| Some::<&SigningKey>(foundation.credentials.get(who)?.identity().signing_key());
        let start = AuditStart {
            version: PROTOCOL_VERSION,
            network: foundation.genesis.network.clone(),
            bsd: foundation.bsd.name.clone(),
        };
        Some(Shown {
            rules: self.rules,
            start: start.digest(),
            cloud: key(&foundation.cloud.name)?,
            bsd: key(&foundation.bsd.name)?,
            blocks: self.replica(holder)?.ledger.blocks().cloned().collect(),
            leaves: self.leaves(),
            cloud_heads: self.kept(Actor::Cloud, Table::CloudHeads)?,
            entries: self.kept(Actor::Bsd, Table::AuditEntries)?,
            audit_heads: self.kept(Actor::Bsd, Table::AuditHeads)?,
        })
    }

    fn replica(&self, actor: Actor) -> Option<&LedgerView> {
        Some(match &self.nodes[self.slot(actor)?] {
            Node::Bsd(bsd) => bsd.ledger_view(),
            Node::Cloud(cloud) => cloud.ledger_view(),
            Node::User(user) => user.ledger_view(),
            Node::Validator(validator) => validator.ledger_view(),
            // Who lies in a rig is played by it, over honest actors.
            Node::ByzantineValidator(_) => return None,
        })
    }

    /// All messages of a table of somebody's store.
    fn kept<T: DeserializeBytes + Serialize>(&self, actor: Actor, table: Table) -> Option<Vec<T>> {
        let mut kept = Vec::new();
        let read = |store: &dyn Store| -> Result<(), StoreError> {
            for_each(store, &self.rules, table, |one| {
                kept.push(one);
                Ok(())
            })
        };
        self.archives[self.slot(actor)?].read(read).ok()?;
        Some(kept)
    }
}

/// A place in the words of the model: decisions stand in a block in the order of their digests, which it does not have.
fn place(blocks: &[Block], place: auditing::Location) -> Place {
    match place {
        auditing::Location::Block(height) => Place::Block(height.0),
        auditing::Location::LedgerEntry(height, index) => {
            let block = blocks.iter().find(|block| block.header().height == height);
            match block.and_then(|block| block.entries.get(index)) {
                Some(Entry::Anchor(anchor)) if anchor.kind == LogKind::Cloud => Place::CloudAnchor(height.0),
                Some(Entry::Anchor(_)) => Place::AuditAnchor(height.0),
                Some(Entry::Decision(_)) | None => Place::Decision(height.0),
            }
        }
        auditing::Location::CloudLeaf(index) => Place::CloudLeaf(index as u32),
        auditing::Location::CloudHead(size) => Place::CloudHead(size as u32),
        auditing::Location::AuditEntry(index) => Place::AuditEntry(index as u32),
        auditing::Location::AuditHead(count) => Place::AuditHead(count as u32),
    }
}

fn other(digest: &Digest) -> Digest {
    Digest::from_bytes(digest.as_bytes().map(|byte| !byte))
}

impl Shown<'_> {
    fn falsify(&mut self, falsification: &Falsification) -> Option<()> {
        let Falsification { list, at, how, hidden } = *falsification;
        let place = at as usize;
        // What the keeper numbers and links anew is right again.
        let made_anew = matches!(how, Falsehood::Change(Field::Number | Field::Previous));
        match list {
            List::Blocks => {
                (!hidden).then_some(())?;
                how.apply(&mut self.blocks, place, |_, _| None)
            }
            List::Leaves => {
                (!(hidden && made_anew)).then_some(())?;
                how.apply(&mut self.leaves, place, change_leaf)?;
                if hidden {
                    (0..).zip(&mut self.leaves).for_each(|(sequence, leaf)| leaf.sequence = sequence);
                    let digests: Vec<Digest> = self.leaves.iter().map(CloudLeaf::digest).collect();
                    let over = |size: usize| Some(root_of(digests.get(..size)?));
                    sign_anew(&mut self.cloud_heads, &self.rules, self.cloud, (at, how), over)?;
                }
                Some(())
            }
            List::Entries => {
                (!(hidden && made_anew)).then_some(())?;
                how.apply(&mut self.entries, place, change_entry)?;
                if hidden {
                    let mut previous = self.start;
                    let mut lasts = vec![previous];
                    for (sequence, entry) in (0..).zip(&mut self.entries) {
                        (entry.sequence, entry.previous) = (sequence, previous);
                        previous = entry.digest();
                        lasts.push(previous);
                    }
                    let over = |count: usize| lasts.get(count).copied();
                    sign_anew(&mut self.audit_heads, &self.rules, self.bsd, (at, how), over)?;
                }
                Some(())
            }
            List::CloudHeads => {
                change_heads(&mut self.cloud_heads, &self.rules, self.cloud, (place, how), hidden)
            }
            List::AuditHeads => {
                change_heads(&mut self.audit_heads, &self.rules, self.bsd, (place, how), hidden)
            }
        }
    }
}

fn change_leaf(leaf: &mut CloudLeaf, field: Field) -> Option<()> {
    match field {
        Field::Number => leaf.sequence += 1,
        Field::Kind => {
            leaf.kind = if leaf.kind == LeafKind::Record { LeafKind::Grant } else { LeafKind::Record };
        }
        Field::Tid => leaf.tid = NOBODYS,
        Field::Content => leaf.content = other(&leaf.content),
        _ => return None,
    }
    Some(())
}

fn change_entry(entry: &mut AuditEntry, field: Field) -> Option<()> {
    match field {
        Field::Number => entry.sequence += 1,
        Field::Previous => entry.previous = other(&entry.previous),
        Field::Tid => entry.tid = NOBODYS,
        Field::Terminal => {
            entry.terminal = match entry.terminal {
                Terminal::Committed => Terminal::Rejected,
                Terminal::Rejected => Terminal::Deferred,
                Terminal::Deferred => Terminal::Aborted,
                Terminal::Aborted => Terminal::Committed,
            }
        }
        Field::Block => drop(entry.block.take()?),
        Field::Decision => drop(entry.decision.take()?),
        Field::OtherDecision => entry.decision = Some(other(entry.decision.as_ref()?)),
        Field::Seal => drop(entry.seal.take()?),
        Field::Content => entry.reason = !entry.reason,
        _ => return None,
    }
    Some(())
}

/// The keeper of a log signs its heads over the item `at` anew.
fn sign_anew<H: Head>(
    heads: &mut [H],
    rules: &Rules,
    keeper: &SigningKey,
    (at, how): (u32, Falsehood),
    over: impl Fn(usize) -> Option<Digest>,
) -> Option<()> {
    for head in heads.iter_mut() {
        let size = *head.size();
        if size <= u64::from(at) {
            continue;
        }
        let size = match how {
            Falsehood::Drop => size - 1,
            Falsehood::Repeat => size + 1,
            Falsehood::Swap | Falsehood::Change(_) => size,
        };
        *head.size() = size;
        *head.over() = over(usize::try_from(size).ok()?)?;
        head.sign(rules, keeper);
    }
    Some(())
}

/// Changes a head, or the order of the heads.
fn change_heads<H: Head>(
    heads: &mut Vec<H>,
    rules: &Rules,
    keeper: &SigningKey,
    (at, how): (usize, Falsehood),
    hidden: bool,
) -> Option<()> {
    let Falsehood::Change(field) = how else {
        (!hidden).then_some(())?;
        return how.apply(heads, at, |_, _| None);
    };
    let head = heads.get_mut(at)?;
    match field {
        Field::Number => *head.size() += 1,
        Field::Over => *head.over() = other(head.over()),
        Field::State => head.turn()?,
        Field::Time => {
            (*head.time() != START).then_some(())?;
            *head.time() = START;
        }
        Field::Signature if !hidden => {
            let mut bytes = head.signature().as_bytes().to_vec();
            *bytes.last_mut()? ^= 1;
            *head.signature() = Signature::from_bytes(&bytes);
        }
        _ => return None,
    }
    if hidden {
        head.sign(rules, keeper);
    }
    Some(())
}
