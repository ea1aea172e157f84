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
pub(crate) use records::registry;
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
    /// Whether an input of which any bytes were changed still says something.
    pub plain: bool,
    /// How many inputs the smoke test makes and executes.
    pub smoke: u64,
}

macro_rules! targets {
    ($($constant:ident: $name:literal, $run:path, $mutate:path, $plain:literal, $smoke:literal;)*) => {
        $(
            #[doc = concat!("The target `", $name, "`.")]
            pub const $constant: Target =
                Target { name: $name, run: $run, mutate: $mutate, plain: $plain, smoke: $smoke };
        )*

        /// All of them.
        pub const TARGETS: &[Target] = &[$($constant),*];
    };
}

targets! {
    ARITHMETIC: "arithmetic", arithmetic::run, mutate::bytes, true, 2_000;
    DECODERS: "decoders", decoders::run, mutate::coded, true, 100_000;
    LOCKSTEP: "lockstep", lockstep::run, mutate::script, false, 300;
    PROOFS: "proofs", proofs::run, mutate::bytes, true, 5_000;
    RECORDS: "records", records::run, mutate::json, true, 3_000;
    RECOVERY: "recovery", recovery::run, mutate::bytes, true, 1_000;
    STORE_FILE: "store_file", store_file::run, mutate::bytes, true, 50;
    TABLES: "tables", decoders::compare, mutate::coded, true, 20_000;
    TRACES: "traces", traces::run, mutate::lines, false, 300;
}

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
