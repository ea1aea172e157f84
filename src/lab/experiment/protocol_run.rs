//! One network of the real protocol at work: keys, messages, sessions, quorum certificates, blocks, a cloud, and validators
//! that lie with all of these.
//!
//! What a request is, right or wrong, is fixed when it is made, by who makes it: a heart rate that a heart can have, or
//! one that none has. No contract is asked.

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

/// The most virtual milliseconds that the network may take for one step.
const LIMIT: u64 = 3_600_000;

/// What was seen at one point.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Seen {
    /// By truth (wrong, right) and by end (committed, rejected, deferred).
    pub ends: [[u64; 3]; 2],
    /// Committed records that were read back with proofs and were what was sent.
    pub read_back: u64,
    /// Submissions with more than one end: must be none.
    pub double: u64,
    /// Entries of the audit log that an auditor verified up to an anchored head.
    pub audited: u64,
    /// Pieces of evidence that the BSD holds.
    pub evidence: u64,
    /// T_blocks that a validator refused by BLK-04, because the ledger had gone on since they were first sent.
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

/// A heart rate, of a heart or of none.
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
pub(super) fn visit(
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
    let scenario = NetworkConfig {
        seed,
        conduct,
        archive: archive.clone(),
        ..NetworkConfig::new(expedition.suite, expedition.validators)
    };
    let rules = scenario.rules;
    let town = scenario.build()?;
    let mut visit = Visit {
        doctor: town.cast.doctor.clone(),
        town,
        open: BTreeMap::new(),
        seen: Seen::default(),
        committed: Vec::new(),
    };
    for number in 0..expedition.transactions {
        let right = rng.random_bool(expedition.prior);
        visit.submit(&record(&rules, number, right)?, right)?;
        let left = visit.settle(spot.under_way.saturating_sub(1));
        ended(left);
    }
    ended(visit.settle(0));
    visit.read_all()?;
    visit.close(&rules, &archive)?;
    visit.seen.delays.sort_unstable();
    Ok(visit.seen)
}

/// One network at work.
struct Visit {
    doctor: Name,
    town: Network,
    open: BTreeMap<Digest, (bool, Time, Box<[u8]>)>,
    seen: Seen,
    committed: Vec<(Digest, Box<[u8]>)>,
}

impl Visit {
    fn submit(&mut self, record: &Record, right: bool) -> Result<(), Refusal> {
        let now = self.town.world.now();
        let tid = self.town.by(&self.doctor, |user, now| user.submit(now, record, &[]))?;
        self.open.insert(tid, (right, now, record.bytes().into()));
        Ok(())
    }

    /// Goes on until at most `left` submissions are under way; how many ended.
    fn settle(&mut self, left: usize) -> usize {
        let before = self.open.len();
        while self.open.len() > left {
            let Visit { doctor, town, open, seen, .. } = self;
            town.run_until(
                LIMIT,
                |event| seen.late += u64::from(event.clause == Some(Clause::HeightInWindow)),
                |town| town.user(doctor).is_none_or(|user| open.keys().any(|tid| !user.awaits(tid))),
            );
            let now = self.town.world.now();
            let Some(user) = self.town.user(&self.doctor) else { break };
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
            let request = self.town.by(&doctor, |user, now| user.read(now, tid))?;
            self.town.run_until(
                LIMIT,
                |_| (),
                |town| town.user(&doctor).is_none_or(|user| !user.awaits_answer(request)),
            );
            let answer = self.town.user(&doctor).and_then(|user| user.take_answer(request));
            let same = matches!(answer, Some(Answer::Record(read)) if read.as_slice() == &*bytes);
            self.seen.read_back += u64::from(same);
        }
        Ok(())
    }

    /// Closes the books, has them anchored where blocks are closed, and lets an auditor replay all that is public.
    fn close(&mut self, rules: &Rules, archive: &StoreHandle) -> Result<(), Refusal> {
        let bsd = self.town.cast.bsd.clone();
        let closed = self.town.world.command(&bsd, |node, now| match node {
            Node::Bsd(bsd) => match bsd.close(now) {
                Ok(outputs) => (Ok(()), outputs),
                Err(refusal) => (Err(refusal), Vec::new()),
            },
            _ => (Ok(()), Vec::new()),
        });
        closed.unwrap_or(Ok(()))?;
        self.town.run_until(60_000, |_| (), |town| town.bsd().is_none_or(|bsd| bsd.is_anchored()));
        if let Some(bsd) = self.town.bsd() {
            self.seen.evidence = bsd.evidence().len() as u64;
        }
        self.seen.audited = audited(rules, archive, &self.town)?;
        let ends = self.seen.all();
        let entries = self.town.bsd().map_or(0, |bsd| bsd.audited());
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
fn audited(rules: &Rules, archive: &StoreHandle, town: &Network) -> Result<u64, Refusal> {
    archive.read(|store| {
        let blocks: Vec<Block> = rows(store, rules, Table::Blocks)?;
        let latest = blocks.last().map_or(town.genesis.start, |block| block.header().time);
        let public = PublicRecord {
            blocks: &blocks,
            leaves: &rows(store, rules, Table::Leaves)?,
            cloud_heads: &rows(store, rules, Table::CloudHeads)?,
            entries: &rows(store, rules, Table::AuditEntries)?,
            audit_heads: &rows(store, rules, Table::AuditHeads)?,
        };
        let bsd = (town.bsd.name.clone(), town.bsd.key.clone());
        let (genesis, validators) = (town.genesis.clone(), town.validators.clone());
        let auditor = Auditor::new(rules, latest, genesis, validators, town.cloud.clone(), bsd).ok();
        let report = auditor.and_then(|auditor| audit(auditor, &public).ok());
        Ok(report.map_or(0, |report| report.entries))
    })
}
