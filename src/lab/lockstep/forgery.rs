//! What insiders say: a genuine message of theirs, said anew with a flaw or two.

use crate::forge::{
    CONDITIONAL, COSTLY, Certificates, ENTAILS, FLAWS, Forge, MANNERS, RENEWING, is_of_the_body, makes,
    packet,
};
use crate::lockstep::sample_by_age;
use crate::sut::{BREAKABLE, Forger, SystemUnderTest};
use bemr::crypto::{Digest, Domain};
use bemr::session::insider::Caller;
use bemr::wire::{self, SessionType, Version, encode};
use bemr_model::{
    Action, Actor, Ballot, Block, ContentType, Datagram, Enrolment, Entry, Envelope, Execution, FORKING,
    Flaws, Forgery, Gossip, Head, HelloId, LedgerKind, LogKind, Message, Order, Ordinal, Packet, Proposal,
    Public, Question, RequestId, RevocationList, View, Vote,
};
use bemr_spec::Clause;
use rand::{RngExt, SeedableRng};
use rand_chacha::{ChaCha8Rng, ChaCha20Rng};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

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

/// Everybody's keys.
pub(super) struct KeyRing {
    certificates: Certificates,
    /// The hellos of its own.
    callers: BTreeMap<HelloId, Caller>,
    /// How many packets it made.
    made: u64,
}

impl KeyRing {
    pub(super) const fn new(certificates: Certificates) -> KeyRing {
        KeyRing { certificates, callers: BTreeMap::new(), made: 0 }
    }

    fn forge<'a>(&'a self, rig: &'a SystemUnderTest) -> Forge<'a> {
        let foundation = rig.foundation();
        Forge {
            rules: rig.rules(),
            keys: &foundation.credentials,
            certificates: &self.certificates,
            directory: &foundation.directory,
            policy: rig.policy(),
            way: 0,
        }
    }
}

impl Forger for KeyRing {
    fn message(
        &mut self,
        rig: &SystemUnderTest,
        by: Actor,
        _: Actor,
        term: &Message,
    ) -> Option<wire::Message> {
        let (genuine, flaws) = taken_apart(term);
        let forge = self.forge(rig);
        if genuine == *term && flaws.is_empty() {
            // Said again, or by somebody else. What nobody said can be a vote alone.
            let again = rig.said(by, term).or_else(|| rig.said_of(|said| said == term));
            if let Some(real) = again {
                return Some(real.clone());
            }
        }
        if let Message::Vote(vote) = genuine
            && rig.said(by, &genuine).is_none()
        {
            let own = unsaid(rig, &forge, &vote)?;
            return Some(wire::Message::Vote(forge.turned(&own, vote.ballot, flaws)?));
        }
        let real = rig.said(by, &genuine)?;
        let forged = match real {
            wire::Message::TInitial(real) => {
                let forged = forge.initial(real, flaws)?;
                let renewed = genuine != without_flaws(term);
                (renewed == (forged.header.tid != real.header.tid)).then_some(())?;
                wire::Message::TInitial(Box::new(forged))
            }
            wire::Message::TBlock(real) => {
                let forged = forge.block(real, flaws)?;
                let digest = |body| Digest::of(Domain::T_BLOCK, &encode(body));
                let renamed = genuine != without_flaws(term);
                (renamed == (digest(&real.body) != digest(&forged.body))).then_some(())?;
                wire::Message::TBlock(Box::new(forged))
            }
            wire::Message::Vote(real) => wire::Message::Vote(forge.vote(real, flaws)?),
            wire::Message::TValid(real) => wire::Message::TValid(Box::new(forge.valid(real, flaws)?)),
            wire::Message::Receipt(real) => wire::Message::Receipt(forge.receipt(real, flaws)?),
            wire::Message::ReadResponse(real) => {
                let Message::Record { from, .. } = genuine else { return None };
                let forged = forge.record(real, &rig.leaves(), from.into(), flaws)?;
                wire::Message::ReadResponse(Box::new(forged))
            }
            order => {
                let forged = forge.order(order, flaws)?;
                (forged.request() != order.request()).then_some(forged)?
            }
        };
        (forged != *real).then_some(forged)
    }

