//! A record: the exact bytes that a user submits, and the FHIR resource that they are.

use crate::records::json::{self, Json};
use crate::records::reference;
use crate::wire::Name;
use bemr_spec::{Clause, Refusal, Rules};

/// The resource types that a record may have, each with the member that names its patient.
pub const RESOURCE_TYPES: [(&str, &str); 7] = [
    ("AllergyIntolerance", "patient"),
    ("Condition", "subject"),
    ("DiagnosticReport", "subject"),
    ("Immunization", "patient"),
    ("MedicationRequest", "subject"),
    ("Observation", "subject"),
    ("Patient", "id"),
];

/// A medical record: one FHIR R4 resource as JSON. Its bytes are kept as they came.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    bytes: Box<[u8]>,
    root: Json,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(record_body)]
    pub fn read(rules: &Rules, bytes: &[u8]) -> Result<Record, Refusal> {
        let root = json::read(rules, bytes)?;
        let record = Record { bytes: bytes.into(), root };
        let known = RESOURCE_TYPES.iter().any(|(known, _)| *known == record.resource_type());
        rules
            .require(Clause::ResourceTypeIsKnown, known)
            .map_err(|refusal| refusal.at(record.unknown_type()))?;
        Ok(record)
    }

    /// The bytes that were read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its resource type, such as `Observation`.
    pub fn resource_type(&self) -> &str {
        self.root.member("resourceType").and_then(Json::text).unwrap_or_default()
    }

    /// Its logical id, if it has one.
    pub fn id(&self) -> Option<&str> {
        self.root.member("id").and_then(Json::text)
    }

    /// The name of the patient whom it is about; see "The name of a referent" in the chapter. Every record has one.
    pub fn patient(&self) -> Name {
        let member = RESOURCE_TYPES.iter().find(|(known, _)| *known == self.resource_type());
        reference::patient(self, member.and_then(|(_, member)| self.root.member(member)))
    }

    pub(super) fn is_patient(&self) -> bool {
        self.resource_type() == "Patient"
    }

    pub(super) fn root(&self) -> &Json {
        &self.root
    }

    fn unknown_type(&self) -> String {
        let known = RESOURCE_TYPES.map(|(known, _)| known).join(", ");
        match (&self.root, self.root.member("resourceType")) {
            (Json::Object(_), Some(Json::String(other))) => {
                let other: String = other.chars().take(64).flat_map(char::escape_debug).collect();
                format!("resourceType \"{other}\" is not one of {known}")
            }
            (Json::Object(_), Some(_)) => format!("resourceType is not a string; known are {known}"),
            (Json::Object(_), None) => format!("no resourceType; known are {known}"),
            _ => format!("not an object with a resourceType; known are {known}"),
        }
    }
}

/// Shows what kind of record it is and nothing that stands in it.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({}, {} bytes)", self.resource_type(), self.bytes.len())
    }
}
