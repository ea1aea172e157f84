//! The driver under an adversary that is given as data: an honest network, but for what the rules say.

use super::{Driver, waiting};
use crate::faults::{Adversary, FaultKind, RunningRule};
use crate::lockstep::{auditor, false_votes, forgery, impersonation};
use bemr_model::{
    Action, Actor, Corruption, Datagram, Envelope, Execution, List, Message, Ordinal, Packet, Setup, Tid,
    Time, Vote, quorum,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// In so many of a thousand cases somebody does something, a policy changes, an auditor looks.
const COMMAND: u32 = 15;
const GOVERN: u32 = 3;
const AUDIT: u32 = 3;

/// In so many of a thousand steps that is done which answers nothing, where the rule does not say how often.
const SELDOM: u16 = 20;

/// How far back something is looked for that is said again or otherwise.
const BACK: usize = 200;

/// A rule as it is being carried out.
/// Draws action after action, as an adversary has it.
pub struct AdversarialDriver {
    driver: Driver,
    running: Vec<RunningRule>,
    /// What is late, by when it arrives.
    held: BTreeSet<(Time, u32)>,
    /// What was sent next to nothing: it is done first.
    due: VecDeque<Action>,
    /// What arrived, oldest first.
    arrived: Vec<u32>,
    /// How many votes on a question arrived.
    votes: BTreeMap<(Tid, Ordinal), usize>,
    /// Whether the last step was the adversary's own word: what it sends is not plotted against.
    spoke: bool,
}

impl AdversarialDriver {
    /// The driver of a network under an adversary.
    pub fn new(adversary: &Adversary, setup: &Setup) -> AdversarialDriver {
        let mut driver = Driver::led(*setup);
        driver.rng = ChaCha8Rng::seed_from_u64(setup.seed);
        AdversarialDriver {
            driver,
            running: adversary.rules().iter().map(RunningRule::new).collect(),
            held: BTreeSet::new(),
            due: VecDeque::new(),
            arrived: Vec::new(),
            votes: BTreeMap::new(),
            spoke: false,
        }
    }

    /// What happens next in `model`.
    pub fn next(&mut self, model: &Execution) -> Option<Action> {
        self.driver.take_up(model);
        let fresh = self.driver.fresh.clone();
        self.driver.flying.truncate(self.driver.flying.len() - fresh.len());
        if std::mem::take(&mut self.spoke) {
            fresh.rev().for_each(|envelope| self.driver.flying.push_front(envelope));
        } else {
            fresh.for_each(|envelope| self.send(model, envelope));
        }
        let action =
            self.due.pop_front().or_else(|| self.of_its_own(model)).or_else(|| self.honest(model))?;
        self.spoke = matches!(action, Action::Send { .. } | Action::Publish { .. });
        if let Action::Deliver { envelope } = action {
            self.arrived.push(envelope);
            if let Some(Vote { question, .. }) = false_votes::vote(model, envelope) {
                *self.votes.entry((question.header.tid, question.number)).or_default() += 1;
            }
        }
        Some(action)
    }

    /// Puts an envelope on its way, or what the first rule makes of it that is about it.
    fn send(&mut self, model: &Execution, number: u32) {
        let Some(envelope) = model.envelopes().get(number as usize) else { return };
        for place in 0..self.running.len() {
            let kind = self.running[place].rule.kind;
            if !is_of_envelopes(kind, &envelope.datagram)
                || !self.fires(place, model, Some((number, envelope)))
            {
                continue;
            }
            let (flying, now) = (&mut self.driver.flying, model.now());
            match kind {
                FaultKind::Silence | FaultKind::Drop => {}
                FaultKind::Delay { by } => {
                    self.held.insert((now.saturating_add(by), number));
                }
                FaultKind::Duplicate => flying.extend([number, number]),
                FaultKind::Reorder => flying.push_front(number),
                FaultKind::Corrupt => {
                    // What some change makes of a hello hangs on its bytes; a byte less is always a byte less.
                    let told = |how: &Corruption| model.corrupted(number, *how).is_some();
                    let how = self.driver.corruption(model, number).filter(told).unwrap_or(Corruption::Cut);
                    self.due.push_back(Action::Corrupt { envelope: number, how });
                }
                FaultKind::Redirect => {
                    // Nobody hears from themselves.
                    let others = model.system().actors().filter(|actor| *actor != envelope.from);
                    let actors: Vec<Actor> = others.collect();
                    let to = actors[self.driver.rng.random_range(0..actors.len())];
                    self.due.push_back(Action::Redirect { envelope: number, to, from: None });
                }
                FaultKind::Contradict => self.vote_otherwise(model, number, envelope),
                FaultKind::Equivocate => {
                    flying.push_back(number);
                    self.vote_otherwise(model, number, envelope);
                }
                _ => {
                    // A lie beside it, and now and then instead of it.
                    let lie = forgery::lie_about(&mut self.driver.rng, model, envelope);
                    let own =
                        |lie: &Action| matches!(lie, Action::Send { actor, .. } if *actor == envelope.from);
                    self.due.extend(lie.filter(own));
                    self.driver.flying.push_back(number);
                }
            }
            return;
        }
        self.driver.flying.push_back(number);
    }

    fn vote_otherwise(&mut self, model: &Execution, number: u32, envelope: &Envelope) {
        let vote = false_votes::vote(model, number);
        self.due.extend(vote.map(|vote| {
            let message = Message::Vote(Vote { ballot: false_votes::contrary(vote.ballot), ..vote });
            Action::Send { actor: envelope.from, to: envelope.to, message }
        }));
    }

    /// Whether a rule is carried out now, on this envelope or on its own.
    fn fires(&mut self, place: usize, model: &Execution, on: Option<(u32, &Envelope)>) -> bool {
        let running = &mut self.running[place];
        let winning = running.rule.trigger.winning;
        let about = on.map(|(_, envelope)| (envelope.from, envelope.to, envelope.datagram.name()));
        let rng = &mut self.driver.rng;
        let lucky = |thousandths| rng.random_range(0..1000) < u32::from(thousandths);
        if !running.takes(model.now(), about, on.is_none().then_some(SELDOM), lucky)
            || winning && !on.is_some_and(|(number, _)| self.wins(model, number))
        {
            return false;
        }
        self.running[place].spend();
        true
    }

    /// Whether those who vote otherwise are so many that there is no quorum without them, and too few others have voted yet.
    fn wins(&self, model: &Execution, number: u32) -> bool {
        let Some(Vote { question, .. }) = false_votes::vote(model, number) else { return false };
        let of_votes = self.running.iter().filter(|running| running.rule.kind.is_of_votes());
        let liars: BTreeSet<Actor> = of_votes.filter_map(|running| running.rule.scope.node()).collect();
        let validators = usize::from(self.driver.setup.validators);
        let enough = quorum(self.driver.setup.validators) as usize;
        let arrived = self.votes.get(&(question.header.tid, question.number)).copied().unwrap_or_default();
        validators.saturating_sub(liars.len()) < enough && arrived < enough
    }

    /// What answers nothing that is on its way.
    fn of_its_own(&mut self, model: &Execution) -> Option<Action> {
        if self.driver.seen == 0 {
            return None;
        }
        for place in 0..self.running.len() {
            let rule = &self.running[place].rule;
            let (kind, node) = (rule.kind, rule.scope.node());
            let alone = !kind.is_of_messages() && !kind.is_of_votes() && kind != FaultKind::Lie;
            if (alone || kind == FaultKind::Replay) && self.fires(place, model, None) {
                let done = self.do_it(model, place, kind, node);
                if done.is_some() {
                    return done;
                }
            }
        }
        None
    }

    fn do_it(
        &mut self,
        model: &Execution,
        place: usize,
        kind: FaultKind,
        node: Option<Actor>,
    ) -> Option<Action> {
        let Driver { rng, authority, .. } = &mut self.driver;
        match kind {
            FaultKind::Replay => {
                let rule = &self.running[place].rule;
                let lately = self.arrived.iter().rev().take(BACK).copied();
                let fits = |number: &u32| {
                    model.envelopes().get(*number as usize).is_some_and(|envelope| {
                        rule.scope.covers(envelope.from, envelope.to)
                            && rule.trigger.covers(model.now(), Some(envelope.datagram.name()))
                    })
                };
                let all: Vec<u32> = lately.filter(fits).collect();
                (!all.is_empty()).then(|| Action::Deliver { envelope: all[rng.random_range(0..all.len())] })
            }
            FaultKind::Impersonate => {
                self.driver.posed += 1;
                let Driver { rng, flying, posed, .. } = &mut self.driver;
                let packet = impersonation::pose(rng, model, flying, *posed);
                packet.filter(|packet| matches!(packet, Action::Inject { actor, .. } if Some(*actor) == node))
            }
            FaultKind::Publish => {
                let lately = model.envelopes().iter().rev().take(BACK);
                let own = |envelope: &&Envelope| {
                    Some(envelope.from) == node && matches!(envelope.datagram, Datagram::Gossip(_))
                };
                let told: Vec<&Envelope> = lately.filter(own).collect();
                let about = told.get(rng.random_range(0..told.len().max(1)))?;
                forgery::lie_about(rng, model, about)
            }
            FaultKind::Certify => authority.certify(rng),
            FaultKind::Falsify => {
                let action = auditor::audit(rng, model);
                let Action::Audit { ledger, falsified } = &action else { return None };
                let keeper = |list: List| match list {
                    List::Leaves | List::CloudHeads => Actor::Cloud,
                    List::Entries | List::AuditHeads => Actor::Bsd,
                    List::Blocks => *ledger,
                };
                falsified.iter().all(|one| Some(keeper(one.list)) == node).then_some(action)
            }
            FaultKind::Leak => node.map(|actor| Action::Leak { actor }),
            FaultKind::Crash => node.map(|actor| Action::Crash { actor, damage: None }),
            FaultKind::Tamper => {
                let actor = node?;
                auditor::damage(rng, model, actor).map(|damage| Action::Crash { actor, damage: Some(damage) })
            }
            _ => None,
        }
    }

    /// What an honest network does next.
    fn honest(&mut self, model: &Execution) -> Option<Action> {
        let driver = &mut self.driver;
        if driver.seen == 0 || driver.chance(COMMAND) {
            return Some(driver.command(model));
        }
        if driver.setup.users > 4
            && driver.chance(GOVERN)
            && let Some(action) = driver.authority.honest(&mut driver.rng, model)
        {
            return Some(action);
        }
        if model.submissions() > 0 && driver.chance(AUDIT) {
            return Some(Action::Audit { ledger: Actor::Bsd, falsified: Vec::new() });
        }
        if let Some(envelope) = driver.flying.pop_front() {
            return Some(Action::Deliver { envelope });
        }
        let next = waiting(model).min();
        match (self.held.first().copied(), next) {
            (Some((when, number)), wake) if wake.is_none_or(|(wake, _)| when <= wake.max(model.now())) => {
                if when > model.now() {
                    return Some(Action::Pass { time: when - model.now() });
                }
                self.held.remove(&(when, number));
                Some(Action::Deliver { envelope: number })
            }
            (_, Some((_, actor))) => Some(Action::Wake { actor, found: None }),
            _ => Some(driver.command(model)),
        }
    }
}

/// Whether it is done to this envelope on its way.
const fn is_of_envelopes(kind: FaultKind, datagram: &Datagram) -> bool {
    let Datagram::Packet(Packet::Record(record)) = datagram else {
        return kind.is_of_messages() && !matches!(kind, FaultKind::Replay);
    };
    match kind {
        FaultKind::Replay => false,
        FaultKind::Contradict | FaultKind::Equivocate => matches!(record.message, Message::Vote(_)),
        FaultKind::Lie => true,
        other => other.is_of_messages(),
    }
}
