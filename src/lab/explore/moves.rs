//! What an adversary can do beyond losing and delaying: redirect, and lie as an insider.

use crate::explore::transition_cache::{Lie, Says};
use crate::explore::{Arrival, SearchConfig};
use bemr_model::{
    Actor, Ballot, Certificate, Change, Datagram, Edition, Envelope, Flaws, Gossip, Head, Header, LogKind,
    Members, Message, Ordinal, Packet, Policy, Question, Tid, Time, Versions, Vote,
};
use bemr_spec::Clause;

/// To whom else, and from which address, a handshake packet can be led: others of the same place.
pub(super) fn redirections(parcel: &Envelope, actors: impl Iterator<Item = Actor>) -> Vec<(Actor, Actor)> {
    let Datagram::Packet(packet) = &parcel.datagram else { return Vec::new() };
    let answers = matches!(packet, Packet::Response { .. } | Packet::Finish { .. });
    let mut led = Vec::new();
    for other in actors {
        if other != parcel.to && same_place(other, parcel.to) {
            led.push((other, parcel.from));
        }
        if answers && other != parcel.from && same_place(other, parcel.from) {
            led.push((parcel.to, other));
        }
    }
    led
}

const fn same_place(one: Actor, other: Actor) -> bool {
    matches!((one, other), (Actor::User(_), Actor::User(_)) | (Actor::Validator(_), Actor::Validator(_)))
}

/// What an insider can say who was sent this.
pub(super) fn prompted(part: &SearchConfig, parcel: &Envelope) -> Vec<Lie> {
    let insider = parcel.to;
    if !part.insiders.contains(&insider) {
        return Vec::new();
    }
    match (insider, &parcel.datagram) {
        (_, Datagram::Packet(Packet::Record(record))) => {
            let told = match insider {
                Actor::Validator(number) => vote(number, &record.message).into_iter().collect(),
                Actor::User(_) | Actor::Kdc => Vec::new(),
                Actor::Bsd if part.arrival == Arrival::Prompt => match record.message {
                    Message::Initial { header, .. } => questions(part, header, Flaws::NONE),
                    _ => Vec::new(),
                },
                Actor::Bsd | Actor::Cloud if !part.invents => Vec::new(),
                Actor::Bsd => match record.message {
                    Message::Initial { header, .. } => blocks(part, header, Flaws::NONE),
                    _ => Vec::new(),
                },
                Actor::Cloud => head(&record.message).into_iter().collect(),
            };
            let lie = |(to, message)| Lie { by: insider, to, says: Says::Message(message) };
            told.into_iter().map(lie).collect()
        }
        // A validator signs whatever is proposed.
        (Actor::Validator(signatory), Datagram::Gossip(Gossip::Proposal { proposal, .. })) => {
            let (height, block) = (proposal.height, proposal.id());
            let closing = Gossip::Closing { height, block, signatory, flaws: Flaws::NONE };
            vec![Lie { by: insider, to: parcel.from, says: Says::Gossip(closing) }]
        }
        _ => Vec::new(),
    }
}

/// What insiders can say of their own accord.
pub(super) fn unprompted(part: &SearchConfig, now: Time) -> Vec<Lie> {
    if !part.invents {
        return Vec::new();
    }
    let of = |insider: &Actor| {
        let by = *insider;
        let in_session = |(to, message)| Lie { by, to, says: Says::Message(message) };
        match by {
            Actor::User(number) if number < 3 => vec![in_session(submission(number, now))],
            Actor::User(number) => changes(number),
            Actor::Bsd => {
                let readers = [0].into_iter().collect();
                let policy = Versions::SHIPPED;
                let made_up = Header {
                    tid: Tid::INVENTED,
                    user: 0,
                    record: 98,
                    breaks: None,
                    readers,
                    issued: 0,
                    policy,
                };
                let told = blocks(part, made_up, Flaws::of(Clause::BlockCarriesUserSignature));
                told.into_iter().map(in_session).collect()
            }
            Actor::Cloud | Actor::Validator(_) | Actor::Kdc => Vec::new(),
        }
    };
    part.insiders.iter().flat_map(of).collect()
}

