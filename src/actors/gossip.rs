//! Gossip that every node takes alike: blocks, requests for blocks, changes of policy and revocation lists.
//!
//! What a block that was taken brings about is for each actor; so is all other gossip.

use crate::actors::{NodeContext, Output, Step};
use crate::ledger::ChainUpdate;
use crate::wire::{Block, Gossip, Name, Time};
use bemr_spec::{Event, Refusal};

impl NodeContext {
    /// Takes a block. Beside the result come requests to `from` for the blocks that are missing before this one.
    pub fn on_block(
        &mut self,
        now: Time,
        from: &Name,
        block: Block,
    ) -> (Result<ChainUpdate, Refusal>, Vec<Output>) {
        let taken = self.ledger_view.on_block(&self.rules, now, block);
        let missing = taken.as_ref().err().map(|refusal| self.ledger_view.missing(now, refusal, from));
        (taken, missing.unwrap_or_default())
    }

    /// Takes gossip other than a block; nothing comes of what only some actors take.
    pub fn on_gossip(&mut self, now: Time, from: &Name, gossip: Gossip) -> Step {
        let event = event_of(&gossip);
        let outcome = match gossip {
            Gossip::BlocksFrom(height) => Ok(self.ledger_view.blocks_from(height, from)),
            Gossip::PolicyChange(change) => self.on_policy_change(now, &change).map(|()| Vec::new()),
            Gossip::RevocationList(list) => self.on_revocation_list(list).map(|()| Vec::new()),
            _ => Ok(Vec::new()),
        };
        Step { event, outcome, repeats: Vec::new() }
    }
}

/// The event that the arrival of something published is.
pub(super) const fn event_of(gossip: &Gossip) -> Event {
    match gossip {
        Gossip::Decision(_) => Event::DecisionArrived,
        Gossip::CloudHead(_) => Event::CloudHeadArrived,
        Gossip::AuditHead(_) => Event::AuditHeadArrived,
        Gossip::Proposal(_) => Event::ProposalArrived,
        Gossip::Closing(_) => Event::SignatureArrived,
        Gossip::Block(_) => Event::BlockArrived,
        Gossip::BlocksFrom(_) => Event::BlockRangeRequested,
        Gossip::PolicyChange(_) => Event::PolicyChangeArrived,
        Gossip::RevocationList(_) => Event::RevocationListArrived,
    }
}
