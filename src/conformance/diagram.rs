//! Sequence diagrams of traces, as Mermaid.

use crate::conformance::TraceStep;
use std::fmt::Write;

/// The steps that tell the story of transactions: messages inside sessions, decisions, blocks; no handshakes, no
/// turns, and of what everybody hears only what the BSD and the cloud make of it.
pub fn story(steps: &[TraceStep]) -> Vec<&TraceStep> {
    let heard = |step: &&TraceStep| {
        matches!(step.event.as_str(), "BlockArrived" | "Block" | "CloudHead" | "AuditHead" | "Decision")
    };
    let dull = |step: &&TraceStep| {
        matches!(
            step.event.as_str(),
            "Hello" | "Response" | "Finish" | "Turn" | "Retry" | "Closing" | "Proposal" | "BlocksFrom"
        )
    };
    let told = |step: &&TraceStep| !heard(step) || step.event == "BlockArrived" && !step.sends.is_empty();
    steps.iter().filter(|step| !dull(step) && told(step)).collect()
}

/// A Mermaid sequence diagram of these steps; a refused step is crossed and names its clause.
pub fn sequence<'a>(steps: impl IntoIterator<Item = &'a TraceStep>) -> String {
    let steps: Vec<&TraceStep> = steps.into_iter().collect();
    let mut names: Vec<&str> = Vec::new();
    for step in &steps {
        for name in step.from.iter().chain([&step.actor]).map(|name| name.as_str()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let mut out = String::from("sequenceDiagram\n");
    for name in &names {
        writeln!(out, "    participant {} as {name}", alias(name)).expect("a string grows");
    }
    for step in steps {
        let actor = alias(step.actor.as_str());
        match (&step.from, &step.clause) {
            (Some(from), None) => writeln!(out, "    {}->>{actor}: {}", alias(from.as_str()), step.event),
            (Some(from), Some(clause)) => {
                writeln!(
                    out,
                    "    {}-x{actor}: {} ({} {clause})",
                    alias(from.as_str()),
                    step.event,
                    step.verdict
                )
            }
            (None, None) => writeln!(out, "    Note over {actor}: {}", step.event),
            (None, Some(clause)) => {
                writeln!(out, "    Note over {actor}: {} ({} {clause})", step.event, step.verdict)
            }
        }
        .expect("a string grows");
    }
    out
}

/// Mermaid takes letters, digits and underscores as an alias.
fn alias(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
