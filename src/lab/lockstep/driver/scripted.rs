//! The driver led by somebody else: what a move is in the present world, by the same hands as in a random life.

use super::{Driver, WINDOW};
use crate::lockstep::instruction::{Instruction, Kind};
use crate::lockstep::{auditor, forged_term, forgery};
use bemr_model::{Action, Actor, Execution, Lifetimes, Time};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How far back an envelope is looked for that arrives again.
const BACK: u32 = 200;

/// How far back a vote is looked for that validators conspire about.
const LATELY: u32 = 60;

/// How many of the same kind are tried before a move counts as impossible.
const TRIES: usize = 4;

impl Driver {
    /// Takes up what the last step did; whether conspirators still have something to say is [`Driver::pending`].
    pub fn attend(&mut self, world: &Execution) {
        self.take_up(world);
    }

    /// What conspirators say next.
    pub fn pending(&mut self) -> Option<Action> {
        let lie = self.scheme.pop_front()?;
        self.hasty = true;
        Some(lie)
    }

    /// What the move is in `world`, which was attended to; nothing where nothing can be done, or nothing happens.
    pub fn make(&mut self, world: &Execution, Instruction { kind, choice }: Instruction) -> Option<Action> {
        self.rng = ChaCha8Rng::seed_from_u64(choice.into());
        let sent = self.seen;
        if sent == 0 && kind != Kind::Command {
            return None;
        }
        match kind {
            Kind::Go => self.go(world),
            Kind::Command => Some(self.command(world)),
            Kind::Govern => (0..TRIES).find_map(|_| self.authority.next(&mut self.rng, world)),
            Kind::Pass => Some(Action::Pass { time: self.while_passing() }),
            Kind::Audit => (world.submissions() > 0).then(|| auditor::audit(&mut self.rng, world)),
            Kind::Unseal => auditor::unseal(&mut self.rng, world),
            Kind::Lose => {
                self.take(choice.into());
                None
            }
            Kind::Reorder => self.take(choice.into()).map(|envelope| Action::Deliver { envelope }),
            Kind::Hurry => {
                let mut waits = waiting(world);
                waits.sort_unstable();
                let place = usize::from(choice) % waits.len().max(1);
                waits.get(place).map(|(_, actor)| Action::Wake { actor: *actor, found: None })
            }
            Kind::Replay => {
                let back = u32::from(choice) % sent.min(BACK);
                Some(Action::Deliver { envelope: sent - 1 - back })
            }
            Kind::Redirect => Some(self.redirect(world, sent)),
            Kind::Corrupt => (0..TRIES).find_map(|_| self.spoil(world, sent)),
            Kind::Crash => Some(self.kill(world)),
            Kind::Impersonate => (0..TRIES).find_map(|_| self.pose(world)),
            Kind::Lie => {
                let lie = forgery::lie(&mut self.rng, world, &self.flying)?;
                self.hasty = self.chance(700) || forged_term::is_urgent(&lie);
                Some(lie)
            }
            Kind::Ambush => {
                for _ in 0..TRIES {
                    let lies = self
                        .fresh
                        .clone()
                        .flat_map(|envelope| forgery::at_once(&mut self.rng, world, envelope));
                    self.scheme = lies.collect();
                    if !self.scheme.is_empty() {
                        break;
                    }
                }
                self.pending()
            }
            Kind::Leak => {
                let actors: Vec<Actor> = world.system().actors().collect();
                Some(Action::Leak { actor: actors[usize::from(choice) % actors.len()] })
            }
            Kind::Conspire => {
                let lately = sent.saturating_sub(LATELY)..sent;
                let vote = lately.rev().find_map(|envelope| forgery::vote(world, envelope))?;
                self.scheme = forgery::coalition(&mut self.rng, world, &vote).into();
                self.pending()
            }
        }
    }

    /// What an honest network does: the oldest envelope arrives, or whoever waits is woken.
    fn go(&mut self, world: &Execution) -> Option<Action> {
        if let Some(envelope) = self.flying.pop_front() {
            return Some(Action::Deliver { envelope });
        }
        let (_, actor) = waiting(world).into_iter().min()?;
        Some(Action::Wake { actor, found: None })
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

fn waiting(world: &Execution) -> Vec<(Time, Actor)> {
    let waits = |actor| Some((world.system().wakes(actor)?, actor));
    world.system().actors().filter_map(waits).collect()
}
