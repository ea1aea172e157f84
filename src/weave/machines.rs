//! The state machines, as tables, diagrams and matrices.

use super::{cell, heading};
use crate::machine::Machine;
use bemr_spec::Clause;
use std::fmt::Write as _;

/// Every machine of the implementation. A new one is listed here and nowhere else.
pub static ALL: &[&Machine] = &[];

/// Every machine, for the specification.
pub fn render(machines: &[&Machine]) -> String {
    let mut out = heading("State machines", "the rows in the code");
    let refused = refused();
    write!(
        out,
        "\nThe guards of one state and event are tried in the order of the rows. Where the matrix says `{refused}`, \
         the event is refused by that clause and nothing changes.\n"
    )
    .expect("a string grows");
    for machine in machines {
        let about: Vec<&str> = machine.about.lines().map(str::trim).collect();
        write!(out, "\n## `{}`\n\n{}\n", machine.name, about.join("\n").trim()).expect("a string grows");
        write!(out, "\n{}", vocabulary(machine)).expect("a string grows");
        write!(out, "\n### `{}`: transitions\n\n{}", machine.name, transitions(machine))
            .expect("a string grows");
        write!(out, "\n### `{}`: diagram\n\n```mermaid\n{}```\n", machine.name, diagram(machine))
            .expect("a string grows");
        write!(out, "\n### `{}`: every state and event\n\n{}", machine.name, matrix(machine))
            .expect("a string grows");
    }
    out
}

/// The states and events and what they mean.
pub fn vocabulary(machine: &Machine) -> String {
    let mut out = String::from("| state | meaning |\n|---|---|\n");
    for (index, (state, meaning)) in machine.states.iter().enumerate() {
        let mark = match (index, machine.is_terminal(state)) {
            (0, _) => " (initial)",
            (_, true) => " (terminal)",
            _ => "",
        };
        writeln!(out, "| {state}{mark} | {} |", cell(meaning)).expect("a string grows");
    }
    out.push_str("\n| event | meaning |\n|---|---|\n");
    for (event, meaning) in machine.events {
        writeln!(out, "| {event} | {} |", cell(meaning)).expect("a string grows");
    }
    out
}

/// The rows.
pub fn transitions(machine: &Machine) -> String {
    let mut out =
        String::from("| from | event | guard | to | output | clauses |\n|---|---|---|---|---|---|\n");
    for row in machine.rows {
        let clauses: Vec<&str> = row.clauses.iter().map(|clause| clause.id()).collect();
        let (guard, output) = (cell(row.guard), cell(row.output));
        writeln!(
            out,
            "| {} | {} | {guard} | {} | {output} | {} |",
            row.from,
            row.event,
            row.to,
            clauses.join(", ")
        )
        .expect("a string grows");
    }
    out
}

/// The rows as a Mermaid state diagram.
pub fn diagram(machine: &Machine) -> String {
    let mut out = String::from("stateDiagram-v2\n");
    if let Some((initial, _)) = machine.states.first() {
        writeln!(out, "    [*] --> {initial}").expect("a string grows");
    }
    for row in machine.rows {
        write!(out, "    {} --> {}: {}", row.from, row.to, row.event).expect("a string grows");
        if !row.guard.is_empty() {
            // A colon or semicolon would end the label.
            write!(out, " ({})", row.guard.replace([':', ';'], ",")).expect("a string grows");
        }
        out.push('\n');
    }
    for (state, _) in machine.states.iter().filter(|(state, _)| machine.is_terminal(state)) {
        writeln!(out, "    {state} --> [*]").expect("a string grows");
    }
    out
}

/// Every state with every event: where it leads, or the clause that refuses it.
pub fn matrix(machine: &Machine) -> String {
    let mut out = String::from("| |");
    machine.events.iter().for_each(|(event, _)| write!(out, " {event} |").expect("a string grows"));
    out.push_str("\n|---|");
    machine.events.iter().for_each(|_| out.push_str("---|"));
    out.push('\n');
    for (state, _) in machine.states {
        write!(out, "| **{state}** |").expect("a string grows");
        for (event, _) in machine.events {
            let mut targets: Vec<&str> = Vec::new();
            for row in machine.rows_of(state, event) {
                if !targets.contains(&row.to) {
                    targets.push(row.to);
                }
            }
            let cell = if targets.is_empty() { refused() } else { targets.join(", ") };
            write!(out, " {cell} |").expect("a string grows");
        }
        out.push('\n');
    }
    out
}

/// What the matrix says where the table has no row.
fn refused() -> String {
    format!("refused {}", Clause::EventFitsState.id())
}
