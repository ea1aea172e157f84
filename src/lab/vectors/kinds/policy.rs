//! Changes of policy (chapter 7).

use super::keys::{Authority, Trust};
use super::prelude::*;
use crate::vectors::replayer::directory;
use bemr::actors::LedgerView;
use bemr::keys::Identity;
use bemr::ledger::Ledger;
use bemr::records::{PolicyRegistry, shipped_change};
use bemr::votes::ValidatorSet;
use std::collections::{BTreeMap, BTreeSet};

data! {
    ChangeInput {
        trust: Trust,
        certificates: Vec<Hex>,
        network: String,
        /// Whether the network began with the shipped policy, or with none.
        shipped: bool,
        now: u64, earlier: Vec<Hex>, change: Hex,
    }
    /// What is in force afterwards, at the greatest height of the change.
    InForce { height: u64, templates: Vec<String>, policies: Vec<Hex> }
}

/// A change of policy comes in.
impl ChangeInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<InForce, Stop> {
        let (mut trust, now) = (self.trust.store(suite)?, Time(self.now));
        let directory = directory(&self.certificates, &mut trust, now)?;
        let network = name(&self.network)?;
        let validators = ValidatorSet::new(network.clone(), BTreeMap::new());
        let genesis = Genesis {
            version: PROTOCOL_VERSION,
            network: network.clone(),
            validators: validators.digest(),
            start: START,
            rule: ClosingRule::Quorum,
        };
        let policy =
            if self.shipped { PolicyRegistry::shipped(network) } else { PolicyRegistry::empty(network) };
        let mut view = LedgerView::new(Ledger::new(&RULES, genesis)?, validators, policy);
        for change in self.earlier.iter().chain([&self.change]) {
            view.on_policy_change(&RULES, now, &trust, &directory, &change.decode()?)?;
        }
        let policy = &view.policy;
        let effective = policy.templates().map(|one| one.effective);
        let height = effective.chain(policy.contracts().map(|one| one.effective)).max().unwrap_or_default();
        let ids: BTreeSet<&Name> = policy.templates().map(|one| &one.id).collect();
        let sets = ids.into_iter().filter_map(|id| Some((id, policy.policy_in_force(id, height)?.digest())));
        let (templates, policies) =
            sets.map(|(id, digest)| (id.as_str().to_owned(), digest.as_bytes().into())).unzip();
        Ok(InForce { height: height.0, templates, policies })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::*;
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
            Hex::of(&authority.certificate(serial, who, *role, &identities[&known(who)]))
        });
        let approved = |change: &PolicyChange, by: &[&str]| {
            let message = encode(change);
            let approval = |who: &&str| {
                let signature =
                    identities[&known(who)].signing_key().sign(&RULES, Domain::POLICY_CHANGE, &message);
                PolicyApproval { administrator: known(who), signature }
            };
            Hex::of(&ApprovedChange { approvals: by.iter().map(approval).collect(), change: change.clone() })
        };
        let both: &[&str] = &["root-1", "root-2"];
        let genuine = change().map_err(|error| Refusal::new(PolicyIsWellFormed).at(error.to_string()))?;
        let [next, unknown, unlisted] = variants(&genuine);
        let given = ChangeInput {
            trust: authority.trust(&authority.list(1, &[])),
            certificates: certificates.collect(),
            network: "pbn".to_owned(),
            shipped: false,
            now: START.0,
            earlier: Vec::new(),
            change: approved(&genuine, both),
        };
        let first = given.change.clone();
        let mut cases = Cases::of(suite, given);
        let after = |input: &mut ChangeInput| input.earlier.push(first.clone());
        cases.valid("a template with a contract", |_| ());
        let three = ["root-1", "root-2", "root-3"];
        cases.valid("approved by three", |input| input.change = approved(&genuine, &three));
        cases.valid("the second version of a contract", |input| {
            after(input);
            input.change = approved(&next, both);
        });
        let shipped = shipped_change(known("pbn"));
        cases.valid("the shipped policy as a change", |input| input.change = approved(&shipped, both));
        cases
            .invalid(PolicyVersionAdvances, "the same change again", after)
            .about(&["ApprovedChange.change", "Template.id"]);
        let approvers = ["ApprovedChange.approvals", "PolicyApproval.administrator", "CertificateBody.role"];
        let by: [(Clause, &str, &[&str], &[&str]); 3] = [
            (PolicyChangeHasTwoAdministrators, "approved by one", &approvers[..2], &["root-1"]),
            (
                PolicyChangeHasTwoAdministrators,
                "approved by one, twice",
                &approvers[..2],
                &["root-1", "root-1"],
            ),
            (RoleMayChangePolicy, "approved by a doctor", &approvers, &["root-1", "dr-ada"]),
        ];
        for (clause, comment, fields, who) in by {
            cases.invalid(clause, comment, |input| input.change = approved(&genuine, who)).about(fields);
        }
        let comment = "the second version of a contract that has no first";
        cases
            .invalid(PolicyVersionAdvances, comment, |input| input.change = approved(&unknown, both))
            .about(&["Contract.id"]);
        let comment = "a contract for a template that there is not";
        cases
            .invalid(PolicyIsWellFormed, comment, |input| input.change = approved(&unlisted, both))
            .about(&["Template.id"]);
        let mut sweep = Sweep { entries: 12, ..Sweep::new(suite, &["~", "root-3", "dr-ada"], 2) };
        let repair = signed_again(|change: &mut ApprovedChange| ReSigner::new(&identities).approvals(change));
        cases.sweep(&mut sweep, "ApprovedChange", |input| &mut input.change, &repair);
        Ok(cases.all())
    }
}

/// A second version of the contract alone, one of a contract that has no first, and a contract without its template.
fn variants(genuine: &PolicyChange) -> [PolicyChange; 3] {
    let contract = |change: &dyn Fn(&mut Contract)| {
        let mut contract = genuine.contracts[0].clone();
        change(&mut contract);
        vec![contract].into()
    };
    let next = PolicyChange {
        templates: Vec::new().into(),
        contracts: contract(&|one| (one.version, one.effective) = (Version(2), Height(9))),
        ..genuine.clone()
    };
    let unknown = PolicyChange {
        contracts: contract(&|one| (one.id, one.version) = (known("~"), Version(2))),
        ..genuine.clone()
    };
    let mut template = genuine.templates[0].clone();
    template.id = known("~");
    let free = |attribute: &Attribute| Attribute { mandatory: false.into(), ..attribute.clone() };
    template.attributes = template.attributes.iter().map(free).collect();
    let unlisted = PolicyChange { templates: vec![template].into(), ..genuine.clone() };
    [next, unknown, unlisted]
}

/// A short change: a template, and a contract with one rule of each kind.
fn change() -> Result<PolicyChange, serde_json::Error> {
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
    let (template, contract): (Template, Contract) =
        (serde_json::from_str(template)?, serde_json::from_str(contract)?);
    let (protocol, network) = (PROTOCOL_VERSION, known("pbn"));
    Ok(PolicyChange { protocol, network, templates: vec![template].into(), contracts: vec![contract].into() })
}
