//! The outcome of each record, as a table or as JSON.

use crate::{ExitStatus, note, print, print_json};
use bemr::crypto::Digest;
use bemr::wire::Height;
use serde::Serialize;

/// The outcome of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// No outcome yet.
    Pending,
    /// The cloud stores it.
    Committed,
    /// Rejected, by the clause beside it.
    Rejected,
    /// No decision, and nothing stored.
    Deferred,
    /// The input is not a record.
    Unreadable,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Verdict::Pending => "pending",
            Verdict::Committed => "committed",
            Verdict::Rejected => "rejected",
            Verdict::Deferred => "deferred",
            Verdict::Unreadable => "unreadable",
        }
    }
}

/// One input.
#[derive(Clone, Serialize)]
pub(super) struct Row {
    pub(super) source: String,
    pub(super) resource_type: Option<String>,
    pub(super) verdict: Verdict,
    pub(super) clause: Option<&'static str>,
    pub(super) tid: Option<Digest>,
    pub(super) height: Option<Height>,
    /// One line for standard error.
    #[serde(skip)]
    pub(super) detail: Option<String>,
    /// Virtual milliseconds from submission to outcome.
    #[serde(skip)]
    pub(super) took: Option<u64>,
}

/// All inputs, in the order of the command line.
#[derive(Serialize)]
pub(super) struct Report {
    submitted: usize,
    committed: usize,
    rejected: usize,
    deferred: usize,
    verified_reads: usize,
    records: Vec<Row>,
}

impl Report {
    pub(super) fn of(records: Vec<Row>, verified_reads: usize) -> Report {
        let count = |verdict| records.iter().filter(|row| row.verdict == verdict).count();
        Report {
            submitted: records.len() - count(Verdict::Unreadable),
            committed: count(Verdict::Committed),
            rejected: count(Verdict::Rejected),
            deferred: count(Verdict::Deferred),
            verified_reads,
            records,
        }
    }

    /// Prints the report, and the details of single records on standard error.
    pub(super) fn show(&self, json: bool) -> Result<ExitStatus, String> {
        for row in &self.records {
            if let Some(detail) = &row.detail {
                note(&format!("{}: {detail}", row.source));
            }
        }
        if json {
            print_json(self)?;
        } else {
            print(&self.table())?;
        }
        let decided =
            self.committed + self.rejected == self.submitted && self.verified_reads == self.committed;
        Ok(match (decided, self.records.len() == self.submitted) {
            (false, _) => ExitStatus::Failure,
            (true, false) => ExitStatus::BadInput,
            (true, true) => ExitStatus::Success,
        })
    }

    fn table(&self) -> String {
        let widest = self.records.iter().map(|row| row.source.chars().count()).max();
        let width = widest.unwrap_or(0).clamp(6, 60);
        let mut table = format!(
            "{:width$}  {:20}  {:10}  {:7}  {:>5}  {:>8}\n",
            "record", "resource", "verdict", "clause", "block", "time"
        );
        for row in &self.records {
            let resource = row.resource_type.as_deref().unwrap_or("-");
            let height = row.height.map_or("-".to_owned(), |height| height.to_string());
            let took = row.took.map_or("-".to_owned(), |took| format!("{took} ms"));
            let (source, verdict, clause) = (&row.source, row.verdict.name(), row.clause.unwrap_or("-"));
            table += &format!(
                "{source:width$}  {resource:20}  {verdict:10}  {clause:7}  {height:>5}  {took:>8}\n"
            );
        }
        let Report { submitted, committed, rejected, deferred, verified_reads, records } = self;
        let unreadable = records.len() - submitted;
        table
            + &format!(
                "{submitted} submitted, {committed} committed, {rejected} rejected, {deferred} deferred, \
                 {unreadable} unreadable; {verified_reads} read back and verified"
            )
    }
}
