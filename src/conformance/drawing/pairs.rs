//! Runs side by side on one page: what happens on this side and what on that.

use super::svg::{Drawing, STYLE, escaped};
use crate::conformance::Trace;
use std::fmt::Write;

const CSS: &str = include_str!("page.css");

/// Beside what the pages of single traces look like.
const SIDES: &str = "\
.sides{display:grid;gap:1rem;grid-template-columns:1fr}\
@media (min-width:64rem){.sides{grid-template-columns:1fr 1fr}}\
a{color:var(--link)}figure{margin:0;min-width:0}figcaption{margin:.25rem 0;font-weight:600}\
section{margin-top:2rem;break-inside:avoid}.summary td:first-child{white-space:nowrap}";

/// One thing that is shown, by its runs.
pub struct Section<'a> {
    /// Its id on the page.
    pub id: &'a str,
    /// Its heading.
    pub heading: String,
    /// What there is to say of it, a paragraph each.
    pub says: Vec<String>,
    /// Its runs, each with a caption.
    pub sides: Vec<(String, &'a Trace)>,
}

/// A page that needs nothing else: a table of contents with the first paragraph of each section, and the sections.
pub fn pairs(title: &str, lead: &str, sections: &[Section<'_>]) -> String {
    let (title, lead) = (escaped(title), escaped(lead));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}\n{CSS}{SIDES}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n\
         <p class=\"facts\">{lead}</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All of them\">\n\
         <table class=\"summary\"><tbody>\n"
    );
    for Section { id, heading, says, .. } in sections {
        let first = says.first().map_or(String::new(), |first| escaped(first));
        let heading = escaped(heading);
        writeln!(out, "<tr><th scope=\"row\"><a href=\"#{id}\">{heading}</a></th><td>{first}</td></tr>")
            .expect("a string grows");
    }
    out.push_str("</tbody></table>\n</div>\n");
    sections.iter().for_each(|section| one(&mut out, section));
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn one(out: &mut String, section: &Section<'_>) {
    let Section { id, heading, says, sides } = section;
    writeln!(out, "<section id=\"{id}\">\n<h2>{}</h2>", escaped(heading)).expect("a string grows");
    for paragraph in says {
        writeln!(out, "<p>{}</p>", escaped(paragraph)).expect("a string grows");
    }
    if !sides.is_empty() {
        out.push_str("<div class=\"sides\">\n");
        sides.iter().for_each(|(caption, trace)| figure(out, caption, trace));
        out.push_str("</div>\n");
    }
    out.push_str("</section>\n");
}

fn figure(out: &mut String, caption: &str, trace: &Trace) {
    let Drawing { width, head, body, height } = Drawing::of(trace);
    let (caption, high) = (escaped(caption), Drawing::HEAD);
    let whole = height + high;
    writeln!(
        out,
        "<figure><figcaption>{caption}</figcaption>\n\
         <div class=\"scroll diagram\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n\
         <svg class=\"seq\" role=\"img\" aria-label=\"Sequence diagram: {caption}\" width=\"{width}\" height=\"{whole}\" \
         viewBox=\"0 0 {width} {whole}\">\n{head}<g transform=\"translate(0 {high})\">\n{body}</g></svg>\n</div></figure>"
    )
    .expect("a string grows");
}
