//! Forgeries by chance: which genuine message an insider sends again, and how it changes it.

use crate::forge::FLAWS;
use crate::lockstep::false_votes::RULES;
use crate::lockstep::flaw_draw::draw;
use crate::lockstep::forged_term::{
    gossip_decomposed, gossip_forged, gossip_with_flaws, renamed, with_flaws,
};
use crate::lockstep::sample_by_age;
use bemr_model::{
    Action, Actor, Ballot, Datagram, Entry, Envelope, Execution, FORKING, Flaws, Gossip, Head, LedgerKind,
    LogKind, Message, Order, Packet, Public, View, Vote,
};
use bemr_spec::Clause;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};

/// The forgery of this seed of a recent message.
pub fn forgery_of(seed: u64, model: &Execution) -> Option<Action> {
    lie(&mut ChaCha8Rng::seed_from_u64(seed), model, &VecDeque::new())
}

/// A forgery of a recent message, or of one in flight.
pub(super) fn lie(rng: &mut ChaCha8Rng, model: &Execution, in_flight: &VecDeque<u32>) -> Option<Action> {
    (0..8).find_map(|_| try_lie(rng, model, in_flight))
}

/// Forgeries of a message that its receiver checks in full only the first time: they have to arrive before it. Frequent kinds are
/// forged seldom.
pub(super) fn at_once(rng: &mut ChaCha8Rng, model: &Execution, envelope: u32) -> Vec<Action> {
    let Some(envelope) = model.envelopes().get(envelope as usize) else { return Vec::new() };
    let Datagram::Packet(Packet::Record(record)) = &envelope.datagram else { return Vec::new() };
    let (often, lies) = match record.message {
        Message::Initial { .. } => (250, 2),
        Message::Block { .. } => (100, 2),
        Message::Order { order: Order::Revoke(_), .. } => (1000, 3),
        Message::Valid { .. } | Message::Record { .. } => (500, 4),
        _ => return Vec::new(),
    };
    if !is_genuine(&envelope.datagram) || rng.random_range(0..1000) >= often {
        return Vec::new();
    }
    if let Message::Order { .. } = record.message {
        let repeats = |one: &&Envelope| match &one.datagram {
            Datagram::Packet(Packet::Record(other)) => other.message == record.message,
            _ => false,
        };
        // The receiver executes a repeated order as another request; without a bound the repetitions would crowd out everything else.
        let before = model.envelopes().iter().rev().take(400).filter(repeats).count();
        let again = Action::Send { actor: envelope.from, to: envelope.to, message: record.message };
        return vec![again; if before > 1 { 0 } else { lies }];
    }
    (0..lies).filter_map(|_| (0..4).find_map(|_| lie_about(rng, model, envelope))).collect()
}

fn try_lie(rng: &mut ChaCha8Rng, model: &Execution, in_flight: &VecDeque<u32>) -> Option<Action> {
    let sent = model.envelopes();
    let on_its_way = || in_flight.iter().take(60).filter_map(|envelope| sent.get(*envelope as usize));
    let envelope = match rng.random_range(0..8) {
        0 | 1 => pick(rng, sent.iter().rev().take(60)),
        // A run has few T_valid, and more of their checks to reach than of other kinds.
        2 | 3 => pick(rng, on_its_way().filter(|envelope| envelope.datagram.name() == "T_valid")),
        _ => pick(rng, on_its_way()),
    }?;
    lie_about(rng, model, envelope)
}

/// A forgery of the message in an envelope, as its sender would forge it.
pub(super) fn lie_about(rng: &mut ChaCha8Rng, model: &Execution, envelope: &Envelope) -> Option<Action> {
    let (actor, to) = (envelope.from, envelope.to);
    match &envelope.datagram {
        Datagram::Packet(Packet::Record(record)) => forged_record(rng, model, envelope, record.message),
        Datagram::Packet(_) => None,
        Datagram::Gossip(gossip) => {
            let (genuine, one, other) = gossip_decomposed(gossip)?;
            (one.is_empty() && other.is_empty()).then_some(())?;
            let gossip = forged_gossip(rng, model, genuine)?;
            Some(Action::Publish { actor, to, gossip })
        }
    }
}

fn forged_record(
    rng: &mut ChaCha8Rng,
    model: &Execution,
    envelope: &Envelope,
    genuine: Message,
) -> Option<Action> {
    let (actor, to) = (envelope.from, envelope.to);
    let often = if matches!(genuine, Message::Order { .. }) { 2 } else { 16 };
    // The model takes from the request which log a ReadResponse extends: one that is sent again has no request.
    if !matches!(genuine, Message::Record { .. }) && rng.random_range(0..often) == 0 {
        return misplaced(rng, model, envelope, genuine);
    }
    if let Message::Vote(vote) = genuine
        && rng.random_range(0..6) == 0
    {
        let ballot = match rng.random_range(0..RULES.len() + 1) {
            0 => Ballot::True,
            place => Ballot::False(RULES[place - 1]),
        };
        return Some(Action::Send { actor, to, message: Message::Vote(Vote { ballot, ..vote }) });
    }
    let flaws = draw(rng, genuine.name())?;
    let message = with_flaws(genuine, flaws);
    let forks = flaws.iter().any(|flaw| FORKING.contains(&flaw));
    // A forked log has no anchored head: the model takes that from the genuine one.
    (!forks || !flaws.has(Clause::HeadIsAnchored)).then_some(())?;
    // Forking rebuilds the whole log.
    (!forks || sample_by_age(rng, model.envelopes().len() as u32)).then_some(())?;
    let message = match message {
        Message::Order { .. } | Message::Initial { .. } => renamed(message, flaws)?,
        Message::Record { head, from, anchored, .. } if forks => {
            can_show_fork(model, to, head, from, anchored).then_some(message)?
        }
        Message::Record { .. } if flaws.has(Clause::HeadIsAnchored) => {
            anchors_the_cloud(model, to).then_some(message)?
        }
        Message::Block { .. } if rng.random_range(0..3) > 0 => renamed(message, flaws)?,
        _ => message,
    };
    Some(Action::Send { actor, to, message })
}

