//! Model and implementation side by side, through many random lives.

use bemr_lab::lockstep::{Campaign, Coverage, Driver, Failure, UNREACHABLE, trace_of};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_model::{Action, Actor, Command, Execution, Goal, LedgerKind, Lifetimes, Members, SHOWN, Setup};
use bemr_spec::{Clause, Event, Rules};
use std::collections::BTreeMap;
use std::path::Path;

const RULES: Rules = Rules::hardened();

/// Lives and steps of each: two million steps.
const RUNS: u64 = 5_200;
const STEPS: usize = 400;

/// Each clause that can refuse something does so this many times.
const FLOOR: u64 = 100;
/// How often every clause that can refuse does at least.
const LEAST: u64 = 30;

/// Of all clauses, at least these many do: 95 of 100.
const REACHED: usize = 144;

/// How often what has to happen at least.
type Floors = &'static [(&'static str, u64)];

fn campaign(seed: u64, runs: u64) -> Campaign {
    Campaign { seed, runs, steps: STEPS, sides: RULES.into() }
}

fn told(failure: &Failure) -> String {
    let path = std::env::temp_dir().join(format!("divergence-{}.jsonl", failure.seed));
    let kept = std::fs::write(&path, failure.trace(RULES).to_bytes());
    let actions: Vec<String> = failure
        .short
        .actions
        .iter()
        .map(|action| serde_json::to_string(action).expect("an action is JSON"))
        .collect();
    format!(
        "seed {}: {}\n{}\n{kept:?}; again: cargo run -- replay {}",
        failure.seed,
        failure.short.divergence,
        actions.join("\n"),
        path.display()
    )
}

/// What fills up in the course of a run, such as half-open handshakes, is full in none of 400 steps.
#[test]
fn model_and_implementation_agree_in_runs_that_are_twenty_times_as_long() {
    let report = Campaign { seed: 1, runs: 10, steps: 20 * STEPS, sides: RULES.into() }.run(|_| ());
    if let Some(failure) = &report.failure {
        panic!("{}", told(failure));
    }
    assert_eq!(report.statistics.steps, 10 * 20 * STEPS as u64);
}

#[test]
fn model_and_implementation_agree_through_two_million_steps_of_random_lives() {
    let halves: Vec<Coverage> = std::thread::scope(|scope| {
        let half = |seed| {
            scope.spawn(move || {
                let report = campaign(seed, RUNS / 2).run(|_| ());
                if let Some(failure) = &report.failure {
                    panic!("{}", told(failure));
                }
                report.statistics
            })
        };
        [half(0), half(1_000_000)].map(|thread| thread.join().unwrap()).into()
    });
    let mut sum = Coverage::default();
    halves.iter().for_each(|half| sum.add(half));
    println!("{sum:#?}");
    assert!(sum.steps >= 2_000_000, "{} steps", sum.steps);
    let floors: [(&str, &BTreeMap<&'static str, u64>, Floors); 3] = [
        (
            "actions",
            &sum.actions,
            &[
                ("command", 50_000),
                ("deliver", 1_000_000),
                ("redirect", 10_000),
                ("corrupt", 10_000),
                ("wake", 100_000),
                ("crash", 1_000),
                ("audit", 2_000),
                ("unseal", 2_000),
            ],
        ),
        (
            "ends",
            &sum.ends,
            &[("committed", 1_000), ("rejected", 500), ("deferred", 100), ("refused", 1_000)],
        ),
        (
            "sent",
            &sum.sent,
            &[
                ("ReadResponse", 1_000),
                ("Grant", 500),
                ("Revoke", 500),
                ("Erase", 500),
                ("BlocksFrom", 500),
                ("PolicyChange", 500),
                ("RevocationList", 500),
            ],
        ),
    ];
    for (what, counts, floors) in floors {
        for (name, floor) in floors {
            let count = counts.get(name).copied().unwrap_or_default();
            assert!(count >= *floor, "{what} {name}: {count} of at least {floor}");
        }
    }
    each_clause_is_reached(&sum);
}

/// Every clause but those that nobody sees broken.
fn each_clause_is_reached(sum: &Coverage) {
    for (clause, why) in UNREACHABLE {
        assert_eq!(sum.refusals(*clause), 0, "{clause} refuses nothing: {why}");
    }
    let below = sum.below(FLOOR);
    println!("{:8} {:>8} {:>8} {:>8} {:>8}", "clause", "refused", "because", "broken", "decided");
    for (clause, _) in &below {
        let count = |counts: &BTreeMap<&str, u64>| counts.get(clause.id()).copied().unwrap_or_default();
        let [refused, because, broken, decided] =
            [&sum.refused, &sum.because, &sum.broken, &sum.decided].map(count);
        println!("{:8} {refused:>8} {because:>8} {broken:>8} {decided:>8}", clause.id());
    }
    let excused = |clause: &Clause| UNREACHABLE.iter().any(|(other, _)| other == clause);
    let missed: Vec<&(Clause, u64)> =
        below.iter().filter(|(clause, count)| !excused(clause) && *count < LEAST).collect();
    assert!(missed.is_empty(), "fewer than {LEAST} times: {missed:?}");
    assert!(Clause::ALL.len() - below.len() >= REACHED);
}

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    let mut bytes = 0;
    for seed in [1, 2, 3, 17, 1_000_003] {
        let life = || {
            let mut driver = Driver::new(seed);
            let setup = *driver.setup();
            let mut model = Execution::new(RULES, &setup);
            let actions: Vec<Action> = (0..200)
                .filter_map(|_| {
                    let action = driver.next(&model)?;
                    model.step(&action).map(|_| action)
                })
                .collect();
            trace_of(RULES, &setup, &actions).to_bytes()
        };
        let (first, second) = (life(), life());
        assert_eq!(first, second);
        bytes += first.len();
    }
    assert!(bytes > 30_000, "{bytes}");
}

