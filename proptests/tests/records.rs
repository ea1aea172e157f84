//! Records under random and real input: reading never panics and agrees with another reader, mapping and
//! commitments are functions of the record, contracts need only what is opened.

use bemr::records::{
    Decimal, Facts, FhirDate, Opened, PolicyRegistry, Record, UNKNOWN, canonical, commitments, map, opening,
    read_value,
};
use bemr::wire::{AttributeType, Height, Name, Role, Time};
use bemr_spec::{Clause, Refusal, Rules};
use proptest::prelude::*;
use serde_json::Value as Json;

const RULES: Rules = Rules::hardened();

fn registry() -> PolicyRegistry {
    PolicyRegistry::shipped(Name::new("net").expect("a name"))
}

/// The files of `records/`: FHIR examples.
fn examples() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("records");
    let paths = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect();
    files.sort();
    let read = |path: std::path::PathBuf| (path.display().to_string(), std::fs::read(&path).expect("a file"));
    files.into_iter().map(read).collect()
}

/// Reads, maps, opens what the contracts check, and evaluates: the whole way of a record through this room.
fn judge(bytes: &[u8], every_attribute: bool) -> Result<(), Refusal> {
    let record = Record::read(&RULES, bytes)?;
    let registry = registry();
    let template =
        registry.template_for(record.resource_type(), Height(1)).expect("a template of every type");
    let policy = registry.policy_in_force(&template.id, Height(1)).expect("its policy");
    let values = map(&RULES, template, &record)?;
    let checked = policy.checked_attributes();
    let mut opened = Opened::new();
    for (index, (attribute, value)) in (0..).zip(template.attributes.iter().zip(values)) {
        let bytes = canonical(&value);
        assert_eq!(read_value(&RULES, attribute, &bytes).expect("what was mapped is well typed"), value);
        if every_attribute || checked.contains(&index) {
            opened.insert(index, value);
        }
    }
    let facts = Facts { role: Role::Doctor, issued: Time(1_790_000_000_000), patient: record.patient() };
    Ok(policy.evaluate(&RULES, &opened, &facts)?)
}

#[test]
fn every_fhir_example_is_valid_and_keeps_its_bytes() {
    let examples = examples();
    assert!(examples.len() >= 30);
    for (file, bytes) in examples {
        assert_eq!(judge(&bytes, false), Ok(()), "{file}");
        assert_eq!(Record::read(&RULES, &bytes).expect("it was read").bytes(), bytes);
    }
}

/// Literals that a reader of JSON would gladly write another way.
const LITERALS: &[&str] = &[
    "36.60",
    "36.6",
    "1e2",
    "1E+2",
    "100",
    "100.0",
    "-0",
    "-0.0",
    "0",
    "0.0",
    "12345678901234567890",
    "1.2345678901234567890",
    "0.10000000000000000001",
    "9007199254740993",
    "1e-7",
];

