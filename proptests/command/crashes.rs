//! A killed run leaves a store that is consistent and holds everything that was acknowledged.
//!
//! The trace tells what was acknowledged: an actor commits before it sends, and the trace line of a send is written
//! before the next event. The same run without a kill gives the expected rows.

use crate::{bemr, program, run};
use bemr::store::{RedbStore, Store, Table, for_each_row};
use bemr_lab::trace::Step;
use bemr_model::Actor;
use bemr_spec::Verdict;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

const KILLS: usize = 24;

/// What a network appends to and never takes back, with what an actor sends once it has.
const LOGS: [(Table, Actor, &str); 3] = [
    (Table::Leaves, Actor::Cloud, "Receipt"),
    (Table::CloudHeads, Actor::Cloud, "CloudHead"),
    (Table::AuditHeads, Actor::Bsd, "AuditHead"),
];

fn arguments(ledger: &str, store: &Path, trace: &Path) -> Vec<PathBuf> {
    let fixed = ["--ledger", ledger, "--store"].map(PathBuf::from);
    let trace = [PathBuf::from("--trace"), trace.to_owned()];
    fixed.into_iter().chain([store.to_owned()]).chain(trace).collect()
}

/// How often the trace says that `actor` sent `message`. The last line may have been cut short.
fn acknowledged(trace: &str, actor: Actor, message: &str) -> usize {
    let whole = trace.rfind('\n').map_or("", |end| &trace[..end]);
    let steps = whole.lines().skip(1).map(|line| serde_json::from_str::<Step>(line).unwrap());
    let sent = steps.filter(|step| step.actor == Some(actor) && step.verdict == Verdict::Accept);
    sent.map(|step| step.sends.iter().filter(|send| send.message == message).count()).sum()
}

fn rows(store: &RedbStore, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for_each_row(store, table, |key, value| {
        rows.push((key.to_vec(), value.to_vec()));
        Ok(())
    })
    .unwrap();
    rows
}

#[test]
fn a_killed_run_leaves_a_consistent_store_with_all_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: String| folder.path().join(name);
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let whole = ["quorum", "pow"].map(|ledger| {
        let (store, trace) = (at(format!("{ledger}-store")), at(format!("{ledger}-trace")));
        assert_eq!(run(arguments(ledger, &store, &trace)).code, 0);
        (ledger, RedbStore::open(store).unwrap(), fs::metadata(trace).unwrap().len())
    });
    let (mut with_progress, mut before_anything, mut unfinished) = (0, 0, 0);
    for kill in 0..KILLS {
        let (ledger, reference, length) = &whole[usize::from(kill % 4 == 3)];
        let (path, trace) = (at(format!("store-{kill}")), at(format!("trace-{kill}")));
        let mut child = program()
            .args(["run", "--suite", "tiny"])
            .args(arguments(ledger, &path, &trace))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // At a moment of the run's own progress, not of a clock that runs at the machine's pace; the first ones while
        // the store is being made.
        let moment = if kill < 4 { 0 } else { rng.random_range(1..*length) };
        while fs::metadata(&trace).map_or(0, |file| file.len()) < moment
            && child.try_wait().unwrap().is_none()
        {
            std::thread::sleep(Duration::from_micros(100));
        }
        std::thread::sleep(Duration::from_micros(rng.random_range(0..4_000)));
        child.kill().unwrap();
        unfinished += usize::from(!child.wait().unwrap().success());

        let trace = fs::read_to_string(&trace).unwrap_or_default();
        let audit = bemr([Path::new("audit"), Path::new("--store"), &path]);
        if audit.code == 2 {
            let said = ["no such file\n", "nothing is stored yet\n"];
            assert!(said.iter().any(|said| audit.err.ends_with(said)), "kill {kill}: {}", audit.err);
            assert_eq!(trace.lines().count(), 0, "kill {kill}: a trace begins when the network is stored");
            before_anything += 1;
            continue;
        }
        assert_eq!(audit.code, 0, "kill {kill}: {}{}", audit.out, audit.err);
        let store = RedbStore::open(&path).unwrap();
        for (table, actor, message) in LOGS {
            let (held, expected) = (rows(&store, table), rows(reference, table));
            let sent = acknowledged(&trace, actor, message);
            assert!(
                held.len() >= sent,
                "kill {kill}: {table:?} has {} rows, {sent} acknowledged",
                held.len()
            );
            assert!(expected.starts_with(&held), "kill {kill}: {table:?} is no prefix of the whole run's");
        }
        assert!(rows(reference, Table::AuditEntries).starts_with(&rows(&store, Table::AuditEntries)));
        for (tid, blob) in rows(&store, Table::Blobs) {
            assert_eq!(reference.get(Table::Blobs, &tid).unwrap(), Some(blob), "kill {kill}");
        }
        let leaves = store.len(Table::Leaves).unwrap();
        assert_eq!(store.len(Table::Blobs).unwrap(), leaves, "kill {kill}: nothing is erased here");
        with_progress += usize::from(leaves > 0);
    }
    println!(
        "{KILLS} kills: {unfinished} hit a run, {before_anything} before anything, {with_progress} after a record"
    );
    assert!(unfinished >= 20, "only {unfinished} hit a run that was not over");
    assert!(with_progress >= 6, "only {with_progress} after a record was stored");
}
