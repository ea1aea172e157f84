//! Records, their values and commitments (chapter 7).

use super::draws::Nothing;
use super::keys::name;
use super::{Kind, Made, NONE, RULES, Stop, known};
use crate::forge::{Sweep, as_it_is};
use crate::vectors::Hex;
use bemr::crypto::Suite;
use bemr::records::{PolicyRegistry, Record, SAMPLES, canonical, commitments, map, opening, read_value};
use bemr::wire::{Attribute, AttributeType, Height, Value, decode, encode};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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

pub(super) fn shipped() -> PolicyRegistry {
    PolicyRegistry::shipped(known("pbn"))
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
            (
                RequiredAttributePresent,
                "of a code that is required only what extends it",
                "observation",
                observation(r#""status":"final","_code":{"extension":[{"url":"x"}]}"#).into_bytes(),
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
        let mut sweep = Sweep { entries: 12, ..Sweep::new(suite, &[], 1) };
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
                made.extend(Self::swept(suite, &mut sweep, "Value", &genuine, as_it_is, input));
            }
        }
        let attribute = |kind: AttributeType| {
            let all: Vec<&Attribute> =
                registry.templates().flat_map(|template| template.attributes.iter()).collect();
            all.into_iter().find(|one| one.kind == kind).cloned()
        };
        use bemr::wire::{Coding, Item, Measure, Quantity, Text};
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
