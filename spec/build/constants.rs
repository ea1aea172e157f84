//! Constants, generated as the module `constants`.
//!
//! A table ``**Constants `id`.**`` has the columns *constant*, *value*, *unit*, *what*, *where*. The unit gives the Rust type;
//! a time and a number of bytes have it in their name.

use crate::tables::Table;
use std::fmt::Write as _;

/// The columns of a table of constants.
pub(crate) const COLUMNS: [&str; 5] = ["constant", "value", "unit", "what", "where"];

/// Units with the type of their numbers: `usize` for what an implementation holds in memory, `u64` for what is compared with
/// a number in a message.
const UNITS: [(&str, &str); 11] = [
    ("ms", "u64"),
    ("bytes", "usize"),
    ("attempts", "u32"),
    ("entries", "usize"),
    ("levels", "usize"),
    ("records", "u64"),
    ("seals", "u64"),
    ("heights", "u64"),
    ("blocks", "u64"),
    ("nonces", "u64"),
    ("version", "u16"),
];

/// The suffix of a constant's name that only numbers of this unit have.
const SUFFIXES: [(&str, &str); 2] = [("ms", "_MS"), ("bytes", "_BYTES")];

/// A constant.
pub(crate) struct Constant {
    /// Its name.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: u64,
    kind: &'static str,
    what: String,
}

/// The constants of these tables.
///
/// # Errors
/// File, line and reason of the first row that is not in the form.
pub(crate) fn read(tables: &[Table]) -> Result<Vec<Constant>, String> {
    let mut found: Vec<Constant> = Vec::new();
    for table in tables {
        for row in &table.rows {
            let [name, value, unit, what, place] = row.cells.as_slice() else {
                return Err(format!("{}: a row has {} cells", row.place, COLUMNS.len()));
            };
            let error = |reason: String| Err(format!("{}: {reason}", row.place));
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
                return error(format!("`{name}` is not a name such as BSD_ATTEMPTS"));
            }
            if found.iter().any(|other| other.name == *name) {
                return error(format!("{name} is defined twice"));
            }
            let Ok(number) = value.parse::<u64>() else {
                return error(format!("`{value}` is not a number in decimal digits"));
            };
            let Some((_, kind)) = UNITS.iter().find(|(known, _)| known == unit) else {
                return error(format!("there is no unit `{unit}`: see UNITS"));
            };
            if SUFFIXES.iter().any(|(known, suffix)| name.ends_with(suffix) != (known == unit)) {
                return error(format!("the unit of {name} is `{unit}`: _MS is for ms, _BYTES for bytes"));
            }
            if what.is_empty() || place.is_empty() {
                return error(format!("{name} needs to say what it is, and where it is used"));
            }
            let what = format!("{what}, in {unit} ({place}).");
            found.push(Constant { name: name.clone(), value: number, kind, what });
        }
    }
    Ok(found)
}

/// The constants with their types and documentation.
pub(crate) fn render(constants: &[Constant]) -> String {
    let mut out = String::new();
    for Constant { name, value, kind, what } in constants {
        let capital = what.chars().take(1).flat_map(char::to_uppercase);
        let what: String = capital.chain(what.chars().skip(1)).collect();
        writeln!(out, "#[doc = {what:?}]\npub const {name}: {kind} = {value};").expect("a string grows");
    }
    out
}
