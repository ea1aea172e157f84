//! A trace as a self-contained SVG sequence diagram: time at the left, a line for each actor, an arrow for each received message.

use super::{Shown, drawn, fault, published, refusal, taking_part, what};
use crate::html::{escaped, put};
use crate::trace::Trace;
use bemr_model::Actor;

/// Where the first actor's column begins: time stands before it.
const LEFT: usize = 92;
/// The height of the names, of a step, and of a line below it.
const HEAD: usize = 40;
const ROW: usize = 34;
const LINE: usize = 16;
/// About the width of a character of the labels.
const CHARACTER: usize = 7;
/// The most characters of a label.
const LABEL: usize = 64;
/// With more participants than this, those that are idle share a column.
const MANY: usize = 8;

/// Its colours where it stands alone; dark where the reader's system is. A page has its own, of the same names.
const COLOURS: &str = "\
.seq{--paper:#fff;--ink:#17202b;--faint:#55606e;--line:#c3ccd6;--arrow:#1d5fb8;--bad:#b3261e;background:var(--paper)}\
@media screen and (prefers-color-scheme:dark){.seq{--paper:#12171e;--ink:#e6ebf1;--faint:#9aa7b6;--line:#394553;--arrow:#7fb2ff;\
--bad:#ff8a80}}";

/// How it looks.
pub(super) const SHAPES: &str = "\
.seq{font:13px ui-sans-serif,system-ui,sans-serif}\
.seq text{fill:var(--ink)}.seq .halo{paint-order:stroke;stroke:var(--paper);stroke-width:5px;stroke-linejoin:round}\
.seq .time text{fill:var(--faint);font-size:11px}.seq .gutter{fill:var(--paper)}.seq .name{font-weight:600}.seq .all{fill:var(--faint);font-size:12px}\
.seq .life{stroke:var(--line)}.seq .row{fill:transparent}\
.seq .box{fill:var(--paper);stroke:var(--line)}\
.seq .arrow{stroke:var(--arrow);stroke-width:1.5}.seq .tip{fill:var(--arrow)}\
.seq .bad .arrow{stroke:var(--bad);stroke-dasharray:5 3}.seq .bad .cross{stroke:var(--bad);stroke-width:2.2}\
.seq .bad .said{fill:var(--bad)}.seq .bad .box{stroke:var(--bad)}\n";

/// A diagram in parts, so that a page can keep the names in sight.
pub(super) struct Drawing {
    pub(super) width: usize,
    /// The names, [`Drawing::HEAD`] high.
    pub(super) head: String,
    /// The rest, whose origin is its own.
    pub(super) body: String,
    pub(super) height: usize,
}

impl Drawing {
    pub(super) const HEAD: usize = HEAD;

