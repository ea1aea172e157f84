//! Adversaries as data: what can be, how strong it is, and the least that suffices.

use bemr_lab::faults::{
    Act, Adversary, Capability, FaultKind, FaultRule, MAX_DELAY, Monitor, NAMED, ObservedFault, Scope,
    Trigger, least,
};
use bemr_model::{LedgerKind, Lifetimes, Setup};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const FIRST: Actor = Actor::Validator(0);

use bemr_model::{Actor, Time};

fn rule(kind: FaultKind) -> FaultRule {
    FaultRule::new(kind, if kind.is_of_messages() { Scope::Everything } else { Scope::Node(FIRST) })
}

fn setup(users: u8, validators: u8) -> Setup {
    let (ledger, lifetimes) = (LedgerKind::Quorum, Lifetimes::LONG);
    Setup { users, validators, ledger, seed: 0, established: false, lifetimes }
}

#[test]
fn every_named_adversary_can_be_in_a_network_of_any_size() {
    for named in NAMED {
        for validators in 1..=64 {
            let adversary = named.of(validators).unwrap_or_else(|error| panic!("{}: {error}", named.name));
            assert!(!adversary.rules().is_empty());
            assert_eq!(adversary.fits(&setup(1, validators)), Ok(()), "{}", named.name);
        }
        assert_eq!(NAMED.iter().filter(|other| other.name == named.name).count(), 1, "{}", named.name);
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_place_and_a_reason() {
    let when = |trigger: Trigger| FaultRule { trigger, ..rule(FaultKind::Drop) };
    let node = |kind, node| FaultRule::new(kind, Scope::Node(node));
    let link = |from, to| FaultRule::new(FaultKind::Drop, Scope::Link { from, to });
    let wrong: Vec<(Vec<FaultRule>, usize, &str)> = vec![
        (vec![rule(FaultKind::Drop).at_most(0)], 0, "no rule"),
        (vec![when(Trigger { from: Some(5), until: Some(5), ..Trigger::ALWAYS })], 0, "ends before"),
        (vec![when(Trigger { message: Some("Hullo".to_owned()), ..Trigger::ALWAYS })], 0, "\"Hullo\""),
        (vec![when(Trigger { thousandths: Some(1000), ..Trigger::ALWAYS })], 0, "chance"),
        (vec![when(Trigger { winning: true, ..Trigger::ALWAYS })], 0, "only votes"),
        (vec![rule(FaultKind::Delay { by: 0 })], 0, "a delay is 1 to"),
        (vec![rule(FaultKind::Delay { by: MAX_DELAY + 1 })], 0, "a delay is 1 to"),
        (vec![rule(FaultKind::Delay { by: Time::MAX })], 0, "a delay is 1 to"),
        (
            vec![rule(FaultKind::Silence).when(Trigger { thousandths: Some(5), ..Trigger::ALWAYS })],
            0,
            "drops messages",
        ),
        (vec![link(FIRST, FIRST)], 0, "no link"),
        (vec![FaultRule::new(FaultKind::Drop, Scope::Across([].into()))], 0, "nobody"),
        (vec![node(FaultKind::Contradict, Actor::Bsd)], 0, "cannot contradict"),
        (vec![node(FaultKind::Certify, Actor::Bsd)], 0, "cannot certify"),
        (vec![node(FaultKind::Crash, Actor::User(0))], 0, "cannot crash"),
        (vec![node(FaultKind::Lie, Actor::Kdc)], 0, "no address"),
        (vec![FaultRule::new(FaultKind::Lie, Scope::Everything)], 0, "of one node"),
        (vec![rule(FaultKind::Drop), rule(FaultKind::Drop)], 1, "said twice"),
        (vec![node(FaultKind::Silence, FIRST), node(FaultKind::Contradict, FIRST)], 1, "who is silent"),
        (vec![node(FaultKind::Equivocate, FIRST), node(FaultKind::Contradict, FIRST)], 1, "not both"),
        (vec![rule(FaultKind::Drop), rule(FaultKind::Duplicate)], 1, "never arrives"),
    ];
    for (rules, place, reason) in wrong {
        let refused = Adversary::new(rules.clone()).expect_err(reason);
        assert_eq!(refused.rule, place, "{refused}");
        assert!(refused.problem.contains(reason), "{refused}, not {reason}");
        let text = serde_json::to_string(&rules).unwrap();
        let read = serde_json::from_str::<Adversary>(&text).expect_err(reason);
        assert!(read.to_string().contains(reason), "{read}");
    }
}

#[test]
fn who_is_silent_for_a_while_can_lie_after_it() {
    let while_silent = Trigger { until: Some(10), ..Trigger::ALWAYS };
    let then = Trigger { from: Some(10), ..Trigger::ALWAYS };
    let silent = FaultRule::new(FaultKind::Silence, Scope::Node(FIRST)).when(while_silent);
    let lies = FaultRule::new(FaultKind::Contradict, Scope::Node(FIRST)).when(then);
    assert!(Adversary::new(vec![silent, lies]).is_ok());
}

#[test]
fn an_adversary_is_as_strong_as_its_strongest_ploy_and_two_liars_are_a_majority_in_the_making() {
    let contradict = |number| FaultRule::new(FaultKind::Contradict, Scope::Node(Actor::Validator(number)));
    let power = |rules: Vec<FaultRule>| Adversary::new(rules).unwrap().power();
    assert_eq!(power(vec![]), Capability::Order);
    assert_eq!(power(vec![rule(FaultKind::Replay), rule(FaultKind::Duplicate)]), Capability::Replay);
    assert_eq!(power(vec![contradict(0)]), Capability::LyingVote);
    assert_eq!(power(vec![contradict(0), contradict(1)]), Capability::LyingMajority);
    assert_eq!(
        power(vec![contradict(0), FaultRule::new(FaultKind::Lie, Scope::Node(Actor::Cloud))]),
        Capability::Cloud
    );
    let strengths = [
        FaultKind::Silence,
        FaultKind::Delay { by: 1 },
        FaultKind::Drop,
        FaultKind::Duplicate,
        FaultKind::Replay,
        FaultKind::Redirect,
        FaultKind::Corrupt,
        FaultKind::Contradict,
    ];
    assert!(strengths.is_sorted_by_key(|kind| kind.power(Some(FIRST))));
}

#[test]
fn a_budget_is_used_up_and_another_ploy_takes_over() {
    let adversary = Adversary::new(vec![
        rule(FaultKind::Duplicate).at_most(1),
        rule(FaultKind::Replay).at_most(1).when(Trigger { from: Some(10), ..Trigger::ALWAYS }),
    ])
    .unwrap();
    let act = Act { fault: ObservedFault::Again, from: FIRST, to: Actor::Bsd, message: Some("Vote") };
    let mut watch = Monitor::new(&adversary);
    assert!(watch.take(10, &act));
    assert!(!watch.take(9, &act), "it is too early for the second");
    assert!(watch.take(10, &act));
    assert!(!watch.take(10, &act));
}

proptest! {
    #[test]
    fn what_is_drawn_can_be_and_is_read_as_it_was_written(seed in any::<u64>(), users in 1_u8..=5, validators in 1_u8..=64) {
        let drawn = Adversary::draw(&mut ChaCha8Rng::seed_from_u64(seed), &setup(users, validators));
        let text = serde_json::to_string(&drawn).unwrap();
        prop_assert_eq!(serde_json::from_str::<Adversary>(&text).unwrap(), drawn);
    }

    #[test]
    fn the_least_adversary_does_what_was_done(acts in prop::collection::vec((0_u64..50, act()), 0..60)) {
        let mut acts = acts;
        acts.sort_by_key(|(time, _)| *time);
        let adversary = least(&acts, &[Actor::Bsd].into());
        let mut watch = Monitor::new(&adversary);
        for (time, act) in &acts {
            prop_assert!(watch.take(*time, act), "{} at {time} is not of {adversary:?}", act);
        }
        // And no more than that, but for those who never say anything.
        for (time, act) in acts.iter().filter(|(_, act)| !matches!(act.fault, ObservedFault::Withheld | ObservedFault::Lost)) {
            prop_assert!(!watch.take(*time, act), "{} at {time} once more", act);
        }
    }
}

fn act() -> impl Strategy<Value = Act> {
    let faults = [
        ObservedFault::Late(7),
        ObservedFault::Lost,
        ObservedFault::Overtook,
        ObservedFault::Again,
        ObservedFault::Redirected,
        ObservedFault::Corrupted,
        ObservedFault::Published,
        ObservedFault::Voted,
        ObservedFault::Said,
    ];
    let actors = [Actor::Bsd, Actor::Cloud, Actor::User(0), FIRST];
    let pick = prop::sample::select(actors.to_vec());
    (prop::sample::select(faults.to_vec()), pick.clone(), pick, prop::sample::select(vec!["Vote", "Block"]))
        .prop_map(|(fault, from, to, message)| Act { fault, from, to, message: Some(message) })
}
