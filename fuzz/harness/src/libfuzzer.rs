//! What the files in `fuzz/fuzz_targets` call.
//!
//! A bug of [`crate::canaries`] is put in where `BEMR_CANARY` names one when this is compiled: a build without it has none.

use crate::canaries::canary;
use crate::{Dice, Seen, Subject, Target};
use std::sync::LazyLock;

static PRODUCT: Subject = Subject::product();

/// In the place of the name of a bug: nothing is executed. What that costs is the engine's.
pub const NOTHING: &str = "nothing";

/// Executes an input.
///
/// # Panics
/// Where something is wrong.
pub fn run(target: &Target, input: &[u8]) {
    // Known when this is compiled, so that what is not asked for is not in the binary.
    match option_env!("BEMR_CANARY") {
        None => (target.run)(&PRODUCT, input, &mut Seen::ignoring()),
        Some(NOTHING) => {}
        Some(name) => {
            static SUBJECT: LazyLock<Option<Subject>> = LazyLock::new(|| {
                let planted = option_env!("BEMR_CANARY").and_then(canary);
                planted.map(|canary| (canary.subject)())
            });
            let subject = SUBJECT.as_ref().unwrap_or_else(|| panic!("{name}: no such planted bug"));
            (target.run)(subject, input, &mut Seen::ignoring());
        }
    }
}

/// Whether the engine's own mutation is as good for this input: it is much faster where bytes are bytes.
pub const fn is_left_to_the_engine(target: &Target, seed: u32) -> bool {
    target.plain && !seed.is_multiple_of(8)
}

/// Puts a mutant of the first `size` bytes of `data` in their place; gives its size, at most `most` and all of `data`.
pub fn mutate(target: &Target, data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let input = data.get(..size).unwrap_or_default();
    let made = (target.mutate)(&mut Dice::new(seed.into()), input, input);
    put(&made, data, most)
}

/// Puts a mutant of the first input, with something of the second in it, into `out`; gives its size.
pub fn cross(target: &Target, first: &[u8], second: &[u8], out: &mut [u8], seed: u32) -> usize {
    if is_left_to_the_engine(target, seed) {
        // The beginning of one and the end of the other.
        let cut = |input: &[u8], by: u32| by as usize % (input.len() + 1);
        let (head, tail) = (&first[..cut(first, seed >> 3)], &second[cut(second, seed >> 15)..]);
        let most = out.len();
        let size = put(head, out, most);
        return size + put(tail, &mut out[size..], most - size);
    }
    let made = (target.mutate)(&mut Dice::new(seed.into()), first, second);
    let most = out.len();
    put(&made, out, most)
}

fn put(made: &[u8], out: &mut [u8], most: usize) -> usize {
    let size = made.len().min(most).min(out.len());
    out[..size].copy_from_slice(&made[..size]);
    size
}
