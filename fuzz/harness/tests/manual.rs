//! What `fuzz/README.md` tells people to paste is taken by the programs that it names.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr_fuzz::TARGETS;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The lines of its blocks.
fn lines(manual: &str) -> Vec<&str> {
    let (mut lines, mut within) = (Vec::new(), false);
    for line in manual.lines() {
        match line {
            "```sh" => within = true,
            "```" => within = false,
            line if within => lines.push(line),
            _ => {}
        }
    }
    lines
}

/// What is wrong with the arguments of `bemr-fuzz`; `--help` keeps it from carrying them out.
fn refused(arguments: &str) -> Option<String> {
    let words = arguments.split_whitespace();
    let asked = Command::new(env!("CARGO_BIN_EXE_bemr-fuzz")).args(words).arg("--help").output().unwrap();
    (!asked.status.success()).then(|| String::from_utf8(asked.stderr).unwrap())
}

#[test]
fn every_line_of_the_manual_names_commands_options_and_files_that_there_are() {
    let manual = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let lines = lines(&manual);
    let ours = lines.iter().filter_map(|line| line.strip_prefix("cargo run --release -p bemr-fuzz -- "));
    let mut count = 0;
    for arguments in ours {
        assert_eq!(refused(arguments), None, "{arguments}");
        count += 1;
    }
    assert!(count >= 12, "{count} lines");
    assert!(refused("campaign --nowhere x").is_some() && refused("nothing").is_some());
    let words = lines.iter().flat_map(|line| line.split_whitespace());
    let files = words.filter(|word| word.starts_with("fuzz/corpus/") && !word.contains('*'));
    assert!(files.map(|file| assert!(folder().join("..").join(file).exists(), "{file}")).count() >= 6);
    for option in ["-max_len=65536", "-dict=fuzz/bemr.dict", "-merge=1", "fuzz tmin"] {
        assert!(lines.iter().any(|line| line.contains(option)), "{option}");
    }
    for target in TARGETS {
        assert!(manual.contains(&format!("\n| `{}` | ", target.name)), "{}: no row", target.name);
    }
}
