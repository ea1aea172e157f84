//! One run of the real protocol: keys, messages, sessions, quorum certificates, blocks, a cloud, and Byzantine validators.
//!
//! Whether a request is valid is fixed when it is created: a possible heart rate, or an impossible one. The contracts have no
//! part in that.

use super::protocol::{Expedition, GridPoint, REAL_NOISE};
use crate::simulator::{ByzantinePolicy, Network, NetworkConfig};
use bemr::actors::user::Answer;
use bemr::crypto::Digest;
use bemr::records::Record;
use bemr::wire::{Decision, Name, Time};
use bemr_spec::{Clause, Refusal, Rules};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

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

/// Lets a network in which so many validators behave so decide the transactions of an expedition.
///
/// # Errors
/// What refused the network, a record or a request: none of it is expected.
pub(super) fn execute(
    expedition: &Expedition,
    seed: u64,
    point: &GridPoint,
    ended: impl Fn(usize),
) -> Result<Seen, Refusal> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let flawed = ByzantinePolicy::Flawed { falsify: REAL_NOISE.error, silence: REAL_NOISE.silence };
    let mut policies = vec![flawed; expedition.validators];
    policies[..point.share.of(expedition.validators)].fill(point.played.policy());
    policies.shuffle(&mut rng);
    let config = NetworkConfig::new(expedition.suite, expedition.validators);
    let network = NetworkConfig { seed, policies, ..config }.build()?;
    let mut run = ProtocolRun {
        doctor: network.keys.roster.doctor.clone(),
        network,
        open: BTreeMap::new(),
        seen: Seen::default(),
        committed: Vec::new(),
    };
    for number in 0..expedition.transactions {
        let right = rng.random_bool(expedition.prior);
        run.submit(&record(&run.network.keys.rules, number, right)?, right)?;
        let left = run.settle(point.under_way.saturating_sub(1));
        ended(left);
    }
    ended(run.settle(0));
    run.read_all()?;
    run.close()?;
    run.seen.delays.sort_unstable();
    Ok(run.seen)
}

/// One network at work.
struct ProtocolRun {
    doctor: Name,
    network: Network,
    open: BTreeMap<Digest, (bool, Time, Box<[u8]>)>,
    seen: Seen,
    committed: Vec<(Digest, Box<[u8]>)>,
}

impl ProtocolRun {
    fn submit(&mut self, record: &Record, right: bool) -> Result<(), Refusal> {
        let now = self.network.now();
        let tid = self.network.as_user(&self.doctor, |user, now| user.submit(now, record, &[]))?;
        self.open.insert(tid, (right, now, record.bytes().into()));
        Ok(())
    }

    /// Runs until at most `left` submissions are open; how many ended.
    fn settle(&mut self, left: usize) -> usize {
        let before = self.open.len();
        while self.open.len() > left {
            let ProtocolRun { doctor, network, open, seen, committed } = self;
            let awaited: Vec<Digest> = open.keys().copied().collect();
            let mut late = 0;
            let ended = network.outcomes(doctor, &awaited, LIMIT, |event| {
                late += u64::from(event.clause == Some(Clause::HeightInWindow));
            });
            seen.late += late;
            for (tid, outcome) in ended {
                let Some((right, began, bytes)) = open.remove(&tid) else { continue };
                let end = match outcome.map(|outcome| outcome.decision) {
                    Some(Decision::Committed) => 0,
                    Some(Decision::Rejected | Decision::Refused) => 1,
                    Some(Decision::Deferred) | None => 2,
                };
                seen.ends[usize::from(right)][end] += 1;
                if end < 2 {
                    seen.delays.push(network.now().0 - began.0);
                }
                if end == 0 {
                    committed.push((tid, bytes));
                }
            }
        }
        before - self.open.len()
    }

    /// Reads every committed record back.
    fn read_all(&mut self) -> Result<(), Refusal> {
        for (tid, bytes) in std::mem::take(&mut self.committed) {
            let request = self.network.as_user(&self.doctor, |user, now| user.read(now, tid))?;
            let answer = self.network.answer(&self.doctor, request, LIMIT, |_| ());
            let same = matches!(answer, Some(Answer::Record(read)) if read.as_slice() == &*bytes);
            self.seen.read_back += u64::from(same);
        }
        Ok(())
    }

    /// Closes the audit log, waits until it is anchored, and lets an auditor replay all that is public.
    fn close(&mut self) -> Result<(), Refusal> {
        self.network.close_audit_log()?;
        self.network.run_until(60_000, |network| network.bsd().is_none_or(|bsd| bsd.is_anchored()));
        self.seen.audited = self.network.audit(None)?.map_or(0, |report| report.entries);
        if let Some(bsd) = self.network.bsd() {
            self.seen.evidence = bsd.evidence().len() as u64;
            self.seen.double = bsd.audited().saturating_sub(self.seen.all());
        }
        Ok(())
    }
}
