//! Asks the tests about each mutant, the likely and the quick ones first, until one fails.

use crate::list::Mutant;
use crate::run::{Ended, run};
use crate::suite::Test;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What the tests say of a mutant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Said {
    pub mutant: String,
    /// The test that failed, if one did.
    pub caught: Option<String>,
    /// Whether it failed by taking far longer than it does.
    #[serde(default)]
    pub too_long: bool,
    /// Tests that passed.
    #[serde(default)]
    pub passed: BTreeSet<String>,
    /// Whether a test is left that comes by the mutant and was not asked.
    #[serde(default)]
    pub unfinished: bool,
}

/// How many of the tests that caught the most in a file are asked before the quickest.
const FAVOURITES: usize = 6;

/// What was said before, by mutant; the last word counts.
pub fn former(file: &Path) -> BTreeMap<String, Said> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Said>(line).ok());
    lines.map(|said| (said.mutant.clone(), said)).collect()
}

/// Asks about the mutants of these numbers, each for `budget` of tests' time, and appends what is said to `file`.
pub fn ask(
    mutants: &[Mutant],
    numbers: &[usize],
    tests: &[Test],
    budget: Duration,
    workers: usize,
    file: &Path,
) -> Result<(), String> {
    let before = former(file);
    let mut kept =
        fs::OpenOptions::new().create(true).append(true).open(file).map_err(|error| error.to_string())?;
    let (next, heard) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<(String, usize), usize>::new()));
    let (sender, receiver) = std::sync::mpsc::channel::<Said>();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, heard, before) = (sender.clone(), &next, &heard, &before);
            scope.spawn(move || {
                while let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mutant = &mutants[number - 1];
                    let said = before.get(&mutant.name).cloned();
                    let said =
                        said.unwrap_or_else(|| Said { mutant: mutant.name.clone(), ..Said::default() });
                    let said = one(*number, mutant, said, tests, budget, heard);
                    if sender.send(said).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (count, said) in (1..).zip(receiver) {
            let by = said.caught.as_deref().unwrap_or(if said.unfinished {
                "? (not all asked)"
            } else {
                "NOBODY"
            });
            eprintln!("{count} of {}: {}: {by}", numbers.len(), said.mutant);
            let line = serde_json::to_string(&said).map_err(|error| error.to_string())?;
            writeln!(kept, "{line}").map_err(|error| error.to_string())?;
        }
        Ok(())
    })
}

fn one(
    number: usize,
    mutant: &Mutant,
    mut said: Said,
    tests: &[Test],
    budget: Duration,
    heard: &Mutex<BTreeMap<(String, usize), usize>>,
) -> Said {
    let mut order: Vec<usize> = (0..tests.len())
        .filter(|test| {
            tests[*test].reaches.contains(&number) && !said.passed.contains(&tests[*test].called())
        })
        .collect();
    let catches = |test: usize| {
        let heard = heard.lock().expect("nobody panics");
        heard.get(&(mutant.file.clone(), test)).copied().unwrap_or(0)
    };
    let mut favourites: Vec<(usize, usize)> = order.iter().map(|test| (catches(*test), *test)).collect();
    favourites.retain(|(catches, test)| *catches > 0 && tests[*test].millis < 3_000);
    favourites.sort_by_key(|(catches, test)| (std::cmp::Reverse(*catches), tests[*test].millis));
    let favourites: Vec<usize> = favourites.into_iter().take(FAVOURITES).map(|(_, test)| test).collect();
    order.retain(|test| !favourites.contains(test));
    let mut spent = Duration::ZERO;
    said.unfinished = false;
    for test in favourites.iter().chain(&order) {
        let asked = &tests[*test];
        let usual = Duration::from_millis(asked.millis);
        if spent + usual > budget {
            said.unfinished = true;
            break;
        }
        let (ended, took) =
            run(asked.command().env("MUTANT", number.to_string()), usual * 10 + Duration::from_secs(10));
        spent += took;
        if ended == Ended::Passed {
            said.passed.insert(asked.called());
            continue;
        }
        *heard.lock().expect("nobody panics").entry((mutant.file.clone(), *test)).or_default() += 1;
        said.caught = Some(asked.called());
        said.too_long = ended == Ended::TooLong;
        said.passed.clear();
        break;
    }
    said
}
