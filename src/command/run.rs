//! `bemr run`: the whole protocol on records.

use crate::actors::user::Answer;
use crate::actors::{Archive, User};
use crate::command::inputs::{self, Input, Source};
use crate::command::{Found, print, print_json};
use crate::conformance::{FORMAT, Header, Principal, TraceStep};
use crate::crypto::{Digest, Suite};
use crate::network::{Event, LedgerKind, MAX_VALIDATORS, START, Scenario, Town};
use crate::records::Record;
use crate::store::{MemoryStore, RedbStore, Table};
use crate::wire::{Decision, Height, Time};
use bemr_spec::{Clause, Rules};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// The most submissions that are under way at once.
const WINDOW: usize = 32;

/// How long the network may take for one step of the run, in virtual milliseconds.
const LIMIT: u64 = 3_600_000;

/// Options of `bemr run`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Record files, or folders of them; without any, a sample that ships with the program.
    #[arg(long, num_args = 1.., value_name = "FILE|DIR")]
    records: Vec<PathBuf>,
    /// The suite: ffdhe2048, ffdhe3072, ristretto255, or tiny (no strength at all).
    #[arg(long, default_value = "ffdhe2048")]
    suite: Suite,
    /// How many validators.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=MAX_VALIDATORS as i64))]
    validators: u16,
    /// How blocks are closed.
    #[arg(long, value_enum, default_value_t = Ledger::Quorum)]
    ledger: Ledger,
    /// Keeps ledger, cloud and audit log in a database on this path, which must not hold one yet.
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
    /// Writes the trace of everything that happens to this file.
    #[arg(long, value_name = "OUT")]
    trace: Option<PathBuf>,
    /// All randomness comes from this number: the same seed, the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When virtual time begins, in milliseconds since 1970. Records must not be dated after it; the default is
    /// 2027-01-01.
    #[arg(long, default_value_t = START.0, value_name = "MILLISECONDS")]
    start: u64,
    /// Prints one JSON document instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Ledger {
    Quorum,
    Pow,
}

#[derive(Serialize)]
struct Report {
    submitted: usize,
    committed: usize,
    rejected: usize,
    deferred: usize,
    verified_reads: usize,
    records: Vec<Row>,
}

#[derive(Clone, Serialize)]
struct Row {
    source: String,
    resource_type: Option<String>,
    verdict: &'static str,
    clause: Option<&'static str>,
    tid: Option<Digest>,
    height: Option<Height>,
    #[serde(skip)]
    detail: Option<String>,
    /// Virtual milliseconds from submission to outcome.
    #[serde(skip)]
    took: Option<u64>,
}

/// A submission under way.
struct Open {
    row: usize,
    began: Time,
    record: Record,
}

pub(super) fn run(options: &Options) -> Result<Found, String> {
    let rules = Rules::hardened();
    let mut tracer = options.trace.as_ref().map(Tracer::create).transpose()?;
    let archive = match &options.store {
        None => Archive::new(MemoryStore::new()),
        Some(path) => Archive::new(fresh_store(path)?),
    };
    let scenario = Scenario {
        rules,
        suite: options.suite,
        validators: options.validators.into(),
        ledger: match options.ledger {
            Ledger::Quorum => LedgerKind::Quorum,
            Ledger::Pow => LedgerKind::Work,
        },
        seed: options.seed,
        start: Time(options.start),
        archive,
        ..Scenario::new(options.suite, options.validators.into())
    };
    let town = scenario.build().map_err(|refusal| refusal.to_string())?;
    if let Some(tracer) = &mut tracer {
        tracer.begin(options, &town)?;
    }
    let mut journey =
        Journey { town, tracer, rows: Vec::new(), open: BTreeMap::new(), committed: Vec::new(), failure: None };
    let sources = inputs::sources(&options.records);
    let bar = progress(sources.len(), options.json);
    for source in sources {
        journey.take(&rules, source);
        journey.settle(WINDOW - 1);
        bar.set_position((journey.rows.len() - journey.open.len()) as u64);
    }
    journey.settle(0);
    let verified_reads = journey.read_all(&bar);
    journey.close();
    bar.finish_and_clear();
    journey.report(options, verified_reads)
}

fn fresh_store(path: &PathBuf) -> Result<RedbStore, String> {
    let store = RedbStore::open(path).map_err(|error| error.to_string())?;
    let held = crate::store::Store::len(&store, Table::Meta).map_err(|error| error.to_string())?;
    if held > 0 {
        return Err(format!(
            "{}: holds a network already; `bemr audit --store` checks it, `bemr run` wants a new path",
            path.display()
        ));
    }
    Ok(store)
}

