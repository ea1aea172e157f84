//! Out of nothing: what is declared is enough to begin with, where no corpus is.

use bemr::records::{PolicyRegistry, RESOURCE_TYPES, Record, map};
use bemr::wire::{Height, Name};
use bemr_fuzz::canaries::canaries;
use bemr_fuzz::engine::explore;
use bemr_fuzz::{Dice, grow, target};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_spec::Rules;
use std::collections::BTreeMap;

#[test]
fn a_resource_of_every_type_grows_and_its_template_mostly_maps_it() {
    let (rules, registry) = (Rules::hardened(), PolicyRegistry::shipped(Name::new("net").unwrap()));
    let (mut grown, mut mapped): (BTreeMap<String, u32>, u32) = (BTreeMap::new(), 0);
    const ALL: u64 = 1_000;
    for seed in 0..ALL {
        let bytes = grow::resource(&mut Dice::new(seed));
        let record = Record::read(&rules, &bytes).unwrap();
        *grown.entry(record.resource_type().to_owned()).or_default() += 1;
        let template = registry.template_for(record.resource_type(), Height(1)).unwrap();
        mapped += u32::from(map(&rules, template, &record).is_ok());
    }
    assert_eq!(grown.len(), RESOURCE_TYPES.len(), "{grown:?}");
    assert!(u64::from(mapped) > 2 * ALL / 3, "{mapped} of {ALL} are mapped");
}

#[test]
fn a_life_grows_that_is_a_trace_and_agrees() {
    let mut steps = 0;
    for seed in 0..20 {
        let bytes = grow::life(&mut Dice::new(seed));
        let trace = Trace::read(bytes.as_slice()).unwrap();
        assert!(matches!(rerun(&trace), Replay::Agrees { .. }), "seed {seed}: {:?}", rerun(&trace));
        steps += trace.steps.len();
    }
    assert!(steps > 20, "{steps} steps");
}

#[test]
fn what_is_planted_where_the_input_is_a_record_or_a_trace_is_found_from_nothing() {
    for canary in canaries().filter(|canary| ["records", "traces"].contains(&canary.target)) {
        let target = target(canary.target).unwrap();
        let run = explore(target, &(canary.subject)(), &[], 1, |executed| executed < 10_000);
        assert!(run.found.is_some(), "{}: not found", canary.name);
    }
}
