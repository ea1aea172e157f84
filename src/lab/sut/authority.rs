//! The KDC and the administrators: what they are asked and what they publish.

use crate::refinement::{ABEYANCE, ADMISSION, real_role};
use crate::simulator::{Node, ProvisionedKeys};
use crate::sut::{SystemUnderTest, user_name};
use bemr::crypto::{DecapsulationKey, SigningKey};
use bemr::records::PolicyRegistry;
use bemr::wire::{
    self, ApprovedChange, Check, Contract, EnrolmentBody, Height, Name, PROTOCOL_VERSION, PolicyChange, Role,
    Rule, SubmitterRule, Template, Version,
};
use bemr_model::{Actor, Change, Command, Edition, Enrolment, Happened, Key, Members, Output, View};
use bemr_spec::{Event, Refusal};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

impl SystemUnderTest {
    /// The KDC does something.
    pub(super) fn kdc_command(&mut self, command: Command) -> Option<Happened> {
        let (rules, now) = (self.rules, self.now);
        let (event, answer, sends) = match command {
            Command::Enrol(request) => {
                let real = self.forge(|forger, sut| forger.enrolment(sut, &request))?;
                let issued = self.foundation.kdc.enrol(&rules, now, &real);
                if let (Ok(certificate), Some(subject)) = (&issued, request.subject) {
                    self.tables.certified(certificate.body.serial, subject);
                }
                (Event::Enrol, issued.map(|_| ()), Vec::new())
            }
            Command::RevokeCertificate { subject } => {
                let serial = self.tables.latest_serial(subject)?;
                self.foundation.kdc.revoke(serial);
                (Event::RevokeCertificate, Ok(()), self.publish_list())
            }
            Command::IssueList => (Event::IssueList, Ok(()), self.publish_list()),
            _ => return None,
        };
        let clause = answer.as_ref().err().map(Refusal::clause);
        answer.map_or_else(|refusal| drop(self.remember(refusal)), |()| ());
        Some(self.happened(Actor::Kdc, None, event, clause, sends))
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
            let _ = self.published.on_policy_change(&self.rules, now, trust, directory, &approved);
        }
        Some(published)
    }

    /// Every policy that an administrator has published.
    pub const fn policy(&self) -> &PolicyRegistry {
        &self.published.policy
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
            let (version, effective) = (Version(version), Height(effective));
            let all = policy.templates().filter(|one| shipped(one.version));
            templates.extend(all.map(|one| Template { version, effective, ..one.clone() }));
        }
        let admission = policy.contracts().find(|one| one.id.as_str() == ADMISSION && shipped(one.version));
        let admission = admission.expect("the contract is among the shipped ones");
        let mut contracts: Vec<Contract> = Vec::new();
        if let Some(Edition { version, effective }) = change.abeyance {
            let nobody = SubmitterRule { roles: vec![Role::Administrator].into() };
            let rules = vec![Rule { when: Vec::new().into(), check: Check::Submitter(nobody) }].into();
            let templates = if version % 2 == 1 { admission.templates.clone() } else { Vec::new().into() };
            let id = Name::new(ABEYANCE).expect("short printable ASCII");
            let (version, effective) = (Version(version), Height(effective));
            contracts.push(Contract { id, version, effective, templates, rules, ..admission.clone() });
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
            role: real_role(request.role),
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
