//! Forgeries by chance: which genuine message of an insider is sent again with which flaws.

use crate::forge::{CONDITIONAL, COSTLY, ENTAILS, FLAWS, MANNERS, makes};
use crate::lockstep::forged_term::{
    gossip_decomposed, gossip_forged, gossip_with_flaws, renamed, with_flaws,
};
use crate::lockstep::sample_by_age;
use crate::sut::BREAKABLE;
use bemr_model::{
    Action, Actor, Ballot, Datagram, Entry, Envelope, Execution, FORKING, Flaws, Gossip, Head, LedgerKind,
    LogKind, Message, Order, Packet, Public, View, Vote,
};
use bemr_spec::Clause;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};

/// Flaws that are not drawn, and why.
const LEFT_OUT: &[(&str, Clause, &str)] = &[
    ("Proposal", Clause::HeightAdvancesByOne, "blocks from its height on are sent back"),
    ("Grant", Clause::RoleMayRead, "it is for another reader, of whom nothing was revoked"),
];

/// Flaws that show only when much else is as it should be: they are drawn more often than the others of their kind.
const RARE: &[(&str, Clause)] = &[
    ("T_initial", Clause::CiphertextIsTheSigned),
    ("T_initial", Clause::CommitmentsMatchMapping),
    ("T_block", Clause::BsdSignsBlock),
    ("T_block", Clause::BlockCarriesUserSignature),
    ("T_block", Clause::CheckedAttributesOpened),
    ("T_block", Clause::OpeningsMatchCommitments),
    ("T_valid", Clause::ValidCarriesUserSignature),
    ("T_valid", Clause::AckAnswersThisBlock),
    ("T_valid", Clause::AckIsTrue),
    ("T_valid", Clause::SignersAreDistinct),
    ("T_valid", Clause::MoreThanTwoThirds),
    ("T_valid", Clause::SealDigestIsCarried),
    ("T_valid", Clause::CiphertextMatchesSigned),
    // The last of all checks but one.
    ("T_valid", Clause::CiphertextMatchesSigned),
    ("T_valid", Clause::CiphertextMatchesSigned),
    ("T_valid", Clause::EntryInclusionProven),
    ("ReadResponse", Clause::LogIsAppendOnly),
    ("ReadResponse", Clause::HeadIsAnchored),
    ("ReadResponse", Clause::ReadMatchesSigned),
    ("ReadResponse", Clause::TagVerifiedBeforeUse),
    ("ReadResponse", Clause::ReadMatchesCommitments),
    ("Response", Clause::ResponderSignsTranscript),
    ("Response", Clause::ResponderConfirmsKey),
];

/// One or two flaws of this kind.
pub(super) fn draw(rng: &mut ChaCha8Rng, kind: &str) -> Option<Flaws> {
    let (_, listed) = FLAWS.iter().find(|(name, _)| *name == kind)?;
    let mut flaws = Flaws::NONE;
    for _ in 0..if rng.random_range(0..4) == 0 { 2 } else { 1 } {
        let mut place = rng.random_range(0..listed.len());
        let rare = RARE.iter().filter(|(name, _)| *name == kind).count();
        if rare > 0 && rng.random_range(0..2) == 0 {
            let (_, flaw) = RARE.iter().filter(|(name, _)| *name == kind).nth(rng.random_range(0..rare))?;
            place = listed.iter().position(|one| one == flaw)?;
        }
        let flaw = listed[place];
        let left_out = CONDITIONAL.iter().map(|(kind, flaw, _)| (kind, flaw));
        let left_out = left_out.chain(COSTLY.iter().map(|(kind, flaw)| (kind, flaw)));
        let mut left_out = left_out.chain(LEFT_OUT.iter().map(|(kind, flaw, _)| (kind, flaw)));
        let anchored = (kind, flaw) == ("ReadResponse", Clause::HeadIsAnchored);
        if !anchored && left_out.any(|(name, other)| *name == kind && *other == flaw) {
            return None;
        }
        flaws = flaws.and(flaw);
    }
    // A check fails in one manner or another.
    if flaws.iter().count() == 1 && rng.random_range(0..2) == 0 {
        let of = |(name, of, _): &&(&str, Clause, Clause)| *name == kind && flaws.has(*of);
        let manners: Vec<_> = MANNERS.iter().filter(of).collect();
        if !manners.is_empty() {
            let (.., manner) = manners[rng.random_range(0..manners.len())];
            flaws = flaws.and(*manner);
        }
    }
    // One that entails the other makes the same record without it, and that has its name.
    let entailed = |(name, one, other, _): &(&str, Clause, Clause, &str)| {
        *name == kind && kind == "T_initial" && flaws.has(*one) && flaws.has(*other)
    };
    (!ENTAILS.iter().any(entailed)).then_some(())?;
    makes(kind, flaws).then_some(flaws)
}

