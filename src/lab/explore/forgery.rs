//! Messages that fail one check, and packets of handshakes in another's name.
//!
//! An insider says anew what it just said, so that one check of its receiver fails; who poses as another answers a hello, says
//! hello and proves itself to who answers. What fails the check of a clause that is in force is refused and changes nothing
//! but sequence numbers, which hold for honest messages as well: so only what fails a clause that is *not* in force is made.

use crate::explore::SearchConfig;
use crate::explore::transition_cache::{Lie, Says};
use crate::forge::FLAWS;
use crate::lockstep::{forged, gossip_forged};
use bemr_model::{
    Actor, ContentType, Datagram, Envelope, Flaws, Forgery, HelloId, Ordinal, Packet, SessionId,
};
use bemr_spec::{Clause, Rules};

/// The number of what is made up in a handshake: one of each is enough.
const MADE_UP: Ordinal = Ordinal::nth(1).forged(Forgery::ONLY);

/// The checks that a message of this kind can be made to fail, and that nobody makes.
fn unchecked(rules: &Rules, kind: &str) -> impl Iterator<Item = Flaws> {
    let listed = FLAWS.iter().find(|(name, _)| *name == kind).map_or(&[] as &[Clause], |(_, listed)| listed);
    listed.iter().filter(|clause| !rules.in_force(**clause)).map(|clause| Flaws::of(*clause))
}

/// What this parcel makes an insider say, who sent it, or who poses as somebody.
pub(super) fn prompted(rules: &Rules, part: &SearchConfig, parcel: &Envelope) -> Vec<Lie> {
    let (by, to) = (parcel.from, parcel.to);
    let flaws = || unchecked(rules, parcel.datagram.name());
    let genuine = parcel.datagram.flaws().iter().all(Flaws::is_empty);
    match &parcel.datagram {
        _ if !genuine => Vec::new(),
        Datagram::Packet(Packet::Record(record)) if part.insiders.contains(&by) => {
            let told = flaws().filter_map(|flaws| forged(record.message, flaws));
            told.map(|message| Lie { by, to, says: Says::Message(message) }).collect()
        }
        Datagram::Gossip(gossip) if part.insiders.contains(&by) => {
            let told = flaws().filter_map(|flaws| gossip_forged(gossip.clone(), flaws));
            told.map(|gossip| Lie { by, to, says: Says::Gossip(gossip) }).collect()
        }
        Datagram::Packet(packet) if part.poses => posed(rules, packet),
        _ => Vec::new(),
    }
}

/// What is answered to a packet of a handshake by who is not meant.
fn posed(rules: &Rules, packet: &Packet) -> Vec<Lie> {
    match *packet {
        Packet::Hello { hello, .. } if !hello.number.is_forged() => {
            let response = |by| Packet::Response { session: SessionId { hello, by, number: MADE_UP } };
            let lie =
                |by, flaws| Lie { by: hello.to, to: hello.from, says: Says::Packet(response(by), flaws) };
            // Who is shown stands in the term.
            let of_the_term =
                |flaws: &Flaws| flaws.has(Clause::PeerIsNotSelf) || flaws.has(Clause::PeerIsIntended);
            let flawed = unchecked(rules, "Response").filter(|flaws| !of_the_term(flaws));
            let own = (!rules.in_force(Clause::PeerIsNotSelf)).then(|| lie(hello.from, Flaws::NONE));
            flawed.map(|flaws| lie(hello.to, flaws)).chain(own).collect()
        }
        Packet::Response { session } if session.hello.number.is_forged() => {
            let (own, peer) = (session.hello.from, session.by);
            let lie = |by, flaws| Lie {
                by: own,
                to: peer,
                says: Says::Packet(Packet::Finish { session, by }, flaws),
            };
            let flawed = unchecked(rules, "Finish").filter(|flaws| !flaws.has(Clause::PeerIsNotSelf));
            let itself = (!rules.in_force(Clause::PeerIsNotSelf)).then(|| lie(peer, Flaws::NONE));
            flawed.map(|flaws| lie(own, flaws)).chain(itself).collect()
        }
        _ => Vec::new(),
    }
}

/// Hellos in the name of whom an honest run begins a session with.
pub(super) fn unprompted(rules: &Rules, part: &SearchConfig) -> Vec<Lie> {
    if !part.poses {
        return Vec::new();
    }
    let users = (0..part.setup.users).map(Actor::User);
    let validators = (0..part.setup.validators).map(Actor::Validator);
    let ends = users
        .flat_map(|user| [(user, Actor::Bsd, ContentType::Initial), (user, Actor::Cloud, ContentType::Read)])
        .chain(validators.map(|validator| (Actor::Bsd, validator, ContentType::Block)))
        .chain([(Actor::Bsd, Actor::Cloud, ContentType::Valid)]);
    // A purpose is changed on the way alone.
    let flaws: Vec<Flaws> =
        unchecked(rules, "Hello").filter(|flaws| !flaws.has(Clause::RoleFitsPlace)).collect();
    ends.flat_map(|(from, to, purpose)| {
        let hello = HelloId { from, to, number: MADE_UP };
        let lie =
            move |flaws| Lie { by: from, to, says: Says::Packet(Packet::Hello { hello, purpose }, flaws) };
        flaws.iter().copied().chain([Flaws::NONE]).map(lie).collect::<Vec<Lie>>()
    })
    .collect()
}
