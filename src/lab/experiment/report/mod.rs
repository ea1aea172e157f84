//! What an experiment found, as CSV, JSON and one page for people. All three say the same, from the same columns.

mod columns;
mod figures;
mod html;
mod page;
mod panels;
mod words;

use super::campaign::{Cell, MistakeBound, Table};
use super::claims::{Added, Claim, Mirrored, Reconstructed};
use super::{Asked, Expedition, GridPoint, Point};
use columns::{NAMES, Value, columns};
use serde::Serialize;

/// All that an experiment found.
pub struct Report {
    /// Whether it was made small.
    pub quick: bool,
    /// The tables, one for each number of validators.
    pub tables: Vec<Table>,
    /// Orders of asking.
    pub asked: Vec<Asked>,
    /// Where the real protocol was run.
    pub expedition: Expedition,
    /// What was seen there.
    pub points: Vec<Point>,
}

/// What is concluded, without the cells.
#[derive(Serialize)]
pub struct Summary {
    quick: bool,
    seed: u64,
    cells: usize,
    transactions: u64,
    /// What does not hold that should, or holds that must not; empty when all is as claimed.
    failures: Vec<String>,
    claims: Vec<Claim>,
    mirrored: Vec<Mirrored>,
    mistakes: Vec<MistakeBound>,
    reconstruction: Vec<Reconstructed>,
    added: Vec<Added>,
    asked: Vec<Asked>,
    expedition: Expedition,
    points: Vec<Point>,
}

#[derive(Serialize)]
struct Whole<'r> {
    #[serde(flatten)]
    summary: Summary,
    columns: &'static [&'static str],
    rows: Vec<Vec<Value<'r>>>,
}

impl Report {
    /// Every cell.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.tables.iter().flat_map(|table| &table.cells)
    }

    /// What does not hold that should, or holds that must not: claims, the swap bound, proved bounds, the real protocol beside
    /// the Monte-Carlo, and what its books have to say.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for table in &self.tables {
            failures.extend(table.failed_claims());
            failures.extend(table.beyond());
            let seen = table.mirrored().into_iter().filter(|pair| !pair.holds);
            failures.extend(seen.map(|Mirrored { rule, share, sum, .. }| {
                let rest = share.rest();
                format!("{} sees more than votes: bCDR({share}) + bCDR({rest}) = {sum:.4}", rule.name())
            }));
        }
        for Point { spot, seen, cdr, expected, explained, .. } in &self.points {
            let GridPoint { played, share, .. } = spot;
            let place = format!("the real protocol against {} at f = {share}", played.adversary().name());
            if !explained {
                failures.push(format!("{place}: CDR {cdr:.4}, the Monte-Carlo says {:.4}", expected.mean));
            }
            if seen.double > 0 {
                failures.push(format!("{place}: {} submissions have two ends", seen.double));
            }
            if seen.read_back != seen.ends[0][0] + seen.ends[1][0] {
                failures.push(format!("{place}: not everything committed was read back"));
            }
            if seen.audited != seen.all() {
                failures.push(format!("{place}: {} of {} ends are audited", seen.audited, seen.all()));
            }
        }
        failures
    }

    /// What is concluded.
    pub fn summary(&self) -> Summary {
        let tables = || self.tables.iter();
        Summary {
            quick: self.quick,
            seed: self.expedition.seed,
            cells: self.cells().count(),
            transactions: self.cells().map(|cell| cell.measured.transactions()).sum(),
            failures: self.failures(),
            claims: tables().flat_map(Table::claims).collect(),
            mirrored: tables().flat_map(Table::mirrored).collect(),
            mistakes: tables().map(|table| table.mistakes).collect(),
            reconstruction: self.tables.first().map(Table::reconstruction).unwrap_or_default(),
            added: tables().flat_map(Table::added).collect(),
            asked: self.asked.clone(),
            expedition: self.expedition.clone(),
            points: self.points.clone(),
        }
    }

    /// Every cell, a line each, under a line of names.
    pub fn csv(&self) -> String {
        let mut out = NAMES.join(",");
        out.push('\n');
        for cell in self.cells() {
            let line: Vec<String> = columns(cell).iter().map(Value::csv).collect();
            out.push_str(&line.join(","));
            out.push('\n');
        }
        out
    }

    /// All of it.
    ///
    /// # Panics
    /// Never: names, numbers and lists are JSON.
    pub fn json(&self) -> String {
        let rows = self.cells().map(columns).collect();
        let whole = Whole { summary: self.summary(), columns: NAMES, rows };
        serde_json::to_string(&whole).expect("names, numbers and lists are JSON") + "\n"
    }

    /// One page that needs nothing else.
    pub fn html(&self) -> String {
        page::page(self)
    }
}
