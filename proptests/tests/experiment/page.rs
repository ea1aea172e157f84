//! The page: well formed, complete, and in need of nothing else.

use super::table;
use bemr::crypto::Suite;
use bemr_lab::experiment::{Adversary, Expedition, GridPoint, Played, Report, Rule, Share, Size, asking};
use roxmltree::{Document, Node, ParsingOptions};

fn report() -> Report {
    let spot = |played| GridPoint { played, share: Share::SWEEP[3], under_way: 1 };
    let spots = vec![spot(Played::Falsify), spot(Played::BlackHole)];
    let expedition =
        Expedition { seed: 1, suite: Suite::Tiny, validators: 4, transactions: 3, prior: 0.5, spots };
    let points = expedition.run(2, |_| ()).expect("nothing refuses it");
    let asked = asking(1, Size { validators: 20, transactions: 20, runs: 1 });
    Report { quick: true, tables: vec![table(&Rule::ALL, 40, 2)], asked, expedition, points }
}

/// Named parts of it, whatever their namespace.
fn all<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |node| node.is_element() && node.tag_name().name() == name)
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants().filter_map(|node| node.text()).collect()
}

#[test]
fn the_page_is_well_formed_and_every_figure_has_a_drawing_words_and_numbers() {
    let page = report().html();
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&page, options).expect("XML as well as HTML");
    let figures: Vec<Node<'_, '_>> = all(document.root(), "figure").collect();
    let ids: Vec<&str> = figures.iter().filter_map(|figure| figure.attribute("id")).collect();
    assert_eq!(
        ids,
        [
            "decisions-balanced",
            "decisions-skewed",
            "authentication",
            "black-hole",
            "falsification",
            "false-acceptance",
            "loss",
            "delay",
            "longest-delay",
            "reconstruction",
            "protocol"
        ]
    );
    for figure in figures {
        let id = figure.attribute("id").expect("seen above");
        let svg = all(figure, "svg").next().expect("a drawing");
        assert_eq!(svg.attribute("role"), Some("img"));
        let said = |name| all(svg, name).next().map(text).unwrap_or_default();
        assert!(said("title").len() > 20 && said("desc").len() > 60, "{id}: it says what there is to see");
        let labels = svg.attribute("aria-labelledby").expect("it is named");
        assert!(labels.split(' ').all(|label| {
            all(svg, "title").chain(all(svg, "desc")).any(|one| one.attribute("id") == Some(label))
        }));
        let lines = all(svg, "polyline").filter(|line| {
            line.attribute("points").is_some_and(|points| points.split_whitespace().count() >= 2)
        });
        assert!(lines.count() + all(svg, "line").count() >= 8, "{id}: axes and lines");
        let inked = svg.descendants().any(|node| {
            ["fill", "stroke"]
                .into_iter()
                .any(|ink| node.attribute(ink).is_some_and(|colour| colour.starts_with("var(--series-")))
        });
        assert!(inked, "{id}: a line of data, in a colour of the page");
        let numbers = all(figure, "table").next().expect("numbers behind it");
        let filled = all(numbers, "td").filter(|cell| text(*cell).contains(|c: char| c.is_ascii_digit()));
        assert!(filled.count() >= 2, "{id}");
        assert!(all(figure, "li").count() >= 1, "{id}: a key");
    }
    assert!(!page.contains("#0100"), "no colour stands for another");
    assert!(!page.contains("NaN"));
}

#[test]
fn the_heat_maps_have_every_rule_against_every_adversary() {
    let page = report().html();
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&page, options).expect("XML as well as HTML");
    let heats = document
        .descendants()
        .filter(|node| node.attribute("class").is_some_and(|class| class.starts_with("heat-")));
    assert_eq!(heats.count(), 2 * Rule::ALL.len() * Adversary::ALL.len());
}

#[test]
fn the_page_needs_nothing_else_and_runs_nothing() {
    let page = report().html();
    let bare = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for outside in ["http:", "https:", "//", "url(", "@import", "<link", "src=", "<script", "onload"] {
        assert!(!bare.contains(outside), "{outside}");
    }
    for part in [
        "lang=\"en\"",
        "name=\"viewport\"",
        "default-src 'none'",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
