//! The trace of a life that nobody told.

use crate::mutate::script;
use crate::targets::as_trace;
use crate::{Dice, Subject};

/// The most steps: of longer ones only the beginning is told.
const MOST_STEPS: usize = 24;

/// The trace of a short life, as the writer writes it.
pub fn life(dice: &mut Dice) -> Vec<u8> {
    let told = script(dice, &[], &[]);
    let (mut trace, _) = as_trace(&Subject::product(), &told);
    trace.steps.truncate(dice.below(MOST_STEPS + 1));
    trace.to_bytes()
}
