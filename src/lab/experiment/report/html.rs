//! Pieces of a page: figures, and heat.

use super::figures::{Figure, MARKS};
use crate::html::{Entry, escaped, paragraph, put, table};

/// A number from 0 to 1, coloured by it.
pub(super) fn hot(value: f64) -> Entry {
    const HEATS: [&str; 11] = [
        "heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5", "heat-6", "heat-7", "heat-8", "heat-9",
        "heat-10",
    ];
    Entry::from(format!("{value:.3}")).of_class(HEATS[(value * 10.0).round().clamp(0.0, 10.0) as usize])
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
