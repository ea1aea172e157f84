//! What an auditor reads: the public record as the actors store it, falsified as a term says. Where the falsification is hidden,
//! the log operators sign the falsified heads with their own keys.

use crate::simulator::{Node, PublicTables, START};
use crate::sut::SystemUnderTest;
use bemr::actors::LedgerView;
use bemr::audit::{Auditor, audit};
use bemr::crypto::{Digest, Domain, Signature, SigningKey};
use bemr::merkle::root_of;
use bemr::wire::{
    AuditEntry, AuditStart, Block, CloudLeaf, Entry, LeafKind, LogKind, LogState, Name, PROTOCOL_VERSION,
    SignedAuditHead, SignedCloudHead, Terminal, encode,
};
use bemr::{audit as auditing, wire};
use bemr_model::{Actor, Falsehood, Falsification, Field, Happened, List, MOST_FALSIFIED, Place};
use bemr_spec::{Event, Rules};

/// The tid of no transaction.
const NOBODYS: Digest = Digest::from_bytes([0xff; 32]);

/// A signed tree head, with its fields by what they are in the model.
trait Head {
    fn size(&mut self) -> &mut u64;
    fn over(&mut self) -> &mut Digest;
    fn time(&mut self) -> &mut wire::Time;
    /// Whether the log is closed; nothing for a log that is never closed.
    fn state(&mut self) -> Option<&mut LogState>;
    fn signature(&mut self) -> &mut Signature;
    fn sign(&mut self, rules: &Rules, key: &SigningKey);
}

macro_rules! head {
    ($signed:ty, $size:ident, $over:ident, $domain:ident, $head:ident => $state:expr) => {
        impl Head for $signed {
            fn size(&mut self) -> &mut u64 {
                &mut self.head.$size
            }

            fn over(&mut self) -> &mut Digest {
                &mut self.head.$over
            }

            fn time(&mut self) -> &mut wire::Time {
                &mut self.head.time
            }

            fn state(&mut self) -> Option<&mut LogState> {
                let $head = &mut self.head;
                $state
            }

            fn signature(&mut self) -> &mut Signature {
                &mut self.signature
            }

            fn sign(&mut self, rules: &Rules, key: &SigningKey) {
                self.signature = key.sign(rules, Domain::$domain, &encode(&self.head));
            }
        }
    };
}

head!(SignedCloudHead, size, root, CLOUD_HEAD, _head => None);
head!(SignedAuditHead, count, last, AUDIT_HEAD, head => Some(&mut head.state));

/// A public record, with the keys of the log operators.
struct Shown<'a> {
    rules: Rules,
    /// What the first audit entry names.
    start: Digest,
    cloud: &'a SigningKey,
    bsd: &'a SigningKey,
    tables: PublicTables,
}

impl SystemUnderTest {
    /// An auditor replays the public record with the blocks that `holder` stores.
    pub(super) fn audit(&mut self, holder: Actor, falsified: &[Falsification]) -> Option<Happened> {
        let mut shown = self.shown(holder)?;
        (falsified.len() <= MOST_FALSIFIED).then_some(())?;
        falsified.iter().try_for_each(|one| shown.falsify(one))?;
        let found = self.replay(&shown)?;
        let clause = found.as_ref().map(|found| found.refusal.clause());
        let mut happened = self.happened(Actor::Bsd, None, Event::Audit, clause, Vec::new());
        happened.place = found.as_ref().map(|found| place(&shown.tables.blocks, found.entry));
        if let Some(found) = found {
            self.watch.refused(found.refusal);
        }
        Some(happened)
    }

    fn replay(&self, shown: &Shown<'_>) -> Option<Option<auditing::Inconsistency>> {
        let foundation = &self.foundation;
        let auditor = Auditor::new(
            &self.rules,
            self.now,
            foundation.genesis.clone(),
            foundation.validators.clone(),
            foundation.cloud.clone(),
            (foundation.bsd.name.clone(), foundation.bsd.key.clone()),
        );
        Some(audit(auditor.ok()?, &shown.tables.record()).err())
    }

