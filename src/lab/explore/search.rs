//! Runs a search and reports what it found.

use crate::explore::adversary::{ByzantineMessage, Payload};
use crate::explore::breadth_first::{Limits, visit};
use crate::explore::transition_cache::Number;
use crate::explore::{BESIDE, Move, SearchModel, TERMINATION};
use bemr_model::{Action, Envelope, Execution, GOALS, Happened};
use std::collections::BTreeMap;

/// A run that ends in what was looked for.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was done, and what became of it. The loss of an envelope is no step: it does not arrive.
    pub steps: Vec<FoundStep>,
}

/// One step of a run.
#[derive(Clone, Debug)]
pub struct FoundStep {
    /// What was done.
    pub action: Action,
    /// The envelope that it names by number.
    pub envelope: Option<Envelope>,
    /// What became of it.
    pub happened: Happened,
}

/// What a search found out about a goal.
#[derive(Clone, Debug)]
pub struct GoalReport {
    /// The goal.
    pub name: &'static str,
    /// Whether the configuration checks it; otherwise the search only looked for its twin.
    pub checked: bool,
    /// A run that breaks it.
    pub broken: Option<Found>,
    /// A run in which what it speaks of happens; none was looked for where there is no such twin.
    pub witness: Option<Found>,
}

/// What a search found out.
#[derive(Clone, Debug)]
pub struct SearchReport {
    /// The configuration.
    pub configuration: &'static str,
    /// Different states.
    pub states: usize,
    /// How many these are without symmetry reduction.
    pub stand_for: u64,
    /// The longest run, in states.
    pub depth: usize,
    /// Whether every state was visited.
    pub complete: bool,
    /// Each goal.
    pub goals: Vec<GoalReport>,
    /// Two actors that were taken for symmetric and are not: then nothing here counts.
    pub flaw: Option<String>,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Different states so far.
    pub states: usize,
    /// The longest run so far, in states.
    pub depth: usize,
}

/// Searches to the end, or until `go_on` says no.
pub fn search(model: SearchModel, threads: usize, go_on: impl FnMut(Progress) -> bool) -> SearchReport {
    let visited = visit(&model, threads, &Limits::NONE, go_on);
    // Goals can share what they speak of, and so its run.
    let found = visited.found.into_iter();
    let runs: Vec<_> = found.filter_map(|(name, moves)| Some((name, retrace(&model, moves)?))).collect();
    let run = |name: &str| runs.iter().find(|(found, _)| *found == name).map(|(_, run)| run.clone());
    let report = |name: &'static str, checked: bool, twin: Option<&str>| GoalReport {
        name,
        checked,
        broken: run(name),
        witness: twin.and_then(run),
    };
    let checked = |name: &str| model.config.goals.contains(&name);
    let goals = GOALS.iter().map(|goal| report(goal.name, checked(goal.name), Some(goal.sometimes.0)));
    let beside = BESIDE.iter().filter(|one| checked(one.name)).map(|one| report(one.name, true, None));
    SearchReport {
        configuration: model.config.name,
        states: visited.states,
        stand_for: visited.stand_for,
        depth: visited.depth,
        complete: visited.complete,
        goals: goals.chain([report(TERMINATION, checked(TERMINATION), None)]).chain(beside).collect(),
        flaw: model.cache().flaw.clone(),
    }
}

/// After how many states a search that may end early looks whether it does.
const CHECK_INTERVAL: usize = 1_500;

/// Searches until the goal of this name is broken: a shortest run that breaks it, and the states visited.
pub fn search_for(model: SearchModel, goal: &'static str, threads: usize) -> (Option<Found>, usize) {
    search_within(model, goal, threads, usize::MAX)
}

/// The same until about so many successors were made.
pub fn search_within(
    model: SearchModel,
    goal: &'static str,
    threads: usize,
    successors: usize,
) -> (Option<Found>, usize) {
    let limits = Limits { wanted: vec![goal], successors, every: CHECK_INTERVAL };
    let visited = visit(&model, threads, &limits, |_| true);
    let moves = visited.found.into_iter().find(|(name, _)| *name == goal);
    (moves.and_then(|(_, moves)| retrace(&model, moves)), visited.states)
}

