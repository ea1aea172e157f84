//! Reads the tables out of Markdown and checks them against each other.

use super::types::{self, Enumeration, Type};
use super::{Definition, Field, Flaw, Message, Tables};
use crate::Clause;
use std::collections::BTreeMap;

const HEADER: [&str; 5] = ["field", "type", "size", "set by", "checked by"];

/// A heading with a name in backticks and the numbered lines under it.
struct Section<'a> {
    name: &'a str,
    chapter: &'a str,
    line: usize,
    lines: Vec<(usize, &'a str)>,
}

impl Section<'_> {
    fn flaw(&self, line: usize, what: impl Into<String>) -> Flaw {
        Flaw { chapter: self.chapter.to_owned(), line, what: format!("`{}`: {}", self.name, what.into()) }
    }
}

impl Tables {
    /// Reads the tables of `chapters`, pairs of file name and text.
    ///
    /// # Errors
    /// Every flaw: a table that does not parse, a name that stands for nothing or for two things, a message that
    /// contains itself, a size that its type does not have, a clause that does not exist.
    pub fn parse(chapters: &[(&str, &str)]) -> Result<Tables, Vec<Flaw>> {
        let known = types::known();
        let mut flaws = Vec::new();
        let mut tables = Tables {
            definitions: known
                .into_iter()
                .map(|(name, ty)| (name.to_owned(), Definition::Known(ty)))
                .collect(),
            order: Vec::new(),
        };
        for section in chapters.iter().flat_map(|(chapter, text)| sections(chapter, text)) {
            let before = tables.definitions.get(section.name);
            let definition = match definition(&section, &mut flaws) {
                Some(definition) => definition,
                None if matches!(before, Some(Definition::Known(_))) => continue,
                None => {
                    flaws.push(
                        section.flaw(section.line, "neither a table nor an enum stands under this heading"),
                    );
                    continue;
                }
            };
            if before.is_some_and(|before| !matches!(before, Definition::Known(_))) {
                flaws.push(section.flaw(section.line, "this name is already taken"));
                continue;
            }
            tables.definitions.insert(section.name.to_owned(), definition);
            tables.order.push(section.name.to_owned());
        }
        tables.check(&mut flaws);
        flaws.sort();
        flaws.dedup();
        if flaws.is_empty() { Ok(tables) } else { Err(flaws) }
    }
}

fn sections<'a>(chapter: &'a str, text: &'a str) -> Vec<Section<'a>> {
    let mut found: Vec<Section<'a>> = Vec::new();
    // The section of the last heading, and the enum whose list is being read.
    let (mut outer, mut list): (Option<usize>, Option<usize>) = (None, None);
    let mut fenced = false;
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        if text.starts_with('#') {
            let name = message_heading(text);
            found.extend(name.map(|name| Section { name, chapter, line, lines: Vec::new() }));
            (outer, list) = (name.map(|_| found.len() - 1), None);
            continue;
        }
        let named = outer.map(|section: usize| found[section].name);
        if let Some(name) = enum_in_text(text).filter(|name| named != Some(*name)) {
            found.push(Section { name, chapter, line, lines: Vec::new() });
            list = Some(found.len() - 1);
        } else if !(text.is_empty() || text.starts_with([' ', '-', '*'])) {
            list = None;
        }
        if let Some(section) = list.or(outer) {
            found[section].lines.push((line, text));
        }
    }
    found
}

/// The name in a line such as `` `Role` is an enum (1 byte): ``.
fn enum_in_text(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix('`')?.split_once("` is an enum (")?;
    (types::is_identifier(name) && rest.contains(')')).then_some(name)
}

/// The name in a heading such as ``## `Vote` `` or ``### `Entry.anchor` ``.
fn message_heading(line: &str) -> Option<&str> {
    let heading = line.strip_prefix("## ").or_else(|| line.strip_prefix("### "))?;
    let name = heading.trim().strip_prefix('`')?.strip_suffix('`')?;
    let (first, case) = name.split_once('.').unwrap_or((name, "case"));
    (types::is_identifier(first) && types::is_identifier(case)).then_some(name)
}

