//! What every node follows in public: the ledger and the policy.

use crate::actors::{CertificateDirectory, Output};
use crate::crypto::{Digest, Domain};
use crate::keys::{Permission, TrustStore};
use crate::ledger::{ChainUpdate, Ledger};
use crate::records::PolicyRegistry;
use crate::votes::ValidatorSet;
use crate::wire::{ApprovedChange, Block, Gossip, Height, Name, PROTOCOL_VERSION, Role, Time, encode};
use bemr_spec::{Clause, Refusal, Rules, constants};
use std::collections::BTreeMap;

/// A node's copy of the ledger and of the policy.
#[derive(Clone, Debug)]
pub struct LedgerView {
    /// The ledger.
    pub ledger: Ledger,
    /// Who closes its blocks.
    pub validators: ValidatorSet,
    /// Templates and contracts.
    pub policy: PolicyRegistry,
    /// Whom it asked for blocks, when, and from which height on.
    asked: BTreeMap<Name, (Time, Height)>,
}

impl LedgerView {
    /// A copy that has asked nobody for anything.
    pub fn new(ledger: Ledger, validators: ValidatorSet, policy: PolicyRegistry) -> LedgerView {
        LedgerView { ledger, validators, policy, asked: BTreeMap::new() }
    }

    /// The height whose policy the next transaction is judged by.
    pub fn next_height(&self) -> Height {
        Height(self.ledger.height().0.saturating_add(1))
    }

    /// Takes a block.
    ///
    /// # Errors
    /// Those of [`Ledger::append`].
    pub fn on_block(&mut self, rules: &Rules, now: Time, block: Block) -> Result<ChainUpdate, Refusal> {
        self.ledger.append(rules, &self.validators, now, block)
    }

    /// Takes a block that this node closed with signatures that it verified one by one.
    ///
    /// # Errors
    /// Those of [`Ledger::append_own`].
    pub fn on_own_block(&mut self, rules: &Rules, now: Time, block: Block) -> Result<ChainUpdate, Refusal> {
        self.ledger.append_own(rules, &self.validators, now, block)
    }

    /// What to ask of `from` after it sent a block that does not fit here: the blocks that are missing. Blocks that
    /// fit no better are no reason to ask for them once more: every one of them would bring as many again.
    pub fn missing(&mut self, now: Time, refusal: &Refusal, from: &Name) -> Vec<Output> {
        if refusal.clause() != Clause::BlockLinksPrevious {
            return Vec::new();
        }
        let first = Height(self.ledger.final_height().0.saturating_add(1));
        self.asked.retain(|_, (last, _)| now < last.after(constants::CATCH_UP_MS));
        let asked = self.asked.get(from).is_some_and(|(_, height)| *height == first);
        if asked || self.asked.len() >= constants::CATCH_UP_PEERS {
            return Vec::new();
        }
        self.asked.insert(from.clone(), (now, first));
        vec![Output::SendGossip { to: from.clone(), gossip: Gossip::BlocksFrom(first) }]
    }

    /// The blocks from a height on, for a node that lacks them.
    pub fn blocks_from(&self, height: Height, to: &Name) -> Vec<Output> {
        let until = self.ledger.height().0.min(height.0.saturating_add(constants::BLOCKS_SENT - 1));
        (height.0..=until)
            .filter_map(|height| self.ledger.block(Height(height)))
            .map(|block| Output::SendGossip { to: to.clone(), gossip: Gossip::Block(block.clone()) })
            .collect()
    }

    /// Takes a change of policy.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(policy_change)]
    pub fn on_policy_change(
        &mut self,
        rules: &Rules,
        now: Time,
        trust: &TrustStore,
        directory: &CertificateDirectory,
        approved: &ApprovedChange,
    ) -> Result<(), Refusal> {
        let change = &approved.change;
        rules.require(Clause::ProtocolVersionIsOne, change.protocol == PROTOCOL_VERSION)?;
        rules
            .require(Clause::PolicyIsWellFormed, change.network == *self.policy.network())
            .map_err(|refusal| refusal.at(format!("a change for network {}", change.network)))?;
        let two = Clause::PolicyChangeHasTwoAdministrators;
        let message = encode(change);
        let mut approvals: Vec<(Name, Role)> = Vec::new();
        for approval in approved.approvals.iter() {
            let name = &approval.administrator;
            let stranger = || Refusal::new(two).at(name.as_str());
            let administrator = directory.get(name).ok_or_else(stranger)?;
            // One signature check for each principal at most: anybody can send a long list.
            rules
                .require(two, approvals.iter().all(|(other, _)| other != name))
                .map_err(|refusal| refusal.at(format!("{name} twice")))?;
            trust.recheck(rules, now, administrator)?;
            administrator.role().require(rules, Permission::ChangePolicy)?;
            rules
                .check(two, || {
                    let key = administrator.signing_key();
                    key.verify(rules, Domain::POLICY_CHANGE, &message, &approval.signature)
                })
                .map_err(|refusal| refusal.at(name.as_str()))?;
            approvals.push((administrator.name().clone(), administrator.role()));
        }
        self.policy.apply(rules, &approved.change, &approvals, self.ledger.height())
    }

    /// The digest of the newest block in force.
    pub fn tip(&self) -> Digest {
        self.ledger.tip()
    }

    /// What an observer can learn of it: the newest block in force and the changes of policy.
    pub fn state(&self) -> Vec<u8> {
        [*self.tip().as_bytes(), *self.policy.history().as_bytes()].concat()
    }
}
