//! What an adversary can do beyond losing and delaying: redirect, and lie as an insider.

use crate::explore::{Move, Scene, scene::Stage};
use bemr_spec::Clause;
use bemr_spec::model::{
    Actor, Ballot, Certificate, Change, Datagram, Edition, Flaws, Gossip, Head, Header, Members, Message,
    Packet, Parcel, Policy, Question, Versions, Vote,
};
use std::sync::Arc;

/// Handshake packets to others of the same place, and under others' addresses.
pub(super) fn redirections(scene: &Scene, parcel: &Arc<Parcel>, moves: &mut Vec<Move>) {
    let Datagram::Packet(packet) = &parcel.datagram else { return };
    for other in scene.system.actors() {
        if other != parcel.to && same_place(other, parcel.to) {
            moves.push(Move::Redirect(Arc::clone(parcel), other, parcel.from));
        }
        let answers = matches!(packet, Packet::Response { .. } | Packet::Finish { .. });
        if answers && other != parcel.from && same_place(other, parcel.from) {
            moves.push(Move::Redirect(Arc::clone(parcel), parcel.to, other));
        }
    }
}

const fn same_place(one: Actor, other: Actor) -> bool {
    matches!((one, other), (Actor::User(_), Actor::User(_)) | (Actor::Validator(_), Actor::Validator(_)))
}

/// What the insiders of a part can say. What they saw is in the parcels that were addressed to them.
pub(super) fn lies(stage: &Stage, scene: &Scene, moves: &mut Vec<Move>) {
    for insider in stage.part.insiders {
        let seen = || scene.flying.iter().chain(&scene.old).map(|(_, parcel)| parcel);
        let heard: Vec<Message> = seen()
            .filter(|parcel| parcel.to == *insider)
            .filter_map(|parcel| match parcel.datagram {
                Datagram::Packet(Packet::Record(record)) => Some(record.message),
                _ => None,
            })
            .collect();
        match insider {
            Actor::Validator(number) => {
                votes(*number, &heard, moves);
                closes(*number, seen(), moves);
            }
            Actor::User(number) if *number < 3 => submissions(*number, scene, moves),
            Actor::User(number) => changes(*number, moves),
            Actor::Bsd => blocks(&heard, stage, moves),
            Actor::Cloud => heads(&heard, moves),
            Actor::Kdc => {}
        }
    }
}

/// A validator signs whatever is proposed.
fn closes<'a>(validator: u8, seen: impl Iterator<Item = &'a Arc<Parcel>>, moves: &mut Vec<Move>) {
    for parcel in seen.filter(|parcel| parcel.to == Actor::Validator(validator)) {
        if let Datagram::Gossip(Gossip::Proposal { proposal, .. }) = &parcel.datagram {
            let (height, block) = (proposal.height, proposal.id());
            let closing = Gossip::Closing { height, block, signatory: validator, flaws: Flaws::NONE };
            moves.push(Move::Tell(Actor::Validator(validator), parcel.from, closing));
        }
    }
}

/// A validator votes the other way.
fn votes(validator: u8, heard: &[Message], moves: &mut Vec<Move>) {
    for message in heard {
        let Message::Block { question, .. } = message else { continue };
        let rule = question.header.breaks.unwrap_or(Clause::RangeRule);
        let contrary = match question.header.breaks {
            None => Ballot::False(rule),
            Some(_) => Ballot::True,
        };
        let vote = Vote { validator, question: *question, ballot: contrary, flaws: Flaws::NONE };
        moves.push(Move::Say(Actor::Validator(validator), Actor::Bsd, Message::Vote(vote)));
    }
}

/// A user submits in another's name.
fn submissions(user: u8, scene: &Scene, moves: &mut Vec<Move>) {
    let other = if user == 0 { 1 } else { 0 };
    let readers = [user, other].into_iter().collect();
    let policy = Versions::SHIPPED;
    let header =
        Header { tid: 99, user: other, record: 99, breaks: None, readers, issued: scene.now, policy };
    let message = Message::Initial { header, flaws: Flaws::NONE };
    moves.push(Move::Say(Actor::User(user), Actor::Bsd, message));
}

/// An administrator has a change approved by nobody else, or by a doctor, or passes on one that both approved by mistake. They
/// tell a validator.
fn changes(user: u8, moves: &mut Vec<Move>) {
    let change = Change { admission: Some(Edition { version: 2, effective: 1 }), ..Change::default() };
    let own = Members::default().with(user);
    let unchecked = Flaws::of(Clause::MandatoryAreChecked);
    for (approvals, flaws) in
        [(own, Flaws::NONE), (own.with(0), Flaws::NONE), (own.with(3).with(4), unchecked)]
    {
        let gossip = Gossip::PolicyChange { change, approvals, flaws };
        moves.push(Move::Tell(Actor::User(user), Actor::Validator(0), gossip));
    }
}

/// A BSD asks about what nobody submitted, asks a second time about what was, and has stored what was not decided.
fn blocks(heard: &[Message], stage: &Stage, moves: &mut Vec<Move>) {
    let (readers, policy) = ([0].into_iter().collect(), Versions::SHIPPED);
    let made_up = Header { tid: 98, user: 0, record: 98, breaks: None, readers, issued: 0, policy };
    let unsigned = Flaws::of(Clause::BlockCarriesUserSignature);
    let asked = heard.iter().filter_map(|message| match message {
        Message::Initial { header, .. } => Some((*header, Flaws::NONE)),
        _ => None,
    });
    for (header, flaws) in asked.chain([(made_up, unsigned)]) {
        let policy = Policy::SHIPPED;
        let question = Question { header, number: 77, height: 1, sealed: true, policy };
        for validator in 0..stage.part.setup.validators {
            let message = Message::Block { question, flaws };
            moves.push(Move::Say(Actor::Bsd, Actor::Validator(validator), message));
        }
        let signatories = (0..stage.part.setup.validators).collect();
        let certificate =
            Certificate { question, ballot: Ballot::True, signatories, flaws: Flaws::of(Clause::VoteSigned) };
        let message = Message::Valid {
            certificate,
            block: Default::default(),
            height: 1,
            sealed: true,
            flaws: if flaws.is_empty() { flaws } else { Flaws::of(Clause::ValidCarriesUserSignature) },
        };
        moves.push(Move::Say(Actor::Bsd, Actor::Cloud, message));
    }
}

/// A cloud hands over a record whatever the reader may, and under the head that it had before.
fn heads(heard: &[Message], moves: &mut Vec<Move>) {
    for message in heard {
        let Message::Read { request, tid, remembered } = message else { continue };
        let old = remembered.saturating_sub(1).max(1);
        let head = Head { kind: bemr_spec::model::LogKind::Cloud, size: old, closed: false, time: 0 };
        let message = Message::Record {
            request: *request,
            tid: *tid,
            owner: 0,
            head,
            from: *remembered,
            anchored: None,
            template: 1,
            flaws: Flaws::NONE,
        };
        moves.push(Move::Say(Actor::Cloud, Actor::User(request.user), message));
    }
}
