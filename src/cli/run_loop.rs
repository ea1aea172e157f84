//! The loop of `bemr run`: submits records, waits for outcomes, reads records back, closes the audit log.

use crate::ExitStatus;
use crate::files::Output;
use crate::inputs::Input;
use crate::report::{Report, Row, Verdict};
use crate::trace_file::Tracer;
use bemr::actors::User;
use bemr::actors::user::Answer;
use bemr::crypto::Digest;
use bemr::records::Record;
use bemr::wire::{Decision, Height, Outcome, Time};
use bemr_lab::simulator::{Event, Network, NetworkConfig};
use bemr_lab::trace::{Recorder, Step};
use bemr_spec::{Clause, Refusal};
use std::collections::BTreeMap;

/// The timeout of one step of the run, in virtual milliseconds.
const LIMIT: u64 = 3_600_000;

/// The time for envelopes still in flight at the end, in virtual milliseconds.
const TAIL: u64 = 5_000;

/// A submission without an outcome yet.
struct Pending {
    row: usize,
    began: Time,
    bytes: Box<[u8]>,
}

/// A network, and the outcome of every record submitted to it.
pub(super) struct RunLoop {
    network: Network,
    tracer: Option<Tracer>,
    rows: Vec<Row>,
    pending: BTreeMap<Digest, Pending>,
    committed: Vec<(usize, Digest, Box<[u8]>)>,
    failures: Vec<(String, ExitStatus)>,
}

