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
mod false_votes;
mod flaw_draw;
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
pub use forgery::forgery_of;
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
    sut: SystemUnderTest,
    model: Execution,
    steps: usize,
    crashed: bool,
    as_recorded: bool,
    /// Steps of an actor until its view is compared next.
    uncompared: BTreeMap<Actor, usize>,
}

impl Lockstep {
    /// Both sides at the start of a run.
    ///
    /// # Errors
    /// Those of [`SystemUnderTest::new`].
    pub fn new(sides: impl Into<Sides>, setup: &Setup) -> Result<Lockstep, Refusal> {
        Lockstep::cached(sides, setup, &mut SetupCache::default())
    }

    /// As [`Lockstep::new`], with keys and certificates from a cache.
    ///
    /// # Errors
    /// Those of [`SystemUnderTest::new`].
    pub fn cached(
        sides: impl Into<Sides>,
        setup: &Setup,
        cache: &mut SetupCache,
    ) -> Result<Lockstep, Refusal> {
        let Sides { model, implementation } = sides.into();
        let (mut sut, certificates) = cache.sut(implementation, setup)?;
        sut.watch();
        sut.forge_with(key_ring::KeyRing::new(certificates));
        Ok(Lockstep {
            sut,
            model: Execution::new(model, setup),
            steps: 0,
            crashed: false,
            as_recorded: false,
            uncompared: BTreeMap::new(),
        })
    }

    /// The model's side.
    pub const fn model(&self) -> &Execution {
        &self.model
    }

    /// The implementation's side.
    pub const fn sut(&self) -> &SystemUnderTest {
        &self.sut
    }

    /// How many steps were done.
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// From now on a miner finds a nonce exactly where an action says so, as in a run that is executed again: which nonces meet
    /// a target depends on every byte of a block.
    #[must_use]
    pub fn as_recorded(mut self) -> Lockstep {
        self.as_recorded = true;
        self
    }

    /// Performs the action on both sides; nothing when it cannot happen now, or when the model cannot know what it does.
    /// Gives the action as it was performed, with the nonce that the implementation found.
    ///
    /// # Errors
    /// Where the two diverge. The sides are not to be used after that.
    pub fn step(&mut self, action: &Action) -> Result<Option<(Action, Happened)>, Box<Divergence>> {
        let mut action = action.clone();
        // Which nonce meets a target and what can be forged depend on digests and keys, which the model does not have.
        let implementation_first = matches!(
            action,
            Action::Wake { .. } | Action::Send { .. } | Action::Publish { .. } | Action::Inject { .. }
        );
        if let Action::Wake { actor, found } = &mut action {
            if self.model.system().wakes(*actor).is_none() && self.sut.wakes(*actor).is_none() {
                return Ok(None);
            }
            if self.as_recorded {
                self.sut.steer_mining(*actor, *found);
            }
            *found = None;
        }
        let first = if implementation_first { self.sut.step(&action) } else { None };
        match &mut action {
            Action::Wake { found, .. } => *found = self.sut.found(),
            _ if implementation_first && first.is_none() => return Ok(None),
            _ => {}
        }
        let Some(model) = self.model.perform(&action) else {
            let diverge = || Err(Divergence::Possible { model: false }.into());
            return if implementation_first { diverge() } else { Ok(None) };
        };
        let implementation = if implementation_first { first } else { self.sut.step(&action) };
        let implementation = implementation.ok_or(Divergence::Possible { model: true })?;
        divergence::compare(model, &implementation)?;
        self.model.dispatch(implementation.actor, &implementation.sends);
        self.steps += 1;
        self.crashed |= matches!(action, Action::Crash { .. });
        let uncompared = self.uncompared.entry(implementation.actor).or_default();
        match uncompared.checked_sub(1) {
            Some(left) => *uncompared = left,
            None => *uncompared = compare(&self.model, &self.sut, implementation.actor)? / VIEW_INTERVAL,
        }
        if let Some(leak) = self.sut.leaks().into_iter().next() {
            return Err(Divergence::Leak(leak).into());
        }
        if self.steps.is_multiple_of(GOAL_INTERVAL) {
            self.check()?;
        }
        Ok(Some((action, implementation)))
    }

    /// Compares the view of every actor and evaluates every security property.
    ///
    /// # Errors
    /// The actor in whose view the two diverge, or the property that is violated.
    pub fn check(&self) -> Result<(), Box<Divergence>> {
        self.sut.actors().iter().try_for_each(|actor| compare(&self.model, &self.sut, *actor).map(drop))?;
        let claimed = GOALS.iter().chain(SHOWN).filter(|goal| !self.crashed || goal.holds_through_crashes());
        let broken = claimed.into_iter().find(|goal| !goal.is_kept(self.model.system()));
        broken.map_or(Ok(()), |goal| Err(Divergence::Goal(goal.name).into()))
    }
}

/// Compares the observable projection of an actor, and gives how many entries it has.
fn compare(model: &Execution, sut: &SystemUnderTest, actor: Actor) -> Result<usize, Box<Divergence>> {
    let (Some(model), Some(real)) = (model.view(actor), sut.view(actor)) else { return Ok(0) };
    let entries = model.entries();
    if model == real {
        return Ok(entries);
    }
    Err(Divergence::View { actor, model: model.into(), implementation: real.into() }.into())
}