    fn shown(&self, holder: Actor) -> Option<Shown<'_>> {
        let foundation = &self.foundation;
        let key = |who: &Name| Some::<&SigningKey>(foundation.credentials.get(who)?.identity().signing_key());
        let (cloud, bsd) = (self.public_tables(Actor::Cloud)?, self.public_tables(Actor::Bsd)?);
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
            tables: PublicTables {
                blocks: self.ledger_view(holder)?.ledger.blocks().cloned().collect(),
                leaves: cloud.leaves,
                cloud_heads: cloud.cloud_heads,
                entries: bsd.entries,
                audit_heads: bsd.audit_heads,
            },
        })
    }

    fn ledger_view(&self, actor: Actor) -> Option<&LedgerView> {
        Some(match &self.nodes[self.slot(actor)?] {
            Node::Bsd(bsd) => bsd.ledger_view(),
            Node::Cloud(cloud) => cloud.ledger_view(),
            Node::User(user) => user.ledger_view(),
            Node::Validator(validator) => validator.ledger_view(),
            // All nodes of the system under test are honest: it sends what a Byzantine one would send in its name.
            Node::ByzantineValidator(_) => return None,
        })
    }

    fn public_tables(&self, actor: Actor) -> Option<PublicTables> {
        self.archives[self.slot(actor)?].read(|store| PublicTables::read(&self.rules, store)).ok()
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
        // Hiding numbers and links the items again, which would undo these changes.
        let undone_by_hiding = matches!(how, Falsehood::Change(Field::Number | Field::Previous));
        let impossible = match list {
            List::Blocks => hidden,
            List::Leaves | List::Entries => hidden && undone_by_hiding,
            List::CloudHeads | List::AuditHeads => false,
        };
        (!impossible).then_some(())?;
        match list {
            List::Blocks => how.apply(&mut self.tables.blocks, place, |_, _| None),
            List::Leaves => {
                how.apply(&mut self.tables.leaves, place, change_leaf)?;
                if hidden {
                    (0..).zip(&mut self.tables.leaves).for_each(|(sequence, leaf)| leaf.sequence = sequence);
                    let digests: Vec<Digest> = self.tables.leaves.iter().map(CloudLeaf::digest).collect();
                    let over = |size: usize| Some(root_of(digests.get(..size)?));
                    sign_anew(&mut self.tables.cloud_heads, &self.rules, self.cloud, (at, how), over)?;
                }
                Some(())
            }
            List::Entries => {
                how.apply(&mut self.tables.entries, place, change_entry)?;
                if hidden {
                    let mut previous = self.start;
                    let mut lasts = vec![previous];
                    for (sequence, entry) in (0..).zip(&mut self.tables.entries) {
                        (entry.sequence, entry.previous) = (sequence, previous);
                        previous = entry.digest();
                        lasts.push(previous);
                    }
                    let over = |count: usize| lasts.get(count).copied();
                    sign_anew(&mut self.tables.audit_heads, &self.rules, self.bsd, (at, how), over)?;
                }
                Some(())
            }
            List::CloudHeads => {
                change_heads(&mut self.tables.cloud_heads, &self.rules, self.cloud, (place, how), hidden)
            }
            List::AuditHeads => {
                change_heads(&mut self.tables.audit_heads, &self.rules, self.bsd, (place, how), hidden)
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

/// The log operator signs its heads over the item `at` again.
fn sign_anew<H: Head>(
    heads: &mut [H],
    rules: &Rules,
    operator: &SigningKey,
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
        head.sign(rules, operator);
    }
    Some(())
}

/// Changes a head, or the order of the heads.
fn change_heads<H: Head + Clone>(
    heads: &mut Vec<H>,
    rules: &Rules,
    operator: &SigningKey,
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
        Field::State => {
            let state = head.state()?;
            *state = if *state == LogState::Open { LogState::Closed } else { LogState::Open };
        }
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
        head.sign(rules, operator);
    }
    Some(())
}
