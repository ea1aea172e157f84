//! `bemr vectors`: generates the test vectors and verifies this or another implementation against them.

use crate::{ExitStatus, note, print, print_json, write_file};
use bemr_lab::vectors::{self, File, MAX_BYTES, Plan, Program, Question, Respondent, SCHEMA, Tally};
use indicatif::ProgressBar;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};

/// Options of `bemr vectors`.
#[derive(clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Writes every file of vectors, and its schema, into a folder.
    Generate {
        /// The folder.
        folder: PathBuf,
        /// Only the files of this kind.
        #[arg(long)]
        kind: Option<String>,
        /// Only the files of this suite.
        #[arg(long)]
        suite: Option<String>,
        /// Writes nothing and lists the stale files.
        #[arg(long)]
        check: bool,
        /// Prints one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Verifies an implementation against the vectors in a folder.
    Verify {
        /// The folder.
        folder: PathBuf,
        /// Prints one JSON document.
        #[arg(long)]
        json: bool,
        /// Verifies this program instead, which answers line by line; it and its arguments end the command line.
        #[arg(long, num_args = 1.., allow_hyphen_values = true, value_name = "PROGRAM")]
        against: Vec<String>,
    },
    /// Answers tests: reads one per line from standard input and writes one answer per line.
    Answer,
}

#[derive(Serialize)]
struct Written {
    files: Vec<String>,
    changed: Vec<String>,
}

#[derive(Serialize)]
struct Report {
    files: u64,
    tests: u64,
    agreed: u64,
    unsupported: u64,
    differing: Vec<vectors::Difference>,
    unreadable: Vec<String>,
    /// The pairs of a field and a clause that the files cover.
    coverage: vectors::Coverage,
}

pub(super) fn vectors(options: &Options) -> Result<ExitStatus, String> {
    match &options.action {
        Action::Generate { folder, kind, suite, check, json } => {
            generate(folder, &plans(kind.as_deref(), suite.as_deref())?, *check, *json)
        }
        Action::Verify { folder, json, against } => verify(folder, *json, against),
        Action::Answer => answer(),
    }
}

fn plans(kind: Option<&str>, suite: Option<&str>) -> Result<Vec<Plan>, String> {
    let all = vectors::plans();
    let known = |what: &str, wanted: Option<&str>, names: Vec<&str>| match wanted {
        Some(wanted) if !names.contains(&wanted) => {
            let names: BTreeSet<&str> = names.into_iter().collect();
            let names: Vec<&str> = names.into_iter().collect();
            Err(format!("unknown {what} `{wanted}`; known: {}", names.join(", ")))
        }
        _ => Ok(()),
    };
    known("kind", kind, all.iter().map(|(entry, _)| entry.name).collect())?;
    known("suite", suite, all.iter().map(|(_, suite)| *suite).collect())?;
    let wanted = |(entry, of): &Plan| {
        kind.is_none_or(|kind| kind == entry.name) && suite.is_none_or(|suite| suite == *of)
    };
    Ok(all.into_iter().filter(wanted).collect())
}

fn generate(folder: &Path, plans: &[Plan], check: bool, json: bool) -> Result<ExitStatus, String> {
    let bar = ProgressBar::new(plans.len() as u64);
    let made = vectors::generate(plans, |name| {
        bar.set_message(name.to_owned());
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    if !check {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut changed = Vec::new();
    for (name, text) in &made {
        let path = folder.join(name);
        if std::fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        if check {
            note(&format!("{} is stale", path.display()));
        } else {
            write_file(&path, text)?;
        }
        changed.push(name.clone());
    }
    let status = ExitStatus::of(!check || changed.is_empty());
    let files: Vec<String> = made.into_iter().map(|(name, _)| name).collect();
    if json {
        print_json(&Written { files, changed })?;
    } else {
        let verb = if check { "stale" } else { "changed" };
        print(&format!("{} files, {} {verb}", files.len(), changed.len()))?;
    }
    Ok(status)
}

fn verify(folder: &Path, json: bool, against: &[String]) -> Result<ExitStatus, String> {
    let (files, unreadable) = read(folder)?;
    let mut respondent = match against {
        [] => Respondent::This,
        command => Respondent::Other(Box::new(Program::start(command)?)),
    };
    let tests = files.iter().map(|file| file.number_of_tests).sum();
    let bar = ProgressBar::new(tests);
    let mut all = Tally::default();
    for file in &files {
        bar.set_message(file.name());
        let Tally { agreed, unsupported, differing } = vectors::run(file, &mut respondent, || bar.inc(1))?;
        all.agreed += agreed;
        all.unsupported += unsupported;
        all.differing.extend(differing);
    }
    bar.finish_and_clear();
    let Tally { agreed, unsupported, differing } = all;
    let status = match (differing.is_empty(), unreadable.is_empty()) {
        (false, _) => ExitStatus::Failure,
        (true, false) => ExitStatus::BadInput,
        (true, true) => ExitStatus::Success,
    };
    unreadable.iter().for_each(|line| note(line));
    let coverage = vectors::coverage(&files);
    let files = files.len() as u64;
    if json {
        print_json(&Report { files, tests, agreed, unsupported, differing, unreadable, coverage })?;
    } else {
        for one in &differing {
            let vectors::Difference { file, tc_id, comment, expected, answered } = one;
            print(&format!("{file} tcId {tc_id}: {comment}: {answered} instead of {expected}"))?;
        }
        let not = differing.len();
        print(&format!(
            "{tests} tests in {files} files: {agreed} agreed, {not} not, {unsupported} unsupported"
        ))?;
        let vectors::Coverage { pairs, shown, reasoned, missing, .. } = coverage;
        let missing = missing.len();
        print(&format!(
            "{pairs} pairs of a field and a clause: {shown} covered, {reasoned} exempt with a reason, {missing} missing"
        ))?;
    }
    Ok(status)
}

/// The files of vectors in a folder, sorted by name, and the problems with the others.
fn read(folder: &Path) -> Result<(Vec<File>, Vec<String>), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if is_json && path.file_name().is_some_and(|name| name != SCHEMA) {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(format!("{}: no vectors found", folder.display()));
    }
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        let parse =
            |bytes: Vec<u8>| File::read(&bytes).map_err(|error| format!("{}: {error}", path.display()));
        match crate::files::read(&path, MAX_BYTES).and_then(parse) {
            Ok(file) => files.push(file),
            Err(problem) => unreadable.push(problem),
        }
    }
    Ok((files, unreadable))
}

fn answer() -> Result<ExitStatus, String> {
    let mut input = std::io::stdin().lock();
    let mut out = std::io::stdout().lock();
    let mut status = ExitStatus::Success;
    loop {
        let mut line = Vec::new();
        let read = (&mut input).take(MAX_BYTES).read_until(b'\n', &mut line);
        if read.map_err(|error| format!("standard input: {error}"))? == 0 {
            return Ok(status);
        }
        let reply = match serde_json::from_slice::<Question>(&line) {
            Ok(question) => vectors::reply(&question),
            Err(error) => vectors::no_question(error.to_string()),
        };
        if reply.problem.is_some() {
            status = ExitStatus::BadInput;
        }
        let written = serde_json::to_writer(&mut out, &reply).map_err(std::io::Error::from);
        let written = written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
        written.map_err(|error| format!("standard output: {error}"))?;
    }
}
