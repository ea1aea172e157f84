//! Records on their way: submitted, awaited, read back, and the books closed.

use crate::ExitStatus;
use crate::inputs::Input;
use crate::report::{Report, Row, Verdict};
use crate::trace_file::{TraceFile, Tracer};
use bemr::actors::User;
use bemr::actors::user::Answer;
use bemr::crypto::Digest;
use bemr::records::Record;
use bemr::wire::{Decision, Height, Outcome, Time};
use bemr_lab::simulator::{Network, NetworkConfig, Node};
use bemr_lab::trace::{Recorder, Step};
use bemr_spec::{Clause, Refusal};
use std::collections::BTreeMap;

/// How long the network may take for one step of the run, in virtual milliseconds.
const LIMIT: u64 = 3_600_000;

/// How long what is still on its way to other nodes may take after the end, in virtual milliseconds.
const TAIL: u64 = 5_000;

/// A submission under way.
struct Open {
    row: usize,
    began: Time,
    bytes: Box<[u8]>,
}

/// A network, and what became of the records that it was given.
pub(super) struct RunLoop {
    town: Network,
    tracer: Option<Tracer>,
    rows: Vec<Row>,
    open: BTreeMap<Digest, Open>,
    committed: Vec<(usize, Digest, Box<[u8]>)>,
    failures: Vec<(String, ExitStatus)>,
}

impl RunLoop {
    pub(super) fn begin(scenario: NetworkConfig, trace: Option<TraceFile>) -> Result<RunLoop, String> {
        let (rules, seed, start) = (scenario.rules, scenario.seed, scenario.start);
        let mut town = scenario.build().map_err(|refusal| refusal.to_string())?;
        let tracer = match trace {
            Some(file) => {
                let (recorder, header) =
                    Recorder::begin(rules, seed, start, &mut town).map_err(|refusal| refusal.to_string())?;
                Some(Tracer::begin(file, recorder, &header)?)
            }
            None => None,
        };
        let (open, rows, committed, failures) = (BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(RunLoop { town, tracer, rows, open, committed, failures })
    }

    /// How many inputs are done with.
    pub(super) fn settled(&self) -> u64 {
        (self.rows.len() - self.open.len()) as u64
    }

    /// Submits a record, readable by a colleague too.
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
        let doctor = self.town.cast.doctor.clone();
        let readers = [self.town.cast.colleague.clone()];
        let began = self.town.world.now();
        let submitted = self.town.by_seen(&doctor, |user: &mut User, now| user.submit(now, record, &readers));
        let outcome = submitted.as_ref().map(|(tid, event)| (*tid, event)).map_err(Refusal::clause);
        self.trace(|recorder| recorder.submitted(record, &readers, (&doctor, began), outcome));
        match submitted {
            Ok((tid, _)) => {
                self.open.insert(tid, Open { row: self.rows.len(), began, bytes: record.bytes().into() });
                row.verdict = Verdict::Open;
                row.tid = Some(tid);
            }
            Err(refusal) => {
                row.verdict = Verdict::Rejected;
                row.clause = Some(refusal.clause().id());
                row.detail = Some(refusal.to_string());
            }
        }
    }

    fn advance(&mut self, limit: u64, done: impl FnMut(&mut Network) -> bool) {
        let RunLoop { town, tracer, failures, .. } = self;
        town.run_until(limit, |event| write(tracer, failures, |recorder| Ok(recorder.event(event))), done);
    }

    fn trace(&mut self, record: impl FnOnce(&mut Recorder) -> Result<Vec<Step>, &'static str>) {
        write(&mut self.tracer, &mut self.failures, record);
    }

    /// Goes on until at most `left` submissions are under way.
    pub(super) fn settle(&mut self, left: usize) {
        while self.open.len() > left {
            let doctor = self.town.cast.doctor.clone();
            let awaited: Vec<Digest> = self.open.keys().copied().collect();
            self.advance(LIMIT, |town| {
                town.user(&doctor).is_none_or(|user| awaited.iter().any(|tid| !user.awaits(tid)))
            });
            let ended: Vec<(Digest, Option<Outcome>)> = match self.town.user(&doctor) {
                Some(user) => {
                    let ended = awaited.iter().filter(|tid| !user.awaits(tid));
                    ended.map(|tid| (*tid, user.outcome(tid).cloned())).collect()
                }
                None => Vec::new(),
            };
            if ended.is_empty() {
                // The network came to rest without a word on these.
                awaited.iter().for_each(|tid| self.record(*tid, None));
            }
            ended.into_iter().for_each(|(tid, outcome)| self.record(tid, outcome));
        }
    }

