//! How a state machine of the chapters runs: the tables decide which state follows.
//!
//! A caller gives the event and the guard that holds; it can name no target. Which guard holds is the actor's to find out.

use crate::{Clause, Refusal, Rules};

/// One row: in state `from`, `event` leads to state `to` when `guard` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<S, E, G> {
    /// The state before.
    pub from: S,
    /// What happens.
    pub event: E,
    /// What must hold besides.
    pub guard: G,
    /// The state after.
    pub to: S,
    /// What the actor sends or records; empty when nothing.
    pub output: &'static str,
    /// The clauses that decide.
    pub clauses: &'static [Clause],
    /// Whether the row is a refusal by its one clause, which leaves the state as it was.
    pub refuses: bool,
}

/// What becomes of events in states that have no row for them: the clauses that refuse them, or none where the event cannot
/// happen there or does not concern the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other<S: 'static, E: 'static> {
    /// The states.
    pub states: &'static [S],
    /// The events.
    pub events: &'static [E],
    /// The clauses that refuse each of the events in each of the states.
    pub clauses: &'static [Clause],
}

/// The tables of one machine.
pub(crate) struct Table<S: 'static, E: 'static, G: 'static> {
    /// Its name.
    #[cfg_attr(not(bemr_weaken), expect(dead_code, reason = "steps are noted for tests alone"))]
    pub(crate) name: &'static str,
    /// Its transitions.
    pub(crate) rows: &'static [Row<S, E, G>],
    /// What becomes of events without a transition; of those that are not listed STA-01.
    pub(crate) others: &'static [Other<S, E>],
}

impl<S, E, G> Table<S, E, G>
where
    S: Copy + Eq + Into<&'static str>,
    E: Copy + Eq + Into<&'static str>,
    G: Copy + Eq + Into<&'static str>,
{
    /// Continues when some row leads on from `from` by `event`.
    ///
    /// # Errors
    /// The clause that refuses the event in that state.
    pub(crate) fn expects(&self, rules: &Rules, from: S, event: E) -> Result<(), Refusal> {
        if self.rows.iter().any(|row| row.from == from && row.event == event) {
            return Ok(());
        }
        let place = || format!("{} in {}", event.into(), from.into());
        self.require_unlisted(rules, from, event).map_err(|refusal| refusal.at(place()))
    }

    /// The state that follows from the row of `from`, `event` and `guard`.
    ///
    /// Without such a row the event is refused by the clauses that the tables name for it there, and by STA-01 where they
    /// name none. Where no clause of these is in force (the mutant of STA-01, or of the clause that is named), the event is
    /// taken as in the first state that has a row for this event and this guard.
    ///
    /// # Errors
    /// The clause of a row that refuses; without a row, the first clause in force that refuses the event in that state.
    pub(crate) fn on(&self, rules: &Rules, from: S, event: E, guard: G) -> Result<S, Refusal> {
        let fits = |row: &&Row<S, E, G>| row.event == event && row.guard == guard;
        let place = || format!("{} in {}: {}", event.into(), from.into(), guard.into());
        let row = match self.rows.iter().filter(fits).find(|row| row.from == from) {
            Some(row) => row,
            None => {
                self.require_unlisted(rules, from, event).map_err(|refusal| refusal.at(place()))?;
                let elsewhere = self.rows.iter().find(fits);
                elsewhere.ok_or_else(|| Refusal::new(Clause::EventFitsState).at(place()))?
            }
        };
        match row.clauses {
            [clause] if row.refuses => Err(Refusal::new(*clause)),
            _ => {
                #[cfg(bemr_weaken)]
                driven::note((self.name, from.into(), event.into(), row.to.into()));
                Ok(row.to)
            }
        }
    }

    /// Goes on when no clause that refuses `event` in `from` is in force. Of a state that has rows for the event, but none
    /// for the guard that holds, these are the clauses of its rows: they are what tells the guards apart.
    fn require_unlisted(&self, rules: &Rules, from: S, event: E) -> Result<(), Refusal> {
        let rows = self.rows.iter().filter(|row| row.from == from && row.event == event);
        let of_rows = rows.flat_map(|row| row.clauses);
        let others = self.others.iter();
        let others = others.filter(|other| other.states.contains(&from) && other.events.contains(&event));
        let mut refusing = of_rows.chain(others.flat_map(|other| other.clauses)).peekable();
        if refusing.peek().is_none() {
            return rules.require(Clause::EventFitsState, false);
        }
        refusing.try_for_each(|clause| rules.require(*clause, false))
    }
}

/// A machine as text, for the chapters.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The states and what each means; the first is the initial one.
    pub states: &'static [(&'static str, &'static str)],
    /// The events and what each means.
    pub events: &'static [(&'static str, &'static str)],
    /// The rows; a guard that always holds is empty.
    pub rows: &'static [Row<&'static str, &'static str, &'static str>],
    /// What becomes of events in states that have no row for them. STA-01 refuses every event that is listed nowhere.
    pub others: &'static [Other<&'static str, &'static str>],
}

impl Machine {
    /// The rows from `state` by `event`.
    pub fn rows_of(
        &self,
        state: &str,
        event: &str,
    ) -> impl Iterator<Item = &Row<&'static str, &'static str, &'static str>> {
        self.rows.iter().filter(move |row| row.from == state && row.event == event)
    }

    /// What refuses `event` in `state`, which has no row for it; nothing when the event cannot happen there or does not
    /// concern the machine.
    pub fn refusals_of(&self, state: &str, event: &str) -> &'static [Clause] {
        let listed =
            |other: &&Other<&str, &str>| other.states.contains(&state) && other.events.contains(&event);
        self.others.iter().find(listed).map_or(&[Clause::EventFitsState], |other| other.clauses)
    }

    /// Whether no row leads on from `state`.
    pub fn is_terminal(&self, state: &str) -> bool {
        self.rows.iter().all(|row| row.from != state)
    }
}

/// Which transitions a thread has made, so that a test can tell which rows nothing drives. Only in this repository's builds.
#[cfg(bemr_weaken)]
pub mod driven {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    /// Transitions: machine, state before, event, state after.
    pub type Steps = BTreeSet<(&'static str, &'static str, &'static str, &'static str)>;

    thread_local! {
        static STEPS: RefCell<Option<Steps>> = const { RefCell::new(None) };
    }

    pub(super) fn note(step: (&'static str, &'static str, &'static str, &'static str)) {
        STEPS.with_borrow_mut(|steps| steps.as_mut().map(|steps| steps.insert(step)));
    }

    /// The transitions of this thread since the last call. The first call starts the recording.
    pub fn take() -> Steps {
        STEPS.replace(Some(Steps::new())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
