//! Runs of the real protocol with validators that lie, beside the Monte-Carlo of its rule.

use bemr::crypto::Suite;
use bemr::records::{Record, SAMPLES};
use bemr::wire::{Ballot, Decision};
use bemr_lab::experiment::{Expedition, GridPoint, Played, Share};
use bemr_lab::simulator::{ByzantinePolicy, NetworkConfig, Node};

fn expedition(points: &[(Played, usize)], transactions: usize) -> Expedition {
    let spot = |(played, tenths): &(Played, usize)| GridPoint {
        played: *played,
        share: Share::SWEEP[*tenths],
        under_way: 1,
    };
    let spots = points.iter().map(spot).collect();
    Expedition { seed: 1, suite: Suite::Tiny, validators: 20, transactions, prior: 0.5, spots }
}

#[test]
fn the_real_protocol_falls_within_the_monte_carlo_of_its_rule() {
    let points = [
        (Played::Falsify, 2),
        (Played::Falsify, 3),
        (Played::Falsify, 7),
        (Played::BlackHole, 3),
        (Played::Mixed, 7),
    ];
    let points = expedition(&points, 60).run(2, |_| ()).expect("nothing refuses it");
    assert_eq!(points.len(), 5);
    for point in &points {
        let seen = &point.seen;
        assert!(point.inside, "{point:?}");
        assert_eq!(seen.all(), 60, "every submission has an end");
        assert_eq!(seen.ends[0][0], 0, "nothing wrong is stored");
        assert_eq!(seen.ends[1][1], 0, "nothing right is rejected");
        assert_eq!(seen.read_back, seen.ends[1][0], "what is stored is read back");
        assert_eq!((seen.double, seen.audited), (0, 60), "one audited end each");
        assert_eq!(seen.late, 0, "no attempt comes too late when one is under way at a time");
    }
    assert!(points[0].cdr > 0.9 && points[2].cdr == 0.0, "the points are not all alike");
}

#[test]
fn the_real_protocol_does_the_same_for_the_same_seed() {
    let go = |seed| {
        let expedition = Expedition { seed, ..expedition(&[(Played::Mixed, 3)], 12) };
        expedition.run(1, |_| ()).expect("nothing refuses it").remove(0).seen
    };
    assert_eq!(go(1), go(1));
    assert_ne!(go(1).delays, go(2).delays);
}

#[test]
fn with_many_under_way_later_attempts_come_too_late_and_that_explains_what_is_deferred_more() {
    let spots = vec![GridPoint { played: Played::Falsify, share: Share::SWEEP[3], under_way: 16 }];
    let expedition = Expedition { prior: 1.0, spots, ..expedition(&[], 120) };
    let point = expedition.run(1, |_| ()).expect("nothing refuses it").remove(0);
    assert!(point.seen.late > 0, "{point:?}");
    assert!(point.explained, "{point:?}");
    assert_eq!(point.seen.ends[1][1], 0, "nothing right is rejected for it");
}

/// A network of four in which one behaves so; what its vote on a valid record was, and how the record ended.
fn one_of_four(policy: ByzantinePolicy) -> (Vec<Ballot>, Option<Decision>, usize) {
    let config = NetworkConfig { policies: vec![policy], ..NetworkConfig::new(Suite::Tiny, 4) };
    let rules = config.rules;
    let mut network = config.build().expect("a network");
    let doctor = network.keys.roster.doctor.clone();
    let record = Record::read(&rules, SAMPLES[0].1).expect("a record of the sample");
    let tid = network.as_user(&doctor, |user, now| user.submit(now, &record, &[])).expect("it is valid");
    let mut votes = 0;
    let liar = network.keys.roster.validators[0].clone();
    let outcomes = network.outcomes(&doctor, &[tid], 600_000, |event| {
        votes +=
            usize::from(event.from.as_ref() == Some(&liar) && event.event == bemr_spec::Event::VoteArrived);
    });
    let outcome = outcomes.into_iter().find_map(|(_, outcome)| outcome).map(|outcome| outcome.decision);
    let honest = match network.node(&liar) {
        Some(Node::ByzantineValidator(insider)) => {
            insider.validator().votes().map(|vote| vote.body.ballot).collect()
        }
        _ => Vec::new(),
    };
    (honest, outcome, votes)
}

#[test]
fn one_liar_among_four_changes_nothing_and_the_absent_says_nothing() {
    let (honest, outcome, votes) = one_of_four(ByzantinePolicy::FALSIFY);
    assert_eq!((honest, outcome), (vec![Ballot::True], Some(Decision::Committed)));
    assert!(votes > 0, "its lie arrives, signed");
    let (_, outcome, votes) = one_of_four(ByzantinePolicy::Absent);
    assert_eq!((outcome, votes), (Some(Decision::Committed), 0));
    let (_, outcome, votes) = one_of_four(ByzantinePolicy::Flawed { falsify: 0.0, silence: 1.0 });
    assert_eq!((outcome, votes), (Some(Decision::Committed), 0));
}
