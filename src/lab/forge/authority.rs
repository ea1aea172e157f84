//! What goes to the KDC and comes from it, and changes of policy.

use super::{Edits, Forge, change, element, nobody, other_suite, table};
use bemr::crypto::{DecapsulationKey, Domain, SigningKey};
use bemr::wire::{
    ApprovedChange, Check, Contract, EnrolmentBody, EnrolmentRequest, Height, PolicyApproval, RequiredRule,
    RevocationList, RevocationListBody, Rule, Version, encode,
};
use bemr_model::Flaws;
use bemr_spec::Clause;

const ENROLMENT: &Edits<EnrolmentBody> = &[
    (Clause::ProtocolVersionIsOne, &[|body| body.version = 2]),
    (Clause::SuiteMatches, &[|body| body.suite = other_suite(body.suite)]),
];

const REVOCATION_LIST: &Edits<RevocationListBody> = &[
    (Clause::ProtocolVersionIsOne, &[|body| body.version = 2]),
    (Clause::SuiteMatches, &[|body| body.suite = other_suite(body.suite)]),
    (
        Clause::OneEncodingPerValue,
        &[|body| change(&mut body.serials, |all| all.extend([u64::MAX, u64::MAX]))],
    ),
    (Clause::RevocationListAdvances, &[|body| body.list = Version(0)]),
    (
        Clause::RevocationListSignedByKdc,
        &[
            |body| body.next_update = body.next_update.after(1),
            |body| body.issuer = nobody(),
            |body| body.serials = Vec::new().into(),
        ],
    ),
];

impl Forge<'_> {
    /// A request that says `body`, of whoever has these keys; what it says of them is not looked at.
    pub fn enrolment(
        &self,
        body: &EnrolmentBody,
        (signing, agreement): (&SigningKey, &DecapsulationKey),
        flaws: Flaws,
    ) -> Option<EnrolmentRequest> {
        table::require("Enrolment", flaws)?;
        let mut body = body.clone();
        self.edit(ENROLMENT, &mut body, flaws);
        if flaws.has(Clause::ElementInRange) || flaws.has(Clause::ElementInSubgroup) {
            let key = if self.way(flaws, 2) == 0 { &mut body.signing_key } else { &mut body.agreement_key };
            *key = element(key.as_slice(), flaws)?.into();
        }
        let message = encode(&body);
        let other = [message.as_slice(), &[0]].concat();
        let way = flaws.has(Clause::EnrolmentProvesPossession).then(|| self.way(flaws, 3));
        let signed = if way == Some(0) { &other } else { &message };
        let agreed = if way == Some(1) { &other } else { &message };
        let tag = if way == Some(2) { Domain::POSSESSION_AGREEMENT } else { Domain::POSSESSION_SIGNING };
        Some(EnrolmentRequest {
            signing_proof: signing.sign(self.rules, tag, signed),
            agreement_proof: agreement.prove_possession(self.rules, Domain::POSSESSION_AGREEMENT, agreed),
            body,
        })
    }

    /// A list that the KDC did not make: whatever is changed in it, nobody else can sign.
    pub fn revocation_list(&self, genuine: &RevocationList, flaws: Flaws) -> Option<RevocationList> {
        table::require("RevocationList", flaws)?;
        let mut forged = genuine.clone();
        self.edit(REVOCATION_LIST, &mut forged.body, flaws);
        (flaws.is_empty() || forged != *genuine).then_some(forged)
    }

    /// A change of the administrators who approve it, who all conspire.
    pub fn policy_change(&self, genuine: &ApprovedChange, flaws: Flaws) -> Option<ApprovedChange> {
        table::require("PolicyChange", flaws)?;
        let mut forged = genuine.clone();
        let change = &mut forged.change;
        if flaws.has(Clause::ProtocolVersionIsOne) {
            change.protocol = 2;
        }
        let (malformed, unchecked) =
            (flaws.has(Clause::PolicyIsWellFormed), flaws.has(Clause::MandatoryAreChecked));
        if malformed || unchecked {
            let templates = change.templates.iter().map(|one| one.effective);
            let last = templates.chain(change.contracts.iter().map(|one| one.effective)).max()?;
            let contract = self.next_of_observations(last, malformed)?;
            let contracts = change.contracts.iter().cloned().chain([contract]);
            change.contracts = contracts.collect();
        }
        let message = encode(change);
        let mut approvals = Vec::new();
        for approval in forged.approvals.iter() {
            let administrator = approval.administrator.clone();
            let signature = self.sign(&administrator, Domain::POLICY_CHANGE, &message)?;
            approvals.push(PolicyApproval { administrator, signature });
        }
        if flaws.has(Clause::PolicyChangeHasTwoAdministrators) {
            let last = approvals.last()?.clone();
            match self.way(flaws, 4) {
                0 => {
                    let who = &last.administrator;
                    let signature = self.sign_or_not(false, flaws, who, Domain::POLICY_CHANGE, &message)?;
                    approvals.last_mut()?.signature = signature;
                }
                1 => approvals.push(last),
                2 => approvals.push(PolicyApproval { administrator: nobody(), ..last }),
                _ => approvals.truncate(1),
            }
        }
        forged.approvals = approvals.into();
        Some(forged)
    }

    /// The next version of a contract of observations: its rules look at an attribute that there is not, or at none.
    fn next_of_observations(&self, effective: Height, malformed: bool) -> Option<Contract> {
        let newest = self.policy.contracts().filter(|one| one.id.as_str() == "observation-base").last()?;
        let stray = RequiredRule { attribute: nobody() };
        let rules: Vec<Rule> = match malformed {
            true => vec![Rule { when: Vec::new().into(), check: Check::Required(stray) }],
            false => Vec::new(),
        };
        let version = Version(newest.version.0 + 1);
        Some(Contract { version, effective, rules: rules.into(), ..newest.clone() })
    }
}
