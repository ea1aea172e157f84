//! What one whole transaction costs, from submission to outcome, beside the sum of its group operations.
//!
//! `cargo bench -p bemr-benches --bench transaction`; with `BEMR_RATIOS=only` before it, the table alone, and with the
//! name of a suite, that suite's part of it. Every actor of the network runs in this one process and one thread;
//! sessions are established before. After each transaction the group operations of the next one are recorded, and then done again by
//! themselves, the same ones in the same order. There are two such floors: the operations one by one, with every signature
//! verified by itself by every actor that must know it; and the operations that were done, with signatures in batches and certificates
//! remembered. Times are those of the processor, where the system tells them, so that other work on the machine counts for
//! none. At the end comes the table of ratios, the medians over all rounds.

#![allow(clippy::disallowed_types, reason = "a bench measures real time")]

mod clock;

use bemr::crypto::Suite;
use bemr::crypto::operations::{self, Operation};
use bemr::records::{Record, SAMPLES};
use bemr::wire::Decision;
use bemr_lab::simulator::{Network, NetworkConfig};
use bemr_spec::Rules;
use clock::processor_time;
use criterion::{BenchmarkId, Criterion, SamplingMode};
use std::time::Duration;

/// A record of the median size of the sample.
const SAMPLE: &str = "MedicationRequest-medrx0309.json";
const VALIDATORS: [usize; 3] = [4, 16, 64];
/// In how many rounds the operations are done one by one, the first of all included, which counts for nothing.
const SINGLY: usize = 4;
/// More than any transaction takes, in virtual milliseconds.
const LIMIT: u64 = 600_000;
/// In this time the anchors of a transaction are in a block, in virtual milliseconds.
const QUIET: u64 = 10_000;

/// A network whose sessions are established, and its next record.
struct Running {
    network: Network,
    next: u64,
    rounds: usize,
}

/// Two transactions: how long one took, and what the group operations of the other take alone.
struct Round {
    whole: Duration,
    /// In the first rounds alone: it can take many times as long as the rest.
    singly: Option<Floor>,
    done: Floor,
}

/// Group operations by themselves.
struct Floor {
    time: Duration,
    operations: usize,
}

impl Floor {
    fn of(operations: &[Operation]) -> Floor {
        let start = processor_time();
        operations.iter().for_each(Operation::again);
        Floor { time: processor_time() - start, operations: operations.len() }
    }
}

impl Running {
    fn new(suite: Suite, validators: usize) -> Running {
        let network = NetworkConfig::new(suite, validators).build().expect("a fair config");
        let mut running = Running { network, next: 0, rounds: 0 };
        // The first transaction shakes every hand and makes every table.
        running.round();
        running
    }

    /// A record like no other: one cannot be submitted twice.
    fn record(&mut self) -> Record {
        let sample = SAMPLES.iter().find(|(name, _)| *name == SAMPLE);
        let (_, bytes) = sample.expect("one of the sample");
        self.next += 1;
        let text = std::str::from_utf8(bytes).expect("JSON is UTF-8");
        let fresh = text.replacen("\"id\": \"medrx0309\"", &format!("\"id\": \"rx-{}\"", self.next), 1);
        assert_ne!(text, fresh, "the sample has an id");
        Record::read(&Rules::hardened(), fresh.as_bytes()).expect("a record of the sample")
    }

    fn round(&mut self) -> Round {
        let whole = self.transaction();
        self.settle();
        operations::record();
        self.transaction();
        let recorded = operations::recorded();
        self.settle();
        self.rounds += 1;
        let singly = (self.rounds <= SINGLY).then(|| Floor::of(&recorded.singly));
        Round { whole, singly, done: Floor::of(&recorded.done) }
    }

