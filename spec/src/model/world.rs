//! The actors and what is on its way between them: what an action does.

use crate::model::{
    Action, Actor, Block, Command, Datagram, Flaws, Gossip, Happened, LogKind, Output, Packet, Parcel,
    Proposal, Setup, Spoiling, Step, System, Tid, Time, View,
};
use crate::{Clause, Rules};
use std::sync::Arc;

/// The actors, every parcel that was ever sent, and the time.
#[derive(Clone, Debug)]
pub struct World {
    rules: Rules,
    system: System,
    pool: Vec<Parcel>,
    now: Time,
    submissions: Tid,
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(rules: Rules, setup: &Setup) -> World {
        World { rules, system: System::new(setup), pool: Vec::new(), now: 0, submissions: 0 }
    }

    /// The actors.
    pub const fn system(&self) -> &System {
        &self.system
    }

    /// Everything that was sent.
    pub fn parcels(&self) -> &[Parcel] {
        &self.pool
    }

    /// The present instant.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// How many submissions there were.
    pub const fn submissions(&self) -> Tid {
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

    /// Does what the action says. What the actor sends is for the caller to [`World::dispatch`], in the order that the
    /// trace or the implementation gives it: some orders are those of digests, which the model does not have.
    pub fn perform(&mut self, action: &Action) -> Option<Happened> {
        let rules = self.rules;
        let (actor, from, step) = match action {
            Action::Command { actor, command } => {
                // Nobody can speak of a submission that there was not.
                if let Command::Read { tid } | Command::Order { tid, .. } = command
                    && *tid >= self.submissions
                {
                    return None;
                }
                let step = self.system.command(&rules, self.now, *actor, self.submissions, *command)?;
                if matches!(command, Command::Submit { .. }) && step.clause.is_none() {
                    self.submissions += 1;
                }
                (*actor, None, step)
            }
            Action::Deliver { parcel } => {
                let parcel = self.pool.get(*parcel as usize)?;
                let (to, from) = (parcel.to, parcel.from);
                let step = self.system.deliver(&rules, self.now, to, from, &parcel.datagram, parcel.flaws)?;
                (to, Some(from), step)
            }
            Action::Redirect { parcel, to, from } => {
                let parcel = self.pool.get(*parcel as usize)?;
                let from = from.unwrap_or(parcel.from);
                let step =
                    self.system.deliver(&rules, self.now, *to, from, &parcel.datagram, parcel.flaws)?;
                (*to, Some(from), step)
            }
            Action::Spoil { parcel, how } => {
                let parcel = self.pool.get(*parcel as usize)?;
                let flaws = parcel.datagram.spoiled_by(*how)?;
                let (to, from) = (parcel.to, parcel.from);
                let step = self.system.deliver(&rules, self.now, to, from, &parcel.datagram, flaws)?;
                (to, Some(from), step)
            }
            Action::Wake { actor, found } => {
                let due = self.system.wakes(*actor)?;
                self.now = self.now.max(due);
                (*actor, None, self.system.wake(&rules, self.now, *actor, *found)?)
            }
            Action::Pass { time } => {
                self.now = self.now.saturating_add(*time);
                let step = Step { event: "Pass", clause: None, sends: Vec::new() };
                (Actor::Bsd, None, step)
            }
            Action::Say { actor, to, message } => {
                (*actor, None, self.system.say(&rules, self.now, *actor, *to, *message)?)
            }
            Action::Tell { actor, to, gossip } => {
                self.system.index(*to)?;
                let sends = vec![Output::Tell(*to, gossip.clone())];
                (*actor, None, Step { event: "Tell", clause: None, sends })
            }
            Action::Crash { actor } => (*actor, None, self.system.crash(*actor)?),
        };
        let Step { event, clause, sends } = step;
        Some(Happened { time: self.now, actor, from, event, clause, sends })
    }

    /// Puts what `from` sends on its way.
    pub fn dispatch(&mut self, from: Actor, sends: &[Output]) {
        for output in sends {
            let (to, datagram) = match output {
                Output::Send(to, packet) => (*to, Datagram::Packet(*packet)),
                Output::Tell(to, gossip) => (*to, Datagram::Gossip(gossip.clone())),
                Output::Publish(gossip) => {
                    for to in self.system.actors().filter(|to| *to != from) {
                        let datagram = Datagram::Gossip(gossip.clone());
                        self.pool.push(Parcel { from, to, datagram, flaws: Flaws::NONE });
                    }
                    continue;
                }
            };
            self.pool.push(Parcel { from, to, datagram, flaws: Flaws::NONE });
        }
    }
}

impl Datagram {
    /// The check that fails when its bytes are changed like this; nothing where that depends on the bytes.
    pub fn spoiled_by(&self, how: Spoiling) -> Option<Flaws> {
        let clause = match (self, how) {
            (_, Spoiling::Cut | Spoiling::Extend) => Clause::OneEncodingPerValue,
            // Another ephemeral may be an element or not.
            (Datagram::Packet(Packet::Hello { .. }), Spoiling::Flip) => return None,
            (Datagram::Packet(Packet::Response { .. } | Packet::Finish { .. }), Spoiling::Flip) => {
                Clause::FlightIsAuthentic
            }
            (Datagram::Packet(Packet::Record(_)), Spoiling::Flip) => Clause::RecordIsAuthentic,
            (Datagram::Gossip(gossip), Spoiling::Flip) => match gossip {
                Gossip::Decision(_) => Clause::EntryHasQuorum,
                Gossip::Head { head, .. } if head.kind == LogKind::Cloud => Clause::HeadSignedByCloud,
                Gossip::Head { .. } => Clause::AuditHeadSigned,
                Gossip::Proposal { .. } | Gossip::Closing { .. } => Clause::VoteSigned,
                Gossip::Block(block) if block.proposal.entries.is_empty() => return None,
                Gossip::Block(_) => Clause::MerkleRootMatches,
                Gossip::BlocksFrom(_) => return None,
            },
        };
        Some(Flaws::of(clause))
    }
}

impl Gossip {
    /// The same with these flaws.
    #[must_use]
    pub fn spoiled(&self, flaws: Flaws) -> Gossip {
        match self.clone() {
            Gossip::Decision(certificate) => {
                Gossip::Decision(crate::model::Certificate { flaws, ..certificate })
            }
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
        }
    }
}
