//! The actors and what is on its way between them: what an action does.

use crate::causes::cause;
use crate::custodian::{Custodian, RecordId};
use crate::damage;
use crate::knowledge::Knowledge;
use crate::roles::responds;
use crate::session_manager::SKIPPED;
use crate::{
    Action, Actor, Block, Command, ContentType, Corruption, Datagram, Envelope, Flaws, Gossip, Happened,
    LogKind, MOST_FALSIFIED, Output, Packet, Proposal, Setup, Step, System, Tid, Time, View,
};
use bemr_spec::{Clause, Event, Rules};
use std::sync::Arc;

/// The actors, every envelope that was ever sent, and the time.
#[derive(Clone, Debug)]
pub struct Execution {
    rules: Rules,
    system: System,
    pool: Vec<Envelope>,
    now: Time,
    submissions: u16,
    custodian: Custodian,
    knowledge: Knowledge,
}

impl Execution {
    /// A world in which nothing has happened.
    pub fn new(rules: Rules, setup: &Setup) -> Execution {
        Execution {
            rules,
            system: System::new(setup),
            pool: Vec::new(),
            now: 0,
            submissions: 0,
            custodian: Custodian::default(),
            knowledge: Knowledge::default(),
        }
    }

    /// The actors.
    pub const fn system(&self) -> &System {
        &self.system
    }

    /// Everything that was sent.
    pub fn envelopes(&self) -> &[Envelope] {
        &self.pool
    }

    /// What an envelope says when its bytes are changed like this, and the check that fails; nothing where that depends on the
    /// bytes or cannot be done to it.
    pub fn corrupted(&self, envelope: u32, how: Corruption) -> Option<(Datagram, Flaws)> {
        let place = envelope as usize;
        let envelope = self.pool.get(place)?;
        let corrupted = envelope.datagram.corrupted_by(how)?;
        let record = |other: &&Envelope| {
            other.from == envelope.from && matches!(other.datagram, Datagram::Packet(Packet::Record(_)))
        };
        let possible = match how {
            Corruption::SessionType => !envelope.is_answered_otherwise(),
            // With itself it would be what it was.
            Corruption::Splice => {
                self.pool[..place].iter().rfind(record).is_some_and(|last| last.datagram != envelope.datagram)
            }
            _ => true,
        };
        possible.then_some(corrupted)
    }

    /// The present instant.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// How many submissions there were.
    pub const fn submissions(&self) -> u16 {
        self.submissions
    }

    /// What can be seen of an actor.
    pub fn view(&self, actor: Actor) -> Option<View> {
        self.system.view(actor)
    }

    /// Does what the action says and sends what follows; nothing when that cannot be done now.
    pub fn step(&mut self, action: &Action) -> Option<Happened> {
        let happened = self.perform(action)?;
        self.dispatch(happened.actor, &happened.sends);
        Some(happened)
    }