    /// One transaction, and how long it took.
    fn transaction(&mut self) -> Duration {
        let record = self.record();
        let doctor = self.network.keys.roster.doctor.clone();
        let readers = [self.network.keys.roster.colleague.clone()];
        let network = &mut self.network;
        let start = processor_time();
        let tid = network
            .as_user(&doctor, |user, now| user.submit(now, &record, &readers))
            .expect("a valid record");
        let outcome = network.outcome(&doctor, &tid, LIMIT);
        let whole = processor_time() - start;
        assert_eq!(outcome.map(|outcome| outcome.decision), Some(Decision::Committed));
        whole
    }

    /// Lets the anchors of the last transaction get into a block.
    #[inline(never)]
    fn settle(&mut self) {
        self.network.run_for(QUIET);
    }
}

fn median<T: PartialOrd + Copy>(mut samples: Vec<T>) -> T {
    samples.sort_by(|a, b| a.partial_cmp(b).expect("times are numbers"));
    samples[samples.len() / 2]
}

fn transaction(c: &mut Criterion) {
    let mut lines = Vec::new();
    for &suite in Suite::ALL {
        let mut group = c.benchmark_group(format!("transaction {suite}"));
        group.sampling_mode(SamplingMode::Flat);
        for validators in VALIDATORS {
            let mut rounds = Vec::new();
            // Made only when a filter of the command line lets it run.
            let mut running = None;
            group.bench_function(BenchmarkId::from_parameter(validators), |bencher| {
                bencher.iter_custom(|runs| {
                    let running = running.get_or_insert_with(|| Running::new(suite, validators));
                    let new: Vec<Round> = (0..runs).map(|_| running.round()).collect();
                    let whole = new.iter().map(|round| round.whole).sum();
                    rounds.extend(new);
                    whole
                });
            });
            lines.extend(line(suite, validators, &rounds));
        }
    }
    table(&lines);
}

fn table(lines: &[String]) {
    println!(
        "\none transaction, beside the sum of its group operations: medians, and the median of the ratios"
    );
    lines.iter().for_each(|line| println!("{line}"));
}

/// The table without criterion, of every suite or of the one that is named: as many rounds of each as fit into a few
/// seconds, and at least nine.
fn ratios(which: &str) {
    let named = Suite::ALL.iter().any(|suite| suite.to_string() == which);
    assert!(named || which == "only", "BEMR_RATIOS is `only` or a suite, not `{which}`");
    let mut lines = Vec::new();
    for &suite in Suite::ALL.iter().filter(|suite| !named || suite.to_string() == which) {
        for validators in VALIDATORS {
            let mut running = Running::new(suite, validators);
            let end = processor_time() + Duration::from_secs(4);
            let mut rounds = Vec::new();
            while rounds.len() < 9 || processor_time() < end {
                rounds.push(running.round());
            }
            lines.extend(line(suite, validators, &rounds));
        }
    }
    table(&lines);
}

fn line(suite: Suite, validators: usize, rounds: &[Round]) -> Option<String> {
    if rounds.is_empty() {
        return None;
    }
    let milliseconds = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    let floor = |of: fn(&Round) -> Option<&Floor>| {
        let floors = || rounds.iter().filter_map(|round| Some((round.whole, of(round)?)));
        format!(
            "{:5} {:>9}, ratio {:.3}",
            median(floors().map(|(_, floor)| floor.operations).collect()),
            milliseconds(median(floors().map(|(_, floor)| floor.time).collect())),
            median(floors().map(|(whole, floor)| whole.as_secs_f64() / floor.time.as_secs_f64()).collect())
        )
    };
    let whole = milliseconds(median(rounds.iter().map(|round| round.whole).collect()));
    let note = if suite == Suite::Tiny { "  (no strength: for information)" } else { "" };
    Some(format!(
        "{suite:12} {validators:2} validators: {whole:>9}; one by one {}; as done {}{note}",
        floor(|round| round.singly.as_ref()),
        floor(|round| Some(&round.done))
    ))
}

fn main() {
    if let Ok(which) = std::env::var("BEMR_RATIOS") {
        return ratios(&which);
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(1000))
        .without_plots()
        .configure_from_args();
    transaction(&mut criterion);
    criterion.final_summary();
}
