//! A fault of one side is found, and what shows it is short, goes wrong in the same way, and can be kept and run again. Each
//! clause that the implementation alone does not keep is such a fault.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr_lab::lockstep::{Campaign, Failure, Lockstep, Sides, shrink};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_spec::{Clause, Rules};

/// Lives in which a fault has to show, and the steps of each.
const RUNS: u64 = 600;
const STEPS: usize = 400;

/// Clauses of every part of the protocol.
const FAULTS: &[Clause] = &[
    Clause::OneEncodingPerValue,
    Clause::ProtocolVersionIsOne,
    Clause::CommitmentRecomputed,
    Clause::CertificateWithinValidity,
    Clause::RoleMaySubmit,
    Clause::RoleFitsPlace,
    Clause::SessionIsFresh,
    Clause::FlightIsAuthentic,
    Clause::SequenceAdvances,
    Clause::DirectionIsIncoming,
    Clause::SealBeforeNextStage,
    Clause::RangeRule,
    Clause::TidIsDerived,
    Clause::TidIsFresh,
    Clause::InitialSenderIsPeer,
    Clause::RecordNotReused,
    Clause::BlockCarriesUserSignature,
    Clause::OneBlockPerTid,
    Clause::ValidCarriesUserSignature,
    Clause::DecisionIsFinal,
    Clause::VoterIsAdmitted,
    Clause::OneVotePerValidator,
    Clause::MoreThanTwoThirds,
    Clause::FirstDecisionStands,
    Clause::BlockLinksPrevious,
];

/// The most steps in which the lack of one has to be shown, and of half of them.
const MOST: usize = 40;
const MEDIAN: usize = 8;

fn fault(clause: Clause) -> Sides {
    let law = Rules::hardened();
    Sides { model: law, implementation: law.without(clause) }
}

fn campaign(clause: Clause) -> Campaign {
    Campaign { seed: 1, runs: RUNS, steps: STEPS, sides: fault(clause) }
}

fn found(clause: Clause) -> Failure {
    let failure = campaign(clause).run(|_| ()).failure;
    failure.unwrap_or_else(|| panic!("{}: nobody notices in {RUNS} lives", clause.id()))
}

/// Looks at the lack of one clause; gives how many steps show it.
fn shown(clause: Clause) -> usize {
    let Failure { seed, steps, short } = &found(clause);
    let length = short.actions.len();
    println!(
        "{}: seed {seed}, {steps} steps, then {length}: {} in {:?}",
        clause.id(),
        short.divergence,
        short.setup
    );
    for action in &short.actions {
        println!("    {}", serde_json::to_string(action).unwrap());
    }
    assert!(length <= MOST, "{}: {length} steps", clause.id());
    // It goes wrong at its last step, each time in the same way.
    let mut both = Lockstep::new(fault(clause), &short.setup).unwrap();
    let (last, before) = short.actions.split_last().unwrap();
    before.iter().for_each(|action| assert!(both.step(action).unwrap().is_some()));
    assert_eq!(*both.step(last).unwrap_err(), short.divergence);
    // Nothing more can be left out.
    let again = shrink(fault(clause), &short.setup, &short.actions).unwrap();
    assert_eq!((again.actions.len(), again.divergence.essence()), (length, short.divergence.essence()));
    // Its trace is a trace, and tells where it goes otherwise.
    let trace = Failure { seed: *seed, steps: *steps, short: short.clone() }.trace(fault(clause));
    let read = Trace::read(trace.to_bytes().as_slice()).unwrap();
    assert_eq!((read.steps.len(), read.header.rules.as_slice()), (length, [clause].as_slice()));
    assert!(
        matches!(rerun(&read), Replay::Diverges { step, .. } if step == length as u64),
        "{}: {:?}",
        clause.id(),
        rerun(&read)
    );
    length
}

#[test]
fn what_shows_a_fault_is_short_and_can_be_run_again() {
    let halves: [Vec<_>; 2] =
        [0, 1].map(|half| FAULTS.iter().copied().skip(half).step_by(2).collect::<Vec<_>>());
    let mut lengths: Vec<usize> = std::thread::scope(|scope| {
        let threads = halves
            .map(|half| scope.spawn(move || half.iter().map(|clause| shown(*clause)).collect::<Vec<_>>()));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    lengths.sort_unstable();
    assert!(lengths[lengths.len() / 2] <= MEDIAN, "{lengths:?}");
}

#[test]
fn the_same_life_becomes_the_same_short_one() {
    let [first, second] = [0, 1].map(|_| found(Clause::MoreThanTwoThirds));
    assert_eq!(first.trace(fault(Clause::MoreThanTwoThirds)), second.trace(fault(Clause::MoreThanTwoThirds)));
}

#[test]
fn a_life_in_which_the_two_agree_does_not_become_shorter() {
    let short = &found(Clause::SessionIsFresh).short;
    assert!(shrink(Rules::hardened(), &short.setup, &short.actions).is_none());
}

#[test]
fn of_the_lives_after_a_failure_the_shortest_is_shown() {
    let faults = [Clause::BlockLinksPrevious, Clause::MoreThanTwoThirds, Clause::FirstDecisionStands];
    let shorter = faults.map(|clause| {
        let first = found(clause);
        let best = campaign(clause).shortest(first.clone());
        let [before, after] = [&first, &best].map(|failure| failure.short.actions.len());
        println!("{}: {before} of seed {}, {after} of seed {}", clause.id(), first.seed, best.seed);
        assert!(after < before || best.seed == first.seed, "another one is taken only where it is shorter");
        let mut both = Lockstep::new(fault(clause), &best.short.setup).unwrap();
        assert!(best.short.actions.iter().any(|action| both.step(action).is_err()), "it shows the fault");
        after < before
    });
    assert!(shorter.contains(&true), "none became shorter");
}
