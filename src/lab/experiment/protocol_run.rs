//! One run of the real protocol: keys, messages, sessions, quorum certificates, blocks, a cloud, and Byzantine validators.
//!
//! Whether a request is valid is fixed when it is created: a possible heart rate, or an impossible one. The contracts have no
//! part in that.

use super::protocol::{Expedition, GridPoint, REAL_NOISE};
use crate::simulator::{ByzantinePolicy, Network, NetworkConfig, Node};
use bemr::actors::StoreHandle;
use bemr::actors::user::Answer;
use bemr::audit::{Auditor, PublicRecord, audit};
use bemr::crypto::Digest;
use bemr::records::Record;
use bemr::store::{MemoryStore, Store, StoreError, Table, for_each};
use bemr::wire::{Block, Decision, Name, Time};
use bemr_spec::{Clause, Refusal, Rules};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use tls_codec::{DeserializeBytes, Serialize};

/// The timeout of one step in virtual milliseconds.
const LIMIT: u64 = 3_600_000;

/// The observations at one point.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Seen {
    /// Outcomes by truth (invalid, valid) and by decision (committed, rejected, deferred).
    pub ends: [[u64; 3]; 2],
    /// Committed records that were read back with proofs and equal the submitted ones.
    pub read_back: u64,
    /// Submissions with more than one outcome: must be none.
    pub double: u64,
    /// Entries of the audit log that an auditor verified up to a checkpoint.
    pub audited: u64,
    /// Pieces of evidence that the BSD stores.
    pub evidence: u64,
    /// T_blocks that a validator refused by BLK-04, because the ledger had advanced since they were first sent.
    pub late: u64,
    /// Virtual milliseconds to the outcome, of each decided submission, ascending.
    #[serde(skip)]
    pub delays: Vec<u64>,
}

impl Seen {
    /// All submissions.
    pub fn all(&self) -> u64 {
        self.ends.iter().flatten().sum()
    }

    /// The rate of right decisions.
    pub fn cdr(&self) -> f64 {
        (self.ends[1][0] + self.ends[0][1]) as f64 / self.all().max(1) as f64
    }
}

/// A heart rate, possible or impossible.
fn record(rules: &Rules, number: usize, right: bool) -> Result<Record, Refusal> {
    let rate = if right { 40 + number % 100 } else { 5_000 + number };
    let text = format!(
        r#"{{"resourceType":"Observation","id":"rate-{number}","status":"final","code":{{"coding":[{{"system":
        "http://loinc.org","code":"8867-4"}}]}},"subject":{{"reference":"Patient/example"}},"effectiveDateTime":"2019-03-04",
        "valueQuantity":{{"value":{rate},"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"}}}}"#
    );
    Record::read(rules, text.as_bytes())
}

/// Lets a network in which so many validators behave so carry the transactions of an expedition.
///
/// # Errors
/// What refused the network, a record or a request: none of it is expected.
pub(super) fn execute(
    expedition: &Expedition,
    seed: u64,
    spot: &GridPoint,
    ended: impl Fn(usize),
) -> Result<Seen, Refusal> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let archive = StoreHandle::new(MemoryStore::new());
    let flawed = ByzantinePolicy::Flawed { falsify: REAL_NOISE.error, silence: REAL_NOISE.silence };
    let mut conduct = vec![flawed; expedition.validators];
    conduct[..spot.share.of(expedition.validators)].fill(spot.played.conduct());
    conduct.shuffle(&mut rng);
    let config = NetworkConfig {
        seed,
        conduct,
        archive: archive.clone(),
        ..NetworkConfig::new(expedition.suite, expedition.validators)
    };
    let rules = config.rules;
    let network = config.build()?;
    let mut run = ProtocolRun {
        doctor: network.cast.doctor.clone(),
        network,
        open: BTreeMap::new(),
        seen: Seen::default(),
        committed: Vec::new(),
    };
    for number in 0..expedition.transactions {
        let right = rng.random_bool(expedition.prior);
        run.submit(&record(&rules, number, right)?, right)?;
        let left = run.settle(spot.under_way.saturating_sub(1));
        ended(left);
    }
    ended(run.settle(0));
    run.read_all()?;
    run.close(&rules, &archive)?;
    run.seen.delays.sort_unstable();
    Ok(run.seen)
}

/// One network and its observations.
struct ProtocolRun {
    doctor: Name,
    network: Network,
    open: BTreeMap<Digest, (bool, Time, Box<[u8]>)>,
    seen: Seen,
    committed: Vec<(Digest, Box<[u8]>)>,
}

impl ProtocolRun {
    fn submit(&mut self, record: &Record, right: bool) -> Result<(), Refusal> {
        let now = self.network.world.now();
        let tid = self.network.by(&self.doctor, |user, now| user.submit(now, record, &[]))?;
        self.open.insert(tid, (right, now, record.bytes().into()));
        Ok(())
    }

