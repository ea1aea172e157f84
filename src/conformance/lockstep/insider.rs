//! What insiders say: a genuine message of theirs, said anew with a flaw or two.

use crate::conformance::forge::{CONDITIONAL, COSTLY, Certificates, ENTAILS, FLAWS, Forge, RENEWING, makes};
use crate::conformance::rig::{Forger, Rig};
use crate::crypto::{Digest, Tag};
use crate::wire::{self, encode};
use bemr_spec::Clause;
use bemr_spec::model::{
    Action, Actor, Block, Datagram, Enrolment, Entry, Flaws, Gossip, LedgerKind, Message, Packet, Proposal,
    Question, RequestId, RevocationList, View, Vote, World,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// The names of forgeries begin here: no honest life has as many.
const FORGED: u32 = 10_000;

/// Flaws that are not drawn, and why.
const LEFT_OUT: &[(&str, Clause, &str)] = &[
    ("Proposal", Clause::HeightAdvancesByOne, "blocks from its height on are sent back"),
    ("Grant", Clause::RoleMayRead, "it is for another reader, of whom nothing was revoked"),
];

/// Flaws of a ReadResponse that take another leaf, and so another head.
const STORED: &[Clause] = &[
    Clause::CertificateSignedByKdc,
    Clause::CertificateWithinValidity,
    Clause::CertificateNotRevoked,
    Clause::SubjectIsClaimedPrincipal,
    Clause::ReadMatchesCommitments,
];

/// The tids of submissions that were forged anew begin here, and are this far apart.
const RENEWED: (u16, u16) = (20_000, 350);

/// Everybody's keys.
pub(super) struct Insider {
    certificates: Certificates,
}

impl Insider {
    pub(super) const fn new(certificates: Certificates) -> Insider {
        Insider { certificates }
    }

    fn forge<'a>(&'a self, rig: &'a Rig) -> Forge<'a> {
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

impl Forger for Insider {
    fn message(&mut self, rig: &Rig, by: Actor, _: Actor, term: &Message) -> Option<wire::Message> {
        let (genuine, flaws) = taken_apart(term);
        let real = rig.said(by, &genuine)?;
        let forge = self.forge(rig);
        let forged = match real {
            wire::Message::TInitial(real) => {
                let forged = forge.initial(real, flaws)?;
                let renewed = genuine != without_flaws(term);
                (renewed == (forged.header.tid != real.header.tid)).then_some(())?;
                wire::Message::TInitial(Box::new(forged))
            }
            wire::Message::TBlock(real) => {
                let forged = forge.block(real, flaws)?;
                let digest = |body| Digest::of(Tag::T_BLOCK, &encode(body));
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

    fn enrolment(&mut self, rig: &Rig, term: &Enrolment) -> Option<wire::EnrolmentRequest> {
        let (signing, agreement) = rig.pairs(term)?;
        let keys = (&signing, &agreement);
        self.forge(rig).enrolment(&rig.enrolment_body(term, keys), keys, term.flaws)
    }

    fn gossip(&mut self, rig: &Rig, _: Actor, _: Actor, term: &Gossip) -> Option<wire::Gossip> {
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
                newer.body.list.0 += FORGED;
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

fn without_flaws(term: &Message) -> Message {
    with_flaws(*term, Flaws::NONE)
}

fn with_flaws(mut term: Message, with: Flaws) -> Message {
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
        Message::Initial { header, .. } if header.tid >= RENEWED.0 => {
            header.tid = (header.tid - RENEWED.0) / RENEWED.1;
        }
        Message::Block { question: Question { number, .. }, .. }
        | Message::Order { request: RequestId { number, .. }, .. } => *number %= FORGED,
        _ => {}
    }
    (genuine, flaws)
}

/// As [`taken_apart`], with the flaws of what is closed or said, and those of a signature or close.
fn gossip_taken_apart(term: &Gossip) -> Option<(Gossip, Flaws, Flaws)> {
    let none = Flaws::NONE;
    Some(match term {
        Gossip::Decision(certificate) => {
            let genuine = bemr_spec::model::Certificate { flaws: none, ..*certificate };
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
            let list = RevocationList { number: list.number % FORGED, ..list.clone() };
            (Gossip::RevocationList { list, flaws: none }, *flaws, none)
        }
        Gossip::BlocksFrom(_) => return None,
    })
}

/// One or two flaws of this kind, and a number that tells them from others.
pub(super) fn draw(rng: &mut ChaCha8Rng, kind: &str) -> Option<(Flaws, u32)> {
    let (_, listed) = FLAWS.iter().find(|(name, _)| *name == kind)?;
    let mut flaws = Flaws::NONE;
    let mut number = 0;
    for _ in 0..if rng.random_range(0..4) == 0 { 2 } else { 1 } {
        let place = rng.random_range(0..listed.len());
        let flaw = listed[place];
        let left_out = CONDITIONAL.iter().map(|(kind, flaw, _)| (kind, flaw));
        let left_out = left_out.chain(COSTLY.iter().map(|(kind, flaw)| (kind, flaw)));
        let mut left_out = left_out.chain(LEFT_OUT.iter().map(|(kind, flaw, _)| (kind, flaw)));
        if left_out.any(|(name, other)| *name == kind && *other == flaw) {
            return None;
        }
        if !flaws.has(flaw) {
            flaws = flaws.and(flaw);
            number += 1 << place;
        }
    }
    // One that entails the other makes the same record without it, and that has its name.
    let entailed = |(name, one, other, _): &(&str, Clause, Clause, &str)| {
        *name == kind && kind == "T_initial" && flaws.has(*one) && flaws.has(*other)
    };
    (!ENTAILS.iter().any(entailed)).then_some(())?;
    // What is said with other flaws is another thing, and has another name.
    let name = (number % 9_973) + 1;
    makes(kind, flaws).then_some((flaws, name * FORGED))
}

/// A lie about something that was sent lately.
pub(super) fn lie(rng: &mut ChaCha8Rng, world: &World) -> Option<Action> {
    // There is much more gossip than anything else.
    (0..8).find_map(|_| try_lie(rng, world))
}

fn try_lie(rng: &mut ChaCha8Rng, world: &World) -> Option<Action> {
    let sent = world.parcels();
    let newest = &sent[sent.len().saturating_sub(12)..];
    let fresh: Vec<_> = newest.iter().filter(|parcel| is_awaited_once(&parcel.datagram)).collect();
    let parcel = if !fresh.is_empty() && rng.random_range(0..2) == 0 {
        fresh[rng.random_range(0..fresh.len())]
    } else {
        &sent[sent.len().checked_sub(1 + rng.random_range(0..sent.len().min(60)))?]
    };
    let (actor, to) = (parcel.from, parcel.to);
    match &parcel.datagram {
        Datagram::Packet(Packet::Record(record)) => {
            let genuine = record.message;
            taken_apart(&genuine).1.is_empty().then_some(())?;
            let (flaws, name) = draw(rng, genuine.name())?;
            let mut message = with_flaws(genuine, flaws);
            match &mut message {
                Message::Order { request, .. } => request.number += name,
                Message::Record { head, from, .. } if flaws.iter().any(|flaw| STORED.contains(&flaw)) => {
                    // It is shown under another head, which is not the anchored one.
                    let anchor = Entry::Anchor(*head);
                    let anchored = world.parcels().iter().any(|parcel| match &parcel.datagram {
                        Datagram::Gossip(Gossip::Block(block)) => block.proposal.entries.contains(&anchor),
                        _ => false,
                    });
                    let remembers = match world.view(to)? {
                        View::User { remembered, .. } => remembered,
                        _ => return None,
                    };
                    (!anchored && remembers == *from).then_some(())?;
                }
                Message::Initial { header, .. } if flaws.iter().any(|flaw| RENEWING.contains(&flaw)) => {
                    (header.tid < 100).then_some(())?;
                    // The tid is that of the record, whatever else is wrong.
                    let places = (0..).zip(RENEWING).filter(|(_, flaw)| flaws.has(**flaw));
                    let other = places.map(|(place, _)| 1_u32 << place).sum::<u32>() % u32::from(RENEWED.1);
                    header.tid = RENEWED.0 + header.tid * RENEWED.1 + other as u16;
                }
                Message::Block { question, .. } if rng.random_range(0..3) > 0 => question.number += name,
                _ => {}
            }
            Some(Action::Say { actor, to, message })
        }
        Datagram::Packet(_) => None,
        Datagram::Gossip(gossip) => {
            (rng.random_range(0..4) == 0).then_some(())?;
            let (genuine, one, other) = gossip_taken_apart(gossip)?;
            (one.is_empty() && other.is_empty()).then_some(())?;
            let gossip = gossip_lie(rng, world, genuine)?;
            Some(Action::Tell { actor, to, gossip })
        }
    }
}

/// What is looked at closely the first time alone: it is best lied about before it arrives.
const fn is_awaited_once(datagram: &Datagram) -> bool {
    let Datagram::Packet(Packet::Record(record)) = datagram else { return false };
    matches!(
        record.message,
        Message::Initial { .. } | Message::Block { .. } | Message::Valid { .. } | Message::Record { .. }
    )
}

fn gossip_lie(rng: &mut ChaCha8Rng, world: &World, genuine: Gossip) -> Option<Gossip> {
    let (with, _) = draw(rng, genuine.name())?;
    let by_work = world.system().ledger_kind() == LedgerKind::Work;
    let other_ledger = |flaw| match flaw {
        Clause::BlockHasQuorum => by_work,
        Clause::TargetIsScheduled | Clause::WorkMeetsTarget => !by_work,
        _ => false,
    };
    Some(match genuine {
        Gossip::Decision(certificate) => {
            Gossip::Decision(bemr_spec::model::Certificate { flaws: with, ..certificate })
        }
        Gossip::Head { head, .. } => Gossip::Head { head, flaws: with },
        Gossip::Proposal { proposal, signatory, .. } => {
            let of_signature = |flaw: &Clause| matches!(flaw, Clause::VoterIsAdmitted | Clause::VoteSigned);
            (!with.iter().any(other_ledger)).then_some(())?;
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
            let closing = rng.random_range(0..4) == 0;
            let (of_block, of_close) =
                if closing { (Flaws::NONE, draw(rng, "Close")?.0) } else { (with, Flaws::NONE) };
            (!of_block.iter().chain(of_close.iter()).any(other_ledger)).then_some(())?;
            let proposal = Proposal { flaws: of_block, ..block.proposal };
            Gossip::Block(Arc::new(Block { id: proposal.id(), proposal, flaws: of_close, ..block }))
        }
        Gossip::PolicyChange { change, approvals, .. } => {
            Gossip::PolicyChange { change, approvals, flaws: with }
        }
        Gossip::RevocationList { list, .. } => Gossip::RevocationList { list: newer(&list), flaws: with },
        Gossip::BlocksFrom(_) => return None,
    })
}

/// The list that pretends to come after `list`, and after many others.
pub(super) fn newer(list: &RevocationList) -> RevocationList {
    RevocationList { number: list.number + FORGED, ..list.clone() }
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
            taken_apart(message).1.iter().any(|flaw| STORED.contains(&flaw))
        }
        _ => false,
    }
}
