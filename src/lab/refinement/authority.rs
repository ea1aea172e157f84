//! The names of what the KDC and the administrators publish: serials, revocation lists, versions of the policy.

use crate::refinement::RefinementMap;
use bemr::crypto::Digest;
use bemr::records::PolicyRegistry;
use bemr::wire::{self, ApprovedChange, Height, InitialHeader, Name, Version};
use bemr_model::{Actor, Change, Edition, Flaws, Newest, Policy, RevocationList, Serial, Versions};
use std::collections::BTreeSet;

/// The contract that is not shipped, and comes first.
pub(crate) const ABEYANCE: &str = "abeyance";
pub(crate) const ADMISSION: &str = "admission";

/// The newest version of each thing that changes.
pub(crate) fn newest(policy: &PolicyRegistry) -> Newest {
    let contract = |id: &str| {
        let versions = policy.contracts().filter(|one| one.id.as_str() == id);
        versions.map(|one| edition(one.version, one.effective)).last()
    };
    // Templates change together.
    let templates = policy.templates().map(|one| edition(one.version, one.effective));
    Newest { templates: templates.last(), abeyance: contract(ABEYANCE), admission: contract(ADMISSION) }
}

const fn edition(version: Version, effective: Height) -> Edition {
    Edition { version: version.0, effective: effective.0 }
}

/// The policy that a header names.
pub(crate) fn versions(header: &InitialHeader) -> Versions {
    let contract = |id: &str| {
        let named = header.contracts.iter().find(|one| one.id.as_str() == id);
        named.map_or(0, |one| one.version.0)
    };
    Versions {
        templates: header.template.version.0,
        abeyance: contract(ABEYANCE),
        admission: contract(ADMISSION),
    }
}

impl RefinementMap {
    /// Learns the digests of all policies that a registry comes to.
    pub(crate) fn learn_policies(&mut self, policy: &PolicyRegistry) {
        if !self.histories.insert(policy.history()) {
            return;
        }
        let templates = policy.templates().map(|one| one.effective);
        let heights: BTreeSet<Height> =
            templates.chain(policy.contracts().map(|one| one.effective)).collect();
        let ids: BTreeSet<&Name> = policy.templates().map(|one| &one.id).collect();
        for (height, id) in heights.iter().flat_map(|height| ids.iter().map(move |id| (*height, *id))) {
            let Some(in_force) = policy.policy_in_force(id, height) else { continue };
            let contract = |id: &str| {
                let found = in_force.contracts().iter().find(|one| one.id.as_str() == id);
                found.map(|one| edition(one.version, one.effective))
            };
            let template = in_force.template();
            let term = Policy {
                templates: edition(template.version, template.effective),
                abeyance: contract(ABEYANCE),
                admission: contract(ADMISSION).unwrap_or(Edition::SHIPPED),
            };
            self.policies.insert(in_force.digest(), term);
        }
    }

    pub(crate) fn policy(&mut self, digest: &Digest) -> Policy {
        let found = self.policies.get(digest).copied();
        self.or_strange(found, Policy::SHIPPED)
    }

    /// A certificate was issued: the next serial.
    pub(crate) fn certified(&mut self, real: u64, subject: Actor) {
        let next = self.serials() + 1;
        self.serials.insert(real, next);
        self.latest.insert(subject, real);
    }

    pub(crate) fn serials(&self) -> Serial {
        self.serials.len() as Serial
    }

    pub(crate) fn latest_serial(&self, subject: Actor) -> Option<u64> {
        self.latest.get(&subject).copied()
    }

    /// Of real serials those that the model has.
    pub(crate) fn known_serials(&self, real: impl Iterator<Item = u64>) -> Vec<Serial> {
        let mut known: Vec<Serial> = real.filter_map(|serial| self.serials.get(&serial).copied()).collect();
        known.sort_unstable();
        known
    }

    /// The lists that were made before everybody began count for nothing.
    pub(crate) fn list_number(&self, real: Version) -> u32 {
        real.0.saturating_sub(self.first_list) + 1
    }

    pub(crate) fn list(&self, list: &wire::RevocationList) -> bemr_model::Gossip {
        let body = &list.body;
        let list = RevocationList {
            number: self.list_number(body.list),
            issued: self.time(body.issued),
            next_update: self.time(body.next_update),
            serials: self.known_serials(body.serials.as_slice().iter().copied()),
        };
        bemr_model::Gossip::RevocationList { list, flaws: Flaws::NONE }
    }

    pub(crate) fn change(&self, approved: &ApprovedChange) -> bemr_model::Gossip {
        let contract = |id: &str| {
            let found = approved.change.contracts.iter().find(|one| one.id.as_str() == id);
            found.map(|one| edition(one.version, one.effective))
        };
        let templates = approved.change.templates.iter();
        let change = Change {
            templates: templates.map(|one| edition(one.version, one.effective)).next_back(),
            abeyance: contract(ABEYANCE),
            admission: contract(ADMISSION),
        };
        let approvals = self.users(approved.approvals.iter().map(|one| &one.administrator));
        bemr_model::Gossip::PolicyChange { change, approvals, flaws: Flaws::NONE }
    }
}
