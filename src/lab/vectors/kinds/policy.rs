//! Changes of policy (chapter 7).

use super::draws::rng;
use super::keys::{Authority, Trust, name};
use super::{Kind, Made, RULES, Stop, known};
use crate::forge::{ReSigner, Sweep, mended};
use crate::simulator::START;
use crate::vectors::Hex;
use bemr::actors::{CertificateDirectory, LedgerView};
use bemr::crypto::{Domain, SigningKey, Suite};
use bemr::keys::Identity;
use bemr::ledger::Ledger;
use bemr::records::{PolicyRegistry, shipped_change};
use bemr::votes::ValidatorSet;
use bemr::wire::{
    ApprovedChange, Attribute, Certificate, ClosingRule, Contract, Genesis, Height, Name, PROTOCOL_VERSION,
    PolicyApproval, PolicyChange, Role, Template, Time, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A change of policy comes in.
pub(in crate::vectors) enum ChangePolicy {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct ChangeInput {
    trust: Trust,
    certificates: Vec<Hex>,
    network: String,
    /// Whether the network began with the shipped policy, or with none.
    shipped: bool,
    now: u64,
    earlier: Vec<Hex>,
    change: Hex,
}

/// What is in force afterwards, at the greatest height of the change.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct InForce {
    height: u64,
    templates: Vec<String>,
    policies: Vec<Hex>,
}

impl Kind for ChangePolicy {
    const NAME: &'static str = "policy-change";
    const SUITES: &'static [&'static str] = &["ristretto255", "tiny"];
    type Input = ChangeInput;
    type Output = InForce;

    fn judge(suite: Suite, input: &ChangeInput) -> Result<InForce, Stop> {
        let mut trust = input.trust.store(suite)?;
        let now = Time(input.now);
        let certificates: Result<Vec<Certificate>, Refusal> =
            input.certificates.iter().map(|one| decode(&RULES, &one.0)).collect();
        let directory = CertificateDirectory::verified(&RULES, &mut trust, now, &certificates?)?;
        let network = name(&input.network)?;
        let validators = ValidatorSet::new(network.clone(), BTreeMap::new());
        let genesis = Genesis {
            version: PROTOCOL_VERSION,
            network: network.clone(),
            validators: validators.digest(),
            start: START,
            rule: ClosingRule::Quorum,
        };
        let policy =
            if input.shipped { PolicyRegistry::shipped(network) } else { PolicyRegistry::empty(network) };
        let mut replica = LedgerView::new(Ledger::new(&RULES, genesis)?, validators, policy);
        for earlier in &input.earlier {
            replica.on_policy_change(&RULES, now, &trust, &directory, &decode(&RULES, &earlier.0)?)?;
        }
        let change: ApprovedChange = decode(&RULES, &input.change.0)?;
        replica.on_policy_change(&RULES, now, &trust, &directory, &change)?;
        let policy = &replica.policy;
        let height = policy.templates().map(|one| one.effective).max().unwrap_or_default();
        let height = policy.contracts().map(|one| one.effective).max().unwrap_or_default().max(height);
        let ids: BTreeSet<&Name> = policy.templates().map(|one| &one.id).collect();
        let sets = ids.into_iter().filter_map(|id| Some((id, policy.policy_in_force(id, height)?.digest())));
        let (templates, policies) =
            sets.map(|(id, digest)| (id.as_str().to_owned(), digest.as_bytes().into())).unzip();
        Ok(InForce { height: height.0, templates, policies })
    }

    fn make(suite: Suite) -> Result<Vec<Made<ChangeInput>>, Refusal> {
        let authority = Authority::new(suite, Self::NAME);
        let mut rng = rng(Self::NAME);
        let people = [
            ("root-1", Role::Administrator),
            ("root-2", Role::Administrator),
            ("root-3", Role::Administrator),
            ("dr-ada", Role::Doctor),
        ];
        let identities: BTreeMap<Name, Identity> =
            people.iter().map(|(who, _)| (known(who), Identity::generate(suite, &mut rng))).collect();
        let certificates = (1..).zip(&people).map(|(serial, (who, role))| {
            Hex(encode(&authority.certificate(serial, who, *role, &identities[&known(who)])))
        });
        let approved = |change: PolicyChange, by: &[&str]| {
            let message = encode(&change);
            let approval = |who: &&str| PolicyApproval {
                administrator: known(who),
                signature: key(&identities, who).sign(&RULES, Domain::POLICY_CHANGE, &message),
            };
            ApprovedChange { approvals: by.iter().map(approval).collect(), change }
        };
        let both = ["root-1", "root-2"];
        let genuine =
            approved(change().map_err(|error| Refusal::new(Clause::PolicyIsWellFormed).at(error))?, &both);
        let given = ChangeInput {
            trust: Trust::of(&authority.anchor(), &authority.list(1, &[])),
            certificates: certificates.collect(),
            network: "pbn".to_owned(),
            shipped: false,
            now: START.0,
            earlier: Vec::new(),
            change: Hex(encode(&genuine)),
        };
        let with = |change: &[u8]| ChangeInput { change: change.into(), ..given.clone() };
        let whole = approved(shipped_change(known("pbn")), &both);
        let mut next = genuine.change.clone();
        next.templates = Vec::new().into();
        let mut contract = genuine.change.contracts[0].clone();
        (contract.version, contract.effective) = (bemr::wire::Version(2), Height(9));
        next.contracts = vec![contract].into();
        let second =
            ChangeInput { earlier: vec![given.change.clone()], ..with(&encode(&approved(next, &both))) };
        let mut made = vec![
            Made::valid("a template with a contract", given.clone()),
            Made::valid(
                "approved by three",
                with(&encode(&approved(genuine.change.clone(), &["root-1", "root-2", "root-3"]))),
            ),
            Made::valid("the second version of a contract", second.clone()),
            Made::valid("the shipped policy as a change", with(&encode(&whole))),
            Made::invalid(
                Clause::PolicyVersionAdvances,
                "the same change again",
                ChangeInput { earlier: vec![given.change.clone()], ..given.clone() },
            )
            .of("ApprovedChange.change")
            .of("Template.id"),
        ];
        let by = |clause, comment: &str, who: &[&str]| {
            Made::invalid(clause, comment, with(&encode(&approved(genuine.change.clone(), who))))
                .of("ApprovedChange.approvals")
                .of("PolicyApproval.administrator")
        };
        let two = Clause::PolicyChangeHasTwoAdministrators;
        made.extend([
            by(two, "approved by one", &["root-1"]),
            by(two, "approved by one, twice", &["root-1", "root-1"]),
            by(Clause::RoleMayChangePolicy, "approved by a doctor", &["root-1", "dr-ada"])
                .of("CertificateBody.role"),
        ]);
        let mut unknown = genuine.change.clone();
        let mut contract = genuine.change.contracts[0].clone();
        (contract.id, contract.version) = (known("~"), bemr::wire::Version(2));
        unknown.contracts = vec![contract].into();
        made.push(
            Made::invalid(
                Clause::PolicyVersionAdvances,
                "the second version of a contract that has no first",
                with(&encode(&approved(unknown, &both))),
            )
            .of("Contract.id"),
        );
        let mut unlisted = genuine.change.clone();
        let mut template = genuine.change.templates[0].clone();
        template.id = known("~");
        let free = |attribute: &Attribute| Attribute { mandatory: false.into(), ..attribute.clone() };
        template.attributes = template.attributes.iter().map(free).collect();
        unlisted.templates = vec![template].into();
        made.push(
            Made::invalid(
                Clause::PolicyIsWellFormed,
                "a contract for a template that there is not",
                with(&encode(&approved(unlisted, &both))),
            )
            .of("Template.id"),
        );
        let mut sweep = Sweep { entries: 12, ..Sweep::new(suite, &["~", "root-3", "dr-ada"], 2) };
        let mend = mended(|change: &mut ApprovedChange, way| {
            if way == 0 {
                ReSigner::new(&identities).approvals(change);
            }
        });
        made.extend(Self::swept(suite, &mut sweep, "ApprovedChange", &encode(&genuine), mend, with));
        Ok(made)
    }
}

