//! A trace as a Mermaid sequence diagram.

use super::{Shown, drawn, published, refusal, taking_part, what};
use crate::trace::{Step, Told, Trace};
use bemr_model::{Action, Actor};
use bemr_spec::Event;
use std::fmt::Write;

/// The steps of transactions: without handshakes, and of rounds and broadcasts only those that cause messages.
fn is_of_a_transaction(step: &Step) -> bool {
    match step.event {
        Event::Hello | Event::Response | Event::Finish | Event::Wake => false,
        Event::ProposalArrived | Event::BlockRangeRequested | Event::Pass => false,
        Event::TurnCame | Event::BlockArrived | Event::CloudHeadArrived => !step.sends.is_empty(),
        Event::AuditHeadArrived | Event::DecisionArrived => !step.sends.is_empty(),
        _ => !matches!(step.action, Action::Command { .. }),
    }
}

/// The trace as a Mermaid sequence diagram; a refused step is crossed and names its clause. A broadcast is a note.
pub fn mermaid(trace: &Trace) -> String {
    diagram(trace, drawn(trace))
}

/// The steps of transactions as a Mermaid sequence diagram, by the names of the messages alone: of one record there is
/// nothing to tell apart.
pub(super) fn of_transactions(trace: &Trace) -> String {
    let named = |step: &Step| step.sends.iter().map(|send| send.message.clone()).collect();
    let steps = trace.steps.iter().filter(|step| step.actor.is_some() && is_of_a_transaction(step));
    diagram(trace, steps.map(|step| (step, Told { sends: named(step), ..Told::default() })).collect())
}

fn diagram(trace: &Trace, steps: Vec<Shown<'_>>) -> String {
    let header = &trace.header;
    let mut out = String::from("sequenceDiagram\n");
    let alias = |actor: Actor| alias(&header.name(actor));
    for actor in taking_part(header, steps.iter().map(|(step, _)| *step)) {
        line(&mut out, format_args!("participant {} as {}", alias(actor), header.name(actor)));
    }
    for shown in &steps {
        let step = shown.0;
        let Some(actor) = step.actor.map(alias) else { continue };
        let label = escaped(&match refusal(step) {
            Some(refusal) => format!("{} ({refusal})", what(shown)),
            None => what(shown),
        });
        match step.from {
            Some(from) => {
                let arrow = if step.clause.is_none() { "->>" } else { "-x" };
                line(&mut out, format_args!("{}{arrow}{actor}: {label}", alias(from)));
            }
            None => line(&mut out, format_args!("Note over {actor}: {label}")),
        }
        for message in published(shown) {
            line(&mut out, format_args!("Note over {actor}: broadcast: {}", escaped(message)));
        }
    }
    out
}

/// In Mermaid a number sign begins an entity, and a semicolon ends a statement.
fn escaped(text: &str) -> String {
    text.replace(';', ",").replace('#', "#35;")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "    {text}").expect("a string grows");
}

/// An alias in Mermaid has letters, digits and underscores only.
fn alias(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
