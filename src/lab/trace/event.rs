//! Which events an action can bring about.

use super::Step;
use bemr_model::{Action, Actor};
use bemr_spec::Event;

/// Whether the event of a step can be that of its action, at the actor to whom it happened. `message` is the name of what
/// arrived, where something did.
pub(super) fn fits(step: &Step, message: Option<&str>) -> bool {
    let event = step.event;
    match &step.action {
        Action::Command { command, .. } => event == command.event(),
        Action::Deliver { .. } | Action::Redirect { .. } | Action::Inject { .. } | Action::Corrupt { .. } => {
            let arrived = message.zip(step.actor);
            arrived.is_some_and(|(message, actor)| of_arrival(message, actor).contains(&event))
        }
        Action::Wake { actor, .. } => of_instant(*actor).contains(&event),
        Action::Pass { .. } => event == Event::Pass,
        Action::Send { .. } => event == Event::Send,
        Action::Publish { .. } => event == Event::Publish,
        Action::Audit { .. } => event == Event::Audit,
        Action::Unseal { .. } => event == Event::Unseal,
        Action::Leak { .. } => event == Event::Leak,
        Action::Crash { .. } => event == Event::Crash,
    }
}

/// Whether the event is a refusal by itself: what arrived did not get as far as being a message that its receiver takes.
pub(super) const fn is_refusal(event: Event) -> bool {
    matches!(event, Event::Malformed | Event::Record | Event::Unexpected)
}

const fn of_instant(actor: Actor) -> &'static [Event] {
    match actor {
        Actor::User(_) => &[Event::OutcomeExpired, Event::AnswerExpired, Event::Wake],
        Actor::Bsd => &[Event::AttemptExpired, Event::ReceiptExpired, Event::FinalityExpired, Event::Wake],
        Actor::Validator(_) => &[Event::TurnCame, Event::Wake],
        Actor::Cloud => &[Event::Wake],
        Actor::Kdc => &[],
    }
}

/// The events that the arrival of this message can be. A message of a session is its own event where its receiver takes it,
/// `Unexpected` where it does not, and `Record` where the record that carries it is refused; whatever does not decode is
/// `Malformed`.
fn of_arrival(message: &str, receiver: Actor) -> Vec<Event> {
    let sealed = match (message, receiver) {
        ("Hello", _) => return vec![Event::Hello, Event::Malformed],
        ("Response", _) => return vec![Event::Response, Event::Malformed],
        ("Finish", _) => return vec![Event::Finish, Event::Malformed],
        ("Decision", _) => return vec![Event::DecisionArrived, Event::Malformed],
        ("CloudHead", _) => return vec![Event::CloudHeadArrived, Event::Malformed],
        ("AuditHead", _) => return vec![Event::AuditHeadArrived, Event::Malformed],
        ("Proposal", _) => return vec![Event::ProposalArrived, Event::Malformed],
        ("Closing", _) => return vec![Event::SignatureArrived, Event::Malformed],
        ("Block", _) => return vec![Event::BlockArrived, Event::Malformed],
        ("BlocksFrom", _) => return vec![Event::BlockRangeRequested, Event::Malformed],
        ("PolicyChange", _) => return vec![Event::PolicyChangeArrived, Event::Malformed],
        ("RevocationList", _) => return vec![Event::RevocationListArrived, Event::Malformed],
        ("T_initial", Actor::Bsd) => Event::InitialArrived,
        ("Vote", Actor::Bsd) => Event::VoteArrived,
        ("Receipt", Actor::Bsd) => Event::ReceiptArrived,
        ("T_block", Actor::Validator(_)) => Event::BlockRequestArrived,
        ("T_valid", Actor::Cloud) => Event::ValidArrived,
        ("ReadRequest", Actor::Cloud) => Event::ReadArrived,
        ("Grant", Actor::Cloud) => Event::GrantArrived,
        ("Revoke", Actor::Cloud) => Event::RevokeArrived,
        ("Erase", Actor::Cloud) => Event::EraseArrived,
        ("Outcome", Actor::User(_)) => Event::OutcomeArrived,
        ("Answer", Actor::User(_)) => Event::AnswerArrived,
        ("ReadResponse", Actor::User(_)) => Event::RecordArrived,
        _ => Event::Unexpected,
    };
    vec![sealed, Event::Record, Event::Unexpected, Event::Malformed]
}

#[cfg(test)]
mod tests {
    use super::{is_refusal, of_arrival};
    use bemr_model::{Actor, MESSAGES};
    use bemr_spec::Event;

    #[test]
    fn a_session_message_is_an_event_of_one_kind_of_actor() {
        let actors = [Actor::Bsd, Actor::Cloud, Actor::User(0), Actor::Validator(0)];
        let own = |event: &Event| !is_refusal(*event);
        let mut taken = 0;
        for message in MESSAGES {
            let at: Vec<Vec<Event>> = actors.iter().map(|actor| of_arrival(message, *actor)).collect();
            assert!(at.iter().all(|events| events.contains(&Event::Malformed)), "{message}");
            let who = at.iter().filter(|events| events.iter().any(own)).count();
            assert!(who == 1 || who == actors.len(), "{message} concerns one kind of actor, or everybody");
            taken += usize::from(who == 1);
        }
        assert_eq!(taken, 12);
    }
}
