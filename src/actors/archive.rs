//! The store of a node, as its actors use it: what cannot be kept is not acknowledged.

use crate::ledger::{Change, Ledger};
use crate::store::{Commit, Store, StoreError, Table};
use crate::wire::{Block, encode};
use bemr_spec::{Clause, Refusal};
use std::cell::RefCell;
use std::rc::Rc;

/// A store that several actors of one process share. Cheap to clone.
#[derive(Clone)]
pub struct Archive {
    store: Rc<RefCell<dyn Store>>,
}

impl Archive {
    /// An archive in this store.
    pub fn new(store: impl Store + 'static) -> Archive {
        Archive { store: Rc::new(RefCell::new(store)) }
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

    /// Keeps what a block changed of the branch in force.
    ///
    /// # Errors
    /// CLD-06 when the store does not take it.
    pub fn keep_block(&self, change: &Change, ledger: &Ledger) -> Result<(), Refusal> {
        let (removed, added): (&[Block], usize) = match change {
            Change::Extended => (&[], 1),
            Change::Reorganised { removed, added } => (removed, *added),
            Change::Kept => return Ok(()),
        };
        let mut commit = removed.iter().fold(Commit::new(), |commit, block| commit.remove_block(block));
        let newest_first: Vec<&Block> = ledger.blocks().rev().take(added).collect();
        for block in newest_first.into_iter().rev() {
            // Actors that share a store keep each block once.
            let height = block.header().height.0.to_be_bytes();
            let held = self.read(|store| store.get(Table::Blocks, &height))?;
            if !removed.is_empty() || held != Some(encode(block)) {
                commit = commit.block(block);
            }
        }
        self.commit(commit)
    }
}

fn broken(error: StoreError) -> Refusal {
    Refusal::new(Clause::StoreMatchesHead).at(error.to_string())
}
