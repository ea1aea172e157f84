//! Adversaries that are given as data: what they do is what they say, and the protocol bears them.

use bemr_lab::faults::{Adversary, Capability, FaultKind, NAMED, NamedAdversary};
use bemr_lab::lockstep::{
    AdversarialDriver, Campaign, Coverage, Divergence, Failure, Lockstep, Sides, drawn, trace_of,
};
use bemr_lab::trace::{Flaw, Trace};
use bemr_model::{Action, Actor, Execution, Happened, LedgerKind, Lifetimes, Setup, final_blocks_agree};
use bemr_spec::{Clause, Rules};
use std::collections::BTreeSet;
use std::sync::OnceLock;

const RULES: Rules = Rules::hardened();
const STEPS: usize = 400;

fn setup(seed: u64, users: u8, validators: u8, ledger: LedgerKind) -> Setup {
    Setup {
        users,
        validators,
        ledger,
        seed,
        established: !seed.is_multiple_of(2),
        lifetimes: Lifetimes::LONG,
    }
}

fn told(name: &str, failure: &Failure) -> String {
    let text = String::from_utf8(failure.trace(RULES).to_bytes()).expect("a trace is text");
    format!("{name}, seed {}: {}\n{text}", failure.seed, failure.short.divergence)
}

fn live(name: &str, adversary: &Adversary, setup: &Setup, statistics: &mut Coverage) -> Vec<Action> {
    let campaign = Campaign { seed: 0, runs: 1, steps: STEPS, sides: RULES.into() };
    let lived = campaign.live_under(adversary, setup, statistics);
    lived.unwrap_or_else(|failure| panic!("{}", told(name, &failure)))
}

/// The trace of a life, which says under which adversary it was lived.
fn trace(adversary: &Adversary, setup: &Setup, actions: &[Action]) -> Trace {
    let mut trace = trace_of(RULES, setup, actions);
    trace.header.adversary = Some(adversary.clone());
    trace
}

/// Networks for an adversary: closed by quorum, small and larger, and by work.
fn networks(named: &NamedAdversary) -> impl Iterator<Item = (Adversary, Setup)> {
    let sizes = [(4, LedgerKind::Quorum), (7, LedgerKind::Quorum), (4, LedgerKind::Work)];
    (0..).zip(sizes).map(|(seed, (validators, ledger))| {
        let adversary = named.of(validators).expect("a test of its own says so");
        (adversary, setup(seed, 5, validators, ledger))
    })
}

/// A life under a named adversary.
struct Lived {
    named: &'static NamedAdversary,
    adversary: Adversary,
    setup: Setup,
    actions: Vec<Action>,
}

/// Four lives of every named adversary in each of its networks, and what happened in them.
fn named_lives() -> &'static (Vec<Lived>, Coverage) {
    static RUNS: OnceLock<(Vec<Lived>, Coverage)> = OnceLock::new();
    RUNS.get_or_init(|| {
        let (mut lives, mut statistics) = (Vec::new(), Coverage::default());
        for named in NAMED {
            for (adversary, setup) in networks(named) {
                for seed in 0..4 {
                    let setup = Setup { seed: setup.seed + 3 * seed, ..setup };
                    let actions = live(named.name, &adversary, &setup, &mut statistics);
                    lives.push(Lived { named, adversary: adversary.clone(), setup, actions });
                }
            }
        }
        (lives, statistics)
    })
}

#[test]
fn model_and_implementation_agree_under_every_named_adversary_and_no_goal_is_broken() {
    let (_, statistics) = named_lives();
    println!("{} steps, {:?}", statistics.steps, statistics.ends);
    assert!(statistics.ends.get("committed").is_some_and(|committed| *committed > 300));
}

