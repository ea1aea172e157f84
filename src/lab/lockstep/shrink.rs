//! Makes a life that shows a divergence short: weaker first, then shorter, until neither goes on. What is left diverges in
//! the same way as the whole did.

use crate::faults::Capability;
use crate::lockstep::symbolic::{Register, SymbolicAction, is_in};
use crate::lockstep::{Divergence, Lockstep, SetupCache, Sides};
use bemr_model::{Action, Actor, LedgerKind, Lifetimes, Setup};
use bemr_spec::Clause;
use std::collections::BTreeSet;

/// The most steps that are done in search of a shorter life.
const PATIENCE: usize = 300_000;

/// As if a life that does nothing had this many steps: the actors have to be made.
const BIRTH: usize = 50;

/// A life that shows a divergence.
#[derive(Clone, Debug)]
pub struct ShrunkRun {
    /// Its network.
    pub setup: Setup,
    /// What happens in it; the last of it is where the two part.
    pub actions: Vec<Action>,
    /// How they part.
    pub divergence: Divergence,
}

/// The shortest life found in which model and implementation part in the same way; nothing when they do not part.
pub fn shrink(sides: impl Into<Sides>, setup: &Setup, actions: &[Action]) -> Option<ShrunkRun> {
    let (sides, essence, nursery) = (sides.into(), String::new(), SetupCache::default());
    let mut search = Search { sides, essence, patience: PATIENCE, nursery };
    let mut found = search.play(setup, actions.iter().map(Err).enumerate())?;
    search.essence = found.divergence.essence();
    loop {
        let before = (found.setup, found.deeds.clone());
        search.network(&mut found);
        search.troubles(&mut found);
        search.shorten(&mut found);
        search.weaken(&mut found);
        if search.patience == 0 || before == (found.setup, found.deeds.clone()) {
            let RecordedRun { setup, actions, divergence, .. } = found;
            return Some(ShrunkRun { setup, actions, divergence });
        }
    }
}

/// A life as it was played: as it was meant, and as it was done.
struct RecordedRun {
    setup: Setup,
    /// With the number of each in the life that it comes from: so steps keep their names.
    deeds: Vec<(usize, SymbolicAction)>,
    actions: Vec<Action>,
    divergence: Divergence,
}

struct Search {
    sides: Sides,
    essence: String,
    patience: usize,
    nursery: SetupCache,
}