#[test]
fn a_number_is_mapped_as_the_source_writes_it() {
    let (_, bytes) =
        examples().into_iter().find(|(file, _)| file.ends_with("Observation-bmi.json")).expect("it is there");
    let text = String::from_utf8(bytes).expect("an example is text");
    let with = |literal: &str| {
        let changed = text.replacen("\"value\": 16.2,", &format!("\"value\": {literal},"), 1);
        assert!(changed.contains(&format!("\"value\": {literal},")), "{literal}");
        let record = Record::read(&RULES, changed.as_bytes()).expect("a record");
        let registry = registry();
        let template = registry.template_for(record.resource_type(), Height(1)).expect("a template");
        let values = map(&RULES, template, &record).expect("it has its types");
        let read_back = template.attributes.iter().zip(&values);
        for (attribute, value) in read_back {
            assert_eq!(&read_value(&RULES, attribute, &canonical(value)).expect("well typed"), value);
        }
        values.iter().map(canonical).collect::<Vec<_>>()
    };
    // The oracle is the text of the source: no code of the mapping has seen it.
    let holds =
        |bytes: &[u8], literal: &str| bytes.windows(literal.len()).any(|part| part == literal.as_bytes());
    let original = with("16.2");
    for literal in LITERALS {
        let mapped = with(literal);
        let changed: Vec<_> = mapped.iter().zip(&original).filter(|(now, before)| now != before).collect();
        assert_eq!(changed.len(), 1, "{literal}");
        let (now, before) = changed[0];
        let expected = before.len() - "16.2".len() + literal.len();
        assert!(holds(before, "16.2") && holds(now, literal), "{literal}: {now:02x?}");
        assert_eq!(now.len(), expected, "{literal}: {now:02x?}");
    }
    let all: std::collections::BTreeSet<_> = LITERALS.iter().map(|literal| with(literal)).collect();
    assert_eq!(all.len(), LITERALS.len(), "two literals are one value");
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(|number| serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number)),
        ".{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map("[a-c]{1,2}", inner, 0..5)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// An example with one value replaced or removed, wherever it stands.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let parts = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::option::of(json()));
    parts.prop_map(|(file, place, with)| {
        let examples = examples();
        let mut root: Json = serde_json::from_slice(&file.get(&examples).1).expect("JSON");
        let mut pointers = Vec::new();
        collect(&root, "", &mut pointers);
        let (parent, key) = place.get(&pointers).rsplit_once('/').expect("below the root");
        match (root.pointer_mut(parent).expect("it was there"), with) {
            (Json::Object(members), Some(value)) => drop(members.insert(key.to_owned(), value)),
            (Json::Object(members), None) => drop(members.remove(key)),
            (Json::Array(elements), Some(value)) => elements[key.parse::<usize>().expect("an index")] = value,
            (Json::Array(elements), None) => drop(elements.remove(key.parse().expect("an index"))),
            _ => unreachable!("a parent holds something"),
        }
        serde_json::to_vec(&root).expect("JSON")
    })
}

