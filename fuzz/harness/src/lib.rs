//! What the fuzz targets do: each a function of bytes that panics where something is wrong, with a mutator that knows what the
//! bytes say, seeds, and bugs to be found.
//!
//! No fuzzing engine is in here: libFuzzer calls these functions from `fuzz/fuzz_targets`, [`engine`] on a stable compiler, and
//! the tests replay the corpus with them. They keep nothing from one input to the next but what is made once and the same each
//! time.

pub mod campaign;
pub mod canaries;
mod cargo_fuzz;
pub mod corpus;
pub mod dice;
pub mod dictionary;
pub mod engine;
pub mod grow;
pub mod kept;
pub mod libfuzzer;
pub mod merge;
pub mod mutate;
pub mod pool;
pub mod seeds;
pub mod seen;
pub mod speed;
pub mod subject;
pub mod targets;

pub use dice::Dice;
pub use seen::Seen;
pub use subject::Subject;
pub use targets::{TARGETS, Target, target};
