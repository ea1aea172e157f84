//! The named tables of the chapters: what is declared in one is generated from it.

use crate::chapter::Chapter;

/// A table that the build reads: a caption ``**Kind `id`.**`` on a line of its own, an empty line, the table.
pub(crate) struct Table {
    /// The id in the caption.
    pub(crate) id: String,
    /// File and line of the caption.
    pub(crate) place: String,
    /// The line of prose after the kind, if the caption has one.
    pub(crate) note: String,
    /// Its rows, without header and rule.
    pub(crate) rows: Vec<Row>,
}

/// One row of a table.
#[derive(Clone)]
pub(crate) struct Row {
    /// File and line.
    pub(crate) place: String,
    /// Its cells, without the blanks around them.
    pub(crate) cells: Vec<String>,
}

/// Every table of `kind` in the chapters, each with exactly the columns `header`.
///
/// # Errors
/// File, line and reason of the first table that is not in the form, or has an id twice.
pub(crate) fn tables(chapters: &[Chapter], kind: &str, header: &[&str]) -> Result<Vec<Table>, String> {
    let mut found: Vec<Table> = Vec::new();
    for chapter in chapters {
        let lines: Vec<&str> = chapter.text.lines().collect();
        for at in 0..lines.len() {
            let Some(rest) = lines[at].strip_prefix(&format!("**{kind} `")) else { continue };
            let place = format!("{}:{}", chapter.file, at + 1);
            let table = read_table(&chapter.file, &lines, at, rest, header)?;
            if found.iter().any(|other| other.id == table.id) {
                return Err(format!("{place}: {kind} `{}` is defined twice", table.id));
            }
            found.push(table);
        }
    }
    Ok(found)
}

fn read_table(
    file: &str,
    lines: &[&str],
    at: usize,
    caption: &str,
    header: &[&str],
) -> Result<Table, String> {
    let place = |line: usize| format!("{file}:{}", line + 1);
    let Some((id, note)) = caption.split_once("`.**") else {
        return Err(format!("{}: a caption is ``**Kind `id`.**`` and then prose", place(at)));
    };
    let first = at + 2;
    if lines.get(at + 1).is_none_or(|line| !line.is_empty()) {
        return Err(format!("{}: an empty line follows the caption", place(at + 1)));
    }
    let columns = lines.get(first).and_then(|line| cells(line)).unwrap_or_default();
    if columns != header {
        return Err(format!("{}: the table has the columns {}", place(first), header.join(" | ")));
    }
    if lines.get(first + 1).is_none_or(|line| *line != format!("|{}", "---|".repeat(header.len()))) {
        return Err(format!("{}: the rule of the table has {} columns", place(first + 1), header.len()));
    }
    let mut rows = Vec::new();
    for (line, text) in lines.iter().enumerate().skip(first + 2) {
        if text.is_empty() {
            break;
        }
        let cells = cells(text).filter(|cells| cells.len() == header.len());
        let cells = cells.ok_or_else(|| format!("{}: a row has {} cells", place(line), header.len()))?;
        rows.push(Row { place: place(line), cells });
    }
    if rows.is_empty() {
        return Err(format!("{}: the table has no row", place(first)));
    }
    Ok(Table { id: id.to_owned(), place: place(at), note: note.trim().to_owned(), rows })
}

fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}
