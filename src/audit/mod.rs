//! The audit log of a server database, and the auditor, who needs no secret.
//!
//! The auditor replays ledger, cloud log and audit log from public data. It trusts the validators' keys, the
//! cloud's and the server database's, and that more than two thirds of the validators are honest; nothing else.

mod auditor;
mod log;

#[cfg(test)]
mod tests;

pub use auditor::{AuditReport, Auditor, Inconsistency, Location, PublicRecord, audit};
pub use log::{AuditLog, Outcome, verify_audit_head};
