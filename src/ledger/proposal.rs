//! A block that is not closed yet.

use crate::crypto::{Digest, Domain, SigningKey};
use crate::wire::{Block, BlockHeader, ClosedHeader, Closing, Entry, Name, Signatory};
use bemr_spec::Rules;

/// A header and its entries, waiting for signatures or for a nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub(super) header: BlockHeader,
    pub(super) entries: Vec<Entry>,
}

impl Proposal {
    /// The proposal of a block whose close is not there yet, as it comes from a peer.
    pub fn new(header: BlockHeader, entries: Vec<Entry>) -> Proposal {
        Proposal { header, entries }
    }

    /// The header.
    pub fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// The entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What validators sign.
    pub fn digest(&self) -> Digest {
        self.header.digest()
    }

    /// The validator's signature that closes the block. [`crate::ledger::SignerLock`] signs only one per height.
    pub fn sign(&self, rules: &Rules, validator: &Name, key: &SigningKey) -> Signatory {
        let signature = key.sign(rules, Domain::BLOCK_CLOSE, self.digest().as_bytes());
        Signatory { validator: validator.clone(), signature }
    }

    /// The block with these signatories, put in the order of their names.
    pub fn close(self, mut signatories: Vec<Signatory>) -> Block {
        signatories.sort_by(|a, b| a.validator.cmp(&b.validator));
        let closed = ClosedHeader { header: self.header, signatories: signatories.into() };
        Block { closed, entries: self.entries.into() }
    }

    /// Puts the search where the next `budget` nonces meet the target, or do not, for checkers: how lucky a miner is must not
    /// hang on the bytes of a block.
    #[cfg(bemr_weaken)]
    pub fn steer(&mut self, budget: u64, lucky: bool) {
        loop {
            let start = self.header.closing.clone();
            match (self.mine(budget), &mut self.header.closing) {
                (true, _) if lucky => return,
                (false, closing) if !lucky => {
                    *closing = start;
                    return;
                }
                (true, Closing::Work(work)) => work.nonce += 1,
                (false, Closing::Work(_)) => {}
                (_, Closing::Quorum(_)) => return,
            }
        }
    }

    /// Tries at most `budget` nonces from the header's nonce on and leaves there the first one that meets the
    /// target. Says whether there is one; if not, the next call goes on where this one stopped. A header that is
    /// closed by quorum has nothing to search.
    pub fn mine(&mut self, budget: u64) -> bool {
        let digest = self.header.digest_by_nonce();
        let Closing::Work(work) = &mut self.header.closing else { return false };
        for _ in 0..budget {
            if work.target.is_met_by(&digest(work.nonce)) {
                return true;
            }
            let Some(next) = work.nonce.checked_add(1) else { return false };
            work.nonce = next;
        }
        false
    }
}
