//! Every planted bug can still be planted, and somebody found it.
//!
//! The bugs are planted and looked for by `cargo run -p bemr-proptests --features tools --example planted`, which takes its time.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const AT_LEAST: usize = 24;
const IN_THE_IMPLEMENTATION: usize = 16;
const IN_THE_MODEL: usize = 6;
const MEDIAN: usize = 8;

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("planted")
}

fn patches() -> BTreeMap<String, PathBuf> {
    let files = fs::read_dir(home()).unwrap().map(|file| file.unwrap().path());
    let patches = files.filter(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path)).collect()
}

/// The cells of each row of the table, by the name of the bug.
fn rows() -> BTreeMap<String, Vec<String>> {
    let table = fs::read_to_string(home().join("FOUND.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<String> = row.trim_matches(['|', ' ']).split(" | ").map(str::to_owned).collect();
        (cells[0].trim_matches('`').to_owned(), cells)
    })
    .collect()
}

#[test]
fn every_planted_bug_was_found_and_most_are_shown_in_few_steps() {
    let (patches, rows) = (patches(), rows());
    let without: Vec<_> = patches.keys().filter(|name| !rows.contains_key(*name)).collect();
    assert!(
        without.is_empty(),
        "no row for {without:?}: cargo run -p bemr-proptests --features tools --example planted"
    );
    let gone: Vec<_> = rows.keys().filter(|name| !patches.contains_key(*name)).collect();
    assert!(gone.is_empty(), "a row without a patch: {gone:?}");
    let lost: Vec<_> = rows.iter().filter(|(_, cells)| cells[3] == "NOBODY").map(|(name, _)| name).collect();
    assert!(lost.is_empty(), "nobody found {lost:?}");
    let side = |side: &str| rows.values().filter(|cells| cells[2] == side).count();
    assert!(rows.len() >= AT_LEAST);
    assert!(side("implementation") >= IN_THE_IMPLEMENTATION && side("model") >= IN_THE_MODEL);
    let mut shorts: Vec<usize> = rows.values().filter_map(|cells| cells[5].parse().ok()).collect();
    shorts.sort_unstable();
    assert!(shorts[shorts.len() / 2] <= MEDIAN, "{shorts:?}");
}

#[test]
fn every_planted_bug_applies_to_the_sources_as_they_are() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
    for (name, patch) in patches() {
        let checked =
            Command::new("git").args(["apply", "--check"]).arg(&patch).current_dir(&project).output();
        let checked = checked.unwrap();
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stderr));
        let says = fs::read_to_string(&patch).unwrap();
        let says = says.lines().next().unwrap_or_default();
        assert!(says.ends_with('.') && says.len() > 20, "{name}: what it does stands in its first line");
    }
}
