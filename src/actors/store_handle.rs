//! The store of a node, as its actors use it: what cannot be kept is not acknowledged.

use crate::ledger::{ChainUpdate, Ledger};
use crate::store::{Commit, Store, StoreError, Table};
use crate::wire::{Block, Height, decode, encode};
use bemr_spec::{Clause, Refusal, Rules};
use num_bigint::BigUint;
use std::cell::RefCell;
use std::rc::Rc;

/// A store that several actors of one process share. Cheap to clone.
///
/// When the machine does not let the store be read or written, the actors say nothing of it to their peers (STA-03): the
/// caller asks [`StoreHandle::has_failed`] after each step, and ends the process or mends the machine.
#[derive(Clone)]
pub struct StoreHandle {
    store: Rc<RefCell<dyn Store>>,
    failure: Rc<RefCell<Option<StoreError>>>,
}

impl StoreHandle {
    /// A handle of this store.
    pub fn new(store: impl Store + 'static) -> StoreHandle {
        StoreHandle { store: Rc::new(RefCell::new(store)), failure: Rc::default() }
    }

    /// Whether the machine did not let the store be read or written since [`StoreHandle::take_failure`] was last called.
    pub fn has_failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// The first such failure, which is then forgotten. What the actors were asked meanwhile they have neither accepted nor
    /// refused.
    pub fn take_failure(&self) -> Option<StoreError> {
        self.failure.borrow_mut().take()
    }

    /// Keeps all of `commit`, or nothing.
    ///
    /// # Errors
    /// STA-03 when the machine does not let it be written, CLD-06 when the store is damaged.
    pub fn commit(&self, commit: Commit) -> Result<(), Refusal> {
        if commit.is_empty() {
            return Ok(());
        }
        let kept = self.store.borrow_mut().commit(commit);
        kept.map_err(|error| self.refusal(error))
    }

    /// Reads from the store.
    ///
    /// # Errors
    /// STA-03 when the machine does not let it be read, CLD-06 when the store is damaged there.
    pub fn read<T>(&self, read: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Result<T, Refusal> {
        let found = read(&*self.store.borrow());
        found.map_err(|error| self.refusal(error))
    }

    /// Keeps what a block changed of the branch in force. Of the branches that actors who share the store have in
    /// force it holds the one with the most work, and of two with as much the first; never a mixture.
    ///
    /// # Errors
    /// STA-03 when the machine does not let it be written, CLD-06 when the store holds what is no block.
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

    fn refusal(&self, error: StoreError) -> Refusal {
        match &error {
            StoreError::Damaged { refusal, .. } => Refusal::new(refusal.clause()).at(error.to_string()),
            StoreError::Unavailable { .. } => {
                let refusal = Refusal::new(Clause::FailedStoreIsSilent).at(error.to_string());
                self.failure.borrow_mut().get_or_insert(error);
                refusal
            }
        }
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
