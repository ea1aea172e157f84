//! The state machines and the list of all events, generated as types that actors run on.
//!
//! A machine is four tables: its states (whose caption says what the machine is for), its events, its transitions, and what
//! becomes of an event in a state that has no transition for it. Where the last column of the transitions is `clause`
//! instead of `clauses`, a row that names one is a refusal by that clause.

use crate::chapter::Chapter;
use crate::clauses::Clause;
use crate::tables::{Row, Table, tables};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A state machine.
pub(crate) struct Machine {
    /// The name of its module.
    pub(crate) name: String,
    about: String,
    place: String,
    states: Vec<Named>,
    events: Vec<Named>,
    rows: Vec<Transition>,
    others: Vec<Other>,
}

/// A state or an event, and what it means.
pub(crate) struct Named {
    pub(crate) name: String,
    meaning: String,
    place: String,
}

struct Transition {
    place: String,
    from: String,
    event: String,
    guard: String,
    to: String,
    output: String,
    /// Names of clauses, as in code.
    clauses: Vec<String>,
    refuses: bool,
}

/// States and events of which no state has a transition for any of the events, and the clauses that refuse them.
struct Other {
    place: String,
    states: Vec<String>,
    events: Vec<String>,
    clauses: Vec<String>,
}

/// Every machine of the chapters, in their order.
///
/// # Errors
/// File, line and reason of the first row that is not in the form, and of the first that leaves a hole: a state that is never
/// reached, an event that no state takes, transitions whose guards do not tell them apart, an event both taken and refused.
pub(crate) fn read(chapters: &[Chapter], clauses: &[Clause]) -> Result<Vec<Machine>, String> {
    let columns = ["from", "event", "guard", "to", "output"];
    let table = |kind: &str, header: &[&str]| tables(chapters, kind, header);
    let states = table("Machine", &["state", "meaning"])?;
    let events = table("Events of", &["event", "meaning"])?;
    let plain = table("Transitions of", &[&columns[..], &["clauses"]].concat())?;
    let refusing = table("Transitions and refusals of", &[&columns[..], &["clause"]].concat())?;
    let others = table("Otherwise in", &["states", "events", "refused by"])?;
    for one in [&events, &plain, &refusing, &others].into_iter().flatten() {
        if !states.iter().any(|machine| machine.id == one.id) {
            return Err(format!("{}: no machine is called `{}`", one.place, one.id));
        }
    }
    let mut machines = Vec::new();
    for machine in states {
        let of = |tables: &[Table]| -> Vec<Row> {
            tables.iter().find(|one| one.id == machine.id).map_or_else(Vec::new, |one| one.rows.clone())
        };
        if of(&plain).is_empty() == of(&refusing).is_empty() {
            return Err(format!("{}: a machine has one table of transitions", machine.place));
        }
        let mut rows = Vec::new();
        for (table, refuses) in [(of(&plain), false), (of(&refusing), true)] {
            for row in table {
                rows.push(transition(row, refuses, clauses)?);
            }
        }
        let others: Result<Vec<Other>, String> =
            of(&others).into_iter().map(|row| other(row, clauses)).collect();
        let machine = Machine {
            name: machine.id.clone(),
            about: machine.note.clone(),
            place: machine.place.clone(),
            states: names(machine.rows)?,
            events: names(of(&events))?,
            rows,
            others: others?,
        };
        machine.check()?;
        machines.push(machine);
    }
    Ok(machines)
}

/// The events of the table `Other events`, which no machine takes.
///
/// # Errors
/// As of [`read`]; also where a machine has an event of that name.
pub(crate) fn read_other_events(chapters: &[Chapter], machines: &[Machine]) -> Result<Vec<Named>, String> {
    let mut events = Vec::new();
    for table in tables(chapters, "Other events", &["event", "meaning"])? {
        events.extend(table.rows);
    }
    let events = names(events)?;
    for event in &events {
        if machines.iter().any(|machine| machine.events.iter().any(|own| own.name == event.name)) {
            return Err(format!("{}: {} is the event of a machine", event.place, event.name));
        }
    }
    Ok(events)
}

fn names(rows: Vec<Row>) -> Result<Vec<Named>, String> {
    let mut names: Vec<Named> = Vec::new();
    for Row { place, cells } in rows {
        let [name, meaning] =
            <[String; 2]>::try_from(cells).map_err(|_| format!("{place}: not two cells"))?;
        if guard_name(&name) != name {
            return Err(format!("{place}: `{name}` is not a name such as AwaitingVotes"));
        }
        if names.iter().any(|other| other.name == name) {
            return Err(format!("{place}: {name} is listed twice"));
        }
        names.push(Named { name, meaning, place });
    }
    Ok(names)
}

