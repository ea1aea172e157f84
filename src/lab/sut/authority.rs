//! The KDC and the administrators of a rig: what they are asked, what they publish, and what the model calls it.

use crate::simulator::{Node, ProvisionedKeys};
use crate::sut::tables::RefinementMap;
use crate::sut::{SystemUnderTest, user_name};
use bemr::crypto::{DecapsulationKey, Digest, SigningKey};
use bemr::records::PolicyRegistry;
use bemr::wire::{
    self, ApprovedChange, Check, Contract, EnrolmentBody, Height, InitialHeader, Name, PROTOCOL_VERSION,
    PolicyChange, Role, Rule, SubmitterRule, Template, Version,
};
use bemr_model::{
    Actor, Change, Command, Edition, Enrolment, Flaws, Happened, Key, Members, Newest, Ordinal, Output,
    Policy, RevocationList, Serial, Versions, View,
};
use bemr_spec::Refusal;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeSet;

/// The contract that is not shipped, and comes first.
const ABEYANCE: &str = "abeyance";
const ADMISSION: &str = "admission";

impl SystemUnderTest {
    /// The KDC does something.
    pub(super) fn kdc_command(&mut self, command: Command) -> Option<Happened> {
        let (rules, now) = (self.rules, self.now);
        let (answer, sends) = match command {
            Command::Enrol(request) => {
                let real = self.forge(|forger, rig| forger.enrolment(rig, &request))?;
                let issued = self.foundation.kdc.enrol(&rules, now, &real);
                if let (Ok(certificate), Some(subject)) = (&issued, request.subject) {
                    self.tables.certified(certificate.body.serial, subject);
                }
                (issued.map(|_| ()), Vec::new())
            }
            Command::RevokeCertificate { subject } => {
                let serial = self.tables.latest_serial(subject)?;
                self.foundation.kdc.revoke(serial);
                (Ok(()), self.publish_list())
            }
            Command::IssueList => (Ok(()), self.publish_list()),
            _ => return None,
        };
        let clause = answer.as_ref().err().map(Refusal::clause);
        answer.map_or_else(|refusal| drop(self.remember(refusal)), |()| ());
        Some(self.happened(Actor::Kdc, None, command.name(), clause, sends))
    }

    fn publish_list(&mut self) -> Vec<Output> {
        let list = self.foundation.kdc.revocation_list(&self.rules, self.now);
        let output = bemr::actors::Output::Publish(wire::Gossip::RevocationList(list));
        self.send_one(Actor::Kdc, None, &[], output).into_iter().collect()
    }

    /// A user publishes a change of policy.
    pub(super) fn change_policy(
        &mut self,
        slot: usize,
        change: &Change,
        approvals: Members,
    ) -> Option<Result<Vec<bemr::actors::Output>, Refusal>> {
        let approved = self.approved(change, approvals)?;
        let now = self.now;
        let Node::User(node) = &mut self.nodes[slot] else { return None };
        let published = node.change_policy(now, approved.clone());
        if published.is_ok() {
            // What forgers know of the policy; of two changes of one version the first counts.
            let ProvisionedKeys { trust, directory, .. } = &self.foundation;
            let _ = self.told_of.on_policy_change(&self.rules, now, trust, directory, &approved);
        }
        Some(published)
    }

    /// Every policy that an administrator has published.
    pub const fn policy(&self) -> &PolicyRegistry {
        &self.told_of.policy
    }

    /// A change with these users' approvals; nothing where one of them does not take part.
    pub fn approved(&self, change: &Change, approvals: Members) -> Option<ApprovedChange> {
        let change = self.real_change(change);
        let approve = |member: u8| match self.nodes.get(self.slot(Actor::User(member))?)? {
            Node::User(user) => Some(user.approve_change(&change)),
            _ => None,
        };
        let approvals: Option<Vec<_>> = approvals.iter().map(approve).collect();
        Some(ApprovedChange { approvals: approvals?.into(), change })
    }

    /// What the administrators sign for a change.
    fn real_change(&self, change: &Change) -> PolicyChange {
        let policy = self.policy();
        let shipped = |version: Version| version == Version(1);
        let mut templates: Vec<Template> = Vec::new();
        if let Some(Edition { version, effective }) = change.templates {
            let all = policy.templates().filter(|one| shipped(one.version));
            templates.extend(all.map(|one| Template {
                version: Version(version),
                effective: Height(effective),
                ..one.clone()
            }));
        }
        let admission = policy.contracts().find(|one| one.id.as_str() == ADMISSION && shipped(one.version));
        let admission = admission.expect("the contract is among the shipped ones");
        let mut contracts: Vec<Contract> = Vec::new();
        if let Some(Edition { version, effective }) = change.abeyance {
            let nobody = SubmitterRule { roles: vec![Role::Administrator].into() };
            let rule = Rule { when: Vec::new().into(), check: Check::Submitter(nobody) };
            let templates = if version % 2 == 1 { admission.templates.clone() } else { Vec::new().into() };
            contracts.push(Contract {
                id: Name::new(ABEYANCE).expect("short printable ASCII"),
                version: Version(version),
                effective: Height(effective),
                templates,
                rules: vec![rule].into(),
                ..admission.clone()
            });
        }
        if let Some(Edition { version, effective }) = change.admission {
            let (version, effective) = (Version(version), Height(effective));
            contracts.push(Contract { version, effective, ..admission.clone() });
        }
        PolicyChange {
            protocol: PROTOCOL_VERSION,
            network: policy.network().clone(),
            templates: templates.into(),
            contracts: contracts.into(),
        }
    }

