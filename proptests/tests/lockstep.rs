//! Model and implementation side by side, through many random lives.

use bemr::conformance::lockstep::Campaign;
use bemr_spec::Rules;

#[test]
fn model_and_implementation_agree_through_random_lives() {
    let campaign = Campaign { seed: 0, lives: 40, steps: 400, rules: Rules::hardened() };
    let report = campaign.run(|_| ());
    if let Some(failure) = &report.failure {
        for action in &failure.actions {
            println!("{}", serde_json::to_string(action).unwrap());
        }
        panic!("seed {}, {:?}, {} steps: {}", failure.seed, failure.setup, failure.steps, failure.divergence);
    }
    println!("{:#?}", report.statistics);
}
