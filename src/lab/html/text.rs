//! Escaped text and paragraphs.

use std::fmt::Write;

/// Escapes text for XML and HTML, attributes included.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A paragraph.
pub fn paragraph(out: &mut String, text: &str) {
    put(out, format_args!("<p>{}</p>", escaped(text)));
}

/// A line of a page.
pub fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string grows");
}
