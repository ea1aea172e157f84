//! Orders of checks, generated as the module `order` and the macro `errors!`.
//!
//! An order is a table ``**Order `id`.**`` with the columns *clause* and *check*. A row whose clause is the id of another
//! order stands for all checks of that order.

use crate::{clauses::Clause, tables::Table};
use std::fmt::Write as _;

/// The columns of a table of checks.
pub(crate) const COLUMNS: [&str; 2] = ["clause", "check"];

/// One check.
#[derive(Clone)]
pub(crate) struct Check {
    /// The name of its clause.
    pub(crate) clause: String,
    id: String,
    about: String,
    /// The order through which it came here.
    pub(crate) part: Option<String>,
}

/// An order, with the checks of its parts in their places.
pub(crate) struct Order {
    /// Its id.
    pub(crate) id: String,
    /// Its checks.
    pub(crate) checks: Vec<Check>,
    chapter: String,
    note: String,
    /// Its rows, in words.
    text: String,
}

/// The orders of these tables.
///
/// # Errors
/// File, line and reason of the first caption or row that is not in the form.
pub(crate) fn read(tables: &[Table], clauses: &[Clause]) -> Result<Vec<Order>, String> {
    tables.iter().map(|table| one(table, tables, clauses)).collect()
}

fn one(table: &Table, tables: &[Table], clauses: &[Clause]) -> Result<Order, String> {
    if table.id.is_empty() || !table.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        return Err(format!("{}: `{}` is not an id such as t_initial", table.place, table.id));
    }
    let rows = table.rows.iter().map(|row| match row.cells[1].as_str() {
        "" => row.cells[0].replace('`', ""),
        about => format!("{} ({about})", row.cells[0].replace('`', "")),
    });
    Ok(Order {
        id: table.id.clone(),
        checks: flatten(table, tables, clauses, &mut Vec::new())?,
        chapter: table.place.split(':').next().unwrap_or_default().to_owned(),
        note: table.note.clone(),
        text: rows.collect::<Vec<_>>().join(", "),
    })
}

/// The checks of a table, in the places of its parts theirs. `above` are the ids of the orders that this is a part of.
fn flatten<'t>(
    table: &'t Table,
    tables: &'t [Table],
    clauses: &[Clause],
    above: &mut Vec<&'t str>,
) -> Result<Vec<Check>, String> {
    above.push(&table.id);
    let mut checks = Vec::new();
    for row in &table.rows {
        let [named, about] = [&row.cells[0], &row.cells[1]];
        if let Some(part) = named.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
            let found = tables.iter().find(|other| other.id == part);
            let found = found.ok_or_else(|| format!("{}: there is no order `{part}`", row.place))?;
            if above.contains(&part) {
                return Err(format!("{}: the order `{part}` is a part of itself", row.place));
            }
            for check in flatten(found, tables, clauses, above)? {
                let about = [about.as_str(), &check.about].into_iter().filter(|text| !text.is_empty());
                let about = about.collect::<Vec<_>>().join(": ");
                checks.push(Check { about, part: Some(part.to_owned()), ..check });
            }
        } else {
            let clause = clauses.iter().find(|clause| clause.id == *named);
            let clause = clause.ok_or_else(|| format!("{}: there is no clause `{named}`", row.place))?;
            checks.push(Check {
                clause: clause.name.clone(),
                id: clause.id.clone(),
                about: about.clone(),
                part: None,
            });
        }
    }
    above.pop();
    Ok(checks)
}

/// The constants, the list of them, and the macro that gives their texts.
pub(crate) fn render(orders: &[Order]) -> String {
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("a string grows");
    for order in orders {
        line(format_args!("#[doc = {:?}]", format!("Order of chapter `{}`. {}", order.chapter, order.note)));
        line(format_args!("///"));
        for check in &order.checks {
            line(format_args!("#[doc = {:?}]", format!("1. {}{}", check.id, about(&check.about))));
        }
        let name = order.id.to_uppercase();
        line(format_args!("pub const {name}: &Order = &Order {{ id: {:?}, checks: &[", order.id));
        for Check { clause, about, part, .. } in &order.checks {
            line(format_args!("    Check {{ clause: Clause::{clause}, about: {about:?}, part: {part:?} }},"));
        }
        line(format_args!("] }};"));
    }
    line(format_args!("/// Every order, in the order of the chapters.\npub const ALL: &[&Order] = &["));
    for order in orders {
        line(format_args!("    {},", order.id.to_uppercase()));
    }
    line(format_args!("];"));
    line(format_args!(
        "/// The text of an order, for the section on errors of what makes its checks: `#[doc = bemr_spec::errors!(id)]`."
    ));
    line(format_args!("#[macro_export]\nmacro_rules! errors {{"));
    for order in orders {
        let text = format!("The first of these checks that fails: {}.", order.text);
        line(format_args!("    ({}) => {{ {text:?} }};", order.id));
    }
    line(format_args!("}}"));
    out
}

fn about(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
