//! Shows every mutant to every checker.

use crate::mutation::{Checker, Corpus, DEFENCE, Family, Finding, Kind, Mutant, Notice, WitnessTrace};
use bemr_spec::Clause;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many look at once.
const THREADS: usize = 2;

/// What became of one clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The clause that is missing.
    pub clause: Clause,
    /// What each checker says.
    pub findings: BTreeMap<Kind, Finding>,
}

/// What became of each clause that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// One row for each, in the order of the register.
    pub rows: Vec<Row>,
    /// What checkers noticed where nothing is missing: it has to be nothing.
    pub false_alarms: Vec<(Kind, String)>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What looks now.
    pub kind: Kind,
    /// How many mutants it has looked at.
    pub done: usize,
    /// Of how many.
    pub of: usize,
}

impl Row {
    /// What was noticed, and by whom.
    pub fn notices(&self) -> impl Iterator<Item = (Kind, &Notice)> {
        self.findings.iter().filter_map(|(kind, finding)| Some((*kind, finding.notice()?)))
    }

    /// Whether anybody noticed.
    pub fn is_killed(&self) -> bool {
        self.notices().next().is_some()
    }

    /// The families of those who noticed.
    pub fn families(&self) -> BTreeSet<Family> {
        self.notices().map(|(kind, _)| kind.family()).collect()
    }

    /// The goal that breaks without the clause, as the first who saw one says.
    pub fn goal(&self) -> Option<&str> {
        self.notices().find_map(|(_, notice)| notice.goal.as_deref())
    }

    /// Why the clause is there although no goal breaks without it.
    pub fn reason(&self) -> Option<&'static str> {
        let reason = DEFENCE.iter().find(|(clause, _)| *clause == self.clause);
        reason.map(|(_, reason)| *reason)
    }
}

/// These checkers look at the mutants of these clauses; the killers that are found are put on the shelf.
pub fn run<'a>(
    checkers: impl Iterator<Item = &'a Checker>,
    clauses: &[Clause],
    shelf: &mut Corpus,
    tell: impl Fn(Progress) + Sync,
) -> Matrix {
    let mut rows: Vec<Row> =
        clauses.iter().map(|clause| Row { clause: *clause, findings: BTreeMap::new() }).collect();
    let mut false_alarms = Vec::new();
    let mutants: Vec<Mutant> =
        [Mutant(None)].into_iter().chain(clauses.iter().map(|clause| Mutant(Some(*clause)))).collect();
    for checker in checkers {
        let mut findings = look(checker, &mutants, shelf, &tell).into_iter();
        if let Some(Finding::Noticed(notice)) = findings.next() {
            false_alarms.push((checker.kind, notice.what));
        }
        for (row, mut finding) in rows.iter_mut().zip(findings) {
            if let Finding::Noticed(Notice { trace, .. }) = &mut finding
                && let Some(killer) = trace.take().and_then(|trace| WitnessTrace::new(*trace))
            {
                shelf.put(killer);
            }
            row.findings.insert(checker.kind, finding);
        }
    }
    Matrix { rows, false_alarms }
}

/// What a checker says of each mutant, in their order, whoever is done first.
fn look(
    checker: &Checker,
    mutants: &[Mutant],
    shelf: &Corpus,
    tell: &(impl Fn(Progress) + Sync),
) -> Vec<Finding> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let found = Mutex::new(BTreeMap::new());
    let take = || {
        let place = next.fetch_add(1, Ordering::Relaxed);
        mutants.get(place).map(|mutant| (place, *mutant))
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((place, mutant)) = take() {
                    let finding = (checker.look)(mutant, shelf);
                    found.lock().unwrap_or_else(PoisonError::into_inner).insert(place, finding);
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    tell(Progress { kind: checker.kind, done, of: mutants.len() });
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
