//! The store on a path: processes that are killed, files that are damaged.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use bemr::crypto::{AeadKey, Digest, Domain, SigningKey, Suite};
use bemr::merkle::{prove_consistency, prove_inclusion, verify_consistency};
use bemr::store::{Commit, LogNodes, RedbStore, Store, StoreError, Table, recover};
use bemr::transparency::{CloudLog, LogOperator, verify_leaf};
use bemr::wire::{LeafKind, Name, Time};
use bemr_spec::{Clause, Rules};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const RULES: Rules = Rules::hardened();

/// Where the child of the kill test finds its store.
const CHILD_STORE: &str = "BEMR_TEST_CHILD_STORE";

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn cloud() -> (SigningKey, LogOperator) {
    let key = SigningKey::generate(Suite::Ristretto255, &mut ChaCha20Rng::seed_from_u64(1));
    let identity =
        LogOperator { network: name("net"), name: name("cloud"), key: key.verifying_key().clone() };
    (key, identity)
}

fn tid(n: u64) -> Digest {
    Digest::of(Domain::TRANSACTION_ID, &n.to_be_bytes())
}

fn vault_key(n: u64) -> AeadKey {
    AeadKey::from_bytes(*Digest::of(Domain::RECORD_KEY, &n.to_be_bytes()).as_bytes())
}

/// The bytes of a record: of several pages, each record another length.
fn blob(n: u64) -> Vec<u8> {
    (0..200 + n % 7 * 3000).map(|i| (i * 31 + n * 17) as u8).collect()
}

/// What step `index` of every history does: each seventh erases the record of three steps before, others store one.
fn erases(index: u64) -> Option<u64> {
    (index % 7 == 6).then(|| index - 3)
}

/// One step as a cloud does it: one commit.
fn step(store: &mut RedbStore, log: &mut CloudLog, key: &SigningKey) -> Result<(), StoreError> {
    let index = log.size();
    let commit = match erases(index) {
        Some(erased) => {
            let appended = log.append(LeafKind::Erase, tid(erased), tid(index), Time(index));
            Commit::new().erase(&tid(erased), b"order".to_vec()).leaf(&appended)
        }
        None => {
            let appended = log.append(LeafKind::Record, tid(index), tid(index), Time(index));
            let commit = Commit::new().record(&tid(index), vault_key(index), blob(index)).leaf(&appended);
            commit.grant(&tid(index), &name("reader"), b"grant".to_vec())
        }
    };
    store.commit(commit.cloud_head(&log.sign(&RULES, key, Time(index))))
}

/// Opens the store, checks it against its head and reads all of it: whatever is there is right and proven.
/// The size and root of its log.
fn inspect(path: &Path) -> Result<(u64, Digest), StoreError> {
    let store = RedbStore::open(path)?;
    let (_, identity) = cloud();
    let recovered = recover(&RULES, &store, &identity)?;
    let Some(signed) = recovered.head else { return Ok((0, recovered.frontier.root())) };
    let nodes = LogNodes::new(&RULES, &store);
    let size = signed.head.size;
    for index in 0..size {
        let leaf = store.leaf(&RULES, index)?.expect("recovered");
        let proof = prove_inclusion(&nodes, size, index)?;
        verify_leaf(&RULES, &signed.head, &leaf, &proof).unwrap();
        let erased = (index..size).any(|later| erases(later) == Some(index)) || erases(index).is_some();
        assert_eq!(store.blob(&tid(index))?, (!erased).then(|| blob(index)), "record {index}");
        let key = store.vault_key(&tid(index))?;
        assert_eq!(key.map(|key| *key.expose()), (!erased).then(|| *vault_key(index).expose()));
        let grant = store.grant(&tid(index), &name("reader"))?;
        assert_eq!(grant.is_some(), !erased);
    }
    Ok((size, signed.head.root))
}

fn fill(path: &Path, steps: u64) {
    let (key, identity) = cloud();
    let mut store = RedbStore::open(path).unwrap();
    let frontier = recover(&RULES, &store, &identity).unwrap().frontier;
    let mut log = CloudLog::new(Suite::Ristretto255, name("net"), name("cloud"), frontier);
    for _ in 0..steps {
        step(&mut store, &mut log, &key).unwrap();
    }
}

