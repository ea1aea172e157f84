//! The chapters agree with the register of clauses, with each other and with their own numbering.
//!
//! It reads the Markdown as text. Whether a sentence is true it cannot tell.

use bemr_spec::Clause;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const PAPER: &str = "17-paper-ambiguities.md";
const ATTACKS: &str = "18-attacks.md";
const ERRORS: &str = "14-errors.md";

fn spec() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn chapter(name: &str) -> String {
    let path = spec().join("chapters").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn chapter_names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(spec().join("chapters"))
        .expect("the folder of chapters")
        .map(|entry| entry.expect("a readable entry").file_name().into_string().expect("a UTF-8 name"))
        .collect();
    names.sort();
    names
}

/// Every Markdown file of the package.
fn documents() -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![spec().to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The rows of all tables whose first cell begins with `prefix`, by that cell.
fn rows(text: &str, prefix: &str) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut rows: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for line in text.lines() {
        let Some(inner) = line.trim().strip_prefix('|').and_then(|rest| rest.strip_suffix('|')) else {
            continue;
        };
        let cells: Vec<String> = inner.split('|').map(|cell| cell.trim().to_owned()).collect();
        if cells[0].starts_with(prefix) {
            rows.entry(cells[0].clone()).or_default().push(cells);
        }
    }
    rows
}

/// What looks like the id of a clause, such as `KEY-03`, with its line.
fn ids_in(text: &str) -> Vec<(usize, String)> {
    let mut ids = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            let bytes = word.as_bytes();
            let shaped = bytes.len() == 6
                && bytes[..3].iter().all(u8::is_ascii_uppercase)
                && bytes[3] == b'-'
                && bytes[4..].iter().all(u8::is_ascii_digit);
            if shaped {
                ids.push((index + 1, word.to_owned()));
            }
        }
    }
    ids
}

fn paper_numbers() -> BTreeSet<String> {
    (1..=104).map(|number| format!("P-{number}")).collect()
}

fn attack_numbers() -> BTreeSet<String> {
    let mut numbers: BTreeSet<String> = (1..=38).map(|number| format!("C-{number:02}")).collect();
    numbers.insert("C-14b".to_owned());
    numbers
}

fn each_has_one_full_row(file: &str, prefix: &str, expected: &BTreeSet<String>) {
    let rows = rows(&chapter(file), prefix);
    let found: BTreeSet<String> = rows.keys().cloned().collect();
    assert_eq!(&found, expected, "{file}: the numbers of the rows");
    for (number, same) in &rows {
        assert_eq!(same.len(), 1, "{file}: {number} has {} rows", same.len());
        assert_eq!(same[0].len(), 5, "{file}: {number} has {} columns", same[0].len());
        assert!(same[0].iter().all(|cell| !cell.is_empty()), "{file}: {number} has an empty column");
        let last = &same[0][4];
        let carried = !ids_in(last).is_empty();
        let excused = last.strip_prefix("none: ").is_some_and(|reason| !reason.is_empty());
        assert!(carried != excused, "{file}: {number} names clauses or says `none: reason`: {last}");
    }
}

#[test]
fn every_statement_of_the_paper_has_one_full_row() {
    assert_eq!(paper_numbers().len(), 104);
    each_has_one_full_row(PAPER, "P-", &paper_numbers());
}

#[test]
fn every_attack_has_one_full_row() {
    assert_eq!(attack_numbers().len(), 39);
    each_has_one_full_row(ATTACKS, "C-", &attack_numbers());
}

