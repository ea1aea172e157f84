//! Contracts, run on records (chapter 7).

use super::keys::role;
use super::prelude::*;
use super::records::{shipped, template_for};
use bemr::records::{Facts, Opened, Record, SAMPLES, checked_attributes, evaluate, map};

data! {
    ContractsInput {
        record: Hex, template: Hex, contracts: Vec<Hex>, role: String, issued: u64, patient: String,
    }
    /// The indices of the attributes that are opened.
    Checked { checked: Vec<u16> }
}

/// Contracts, run on a record.
impl ContractsInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<Checked, Stop> {
        let record = Record::read(&RULES, &self.record.0)?;
        let template: Template = self.template.decode()?;
        let contracts: Vec<Contract> = self.contracts.iter().map(Hex::decode).collect::<Result<_, _>>()?;
        let contracts: Vec<&Contract> = contracts.iter().collect();
        let values = map(&RULES, &template, &record)?;
        let checked = checked_attributes(&contracts, &template);
        let opened: Opened = (0..).zip(values).filter(|(index, _)| checked.contains(index)).collect();
        let (role, issued, patient) = (role(&self.role)?, Time(self.issued), name(&self.patient)?);
        let facts = Facts { role, issued, patient };
        evaluate(&RULES, &contracts, &template, &opened, &facts).map_err(Refusal::from)?;
        Ok(Checked { checked: checked.into_iter().collect() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::*;
        let mut all = Vec::new();
        for (file, bytes) in SAMPLES {
            let input = under_shipped(bytes)?;
            let clause = rejected_by(input.evaluate(suite)).filter(|_| file.starts_with("broken-"));
            all.push(Case::new(*file, clause, input));
        }
        let condition = |more: &str| {
            format!(r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/1"}},{more}}}"#)
        };
        let code = |field: &str, system: &str, code: &str| {
            format!(
                r#""{field}":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-{system}","code":"{code}"}}]}}"#
            )
        };
        let clinical = |value: &str| code("clinicalStatus", "clinical", value);
        let mistaken = code("verificationStatus", "ver-status", "entered-in-error");
        let contradiction = format!("{},{mistaken}", clinical("active"));
        let period = r#""onsetPeriod":{"start":"2019-03-04","end":"2018-03-04"}"#;
        let dose = r#"{"resourceType":"Immunization","patient":{"reference":"Patient/1"},"status":"completed","vaccineCode":{"text":"flu"},"occurrenceDateTime":"2019-03-04","doseQuantity":{"value":-1}}"#;
        let prescription = r#"{"resourceType":"MedicationRequest","subject":{"reference":"Patient/1"},"status":"active","intent":"order","medicationCodeableConcept":{"text":"aspirin"}}"#;
        let short = condition(r#""onsetDateTime":"2019-03-04""#);
        let future = condition(r#""onsetDateTime":"2999-12-31""#);
        for (clause, comment, text) in [
            (None, "a short record", short.clone()),
            (Some(RequiredRule), "nothing that is required", condition(r#""abatementString":"better""#)),
            (Some(ValueSetRule), "a code outside of its set", condition(&clinical("unheard-of"))),
            (Some(NotInFutureRule), "what has not happened", future),
            (Some(DateOrderRule), "an end before the beginning", condition(period)),
            (Some(OneOfRule), "two that contradict each other", condition(&contradiction)),
            (Some(RangeRule), "a dose below zero", dose.to_owned()),
            (None, "a prescription by a doctor", prescription.to_owned()),
        ] {
            let fields: &[&str] = if clause == Some(RangeRule) { &["Quantity.value"] } else { &[] };
            let mut case = Case::new(comment, clause, under_shipped(text.as_bytes())?);
            case.about(fields);
            all.push(case);
        }
        let mut cases = Cases::of(suite, under_shipped(prescription.as_bytes())?);
        let assistant = |input: &mut ContractsInput| input.role = "assistant".to_owned();
        cases.invalid(SubmitterRule, "a prescription by an assistant", assistant);
        cases.given = under_shipped(short.as_bytes())?;
        cases
            .invalid(SubjectRule, "another patient", |input| input.patient = "Patient/2".to_owned())
            .about(&["InitialHeader.patient"]);
        all.extend(cases.all());
        comparisons(&mut all)
            .map_err(|error: serde_json::Error| Refusal::new(PolicyIsWellFormed).at(error.to_string()))?;
        Ok(all)
    }
}

/// A record under the shipped contracts, submitted by a doctor.
fn under_shipped(bytes: &[u8]) -> Result<ContractsInput, Refusal> {
    let (registry, record) = (shipped(), Record::read(&RULES, bytes)?);
    let template = template_for(&registry, &record)?;
    let contracts = registry.contracts_in_force(&template.id, Height(1));
    Ok(ContractsInput {
        record: bytes.into(),
        template: Hex::of(template),
        contracts: contracts.iter().map(|one| Hex::of(*one)).collect(),
        role: "doctor".to_owned(),
        // The instant of the shipped sample's runs.
        issued: START.0,
        patient: record.patient().as_str().to_owned(),
    })
}

/// Decimals and moments, one beside the other, under a contract of their own; records are issued when 2020 begins.
fn comparisons(cases: &mut Vec<Case<ContractsInput>>) -> Result<(), serde_json::Error> {
    let template = r#"{"id":"t","version":1,"resource":"Observation","effective":1,"attributes":[
        {"name":"subject","path":"subject","type":"patient"},
        {"name":"number","path":"valueDecimal","type":"decimal"},
        {"name":"from","path":"from","type":"date-time"},
        {"name":"to","path":"to","type":"date-time"}]}"#;
    let template: Template = serde_json::from_str(template)?;
    let mut add = |clause: Clause, holds: bool, comment: String, members: String, rule: &str| {
        let contract = format!(
            r#"{{"id":"c","version":1,"effective":1,"templates":["t"],"readers":["doctor"],"rules":[{{"check":{rule}}}]}}"#
        );
        let contract: Contract = serde_json::from_str(&contract)?;
        let input = ContractsInput {
            record: format!(r#"{{"resourceType":"Observation",{members}}}"#).as_bytes().into(),
            template: Hex::of(&template),
            contracts: vec![Hex::of(&contract)],
            role: "doctor".to_owned(),
            issued: 1_577_836_800_000,
            patient: "unknown".to_owned(),
        };
        cases.push(Case::new(comment, (!holds).then_some(clause), input));
        Ok::<(), serde_json::Error>(())
    };
    for (number, bound, inclusive, holds) in NUMBERS {
        let rule = format!(
            r#"{{"range":{{"attribute":"number","high":{{"value":"{bound}","inclusive":{inclusive}}}}}}}"#
        );
        let comment = format!("{number} {} {bound}", if *inclusive { "<=" } else { "<" });
        add(Clause::RangeRule, *holds, comment, format!(r#""valueDecimal":{number}"#), &rule)?;
    }
    for (from, to, holds) in SPANS {
        let members = format!(r#""from":"{from}","to":"{to}""#);
        let rule = r#"{"date-order":{"earlier":"from","later":"to"}}"#;
        add(Clause::DateOrderRule, *holds, format!("{from} before {to}"), members, rule)?;
    }
    for (moment, holds) in MOMENTS {
        let (members, rule) = (format!(r#""from":"{moment}""#), r#"{"not-future":{"attribute":"from"}}"#);
        add(Clause::NotInFutureRule, *holds, (*moment).to_owned(), members, rule)?;
    }
    Ok(())
}

/// Number, upper bound, whether that is inclusive, whether the rule holds.
const NUMBERS: &[(&str, &str, bool, bool)] = &[
    ("1", "1.0", true, true),
    ("1", "1.0", false, false),
    ("-0", "0", true, true),
    ("1e-1", "0.1", true, true),
    ("9.99", "10", false, true),
    ("10", "9.99", true, false),
    ("-10", "-9.99", true, true),
    ("1e999999999", "1e999999998", true, false),
    ("-1e999999999", "1e-999999999", true, true),
    ("0.00000000000000000000000000000000000000001", "0", true, false),
    ("100E-2", "1", true, true),
    ("12345678901234567890.1", "12345678901234567890.2", false, true),
];

/// Beginning, end, whether they are in order.
const SPANS: &[(&str, &str, bool)] = &[
    ("2019", "2019-06", true),
    ("2019-06", "2019", true),
    ("2020", "2019", false),
    ("2019-06-02", "2019-06-01", false),
    ("2019-06-02", "2019-06-01T23:00:00Z", true),
    ("2019-06-03", "2019-06-01T23:00:00Z", false),
    ("2019-06-01T10:00:00Z", "2019-06-01T12:00:00+02:00", true),
    ("2019-06-01T10:00:01Z", "2019-06-01T12:00:00+02:00", false),
    ("2019-06-01T10:00:00.5Z", "2019-06-01T10:00:00Z", true),
    ("2019-06-01T10:00:00.51Z", "2019-06-01T10:00:00.5Z", true),
    ("2019-06-01T10:00:00.60Z", "2019-06-01T10:00:00.5Z", false),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", true),
];

/// Moments, and whether they are not in the future.
const MOMENTS: &[(&str, bool)] = &[
    ("2020", true),
    ("2021", false),
    ("2020-01-01", true),
    ("2020-01-02", false),
    ("2020-01-01T00:00:00Z", true),
    ("2020-01-01T00:00:01Z", false),
    ("2020-01-01T14:00:00+14:00", true),
    ("2019-12-31T23:00:00-01:00", true),
    ("2019-12-31T23:00:01-01:00", false),
];
