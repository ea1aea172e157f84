//! Plants each bug in a copy of the project and asks the checkers, in this order: the lockstep, then the tests. Who finds it, after how much,
//! and how short it shows it goes into `FOUND.md`. It needs git and cargo.
//!
//! `cargo run -p bemr-proptests --features tools --example planted` for all of them, or with the names of some.

use bemr_lab::lockstep::Campaign;
use bemr_spec::Rules;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The most runs in which a bug may show.
const RUNS: u64 = 2_000;

/// Steps of each.
const STEPS: usize = 400;

/// The tests that are asked where the lockstep finds nothing, the quick ones first.
const TESTS: &[&[&str]] = &[
    &["-p", "bemr-spec"],
    &["-p", "bemr", "--lib"],
    &["-p", "bemr-proptests", "--", "sessions::", "storage::", "sharing::", "merkle::"],
    &["-p", "bemr-proptests", "--", "lockstep::", "state_machine::"],
    &["--workspace"],
];

/// What the lockstep says of a copy.
#[derive(Serialize, Deserialize)]
struct Said {
    runs: u64,
    steps: u64,
    found: Option<Found>,
}

#[derive(Serialize, Deserialize)]
struct Found {
    short: usize,
    divergence: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [only] if only == "--campaign" => campaign(),
        names => plant(names),
    };
    if let Err(problem) = done {
        eprintln!("planted: {problem}");
        std::process::exit(1);
    }
}

/// In the copy: random runs.
fn campaign() -> Result<(), String> {
    let sides = Rules::hardened().into();
    let campaign = Campaign { seed: 1, runs: RUNS, steps: STEPS, sides };
    let report = campaign.run(|_| ());
    let unfinished = report.failure.as_ref().map_or(0, |failure| failure.steps as u64);
    let whole = (report.runs - u64::from(report.failure.is_some())) * STEPS as u64;
    let found = report
        .failure
        .map(|first| campaign.shortest(first).short)
        .map(|short| Found { short: short.actions.len(), divergence: short.divergence.to_string() });
    let said = Said { runs: report.runs, steps: whole + unfinished, found };
    println!("{}", serde_json::to_string(&said).map_err(|error| error.to_string())?);
    Ok(())
}

/// A row of the table.
struct Row {
    name: String,
    says: String,
    side: &'static str,
    by: String,
    cases: String,
    short: Option<usize>,
    shows: String,
}