    /// Does what the action says. What the actor sends is for the caller to [`Execution::dispatch`], in the order that the
    /// trace or the implementation gives it: some orders are those of digests, which the model does not have.
    pub fn perform(&mut self, action: &Action) -> Option<Happened> {
        let rules = self.rules;
        let mut arrived = None;
        let (mut place, mut opened) = (None, Vec::new());
        let (actor, from, step) = match action {
            Action::Command { actor, command } => {
                // Nobody can speak of a submission that there was not.
                if let Command::Read { tid } | Command::Order { tid, .. } = command
                    && *tid >= Tid::nth(self.submissions)
                {
                    return None;
                }
                let next = Tid::nth(self.submissions);
                let step = self.system.command(&rules, self.now, *actor, next, *command)?;
                if matches!(command, Command::Submit { .. }) && step.clause.is_none() {
                    self.submissions += 1;
                }
                (*actor, None, step)
            }
            Action::Deliver { envelope } => {
                let Envelope { from, to, datagram, flaws } = self.pool.get(*envelope as usize)?.clone();
                let step = self.system.deliver(&rules, self.now, to, from, &datagram, flaws)?;
                arrived = Some((datagram, flaws));
                (to, Some(from), step)
            }
            Action::Redirect { envelope, to, from } => {
                let Envelope { from: sender, datagram, flaws, .. } =
                    self.pool.get(*envelope as usize)?.clone();
                let from = from.unwrap_or(sender);
                let step = self.system.deliver(&rules, self.now, *to, from, &datagram, flaws)?;
                arrived = Some((datagram, flaws));
                (*to, Some(from), step)
            }
            Action::Corrupt { envelope, how } => {
                let (datagram, flaws) = self.corrupted(*envelope, *how)?;
                let Envelope { to, from, .. } = self.pool[*envelope as usize];
                let step = self.system.deliver(&rules, self.now, to, from, &datagram, flaws)?;
                arrived = Some((datagram, flaws));
                (to, Some(from), step)
            }
            Action::Wake { actor, found } => {
                let due = self.system.wakes(*actor)?;
                self.now = self.now.max(due);
                (*actor, None, self.system.wake(&rules, self.now, *actor, *found)?)
            }
            Action::Pass { time } => {
                self.now = self.now.saturating_add(*time);
                let step = Step { event: Event::Pass, clause: None, sends: Vec::new() };
                (Actor::Bsd, None, step)
            }
            Action::Send { actor, to, message } => {
                (*actor, None, self.system.say(&rules, self.now, *actor, *to, *message)?)
            }
            Action::Publish { actor, to, gossip } => {
                self.system.index(*to).filter(|_| *to != Actor::Kdc)?;
                let sends = vec![Output::SendGossip(*to, gossip.clone())];
                (*actor, None, Step { event: Event::Publish, clause: None, sends })
            }
            Action::Inject { actor, to, packet, flaws } => {
                self.system.index(*actor)?;
                let datagram = Datagram::Packet(*packet);
                let step = self.system.deliver(&rules, self.now, *to, *actor, &datagram, *flaws)?;
                arrived = Some((datagram, *flaws));
                (*to, Some(*actor), step)
            }
            Action::Audit { ledger, falsified } => {
                if falsified.len() > MOST_FALSIFIED || falsified.len() == 2 && falsified[0] == falsified[1] {
                    return None;
                }
                let found = self.system.show(&rules, self.now, *ledger, falsified)?.err();
                place = found.map(|(place, _)| place);
                let step =
                    Step { event: Event::Audit, clause: found.map(|(_, clause)| clause), sends: Vec::new() };
                (Actor::Bsd, None, step)
            }
            Action::Unseal { seal, faults } => {
                let seals = &self.system.bsd().seals.0;
                let clause = match self.custodian.unseal(&rules, seals, *seal, faults)? {
                    Ok(records) => {
                        opened = self.carriers(&records);
                        None
                    }
                    Err(clause) => Some(clause),
                };
                (Actor::Bsd, None, Step { event: Event::Unseal, clause, sends: Vec::new() })
            }
            Action::Leak { actor } => {
                let sessions = self.system.sessions_of(*actor)?;
                let learned = self.knowledge.learn(&rules, sessions, &self.pool);
                self.system.betrayed |= learned.past;
                opened = learned.opened;
                (Actor::Bsd, None, Step { event: Event::Leak, clause: None, sends: Vec::new() })
            }
            Action::Crash { actor, damage } => {
                if let Some(damage) = damage {
                    place = damage::found(&self.system, *actor, *damage)?;
                }
                let found = place.map(|_| Clause::StoreMatchesHead).filter(|clause| rules.in_force(*clause));
                place = place.filter(|_| found.is_some());
                (*actor, None, Step { clause: found, ..self.system.crash(&rules, *actor)? })
            }
        };
        let Step { event, clause, sends } = step;
        let cause =
            clause.zip(arrived).and_then(|(clause, (datagram, flaws))| cause(clause, &datagram, flaws));
        Some(Happened { time: self.now, actor, from, event, clause, cause, place, opened, sends })
    }

    /// The envelopes that are these records, ascending.
    fn carriers(&self, records: &[RecordId]) -> Vec<u32> {
        let is_one = |envelope: &Envelope| match &envelope.datagram {
            Datagram::Packet(Packet::Record(record)) => records.contains(&RecordId::of(record)),
            _ => false,
        };
        (0..).zip(&self.pool).filter(|(_, envelope)| is_one(envelope)).map(|(number, _)| number).collect()
    }

    /// Puts what `from` sends on its way.
    pub fn dispatch(&mut self, from: Actor, sends: &[Output]) {
        for output in sends {
            let (to, datagram) = match output {
                Output::Send(to, packet) => (*to, Datagram::Packet(*packet)),
                Output::SendGossip(to, gossip) => (*to, Datagram::Gossip(gossip.clone())),
                Output::Publish(gossip) => {
                    for to in self.system.actors().filter(|to| *to != from) {
                        let datagram = Datagram::Gossip(gossip.clone());
                        self.pool.push(Envelope { from, to, datagram, flaws: Flaws::NONE });
                    }
                    continue;
                }
            };
            self.pool.push(Envelope { from, to, datagram, flaws: Flaws::NONE });
        }
    }
}