/// The pointers to all values below `value`.
fn collect(value: &Json, at: &str, pointers: &mut Vec<String>) {
    let children: Vec<(String, &Json)> = match value {
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Json::Array(elements) => {
            elements.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children {
        let pointer = format!("{at}/{key}");
        collect(child, &pointer, pointers);
        pointers.push(pointer);
    }
}

/// A day and time in a zone of whole hours. It counts years and months one by one, which shares nothing with the
/// parser.
fn written(instant: u64, zone: i64) -> String {
    let local = instant as i64 + zone * 3600;
    let (mut days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += 365 + i64::from(leap(year));
    }
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (month, day, sign) = (month + 1, days + 1, if zone < 0 { '-' } else { '+' });
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:00", zone.abs())
}

/// `number` / 10^`places` without an exponent.
fn plain(number: i64, places: usize) -> String {
    let digits = format!("{:0>1$}", number.unsigned_abs(), places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let point = if places == 0 { "" } else { "." };
    format!("{}{whole}{point}{fraction}", if number < 0 { "-" } else { "" })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = judge(&bytes, false);
    }

    #[test]
    fn what_is_json_here_is_json_elsewhere(text in r#"[\[\]{}",:0-9eE.+\-\\utrnf ]{0,12}"#) {
        let ours = Record::read(&RULES, text.as_bytes()).expect_err("no resource type").clause();
        // The other reader lets repeated keys pass and refuses numbers that no binary64 holds.
        match (ours, serde_json::from_str::<Json>(&text)) {
            (Clause::RecordIsJson, theirs) => prop_assert!(theirs.is_err(), "{}", text),
            (_, Ok(_)) => {}
            (_, Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}", text),
        }
    }

    #[test]
    fn any_json_is_read(value in json()) {
        let document = serde_json::json!({ "resourceType": "Patient", "x": value });
        let text = serde_json::to_string_pretty(&document).expect("JSON");
        let record = Record::read(&RULES, text.as_bytes()).expect("a patient");
        prop_assert_eq!(record.bytes(), text.as_bytes());
        prop_assert_eq!(String::from(record.patient()), UNKNOWN);
    }

    #[test]
    fn a_repeated_key_is_found_anywhere(value in json(), key in "[a-z\"\\\\é]{1,4}", depth in 0usize..20) {
        let key = serde_json::to_string(&key).expect("JSON");
        let twice = format!("{{{key}:{value},\"0\":0,{key}:{value}}}");
        let (open, close) = ("[0,{\"k\":".repeat(depth), "}]".repeat(depth));
        let text = format!(r#"{{"resourceType":"Patient","x":{open}{twice}{close}}}"#);
        let refusal = Record::read(&RULES, text.as_bytes()).expect_err("a key stands twice");
        prop_assert_eq!(refusal.clause(), Clause::NoDuplicateKeys);
    }

    #[test]
    fn a_verdict_needs_only_the_checked_attributes(bytes in damaged()) {
        prop_assert_eq!(judge(&bytes, false), judge(&bytes, true));
        if let Ok(record) = Record::read(&RULES, &bytes) {
            let registry = registry();
            let template = registry.template_for(record.resource_type(), Height(1)).expect("a template");
            let again = Record::read(&RULES, record.bytes()).expect("it was read");
            prop_assert_eq!(map(&RULES, template, &record), map(&RULES, template, &again));
        }
    }

    #[test]
    fn commitments_bind_the_value_its_place_and_the_key(
        file in any::<prop::sample::Index>(), key: [u8; 32], other: [u8; 32],
    ) {
        let examples = examples();
        let record = Record::read(&RULES, &file.get(&examples).1).expect("valid");
        let registry = registry();
        let template = registry.template_for(record.resource_type(), Height(1)).expect("a template");
        let values = map(&RULES, template, &record).expect("valid");
        let all = commitments(&key, template, &values);
        prop_assert_eq!(all.len(), template.attributes.len());
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        prop_assert_eq!(distinct.len(), all.len());
        for index in 0..values.len() {
            let mut changed = values.clone();
            changed[index] = match &values[index] { None => Some(Vec::new().into()), Some(_) => None };
            let others = commitments(&key, template, &changed);
            for at in 0..all.len() {
                prop_assert_eq!(all[at] == others[at], at != index);
            }
        }
        if key != other {
            prop_assert!(all.iter().zip(commitments(&other, template, &values)).all(|(a, b)| *a != b));
            prop_assert_ne!(&*opening(&key, 0), &*opening(&other, 0));
        }
    }

    #[test]
    fn decimals_are_ordered_as_numbers(
        a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000, i in 0usize..6, j in 0usize..6,
    ) {
        let scale = |places: usize| 10i128.pow(places as u32);
        let expected = (i128::from(a) * scale(j)).cmp(&(i128::from(b) * scale(i)));
        let parsed = |text: &str| Decimal::parse(text).expect("a decimal");
        for a in [plain(a, i), format!("{a}e-{i}")] {
            for b in [plain(b, j), format!("{b}E-0{j}")] {
                prop_assert_eq!(parsed(&a).cmp(&parsed(&b)), expected, "{} {}", a, b);
            }
        }
    }

    #[test]
    fn decimals_are_the_numbers_of_json(text in "-?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,12})?") {
        let json = serde_json::from_str::<&serde_json::value::RawValue>(&text);
        let long = text.split(['e', 'E']).nth(1).is_some_and(|e| e.trim_start_matches(['+', '-']).len() > 9);
        prop_assert_eq!(Decimal::parse(&text).is_some(), json.is_ok() && !long, "{}", text);
    }

    #[test]
    fn any_text_is_a_moment_or_not(text in "[0-9TZ:.+é\\-]{0,30}") {
        for kind in [AttributeType::Date, AttributeType::DateTime, AttributeType::Instant] {
            let _ = FhirDate::parse(kind, &text);
        }
    }

    #[test]
    fn moments_are_ordered_as_their_instants(
        a in 0u64..4_000_000_000, b in 0u64..4_000_000_000, zone in -14i64..=14,
    ) {
        let parse = |text: &str| FhirDate::parse(AttributeType::Instant, text).expect("an instant");
        let (first, second) = (parse(&written(a, zone)), parse(&written(b, -zone)));
        prop_assert_eq!(first.is_wholly_after(&second), a > b);
        prop_assert_eq!(first.is_after(Time(b * 1000)), a > b);
        prop_assert!(first.is_after(Time((a * 1000).saturating_sub(1))) || a == 0);
    }
}
