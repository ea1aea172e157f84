use super::{CHARACTER, HEAD, LEFT, svg};
use crate::sequence::{html, mermaid, text};
use crate::trace::{Header, Step, Trace};
use bemr::crypto::Suite;
use bemr_model::{Action, Actor, Command, Execution, Members, Setup};
use bemr_spec::Rules;

/// A run of the model: every user submits, everything is delivered in order, and instants come when nothing is on its way.
fn run(setup: Setup, steps: u64) -> Trace {
    let rules = Rules::hardened();
    let mut world = Execution::new(rules, &setup);
    let mut trace = Trace { header: Header::new(Suite::Tiny, &rules, setup), steps: Vec::new() };
    let (mut envelope, mut user) = (0, 0);
    while (trace.steps.len() as u64) < steps {
        let action = if user < setup.users {
            user += 1;
            let command =
                Command::Submit { record: u16::from(user), breaks: None, readers: Members::default() };
            Action::Command { actor: Actor::User(user - 1), command }
        } else if (envelope as usize) < world.envelopes().len() {
            envelope += 1;
            Action::Deliver { envelope: envelope - 1 }
        } else {
            let next = world
                .system()
                .actors()
                .find(|actor| world.clone().step(&Action::Wake { actor: *actor, found: None }).is_some());
            let Some(actor) = next else { break };
            Action::Wake { actor, found: None }
        };
        let Some(happened) = world.step(&action) else { continue };
        trace.steps.push(Step::of(trace.steps.len() as u64 + 1, action, &happened));
    }
    trace
}

fn setup(text: &str) -> Setup {
    serde_json::from_str(text).expect("a setup")
}

#[test]
fn every_view_names_what_distinguishes_two_votes() {
    let trace = run(setup(r#"{"users":2,"validators":4,"ledger":"quorum","seed":1}"#), 150);
    let drawing = svg(&trace);
    for view in [text(&trace), html(&trace), drawing, mermaid(&trace).replace("#35;", "#")] {
        for label in ["T_block tid#0", "T_block tid#1", "Vote tid#0 true", "Vote tid#1 true"] {
            assert!(view.contains(label), "{label}");
        }
    }
}

#[test]
fn in_a_wide_run_no_text_is_printed_over_another() {
    let trace = run(setup(r#"{"users":2,"validators":12,"ledger":"quorum","seed":1}"#), 150);
    let drawing = svg(&trace);
    let document = roxmltree::Document::parse(&drawing).expect("XML");
    let number = |node: roxmltree::Node<'_, '_>, name: &str| {
        node.attribute(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0)
    };
    let wide = number(document.root_element(), "width");
    let mut boxes: Vec<(i64, i64, i64, i64, String)> = Vec::new();
    for node in
        document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
    {
        let shift = node.ancestors().find_map(|group| {
            let shift = group.attribute("transform")?.strip_prefix("translate(0 ")?.strip_suffix(')')?;
            shift.parse::<i64>().ok()
        });
        let words = node.text().unwrap_or("").to_owned();
        let half = words.chars().count() as i64 * CHARACTER as i64 / 2;
        let (x, y) = (number(node, "x"), number(node, "y") + shift.unwrap_or(0));
        let is_time = words.ends_with(" ms") && x == LEFT as i64 / 2;
        assert!(x + half <= wide && (is_time || x - half >= LEFT as i64 - 1), "{words} is cut off");
        boxes.push((x - half, x + half, y - 10, y + 3, words));
    }
    assert!(boxes.len() > 300 && drawing.len() > HEAD);
    for (place, one) in boxes.iter().enumerate() {
        for other in &boxes[place + 1..] {
            let apart = one.1 <= other.0 || other.1 <= one.0 || one.3 <= other.2 || other.3 <= one.2;
            assert!(apart, "{one:?} is printed over {other:?}");
        }
    }
}
