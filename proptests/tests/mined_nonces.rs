//! Kept runs under proof of work do not hang on the bytes of a block.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr_lab::trace::{Replay, Trace, rerun_beside};
use bemr_model::Action;
use bemr_spec::Rules;
use std::path::Path;

fn mines(trace: &Trace) -> bool {
    trace.steps.iter().any(|step| matches!(step.action, Action::Wake { found: Some(_), .. }))
}

/// The kept traces in which somebody mines a block.
fn mined() -> Vec<(String, Trace)> {
    let mut mined = Vec::new();
    for folder in ["traces", "killers"] {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let trace = Trace::read(std::fs::read(&path).unwrap().as_slice()).unwrap();
                mined.push((path.display().to_string(), trace));
            }
        }
    }
    mined.retain(|(_, trace)| mines(trace));
    mined
}

#[test]
fn a_kept_run_goes_as_recorded_with_other_keys_and_so_with_other_bytes_in_every_block() {
    let mined = mined();
    assert!(mined.len() >= 5, "{}", mined.len());
    for (name, trace) in mined {
        for seed in 100..104 {
            let mut other = trace.clone();
            other.header.setup.seed = seed;
            let replay = rerun_beside(Rules::hardened(), &other);
            let goes = match &replay {
                // A killer goes as recorded up to the step at which its clause refuses something.
                Replay::Diverges { step, .. } => {
                    !trace.header.rules.is_empty() && *step == trace.steps.len() as u64
                }
                Replay::Agrees { .. } => true,
                Replay::NotCompared => false,
            };
            assert!(goes, "{name}, seed {seed}: {replay:?}");
        }
    }
}