#[test]
fn acquaintances_speak_at_once_and_strangers_shake_hands_first() {
    let submit = Command::Submit { record: 0, breaks: None, readers: Members::default() };
    let actions =
        [Action::Command { actor: Actor::User(0), command: submit }, Action::Deliver { envelope: 0 }];
    for (established, first, second) in [(true, "T_initial", "T_block"), (false, "Hello", "Response")] {
        let (ledger, lifetimes) = (LedgerKind::Quorum, Lifetimes::LONG);
        let setup = Setup { users: 1, validators: 1, ledger, seed: 1, established, lifetimes };
        let trace = trace_of(RULES, &setup, &actions);
        let sent: Vec<&str> =
            trace.steps.iter().flat_map(|step| &step.sends).map(|send| send.message.as_str()).collect();
        assert_eq!(sent, [first, second]);
        let read = Trace::read(trace.to_bytes().as_slice()).unwrap();
        assert_eq!((read.header.setup, rerun(&read)), (setup, Replay::Agrees { steps: 2, both: true }));
    }
}

#[test]
fn every_kept_trace_goes_as_it_says() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let mut count = 0;
    for file in std::fs::read_dir(kept).unwrap() {
        let path = file.unwrap().path();
        let trace = Trace::open(&path).unwrap();
        assert!(trace.header.note.is_some(), "{}: what it showed is in its note", path.display());
        assert_eq!(
            rerun(&trace),
            Replay::Agrees { steps: trace.steps.len(), both: true },
            "{}",
            path.display()
        );
        count += 1;
    }
    assert!(count >= 2);
}

#[test]
fn a_trace_that_tells_something_else_is_told_from_one_that_does_not() {
    let submit = Command::Submit { record: 0, breaks: None, readers: Members::default() };
    let setup = *Driver::new(1).setup();
    let actions: Vec<Action> = [Action::Command { actor: Actor::User(0), command: submit }]
        .into_iter()
        .chain((0..4).map(|envelope| Action::Deliver { envelope }))
        .collect();
    let sound = trace_of(RULES, &setup, &actions);
    assert_eq!(rerun(&sound), Replay::Agrees { steps: 5, both: true });
    let mut refused = sound.clone();
    refused.steps[2].clause = Some(Clause::TidIsFresh);
    assert!(matches!(rerun(&refused), Replay::Diverges { step: 3, .. }));
    // An event that the action can bring about, and that did not happen.
    let mut invented = sound.clone();
    invented.steps[4].event = Event::Unexpected;
    let replayed = rerun(&invented);
    let told = sound.steps[4].event;
    assert_eq!(
        replayed,
        Replay::Diverges { step: 5, difference: format!("the trace: Unexpected, again: {told}") }
    );
    let mut silent = sound.clone();
    silent.steps[1].sends.clear();
    assert!(matches!(rerun(&silent), Replay::Diverges { step: 2, .. }));
}

/// Looks at a goal through many lives of the model, in which nobody dies where the goal is not claimed of who dies: the first
/// seed and step at which it is broken, and whether what it speaks of happens.
fn looked_at(rules: Rules, goal: &Goal, runs: u64) -> (Option<(u64, usize)>, bool) {
    let mut happens = false;
    let broken = (0..runs).find_map(|seed| {
        let mut driver = Driver::new(seed);
        let mut model = Execution::new(rules, driver.setup());
        (0..STEPS).find_map(|step| {
            let action = driver.next(&model)?;
            let claimed = goal.holds_through_crashes() || !matches!(action, Action::Crash { .. });
            claimed.then(|| model.step(&action))?;
            happens |= (goal.sometimes.1)(model.system());
            (!goal.is_kept(model.system())).then_some((seed, step))
        })
    });
    (broken, happens)
}

#[test]
fn each_goal_that_is_not_searched_for_breaks_without_what_it_needs_and_only_then() {
    for goal in SHOWN {
        assert_eq!(looked_at(RULES, goal, 300), (None, true), "{}", goal.name);
        for clause in goal.needs {
            let (found, _) = looked_at(RULES.without(*clause), goal, 2_000);
            println!("{} without {}: seed and step {found:?}", goal.name, clause.id());
            assert!(found.is_some(), "{} survives without {}", goal.name, clause.id());
        }
    }
}
