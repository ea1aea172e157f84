//! The store of a node, as its actors use it: what cannot be kept is not acknowledged.

use crate::ledger::{ChainUpdate, Ledger};
use crate::store::{Commit, Store, StoreError, Table};
use crate::wire::{Block, Height, decode, encode};
use bemr_spec::{Clause, Refusal, Rules};
use num_bigint::BigUint;
use std::cell::RefCell;
use std::rc::Rc;

/// A store that several actors of one process share. Cheap to clone.
#[derive(Clone)]
pub struct StoreHandle {
    store: Rc<RefCell<dyn Store>>,
}

impl StoreHandle {
    /// A handle of this store.
    pub fn new(store: impl Store + 'static) -> StoreHandle {
        StoreHandle { store: Rc::new(RefCell::new(store)) }
    }

    /// Keeps all of `commit`, or nothing.
    ///
    /// # Errors
    /// CLD-06 when the store does not take it.
    pub fn commit(&self, commit: Commit) -> Result<(), Refusal> {
        if commit.is_empty() {
            return Ok(());
        }
        self.store.borrow_mut().commit(commit).map_err(broken)
    }

    /// Reads from the store.
    ///
    /// # Errors
    /// CLD-06 when the store is damaged there.
    pub fn read<T>(&self, read: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Result<T, Refusal> {
        read(&*self.store.borrow()).map_err(broken)
    }

    /// Keeps what a block changed of the branch in force. Of the branches that actors who share the store have in
    /// force it holds the one with the most work, and of two with as much the first; never a mixture.
    ///
    /// # Errors
    /// CLD-06 when the store does not take it, or holds what is no block.
    pub fn store_block(&self, change: &ChainUpdate, ledger: &Ledger) -> Result<(), Refusal> {
        if *change == ChainUpdate::Kept {
            return Ok(());
        }
        let mut ours: Vec<&Block> = Vec::new();
        for block in ledger.blocks().rev() {
            // One value has one encoding.
            if self.bytes(block.header().height)?.is_some_and(|held| held == encode(block)) {
                break;
            }
            ours.push(block);
        }
        let Some(lowest) = ours.last() else { return Ok(()) };
        let mut theirs: Vec<Block> = Vec::new();
        let mut height = lowest.header().height;
        while let Some(block) = self.held(height)? {
            theirs.push(block);
            height = Height(height.0.saturating_add(1));
        }
        if !theirs.is_empty() && work(ours.iter().copied()) <= work(&theirs) {
            return Ok(());
        }
        let emptied = theirs.iter().rev().fold(Commit::new(), |commit, block| commit.remove_block(block));
        self.commit(ours.into_iter().rev().fold(emptied, |commit, block| commit.block(block)))
    }

    fn bytes(&self, height: Height) -> Result<Option<Vec<u8>>, Refusal> {
        self.read(|store| store.get(Table::Blocks, &height.0.to_be_bytes()))
    }

    fn held(&self, height: Height) -> Result<Option<Block>, Refusal> {
        let parsed = self.bytes(height)?.map(|bytes| decode(&Rules::hardened(), &bytes)).transpose();
        parsed.map_err(|cause| {
            Refusal::new(Clause::StoreMatchesHead).at(format!("block {}: {cause}", height.0))
        })
    }
}

fn work<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> BigUint {
    blocks.into_iter().map(|block| block.header().worth()).sum()
}

fn broken(error: StoreError) -> Refusal {
    Refusal::new(Clause::StoreMatchesHead).at(error.to_string())
}
