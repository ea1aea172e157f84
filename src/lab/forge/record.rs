//! Records that are nearly records.

use bemr::records::RESOURCE_TYPES;
use bemr_model::Flaws;
use bemr_spec::{Clause, constants};
use serde_json::{Map, Value, json};

/// `genuine` with the flaws of records and of their mapping among `flaws`; without any, itself.
pub(super) fn spoil(genuine: &[u8], flaws: Flaws) -> Option<Vec<u8>> {
    let mut bytes = base(genuine, flaws)?;
    let mut insert = |member: &[u8]| {
        let inside = 1 + bytes.iter().position(|byte| *byte == b'{')?;
        bytes.splice(inside..inside, member.iter().copied());
        Some(())
    };
    if flaws.has(Clause::NoDuplicateKeys) {
        insert(br#""~3":0,"~3":0,"#)?;
    }
    if flaws.has(Clause::RecordWithinSize) {
        insert(format!("\"~5\":[{}0],", "0,".repeat(constants::RECORD_VALUES)).as_bytes())?;
    }
    // Before the many values, or they would be met first.
    if flaws.has(Clause::DepthWithinBound) {
        let (open, close) = ("[".repeat(constants::RECORD_DEPTH), "]".repeat(constants::RECORD_DEPTH));
        insert(format!("\"~4\":{open}{close},").as_bytes())?;
    }
    if flaws.has(Clause::RecordIsJson) {
        insert(br#""~2":,"#)?;
    }
    if flaws.has(Clause::RecordIsUtf8) {
        insert(b"\"~1\":\"\xff\",")?;
    }
    Some(bytes)
}

/// The record before anything is put into its text.
fn base(genuine: &[u8], flaws: Flaws) -> Option<Vec<u8>> {
    let (bare, mistyped) =
        (flaws.has(Clause::RequiredAttributePresent), flaws.has(Clause::AttributeHasItsType));
    let (unknown, unfit) = (flaws.has(Clause::ResourceTypeIsKnown), flaws.has(Clause::TemplateFitsResource));
    if !(bare || mistyped || unknown || unfit) {
        return Some(genuine.to_vec());
    }
    let mut members: Map<String, Value> = serde_json::from_slice(genuine).ok()?;
    let kind = members.get("resourceType")?.as_str()?.to_owned();
    let (_, patient) = RESOURCE_TYPES.iter().find(|(known, _)| *known == kind)?;
    if bare {
        // Every template wants more than that, and that of patients a language of each communication.
        members.retain(|key, _| key == "resourceType");
        members.insert("communication".into(), json!([{ "preferred": true }]));
    }
    if mistyped {
        members.insert((*patient).into(), json!(5));
    }
    if unknown {
        members.insert("resourceType".into(), json!("~"));
    } else if unfit {
        let (other, _) = RESOURCE_TYPES.iter().find(|(known, _)| *known != kind)?;
        members.insert("resourceType".into(), json!(other));
    }
    serde_json::to_vec(&members).ok()
}