    fn enrolment(&mut self, rig: &SystemUnderTest, term: &Enrolment) -> Option<wire::EnrolmentRequest> {
        let (signing, agreement) = rig.pairs(term)?;
        let keys = (&signing, &agreement);
        self.forge(rig).enrolment(&rig.enrolment_body(term, keys), keys, term.flaws)
    }

    fn packet(&mut self, rig: &SystemUnderTest, term: &Packet, flaws: Flaws) -> Option<wire::Packet> {
        self.made += 1;
        let mut rng = ChaCha20Rng::seed_from_u64(self.made);
        match *term {
            Packet::Hello { hello, purpose } => {
                hello.number.is_forged().then_some(())?;
                let begin = || Caller::new(&mut rng, rig.foundation().suite, purpose_of(purpose));
                packet(&self.callers.entry(hello).or_insert_with(begin).hello(), flaws)
            }
            Packet::Response { session } => {
                session.number.is_forged().then_some(())?;
                // As the one who was asked it would be no forgery.
                (!flaws.is_empty() || session.by != session.hello.to).then_some(())?;
                let asked =
                    |sent: &Packet| matches!(sent, Packet::Hello { hello, .. } if *hello == session.hello);
                let wire::Packet::Hello(hello) = rig.sent_as(asked)? else { return None };
                let (who, to) = (rig.name_of(session.by)?, rig.name_of(session.hello.from)?);
                self.forge(rig).response(&mut rng, &hello, who, to, flaws)
            }
            Packet::Finish { session, by } => {
                let caller = self.callers.get(&session.hello)?;
                let answer = |sent: &Packet| *sent == Packet::Response { session };
                let wire::Packet::Response(response) = rig.sent_as(answer)? else { return None };
                let answered = caller.answered(rig.rules(), &response)?;
                self.forge(rig).finish(&answered, rig.name_of(by)?, rig.name_of(session.by)?, flaws)
            }
            Packet::Record(_) => None,
        }
    }

    fn gossip(&mut self, rig: &SystemUnderTest, _: Actor, _: Actor, term: &Gossip) -> Option<wire::Gossip> {
        let (genuine, flaws, close) = gossip_taken_apart(term)?;
        let forge = self.forge(rig);
        if let Gossip::PolicyChange { change, approvals, .. } = &genuine {
            let approved = rig.approved(change, *approvals)?;
            return Some(wire::Gossip::PolicyChange(forge.policy_change(&approved, flaws)?));
        }
        let real = rig.told(&genuine)?;
        let forged = match real {
            wire::Gossip::Decision(real) => wire::Gossip::Decision(forge.decision(real, flaws)?),
            wire::Gossip::CloudHead(real) => wire::Gossip::CloudHead(forge.cloud_head(real, flaws)?),
            wire::Gossip::AuditHead(real) => wire::Gossip::AuditHead(forge.audit_head(real, flaws)?),
            wire::Gossip::Proposal(real) => {
                let both = close.iter().fold(flaws, Flaws::and);
                let forged = forge.proposal(real, both)?;
                (flaws.is_empty() == (forged.header.digest() == real.header.digest())).then_some(())?;
                wire::Gossip::Proposal(forged)
            }
            wire::Gossip::Closing(real) => wire::Gossip::Closing(forge.closing(real, close)?),
            wire::Gossip::RevocationList(real) => {
                let mut newer = real.clone();
                newer.body.list = Version(Ordinal::nth(real.body.list.0).forged(Forgery::ONLY).into());
                wire::Gossip::RevocationList(forge.revocation_list(&newer, flaws)?)
            }
            wire::Gossip::Block(real) => {
                let forged = forge.closed(real, flaws, close)?;
                (flaws.is_empty() == (forged.header().digest() == real.header().digest())).then_some(())?;
                wire::Gossip::Block(forged)
            }
            _ => return None,
        };
        (forged != *real).then_some(forged)
    }
}

