//! Asks the tests about every mutant that `cargo mutants` lists, in one build: in a copy of the project each mutant is a branch, and a number in the
//! environment switches one on. A mutant that no test catches needs a reason in `reasons.json`; what was found goes into `FOUND.md`.
//!
//! `cargo run -p bemr-proptests --features tools --example mutants` builds, measures the tests, and asks; what was said before is kept and not asked again.
//! `-- --budget SECONDS` bounds the tests' time for each mutant, `-- --again` asks again about survivors, `-- --anyway` goes on
//! without the tests that fail where nothing is changed, `-- --report` only writes the report.
//! It needs git, cargo and `cargo mutants`.

mod ask;
mod branch;
mod copy;
mod list;
mod report;
mod run;
mod suite;

use crate::copy::Copy;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Mutants that are asked about at a time.
const WORKERS: usize = 2;

/// Where everything is.
struct Places {
    project: PathBuf,
    /// The folder of this program, with the reasons and the report.
    home: PathBuf,
    /// What is kept between runs.
    kept: PathBuf,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Err(problem) = all(&arguments) {
        eprintln!("mutants: {problem}");
        std::process::exit(1);
    }
}

fn all(arguments: &[String]) -> Result<(), String> {
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let budget = arguments.iter().skip_while(|argument| *argument != "--budget").nth(1);
    let budget = budget.map_or(Ok(3_600), |seconds| seconds.parse()).map_err(|_| "--budget takes seconds")?;
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants");
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no project")?.to_path_buf();
    let kept = project.join("target").join("mutants");
    fs::create_dir_all(&kept).map_err(|error| error.to_string())?;
    let places = Places { project, home, kept };
    let mutants = list::list(&places.project)?;
    let said = places.kept.join("said.jsonl");
    if has("--report") {
        let out = read(&places.kept.join("out.json"))?;
        return report::write(&places, &mutants, &out, &ask::former(&said));
    }
    let out: BTreeMap<String, String> = read(&places.kept.join("out.json")).unwrap_or_default();
    let mut copy = Copy::of(&places.project, &places.kept, &mutants, out)?;
    let programs = copy.build(&places.project, &mutants)?;
    keep(&places.kept.join("out.json"), &copy.out)?;
    let tests = places.kept.join("tests.json");
    let stamp = suite::stamp(&programs)?;
    let measured = match read::<suite::Measured>(&tests) {
        Ok(measured) if measured.stamp == stamp => measured,
        _ => suite::measured(&programs, &places.kept, WORKERS)?,
    };
    keep(&tests, &measured)?;
    if !measured.failed.is_empty() && !has("--anyway") {
        return Err(format!("fails where nothing is changed: {}", measured.failed.join(", ")));
    }
    let tests = measured.tests;
    let total: u64 = tests.iter().map(|test| test.millis).sum();
    eprintln!(
        "mutants: {} tests, {} s; {} of {} mutants are branches",
        tests.len(),
        total / 1_000,
        mutants.len() - copy.out.len(),
        mutants.len()
    );
    let before = ask::former(&said);
    let numbers: Vec<usize> = (1..=mutants.len())
        .filter(|number| !copy.out.contains_key(&mutants[number - 1].name))
        .filter(|number| match before.get(&mutants[number - 1].name) {
            None => true,
            Some(said) => said.caught.is_none() && (said.unfinished || has("--again")),
        })
        .collect();
    ask::ask(&mutants, &numbers, &tests, Duration::from_secs(budget), WORKERS, &said)?;
    report::write(&places, &mutants, &copy.out, &ask::former(&said))
}

fn keep(path: &Path, what: &impl serde::Serialize) -> Result<(), String> {
    let text = serde_json::to_vec(what).map_err(|error| error.to_string())?;
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}
