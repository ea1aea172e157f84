//! A trace as one page.

use super::player::{self, SCRIPT};
use super::svg::{SHAPES, title};
use crate::html::{Page, escaped, put};
use crate::trace::Trace;
use crate::trace::closing;

/// A self-contained page.
pub fn html(trace: &Trace) -> String {
    let header = &trace.header;
    let rules: Vec<&str> = header.rules.iter().map(|clause| clause.id()).collect();
    let rules = if rules.is_empty() {
        "every clause enforced".to_owned()
    } else {
        format!("without {}", rules.join(", "))
    };
    let facts = escaped(&format!(
        "{}, written by {}; suite {}, {} users, {} validators, {} ledger, seed {}, {rules}. Steps in which only time passes are omitted.",
        header.format,
        header.program,
        header.suite,
        header.setup.users,
        header.setup.validators,
        closing(header.setup.ledger),
        header.setup.seed,
    ));
    let mut body = String::new();
    put(&mut body, format_args!("<p class=\"facts\">{facts}</p>"));
    player::player(&mut body, "", "The run", trace, true);
    Page { title: &title(trace), styles: &[SHAPES, player::STYLE], script: Some(SCRIPT) }.around(&body)
}
