//! A target under libFuzzer: cargo-fuzz builds it, with a planted bug or without, and runs it in a folder of its own.
#![allow(clippy::disallowed_types, reason = "a campaign is measured in real time")]

use crate::Target;
use crate::campaign::{Fuzzed, Instead, exercised};
use crate::dictionary;
use crate::libfuzzer::NOTHING;
use crate::mutate::LONGEST;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn cargo_fuzz(arguments: &[&str], instead: Instead<'_>) -> Command {
    let mut command = Command::new("cargo");
    // The compiler of whoever runs this is not the one that is asked for.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("BEMR_CANARY");
    let planted = match instead {
        Instead::Product => None,
        Instead::Planted(canary) => Some(canary.name),
        Instead::Nothing => Some(NOTHING),
    };
    command.envs(planted.map(|name| ("BEMR_CANARY", name)));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    // cargo-fuzz sets this variable, which replaces the flags of the repository's own configuration.
    command.env("RUSTFLAGS", "--cfg bemr_weaken");
    command.args(["+nightly", "fuzz"]).args(arguments);
    command
}

/// Fuzzes a target for a time; what is built first does not count.
pub(crate) fn fuzz(
    target: &Target,
    instead: Instead<'_>,
    seeds: &[Vec<u8>],
    seed: u64,
    time: Duration,
) -> Result<Fuzzed, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("temporary folder: {error}"))?;
    let (corpus, found) = (folder.path().join("corpus"), folder.path().join("found"));
    for made in [&corpus, &found] {
        std::fs::create_dir(made).map_err(|error| format!("{}: {error}", made.display()))?;
    }
    for (number, seed) in seeds.iter().enumerate() {
        let path = corpus.join(format!("seed-{number}"));
        std::fs::write(&path, seed).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let run = |command: &mut Command| -> Result<Output, String> {
        command.output().map_err(|error| format!("cargo +nightly fuzz: {error}"))
    };
    let built = run(&mut cargo_fuzz(&["build", "-s", "none", target.name], instead))?;
    if !built.status.success() {
        return Err(format!("{}: cargo +nightly fuzz build: {}", target.name, last_line(&built.stderr)));
    }
    let start = Instant::now();
    let mut command = cargo_fuzz(&["run", "-s", "none", target.name], instead);
    command.arg(&corpus).args(["--", "-print_final_stats=1", "-timeout=30"]);
    command.arg(format!("-max_total_time={}", time.as_secs().max(1)));
    command.arg(format!("-seed={}", seed.max(1)));
    // The mutators make inputs as long as what they tell; the engine would begin with a few bytes of them.
    command.args([format!("-max_len={LONGEST}"), "-len_control=0".to_owned()]);
    command.arg(format!("-dict={}", dictionary::path().display()));
    command.arg(format!("-artifact_prefix={}/", found.display()));
    let ran = run(&mut command)?;
    let seconds = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&ran.stderr);
    let number = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim_start_matches([':', ' ']).parse::<u64>().ok())
    };
    let executions = number("stat::number_of_executed_units")
        .ok_or_else(|| format!("{}: libFuzzer says no number: {}", target.name, last_line(&ran.stderr)))?;
    let inputs = contents(&corpus)?;
    let shows = contents(&found)?.pop();
    let why = said.lines().find(|line| line.contains("panicked at") || line.contains("ERROR: libFuzzer"));
    let why = said.lines().skip_while(|line| Some(*line) != why).take(2).collect::<Vec<_>>().join(" ");
    let kept = (inputs.len() as u64).saturating_sub(seeds.len() as u64);
    // With a bug in it, only whether it is found counts.
    let whole = matches!(instead, Instead::Product);
    let seen = if whole { exercised(target, &inputs) } else { Default::default() };
    Ok(Fuzzed { executions, seconds, kept, found: shows.map(|input| (input, why)), seen })
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().last().unwrap_or("nothing said").to_owned()
}

/// The files of a folder, by name.
fn contents(folder: &PathBuf) -> Result<Vec<Vec<u8>>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(told)? {
        paths.push(entry.map_err(told)?.path());
    }
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).map_err(told)).collect()
}
