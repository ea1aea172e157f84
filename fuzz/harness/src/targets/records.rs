//! A record from anybody, the whole way through templates and contracts.

use crate::{Seen, Subject};
use bemr::records::{
    Facts, Opened, PolicyRegistry, Record, canonical, commitments, map, opening, read_value,
};
use bemr::wire::{Height, Name, Role, Time};
use bemr_spec::{Clause, Rules};
use std::sync::LazyLock;

/// When the record is submitted.
const NOW: Time = Time(1_790_000_000_000);

/// Clauses that refuse a record before anybody looks at what it says.
const OF_FORM: [Clause; 6] = [
    Clause::RecordWithinSize,
    Clause::RecordIsUtf8,
    Clause::RecordIsJson,
    Clause::DepthWithinBound,
    Clause::NoDuplicateKeys,
    Clause::ResourceTypeIsKnown,
];

/// The templates and contracts that are shipped.
pub(crate) fn registry() -> &'static PolicyRegistry {
    static REGISTRY: LazyLock<PolicyRegistry> =
        LazyLock::new(|| PolicyRegistry::shipped(Name::new("net").expect("a short printable name")));
    &REGISTRY
}

/// What is read keeps its bytes and is JSON; what is mapped is well typed wherever it is opened, and committed to; and the
/// contracts decide alike whether they see what they check or everything.
pub(super) fn run(subject: &Subject, input: &[u8], seen: &mut Seen) {
    let (rules, law) = (&subject.rules, Rules::hardened());
    let record = match Record::read(rules, input) {
        Ok(record) => record,
        Err(refusal) => {
            assert!(OF_FORM.contains(&refusal.clause()), "{refusal}");
            return seen.refused(refusal.clause().id());
        }
    };
    assert!(record.bytes() == input, "a record keeps its bytes");
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(input).is_ok(), "a record is JSON");
    let kind = record.resource_type();
    let template = registry().template_for(kind, Height(1)).expect("every known type has a template");
    let policy = registry().policy_in_force(&template.id, Height(1)).expect("every template has contracts");
    let values = match map(rules, template, &record) {
        Ok(values) => values,
        Err(refusal) => return seen.note((kind, refusal.clause().id(), refusal.to_string().len() / 4)),
    };
    assert!(values.len() == template.attributes.len(), "one value for each attribute");
    let checked = policy.checked_attributes();
    let (mut some, mut all) = (Opened::new(), Opened::new());
    for (index, (attribute, value)) in (0..).zip(template.attributes.iter().zip(&values)) {
        let bytes = canonical(value);
        match read_value(&law, attribute, &bytes) {
            Ok(read) => assert!(read == *value, "{}: opened otherwise than mapped", attribute.name),
            Err(refusal) => panic!("{}: mapped, and not well typed: {refusal}", attribute.name),
        }
        if checked.contains(&index) {
            some.insert(index, value.clone());
        }
        seen.note((kind, index, value.as_ref().map(|items| items.len().min(3))));
        all.insert(index, value.clone());
    }
    let secret = [7; 32];
    let committed = commitments(&secret, template, &values);
    assert!(committed.len() == values.len() && opening(&secret, 0) != opening(&secret, 1));
    let facts = Facts { role: Role::Doctor, issued: NOW, patient: record.patient() };
    let [few, many] =
        [&some, &all].map(|opened| policy.evaluate(rules, opened, &facts).map_err(|failure| failure.clause));
    assert!(few == many, "the contracts decide otherwise when they see more: {few:?}, {many:?}");
    match few {
        Ok(()) => seen.note((kind, "valid")),
        Err(clause) => seen.refused(clause.id()),
    }
}
