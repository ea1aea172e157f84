//! Runs on one page, in sections with one or two runs side by side.

use super::player::{self, SCRIPT};
use super::svg::SHAPES;
use crate::html::{Page, escaped, paragraph, put};
use crate::trace::Trace;

/// A section with its runs.
pub struct Section<'a> {
    /// Its id on the page: letters, digits and hyphens.
    pub id: &'a str,
    /// Its heading.
    pub heading: String,
    /// Its paragraphs.
    pub says: Vec<String>,
    /// Its runs, each with a caption; two are side by side if the page is wide enough.
    pub sides: Vec<(String, &'a Trace)>,
}

/// A page with runs to step through; `body` is HTML before the sections.
pub fn page_of_runs(title: &str, body: &str, sections: &[Section<'_>]) -> String {
    let mut out = body.to_owned();
    sections.iter().for_each(|section| one(&mut out, section));
    Page { title, styles: &[SHAPES, player::STYLE], script: Some(SCRIPT) }.around(&out)
}

fn one(out: &mut String, Section { id, heading, says, sides }: &Section<'_>) {
    put(out, format_args!("<section id=\"{id}\" aria-labelledby=\"{id}-heading\">"));
    put(out, format_args!("<h2 id=\"{id}-heading\">{}</h2>", escaped(heading)));
    says.iter().for_each(|says| paragraph(out, says));
    if sides.len() > 1 {
        put(out, format_args!("<div class=\"sides\">"));
    }
    for (side, (caption, trace)) in (1..).zip(sides) {
        player::player(out, &format!("{id}-{side}-"), caption, trace, false);
    }
    put(out, format_args!("{}</section>", if sides.len() > 1 { "</div>\n" } else { "" }));
}
