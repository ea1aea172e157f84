//! What an actor finds wrong with its store when it starts (chapters 11 and 13).

use crate::system::Node;
use crate::{Actor, Height, LedgerKind, Place, System, Tid};
use serde::{Deserialize, Serialize};

/// A row of a store.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Row {
    /// The block of this height; of BSD, cloud and validators.
    Block(Height),
    /// The leaf with this index.
    Leaf(u32),
    /// A complete subtree.
    Node {
        /// It has 2 to this power leaves.
        level: u8,
        /// Its number among those.
        index: u32,
    },
    /// The cloud's head over this many leaves.
    CloudHead(u32),
    /// The encrypted bytes of a record.
    Blob(Tid),
    /// The vault key of a record.
    VaultKey(Tid),
    /// The order by which a record was erased.
    Erased(Tid),
    /// The wrapped key of a reader.
    Grant {
        /// Of which record.
        tid: Tid,
        /// Who.
        reader: u8,
    },
    /// The audit entry with this sequence number.
    AuditEntry(u32),
    /// The head of the audit log at this place among all, from 0.
    AuditHead(u32),
}

/// What happened to a store while its actor was dead.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// A row is missing.
    Missing(Row),
    /// The last bit of its value is another.
    Changed(Row),
    /// It is there again, as before the erasure that removed it.
    Back(Row),
}

/// What is wrong, should it be found. `None` where there is no such row, or nobody can say what becomes of it.
pub(super) fn found(system: &System, actor: Actor, damage: Damage) -> Option<Option<Place>> {
    let (Damage::Missing(row) | Damage::Changed(row) | Damage::Back(row)) = damage;
    if let Row::Block(height) = row {
        return in_blocks(system, actor, height, damage);
    }
    match system.node(actor)? {
        Node::Cloud(_) => in_cloud(system, damage),
        Node::Bsd(_) => in_audit_log(system, damage),
        Node::User(_) | Node::Validator(_) | Node::Kdc(_) => None,
    }
}

/// Each block is checked as if it came from a stranger.
fn in_blocks(system: &System, actor: Actor, height: Height, damage: Damage) -> Option<Option<Place>> {
    let ledger = system.ledgers().nth(system.index(actor)?)?;
    let top = ledger.height();
    ((1..=top).contains(&height) && !matches!(actor, Actor::User(_))).then_some(())?;
    match damage {
        Damage::Missing(_) => Some((height < top).then(|| Place::Row(Row::Block(height + 1)))),
        // Other work may do as well: that is a matter of digests.
        Damage::Changed(_) if ledger.kind() == LedgerKind::Work => None,
        Damage::Changed(_) => Some(Some(Place::Row(Row::Block(height)))),
        Damage::Back(_) => None,
    }
}

fn in_cloud(system: &System, damage: Damage) -> Option<Option<Place>> {
    let cloud = system.cloud();
    let size = cloud.leaves.len() as u32;
    let named = |row: Row| Some(Some(Place::Row(row)));
    let stored = |tid: Tid| cloud.records.get(&tid);
    let is_subtree = |level: u8, index: u32| {
        (1..32).contains(&level) && (u64::from(index) + 1) << level <= u64::from(size)
    };
    match damage {
        Damage::Missing(row @ Row::Leaf(index)) if index < size => named(row),
        Damage::Changed(Row::Leaf(index)) if index < size => {
            let row = Row::Node { level: 1, index: index / 2 };
            // The last leaf alone is in no complete subtree: only the root tells.
            if is_subtree(1, index / 2) { named(row) } else { Some(Some(Place::Leaves)) }
        }
        Damage::Missing(row @ Row::Node { level, index })
        | Damage::Changed(row @ Row::Node { level, index })
            if is_subtree(level, index) =>
        {
            named(row)
        }
        // Without its newest head, the log is longer than what the one before it covers.
        Damage::Missing(Row::CloudHead(head)) if head == size && size > 0 => named(Row::Leaf(size - 1)),
        Damage::Changed(row @ Row::CloudHead(head)) if head == size && size > 0 => named(row),
        Damage::Missing(Row::CloudHead(head)) | Damage::Changed(Row::CloudHead(head))
            if (1..size).contains(&head) =>
        {
            Some(None)
        }
        Damage::Missing(row @ (Row::Blob(tid) | Row::VaultKey(tid))) => {
            stored(tid)?.erased.is_none().then_some(())?;
            named(row)
        }
        Damage::Missing(row @ Row::Erased(tid)) => {
            stored(tid)?.erased?;
            named(row)
        }
        Damage::Missing(Row::Grant { tid, reader }) => {
            stored(tid)?.readers.has(reader).then_some(())?;
            Some(None)
        }
        // Who reads it finds out.
        Damage::Changed(Row::Blob(tid)) => {
            stored(tid)?.erased.is_none().then_some(())?;
            Some(None)
        }
        Damage::Back(row @ (Row::Blob(tid) | Row::VaultKey(tid) | Row::Grant { tid, .. })) => {
            stored(tid)?.erased?;
            if let Row::Grant { reader, .. } = row {
                system.index(Actor::User(reader))?;
            }
            named(row)
        }
        _ => None,
    }
}

/// The entries are numbered and linked, and the newest head counts them and names the last.
fn in_audit_log(system: &System, damage: Damage) -> Option<Option<Place>> {
    let bsd = system.bsd();
    let entries = bsd.audit.len() as u32;
    let counts: Vec<u32> = bsd.heads.0.iter().map(|head| head.size).collect();
    let newest = counts.len().checked_sub(1)? as u32;
    let named = |row: Row| Some(Some(Place::Row(row)));
    match damage {
        Damage::Missing(row @ Row::AuditEntry(index)) if index < entries => named(row),
        // The next one links to what was there, or else the head does.
        Damage::Changed(Row::AuditEntry(index)) if index < entries => {
            named(Row::AuditEntry((index + 1).min(entries - 1)))
        }
        Damage::Missing(Row::AuditHead(place)) | Damage::Changed(Row::AuditHead(place)) if place < newest => {
            Some(None)
        }
        Damage::Changed(row @ Row::AuditHead(place)) if place == newest => named(row),
        // The one before it counts fewer, or was signed before the log was closed.
        Damage::Missing(Row::AuditHead(place)) if place == newest => {
            let before = place.checked_sub(1).map_or(0, |place| counts[place as usize]);
            Some((before < entries).then_some(Place::Row(Row::AuditEntry(before))))
        }
        _ => None,
    }
}
