//! Templates, contracts and values: one of every kind.

use super::samples::{Sample, digest, name};
use bemr::crypto::Signature;
use bemr::wire::{
    ApprovedChange, Attribute, AttributeType, Bound, Check, Coding, Condition, Contract, DateOrderRule, Flag,
    Gossip, Height, Item, List, Measure, NotFutureRule, OneOfRule, PROTOCOL_VERSION, PolicyApproval,
    PolicyChange, PolicyEntry, PolicyRef, PolicySet, Quantity, RangeRule, RequiredRule, Role, Rule,
    SubjectRule, SubmitterRule, Template, Test, Text, Value, ValueSetRule, Version,
};

/// The samples.
pub(crate) fn policies() -> Vec<Sample> {
    let change = PolicyChange {
        protocol: PROTOCOL_VERSION,
        network: name("pbn"),
        templates: List::from(vec![template()]),
        contracts: List::from(vec![contract()]),
    };
    let approve =
        |who: &str| PolicyApproval { administrator: name(who), signature: Signature::from_bytes(&[1; 20]) };
    let approvals = List::from(vec![approve("a1"), approve("a2")]);
    vec![
        Sample::of("Gossip", &Gossip::PolicyChange(ApprovedChange { change, approvals })),
        Sample::of("PolicySet", &policy_set()),
        Sample::of::<Value>("Value", &value()),
    ]
}

fn text(text: &str) -> Text {
    Text::new(text).expect("a text")
}

fn coding(system: &str, code: &str) -> Coding {
    Coding { system: text(system), code: text(code) }
}

fn value() -> Value {
    let quantity = Quantity { comparator: text("<"), value: text("1.5"), unit: coding("u", "kg") };
    let measure = |quantity| Item::Measure(Measure { codes: List::from(vec![coding("s", "c")]), quantity });
    List::from(vec![
        Item::Unstated,
        Item::Text(text("final")),
        Item::Concept(List::from(vec![coding("", "a"), coding("s", "b")])),
        measure(Some(quantity)),
        measure(None),
    ])
}

fn template() -> Template {
    let attribute = |id: &str, kind, required| Attribute {
        name: name(id),
        path: text("a.b[*]"),
        kind,
        required,
        mandatory: Flag::Yes,
    };
    Template {
        id: name("t"),
        version: Version(2),
        resource: name("Patient"),
        effective: Height(3),
        attributes: List::from(vec![
            attribute("x", AttributeType::Choice, Flag::No),
            attribute("y", AttributeType::Boolean, Flag::Yes),
        ]),
    }
}

fn contract() -> Contract {
    let codes = || List::from(vec![coding("s", "c")]);
    let condition = |is| Condition { attribute: name("x"), is, codes: codes() };
    let bound = |inclusive| Some(Bound { value: text("-1"), inclusive });
    let attribute = || name("x");
    let checks = [
        Check::Required(RequiredRule { attribute: attribute() }),
        Check::ValueSet(ValueSetRule { attribute: attribute(), members: codes() }),
        Check::Range(RangeRule {
            attribute: attribute(),
            codes: codes(),
            units: List::from(Vec::new()),
            low: bound(Flag::Yes),
            high: None,
        }),
        Check::NotFuture(NotFutureRule { attribute: attribute() }),
        Check::Submitter(SubmitterRule { roles: List::from(vec![Role::Doctor, Role::Assistant]) }),
        Check::DateOrder(DateOrderRule { earlier: name("y"), later: attribute() }),
        Check::OneOf(OneOfRule { attributes: List::from(vec![name("x"), name("y")]), min: 1, max: 2 }),
        Check::Subject(SubjectRule { attribute: attribute() }),
    ];
    let mut conditions = vec![condition(Test::Has), condition(Test::Absent)];
    let rules = checks.map(|check| Rule { when: List::from(std::mem::take(&mut conditions)), check });
    Contract {
        id: name("c"),
        version: Version(1),
        effective: Height(3),
        templates: List::from(vec![name("t")]),
        readers: List::from(vec![Role::Doctor]),
        rules: List::from(rules.to_vec()),
    }
}

fn policy_set() -> PolicySet {
    let entry = |id: &str, byte| PolicyEntry {
        policy: PolicyRef { id: name(id), version: Version(1) },
        digest: digest(byte),
    };
    PolicySet { template: entry("t", 1), contracts: List::from(vec![entry("c", 2), entry("d", 3)]) }
}
