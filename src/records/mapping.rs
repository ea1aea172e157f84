//! T_g, the generator: maps a record onto the attributes of a template, and checks a value against its type.

use crate::records::fhir_path::{Found, Path};
use crate::records::json::Json;
use crate::records::{Decimal, FhirDate, Record, reference};
use crate::wire::{
    Attribute, AttributeType, Coding, Item, List, Measure, Name, Quantity, Template, Text, Value, decode,
    encode,
};
use bemr_spec::{Clause, Refusal, Rules, constants};
use tls_codec::Size;

/// The values of the attributes of `template` in `record`, in the order of the template.
///
/// # Errors
#[doc = bemr_spec::errors!(mapping)]
/// Before TPL-04, TPL-09 for an attribute whose path cannot be read: a template with one is never active.
pub fn map(rules: &Rules, template: &Template, record: &Record) -> Result<Vec<Option<Value>>, Refusal> {
    rules
        .require(Clause::TemplateFitsResource, template.resource.as_str() == record.resource_type())
        .map_err(|refusal| refusal.at(format!("{} is for {}", template.policy(), template.resource)))?;
    template.attributes.iter().map(|attribute| value(rules, attribute, record)).collect()
}

/// The one encoding of the value of an attribute, or of its absence.
pub fn canonical(value: &Option<Value>) -> Vec<u8> {
    encode(value)
}

/// The value of `attribute` that `bytes` encode, as one that only sees an opening must check it.
///
/// # Errors
/// ENC-01 or ENC-04 for an encoding that is none; TPL-03 for a missing value, where the value alone shows it;
/// TPL-04 for one that [`map`] cannot give.
pub fn read_value(rules: &Rules, attribute: &Attribute, bytes: &[u8]) -> Result<Option<Value>, Refusal> {
    let value: Option<Value> = decode(rules, bytes)?;
    let path = path(attribute)?;
    let Some(items) = &value else {
        let holder_is_resource = path.has_one_holder() && !attribute.path.as_str().contains('.');
        let must =
            attribute.required.is_yes() && holder_is_resource || attribute.kind == AttributeType::Patient;
        rules.require(Clause::RequiredAttributePresent, !must).map_err(|refusal| at(refusal, attribute))?;
        return Ok(None);
    };
    let count = if path.is_list() { !items.is_empty() } else { items.len() == 1 };
    let is_alternative = |item: &Item| match (attribute.kind, item) {
        (AttributeType::Choice, Item::Text(name)) => path.names_member(name.as_str()),
        _ => true,
    };
    let fits = count
        && bytes.len() <= constants::VALUE_BYTES
        && items.iter().all(|item| fits(attribute.kind, item) && is_alternative(item));
    rules.require(Clause::AttributeHasItsType, fits).map_err(|refusal| at(refusal, attribute))?;
    Ok(value)
}

fn at(refusal: Refusal, attribute: &Attribute) -> Refusal {
    refusal.at(format!("attribute {} at {}", attribute.name, attribute.path))
}

fn path(attribute: &Attribute) -> Result<Path<'_>, Refusal> {
    Path::parse(attribute.path.as_str())
        .ok_or_else(|| at(Refusal::new(Clause::PolicyIsWellFormed), attribute))
}

fn value(rules: &Rules, attribute: &Attribute, record: &Record) -> Result<Option<Value>, Refusal> {
    let path = path(attribute)?;
    let Some(items) = items(attribute.kind, &path, record) else {
        rules.require(Clause::AttributeHasItsType, false).map_err(|refusal| at(refusal, attribute))?;
        return Ok(Some(List::from(vec![Item::Unstated])));
    };
    if attribute.required.is_yes() {
        let present = path.choices(record.root(), counts_extensions(attribute.kind));
        let complete = present.is_ok_and(|all| all.iter().all(|present| !present.is_empty()));
        rules
            .require(Clause::RequiredAttributePresent, complete)
            .map_err(|refusal| at(refusal, attribute))?;
    }
    Ok(if items.is_empty() { None } else { Some(items.into()) })
}

/// The items at `path`, or nothing where the record has another form than the path and `kind` demand.
fn items(kind: AttributeType, path: &Path<'_>, record: &Record) -> Option<Vec<Item>> {
    let items = if kind == AttributeType::Choice {
        let holders = path.choices(record.root(), true).ok()?;
        let one = |present: &Vec<&str>| present.len() <= 1;
        if !holders.iter().all(one) {
            return None;
        }
        holders.iter().flatten().map(|name| literal(name)).collect::<Option<Vec<_>>>()?
    } else {
        let found = path.follow(record.root(), counts_extensions(kind)).ok()?;
        if found.is_empty() && kind == AttributeType::Patient {
            vec![named(&reference::patient(record, None))]
        } else {
            found.iter().map(|found| item(kind, found, record)).collect::<Option<Vec<_>>>()?
        }
    };
    let size: usize = 4 + items.iter().map(Size::tls_serialized_len).sum::<usize>();
    ((path.is_list() || items.len() <= 1) && size <= constants::VALUE_BYTES).then_some(items)
}

/// Whether an element of this type is there when only its extensions are.
fn counts_extensions(kind: AttributeType) -> bool {
    !matches!(kind, AttributeType::Concept | AttributeType::Measure | AttributeType::Reference)
}

