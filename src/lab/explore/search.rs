//! Runs a search and says what it found.

use crate::explore::transition_cache::{Number, Says};
use crate::explore::{BESIDE, Move, SearchConfig, SearchModel, TERMINATION};
use bemr_model::{Action, Envelope, Execution, GOALS, Happened};
use bemr_spec::Rules;
use stateright::{Checker, HasDiscoveries, Model, Path};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A run that ends in what was looked for.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was done, and what became of it. What is lost on its way is nothing that is done: it does not arrive.
    pub steps: Vec<FoundStep>,
}

/// One step of a run.
#[derive(Clone, Debug)]
pub struct FoundStep {
    /// What was done.
    pub action: Action,
    /// The parcel of which it speaks by its number.
    pub parcel: Option<Envelope>,
    /// What became of it.
    pub happened: Happened,
}

/// What a search found out about a goal.
#[derive(Clone, Debug)]
pub struct GoalReport {
    /// The goal.
    pub name: &'static str,
    /// Whether the part checks it; otherwise only its twin was looked for.
    pub checked: bool,
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
    /// How many these are when everybody is only themselves.
    pub stand_for: u64,
    /// The longest run.
    pub depth: usize,
    /// Whether every state was visited.
    pub complete: bool,
    /// Each goal.
    pub goals: Vec<GoalReport>,
    /// Who was taken for somebody else and is not like them: then nothing here counts.
    pub flaw: Option<String>,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Different states so far.
    pub states: usize,
    /// The longest run so far.
    pub depth: usize,
}