#[test]
fn every_clause_that_a_chapter_mentions_is_in_the_register() {
    let mut mentions = 0;
    let mut unknown = Vec::new();
    for file in documents() {
        let text = std::fs::read_to_string(&file).expect("a readable chapter");
        for (line, id) in ids_in(&text) {
            mentions += 1;
            if !Clause::ALL.into_iter().any(|clause| clause.id() == id) {
                unknown.push(format!("{}:{line}: {id}", file.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "no such clause:\n{}", unknown.join("\n"));
    assert!(mentions > Clause::ALL.len(), "only {mentions} mentions were read");
}

#[test]
fn every_origin_of_a_clause_exists() {
    let (paper, attacks) = (paper_numbers(), attack_numbers());
    for clause in Clause::ALL {
        for number in clause.paper() {
            assert!(paper.contains(&format!("P-{number}")), "{clause} comes from P-{number}");
        }
        for attack in clause.stops() {
            assert!(attacks.contains(*attack), "{clause} stops {attack}");
        }
    }
}

#[test]
fn every_clause_that_a_row_names_names_the_row() {
    let mut named = 0;
    for (file, prefix) in [(PAPER, "P-"), (ATTACKS, "C-")] {
        for (number, rows) in rows(&chapter(file), prefix) {
            let (carriers, _) = rows[0][4].split_once(';').unwrap_or((&rows[0][4], ""));
            for (_, id) in ids_in(carriers) {
                let clause = Clause::find(&id).expect("another test looks for unknown clauses");
                let numbers = clause.paper().iter().map(|number| format!("P-{number}"));
                let comes_from = numbers.chain(clause.stops().iter().map(|stop| (*stop).to_owned()));
                assert!(
                    comes_from.into_iter().any(|from| from == number),
                    "{clause} does not come from {number}"
                );
                named += 1;
            }
        }
    }
    assert!(named > 300, "only {named} were read");
}

#[test]
fn every_clause_has_an_origin() {
    let cited: BTreeSet<String> =
        [PAPER, ATTACKS].into_iter().flat_map(|file| ids_in(&chapter(file))).map(|(_, id)| id).collect();
    for clause in Clause::ALL {
        let named = cited.contains(clause.id())
            || !clause.paper().is_empty()
            || !clause.stops().is_empty()
            || !clause.findings().is_empty();
        assert!(named, "{clause} comes from no statement, stops no attack and answers no finding");
    }
}

#[test]
fn every_clause_has_a_place_where_it_refuses() {
    let text = chapter(ERRORS);
    let (_, section) = text.split_once("## Where refusals arise").expect("the section on places");
    let section = section.split("\n## ").next().expect("a split has a first part");
    let listed: BTreeSet<String> = ids_in(section).into_iter().map(|(_, id)| id).collect();
    let missing: Vec<&str> =
        Clause::ALL.into_iter().map(Clause::id).filter(|id| !listed.contains(*id)).collect();
    assert!(missing.is_empty(), "{ERRORS} has no place for {missing:?}");
}

#[test]
fn chapters_are_numbered_without_gaps() {
    let names = chapter_names();
    assert!(names.len() >= 19, "{} chapters", names.len());
    for (number, name) in names.iter().enumerate() {
        assert!(
            name.starts_with(&format!("{number:02}-")) && name.ends_with(".md"),
            "chapter {number} is {name}"
        );
    }
}

#[test]
fn the_reading_guide_names_every_other_chapter() {
    let guide = chapter("00-reading-guide.md");
    for name in &chapter_names()[1..] {
        assert!(guide.contains(&format!("]({name})")), "the guide does not lead to {name}");
    }
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut links = 0;
    let mut dead = Vec::new();
    for file in documents() {
        let text = std::fs::read_to_string(&file).expect("a readable chapter");
        let prose = text.lines().flat_map(|line| line.split('`').step_by(2)).collect::<Vec<_>>().join("\n");
        for rest in prose.split("](").skip(1) {
            let target = rest.split(')').next().expect("a split has a first part");
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let goal = match path {
                "" => file.clone(),
                path => file.parent().expect("a file stands in a folder").join(path),
            };
            let there = goal.exists() && (heading.is_empty() || headings(&goal).contains(heading));
            if !there {
                dead.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
    assert!(links >= 18, "only {links} links were read");
}

/// The anchors of a document's headings, as a forge makes them.
fn headings(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).expect("a readable document");
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn no_chapter_says_in_prose_in_which_order_it_checks() {
    let names = chapter_names();
    for name in names.iter().filter(|name| ("04-".."13-").contains(&&name[..3])) {
        let text = chapter(name).split_whitespace().collect::<Vec<_>>().join(" ");
        for phrase in ["checks, in this order", "checked in this order", "check, in this order"] {
            assert!(
                !text.to_lowercase().contains(phrase),
                "{name}: {phrase}: make it a table of the kind Order"
            );
        }
    }
    assert!(bemr_spec::order::ALL.len() >= 40, "only {} orders are read", bemr_spec::order::ALL.len());
}
