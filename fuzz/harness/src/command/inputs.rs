//! What is done with one input: it is found, executed, made small.

use crate::{quietly, read, write};
use bemr_fuzz::canaries::canary;
use bemr_fuzz::engine::{execute, explore, smallest};
use bemr_fuzz::{Seen, Subject, corpus, target};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a planted bug is looked for.
const PATIENCE: Duration = Duration::from_secs(600);

/// The product, or the product with a planted bug.
pub(crate) fn subject(planted: Option<&str>) -> Result<Subject, String> {
    let Some(name) = planted else { return Ok(Subject::product()) };
    canary(name).map(|bug| (bug.subject)()).ok_or_else(|| format!("{name}: no such planted bug"))
}

pub(crate) fn find(name: &str, out: &PathBuf) -> Result<bool, String> {
    let bug = canary(name).ok_or_else(|| format!("{name}: no such planted bug"))?;
    let target = target(bug.target).expect("a test says that canaries name targets");
    quietly();
    let inputs = corpus::read(target.name).map_err(|error| format!("corpus of {}: {error}", target.name))?;
    let seeds: Vec<Vec<u8>> = inputs.into_iter().map(|(_, input)| input).collect();
    let start = Instant::now();
    let run = explore(target, &(bug.subject)(), &seeds, 1, |_| start.elapsed() < PATIENCE);
    let found = run.found.ok_or_else(|| format!("{name}: not found after {} executions", run.executions))?;
    write(out, &found.input)?;
    println!("{name}: {}", found.message);
    println!("again: bemr-fuzz run --planted {name} {} {}", target.name, out.display());
    Ok(false)
}

pub(crate) fn run(subject: &Subject, name: &str, files: &[PathBuf]) -> Result<bool, String> {
    let target = target(name).ok_or_else(|| format!("{name}: no such target"))?;
    quietly();
    let mut found = false;
    for file in files {
        let mut seen = Seen::default();
        match execute(target, subject, &read(file)?, &mut seen) {
            Ok(()) => println!("{}: {} things seen", file.display(), seen.len()),
            Err(message) => {
                found = true;
                println!("{}: {message}", file.display());
            }
        }
    }
    Ok(found)
}

pub(crate) fn minimise(subject: &Subject, name: &str, file: &PathBuf, out: &PathBuf) -> Result<bool, String> {
    let target = target(name).ok_or_else(|| format!("{name}: no such target"))?;
    quietly();
    let input = read(file)?;
    let small = smallest(target, subject, &input);
    write(out, &small)?;
    let fault = execute(target, subject, &small, &mut Seen::default()).err();
    println!(
        "{}: {} of {} bytes: {}",
        out.display(),
        small.len(),
        input.len(),
        fault.as_deref().unwrap_or("no fault")
    );
    Ok(fault.is_some())
}
