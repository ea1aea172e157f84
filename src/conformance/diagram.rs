//! Sequence diagrams of traces, as Mermaid.

use crate::conformance::TraceStep;
use crate::wire::Name;
use std::fmt::Write;

/// The steps that tell the story of transactions: no handshakes, and of turns and of what everybody hears only those
/// that somebody makes something of.
pub fn story(steps: &[TraceStep]) -> Vec<&TraceStep> {
    let told = |step: &&TraceStep| match step.event.as_str() {
        "Hello" | "Response" | "Finish" | "Retry" | "Proposal" | "BlocksFrom" => false,
        "Turn" | "BlockArrived" | "Block" | "CloudHead" | "AuditHead" | "Decision" => !step.sends.is_empty(),
        _ => true,
    };
    steps.iter().filter(told).collect()
}

/// A Mermaid sequence diagram of these steps, the participants in this order; a refused step is crossed and names its
/// clause. What an actor sends to everybody is a note.
pub fn sequence<'a>(order: &[Name], steps: impl IntoIterator<Item = &'a TraceStep>) -> String {
    let steps: Vec<&TraceStep> = steps.into_iter().collect();
    let takes_part =
        |name: &&Name| steps.iter().any(|step| step.actor == **name || step.from.as_ref() == Some(name));
    let mut out = String::from("sequenceDiagram\n");
    for name in order.iter().filter(takes_part) {
        line(&mut out, format_args!("participant {} as {name}", alias(name)));
    }
    for step in steps {
        let (actor, what) = (alias(&step.actor), message(&step.event));
        let said = match &step.clause {
            Some(clause) => format!("{what} ({} {clause})", step.verdict),
            None => what.to_owned(),
        };
        match &step.from {
            Some(from) => {
                let arrow = if step.clause.is_none() { "->>" } else { "-x" };
                line(&mut out, format_args!("{}{arrow}{actor}: {said}", alias(from)));
            }
            None => line(&mut out, format_args!("Note over {actor}: {said}")),
        }
        for message in published(step) {
            line(&mut out, format_args!("Note over {actor}: to everybody: {message}"));
        }
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "    {text}").expect("a string grows");
}

fn published(step: &TraceStep) -> impl Iterator<Item = &str> {
    step.sends.iter().filter(|send| send.to.is_none()).map(|send| send.message.as_str())
}

/// What arrived when an event of a state machine happened.
fn message(event: &str) -> &str {
    match event {
        "InitialArrived" => "T_initial",
        "BlockRequestArrived" => "T_block",
        "ValidArrived" => "T_valid",
        "ReadArrived" => "ReadRequest",
        "RecordArrived" => "ReadResponse",
        other => other.strip_suffix("Arrived").unwrap_or(other),
    }
}

/// Mermaid takes letters, digits and underscores as an alias.
fn alias(name: &Name) -> String {
    name.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