    /// Runs the network until at most `left` submissions are pending, and returns how many ended.
    fn settle(&mut self, left: usize) -> usize {
        let before = self.open.len();
        while self.open.len() > left {
            let ProtocolRun { doctor, network, open, seen, .. } = self;
            network.run_until(
                LIMIT,
                |event| seen.late += u64::from(event.clause == Some(Clause::HeightInWindow)),
                |network| network.user(doctor).is_none_or(|user| open.keys().any(|tid| !user.awaits(tid))),
            );
            let now = self.network.world.now();
            let Some(user) = self.network.user(&self.doctor) else { break };
            let awaited: Vec<Digest> = self.open.keys().copied().filter(|tid| user.awaits(tid)).collect();
            let mut ended = std::mem::take(&mut self.open);
            if awaited.len() < ended.len() {
                for tid in awaited {
                    self.open.extend(ended.remove(&tid).map(|one| (tid, one)));
                }
            }
            for (tid, (right, began, bytes)) in ended {
                let outcome = user.outcome(&tid).map(|outcome| outcome.decision);
                let end = match outcome {
                    Some(Decision::Committed) => 0,
                    Some(Decision::Rejected | Decision::Refused) => 1,
                    Some(Decision::Deferred) | None => 2,
                };
                self.seen.ends[usize::from(right)][end] += 1;
                if end < 2 {
                    self.seen.delays.push(now.0 - began.0);
                }
                if end == 0 {
                    self.committed.push((tid, bytes));
                }
            }
        }
        before - self.open.len()
    }

    /// Reads every committed record back.
    fn read_all(&mut self) -> Result<(), Refusal> {
        let doctor = self.doctor.clone();
        for (tid, bytes) in std::mem::take(&mut self.committed) {
            let request = self.network.by(&doctor, |user, now| user.read(now, tid))?;
            self.network.run_until(
                LIMIT,
                |_| (),
                |network| network.user(&doctor).is_none_or(|user| !user.awaits_answer(request)),
            );
            let answer = self.network.user(&doctor).and_then(|user| user.take_answer(request));
            let same = matches!(answer, Some(Answer::Record(read)) if read.as_slice() == &*bytes);
            self.seen.read_back += u64::from(same);
        }
        Ok(())
    }

    /// Closes the audit log, waits for its checkpoint, and audits the public data.
    fn close(&mut self, rules: &Rules, archive: &StoreHandle) -> Result<(), Refusal> {
        let bsd = self.network.cast.bsd.clone();
        let closed = self.network.world.command(&bsd, |node, now| match node {
            Node::Bsd(bsd) => match bsd.close(now) {
                Ok(outputs) => (Ok(()), outputs),
                Err(refusal) => (Err(refusal), Vec::new()),
            },
            _ => (Ok(()), Vec::new()),
        });
        closed.unwrap_or(Ok(()))?;
        self.network.run_until(60_000, |_| (), |network| network.bsd().is_none_or(|bsd| bsd.is_anchored()));
        if let Some(bsd) = self.network.bsd() {
            self.seen.evidence = bsd.evidence().len() as u64;
        }
        self.seen.audited = audited(rules, archive, &self.network)?;
        let ends = self.seen.all();
        let entries = self.network.bsd().map_or(0, |bsd| bsd.audited());
        self.seen.double = entries.saturating_sub(ends);
        Ok(())
    }
}

/// All messages of a table.
fn rows<T: DeserializeBytes + Serialize>(
    store: &dyn Store,
    rules: &Rules,
    table: Table,
) -> Result<Vec<T>, StoreError> {
    let mut rows = Vec::new();
    for_each(store, rules, table, |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

/// How many entries of the audit log an auditor verifies: all or none.
fn audited(rules: &Rules, archive: &StoreHandle, network: &Network) -> Result<u64, Refusal> {
    archive.read(|store| {
        let blocks: Vec<Block> = rows(store, rules, Table::Blocks)?;
        let latest = blocks.last().map_or(network.genesis.start, |block| block.header().time);
        let public = PublicRecord {
            blocks: &blocks,
            leaves: &rows(store, rules, Table::Leaves)?,
            cloud_heads: &rows(store, rules, Table::CloudHeads)?,
            entries: &rows(store, rules, Table::AuditEntries)?,
            audit_heads: &rows(store, rules, Table::AuditHeads)?,
        };
        let bsd = (network.bsd.name.clone(), network.bsd.key.clone());
        let (genesis, validators) = (network.genesis.clone(), network.validators.clone());
        let auditor = Auditor::new(rules, latest, genesis, validators, network.cloud.clone(), bsd).ok();
        let report = auditor.and_then(|auditor| audit(auditor, &public).ok());
        Ok(report.map_or(0, |report| report.entries))
    })
}