impl Envelope {
    /// Whether its receiver answers a hello of the purpose that a corrupted one names, and so another one than was sent.
    fn is_answered_otherwise(&self) -> bool {
        let Datagram::Packet(Packet::Hello { purpose, .. }) = &self.datagram else { return false };
        responds(
            self.to,
            if *purpose == ContentType::Block { ContentType::Initial } else { ContentType::Block },
        )
    }
}

impl Datagram {
    /// What it says when its bytes are changed like this, and the check that fails; nothing where that depends on the bytes
    /// or cannot be done to it.
    fn corrupted_by(&self, how: Corruption) -> Option<(Datagram, Flaws)> {
        let mut corrupted = self.clone();
        let clause = match (&mut corrupted, how) {
            (_, Corruption::Cut | Corruption::Extend) => Clause::OneEncodingPerValue,
            (Datagram::Packet(_), Corruption::Bloat) => Clause::SizeWithinBound,
            (Datagram::Packet(Packet::Hello { .. }), Corruption::Suite) => Clause::SuiteNotDowngraded,
            (Datagram::Packet(Packet::Hello { hello, purpose }), Corruption::SessionType) => {
                *purpose =
                    if *purpose == ContentType::Block { ContentType::Initial } else { ContentType::Block };
                // What a hello asks for is not what the model knows it by.
                (!responds(hello.to, *purpose)).then_some(Clause::RoleFitsPlace)?
            }
            (Datagram::Packet(Packet::Hello { .. } | Packet::Response { .. }), Corruption::Neutral) => {
                Clause::ElementInRange
            }
            (Datagram::Packet(Packet::Hello { .. } | Packet::Response { .. }), Corruption::Outside) => {
                Clause::ElementInSubgroup
            }
            // The header is authenticated: what its own check lets pass does not open.
            (Datagram::Packet(Packet::Record(record)), Corruption::Stage) => {
                record.stage = if record.stage == ContentType::Block {
                    ContentType::Initial
                } else {
                    ContentType::Block
                };
                Clause::RecordIsAuthentic
            }
            (Datagram::Packet(Packet::Record(record)), Corruption::Ahead) => {
                record.sequence += SKIPPED;
                Clause::RecordIsAuthentic
            }
            // Another ephemeral may be an element or not.
            (Datagram::Packet(Packet::Hello { .. }), Corruption::Flip) => return None,
            (
                Datagram::Packet(Packet::Response { .. } | Packet::Finish { .. }),
                Corruption::Flip | Corruption::Swap,
            ) => Clause::FlightIsAuthentic,
            (
                Datagram::Packet(Packet::Record(_)),
                Corruption::Flip | Corruption::Swap | Corruption::Splice,
            ) => Clause::RecordIsAuthentic,
            (Datagram::Gossip(gossip), Corruption::Flip) => match gossip {
                Gossip::Decision(_) => Clause::EntryHasQuorum,
                Gossip::Head { head, .. } if head.kind == LogKind::Cloud => Clause::HeadSignedByCloud,
                Gossip::Head { .. } => Clause::AuditHeadSigned,
                Gossip::Proposal { .. } | Gossip::Closing { .. } => Clause::VoteSigned,
                Gossip::Block(block) if block.proposal.entries.is_empty() => return None,
                Gossip::Block(_) => Clause::MerkleRootMatches,
                Gossip::BlocksFrom(_) => return None,
                Gossip::PolicyChange { .. } => Clause::PolicyChangeHasTwoAdministrators,
                Gossip::RevocationList { .. } => Clause::RevocationListSignedByKdc,
            },
            _ => return None,
        };
        Some((corrupted, Flaws::of(clause)))
    }
}

impl Gossip {
    /// The same with these flaws.
    #[must_use]
    pub fn corrupted(&self, flaws: Flaws) -> Gossip {
        match self.clone() {
            Gossip::Decision(certificate) => Gossip::Decision(crate::Certificate { flaws, ..certificate }),
            Gossip::Head { head, .. } => Gossip::Head { head, flaws },
            Gossip::Proposal { proposal, signatory, .. } => Gossip::Proposal { proposal, signatory, flaws },
            Gossip::Closing { height, block, signatory, .. } => {
                Gossip::Closing { height, block, signatory, flaws }
            }
            Gossip::Block(block) => {
                let block = Arc::unwrap_or_clone(block);
                let proposal = Proposal { flaws, ..block.proposal };
                Gossip::Block(Arc::new(Block { proposal, ..block }))
            }
            Gossip::BlocksFrom(height) => Gossip::BlocksFrom(height),
            Gossip::PolicyChange { change, approvals, .. } => {
                Gossip::PolicyChange { change, approvals, flaws }
            }
            Gossip::RevocationList { list, .. } => Gossip::RevocationList { list, flaws },
        }
    }
}
