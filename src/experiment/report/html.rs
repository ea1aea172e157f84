//! Pieces of a page: text, tables, figures.

use super::figures::{Figure, MARKS};
use crate::conformance::drawing::escaped;
use std::fmt::Write as _;

/// A paragraph.
pub(super) fn paragraph(out: &mut String, text: &str) {
    put(out, format_args!("<p>{}</p>", escaped(text)));
}

pub(super) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string grows");
}

/// A cell of a table.
pub(super) struct Entry {
    pub(super) text: String,
    /// From 0 to 10, where it stands for a heat.
    pub(super) heat: Option<usize>,
}

impl From<String> for Entry {
    fn from(text: String) -> Entry {
        Entry { text, heat: None }
    }
}

impl From<&str> for Entry {
    fn from(text: &str) -> Entry {
        text.to_owned().into()
    }
}

impl Entry {
    /// A number from 0 to 1, coloured by it.
    pub(super) fn hot(value: f64) -> Entry {
        Entry { text: format!("{value:.3}"), heat: Some((value * 10.0).round().clamp(0.0, 10.0) as usize) }
    }
}

/// A table whose first column names its rows, in a region that can be moved by keyboard.
pub(super) fn table(out: &mut String, caption: &str, heads: &[&str], rows: Vec<Vec<Entry>>) {
    let label = escaped(caption);
    put(out, format_args!("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">"));
    put(out, format_args!("<table><caption>{label}</caption>\n<thead><tr>"));
    heads.iter().for_each(|head| put(out, format_args!("<th scope=\"col\">{}</th>", escaped(head))));
    put(out, format_args!("</tr></thead>\n<tbody>"));
    for row in rows {
        out.push_str("<tr>");
        for (place, Entry { text, heat }) in row.into_iter().enumerate() {
            let text = escaped(&text);
            match (place, heat) {
                (0, _) => write!(out, "<th scope=\"row\">{text}</th>"),
                (_, Some(heat)) => write!(out, "<td class=\"heat-{heat}\">{text}</td>"),
                (_, None) => write!(out, "<td>{text}</td>"),
            }
            .expect("a string grows");
        }
        out.push_str("</tr>\n");
    }
    put(out, format_args!("</tbody></table></div>"));
}

/// A figure, what it says in words, and its numbers behind it.
pub(super) fn figure(out: &mut String, figure: &Figure) {
    put(out, format_args!("<figure id=\"{}\">", figure.id));
    put(out, format_args!("<figcaption>{}</figcaption>", escaped(&figure.title)));
    put(
        out,
        format_args!(
            "<div class=\"scroll drawing\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">",
            escaped(&figure.title)
        ),
    );
    out.push_str(&figure.svg());
    put(out, format_args!("</div>\n<ul class=\"key\">"));
    for series in &figure.series {
        let mark = if series.dashed { "┅" } else { MARKS[series.colour] };
        let (colour, name) = (series.colour, escaped(&series.name));
        put(
            out,
            format_args!(
                "<li><span class=\"series-{colour}\" aria-hidden=\"true\">{mark}</span> {name}</li>"
            ),
        );
    }
    put(out, format_args!("</ul>"));
    paragraph(out, &figure.description);
    numbers(out, figure);
    put(out, format_args!("</figure>"));
}

fn numbers(out: &mut String, figure: &Figure) {
    let mut shares: Vec<f64> =
        figure.series.iter().flat_map(|series| series.points.iter().map(|point| point.0)).collect();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    let heads: Vec<String> = std::iter::once("series".to_owned())
        .chain(shares.iter().map(|share| format!("f = {share:.1}")))
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let large = figure.top > 10.0;
    let show = |(_, value, low, high): &(f64, f64, f64, f64)| match (large, high - low > 0.0005) {
        (true, _) => format!("{value:.0}"),
        (false, false) => format!("{value:.3}"),
        (false, true) => format!("{value:.3} ± {:.3}", (high - low) / 2.0),
    };
    let rows = figure.series.iter().map(|series| {
        let cell = |share: &f64| {
            let point = series.points.iter().find(|point| point.0 == *share);
            Entry::from(point.map_or("–".to_owned(), show))
        };
        std::iter::once(Entry::from(series.name.as_str())).chain(shares.iter().map(cell)).collect()
    });
    put(out, format_args!("<details><summary>The numbers</summary>"));
    table(out, &format!("Numbers of: {}", figure.title), &heads, rows.collect());
    put(out, format_args!("</details>"));
}