fn key<'a>(identities: &'a BTreeMap<Name, Identity>, who: &str) -> &'a SigningKey {
    let (_, identity) =
        identities.iter().find(|(name, _)| name.as_str() == who).expect("everybody in the change has keys");
    identity.signing_key()
}

/// A short change: a template, and a contract with one rule of each kind.
fn change() -> Result<PolicyChange, String> {
    let template = r#"{"id":"t","version":1,"resource":"Observation","effective":2,"attributes":[
        {"name":"subject","path":"subject","type":"patient","required":true,"mandatory":true},
        {"name":"free","path":"valueString","type":"string"},
        {"name":"whole","path":"$","type":"measure"},
        {"name":"number","path":"valueInteger","type":"integer"},
        {"name":"status","path":"status","type":"code"},
        {"name":"from","path":"effectivePeriod.start","type":"date-time"},
        {"name":"to","path":"effectivePeriod.end","type":"date-time"}]}"#;
    let contract = r#"{"id":"c","version":1,"effective":2,"templates":["t"],"readers":["doctor"],"rules":[
        {"check":{"range":{"attribute":"whole","codes":[{"code":"a"}],"units":[{"code":"b"}],"low":{"value":"0","inclusive":true},"high":{"value":"9","inclusive":false}}}},
        {"check":{"subject":{"attribute":"subject"}}},
        {"when":[{"attribute":"status","is":"has","codes":[{"code":"final"}]}],"check":{"required":{"attribute":"number"}}},
        {"check":{"value-set":{"attribute":"status","members":[{"code":"final"}]}}},
        {"check":{"range":{"attribute":"number","low":{"value":"1","inclusive":false},"high":{"value":"2","inclusive":false}}}},
        {"check":{"not-future":{"attribute":"from"}}},
        {"check":{"date-order":{"earlier":"from","later":"to"}}},
        {"check":{"submitter":{"roles":["doctor"]}}},
        {"check":{"one-of":{"attributes":["from","number"],"min":1,"max":2}}}]}"#;
    let template: Template = serde_json::from_str(template).map_err(|error| error.to_string())?;
    let contract: Contract = serde_json::from_str(contract).map_err(|error| error.to_string())?;
    Ok(PolicyChange {
        protocol: PROTOCOL_VERSION,
        network: Name::new("pbn").ok_or("no name")?,
        templates: vec![template].into(),
        contracts: vec![contract].into(),
    })
}