fn item(kind: AttributeType, found: &Found<'_>, record: &Record) -> Option<Item> {
    use AttributeType as Type;
    let Some(element) = found.value else {
        return Some(if kind == Type::Patient {
            named(&reference::patient(record, None))
        } else {
            Item::Unstated
        });
    };
    let item = match (kind, element) {
        (Type::Boolean, Json::Bool(yes)) => literal(if *yes { "true" } else { "false" })?,
        (Type::Integer | Type::Decimal, Json::Number(number)) => literal(number)?,
        (
            Type::String | Type::Code | Type::Uri | Type::Date | Type::DateTime | Type::Instant,
            Json::String(text),
        ) => literal(text)?,
        (Type::Patient, Json::String(id)) if record.is_patient() && reference::is_id(id) => {
            named(&reference::patient(record, Some(element)))
        }
        (Type::Concept, Json::Object(_)) => concept(element)?,
        (Type::Measure, Json::Object(_)) => measure(element)?,
        (Type::Reference, Json::Object(_)) => reference(element, record)?,
        (Type::Patient, Json::Object(_)) if !record.is_patient() => reference(element, record)?,
        _ => return None,
    };
    fits(kind, &item).then_some(item)
}

fn literal(text: &str) -> Option<Item> {
    Text::new(text).map(Item::Text)
}

fn named(name: &Name) -> Item {
    Item::Text(name.into())
}

/// A CodeableConcept: its codings; unstated when it has neither codings nor text.
fn concept(element: &Json) -> Option<Item> {
    let codings = element.member("coding");
    if codings.is_none() && element.member("text").is_none() {
        return element.has_other_than_id().then_some(Item::Unstated);
    }
    if !matches!(element.member("text"), None | Some(Json::String(_))) {
        return None;
    }
    match codings {
        None => Some(Item::Concept(List::default())),
        Some(Json::Array(all)) if !all.is_empty() => {
            let codings = all.iter().map(|one| coding(one, "system", "code")).collect::<Option<_>>()?;
            Some(Item::Concept(codings))
        }
        Some(_) => None,
    }
}

fn coding(element: &Json, system: &str, code: &str) -> Option<Coding> {
    let Json::Object(_) = element else { return None };
    let text = |key| match element.member(key) {
        None => Some(Text::default()),
        Some(Json::String(text)) if !text.is_empty() => Text::new(text),
        Some(_) => None,
    };
    Some(Coding { system: text(system)?, code: text(code)? })
}

/// An element with `code` and `valueQuantity`, such as an Observation or a component of one.
fn measure(element: &Json) -> Option<Item> {
    let codes = match element.member("code").map(concept) {
        Some(Some(Item::Concept(codes))) => codes,
        None | Some(Some(_)) => List::default(),
        Some(None) => return None,
    };
    let quantity = match element.member("valueQuantity") {
        None => None,
        Some(quantity @ Json::Object(_)) => match quantity.member("value") {
            None => None,
            Some(Json::Number(value)) => {
                let comparator = coding(quantity, "comparator", "code")?.system;
                let value = Text::new(value)?;
                Some(Quantity { comparator, value, unit: coding(quantity, "system", "code")? })
            }
            Some(_) => return None,
        },
        Some(_) => return None,
    };
    Some(Item::Measure(Measure { codes, quantity }))
}

/// A Reference: the name of its referent.
fn reference(element: &Json, record: &Record) -> Option<Item> {
    let strings = ["reference", "display", "type"];
    let is_string =
        |key: &&str| element.member(key).is_none_or(|text| text.text().is_some_and(|t| !t.is_empty()));
    let identifier = matches!(element.member("identifier"), None | Some(Json::Object(_)));
    if !element.has_other_than_id() || !strings.iter().all(is_string) || !identifier {
        return None;
    }
    let reference = element.member("reference").and_then(Json::text);
    if let Some(id) = reference.and_then(|reference| reference.strip_prefix('#')) {
        reference::contained(record, id)?;
    }
    Some(named(&reference::name(record, element)))
}

/// Whether `item` is one that an attribute of type `kind` can have.
fn fits(kind: AttributeType, item: &Item) -> bool {
    use AttributeType as Type;
    let printable = |text: &str| !text.chars().any(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r'));
    match (kind, item) {
        // No element of these types is made of extensions alone.
        (Type::Patient | Type::Measure | Type::Reference | Type::Choice, Item::Unstated) => false,
        (_, Item::Unstated) => true,
        (Type::Concept, Item::Concept(codings)) => codings.iter().all(is_coding),
        (Type::Measure, Item::Measure(measure)) => {
            measure.codes.iter().all(is_coding) && measure.quantity.as_ref().is_none_or(is_quantity)
        }
        (Type::Concept | Type::Measure, _) => false,
        (kind, Item::Text(text)) => {
            let text = text.as_str();
            match kind {
                Type::Boolean => matches!(text, "true" | "false"),
                Type::Integer => text.parse::<i32>().is_ok_and(|number| number.to_string() == text),
                Type::Decimal => Decimal::parse(text).is_some(),
                Type::String => !text.is_empty() && printable(text),
                Type::Code => is_code(text),
                Type::Uri => is_uri(text),
                Type::Date | Type::DateTime | Type::Instant => FhirDate::parse(kind, text).is_some(),
                Type::Reference | Type::Patient => Name::new(text).is_some(),
                // Which names there are depends on the path.
                Type::Choice => true,
                Type::Concept | Type::Measure => false,
            }
        }
        _ => false,
    }
}

/// White space between words, one character at a time, and nothing before, after or else below the space.
fn is_code(text: &str) -> bool {
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    !text.contains(|c: char| c < ' ' && !space(c)) && text.split(space).all(|word| !word.is_empty())
}

fn is_uri(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c <= ' ')
}

fn is_coding(coding: &Coding) -> bool {
    (coding.system.is_empty() || is_uri(coding.system.as_str()))
        && (coding.code.is_empty() || is_code(coding.code.as_str()))
}

fn is_quantity(quantity: &Quantity) -> bool {
    matches!(quantity.comparator.as_str(), "" | "<" | "<=" | ">=" | ">")
        && Decimal::parse(quantity.value.as_str()).is_some()
        && is_coding(&quantity.unit)
}
