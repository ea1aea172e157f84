//! Records, their values and commitments (chapter 7).

use super::prelude::*;
use bemr::records::{PolicyRegistry, Record, SAMPLES, canonical, commitments, map, opening, read_value};
use std::collections::BTreeSet;

data! {
    MapInput {
        record: Hex,
        /// The id of the shipped template, of which version 1 is meant.
        template: String,
        key: Hex,
    }
    Mapped { resource_type: String, patient: String, values: Vec<Hex>, openings: Vec<Hex>, commitments: Vec<Hex> }
    ValueInput { attribute: Hex, value: Hex }
}

pub(super) fn shipped() -> PolicyRegistry {
    PolicyRegistry::shipped(known("pbn"))
}

/// The shipped template of a record's resource type.
pub(super) fn template_for<'a>(
    registry: &'a PolicyRegistry,
    record: &Record,
) -> Result<&'a Template, Refusal> {
    let template = registry.template_for(record.resource_type(), Height(1));
    template.ok_or(Refusal::new(Clause::TemplateIsInForce))
}

/// A record is read and mapped.
impl MapInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<Mapped, Stop> {
        let record = Record::read(&RULES, &self.record.0)?;
        let registry = shipped();
        let template = registry.template_in_force(&name(&self.template)?, Height(1));
        let template = template.ok_or_else(|| Stop::Malformed("no such template".to_owned()))?;
        let (values, key) = (map(&RULES, template, &record)?, self.key.array()?);
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

    pub(super) fn cases(_: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let case = |(clause, comment, template, record): Row| {
            let (template, key) = (template.to_owned(), [7; 32].into());
            Case::new(comment, clause, MapInput { record: record.into(), template, key })
        };
        let (registry, mut cases) = (shipped(), Vec::new());
        for (file, bytes) in SAMPLES {
            let template = template_for(&registry, &Record::read(&RULES, bytes)?)?.id.as_str();
            cases.push(case((None, file, template, bytes.to_vec())));
        }
        cases.extend(mapped().into_iter().map(case));
        cases.extend(texts().into_iter().map(case));
        cases.extend(resources().into_iter().map(case));
        Ok(cases)
    }
}

/// Clause, comment, template, record.
type Row<'a> = (Option<Clause>, &'a str, &'a str, Vec<u8>);