fn definition(section: &Section<'_>, flaws: &mut Vec<Flaw>) -> Option<Definition> {
    let rows: Vec<(usize, Vec<String>)> = section
        .lines
        .iter()
        .filter(|(_, text)| text.trim_start().starts_with('|'))
        .map(|(line, text)| (*line, cells(text)))
        .collect();
    let Some(header) = rows.iter().position(|(_, cells)| *cells == HEADER) else {
        return shared_enum(section, flaws);
    };
    let mut fields: Vec<Field> = Vec::new();
    let below = (rows[header].0 + 1..).zip(&rows[header + 1..]);
    for (_, (line, cells)) in below.take_while(|(expected, (line, _))| expected == line) {
        if cells.iter().all(|cell| is_rule(cell)) {
            continue;
        }
        match field(cells) {
            Ok(field) if fields.iter().any(|other| other.name == field.name) => {
                flaws.push(section.flaw(*line, format!("the field `{}` stands twice", field.name)));
            }
            Ok(field) => fields.push(field),
            Err(what) => flaws.push(section.flaw(*line, what)),
        }
    }
    if rows.iter().filter(|(_, cells)| *cells == HEADER).count() > 1 {
        flaws.push(section.flaw(section.line, "two tables stand under this heading"));
    }
    fill_enums(section, &mut fields, flaws);
    Some(Definition::Message(Message {
        name: section.name.to_owned(),
        chapter: section.chapter.to_owned(),
        line: section.line,
        fields,
    }))
}

fn cells(row: &str) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = row.strip_suffix('|').unwrap_or(row);
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn is_rule(cell: &str) -> bool {
    cell.contains('-') && cell.chars().all(|c| c == '-' || c == ':')
}

fn bare(cell: &str) -> &str {
    cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or(cell).trim()
}

fn field(cells: &[String]) -> Result<Field, String> {
    let [name, ty, size, set_by, checked_by] = cells else {
        return Err(format!("a row has five cells, this one {}", cells.len()));
    };
    let name = bare(name);
    if !types::is_identifier(name) {
        return Err(format!("`{name}` cannot name a field"));
    }
    let ty = types::parse(bare(ty)).map_err(|what| format!("field `{name}`: {what}"))?;
    if size.is_empty() || set_by.is_empty() {
        return Err(format!("field `{name}`: its size or who sets it is missing"));
    }
    let checked_by = clauses(checked_by).map_err(|what| format!("field `{name}`: {what}"))?;
    Ok(Field { name: name.to_owned(), ty, size: size.clone(), set_by: set_by.clone(), checked_by })
}

/// The clauses of a cell such as `ENC-01, LED-01 to LED-03`; none where nobody checks, for the reason that may follow.
fn clauses(cell: &str) -> Result<Vec<Clause>, String> {
    if matches!(cell, "" | "-" | "—") || cell == "nobody" || cell.starts_with("nobody: ") {
        return Ok(Vec::new());
    }
    let find = |id: &str| {
        let id = bare(id.trim());
        let found = Clause::find(id).filter(|clause| clause.id() == id);
        found.ok_or_else(|| format!("there is no clause `{id}`"))
    };
    let mut clauses = Vec::new();
    for part in cell.split(',') {
        let Some((first, last)) = part.split_once(" to ") else {
            clauses.push(find(part)?);
            continue;
        };
        let (first, last) = (find(first)?.id(), find(last)?.id());
        if first[..3] != last[..3] || last <= first {
            return Err(format!("`{}` is no range of clauses", part.trim()));
        }
        clauses.extend(Clause::ALL.into_iter().filter(|one| (first..=last).contains(&one.id())));
    }
    Ok(clauses)
}

/// An enum that messages share: its width in the text, its values in a list.
fn shared_enum(section: &Section<'_>, flaws: &mut Vec<Flaw>) -> Option<Definition> {
    let width = section.lines.iter().find_map(|(_, text)| types::enum_width_in(text))?;
    let mut values = Enumeration::new(width);
    for (line, text) in &section.lines {
        if let Some(item) = list_item(text) {
            add_value(section, *line, item, &mut values, flaws);
        }
    }
    if values.values.is_empty() {
        flaws.push(section.flaw(section.line, "an enum without values"));
    }
    Some(Definition::Enum { chapter: section.chapter.to_owned(), values })
}

/// Hands every list under a table to the enum that the line before it names, or to the only enum.
fn fill_enums(section: &Section<'_>, fields: &mut [Field], flaws: &mut Vec<Flaw>) {
    let mut enums: BTreeMap<String, &mut Enumeration> = fields
        .iter_mut()
        .filter_map(|field| Some((field.name.clone(), inline_enum(&mut field.ty)?)))
        .collect();
    let alone = if enums.len() == 1 { enums.keys().next().cloned() } else { None };
    let mut current = alone.clone();
    for (line, text) in &section.lines {
        match list_item(text) {
            Some(item) => match current.as_ref().and_then(|name| enums.get_mut(name)) {
                Some(values) => add_value(section, *line, item, values, flaws),
                None => flaws.push(section.flaw(*line, "no line before this value names its field")),
            },
            None if text.starts_with('|') || text.trim().is_empty() || text.starts_with(' ') => {}
            None => {
                let named = enums.keys().find(|name| text.contains(&format!("`{name}`"))).cloned();
                current = named.or_else(|| alone.clone());
            }
        }
    }
    for (name, values) in enums {
        if values.values.is_empty() {
            flaws.push(section.flaw(section.line, format!("the enum `{name}` has no values")));
        }
    }
}

