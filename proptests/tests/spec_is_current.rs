//! The chapters, the code and the tests agree: on the clauses, on what is generated, and on codes.

use bemr_lab::specgen::coverage::Coverage;
use bemr_lab::specgen::machines::Chart;
use bemr_lab::specgen::{self, Sources, machines};
use bemr_spec::Clause;
use bemr_spec::messages::CHAPTERS;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the project")
}

fn coverage() -> Coverage {
    let sources = Sources::read(root()).expect("the sources can be read");
    Coverage::of(&sources, specgen::tables().expect("the tables have no flaw"), &machines::charts())
        .expect("they are Rust")
}

#[test]
fn the_generated_files_are_current() {
    let stale = specgen::stale(root()).expect("the sources can be read");
    assert!(stale.is_empty(), "run `cargo run -- spec --write`: {stale:?}");
}

#[test]
fn the_files_are_stale_until_they_are_written_and_after_every_change() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    fs::create_dir_all(root.join("src/deep")).expect("a folder");
    fs::create_dir_all(root.join("proptests/tests")).expect("a folder");
    fs::write(root.join("src/deep/a.rs"), "fn f() { Clause::VoteSigned; }").expect("a file");
    let door = "Ours.\n<!-- begin flow -->\nold\n<!-- end flow -->\n<!-- begin figures -->\n<!-- end figures -->\nOurs.\n";
    fs::write(root.join(specgen::README), door).expect("a file");
    let generated = [
        "register.md",
        "messages.md",
        "machines.md",
        "coverage.md",
        "coverage.json",
        "flow.md",
        "experiment.md",
        "conjuncts.md",
    ];
    let generated = generated.map(|name| Path::new(specgen::FOLDER).join(name));
    let schema = PathBuf::from(specgen::SCHEMA);
    let all: Vec<PathBuf> = generated.into_iter().chain([schema, PathBuf::from(specgen::README)]).collect();
    assert_eq!(specgen::stale(root).expect("readable"), all);
    assert_eq!(specgen::write(root).expect("writable"), all);
    assert_eq!(specgen::stale(root).expect("readable"), [""; 0].map(PathBuf::from));
    let read = |path: &PathBuf| fs::read(root.join(path)).expect("it was written");
    let first: Vec<Vec<u8>> = all.iter().map(read).collect();
    let written = String::from_utf8(first[9].clone()).expect("text");
    assert!(written.starts_with("Ours.\n") && written.ends_with("Ours.\n") && !written.contains("old"));

    fs::write(root.join("proptests/tests/b.rs"), "#[test] fn t() { Clause::VoteSigned; }").expect("a file");
    assert_eq!(specgen::stale(root).expect("readable"), [&all[3..5], &all[9..]].concat());
    fs::remove_file(root.join("proptests/tests/b.rs")).expect("it is there");
    fs::write(root.join(&all[0]), "edited by hand").expect("a file");
    assert_eq!(specgen::write(root).expect("writable"), all[..1]);
    assert_eq!(all.iter().map(read).collect::<Vec<_>>(), first);
}

#[test]
fn every_clause_is_enforced_by_code() {
    let coverage = coverage();
    assert!(!coverage.clauses.is_empty());
    assert!(coverage.unenforced().is_empty(), "no code names {}", coverage.unenforced().join(", "));
}

#[test]
fn every_clause_is_shown_by_a_test() {
    let coverage = coverage();
    assert!(!coverage.clauses.is_empty());
    assert!(coverage.unshown().is_empty(), "no test names {}", coverage.unshown().join(", "));
}

fn chapter(name: &str) -> &'static str {
    CHAPTERS.iter().find(|(file, _)| *file == name).expect("a chapter").1
}

/// The cells of the first table under the heading `heading`, without its head.
fn rows(chapter: &'static str, heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = chapter.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let lines =
        section.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|'));
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
    lines.skip(2).map(cells).collect()
}

#[test]
fn the_machines_of_the_chapter_are_those_of_the_code() {
    let rows = rows(chapter("13-state-machines.md"), "The machines");
    let listed: Vec<String> = rows.iter().map(|row| row[0].replace('`', "")).collect();
    assert_eq!(listed, machines::charts().iter().map(|chart| chart.name.to_owned()).collect::<Vec<_>>());
}

#[test]
fn the_codes_of_clauses_are_those_of_the_chapter() {
    let rows = rows(chapter("14-errors.md"), "Codes");
    let places: Vec<(&str, u16)> =
        rows.iter().map(|row| (row[1], row[0].parse().expect("a place"))).collect();
    assert!(places.iter().zip(1..).all(|((_, place), expected)| *place == expected), "counted from one");
    for clause in Clause::ALL {
        let (prefix, number) = clause.id().split_once('-').expect("an id has a dash");
        let (_, place) = places.iter().find(|(listed, _)| *listed == prefix).expect("its prefix has a place");
        assert_eq!(clause.code(), 100 * place + number.parse::<u16>().expect("two digits"), "{clause}");
        assert_eq!(Clause::from_code(clause.code()), Some(clause));
    }
    assert_eq!(Clause::from_code(0), None);
}

#[test]
fn the_transitions_in_the_chapters_are_those_of_the_machines() {
    let chapters = [chapter("05-handshake-key-schedule.md"), chapter("13-state-machines.md")].concat();
    for machine in bemr_spec::machines::MACHINES {
        let refuses = machine.rows.iter().any(|row| row.refuses);
        let kind = if refuses { "Transitions and refusals of" } else { "Transitions of" };
        let caption = format!("**{kind} `{}`.**\n\n", machine.name);
        let (_, table) = chapters.split_once(&caption).expect("a table of its transitions");
        let cells = |line: &str| -> Vec<String> {
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
        };
        let shown: Vec<_> = table.lines().take_while(|line| !line.is_empty()).skip(2).map(cells).collect();
        let generated: Vec<_> = Chart::of(machine).transitions().lines().skip(2).map(cells).collect();
        assert_eq!(shown, generated, "{}", machine.name);
    }
}
