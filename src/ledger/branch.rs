//! The chain that a block extends: a prefix of the canonical chain, then perhaps a fork.

use crate::crypto::Digest;
use crate::ledger::canonical::{CanonicalChain, CheckedBlock};
use crate::wire::{Entry, LogKind, Name};
use num_bigint::BigUint;
use std::sync::Arc;

/// The first `shared` blocks of the canonical chain and the blocks of a fork that extend them.
pub(super) struct Ancestry<'a> {
    pub(super) canonical: &'a CanonicalChain,
    pub(super) shared: usize,
    pub(super) branch: Vec<Arc<CheckedBlock>>,
}

impl Ancestry<'_> {
    pub(super) fn len(&self) -> usize {
        self.shared + self.branch.len()
    }

    /// The block at a position of this chain.
    fn at(&self, position: usize) -> Option<&Arc<CheckedBlock>> {
        match position.checked_sub(self.shared) {
            None => self.canonical.blocks().get(position),
            Some(beyond) => self.branch.get(beyond),
        }
    }

    /// The last block; nothing when the chain is empty.
    pub(super) fn parent(&self) -> Option<&Arc<CheckedBlock>> {
        self.back(0)
    }

    /// The block `steps` before the last.
    pub(super) fn back(&self, steps: usize) -> Option<&Arc<CheckedBlock>> {
        self.len().checked_sub(steps + 1).and_then(|position| self.at(position))
    }

    pub(super) fn work(&self) -> BigUint {
        self.parent().map_or_else(BigUint::default, |held| held.work.clone())
    }

    pub(super) fn decides(&self, tid: &Digest) -> bool {
        let in_entry = |entry: &Entry| matches!(entry, Entry::Decision(found) if found.body.tid == *tid);
        self.canonical.decision(tid).is_some_and(|place| place.position < self.shared)
            || self.branch.iter().any(|held| held.block.entries.iter().any(in_entry))
    }

    /// The size of the newest anchor of a log.
    pub(super) fn anchored(&self, kind: LogKind, keeper: &Name) -> Option<u64> {
        let of_log = |entry: &Entry| match entry {
            Entry::Anchor(anchor) if anchor.kind == kind && anchor.keeper == *keeper => Some(anchor.size),
            _ => None,
        };
        let in_branch =
            self.branch.iter().rev().find_map(|held| held.block.entries.iter().rev().find_map(of_log));
        in_branch.or_else(|| {
            let mut newest_first = self.canonical.anchors(kind, keeper).rev();
            newest_first.find(|(place, _)| place.position < self.shared).map(|(_, anchor)| anchor.size)
        })
    }
}
