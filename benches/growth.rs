//! What the k-th record costs: storing it, proving it, auditing it, with 10^2 to 10^6 records there already.
//!
//! `cargo bench -p bemr-benches --bench growth`. Besides criterion's output it prints one table of medians and, for
//! each line, the ratio of the largest size to the smallest: 1 is flat, 3 is logarithmic (log 10^6 / log 10^2), a few
//! times that is logarithmic in a memory that no cache holds, 10000 would be linear.

use bemr::audit::{AuditLog, Auditor, Outcome};
use bemr::crypto::{AeadKey, Digest, Domain, SigningKey, Suite};
use bemr::ledger::Ledger;
use bemr::merkle::{
    Frontier, MerkleTree, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion,
};
use bemr::store::{Commit, LogNodes, MemoryStore, RedbStore, Store};
use bemr::transparency::{CloudLog, LogOperator, verify_leaf};
use bemr::votes::ValidatorSet;
use bemr::wire::{
    Ballot, Block, ClosingRule, Entry, Genesis, Height, LeafKind, Name, PROTOCOL_VERSION, QuorumCertificate,
    Terminal, Time, VoteBody,
};
use bemr_spec::{Clause, Rules};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "a bench measures real time")]
use std::time::Instant;

const RULES: Rules = Rules::hardened();
const SIZES: [u64; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];
const BLOB: usize = 256;

type Table = BTreeMap<&'static str, Vec<(u64, Duration)>>;

fn name(text: &str) -> Name {
    Name::new(text).expect("a plain name")
}

fn tid(n: u64) -> Digest {
    Digest::of(Domain::TRANSACTION_ID, &n.to_be_bytes())
}

/// Runs `step`, which changes nothing, in criterion and keeps the median time of one run.
#[expect(clippy::disallowed_types, reason = "a bench measures real time")]
fn measure(c: &mut Criterion, table: &mut Table, line: &'static str, size: u64, mut step: impl FnMut()) {
    let mut samples = Vec::new();
    c.benchmark_group(line).bench_function(BenchmarkId::from_parameter(size), |bencher| {
        bencher.iter_custom(|runs| {
            let start = Instant::now();
            (0..runs).for_each(|_| step());
            let elapsed = start.elapsed();
            samples.push(elapsed / runs.max(1) as u32);
            elapsed
        });
    });
    keep_median(table, line, size, samples);
}

/// Runs `step`, which makes the store one larger, so few times that the size stays what the table says.
#[expect(clippy::disallowed_types, reason = "a bench measures real time")]
fn measure_growing(table: &mut Table, line: &'static str, size: u64, mut step: impl FnMut()) {
    let mut samples = Vec::new();
    for _ in 0..(size / 10).clamp(10, 200) {
        let start = Instant::now();
        step();
        samples.push(start.elapsed());
    }
    keep_median(table, line, size, samples);
}

fn keep_median(table: &mut Table, line: &'static str, size: u64, mut samples: Vec<Duration>) {
    samples.sort();
    table.entry(line).or_default().push((size, samples.get(samples.len() / 2).copied().unwrap_or_default()));
}

struct Cloud {
    log: CloudLog,
    key: SigningKey,
    identity: LogOperator,
}

impl Cloud {
    fn new() -> Cloud {
        let key = SigningKey::generate(Suite::Ristretto255, &mut ChaCha20Rng::seed_from_u64(1));
        let identity =
            LogOperator { network: name("net"), name: name("cloud"), key: key.verifying_key().clone() };
        let log = CloudLog::new(Suite::Ristretto255, name("net"), name("cloud"), Frontier::default());
        Cloud { log, key, identity }
    }

    /// Adds one record to a commit.
    fn record(&mut self, commit: Commit) -> Commit {
        let tid = tid(self.log.size());
        let appended = self.log.append(LeafKind::Record, tid, tid, Time(0));
        commit.record(&tid, AeadKey::from_bytes(*tid.as_bytes()), vec![7; BLOB]).leaf(&appended)
    }

    /// One acknowledged step: a record, its leaf, a signed head.
    fn store(&mut self, store: &mut impl Store) {
        let commit = self.record(Commit::new());
        let head = self.log.sign(&RULES, &self.key, Time(self.log.size()));
        store.commit(commit.cloud_head(&head)).expect("the disk has room");
    }

