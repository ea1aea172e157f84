//! Lives told in words: they go the same each time, and one that shows a fault becomes a short trace that shows it again.

use bemr_fuzz::canaries::{canaries, canary};
use bemr_fuzz::engine::{execute, explore};
use bemr_fuzz::targets::as_trace;
use bemr_fuzz::{Seen, Subject, corpus, target};
use bemr_lab::lockstep::{Coverage, Script, SetupCache};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_spec::Rules;

/// The most steps of what shows a planted bug.
const SHORT: usize = 40;

fn lives() -> Vec<Vec<u8>> {
    corpus::read("lockstep").expect("the corpus is readable").into_iter().map(|(_, bytes)| bytes).collect()
}

#[test]
fn a_life_goes_the_same_out_of_a_nursery_and_without_one() {
    let (mut nursery, mut steps) = (SetupCache::default(), 0);
    for life in lives() {
        let script = Script::read(&life);
        let execute = |nursery: &mut SetupCache| {
            let mut statistics = Coverage::default();
            let actions = script.execute(Rules::hardened(), nursery, &mut statistics, |_, _| ()).unwrap();
            (actions, statistics)
        };
        let (first, second) = (execute(&mut nursery), execute(&mut SetupCache::default()));
        assert_eq!(first, second);
        steps += first.0.len();
    }
    assert!(steps > 1_000, "{steps} steps");
}

#[test]
fn what_shows_a_planted_bug_becomes_a_short_trace_that_shows_it_again() {
    let target = target("lockstep").unwrap();
    for name in ["replayed-record", "small-quorum", "reused-tid"] {
        let subject = (canary(name).unwrap().subject)();
        let run = explore(target, &subject, &lives(), 1, |executed| executed < 400);
        let found = run.found.unwrap_or_else(|| panic!("{name}: not found"));
        let (trace, parted) = as_trace(&subject, &found.input);
        assert!(parted.is_some(), "{name}");
        let read = Trace::read(trace.to_bytes().as_slice()).unwrap();
        assert!(read.steps.len() <= SHORT, "{name}: {} steps", read.steps.len());
        let last = read.steps.len() as u64;
        assert!(
            matches!(rerun(&read), Replay::Diverges { step, .. } if step == last),
            "{name}: {:?}",
            rerun(&read)
        );
    }
}

#[test]
fn the_product_lives_through_all_that_shows_a_planted_bug() {
    let target = target("lockstep").unwrap();
    let mut found = 0;
    for canary in canaries().filter(|canary| canary.target == "lockstep") {
        let run = explore(target, &(canary.subject)(), &lives(), 1, |executed| executed < 150);
        let Some(shows) = run.found else { continue };
        found += 1;
        let lived = execute(target, &Subject::product(), &shows.input, &mut Seen::default());
        assert_eq!(lived, Ok(()), "{}", canary.name);
    }
    assert!(found >= 8, "{found} planted bugs show in the corpus");
}
