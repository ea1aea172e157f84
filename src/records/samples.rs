//! A small sample of records: FHIR examples (CC0-1.0), and three of our own making that break a contract.

/// The sample: file names and contents. The files that begin with `broken-` are rejected by a contract, all others
/// are valid.
pub const SAMPLES: &[(&str, &[u8])] = &[
    ("AllergyIntolerance-example.json", include_bytes!("samples/AllergyIntolerance-example.json")),
    ("Condition-f201.json", include_bytes!("samples/Condition-f201.json")),
    ("Condition-family-history.json", include_bytes!("samples/Condition-family-history.json")),
    ("DiagnosticReport-example-pgx.json", include_bytes!("samples/DiagnosticReport-example-pgx.json")),
    ("Immunization-historical.json", include_bytes!("samples/Immunization-historical.json")),
    ("MedicationRequest-medrx0309.json", include_bytes!("samples/MedicationRequest-medrx0309.json")),
    ("Observation-blood-pressure.json", include_bytes!("samples/Observation-blood-pressure.json")),
    ("Observation-bmd.json", include_bytes!("samples/Observation-bmd.json")),
    ("Patient-example.json", include_bytes!("samples/Patient-example.json")),
    ("Patient-infant-mom.json", include_bytes!("samples/Patient-infant-mom.json")),
    (
        "broken-active-yet-abated-condition.json",
        include_bytes!("samples/broken-active-yet-abated-condition.json"),
    ),
    ("broken-future-observation.json", include_bytes!("samples/broken-future-observation.json")),
    ("broken-impossible-heart-rate.json", include_bytes!("samples/broken-impossible-heart-rate.json")),
];
