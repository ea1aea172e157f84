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
pub(crate) struct Said {
    pub(crate) mutant: String,
    /// The test that failed, if one did.
    pub(crate) caught: Option<String>,
    /// Whether it failed by taking far longer than it does.
    #[serde(default)]
    pub(crate) too_long: bool,
    /// Tests that passed.
    #[serde(default)]
    pub(crate) passed: BTreeSet<String>,
    /// Whether a test is left that comes by the mutant and was not asked.
    #[serde(default)]
    pub(crate) unfinished: bool,
}

/// How often each test caught a mutant, by file and in all files.
#[derive(Default)]
struct Catches {
    of_file: BTreeMap<(String, String), u64>,
    of_all: BTreeMap<String, u64>,
}

impl Catches {
    fn note(&mut self, file: &str, test: String) {
        *self.of_file.entry((file.to_owned(), test.clone())).or_default() += 1;
        *self.of_all.entry(test).or_default() += 1;
    }

    /// How likely a test is to catch a mutant of this file, for its time.
    fn promise(&self, file: &str, test: &Test) -> u64 {
        let called = test.called();
        let of_all = self.of_all.get(&called).copied().unwrap_or(0);
        let of_file = self.of_file.get(&(file.to_owned(), called)).copied().unwrap_or(0);
        1_000_000 * (1 + 5 * of_all + 50 * of_file) / (test.millis + 20)
    }
}

/// What was said before, by mutant; the last word counts.
pub(crate) fn former(file: &Path) -> BTreeMap<String, Said> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Said>(line).ok());
    lines.map(|said| (said.mutant.clone(), said)).collect()
}

/// Asks about the mutants of these numbers, each for `budget` of tests' time, and appends what is said to `file`.
pub(crate) fn ask(
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
    let mut catches = Catches::default();
    for mutant in mutants {
        if let Some(by) = before.get(&mutant.name).and_then(|said| said.caught.clone()) {
            catches.note(&mutant.file, by);
        }
    }
    let (next, heard) = (AtomicUsize::new(0), Mutex::new(catches));
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
    heard: &Mutex<Catches>,
) -> Said {
    let mut order: Vec<&Test> = tests
        .iter()
        .filter(|test| test.reaches.contains(&number) && !said.passed.contains(&test.called()))
        .collect();
    {
        let heard = heard.lock().expect("nobody panics");
        order.sort_by_cached_key(|test| std::cmp::Reverse(heard.promise(&mutant.file, test)));
    }
    let mut spent = Duration::ZERO;
    said.unfinished = false;
    for asked in order {
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
        heard.lock().expect("nobody panics").note(&mutant.file, asked.called());
        said.caught = Some(asked.called());
        said.too_long = ended == Ended::TooLong;
        said.passed.clear();
        break;
    }
    said
}