impl RunLoop {
    pub(super) fn begin(config: NetworkConfig, trace: Option<Output>) -> Result<RunLoop, String> {
        let (rules, seed, start) = (config.rules, config.seed, config.start);
        let store = config.store.clone();
        let failed = |refusal: Refusal| match store.take_failure() {
            Some(failure) => failure.to_string(),
            None => refusal.to_string(),
        };
        let mut network = config.build().map_err(failed)?;
        let tracer = match trace {
            Some(file) => {
                let (recorder, header) = Recorder::begin(rules, seed, start, &mut network)
                    .map_err(|refusal| refusal.to_string())?;
                Some(Tracer::begin(file, recorder, &header)?)
            }
            None => None,
        };
        let (pending, rows, committed, failures) = (BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(RunLoop { network, tracer, rows, pending, committed, failures })
    }

    /// The number of inputs that have an outcome.
    pub(super) fn settled(&self) -> u64 {
        (self.rows.len() - self.pending.len()) as u64
    }

    /// Submits a record and grants a colleague the right to read it.
    pub(super) fn submit(&mut self, input: Input) {
        let mut row = Row {
            source: input.source,
            resource_type: None,
            verdict: Verdict::Unreadable,
            clause: None,
            tid: None,
            height: None,
            detail: None,
            took: None,
        };
        match input.record {
            Err(why) => {
                row.clause = why.clause.map(Clause::id);
                row.detail = Some(why.message);
            }
            Ok(record) => self.submit_record(&record, &mut row),
        }
        self.rows.push(row);
    }

    fn submit_record(&mut self, record: &Record, row: &mut Row) {
        row.resource_type = Some(record.resource_type().to_owned());
        let doctor = self.network.keys.roster.doctor.clone();
        let readers = [self.network.keys.roster.colleague.clone()];
        let began = self.network.now();
        let submitted =
            self.network.as_user_observed(&doctor, |user: &mut User, now| user.submit(now, record, &readers));
        let outcome = submitted.as_ref().map(|(tid, event)| (*tid, event)).map_err(Refusal::clause);
        self.trace(|recorder| recorder.submitted(record, &readers, (&doctor, began), outcome));
        match submitted {
            Ok((tid, _)) => {
                self.pending
                    .insert(tid, Pending { row: self.rows.len(), began, bytes: record.bytes().into() });
                row.verdict = Verdict::Pending;
                row.tid = Some(tid);
            }
            Err(refusal) => {
                row.verdict = Verdict::Rejected;
                row.clause = Some(refusal.clause().id());
                row.detail = Some(refusal.to_string());
            }
        }
    }

    fn trace(&mut self, record: impl FnOnce(&mut Recorder) -> Result<Vec<Step>, &'static str>) {
        write(&mut self.tracer, &mut self.failures, record);
    }

    /// Runs the network until at most `left` submissions are pending.
    ///
    /// # Errors
    /// When the store failed: one line with the cause.
    pub(super) fn settle(&mut self, left: usize) -> Result<(), String> {
        self.require_store()?;
        while self.pending.len() > left {
            let doctor = self.network.keys.roster.doctor.clone();
            let awaited: Vec<Digest> = self.pending.keys().copied().collect();
            let RunLoop { network, tracer, failures, .. } = self;
            let ended = network.outcomes(&doctor, &awaited, LIMIT, traced(tracer, failures));
            self.require_store()?;
            ended.into_iter().for_each(|(tid, outcome)| self.record(tid, outcome));
        }
        Ok(())
    }

    /// A run ends with its store: what came after was neither accepted nor refused.
    fn require_store(&self) -> Result<(), String> {
        let Some(failure) = self.network.store.take_failure() else { return Ok(()) };
        let (submitted, settled) = (self.rows.len(), self.settled());
        Err(format!(
            "{failure}; the run ends with {settled} of {submitted} outcomes, `bemr audit --store` says what is stored"
        ))
    }

    /// Records the outcome of a submission.
    fn record(&mut self, tid: Digest, outcome: Option<Outcome>) {
        let Some(pending) = self.pending.remove(&tid) else { return };
        let row = &mut self.rows[pending.row];
        row.took = Some(self.network.now().0 - pending.began.0);
        let Some(outcome) = outcome else {
            row.verdict = Verdict::Deferred;
            row.detail = Some("no outcome before the timeout".to_owned());
            return;
        };
        let clause = outcome.reason.clause();
        row.height = (outcome.height > Height(0)).then_some(outcome.height);
        row.clause = clause.map(Clause::id);
        let (verdict, reason) = match outcome.decision {
            Decision::Committed => (Verdict::Committed, None),
            Decision::Rejected => (Verdict::Rejected, Some("rejected by the network")),
            Decision::Refused => (Verdict::Rejected, Some("refused by the server database")),
            Decision::Deferred => (Verdict::Deferred, Some("deferred")),
        };
        row.verdict = verdict;
        row.detail = reason.map(|reason| match clause {
            Some(clause) => format!("{} {}: {reason}", clause.id(), clause.name()),
            None => reason.to_owned(),
        });
        if verdict == Verdict::Committed {
            self.committed.push((pending.row, tid, pending.bytes));
        }
    }

    /// Reads every committed record back, compares it with the submitted bytes, and returns how many are equal.
    ///
    /// # Errors
    /// When the store failed: one line with the cause.
    pub(super) fn read_all(&mut self) -> Result<usize, String> {
        let doctor = self.network.keys.roster.doctor.clone();
        let mut verified = 0;
        for (row, tid, bytes) in std::mem::take(&mut self.committed) {
            match self.read_back(&doctor, tid) {
                Ok(read) if read == *bytes => verified += 1,
                Ok(_) => {
                    self.rows[row].detail =
                        Some("the record read back differs from the one submitted".to_owned())
                }
                Err(why) => self.rows[row].detail = Some(format!("not read back: {why}")),
            }
            self.require_store()?;
        }
        Ok(verified)
    }

    fn read_back(&mut self, reader: &bemr::wire::Name, tid: Digest) -> Result<Vec<u8>, String> {
        let now = self.network.now();
        let asked = self.network.as_user_observed(reader, |user: &mut User, now| user.read(now, tid));
        let outcome = asked.as_ref().map(|(_, event)| event).map_err(Refusal::clause);
        self.trace(|recorder| Ok(recorder.asked(&tid, (reader, now), outcome)));
        let (request, _) = asked.map_err(|refusal| refusal.to_string())?;
        let RunLoop { network, tracer, failures, .. } = self;
        match network.answer(reader, request, LIMIT, traced(tracer, failures)) {
            Some(Answer::Record(bytes)) => Ok(bytes.to_vec()),
            Some(Answer::Refused(clause)) => {
                let clause = clause.map_or("an unknown clause", Clause::id);
                Err(format!("refused by {clause}"))
            }
            _ => Err("no verifiable answer".to_owned()),
        }
    }

    /// Closes the audit log and waits until a final block holds a checkpoint of its last signed head.
    ///
    /// # Errors
    /// When the store failed: one line with the cause.
    pub(super) fn close(&mut self) -> Result<(), String> {
        let (bsd, now) = (self.network.keys.roster.bsd.clone(), self.network.now());
        let closed = self.network.close_audit_log();
        let outcome = closed.as_ref().map_err(Refusal::clause);
        self.trace(|recorder| Ok(recorder.closed((&bsd, now), outcome)));
        self.require_store()?;
        if let Err(refusal) = closed {
            self.failures.push((refusal.to_string(), ExitStatus::Failure));
        }
        let anchored = |network: &mut Network| network.bsd().is_none_or(|bsd| bsd.is_anchored());
        let RunLoop { network, tracer, failures, .. } = self;
        network.run_observed(LIMIT, traced(tracer, failures), anchored);
        if !anchored(network) && !network.store.has_failed() {
            failures.push((
                "no checkpoint of the audit log is final before the timeout".to_owned(),
                ExitStatus::Failure,
            ));
        }
        network.run_observed(TAIL, traced(tracer, failures), |_| false);
        self.require_store()
    }

    /// The outcomes of all records, and other failures.
    pub(super) fn end(self, verified_reads: usize) -> (Report, Vec<(String, ExitStatus)>) {
        (Report::of(self.rows, verified_reads), self.failures)
    }
}

/// An observer that appends each event to the trace, if one is recorded.
fn traced(tracer: &mut Option<Tracer>, failures: &mut Vec<(String, ExitStatus)>) -> impl FnMut(&Event) {
    move |event| write(tracer, failures, |recorder| Ok(recorder.event(event)))
}

/// Appends to the trace, if one is recorded.
fn write(
    tracer: &mut Option<Tracer>,
    failures: &mut Vec<(String, ExitStatus)>,
    record: impl FnOnce(&mut Recorder) -> Result<Vec<Step>, &'static str>,
) {
    if let Some(Err(error)) = tracer.as_mut().map(|tracer| tracer.write(record)) {
        // The run continues without a trace; a second error would only repeat the first.
        *tracer = None;
        failures.push((error, ExitStatus::BadInput));
    }
}