/// Whether a fork can take the place of the log under `head` in an answer to `user`: its head is not the anchored one but extends
/// it, and the user remembers the head that it is proven to extend.
fn can_show_fork(model: &Execution, user: Actor, head: Head, from: u32, extends: Option<Head>) -> bool {
    let anchor = Entry::Anchor(head);
    let anchored = model.envelopes().iter().any(|envelope| match &envelope.datagram {
        Datagram::Gossip(Gossip::Block(block)) => block.proposal.entries.contains(&anchor),
        _ => false,
    });
    let Some(View::User { remembered, .. }) = model.view(user) else { return false };
    (!anchored || extends == Some(head)) && remembered == from
}

/// One of the genuine envelopes: a kind is drawn in proportion to the number of its flaws, since some kinds are sent much more
/// often than others; a kind whose receiver checks only the first one in full is drawn three times as often.
fn pick<'a>(rng: &mut ChaCha8Rng, sent: impl Iterator<Item = &'a Envelope>) -> Option<&'a Envelope> {
    let mut kinds: BTreeMap<&str, (usize, Vec<&Envelope>)> = BTreeMap::new();
    for envelope in sent.filter(|envelope| is_genuine(&envelope.datagram)) {
        let kind = match &envelope.datagram {
            Datagram::Packet(Packet::Record(record)) => record.message.name(),
            Datagram::Packet(_) => continue,
            Datagram::Gossip(gossip) => gossip.name(),
        };
        let Some((_, flaws)) = FLAWS.iter().find(|(name, _)| *name == kind) else { continue };
        let weight = if is_awaited_once(&envelope.datagram) { 3 * flaws.len() } else { flaws.len() };
        kinds.entry(kind).or_insert((weight, Vec::new())).1.push(envelope);
    }
    let all: usize = kinds.values().map(|(weight, _)| weight).sum();
    let mut drawn = rng.random_range(0..all.max(1));
    for (weight, envelopes) in kinds.values() {
        if drawn < *weight {
            return Some(envelopes[rng.random_range(0..envelopes.len())]);
        }
        drawn -= weight;
    }
    None
}

/// The message sent again: to the same receiver, back to the sender, or to somebody else.
fn misplaced(
    rng: &mut ChaCha8Rng,
    model: &Execution,
    envelope: &Envelope,
    message: Message,
) -> Option<Action> {
    let (actor, to) = (envelope.from, envelope.to);
    match rng.random_range(0..4) {
        0 => Some(Action::Send { actor: to, to: actor, message }),
        1 => {
            let others: Vec<Actor> = model.system().actors().filter(|other| *other != actor).collect();
            Some(Action::Send { actor, to: others[rng.random_range(0..others.len())], message })
        }
        _ => Some(Action::Send { actor, to, message }),
    }
}

/// Whether a final block in the ledger of a user anchors a head of the cloud's log.
fn anchors_the_cloud(model: &Execution, user: Actor) -> bool {
    let Some(View::User { public: Public { final_height: last, .. }, .. }) = model.view(user) else {
        return false;
    };
    let anchors = |entry: &Entry| matches!(entry, Entry::Anchor(Head { kind: LogKind::Cloud, .. }));
    model.system().ledger_kind() == LedgerKind::Quorum
        && model.envelopes().iter().any(|envelope| match &envelope.datagram {
            Datagram::Gossip(Gossip::Block(block)) => {
                is_genuine(&envelope.datagram)
                    && block.proposal.height <= last
                    && block.proposal.entries.iter().any(anchors)
            }
            _ => false,
        })
}

/// Whether it has no flaws.
fn is_genuine(datagram: &Datagram) -> bool {
    datagram.flaws().iter().all(Flaws::is_empty)
}

/// Whether the receiver checks only the first message of this kind in full: a forgery has to arrive before it.
const fn is_awaited_once(datagram: &Datagram) -> bool {
    let Datagram::Packet(Packet::Record(record)) = datagram else { return false };
    matches!(
        record.message,
        Message::Initial { .. } | Message::Block { .. } | Message::Valid { .. } | Message::Record { .. }
    )
}

fn forged_gossip(rng: &mut ChaCha8Rng, model: &Execution, genuine: Gossip) -> Option<Gossip> {
    let with = draw(rng, genuine.name())?;
    let by_work = model.system().ledger_kind() == LedgerKind::Work;
    let other_ledger = |flaw| match flaw {
        Clause::BlockHasQuorum => by_work,
        Clause::TargetIsScheduled | Clause::WorkMeetsTarget => !by_work,
        _ => false,
    };
    if let Gossip::Block(_) = genuine
        && rng.random_range(0..4) == 0
    {
        let close = draw(rng, "Close")?;
        (!close.iter().any(other_ledger)).then_some(())?;
        return Some(gossip_with_flaws(genuine, Flaws::NONE, close));
    }
    (!matches!(genuine, Gossip::Proposal { .. } | Gossip::Block(_)) || !with.iter().any(other_ledger))
        .then_some(())?;
    gossip_forged(genuine, with)
}
