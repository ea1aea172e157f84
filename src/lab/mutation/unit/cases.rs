//! Lives that take a turn which no single envelope shows: votes against each other, silence, impostors, two proposals.

use crate::forge::flaws_of;
use crate::mutation::unit::envelopes::{ACQUAINTED, DOCTOR, ONE, STRANGERS, submit};
use crate::mutation::unit::fixture::{Answer, Fixture, everybody};
use crate::mutation::unit::{Door, Input, durability, sessions};
use bemr_model::{
    Action, Actor, Ballot, Command, Datagram, Envelope, Flaws, Forgery, Gossip, Happened, HelloId,
    LedgerKind, Message, Ordinal, Output, Packet, SessionId, Setup, Vote,
};
use bemr_spec::Clause::*;
use bemr_spec::{Clause, Rules};

/// How often somebody is woken who ought to be done by then.
const WAKES: usize = 30;

pub(super) type Told = Result<(), String>;
pub(super) type Story = fn(&Rules, Clause) -> Told;

const STORIES: &[(Clause, &str, Story)] = &[
    (QuorumIsUnanimous, "validators of as many minds as there are", split_vote),
    (AcceptNeedsQuorum, "validators of as many minds as there are", split_vote),
    (AcceptNeedsReverification, "all validators say true of what is false", all_lie),
    (FailoverIsBounded, "no validator answers", silence),
    (FailoverKeepsDigest, "no validator answers the first time", asked_again),
    (OnlyAcceptedIsPromoted, "a record that breaks a rule", rejected),
    (OneCloseByValidator, "two proposals of one height", two_proposals),
    (ConfirmationsReached, "a record on a ledger of work", confirmed),
];

pub(super) fn doors() -> impl Iterator<Item = Door> {
    let stories = STORIES
        .iter()
        .chain(sessions::STORIES)
        .chain(durability::STORIES)
        .map(|(clause, name, story)| (*clause, (*name).to_owned(), *story));
    let finishes = flaws_of("Finish").iter();
    let finishes =
        finishes.map(|flaw| (*flaw, format!("Finish with the flaw {}", flaw.id()), finish as Story));
    stories.chain(finishes).map(|(clause, name, story)| Door { clause, name, input: Input::Story(story) })
}

pub(super) fn begin(rules: &Rules, setup: &Setup) -> Result<Fixture, String> {
    Fixture::new(rules, setup).map_err(|refusal| format!("no network: {refusal}"))
}

pub(super) fn expect(found: Option<Clause>, expected: Clause) -> Told {
    let id = |clause: Option<Clause>| clause.map_or("taken", Clause::id);
    if found == Some(expected) {
        return Ok(());
    }
    Err(format!("{} instead of {}", id(found), expected.id()))
}

/// The session that a hello was answered with.
pub(super) fn response(happened: &Happened) -> Option<SessionId> {
    happened.sends.iter().find_map(|output| match output {
        Output::Send(_, Packet::Response { session }) => Some(*session),
        _ => None,
    })
}

fn is(kind: &'static str) -> impl FnMut(&Envelope) -> bool {
    move |envelope| envelope.datagram.name() == kind
}

/// Somebody submits, and instead of each vote its validator says another; what the BSD answers at last.
fn votes(rules: &Rules, breaks: Option<Clause>, ballot: fn(u8) -> Ballot) -> Result<Option<Clause>, String> {
    let mut scene = begin(rules, &ACQUAINTED)?;
    scene.act(&submit(DOCTOR, 1, breaks)).ok_or("nobody submits")?;
    let mut reason = None;
    // More than two thirds of four.
    for _ in 0..3 {
        let envelope = scene.until(is("Vote")).ok_or("nobody votes")?;
        let Envelope { from, to, datagram, .. } = scene.envelope(envelope).clone();
        let Datagram::Packet(Packet::Record(record)) = datagram else { continue };
        let Message::Vote(vote) = record.message else { continue };
        let message = Message::Vote(Vote { ballot: ballot(vote.validator), ..vote });
        let answer = scene.lie(&[Action::Send { actor: from, to, message }]).ok_or("nobody lies")?;
        reason = reason.or(answer.clause);
    }
    Ok(reason)
}

fn split_vote(rules: &Rules, _: Clause) -> Told {
    let ballot = |validator| match validator {
        0 => Ballot::True,
        1 => Ballot::False(RangeRule),
        2 => Ballot::False(RequiredRule),
        _ => Ballot::False(OneOfRule),
    };
    expect(votes(rules, None, ballot)?, AcceptNeedsQuorum)
}

fn all_lie(rules: &Rules, clause: Clause) -> Told {
    expect(votes(rules, Some(RangeRule), |_| Ballot::True)?, clause)
}

/// The BSD is woken until it does something that `is` says yes to; everything else that is sent is lost.
fn woken(
    scene: &mut Fixture,
    actor: Actor,
    mut is: impl FnMut(&Happened) -> bool,
) -> Result<Happened, String> {
    for _ in 0..WAKES {
        let happened = scene.act(&Action::Wake { actor, found: None }).ok_or("nothing is awaited")?;
        if is(&happened) {
            return Ok(happened);
        }
        scene.lose();
    }
    Err(format!("not in {WAKES} wakes"))
}