impl Search {
    /// Plays a life up to where the two part: actions are done as they are, deeds as they are in this life. What cannot be
    /// done is left out. Nothing when the two do not part.
    fn play<'a>(
        &mut self,
        setup: &Setup,
        deeds: impl IntoIterator<Item = (usize, Result<&'a SymbolicAction, &'a Action>)>,
    ) -> Option<RecordedRun> {
        let mut both = Lockstep::cached(self.sides, setup, &mut self.nursery).ok()?;
        let mut register = Register::default();
        let (mut meant, mut done) = (Vec::new(), Vec::new());
        let mut divergence = None;
        for (step, deed) in deeds {
            let action = match deed {
                Ok(deed) => deed.action(both.world(), &register),
                Err(action) => Some(action.clone()),
            };
            let Some(action) = action else { continue };
            let deed = SymbolicAction::of(&action, both.world(), &register);
            let action = match both.step(&action) {
                Ok(None) => continue,
                Ok(Some((action, _))) => action,
                Err(found) => {
                    divergence = Some(*found);
                    action
                }
            };
            register.note(Some(step), &action, both.world());
            meant.push((step, deed));
            done.push(action);
            if divergence.is_some() {
                break;
            }
        }
        self.patience = self.patience.saturating_sub(BIRTH + done.len());
        let divergence = divergence.or_else(|| both.look().err().map(|found| *found))?;
        Some(RecordedRun { setup: *setup, deeds: meant, actions: done, divergence })
    }

    /// Takes a candidate when it parts in the same way.
    fn takes<'a>(
        &mut self,
        found: &mut RecordedRun,
        setup: &Setup,
        deeds: impl IntoIterator<Item = &'a (usize, SymbolicAction)>,
    ) -> bool {
        if self.patience == 0 {
            return false;
        }
        let played = self.play(setup, deeds.into_iter().map(|(step, deed)| (*step, Ok(deed))));
        let Some(same) = played.filter(|life| life.divergence.essence() == self.essence) else {
            return false;
        };
        if !self.is_of_the_fault(&same) {
            return false;
        }
        *found = same;
        true
    }

    /// Whether the two agree through this life where both have the model's rules: else it shows something else than what is
    /// missing on one side.
    fn is_of_the_fault(&mut self, life: &RecordedRun) -> bool {
        let Sides { model, implementation } = self.sides;
        if model == implementation {
            return true;
        }
        self.patience = self.patience.saturating_sub(BIRTH + life.actions.len());
        let Ok(mut both) = Lockstep::new(model, &life.setup) else { return false };
        life.actions.iter().all(|action| both.step(action).is_ok()) && both.look().is_ok()
    }

    /// A smaller network of acquaintances, closed by quorum.
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
            self.takes(found, &Setup { seed: 0, ..setup }, &found.deeds.clone());
        }
        if found.setup.lifetimes != Lifetimes::LONG {
            let setup = Setup { lifetimes: Lifetimes::LONG, ..found.setup };
            self.takes(found, &setup, &found.deeds.clone());
        }
        if found.setup.ledger == LedgerKind::Work {
            let setup = Setup { ledger: LedgerKind::Quorum, ..found.setup };
            self.takes(found, &setup, &found.deeds.clone());
        }
        if !found.setup.established {
            let setup = Setup { established: true, ..found.setup };
            self.takes(found, &setup, &found.deeds.clone());
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

    /// The same life in a smaller network: whoever is not there is left out, or another takes their part.
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
            let among = |(step, deed): &(usize, SymbolicAction)| Some((*step, deed.among(way)?));
            let deeds: Vec<(usize, SymbolicAction)> = found.deeds.iter().filter_map(among).collect();
            self.takes(found, setup, &deeds)
        })
    }

    /// Without all of what takes the strongest adversary, then the next; where that is not to be left out as a whole, without
    /// what each actor does of it.
    fn troubles(&mut self, found: &mut RecordedRun) {
        for power in Capability::ALL.into_iter().rev() {
            let takes_it = |deed: &SymbolicAction| deed.power() == Some(power);
            if self.calmer(found, &takes_it) {
                continue;
            }
            let by: BTreeSet<Actor> = found.deeds.iter().filter_map(|(_, deed)| deed.by()).collect();
            for actor in by {
                self.calmer(found, &|deed: &SymbolicAction| takes_it(deed) && deed.by() == Some(actor));
            }
        }
        let mut arrived = BTreeSet::new();
        let first = |(action, deed): (&Action, &(usize, SymbolicAction))| match action {
            Action::Deliver { envelope } if !arrived.insert(*envelope) => None,
            _ => Some(deed.clone()),
        };
        let once: Vec<(usize, SymbolicAction)> =
            found.actions.iter().zip(&found.deeds).filter_map(first).collect();
        if once.len() < found.deeds.len() {
            let setup = found.setup;
            self.takes(found, &setup, &once);
        }
    }

    /// Without the deeds of this kind, all at once; whether that can be.
    fn calmer(&mut self, found: &mut RecordedRun, left_out: &dyn Fn(&SymbolicAction) -> bool) -> bool {
        let calm: Vec<(usize, SymbolicAction)> =
            found.deeds.iter().filter(|(_, deed)| !left_out(deed)).cloned().collect();
        let setup = found.setup;
        calm.len() == found.deeds.len() || self.takes(found, &setup, &calm)
    }

    /// Leaves out halves, then quarters, down to single steps.
    fn shorten(&mut self, found: &mut RecordedRun) {
        let mut size = found.deeds.len().div_ceil(2).max(1);
        loop {
            let before = found.deeds.len();
            let mut start = 0;
            while start < found.deeds.len() {
                let deeds = found.deeds.clone();
                let end = (start + size).min(deeds.len());
                let setup = found.setup;
                if !self.takes(found, &setup, deeds[..start].iter().chain(&deeds[end..])) {
                    start = end;
                }
            }
            if size > 1 {
                size = size.div_ceil(2);
            } else if found.deeds.len() == before {
                return;
            }
        }
    }

    /// Weakens one deed after the other, then the records.
    fn weaken(&mut self, found: &mut RecordedRun) {
        let mut place = 0;
        while place < found.deeds.len() {
            for weaker in found.deeds[place].1.weaker() {
                let mut deeds = found.deeds.clone();
                deeds[place].1 = weaker;
                let setup = found.setup;
                if self.takes(found, &setup, &deeds) {
                    break;
                }
            }
            place += 1;
        }
        let mut records: BTreeSet<_> = found.deeds.iter().filter_map(|(_, deed)| deed.record()).collect();
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
        let other = |(step, deed): &(usize, SymbolicAction)| match deed.record() == Some(from) {
            true => (*step, deed.with_record(record, breaks)),
            false => (*step, deed.clone()),
        };
        let deeds: Vec<(usize, SymbolicAction)> = found.deeds.iter().map(other).collect();
        let setup = found.setup;
        self.takes(found, &setup, &deeds)
    }
}