/// Whether, after a step of a life under this adversary, a block that is final for somebody is another one than that of the same
/// height that is final for another.
fn parts(name: &str, adversary: &Adversary, setup: &Setup) -> bool {
    let mut both = Lockstep::new(RULES, setup).expect("a fair network");
    let mut plotted = AdversarialDriver::new(adversary, setup);
    while both.steps() < STEPS {
        let Some(action) = plotted.next(both.model()) else { break };
        if let Err(found) = both.step(&action) {
            // Which shows it made short.
            live(name, adversary, setup, &mut Coverage::default());
            panic!("{name}: {found}");
        }
        if !final_blocks_agree(both.model().system()) {
            return true;
        }
    }
    false
}

#[test]
fn who_is_cut_off_where_blocks_are_closed_by_work_takes_for_final_what_others_do_not_and_a_quorum_prevents_it()
 {
    for name in ["partition", "private-fork"] {
        let adversary = NamedAdversary::find(name).and_then(|named| named.of(4).ok()).expect("it has a name");
        let parted = |ledger| (0..200).any(|seed| parts(name, &adversary, &setup(seed, 5, 4, ledger)));
        assert!(parted(LedgerKind::Work), "{name} parts nothing");
        assert!(!parted(LedgerKind::Quorum), "{name} parts what a quorum closed");
    }
}

#[test]
fn model_and_implementation_agree_under_adversaries_drawn_by_chance() {
    let mut statistics = Coverage::default();
    let mut powers = BTreeSet::new();
    for seed in 0..400 {
        let (adversary, setup) = drawn(seed);
        powers.insert(adversary.power());
        live("drawn", &adversary, &setup, &mut statistics);
    }
    println!("{} steps, {powers:?}", statistics.steps);
    assert!(powers.len() >= 12, "{powers:?}");
}

#[test]
fn a_named_adversary_does_what_its_ploys_say_and_nothing_else() {
    let (lives, _) = named_lives();
    for named in NAMED {
        let (mut done, mut wanted) = (BTreeSet::new(), BTreeSet::new());
        for life in lives.iter().filter(|life| life.named.name == named.name) {
            wanted.extend(life.adversary.rules().iter().map(|rule| rule.kind.word()));
            let trace = trace(&life.adversary, &life.setup, &life.actions);
            let read = Trace::read(&*trace.to_bytes())
                .unwrap_or_else(|error| panic!("{}, seed {}: {error}", named.name, life.setup.seed));
            done.extend(read.adversary().rules().iter().map(|rule| rule.kind));
        }
        // As it shows from outside: what never arrives is lost or silent, what comes again is repeated.
        for word in wanted {
            let shown = done.iter().any(|kind| match word {
                "silence" | "drop" => kind.withholds() || matches!(kind, FaultKind::Delay { .. }),
                "duplicate" | "replay" => *kind == FaultKind::Replay,
                "contradict" | "equivocate" => *kind == FaultKind::Equivocate,
                // A lie of a validator is mostly a vote.
                "lie" => matches!(kind, FaultKind::Lie | FaultKind::Equivocate),
                word => kind.word() == word,
            });
            assert!(shown, "{}: {word} is not among {done:?}", named.name);
        }
    }
}

#[test]
fn a_trace_that_does_more_than_its_adversary_is_inconsistent() {
    let named = NamedAdversary::find("falsification-node").expect("it is there");
    let (adversary, setup) = networks(named).next().expect("a network");
    let actions = live(named.name, &adversary, &setup, &mut Coverage::default());
    let trace = trace(&Adversary::NOBODY, &setup, &actions);
    let refused = Trace::read(&*trace.to_bytes()).expect_err("somebody lied");
    assert_eq!(refused.flaw, Flaw::Inconsistent, "{refused}");
    assert!(refused.to_string().contains("header's adversary"), "{refused}");
    // What it took is told, and suffices.
    let mut least = trace.clone();
    least.header.adversary = Some(trace.adversary());
    assert!(Trace::read(&*least.to_bytes()).is_ok());
    assert!(trace.adversary().power() <= adversary.power(), "{:?}", trace.adversary());
}