/// A vote of who has said none, on what others voted on or were asked.
fn unsaid(rig: &SystemUnderTest, forge: &Forge<'_>, vote: &Vote) -> Option<wire::Vote> {
    let validator = rig.name_of(Actor::Validator(vote.validator))?.clone();
    let voted = |said: &Message| matches!(said, Message::Vote(said) if said.question == vote.question);
    if let Some(wire::Message::Vote(real)) = rig.said_of(voted) {
        return Some(wire::Vote { validator, ..real.clone() });
    }
    let asked = Message::Block { question: vote.question, flaws: Flaws::NONE };
    match rig.said(Actor::Bsd, &asked)? {
        wire::Message::TBlock(asked) => forge.vote_on(asked, &validator),
        _ => None,
    }
}

const fn purpose_of(stage: ContentType) -> SessionType {
    match stage {
        ContentType::Initial => SessionType::Initial,
        ContentType::Block => SessionType::Block,
        ContentType::Valid => SessionType::Valid,
        ContentType::Read => SessionType::Read,
    }
}

fn without_flaws(term: &Message) -> Message {
    with_flaws(*term, Flaws::NONE)
}

pub(super) fn with_flaws(mut term: Message, with: Flaws) -> Message {
    match &mut term {
        Message::Initial { flaws, .. }
        | Message::Block { flaws, .. }
        | Message::Vote(Vote { flaws, .. })
        | Message::Valid { flaws, .. }
        | Message::Receipt { flaws, .. }
        | Message::Record { flaws, .. }
        | Message::Order { flaws, .. } => *flaws = with,
        Message::Outcome { .. } | Message::Read { .. } | Message::Answer { .. } => {}
    }
    term
}

/// The genuine message that a forged one was made of, and its flaws.
fn taken_apart(term: &Message) -> (Message, Flaws) {
    let flaws = match term {
        Message::Initial { flaws, .. }
        | Message::Block { flaws, .. }
        | Message::Vote(Vote { flaws, .. })
        | Message::Valid { flaws, .. }
        | Message::Receipt { flaws, .. }
        | Message::Record { flaws, .. }
        | Message::Order { flaws, .. } => *flaws,
        Message::Outcome { .. } | Message::Read { .. } | Message::Answer { .. } => Flaws::NONE,
    };
    let mut genuine = without_flaws(term);
    match &mut genuine {
        Message::Initial { header, .. } => header.tid = header.tid.genuine(),
        Message::Block { question: Question { number, .. }, .. }
        | Message::Order { request: RequestId { number, .. }, .. } => *number = number.genuine(),
        _ => {}
    }
    (genuine, flaws)
}

/// As [`taken_apart`], with the flaws of what is closed or said, and those of a signature or close.
fn gossip_taken_apart(term: &Gossip) -> Option<(Gossip, Flaws, Flaws)> {
    let none = Flaws::NONE;
    Some(match term {
        Gossip::Decision(certificate) => {
            let genuine = bemr_model::Certificate { flaws: none, ..*certificate };
            (Gossip::Decision(genuine), certificate.flaws, none)
        }
        Gossip::Head { head, flaws } => (Gossip::Head { head: *head, flaws: none }, *flaws, none),
        Gossip::Proposal { proposal, signatory, flaws } => {
            let genuine = Arc::new(Proposal { flaws: none, ..(**proposal).clone() });
            let genuine = Gossip::Proposal { proposal: genuine, signatory: *signatory, flaws: none };
            (genuine, proposal.flaws, *flaws)
        }
        Gossip::Closing { height, block, signatory, flaws } => {
            let (height, block, signatory) = (*height, *block, *signatory);
            (Gossip::Closing { height, block, signatory, flaws: none }, none, *flaws)
        }
        Gossip::Block(block) => {
            let proposal = Proposal { flaws: none, ..block.proposal.clone() };
            let (id, signatories) = (proposal.id(), block.signatories);
            let genuine = Block { proposal, id, signatories, flaws: none };
            (Gossip::Block(Arc::new(genuine)), block.proposal.flaws, block.flaws)
        }
        Gossip::PolicyChange { change, approvals, flaws } => {
            let (change, approvals) = (*change, *approvals);
            (Gossip::PolicyChange { change, approvals, flaws: none }, *flaws, none)
        }
        Gossip::RevocationList { list, flaws } => {
            let list = RevocationList { number: list.number.genuine(), ..list.clone() };
            (Gossip::RevocationList { list, flaws: none }, *flaws, none)
        }
        Gossip::BlocksFrom(_) => return None,
    })
}

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
pub(super) fn at_once(rng: &mut ChaCha8Rng, world: &Execution, parcel: u32) -> Vec<Action> {
    let Some(parcel) = world.parcels().get(parcel as usize) else { return Vec::new() };
    let Datagram::Packet(Packet::Record(record)) = &parcel.datagram else { return Vec::new() };
    let (often, lies) = match record.message {
        Message::Initial { .. } => (250, 2),
        Message::Block { .. } => (100, 2),
        Message::Order { order: Order::Revoke(_), .. } => (1000, 3),
        Message::Valid { .. } | Message::Record { .. } => (500, 4),
        _ => return Vec::new(),
    };
    if !is_genuine(&parcel.datagram) || rng.random_range(0..1000) >= often {
        return Vec::new();
    }
    if let Message::Order { .. } = record.message {
        let says_so = |one: &&Envelope| match &one.datagram {
            Datagram::Packet(Packet::Record(other)) => other.message == record.message,
            _ => false,
        };
        // Said once more, it is another's statement to who carries it out; said ever again, nobody hears anything else.
        let before = world.parcels().iter().rev().take(400).filter(says_so).count();
        let again = Action::Say { actor: parcel.from, to: parcel.to, message: record.message };
        return vec![again; if before > 1 { 0 } else { lies }];
    }
    (0..lies).filter_map(|_| (0..4).find_map(|_| lie_about(rng, world, parcel))).collect()
}

