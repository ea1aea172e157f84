//! Contracts, run on records (chapter 7).

use super::keys::{name, role};
use super::records::shipped;
use super::{Kind, Made, NONE, RULES, Stop, rejected_by};
use crate::simulator::START;
use crate::vectors::Hex;
use bemr::crypto::Suite;
use bemr::records::{Facts, Opened, Record, SAMPLES, checked_attributes, evaluate, map};
use bemr::wire::{Contract, Height, Template, Time, decode, encode};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Contracts, run on a record.
pub(in crate::vectors) enum RunContracts {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct ContractsInput {
    record: Hex,
    template: Hex,
    contracts: Vec<Hex>,
    role: String,
    issued: u64,
    patient: String,
}

/// The indices of the attributes that are opened.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Checked {
    checked: Vec<u16>,
}

impl Kind for RunContracts {
    const NAME: &'static str = "contracts";
    const SUITES: &'static [&'static str] = NONE;
    type Input = ContractsInput;
    type Output = Checked;

    fn judge(_: Suite, input: &ContractsInput) -> Result<Checked, Stop> {
        let record = Record::read(&RULES, &input.record.0)?;
        let template: Template = decode(&RULES, &input.template.0)?;
        let contracts: Result<Vec<Contract>, Refusal> =
            input.contracts.iter().map(|one| decode(&RULES, &one.0)).collect();
        let contracts = contracts?;
        let contracts: Vec<&Contract> = contracts.iter().collect();
        let values = map(&RULES, &template, &record)?;
        let checked = checked_attributes(&contracts, &template);
        let opened: Opened = (0..).zip(values).filter(|(index, _)| checked.contains(index)).collect();
        let facts =
            Facts { role: role(&input.role)?, issued: Time(input.issued), patient: name(&input.patient)? };
        evaluate(&RULES, &contracts, &template, &opened, &facts).map_err(Refusal::from)?;
        Ok(Checked { checked: checked.into_iter().collect() })
    }

    fn make(_: Suite) -> Result<Vec<Made<ContractsInput>>, Refusal> {
        let registry = shipped();
        // The instant of the shipped sample's runs.
        let issued = START.0;
        let given = |bytes: &[u8]| -> Result<ContractsInput, Refusal> {
            let record = Record::read(&RULES, bytes)?;
            let template = registry.template_for(record.resource_type(), Height(1));
            let template = template.ok_or(Refusal::new(Clause::TemplateIsInForce))?;
            let contracts = registry.contracts_in_force(&template.id, Height(1));
            Ok(ContractsInput {
                record: bytes.into(),
                template: Hex(encode(template)),
                contracts: contracts.iter().map(|one| Hex(encode(*one))).collect(),
                role: "doctor".to_owned(),
                issued,
                patient: record.patient().as_str().to_owned(),
            })
        };
        let mut made = Vec::new();
        for (file, bytes) in SAMPLES {
            let input = given(bytes)?;
            made.push(match rejected_by(Self::judge(Suite::Ristretto255, &input)) {
                Some(clause) if file.starts_with("broken-") => Made::invalid(clause, *file, input),
                _ => Made::valid(*file, input),
            });
        }
        use Clause::{
            DateOrderRule, NotInFutureRule, OneOfRule, RangeRule, RequiredRule, SubjectRule, SubmitterRule,
            ValueSetRule,
        };
        let condition = |more: &str| {
            format!(r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/1"}},{more}}}"#)
        };
        let clinical = |code: &str| {
            format!(
                r#""clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"{code}"}}]}}"#
            )
        };
        let onset = r#""onsetDateTime":"2019-03-04""#;
        let wrong: Vec<(Clause, &str, String)> = vec![
            (RequiredRule, "nothing that is required", condition(r#""abatementString":"better""#)),
            (ValueSetRule, "a code outside of its set", condition(&clinical("unheard-of"))),
            (NotInFutureRule, "what has not happened", condition(r#""onsetDateTime":"2999-12-31""#)),
            (DateOrderRule, "an end before the beginning", condition(r#""onsetPeriod":{"start":"2019-03-04","end":"2018-03-04"}"#)),
            (OneOfRule, "two that contradict each other", condition(&format!(r#"{},"verificationStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}}]}}"#, clinical("active")))),
            (RangeRule, "a dose below zero", r#"{"resourceType":"Immunization","patient":{"reference":"Patient/1"},"status":"completed","vaccineCode":{"text":"flu"},"occurrenceDateTime":"2019-03-04","doseQuantity":{"value":-1}}"#.to_owned()),
        ];
        made.push(Made::valid("a short record", given(condition(onset).as_bytes())?));
        for (clause, comment, text) in wrong {
            let field = if clause == RangeRule { "Quantity.value" } else { "" };
            let one = Made::invalid(clause, comment, given(text.as_bytes())?);
            made.push(if field.is_empty() { one } else { one.of(field) });
        }
        let prescription = r#"{"resourceType":"MedicationRequest","subject":{"reference":"Patient/1"},"status":"active","intent":"order","medicationCodeableConcept":{"text":"aspirin"}}"#;
        let prescribed = given(prescription.as_bytes())?;
        let assistant = ContractsInput { role: "assistant".to_owned(), ..prescribed.clone() };
        made.push(Made::valid("a prescription by a doctor", prescribed));
        made.push(Made::invalid(SubmitterRule, "a prescription by an assistant", assistant));
        let short = given(condition(onset).as_bytes())?;
        let other = ContractsInput { patient: "Patient/2".to_owned(), ..short.clone() };
        made.push(Made::invalid(SubjectRule, "another patient", other).of("InitialHeader.patient"));
        made.extend(comparisons()?);
        Ok(made)
    }
}

/// Decimals and moments, one beside the other, under a contract of their own.
fn comparisons() -> Result<Vec<Made<ContractsInput>>, Refusal> {
    let bad = |error: serde_json::Error| Refusal::new(Clause::PolicyIsWellFormed).at(error.to_string());
    let template = r#"{"id":"t","version":1,"resource":"Observation","effective":1,"attributes":[
        {"name":"subject","path":"subject","type":"patient"},
        {"name":"number","path":"valueDecimal","type":"decimal"},
        {"name":"from","path":"from","type":"date-time"},
        {"name":"to","path":"to","type":"date-time"}]}"#;
    let template: Template = serde_json::from_str(template).map_err(bad)?;
    let contract = |rule: &str| -> Result<Contract, Refusal> {
        let text = format!(
            r#"{{"id":"c","version":1,"effective":1,"templates":["t"],"readers":["doctor"],"rules":[{rule}]}}"#
        );
        serde_json::from_str(&text).map_err(bad)
    };
    let input = |members: &str, rule: &str| -> Result<ContractsInput, Refusal> {
        Ok(ContractsInput {
            record: format!(r#"{{"resourceType":"Observation"{members}}}"#).as_bytes().into(),
            template: Hex(encode(&template)),
            contracts: vec![Hex(encode(&contract(rule)?))],
            role: "doctor".to_owned(),
            issued: 1_577_836_800_000,
            patient: "unknown".to_owned(),
        })
    };
    let mut made = Vec::new();
    let numbers = [
        ("1", "1.0", true, true),
        ("1", "1.0", false, false),
        ("-0", "0", true, true),
        ("1e-1", "0.1", true, true),
        ("9.99", "10", false, true),
        ("10", "9.99", true, false),
        ("-10", "-9.99", true, true),
        ("1e999999999", "1e999999998", true, false),
        ("-1e999999999", "1e-999999999", true, true),
        ("0.00000000000000000000000000000000000000001", "0", true, false),
        ("100E-2", "1", true, true),
        ("12345678901234567890.1", "12345678901234567890.2", false, true),
    ];
    for (number, bound, inclusive, holds) in numbers {
        let rule = format!(
            r#"{{"check":{{"range":{{"attribute":"number","high":{{"value":"{bound}","inclusive":{inclusive}}}}}}}}}"#
        );
        let input = input(&format!(r#","valueDecimal":{number}"#), &rule)?;
        let sign = if inclusive { "<=" } else { "<" };
        let comment = format!("{number} {sign} {bound}");
        made.push(if holds {
            Made::valid(comment, input)
        } else {
            Made::invalid(Clause::RangeRule, comment, input)
        });
    }
    let spans = [
        ("2019", "2019-06", true),
        ("2019-06", "2019", true),
        ("2020", "2019", false),
        ("2019-06-02", "2019-06-01", false),
        ("2019-06-02", "2019-06-01T23:00:00Z", true),
        ("2019-06-03", "2019-06-01T23:00:00Z", false),
        ("2019-06-01T10:00:00Z", "2019-06-01T12:00:00+02:00", true),
        ("2019-06-01T10:00:01Z", "2019-06-01T12:00:00+02:00", false),
        ("2019-06-01T10:00:00.5Z", "2019-06-01T10:00:00Z", true),
        ("2019-06-01T10:00:00.51Z", "2019-06-01T10:00:00.5Z", true),
        ("2019-06-01T10:00:00.60Z", "2019-06-01T10:00:00.5Z", false),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", true),
    ];
    for (from, to, holds) in spans {
        let rule = r#"{"check":{"date-order":{"earlier":"from","later":"to"}}}"#;
        let input = input(&format!(r#","from":"{from}","to":"{to}""#), rule)?;
        let comment = format!("{from} before {to}");
        made.push(if holds {
            Made::valid(comment, input)
        } else {
            Made::invalid(Clause::DateOrderRule, comment, input)
        });
    }
    // Issued at the beginning of 2020.
    let futures = [
        ("2020", true),
        ("2021", false),
        ("2020-01-01", true),
        ("2020-01-02", false),
        ("2020-01-01T00:00:00Z", true),
        ("2020-01-01T00:00:01Z", false),
        ("2020-01-01T14:00:00+14:00", true),
        ("2019-12-31T23:00:00-01:00", true),
        ("2019-12-31T23:00:01-01:00", false),
    ];
    for (moment, holds) in futures {
        let rule = r#"{"check":{"not-future":{"attribute":"from"}}}"#;
        let input = input(&format!(r#","from":"{moment}""#), rule)?;
        made.push(if holds {
            Made::valid(moment, input)
        } else {
            Made::invalid(Clause::NotInFutureRule, moment, input)
        });
    }
    Ok(made)
}
