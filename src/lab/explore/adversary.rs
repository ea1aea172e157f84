//! What an adversary can do beyond losing and delaying: redirect, and send as an insider what an honest actor would not.

use crate::explore::{Arrival, SearchConfig};
use bemr_model::{
    Actor, Ballot, Certificate, Change, Datagram, Edition, Envelope, Flaws, Gossip, Head, Header, LogKind,
    Members, Message, Ordinal, Packet, Policy, Question, Rename, Renaming, Tid, Time, Versions, Vote,
};
use bemr_spec::Clause;

/// A message of the adversary.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ByzantineMessage {
    pub(super) by: Actor,
    pub(super) to: Actor,
    pub(super) payload: Payload,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Payload {
    /// In an insider's session.
    Message(Message),
    /// With an insider's signature.
    Gossip(Gossip),
    /// A handshake packet in the name of another, and the checks that it fails.
    Packet(Packet, Flaws),
}

impl ByzantineMessage {
    /// The actor whose state it changes: the receiver of a packet, which nobody sends; else the insider.
    pub(super) const fn happens_to(&self) -> Actor {
        match self.payload {
            Payload::Message(_) | Payload::Gossip(_) => self.by,
            Payload::Packet(..) => self.to,
        }
    }
}

impl Rename for ByzantineMessage {
    fn renamed(&self, names: &Renaming) -> ByzantineMessage {
        let payload = match &self.payload {
            Payload::Message(message) => Payload::Message(message.renamed(names)),
            Payload::Gossip(gossip) => Payload::Gossip(gossip.renamed(names)),
            Payload::Packet(packet, flaws) => Payload::Packet(packet.renamed(names), *flaws),
        };
        ByzantineMessage { by: self.by.renamed(names), to: self.to.renamed(names), payload }
    }
}

/// To whom else, and from which address, a handshake packet can be led: other actors of the same kind.
pub(super) fn redirections(envelope: &Envelope, actors: impl Iterator<Item = Actor>) -> Vec<(Actor, Actor)> {
    let Datagram::Packet(packet) = &envelope.datagram else { return Vec::new() };
    let answers = matches!(packet, Packet::Response { .. } | Packet::Finish { .. });
    let mut led = Vec::new();
    for other in actors {
        if other != envelope.to && same_kind(other, envelope.to) {
            led.push((other, envelope.from));
        }
        if answers && other != envelope.from && same_kind(other, envelope.from) {
            led.push((envelope.to, other));
        }
    }
    led
}

const fn same_kind(one: Actor, other: Actor) -> bool {
    matches!((one, other), (Actor::User(_), Actor::User(_)) | (Actor::Validator(_), Actor::Validator(_)))
}

/// What an insider can send who received this.
pub(super) fn prompted(config: &SearchConfig, envelope: &Envelope) -> Vec<ByzantineMessage> {
    let insider = envelope.to;
    if !config.insiders.contains(&insider) {
        return Vec::new();
    }
    match (insider, &envelope.datagram) {
        (_, Datagram::Packet(Packet::Record(record))) => {
            let messages = match insider {
                Actor::Validator(number) => vote(number, &record.message).into_iter().collect(),
                Actor::User(_) | Actor::Kdc => Vec::new(),
                Actor::Bsd if config.arrival == Arrival::Prompt => match record.message {
                    Message::Initial { header, .. } => questions(config, header, Flaws::NONE),
                    _ => Vec::new(),
                },
                Actor::Bsd | Actor::Cloud if !config.invents => Vec::new(),
                Actor::Bsd => match record.message {
                    Message::Initial { header, .. } => blocks(config, header, Flaws::NONE),
                    _ => Vec::new(),
                },
                Actor::Cloud => head(&record.message).into_iter().collect(),
            };
            let message =
                |(to, message)| ByzantineMessage { by: insider, to, payload: Payload::Message(message) };
            messages.into_iter().map(message).collect()
        }
        // A validator signs whatever is proposed.
        (Actor::Validator(signatory), Datagram::Gossip(Gossip::Proposal { proposal, .. })) => {
            let (height, block) = (proposal.height, proposal.id());
            let closing = Gossip::Closing { height, block, signatory, flaws: Flaws::NONE };
            vec![ByzantineMessage { by: insider, to: envelope.from, payload: Payload::Gossip(closing) }]
        }
        _ => Vec::new(),
    }
}

/// What insiders can send of their own accord.
pub(super) fn unprompted(config: &SearchConfig, now: Time) -> Vec<ByzantineMessage> {
    if !config.invents {
        return Vec::new();
    }
    let of = |insider: &Actor| {
        let by = *insider;
        let in_session = |(to, message)| ByzantineMessage { by, to, payload: Payload::Message(message) };
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
                let messages = blocks(config, made_up, Flaws::of(Clause::BlockCarriesUserSignature));
                messages.into_iter().map(in_session).collect()
            }
            Actor::Cloud | Actor::Validator(_) | Actor::Kdc => Vec::new(),
        }
    };
    config.insiders.iter().flat_map(of).collect()
}

/// A validator votes the other way.
fn vote(validator: u8, received: &Message) -> Option<(Actor, Message)> {
    let Message::Block { question, .. } = received else { return None };
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

/// An administrator sends a validator a change that nobody else or a doctor approved, or one that both approved by mistake.
fn changes(user: u8) -> Vec<ByzantineMessage> {
    let change = Change { admission: Some(Edition { version: 2, effective: 1 }), ..Change::default() };
    let own = Members::default().with(user);
    let unchecked = Flaws::of(Clause::MandatoryAreChecked);
    let messages = [(own, Flaws::NONE), (own.with(0), Flaws::NONE), (own.with(3).with(4), unchecked)];
    let message = |(approvals, flaws)| {
        let payload = Payload::Gossip(Gossip::PolicyChange { change, approvals, flaws });
        ByzantineMessage { by: Actor::User(user), to: Actor::Validator(0), payload }
    };
    messages.into_iter().map(message).collect()
}

/// A BSD has validators vote on what nobody submitted, or a second time on what was, and the cloud store what was not decided.
fn blocks(config: &SearchConfig, header: Header, flaws: Flaws) -> Vec<(Actor, Message)> {
    let signatories = (0..config.setup.validators).collect();
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
    questions(config, header, flaws).into_iter().chain([(Actor::Cloud, valid)]).collect()
}

/// A BSD sends each validator another T_block about this than its own.
fn questions(config: &SearchConfig, header: Header, flaws: Flaws) -> Vec<(Actor, Message)> {
    let message = Message::Block { question: other_question(header), flaws };
    (0..config.setup.validators).map(|validator| (Actor::Validator(validator), message)).collect()
}

/// The T_block that an insider makes beside the genuine ones: no search makes so many of those.
const OTHER: Ordinal = Ordinal::nth(77);

const fn other_question(header: Header) -> Question {
    Question { header, number: OTHER, height: 1, sealed: true, policy: Policy::SHIPPED }
}

/// A cloud hands over a record whether or not the reader was granted it, under a tree head older than its last.
fn head(received: &Message) -> Option<(Actor, Message)> {
    let Message::Read { request, tid, remembered } = *received else { return None };
    let size = remembered.saturating_sub(1).max(1);
    let head = Head { kind: LogKind::Cloud, size, closed: false, time: 0 };
    let (owner, from) = (0, remembered);
    let (anchored, template, flaws) = (None, 1, Flaws::NONE);
    let message = Message::Record { request, tid, owner, head, from, anchored, template, flaws };
    Some((Actor::User(request.user), message))
}