/// What the harness calls [`child_appends_until_it_is_killed`].
const CHILD: &str = "store::child_appends_until_it_is_killed";

/// Not a test of its own: what [`a_killed_process_loses_nothing_acknowledged`] starts and kills.
#[test]
fn child_appends_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD_STORE) else { return };
    let (key, identity) = cloud();
    let mut store = RedbStore::open(path).unwrap();
    let frontier = recover(&RULES, &store, &identity).unwrap().frontier;
    let mut log = CloudLog::new(Suite::Ristretto255, name("net"), name("cloud"), frontier);
    let mut out = std::io::stdout();
    loop {
        step(&mut store, &mut log, &key).unwrap();
        writeln!(out, "ack {} {}", log.size(), log.root()).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    const KILLS: usize = 40;
    /// More than a step takes on any machine.
    const PATIENCE: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (mut acknowledged, mut root) = (0, bemr::merkle::empty_root());
    let (mut with_progress, mut in_flight) = (0, 0);
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", CHILD, "--nocapture", "--test-threads=1"])
            .env(CHILD_STORE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (says, heard) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let lines = stdout.lines().map_while(Result::ok).filter(|line| line.contains("ack "));
            lines.for_each(|line| says.send(line).unwrap_or_default());
        });
        // Some are killed as they begin, the others while they work, however slow the machine is.
        let mut lines: Vec<String> = Vec::new();
        let delay = if kill.is_multiple_of(4) { 2_000..60_000 } else { 0..10_000 };
        if !kill.is_multiple_of(4) {
            let waited = (0..rng.random_range(1..8)).map(|_| heard.recv_timeout(PATIENCE));
            lines.extend(waited.map(|line| line.expect("the child acknowledges")));
        }
        std::thread::sleep(Duration::from_micros(rng.random_range(delay)));
        assert!(child.try_wait().unwrap().is_none(), "kill {kill}: the child ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap();
        lines.extend(heard);
        let before = acknowledged;
        // The kill may cut the last line short; a line that is whole was acknowledged.
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let at = words.iter().position(|word| *word == "ack").unwrap();
            if let (Some(size), Some(Ok(digest))) = (
                words.get(at + 1).and_then(|size| size.parse().ok()),
                words.get(at + 2).map(|word| word.parse()),
            ) {
                (acknowledged, root) = (size, digest);
            }
        }
        with_progress += usize::from(acknowledged > before);
        if !path.exists() {
            assert_eq!(acknowledged, 0);
            continue;
        }
        let (size, found) = inspect(&path).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
        assert!(size >= acknowledged, "kill {kill}: {size} of {acknowledged} acknowledged");
        assert!(size <= acknowledged + 1, "kill {kill}: only the step in flight may be there beyond");
        in_flight += usize::from(size > acknowledged);
        let store = RedbStore::open(&path).unwrap();
        let proof = prove_consistency(&LogNodes::new(&RULES, &store), acknowledged, size).unwrap();
        assert!(verify_consistency((acknowledged, &root), (size, &found), &proof));
        (acknowledged, root) = (size, found);
    }
    println!("{KILLS} kills, {with_progress} after progress, {in_flight} between commit and acknowledgement");
    assert!(with_progress >= KILLS * 3 / 4, "only {with_progress} kills hit a working child");
    assert!(acknowledged >= KILLS as u64);
}

#[test]
fn two_openers_of_one_store_exclude_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let _first = RedbStore::open(&path).unwrap();
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[test]
fn what_is_not_a_store_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thing");
    for content in [&b""[..], b"x", &[0; 4096], &[7; 100_000], b"redb\x1a\x0a\xa9\x0d\x0a and no more"] {
        std::fs::write(&path, content).unwrap();
        let error = RedbStore::open(&path).unwrap_err();
        assert_eq!(error.clause(), Some(Clause::StoreMatchesHead), "{error}");
        assert!(error.to_string().contains("thing") && error.to_string().contains("CLD-06"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), content, "a stranger's file is left as it is");
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(RedbStore::open(&path), Err(StoreError::Unavailable { .. })));
    let orphan = folder.path().join("gone");
    std::fs::write(folder.path().join("gone.keys"), [1; 32]).unwrap();
    assert_eq!(RedbStore::open(orphan).unwrap_err().clause(), Some(Clause::StoreMatchesHead));
}

