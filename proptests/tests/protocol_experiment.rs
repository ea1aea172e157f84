//! Runs of the real protocol with validators that lie, beside the Monte-Carlo of its rule.

use bemr::crypto::Suite;
use bemr::experiment::{Adversary, Expedition, Share};

#[test]
fn the_real_protocol_falls_within_the_monte_carlo_of_its_rule() {
    let points = vec![
        (Adversary::Falsify, Share::SWEEP[2]),
        (Adversary::Falsify, Share::SWEEP[3]),
        (Adversary::Falsify, Share::SWEEP[7]),
        (Adversary::BlackHole, Share::SWEEP[3]),
        (Adversary::Mixed, Share::SWEEP[7]),
    ];
    let expedition =
        Expedition { seed: 1, suite: Suite::Tiny, validators: 20, transactions: 60, prior: 0.5, points };
    let points = expedition.run(2, |_| ()).unwrap();
    for point in &points {
        println!("{point:?}");
    }
    assert!(points.iter().all(|point| point.inside));
}
