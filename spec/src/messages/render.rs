//! Shows the tables in the TLS presentation language.

use super::types::{Bounds, Enumeration, Type};
use super::{Definition, Field, Message, Tables};
use std::fmt::Write as _;

impl Tables {
    /// Every message and enum of `chapter` in the TLS presentation language; nothing when it has none. The case of a
    /// select is shown where it is selected.
    pub fn presentation(&self, chapter: &str) -> String {
        let mut out = String::new();
        for name in &self.order {
            let text = match &self.definitions[name] {
                Definition::Message(message) if message.chapter == chapter && !name.contains('.') => {
                    self.structure(message)
                }
                Definition::Enum { chapter: of, values } if of == chapter => {
                    format!("{} {name};\n", enumeration(values))
                }
                _ => continue,
            };
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&text);
        }
        out
    }

    fn structure(&self, message: &Message) -> String {
        let mut lines: Vec<(String, String)> = Vec::new();
        self.declarations(message, 1, &mut lines);
        let widest =
            lines.iter().map(|(code, _)| code.len()).filter(|length| *length <= 60).max().unwrap_or(0);
        let mut out = String::from("struct {\n");
        for (code, note) in lines {
            match note.is_empty() {
                true => writeln!(out, "{code}"),
                false => writeln!(out, "{code:widest$}  /* {note} */"),
            }
            .expect("a string grows");
        }
        writeln!(out, "}} {};", message.name).expect("a string grows");
        out
    }

    fn declarations(&self, message: &Message, depth: usize, lines: &mut Vec<(String, String)>) {
        let indent = "    ".repeat(depth);
        for (index, field) in message.fields.iter().enumerate() {
            let Type::Select(on) = &field.ty else {
                lines.push((format!("{indent}{};", declaration(&field.ty, &field.name)), note(field)));
                continue;
            };
            lines.push((format!("{indent}select ({}.{on}) {{", message.name), note(field)));
            let values = self.selector(&message.fields[..index], on);
            for (case, _) in values.iter().flat_map(|values| &values.values) {
                if let Some(shared) = values.and_then(|values| values.messages.get(case)) {
                    lines.push((format!("{indent}    case {case}: {shared};"), String::new()));
                    continue;
                }
                match self.definitions.get(&format!("{}.{case}", message.name)) {
                    Some(Definition::Message(fields)) if !fields.fields.is_empty() => {
                        lines.push((format!("{indent}    case {case}:"), String::new()));
                        self.declarations(fields, depth + 2, lines);
                    }
                    _ => lines.push((format!("{indent}    case {case}: struct {{}};"), String::new())),
                }
            }
            lines.push((format!("{indent}}} {};", field.name), String::new()));
        }
    }
}

fn note(field: &Field) -> String {
    let clauses: Vec<&str> = field.checked_by.iter().map(|clause| clause.id()).collect();
    if clauses.is_empty() {
        field.set_by.clone()
    } else {
        format!("{}; {}", field.set_by, clauses.join(", "))
    }
}

fn declaration(ty: &Type, name: &str) -> String {
    match ty {
        Type::Fixed(size) => format!("opaque {name}[{size}]"),
        Type::Opaque(bounds) => format!("opaque {name}{}", show(*bounds)),
        Type::Vector(element, bounds) => format!("{} {name}{}", type_name(element), show(*bounds)),
        ty => format!("{} {name}", type_name(ty)),
    }
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Number(width) => format!("uint{}", 8 * u32::from(*width)),
        Type::Fixed(size) => format!("opaque[{size}]"),
        Type::Opaque(bounds) => format!("opaque{}", show(*bounds)),
        Type::Vector(element, bounds) => format!("{}{}", type_name(element), show(*bounds)),
        Type::Optional(inner) => format!("optional<{}>", type_name(inner)),
        Type::Enum(values) => enumeration(values),
        Type::Select(on) => format!("select({on})"),
        Type::Name => "Name".to_owned(),
        Type::Text => "Text".to_owned(),
        Type::Reference(name) => name.clone(),
    }
}

fn enumeration(values: &Enumeration) -> String {
    let listed: Vec<String> = values.values.iter().map(|(name, value)| format!("{name}({value})")).collect();
    // The bare number at the end sets the width, as RFC 8446, section 3.5, has it.
    let greatest = u64::MAX >> (64 - 8 * u32::from(values.width));
    match values.values.iter().any(|(_, value)| *value == greatest) {
        true => format!("enum {{ {} }}", listed.join(", ")),
        false => format!("enum {{ {}, ({greatest}) }}", listed.join(", ")),
    }
}

fn show(bounds: Bounds) -> String {
    format!("<{}..{}>", power(bounds.least), power(bounds.most))
}

fn power(number: u64) -> String {
    match number {
        0xff => "2^8-1".to_owned(),
        256.. if number.is_power_of_two() => format!("2^{}", number.ilog2()),
        256.. if (number + 1).is_power_of_two() => format!("2^{}-1", (number + 1).ilog2()),
        _ => number.to_string(),
    }
}
