//! `bemr check`: the page.

use crate::bemr;
use bemr_lab::attacks::threshold::{SIZES, published};
use bemr_model::GOALS;
use bemr_spec::Clause;
use std::path::Path;

#[test]
fn the_page_has_every_property_threshold_and_clause_and_runs_to_step_through() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("check.html");
    let words = ["check", "--quick", "--runs", "3", "--report"].map(Path::new).into_iter();
    let ran = bemr(words.chain([page.as_path(), Path::new("--out"), folder.path()]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let page = std::fs::read_to_string(page).unwrap();
    crate::is_self_contained(&page);
    let page = crate::page(&page);
    let table = |caption: &str| {
        let named = |node: &roxmltree::Node<'_, '_>| {
            node.has_tag_name("table")
                && node.descendants().any(|part| part.has_tag_name("caption") && part.text() == Some(caption))
        };
        page.descendants().find(named).unwrap_or_else(|| panic!("no table {caption}"))
    };
    let rows = |caption: &str| {
        let cells = |row: roxmltree::Node<'_, '_>| -> Vec<String> {
            let cells = row.children().filter(|cell| cell.has_tag_name("td") || cell.has_tag_name("th"));
            cells
                .map(|cell| {
                    cell.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
                })
                .collect()
        };
        let body = table(caption).children().find(|node| node.has_tag_name("tbody")).unwrap();
        body.children().filter(|row| row.has_tag_name("tr")).map(cells).collect::<Vec<_>>()
    };
    let goals = rows("Security properties of the model");
    for goal in GOALS {
        let row = goals.iter().find(|row| row[0] == goal.name).unwrap_or_else(|| panic!("{}", goal.name));
        assert_eq!((row[1].as_str(), row[2].as_str()), (goal.says, "holds"));
    }
    let cells: usize = SIZES
        .iter()
        .map(|size| rows(&format!("{size} validators")).iter().map(|row| row.len() - 2).sum::<usize>())
        .sum();
    assert_eq!(cells, published().len());
    assert_eq!(rows("Mutation matrix").len(), Clause::ALL.len());
    let runs = page.descendants().filter(|node| node.attribute("class") == Some("run"));
    assert!(runs.clone().count() >= 10, "a witness for most properties");
    for run in runs {
        assert!(
            run.descendants().any(
                |node| node.attribute("class") == Some("arrow") || node.attribute("class") == Some("box")
            )
        );
        assert_eq!(run.descendants().filter(|node| node.attribute("data-go").is_some()).count(), 5);
    }
}

#[test]
fn an_unwritable_page_fails_before_the_search() {
    let ran = bemr(["check", "--quick", "--report", "/nowhere/check.html"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.starts_with("bemr: /nowhere/check.html: "), "{}", ran.err);
}
