//! Runs on one page, in sections: what happens on this side and what on that.

use super::player::{self, SCRIPT};
use super::svg::SHAPES;
use crate::html::{Page, escaped, paragraph, put};
use crate::trace::Trace;

/// One thing that is shown, by its runs.
pub struct Section<'a> {
    /// Its id on the page: letters, digits and hyphens.
    pub id: &'a str,
    /// Its heading.
    pub heading: String,
    /// What there is to say of it, a paragraph each.
    pub says: Vec<String>,
    /// Its runs, each with a caption; two stand side by side where there is room.
    pub sides: Vec<(String, &'a Trace)>,
}

/// A page with runs that can be gone through, step by step; `body` is HTML, and stands before the sections.
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
