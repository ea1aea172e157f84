//! What exhaustive search of the model shows, and that it would see what it has to see.

use bemr_lab::explore::{
    Budget, Found, GoalReport, Move, SUITES, SearchConfig, SearchModel, SearchReport, SearchState,
    SearchSuite, TERMINATION, TransitionSystem, search, search_for,
};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_model::{Actor, Execution, GOALS, Renaming, Setup};
use bemr_spec::{Clause, Rules};
use stateright::{Checker, Model, Property};

fn scope(name: &str) -> &'static SearchSuite {
    SUITES.iter().find(|scope| scope.name == name).expect("a scope of this name")
}

/// Searches every part of a scope to its end; the counts are the pinned ones and no goal is broken.
fn searched(scope: &SearchSuite) -> Vec<SearchReport> {
    let mut counts = Vec::new();
    let mut reports = Vec::new();
    for part in scope.configurations {
        let report = search(part.under(Rules::hardened()), 2, |_| true);
        println!("{}: {} states, {} deep", part.name, report.states, report.depth);
        assert!(report.complete, "{}", part.name);
        for goal in &report.goals {
            assert!(goal.broken.is_none(), "{} is broken in {}: {:?}", goal.name, part.name, goal.broken);
        }
        counts.push((part.name, part.states, report.states));
        reports.push(report);
    }
    let other: Vec<_> = counts.iter().filter(|(_, pinned, states)| *pinned != Some(*states)).collect();
    assert!(other.is_empty(), "part, pinned, counted: {other:?}");
    reports
}

fn names() -> impl Iterator<Item = &'static str> {
    GOALS.iter().map(|goal| goal.name).chain([TERMINATION])
}

#[test]
fn smoke_has_the_pinned_states_and_keeps_every_goal_and_each_of_them_happens() {
    let reports = searched(scope("smoke"));
    for goal in names() {
        let of_goal = || reports.iter().flat_map(|report| &report.goals).filter(|one| one.name == goal);
        assert!(of_goal().any(|one| one.checked), "{goal} is checked nowhere");
        let happens = goal == TERMINATION || of_goal().any(|one| one.witness.is_some());
        assert!(happens, "{goal}: what it speaks of never happens");
    }
}

#[test]
fn ci_is_pinned_at_five_million_states_or_more() {
    let pinned: Vec<usize> = scope("ci").configurations.iter().filter_map(|part| part.states).collect();
    assert_eq!(pinned.len(), scope("ci").configurations.len());
    assert!(pinned.iter().sum::<usize>() >= 5_000_000, "{pinned:?}");
}

/// The run, told as a trace and read again, breaks the same goal on the model and on the implementation, step by step.
fn breaks_on_both_sides(part: &SearchConfig, clause: Clause, goal: &str, run: &Found) -> Result<(), String> {
    let name = format!("{}: {goal} without {}", part.name, clause.id());
    let told = run.counterexample(Rules::hardened().without(clause), part.setup);
    let trace = Trace::read(&told.trace.to_bytes()[..]).map_err(|error| format!("{name}: {error}"))?;
    assert_eq!(trace.header.rules, [clause]);
    let again = rerun(&trace);
    let as_told = match (&told.both, &again) {
        (Err(why), Replay::Agrees { both: false, .. }) => {
            let excused = ALONE.iter().find(|(excused, of, _)| (*excused, *of) == (clause, goal));
            excused.is_some_and(|(.., reason)| why.contains(reason))
        }
        // Nothing that was done breaks it: it ought to have ended.
        (Ok(()), Replay::Agrees { both: true, .. }) => goal == TERMINATION,
        // The first of the goals that it breaks is named.
        (Ok(()), Replay::Diverges { step, difference }) => {
            let mut model = Execution::new(Rules::hardened().without(clause), &part.setup);
            run.steps.iter().for_each(|step| drop(model.step(&step.action)));
            let broken = GOALS.iter().filter(|goal| !goal.is_kept(model.system()));
            let broken: Vec<&str> = broken.map(|goal| goal.name).collect();
            *step == trace.steps.len() as u64
                && broken.contains(&goal)
                && *difference == format!("{} is broken", broken[0])
        }
        _ => false,
    };
    let both =
        told.both.as_ref().map_or_else(|why| format!("the model alone: {why}"), |()| "both".to_owned());
    println!("{name}: {both}");
    if as_told { Ok(()) } else { Err(format!("{name}: {both}; again: {again:?}")) }
}