/// The lie of this seed about something that was sent lately.
pub fn lie_of(seed: u64, world: &Execution) -> Option<Action> {
    lie(&mut ChaCha8Rng::seed_from_u64(seed), world, &VecDeque::new())
}

/// A lie about something that was sent lately, or is still `flying`.
pub(super) fn lie(rng: &mut ChaCha8Rng, world: &Execution, flying: &VecDeque<u32>) -> Option<Action> {
    (0..8).find_map(|_| try_lie(rng, world, flying))
}

/// Lies about what was just sent and is looked at closely once, while it has not arrived: of what is sent often, seldom.
pub(super) fn at_once(rng: &mut ChaCha8Rng, world: &Execution, envelope: u32) -> Vec<Action> {
    let Some(envelope) = world.envelopes().get(envelope as usize) else { return Vec::new() };
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
        let says_so = |one: &&Envelope| match &one.datagram {
            Datagram::Packet(Packet::Record(other)) => other.message == record.message,
            _ => false,
        };
        // Said once more, it is another's statement to who carries it out; said ever again, nobody hears anything else.
        let before = world.envelopes().iter().rev().take(400).filter(says_so).count();
        let again = Action::Send { actor: envelope.from, to: envelope.to, message: record.message };
        return vec![again; if before > 1 { 0 } else { lies }];
    }
    (0..lies).filter_map(|_| (0..4).find_map(|_| lie_about(rng, world, envelope))).collect()
}

fn try_lie(rng: &mut ChaCha8Rng, world: &Execution, flying: &VecDeque<u32>) -> Option<Action> {
    let sent = world.envelopes();
    let on_its_way = || flying.iter().take(60).filter_map(|envelope| sent.get(*envelope as usize));
    let envelope = match rng.random_range(0..8) {
        0 | 1 => pick(rng, sent.iter().rev().take(60)),
        // There is one for many others, and much about it that can be wrong.
        2 | 3 => pick(rng, on_its_way().filter(|envelope| envelope.datagram.name() == "T_valid")),
        _ => pick(rng, on_its_way()),
    }?;
    lie_about(rng, world, envelope)
}

pub(super) fn lie_about(rng: &mut ChaCha8Rng, world: &Execution, envelope: &Envelope) -> Option<Action> {
    let (actor, to) = (envelope.from, envelope.to);
    match &envelope.datagram {
        Datagram::Packet(Packet::Record(record)) => {
            let genuine = record.message;
            let often = if matches!(genuine, Message::Order { .. }) { 2 } else { 16 };
            // From where a record is proven to extend is told of the request that it answers, and so of nothing said again.
            if !matches!(genuine, Message::Record { .. }) && rng.random_range(0..often) == 0 {
                return misplaced(rng, world, envelope, genuine);
            }
            if let Message::Vote(vote) = genuine
                && rng.random_range(0..6) == 0
            {
                let ballot = match rng.random_range(0..RULES.len() + 1) {
                    0 => Ballot::True,
                    place => Ballot::False(RULES[place - 1]),
                };
                let message = Message::Vote(Vote { ballot, ..vote });
                return Some(Action::Send { actor, to, message });
            }
            let flaws = draw(rng, genuine.name())?;
            let mut message = with_flaws(genuine, flaws);
            // Which head is anchored is told of the genuine one.
            let stored = flaws.iter().any(|flaw| FORKING.contains(&flaw));
            (!stored || !flaws.has(Clause::HeadIsAnchored)).then_some(())?;
            // All of the log is made anew for it.
            (!stored || sample_by_age(rng, world.envelopes().len() as u32)).then_some(())?;
            match &mut message {
                Message::Order { .. } | Message::Initial { .. } => message = renamed(message, flaws)?,
                Message::Record { head, from, anchored: extends, .. } if stored => {
                    // It is shown under another head, which is not the anchored one but extends it.
                    let anchor = Entry::Anchor(*head);
                    let anchored = world.envelopes().iter().any(|envelope| match &envelope.datagram {
                        Datagram::Gossip(Gossip::Block(block)) => block.proposal.entries.contains(&anchor),
                        _ => false,
                    });
                    let remembers = match world.view(to)? {
                        View::User { remembered, .. } => remembered,
                        _ => return None,
                    };
                    let covered = !anchored || *extends == Some(*head);
                    (covered && remembers == *from).then_some(())?;
                }
                Message::Record { .. } if flaws.has(Clause::HeadIsAnchored) => {
                    anchors_the_cloud(world, to).then_some(())?;
                }
                Message::Block { .. } if rng.random_range(0..3) > 0 => message = renamed(message, flaws)?,
                _ => {}
            }
            Some(Action::Send { actor, to, message })
        }
        Datagram::Packet(_) => None,
        Datagram::Gossip(gossip) => {
            let (genuine, one, other) = gossip_decomposed(gossip)?;
            (one.is_empty() && other.is_empty()).then_some(())?;
            let gossip = gossip_lie(rng, world, genuine)?;
            Some(Action::Publish { actor, to, gossip })
        }
    }
}