fn progress(length: usize, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} records {msg} {eta}");
    ProgressBar::new(length as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

struct Journey {
    town: Town,
    tracer: Option<Tracer>,
    rows: Vec<Row>,
    open: BTreeMap<Digest, Open>,
    committed: Vec<(usize, Digest, Record)>,
    failure: Option<String>,
}

impl Journey {
    /// Reads one input and submits it.
    fn take(&mut self, rules: &Rules, source: Source) {
        let Input { source, record } = inputs::read(rules, source);
        let row = Row {
            source,
            resource_type: None,
            verdict: "unreadable",
            clause: None,
            tid: None,
            height: None,
            detail: None,
            took: None,
        };
        let record = match record {
            Ok(record) => record,
            Err(why) => {
                let clause = why.clause.map(Clause::id);
                self.rows.push(Row { clause, detail: Some(why.message), ..row });
                return;
            }
        };
        let resource_type = Some(record.resource_type().to_owned());
        let doctor = self.town.cast.doctor.clone();
        let began = self.town.world.now();
        let readers = [self.town.cast.colleague.clone()];
        match self.town.by(&doctor, |user: &mut User, now| user.submit(now, &record, &readers)) {
            Ok(tid) => {
                self.open.insert(tid, Open { row: self.rows.len(), began, record });
                self.rows.push(Row { resource_type, verdict: "open", tid: Some(tid), ..row });
            }
            Err(refusal) => self.rows.push(Row {
                resource_type,
                verdict: "rejected",
                clause: Some(refusal.clause().id()),
                detail: Some(refusal.to_string()),
                ..row
            }),
        }
    }

    fn advance(&mut self, done: impl FnMut(&mut Town) -> bool) {
        let Journey { town, tracer, failure, .. } = self;
        let see = |event: &Event| {
            if let Some(tracer) = tracer
                && let Err(error) = tracer.step(event)
            {
                failure.get_or_insert(error);
            }
        };
        town.run_until(LIMIT, see, done);
    }

    /// Goes on until at most `left` submissions are under way.
    fn settle(&mut self, left: usize) {
        while self.open.len() > left {
            let doctor = self.town.cast.doctor.clone();
            let awaited: Vec<Digest> = self.open.keys().copied().collect();
            let ended = |town: &mut Town| {
                let user = town.user(&doctor);
                user.is_none_or(|user| awaited.iter().any(|tid| !user.awaits(tid)))
            };
            self.advance(ended);
            if !self.collect(&awaited) {
                return;
            }
        }
    }

    /// Takes note of the submissions that ended; says whether any did.
    fn collect(&mut self, awaited: &[Digest]) -> bool {
        let doctor = self.town.cast.doctor.clone();
        let now = self.town.world.now();
        let mut any = false;
        for tid in awaited {
            let Some(user) = self.town.user(&doctor) else { return false };
            if user.awaits(tid) {
                continue;
            }
            let outcome = user.outcome(tid).cloned();
            let Some(open) = self.open.remove(tid) else { continue };
            any = true;
            let row = &mut self.rows[open.row];
            row.took = Some(now.0 - open.began.0);
            let clause = |reason: u16| Clause::from_code(reason).map(Clause::id);
            match outcome {
                Some(outcome) => {
                    row.height = (outcome.height > Height(0)).then_some(outcome.height);
                    row.clause = clause(outcome.reason);
                    row.verdict = match outcome.decision {
                        Decision::Committed => "committed",
                        Decision::Rejected | Decision::Refused => "rejected",
                        Decision::Deferred => "deferred",
                    };
                    if outcome.decision == Decision::Committed {
                        self.committed.push((open.row, *tid, open.record));
                    }
                }
                None => {
                    row.verdict = "deferred";
                    row.clause = Some(Clause::FailoverIsBounded.id());
                }
            }
        }
        any
    }

    /// Reads every committed record back and compares it with what was sent.
    fn read_all(&mut self, bar: &ProgressBar) -> usize {
        bar.set_message("read back");
        let doctor = self.town.cast.doctor.clone();
        let mut verified = 0;
        for (row, tid, record) in std::mem::take(&mut self.committed) {
            let request = match self.town.by(&doctor, |user: &mut User, now| user.read(now, tid)) {
                Ok(request) => request,
                Err(refusal) => {
                    self.rows[row].detail = Some(format!("not read back: {refusal}"));
                    continue;
                }
            };
            self.advance(|town| town.user(&doctor).is_none_or(|user| !user.awaits_answer(request)));
            let answer = self.town.user(&doctor).and_then(|user| user.answer(request).cloned());
            match answer {
                Some(Answer::Record(bytes)) if bytes.as_slice() == record.bytes() => verified += 1,
                Some(Answer::Record(_)) => self.rows[row].detail = Some("read back, but not what was sent".to_owned()),
                Some(Answer::Refused(code)) => {
                    let clause = Clause::from_code(code).map_or("?", Clause::id);
                    self.rows[row].detail = Some(format!("not read back: refused by {clause}"));
                }
                _ => self.rows[row].detail = Some("not read back: no answer that verifies".to_owned()),
            }
        }
        verified
    }

    /// Closes the audit log and waits until its last head is anchored in a final block.
    fn close(&mut self) {
        let bsd = self.town.cast.bsd.clone();
        let closed = self.town.world.command(&bsd, |node, now| match node {
            crate::network::Node::Bsd(bsd) => match bsd.close(now) {
                Ok(outputs) => (None, outputs),
                Err(refusal) => (Some(refusal.to_string()), Vec::new()),
            },
            _ => (None, Vec::new()),
        });
        if let Some(Some(error)) = closed {
            self.failure.get_or_insert(error);
        }
        let anchored = |town: &mut Town| {
            let bsd = town.bsd();
            bsd.is_none_or(|bsd| bsd.is_anchored())
        };
        self.advance(anchored);
        // What is still on its way to the other nodes.
        self.town.run_until(5_000, |_| (), |_| false);
    }

    fn report(self, options: &Options, verified_reads: usize) -> Result<Found, String> {
        let count = |verdict: &str| self.rows.iter().filter(|row| row.verdict == verdict).count();
        let unreadable = count("unreadable");
        let report = Report {
            submitted: self.rows.len() - unreadable,
            committed: count("committed"),
            rejected: count("rejected"),
            deferred: count("deferred"),
            verified_reads,
            records: self.rows,
        };
        for row in &report.records {
            if let Some(detail) = &row.detail {
                eprintln!("{}: {detail}", row.source);
            }
        }
        if let Some(mut tracer) = self.tracer {
            tracer.finish()?;
        }
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if options.json {
            print_json(&report)?;
        } else {
            print_table(&report, unreadable);
        }
        let unverified = report.verified_reads != report.committed || report.deferred > 0;
        Ok(match (unverified, unreadable) {
            (true, _) => Found::Something,
            (false, 0) => Found::Nothing,
            (false, _) => Found::BadInput,
        })
    }
}

fn print_table(report: &Report, unreadable: usize) {
    let width = report.records.iter().map(|row| row.source.chars().count()).max().unwrap_or(0).clamp(6, 60);
    print(&format!("{:width$}  {:20}  {:10}  {:7}  {:>5}  {:>8}", "record", "resource", "verdict", "clause", "block", "time"));
    for row in &report.records {
        let resource = row.resource_type.as_deref().unwrap_or("-");
        let height = row.height.map_or("-".to_owned(), |height| height.to_string());
        let took = row.took.map_or("-".to_owned(), |took| format!("{took} ms"));
        let clause = row.clause.unwrap_or("-");
        print(&format!(
            "{:width$}  {resource:20}  {:10}  {clause:7}  {height:>5}  {took:>8}",
            row.source, row.verdict
        ));
    }
    print(&format!(
        "{} submitted, {} committed, {} rejected, {} deferred, {} unreadable; {} read back and verified",
        report.submitted, report.committed, report.rejected, report.deferred, unreadable, report.verified_reads
    ));
}

/// Writes a trace.
struct Tracer {
    path: PathBuf,
    out: BufWriter<File>,
    steps: u64,
}

impl Tracer {
    fn create(path: &PathBuf) -> Result<Tracer, String> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Tracer { path: path.clone(), out: BufWriter::new(file), steps: 0 })
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), String> {
        let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
        writeln!(self.out, "{text}").map_err(|error| format!("{}: {error}", self.path.display()))
    }

    fn begin(&mut self, options: &Options, town: &Town) -> Result<(), String> {
        let principals = town.directory.iter().map(|one| Principal { name: one.name().clone(), role: one.role() });
        self.line(&Header {
            format: FORMAT.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            suite: options.suite.name().to_owned(),
            rules: "hardened".to_owned(),
            ledger: match options.ledger {
                Ledger::Quorum => "quorum".to_owned(),
                Ledger::Pow => "pow".to_owned(),
            },
            seed: options.seed,
            start: Time(options.start),
            principals: principals.collect(),
        })
    }

    fn step(&mut self, event: &Event) -> Result<(), String> {
        self.steps += 1;
        self.line(&TraceStep::of(self.steps, event))
    }

    fn finish(&mut self) -> Result<(), String> {
        self.out.flush().map_err(|error| format!("{}: {error}", self.path.display()))
    }
}
