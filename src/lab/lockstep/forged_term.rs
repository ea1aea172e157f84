//! Terms of forged messages: what a genuine term becomes with flaws, which genuine term a forged one imitates, and the same
//! forgery of another message.
//!
//! A forgery that has other bytes in what names it has another name in the model, too: [`bemr_model::Ordinal`], [`bemr_model::Tid`].

use crate::forge::{self, MANNERS, RENEWING, is_of_the_body, makes};
use bemr_model::{
    Action, Actor, Block, Certificate, Datagram, Envelope, Execution, FORKING, Flaws, Forgery, Gossip,
    Message, Packet, Proposal, Question, RequestId, RevocationList, Vote,
};
use bemr_spec::Clause;
use std::sync::Arc;

/// The flaws of a message that can have some.
const fn flaws_of(term: &mut Message) -> Option<&mut Flaws> {
    match term {
        Message::Initial { flaws, .. }
        | Message::Block { flaws, .. }
        | Message::Vote(Vote { flaws, .. })
        | Message::Valid { flaws, .. }
        | Message::Receipt { flaws, .. }
        | Message::Record { flaws, .. }
        | Message::Order { flaws, .. } => Some(flaws),
        Message::Outcome { .. } | Message::Read { .. } | Message::Answer { .. } => None,
    }
}

/// A message under the same name with these flaws, where it can have any.
pub(super) fn with_flaws(mut term: Message, with: Flaws) -> Message {
    if let Some(flaws) = flaws_of(&mut term) {
        *flaws = with;
    }
    term
}

/// The genuine message that a forged one imitates, and the flaws of the forgery.
pub(super) fn decomposed(term: &Message) -> (Message, Flaws) {
    let mut genuine = *term;
    let flaws = flaws_of(&mut genuine).map(std::mem::take).unwrap_or_default();
    match &mut genuine {
        Message::Initial { header, .. } => header.tid = header.tid.genuine(),
        Message::Block { question: Question { number, .. }, .. }
        | Message::Order { request: RequestId { number, .. }, .. } => *number = number.genuine(),
        _ => {}
    }
    (genuine, flaws)
}

/// As [`decomposed`], of gossip: the flaws of its content, and those of a signature or close. Nothing for what has no flaws.
pub(super) fn gossip_decomposed(term: &Gossip) -> Option<(Gossip, Flaws, Flaws)> {
    let none = Flaws::NONE;
    let (inner, outer) = match term {
        Gossip::Decision(certificate) => (certificate.flaws, none),
        Gossip::Head { flaws, .. }
        | Gossip::PolicyChange { flaws, .. }
        | Gossip::RevocationList { flaws, .. } => (*flaws, none),
        Gossip::Proposal { proposal, flaws, .. } => (proposal.flaws, *flaws),
        Gossip::Closing { flaws, .. } => (none, *flaws),
        Gossip::Block(block) => (block.proposal.flaws, block.flaws),
        Gossip::BlocksFrom(_) => return None,
    };
    let mut genuine = gossip_with_flaws(term.clone(), none, none);
    if let Gossip::RevocationList { list, .. } = &mut genuine {
        list.number = list.number.checked_sub(FAR_AHEAD).unwrap_or(list.number);
    }
    Some((genuine, inner, outer))
}

/// Gossip with these flaws of its content, and these of a signature or close.
pub(super) fn gossip_with_flaws(gossip: Gossip, inner: Flaws, outer: Flaws) -> Gossip {
    match gossip {
        Gossip::Decision(certificate) => Gossip::Decision(Certificate { flaws: inner, ..certificate }),
        Gossip::Head { head, .. } => Gossip::Head { head, flaws: inner },
        Gossip::Proposal { proposal, signatory, .. } => {
            let proposal = Arc::new(Proposal { flaws: inner, ..Arc::unwrap_or_clone(proposal) });
            Gossip::Proposal { proposal, signatory, flaws: outer }
        }
        Gossip::Closing { height, block, signatory, .. } => {
            Gossip::Closing { height, block, signatory, flaws: outer }
        }
        Gossip::Block(block) => {
            let block = Arc::unwrap_or_clone(block);
            let proposal = Proposal { flaws: inner, ..block.proposal };
            Gossip::Block(Arc::new(Block { id: proposal.id(), proposal, flaws: outer, ..block }))
        }
        Gossip::PolicyChange { change, approvals, .. } => {
            Gossip::PolicyChange { change, approvals, flaws: inner }
        }
        Gossip::RevocationList { list, .. } => Gossip::RevocationList { list, flaws: inner },
        Gossip::BlocksFrom(height) => Gossip::BlocksFrom(height),
    }
}