/// The enum in a type, when there is one.
fn inline_enum(ty: &mut Type) -> Option<&mut Enumeration> {
    match ty {
        Type::Enum(values) => Some(values),
        Type::Vector(element, _) | Type::Optional(element) => inline_enum(element),
        _ => None,
    }
}

/// An item `name = number` of a list, and the message in ``name = number: `Message` ``.
struct Item<'a> {
    name: &'a str,
    value: &'a str,
    message: Option<&'a str>,
}

/// What a line lists; other items are prose.
fn list_item(line: &str) -> Option<Item<'_>> {
    let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "))?;
    let (item, after) = match item.strip_prefix('`') {
        Some(quoted) => quoted.split_once('`')?,
        None => item.split_once(':').unwrap_or((item, "")),
    };
    let (name, rest) = item.split_once('=')?;
    let name = name.trim();
    let value = rest.trim_start().split([' ', ',', ';', ':', '.', '(']).next()?;
    let message =
        after.trim_start_matches(':').trim().strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    let message = message.filter(|message| types::is_identifier(message));
    (types::is_identifier(name)).then_some(Item { name, value, message })
}

fn add_value(
    section: &Section<'_>,
    line: usize,
    item: Item<'_>,
    into: &mut Enumeration,
    flaws: &mut Vec<Flaw>,
) {
    let Item { name, value, message } = item;
    let Some(value) = types::quantity(value).filter(|value| value >> (8 * u32::from(into.width)) == 0) else {
        return flaws.push(section.flaw(line, format!("`{value}` is no value of {} bytes", into.width)));
    };
    if into.values.iter().any(|(other, number)| other == name || *number == value) {
        return flaws.push(section.flaw(line, format!("`{name} = {value}` stands twice")));
    }
    into.values.push((name.to_owned(), value));
    into.messages.extend(message.map(|message| (name.to_owned(), message.to_owned())));
}

/// The least and greatest number of bytes of a value.
type Size = (u64, u64);

impl Tables {
    fn check(&self, flaws: &mut Vec<Flaw>) {
        let mut sizes = BTreeMap::new();
        for name in &self.order {
            let mut open = Vec::new();
            if let Err(what) = self.size_of_name(name, &mut open, &mut sizes) {
                flaws.push(self.flaw_at(name, what));
            }
        }
        for message in self.messages() {
            if message.fields.iter().filter(|field| matches!(field.ty, Type::Select(_))).count() > 1 {
                flaws.push(
                    self.flaw_at(&message.name, "two selects, whose cases would have the same names".into()),
                );
            }
            for (index, field) in message.fields.iter().enumerate() {
                if let Type::Select(on) = &field.ty
                    && let Err(what) = self.check_select(message, &message.fields[..index], on)
                {
                    flaws.push(self.flaw_at(&message.name, what));
                }
                if let Ok(size) = self.size_of(&message.name, &field.ty, &mut Vec::new(), &mut sizes)
                    && let Some(claimed) = claimed_size(&field.size)
                    && claimed != size
                    && !(field.size.contains('+') && size.0 <= claimed.0 && claimed.1 <= size.1)
                {
                    let what =
                        format!("field `{}` is {}..{} bytes, not {}", field.name, size.0, size.1, field.size);
                    flaws.push(self.flaw_at(&message.name, what));
                }
            }
            if let Some((whole, case)) = message.name.split_once('.')
                && !self.is_case(whole, case)
            {
                flaws.push(self.flaw_at(&message.name, format!("`{whole}` selects no `{case}`")));
            }
        }
    }

    fn flaw_at(&self, name: &str, what: String) -> Flaw {
        let (chapter, line) = match &self.definitions[name] {
            Definition::Message(message) => (message.chapter.clone(), message.line),
            Definition::Enum { chapter, .. } => (chapter.clone(), 0),
            Definition::Known(_) => (String::new(), 0),
        };
        Flaw { chapter, line, what: format!("`{name}`: {what}") }
    }

    /// The values of the enum that a select of `message` is on.
    pub fn selector<'t>(&'t self, before: &'t [Field], on: &str) -> Option<&'t Enumeration> {
        match &before.iter().find(|field| field.name == on)?.ty {
            Type::Enum(values) => Some(values),
            Type::Reference(name) => match self.definitions.get(name)? {
                Definition::Enum { values, .. } | Definition::Known(Type::Enum(values)) => Some(values),
                _ => None,
            },
            _ => None,
        }
    }

