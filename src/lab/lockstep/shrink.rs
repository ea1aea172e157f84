//! Shrinks a run that diverges: with a weaker adversary first, then with fewer steps, until neither is possible. What is left
//! diverges in the same way as the whole run did.

use crate::faults::Capability;
use crate::lockstep::symbolic::{Register, SymbolicAction, is_in};
use crate::lockstep::{Divergence, Lockstep, SetupCache, Sides};
use bemr_model::{Action, Actor, LedgerKind, Lifetimes, Setup};
use bemr_spec::Clause;
use std::collections::BTreeSet;

/// The most steps that are executed in search of a shorter run.
const PATIENCE: usize = 300_000;

/// What setting up a run costs, in steps.
const SETUP_STEPS: usize = 50;

/// A run that diverges.
#[derive(Clone, Debug)]
pub struct ShrunkRun {
    /// Its network.
    pub setup: Setup,
    /// Its actions; the two diverge at the last one.
    pub actions: Vec<Action>,
    /// How they diverge.
    pub divergence: Divergence,
}

/// The shortest run found in which model and implementation diverge in the same way; nothing when they do not diverge.
pub fn shrink(sides: impl Into<Sides>, setup: &Setup, actions: &[Action]) -> Option<ShrunkRun> {
    let (sides, essence, cache) = (sides.into(), String::new(), SetupCache::default());
    let mut search = Search { sides, essence, patience: PATIENCE, cache };
    let mut found = search.execute(setup, actions.iter().map(Err).enumerate())?;
    search.essence = found.divergence.essence();
    loop {
        let before = (found.setup, found.symbolic.clone());
        search.network(&mut found);
        search.without_adversary(&mut found);
        search.shorten(&mut found);
        search.weaken(&mut found);
        if search.patience == 0 || before == (found.setup, found.symbolic.clone()) {
            let RecordedRun { setup, actions, divergence, .. } = found;
            return Some(ShrunkRun { setup, actions, divergence });
        }
    }
}

/// A run as it was executed: its symbolic actions, and the actions that they were.
struct RecordedRun {
    setup: Setup,
    /// With the number of each in the run that is shrunk, which names the step.
    symbolic: Vec<(usize, SymbolicAction)>,
    actions: Vec<Action>,
    divergence: Divergence,
}

struct Search {
    sides: Sides,
    essence: String,
    patience: usize,
    cache: SetupCache,
}

