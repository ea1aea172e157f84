//! The readers of the build script refuse a chapter that is not in their form, with file and line.

#[path = "../build/chapter.rs"]
#[allow(dead_code, reason = "the build script uses all of it")]
mod chapter;
#[path = "../build/clauses.rs"]
#[allow(dead_code, reason = "the build script uses all of it")]
mod clauses;
#[path = "../build/constants.rs"]
#[allow(dead_code, reason = "the build script uses all of it")]
mod constants;
#[path = "../build/machines.rs"]
#[allow(dead_code, reason = "the build script uses all of it")]
mod machines;
#[path = "../build/orders.rs"]
#[allow(dead_code, reason = "the build script uses all of it")]
mod orders;
#[path = "../build/tables.rs"]
#[allow(dead_code, reason = "the build script uses all of it")]
mod tables;

use chapter::Chapter;

fn one(text: &str) -> Vec<Chapter> {
    vec![Chapter { file: "09-test.md".to_owned(), text: text.to_owned() }]
}

const CLAUSE: &str = "\
### KEY-01 · OneName

**MUST.** A thing MUST be so.

**Why.** Otherwise it is not.

**From.** P-1; C-02.
";

/// Replaces `old` in a clause and gives what the reader then says.
fn clause_with(old: &str, new: &str) -> String {
    assert!(CLAUSE.contains(old), "{old:?} is in the clause");
    match clauses::read(&one(&CLAUSE.replace(old, new))) {
        Ok(clauses) => format!("{} clauses", clauses.len()),
        Err(error) => error,
    }
}

#[test]
fn a_clause_is_read_or_its_line_named() {
    assert_eq!(clause_with("OneName", "OneName"), "1 clauses");
    for (old, new, reason) in [
        ("KEY-01", "KEY-1", "`KEY-1` is not a clause id such as KEY-03"),
        ("KEY-01", "ZZZ-01", "ZZZ-01: the prefix has no code yet: see PREFIXES"),
        ("MUST be", "be", "a clause has exactly one MUST"),
        ("**MUST.** A", "A", "KEY-01 has no MUST paragraph"),
        ("**Why.** ", "", "KEY-01 has no Why paragraph"),
        ("**From.** ", "", "KEY-01 has no From paragraph"),
        ("P-1", "P-x", "`P-x` has no number"),
        ("**Why.**", "**Why.** So.\n\n**Why.**", "KEY-01 has a paragraph twice"),
    ] {
        assert_eq!(clause_with(old, new), format!("09-test.md:1: {reason}"));
    }
    let twice = clauses::read(&one(&format!("{CLAUSE}\n{CLAUSE}"))).err();
    assert_eq!(twice.as_deref(), Some("09-test.md:9: clause id KEY-01 is defined twice"));
}

const TABLE: &str = "\
Prose.

**Order `first`.** Of a thing.

| clause | of |
|---|---|
| KEY-01 | the body |
| KEY-02 | |

More prose.
";

fn table_with(old: &str, new: &str) -> Result<Vec<tables::Table>, String> {
    assert!(TABLE.contains(old), "{old:?} is in the table");
    tables::tables(&one(&TABLE.replace(old, new)), "Order", &["clause", "of"])
}

#[test]
fn a_table_is_read_or_its_line_named() {
    let found = table_with("Prose", "Prose").expect("the table is in the form");
    let [table] = found.as_slice() else { panic!("one table") };
    assert_eq!((table.id.as_str(), table.note.as_str()), ("first", "Of a thing."));
    assert_eq!(table.place, "09-test.md:3");
    let rows: Vec<_> = table.rows.iter().map(|row| (row.place.as_str(), row.cells.clone())).collect();
    let cells = |of: [&str; 2]| of.map(str::to_owned).to_vec();
    assert_eq!(
        rows,
        [("09-test.md:7", cells(["KEY-01", "the body"])), ("09-test.md:8", cells(["KEY-02", ""])),]
    );
    for (old, new, error) in [
        ("first`.**", "first`**", "09-test.md:3: a caption is ``**Kind `id`.**`` and then prose"),
        ("thing.\n", "thing.", "09-test.md:4: an empty line follows the caption"),
        ("clause | of", "of | clause", "09-test.md:5: the table has the columns clause | of"),
        ("|---|---|", "|---|", "09-test.md:6: the rule of the table has 2 columns"),
        ("| KEY-02 | |", "| KEY-02 |", "09-test.md:8: a row has 2 cells"),
        ("| KEY-02 | |", "KEY-02", "09-test.md:8: a row has 2 cells"),
        ("| KEY-01 | the body |\n| KEY-02 | |\n", "", "09-test.md:5: the table has no row"),
        (
            "More",
            "**Order `first`.**\n\n| clause | of |\n|---|---|\n| a | b |\n\nMore",
            "09-test.md:10: Order `first` is defined twice",
        ),
    ] {
        assert_eq!(table_with(old, new).err().as_deref(), Some(error));
    }
}