    /// Grows the store in batches, without a head for each record.
    fn fill(&mut self, store: &mut impl Store, to: u64) {
        while self.log.size() < to {
            let batch = (to - self.log.size()).min(10_000);
            let commit = (0..batch).fold(Commit::new(), |commit, _| self.record(commit));
            store.commit(commit).expect("the disk has room");
        }
        let head = self.log.sign(&RULES, &self.key, Time(self.log.size()));
        store.commit(Commit::new().cloud_head(&head)).expect("the disk has room");
    }
}

fn stores(c: &mut Criterion, table: &mut Table, lines: [&'static str; 3], store: &mut impl Store) {
    let mut cloud = Cloud::new();
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for size in SIZES {
        cloud.fill(store, size);
        let head = cloud.log.sign(&RULES, &cloud.key, Time(0)).head;
        let nodes = LogNodes::new(&RULES, &*store);
        measure(c, table, lines[1], size, || {
            let index = rng.random_range(0..head.size);
            let leaf = store.leaf(&RULES, index).expect("readable").expect("stored");
            let proof = prove_inclusion(&nodes, head.size, index).expect("stored");
            verify_leaf(&RULES, &head, &leaf, &proof).expect("the proof verifies");
        });
        measure(c, table, lines[2], size, || {
            let first = rng.random_range(1..head.size);
            let old = bemr::merkle::root_at(&nodes, first).expect("stored");
            let proof = prove_consistency(&nodes, first, head.size).expect("stored");
            assert!(verify_consistency((first, &old), (head.size, &head.root), &proof));
        });
        if let Some(path) = store.place() {
            disk_floor(table, path, size);
        }
        measure_growing(table, lines[0], size, || cloud.store(store));
    }
    bemr::transparency::verify_head(&RULES, &cloud.identity, &cloud.log.sign(&RULES, &cloud.key, Time(0)))
        .expect("own head");
}

/// What the disk alone takes to write one page and see it kept, at the time when the store is measured.
fn disk_floor(table: &mut Table, store: &Path, size: u64) {
    File::open(store).and_then(|file| file.sync_all()).expect("the disk has room");
    let mut file = File::create(store.with_extension("floor")).expect("the disk has room");
    measure_growing(table, "disk: write and sync 4 KiB", size, || {
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("the disk has room");
    });
}

/// An auditor and a network whose signatures are not looked at: their cost is constant and would hide the rest.
fn audits(table: &mut Table) -> Auditor {
    let rules = RULES.without(Clause::EntryHasQuorum).without(Clause::BlockHasQuorum);
    let cloud = Cloud::new();
    let validators = ValidatorSet::new(name("net"), BTreeMap::new());
    let genesis = Genesis {
        version: PROTOCOL_VERSION,
        network: name("net"),
        validators: validators.digest(),
        start: Time(0),
        rule: ClosingRule::Quorum,
    };
    let bsd = SigningKey::generate(Suite::Ristretto255, &mut ChaCha20Rng::seed_from_u64(3));
    let bsd = (name("bsd"), bsd.verifying_key().clone());
    let now = Time(u64::MAX / 2);
    let mut auditor =
        Auditor::new(&rules, now, genesis, validators, cloud.identity.clone(), bsd).expect("sound");
    let mut model = (cloud.log, AuditLog::new(Suite::Ristretto255, name("net"), name("bsd")), 0);
    for size in SIZES {
        while model.2 < size {
            let count = (size - model.2).min(1000);
            audit_step(&rules, &mut auditor, &mut model, count);
        }
        measure_growing(table, "audit step, no signatures", size, || {
            audit_step(&rules, &mut auditor, &mut model, 1)
        });
    }
    auditor
}

/// The tree alone, all its nodes in memory.
fn trees(c: &mut Criterion, table: &mut Table) {
    let mut tree = MerkleTree::default();
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    for size in SIZES {
        while tree.size() < size {
            tree.append(&tid(tree.size()));
        }
        let root = tree.root();
        measure(c, table, "tree: inclusion proof", size, || {
            let index = rng.random_range(0..size);
            let proof = tree.prove_inclusion(size, index).expect("a leaf of the tree");
            assert!(verify_inclusion(&root, size, &tid(index), &proof));
        });
    }
}

/// One block with `count` decisions, and a leaf and an audit entry for each.
fn audit_step(
    rules: &Rules,
    auditor: &mut Auditor,
    (log, entries, next): &mut (CloudLog, AuditLog, u64),
    count: u64,
) {
    let ledger: &Ledger = auditor.ledger();
    let validators = ledger.genesis().validators;
    let certificates: Vec<QuorumCertificate> = (*next..*next + count)
        .map(|n| QuorumCertificate {
            body: VoteBody {
                version: PROTOCOL_VERSION,
                suite: Suite::Ristretto255,
                network: name("net"),
                validators,
                tid: tid(n),
                block: tid(n),
                policy: Digest::default(),
                height: Height(1),
                ballot: Ballot::True,
                reason: 0,
            },
            signatories: Vec::new().into(),
        })
        .collect();
    let decisions = certificates.iter().cloned().map(Entry::Decision).collect();
    let block: Block = ledger.propose(decisions, Time(0), name("v")).close(Vec::new());
    auditor.block(&block).expect("consistent");
    for certificate in &certificates {
        let tid = certificate.body.tid;
        auditor.leaf(&log.append(LeafKind::Record, tid, tid, Time(0)).leaf).expect("consistent");
        let outcome = Outcome {
            tid,
            terminal: Terminal::Committed,
            reason: 0,
            block: Some(tid),
            decision: Some(certificate.digest()),
            seal: Some(tid),
            time: Time(0),
        };
        auditor.entry(&entries.append(rules, outcome).expect("open")).expect("consistent");
    }
    *next += count;
}

/// The resident memory of this process in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    status.split_whitespace().nth(1)?.parse::<u64>().ok().map(|pages| pages * 4096)
}