fn silence(rules: &Rules, clause: Clause) -> Told {
    let mut scene = begin(rules, &ACQUAINTED)?;
    scene.awaits(ONE, "T_block", 0).ok_or("no T_block")?;
    scene.lose();
    let ended = woken(&mut scene, Actor::Bsd, |happened| Answer::of(happened).clause.is_some())?;
    expect(Answer::of(&ended).clause, clause)
}

fn asked_again(rules: &Rules, _: Clause) -> Told {
    let question = |output: &Output| match output {
        Output::Send(_, Packet::Record(record)) => match record.message {
            Message::Block { question, .. } => Some(question),
            _ => None,
        },
        _ => None,
    };
    let mut scene = begin(rules, &ACQUAINTED)?;
    let first = scene.awaits(ONE, "T_block", 0).ok_or("no T_block")?;
    let Datagram::Packet(packet) = scene.envelope(first).datagram else { return Err("no packet".to_owned()) };
    let asked = question(&Output::Send(Actor::Bsd, packet));
    scene.lose();
    // Before it asks again it shakes hands anew.
    scene.act(&Action::Wake { actor: Actor::Bsd, found: None }).ok_or("nothing is awaited")?;
    let again = scene.until(is("T_block")).ok_or("it does not ask again")?;
    let Datagram::Packet(packet) = scene.envelope(again).datagram else { return Err("no packet".to_owned()) };
    let again = question(&Output::Send(Actor::Bsd, packet));
    if again == asked { Ok(()) } else { Err("it asks something else".to_owned()) }
}

fn rejected(rules: &Rules, _: Clause) -> Told {
    let mut scene = begin(rules, &ACQUAINTED)?;
    scene.act(&submit(DOCTOR, 1, Some(RangeRule))).ok_or("nobody submits")?;
    let mut told = false;
    let promoted = scene.until(|envelope| {
        told |= envelope.datagram.name() == "Outcome";
        envelope.datagram.name() == "T_valid"
    });
    match (promoted, told) {
        (Some(_), _) => Err("it went on to the cloud".to_owned()),
        (None, false) => Err("nobody was told".to_owned()),
        (None, true) => Ok(()),
    }
}

fn two_proposals(rules: &Rules, clause: Clause) -> Told {
    let mut scene = begin(rules, &ACQUAINTED)?;
    scene.act(&Action::Command { actor: Actor::Bsd, command: Command::CloseAudit }).ok_or("no head")?;
    let heard = |envelope: &Envelope| {
        envelope.datagram.name() == "Proposal" && matches!(envelope.to, Actor::Validator(_))
    };
    let first = scene.until(heard).ok_or("nobody proposes")?;
    let Envelope { from: proposer, to: signer, .. } = *scene.envelope(first);
    scene.act(&Action::Deliver { envelope: first }).ok_or("it does not arrive")?;
    scene.lose();
    let other = (0..4).map(Actor::Validator).find(|other| ![proposer, signer].contains(other));
    let other = other.ok_or("no other validator")?;
    let proposes = |happened: &Happened| {
        happened.sends.iter().any(|output| matches!(output, Output::Publish(Gossip::Proposal { .. })))
    };
    woken(&mut scene, other, proposes)?;
    let second = scene.until(|envelope| envelope.datagram.name() == "Proposal" && envelope.to == signer);
    let second = second.ok_or("the second proposal is not sent")?;
    let happened = scene.act(&Action::Deliver { envelope: second }).ok_or("it does not arrive")?;
    expect(happened.clause, clause)
}

fn confirmed(rules: &Rules, _: Clause) -> Told {
    let mut scene = begin(rules, &everybody(LedgerKind::Work))?;
    scene.act(&submit(DOCTOR, 1, None)).ok_or("nobody submits")?;
    let mut highest = 0;
    let promoted = scene.until(|envelope| {
        if let Datagram::Gossip(Gossip::Block(block)) = &envelope.datagram {
            highest = highest.max(block.proposal.height);
        }
        envelope.datagram.name() == "T_valid"
    });
    match &scene.envelope(promoted.ok_or("nothing is promoted")?).datagram {
        Datagram::Packet(Packet::Record(record)) => match record.message {
            Message::Valid { height, .. } if highest > height => Ok(()),
            Message::Valid { .. } => Err("promoted with no block on top".to_owned()),
            _ => Err("no T_valid".to_owned()),
        },
        _ => Err("no record".to_owned()),
    }
}

/// Somebody with everybody's keys calls the BSD, and finishes with a flaw.
fn finish(rules: &Rules, clause: Clause) -> Told {
    let mut scene = begin(rules, &STRANGERS)?;
    let hello = HelloId { from: DOCTOR, to: Actor::Bsd, number: Ordinal::nth(1).forged(Forgery::ONLY) };
    let inject = |packet, flaws| Action::Inject { actor: DOCTOR, to: Actor::Bsd, packet, flaws };
    let purpose = bemr_model::ContentType::Initial;
    let called = scene.act(&inject(Packet::Hello { hello, purpose }, Flaws::NONE)).ok_or("no hello")?;
    let session = response(&called).ok_or("no response")?;
    // Whom it shows is no flaw.
    let (by, flaws) = match clause {
        PeerIsNotSelf => (Actor::Bsd, Flaws::NONE),
        _ => (DOCTOR, Flaws::of(clause)),
    };
    let happened = scene.act(&inject(Packet::Finish { session, by }, flaws)).ok_or("no finish")?;
    expect(happened.clause, clause)
}
