//! What every node follows in public: the ledger and the policy.

use crate::actors::{Directory, Output};
use crate::crypto::{Digest, Tag};
use crate::keys::TrustStore;
use crate::ledger::{Change, Ledger};
use crate::records::PolicyRegistry;
use crate::votes::ValidatorSet;
use crate::wire::{ApprovedChange, Block, Gossip, Height, Name, Role, Time, encode};
use bemr_spec::{Clause, Refusal, Rules};

/// The most blocks that are sent at one request.
const MAX_BLOCKS: u64 = 64;

/// A node's copy of the ledger and of the policy.
#[derive(Clone, Debug)]
pub struct Replica {
    /// The ledger.
    pub ledger: Ledger,
    /// Who closes its blocks.
    pub validators: ValidatorSet,
    /// Templates and contracts.
    pub policy: PolicyRegistry,
}

impl Replica {
    /// The height whose policy the next transaction is judged by.
    pub fn next_height(&self) -> Height {
        Height(self.ledger.height().0.saturating_add(1))
    }

    /// Takes a block.
    ///
    /// # Errors
    /// Those of [`Ledger::append`].
    pub fn on_block(&mut self, rules: &Rules, now: Time, block: Block) -> Result<Change, Refusal> {
        self.ledger.append(rules, &self.validators, now, block)
    }

    /// Takes a block that this node closed with signatures that it verified one by one.
    ///
    /// # Errors
    /// Those of [`Ledger::append_own`].
    pub fn on_own_block(&mut self, rules: &Rules, now: Time, block: Block) -> Result<Change, Refusal> {
        self.ledger.append_own(rules, &self.validators, now, block)
    }

    /// What to ask of `from` after it sent a block that does not fit here: the blocks that are missing.
    pub fn missing(&self, refusal: &Refusal, from: &Name) -> Vec<Output> {
        let behind = refusal.clause() == Clause::BlockLinksPrevious;
        let gossip = Gossip::BlocksFrom(Height(self.ledger.final_height().0.saturating_add(1)));
        behind.then(|| Output::Tell { to: from.clone(), gossip }).into_iter().collect()
    }

    /// The blocks from a height on, for a node that lacks them.
    pub fn blocks_from(&self, height: Height, to: &Name) -> Vec<Output> {
        let until = self.ledger.height().0.min(height.0.saturating_add(MAX_BLOCKS));
        (height.0..=until)
            .filter_map(|height| self.ledger.block(Height(height)))
            .map(|block| Output::Tell { to: to.clone(), gossip: Gossip::Block(block.clone()) })
            .collect()
    }

    /// Takes a change of policy.
    ///
    /// # Errors
    /// KEY-04 to KEY-06 for an administrator whose certificate does not hold, TPL-06 for a signature that does not, and those
    /// of [`PolicyRegistry::apply`].
    pub fn on_policy_change(
        &mut self,
        rules: &Rules,
        now: Time,
        trust: &TrustStore,
        directory: &Directory,
        approved: &ApprovedChange,
    ) -> Result<(), Refusal> {
        let message = encode(&approved.change);
        let mut approvals: Vec<(Name, Role)> = Vec::new();
        for approval in approved.approvals.iter() {
            let unsigned =
                || Refusal::new(Clause::PolicyChangeHasTwoAdministrators).at(approval.administrator.as_str());
            let administrator = directory.get(&approval.administrator).ok_or_else(unsigned)?;
            trust.recheck(rules, now, administrator)?;
            rules
                .check(Clause::PolicyChangeHasTwoAdministrators, || {
                    let key = administrator.signing_key();
                    key.verify(rules, Tag::POLICY_CHANGE, &message, &approval.signature)
                })
                .map_err(|_| unsigned())?;
            approvals.push((administrator.name().clone(), administrator.role()));
        }
        self.policy.apply(rules, &approved.change, &approvals, self.ledger.height())
    }

    /// The digest of the newest block in force.
    pub fn tip(&self) -> Digest {
        self.ledger.tip()
    }
}
