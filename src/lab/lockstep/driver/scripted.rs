//! The scripted driver: the action that an instruction stands for in the present state, drawn as in a random run.

use super::{Driver, WINDOW, waiting, wake_first};
use crate::lockstep::instruction::{Instruction, Kind};
use crate::lockstep::{auditor, false_votes};
use bemr_model::{Action, Actor, Execution, Lifetimes, Time};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How far back an envelope is looked for that arrives again.
const BACK: u32 = 200;

/// How far back a vote is looked for whose question colluding validators answer.
const LATELY: u32 = 60;

/// How many draws of the same kind are tried before an instruction counts as impossible.
const TRIES: usize = 4;

impl Driver {
    /// Puts in flight what the last step sent; whether colluding validators still have something to send is [`Driver::pending`].
    pub fn attend(&mut self, model: &Execution) {
        self.take_up(model);
    }

    /// What colluding validators send next, before everything in flight.
    pub fn pending(&mut self) -> Option<Action> {
        let lie = self.scheme.pop_front()?;
        self.hasty = true;
        Some(lie)
    }

    /// The action of an instruction in `model`, after [`Driver::attend`]; nothing where it is impossible, or loses an envelope.
    pub fn make(&mut self, model: &Execution, Instruction { kind, choice }: Instruction) -> Option<Action> {
        self.rng = ChaCha8Rng::seed_from_u64(choice.into());
        let sent = self.seen;
        if sent == 0 && kind != Kind::Command {
            return None;
        }
        match kind {
            Kind::Go => self.go(model),
            Kind::Command => Some(self.command(model)),
            Kind::Govern => (0..TRIES).find_map(|_| self.authority.next(&mut self.rng, model)),
            Kind::Pass => Some(Action::Pass { time: self.while_passing() }),
            Kind::Audit => (model.submissions() > 0).then(|| auditor::audit(&mut self.rng, model)),
            Kind::Unseal => auditor::unseal(&mut self.rng, model),
            Kind::Lose => {
                self.take(choice.into());
                None
            }
            Kind::Reorder => self.take(choice.into()).map(|envelope| Action::Deliver { envelope }),
            Kind::Hurry => {
                let mut waits: Vec<_> = waiting(model).collect();
                waits.sort_unstable();
                let place = usize::from(choice) % waits.len().max(1);
                waits.get(place).map(|(_, actor)| Action::Wake { actor: *actor, found: None })
            }
            Kind::Replay => {
                let back = u32::from(choice) % sent.min(BACK);
                Some(Action::Deliver { envelope: sent - 1 - back })
            }
            Kind::Redirect => Some(self.redirect(model, sent)),
            Kind::Corrupt => (0..TRIES).find_map(|_| self.corrupt(model, sent)),
            Kind::Crash => Some(self.kill(model)),
            Kind::Impersonate => (0..TRIES).find_map(|_| self.impersonate(model)),
            Kind::Lie => self.forge(model),
            Kind::Ambush => {
                for _ in 0..TRIES {
                    self.forge_at_once(model);
                    if !self.scheme.is_empty() {
                        break;
                    }
                }
                self.pending()
            }
            Kind::Leak => {
                let actors: Vec<Actor> = model.system().actors().collect();
                Some(Action::Leak { actor: actors[usize::from(choice) % actors.len()] })
            }
            Kind::Conspire => {
                let lately = sent.saturating_sub(LATELY)..sent;
                let vote = lately.rev().find_map(|envelope| false_votes::vote(model, envelope))?;
                self.scheme = false_votes::coalition(&mut self.rng, model, &vote).into();
                self.pending()
            }
        }
    }

    /// What an honest network does: the oldest envelope arrives, or whoever waits is woken.
    fn go(&mut self, model: &Execution) -> Option<Action> {
        if let Some(envelope) = self.flying.pop_front() {
            return Some(Action::Deliver { envelope });
        }
        wake_first(model)
    }

    /// One of the oldest envelopes on their way.
    fn take(&mut self, choice: usize) -> Option<u32> {
        let reach = self.flying.len().min(WINDOW);
        self.flying.remove(choice % reach.max(1))
    }

    /// How long nobody does anything: never so long that all that is signed runs out at once.
    fn while_passing(&mut self) -> Time {
        let Lifetimes { certificate, list } = self.setup.lifetimes;
        let most = (certificate.min(list) / 2).min(60_000);
        self.rng.random_range(1..=most)
    }
}
