//! A small network of the implementation alone, in which one honest life goes on, one envelope after the other, until an input
//! is tried.

use crate::lockstep::{conspiracy, instead, reason};
use crate::sut::SystemUnderTest;
use bemr_model::{
    Action, Actor, Corruption, Datagram, Envelope, Flaws, Forgery, Happened, LedgerKind, Lifetimes, Output,
    Packet, Setup,
};
use bemr_spec::{Clause, Refusal, Rules};
use std::collections::VecDeque;

/// How long a life goes on after what its script says, in milliseconds: long enough for a block to be closed by quorum, and
/// for some to be closed by work.
const PATIENCE: (u64, u64) = (4_000, 3_600_000);

/// The most steps of a life: none needs as many.
const MOST: usize = 3_000;

/// What became of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// The clause that refused it, or that an answer, outcome or vote names as the reason.
    pub(super) clause: Option<Clause>,
    /// The clause of the primitive because of which it did.
    pub(super) cause: Option<Clause>,
}

impl Answer {
    pub(super) fn of(happened: &Happened) -> Answer {
        let reason = happened.sends.iter().find_map(reason);
        Answer { clause: happened.clause.or(reason), cause: happened.cause }
    }
}

/// What is tried with an envelope of an honest life before, or after, it arrives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Perturbation {
    /// It arrives.
    Nothing,
    /// Its sender says it with flaws of this kind.
    Flawed(&'static str, Flaws),
    /// It arrives, and then its sender says it with flaws of this kind.
    ThenFlawed(&'static str, Flaws),
    /// Its bytes are changed.
    Spoilt(Corruption),
    /// It arrives twice.
    Twice,
    /// It arrives, and its sender says it once more.
    SaidAgain,
    /// It comes back to its sender.
    SentBack,
    /// A response arrives in its place, which this one made with everybody's keys, with flaws.
    Posed(Actor, Flaws),
}

/// The life.
pub(super) struct Fixture {
    sut: SystemUnderTest,
    envelopes: Vec<Envelope>,
    flying: VecDeque<u32>,
    steps: usize,
    patience: u64,
}

/// A network of everybody, four validators and all sessions.
pub(super) const fn everybody(ledger: LedgerKind) -> Setup {
    Setup { users: 5, validators: 4, ledger, seed: 0, established: true, lifetimes: Lifetimes::LONG }
}

impl Fixture {
    pub(super) fn new(rules: &Rules, setup: &Setup) -> Result<Fixture, Refusal> {
        let sut = conspiracy(*rules, setup)?;
        let patience = if setup.ledger == LedgerKind::Quorum { PATIENCE.0 } else { PATIENCE.1 };
        Ok(Fixture { sut, envelopes: Vec::new(), flying: VecDeque::new(), steps: 0, patience })
    }

    /// Lets something happen; what is sent is on its way afterwards, behind everything else.
    pub(super) fn act(&mut self, action: &Action) -> Option<Happened> {
        let happened = self.sut.step(action)?;
        self.steps += 1;
        let from = happened.actor;
        let mut put = |to: Actor, datagram: Datagram| {
            self.flying.push_back(self.envelopes.len() as u32);
            self.envelopes.push(Envelope { from, to, datagram, flaws: Flaws::NONE });
        };
        for output in happened.sends.clone() {
            match output {
                Output::Send(to, packet) => put(to, Datagram::Packet(packet)),
                Output::SendGossip(to, gossip) => put(to, Datagram::Gossip(gossip)),
                Output::Publish(gossip) => {
                    let others = self.sut.actors().iter().filter(|to| **to != from);
                    others.for_each(|to| put(*to, Datagram::Gossip(gossip.clone())));
                }
            }
        }
        Some(happened)
    }

    /// An envelope.
    pub(super) fn envelope(&self, envelope: u32) -> &Envelope {
        &self.envelopes[envelope as usize]
    }

    /// The network.
    pub(super) const fn sut(&mut self) -> &mut SystemUnderTest {
        &mut self.sut
    }

    /// What is on its way is lost.
    pub(super) fn lose(&mut self) {
        self.flying.clear();
    }

    /// Lives on, one envelope after the other, until an envelope for which `is` says yes is about to arrive: that envelope. Nothing
    /// when it waits in vain.
    pub(super) fn until(&mut self, mut is: impl FnMut(&Envelope) -> bool) -> Option<u32> {
        let begun = self.sut.now();
        while self.steps < MOST {
            if let Some(envelope) = self.flying.pop_front() {
                if is(&self.envelopes[envelope as usize]) {
                    return Some(envelope);
                }
                self.act(&Action::Deliver { envelope });
                continue;
            }
            let actors = self.sut.actors().to_vec();
            let (time, actor) =
                actors.into_iter().filter_map(|actor| Some((self.sut.wakes(actor)?, actor))).min()?;
            if time > begun + self.patience {
                return None;
            }
            self.act(&Action::Wake { actor, found: None });
        }
        None
    }

    /// Does what a script says, each when all is quiet, until the envelope of this kind and number is about to arrive. What is
    /// public counts where a validator hears it: nobody else hears everything.
    pub(super) fn awaits(&mut self, script: &[Action], kind: &str, nth: usize) -> Option<u32> {
        let mut seen = 0;
        for action in script {
            self.act(action)?;
            let found = self.until(|envelope| {
                let heard = match envelope.datagram {
                    Datagram::Packet(_) => true,
                    Datagram::Gossip(_) => matches!(envelope.to, Actor::Validator(_)),
                };
                let this = heard && envelope.datagram.name() == kind;
                seen += usize::from(this);
                this && seen > nth
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Does what a script says, each when all is quiet.
    pub(super) fn through(&mut self, script: &[Action]) -> Option<()> {
        for action in script {
            self.act(action)?;
            self.until(|_| false);
        }
        Some(())
    }

    /// Tries something with an envelope that is about to arrive; nothing when it cannot be made.
    pub(super) fn attempt(&mut self, envelope: u32, trick: Perturbation) -> Option<Answer> {
        let genuine = self.envelopes.get(envelope as usize)?.clone();
        let arrives = Action::Deliver { envelope };
        let happened = match trick {
            Perturbation::Nothing => self.act(&arrives)?,
            Perturbation::Twice => {
                self.act(&arrives)?;
                self.act(&arrives)?
            }
            Perturbation::Spoilt(how) => self.act(&Action::Corrupt { envelope, how })?,
            Perturbation::SentBack => {
                let (to, from) = (genuine.from, Some(genuine.to));
                self.act(&Action::Redirect { envelope, to, from })?
            }
            Perturbation::Posed(by, flaws) => {
                let Datagram::Packet(Packet::Response { mut session }) = genuine.datagram else {
                    return None;
                };
                (session.by, session.number) = (by, session.number.forged(Forgery::ONLY));
                let packet = Packet::Response { session };
                self.act(&Action::Inject { actor: genuine.from, to: genuine.to, packet, flaws })?
            }
            Perturbation::Flawed(kind, flaws) => return self.lie(&instead(&genuine, kind, flaws)),
            Perturbation::ThenFlawed(kind, flaws) => {
                self.act(&arrives)?;
                return self.lie(&instead(&genuine, kind, flaws));
            }
            Perturbation::SaidAgain => {
                self.act(&arrives)?;
                return self.lie(&[said(&genuine)?]);
            }
        };
        Some(Answer::of(&happened))
    }

    /// The first of these that can be made is said, and everything on the way to its arrival happens; what became of it.
    pub(super) fn lie(&mut self, lies: &[Action]) -> Option<Answer> {
        let before = std::mem::take(&mut self.flying);
        let (lie, refused) = lies.iter().find_map(|lie| Some((lie, self.act(lie)?.clause)))?;
        if refused.is_some() {
            return Some(Answer { clause: refused, cause: None });
        }
        let arrives = |envelope: &Envelope| match (lie, &envelope.datagram) {
            (Action::Send { to, message, .. }, Datagram::Packet(Packet::Record(record))) => {
                envelope.to == *to && record.message == *message
            }
            (Action::Publish { to, gossip, .. }, Datagram::Gossip(told)) => {
                envelope.to == *to && told == gossip
            }
            _ => false,
        };
        while let Some(envelope) = self.flying.pop_front() {
            let last = arrives(&self.envelopes[envelope as usize]);
            let happened = self.act(&Action::Deliver { envelope })?;
            if last {
                let after = std::mem::replace(&mut self.flying, before);
                self.flying.extend(after);
                return Some(Answer::of(&happened));
            }
        }
        None
    }
}

/// What was said, said by the same to the same.
fn said(genuine: &Envelope) -> Option<Action> {
    let (actor, to) = (genuine.from, genuine.to);
    match &genuine.datagram {
        Datagram::Packet(Packet::Record(record)) => Some(Action::Send { actor, to, message: record.message }),
        Datagram::Packet(_) => None,
        Datagram::Gossip(gossip) => Some(Action::Publish { actor, to, gossip: gossip.clone() }),
    }
}
