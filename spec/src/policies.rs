//! The shipped policy: the templates and contracts that a validating network begins with, as JSON in the form that
//! the chapter on templates and contracts defines.

/// The templates, by ascending id.
pub const TEMPLATES: [&str; 7] = [
    include_str!("../policies/templates/allergy-intolerance.json"),
    include_str!("../policies/templates/condition.json"),
    include_str!("../policies/templates/diagnostic-report.json"),
    include_str!("../policies/templates/immunization.json"),
    include_str!("../policies/templates/medication-request.json"),
    include_str!("../policies/templates/observation.json"),
    include_str!("../policies/templates/patient.json"),
];

/// The contracts, by ascending id.
pub const CONTRACTS: [&str; 11] = [
    include_str!("../policies/contracts/admission.json"),
    include_str!("../policies/contracts/allergy-base.json"),
    include_str!("../policies/contracts/allergy-safety.json"),
    include_str!("../policies/contracts/condition-base.json"),
    include_str!("../policies/contracts/immunization-base.json"),
    include_str!("../policies/contracts/medication-base.json"),
    include_str!("../policies/contracts/observation-base.json"),
    include_str!("../policies/contracts/patient-base.json"),
    include_str!("../policies/contracts/prescribing.json"),
    include_str!("../policies/contracts/report-base.json"),
    include_str!("../policies/contracts/vital-signs.json"),
];