/// What a bounded search for any broken goal found.
#[derive(Clone, Debug)]
pub struct BoundedSearch {
    /// The goal that was broken first, and a run that breaks it, which the model executes to the same end.
    pub broken: Option<(&'static str, Found)>,
    /// Different states visited.
    pub states: usize,
}

/// Searches until any goal of the configuration is broken, or about `most` successors were made.
pub fn search_bounded(model: SearchModel, most: usize) -> BoundedSearch {
    let goals = model.config.goals;
    let limits = Limits { wanted: goals.to_vec(), successors: most, every: CHECK_INTERVAL };
    let visited = visit(&model, 1, &limits, |_| true);
    let runs = goals.iter().filter_map(|goal| {
        let (_, moves) = visited.found.iter().find(|(name, _)| name == goal)?;
        let run = retrace(&model, moves.clone())?;
        is_broken_by(&model, goal, &run).then_some((*goal, run))
    });
    // Of equal lengths the first in the order of the goals.
    let broken = runs.min_by_key(|(_, run)| run.steps.len());
    BoundedSearch { broken, states: visited.states }
}

/// Whether the model, executing the run, agrees. Whether everything ought to have ended depends on what else can happen, which the
/// search alone knows.
fn is_broken_by(model: &SearchModel, name: &str, run: &Found) -> bool {
    let Some(goal) = GOALS.iter().find(|goal| goal.name == name) else { return name == TERMINATION };
    let mut execution = Execution::new(model.rules, &model.config.setup);
    let done = run.steps.iter().all(|step| execution.step(&step.action).is_some());
    done && !goal.is_kept(execution.system())
}

/// The run of these moves, as the model executes it.
fn retrace(model: &SearchModel, moves: Vec<Move>) -> Option<Found> {
    let mut states = model.begin();
    let mut execution = Execution::new(model.rules, &model.config.setup);
    // Where in the execution the envelopes of a number are. Of equal ones any will do.
    let mut places: BTreeMap<Number, u32> = BTreeMap::new();
    let mut steps = Vec::new();
    for what in moves {
        let state = states.get(0);
        let next = model.apply(&state, what)?;
        let place = |number: Number| places.get(&number).copied();
        let action = match what {
            Move::Drop(_) => None,
            Move::Command => {
                let (actor, command) = model.config.script[usize::from(state.counters.commands)];
                Some(Action::Command { actor, command })
            }
            Move::Deliver(number) | Move::Replay(number) => {
                Some(Action::Deliver { envelope: place(number)? })
            }
            Move::Redirect(number, to, from) => {
                Some(Action::Redirect { envelope: place(number)?, to, from: Some(from) })
            }
            Move::Wake(actor, lucky) => Some(Action::Wake { actor, found: lucky.then_some(1) }),
            Move::Crash(actor) => Some(Action::Crash { actor, damage: None }),
            Move::Byzantine(number) => {
                let ByzantineMessage { by: actor, to, payload } = model.cache().byzantine.get(number).clone();
                Some(match payload {
                    Payload::Message(message) => Action::Send { actor, to, message },
                    Payload::Gossip(gossip) => Action::Publish { actor, to, gossip },
                    Payload::Packet(packet, flaws) => Action::Inject { actor, to, packet, flaws },
                })
            }
        };
        if let Some(action) = action {
            let first = execution.envelopes().len();
            let happened = execution.step(&action)?;
            for (place, envelope) in execution.envelopes().iter().enumerate().skip(first) {
                if let Some(number) = model.cache().envelopes.find(envelope) {
                    places.insert(number, place as u32);
                }
            }
            let envelope = match action {
                Action::Deliver { envelope } | Action::Redirect { envelope, .. } => {
                    execution.envelopes().get(envelope as usize).cloned()
                }
                _ => None,
            };
            steps.push(FoundStep { action, envelope, happened });
        }
        states = next;
    }
    Some(Found { steps })
}
