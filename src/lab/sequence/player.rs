//! A trace as a figure of a page: the diagram, every step in a table, and buttons to step through it if scripts run.

use super::svg::Drawing;
use super::{Shown, drawn, text::sends, verdict, what};
use crate::html::{escaped, put};
use crate::trace::{Trace, label::submission};

/// The styles of the figure.
pub(super) const STYLE: &str = include_str!("diagram.css");
/// The script that steps through the figure.
pub(super) const SCRIPT: &str = include_str!("player.js");

const COLUMNS: [&str; 11] = [
    "Step",
    "Time",
    "From",
    "To",
    "Event",
    "Verdict",
    "Clause",
    "Message",
    "Sends",
    "State afterwards",
    "Action",
];

/// Writes the figure. `id` tells its steps from those of others on the page; the only one has none. `open` is whether the table is seen at
/// once.
pub(super) fn player(out: &mut String, id: &str, caption: &str, trace: &Trace, open: bool) {
    let shown = drawn(trace);
    let Drawing { width, head, body, height } = Drawing::of(trace, &shown, id);
    let (caption, high) = (escaped(caption), Drawing::HEAD);
    put(out, format_args!("<figure class=\"run\">\n<figcaption>{caption}</figcaption>"));
    put(
        out,
        format_args!(
            "<div class=\"player\" role=\"group\" aria-label=\"Step by step: {caption}\" hidden=\"hidden\">\n<div class=\"buttons\">"
        ),
    );
    for (go, name) in [
        ("first", "First"),
        ("previous", "Previous"),
        ("next", "Next"),
        ("last", "Last"),
        ("refused", "Next rejection"),
    ] {
        put(out, format_args!("<button type=\"button\" data-go=\"{go}\">{name}</button>"));
    }
    put(
        out,
        format_args!(
            "<label>Transaction <select class=\"by-tid\"><option value=\"\">all</option></select></label>\n\
             <label>Actor <select class=\"by-actor\"><option value=\"\">all</option></select></label>\n\
             </div>\n<p class=\"now\" aria-live=\"polite\"></p>\n\
             <p class=\"hint\">Keys: left and right arrow, Home, End, R for the next rejection. A click on a step goes there.</p>\n\
             <details class=\"after\"><summary>The state of each actor after this step</summary>\n<dl class=\"states\"></dl></details>\n</div>\n\
             <div class=\"scroll diagram\" tabindex=\"0\" role=\"region\" aria-label=\"Diagram: {caption}\">\n\
             <svg class=\"seq head\" aria-hidden=\"true\" width=\"{width}\" height=\"{high}\" viewBox=\"0 0 {width} {high}\">\n\
             {head}</svg>\n\
             <svg class=\"seq\" role=\"img\" aria-label=\"Sequence diagram: {caption}; the table below says the same\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n{body}</svg>\n</div>"
        ),
    );
    let open = if open { " open=\"open\"" } else { "" };
    put(
        out,
        format_args!(
            "<details{open}><summary>Every step</summary>\n\
             <div class=\"scroll steps\" tabindex=\"0\" role=\"region\" aria-label=\"Every step: {caption}\">\n<table>\n<thead><tr>"
        ),
    );
    COLUMNS.iter().for_each(|column| put(out, format_args!("<th scope=\"col\">{column}</th>")));
    put(out, format_args!("</tr></thead>\n<tbody>"));
    shown.iter().for_each(|shown| row(out, trace, shown));
    put(out, format_args!("</tbody>\n</table>\n</div></details>\n</figure>"));
}

fn row(out: &mut String, trace: &Trace, shown: &Shown<'_>) {
    let (step, told) = shown;
    let about: Vec<String> = told.about.iter().map(|tid| submission(*tid)).collect();
    let name = |actor| escaped(&trace.header.name(actor));
    let class = if step.clause.is_some() { " class=\"refused\"" } else { "" };
    let action = serde_json::to_string(&step.action).expect("every action has a JSON form");
    put(
        out,
        format_args!(
            "<tr data-step=\"{number}\" data-about=\"{}\"{class}><td class=\"number\">{number}</td><td class=\"number\">{} ms</td><td>{}</td>\
             <td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            escaped(&about.join("|")),
            step.time,
            step.from.map_or_else(String::new, name),
            step.actor.map_or_else(String::new, name),
            escaped(step.event.name()),
            verdict(step),
            step.clause.map_or_else(String::new, |clause| escaped(&clause.to_string())),
            escaped(&what(shown)),
            escaped(&sends(trace, shown)),
            escaped(told.state.as_deref().unwrap_or("")),
            escaped(&action),
            number = step.step,
        ),
    );
}
