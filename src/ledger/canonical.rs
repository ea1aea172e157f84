//! The branch in force, with its indices.

use crate::crypto::Digest;
use crate::wire::{Anchor, Block, Entry, Height, LogKind, Name};
use num_bigint::BigUint;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A block that was checked.
#[derive(Debug)]
pub(super) struct CheckedBlock {
    pub(super) block: Block,
    pub(super) digest: Digest,
    /// The work of its chain up to and with it.
    pub(super) work: BigUint,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChainPosition {
    pub(super) position: usize,
    pub(super) index: usize,
}

/// The branch in force. Positions count from 0; heights from 1.
#[derive(Clone, Debug, Default)]
pub(super) struct CanonicalChain {
    blocks: Vec<Arc<CheckedBlock>>,
    positions: BTreeMap<Digest, usize>,
    decisions: BTreeMap<Digest, ChainPosition>,
    anchors: BTreeMap<(LogKind, Name), Vec<ChainPosition>>,
}

impl CanonicalChain {
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn blocks(&self) -> &[Arc<CheckedBlock>] {
        &self.blocks
    }

    pub(super) fn tip(&self) -> Option<&Arc<CheckedBlock>> {
        self.blocks.last()
    }

    pub(super) fn position(&self, digest: &Digest) -> Option<usize> {
        match self.tip() {
            Some(tip) if tip.digest == *digest => Some(self.len() - 1),
            _ => self.positions.get(digest).copied(),
        }
    }

    /// The position of the block of this height. Heights ascend.
    pub(super) fn position_at(&self, height: Height) -> Option<usize> {
        self.blocks.binary_search_by_key(&height, |held| held.block.header().height).ok()
    }

    pub(super) fn decision(&self, tid: &Digest) -> Option<ChainPosition> {
        self.decisions.get(tid).copied()
    }

    /// The anchors of a log, oldest first.
    pub(super) fn anchors(
        &self,
        kind: LogKind,
        keeper: &Name,
    ) -> impl DoubleEndedIterator<Item = (ChainPosition, &Anchor)> {
        let places = self.anchors.get(&(kind, keeper.clone())).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| {
            match &self.blocks[place.position].block.entries.as_slice()[place.index] {
                Entry::Anchor(anchor) => Some((*place, anchor)),
                Entry::Decision(_) => None,
            }
        })
    }

    pub(super) fn push(&mut self, held: Arc<CheckedBlock>) {
        let position = self.blocks.len();
        for (index, entry) in held.block.entries.iter().enumerate() {
            let place = ChainPosition { position, index };
            match entry {
                Entry::Decision(certificate) => {
                    self.decisions.entry(certificate.body.tid).or_insert(place);
                }
                Entry::Anchor(anchor) => {
                    self.anchors.entry((anchor.kind, anchor.keeper.clone())).or_default().push(place);
                }
            }
        }
        self.positions.insert(held.digest, position);
        self.blocks.push(held);
    }

    pub(super) fn pop(&mut self) -> Option<Arc<CheckedBlock>> {
        let held = self.blocks.pop()?;
        let position = self.blocks.len();
        self.positions.remove(&held.digest);
        for entry in held.block.entries.iter() {
            match entry {
                Entry::Decision(certificate) => {
                    let tid = &certificate.body.tid;
                    if self.decisions.get(tid).is_some_and(|place| place.position == position) {
                        self.decisions.remove(tid);
                    }
                }
                Entry::Anchor(anchor) => {
                    if let Some(places) = self.anchors.get_mut(&(anchor.kind, anchor.keeper.clone())) {
                        places.pop();
                    }
                }
            }
        }
        Some(held)
    }
}