/// Searches to the end, or until `go_on` says no.
pub fn search(stage: SearchModel, threads: usize, mut go_on: impl FnMut(Progress) -> bool) -> PartReport {
    let checker = stage.checker().threads(threads).spawn_bfs();
    let mut complete = true;
    while !checker.is_done() {
        let progress = Progress { states: checker.unique_state_count(), depth: checker.max_depth() };
        if complete && !go_on(progress) {
            complete = false;
            checker.model().stop.store(true, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let stage = checker.model();
    let stand_for = stage.stand_for.load(Ordering::Relaxed);
    let flaw = stage.atlas().flaw.clone();
    complete &= flaw.is_none();
    // A run is found again by the numbers of its moves, which a model that was told to stop does not have.
    stage.stop.store(false, Ordering::Relaxed);
    let mut found = checker.discoveries();
    // The goals that have one twin in common share its run.
    let runs: Vec<(&'static str, Found)> =
        found.drain().filter_map(|(name, path)| Some((name, retrace(stage, path)?))).collect();
    let run = |name: &str| runs.iter().find(|(found, _)| *found == name).map(|(_, run)| run.clone());
    let checked = |name: &str| stage.part.goals.contains(&name);
    let goals = GOALS.iter().map(|goal| GoalReport {
        name: goal.name,
        checked: checked(goal.name),
        broken: run(goal.name),
        witness: run(goal.sometimes.0),
    });
    let termination = GoalReport {
        name: TERMINATION,
        checked: checked(TERMINATION),
        broken: run(TERMINATION),
        witness: None,
    };
    let beside = BESIDE.iter().filter(|one| checked(one.name));
    let beside =
        beside.map(|one| GoalReport { name: one.name, checked: true, broken: run(one.name), witness: None });
    PartReport {
        part: stage.part.name,
        states: checker.unique_state_count(),
        stand_for,
        depth: checker.max_depth(),
        complete,
        goals: goals.chain([termination]).chain(beside).collect(),
        flaw,
    }
}

/// Searches until the goal of this name is broken: a shortest run that breaks it, and the states visited.
pub fn search_for(stage: SearchModel, goal: &'static str, threads: usize) -> (Option<Found>, usize) {
    search_within(stage, goal, threads, usize::MAX)
}

/// The same among about so many states.
pub fn search_within(
    stage: SearchModel,
    goal: &'static str,
    threads: usize,
    states: usize,
) -> (Option<Found>, usize) {
    let wanted = HasDiscoveries::AnyOf([goal].into_iter().collect());
    let checker = stage.checker().threads(threads).finish_when(wanted);
    let checker = checker.target_state_count(states).spawn_bfs().join();
    let found = checker.discovery(goal).and_then(|path| retrace(checker.model(), path));
    (found, checker.unique_state_count())
}

/// What a bounded search for any broken goal found.
#[derive(Clone, Debug)]
pub struct BoundedSearch {
    /// The goal that was broken first, and a run that breaks it; a world that goes through the run agrees.
    pub broken: Option<(&'static str, Found)>,
    /// Different states visited.
    pub states: usize,
}

/// Searches until any goal of the part is broken, or about `most` states were visited. One thread does it: the same rules
/// give the same run after the same number of states.
pub fn hunt(stage: SearchModel, most: usize) -> BoundedSearch {
    let part = stage.part;
    let wanted = HasDiscoveries::AnyOf(part.goals.iter().copied().collect());
    let checker = stage.checker().finish_when(wanted).target_state_count(most).spawn_bfs().join();
    let stage = checker.model();
    let runs = part.goals.iter().filter_map(|goal| {
        let run = retrace(stage, checker.discovery(goal)?)?;
        is_broken_by(stage, goal, &run).then_some((*goal, run))
    });
    // Of equal lengths the first in the order of the goals.
    let broken = runs.min_by_key(|(_, run)| run.steps.len());
    BoundedSearch { broken, states: checker.unique_state_count() }
}

/// Whether a world of its own agrees. What ought to end and has not is a matter of what else can happen: the search's alone.
fn is_broken_by(stage: &SearchModel, name: &str, run: &Found) -> bool {
    let Some(goal) = GOALS.iter().find(|goal| goal.name == name) else { return name == TERMINATION };
    let mut world = Execution::new(stage.rules, &stage.part.setup);
    let done = run.steps.iter().all(|step| world.step(&step.action).is_some());
    done && !goal.is_kept(world.system())
}

/// The run of these moves, as the model's own world goes through it.
fn retrace(stage: &SearchModel, path: Path<<SearchModel as Model>::State, Move>) -> Option<Found> {
    let mut scene = stage.begin();
    let mut world = Execution::new(stage.rules, &stage.part.setup);
    // Where in the world the parcels of a number are. Of equal ones any will do.
    let mut places: BTreeMap<Number, u32> = BTreeMap::new();
    let mut steps = Vec::new();
    for what in path.into_actions() {
        let next = stage.play(&scene, what)?;
        let atlas = stage.atlas();
        let place = |number: Number| places.get(&number).copied();
        let action = match what {
            Move::Drop(_) => None,
            Move::Command => {
                let (actor, command) = stage.part.script[usize::from(scene.said)];
                Some(Action::Command { actor, command })
            }
            Move::Deliver(number) | Move::Replay(number) => Some(Action::Deliver { parcel: place(number)? }),
            Move::Redirect(number, to, from) => {
                Some(Action::Redirect { parcel: place(number)?, to, from: Some(from) })
            }
            Move::Wake(actor, lucky) => Some(Action::Wake { actor, found: lucky.then_some(1) }),
            Move::Crash(actor) => Some(Action::Crash { actor, damage: None }),
            Move::Lie(number) => {
                let lie = atlas.lie(number).clone();
                let (actor, to) = (lie.by, lie.to);
                Some(match lie.says {
                    Says::Message(message) => Action::Say { actor, to, message },
                    Says::Gossip(gossip) => Action::Tell { actor, to, gossip },
                    Says::Packet(packet, flaws) => Action::Inject { actor, to, packet, flaws },
                })
            }
        };
        if let Some(action) = action {
            let first = world.parcels().len();
            let happened = world.step(&action)?;
            for (place, parcel) in world.parcels().iter().enumerate().skip(first) {
                if let Some(number) = atlas.find(parcel) {
                    places.insert(number, place as u32);
                }
            }
            let parcel = match action {
                Action::Deliver { parcel } | Action::Redirect { parcel, .. } => {
                    world.parcels().get(parcel as usize).cloned()
                }
                _ => None,
            };
            steps.push(FoundStep { action, parcel, happened });
        }
        drop(atlas);
        scene = next;
    }
    Some(Found { steps })
}

/// A guess at how many states a search will find.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimate {
    /// About so many.
    About(f64),
    /// The levels still grow as fast as before: no end can be seen from here, and there are more than these.
    MoreThan(usize),
}

/// Guesses how many states there are from how a search grew: `grown` is how far it was, again and again, in order.
///
/// The states at each depth make a bell, so that their logarithm is taken for a parabola, fitted to the levels that the
/// search has behind it and carried on to where it comes down to one state.
pub fn estimate(grown: &[Progress]) -> Estimate {
    let seen = grown.last().map_or(0, |last| last.states);
    // Where the search first reaches a depth, the depth before is behind it.
    let mut levels: Vec<(f64, f64)> = Vec::new();
    let mut before: Option<Progress> = None;
    for progress in grown {
        match before {
            Some(last) if progress.depth > last.depth && progress.states > last.states => {
                let (deeper, more) = (progress.depth - last.depth, progress.states - last.states);
                let width = more as f64 / deeper as f64;
                // In few states the whole numbers hide the bell.
                if width >= 16.0 {
                    levels.push((progress.depth as f64, width.ln()));
                }
                before = Some(*progress);
            }
            None => before = Some(*progress),
            Some(_) => {}
        }
    }
    let last = grown.last().map_or(0.0, |last| last.depth as f64);
    match parabola(&levels) {
        Some((height, slope, bend)) if bend < -1e-6 => {
            let at = |depth: f64| height + slope * depth + bend * depth * depth;
            let rest = (1..100_000).map(|more| at(last + f64::from(more)));
            // Past its top it only falls.
            let top = -slope / (2.0 * bend);
            let rest =
                rest.zip(1..).take_while(|(level, more)| *level > 0.0 || last + f64::from(*more) < top);
            Estimate::About(seen as f64 + rest.map(|(level, _)| level.exp()).sum::<f64>())
        }
        _ => Estimate::MoreThan(seen),
    }
}

/// Least squares: `y = a + b x + c x²`.
fn parabola(points: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    if points.len() < 4 {
        return None;
    }
    // About the mean of x, where the equations are well-conditioned.
    let mean = points.iter().map(|(x, _)| x).sum::<f64>() / points.len() as f64;
    let sum = |term: &dyn Fn(f64, f64) -> f64| points.iter().map(|(x, y)| term(x - mean, *y)).sum::<f64>();
    let moment = |power: i32| sum(&|x, _| x.powi(power));
    let target = |power: i32| sum(&|x, y| x.powi(power) * y);
    let rows: [[f64; 3]; 3] =
        std::array::from_fn(|row| std::array::from_fn(|column| moment((row + column) as i32)));
    let right: [f64; 3] = std::array::from_fn(|row| target(row as i32));
    let determinant = |m: &[[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = determinant(&rows);
    if whole.abs() < 1e-9 {
        return None;
    }
    // Cramer's rule.
    let [a, b, c] = std::array::from_fn(|column| {
        let mut replaced = rows;
        replaced.iter_mut().zip(right).for_each(|(row, value)| row[column] = value);
        determinant(&replaced) / whole
    });
    Some((a - b * mean + c * mean * mean, b - 2.0 * c * mean, c))
}

impl SearchConfig {
    /// Serves the states of this part to a browser; comes back only when the address cannot be used.
    pub fn serve(&self, rules: Rules, address: &str) {
        let _ = self.under(rules).checker().serve(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_of_levels_is_carried_on_to_its_end() {
        let level = |depth: usize| (12.0 - 0.05 * (depth as f64 - 20.0).powi(2)).exp();
        let until = |end: usize| -> Vec<Progress> {
            (1..=end)
                .map(|depth| Progress { depth, states: (1..=depth).map(|one| level(one) as usize).sum() })
                .collect()
        };
        let all = until(36).last().unwrap().states as f64;
        match estimate(&until(14)) {
            Estimate::About(guess) => assert!((guess / all - 1.0).abs() < 0.1, "{guess} of {all}"),
            Estimate::MoreThan(states) => panic!("no end after {states}"),
        }
        let doubling: Vec<Progress> = (1..20).map(|depth| Progress { depth, states: 1 << depth }).collect();
        assert!(matches!(estimate(&doubling), Estimate::MoreThan(_) | Estimate::About(1e9..)));
    }
}
