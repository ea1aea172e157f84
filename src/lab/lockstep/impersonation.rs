//! Impersonation in handshakes: packets that the adversary makes with keys of insiders, under the names of others.

use crate::lockstep::flaw_draw::draw;
use bemr_model::{
    Action, Actor, ContentType, Datagram, Envelope, Execution, Flaws, Forgery, HelloId, Ordinal, Packet,
    SessionId,
};
use bemr_spec::Clause;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// How far back the adversary looks for a packet to answer.
const LATELY: usize = 24;

/// A packet of a handshake: the finish after a hello of the adversary's own, should one be due; else a response to a hello of
/// somebody, or a hello. `number` tells hellos and responses from each other.
pub(super) fn pose(
    rng: &mut ChaCha8Rng,
    model: &Execution,
    flying: &VecDeque<u32>,
    number: u32,
) -> Option<Action> {
    let sent = model.envelopes();
    let lately = &sent[sent.len().saturating_sub(LATELY)..];
    let answer = |envelope: &Envelope| match envelope.datagram {
        Datagram::Packet(Packet::Response { session }) if session.hello.number.is_forged() => Some(session),
        _ => None,
    };
    let asked = |envelope: &Envelope| match envelope.datagram {
        Datagram::Packet(Packet::Hello { hello, purpose }) => Some((hello, purpose)),
        _ => None,
    };
    if let Some(session) = lately.iter().rev().find_map(answer)
        && rng.random_range(0..4) > 0
    {
        return finish(rng, model, session);
    }
    // A genuine answer that comes first would end the handshake.
    let unheard =
        flying.iter().take(LATELY).filter_map(|envelope| sent.get(*envelope as usize)).find_map(asked);
    match unheard.or_else(|| lately.iter().rev().find_map(asked)) {
        Some((hello, purpose)) if rng.random_range(0..3) > 0 => respond(rng, model, hello, purpose, number),
        _ => greet(rng, model, number),
    }
}

/// Somebody who takes part.
fn anybody(rng: &mut ChaCha8Rng, model: &Execution) -> Actor {
    let everybody: Vec<Actor> = model.system().actors().collect();
    everybody[rng.random_range(0..everybody.len())]
}

fn greet(rng: &mut ChaCha8Rng, model: &Execution, number: u32) -> Option<Action> {
    let is_user = |actor: &Actor| matches!(actor, Actor::User(_));
    let of = |user: bool| {
        model
            .system()
            .actors()
            .filter(move |actor| user == is_user(actor) && !matches!(actor, Actor::Bsd | Actor::Cloud))
    };
    let (users, validators): (Vec<Actor>, Vec<Actor>) = (of(true).collect(), of(false).collect());
    let user = users[rng.random_range(0..users.len())];
    let (actor, to, purpose) = match rng.random_range(0..4) {
        0 => (user, Actor::Bsd, ContentType::Initial),
        1 => (Actor::Bsd, validators[rng.random_range(0..validators.len())], ContentType::Block),
        2 => (Actor::Bsd, Actor::Cloud, ContentType::Valid),
        _ => (user, Actor::Cloud, ContentType::Read),
    };
    let flaws = if rng.random_range(0..4) == 0 { draw(rng, "Hello")? } else { Flaws::NONE };
    // A purpose is changed on the way alone.
    (!flaws.has(Clause::RoleFitsPlace)).then_some(())?;
    let hello = HelloId { from: actor, to, number: Ordinal::nth(number).forged(Forgery::ONLY) };
    Some(Action::Inject { actor, to, packet: Packet::Hello { hello, purpose }, flaws })
}

fn respond(
    rng: &mut ChaCha8Rng,
    model: &Execution,
    hello: HelloId,
    purpose: ContentType,
    number: u32,
) -> Option<Action> {
    let (by, flaws) = match rng.random_range(0..8) {
        0 => (hello.from, Flaws::NONE),
        1 | 2 => (anybody(rng, model), Flaws::NONE),
        _ => (hello.to, draw(rng, "Response")?),
    };
    // Who is shown stands in the term.
    (!flaws.has(Clause::PeerIsNotSelf) && !flaws.has(Clause::PeerIsIntended)).then_some(())?;
    (by != hello.to || !flaws.is_empty()).then_some(())?;
    // To whom no honest hello of this purpose goes, a certificate of another place may fit.
    let fits = matches!(
        (hello.to, purpose),
        (Actor::Bsd, ContentType::Initial)
            | (Actor::Validator(_), ContentType::Block)
            | (Actor::Cloud, ContentType::Valid | ContentType::Read)
    );
    (fits || !flaws.has(Clause::RoleFitsPlace)).then_some(())?;
    let packet = Packet::Response {
        session: SessionId { hello, by, number: Ordinal::nth(number).forged(Forgery::ONLY) },
    };
    Some(Action::Inject { actor: hello.to, to: hello.from, packet, flaws })
}

fn finish(rng: &mut ChaCha8Rng, model: &Execution, session: SessionId) -> Option<Action> {
    let own = session.hello.from;
    let (by, flaws) = match rng.random_range(0..16) {
        0 => (own, Flaws::NONE),
        1..=3 => (session.by, Flaws::NONE),
        4 => {
            // Somebody of another role.
            let other = anybody(rng, model);
            let alike = std::mem::discriminant(&other) == std::mem::discriminant(&own);
            (!alike).then_some((other, Flaws::NONE))?
        }
        _ => (own, draw(rng, "Finish")?),
    };
    (!flaws.has(Clause::PeerIsNotSelf)).then_some(())?;
    Some(Action::Inject { actor: own, to: session.by, packet: Packet::Finish { session, by }, flaws })
}
