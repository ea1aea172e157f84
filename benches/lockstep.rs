//! What a step in lockstep costs, with all that is compared and searched in it, and what it costs late in a long life.
//!
//! `cargo bench -p bemr-benches --bench lockstep`; with `BEMR_RATIOS=only` before it, the table alone. One thread; times are
//! those of the processor, where the system tells them. Drawing what happens next counts, and in short lives so does making
//! the network.

#![allow(clippy::disallowed_types, reason = "a bench measures real time")]

mod clock;

use bemr_lab::lockstep::{Campaign, Coverage, Driver, Lockstep};
use bemr_spec::Rules;
use clock::processor_time;
use criterion::{Criterion, SamplingMode};
use std::time::Duration;

/// Steps of a life as `bemr check` lives it.
const SHORT: usize = 400;

/// Steps of a long one, and of the parts that it is measured in.
const LONG: usize = 40_000;
const PART: usize = 4_000;

/// Long lives that the table is made from.
const RUNS: u64 = 12;

fn short_life(seed: u64) -> u64 {
    let campaign = Campaign { seed, runs: 1, steps: SHORT, sides: Rules::hardened().into() };
    let mut statistics = Coverage::default();
    campaign.live(seed, &mut statistics).expect("model and implementation agree");
    statistics.steps
}

/// How long each part of a long life took.
fn long_life(seed: u64) -> Vec<Duration> {
    let mut driver = Driver::new(seed);
    let setup = *driver.setup();
    let mut both = Lockstep::new(Rules::hardened(), &setup).expect("a driver's network");
    let mut parts = Vec::new();
    while both.steps() < LONG {
        let until = both.steps() + PART;
        let start = processor_time();
        while both.steps() < until {
            let action = driver.next(both.model()).expect("something can always happen");
            both.step(&action).expect("model and implementation agree");
        }
        parts.push(processor_time() - start);
    }
    parts
}

fn table() {
    let start = processor_time();
    let steps: u64 = (1..=RUNS * 25).map(short_life).sum();
    let short = processor_time() - start;
    println!("\nlives of {SHORT} steps: {:.0} steps a second", steps as f64 / short.as_secs_f64());
    let runs: Vec<Vec<Duration>> = (1..=RUNS).map(long_life).collect();
    println!("one life of {LONG} steps, mean of {RUNS}:");
    let mean = |part: usize| {
        let all: Duration = runs.iter().map(|parts| parts[part]).sum();
        all.as_secs_f64() / (runs.len() * PART) as f64
    };
    let parts = LONG / PART;
    for part in 0..parts {
        println!("  steps {:>5} to {:>5}: {:5.1} us", part * PART, (part + 1) * PART, mean(part) * 1e6);
    }
    let (first, middle, last) = (mean(0), mean(parts / 2), mean(parts - 1));
    println!(
        "  the last part to the first: {:.2}, to that in the middle: {:.2}",
        last / first,
        last / middle
    );
}

fn main() {
    if std::env::var("BEMR_RATIOS").is_ok() {
        return table();
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(1000))
        .without_plots()
        .configure_from_args();
    let mut group = criterion.benchmark_group("lockstep");
    group.sampling_mode(SamplingMode::Flat);
    let mut seed = 0;
    group.bench_function(format!("a life of {SHORT} steps"), |bencher| {
        bencher.iter_custom(|runs| {
            let start = processor_time();
            for _ in 0..runs {
                seed += 1;
                short_life(seed);
            }
            processor_time() - start
        });
    });
    group.finish();
    criterion.final_summary();
    table();
}