#[test]
fn the_store_of_another_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fill(&path, 3);
    let store = RedbStore::open(&path).unwrap();
    let (_, mut identity) = cloud();
    identity.network = name("other");
    let error = recover(&RULES, &store, &identity).unwrap_err();
    assert_eq!(error.clause(), Some(Clause::StoreMatchesHead));
}

/// A copy of the store at `from`, under a fresh name.
fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    std::fs::copy(keys(from), keys(to)).unwrap();
}

fn keys(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.keys", path.display()))
}

#[test]
fn a_damaged_file_is_answered_with_an_error_or_with_a_committed_prefix() {
    const STEPS: u64 = 18;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fill(&path, STEPS);
    let (whole, _) = inspect(&path).unwrap();
    assert_eq!(whole, STEPS);
    let bytes = std::fs::read(&path).unwrap();
    let key_bytes = std::fs::read(keys(&path)).unwrap();
    let used = bytes.chunks(512).rposition(|chunk| chunk.iter().any(|byte| *byte != 0)).unwrap() * 512;
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (mut refused, mut survived) = (0, 0);
    let hurt = folder.path().join("hurt");
    for round in 0..160 {
        copy(&path, &hurt);
        let (mut damaged, mut damaged_keys) = (bytes.clone(), key_bytes.clone());
        match round % 5 {
            // Every kind hits the header, where all hangs together, as often as the rest.
            0 => damaged[round / 5 * 10 % 320] ^= 1 << rng.random_range(0..8),
            1 => damaged[rng.random_range(0..used)] ^= 1 << rng.random_range(0..8),
            2 => damaged.truncate(rng.random_range(0..bytes.len())),
            3 => {
                let start = rng.random_range(0..used);
                let end = bytes.len().min(start + rng.random_range(1..9000));
                damaged[start..end].iter_mut().for_each(|byte| *byte = rng.random());
            }
            _ if rng.random() => damaged_keys.truncate(rng.random_range(0..key_bytes.len())),
            _ => damaged_keys[rng.random_range(0..key_bytes.len())] ^= 1,
        }
        std::fs::write(&hurt, &damaged).unwrap();
        std::fs::write(keys(&hurt), &damaged_keys).unwrap();
        match inspect(&hurt) {
            Ok((size, _)) => {
                assert!(size <= STEPS);
                survived += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("hurt"), "{error}");
                refused += 1;
            }
        }
    }
    println!("{refused} refused, {survived} intact or a prefix");
    assert!(refused >= 60, "only {refused} damages were noticed");
}

#[test]
fn an_erased_key_is_nowhere_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fill(&path, 7);
    let everywhere = [std::fs::read(&path).unwrap(), std::fs::read(keys(&path)).unwrap()].concat();
    let holds = |n: u64| everywhere.windows(32).any(|window| window == vault_key(n).expose());
    assert!(holds(2), "a key that is not erased is there");
    assert!(!holds(3), "the erased key is gone");
}

#[test]
fn a_key_that_no_row_names_is_overwritten_when_the_store_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fill(&path, 2);
    // What a process leaves that dies between writing a key and committing its row.
    let mut bytes = std::fs::read(keys(&path)).unwrap();
    bytes.extend([9; 32]);
    std::fs::write(keys(&path), &bytes).unwrap();
    inspect(&path).unwrap();
    let after = std::fs::read(keys(&path)).unwrap();
    assert_eq!(after[..64], bytes[..64]);
    assert_eq!(after[64..], [0; 32]);
}

#[test]
fn every_table_of_a_fresh_store_is_there_and_empty() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("store")).unwrap();
    for table in Table::ALL {
        assert_eq!(store.len(table).unwrap(), 0);
        assert_eq!(store.last(table).unwrap(), None);
    }
}
