//! Traces as sequence diagrams: text, Mermaid, SVG and HTML.
//!
//! An arrow is a received message; a crossed one was refused, by the clause beside it.

mod html;
mod mermaid;
mod one_record;
mod page_of_runs;
mod player;
mod svg;
mod text;

pub use html::html;
pub use mermaid::mermaid;
use mermaid::of_transactions;
pub use one_record::one_record;
pub use page_of_runs::{Section, page_of_runs};
pub use svg::svg;
pub use text::text;

use crate::trace::label::command as command_label;
use crate::trace::{Header, Step, Told, Trace, account, everybody};
use bemr_model::{Action, Actor};
use bemr_spec::Event;

/// The actors and senders of the steps, in the order of the columns: users, the BSD, validators, the cloud, the KDC.
fn taking_part<'a>(header: &Header, steps: impl IntoIterator<Item = &'a Step>) -> Vec<Actor> {
    let place = |actor: &Actor| match actor {
        Actor::User(number) => (0, *number),
        Actor::Bsd => (1, 0),
        Actor::Validator(number) => (2, *number),
        Actor::Cloud => (3, 0),
        Actor::Kdc => (4, 0),
    };
    let seen: std::collections::BTreeSet<Actor> =
        steps.into_iter().flat_map(|step| [step.actor, step.from]).flatten().collect();
    let everybody = everybody(&header.setup).chain([Actor::Kdc]);
    let mut order: Vec<Actor> = everybody.filter(|actor| seen.contains(actor)).collect();
    order.sort_by_key(place);
    order
}

/// A step with what the model says of it.
type Shown<'a> = (&'a Step, Told);

/// The steps that are drawn: all except those in which only time passes.
fn drawn(trace: &Trace) -> Vec<Shown<'_>> {
    trace.steps.iter().zip(account(trace)).filter(|(step, _)| step.actor.is_some()).collect()
}

/// The label of a step: the message and what distinguishes it, or the event.
fn what((step, told): &Shown<'_>) -> String {
    match (&told.what, &step.action) {
        (Some(what), _) => what.clone(),
        (None, Action::Command { command, .. }) => command_label(command, bemr_model::Tid::UNKNOWN),
        (None, _) => arrived(step).to_owned(),
    }
}

fn arrived(step: &Step) -> &str {
    match step.event {
        Event::TurnCame => "Turn",
        Event::SignatureArrived => "Closing",
        Event::BlockRangeRequested => "BlocksFrom",
        Event::InitialArrived => "T_initial",
        Event::BlockRequestArrived => "T_block",
        Event::ValidArrived => "T_valid",
        Event::ReadArrived => "ReadRequest",
        Event::RecordArrived => "ReadResponse",
        other => other.name().strip_suffix("Arrived").unwrap_or(other.name()),
    }
}

/// The fault in a step, if there is one.
fn fault(step: &Step) -> Option<&'static str> {
    match step.action {
        Action::Redirect { .. } => Some("redirected"),
        Action::Corrupt { .. } => Some("corrupted"),
        Action::Send { .. } => Some("by an insider"),
        Action::Inject { .. } => Some("injected"),
        Action::Publish { .. } => Some("forged"),
        Action::Crash { damage: Some(_), .. } => Some("crashed, store corrupted"),
        Action::Crash { .. } => Some("crashed and restarted"),
        _ => None,
    }
}

/// Verdict and clause of a refusal.
fn refusal(step: &Step) -> Option<String> {
    step.clause.map(|clause| format!("{} {}", verdict(step), clause.id()))
}

/// The name of a verdict.
fn verdict(step: &Step) -> &'static str {
    match step.verdict {
        bemr_spec::Verdict::Accept => "accept",
        bemr_spec::Verdict::Ignore => "ignore",
        bemr_spec::Verdict::Reject => "reject",
    }
}

/// The messages that a step broadcasts.
fn published<'a>((step, told): &'a Shown<'_>) -> impl Iterator<Item = &'a str> {
    let sends = step.sends.iter().zip(&told.sends);
    sends.filter(|(send, _)| send.to.is_none()).map(|(_, label)| label.as_str())
}
