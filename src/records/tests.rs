//! One test at least for each clause of the room, refusal and mutant.

use super::*;
use crate::records::Record;
use crate::wire::*;
use bemr_spec::{Clause, Refusal, Rules, constants};

const HARDENED: Rules = Rules::hardened();

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn registry() -> PolicyRegistry {
    PolicyRegistry::shipped(name("net"))
}

fn read(text: &str) -> Result<Record, Refusal> {
    Record::read(&HARDENED, text.as_bytes())
}

fn without(clause: Clause) -> Rules {
    Rules::hardened().without(clause)
}

/// Asserts that `attempt` is refused by `clause` and by nothing else, and gives the place.
#[track_caller]
fn only<T>(clause: Clause, attempt: impl Fn(&Rules) -> Result<T, Refusal>) -> String {
    let refusal = attempt(&HARDENED).err().expect("refused");
    assert_eq!(refusal.clause(), clause, "{refusal}");
    if let Err(other) = attempt(&without(clause)) {
        panic!("the mutant of {clause} is refused by {other}");
    }
    refusal.place().unwrap_or_default().to_owned()
}

/// What becomes of a record: its mapping and the verdict of the shipped contracts.
fn judge(rules: &Rules, text: &str, role: Role) -> Result<(), Refusal> {
    let record = Record::read(rules, text.as_bytes())?;
    let patient = record.patient();
    judge_as(rules, &record, Facts { role, issued: NOW, patient })
}

const NOW: Time = Time(1_700_000_000_000);

fn judge_as(rules: &Rules, record: &Record, facts: Facts) -> Result<(), Refusal> {
    let registry = registry();
    let template = registry.template_for(record.resource_type(), Height(1)).unwrap();
    let policy = registry.policy_in_force(&template.id, Height(1)).unwrap();
    let values = map(rules, template, record)?;
    let opened = policy.checked_attributes().into_iter().map(|at| (at, values[usize::from(at)].clone()));
    Ok(policy.evaluate(rules, &opened.collect(), &facts)?)
}

#[track_caller]
fn breaks(clause: Clause, text: &str) -> String {
    only(clause, |rules| judge(rules, text, Role::Doctor))
}

#[track_caller]
fn stands(text: &str) {
    judge(&HARDENED, text, Role::Doctor).unwrap();
}

fn observation(members: &str) -> String {
    format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}}{members}}}"#)
}

fn temperature(value: &str) -> String {
    observation(&format!(
        r#","component":[{{"code":{{"coding":[{{"system":"http://loinc.org","code":"8310-5"}}]}},
        "valueQuantity":{{"value":{value},"system":"http://unitsofmeasure.org","code":"Cel"}}}}]"#
    ))
}

mod reading {
    use super::*;

    #[test]
    fn a_record_keeps_its_bytes() {
        let text = " { \"resourceType\" : \"Patient\", \"id\":\"a\" }\r\n";
        let record = read(text).unwrap();
        assert_eq!(record.bytes(), text.as_bytes());
        assert_eq!((record.resource_type(), record.id()), ("Patient", Some("a")));
        assert_eq!(format!("{record:?}"), "Record(Patient, 43 bytes)");
    }

    #[test]
    fn what_is_not_utf8_is_refused_with_line_and_column() {
        let place = only(Clause::RecordIsUtf8, |rules| {
            Record::read(rules, b"{\"resourceType\":\"Patient\",\n\"id\":\"\xff\"}")
        });
        assert_eq!(place, "line 2, column 7");
    }

    #[test]
    fn what_is_not_json_is_refused_with_line_and_column() {
        let cases = [
            ("", "line 1, column 1: EOF while parsing a value"),
            ("{\n \"a\": 01}", "line 2, column 8: invalid number"),
            ("\u{feff}{}", "line 1, column 1: a byte order mark"),
            ("{} {}", "line 1, column 4: trailing characters"),
            ("{\"a\":1,}", "line 1, column 8: key must be a string"),
            (
                "\"a\u{0}\"",
                "line 1, column 2: control character (\\u0000-\\u001F) found while parsing a string",
            ),
            ("NaN", "line 1, column 1: expected value"),
        ];
        for (text, place) in cases {
            let refusal = read(text).unwrap_err();
            assert_eq!(refusal.clause(), Clause::RecordIsJson);
            assert_eq!(refusal.place(), Some(place));
        }
        let deep = "[".repeat(1 << 20);
        assert_eq!(read(&deep).unwrap_err().clause(), Clause::RecordIsJson);
    }

