//! Model and implementation side by side: the same action to both, and what they make of it compared.
//!
//! Compared are the verdict with its clause, what is sent, term by term, and what can be seen of the actor afterwards. Goals
//! are predicates over the model; where the views agree they speak of the implementation too. Every byte that left an
//! actor is searched for secrets. Nothing here decides who is right: that is for the chapters.

mod authority;
mod campaign;
mod driver;
mod impostor;
mod insider;
mod offices;
mod shrink;
mod statistics;

pub use campaign::{Campaign, CampaignReport, Failure, trace_of};
pub use driver::{Driver, Profile};
pub use shrink::shrink;
pub use statistics::{Statistics, UNREACHABLE};

use crate::conformance::rig::Rig;
use bemr_spec::model::{Action, Actor, GOALS, Happened, Output, Place, SHOWN, Setup, View, World};
use bemr_spec::{Clause, Refusal, Rules};
use std::fmt;

/// How often the goals are looked at, in steps: each look costs as much as everything that ever happened.
const LOOK: usize = 256;

/// Where model and implementation part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// One of them cannot do it now.
    Possible {
        /// Whether the model can.
        model: bool,
    },
    /// They do it at different instants.
    Time {
        /// The model.
        model: u64,
        /// The implementation.
        implementation: u64,
    },
    /// They refuse it by different clauses, or one takes it.
    Clause {
        /// The model's clause.
        model: Option<Clause>,
        /// The implementation's.
        implementation: Option<Clause>,
    },
    /// They refuse it by one clause, because of different ones.
    Cause {
        /// The model's cause.
        model: Option<Clause>,
        /// The implementation's.
        implementation: Option<Clause>,
    },
    /// They name different places in what is public.
    Place {
        /// The model's.
        model: Option<Place>,
        /// The implementation's.
        implementation: Option<Place>,
    },
    /// The custodian opens different records.
    Opened {
        /// The model's.
        model: Vec<u32>,
        /// The implementation's.
        implementation: Vec<u32>,
    },
    /// They send different things.
    Sends {
        /// What the model alone sends.
        model: Vec<Output>,
        /// What the implementation alone sends.
        implementation: Vec<Output>,
    },
    /// The actor looks different afterwards.
    View {
        /// Which actor.
        actor: Actor,
        /// The model's.
        model: Box<View>,
        /// The implementation's.
        implementation: Box<View>,
    },
    /// A goal is broken.
    Goal(&'static str),
    /// A secret left an actor.
    Leak(String),
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = |clause: &Option<Clause>| clause.map_or("taken", Clause::id);
        match self {
            Divergence::Possible { model: true } => {
                f.write_str("the model can do it, the implementation cannot")
            }
            Divergence::Possible { model: false } => {
                f.write_str("the implementation can do it, the model cannot")
            }
            Divergence::Time { model, implementation } => {
                write!(f, "the model does it at {model} ms, the implementation at {implementation} ms")
            }
            Divergence::Clause { model, implementation } => {
                write!(f, "model: {}, implementation: {}", id(model), id(implementation))
            }
            Divergence::Cause { model, implementation } => {
                let id = |clause: &Option<Clause>| clause.map_or("no primitive", Clause::id);
                write!(
                    f,
                    "because of {} in the model, {} in the implementation",
                    id(model),
                    id(implementation)
                )
            }
            Divergence::Place { model, implementation } => {
                write!(f, "model: {model:?}, implementation: {implementation:?}")
            }
            Divergence::Opened { model, implementation } => {
                write!(f, "the model opens parcels {model:?}, the implementation {implementation:?}")
            }
            Divergence::Sends { model, implementation } => {
                write!(f, "the model alone sends {model:?}, the implementation alone {implementation:?}")
            }
            Divergence::View { actor, model, implementation } => {
                write!(f, "{actor} is, in the model, {model:?}; in the implementation {implementation:?}")
            }
            Divergence::Goal(goal) => write!(f, "{goal} is broken"),
            Divergence::Leak(what) => write!(f, "a secret is out: {what}"),
        }
    }
}

/// Both sides.
pub struct Lockstep {
    rig: Rig,
    world: World,
    steps: usize,
    crashed: bool,
}

impl Lockstep {
    /// Both sides at their beginning.
    ///
    /// # Errors
    /// Those of [`Rig::new`].
    pub fn new(rules: Rules, setup: &Setup) -> Result<Lockstep, Refusal> {
        let mut rig = Rig::new(rules, setup)?;
        let certificates = rig.odd_certificates()?;
        rig.watch();
        rig.forge_with(insider::Insider::new(certificates));
        Ok(Lockstep { rig, world: World::new(rules, setup), steps: 0, crashed: false })
    }

    /// The model's side.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The implementation's side.
    pub const fn rig(&self) -> &Rig {
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
        } else if matches!(action, Action::Say { .. } | Action::Tell { .. } | Action::Inject { .. }) {
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
            Action::Wake { .. } | Action::Say { .. } | Action::Tell { .. } | Action::Inject { .. }
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
        let actor = implementation.actor;
        if let (Some(model), Some(real)) = (self.world.view(actor), self.rig.view(actor))
            && model != real
        {
            return Err(Divergence::View { actor, model: model.into(), implementation: real.into() }.into());
        }
        if let Some(leak) = self.rig.leaks().into_iter().next() {
            return Err(Divergence::Leak(leak).into());
        }
        if self.steps.is_multiple_of(LOOK) {
            self.look()?;
        }
        Ok(Some((action, implementation)))
    }

    /// Looks at every goal.
    ///
    /// # Errors
    /// The goal that is broken.
    pub fn look(&self) -> Result<(), Box<Divergence>> {
        let claimed = GOALS.iter().chain(SHOWN).filter(|goal| !self.crashed || goal.holds_through_crashes());
        let broken = claimed.into_iter().find(|goal| !(goal.holds)(self.world.system()));
        broken.map_or(Ok(()), |goal| Err(Divergence::Goal(goal.name).into()))
    }
}
