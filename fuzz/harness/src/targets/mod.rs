//! The targets. Each has a file in `fuzz/fuzz_targets` of its name, which says nothing but that.

mod arithmetic;
mod decoders;
mod lockstep;
mod proofs;
mod records;
mod recovery;
mod store_file;
mod traces;

pub(crate) use decoders::tables;
pub use decoders::{codec_of, tag_of};
pub use lockstep::{as_trace, clauses_of};
pub use recovery::{Kept, kept};

use crate::{Dice, Seen, Subject, mutate};

/// A function of bytes in which something can go wrong, and what an engine needs to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its file and of the folder of its corpus.
    pub name: &'static str,
    /// Executes an input. Panics where something is wrong.
    pub run: fn(&Subject, &[u8], &mut Seen),
    /// Another input made of one, and now and then of a second.
    pub mutate: fn(&mut Dice, &[u8], &[u8]) -> Vec<u8>,
    /// How many inputs the smoke test makes and executes.
    pub smoke: u64,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "arithmetic", run: arithmetic::run, mutate: mutate::bytes, smoke: 2_000 },
    Target { name: "decoders", run: decoders::run, mutate: mutate::coded, smoke: 100_000 },
    Target { name: "lockstep", run: lockstep::run, mutate: mutate::script, smoke: 300 },
    Target { name: "proofs", run: proofs::run, mutate: mutate::bytes, smoke: 5_000 },
    Target { name: "records", run: records::run, mutate: mutate::json, smoke: 3_000 },
    Target { name: "recovery", run: recovery::run, mutate: mutate::bytes, smoke: 1_000 },
    Target { name: "store_file", run: store_file::run, mutate: mutate::bytes, smoke: 50 },
    Target { name: "tables", run: decoders::compare, mutate: mutate::coded, smoke: 20_000 },
    Target { name: "traces", run: traces::run, mutate: mutate::lines, smoke: 300 },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
