//! Model and implementation side by side, through many random lives.

use bemr::conformance::lockstep::{Campaign, Statistics};
use bemr_spec::Rules;

#[test]
fn model_and_implementation_agree_through_random_lives() {
    let campaign = Campaign { seed: 0, lives: 40, steps: 400, rules: Rules::hardened() };
    let mut statistics = Statistics::default();
    let mut failures = Vec::new();
    for seed in 0..std::env::var("LIVES").map_or(300, |n| n.parse().unwrap()) {
        if let Err(failure) = campaign.live(seed, &mut statistics) {
            failures.push(failure);
        }
    }
    println!("{} failures, {:#?}", failures.len(), statistics);
    failures.sort_by_key(|failure| failure.actions.len());
    let mut seen = std::collections::BTreeSet::new();
    for failure in &failures {
        let text = failure.divergence.to_string();
        let key: String = text.chars().take(28).collect();
        if seen.insert(key) && seen.len() < 9 {
            println!("\nseed {}, {:?}, {} steps", failure.seed, failure.setup, failure.steps);
            for action in &failure.actions {
                println!("{}", serde_json::to_string(action).unwrap());
            }
            println!("{text}");
        }
    }
    assert!(failures.is_empty());
}