fn print(table: &Table) {
    println!("\nmedian of one step, by records already there, and the ratio of the last to the first");
    for (line, sizes) in table {
        let cells: Vec<String> = sizes.iter().map(|(size, time)| format!("{size}: {time:.1?}")).collect();
        let ratio = match (sizes.first(), sizes.last()) {
            (Some((_, first)), Some((_, last))) => last.as_secs_f64() / first.as_secs_f64(),
            _ => f64::NAN,
        };
        println!("{line:28} {}  ratio {ratio:.2}", cells.join("  "));
    }
}

fn growth(c: &mut Criterion) {
    let mut table = Table::new();
    let before_audit = resident();
    let audited = audits(&mut table);
    let audit_held = resident().zip(before_audit).map(|(after, before)| after.saturating_sub(before));
    let audited_records = audited.ledger().blocks().map(|block| u64::from(block.header().count)).sum::<u64>();
    let before = resident();
    let mut memory = MemoryStore::new();
    stores(
        c,
        &mut table,
        ["memory: store", "memory: inclusion proof", "memory: consistency proof"],
        &mut memory,
    );
    let records = memory.len(bemr::store::Table::Blobs).expect("in memory");
    let held = resident().zip(before).map(|(after, before)| after.saturating_sub(before));
    let bytes = memory.bytes();
    // Both at once until here: freed memory that is used again would not show.
    drop((memory, audited));
    let folder = tempfile::tempdir().expect("a folder for the store");
    let path = folder.path().join("growth");
    let mut redb = RedbStore::open(&path).expect("a new store");
    stores(c, &mut table, ["redb: store", "redb: inclusion proof", "redb: consistency proof"], &mut redb);
    let on_disk = redb.len(bemr::store::Table::Blobs).expect("readable");
    drop(redb);
    let file = std::fs::metadata(&path).map_or(0, |file| file.len());
    trees(c, &mut table);
    print(&table);
    println!(
        "\nper stored record, its {BLOB} bytes of ciphertext included ({records} records in memory, {on_disk} on disk):"
    );
    println!("  memory, keys and values:              {} bytes", bytes / records.max(1));
    if let Some(held) = held {
        println!("  memory, growth of the resident set:   {} bytes", held / records.max(1));
    }
    println!(
        "  disk, length of the database file:    {} bytes, its free pages included",
        file / on_disk.max(1)
    );
    if let Some(held) = audit_held {
        println!("  auditor, growth of the resident set:  {} bytes", held / audited_records.max(1));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
        .without_plots();
    targets = growth
}
criterion_main!(benches);
