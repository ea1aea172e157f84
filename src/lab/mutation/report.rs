//! The matrix as it is published: as JSON for programs, and from that as a table for people.

use crate::mutation::{Corpus, Finding, Kind, Matrix, Row};
use bemr::crypto::Digest;
use bemr_spec::Clause;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// How many clauses there are.
    pub clauses: usize,
    /// How many mutants somebody notices.
    pub killed: usize,
    /// How many checkers of two families notice.
    pub by_two: usize,
    /// How many break a security property.
    pub break_a_goal: usize,
    /// The digest of the killers.
    pub killers: Digest,
    /// What checkers noticed where nothing is missing.
    pub false_alarms: Vec<(Kind, String)>,
    /// One for each clause.
    pub rows: Vec<Entry>,
}

/// What is published of a clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The clause that is missing.
    pub clause: Clause,
    /// Its name.
    pub name: String,
    /// Whether anybody notices.
    pub killed: bool,
    /// The security property that breaks without it.
    #[serde(rename = "property")]
    pub goal: Option<String>,
    /// Where none does, why it is there.
    pub reason: Option<String>,
    /// What each checker says.
    pub checkers: BTreeMap<Kind, Finding>,
}

impl Published {
    /// What there is to publish of a matrix.
    pub fn of(matrix: &Matrix, shelf: &Corpus) -> Published {
        let count = |is: &dyn Fn(&Row) -> bool| matrix.rows.iter().filter(|row| is(row)).count();
        let entry = |row: &Row| Entry {
            clause: row.clause,
            name: row.clause.name().to_owned(),
            killed: row.is_killed(),
            goal: row.goal().map(str::to_owned),
            reason: row.reason().filter(|_| row.goal().is_none()).map(str::to_owned),
            checkers: row.findings.clone(),
        };
        Published {
            clauses: matrix.rows.len(),
            killed: count(&Row::is_killed),
            by_two: count(&|row| row.families().len() > 1),
            break_a_goal: count(&|row| row.goal().is_some()),
            killers: shelf.digest(),
            false_alarms: matrix.false_alarms.clone(),
            rows: matrix.rows.iter().map(entry).collect(),
        }
    }

    /// This with what other checkers said lately in the place of what they said then.
    #[must_use]
    pub fn refreshed(self, lately: &Matrix, shelf: &Corpus) -> Published {
        let mut said: BTreeMap<Clause, _> =
            self.rows.into_iter().map(|row| (row.clause, row.checkers)).collect();
        // A clause that is new since then has a row as well, in which the others have said nothing.
        let mut rows: Vec<Row> = Clause::ALL
            .into_iter()
            .map(|clause| Row { clause, findings: said.remove(&clause).unwrap_or_default() })
            .collect();
        for row in &mut rows {
            let same = lately.rows.iter().find(|other| other.clause == row.clause);
            row.findings.extend(same.into_iter().flat_map(|other| other.findings.clone()));
        }
        let kinds: BTreeSet<Kind> = lately.rows.iter().flat_map(|row| row.findings.keys().copied()).collect();
        let mut false_alarms = self.false_alarms;
        false_alarms.retain(|(kind, _)| !kinds.contains(kind));
        false_alarms.extend(lately.false_alarms.iter().cloned());
        Published::of(&Matrix { rows, false_alarms }, shelf)
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("names, numbers and lists are JSON");
        text.push('\n');
        text
    }

    /// Whether everything was noticed that is missing, and nothing that is not.
    pub fn is_sound(&self) -> bool {
        self.killed == self.clauses && self.false_alarms.is_empty()
    }

    /// What is in the specification of this version.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn current() -> Published {
        serde_json::from_str(include_str!("../../../spec/generated/mutation-matrix.json"))
            .expect("a test reads it")
    }

    /// Who looked.
    pub fn kinds(&self) -> Vec<Kind> {
        let looked: BTreeSet<Kind> = self.rows.iter().flat_map(|row| row.checkers.keys().copied()).collect();
        Kind::ALL.into_iter().filter(|kind| looked.contains(kind)).collect()
    }

    /// The totals, in a line.
    pub fn totals(&self) -> String {
        let Published { clauses, killed, by_two, break_a_goal, .. } = self;
        format!(
            "{clauses} clauses: {killed} killed, {by_two} by two families of checkers; {break_a_goal} break a security property"
        )
    }
}

impl Entry {
    /// What a checker says, short.
    pub fn said(&self, kind: Kind) -> String {
        short(self.checkers.get(&kind))
    }
}

/// What a checker says, short: the case in which it noticed and the steps that show it.
fn short(finding: Option<&Finding>) -> String {
    match finding {
        Some(Finding::Noticed(notice)) => format!("{} / {}", notice.cases, notice.steps),
        Some(Finding::Missed { cases }) => format!("– ({cases})"),
        None => String::new(),
    }
}

/// The table.
pub fn render(published: &Published) -> String {
    let kinds = published.kinds();
    let mut out = String::from(
        "# Mutation matrix\n\n<!-- Written by `cargo run --release -- mutation-matrix --write`. -->\n\n\
         Each row is the protocol without one clause. A cell gives the case in which a checker detected the mutant, and the steps of its\n\
         run: `12 / 3` is the twelfth case, three steps; `– (600)` is no detection in 600 cases. [Chapter 15](../chapters/15-goals-adversary.md)\n\
         describes the checkers; `search`, `runs` and `attack` judge by the security properties and count as one family, and so do\n\
         `lockstep`, `traces` and `fuzz`, which judge by the model.\n\n",
    );
    writeln!(out, "{}.\n", published.totals()).expect("a string grows");
    let heads: Vec<String> =
        kinds.iter().map(|kind| format!("{} ({} / steps)", kind.name(), kind.cases())).collect();
    writeln!(
        out,
        "| clause | breaks | defence in depth, because | {} |\n|---|---|---|{}",
        heads.join(" | "),
        "---:|".repeat(kinds.len())
    )
    .expect("a string grows");
    for row in &published.rows {
        let cells: Vec<String> = kinds.iter().map(|kind| row.said(*kind)).collect();
        let killed = if row.killed { "" } else { " **nobody notices**" };
        writeln!(
            out,
            "| {} {}{killed} | {} | {} | {} |",
            row.clause.id(),
            row.name,
            row.goal.as_deref().unwrap_or(""),
            row.reason.as_deref().unwrap_or(""),
            cells.join(" | ")
        )
        .expect("a string grows");
    }
    out
}
