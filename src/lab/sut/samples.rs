//! The records that the users of the system under test submit: small ones, each of a patient of its own, sound or breaking one rule.

use bemr::records::Record;
use bemr_spec::{Clause, Refusal, Rules, constants};
use std::sync::LazyLock;

/// The rules that a record of the supply can break. CON-06 takes a submitter who is no doctor.
pub const BREAKABLE: [Clause; 7] = [
    Clause::RequiredRule,
    Clause::ValueSetRule,
    Clause::RangeRule,
    Clause::NotInFutureRule,
    Clause::SubmitterRule,
    Clause::DateOrderRule,
    Clause::OneOfRule,
];

/// What stands in every record of the supply, and nowhere else.
pub(super) fn marker(number: u16) -> String {
    format!("canary.record.{number:05}")
}

/// What stands in the name of its patient, which validators and cloud may know and the public may not.
pub(super) fn patient(number: u16) -> String {
    format!("canary.patient.{number:05}")
}

/// A file that is longer than a record can be, made once. Nobody reads what is in it.
static TOO_LONG: LazyLock<Vec<u8>> = LazyLock::new(|| vec![0; constants::RECORD_BYTES + 1]);

/// What a user hears of a file that is longer than a record can be.
pub(super) fn too_long(rules: &Rules) -> Option<Refusal> {
    Record::read(rules, &TOO_LONG).err()
}

/// Record `number`, of which the contracts say `breaks`; nothing when the supply has none that breaks it.
pub(super) fn record(number: u16, breaks: Option<Clause>) -> Option<Record> {
    let clinical = |code| {
        format!(
            r#""clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"{code}"}}]}}"#
        )
    };
    let (resource, subject, members) = match breaks {
        None => ("Condition", "subject", r#""onsetDateTime":"2019-03-04""#.to_owned()),
        Some(Clause::RequiredRule) => ("Condition", "subject", r#""abatementString":"better""#.to_owned()),
        Some(Clause::ValueSetRule) => ("Condition", "subject", clinical("unheard-of")),
        Some(Clause::RangeRule) => (
            "Immunization",
            "patient",
            r#""status":"completed","vaccineCode":{"text":"flu"},"occurrenceDateTime":"2019-03-04","doseQuantity":{"value":-1}"#.to_owned(),
        ),
        Some(Clause::NotInFutureRule) => ("Condition", "subject", r#""onsetDateTime":"2999-12-31""#.to_owned()),
        Some(Clause::SubmitterRule) => (
            "MedicationRequest",
            "subject",
            r#""status":"active","intent":"order","medicationCodeableConcept":{"text":"aspirin"}"#.to_owned(),
        ),
        Some(Clause::DateOrderRule) => (
            "Condition",
            "subject",
            r#""onsetPeriod":{"start":"2019-03-04","end":"2018-03-04"}"#.to_owned(),
        ),
        Some(Clause::OneOfRule) => (
            "Condition",
            "subject",
            format!(
                r#"{},"verificationStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}}]}}"#,
                clinical("active")
            ),
        ),
        Some(_) => return None,
    };
    let (marker, patient) = (marker(number), patient(number));
    let text = format!(
        r#"{{"resourceType":"{resource}","id":"{marker}","{subject}":{{"reference":"Patient/{patient}"}},{members}}}"#
    );
    Record::read(&Rules::hardened(), text.as_bytes()).ok()
}