/// Genuine gossip with these flaws, under the name that its forgery has. Those for which `of_signature` says so are of the
/// signature of a proposal, the others of the proposal.
pub(super) fn gossip_forged_by(
    genuine: Gossip,
    with: Flaws,
    of_signature: impl Fn(Clause) -> bool,
) -> Option<Gossip> {
    let those =
        |outer: bool| with.iter().filter(|flaw| of_signature(*flaw) == outer).fold(Flaws::NONE, Flaws::and);
    Some(match genuine {
        Gossip::BlocksFrom(_) => return None,
        Gossip::Proposal { .. } => gossip_with_flaws(genuine, those(false), those(true)),
        Gossip::Closing { .. } => gossip_with_flaws(genuine, Flaws::NONE, with),
        Gossip::RevocationList { list, .. } => Gossip::RevocationList { list: newer(&list), flaws: with },
        _ => gossip_with_flaws(genuine, with, Flaws::NONE),
    })
}

/// Genuine gossip with these flaws, under the name that its forgery has.
pub fn gossip_forged(genuine: Gossip, with: Flaws) -> Option<Gossip> {
    gossip_forged_by(genuine, with, |flaw| matches!(flaw, Clause::VoterIsAdmitted | Clause::VoteSigned))
}

/// A genuine message with these flaws, under the name that its forgery has.
pub fn forged(genuine: Message, flaws: Flaws) -> Option<Message> {
    makes(genuine.name(), flaws).then_some(())?;
    let message = with_flaws(genuine, flaws);
    match message {
        Message::Outcome { .. } | Message::Read { .. } | Message::Answer { .. } => None,
        Message::Block { .. } if !is_of_the_body(flaws) => Some(message),
        _ => renamed(message, flaws),
    }
}

/// A message under the name that it has as a forgery with these flaws: with other flaws an order, a T_block or what renews a
/// T_initial is another thing.
pub(super) fn renamed(mut message: Message, flaws: Flaws) -> Option<Message> {
    let forgery = forgery(message.name(), flaws);
    match &mut message {
        Message::Order { request, .. } => request.number = request.number.forged(forgery),
        Message::Block { question, .. } => question.number = question.number.forged(forgery),
        Message::Initial { header, .. } if flaws.iter().any(|flaw| RENEWING.contains(&flaw)) => {
            header.tid = header.tid.forged(places(RENEWING, flaws));
        }
        _ => {}
    }
    Some(message)
}

/// The forgery of a message of this kind with these flaws.
fn forgery(kind: &str, flaws: Flaws) -> Forgery {
    let in_this_way =
        |(name, of, manner): &(&str, Clause, Clause)| *name == kind && flaws.has(*of) && flaws.has(*manner);
    let manner = (1_u32..).zip(MANNERS).find(|(_, one)| in_this_way(one)).map_or(0, |(place, _)| place);
    Forgery::of(places(forge::flaws_of(kind), flaws) + (manner << 24))
}

/// The places of these flaws in a list, as bits.
fn places(listed: &[Clause], flaws: Flaws) -> u32 {
    (0..).zip(listed).filter(|(_, flaw)| flaws.has(**flaw)).map(|(place, _)| 1 << place).sum()
}

/// By so much the number of a forged revocation list is greater: the KDC never publishes as many in a run.
pub(super) const FAR_AHEAD: u32 = 10_000;

/// The list that pretends to come after `list`, and after many others.
pub(super) fn newer(list: &RevocationList) -> RevocationList {
    RevocationList { number: list.number.saturating_add(FAR_AHEAD), ..list.clone() }
}

/// Whether something public is as its sender would have it. What else happens to a lie is not said by its flaws.
pub(super) fn is_honest(datagram: &Datagram) -> bool {
    match datagram {
        Datagram::Packet(_) => true,
        Datagram::Gossip(gossip) => {
            gossip_decomposed(gossip).is_none_or(|(_, one, other)| one.is_empty() && other.is_empty())
        }
    }
}

