//! What the files in `fuzz/fuzz_targets` call.
//!
//! A bug of [`crate::canaries`] is put in where `BEMR_CANARY` names one when this is compiled: a build without it has none.

use crate::canaries::canary;
use crate::{Dice, Seen, Subject, target};
use std::sync::LazyLock;

/// The bug that was asked for when this was compiled.
const CANARY: Option<&str> = option_env!("BEMR_CANARY");

/// Executes an input of the target of this name.
///
/// # Panics
/// Where something is wrong.
pub fn run(name: &str, input: &[u8]) {
    static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
        let planted = CANARY.map(|name| canary(name).expect("BEMR_CANARY names a canary"));
        planted.map_or_else(Subject::product, |canary| (canary.subject)())
    });
    let target = target(name).expect("a test says that every file is named for a target");
    (target.run)(&SUBJECT, input, &mut Seen::ignoring());
}

/// Puts a mutant of the first `size` bytes of `data` in their place; gives its size, at most `most` and all of `data`.
///
/// # Panics
/// For a name that is none of a target.
pub fn mutate(name: &str, data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let target = target(name).expect("a test says that every file is named for a target");
    let input = data.get(..size).unwrap_or_default();
    let made = (target.mutate)(&mut Dice::new(seed.into()), input, input);
    put(&made, data, most)
}

/// Puts a mutant of the first input, with something of the second in it, into `out`; gives its size.
///
/// # Panics
/// For a name that is none of a target.
pub fn cross(name: &str, first: &[u8], second: &[u8], out: &mut [u8], seed: u32) -> usize {
    let target = target(name).expect("a test says that every file is named for a target");
    let made = (target.mutate)(&mut Dice::new(seed.into()), first, second);
    let most = out.len();
    put(&made, out, most)
}

fn put(made: &[u8], out: &mut [u8], most: usize) -> usize {
    let size = made.len().min(most).min(out.len());
    out[..size].copy_from_slice(&made[..size]);
    size
}