    #[test]
    fn half_a_surrogate_pair_is_no_json_and_a_nul_is() {
        let refusal = read(r#"{"resourceType":"Patient","name":[{"family":"\ud800"}]}"#).unwrap_err();
        assert_eq!(refusal.clause(), Clause::RecordIsJson);
        assert!(refusal.place().unwrap().starts_with("line 1, column 45: $.name[0].family: "), "{refusal}");
        assert_eq!(read(r#"{"\udc00":1}"#).unwrap_err().clause(), Clause::RecordIsJson);
        read(r#"{"resourceType":"Patient","x":"\u0000\ud83d\ude00"}"#).unwrap();
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_also_under_an_escape() {
        let cases = [(r#"{"a":1,"a":1}"#, 45), (r#"{"a":1,"b":2,"\u0061":3}"#, 56), (r#"{"":1,"":{}}"#, 43)];
        for (twice, column) in cases {
            let text = format!(r#"{{"resourceType":"Patient","x":[0,{twice}]}}"#);
            let place = only(Clause::NoDuplicateKeys, |rules| Record::read(rules, text.as_bytes()));
            let at = format!("line 1, column {column}: $.x[1] has the key \"");
            assert!(place.starts_with(&at), "{place}");
        }
        read(r#"{"resourceType":"Patient","a":{"a":{"a":1}},"A":0}"#).unwrap();
    }

    #[test]
    fn depth_is_bounded_at_64() {
        let nested = |inner: usize| {
            format!(r#"{{"resourceType":"Patient","[{{":{}1{}}}"#, "[".repeat(inner), "]".repeat(inner))
        };
        read(&nested(63)).unwrap();
        let place = only(Clause::DepthWithinBound, |rules| Record::read(rules, nested(64).as_bytes()));
        assert_eq!(place, "line 1, column 95: deeper than 64 arrays and objects");
        // The mutant has another bound, for the stack has one.
        Record::read(&without(Clause::DepthWithinBound), nested(511).as_bytes()).unwrap();
        let absurd = nested(1 << 20);
        assert_eq!(read(&absurd).unwrap_err().clause(), Clause::DepthWithinBound);
    }

    #[test]
    fn size_is_bounded_in_bytes_and_in_values() {
        let padded = |size: usize| {
            let mut text = br#"{"resourceType":"Patient"}"#.to_vec();
            text.resize(size, b' ');
            text
        };
        Record::read(&HARDENED, &padded(constants::RECORD_BYTES)).unwrap();
        only(Clause::RecordWithinSize, |rules| Record::read(rules, &padded(constants::RECORD_BYTES + 1)));
        // One for the document, two for the brackets, one for each comma.
        let many = |commas: usize| format!(r#"{{"resourceType":"Patient","x":[0{}]}}"#, ",0".repeat(commas));
        read(&many(constants::RECORD_VALUES - 4)).unwrap();
        only(Clause::RecordWithinSize, |rules| {
            Record::read(rules, many(constants::RECORD_VALUES - 3).as_bytes())
        });
    }

    #[test]
    fn an_unknown_resource_type_is_refused_and_the_known_ones_are_named() {
        for unknown in
            [r#"{"resourceType":"Patients"}"#, r#"{"resourceType":7}"#, "{}", "[]", "null", "\"Patient\""]
        {
            let place = only(Clause::ResourceTypeIsKnown, |rules| Record::read(rules, unknown.as_bytes()));
            for (known, _) in RESOURCE_TYPES {
                assert!(place.contains(known), "{place}");
            }
        }
    }

    #[test]
    fn a_large_record_goes_through() {
        let data = "QUJD".repeat(3 << 18);
        let text = format!(
            r#"{{"resourceType":"DiagnosticReport","status":"final","code":{{"text":"x"}},
            "presentedForm":[{{"contentType":"application/pdf","data":"{data}"}}]}}"#
        );
        stands(&text);
    }
}

mod patients {
    use super::*;

    fn subject(reference: &str) -> String {
        read(&format!(r#"{{"resourceType":"Observation","subject":{reference}}}"#))
            .unwrap()
            .patient()
            .to_string()
    }

    #[test]
    fn a_reference_names_its_patient() {
        for own in ["Patient/example", "Group/herd1", "https://a.example/Patient/1", "urn:uuid:0-1-2"] {
            assert_eq!(subject(&format!(r#"{{"reference":"{own}","display":"P"}}"#)), own);
        }
        assert_eq!(subject(r#"{"reference":"Patient/1/_history/2"}"#), "Patient/1");
        assert_eq!(read(r#"{"resourceType":"Patient","id":"1"}"#).unwrap().patient().as_str(), "Patient/1");
        let allergy =
            read(r#"{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/1"}}"#).unwrap();
        assert_eq!(allergy.patient().as_str(), "Patient/1");
    }

    #[test]
    fn other_forms_are_hashed_and_do_not_meet() {
        let long = format!(r#"{{"reference":"https://a.example/{}/Patient/1"}}"#, "x".repeat(64));
        let forms = [
            &*long,
            r#"{"reference":"unknown"}"#,
            r#"{"display":"unknown"}"#,
            r#"{"identifier":{"value":"unknown"}}"#,
            r#"{"identifier":{"system":"urn:a","value":"unknown"}}"#,
            r#"{"reference":"Patient/ü"}"#,
        ];
        let names: std::collections::BTreeSet<String> = forms.iter().map(|form| subject(form)).collect();
        assert_eq!(names.len(), forms.len());
        assert!(names.iter().all(|name| name.len() == 64 && name.starts_with("h:")));
        // The value that the chapter gives.
        assert_eq!(
            subject(r#"{"display":"Max Jones"}"#),
            "h:d4d10e506b8a595bf998dfe717ca21698f3f5d5ff33e4e3008c630d9c9f33e"
        );
    }

    #[test]
    fn nobody_is_unknown() {
        for nobody in ["{}", r#"{"type":"Patient"}"#, "null", r##"{"reference":"#a"}"##] {
            assert_eq!(subject(nobody), UNKNOWN);
        }
        assert_eq!(read(r#"{"resourceType":"Patient"}"#).unwrap().patient().as_str(), UNKNOWN);
    }

    #[test]
    fn a_contained_patient_is_named_by_its_identifier() {
        let contained = |identifier: &str| {
            let text = format!(
                r##"{{"resourceType":"Condition","contained":[{{"resourceType":"Patient","id":"p"{identifier}}}],
                "subject":{{"reference":"#p","display":"P"}}}}"##
            );
            read(&text).unwrap().patient().to_string()
        };
        let identified = contained(r#","identifier":[{"system":"urn:a"},{"system":"urn:a","value":"1"}]"#);
        assert_eq!(identified, subject(r#"{"identifier":{"system":"urn:a","value":"1"}}"#));
        assert_eq!(contained(""), subject(r#"{"display":"P"}"#));
    }
}

mod mapping {
    use super::*;

    fn mapped(text: &str, attribute: &str) -> Result<Option<Value>, Refusal> {
        let record = read(text)?;
        let registry = registry();
        let template = registry.template_for(record.resource_type(), Height(1)).unwrap();
        let (index, _) = template.attribute(&name(attribute)).unwrap();
        Ok(map(&HARDENED, template, &record)?.swap_remove(index.into()))
    }

    fn texts(all: &[&str]) -> Option<Value> {
        Some(all.iter().map(|text| Item::Text(Text::new(text).unwrap())).collect())
    }

    #[test]
    fn a_template_fits_one_resource() {
        let registry = registry();
        let template = registry.template_for("Patient", Height(1)).unwrap();
        let record = read(r#"{"resourceType":"Immunization","patient":{"reference":"Patient/1"}}"#).unwrap();
        only(Clause::TemplateFitsResource, |rules| map(rules, template, &record));
    }

    #[test]
    fn a_required_element_must_be_there_wherever_it_could_stand() {
        let registry = registry();
        let template = registry.template_for("Observation", Height(1)).unwrap();
        let record = read(r#"{"resourceType":"Observation","code":{"text":"x"}}"#).unwrap();
        let place = only(Clause::RequiredAttributePresent, |rules| map(rules, template, &record));
        assert_eq!(place, "attribute status at status");
        breaks(
            Clause::RequiredAttributePresent,
            &observation(r#","component":[{"code":{"text":"x"}},{"valueString":"y"}]"#),
        );
        breaks(
            Clause::RequiredAttributePresent,
            r#"{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/1"},"code":{"text":"x"},
            "clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},
            "reaction":[{"severity":"mild"}]}"#,
        );
        // libFuzzer found it: an extension stands for a primitive value, and for nothing else.
        let record =
            read(r#"{"resourceType":"Observation","status":"final","_code":{"extension":[{"url":"u"}]}}"#)
                .unwrap();
        let place = only(Clause::RequiredAttributePresent, |rules| map(rules, template, &record));
        assert_eq!(place, "attribute code at code");
        stands(&observation(""));
    }

    #[test]
    fn extensions_may_stand_for_a_value() {
        let text = observation(r#","_issued":{"extension":[{"url":"u","valueCode":"unknown"}]}"#);
        assert_eq!(mapped(&text, "issued").unwrap(), Some(vec![Item::Unstated].into()));
        stands(&text);
        let text =
            r#"{"resourceType":"Observation","_status":{"extension":[]},"code":{"extension":[{"url":"u"}]}}"#;
        assert_eq!(mapped(text, "code").unwrap(), Some(vec![Item::Unstated].into()));
        stands(text);
        let given = r#"{"resourceType":"Patient","name":[{"given":[null,"B"],"_given":[{"id":"x"},null]},{"given":["C"]}]}"#;
        let expected =
            vec![Item::Unstated, Item::Text(Text::new("B").unwrap()), Item::Text(Text::new("C").unwrap())];
        assert_eq!(mapped(given, "given-names").unwrap(), Some(expected.into()));
    }

    #[test]
    fn a_value_has_the_type_of_its_attribute() {
        let wrong = [
            r#","status2":0,"issued":"2012""#,
            r#","issued":"2012-02-30T00:00:00Z""#,
            r#","issued":null"#,
            r#","issued":["2012-02-20T00:00:00Z"]"#,
            r#","effectiveDateTime":"2012-13""#,
            r#","effectiveDateTime":"2012-1-1""#,
            r#","effectiveDateTime":"2012-01-01T10:00Z""#,
            r#","effectiveDateTime":"2012-01-01T10:00:00""#,
            r#","effectiveDateTime":"2012-01-01T10:00:00.Z""#,
            r#","effectiveDateTime":"2012-01-01T10:00:00+14:30""#,
            r#","effectiveDateTime":"0000""#,
            r#","effectiveDateTime":2012"#,
            r#","effectiveDateTime":"2012","effectivePeriod":{"start":"2012"}"#,
            r#","category":{"text":"x"}"#,
            r#","category":[]"#,
            r#","category":["x"]"#,
            r#","category":[{}]"#,
            r#","category":[{"id":"x"}]"#,
            r#","category":[{"coding":[]}]"#,
            r#","category":[{"coding":[{"code":""}]}]"#,
            r#","category":[{"coding":[{"code":" a"}]}]"#,
            r#","category":[{"coding":[{"system":"a b"}]}]"#,
            r#","device":{}"#,
            r##","device":{"reference":"#nowhere"}"##,
            r#","device":{"reference":""}"#,
            r#","device":{"identifier":"x"}"#,
            r#","component":{"code":{"text":"x"}}"#,
            r#","component":[7]"#,
            r#","component":[{"code":{"text":"x"},"valueQuantity":{"value":"7"}}]"#,
            r#","component":[{"code":{"text":"x"},"valueQuantity":{"value":7,"comparator":"~"}}]"#,
            r#","component":[{"code":{"text":"x"},"valueQuantity":{"value":1e9999999999}}]"#,
        ];
        for members in wrong {
            breaks(Clause::AttributeHasItsType, &observation(members));
        }
        let integer = |literal: &str| {
            format!(
                r#"{{"resourceType":"MedicationRequest","status":"draft","intent":"plan","medicationCodeableConcept":{{"text":"x"}},
                "subject":{{"reference":"Patient/1"}},"dispenseRequest":{{"numberOfRepeatsAllowed":{literal}}}}}"#
            )
        };
        for literal in ["1.0", "1e1", "-0", "2147483648", "\"1\"", "true"] {
            breaks(Clause::AttributeHasItsType, &integer(literal));
        }
        stands(&integer("2147483647"));
    }

    #[test]
    fn a_patient_is_an_id_in_a_patient_and_a_reference_elsewhere() {
        for text in [
            r#"{"resourceType":"Patient","id":"1/_history/2"}"#.to_owned(),
            r#"{"resourceType":"Patient","id":{"reference":"Patient/1"}}"#.to_owned(),
            observation(r#","subject":"1""#),
            observation(r#","subject":{}"#),
        ] {
            let record = read(&text).unwrap();
            assert_eq!(record.patient().as_str(), UNKNOWN);
            let registry = registry();
            let template = registry.template_for(record.resource_type(), Height(1)).unwrap();
            only(Clause::AttributeHasItsType, |rules| map(rules, template, &record));
        }
    }

    #[test]
    fn numbers_keep_their_literals() {
        let literal = "1.000000000000000000e245";
        let text = observation(&format!(r#","valueQuantity":{{"value":{literal}}}"#));
        let Some(value) = mapped(&text, "measures").unwrap() else { panic!("absent") };
        let Item::Measure(Measure { quantity: Some(quantity), .. }) = &value[0] else { panic!("{value:?}") };
        assert_eq!(quantity.value.as_str(), literal);
    }

    #[test]
    fn values_are_the_texts_of_the_record() {
        let text = r#"{"resourceType":"Patient","id":"1","active":true,"gender":"male","deceasedDateTime":"2015-02-14T13:42:00+10:00",
            "identifier":[{"value":"a"},{"system":"urn:x"},{"value":"b"}],"birthDate":"1974-12"}"#;
        assert_eq!(mapped(text, "patient").unwrap(), texts(&["Patient/1"]));
        assert_eq!(mapped(text, "active").unwrap(), texts(&["true"]));
        assert_eq!(mapped(text, "deceased").unwrap(), texts(&["deceasedDateTime"]));
        assert_eq!(mapped(text, "identifiers").unwrap(), texts(&["a", "b"]));
        assert_eq!(mapped(text, "birth-date").unwrap(), texts(&["1974-12"]));
        assert_eq!(mapped(text, "marital-status").unwrap(), None);
    }

    #[test]
    fn an_opened_value_is_checked_like_a_mapped_one() {
        let registry = registry();
        let template = registry.template_for("Observation", Height(1)).unwrap();
        let attribute = |text: &str| template.attribute(&name(text)).unwrap().1;
        let record = read(&temperature("36.6")).unwrap();
        for (attribute, value) in template.attributes.iter().zip(map(&HARDENED, template, &record).unwrap()) {
            assert_eq!(read_value(&HARDENED, attribute, &canonical(&value)).unwrap(), value);
        }
        let none = canonical(&None);
        only(Clause::RequiredAttributePresent, |rules| read_value(rules, attribute("status"), &none));
        assert!(read_value(&HARDENED, attribute("component-codes"), &none).is_ok());
        for wrong in [
            texts(&["final", "final"]),
            texts(&[]),
            texts(&[" final"]),
            Some(vec![Item::Concept(List::default())].into()),
        ] {
            only(Clause::AttributeHasItsType, |rules| {
                read_value(rules, attribute("status"), &canonical(&wrong))
            });
        }
        let patient = registry.template_for("Patient", Height(1)).unwrap();
        let (_, deceased) = patient.attribute(&name("deceased")).unwrap();
        assert!(read_value(&HARDENED, deceased, &canonical(&texts(&["deceasedBoolean"]))).is_ok());
        for wrong in ["deceased", "deceasedString", "_deceasedBoolean", ""] {
            only(Clause::AttributeHasItsType, |rules| {
                read_value(rules, deceased, &canonical(&texts(&[wrong])))
            });
        }
        let trailing = [canonical(&texts(&["final"])), vec![0]].concat();
        assert_eq!(
            read_value(&HARDENED, attribute("status"), &trailing).unwrap_err().clause(),
            Clause::OneEncodingPerValue
        );
    }
}

mod commitments {
    use super::*;

    #[test]
    fn the_commitment_of_the_chapter() {
        let opening = opening(&[7; 32], 3);
        let value = canonical(&Some(vec![Item::Text(Text::new("final").unwrap())].into()));
        assert_eq!(value, b"\x01\x00\x00\x08\x01\x00\x05final");
        assert_eq!(canonical(&None), [0]);
        let commitment = commitment_of(3, &name("status"), &value, &opening);
        assert_eq!(commitment.to_string(), include_str!("tests/commitment.txt").trim());
    }
}

mod contracts {
    use super::*;

    fn condition(members: &str) -> String {
        format!(r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/1"}}{members}}}"#)
    }

    fn status(system: &str, member: &str, code: &str) -> String {
        format!(
            r#","{member}":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/{system}","code":"{code}"}}]}}"#
        )
    }

    fn prescription(status: &str) -> String {
        format!(
            r#"{{"resourceType":"MedicationRequest","status":"{status}","intent":"order","subject":{{"reference":"Patient/1"}},
            "medicationCodeableConcept":{{"text":"x"}}}}"#
        )
    }

    #[test]
    fn required_rule() {
        // FHIR's con-4: what has abated has a clinical status.
        let place = breaks(Clause::RequiredRule, &condition(r#","abatementString":"in May""#));
        assert_eq!(place, "rule 3 of contract condition-base/1: clinical-status");
    }

    #[test]
    fn value_set_rule() {
        breaks(Clause::ValueSetRule, r#"{"resourceType":"Patient","gender":"Male"}"#);
        breaks(Clause::ValueSetRule, &condition(&status("condition-clinical", "clinicalStatus", "gone")));
        breaks(Clause::ValueSetRule, &condition(r#","clinicalStatus":{"text":"active"}"#));
        let active = status("condition-clinical", "clinicalStatus", "active");
        breaks(Clause::ValueSetRule, &condition(&format!(r#"{active},"abatementAge":{{"value":3}}"#)));
        stands(&condition(&active));
        let resolved = status("condition-clinical", "clinicalStatus", "resolved");
        stands(&condition(&format!(r#"{resolved},"abatementAge":{{"value":3}}"#)));
    }

    #[test]
    fn range_rule() {
        for possible in ["36.6", "5", "5.0", "60.000", "6e1", "0.6E+2"] {
            stands(&temperature(possible));
        }
        for impossible in ["4.99999999999999999999", "60.00000000000000000001", "-36.6", "1e999999999", "0"] {
            breaks(Clause::RangeRule, &temperature(impossible));
        }
        let weight = |value: &str, unit: &str| {
            format!(
                r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7"}}]}},
                "valueQuantity":{{"value":{value},"system":"http://unitsofmeasure.org","code":"{unit}"}}}}"#
            )
        };
        breaks(Clause::RangeRule, &weight("0.000", "kg"));
        breaks(Clause::RangeRule, &weight("3250", "kg"));
        stands(&weight("3250", "g"));
        let dose = prescription("active").replace(
            r#""text":"x"}"#,
            r#""text":"x"},"dosageInstruction":[{"doseAndRate":[{"doseQuantity":{"value":1}},{"doseQuantity":{"value":-1e-9}}]}]"#,
        );
        breaks(Clause::RangeRule, &dose);
    }

    #[test]
    fn not_in_future_rule() {
        // NOW is 2023-11-14T22:13:20Z.
        for future in
            ["2024", "2023-12", "2023-11-16", "2023-11-14T22:13:21Z", "2023-11-15T12:13:20.001+14:00"]
        {
            breaks(Clause::NotInFutureRule, &observation(&format!(r#","effectiveDateTime":"{future}""#)));
        }
        for past in
            ["2023", "2023-11", "2023-11-15", "2023-11-14T22:13:20Z", "2023-11-15T12:13:20.000+14:00", "0001"]
        {
            stands(&observation(&format!(r#","effectiveDateTime":"{past}""#)));
        }
    }

    #[test]
    fn submitter_rule() {
        let by = |role, text: &str| only(Clause::SubmitterRule, |rules| judge(rules, text, role));
        assert_eq!(
            by(Role::Assistant, &prescription("active")),
            "rule 0 of contract prescribing/1: submitter"
        );
        judge(&HARDENED, &prescription("active"), Role::Doctor).unwrap();
        judge(&HARDENED, &prescription("draft"), Role::Assistant).unwrap();
        for role in [Role::Administrator, Role::Bsd, Role::Validator, Role::Cloud, Role::Custodian] {
            by(role, &observation(""));
        }
    }

    #[test]
    fn date_order_rule() {
        let period = |start: &str, end: &str| {
            observation(&format!(r#","effectivePeriod":{{"start":"{start}","end":"{end}"}}"#))
        };
        breaks(Clause::DateOrderRule, &period("2013", "2012"));
        breaks(Clause::DateOrderRule, &period("2013-04-02T09:30:11Z", "2013-04-02T09:30:10Z"));
        // What overlaps may be in order.
        stands(&period("2013-04-02T09:30:10Z", "2013-04-02T09:30:10Z"));
        breaks(Clause::DateOrderRule, &period("2013-04-03T00:00:00-14:00", "2013-04-02"));
        stands(&period("2013-04", "2013"));
        stands(&period("2013-04-02T23:00:00-10:00", "2013-04-02"));
        breaks(
            Clause::DateOrderRule,
            r#"{"resourceType":"Patient","birthDate":"1990-01-02","deceasedDateTime":"1989"}"#,
        );
    }

    #[test]
    fn one_of_rule() {
        // FHIR's obs-6, con-5 and ait-2.
        breaks(Clause::OneOfRule, &observation(r#","valueBoolean":true,"dataAbsentReason":{"text":"x"}"#));
        let error = status("condition-ver-status", "verificationStatus", "entered-in-error");
        let active = status("condition-clinical", "clinicalStatus", "active");
        breaks(Clause::OneOfRule, &condition(&format!("{error}{active}")));
        stands(&condition(&error));
        breaks(
            Clause::OneOfRule,
            &format!(
                r#"{{"resourceType":"AllergyIntolerance","patient":{{"reference":"Patient/1"}}{}}}"#,
                status("allergyintolerance-clinical", "clinicalStatus", "active")
            ),
        );
    }

    #[test]
    fn subject_rule() {
        let record = read(&condition("")).unwrap();
        let facts = |patient| Facts { role: Role::Doctor, issued: NOW, patient: name(patient) };
        only(Clause::SubjectRule, |rules| judge_as(rules, &record, facts("Patient/2")));
        judge_as(&HARDENED, &record, facts("Patient/1")).unwrap();
        let nobody = read(&observation("")).unwrap();
        only(Clause::SubjectRule, |rules| judge_as(rules, &nobody, facts("Patient/1")));
        judge_as(&HARDENED, &nobody, facts(UNKNOWN)).unwrap();
    }

    #[test]
    fn what_was_not_opened_fails_its_rule() {
        let registry = registry();
        let policy = registry.policy_in_force(&name("observation"), Height(1)).unwrap();
        let record = read(&observation("")).unwrap();
        let values = map(&HARDENED, policy.template(), &record).unwrap();
        let facts = Facts { role: Role::Doctor, issued: NOW, patient: record.patient() };
        let all: Opened =
            policy.checked_attributes().into_iter().map(|at| (at, values[usize::from(at)].clone())).collect();
        policy.evaluate(&HARDENED, &all, &facts).unwrap();
        for index in all.keys() {
            let mut fewer = all.clone();
            fewer.remove(index);
            assert!(policy.evaluate(&HARDENED, &fewer, &facts).is_err());
        }
    }

    #[test]
    fn the_first_broken_rule_gives_the_reason() {
        let text = r#"{"resourceType":"Patient","gender":"m","birthDate":"2990","deceasedDateTime":"2980"}"#;
        let registry = registry();
        let policy = registry.policy_in_force(&name("patient"), Height(1)).unwrap();
        let values = map(&HARDENED, policy.template(), &read(text).unwrap()).unwrap();
        let opened = (0..).zip(values).collect();
        let facts = Facts { role: Role::Doctor, issued: NOW, patient: name(UNKNOWN) };
        let reason =
            |rules: &Rules| policy.evaluate(rules, &opened, &facts).map_err(|failure| failure.reason());
        let mut rules = HARDENED;
        assert_eq!(reason(&rules), Err(1303));
        for (clause, next) in [
            (Clause::ValueSetRule, Err(1305)),
            (Clause::NotInFutureRule, Err(1307)),
            (Clause::DateOrderRule, Ok(())),
        ] {
            rules = rules.without(clause);
            assert_eq!(reason(&rules), next);
        }
    }
}

mod policy {
    use super::*;

    fn two() -> [(Name, Role); 2] {
        [(name("ada"), Role::Administrator), (name("bea"), Role::Administrator)]
    }

    fn change() -> PolicyChange {
        PolicyChange {
            protocol: 1,
            network: name("net"),
            templates: List::default(),
            contracts: List::default(),
        }
    }

    fn contract(id: &str, edit: impl FnOnce(&mut Contract)) -> PolicyChange {
        let shipped = shipped_change(name("net"));
        let mut contract = shipped.contracts.iter().find(|contract| contract.id == name(id)).unwrap().clone();
        contract.version = Version(2);
        contract.effective = Height(10);
        edit(&mut contract);
        PolicyChange { contracts: vec![contract].into(), ..change() }
    }

    fn template(id: &str, edit: impl FnOnce(&mut Template)) -> PolicyChange {
        let mut template = registry().template_in_force(&name(id), Height(1)).unwrap().clone();
        template.version = Version(2);
        template.effective = Height(10);
        edit(&mut template);
        PolicyChange { templates: vec![template].into(), ..change() }
    }

    #[track_caller]
    fn refused(clause: Clause, change: &PolicyChange, approvals: &[(Name, Role)], now: u64) -> String {
        let mut unchanged = registry();
        assert!(unchanged.apply(&HARDENED, change, approvals, Height(now)).is_err());
        assert_eq!(format!("{unchanged:?}"), format!("{:?}", registry()));
        only(clause, |rules| registry().apply(rules, change, approvals, Height(now)))
    }

    #[test]
    fn the_shipped_policy_stands_as_a_change() {
        let mut empty = PolicyRegistry::empty(name("net"));
        let shipped = shipped_change(name("net"));
        empty.apply(&HARDENED, &shipped, &two(), Height(0)).unwrap();
        assert_eq!(format!("{empty:?}"), format!("{:?}", registry()));
        assert_eq!(decode::<PolicyChange>(&HARDENED, &encode(&shipped)).as_ref(), Ok(&shipped));
        for template in shipped.templates.iter() {
            assert!(template.attributes.iter().any(|attribute| attribute.mandatory.is_yes()));
        }
        assert_eq!(
            RESOURCE_TYPES.map(|(known, _)| empty.template_for(known, Height(1)).is_some()),
            [true; 7]
        );
    }

    #[test]
    fn a_stale_or_future_template_is_refused() {
        let mut registry = registry();
        registry.apply(&HARDENED, &template("patient", |_| {}), &two(), Height(5)).unwrap();
        let at = |rules: &Rules, version, height| {
            let template = PolicyRef { id: name("patient"), version: Version(version) };
            let contracts = registry.policy_in_force(&template.id, Height(height)).unwrap().contract_refs();
            registry.policy(rules, &template, &contracts, Height(height)).map(|policy| policy.digest())
        };
        only(Clause::TemplateIsInForce, |rules| at(rules, 1, 10));
        only(Clause::TemplateIsInForce, |rules| at(rules, 2, 9));
        assert_eq!(at(&HARDENED, 3, 10).unwrap_err().clause(), Clause::TemplateIsInForce);
        assert_ne!(at(&HARDENED, 1, 9).unwrap(), at(&HARDENED, 2, 10).unwrap());
    }

    #[test]
    fn all_contracts_in_force_apply_and_no_other() {
        let mut registry = registry();
        registry.apply(&HARDENED, &contract("vital-signs", |_| {}), &two(), Height(5)).unwrap();
        let template = PolicyRef { id: name("observation"), version: Version(1) };
        let in_force = registry.policy_in_force(&template.id, Height(10)).unwrap().contract_refs();
        let shown: Vec<String> = in_force.iter().map(PolicyRef::to_string).collect();
        assert_eq!(shown, ["admission/1", "observation-base/1", "vital-signs/2"]);
        let named = |rules: &Rules, contracts: &[PolicyRef]| {
            registry.policy(rules, &template, contracts, Height(10)).map(|policy| policy.digest())
        };
        named(&HARDENED, &in_force).unwrap();
        only(Clause::AllContractsApplied, |rules| named(rules, &in_force[..2]));
        only(Clause::AllContractsApplied, |rules| named(rules, &[]));
        let mut stale = in_force.clone();
        stale[2].version = Version(1);
        only(Clause::AllContractsApplied, |rules| named(rules, &stale));
        stale.reverse();
        only(Clause::AllContractsApplied, |rules| named(rules, &stale));
        let mut more = in_force.clone();
        more.push(PolicyRef { id: name("prescribing"), version: Version(1) });
        only(Clause::AllContractsApplied, |rules| named(rules, &more));
    }

    #[test]
    fn a_mandatory_attribute_cannot_go_unchecked() {
        let dropped = contract("allergy-base", |contract| {
            contract.rules = contract
                .rules
                .iter()
                .filter(|rule| rule.check.attributes()[0].as_str() != "criticality")
                .cloned()
                .collect();
        });
        assert_eq!(
            refused(Clause::MandatoryAreChecked, &dropped, &two(), 5),
            "criticality of template allergy-intolerance/1"
        );
        let unchecked = template("patient", |template| {
            let mut attributes = template.attributes.to_vec();
            attributes[1].mandatory = Flag::Yes;
            template.attributes = attributes.into();
        });
        refused(Clause::MandatoryAreChecked, &unchecked, &two(), 5);
        refused(
            Clause::MandatoryAreChecked,
            &contract("admission", |contract| contract.templates = List::default()),
            &two(),
            5,
        );
    }

    #[test]
    fn a_change_takes_two_administrators() {
        let change = contract("prescribing", |_| {});
        let [ada, bea] = two();
        for few in [&[][..], &two()[..1], &[ada.clone(), ada.clone()]] {
            refused(Clause::PolicyChangeHasTwoAdministrators, &change, few, 5);
        }
        refused(
            Clause::RoleMayChangePolicy,
            &change,
            &[ada.clone(), bea.clone(), (name("dr"), Role::Doctor)],
            5,
        );
        registry().apply(&HARDENED, &change, &[ada, bea], Height(5)).unwrap();
    }

    #[test]
    fn a_change_travels_with_its_approvals_and_names_the_protocol() {
        use crate::crypto::{Domain, SigningKey, Suite};
        use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
        let mut change = contract("prescribing", |_| {});
        let key = SigningKey::generate(Suite::Ristretto255, &mut ChaCha20Rng::seed_from_u64(1));
        let signature = key.sign(&HARDENED, Domain::POLICY_CHANGE, &encode(&change));
        let approvals = vec![PolicyApproval { administrator: name("ada"), signature }].into();
        let approved = ApprovedChange { change: change.clone(), approvals };
        assert_eq!(decode::<ApprovedChange>(&HARDENED, &encode(&approved)).as_ref(), Ok(&approved));
        change.protocol = 2;
        refused(Clause::ProtocolVersionIsOne, &change, &two(), 5);
    }

    #[test]
    fn versions_go_up_by_one() {
        for version in [0, 1, 3, u32::MAX] {
            let change = contract("prescribing", |contract| contract.version = Version(version));
            refused(Clause::PolicyVersionAdvances, &change, &two(), 5);
        }
        let new = contract("prescribing", |contract| contract.id = name("new"));
        refused(Clause::PolicyVersionAdvances, &new, &two(), 5);
    }

    #[test]
    fn a_change_takes_effect_later() {
        let change = contract("prescribing", |_| {});
        refused(Clause::PolicyEffectiveLater, &change, &two(), 10);
        registry().apply(&HARDENED, &change, &two(), Height(9)).unwrap();
    }

    #[test]
    fn a_policy_is_well_formed() {
        let rule = |check| Rule { when: List::default(), check };
        let with = |id: &str, check: Check| {
            contract(id, |contract| {
                contract.rules = contract.rules.iter().cloned().chain([rule(check)]).collect();
            })
        };
        let edit = |change: fn(&mut Attribute)| {
            template("patient", |template| {
                let mut attributes = template.attributes.to_vec();
                change(&mut attributes[2]);
                template.attributes = attributes.into();
            })
        };
        let mut elsewhere = contract("prescribing", |_| {});
        elsewhere.network = name("other");
        let bound = |value: &str| Some(Bound { value: Text::new(value).unwrap(), inclusive: Flag::Yes });
        let range = |attribute: &str, low| {
            Check::Range(RangeRule {
                attribute: name(attribute),
                codes: List::default(),
                units: List::default(),
                low,
                high: None,
            })
        };
        let ill = [
            change(),
            elsewhere,
            with("prescribing", Check::Required(RequiredRule { attribute: name("nothing") })),
            with("prescribing", Check::NotFuture(NotFutureRule { attribute: name("status") })),
            with("prescribing", Check::Submitter(SubmitterRule { roles: List::default() })),
            with("prescribing", Check::Subject(SubjectRule { attribute: name("requester") })),
            with(
                "prescribing",
                Check::OneOf(OneOfRule { attributes: vec![name("status")].into(), min: 0, max: 2 }),
            ),
            with(
                "prescribing",
                Check::ValueSet(ValueSetRule { attribute: name("status"), members: List::default() }),
            ),
            with("prescribing", range("dose-values", None)),
            with("prescribing", range("dose-values", bound("ten"))),
            with("prescribing", range("status", bound("1"))),
            with("vital-signs", range("measures", bound("1"))),
            edit(|attribute| attribute.path = Text::new("a..b").unwrap()),
            edit(|attribute| attribute.name = Name::new("patient").unwrap()),
            edit(|attribute| attribute.kind = AttributeType::Patient),
            edit(|attribute| {
                attribute.kind = AttributeType::Choice;
                attribute.path = Text::new("a.b|c").unwrap();
            }),
            template("patient", |template| template.resource = name("Encounter")),
            template("patient", |template| {
                (template.id, template.version) = (name("second"), Version(1));
                let free = |attribute: &Attribute| Attribute { mandatory: Flag::No, ..attribute.clone() };
                template.attributes = template.attributes.iter().map(free).collect();
            }),
            contract("prescribing", |contract| {
                contract.templates = vec![name("medication-request"), name("none")].into()
            }),
        ];
        for change in ill {
            refused(Clause::PolicyIsWellFormed, &change, &two(), 5);
        }
    }
}

#[test]
fn the_samples_are_what_their_names_say() {
    let mut types = std::collections::BTreeSet::new();
    for (file, bytes) in SAMPLES {
        let text = std::str::from_utf8(bytes).unwrap();
        let verdict = judge(&HARDENED, text, Role::Doctor);
        types.insert(read(text).unwrap().resource_type().to_owned());
        let expected = match *file {
            "broken-future-observation.json" => Some(Clause::NotInFutureRule),
            "broken-impossible-heart-rate.json" => Some(Clause::RangeRule),
            "broken-active-yet-abated-condition.json" => Some(Clause::ValueSetRule),
            _ => None,
        };
        assert_eq!(verdict.err().map(|refusal| refusal.clause()), expected, "{file}");
    }
    assert_eq!(types.len(), RESOURCE_TYPES.len());
    assert!(SAMPLES.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 60_000);
}

/// Every template, contract and policy set as the chapter lists it: a reimplementer compares the digests.
#[test]
fn the_chapter_has_the_digests_of_the_shipped_policy() {
    use crate::crypto::{Digest, Domain};
    let registry = registry();
    let shipped = shipped_change(name("net"));
    let templates = shipped
        .templates
        .iter()
        .map(|one| (format!("template {}", one.policy()), Digest::of(Domain::TEMPLATE, &encode(one))));
    let contracts = shipped
        .contracts
        .iter()
        .map(|one| (format!("contract {}", one.policy()), Digest::of(Domain::CONTRACT, &encode(one))));
    let sets = shipped.templates.iter().map(|one| {
        (format!("policy set of {}", one.id), registry.policy_in_force(&one.id, Height(1)).unwrap().digest())
    });
    let rows: String = templates
        .chain(contracts)
        .chain(sets)
        .map(|(what, digest)| format!("| {what} | `{digest}` |\n"))
        .collect();
    let chapter = crate::tests::chapter("07-templates-contracts.md");
    assert!(chapter.contains(&rows), "the chapter should have\n{rows}");
}
