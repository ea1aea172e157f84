//! Traces from anybody: what is read is written again as it was, and whoever runs it again gets an answer.

use crate::{Seen, Subject};
use bemr_lab::trace::{Flaw, Replay, Trace, rerun};

/// The most steps of a trace that is run again here, and the most validators: what takes long shows nothing more.
const MOST_STEPS: usize = 60;
const MOST_VALIDATORS: u8 = 7;

/// Read, written, run again.
pub(super) fn run(subject: &Subject, input: &[u8], seen: &mut Seen) {
    match subject.read_trace.unwrap_or(|bytes| Trace::read(bytes))(input) {
        Ok(trace) => {
            assert!(trace.to_bytes() == input, "read, and written otherwise");
            if trace.steps.len() > MOST_STEPS || trace.header.setup.validators > MOST_VALIDATORS {
                return;
            }
            // A trace can tell what did not happen: that is no fault.
            match rerun(&trace) {
                Replay::Agrees { steps, both } => seen.note((steps, both)),
                Replay::Diverges { step, difference } => {
                    seen.note((step, difference.chars().take(24).collect::<String>()));
                }
                Replay::NotCompared => seen.note("not compared"),
            }
            trace.steps.iter().filter_map(|step| step.clause).for_each(|clause| seen.refused(clause.id()));
        }
        Err(error) => {
            assert!(!error.problem.is_empty() && !error.to_string().contains('\n'));
            let field: String = error.field.chars().filter(|c| !c.is_ascii_digit()).take(40).collect();
            seen.note((
                error.flaw == Flaw::Inconsistent,
                field,
                error.problem.chars().take(12).collect::<String>(),
            ));
        }
    }
}