    /// The keys of a request, for signatures and for agreement. One number is one secret, wherever it stands.
    pub fn pairs(&self, request: &Enrolment) -> Option<(SigningKey, DecapsulationKey)> {
        let (rules, suite) = (self.rules, self.foundation.suite);
        let secret = |key: Key| {
            let Some(actor) = self.actors.get(key.0 as usize / 2) else {
                let seed = self.seed ^ (u64::from(key.0) << 32);
                return SigningKey::generate(suite, &mut ChaCha20Rng::seed_from_u64(seed)).to_bytes();
            };
            let own = self.foundation.credentials[&self.name(*actor)].identity();
            if key.0.is_multiple_of(2) {
                own.signing_key().to_bytes()
            } else {
                own.agreement_key().to_bytes()
            }
        };
        let signing = SigningKey::from_bytes(&rules, suite, &secret(request.signing)).ok()?;
        let agreement = DecapsulationKey::from_bytes(&rules, suite, &secret(request.agreement)).ok()?;
        Some((signing, agreement))
    }

    /// What a request asks the KDC to certify.
    pub fn enrolment_body(
        &self,
        request: &Enrolment,
        (signing, agreement): (&SigningKey, &DecapsulationKey),
    ) -> EnrolmentBody {
        let subject = match request.subject {
            Some(subject) => self.name(subject),
            None => user_name(&self.foundation, u8::MAX),
        };
        EnrolmentBody {
            version: PROTOCOL_VERSION,
            suite: self.foundation.suite,
            subject,
            role: role(request.role),
            signing_key: signing.verifying_key().encode().into(),
            agreement_key: agreement.encapsulation_key().encode().into(),
        }
    }

    pub(super) fn kdc_view(&self) -> View {
        let kdc = &self.foundation.kdc;
        View::Kdc {
            serial: self.tables.serials(),
            revoked: self.tables.known_serials(kdc.revoked()),
            list: self.tables.list_number(kdc.last_list()),
        }
    }
}

/// What a role is called on the wire.
fn role(role: bemr_model::Role) -> Role {
    match role {
        bemr_model::Role::Doctor => Role::Doctor,
        bemr_model::Role::Assistant => Role::Assistant,
        bemr_model::Role::Administrator => Role::Administrator,
        bemr_model::Role::Bsd => Role::Bsd,
        bemr_model::Role::Validator => Role::Validator,
        bemr_model::Role::Cloud => Role::Cloud,
    }
}

/// The newest version of each thing that changes.
pub(super) fn newest(policy: &PolicyRegistry) -> Newest {
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
pub(super) fn versions(header: &InitialHeader) -> Versions {
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
    pub(super) fn learn_policies(&mut self, policy: &PolicyRegistry) {
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

    pub(super) fn policy(&mut self, digest: &Digest) -> Policy {
        let found = self.policies.get(digest).copied();
        self.or_strange(found, Policy::SHIPPED)
    }

    /// A certificate was issued: the next serial.
    pub(super) fn certified(&mut self, real: u64, subject: Actor) {
        let next = self.serials() + 1;
        self.serials.insert(real, next);
        self.latest.insert(subject, real);
    }

    pub(super) fn serials(&self) -> Serial {
        self.serials.len() as Serial
    }

    pub(super) fn latest_serial(&self, subject: Actor) -> Option<u64> {
        self.latest.get(&subject).copied()
    }

    /// Of real serials those that the model has.
    pub(super) fn known_serials(&self, real: impl Iterator<Item = u64>) -> Vec<Serial> {
        let mut known: Vec<Serial> = real.filter_map(|serial| self.serials.get(&serial).copied()).collect();
        known.sort_unstable();
        known
    }

    /// The lists that were made before everybody began count for nothing.
    pub(super) fn list_number(&self, real: Version) -> Ordinal {
        Ordinal::nth(real.0.saturating_sub(self.first_list) + 1)
    }

    pub(super) fn list(&self, list: &wire::RevocationList) -> bemr_model::Gossip {
        let body = &list.body;
        let list = RevocationList {
            number: self.list_number(body.list),
            issued: self.time(body.issued),
            next_update: self.time(body.next_update),
            serials: self.known_serials(body.serials.as_slice().iter().copied()),
        };
        bemr_model::Gossip::RevocationList { list, flaws: Flaws::NONE }
    }

    pub(super) fn change(&self, approved: &ApprovedChange) -> bemr_model::Gossip {
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
