//! Plays a script: each move as the action that it is in the present world, to model and implementation alike.

use crate::lockstep::coverage::broken;
use crate::lockstep::instruction::{Kind, MOST_AT_ONCE, Script};
use crate::lockstep::{Coverage, Divergence, Driver, Lockstep, SetupCache, ShrunkRun, Sides, shrink};
use bemr_model::{Action, Happened, Setup};

/// The most steps of a script that is played; what comes after them is not.
pub const MOST_STEPS: usize = 400;

/// A script in which model and implementation part.
#[derive(Clone, Debug)]
pub struct ScriptDivergence {
    /// Its network.
    pub setup: Setup,
    /// What was done; the last of it is where the two part, if it is not a goal that is broken.
    pub actions: Vec<Action>,
    /// How they part.
    pub divergence: Divergence,
}

impl ScriptDivergence {
    /// As short as it can be made.
    pub fn shrunk(&self, sides: impl Into<Sides>) -> Option<ShrunkRun> {
        shrink(sides, &self.setup, &self.actions)
    }
}

/// A life as it is played.
struct Interpreter<'a, F> {
    both: Lockstep,
    driver: Driver,
    actions: Vec<Action>,
    statistics: &'a mut Coverage,
    see: F,
}

impl Script {
    /// Plays it to its end, or up to where the two part; `see` hears of every step. Gives what was done.
    ///
    /// # Errors
    /// How they part.
    pub fn play(
        &self,
        sides: impl Into<Sides>,
        nursery: &mut SetupCache,
        statistics: &mut Coverage,
        see: impl FnMut(&Action, &Happened),
    ) -> Result<Vec<Action>, Box<ScriptDivergence>> {
        let setup = self.setup;
        let both = Lockstep::cached(sides, &setup, nursery).map_err(|refusal| {
            let divergence = Divergence::Beginning(refusal.clause());
            Box::new(ScriptDivergence { setup, actions: Vec::new(), divergence })
        })?;
        let mut stage =
            Interpreter { both, driver: Driver::led(setup), actions: Vec::new(), statistics, see };
        let played = self.moves.iter().try_for_each(|one| {
            let times = if one.kind == Kind::Go { one.choice.clamp(1, MOST_AT_ONCE) } else { 1 };
            (0..times).try_for_each(|_| {
                if stage.actions.len() >= MOST_STEPS {
                    return Ok(());
                }
                let action = stage.driver.make(stage.both.world(), *one);
                stage.act(action)
            })
        });
        match played.and_then(|()| stage.both.look()) {
            Ok(()) => Ok(stage.actions),
            Err(divergence) => {
                Err(Box::new(ScriptDivergence { setup, actions: stage.actions, divergence: *divergence }))
            }
        }
    }
}

impl<F: FnMut(&Action, &Happened)> Interpreter<'_, F> {
    /// Does it, and what conspirators say after it.
    fn act(&mut self, mut action: Option<Action>) -> Result<(), Box<Divergence>> {
        while let Some(next) = action.take() {
            let broken = broken(self.both.world(), &next);
            match self.both.step(&next) {
                Ok(Some((done, happened))) => {
                    self.statistics.count(&done, &happened, broken);
                    (self.see)(&done, &happened);
                    self.actions.push(done);
                }
                Ok(None) => {}
                Err(divergence) => {
                    self.actions.push(next);
                    return Err(divergence);
                }
            }
            self.driver.attend(self.both.world());
            action = self.driver.pending();
        }
        Ok(())
    }
}
