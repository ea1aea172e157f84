//! Model and implementation in lockstep: both do the same action, and the results are compared.
//!
//! Compared are the verdict with its clause, the messages that are sent, term by term, and the observable projection of the actor
//! afterwards. Security properties are predicates over the model; where the projections agree they hold of the implementation too. Every
//! byte that leaves an actor is searched for secrets. A divergence does not say which side is wrong: the chapters do.

mod auditor;
mod authority;
mod campaign;
mod coverage;
mod divergence;
mod driver;
mod forged_term;
mod forgery;
mod impersonation;
mod instruction;
mod interpreter;
mod key_ring;
mod setup_cache;
mod shrink;
mod symbolic;
mod targeted;

pub use campaign::{Campaign, CampaignReport, Failure, drawn, trace_of};
pub use coverage::{Coverage, UNREACHABLE, reason};
pub use divergence::Divergence;
pub use driver::{AdversarialDriver, Driver, Profile};
pub use forged_term::{forged, gossip_forged};
pub use forgery::lie_of;
pub use instruction::{Instruction, Kind, MOST_AT_ONCE, MOST_MOVES, Script};
pub use interpreter::{MOST_STEPS, ScriptDivergence};
pub use setup_cache::SetupCache;
pub use shrink::{ShrunkRun, shrink};
pub use symbolic::{EnvelopeName, Register, SymbolicAction};
pub use targeted::{conspiracy, instead};

use crate::sut::SystemUnderTest;
use bemr_model::{Action, Actor, Execution, GOALS, Happened, SHOWN, Setup};
use bemr_spec::{Refusal, Rules};
use rand::{Rng, RngExt};
use std::collections::BTreeMap;

/// The security properties are evaluated after every so many steps: an evaluation costs as much as the whole history.
const GOAL_INTERVAL: usize = 256;

/// A view of at most so many entries is compared after every step of its actor. A view that is n times longer is compared after every
/// (n + 1)th step, and whenever the properties are evaluated, so that a late step of a run costs as much as an early one.
const VIEW_INTERVAL: usize = 32;

/// Up to so many envelopes [`sample_by_age`] answers yes every time.
const ALWAYS_SAMPLED: u32 = 1_000;

/// Whether an action whose cost grows with the history is done now, after `sent` envelopes: with a probability that falls as the history
/// grows, so that a late step of a run costs as much as an early one.
fn sample_by_age(rng: &mut impl Rng, sent: u32) -> bool {
    sent < ALWAYS_SAMPLED || rng.random_range(0..sent) < ALWAYS_SAMPLED
}

/// The rules of each side: the same but where a test wants to see a fault found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// Those of the model.
    pub model: Rules,
    /// Those of the implementation.
    pub implementation: Rules,
}

impl From<Rules> for Sides {
    fn from(rules: Rules) -> Sides {
        Sides { model: rules, implementation: rules }
    }
}

/// Both sides.
pub struct Lockstep {
    rig: SystemUnderTest,
    world: Execution,
    steps: usize,
    crashed: bool,
    /// Steps of an actor until its view is compared next.
    uncompared: BTreeMap<Actor, usize>,
}

impl Lockstep {
    /// Both sides at their beginning.
    ///
    /// # Errors
    /// Those of [`SystemUnderTest::new`].
    pub fn new(sides: impl Into<Sides>, setup: &Setup) -> Result<Lockstep, Refusal> {
        Lockstep::born(sides, setup, &mut SetupCache::default())
    }

    /// As [`Lockstep::new`], out of a nursery.
    ///
    /// # Errors
    /// Those of [`SystemUnderTest::new`].
    pub fn born(
        sides: impl Into<Sides>,
        setup: &Setup,
        nursery: &mut SetupCache,
    ) -> Result<Lockstep, Refusal> {
        let Sides { model, implementation } = sides.into();
        let (mut rig, certificates) = nursery.rig(implementation, setup)?;
        rig.watch();
        rig.forge_with(key_ring::KeyRing::new(certificates));
        Ok(Lockstep {
            rig,
            world: Execution::new(model, setup),
            steps: 0,
            crashed: false,
            uncompared: BTreeMap::new(),
        })
    }

    /// The model's side.
    pub const fn world(&self) -> &Execution {
        &self.world
    }

    /// The implementation's side.
    pub const fn rig(&self) -> &SystemUnderTest {
        &self.rig
    }