/// Whether a lie holds only for now.
pub(super) fn is_urgent(action: &Action) -> bool {
    match action {
        Action::Send { message: message @ Message::Record { .. }, .. } => {
            decomposed(message).1.iter().any(|flaw| FORKING.contains(&flaw))
        }
        _ => false,
    }
}

/// The envelope that a lie is about: the newest that says it genuinely, from the same to the same where there is one.
pub(super) fn is_about(lie: &Action, model: &Execution) -> Option<usize> {
    let newest = |says: &dyn Fn(&Datagram) -> bool, ends: Option<(Actor, Actor)>| {
        let this = |one: &Envelope| ends.is_none_or(|ends| (one.from, one.to) == ends) && says(&one.datagram);
        model.envelopes().iter().rposition(this)
    };
    match lie {
        Action::Send { actor, to, message } => {
            let genuine = decomposed(message).0;
            let says = |datagram: &Datagram| match datagram {
                Datagram::Packet(Packet::Record(record)) => match (record.message, genuine) {
                    // Its validator may have voted otherwise.
                    (Message::Vote(vote), Message::Vote(lie)) => {
                        (vote.validator, vote.question, vote.flaws)
                            == (lie.validator, lie.question, Flaws::NONE)
                    }
                    (said, genuine) => said == genuine,
                },
                _ => false,
            };
            newest(&says, Some((*actor, *to))).or_else(|| newest(&says, None))
        }
        Action::Publish { actor, to, gossip } => {
            let genuine = Datagram::Gossip(gossip_decomposed(gossip)?.0);
            newest(&|datagram: &Datagram| *datagram == genuine, Some((*actor, *to)))
        }
        _ => None,
    }
}

/// The same forgery of another message of the kind.
pub(super) fn retold(lie: &Action, about: &Envelope) -> Option<Action> {
    match (lie, &about.datagram) {
        (Action::Send { actor, to, message: told }, Datagram::Packet(Packet::Record(record))) => {
            let (_, flaws) = decomposed(told);
            let mut message = with_flaws(record.message, flaws);
            match (&mut message, told) {
                (Message::Initial { header, .. }, Message::Initial { header: told, .. }) => {
                    header.tid = header.tid.made_as(told.tid);
                }
                (Message::Block { question, .. }, Message::Block { question: told, .. }) => {
                    question.number = question.number.made_as(told.number);
                }
                (Message::Order { request, .. }, Message::Order { request: told, .. }) => {
                    request.number = request.number.made_as(told.number);
                }
                (Message::Vote(vote), Message::Vote(told)) => vote.ballot = told.ballot,
                _ => {}
            }
            Some(Action::Send { actor: *actor, to: *to, message })
        }
        (Action::Publish { actor, to, gossip: told }, Datagram::Gossip(genuine)) => {
            let (_, inner, outer) = gossip_decomposed(told)?;
            let gossip = gossip_with_flaws(genuine.clone(), inner, outer);
            Some(Action::Publish { actor: *actor, to: *to, gossip })
        }
        _ => None,
    }
}

/// The same lie with each of its flaws left out, where it has more than one.
pub(super) fn with_fewer_flaws(lie: &Action) -> Vec<Action> {
    let without = |flaws: Flaws, flaw: Clause| {
        flaws.iter().filter(|other| *other != flaw).fold(Flaws::NONE, Flaws::and)
    };
    match lie {
        Action::Send { actor, to, message } => {
            let flaws = decomposed(message).1;
            let fewer = |flaw| Action::Send {
                actor: *actor,
                to: *to,
                message: with_flaws(*message, without(flaws, flaw)),
            };
            if flaws.iter().count() > 1 { flaws.iter().map(fewer).collect() } else { Vec::new() }
        }
        Action::Publish { actor, to, gossip } => {
            let Some((genuine, inner, outer)) = gossip_decomposed(gossip) else { return Vec::new() };
            if inner.iter().chain(outer.iter()).count() < 2 {
                return Vec::new();
            }
            let fewer = |flaw| {
                let gossip = gossip_with_flaws(genuine.clone(), without(inner, flaw), without(outer, flaw));
                Action::Publish { actor: *actor, to: *to, gossip }
            };
            inner.iter().chain(outer.iter()).map(fewer).collect()
        }
        _ => Vec::new(),
    }
}