fn try_lie(rng: &mut ChaCha8Rng, world: &Execution, flying: &VecDeque<u32>) -> Option<Action> {
    let sent = world.parcels();
    let on_its_way = || flying.iter().take(60).filter_map(|parcel| sent.get(*parcel as usize));
    let parcel = match rng.random_range(0..8) {
        0 | 1 => pick(rng, sent.iter().rev().take(60)),
        // There is one for many others, and much about it that can be wrong.
        2 | 3 => pick(rng, on_its_way().filter(|parcel| parcel.datagram.name() == "T_valid")),
        _ => pick(rng, on_its_way()),
    }?;
    lie_about(rng, world, parcel)
}

pub(super) fn lie_about(rng: &mut ChaCha8Rng, world: &Execution, parcel: &Envelope) -> Option<Action> {
    let (actor, to) = (parcel.from, parcel.to);
    match &parcel.datagram {
        Datagram::Packet(Packet::Record(record)) => {
            let genuine = record.message;
            let often = if matches!(genuine, Message::Order { .. }) { 2 } else { 16 };
            // From where a record is proven to extend is told of the request that it answers, and so of nothing said again.
            if !matches!(genuine, Message::Record { .. }) && rng.random_range(0..often) == 0 {
                return misplaced(rng, world, parcel, genuine);
            }
            if let Message::Vote(vote) = genuine
                && rng.random_range(0..6) == 0
            {
                let ballot = match rng.random_range(0..RULES.len() + 1) {
                    0 => Ballot::True,
                    place => Ballot::False(RULES[place - 1]),
                };
                let message = Message::Vote(Vote { ballot, ..vote });
                return Some(Action::Say { actor, to, message });
            }
            let flaws = draw(rng, genuine.name())?;
            let mut message = with_flaws(genuine, flaws);
            // Which head is anchored is told of the genuine one.
            let stored = flaws.iter().any(|flaw| FORKING.contains(&flaw));
            (!stored || !flaws.has(Clause::HeadIsAnchored)).then_some(())?;
            // All of the log is made anew for it.
            (!stored || sample_by_age(rng, world.parcels().len() as u32)).then_some(())?;
            match &mut message {
                Message::Order { request, .. } => {
                    request.number = request.number.forged(forgery(genuine.name(), flaws));
                }
                Message::Record { head, from, anchored: extends, .. } if stored => {
                    // It is shown under another head, which is not the anchored one but extends it.
                    let anchor = Entry::Anchor(*head);
                    let anchored = world.parcels().iter().any(|parcel| match &parcel.datagram {
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
                Message::Initial { header, .. } if flaws.iter().any(|flaw| RENEWING.contains(&flaw)) => {
                    header.tid = header.tid.forged(places(RENEWING, flaws))?;
                }
                Message::Block { question, .. } if rng.random_range(0..3) > 0 => {
                    question.number = question.number.forged(forgery(genuine.name(), flaws));
                }
                _ => {}
            }
            Some(Action::Say { actor, to, message })
        }
        Datagram::Packet(_) => None,
        Datagram::Gossip(gossip) => {
            let (genuine, one, other) = gossip_taken_apart(gossip)?;
            (one.is_empty() && other.is_empty()).then_some(())?;
            let gossip = gossip_lie(rng, world, genuine)?;
            Some(Action::Tell { actor, to, gossip })
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

/// What a vote says that nobody forged, if the parcel is one.
pub(super) fn vote(world: &Execution, parcel: u32) -> Option<Vote> {
    match &world.parcels().get(parcel as usize)?.datagram {
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
            Action::Say { actor, to: Actor::Bsd, message }
        })
        .collect()
}

/// One of these that are as their senders would have them: of each kind as often as there are flaws of it, for of some there is
/// much more than of others; and of what is looked at closely the first time alone more often.
fn pick<'a>(rng: &mut ChaCha8Rng, sent: impl Iterator<Item = &'a Envelope>) -> Option<&'a Envelope> {
    let mut kinds: BTreeMap<&str, (usize, Vec<&Envelope>)> = BTreeMap::new();
    for parcel in sent.filter(|parcel| is_genuine(&parcel.datagram)) {
        let kind = match &parcel.datagram {
            Datagram::Packet(Packet::Record(record)) => record.message.name(),
            Datagram::Packet(_) => continue,
            Datagram::Gossip(gossip) => gossip.name(),
        };
        let Some((_, flaws)) = FLAWS.iter().find(|(name, _)| *name == kind) else { continue };
        let weight = if is_awaited_once(&parcel.datagram) { 3 * flaws.len() } else { flaws.len() };
        kinds.entry(kind).or_insert((weight, Vec::new())).1.push(parcel);
    }
    let all: usize = kinds.values().map(|(weight, _)| weight).sum();
    let mut drawn = rng.random_range(0..all.max(1));
    for (weight, parcels) in kinds.values() {
        if drawn < *weight {
            return Some(parcels[rng.random_range(0..parcels.len())]);
        }
        drawn -= weight;
    }
    None
}

/// What was said, said again; or by whom it was said to, or to somebody else.
fn misplaced(rng: &mut ChaCha8Rng, world: &Execution, parcel: &Envelope, message: Message) -> Option<Action> {
    let (actor, to) = (parcel.from, parcel.to);
    match rng.random_range(0..4) {
        0 => Some(Action::Say { actor: to, to: actor, message }),
        1 => {
            let others: Vec<Actor> = world.system().actors().filter(|other| *other != actor).collect();
            Some(Action::Say { actor, to: others[rng.random_range(0..others.len())], message })
        }
        _ => Some(Action::Say { actor, to, message }),
    }
}

/// Whether the ledger of a user holds a head of the cloud's log for good.
fn anchors_the_cloud(world: &Execution, user: Actor) -> bool {
    let Some(View::User { public: Public { final_height: last, .. }, .. }) = world.view(user) else {
        return false;
    };
    let anchors = |entry: &Entry| matches!(entry, Entry::Anchor(Head { kind: LogKind::Cloud, .. }));
    world.system().ledger_kind() == LedgerKind::Quorum
        && world.parcels().iter().any(|parcel| match &parcel.datagram {
            Datagram::Gossip(Gossip::Block(block)) => {
                is_genuine(&parcel.datagram)
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
    if let Gossip::Block(block) = &genuine
        && rng.random_range(0..4) == 0
    {
        let flaws = draw(rng, "Close")?;
        (!flaws.iter().any(other_ledger)).then_some(())?;
        let proposal = Proposal { flaws: Flaws::NONE, ..block.proposal.clone() };
        return Some(Gossip::Block(Arc::new(Block { id: proposal.id(), proposal, flaws, ..**block })));
    }
    (!matches!(genuine, Gossip::Proposal { .. } | Gossip::Block(_)) || !with.iter().any(other_ledger))
        .then_some(())?;
    gossip_forged(genuine, with)
}

/// Something genuine and public with these flaws, under the name that its forgery has.
pub fn gossip_forged(genuine: Gossip, with: Flaws) -> Option<Gossip> {
    Some(match genuine {
        Gossip::Decision(certificate) => {
            Gossip::Decision(bemr_model::Certificate { flaws: with, ..certificate })
        }
        Gossip::Head { head, .. } => Gossip::Head { head, flaws: with },
        Gossip::Proposal { proposal, signatory, .. } => {
            let of_signature = |flaw: &Clause| matches!(flaw, Clause::VoterIsAdmitted | Clause::VoteSigned);
            let flaws = with.iter().filter(of_signature).fold(Flaws::NONE, Flaws::and);
            let inner = with.iter().filter(|flaw| !of_signature(flaw)).fold(Flaws::NONE, Flaws::and);
            let proposal = Arc::new(Proposal { flaws: inner, ..Arc::unwrap_or_clone(proposal) });
            Gossip::Proposal { proposal, signatory, flaws }
        }
        Gossip::Closing { height, block, signatory, .. } => {
            Gossip::Closing { height, block, signatory, flaws: with }
        }
        Gossip::Block(block) => {
            let block = Arc::unwrap_or_clone(block);
            let proposal = Proposal { flaws: with, ..block.proposal };
            Gossip::Block(Arc::new(Block { id: proposal.id(), proposal, flaws: Flaws::NONE, ..block }))
        }
        Gossip::PolicyChange { change, approvals, .. } => {
            Gossip::PolicyChange { change, approvals, flaws: with }
        }
        Gossip::RevocationList { list, .. } => Gossip::RevocationList { list: newer(&list), flaws: with },
        Gossip::BlocksFrom(_) => return None,
    })
}

/// A genuine message with these flaws, under the name that its forgery has: what is another thing for its flaws is numbered
/// otherwise.
pub fn forged(genuine: Message, flaws: Flaws) -> Option<Message> {
    makes(genuine.name(), flaws).then_some(())?;
    let mut message = with_flaws(genuine, flaws);
    match &mut message {
        Message::Outcome { .. } | Message::Read { .. } | Message::Answer { .. } => return None,
        Message::Order { request, .. } => {
            request.number = request.number.forged(forgery(genuine.name(), flaws));
        }
        Message::Initial { header, .. } if flaws.iter().any(|flaw| RENEWING.contains(&flaw)) => {
            header.tid = header.tid.forged(places(RENEWING, flaws))?;
        }
        Message::Block { question, .. } if is_of_the_body(flaws) => {
            question.number = question.number.forged(forgery(genuine.name(), flaws));
        }
        _ => {}
    }
    Some(message)
}

/// The forgery of a message of this kind with these flaws: the same message with other flaws is another message.
pub(super) fn forgery(kind: &str, flaws: Flaws) -> Forgery {
    let listed = FLAWS.iter().find(|(name, _)| *name == kind).map_or(&[] as &[Clause], |(_, listed)| listed);
    let in_this_way =
        |(name, of, manner): &(&str, Clause, Clause)| *name == kind && flaws.has(*of) && flaws.has(*manner);
    let manner = (1_u32..).zip(MANNERS).find(|(_, one)| in_this_way(one)).map_or(0, |(place, _)| place);
    Forgery::of(places(listed, flaws) + (manner << 24))
}

/// The places of these flaws in a list, as bits.
pub(super) fn places(listed: &[Clause], flaws: Flaws) -> u32 {
    (0..).zip(listed).filter(|(_, flaw)| flaws.has(**flaw)).map(|(place, _)| 1 << place).sum()
}

/// The list that pretends to come after `list`, and after many others.
pub(super) fn newer(list: &RevocationList) -> RevocationList {
    RevocationList { number: list.number.forged(Forgery::ONLY), ..list.clone() }
}

/// Whether something public is as its sender would have it. What else happens to a lie is not said by its flaws.
pub(super) fn is_honest(datagram: &Datagram) -> bool {
    match datagram {
        Datagram::Packet(_) => true,
        Datagram::Gossip(gossip) => {
            gossip_taken_apart(gossip).is_none_or(|(_, one, other)| one.is_empty() && other.is_empty())
        }
    }
}

/// Whether a lie holds only for now.
pub(super) fn is_urgent(action: &Action) -> bool {
    match action {
        Action::Say { message: message @ Message::Record { .. }, .. } => {
            taken_apart(message).1.iter().any(|flaw| FORKING.contains(&flaw))
        }
        _ => false,
    }
}

/// The parcel that a lie is about: the newest that says it genuinely, from the same to the same where there is one.
pub(super) fn is_about(lie: &Action, world: &Execution) -> Option<usize> {
    let newest = |says: &dyn Fn(&Datagram) -> bool, ends: Option<(Actor, Actor)>| {
        let this = |one: &Envelope| ends.is_none_or(|ends| (one.from, one.to) == ends) && says(&one.datagram);
        world.parcels().iter().rposition(this)
    };
    match lie {
        Action::Say { actor, to, message } => {
            let genuine = taken_apart(message).0;
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
        Action::Tell { actor, to, gossip } => {
            let genuine = Datagram::Gossip(gossip_taken_apart(gossip)?.0);
            newest(&|datagram: &Datagram| *datagram == genuine, Some((*actor, *to)))
        }
        _ => None,
    }
}

/// The same lie about another message of the kind.
pub(super) fn retold(lie: &Action, about: &Envelope) -> Option<Action> {
    match (lie, &about.datagram) {
        (Action::Say { actor, to, message: told }, Datagram::Packet(Packet::Record(record))) => {
            let (_, flaws) = taken_apart(told);
            let mut message = with_flaws(record.message, flaws);
            match (&mut message, told) {
                (Message::Initial { header, .. }, Message::Initial { header: told, .. }) => {
                    header.tid = header.tid.made_as(told.tid)?;
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
            Some(Action::Say { actor: *actor, to: *to, message })
        }
        (Action::Tell { actor, to, gossip: told }, Datagram::Gossip(genuine)) => {
            let (_, inner, outer) = gossip_taken_apart(told)?;
            let gossip = gossip_with_flaws(genuine.clone(), inner, outer);
            Some(Action::Tell { actor: *actor, to: *to, gossip })
        }
        _ => None,
    }
}

/// The same with these flaws of what is closed or said, and these of a signature or close.
fn gossip_with_flaws(gossip: Gossip, inner: Flaws, outer: Flaws) -> Gossip {
    match gossip {
        Gossip::Decision(certificate) => {
            Gossip::Decision(bemr_model::Certificate { flaws: inner, ..certificate })
        }
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

/// The same lie with each of its flaws left out, where it has more than one.
pub(super) fn with_fewer_flaws(lie: &Action) -> Vec<Action> {
    let without = |flaws: Flaws, flaw: Clause| {
        flaws.iter().filter(|other| *other != flaw).fold(Flaws::NONE, Flaws::and)
    };
    match lie {
        Action::Say { actor, to, message } => {
            let flaws = taken_apart(message).1;
            let fewer = |flaw| Action::Say {
                actor: *actor,
                to: *to,
                message: with_flaws(*message, without(flaws, flaw)),
            };
            if flaws.iter().count() > 1 { flaws.iter().map(fewer).collect() } else { Vec::new() }
        }
        Action::Tell { actor, to, gossip } => {
            let Some((genuine, inner, outer)) = gossip_taken_apart(gossip) else { return Vec::new() };
            if inner.iter().chain(outer.iter()).count() < 2 {
                return Vec::new();
            }
            let fewer = |flaw| {
                let gossip = gossip_with_flaws(genuine.clone(), without(inner, flaw), without(outer, flaw));
                Action::Tell { actor: *actor, to: *to, gossip }
            };
            inner.iter().chain(outer.iter()).map(fewer).collect()
        }
        _ => Vec::new(),
    }
}
