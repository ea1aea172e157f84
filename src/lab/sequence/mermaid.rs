//! A trace as a Mermaid sequence diagram.

use super::{published, refusal, taking_part, what};
use crate::trace::{Header, Step};
use bemr_model::{Action, Actor};
use bemr_spec::Event;
use std::fmt::Write;

/// The steps of transactions: without handshakes, and of rounds and broadcasts only those that cause messages.
pub fn of_transactions(steps: &[Step]) -> Vec<&Step> {
    let shown = |step: &&Step| match step.event {
        Event::Hello | Event::Response | Event::Finish | Event::Wake => false,
        Event::ProposalArrived | Event::BlockRangeRequested | Event::Pass => false,
        Event::TurnCame | Event::BlockArrived | Event::CloudHeadArrived => !step.sends.is_empty(),
        Event::AuditHeadArrived | Event::DecisionArrived => !step.sends.is_empty(),
        _ => !matches!(step.action, Action::Command { .. }),
    };
    steps.iter().filter(shown).collect()
}

/// These steps as a Mermaid sequence diagram; a refused one is crossed and names its clause. A broadcast is a note.
pub fn mermaid<'a>(header: &Header, steps: impl IntoIterator<Item = &'a Step>) -> String {
    let steps: Vec<&Step> = steps.into_iter().filter(|step| step.actor.is_some()).collect();
    let mut out = String::from("sequenceDiagram\n");
    let alias = |actor: Actor| alias(&header.name(actor));
    for actor in taking_part(header, steps.iter().copied()) {
        line(&mut out, format_args!("participant {} as {}", alias(actor), header.name(actor)));
    }
    for step in steps {
        let Some(actor) = step.actor.map(alias) else { continue };
        let label = match refusal(step) {
            Some(refusal) => format!("{} ({refusal})", what(step)),
            None => what(step),
        };
        match step.from {
            Some(from) => {
                let arrow = if step.clause.is_none() { "->>" } else { "-x" };
                line(&mut out, format_args!("{}{arrow}{actor}: {label}", alias(from)));
            }
            None => line(&mut out, format_args!("Note over {actor}: {label}")),
        }
        for message in published(step) {
            line(&mut out, format_args!("Note over {actor}: broadcast: {message}"));
        }
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "    {text}").expect("a string grows");
}

/// An alias in Mermaid has letters, digits and underscores only.
fn alias(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
