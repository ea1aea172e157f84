//! A trace as one page: the diagram, every step in a table, and buttons that go from step to step where scripts run.

use super::svg::{Drawing, STYLE, escaped, title};
use super::{drawn, text::sends, verdict};
use crate::conformance::trace::closing;
use crate::conformance::{Step, Trace};
use std::fmt::Write;

const CSS: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page that needs nothing else.
pub fn html(trace: &Trace) -> String {
    let header = &trace.header;
    let Drawing { width, head, body, height } = Drawing::of(trace);
    let title = escaped(&title(trace));
    let rules: Vec<&str> = header.rules.iter().map(|clause| clause.id()).collect();
    let rules = if rules.is_empty() {
        "every rule in force".to_owned()
    } else {
        format!("without {}", rules.join(", "))
    };
    let facts = escaped(&format!(
        "{}, written by {}; suite {}, {} users, {} validators, closing by {}, seed {}, {rules}",
        header.format,
        header.program,
        header.suite,
        header.setup.users,
        header.setup.validators,
        closing(header.setup.ledger),
        header.setup.seed,
    ));
    let high = Drawing::HEAD;
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>\n{STYLE}\n{CSS}</style>\n</head>\n<body>\n\
         <main>\n<h1>{title}</h1>\n<p class=\"facts\">{facts}</p>\n\
         <section class=\"player\" aria-label=\"Step by step\" hidden>\n<div class=\"buttons\">\n\
         <button type=\"button\" data-go=\"first\">First</button>\n\
         <button type=\"button\" data-go=\"previous\">Previous</button>\n\
         <button type=\"button\" data-go=\"next\">Next</button>\n\
         <button type=\"button\" data-go=\"last\">Last</button>\n\
         <p class=\"now\" aria-live=\"polite\"></p>\n</div>\n\
         <p class=\"hint\">Keys: left and right arrow, Home, End. A click on a step goes there.</p>\n\
         <div class=\"details\" tabindex=\"0\" role=\"region\" aria-label=\"This step\">\
         <table><tbody></tbody></table></div>\n</section>\n\
         <h2 id=\"diagram\">Diagram</h2>\n\
         <div class=\"scroll diagram\" tabindex=\"0\" role=\"region\" aria-labelledby=\"diagram\">\n\
         <svg class=\"seq head\" aria-hidden=\"true\" width=\"{width}\" height=\"{high}\" viewBox=\"0 0 {width} {high}\">\n\
         {head}</svg>\n\
         <svg class=\"seq\" role=\"img\" aria-label=\"Sequence diagram; the table below says the same\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n{body}</svg>\n</div>\n\
         <h2 id=\"all\">Every step</h2>\n\
         <div class=\"scroll steps\" tabindex=\"0\" role=\"region\" aria-labelledby=\"all\">\n<table id=\"steps\">\n<thead><tr>"
    );
    for column in ["Step", "Time", "From", "To", "Event", "Verdict", "Clause", "Sends", "Action"] {
        write!(out, "<th scope=\"col\">{column}</th>").expect("a string grows");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    drawn(trace).for_each(|step| row(&mut out, trace, step));
    out.push_str("</tbody>\n</table>\n</div>\n</main>\n<script>\n");
    out.push_str(SCRIPT);
    out.push_str("</script>\n</body>\n</html>\n");
    out
}

fn row(out: &mut String, trace: &Trace, step: &Step) {
    let name = |actor| escaped(&trace.header.name(actor));
    let class = if step.clause.is_some() { " class=\"bad\"" } else { "" };
    let action = serde_json::to_string(&step.action).expect("every action has a JSON form");
    writeln!(
        out,
        "<tr data-step=\"{number}\"{class}><td class=\"number\">{number}</td><td class=\"number\">{} ms</td><td>{}</td>\
         <td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
        step.time,
        step.from.map_or_else(String::new, name),
        step.actor.map_or_else(String::new, name),
        escaped(&step.event),
        verdict(step),
        step.clause.map_or_else(String::new, |clause| escaped(&clause.to_string())),
        escaped(&sends(trace, step)),
        escaped(&action),
        number = step.step,
    )
    .expect("a string grows");
}