const ORDERS: &str = "\
### KEY-01 · OneName

**MUST.** A thing MUST be so.

**Why.** Otherwise it is not.

**From.** P-1.

**Order `whole`.** Of a message.

| clause | check |
|---|---|
| KEY-01 | the name |
| `part` | the rest |
| KEY-01 | |

**Order `part`.** Of its end.

| clause | check |
|---|---|
| KEY-01 | the end |
";

fn orders_with(old: &str, new: &str) -> Result<Vec<orders::Order>, String> {
    assert!(ORDERS.contains(old), "{old:?} is in the text");
    let chapters = one(&ORDERS.replace(old, new));
    let clauses = clauses::read(&chapters)?;
    orders::read(&tables::tables(&chapters, "Order", &orders::COLUMNS)?, &clauses)
}

#[test]
fn an_order_is_read_with_its_parts_or_its_line_named() {
    let found = orders_with("whole", "whole").expect("the tables are in the form");
    let parts: Vec<_> = found[0].checks.iter().map(|check| check.part.as_deref()).collect();
    assert_eq!((found.len(), found[0].id.as_str(), found[1].checks.len()), (2, "whole", 1));
    assert_eq!(parts, [None, Some("part"), None]);
    assert!(found[0].checks.iter().all(|check| check.clause == "OneName"));
    for (old, new, error) in [
        ("`whole`", "`T-whole`", "09-test.md:9: `T-whole` is not an id such as t_initial"),
        ("| KEY-01 | the end", "| KEY-02 | the end", "09-test.md:21: there is no clause `KEY-02`"),
        ("| `part` |", "| `parts` |", "09-test.md:14: there is no order `parts`"),
        ("| KEY-01 | the end", "| `whole` | the end", "09-test.md:21: the order `whole` is a part of itself"),
    ] {
        assert_eq!(orders_with(old, new).err().as_deref(), Some(error));
    }
}

const CONSTANTS: &str = "\
**Constants `first`.** Of a thing.

| constant | value | unit | what | where |
|---|---|---|---|---|
| WAIT_MS | 4000 | ms | it waits | here |
| LEAST | 3 | entries | it holds | there |
";

fn constants_with(old: &str, new: &str) -> Result<Vec<constants::Constant>, String> {
    assert!(CONSTANTS.contains(old), "{old:?} is in the text");
    let chapters = one(&CONSTANTS.replace(old, new));
    constants::read(&tables::tables(&chapters, "Constants", &constants::COLUMNS)?)
}

#[test]
fn a_constant_is_read_or_its_line_named() {
    let found = constants_with("LEAST", "LEAST").expect("the table is in the form");
    let found: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.value)).collect();
    assert_eq!(found, [("WAIT_MS", 4000), ("LEAST", 3)]);
    for (old, new, error) in [
        ("LEAST", "Least", "09-test.md:6: `Least` is not a name such as BSD_ATTEMPTS"),
        ("LEAST | 3 | entries", "WAIT_MS | 3 | ms", "09-test.md:6: WAIT_MS is defined twice"),
        ("4000", "4 000", "09-test.md:5: `4 000` is not a number in decimal digits"),
        ("entries", "things", "09-test.md:6: there is no unit `things`: see UNITS"),
        ("entries", "ms", "09-test.md:6: the unit of LEAST is `ms`: _MS is for ms, _BYTES for bytes"),
        ("ms |", "bytes |", "09-test.md:5: the unit of WAIT_MS is `bytes`: _MS is for ms, _BYTES for bytes"),
        ("it holds", "", "09-test.md:6: LEAST needs to say what it is, and where it is used"),
    ] {
        assert_eq!(constants_with(old, new).err().as_deref(), Some(error));
    }
}

const MACHINE: &str = "\
### KEY-01 · OneName

**MUST.** A thing MUST be so.

**Why.** Otherwise it is not.

**From.** P-1; C-02.

**Machine `door`.** A door.

| state | meaning |
|---|---|
| Shut | it is shut |
| Open | it is open |

**Events of `door`.**

| event | meaning |
|---|---|
| Pushed | somebody pushes |

**Transitions of `door`.**

| from | event | guard | to | output | clauses |
|---|---|---|---|---|---|
| Shut | Pushed | it is not locked | Open | a draught | |
| Shut | Pushed | it is locked | Shut | | KEY-01 |

**Otherwise in `door`.**

| states | events | refused by |
|---|---|---|
| Open | Pushed | KEY-01 |

**Other events `inputs`.**

| event | meaning |
|---|---|
| Wake | an instant came |
";

