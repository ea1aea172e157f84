//! How fast a target is: executions a second, beside those of a target that does nothing, on the same engine from the same
//! corpus.
//!
//! The engine of this package keeps its seeds, so that both mutate the same ones. libFuzzer keeps what reaches something: a
//! target that does nothing has nothing but one byte to mutate, and is as fast as the engine can be.

use crate::Target;
use crate::campaign::{Engine, Fuzzed, Instead, Plan, fuzz};
use std::fmt;
use std::time::Duration;

/// How often each is counted: what else the machine does only ever makes a count less.
const COUNTS: u64 = 3;

/// Executions a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Of the target.
    pub target: f64,
    /// Of one that does nothing.
    pub nothing: f64,
}

impl Speed {
    /// Of all that the engine could execute, how much is executed.
    pub fn ratio(self) -> f64 {
        self.target / self.nothing
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.0} {:>12.0} {:>5.1} %", self.target, self.nothing, 100.0 * self.ratio())
    }
}

/// The best of a few counts, each of so long.
///
/// # Errors
/// A corpus that cannot be read, a target that cannot be built, a fault that ends a count.
pub fn speed(engine: Engine, target: &Target, each: Duration) -> Result<Speed, String> {
    let best = |instead: Instead<'_>| -> Result<f64, String> {
        let mut best = 0.0_f64;
        for seed in 1..=COUNTS {
            let plan = Plan {
                engine,
                patience: each,
                each,
                empty: false,
                threads: 1,
                seed,
                only: Vec::new(),
                kept: None,
            };
            let Fuzzed { executions, seconds, found, .. } = fuzz(&plan, target, instead, each)?;
            if let Some((_, message)) = found {
                return Err(format!("{}: {message}", target.name));
            }
            best = best.max(executions as f64 / seconds);
        }
        Ok(best)
    };
    Ok(Speed { target: best(Instead::Product)?, nothing: best(Instead::Nothing)? })
}
