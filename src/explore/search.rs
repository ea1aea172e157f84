//! Runs a search and says what it found.

use crate::explore::scene::{TERMINATION, witness};
use crate::explore::{Move, Part};
use bemr_spec::Rules;
use bemr_spec::model::{Actor, GOALS};
use stateright::{Checker, Model};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A run that ends in what was looked for.
#[derive(Clone, Debug)]
pub struct Found {
    /// What happened, to whom, and the clause that refused it.
    pub steps: Vec<(Move, Actor, &'static str, Option<bemr_spec::Clause>)>,
}

/// What a search found out about a goal.
#[derive(Clone, Debug)]
pub struct GoalReport {
    /// The goal.
    pub name: &'static str,
    /// A run that breaks it.
    pub broken: Option<Found>,
    /// A run in which what it speaks of happens; none was looked for where there is no such twin.
    pub witness: Option<Found>,
}

/// What a search found out.
#[derive(Clone, Debug)]
pub struct PartReport {
    /// The part.
    pub part: &'static str,
    /// Different states.
    pub states: usize,
    /// The longest run.
    pub depth: usize,
    /// Whether every state was visited.
    pub complete: bool,
    /// Each goal.
    pub goals: Vec<GoalReport>,
}

/// Searches a part under `rules` to its end, or until `go_on` says no; it is told the number of states so far.
pub fn search(
    part: &'static Part,
    rules: Rules,
    threads: usize,
    mut go_on: impl FnMut(usize) -> bool,
) -> PartReport {
    let checker = part.under(rules).checker().threads(threads).spawn_bfs();
    let mut complete = true;
    while !checker.is_done() {
        if !go_on(checker.unique_state_count()) {
            complete = false;
            checker.model().stop.store(true, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let run = |name: &'static str| {
        let path = checker.discovery(name)?;
        let stage = checker.model();
        let mut scene = stage.begin();
        let mut steps = Vec::new();
        for what in path.into_actions() {
            let (next, actor, step) = stage.play(&scene, &what)?;
            steps.push((what, actor, step.event, step.clause));
            scene = next;
        }
        Some(Found { steps })
    };
    let goals = GOALS.iter().map(|goal| GoalReport {
        name: goal.name,
        broken: run(goal.name),
        witness: witness(goal.name).and_then(run),
    });
    let termination = GoalReport { name: TERMINATION, broken: run(TERMINATION), witness: None };
    PartReport {
        part: part.name,
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        complete,
        goals: goals.chain([termination]).collect(),
    }
}

/// Searches until the goal of this name is broken: a shortest run that breaks it, and the states visited.
pub fn search_for(
    part: &'static Part,
    rules: Rules,
    goal: &'static str,
    threads: usize,
) -> (Option<Found>, usize) {
    let checker = part.under(rules).checker().threads(threads).spawn_bfs();
    while !checker.is_done() {
        if checker.discovery(goal).is_some() {
            checker.model().stop.store(true, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let found = checker.discovery(goal).and_then(|path| {
        let stage = checker.model();
        let mut scene = stage.begin();
        let mut steps = Vec::new();
        for what in path.into_actions() {
            let (next, actor, step) = stage.play(&scene, &what)?;
            steps.push((what, actor, step.event, step.clause));
            scene = next;
        }
        Some(Found { steps })
    });
    (found, checker.unique_state_count())
}

impl Part {
    /// Serves the states of this part to a browser; comes back only when the address cannot be used.
    pub fn serve(&'static self, rules: Rules, address: &str) {
        let _ = self.under(rules).checker().serve(address);
    }
}