/// Replaces `old` in a machine and gives what the readers then say.
fn machine_with(old: &str, new: &str) -> String {
    assert!(MACHINE.contains(old), "{old:?} is in the machine");
    let chapters = one(&MACHINE.replace(old, new));
    let clauses = clauses::read(&chapters).expect("the clause is not what is replaced");
    let read = machines::read(&chapters, &clauses).and_then(|machines| {
        machines::read_other_events(&chapters, &machines).map(|events| machines::render(&machines, &events))
    });
    read.unwrap_or_else(|error| error)
}

#[test]
fn a_machine_becomes_types_and_rows() {
    let code = machine_with("door", "door");
    for part in [
        "pub mod door {",
        "guard: Guard::ItIsNotLocked, to: State::Open, output: \"a draught\"",
        "crate::machine::Other { states: &[State::Open], events: &[Event::Pushed], clauses: &[Clause::OneName] }",
        "pub const ALL: &'static [Event] = &[Event::Pushed, Event::Wake];",
    ] {
        assert!(code.contains(part), "{part} is not in {code}");
    }
    let refusing =
        MACHINE.replace("Transitions of", "Transitions and refusals of").replace("clauses |", "clause |");
    let chapters = one(&refusing);
    let machines =
        machines::read(&chapters, &clauses::read(&chapters).expect("a clause")).expect("a machine");
    assert!(machines::render(&machines, &[]).contains("clauses: &[Clause::OneName], refuses: true }"));
}

#[test]
fn a_machine_with_a_hole_stops_the_build_with_its_line() {
    let cases = [
        ("| Open | it is open |", "| Open | it is open |\n| Gone | lost |", "15: door: no row leads to Gone"),
        (
            "| Pushed | somebody pushes |",
            "| Pushed | somebody pushes |\n| Shaken | it quakes |",
            "21: door: no state takes Shaken",
        ),
        ("| it is locked |", "| |", "27: door: the guards of Pushed in Shut do not tell its rows apart"),
        (
            "| it is locked |",
            "| it is not locked |",
            "27: door: the guards of Pushed in Shut do not tell its rows apart",
        ),
        (
            "| it is locked |",
            "| It, is not: locked |",
            "26: door: two guards have the name of `it is not locked`",
        ),
        (
            "| Open | Pushed | KEY-01 |",
            "| Open, Shut | Pushed | KEY-01 |",
            "33: door: Pushed in Shut is taken and refused",
        ),
        ("| Open | Pushed | KEY-01 |", "| Open | Pushed | KEY-02 |", "33: no clause `KEY-02`"),
        (
            "| Open | Pushed | KEY-01 |",
            "| Open | Pushed | KEY-01 |\n| Open | Pushed | |",
            "34: door: Pushed in Open is refused twice",
        ),
        ("| Open | Pushed | KEY-01 |", "| Ajar | Pushed | |", "33: door has no state `Ajar`"),
        (
            "| Shut | Pushed | it is not locked | Open |",
            "| Shut | Pushed | it is not locked | Ajar |",
            "26: door has no state `Ajar`",
        ),
        (
            "| Shut | Pushed | it is not locked |",
            "| Shut | Kicked | it is not locked |",
            "26: door has no event `Kicked`",
        ),
        ("| a draught | |", "| a draught |", "26: a row has 6 cells"),
        ("| Open | it is open |", "| Shut | it is open |", "14: Shut is listed twice"),
        (
            "| Open | it is open |",
            "| is open | it is open |",
            "14: `is open` is not a name such as AwaitingVotes",
        ),
        (
            "**Machine `door`.** A door.",
            "**Machine `door`.**",
            "9: the caption of door does not say what it is for",
        ),
        ("**Events of `door`.**", "**Events of `gate`.**", "16: no machine is called `gate`"),
        ("| Wake | an instant came |", "| Pushed | again |", "39: Pushed is the event of a machine"),
    ];
    for (old, new, error) in cases {
        assert_eq!(machine_with(old, new), format!("09-test.md:{error}"), "{old} -> {new}");
    }
}

#[test]
fn a_row_that_refuses_changes_nothing() {
    let with = |row: &str| {
        let text =
            MACHINE.replace("Transitions of", "Transitions and refusals of").replace("clauses |", "clause |");
        let chapters = one(&text.replace("| Shut | Pushed | it is locked | Shut | | KEY-01 |", row));
        machines::read(&chapters, &clauses::read(&chapters).expect("a clause")).map(drop)
    };
    assert_eq!(with("| Shut | Pushed | it is locked | Shut | | KEY-01 |"), Ok(()));
    for row in [
        "| Shut | Pushed | it is locked | Open | | KEY-01 |",
        "| Shut | Pushed | it is locked | Shut | noise | KEY-01 |",
    ] {
        let error = with(row).expect_err("no refusal");
        assert!(error.ends_with("a refusal names one clause, changes no state and sends nothing"), "{error}");
    }
}