impl Search {
    /// Executes a run up to the divergence: actions as they are, symbolic actions as what they are in this run. What is
    /// impossible is left out. Nothing when the two do not diverge.
    fn execute<'a>(
        &mut self,
        setup: &Setup,
        symbolic: impl IntoIterator<Item = (usize, Result<&'a SymbolicAction, &'a Action>)>,
    ) -> Option<RecordedRun> {
        let mut both = Lockstep::cached(self.sides, setup, &mut self.cache).ok()?;
        let mut register = Register::default();
        let (mut meant, mut done) = (Vec::new(), Vec::new());
        let mut divergence = None;
        for (step, one) in symbolic {
            let action = match one {
                Ok(one) => one.action(both.model(), &register),
                Err(action) => Some(action.clone()),
            };
            let Some(action) = action else { continue };
            let one = SymbolicAction::of(&action, both.model(), &register);
            let action = match both.step(&action) {
                Ok(None) => continue,
                Ok(Some((action, _))) => action,
                Err(found) => {
                    divergence = Some(*found);
                    action
                }
            };
            register.note(Some(step), &action, both.model());
            meant.push((step, one));
            done.push(action);
            if divergence.is_some() {
                break;
            }
        }
        self.patience = self.patience.saturating_sub(SETUP_STEPS + done.len());
        let divergence = divergence.or_else(|| both.check().err().map(|found| *found))?;
        Some(RecordedRun { setup: *setup, symbolic: meant, actions: done, divergence })
    }

    /// Accepts a candidate when it diverges in the same way.
    fn accepts<'a>(
        &mut self,
        setup: Setup,
        found: &mut RecordedRun,
        symbolic: impl IntoIterator<Item = &'a (usize, SymbolicAction)>,
    ) -> bool {
        if self.patience == 0 {
            return false;
        }
        let executed = self.execute(&setup, symbolic.into_iter().map(|(step, one)| (*step, Ok(one))));
        let Some(same) = executed.filter(|run| run.divergence.essence() == self.essence) else {
            return false;
        };
        if !self.is_of_the_fault(&same) {
            return false;
        }
        *found = same;
        true
    }

    /// Whether the two agree through this run when both have the model's rules: otherwise its divergence has another cause than
    /// the rule that one side lacks.
    fn is_of_the_fault(&mut self, run: &RecordedRun) -> bool {
        let Sides { model, implementation } = self.sides;
        if model == implementation {
            return true;
        }
        self.patience = self.patience.saturating_sub(SETUP_STEPS + run.actions.len());
        let Ok(mut both) = Lockstep::new(model, &run.setup) else { return false };
        run.actions.iter().all(|action| both.step(action).is_ok()) && both.check().is_ok()
    }

    /// A smaller network with established sessions and a quorum ledger.
    fn network(&mut self, found: &mut RecordedRun) {
        // All at once first: what closes a block in one network does not in another.
        let established = Setup { established: true, ledger: LedgerKind::Quorum, seed: 0, ..found.setup };
        for validators in 1..found.setup.validators {
            if self.moved(found, &Setup { validators, ..established }) {
                break;
            }
        }
        let setup = found.setup;
        if setup.seed != 0 {
            self.accepts(Setup { seed: 0, ..setup }, found, &found.symbolic.clone());
        }
        if found.setup.lifetimes != Lifetimes::LONG {
            let setup = Setup { lifetimes: Lifetimes::LONG, ..found.setup };
            self.accepts(setup, found, &found.symbolic.clone());
        }
        if found.setup.ledger == LedgerKind::Work {
            let setup = Setup { ledger: LedgerKind::Quorum, ..found.setup };
            self.accepts(setup, found, &found.symbolic.clone());
        }
        if !found.setup.established {
            let setup = Setup { established: true, ..found.setup };
            self.accepts(setup, found, &found.symbolic.clone());
        }
        for users in 1..found.setup.users {
            let setup = Setup { users, ..found.setup };
            if self.moved(found, &setup) {
                break;
            }
        }
        for validators in 1..found.setup.validators {
            let setup = Setup { validators, ..found.setup };
            if self.moved(found, &setup) {
                break;
            }
        }
    }

    /// The same run in a smaller network: actions of missing actors are left out, or another actor performs them.
    fn moved(&mut self, found: &mut RecordedRun, setup: &Setup) -> bool {
        let left_out = |actor| Some(actor).filter(|actor| is_in(setup, *actor));
        let taken_over = |actor| {
            Some(match actor {
                Actor::User(user) => Actor::User(user % setup.users),
                Actor::Validator(validator) => Actor::Validator(validator % setup.validators),
                other => other,
            })
        };
        let ways: [&dyn Fn(Actor) -> Option<Actor>; 2] = [&left_out, &taken_over];
        ways.into_iter().any(|way| {
            let among = |(step, one): &(usize, SymbolicAction)| Some((*step, one.among(way)?));
            let symbolic: Vec<(usize, SymbolicAction)> = found.symbolic.iter().filter_map(among).collect();
            self.accepts(*setup, found, &symbolic)
        })
    }

    /// Without everything that takes the strongest adversary, then the next; where that cannot be left out as a whole, without
    /// what each actor does of it.
    fn without_adversary(&mut self, found: &mut RecordedRun) {
        for power in Capability::ALL.into_iter().rev() {
            let takes_it = |one: &SymbolicAction| one.power() == Some(power);
            if self.calmer(found, &takes_it) {
                continue;
            }
            let by: BTreeSet<Actor> = found.symbolic.iter().filter_map(|(_, one)| one.by()).collect();
            for actor in by {
                self.calmer(found, &|one: &SymbolicAction| takes_it(one) && one.by() == Some(actor));
            }
        }
        let mut arrived = BTreeSet::new();
        let first = |(action, one): (&Action, &(usize, SymbolicAction))| match action {
            Action::Deliver { envelope } if !arrived.insert(*envelope) => None,
            _ => Some(one.clone()),
        };
        let once: Vec<(usize, SymbolicAction)> =
            found.actions.iter().zip(&found.symbolic).filter_map(first).collect();
        if once.len() < found.symbolic.len() {
            self.accepts(found.setup, found, &once);
        }
    }

    /// Without the actions of this kind, all at once; whether the run still diverges.
    fn calmer(&mut self, found: &mut RecordedRun, left_out: &dyn Fn(&SymbolicAction) -> bool) -> bool {
        let calm: Vec<(usize, SymbolicAction)> =
            found.symbolic.iter().filter(|(_, one)| !left_out(one)).cloned().collect();
        calm.len() == found.symbolic.len() || self.accepts(found.setup, found, &calm)
    }

    /// Leaves out halves, then quarters, down to single steps.
    fn shorten(&mut self, found: &mut RecordedRun) {
        let mut size = found.symbolic.len().div_ceil(2).max(1);
        loop {
            let before = found.symbolic.len();
            let mut start = 0;
            while start < found.symbolic.len() {
                let symbolic = found.symbolic.clone();
                let end = (start + size).min(symbolic.len());
                if !self.accepts(found.setup, found, symbolic[..start].iter().chain(&symbolic[end..])) {
                    start = end;
                }
            }
            if size > 1 {
                size = size.div_ceil(2);
            } else if found.symbolic.len() == before {
                return;
            }
        }
    }

    /// Weakens one action after the other, then the records.
    fn weaken(&mut self, found: &mut RecordedRun) {
        let mut place = 0;
        while place < found.symbolic.len() {
            for weaker in found.symbolic[place].1.weaker() {
                let mut symbolic = found.symbolic.clone();
                symbolic[place].1 = weaker;
                if self.accepts(found.setup, found, &symbolic) {
                    break;
                }
            }
            place += 1;
        }
        let mut records: BTreeSet<_> = found.symbolic.iter().filter_map(|(_, one)| one.record()).collect();
        for (record, breaks) in records.clone() {
            records.remove(&(record, breaks));
            // Equal numbers are equal bytes: all submissions of the record change at once, and no two become one.
            let free = (0..record).find(|number| records.iter().all(|(other, _)| other != number));
            let number = free.unwrap_or(record);
            let simpler = [(number, None), (number, breaks), (record, None)].into_iter();
            let mut simpler = simpler.filter(|other| *other != (record, breaks));
            let taken = simpler.find(|other| self.renamed(found, (record, breaks), *other));
            records.insert(taken.unwrap_or((record, breaks)));
        }
    }

    fn renamed(
        &mut self,
        found: &mut RecordedRun,
        from: (u16, Option<Clause>),
        (record, breaks): (u16, Option<Clause>),
    ) -> bool {
        let other = |(step, one): &(usize, SymbolicAction)| match one.record() == Some(from) {
            true => (*step, one.with_record(record, breaks)),
            false => (*step, one.clone()),
        };
        let symbolic: Vec<(usize, SymbolicAction)> = found.symbolic.iter().map(other).collect();
        self.accepts(found.setup, found, &symbolic)
    }
}