    /// `id` stands before the number in the id of each step.
    pub(super) fn of(trace: &Trace, shown: &[Shown<'_>], id: &str) -> Drawing {
        let header = &trace.header;
        let mut actors = taking_part(header, shown.iter().map(|(step, _)| *step));
        let folded = if actors.len() > MANY { idle(&actors, shown) } else { Vec::new() };
        let folded = if folded.len() > 1 { folded } else { Vec::new() };
        actors.retain(|actor| !folded.contains(actor));
        let longest = actors.iter().map(|actor| header.name(*actor).len()).max().unwrap_or(0);
        let column = (longest.min(LABEL) * (CHARACTER + 1) + 20).max(128);
        let x = |actor: Actor| {
            let place = actors.iter().position(|other| *other == actor).unwrap_or(actors.len());
            LEFT + place * column + column / 2
        };
        let columns = actors.len() + usize::from(!folded.is_empty());
        let width = LEFT + (columns * column).max(LABEL * CHARACTER + 20);
        let (mut head, mut steps, mut height) = (String::new(), String::new(), 8);
        for step in shown {
            height += draw(&mut steps, (step, id), height, (width, column), x);
        }
        height += 8;
        if !folded.is_empty() {
            let x = LEFT + actors.len() * column + column / 2;
            put(&mut head, format_args!("<g class=\"folded\">"));
            let names: Vec<String> = folded.iter().map(|actor| header.name(*actor)).collect();
            put(&mut head, format_args!("<title>{}</title>", escaped(&names.join(", "))));
            write(&mut head, "name", (x, width), 25, &format!("{} idle", folded.len()));
            put(&mut head, format_args!("</g>"));
        }
        let mut body = String::new();
        for actor in &actors {
            let x = x(*actor);
            write(&mut head, "name", (x, width), 25, &header.name(*actor));
            put(&mut body, format_args!("<path class=\"life\" d=\"M{x} 0V{height}\"/>"));
        }
        if !folded.is_empty() {
            let x = LEFT + actors.len() * column + column / 2;
            put(&mut body, format_args!("<path class=\"life\" d=\"M{x} 0V{height}\"/>"));
        }
        body.push_str(&steps);
        Drawing { width, head, body, height }
    }
}

/// Who only hears what is public: sends nothing, refuses nothing, and does nothing of its own accord.
fn idle(actors: &[Actor], shown: &[Shown<'_>]) -> Vec<Actor> {
    let active = |actor: &Actor| {
        shown.iter().any(|(step, _)| {
            let acts = !step.sends.is_empty() || step.clause.is_some() || step.from.is_none();
            step.from == Some(*actor) || (step.actor == Some(*actor) && acts)
        })
    };
    actors.iter().copied().filter(|actor| !active(actor)).collect()
}

/// The whole diagram as one SVG document.
pub fn svg(trace: &Trace) -> String {
    let Drawing { width, head, body, height } = Drawing::of(trace, &drawn(trace), "");
    let whole = height + 2 * HEAD;
    let foot = HEAD + height;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"seq\" role=\"img\" aria-labelledby=\"trace-title\" \
         width=\"{width}\" height=\"{whole}\" viewBox=\"0 0 {width} {whole}\">\n\
         <title id=\"trace-title\">{}</title>\n<style>{COLOURS}{SHAPES}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"var(--paper)\"/>\n\
         <g>\n{head}</g>\n<g transform=\"translate(0 {HEAD})\">\n{body}</g>\n\
         <g transform=\"translate(0 {foot})\">\n{head}</g>\n</svg>\n",
        escaped(&title(trace)),
    )
}

/// What a diagram shows, in a line.
pub(super) fn title(trace: &Trace) -> String {
    let (steps, refused) =
        (trace.steps.len(), trace.steps.iter().filter(|step| step.clause.is_some()).count());
    match &trace.header.note {
        Some(note) => format!("{note}: {steps} steps, {refused} refused"),
        None => format!("A trace of {steps} steps, {refused} refused"),
    }
}

/// Draws a step at this height; how high it is.
fn draw(
    out: &mut String,
    (shown, id): (&Shown<'_>, &str),
    top: usize,
    (width, column): (usize, usize),
    x: impl Fn(Actor) -> usize,
) -> usize {
    let step = shown.0;
    let Some(actor) = step.actor else { return 0 };
    let there = x(actor);
    let broadcasts: Vec<&str> = published(shown).collect();
    let height = ROW + LINE * broadcasts.len();
    let base = top + ROW - 12;
    let class = if step.clause.is_none() { "step" } else { "step bad" };
    put(
        out,
        format_args!(
            "<g class=\"{class}\" id=\"{id}step-{0}\" data-step=\"{0}\" data-height=\"{height}\">",
            step.step
        ),
    );
    put(out, format_args!("<rect class=\"row\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>"));
    let (what, refused) = (what(shown), refusal(step));
    let said = [refused.as_deref(), fault(step), Some(what.as_str())];
    let said = said.into_iter().flatten().collect::<Vec<&str>>().join(" · ");
    match step.from.map(&x) {
        Some(here) if here != there => {
            arrow(out, here, there, base, step.clause.is_none());
            // A long arrow has its label at both ends.
            if here.abs_diff(there) <= 8 * column {
                write(out, "said halo", (here.midpoint(there), width), base - 9, &said);
            } else {
                let (left, right) = (here.min(there) + column, here.max(there) - column);
                write(out, "said halo", (left, width), base - 9, &said);
                write(out, "said halo", (right, width), base - 9, &said);
            }
        }
        _ => {
            let wide = extent(&said) + 20;
            let left = there.saturating_sub(wide / 2).min(width.saturating_sub(wide)).max(LEFT);
            let y = base - 10;
            put(
                out,
                format_args!(
                    "<rect class=\"box\" x=\"{left}\" y=\"{y}\" width=\"{wide}\" height=\"20\" rx=\"10\"/>"
                ),
            );
            write(out, "said", (left + wide / 2, width), base + 4, &said);
        }
    }
    for (line, broadcast) in (1..).zip(broadcasts) {
        let text = format!("broadcast: {broadcast}");
        write(out, "all halo", (there, width), base + line * LINE + 4, &text);
    }
    put(
        out,
        format_args!(
            "<g class=\"time\"><rect class=\"gutter\" y=\"{top}\" width=\"{LEFT}\" height=\"{height}\"/>"
        ),
    );
    write(out, "", (0, LEFT), base + 4, &format!("{} ms", step.time));
    put(out, format_args!("</g></g>"));
    height
}

/// An arrow with a tip, or with a cross where it is not taken.
fn arrow(out: &mut String, here: usize, there: usize, base: usize, taken: bool) {
    let before = |distance: usize| if here < there { there - distance } else { there + distance };
    put(out, format_args!("<path class=\"arrow\" d=\"M{here} {base}H{there}\"/>"));
    if taken {
        let (back, up, down) = (before(9), base - 4, base + 4);
        put(out, format_args!("<path class=\"tip\" d=\"M{there} {base}L{back} {up}V{down}Z\"/>"));
    } else {
        let (near, far, up, down) = (before(3), before(13), base - 5, base + 5);
        let cross = format!("M{near} {up}L{far} {down}M{near} {down}L{far} {up}");
        put(out, format_args!("<path class=\"cross\" d=\"{cross}\"/>"));
    }
}

/// About how wide a label is.
fn extent(text: &str) -> usize {
    text.chars().count().min(LABEL) * CHARACTER
}

/// A text about `x`, between the times and the right margin; before [`LEFT`], in the middle of the times.
fn write(out: &mut String, class: &str, (x, width): (usize, usize), y: usize, text: &str) {
    let half = extent(text) / 2;
    let x = if width == LEFT { LEFT / 2 } else { x.min(width.saturating_sub(half)).max(LEFT + half) };
    let text = label(text);
    put(
        out,
        format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>"),
    );
}

/// A text of bounded length, escaped.
fn label(text: &str) -> String {
    if text.chars().count() <= LABEL {
        return escaped(text);
    }
    escaped(&text.chars().take(LABEL - 1).chain(['…']).collect::<String>())
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