/// Runs that the model does alone: the mutant, the goal, and why the implementation cannot be made to do the same.
const ALONE: &[(Clause, &str, &str)] = &[
    // The lockstep forges by changing what was said; these insiders say what nobody said in any form.
    (Clause::InitialSenderIsPeer, "G-ORI", "nobody can make that"),
    (Clause::BlockCarriesUserSignature, "G-ORI", "nobody can make that"),
    (Clause::OneBlockPerTid, "G-AGR", "nobody can make that"),
    (Clause::HeadNotOlder, "G-FRE", "nobody can make that"),
    (Clause::LeafIsIncluded, "G-DEL", "nobody can make that"),
    // The cloud hands the record over, but there is no key of it for who was not granted it.
    (Clause::ReaderIsGranted, "G-PRV", "implementation: GRP-04"),
];

#[test]
fn every_goal_has_a_mutant_that_its_part_notices() {
    let (mut noticed, mut wrong): (Vec<(Clause, &str)>, Vec<String>) = (Vec::new(), Vec::new());
    for part in scope("ci").configurations {
        for (clause, goal) in part.notices {
            assert!(part.goals.contains(goal), "{} does not check {goal}", part.name);
            let (found, states) = search_for(part.under(Rules::hardened().without(*clause)), goal, 2);
            let run =
                found.unwrap_or_else(|| panic!("{}: {goal} survives without {}", part.name, clause.id()));
            println!(
                "{}: {goal} without {}: {} steps, {states} states visited",
                part.name,
                clause.id(),
                run.steps.len()
            );
            assert!(!run.steps.is_empty());
            wrong.extend(breaks_on_both_sides(part, *clause, goal, &run).err());
            noticed.push((*clause, goal));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for goal in names() {
        assert!(noticed.iter().any(|(_, broken)| *broken == goal), "no mutant breaks {goal}");
    }
    for goal in GOALS {
        for clause in goal.needs {
            assert!(noticed.contains(&(*clause, goal.name)), "{} needs {}", goal.name, clause.id());
        }
    }
}

fn part(name: &str) -> &'static SearchConfig {
    scope("ci").configurations.iter().find(|part| part.name == name).expect("a part of this name")
}

/// What a search says of every goal.
fn verdicts(report: &SearchReport) -> Vec<(&'static str, bool, bool, bool)> {
    let of_goal = |one: &GoalReport| (one.name, one.checked, one.broken.is_some(), one.witness.is_some());
    report.goals.iter().map(of_goal).collect()
}

#[test]
fn parcels_that_nobody_hears_change_no_verdict() {
    let part = scope("smoke").configurations.iter().find(|part| part.name == "proof of work").unwrap();
    for rules in [Rules::hardened(), Rules::hardened().without(Clause::ConfirmationsReached)] {
        let reduced = search(part.under(rules), 2, |_| true);
        let whole = search(part.under(rules).with_every_envelope(), 2, |_| true);
        println!("{} states of {}", reduced.states, whole.states);
        assert!(reduced.states < whole.states);
        assert_eq!(verdicts(&reduced), verdicts(&whole));
    }
}

/// Parts that are small enough to be searched without the reduction, and mutants that break a goal in them.
fn with_names() -> Vec<(SearchConfig, usize, &'static [Clause])> {
    let none = Budget::default();
    let until = |until, part: &SearchConfig| SearchConfig { until, states: None, ..*part };
    let setup = |users, validators, part: &SearchConfig| Setup { users, validators, ..part.setup };
    let votes = SearchConfig { silent: &[Actor::Cloud], ..until(100, part("lying validator")) };
    let two_lie = SearchConfig { insiders: &[Actor::Validator(0), Actor::Validator(2)], ..votes };
    let closing = SearchConfig { budget: none, ..*part("closing") };
    let work = part("proof of work");
    let three = SearchConfig {
        setup: setup(1, 3, work),
        budget: Budget { luck: 2, ..none },
        silent: &[Actor::User(0)],
        ..until(150, work)
    };
    let handshake = part("handshake");
    let idle = SearchConfig {
        setup: setup(3, 1, handshake),
        budget: Budget { redirect: 1, replay: 1, ..none },
        silent: &[Actor::Cloud],
        ..until(200, handshake)
    };
    vec![
        (votes, 6, &[Clause::MoreThanTwoThirds, Clause::FirstDecisionStands]),
        (two_lie, 4, &[Clause::MoreThanTwoThirds, Clause::AcceptNeedsQuorum]),
        (closing, 2, &[Clause::OneCloseByValidator, Clause::BlockHasQuorum]),
        (three, 6, &[Clause::HeaviestChainWins, Clause::ConfirmationsReached]),
        (idle, 2, &[Clause::PeerIsIntended, Clause::SessionIsFresh]),
    ]
}

#[test]
fn who_is_who_changes_no_verdict_and_every_state_stands_for_those_that_differ_in_it_alone() {
    for (part, names, mutants) in with_names() {
        let part: &'static SearchConfig = Box::leak(Box::new(part));
        assert_eq!(part.under(Rules::hardened()).names(), names, "{}", part.name);
        let without = mutants.iter().map(|clause| Rules::hardened().without(*clause));
        for rules in [Rules::hardened()].into_iter().chain(without) {
            let reduced = search(part.under(rules), 2, |_| true);
            let whole = search(part.under(rules).with_every_name(), 2, |_| true);
            println!("{}: {} states for {}", part.name, reduced.states, whole.states);
            assert_eq!((reduced.flaw.as_ref(), reduced.complete), (None, true));
            assert_eq!(verdicts(&reduced), verdicts(&whole));
            assert_eq!(reduced.stand_for, whole.states as u64);
            assert_eq!(whole.stand_for, whole.states as u64);
            assert!(reduced.states < whole.states);
        }
    }
}

/// What stateright counts.
struct Count {
    states: usize,
    depth: usize,
    broken: bool,
}

const KEPT: &str = "every goal holds";

struct Oracle(TransitionSystem);

impl Model for Oracle {
    type State = SearchState;
    type Action = Move;

    fn init_states(&self) -> Vec<SearchState> {
        vec![self.0.initial()]
    }

    fn actions(&self, state: &SearchState, moves: &mut Vec<Move>) {
        moves.extend(self.0.moves(state));
    }

    fn next_state(&self, state: &SearchState, what: Move) -> Option<SearchState> {
        self.0.next(state, what)
    }

    fn properties(&self) -> Vec<Property<Oracle>> {
        // The checker ends where it has found everything: the second is nowhere.
        let kept = |oracle: &Oracle, state: &SearchState| oracle.0.is_kept(state);
        vec![Property::always(KEPT, kept), Property::sometimes("the end", |_, _| false)]
    }
}

fn count(model: SearchModel) -> Count {
    let checker = Oracle(TransitionSystem::new(model)).checker().spawn_bfs().join();
    Count {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken: checker.discovery(KEPT).is_some(),
    }
}

/// stateright keeps its own frontier, table of states and order, and shares with our search what a move makes of a state. Its fingerprints
/// are of whole states, ours are carried on from those of the state before.
#[test]
fn stateright_counts_the_same_states_to_the_same_depth_and_agrees_whether_a_goal_is_broken() {
    for (part, _, mutants) in with_names() {
        let without = mutants.iter().map(|clause| Rules::hardened().without(*clause));
        for rules in [Rules::hardened()].into_iter().chain(without) {
            let ours = search(part.under(rules), 2, |_| true);
            let theirs = count(part.under(rules));
            assert_eq!((theirs.states, theirs.depth), (ours.states, ours.depth), "{}", part.name);
            assert_eq!(theirs.broken, ours.goals.iter().any(|goal| goal.broken.is_some()), "{}", part.name);
        }
    }
    for part in scope("smoke").configurations {
        assert_eq!(Some(count(part.under(Rules::hardened())).states), part.states, "{}", part.name);
    }
}

#[test]
fn any_number_of_threads_finds_the_same_runs() {
    let part = part("closing");
    let rules = Rules::hardened().without(Clause::OneCloseByValidator);
    let runs = [1, 2, 3].map(|threads| {
        let report = search(part.under(rules), threads, |progress| progress.states < 60_000);
        let steps = |run: &Found| run.steps.iter().map(|step| format!("{step:?}")).collect::<Vec<_>>();
        let runs = report
            .goals
            .iter()
            .map(|goal| (goal.name, goal.broken.as_ref().map(steps), goal.witness.as_ref().map(steps)));
        (report.states, report.stand_for, runs.collect::<Vec<_>>())
    });
    assert!(runs[0].2.iter().any(|(_, broken, _)| broken.is_some()));
    assert!(runs.iter().all(|run| *run == runs[0]));
}

#[test]
fn a_search_that_is_told_to_stop_stops_and_says_so() {
    let part = part("lying validator");
    let report = search(part.under(Rules::hardened()), 2, |progress| progress.states < 1_000);
    assert!(!report.complete);
    assert!(report.states >= 1_000 && Some(report.states) < part.states, "{}", report.states);
}

#[test]
fn who_is_taken_for_somebody_with_another_turn_is_noticed() {
    let part =
        scope("ci").configurations.iter().find(|part| part.name == "closing").expect("it closes blocks");
    let names = |validators: [u8; 4]| Renaming::new(vec![0], validators.to_vec());
    for (other, same) in [([3, 1, 2, 0], true), ([0, 2, 1, 3], false), ([1, 0, 2, 3], false)] {
        let stage = part.under(Rules::hardened()).taking(vec![names([0, 1, 2, 3]), names(other)]);
        let report = search(stage, 2, |progress| progress.states < 20_000);
        assert_eq!(report.flaw.is_none(), same, "{other:?}: {:?}", report.flaw);
    }
}