/// A validator votes the other way.
fn vote(validator: u8, heard: &Message) -> Option<(Actor, Message)> {
    let Message::Block { question, .. } = heard else { return None };
    let ballot = match question.header.breaks {
        None => Ballot::False(Clause::RangeRule),
        Some(_) => Ballot::True,
    };
    let vote = Vote { validator, question: *question, ballot, flaws: Flaws::NONE };
    Some((Actor::Bsd, Message::Vote(vote)))
}

/// A user submits in another's name.
fn submission(user: u8, now: Time) -> (Actor, Message) {
    let other = if user == 0 { 1 } else { 0 };
    let readers = [user, other].into_iter().collect();
    let policy = Versions::SHIPPED;
    let header = Header {
        tid: Tid::IMPERSONATED,
        user: other,
        record: 99,
        breaks: None,
        readers,
        issued: now,
        policy,
    };
    (Actor::Bsd, Message::Initial { header, flaws: Flaws::NONE })
}

/// An administrator has a change approved by nobody else, or by a doctor, or passes on one that both approved by mistake. They
/// tell a validator.
fn changes(user: u8) -> Vec<Lie> {
    let change = Change { admission: Some(Edition { version: 2, effective: 1 }), ..Change::default() };
    let own = Members::default().with(user);
    let unchecked = Flaws::of(Clause::MandatoryAreChecked);
    let told = [(own, Flaws::NONE), (own.with(0), Flaws::NONE), (own.with(3).with(4), unchecked)];
    let lie = |(approvals, flaws)| {
        let says = Says::Gossip(Gossip::PolicyChange { change, approvals, flaws });
        Lie { by: Actor::User(user), to: Actor::Validator(0), says }
    };
    told.into_iter().map(lie).collect()
}

/// A BSD asks about what nobody submitted, asks a second time about what was, and has stored what was not decided.
fn blocks(part: &SearchConfig, header: Header, flaws: Flaws) -> Vec<(Actor, Message)> {
    let signatories = (0..part.setup.validators).collect();
    let certificate = Certificate {
        question: other_question(header),
        ballot: Ballot::True,
        signatories,
        flaws: Flaws::of(Clause::VoteSigned),
    };
    let valid = Message::Valid {
        certificate,
        block: Default::default(),
        height: 1,
        sealed: true,
        flaws: if flaws.is_empty() { flaws } else { Flaws::of(Clause::ValidCarriesUserSignature) },
    };
    questions(part, header, flaws).into_iter().chain([(Actor::Cloud, valid)]).collect()
}

/// A BSD asks each validator about this, by another T_block than its own.
fn questions(part: &SearchConfig, header: Header, flaws: Flaws) -> Vec<(Actor, Message)> {
    let message = Message::Block { question: other_question(header), flaws };
    (0..part.setup.validators).map(|validator| (Actor::Validator(validator), message)).collect()
}

/// The T_block that an insider makes beside the genuine ones, which a search never makes so many of.
const OTHER: Ordinal = Ordinal::nth(77);

const fn other_question(header: Header) -> Question {
    Question { header, number: OTHER, height: 1, sealed: true, policy: Policy::SHIPPED }
}

/// A cloud hands over a record whatever the reader may, and under the head that it had before.
fn head(heard: &Message) -> Option<(Actor, Message)> {
    let Message::Read { request, tid, remembered } = *heard else { return None };
    let size = remembered.saturating_sub(1).max(1);
    let head = Head { kind: LogKind::Cloud, size, closed: false, time: 0 };
    let (owner, from) = (0, remembered);
    let (anchored, template, flaws) = (None, 1, Flaws::NONE);
    let message = Message::Record { request, tid, owner, head, from, anchored, template, flaws };
    Some((Actor::User(request.user), message))
}
