//! The state machines, as tables, diagrams and matrices.

use super::{cell, heading};
use bemr_spec::Clause;
use bemr_spec::machine::Machine;
use bemr_spec::machines::MACHINES;
use std::fmt::Write as _;

/// Every machine, for the specification.
pub fn charts() -> Vec<Chart> {
    MACHINES.iter().map(|machine| Chart::of(machine)).collect()
}

/// A machine, ready to be shown.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Its name.
    pub name: &'static str,
    about: &'static str,
    /// Names and meanings.
    states: Vec<(&'static str, &'static str)>,
    events: Vec<(&'static str, &'static str)>,
    rows: Vec<Line>,
    /// For each state and event without a row, what refuses it.
    rest: Vec<(&'static str, &'static str, &'static [Clause])>,
}

#[derive(Clone, Debug)]
struct Line {
    from: &'static str,
    event: &'static str,
    guard: &'static str,
    to: &'static str,
    output: &'static str,
    clauses: Vec<Clause>,
    /// It leaves the state as it was and names the clause that refuses.
    refuses: bool,
}

impl Chart {
    /// The chart of a machine.
    pub fn of(machine: &Machine) -> Chart {
        let rows = machine.rows.iter().map(|row| Line {
            from: row.from,
            event: row.event,
            guard: row.guard,
            to: row.to,
            output: row.output,
            clauses: row.clauses.to_vec(),
            refuses: row.refuses,
        });
        let mut rest = Vec::new();
        for (state, _) in machine.states {
            let without =
                machine.events.iter().filter(|(event, _)| machine.rows_of(state, event).next().is_none());
            rest.extend(without.map(|(event, _)| (*state, *event, machine.refusals_of(state, event))));
        }
        Chart {
            name: machine.name,
            about: machine.about,
            states: machine.states.to_vec(),
            events: machine.events.to_vec(),
            rows: rows.collect(),
            rest,
        }
    }

    /// Whether a row of it, or what it says of an event without a row, names `clause`.
    pub fn names(&self, clause: Clause) -> bool {
        self.rows.iter().any(|row| row.clauses.contains(&clause))
            || self.rest.iter().any(|(_, _, clauses)| clauses.contains(&clause))
    }

    fn is_terminal(&self, state: &str) -> bool {
        self.rows.iter().all(|row| row.from != state)
    }

    /// The states and events and what they mean.
    pub fn vocabulary(&self) -> String {
        let mut out = String::from("| state | meaning |\n|---|---|\n");
        for (index, (state, meaning)) in self.states.iter().enumerate() {
            let mark = match (index, self.is_terminal(state)) {
                (0, _) => " (initial)",
                (_, true) => " (terminal)",
                _ => "",
            };
            writeln!(out, "| {state}{mark} | {} |", cell(meaning)).expect("a string grows");
        }
        out.push_str("\n| event | meaning |\n|---|---|\n");
        for (event, meaning) in &self.events {
            writeln!(out, "| {event} | {} |", cell(meaning)).expect("a string grows");
        }
        out
    }

    /// The rows.
    pub fn transitions(&self) -> String {
        let mut out =
            String::from("| from | event | guard | to | output | clauses |\n|---|---|---|---|---|---|\n");
        for row in &self.rows {
            let Line { from, event, to, .. } = row;
            let (guard, output) = (cell(row.guard), cell(row.output));
            writeln!(out, "| {from} | {event} | {guard} | {to} | {output} | {} |", ids(&row.clauses))
                .expect("a string grows");
        }
        out
    }

    /// The rows that are no refusals as a Mermaid state diagram.
    pub fn diagram(&self) -> String {
        let mut out = String::from("stateDiagram-v2\n");
        if let Some((initial, _)) = self.states.first() {
            writeln!(out, "    [*] --> {initial}").expect("a string grows");
        }
        for row in self.rows.iter().filter(|row| !row.refuses) {
            write!(out, "    {} --> {}: {}", row.from, row.to, row.event).expect("a string grows");
            if !row.guard.is_empty() {
                // A colon or semicolon would end the label.
                write!(out, " ({})", row.guard.replace([':', ';'], ",")).expect("a string grows");
            }
            out.push('\n');
        }
        for (state, _) in self.states.iter().filter(|(state, _)| self.is_terminal(state)) {
            writeln!(out, "    {state} --> [*]").expect("a string grows");
        }
        out
    }

    /// Every state with every event: where it leads, and what refuses it.
    pub fn matrix(&self) -> String {
        let mut out = String::from("| |");
        self.events.iter().for_each(|(event, _)| write!(out, " {event} |").expect("a string grows"));
        out.push_str("\n|---|");
        self.events.iter().for_each(|_| out.push_str("---|"));
        out.push('\n');
        for (state, _) in &self.states {
            write!(out, "| **{state}** |").expect("a string grows");
            for (event, _) in &self.events {
                write!(out, " {} |", self.cell(state, event)).expect("a string grows");
            }
            out.push('\n');
        }
        out
    }

    fn cell(&self, state: &str, event: &str) -> String {
        let rows = self.rows.iter().filter(|row| row.from == state && row.event == event);
        let (refusals, steps): (Vec<&Line>, Vec<&Line>) = rows.partition(|row| row.refuses);
        let mut targets: Vec<&str> = Vec::new();
        for row in steps {
            if !targets.contains(&row.to) {
                targets.push(row.to);
            }
        }
        let clauses: Vec<Clause> = refusals.iter().flat_map(|row| row.clauses.iter().copied()).collect();
        match (targets.is_empty(), clauses.is_empty()) {
            (true, true) => {
                let rest = self.rest.iter().find(|(at, on, _)| (*at, *on) == (state, event));
                refused(rest.map_or(&[], |(_, _, clauses)| clauses))
            }
            (true, false) => refused(&clauses),
            (false, true) => targets.join(", "),
            (false, false) => format!("{}; {}", targets.join(", "), refused(&clauses)),
        }
    }
}

/// Every machine, as a page.
pub fn render(charts: &[Chart]) -> String {
    let mut out = heading("State machines", "the tables of the chapters");
    write!(
        out,
        "\nThe guards of one state and event are tried in the order of the rows. Where a matrix says *refused*, nothing \
         changes; where it says `{NOT_ITS_OWN}`, the event cannot happen there or does not concern the machine.\n"
    )
    .expect("a string grows");
    for chart in charts {
        let name = chart.name;
        write!(out, "\n## `{name}`\n\n{}\n", chart.about).expect("a string grows");
        write!(out, "\n{}", chart.vocabulary()).expect("a string grows");
        write!(out, "\n### `{name}`: transitions\n\n{}", chart.transitions()).expect("a string grows");
        write!(out, "\n### `{name}`: diagram\n\n```mermaid\n{}```\n", chart.diagram())
            .expect("a string grows");
        write!(out, "\n### `{name}`: every state and event\n\n{}", chart.matrix()).expect("a string grows");
    }
    out
}

/// What a matrix says of an event that does not concern the machine.
const NOT_ITS_OWN: &str = "-";

/// What a matrix says of an event that these clauses refuse.
fn refused(clauses: &[Clause]) -> String {
    if clauses.is_empty() { NOT_ITS_OWN.to_owned() } else { format!("refused {}", ids(clauses)) }
}

fn ids(clauses: &[Clause]) -> String {
    let mut ids: Vec<&str> = Vec::new();
    for clause in clauses {
        if !ids.contains(&clause.id()) {
            ids.push(clause.id());
        }
    }
    ids.join(", ")
}
