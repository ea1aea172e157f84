//! The tests of the copy, one by one: how long each takes, and which mutants it comes by.
//!
//! A test that does not come by a mutant cannot catch it, and is not asked.

use crate::copy::Program;
use crate::run::{Ended, run};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// No test takes longer where nothing is changed.
const LONGEST: Duration = Duration::from_secs(1_200);

/// Tests that are not asked: one kills processes, some by the clock, one makes a sequence shorter, and nothing is made
/// shorter here.
const LEFT_OUT: &[(&str, &str)] = &[
    ("all", "store::a_killed_process_loses_nothing_acknowledged"),
    ("all", "state_machine::a_fault_is_found_and_its_sequence_is_short_and_can_be_run_again"),
];

/// A test that passes where nothing is changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Test {
    /// The program that it is in, and its name there.
    pub(crate) program: String,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) millis: u64,
    pub(crate) reaches: BTreeSet<usize>,
}

impl Test {
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(["--exact", &self.name, "--test-threads", "1"]).current_dir(&self.folder);
        command.env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }

    /// As people call it.
    pub(crate) fn called(&self) -> String {
        format!("{}::{}", self.program, self.name)
    }
}

/// The tests of one build.
#[derive(Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) stamp: String,
    pub(crate) tests: Vec<Test>,
    /// Those that fail where nothing is changed. None may.
    pub(crate) failed: Vec<String>,
}

/// What tells one build from another.
pub(crate) fn stamp(programs: &[Program]) -> Result<String, String> {
    let mut stamp = String::new();
    for program in programs {
        let built = fs::metadata(&program.path).and_then(|file| file.modified());
        let built = built.map_err(|error| format!("{}: {error}", program.name))?;
        stamp += &format!("{} {built:?}\n", program.path.display());
    }
    Ok(stamp)
}

/// Runs every test alone, where nothing is changed.
pub(crate) fn measured(programs: &[Program], home: &Path, workers: usize) -> Result<Measured, String> {
    let (mut tests, mut left_out) = (Vec::new(), 0);
    for program in programs {
        let mut list = Command::new(&program.path);
        list.arg("--list").current_dir(&program.folder);
        let listed = list.output().map_err(|error| format!("{}: {error}", program.name))?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        for name in listed.lines().filter_map(|line| line.strip_suffix(": test")) {
            if LEFT_OUT.contains(&(program.name.as_str(), name)) {
                left_out += 1;
                continue;
            }
            tests.push(Test {
                program: program.name.clone(),
                name: name.to_owned(),
                path: program.path.clone(),
                folder: program.folder.clone(),
                millis: 0,
                reaches: BTreeSet::new(),
            });
        }
    }
    if left_out != LEFT_OUT.len() {
        return Err(format!("{left_out} of the tests that are not asked are there: {LEFT_OUT:?}"));
    }
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let done: Mutex<Vec<Test>> = Mutex::default();
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, failed, done, tests) = (&next, &failed, &done, &tests);
            scope.spawn(move || {
                let reached = home.join(format!("reached-{worker}"));
                while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let _ = fs::remove_file(&reached);
                    let (ended, took) = run(test.command().env("MUTANTS_REACHED", &reached), LONGEST);
                    if ended != Ended::Passed {
                        eprintln!("mutants: {ended:?} where nothing is changed: {}", test.called());
                        failed.lock().expect("nobody panics").push(format!("{}: {ended:?}", test.called()));
                        continue;
                    }
                    let numbers = fs::read_to_string(&reached).unwrap_or_default();
                    let mut test = test.clone();
                    test.reaches = numbers.lines().filter_map(|number| number.parse().ok()).collect();
                    test.millis = took.as_millis() as u64;
                    done.lock().expect("nobody panics").push(test);
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nobody panics");
    let mut tests = done.into_inner().expect("nobody panics");
    tests.sort_by_key(|test| test.millis);
    Ok(Measured { stamp: stamp(programs)?, tests, failed })
}
