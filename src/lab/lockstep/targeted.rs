//! Lies that somebody asked for: a genuine datagram said again by its sender, with the flaws that are named.

use crate::forge::RENEWING;
use crate::lockstep::forgery::{self, KeyRing};
use crate::sut::SystemUnderTest;
use bemr_model::{Action, Block, Certificate, Datagram, Envelope, Flaws, Gossip, Message, Packet, Setup};
use bemr_spec::{Clause, Refusal, Rules};
use std::sync::Arc;

/// A rig whose actors can be made to lie.
///
/// # Errors
/// Those of [`SystemUnderTest::new`].
pub fn conspiracy(rules: Rules, setup: &Setup) -> Result<SystemUnderTest, Refusal> {
    let mut rig = SystemUnderTest::new(rules, setup)?;
    let certificates = rig.odd_certificates()?;
    rig.watch();
    rig.forge_with(KeyRing::new(certificates));
    Ok(rig)
}

/// What the sender of a parcel can say instead, of this kind and with these flaws: the first that can be made is the lie. What
/// changes the digest of what it says has another name, what does not has the same; only who makes it knows which it is.
pub fn instead(parcel: &Envelope, kind: &str, flaws: Flaws) -> Vec<Action> {
    let (actor, to) = (parcel.from, parcel.to);
    match &parcel.datagram {
        Datagram::Packet(Packet::Record(record)) if record.message.name() == kind => {
            let messages = messages(record.message, kind, flaws).into_iter();
            messages.map(|message| Action::Say { actor, to, message }).collect()
        }
        Datagram::Gossip(gossip) if gossip.name() == kind || kind == "Close" && gossip.name() == "Block" => {
            let gossip = told(gossip.clone(), kind, flaws);
            gossip.map(|gossip| Action::Tell { actor, to, gossip }).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn messages(genuine: Message, kind: &str, flaws: Flaws) -> Vec<Message> {
    let forgery = forgery::forgery(kind, flaws);
    let mut message = forgery::with_flaws(genuine, flaws);
    match &mut message {
        Message::Order { request, .. } => request.number = request.number.forged(forgery),
        Message::Initial { header, .. } if flaws.iter().any(|flaw| RENEWING.contains(&flaw)) => {
            let Some(tid) = header.tid.forged(forgery::places(RENEWING, flaws)) else { return Vec::new() };
            header.tid = tid;
        }
        Message::Block { question, .. } => {
            let same = question.number;
            question.number = same.forged(forgery);
            let mut unnamed = message;
            if let Message::Block { question, .. } = &mut unnamed {
                question.number = same;
            }
            return vec![message, unnamed];
        }
        _ => {}
    }
    vec![message]
}

fn told(genuine: Gossip, kind: &str, flaws: Flaws) -> Option<Gossip> {
    Some(match genuine {
        Gossip::Decision(certificate) => Gossip::Decision(Certificate { flaws, ..certificate }),
        Gossip::Head { head, .. } => Gossip::Head { head, flaws },
        Gossip::Proposal { proposal, signatory, .. } => {
            let signed = |flaw: &Clause| matches!(flaw, Clause::VoterIsAdmitted | Clause::VoteSigned);
            let manner =
                |flaw: &Clause| matches!(flaw, Clause::ScalarInRange | Clause::ChallengeCoversKeyAndTag);
            let of_signature = |flaw: &Clause| signed(flaw) || manner(flaw);
            let outer = flaws.iter().filter(of_signature).fold(Flaws::NONE, Flaws::and);
            let inner = flaws.iter().filter(|flaw| !of_signature(flaw)).fold(Flaws::NONE, Flaws::and);
            let proposal = Arc::unwrap_or_clone(proposal);
            let proposal = Arc::new(bemr_model::Proposal { flaws: inner, ..proposal });
            Gossip::Proposal { proposal, signatory, flaws: outer }
        }
        Gossip::Closing { height, block, signatory, .. } => {
            Gossip::Closing { height, block, signatory, flaws }
        }
        Gossip::Block(block) => {
            let block = Arc::unwrap_or_clone(block);
            let (inner, outer) = if kind == "Close" { (Flaws::NONE, flaws) } else { (flaws, Flaws::NONE) };
            let proposal = bemr_model::Proposal { flaws: inner, ..block.proposal };
            Gossip::Block(Arc::new(Block { id: proposal.id(), proposal, flaws: outer, ..block }))
        }
        Gossip::PolicyChange { change, approvals, .. } => Gossip::PolicyChange { change, approvals, flaws },
        Gossip::RevocationList { list, .. } => Gossip::RevocationList { list: forgery::newer(&list), flaws },
        Gossip::BlocksFrom(_) => return None,
    })
}