    /// How many steps were done.
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Lets something happen on both sides; nothing when it cannot happen now, or when the model cannot tell what it does.
    /// Gives the action as it was done, with the nonce that was found, should it have been.
    ///
    /// # Errors
    /// Where the two part. The sides are not to be used after that.
    pub fn step(&mut self, action: &Action) -> Result<Option<(Action, Happened)>, Box<Divergence>> {
        let mut action = action.clone();
        let implementation = if let Action::Wake { actor, found } = &mut action {
            // Which nonces meet a target is a matter of digests.
            if self.world.system().wakes(*actor).is_none() && self.rig.wakes(*actor).is_none() {
                return Ok(None);
            }
            let happened = self.rig.step(&Action::Wake { actor: *actor, found: None });
            *found = self.rig.found();
            happened
        } else if matches!(action, Action::Send { .. } | Action::Publish { .. } | Action::Inject { .. }) {
            // Not everything can be forged.
            match self.rig.step(&action) {
                Some(happened) => Some(happened),
                None => return Ok(None),
            }
        } else {
            None
        };
        let woken = matches!(
            action,
            Action::Wake { .. } | Action::Send { .. } | Action::Publish { .. } | Action::Inject { .. }
        );
        let Some(model) = self.world.perform(&action) else {
            return if woken { Err(Divergence::Possible { model: false }.into()) } else { Ok(None) };
        };
        let implementation = if woken { implementation } else { self.rig.step(&action) };
        let implementation = implementation.ok_or(Divergence::Possible { model: true })?;
        if model.time != implementation.time {
            let (model, implementation) = (model.time, implementation.time);
            return Err(Divergence::Time { model, implementation }.into());
        }
        if model.clause != implementation.clause {
            let (model, implementation) = (model.clause, implementation.clause);
            return Err(Divergence::Clause { model, implementation }.into());
        }
        if model.event != implementation.event {
            let (model, implementation) = (model.event, implementation.event);
            return Err(Divergence::Event { model, implementation }.into());
        }
        // What an honest actor signs and does not fit is refused by the same clauses, and the model does not say why.
        if model.cause.is_some() && model.cause != implementation.cause {
            let (model, implementation) = (model.cause, implementation.cause);
            return Err(Divergence::Cause { model, implementation }.into());
        }
        if model.place != implementation.place {
            let (model, implementation) = (model.place, implementation.place);
            return Err(Divergence::Place { model, implementation }.into());
        }
        if model.opened != implementation.opened {
            let (model, implementation) = (model.opened, implementation.opened);
            return Err(Divergence::Opened { model, implementation }.into());
        }
        // Some orders are those of digests, which the model does not have.
        if model.sends != implementation.sends {
            let (mut ours, mut theirs) = (model.sends, implementation.sends.clone());
            ours.retain(|output| match theirs.iter().position(|other| other == output) {
                Some(place) => {
                    theirs.remove(place);
                    false
                }
                None => true,
            });
            if !ours.is_empty() || !theirs.is_empty() {
                return Err(Divergence::Sends { model: ours, implementation: theirs }.into());
            }
        }
        self.world.dispatch(implementation.actor, &implementation.sends);
        self.steps += 1;
        self.crashed |= matches!(action, Action::Crash { .. });
        let uncompared = self.uncompared.entry(implementation.actor).or_default();
        match uncompared.checked_sub(1) {
            Some(left) => *uncompared = left,
            None => *uncompared = compare(&self.world, &self.rig, implementation.actor)? / VIEW_INTERVAL,
        }
        if let Some(leak) = self.rig.leaks().into_iter().next() {
            return Err(Divergence::Leak(leak).into());
        }
        if self.steps.is_multiple_of(GOAL_INTERVAL) {
            self.look()?;
        }
        Ok(Some((action, implementation)))
    }

    /// Looks at every goal, and at every actor.
    ///
    /// # Errors
    /// The actor in whose view the two part, or the goal that is broken.
    pub fn look(&self) -> Result<(), Box<Divergence>> {
        self.rig.actors().iter().try_for_each(|actor| compare(&self.world, &self.rig, *actor).map(drop))?;
        let claimed = GOALS.iter().chain(SHOWN).filter(|goal| !self.crashed || goal.holds_through_crashes());
        let broken = claimed.into_iter().find(|goal| !goal.is_kept(self.world.system()));
        broken.map_or(Ok(()), |goal| Err(Divergence::Goal(goal.name).into()))
    }
}

/// Compares what can be seen of an actor, and gives how long its view is.
fn compare(world: &Execution, rig: &SystemUnderTest, actor: Actor) -> Result<usize, Box<Divergence>> {
    let (Some(model), Some(real)) = (world.view(actor), rig.view(actor)) else { return Ok(0) };
    let entries = model.entries();
    if model == real {
        return Ok(entries);
    }
    Err(Divergence::View { actor, model: model.into(), implementation: real.into() }.into())
}