    fn check_select(&self, message: &Message, before: &[Field], on: &str) -> Result<(), String> {
        let values = self
            .selector(before, on)
            .ok_or_else(|| format!("select({on}): no enum `{on}` stands before it"))?;
        for (case, _) in &values.values {
            let own = format!("{}.{case}", message.name);
            match (values.messages.get(case), self.definitions.contains_key(&own)) {
                (Some(_), true) => return Err(format!("select({on}): `{case}` has two tables")),
                (None, false) => return Err(format!("select({on}): there is no table `{own}`")),
                _ => {}
            }
        }
        Ok(())
    }

    /// The name of the table that stands for a case of a select.
    pub(super) fn case_table(&self, message: &str, values: Option<&Enumeration>, case: &str) -> String {
        let shared = values.and_then(|values| values.messages.get(case));
        shared.cloned().unwrap_or_else(|| format!("{message}.{case}"))
    }

    fn is_case(&self, whole: &str, case: &str) -> bool {
        let Some(Definition::Message(message)) = self.definitions.get(whole) else { return false };
        message.fields.iter().enumerate().any(|(index, field)| match &field.ty {
            Type::Select(on) => self
                .selector(&message.fields[..index], on)
                .is_some_and(|values| values.values.iter().any(|(name, _)| name == case)),
            _ => false,
        })
    }

    fn size_of_name<'t>(
        &'t self,
        name: &str,
        open: &mut Vec<&'t str>,
        sizes: &mut BTreeMap<&'t str, Size>,
    ) -> Result<Size, String> {
        let (name, definition) =
            self.definitions.get_key_value(name).ok_or_else(|| format!("`{name}` stands for nothing"))?;
        if let Some(size) = sizes.get(name.as_str()) {
            return Ok(*size);
        }
        if open.contains(&name.as_str()) {
            return Err(format!("`{name}` contains itself"));
        }
        open.push(name);
        let size = match definition {
            Definition::Known(ty) => self.size_of(name, ty, open, sizes)?,
            Definition::Enum { values, .. } => (values.width.into(), values.width.into()),
            Definition::Message(message) => {
                let mut sum: Size = (0, 0);
                for field in &message.fields {
                    let (least, most) = self.size_of(name, &field.ty, open, sizes)?;
                    sum = (sum.0.saturating_add(least), sum.1.saturating_add(most));
                }
                sum
            }
        };
        open.pop();
        sizes.insert(name, size);
        Ok(size)
    }

    fn size_of<'t>(
        &'t self,
        within: &str,
        ty: &'t Type,
        open: &mut Vec<&'t str>,
        sizes: &mut BTreeMap<&'t str, Size>,
    ) -> Result<Size, String> {
        let behind_length = |bounds: &types::Bounds| {
            let prefix = u64::from(bounds.prefix());
            (prefix + bounds.least, prefix + bounds.most)
        };
        match ty {
            Type::Number(width) | Type::Enum(Enumeration { width, .. }) => {
                Ok(((*width).into(), (*width).into()))
            }
            Type::Fixed(size) => Ok((*size, *size)),
            Type::Opaque(bounds) => Ok(behind_length(bounds)),
            Type::Name => Ok((2, 65)),
            Type::Text => Ok((2, 2 + 0xffff)),
            Type::Optional(inner) => Ok((1, self.size_of(within, inner, open, sizes)?.1.saturating_add(1))),
            Type::Reference(name) => self.size_of_name(name, open, sizes),
            Type::Vector(element, bounds) => match self.size_of(within, element, open, sizes)?.0 {
                0 => Err("the elements of a vector may be empty".to_owned()),
                _ => Ok(behind_length(bounds)),
            },
            Type::Select(on) => {
                let case_of = format!("{within}.");
                let cases = self.definitions.keys().filter(|name| name.starts_with(&case_of));
                let mut cases: Vec<&'t String> = cases.collect();
                if let Some(Definition::Message(message)) = self.definitions.get(within) {
                    let values = self.selector(&message.fields, on);
                    cases.extend(values.into_iter().flat_map(|values| values.messages.values()));
                }
                let mut range: Option<Size> = None;
                for case in cases {
                    let (least, most) = self.size_of_name(case, open, sizes)?;
                    range =
                        Some(range.map_or((least, most), |range| (range.0.min(least), range.1.max(most))));
                }
                range.ok_or_else(|| "a select without cases".to_owned())
            }
        }
    }
}

/// The size that a cell claims when it is numbers alone: `32`, `2..65` or, for a part of what the type allows, `2 + 48`.
fn claimed_size(cell: &str) -> Option<Size> {
    let cell = bare(cell);
    match cell.split_once("..") {
        Some((least, most)) => Some((types::quantity(least)?, types::quantity(most)?)),
        None => types::quantity(cell).map(|size| (size, size)),
    }
}
