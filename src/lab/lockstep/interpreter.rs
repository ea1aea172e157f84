//! Executes a script on model and implementation: each instruction as the action that it stands for in the present state.

use crate::lockstep::coverage::broken;
use crate::lockstep::instruction::{Kind, MOST_AT_ONCE, Script};
use crate::lockstep::{Coverage, Divergence, Driver, Lockstep, SetupCache, ShrunkRun, Sides, shrink};
use bemr_model::{Action, Happened, Setup};

/// The most steps of a script that are executed.
pub const MOST_STEPS: usize = 400;

/// A script in which model and implementation diverge.
#[derive(Clone, Debug)]
pub struct ScriptDivergence {
    /// Its network.
    pub setup: Setup,
    /// Its actions; the two diverge at the last one, unless a security property is violated at the end.
    pub actions: Vec<Action>,
    /// How they diverge.
    pub divergence: Divergence,
}

impl ScriptDivergence {
    /// As short as it can be made.
    pub fn shrunk(&self, sides: impl Into<Sides>) -> Option<ShrunkRun> {
        shrink(sides, &self.setup, &self.actions)
    }
}

/// A script as it is executed.
struct Interpreter<'a, F> {
    both: Lockstep,
    driver: Driver,
    actions: Vec<Action>,
    statistics: &'a mut Coverage,
    see: F,
}

impl Script {
    /// Executes it to its end, or up to the divergence, and calls `see` for every step. Gives the actions.
    ///
    /// # Errors
    /// How they diverge.
    pub fn execute(
        &self,
        sides: impl Into<Sides>,
        cache: &mut SetupCache,
        statistics: &mut Coverage,
        see: impl FnMut(&Action, &Happened),
    ) -> Result<Vec<Action>, Box<ScriptDivergence>> {
        let setup = self.setup;
        let both = Lockstep::cached(sides, &setup, cache).map_err(|refusal| {
            let divergence = Divergence::Beginning(refusal.clause());
            Box::new(ScriptDivergence { setup, actions: Vec::new(), divergence })
        })?;
        let mut interpreter =
            Interpreter { both, driver: Driver::led(setup), actions: Vec::new(), statistics, see };
        let executed = self.moves.iter().try_for_each(|one| {
            let times = if one.kind == Kind::Go { one.choice.clamp(1, MOST_AT_ONCE) } else { 1 };
            (0..times).try_for_each(|_| {
                if interpreter.actions.len() >= MOST_STEPS {
                    return Ok(());
                }
                let action = interpreter.driver.make(interpreter.both.model(), *one);
                interpreter.act(action)
            })
        });
        match executed.and_then(|()| interpreter.both.check()) {
            Ok(()) => Ok(interpreter.actions),
            Err(divergence) => Err(Box::new(ScriptDivergence {
                setup,
                actions: interpreter.actions,
                divergence: *divergence,
            })),
        }
    }
}

impl<F: FnMut(&Action, &Happened)> Interpreter<'_, F> {
    /// Performs the action, and what colluding validators send after it.
    fn act(&mut self, mut action: Option<Action>) -> Result<(), Box<Divergence>> {
        while let Some(next) = action.take() {
            let broken = broken(self.both.model(), &next);
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
            self.driver.attend(self.both.model());
            action = self.driver.pending();
        }
        Ok(())
    }
}
