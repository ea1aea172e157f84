//! Traces as sequence diagrams: for a terminal, as Mermaid, as SVG, and as a page.
//!
//! An arrow is something that arrived; what is not taken is crossed and names its clause.

mod html;
mod mermaid;
mod one_record;
mod page_of_runs;
mod player;
mod svg;
mod text;

pub use html::html;
pub use mermaid::{mermaid, story};
pub use one_record::one_record;
pub use page_of_runs::{Section, page_of_runs};
pub use svg::svg;
pub use text::text;

use crate::trace::{Header, Step, Trace, everybody};
use bemr_model::{Action, Actor, Command, Enrolment, Order};

/// The actors to whom something happens or from whom something comes, in the order in which they are drawn: users, the
/// BSD, validators, the cloud, the KDC.
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

/// The steps that are drawn: all but those in which time alone goes on.
fn drawn(trace: &Trace) -> impl Iterator<Item = &Step> {
    trace.steps.iter().filter(|step| step.actor.is_some())
}

/// What arrived, or what happened where nothing did.
fn what(step: &Step) -> String {
    let Action::Command { command, .. } = &step.action else { return arrived(step).to_owned() };
    match command {
        Command::Submit { record, .. } => format!("Submit record {record}"),
        Command::Read { tid } => format!("Read submission {tid}"),
        Command::Order { tid, order: Order::Grant(_) } => format!("Grant submission {tid}"),
        Command::Order { tid, order: Order::Revoke(_) } => format!("Revoke submission {tid}"),
        Command::Order { tid, order: Order::Erase(_) } => format!("Erase submission {tid}"),
        Command::ChangePolicy { .. } => "Change the policy".to_owned(),
        Command::CloseAudit => "Close the audit log".to_owned(),
        Command::Enrol(Enrolment { subject: Some(subject), .. }) => format!("Certify {subject}"),
        Command::Enrol(_) => "Certify a stranger".to_owned(),
        Command::RevokeCertificate { subject } => format!("Revoke the certificate of {subject}"),
        Command::IssueList => "Make a list".to_owned(),
    }
}

fn arrived(step: &Step) -> &str {
    match step.event.as_str() {
        "InitialArrived" => "T_initial",
        "BlockRequestArrived" => "T_block",
        "ValidArrived" => "T_valid",
        "ReadArrived" => "ReadRequest",
        "RecordArrived" => "ReadResponse",
        other => other.strip_suffix("Arrived").unwrap_or(other),
    }
}

/// What the adversary did to it, if it did something.
fn mischief(step: &Step) -> Option<&'static str> {
    match step.action {
        Action::Redirect { .. } => Some("redirected"),
        Action::Spoil { .. } => Some("spoiled"),
        Action::Say { .. } => Some("as an insider"),
        Action::Inject { .. } => Some("injected"),
        Action::Tell { .. } => Some("as the adversary"),
        Action::Crash { damage: Some(_), .. } => Some("died, and its store was damaged"),
        Action::Crash { .. } => Some("died and started again"),
        _ => None,
    }
}

/// Verdict and clause of what was not taken.
fn refusal(step: &Step) -> Option<String> {
    step.clause.map(|clause| format!("{} {}", verdict(step), clause.id()))
}

/// The word for a verdict.
fn verdict(step: &Step) -> &'static str {
    match step.verdict {
        bemr_spec::Verdict::Accept => "accept",
        bemr_spec::Verdict::Ignore => "ignore",
        bemr_spec::Verdict::Reject => "reject",
    }
}

/// What is sent to everybody.
fn published(step: &Step) -> impl Iterator<Item = &str> {
    step.sends.iter().filter(|send| send.to.is_none()).map(|send| send.message.as_str())
}
