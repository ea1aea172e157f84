//! Lies that somebody asked for: a genuine datagram said again by its sender, with the flaws that are named.

use crate::lockstep::forged_term;
use crate::lockstep::key_ring::KeyRing;
use crate::sut::SystemUnderTest;
use bemr_model::{Action, Datagram, Envelope, Flaws, Gossip, Message, Packet, Setup};
use bemr_spec::{Clause, Refusal, Rules};

/// A system under test whose actors can be made to lie.
///
/// # Errors
/// Those of [`SystemUnderTest::new`].
pub fn conspiracy(rules: Rules, setup: &Setup) -> Result<SystemUnderTest, Refusal> {
    let mut sut = SystemUnderTest::new(rules, setup)?;
    let certificates = sut.odd_certificates()?;
    sut.watch();
    sut.forge_with(KeyRing::new(certificates));
    Ok(sut)
}

/// What the sender of an envelope can say instead, of this kind and with these flaws: the first that can be made is the lie. What
/// changes the digest of what it says has another name, what does not has the same; only who makes it knows which it is.
pub fn instead(envelope: &Envelope, kind: &str, flaws: Flaws) -> Vec<Action> {
    let (actor, to) = (envelope.from, envelope.to);
    match &envelope.datagram {
        Datagram::Packet(Packet::Record(record)) if record.message.name() == kind => {
            let messages = messages(record.message, flaws).into_iter();
            messages.map(|message| Action::Send { actor, to, message }).collect()
        }
        Datagram::Gossip(gossip) if gossip.name() == kind || kind == "Close" && gossip.name() == "Block" => {
            let gossip = told(gossip.clone(), kind, flaws);
            gossip.map(|gossip| Action::Publish { actor, to, gossip }).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn messages(genuine: Message, flaws: Flaws) -> Vec<Message> {
    let message = forged_term::with_flaws(genuine, flaws);
    let renamed = forged_term::renamed(message, flaws);
    match message {
        Message::Block { .. } => renamed.into_iter().chain([message]).collect(),
        _ => renamed.into_iter().collect(),
    }
}

fn told(genuine: Gossip, kind: &str, flaws: Flaws) -> Option<Gossip> {
    if kind == "Close" {
        return Some(forged_term::gossip_with_flaws(genuine, Flaws::NONE, flaws));
    }
    let of_signature = |flaw| {
        use Clause::{ChallengeCoversKeyAndTag, ScalarInRange, VoteSigned, VoterIsAdmitted};
        matches!(flaw, VoterIsAdmitted | VoteSigned | ScalarInRange | ChallengeCoversKeyAndTag)
    };
    forged_term::gossip_forged_by(genuine, flaws, of_signature)
}