/// The rules that a false vote can name: no record of the supply breaks the last.
const RULES: [Clause; 8] = {
    let [one, two, three, four, five, six, seven] = BREAKABLE;
    [one, two, three, four, five, six, seven, Clause::SubjectRule]
};

/// What a vote says that says the contrary.
pub(super) const fn contrary(ballot: Ballot) -> Ballot {
    match ballot {
        Ballot::True => Ballot::False(RULES[0]),
        Ballot::False(_) => Ballot::True,
    }
}

/// What a vote says that nobody forged, if the envelope is one.
pub(super) fn vote(world: &Execution, envelope: u32) -> Option<Vote> {
    match &world.envelopes().get(envelope as usize)?.datagram {
        Datagram::Packet(Packet::Record(record)) => match record.message {
            Message::Vote(vote) if vote.flaws.is_empty() => Some(vote),
            _ => None,
        },
        _ => None,
    }
}

/// Validators conspire about what a vote of one of them answers: all of them say that one rule does not hold, or some say this
/// and some that.
pub(super) fn coalition(rng: &mut ChaCha8Rng, world: &Execution, vote: &Vote) -> Vec<Action> {
    let rule = RULES[rng.random_range(0..RULES.len())];
    let split = rng.random_range(0..2) == 0;
    let validators = world.system().actors().filter(|actor| matches!(actor, Actor::Validator(_)));
    let liars = validators.filter_map(|actor| match actor {
        Actor::Validator(validator) => Some((actor, validator)),
        _ => None,
    });
    let ballot = |validator: u8| match split {
        true => Ballot::False(RULES[usize::from(validator) % RULES.len()]),
        false => Ballot::False(rule),
    };
    liars
        .map(|(actor, validator)| {
            let message = Message::Vote(Vote { validator, ballot: ballot(validator), ..*vote });
            Action::Send { actor, to: Actor::Bsd, message }
        })
        .collect()
}

/// One of these that are as their senders would have them: of each kind as often as there are flaws of it, for of some there is
/// much more than of others; and of what is looked at closely the first time alone more often.
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

/// What was said, said again; or by whom it was said to, or to somebody else.
fn misplaced(
    rng: &mut ChaCha8Rng,
    world: &Execution,
    envelope: &Envelope,
    message: Message,
) -> Option<Action> {
    let (actor, to) = (envelope.from, envelope.to);
    match rng.random_range(0..4) {
        0 => Some(Action::Send { actor: to, to: actor, message }),
        1 => {
            let others: Vec<Actor> = world.system().actors().filter(|other| *other != actor).collect();
            Some(Action::Send { actor, to: others[rng.random_range(0..others.len())], message })
        }
        _ => Some(Action::Send { actor, to, message }),
    }
}

/// Whether the ledger of a user holds a head of the cloud's log for good.
fn anchors_the_cloud(world: &Execution, user: Actor) -> bool {
    let Some(View::User { public: Public { final_height: last, .. }, .. }) = world.view(user) else {
        return false;
    };
    let anchors = |entry: &Entry| matches!(entry, Entry::Anchor(Head { kind: LogKind::Cloud, .. }));
    world.system().ledger_kind() == LedgerKind::Quorum
        && world.envelopes().iter().any(|envelope| match &envelope.datagram {
            Datagram::Gossip(Gossip::Block(block)) => {
                is_genuine(&envelope.datagram)
                    && block.proposal.height <= last
                    && block.proposal.entries.iter().any(anchors)
            }
            _ => false,
        })
}

/// Whether nobody forged it.
fn is_genuine(datagram: &Datagram) -> bool {
    datagram.flaws().iter().all(Flaws::is_empty)
}

/// What is looked at closely the first time alone: it is best lied about before it arrives.
const fn is_awaited_once(datagram: &Datagram) -> bool {
    let Datagram::Packet(Packet::Record(record)) = datagram else { return false };
    matches!(
        record.message,
        Message::Initial { .. } | Message::Block { .. } | Message::Valid { .. } | Message::Record { .. }
    )
}

fn gossip_lie(rng: &mut ChaCha8Rng, world: &Execution, genuine: Gossip) -> Option<Gossip> {
    let with = draw(rng, genuine.name())?;
    let by_work = world.system().ledger_kind() == LedgerKind::Work;
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
