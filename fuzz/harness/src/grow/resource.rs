//! A FHIR resource that nobody wrote: what a template maps, of the types that it says, with the codes that contracts name.

use crate::Dice;
use crate::targets::registry;
use bemr::wire::{Attribute, AttributeType, Check, Coding, Name, Template};
use serde_json::{Map, Value, json};

/// Moments as exact as each type has them, one of them in a future.
const DAYS: [&str; 4] = ["1970", "2019-03", "2020-02-29", "2999-12-31"];
const INSTANTS: [&str; 3] = ["1999-12-31T23:59:59Z", "2020-02-29T12:00:00.5+01:00", "2999-12-31T00:00:00Z"];

/// What the contracts say of an attribute: the codes that it may have, and the units.
#[derive(Default)]
struct Said<'a> {
    codes: Vec<&'a Coding>,
    units: Vec<&'a Coding>,
}

/// A resource of a type that has a template; what its template needs is seldom left out, everything else often.
pub fn resource(dice: &mut Dice) -> Vec<u8> {
    let templates: Vec<&Template> = registry().templates().collect();
    let template = *dice.pick(&templates).expect("templates are shipped");
    let mut root = Map::new();
    root.insert("resourceType".to_owned(), template.resource.as_str().into());
    // Of the members of a choice there is one.
    let mut taken: Vec<&str> = Vec::new();
    for attribute in template.attributes.iter() {
        let needed = attribute.required.is_yes() || attribute.mandatory.is_yes();
        if if needed { dice.once_in(24) } else { !dice.once_in(4) } {
            continue;
        }
        let all: Vec<&str> = attribute.path.as_str().split('|').collect();
        let is_choice = attribute.kind == AttributeType::Choice;
        if is_choice && all.iter().any(|path| root.contains_key(*path)) {
            continue;
        }
        let free = |path: &&str| !taken.contains(path) && !taken.contains(&first(path));
        let paths: Vec<&str> = all.iter().copied().filter(free).collect();
        let Some(path) = dice.pick(&paths) else { continue };
        plant(&mut root, path, value(dice, attribute, path, &said(template, &attribute.name)));
        if is_choice {
            taken.extend(all);
        }
    }
    Value::Object(root).to_string().into_bytes()
}

/// The member of the resource with which a path begins.
fn first(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}

/// Puts a value where a path leads to, with all that is on the way; what is there already stays.
fn plant(holder: &mut Map<String, Value>, path: &str, value: Value) {
    if path == "$" {
        for (name, inner) in value.as_object().cloned().unwrap_or_default() {
            holder.entry(name).or_insert(inner);
        }
        return;
    }
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let (name, each) = step.strip_suffix("[*]").map_or((step, false), |name| (name, true));
    let least = if rest.is_some() { json!({}) } else { value.clone() };
    let least = if each { Value::Array(vec![least]) } else { least };
    let there = holder.entry(name).or_insert(least);
    let there = if each { there.get_mut(0) } else { Some(there) };
    if let (Some(rest), Some(Value::Object(inner))) = (rest, there) {
        plant(inner, rest, value);
    }
}

/// What the shipped contracts of a template name for one of its attributes.
fn said<'a>(template: &Template, attribute: &Name) -> Said<'a> {
    let mut said = Said::default();
    let contracts = registry().contracts().filter(|contract| contract.templates.contains(&template.id));
    for rule in contracts.flat_map(|contract| contract.rules.iter()) {
        match &rule.check {
            Check::ValueSet(set) if set.attribute == *attribute => said.codes.extend(set.members.iter()),
            Check::Range(range) if range.attribute == *attribute => {
                said.codes.extend(range.codes.iter());
                said.units.extend(range.units.iter());
            }
            _ => {}
        }
        let conditions = rule.when.iter().filter(|condition| condition.attribute == *attribute);
        said.codes.extend(conditions.flat_map(|condition| condition.codes.iter()));
    }
    said
}

/// A value of the type of an attribute; of a choice, one that fits the name of its member.
fn value(dice: &mut Dice, attribute: &Attribute, path: &str, said: &Said<'_>) -> Value {
    use AttributeType as Type;
    match attribute.kind {
        Type::Boolean => dice.once_in(2).into(),
        Type::Integer => dice.below(300).into(),
        Type::Decimal => number(dice),
        Type::String => "a".into(),
        Type::Code => code(dice, said).1,
        Type::Uri => "http://loinc.org".into(),
        Type::Date => DAYS[dice.below(DAYS.len())].into(),
        Type::DateTime | Type::Instant => INSTANTS[dice.below(INSTANTS.len())].into(),
        Type::Concept => concept(dice, said),
        Type::Measure => json!({ "code": concept(dice, said), "valueQuantity": quantity(dice, said) }),
        Type::Patient if path == "id" => "p".into(),
        Type::Reference | Type::Patient => json!({ "reference": "Patient/p" }),
        Type::Choice => chosen(dice, path, said),
    }
}

fn chosen(dice: &mut Dice, path: &str, said: &Said<'_>) -> Value {
    let ends = |with| path.ends_with(with);
    match () {
        () if ends("Boolean") => dice.once_in(2).into(),
        () if ends("Integer") => dice.below(300).into(),
        () if ends("DateTime") || ends("Instant") => INSTANTS[dice.below(INSTANTS.len())].into(),
        () if ends("Date") => DAYS[dice.below(DAYS.len())].into(),
        () if ends("CodeableConcept") => concept(dice, said),
        () if ends("Quantity") || ends("Age") => quantity(dice, said),
        () if ends("Period") => json!({ "start": INSTANTS[0], "end": INSTANTS[1] }),
        () if ends("Reference") => json!({ "reference": "Medication/m" }),
        () => "a".into(),
    }
}

/// A number with and without places, as JSON writes it.
fn number(dice: &mut Dice) -> Value {
    let whole = dice.below(300);
    if dice.once_in(2) { whole.into() } else { (whole as f64 + 0.5).into() }
}

/// System and code: one that a contract names, or another.
fn code(dice: &mut Dice, said: &Said<'_>) -> (Value, Value) {
    match dice.pick(&said.codes) {
        Some(one) if !dice.once_in(16) => (one.system.as_str().into(), one.code.as_str().into()),
        _ => ("http://loinc.org".into(), "8867-4".into()),
    }
}

fn concept(dice: &mut Dice, said: &Said<'_>) -> Value {
    if dice.once_in(8) {
        return json!({ "text": "a" });
    }
    let (system, code) = code(dice, said);
    let mut coding = Map::from_iter([("code".to_owned(), code)]);
    // A code need not be of a system, and an empty one is none.
    if system != "" {
        coding.insert("system".to_owned(), system);
    }
    json!({ "coding": [coding] })
}

fn quantity(dice: &mut Dice, said: &Said<'_>) -> Value {
    let mut quantity = Map::from_iter([("value".to_owned(), number(dice))]);
    if let Some(unit) = dice.pick(&said.units) {
        quantity.insert("system".to_owned(), unit.system.as_str().into());
        quantity.insert("code".to_owned(), unit.code.as_str().into());
    }
    Value::Object(quantity)
}
