//! What of a trace an honest network does not do: each step as the acts of an adversary.
//!
//! An honest network delivers what was sent in the order in which it was sent, each envelope once and where it was sent to,
//! before anybody's time goes on; nobody dies, and nobody says what they would not.

use super::{Step, Trace, everybody};
use crate::faults::{Act, Adversary, Monitor, ObservedFault, least};
use bemr_model::{Action, Actor, Command, List, MESSAGES, Message, Setup, Time};
use std::collections::{BTreeMap, BTreeSet};

/// An envelope: from whom, to whom, its name, and when it was sent.
type Sent = (Actor, Actor, &'static str, Time);

/// Reads step after step.
pub(super) struct Acts {
    everybody: Vec<Actor>,
    sent: Vec<Sent>,
    /// What has not arrived and was due at every step so far.
    due: BTreeSet<u32>,
    /// What has not arrived although time went on.
    overdue: BTreeSet<u32>,
    /// How late what was overdue arrived.
    late: BTreeMap<u32, Time>,
    arrived: BTreeSet<u32>,
    /// What was sent because the adversary said so: nobody owes it an order.
    made: BTreeSet<u32>,
    /// Whose certificate was taken back.
    lapsed: BTreeSet<Actor>,
}

/// An act, when it was done, and the envelope that it is about or, where it is about none, none.
pub(super) type Seen = (Act, Time, u32);

/// The number of no envelope.
const NONE: u32 = u32::MAX;

impl Acts {
    pub(super) fn begin(setup: &Setup) -> Acts {
        Acts {
            everybody: everybody(setup).collect(),
            sent: Vec::new(),
            due: BTreeSet::new(),
            overdue: BTreeSet::new(),
            late: BTreeMap::new(),
            arrived: BTreeSet::new(),
            made: BTreeSet::new(),
            lapsed: BTreeSet::new(),
        }
    }

    /// The acts of the next step.
    pub(super) fn of(&mut self, step: &Step) -> Vec<Seen> {
        let now = step.time;
        let mut acts = Vec::new();
        match &step.action {
            Action::Deliver { envelope } => self.deliver(*envelope, step.time, &mut acts),
            Action::Redirect { envelope, .. } => {
                self.envelope(ObservedFault::Redirected, *envelope, now, &mut acts)
            }
            Action::Corrupt { envelope, .. } => {
                self.envelope(ObservedFault::Corrupted, *envelope, now, &mut acts)
            }
            Action::Wake { .. } | Action::Pass { .. } => {
                acts.extend(self.withhold(NONE));
            }
            Action::Send { actor, to, message } => {
                let fault = if matches!(message, Message::Vote(_)) {
                    ObservedFault::Voted
                } else {
                    ObservedFault::Said
                };
                let name = message.name();
                acts.push((Act { fault, from: *actor, to: *to, message: Some(name) }, now, NONE));
                // It stands for what was to be said.
                let instead = self.due.iter().rev().copied().find(|envelope| {
                    let sent =
                        self.sent.get(*envelope as usize).map(|(from, to, name, _)| (*from, *to, *name));
                    sent == Some((*actor, *to, name))
                });
                instead.map(|envelope| self.due.remove(&envelope));
            }
            Action::Publish { actor, to, gossip } => {
                acts.push((
                    Act {
                        fault: ObservedFault::Published,
                        from: *actor,
                        to: *to,
                        message: Some(gossip.name()),
                    },
                    now,
                    NONE,
                ));
            }
            Action::Inject { actor, to, packet, .. } => {
                acts.push((
                    Act {
                        fault: ObservedFault::Impersonated,
                        from: *actor,
                        to: *to,
                        message: Some(packet.name()),
                    },
                    now,
                    NONE,
                ));
            }
            Action::Audit { ledger, falsified } => acts.extend(falsified.iter().map(|one| {
                let keeper = match one.list {
                    List::Leaves | List::CloudHeads => Actor::Cloud,
                    List::Entries | List::AuditHeads => Actor::Bsd,
                    List::Blocks => *ledger,
                };
                (own(ObservedFault::Falsified, keeper), now, NONE)
            })),
            Action::Unseal { faults, .. } => {
                acts.extend(faults.iter().map(|_| (own(ObservedFault::Falsified, Actor::Bsd), now, NONE)));
            }
            Action::Leak { actor } => acts.push((own(ObservedFault::Leaked, *actor), now, NONE)),
            Action::Crash { actor, damage } => {
                let fault = if damage.is_some() { ObservedFault::Tampered } else { ObservedFault::Crashed };
                acts.push((own(fault, *actor), now, NONE));
            }
            Action::Command { command, .. } => self.asked(command, step, &mut acts),
        }
        self.send(step);
        acts
    }

    /// What was sent before `envelope` and has not arrived, as acts of those who withhold it.
    pub(super) fn withhold(&mut self, envelope: u32) -> Vec<Seen> {
        let later = self.due.split_off(&envelope);
        let late = std::mem::replace(&mut self.due, later);
        let acts = late.iter().filter_map(|late| {
            // Whoever holds it back did so when it was sent.
            let (from, to, message, sent) = self.sent.get(*late as usize).copied()?;
            Some((Act { fault: ObservedFault::Withheld, from, to, message: Some(message) }, sent, *late))
        });
        let acts = acts.collect();
        self.overdue.extend(late);
        acts
    }

    fn deliver(&mut self, envelope: u32, now: Time, acts: &mut Vec<Seen>) {
        if !self.arrived.insert(envelope) {
            return self.envelope(ObservedFault::Again, envelope, now, acts);
        }
        if self.overdue.remove(&envelope) {
            let sent = self.sent.get(envelope as usize).map_or(now, |(.., sent)| *sent);
            self.late.insert(envelope, now.saturating_sub(sent));
        } else if self.due.remove(&envelope) && self.due.first().is_some_and(|first| *first < envelope) {
            self.envelope(ObservedFault::Overtook, envelope, now, acts);
        }
    }

    fn envelope(&mut self, fault: ObservedFault, envelope: u32, now: Time, acts: &mut Vec<Seen>) {
        let Some((from, to, message, _)) = self.sent.get(envelope as usize).copied() else { return };
        acts.push((Act { fault, from, to, message: Some(message) }, now, envelope));
        if matches!(fault, ObservedFault::Redirected | ObservedFault::Corrupted) {
            // Its bytes arrived, somewhere and somehow.
            self.due.remove(&envelope);
            self.overdue.remove(&envelope);
        }
    }

    /// What is asked of the KDC.
    fn asked(&mut self, command: &Command, step: &Step, acts: &mut Vec<Seen>) {
        let now = step.time;
        match command {
            Command::Enrol(request) => {
                let Some(subject) = request.subject else { return };
                if !request.flaws.is_empty() {
                    acts.push((own(ObservedFault::Impersonated, subject), now, NONE));
                } else if !self.lapsed.contains(&subject) {
                    acts.push((own(ObservedFault::Certified, Actor::Kdc), now, NONE));
                }
                if step.clause.is_none() {
                    self.lapsed.remove(&subject);
                }
            }
            Command::RevokeCertificate { subject } => {
                self.lapsed.insert(*subject);
            }
            _ => {}
        }
    }

    fn send(&mut self, step: &Step) {
        let Some(sender) = step.actor else { return };
        let made = matches!(step.action, Action::Send { .. } | Action::Publish { .. });
        for send in &step.sends {
            let name = MESSAGES.into_iter().find(|name| *name == send.message).unwrap_or("");
            let all = self.everybody.iter().copied().filter(|other| *other != sender);
            let to: Vec<Actor> = send.to.map_or_else(|| all.collect(), |one| vec![one]);
            for receiver in to {
                let number = self.sent.len() as u32;
                self.sent.push((sender, receiver, name, step.time));
                if made {
                    self.made.insert(number);
                } else {
                    self.due.insert(number);
                }
            }
        }
    }
}

const fn own(fault: ObservedFault, node: Actor) -> Act {
    Act { fault, from: node, to: node, message: None }
}

impl Trace {
    /// The weakest adversary that does all that an honest network would not.
    pub fn adversary(&self) -> Adversary {
        let mut acts = Acts::begin(&self.header.setup);
        let seen: Vec<Seen> = self.steps.iter().flat_map(|step| acts.of(step)).collect();
        let heard =
            acts.arrived.iter().filter_map(|envelope| Some(acts.sent.get(*envelope as usize)?.0)).collect();
        let told = |(act, time, envelope): Seen| {
            let fault = match act.fault {
                ObservedFault::Withheld => {
                    acts.late.get(&envelope).map_or(ObservedFault::Lost, |late| ObservedFault::Late(*late))
                }
                fault => fault,
            };
            (time, Act { fault, ..act })
        };
        let told: Vec<(Time, Act)> = seen.into_iter().map(told).collect();
        least(&told, &heard)
    }
}

/// Whether the steps are within what an adversary does.
pub(super) struct Within {
    acts: Acts,
    watch: Monitor,
}

impl Within {
    pub(super) fn begin(setup: &Setup, adversary: &Adversary) -> Within {
        Within { acts: Acts::begin(setup), watch: Monitor::new(adversary) }
    }

    /// Takes the next step.
    ///
    /// # Errors
    /// An act of it of which the adversary is not capable, or not any more.
    pub(super) fn take(&mut self, step: &Step) -> Result<(), Act> {
        for (act, time, envelope) in self.acts.of(step) {
            if self.watch.take(time, &act) {
                continue;
            }
            // Either it came too early, or what was sent before it is held back.
            if act.fault != ObservedFault::Overtook {
                return Err(act);
            }
            let held = self.acts.withhold(envelope);
            held.into_iter().try_for_each(
                |(held, sent, _)| {
                    if self.watch.take(sent, &held) { Ok(()) } else { Err(held) }
                },
            )?;
        }
        Ok(())
    }
}
