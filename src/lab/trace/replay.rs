//! Runs a trace again: what was recorded by the lockstep on model and implementation, what was recorded by anything else on
//! the model alone, which explains it or names the first step that it cannot explain.

use crate::trace::{Step, Trace};
use bemr_model::{Happened, Output};
use serde::Serialize;

/// How a trace compares with what model and implementation do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "rerun", rename_all = "snake_case")]
pub enum Replay {
    /// Every step agrees with the trace.
    Agrees {
        /// How many steps.
        #[serde(rename = "rerun_steps")]
        steps: usize,
        /// Whether the implementation did them too, or the model alone.
        both: bool,
    },
    /// This step diverges.
    Diverges {
        /// Its number.
        step: u64,
        /// What is different.
        difference: String,
    },
    /// Nobody ran it again: this program was built without the model's side.
    NotCompared,
}

/// What differs between a line of the trace and what happened; nothing when they agree.
fn difference(step: &Step, happened: &Happened) -> Option<String> {
    if step.clause != happened.clause {
        let id = |clause: Option<bemr_spec::Clause>| clause.map_or("taken", bemr_spec::Clause::id);
        return Some(format!("the trace: {}, again: {}", id(step.clause), id(happened.clause)));
    }
    if step.event != happened.event {
        return Some(format!("the trace: {}, again: {}", step.event, happened.event));
    }
    if step.time != happened.time {
        return Some(format!("the trace: at {} ms, again: at {} ms", step.time, happened.time));
    }
    if step.place != happened.place {
        return Some(format!("the trace: at {:?}, again: at {:?}", step.place, happened.place));
    }
    if step.opened != happened.opened {
        return Some(format!("the trace: opens {:?}, again: {:?}", step.opened, happened.opened));
    }
    let mut told: Vec<_> = step.sends.iter().map(|send| (send.to, send.message.as_str())).collect();
    let mut sent: Vec<_> = happened.sends.iter().map(|output| (output.to(), output.name())).collect();
    if told == sent {
        return None;
    }
    told.sort_unstable();
    sent.sort_unstable();
    (told != sent).then(|| format!("the trace: sends {told:?}, again: {sent:?}"))
}

/// What happened, in the order in which the trace tells what was sent.
pub(super) fn in_told_order(step: &Step, sends: Vec<Output>) -> Vec<Output> {
    let mut left = sends;
    let told = step.sends.iter().filter_map(|send| {
        let this = |output: &Output| output.to() == send.to && output.name() == send.message;
        let place = left.iter().position(this)?;
        Some(left.remove(place))
    });
    told.collect()
}

/// Does what the trace says on model and implementation, and compares what happens with what it tells. The rules in its
/// header are left aside.
pub fn rerun_beside(sides: impl Into<crate::lockstep::Sides>, trace: &Trace) -> Replay {
    use crate::lockstep::Lockstep;

    let part = |step: &Step, difference: String| Replay::Diverges { step: step.step, difference };
    let Ok(both) = Lockstep::new(sides, &trace.header.setup) else { return Replay::NotCompared };
    let mut both = both.as_recorded();
    for step in &trace.steps {
        match both.step(&step.action) {
            Err(divergence) => return part(step, divergence.to_string()),
            Ok(None) => return part(step, "it cannot be done then".to_owned()),
            Ok(Some((_, happened))) => {
                if let Some(difference) = difference(step, &happened) {
                    return part(step, difference);
                }
            }
        }
    }
    match both.check() {
        Err(divergence) => {
            Replay::Diverges { step: trace.steps.len() as u64, difference: divergence.to_string() }
        }
        Ok(()) => Replay::Agrees { steps: trace.steps.len(), both: true },
    }
}

/// Does what the trace says, and compares what happens.
pub fn rerun(trace: &Trace) -> Replay {
    use bemr_model::Execution;
    use bemr_spec::Rules;

    let header = &trace.header;
    let rules = header.rules.iter().fold(Rules::hardened(), |rules, clause| rules.without(*clause));
    let part = |step: &Step, difference: String| Replay::Diverges { step: step.step, difference };
    // A run of real records has names; the implementation cannot be given the same bytes again.
    if header.principals.is_empty() && header.suite == bemr::crypto::Suite::Tiny.name() {
        return rerun_beside(rules, trace);
    }
    let mut model = Execution::new(rules, &header.setup);
    for step in &trace.steps {
        let Some(happened) = model.perform(&step.action) else {
            return part(step, "the model cannot do it then".to_owned());
        };
        if let Some(difference) = difference(step, &happened) {
            return part(step, difference);
        }
        let actor = happened.actor;
        model.dispatch(actor, &in_told_order(step, happened.sends));
    }
    Replay::Agrees { steps: trace.steps.len(), both: false }
}

/// Does nothing: the other side is not built.
#[cfg(not(bemr_weaken))]
pub fn rerun(trace: &Trace) -> Replay {
    let _ = (
        trace,
        difference as fn(&Step, &Happened) -> Option<String>,
        in_told_order as fn(&Step, Vec<Output>) -> Vec<Output>,
    );
    Replay::NotCompared
}
