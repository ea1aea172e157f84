//! Tables.

use super::{escaped, put};
use std::fmt::Write;

/// A cell of a table.
pub struct Entry {
    text: String,
    class: &'static str,
    /// The id of its link target.
    link: Option<String>,
}

impl From<String> for Entry {
    fn from(text: String) -> Entry {
        Entry { text, class: "", link: None }
    }
}

impl From<&str> for Entry {
    fn from(text: &str) -> Entry {
        text.to_owned().into()
    }
}

impl Entry {
    /// Sets a style class, which adds no information to the text.
    pub fn of_class(self, class: &'static str) -> Entry {
        Entry { class, ..self }
    }

    /// Links to the part of the page with this id.
    pub fn to(self, id: &str) -> Entry {
        Entry { link: Some(id.to_owned()), ..self }
    }

    /// A number.
    pub fn number(number: impl std::fmt::Display) -> Entry {
        Entry::from(number.to_string()).of_class("number")
    }
}

/// A table whose first column has the row headings, in a region that scrolls by keyboard.
pub fn table(out: &mut String, caption: &str, heads: &[&str], rows: Vec<Vec<Entry>>) {
    let label = escaped(caption);
    put(out, format_args!("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">"));
    put(out, format_args!("<table><caption>{label}</caption>\n<thead><tr>"));
    heads.iter().for_each(|head| put(out, format_args!("<th scope=\"col\">{}</th>", escaped(head))));
    put(out, format_args!("</tr></thead>\n<tbody>"));
    for row in rows {
        out.push_str("<tr>");
        for (place, entry) in row.into_iter().enumerate() {
            cell(out, place == 0, &entry);
        }
        out.push_str("</tr>\n");
    }
    put(out, format_args!("</tbody></table></div>"));
}

fn cell(out: &mut String, names_the_row: bool, Entry { text, class, link }: &Entry) {
    let text = escaped(text);
    let text = link.as_ref().map_or(text.clone(), |id| format!("<a href=\"#{}\">{text}</a>", escaped(id)));
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    match names_the_row {
        true => write!(out, "<th scope=\"row\"{class}>{text}</th>"),
        false => write!(out, "<td{class}>{text}</td>"),
    }
    .expect("a string grows");
}
