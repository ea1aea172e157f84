//! Records, their values and commitments, contracts, and changes of policy (chapter 7).

use super::keys::{Authority, Trust, name, refused_by, role};
use super::primitives::{Nothing, rng};
use super::{Kind, Made, NONE, RULES, Stop};
use crate::actors::{Directory, Replica};
use crate::crypto::{SigningKey, Suite, Tag};
use crate::keys::Identity;
use crate::ledger::Ledger;
use crate::network::START;
use crate::records::{
    Facts, Opened, PolicyRegistry, Record, SAMPLES, canonical, checked_attributes, commitments, evaluate,
    map, opening, read_value, shipped_change,
};
use crate::vectors::Hex;
use crate::vectors::near::{Lands, Neighbour, Sweep};
use crate::votes::ValidatorSet;
use crate::wire::{
    ApprovedChange, Attribute, AttributeType, Certificate, ClosingRule, Contract, Genesis, Height, Name,
    PROTOCOL_VERSION, PolicyApproval, PolicyChange, Role, Template, Time, Value, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A record is read and mapped.
pub(in crate::vectors) enum MapRecord {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct MapInput {
    record: Hex,
    /// The id of the shipped template, of which version 1 is meant.
    template: String,
    key: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Mapped {
    resource_type: String,
    patient: String,
    values: Vec<Hex>,
    openings: Vec<Hex>,
    commitments: Vec<Hex>,
}

fn shipped() -> PolicyRegistry {
    PolicyRegistry::shipped(Name::new("pbn").expect("short printable ASCII"))
}

impl Kind for MapRecord {
    const NAME: &'static str = "record";
    const SUITES: &'static [&'static str] = NONE;
    type Input = MapInput;
    type Output = Mapped;

    fn judge(_: Suite, input: &MapInput) -> Result<Mapped, Stop> {
        let record = Record::read(&RULES, &input.record.0)?;
        let registry = shipped();
        let template = registry.template_in_force(&name(&input.template)?, Height(1));
        let template = template.ok_or_else(|| Stop::Malformed("no such template".to_owned()))?;
        let values = map(&RULES, template, &record)?;
        let key = input.key.array()?;
        let openings = (0..values.len() as u16).map(|index| (*opening(&key, index)).into());
        let commitments = commitments(&key, template, &values);
        Ok(Mapped {
            resource_type: record.resource_type().to_owned(),
            patient: record.patient().as_str().to_owned(),
            values: values.iter().map(|value| Hex(canonical(value))).collect(),
            openings: openings.collect(),
            commitments: commitments.iter().map(|digest| digest.as_bytes().into()).collect(),
        })
    }

    fn make(_: Suite) -> Result<Vec<Made<MapInput>>, Refusal> {
        let given = |template: &str, record: &[u8]| MapInput {
            record: record.into(),
            template: template.to_owned(),
            key: [7; 32].into(),
        };
        let registry = shipped();
        let mut made = Vec::new();
        for (file, bytes) in SAMPLES {
            let resource = Record::read(&RULES, bytes)?.resource_type().to_owned();
            let template = registry.template_for(&resource, Height(1)).map(|template| template.id.clone());
            let template = template.ok_or(Refusal::new(Clause::TemplateIsInForce))?;
            made.push(Made::valid(*file, given(template.as_str(), bytes)));
        }
        let texts: &[(&str, &str)] = &[
            ("an id alone", r#"{"resourceType":"Patient","id":"p1"}"#),
            ("no id", r#"{"resourceType":"Patient"}"#),
            ("escapes", r#"{"resourceType":"\u0050atient","id":"p1","gender":"\u006fther"}"#),
            ("white space", " \t\r\n{ \"resourceType\" : \"Patient\" , \"id\" : \"p1\" }\n"),
            ("half of a pair in a pair", r#"{"resourceType":"Patient","id":"p1","x":"\ud83d\ude00"}"#),
            (
                "an unstated value",
                r#"{"resourceType":"Patient","id":"p1","_birthDate":{"extension":[{"url":"x"}]}}"#,
            ),
            ("a partial date", r#"{"resourceType":"Patient","id":"p1","birthDate":"1970"}"#),
        ];
        made.extend(
            texts.iter().map(|(comment, text)| Made::valid(*comment, given("patient", text.as_bytes()))),
        );
        let observed: &[(&str, &str)] = &[
            (
                "the name of a subject by its identifier",
                r#"{"identifier":{"system":"urn:oid:1.2","value":"77"}}"#,
            ),
            ("the name of a subject by what is shown", r#"{"display":"Max Jones"}"#),
            ("an absolute reference with its version", r#"{"reference":"http://a.b/Patient/1/_history/2"}"#),
            ("a reference with a space", r#"{"reference":"Patient/a b"}"#),
        ];
        made.extend(observed.iter().map(|(comment, subject)| {
            let text = format!(
                r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{subject}}}"#
            );
            Made::valid(*comment, given("observation", text.as_bytes()))
        }));
        use Clause::{
            AttributeHasItsType, DepthWithinBound, NoDuplicateKeys, RecordIsJson, RecordIsUtf8,
            RequiredAttributePresent, ResourceTypeIsKnown, TemplateFitsResource,
        };
        let deep = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"resourceType":"Patient","x":{open}{close}}}"#)
        };
        made.push(Made::valid("64 levels", given("patient", deep(63).as_bytes())));
        let observation = |more: &str| format!(r#"{{"resourceType":"Observation",{more}}}"#);
        let wrong: Vec<(Clause, &str, &str, Vec<u8>)> = vec![
            (
                RecordIsUtf8,
                "a byte that is not UTF-8",
                "patient",
                b"{\"resourceType\":\"Patient\",\"x\":\"\xff\"}".to_vec(),
            ),
            (
                RecordIsUtf8,
                "a surrogate in UTF-8",
                "patient",
                b"{\"resourceType\":\"Patient\",\"x\":\"\xed\xa0\x80\"}".to_vec(),
            ),
            (
                RecordIsJson,
                "a byte order mark",
                "patient",
                b"\xef\xbb\xbf{\"resourceType\":\"Patient\"}".to_vec(),
            ),
            (RecordIsJson, "nothing", "patient", Vec::new()),
            (RecordIsJson, "two texts", "patient", br#"{"resourceType":"Patient"}{}"#.to_vec()),
            (RecordIsJson, "a comma too many", "patient", br#"{"resourceType":"Patient",}"#.to_vec()),
            (RecordIsJson, "a comment", "patient", br#"{"resourceType":"Patient"/**/}"#.to_vec()),
            (RecordIsJson, "a leading zero", "patient", br#"{"resourceType":"Patient","x":01}"#.to_vec()),
            (
                RecordIsJson,
                "a lone surrogate",
                "patient",
                br#"{"resourceType":"Patient","x":"\ud83d"}"#.to_vec(),
            ),
            (
                RecordIsJson,
                "a control character in a string",
                "patient",
                b"{\"resourceType\":\"Patient\",\"x\":\"\n\"}".to_vec(),
            ),
            (DepthWithinBound, "65 levels", "patient", deep(64).into_bytes()),
            (
                NoDuplicateKeys,
                "a key twice",
                "patient",
                br#"{"resourceType":"Patient","id":"1","id":"1"}"#.to_vec(),
            ),
            (
                NoDuplicateKeys,
                "a key twice, once with an escape",
                "patient",
                br#"{"resourceType":"Patient","id":"1","\u0069d":"2"}"#.to_vec(),
            ),
            (
                NoDuplicateKeys,
                "a key twice, deep inside",
                "patient",
                br#"{"resourceType":"Patient","x":[{"a":1,"a":1}]}"#.to_vec(),
            ),
            (
                NoDuplicateKeys,
                "a key twice before one that does not decode",
                "patient",
                br#"{"resourceType":"Patient","a":1,"a":2,"\ud800":3}"#.to_vec(),
            ),
            (
                RecordIsJson,
                "a value that does not decode before a key twice",
                "patient",
                br#"{"resourceType":"Patient","a":"\ud800","a":2}"#.to_vec(),
            ),
            (
                AttributeHasItsType,
                "a member that says nothing beside an absent one",
                "patient",
                br#"{"resourceType":"Patient","id":"p1","_birthDate":{"id":"1"}}"#.to_vec(),
            ),
            (ResourceTypeIsKnown, "an array", "patient", b"[]".to_vec()),
            (ResourceTypeIsKnown, "no type", "patient", b"{}".to_vec()),
            (
                ResourceTypeIsKnown,
                "an unknown type",
                "patient",
                br#"{"resourceType":"Practitioner"}"#.to_vec(),
            ),
            (ResourceTypeIsKnown, "a type that is a number", "patient", br#"{"resourceType":1}"#.to_vec()),
            (
                TemplateFitsResource,
                "another template",
                "condition",
                br#"{"resourceType":"Patient","id":"p1"}"#.to_vec(),
            ),
            (
                AttributeHasItsType,
                "a number for a date",
                "patient",
                br#"{"resourceType":"Patient","id":"p1","birthDate":1970}"#.to_vec(),
            ),
            (
                AttributeHasItsType,
                "a day that there is not",
                "patient",
                br#"{"resourceType":"Patient","id":"p1","birthDate":"1970-02-29"}"#.to_vec(),
            ),
            (
                AttributeHasItsType,
                "an id that is none",
                "patient",
                br#"{"resourceType":"Patient","id":"p 1"}"#.to_vec(),
            ),
            (
                AttributeHasItsType,
                "two of a choice",
                "patient",
                br#"{"resourceType":"Patient","id":"p1","deceasedBoolean":true,"deceasedDateTime":"2020"}"#
                    .to_vec(),
            ),
            (
                RequiredAttributePresent,
                "no status",
                "observation",
                observation(r#""code":{"text":"x"}"#).into_bytes(),
            ),
        ];
        made.extend(
            wrong.into_iter().map(|(clause, comment, template, text)| {
                Made::invalid(clause, comment, given(template, &text))
            }),
        );
        Ok(made)
    }
}

/// A canonical value, as one sees it who sees nothing else.
pub(in crate::vectors) enum ReadValue {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct ValueInput {
    attribute: Hex,
    value: Hex,
}

impl Kind for ReadValue {
    const NAME: &'static str = "value";
    const SUITES: &'static [&'static str] = NONE;
    type Input = ValueInput;
    type Output = Nothing;

    fn judge(_: Suite, input: &ValueInput) -> Result<Nothing, Stop> {
        let attribute: Attribute = decode(&RULES, &input.attribute.0)?;
        read_value(&RULES, &attribute, &input.value.0)?;
        Ok(Nothing {})
    }

    fn make(suite: Suite) -> Result<Vec<Made<ValueInput>>, Refusal> {
        let registry = shipped();
        let mut made = Vec::new();
        let mut sweep =
            Sweep { lands: Lands { suite, names: &[], entries: 12 }, ways: 1, done: BTreeSet::new() };
        let mut kinds = BTreeSet::new();
        for (file, bytes) in SAMPLES {
            let record = Record::read(&RULES, bytes)?;
            let template = registry.template_for(record.resource_type(), Height(1));
            let template = template.ok_or(Refusal::new(Clause::TemplateIsInForce))?;
            for (attribute, value) in template.attributes.iter().zip(map(&RULES, template, &record)?) {
                let encoded = canonical(&value);
                let input = |bytes: &[u8]| ValueInput {
                    attribute: Hex(encode(attribute)),
                    value: [&[1], bytes].concat().into(),
                };
                let Some(value) = value else { continue };
                if encoded.len() > 400 || !kinds.insert((attribute.kind as u8, value.len().min(2))) {
                    continue;
                }
                let genuine = encode(&value);
                made.push(Made::valid(format!("{} of {file}", attribute.name), input(&genuine)));
                let judge = |bytes: &[u8]| refused_by(Self::judge(suite, &input(bytes)));
                for (near, clause) in sweep.run("Value", &genuine, |near, _| Some(near.bytes.clone()), judge)
                {
                    made.push(Made::near(clause, &near, input(&near.bytes)));
                }
            }
        }
        let attribute = |kind: AttributeType| {
            let all: Vec<&Attribute> =
                registry.templates().flat_map(|template| template.attributes.iter()).collect();
            all.into_iter().find(|one| one.kind == kind).cloned()
        };
        use crate::wire::{Coding, Item, Measure, Quantity, Text};
        let text = |text: &str| Text::new(text).unwrap_or_default();
        let coded = |code: &str| Coding { system: text("http://a.b"), code: text(code) };
        let measure = |comparator: &str, value: &str, unit: Coding| {
            let quantity = Quantity { comparator: text(comparator), value: text(value), unit };
            Item::Measure(Measure { codes: vec![coded("x")].into(), quantity: Some(quantity) })
        };
        let clause = Clause::AttributeHasItsType;
        let mut odd = |kind: AttributeType, field: &[&str], comment: &str, item: Item| {
            let Some(attribute) = attribute(kind) else { return };
            let value: Value = vec![item].into();
            let input =
                ValueInput { attribute: Hex(encode(&attribute)), value: Hex(canonical(&Some(value))) };
            let begun = Made::invalid(clause, comment, input);
            made.push(field.iter().fold(begun, |made, field| made.of(*field)));
        };
        let inner = ["Item.measure.measure", "Measure.quantity"];
        odd(
            AttributeType::Measure,
            &[&inner[..], &["Quantity.value"]].concat(),
            "a value that is no decimal",
            measure("", "1.", coded("y")),
        );
        odd(
            AttributeType::Measure,
            &[&inner[..], &["Quantity.comparator"]].concat(),
            "a comparator that there is not",
            measure("~", "1", coded("y")),
        );
        odd(
            AttributeType::Measure,
            &[&inner[..], &["Quantity.unit", "Coding.code"]].concat(),
            "a code with two spaces",
            measure("", "1", coded("y  z")),
        );
        let spaced = Coding { system: text("http://a b"), code: text("x") };
        let bad = Measure { codes: vec![spaced.clone()].into(), quantity: None };
        odd(
            AttributeType::Measure,
            &["Item.measure.measure", "Measure.codes", "Coding.system"],
            "a system that is no uri",
            Item::Measure(bad),
        );
        odd(
            AttributeType::Concept,
            &["Item.concept.codings", "Coding.system"],
            "a system that is no uri",
            Item::Concept(vec![spaced].into()),
        );
        for kind in [AttributeType::Measure, AttributeType::Reference, AttributeType::Choice] {
            odd(
                kind,
                &["Value.items", "Item.kind"],
                "an unstated item of a type that has none",
                Item::Unstated,
            );
        }
        odd(
            AttributeType::Date,
            &["Value.items", "Item.kind", "Item.body"],
            "a concept for a date",
            Item::Concept(Vec::new().into()),
        );
        odd(
            AttributeType::Date,
            &["Item.text.text"],
            "a month that there is not",
            Item::Text(text("1970-13")),
        );
        Ok(made)
    }
}

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
            made.push(match refused_by(Self::judge(Suite::Ristretto255, &input)) {
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
        let directory = Directory::verified(&RULES, &mut trust, now, &certificates?)?;
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
        let mut replica = Replica::new(Ledger::new(&RULES, genesis)?, validators, policy);
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
        let known = |text: &str| Name::new(text).expect("short printable ASCII");
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
                signature: key(&identities, who).sign(&RULES, Tag::POLICY_CHANGE, &message),
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
        (contract.version, contract.effective) = (crate::wire::Version(2), Height(9));
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
        (contract.id, contract.version) = (known("~"), crate::wire::Version(2));
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
        let names = &["~", "root-3", "dr-ada"];
        let mut sweep = Sweep { lands: Lands { suite, names, entries: 12 }, ways: 2, done: BTreeSet::new() };
        let mend = |near: &Neighbour, way: u8| {
            let Ok(mut change) = decode::<ApprovedChange>(&RULES, &near.bytes) else {
                return (way == 0).then(|| near.bytes.clone());
            };
            if way == 0 {
                let message = encode(&change.change);
                let again = change.approvals.iter().map(|approval| PolicyApproval {
                    signature: match identities.get(&approval.administrator) {
                        Some(one) => one.signing_key().sign(&RULES, Tag::POLICY_CHANGE, &message),
                        None => approval.signature.clone(),
                    },
                    ..approval.clone()
                });
                change.approvals = again.collect();
            }
            Some(encode(&change))
        };
        let judge = |change: &[u8]| refused_by(Self::judge(suite, &with(change)));
        for (near, clause) in sweep.run("ApprovedChange", &encode(&genuine), mend, judge) {
            made.push(Made::near(clause, &near, with(&near.bytes)));
        }
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
