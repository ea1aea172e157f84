use super::*;
use crate::wire::{Height, Name, Role, Time};
use bemr_spec::Rules;

#[test]
fn scratch() {
    let registry = PolicyRegistry::shipped(Name::new("net").unwrap());
    let rules = Rules::hardened();
    let mut files: Vec<_> =
        std::fs::read_dir("/work/shared/data/fhir-r4").unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let record = match Record::read(&rules, &bytes) {
            Ok(r) => r,
            Err(e) => {
                println!("{name}: {e}");
                continue;
            }
        };
        let template = registry.template_for(record.resource_type(), Height(1)).unwrap();
        let policy = registry.policy_in_force(&template.id, Height(1)).unwrap();
        let values = match map(&rules, template, &record) {
            Ok(r) => r,
            Err(e) => {
                println!("{name}: {e}");
                continue;
            }
        };
        let opened: Opened =
            policy.checked_attributes().into_iter().map(|i| (i, values[usize::from(i)].clone())).collect();
        let facts = Facts { role: Role::Doctor, issued: Time(1_790_000_000_000), patient: record.patient() };
        match policy.evaluate(&rules, &opened, &facts) {
            Ok(()) => println!(
                "{name}: ok {} {}/{} of {}",
                record.patient(),
                opened.values().flatten().count(),
                opened.len(),
                values.iter().flatten().count()
            ),
            Err(e) => println!("{name}: {e}"),
        }
    }
}