fn transition(row: Row, refuses: bool, register: &[Clause]) -> Result<Transition, String> {
    let Row { place, cells } = row;
    let cells = <[String; 6]>::try_from(cells).map_err(|_| format!("{place}: not six cells"))?;
    let [from, event, guard, to, output, clauses] = cells;
    let clauses = clause_names(&place, &clauses, register)?;
    let refuses = refuses && !clauses.is_empty();
    if refuses && (from != to || !output.is_empty() || clauses.len() > 1) {
        return Err(format!("{place}: a refusal names one clause, changes no state and sends nothing"));
    }
    Ok(Transition { place, from, event, guard, to, output, clauses, refuses })
}

fn other(row: Row, register: &[Clause]) -> Result<Other, String> {
    let Row { place, cells } = row;
    let [states, events, clauses] =
        <[String; 3]>::try_from(cells).map_err(|_| format!("{place}: not three cells"))?;
    let clauses = clause_names(&place, &clauses, register)?;
    Ok(Other { place, states: list(&states), events: list(&events), clauses })
}

fn list(cell: &str) -> Vec<String> {
    cell.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// The names in code of the clauses whose ids a cell lists.
fn clause_names(place: &str, cell: &str, register: &[Clause]) -> Result<Vec<String>, String> {
    let name = |id: String| {
        let clause = register.iter().find(|clause| clause.id == id);
        clause.map(|clause| clause.name.clone()).ok_or_else(|| format!("{place}: no clause `{id}`"))
    };
    list(cell).into_iter().map(name).collect()
}

/// The name in code of a guard: its words in capitals, or `Always` where there is nothing to hold.
fn guard_name(guard: &str) -> String {
    if guard.is_empty() {
        return "Always".to_owned();
    }
    let words = guard.replace('\'', "");
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

impl Machine {
    /// Whether the tables fit each other and have no hole.
    fn check(&self) -> Result<(), String> {
        self.check_names()?;
        let name = &self.name;
        let mut reached: BTreeSet<&str> = self.states.first().map(|state| &*state.name).into_iter().collect();
        for _ in &self.states {
            let next: Vec<&str> =
                self.rows.iter().filter(|row| reached.contains(&*row.from)).map(|row| &*row.to).collect();
            reached.extend(next);
        }
        if let Some(lost) = self.states.iter().find(|state| !reached.contains(&*state.name)) {
            return Err(format!("{}: {name}: no row leads to {}", lost.place, lost.name));
        }
        let is_idle = |event: &&Named| self.rows.iter().all(|row| row.event != event.name);
        if let Some(idle) = self.events.iter().find(is_idle) {
            return Err(format!("{}: {name}: no state takes {}", idle.place, idle.name));
        }
        for (index, row) in self.rows.iter().enumerate() {
            let of_one = |other: &&Transition| other.from == row.from && other.event == row.event;
            let twin = self.rows[..index].iter().filter(of_one).find(|other| {
                other.guard.is_empty()
                    || row.guard.is_empty()
                    || guard_name(&other.guard) == guard_name(&row.guard)
            });
            if twin.is_some() {
                let Transition { place, from, event, .. } = row;
                return Err(format!(
                    "{place}: {name}: the guards of {event} in {from} do not tell its rows apart"
                ));
            }
        }
        for (index, Other { place, states, events, .. }) in self.others.iter().enumerate() {
            for (state, event) in
                states.iter().flat_map(|state| events.iter().map(move |event| (state, event)))
            {
                if self.rows.iter().any(|row| row.from == *state && row.event == *event) {
                    return Err(format!("{place}: {name}: {event} in {state} is taken and refused"));
                }
                let before = &self.others[..index];
                if before.iter().any(|other| other.states.contains(state) && other.events.contains(event)) {
                    return Err(format!("{place}: {name}: {event} in {state} is refused twice"));
                }
            }
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), String> {
        let Machine { name, place, .. } = self;
        if self.about.is_empty() {
            return Err(format!("{place}: the caption of {name} does not say what it is for"));
        }
        let listed = |place: &str, names: &[Named], what: &str, one: &str| {
            let there = names.iter().any(|named| named.name == one);
            if there { Ok(()) } else { Err(format!("{place}: {name} has no {what} `{one}`")) }
        };
        for row in &self.rows {
            listed(&row.place, &self.states, "state", &row.from)?;
            listed(&row.place, &self.events, "event", &row.event)?;
            listed(&row.place, &self.states, "state", &row.to)?;
        }
        for other in &self.others {
            other.states.iter().try_for_each(|state| listed(&other.place, &self.states, "state", state))?;
            other.events.iter().try_for_each(|event| listed(&other.place, &self.events, "event", event))?;
        }
        for row in &self.rows {
            let same = |other: &&Transition| guard_name(&other.guard) == guard_name(&row.guard);
            if self.rows.iter().filter(same).any(|other| other.guard != row.guard) {
                let Transition { place, guard, .. } = row;
                return Err(format!("{place}: {name}: two guards have the name of `{guard}`"));
            }
        }
        Ok(())
    }

    /// The guards, each once, in the order of the rows.
    fn guards(&self) -> Vec<&str> {
        let mut guards: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !guards.contains(&&*row.guard) {
                guards.push(&row.guard);
            }
        }
        guards
    }

    fn render(&self, out: &mut String) -> std::fmt::Result {
        let Machine { name, about, .. } = self;
        writeln!(out, "/// {}\npub mod {name} {{", doc(about))?;
        writeln!(out, "    use crate::machine::{{Machine, Row, Table}};")?;
        writeln!(out, "    use crate::{{Clause, Refusal, Rules}};\n")?;
        let states: Vec<(String, &str)> =
            self.states.iter().map(|one| (one.name.clone(), &*one.meaning)).collect();
        let events: Vec<(String, &str)> =
            self.events.iter().map(|one| (one.name.clone(), &*one.meaning)).collect();
        let guards: Vec<(String, &str)> = self
            .guards()
            .into_iter()
            .map(|guard| (guard_name(guard), if guard.is_empty() { "nothing has to hold" } else { guard }))
            .collect();
        render_enum(out, "State", "What is awaited.", &states)?;
        render_enum(out, "Event", "What happened.", &events)?;
        render_enum(out, "Guard", "What tells the outcomes of one event in one state apart.", &guards)?;
        writeln!(out, "impl From<Event> for crate::Event {{")?;
        writeln!(out, "    fn from(event: Event) -> crate::Event {{\n        match event {{")?;
        for event in &self.events {
            writeln!(out, "            Event::{0} => crate::Event::{0},", event.name)?;
        }
        writeln!(out, "        }}\n    }}\n}}\n")?;
        self.render_tables(out)?;
        writeln!(out, "{STEPS}}}\n")
    }

    fn render_tables(&self, out: &mut String) -> std::fmt::Result {
        let typed = |kind: &str, name: &str| format!("{kind}::{name}");
        let text = |_: &str, name: &str| format!("{name:?}");
        writeln!(out, "/// Every transition.\npub const ROWS: &[Row<State, Event, Guard>] = &[")?;
        for row in &self.rows {
            render_row(out, row, typed, &typed("Guard", &guard_name(&row.guard)))?;
        }
        writeln!(out, "];\n\nconst TABLE: Table<State, Event, Guard> = Table {{")?;
        writeln!(out, "    name: {:?},\n    rows: ROWS,\n    others: &[", self.name)?;
        self.others.iter().try_for_each(|other| render_other(out, other, typed))?;
        writeln!(out, "    ],\n}};\n\n/// The machine as text.\npub static MACHINE: Machine = Machine {{")?;
        writeln!(out, "    name: {:?},\n    about: {:?},", self.name, self.about)?;
        for (field, names) in [("states", &self.states), ("events", &self.events)] {
            let names: Vec<(&str, &str)> = names.iter().map(|one| (&*one.name, &*one.meaning)).collect();
            writeln!(out, "    {field}: &{names:?},")?;
        }
        writeln!(out, "    rows: &[")?;
        self.rows.iter().try_for_each(|row| render_row(out, row, text, &format!("{:?}", row.guard)))?;
        writeln!(out, "    ],\n    others: &[")?;
        self.others.iter().try_for_each(|other| render_other(out, other, text))?;
        writeln!(out, "    ],\n}};\n")
    }
}

/// The methods of every machine's `State`.
const STEPS: &str = "
impl State {
    /// Where it begins.
    pub const INITIAL: State = State::ALL[0];

    /// Whether no transition leads on.
    pub fn is_terminal(self) -> bool {
        ROWS.iter().all(|row| row.from != self)
    }

    /// Continues when `event` may happen in this state at all; asked before anything else is checked.
    ///
    /// # Errors
    /// The clause that they name for it there, STA-01 where they name none.
    pub fn expects(self, rules: &Rules, event: Event) -> Result<(), Refusal> {
        TABLE.expects(rules, self, event)
    }

    /// The next state, from the row of this state and `event` whose guard holds.
    ///
    /// # Errors
    /// The clause of a row that refuses. Without a row, the clause that the tables name for the event in this state, STA-01 where
    /// they name none; where none of these is in force, the row of another state with this event and guard is taken.
    pub fn on(self, rules: &Rules, event: Event, guard: Guard) -> Result<State, Refusal> {
        TABLE.on(rules, self, event, guard)
    }
}
";

fn render_enum(out: &mut String, name: &str, about: &str, items: &[(String, &str)]) -> std::fmt::Result {
    writeln!(out, "/// {about}\n#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]")?;
    writeln!(out, "pub enum {name} {{")?;
    for (item, meaning) in items {
        writeln!(out, "    /// {}\n    {item},", doc(meaning))?;
    }
    writeln!(out, "}}\n\nimpl {name} {{\n    /// Every one of them.")?;
    let all: Vec<String> = items.iter().map(|(item, _)| format!("{name}::{item}")).collect();
    writeln!(out, "    pub const ALL: &'static [{name}] = &[{}];\n", all.join(", "))?;
    writeln!(out, "    /// Its name in the tables.\n    pub const fn name(self) -> &'static str {{")?;
    writeln!(out, "        match self {{")?;
    for (item, _) in items {
        writeln!(out, "            {name}::{item} => {item:?},")?;
    }
    writeln!(out, "        }}\n    }}\n}}\n\nimpl std::fmt::Display for {name} {{")?;
    writeln!(out, "    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{")?;
    writeln!(out, "        f.write_str(self.name())\n    }}\n}}\n")?;
    writeln!(out, "impl From<{name}> for &'static str {{")?;
    writeln!(out, "    fn from(one: {name}) -> &'static str {{\n        one.name()\n    }}\n}}\n")
}

fn render_row(
    out: &mut String,
    row: &Transition,
    name: impl Fn(&str, &str) -> String,
    guard: &str,
) -> std::fmt::Result {
    let (from, event, to) = (name("State", &row.from), name("Event", &row.event), name("State", &row.to));
    let (output, clauses, refuses) = (&row.output, clause_values(&row.clauses), row.refuses);
    writeln!(
        out,
        "    Row {{ from: {from}, event: {event}, guard: {guard}, to: {to}, output: {output:?}, clauses: {clauses}, refuses: {refuses} }},"
    )
}

fn render_other(out: &mut String, other: &Other, name: impl Fn(&str, &str) -> String) -> std::fmt::Result {
    let states: Vec<String> = other.states.iter().map(|one| name("State", one)).collect();
    let events: Vec<String> = other.events.iter().map(|one| name("Event", one)).collect();
    let clauses = clause_values(&other.clauses);
    writeln!(
        out,
        "    crate::machine::Other {{ states: &[{}], events: &[{}], clauses: {clauses} }},",
        states.join(", "),
        events.join(", ")
    )
}

fn clause_values(names: &[String]) -> String {
    let values: Vec<String> = names.iter().map(|name| format!("Clause::{name}")).collect();
    format!("&[{}]", values.join(", "))
}

/// Text of a table as a doc comment.
fn doc(text: &str) -> String {
    text.replace('[', "\\[").replace(']', "\\]")
}

/// A module for each machine, and the enum of all events.
pub(crate) fn render(machines: &[Machine], others: &[Named]) -> String {
    let mut out = String::new();
    let mut events: Vec<(String, String)> = Vec::new();
    for event in machines.iter().flat_map(|machine| &machine.events).chain(others) {
        match events.iter_mut().find(|(name, _)| *name == event.name) {
            Some((_, meaning)) if meaning.split("; ").any(|one| one == event.meaning) => {}
            Some((_, meaning)) => write!(meaning, "; {}", event.meaning).expect("a string grows"),
            None => events.push((event.name.clone(), event.meaning.clone())),
        }
    }
    let events: Vec<(String, &str)> =
        events.iter().map(|(name, meaning)| (name.clone(), &**meaning)).collect();
    render_enum(&mut out, "Event", "What happens to an actor or to somebody who looks on.", &events)
        .expect("a string grows");
    machines.iter().try_for_each(|machine| machine.render(&mut out)).expect("a string grows");
    let names: Vec<String> = machines.iter().map(|one| format!("&{}::MACHINE", one.name)).collect();
    write!(
        out,
        "/// Every machine, in the order of the chapters.\npub static MACHINES: &[&crate::machine::Machine] = &[{}];\n",
        names.join(", ")
    )
    .expect("a string grows");
    out
}
