//! A trace as lines for a terminal.

use super::{Shown, drawn, fault, refusal, what};
use crate::trace::Trace;
use std::fmt::Write;

/// A line for each step: number, time, who sent it to whom, what it was, verdict and clause, and what it was answered
/// with.
pub fn text(trace: &Trace) -> String {
    let header = &trace.header;
    let name = |actor| header.name(actor);
    let steps = drawn(trace);
    let widest = |of: fn(&crate::trace::Step) -> Option<bemr_model::Actor>| {
        steps.iter().filter_map(|(step, _)| of(step)).map(|actor| name(actor).len()).max().unwrap_or(0)
    };
    let (from_width, to_width) = (widest(|step| step.from), widest(|step| step.actor));
    let what_width = steps.iter().map(|shown| what(shown).chars().count()).max().unwrap_or(0);
    let number_width = steps.last().map_or(1, |(step, _)| step.step.to_string().len());
    let time_width = steps.last().map_or(1, |(step, _)| step.time.to_string().len());
    let mut out = String::new();
    for shown in &steps {
        let step = shown.0;
        let from = step.from.map_or_else(String::new, name);
        let arrow = match (step.from, step.clause) {
            (None, _) => "   ",
            (Some(_), None) => "-->",
            (Some(_), Some(_)) => "--x",
        };
        let to = step.actor.map_or_else(String::new, name);
        let mut line = format!(
            "{:>number_width$}  {:>time_width$} ms  {from:>from_width$} {arrow} {to:to_width$}  {:what_width$}",
            step.step,
            step.time,
            what(shown),
        );
        let said = refusal(step).unwrap_or_default();
        write!(line, "  {said:13}").expect("a string grows");
        if let Some(fault) = fault(step) {
            write!(line, "  [{fault}]").expect("a string grows");
        }
        let sends = sends(trace, shown);
        if !sends.is_empty() {
            write!(line, "  sends {sends}").expect("a string grows");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// What a step sends; the same message to several is said once.
pub(super) fn sends(trace: &Trace, (step, told): &Shown<'_>) -> String {
    let mut said: Vec<(&str, Vec<(String, usize)>)> = Vec::new();
    for (send, label) in step.sends.iter().zip(&told.sends) {
        let to = send.to.map_or_else(|| "all".to_owned(), |to| trace.header.name(to));
        match said.last_mut() {
            Some((message, receivers)) if message == label => match receivers.last_mut() {
                Some((last, times)) if *last == to => *times += 1,
                _ => receivers.push((to, 1)),
            },
            _ => said.push((label, vec![(to, 1)])),
        }
    }
    let to = |(name, times): &(String, usize)| match times {
        1 => name.clone(),
        times => format!("{name} ({times} times)"),
    };
    let one = |(message, receivers): &(&str, Vec<(String, usize)>)| {
        format!("{message} to {}", receivers.iter().map(to).collect::<Vec<_>>().join(", "))
    };
    said.iter().map(one).collect::<Vec<_>>().join("; ")
}
