//! Medical records: strict reading, templates and the generator that maps records onto them, commitments to the
//! attributes, contracts and the registry of all their versions.
//!
//! It checks what the templates and contracts demand of FHIR R4 and no more: it is not a FHIR validator. It knows
//! nothing of keys, sessions or transactions, and follows no reference out of a record.

mod commitment;
mod contract;
mod date;
mod decimal;
mod fhir_path;
mod json;
mod mapping;
mod record;
mod reference;
mod registry;
mod samples;

internal!(use commitment::{commitment_of, commitments, opening});
internal!(use contract::{Facts, Failure, Opened, checked_attributes, evaluate});
internal!(use date::FhirDate);
internal!(use decimal::Decimal);
internal!(use mapping::{canonical, map, read_value});
pub use record::{RESOURCE_TYPES, Record};
internal!(use reference::UNKNOWN);
pub use registry::{Policy, PolicyRegistry, shipped_change};
pub use samples::SAMPLES;

#[cfg(test)]
mod tests;
