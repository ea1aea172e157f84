//! What the KDC and the administrators publish: every node takes it alike, and keeps it where it keeps what has to last.

use crate::actors::{NodeContext, StoreHandle};
use crate::store::Commit;
use crate::wire::{ApprovedChange, Name, RevocationList, Time, decode, encode};
use bemr_spec::{Clause, Refusal};

/// Where a store keeps the revocation list that an actor holds.
fn list_row(who: &Name) -> String {
    format!("list-held/{who}")
}

/// Where it keeps a change of policy that the actor took, by how many it took before.
fn change_row(who: &Name, number: usize) -> String {
    format!("policy-taken/{who}/{number:010}")
}

impl NodeContext {
    /// Goes on with the policy and the revocation list that `store` holds for this actor, and keeps new ones there from
    /// now on.
    ///
    /// # Errors
    /// CLD-06 when the store is damaged.
    pub fn persist_in(&mut self, store: &StoreHandle) -> Result<(), Refusal> {
        let rules = self.rules;
        let damaged =
            |row: &str, cause: &Refusal| Refusal::new(Clause::StoreMatchesHead).at(format!("{row}: {cause}"));
        let mut changes = 0;
        loop {
            let row = change_row(self.name(), changes);
            let Some(bytes) = store.read(|store| store.meta(&row))? else { break };
            let taken: ApprovedChange = decode(&rules, &bytes).map_err(|cause| damaged(&row, &cause))?;
            self.ledger_view.policy.restore(&taken.change);
            changes += 1;
        }
        let row = list_row(self.name());
        if let Some(bytes) = store.read(|store| store.meta(&row))? {
            let list: RevocationList = decode(&rules, &bytes).map_err(|cause| damaged(&row, &cause))?;
            // What everybody begins with may be as new.
            if list.body.list > self.trust.revocation_list().body.list {
                self.trust.update(&rules, list).map_err(|cause| damaged(&row, &cause))?;
            }
        }
        self.kept = Some((store.clone(), changes));
        Ok(())
    }

    /// Takes the KDC's newer revocation list.
    ///
    /// # Errors
    /// Those of [`TrustStore::update`](crate::keys::TrustStore::update); CLD-06 when it cannot be kept.
    pub fn on_revocation_list(&mut self, list: RevocationList) -> Result<(), Refusal> {
        let before = self.trust.revocation_list().clone();
        let bytes = encode(&list);
        self.trust.update(&self.rules, list)?;
        let Some((store, _)) = &self.kept else { return Ok(()) };
        let kept = store.commit(Commit::new().meta(&list_row(self.name()), bytes));
        if kept.is_err() {
            self.trust.hold(before);
        }
        kept
    }

    /// Takes a change of policy.
    ///
    /// # Errors
    /// Those of [`LedgerView::on_policy_change`](crate::actors::LedgerView::on_policy_change); CLD-06 when it cannot be kept.
    pub fn on_policy_change(&mut self, now: Time, change: &ApprovedChange) -> Result<(), Refusal> {
        let before = self.ledger_view.policy.clone();
        let NodeContext { rules, trust, directory, ledger_view, .. } = self;
        ledger_view.on_policy_change(rules, now, trust, directory, change)?;
        let Some((store, number)) = &self.kept else { return Ok(()) };
        let row = change_row(self.name(), *number);
        let kept = store.commit(Commit::new().meta(&row, encode(change)));
        match (&kept, &mut self.kept) {
            (Ok(()), Some((_, number))) => *number += 1,
            _ => self.ledger_view.policy = before,
        }
        kept
    }
}
