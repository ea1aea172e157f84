//! Messages that fail one check, and handshake packets in another's name.
//!
//! An insider sends once more what it just sent, changed so that one check of its receiver fails; an adversary in another's name answers a hello, sends
//! one and finishes the handshake with the peer that answers. A receiver refuses what fails the check of a clause that is in force,
//! and changes nothing but sequence numbers, which honest messages change as well: so only what fails a clause that is *not* in force
//! is made.

use crate::explore::SearchConfig;
use crate::explore::adversary::{ByzantineMessage, Payload};
use crate::forge::flaws_of;
use crate::lockstep::{forged, gossip_forged};
use bemr_model::{
    Actor, ContentType, Datagram, Envelope, Flaws, Forgery, HelloId, Ordinal, Packet, SessionId,
};
use bemr_spec::{Clause, Rules};

/// The number of what is made up in a handshake: one of each is enough.
const MADE_UP: Ordinal = Ordinal::nth(1).forged(Forgery::ONLY);

/// The checks that a message of this kind can be made to fail, and that nobody makes.
fn unchecked(rules: &Rules, kind: &str) -> impl Iterator<Item = Flaws> {
    flaws_of(kind).iter().filter(|clause| !rules.in_force(**clause)).map(|clause| Flaws::of(*clause))
}

/// What this envelope makes the adversary send: its sender, who is an insider, or somebody who impersonates an end of the handshake.
pub(super) fn prompted(rules: &Rules, config: &SearchConfig, envelope: &Envelope) -> Vec<ByzantineMessage> {
    let (by, to) = (envelope.from, envelope.to);
    let flaws = || unchecked(rules, envelope.datagram.name());
    let genuine = envelope.datagram.flaws().iter().all(Flaws::is_empty);
    match &envelope.datagram {
        _ if !genuine => Vec::new(),
        Datagram::Packet(Packet::Record(record)) if config.insiders.contains(&by) => {
            let messages = flaws().filter_map(|flaws| forged(record.message, flaws));
            messages.map(|message| ByzantineMessage { by, to, payload: Payload::Message(message) }).collect()
        }
        Datagram::Gossip(gossip) if config.insiders.contains(&by) => {
            let messages = flaws().filter_map(|flaws| gossip_forged(gossip.clone(), flaws));
            messages.map(|gossip| ByzantineMessage { by, to, payload: Payload::Gossip(gossip) }).collect()
        }
        Datagram::Packet(packet) if config.impersonates => impersonated(rules, packet),
        _ => Vec::new(),
    }
}

/// What is answered to a handshake packet in the name of its receiver.
fn impersonated(rules: &Rules, packet: &Packet) -> Vec<ByzantineMessage> {
    match *packet {
        Packet::Hello { hello, .. } if !hello.number.is_forged() => {
            let response = |by| Packet::Response { session: SessionId { hello, by, number: MADE_UP } };
            let packet = |by, flaws| ByzantineMessage {
                by: hello.to,
                to: hello.from,
                payload: Payload::Packet(response(by), flaws),
            };
            // The term itself names the peer, so that these two need no flaw.
            let of_the_term =
                |flaws: &Flaws| flaws.has(Clause::PeerIsNotSelf) || flaws.has(Clause::PeerIsIntended);
            let flawed = unchecked(rules, "Response").filter(|flaws| !of_the_term(flaws));
            let own = (!rules.in_force(Clause::PeerIsNotSelf)).then(|| packet(hello.from, Flaws::NONE));
            flawed.map(|flaws| packet(hello.to, flaws)).chain(own).collect()
        }
        Packet::Response { session } if session.hello.number.is_forged() => {
            let (own, peer) = (session.hello.from, session.by);
            let packet = |by, flaws| ByzantineMessage {
                by: own,
                to: peer,
                payload: Payload::Packet(Packet::Finish { session, by }, flaws),
            };
            let flawed = unchecked(rules, "Finish").filter(|flaws| !flaws.has(Clause::PeerIsNotSelf));
            let itself = (!rules.in_force(Clause::PeerIsNotSelf)).then(|| packet(peer, Flaws::NONE));
            flawed.map(|flaws| packet(own, flaws)).chain(itself).collect()
        }
        _ => Vec::new(),
    }
}

/// Hellos in the name of whom an honest run begins a session with.
pub(super) fn unprompted(rules: &Rules, config: &SearchConfig) -> Vec<ByzantineMessage> {
    if !config.impersonates {
        return Vec::new();
    }
    let users = (0..config.setup.users).map(Actor::User);
    let validators = (0..config.setup.validators).map(Actor::Validator);
    let ends = users
        .flat_map(|user| [(user, Actor::Bsd, ContentType::Initial), (user, Actor::Cloud, ContentType::Read)])
        .chain(validators.map(|validator| (Actor::Bsd, validator, ContentType::Block)))
        .chain([(Actor::Bsd, Actor::Cloud, ContentType::Valid)]);
    // The session type alone is changed on the way.
    let flaws: Vec<Flaws> =
        unchecked(rules, "Hello").filter(|flaws| !flaws.has(Clause::RoleFitsPlace)).collect();
    ends.flat_map(|(from, to, purpose)| {
        let hello = HelloId { from, to, number: MADE_UP };
        let packet = move |flaws| ByzantineMessage {
            by: from,
            to,
            payload: Payload::Packet(Packet::Hello { hello, purpose }, flaws),
        };
        flaws.iter().copied().chain([Flaws::NONE]).map(packet).collect::<Vec<ByzantineMessage>>()
    })
    .collect()
}