fn patient(members: impl AsRef<[u8]>) -> Vec<u8> {
    [br#"{"resourceType":"Patient","#, members.as_ref(), b"}"].concat()
}

fn observation(members: &str) -> Vec<u8> {
    format!(r#"{{"resourceType":"Observation",{members}}}"#).into_bytes()
}

/// Levels of arrays, in the record's own.
fn deep(levels: usize) -> Vec<u8> {
    patient(format!(r#""x":{}{}"#, "[".repeat(levels), "]".repeat(levels)))
}

/// Records that are mapped.
fn mapped() -> Vec<Row<'static>> {
    let escapes = br#"{"resourceType":"\u0050atient","id":"p1","gender":"\u006fther"}"#;
    let spaces = b" \t\r\n{ \"resourceType\" : \"Patient\" , \"id\" : \"p1\" }\n";
    let subject = |subject: &str| {
        observation(&format!(r#""status":"final","code":{{"text":"x"}},"subject":{subject}"#))
    };
    let identified = subject(r#"{"identifier":{"system":"urn:oid:1.2","value":"77"}}"#);
    let versioned = subject(r#"{"reference":"http://a.b/Patient/1/_history/2"}"#);
    let unstated = patient(r#""id":"p1","_birthDate":{"extension":[{"url":"x"}]}"#);
    vec![
        (None, "an id alone", "patient", patient(r#""id":"p1""#)),
        (None, "no id", "patient", br#"{"resourceType":"Patient"}"#.to_vec()),
        (None, "escapes", "patient", escapes.to_vec()),
        (None, "white space", "patient", spaces.to_vec()),
        (None, "half of a pair in a pair", "patient", patient(r#""id":"p1","x":"\ud83d\ude00""#)),
        (None, "an unstated value", "patient", unstated),
        (None, "a partial date", "patient", patient(r#""id":"p1","birthDate":"1970""#)),
        (None, "the name of a subject by its identifier", "observation", identified),
        (
            None,
            "the name of a subject by what is shown",
            "observation",
            subject(r#"{"display":"Max Jones"}"#),
        ),
        (None, "an absolute reference with its version", "observation", versioned),
        (None, "a reference with a space", "observation", subject(r#"{"reference":"Patient/a b"}"#)),
        (None, "64 levels", "patient", deep(63)),
    ]
}

/// Texts that are no records.
fn texts() -> Vec<Row<'static>> {
    let [utf8, json] = [Some(Clause::RecordIsUtf8), Some(Clause::RecordIsJson)];
    let twice = Some(Clause::NoDuplicateKeys);
    let marked = b"\xef\xbb\xbf{\"resourceType\":\"Patient\"}".to_vec();
    let two = br#"{"resourceType":"Patient"}{}"#.to_vec();
    let comma = br#"{"resourceType":"Patient",}"#.to_vec();
    let comment = br#"{"resourceType":"Patient"/**/}"#.to_vec();
    let undecoded_last = patient(r#""a":1,"a":2,"\ud800":3"#);
    let undecoded_first = patient(r#""a":"\ud800","a":2"#);
    vec![
        (utf8, "a byte that is not UTF-8", "patient", patient(b"\"x\":\"\xff\"")),
        (utf8, "a surrogate in UTF-8", "patient", patient(b"\"x\":\"\xed\xa0\x80\"")),
        (json, "a byte order mark", "patient", marked),
        (json, "nothing", "patient", Vec::new()),
        (json, "two texts", "patient", two),
        (json, "a comma too many", "patient", comma),
        (json, "a comment", "patient", comment),
        (json, "a leading zero", "patient", patient(r#""x":01"#)),
        (json, "a lone surrogate", "patient", patient(r#""x":"\ud83d""#)),
        (json, "a control character in a string", "patient", patient("\"x\":\"\n\"")),
        (Some(Clause::DepthWithinBound), "65 levels", "patient", deep(64)),
        (twice, "a key twice", "patient", patient(r#""id":"1","id":"1""#)),
        (twice, "a key twice, once with an escape", "patient", patient(r#""id":"1","\u0069d":"2""#)),
        (twice, "a key twice, deep inside", "patient", patient(r#""x":[{"a":1,"a":1}]"#)),
        (twice, "a key twice before one that does not decode", "patient", undecoded_last),
        (json, "a value that does not decode before a key twice", "patient", undecoded_first),
    ]
}

/// Records that the template does not fit.
fn resources() -> Vec<Row<'static>> {
    use Clause::{AttributeHasItsType, RequiredAttributePresent, ResourceTypeIsKnown, TemplateFitsResource};
    let [typed, required] = [Some(AttributeHasItsType), Some(RequiredAttributePresent)];
    let known = Some(ResourceTypeIsKnown);
    let unstated = patient(r#""id":"p1","_birthDate":{"id":"1"}"#);
    let two = patient(r#""id":"p1","deceasedBoolean":true,"deceasedDateTime":"2020""#);
    let extended = observation(r#""status":"final","_code":{"extension":[{"url":"x"}]}"#);
    vec![
        (typed, "a member that says nothing beside an absent one", "patient", unstated),
        (known, "an array", "patient", b"[]".to_vec()),
        (known, "no type", "patient", b"{}".to_vec()),
        (known, "an unknown type", "patient", br#"{"resourceType":"Practitioner"}"#.to_vec()),
        (known, "a type that is a number", "patient", br#"{"resourceType":1}"#.to_vec()),
        (Some(TemplateFitsResource), "another template", "condition", patient(r#""id":"p1""#)),
        (typed, "a number for a date", "patient", patient(r#""id":"p1","birthDate":1970"#)),
        (typed, "a day that there is not", "patient", patient(r#""id":"p1","birthDate":"1970-02-29""#)),
        (typed, "an id that is none", "patient", patient(r#""id":"p 1""#)),
        (typed, "two of a choice", "patient", two),
        (required, "no status", "observation", observation(r#""code":{"text":"x"}"#)),
        (required, "of a code that is required only what extends it", "observation", extended),
    ]
}

/// A canonical value, as one sees it who sees nothing else.
impl ValueInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<Nothing, Stop> {
        read_value(&RULES, &self.attribute.decode()?, &self.value.0)?;
        Ok(Nothing {})
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let (registry, mut all) = (shipped(), Vec::new());
        let mut sweep = Sweep { entries: 12, ..Sweep::new(suite, &[], 1) };
        let mut kinds = BTreeSet::new();
        for (file, bytes) in SAMPLES {
            let record = Record::read(&RULES, bytes)?;
            let template = template_for(&registry, &record)?;
            for (attribute, value) in template.attributes.iter().zip(map(&RULES, template, &record)?) {
                let length = canonical(&value).len();
                let Some(value) = value else { continue };
                if length > 400 || !kinds.insert((attribute.kind as u8, value.len().min(2))) {
                    continue;
                }
                let put = |input: &mut ValueInput, bytes: &[u8]| input.value = [&[1], bytes].concat().into();
                let given =
                    ValueInput { attribute: Hex::of(attribute), value: Hex(canonical(&Some(value.clone()))) };
                let mut cases = Cases::of(suite, given);
                cases.valid(format!("{} of {file}", attribute.name), |_| ());
                let evaluate = |input: &ValueInput| rejected_by(input.evaluate(suite));
                cases.sweep_by(&mut sweep, "Value", &encode(&value), &as_it_is, &put, &evaluate);
                all.extend(cases.all());
            }
        }
        for (kind, fields, comment, item) in odd_items() {
            let mut attributes = registry.templates().flat_map(|template| template.attributes.iter());
            let Some(attribute) = attributes.find(|one| one.kind == kind) else { continue };
            let value = Hex(canonical(&Some(vec![item].into())));
            let input = ValueInput { attribute: Hex::of(attribute), value };
            let mut case = Case::new(comment, Some(Clause::AttributeHasItsType), input);
            case.about(fields);
            all.push(case);
        }
        Ok(all)
    }
}

/// Items that are none of an attribute's type, and the fields that are wrong.
fn odd_items() -> Vec<(AttributeType, &'static [&'static str], &'static str, Item)> {
    use AttributeType::{Choice, Concept, Date, Measure as OfMeasure, Reference};
    const VALUE: &[&str] = &["Item.measure.measure", "Measure.quantity", "Quantity.value"];
    const COMPARATOR: &[&str] = &["Item.measure.measure", "Measure.quantity", "Quantity.comparator"];
    const UNIT: &[&str] = &["Item.measure.measure", "Measure.quantity", "Quantity.unit", "Coding.code"];
    const SYSTEM: &[&str] = &["Item.measure.measure", "Measure.codes", "Coding.system"];
    const UNSTATED: &[&str] = &["Value.items", "Item.kind"];
    let text = |text: &str| Text::new(text).unwrap_or_default();
    let coded = |code: &str| Coding { system: text("http://a.b"), code: text(code) };
    let measure = |comparator: &str, value: &str, unit: &str| {
        let quantity = Quantity { comparator: text(comparator), value: text(value), unit: coded(unit) };
        Item::Measure(Measure { codes: vec![coded("x")].into(), quantity: Some(quantity) })
    };
    let spaced = Coding { system: text("http://a b"), code: text("x") };
    let bad = Item::Measure(Measure { codes: vec![spaced.clone()].into(), quantity: None });
    let bad_concept = Item::Concept(vec![spaced].into());
    let unstated = "an unstated item of a type that has none";
    let body: &[&str] = &["Value.items", "Item.kind", "Item.body"];
    vec![
        (OfMeasure, VALUE, "a value that is no decimal", measure("", "1.", "y")),
        (OfMeasure, COMPARATOR, "a comparator that there is not", measure("~", "1", "y")),
        (OfMeasure, UNIT, "a code with two spaces", measure("", "1", "y  z")),
        (OfMeasure, SYSTEM, "a system that is no uri", bad),
        (Concept, &["Item.concept.codings", "Coding.system"], "a system that is no uri", bad_concept),
        (OfMeasure, UNSTATED, unstated, Item::Unstated),
        (Reference, UNSTATED, unstated, Item::Unstated),
        (Choice, UNSTATED, unstated, Item::Unstated),
        (
            Choice,
            &["Item.text.text"],
            "a choice that no alternative names",
            Item::Text(text("deceasedString")),
        ),
        (Date, body, "a concept for a date", Item::Concept(Vec::new().into())),
        (Date, &["Item.text.text"], "a month that there is not", Item::Text(text("1970-13"))),
    ]
}