#[test]
fn an_honest_life_takes_no_adversary() {
    for seed in 0..20 {
        let setup = setup(seed, 3, 4, LedgerKind::Quorum);
        let actions = live("nobody", &Adversary::NOBODY, &setup, &mut Coverage::default());
        let trace = trace(&Adversary::NOBODY, &setup, &actions);
        assert_eq!(trace.adversary(), Adversary::NOBODY, "seed {seed}");
        assert!(Trace::read(&*trace.to_bytes()).is_ok(), "seed {seed}");
        assert_eq!(trace.adversary().power(), Capability::Order);
    }
}

/// What became of each step of a life, in the model.
fn told_by_the_model(setup: &Setup, actions: &[Action]) -> Vec<Happened> {
    let mut model = Execution::new(RULES, setup);
    actions.iter().filter_map(|action| model.step(action)).collect()
}

#[test]
fn what_leaks_opens_what_is_said_after_it_and_nothing_that_was_said_before() {
    let thief = NamedAdversary::find("thief").expect("it is there");
    let (mut opened, mut leaks) = (0, 0);
    for seed in 0..20 {
        let (adversary, setup) =
            (thief.of(4).expect("four are enough"), setup(seed, 5, 4, LedgerKind::Quorum));
        let actions = live(thief.name, &adversary, &setup, &mut Coverage::default());
        let happened = told_by_the_model(&setup, &actions);
        assert_eq!(happened.len(), actions.len());
        // The victim took it, or sent it, before anybody read its memory.
        let (mut sent, mut touched, mut leaked) = (Vec::new(), std::collections::BTreeMap::new(), Vec::new());
        for (step, (action, after)) in actions.iter().zip(&happened).enumerate() {
            if let Action::Deliver { envelope } = action {
                touched.entry((*envelope, after.actor)).or_insert(step);
            }
            if let Action::Leak { actor } = action {
                leaked.push((step, *actor));
                leaks += 1;
                opened += after.opened.len();
                for envelope in &after.opened {
                    let (from, to): (Actor, Actor) = sent[*envelope as usize];
                    let fair = leaked.iter().any(|(when, victim)| {
                        let touched_first =
                            |end: Actor| touched.get(&(*envelope, end)).is_some_and(|touch| touch < when);
                        *victim == to && !touched_first(to)
                            || *victim == from
                                && touched.get(&(*envelope, from)).is_none_or(|sent| sent > when)
                    });
                    assert!(fair, "seed {seed}, step {step}: envelope {envelope} from {from} to {to}");
                }
            }
            let everybody = bemr_lab::trace::everybody(&setup);
            let by = after.actor;
            let others: Vec<Actor> = everybody.filter(|other| *other != by).collect();
            for output in &after.sends {
                for to in output.to().map_or_else(|| others.clone(), |one| vec![one]) {
                    touched.insert((sent.len() as u32, by), step);
                    sent.push((by, to));
                }
            }
        }
    }
    assert!(leaks > 50 && opened > 50, "{leaks} leaks opened {opened}");
}

#[test]
fn where_old_keys_stay_at_hand_a_leak_opens_the_past_and_breaks_the_goal_of_keys() {
    let thief = NamedAdversary::find("thief").expect("it is there").of(4).expect("four are enough");
    let without = RULES.without(Clause::SequenceAdvances);
    let diverge = |sides: Sides, seed| {
        let campaign = Campaign { seed, runs: 1, steps: STEPS, sides };
        let setup = setup(seed, 5, 4, LedgerKind::Quorum);
        campaign.live_under(&thief, &setup, &mut Coverage::default()).err().map(|failure| *failure)
    };
    let both = (0..10).find_map(|seed| diverge(without.into(), seed)).expect("a goal is broken");
    assert_eq!(both.short.divergence, Divergence::Goal("G-KEY"));
    let least = both.trace(without).adversary();
    assert_eq!(least.power(), Capability::Leak);
    assert!(both.short.actions.len() <= 8, "{:?}", both.short.actions);
    let one = Sides { model: RULES, implementation: without };
    let one = (0..10).find_map(|seed| diverge(one, seed)).expect("the two part");
    assert!(matches!(one.short.divergence, Divergence::Opened { .. }), "{}", one.short.divergence);
}