    /// Takes note of how a submission ended.
    fn record(&mut self, tid: Digest, outcome: Option<Outcome>) {
        let Some(open) = self.open.remove(&tid) else { return };
        let row = &mut self.rows[open.row];
        row.took = Some(self.town.world.now().0 - open.began.0);
        let Some(outcome) = outcome else {
            row.verdict = Verdict::Deferred;
            row.detail = Some("no outcome came in time".to_owned());
            return;
        };
        let clause = outcome.reason.clause();
        row.height = (outcome.height > Height(0)).then_some(outcome.height);
        row.clause = clause.map(Clause::id);
        let (verdict, said) = match outcome.decision {
            Decision::Committed => (Verdict::Committed, None),
            Decision::Rejected => (Verdict::Rejected, Some("rejected by the network")),
            Decision::Refused => (Verdict::Rejected, Some("refused by the server database")),
            Decision::Deferred => (Verdict::Deferred, Some("deferred")),
        };
        row.verdict = verdict;
        row.detail = said.map(|said| match clause {
            Some(clause) => format!("{} {}: {said}", clause.id(), clause.name()),
            None => said.to_owned(),
        });
        if verdict == Verdict::Committed {
            self.committed.push((open.row, tid, open.bytes));
        }
    }

    /// Reads every committed record back and compares it with what was sent; how many are the same.
    pub(super) fn read_all(&mut self) -> usize {
        let doctor = self.town.cast.doctor.clone();
        let mut verified = 0;
        for (row, tid, bytes) in std::mem::take(&mut self.committed) {
            match self.read_back(&doctor, tid) {
                Ok(read) if read == *bytes => verified += 1,
                Ok(_) => self.rows[row].detail = Some("read back, but not what was sent".to_owned()),
                Err(why) => self.rows[row].detail = Some(format!("not read back: {why}")),
            }
        }
        verified
    }

    fn read_back(&mut self, reader: &bemr::wire::Name, tid: Digest) -> Result<Vec<u8>, String> {
        let now = self.town.world.now();
        let asked = self.town.by_seen(reader, |user: &mut User, now| user.read(now, tid));
        let outcome = asked.as_ref().map(|(_, event)| event).map_err(Refusal::clause);
        self.trace(|recorder| Ok(recorder.asked(&tid, (reader, now), outcome)));
        let (request, _) = asked.map_err(|refusal| refusal.to_string())?;
        self.advance(LIMIT, |town| town.user(reader).is_none_or(|user| !user.awaits_answer(request)));
        match self.town.user(reader).and_then(|user| user.take_answer(request)) {
            Some(Answer::Record(bytes)) => Ok(bytes.to_vec()),
            Some(Answer::Refused(clause)) => {
                let clause = clause.map_or("an unknown clause", Clause::id);
                Err(format!("refused by {clause}"))
            }
            _ => Err("no answer that verifies".to_owned()),
        }
    }

    /// Closes the audit log and waits until its last head is anchored in a final block.
    pub(super) fn close(&mut self) {
        let (bsd, now) = (self.town.cast.bsd.clone(), self.town.world.now());
        let closed = self.town.world.command_seen(&bsd, |node, now| match node {
            Node::Bsd(bsd) => match bsd.close(now) {
                Ok(outputs) => (None, outputs),
                Err(refusal) => (Some(refusal), Vec::new()),
            },
            _ => (None, Vec::new()),
        });
        if let Some((refused, event)) = &closed {
            let outcome = refused.as_ref().map_or(Ok(event), |refusal: &Refusal| Err(refusal.clause()));
            self.trace(|recorder| Ok(recorder.closed((&bsd, now), outcome)));
        }
        if let Some((Some(refusal), _)) = closed {
            self.failures.push((refusal.to_string(), ExitStatus::Something));
        }
        self.advance(LIMIT, |town| town.bsd().is_none_or(|bsd| bsd.is_anchored()));
        if !self.town.bsd().is_some_and(|bsd| bsd.is_anchored()) {
            self.failures.push(("the audit log was not anchored in time".to_owned(), ExitStatus::Something));
        }
        self.advance(TAIL, |_| false);
    }

    /// What became of everything, and what failed beside it.
    pub(super) fn end(self, verified_reads: usize) -> (Report, Vec<(String, ExitStatus)>) {
        (Report::of(self.rows, verified_reads), self.failures)
    }
}

/// Adds to the trace, where there is one.
fn write(
    tracer: &mut Option<Tracer>,
    failures: &mut Vec<(String, ExitStatus)>,
    record: impl FnOnce(&mut Recorder) -> Result<Vec<Step>, &'static str>,
) {
    if let Some(Err(error)) = tracer.as_mut().map(|tracer| tracer.write(record)) {
        // One line is enough; the rest of the run goes untraced.
        *tracer = None;
        failures.push((error, ExitStatus::BadInput));
    }
}