fn plant(names: &[String]) -> Result<(), String> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("planted");
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no project")?.to_path_buf();
    let target = project.join("target").join("planted");
    let tree = target.join("tree");
    let commit = said(&run(&project, "git", &["rev-parse", "HEAD"])?)?.trim().to_owned();
    if !tree.exists() {
        fs::create_dir_all(&target).map_err(|error| error.to_string())?;
        let tree = tree.display().to_string();
        said(&run(&project, "git", &["clone", "--quiet", "--shared", "--no-checkout", ".", &tree])?)?;
    }
    said(&run(&tree, "git", &["fetch", "--quiet", "origin", "HEAD"])?)?;
    said(&run(&tree, "git", &["checkout", "--quiet", "--force", "--detach", &commit])?)?;
    let mut patches: Vec<PathBuf> = fs::read_dir(&home)
        .map_err(|error| error.to_string())?
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .collect();
    patches.sort();
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    let table = home.join("FOUND.md");
    // What was found before stays where only some are asked for.
    if !names.is_empty() {
        let former = fs::read_to_string(&table).unwrap_or_default();
        let known =
            former.lines().filter_map(|line| Some((line.strip_prefix("| `")?.split('`').next()?, line)));
        rows.extend(known.map(|(name, line)| (name.to_owned(), line.to_owned())));
    }
    for patch in patches {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let row = one(&tree, &target, &patch, name)?;
        let line = row.line();
        println!("{line}");
        rows.insert(row.name, line);
        fs::write(&table, written(&commit, names, &rows)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Plants one bug and looks for it.
fn one(tree: &Path, target: &Path, patch: &Path, name: String) -> Result<Row, String> {
    let text = fs::read_to_string(patch).map_err(|error| error.to_string())?;
    let says = text.lines().next().unwrap_or_default().to_owned();
    let side = if text.contains("+++ b/spec/model/") { "model" } else { "implementation" };
    let path = patch.display().to_string();
    said(&run(tree, "git", &["apply", &path])?)?;
    let sought = seek(tree, target);
    said(&run(tree, "git", &["checkout", "--quiet", "--", "."])?)?;
    let (by, cases, short, shows) = sought?;
    Ok(Row { name, says, side, by, cases, short, shows })
}

type Sought = (String, String, Option<usize>, String);

fn seek(tree: &Path, target: &Path) -> Result<Sought, String> {
    let example = [
        "run",
        "--quiet",
        "-p",
        "bemr-proptests",
        "--features",
        "tools",
        "--example",
        "planted",
        "--",
        "--campaign",
    ];
    let ran = cargo(tree, target, &example)?;
    let said: Option<Said> = serde_json::from_slice(&ran.stdout).ok();
    match said {
        Some(Said { runs, steps, found: Some(Found { short, divergence }) }) => {
            return Ok((
                "lockstep".to_owned(),
                format!("{runs} runs, {steps} steps"),
                Some(short),
                divergence,
            ));
        }
        Some(Said { found: None, .. }) => {}
        None => {
            let problem = String::from_utf8_lossy(&ran.stderr);
            if !problem.contains("panicked at") {
                return Err(problem.into_owned());
            }
            let line = problem.lines().find(|line| line.contains("panicked at")).unwrap_or_default();
            return Ok(("lockstep".to_owned(), "a panic".to_owned(), None, line.trim().to_owned()));
        }
    }
    for tests in TESTS {
        let ran = cargo(tree, target, &[&["test", "--quiet", "--no-fail-fast"], *tests].concat())?;
        if !ran.status.success() {
            let output = [ran.stdout, ran.stderr].concat();
            let text = String::from_utf8_lossy(&output).into_owned();
            let failed = text.lines().skip_while(|line| *line != "failures:").map(str::trim);
            let mut names = failed.filter(|line| is_name(line));
            let Some(first) = names.next() else { return Err(text) };
            let asked = format!("`cargo test {}`", tests.join(" "));
            return Ok((asked, "-".to_owned(), None, format!("`{first}`")));
        }
    }
    Ok(("NOBODY".to_owned(), format!("{RUNS} runs"), None, "-".to_owned()))
}

/// Whether a line of what a test says is the name of one that failed.
fn is_name(line: &str) -> bool {
    !line.is_empty()
        && line != "failures:"
        && line.chars().all(|c| c.is_ascii_alphanumeric() || "_:".contains(c))
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<Output, String> {
    let ran = Command::new(program).args(arguments).current_dir(folder).output();
    ran.map_err(|error| format!("{program}: {error}"))
}

/// Builds only what a bug changes.
fn cargo(tree: &Path, target: &Path, arguments: &[&str]) -> Result<Output, String> {
    let ran = Command::new("cargo")
        .args(arguments)
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target.join("build"))
        .env("CARGO_INCREMENTAL", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .output();
    ran.map_err(|error| format!("cargo: {error}"))
}

fn said(output: &Output) -> Result<String, String> {
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

impl Row {
    fn line(&self) -> String {
        let Row { name, says, side, by, cases, short, shows } = self;
        let short = short.map_or_else(|| "-".to_owned(), |short| short.to_string());
        let cell =
            |text: &str| text.replace('|', "\\|").replace('\n', " ").chars().take(160).collect::<String>();
        format!("| `{name}` | {says} | {side} | {by} | {cases} | {short} | {} |", cell(shows))
    }
}

fn written(commit: &str, names: &[String], rows: &BTreeMap<String, String>) -> String {
    let cell = |line: &str, place: usize| line.split(" | ").nth(place).unwrap_or_default().to_owned();
    let mut shorts: Vec<usize> = rows.values().filter_map(|line| cell(line, 5).parse().ok()).collect();
    shorts.sort_unstable();
    let median = shorts.get(shorts.len() / 2).map_or_else(|| "-".to_owned(), usize::to_string);
    let by_lockstep = rows.values().filter(|line| cell(line, 3) == "lockstep").count();
    let anew = match names {
        [] => String::new(),
        names => format!(" Only these were asked for then, the others before: `{}`.", names.join("`, `")),
    };
    let mut text = format!(
        "# Planted bugs, and who found them\n\nWritten by `cargo run -p bemr-proptests --features tools --example planted`, of commit `{commit}`.{anew}\n\n\
         {} bugs, {by_lockstep} found by the lockstep within {RUNS} runs of {STEPS} steps. The median of what shows one, the shortest of\nthe first run that does and the next few, is {median} steps.\n\n\
         | bug | what it does | where | found first by | after | shrunk to | how it shows |\n|---|---|---|---|---|---:|---|\n",
        rows.len()
    );
    rows.values().for_each(|line| text.extend([line, "\n"]));
    text
}
