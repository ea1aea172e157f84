//! What is done with whole corpora: they are replayed, made anew, added to.

use crate::{known, named, quietly, write};
use bemr_fuzz::engine::explore;
use bemr_fuzz::merge::merge;
use bemr_fuzz::{Subject, TARGETS, corpus, seeds};
use indicatif::ProgressBar;
use std::path::Path;
use std::time::Instant;

pub(crate) fn smoke() -> Result<bool, String> {
    quietly();
    let mut found = false;
    println!("{:14} {:>7} {:>10} {:>8}", "target", "corpus", "executions", "seconds");
    for target in TARGETS {
        let start = Instant::now();
        let inputs =
            corpus::read(target.name).map_err(|error| format!("corpus of {}: {error}", target.name))?;
        let seeds: Vec<Vec<u8>> = inputs.into_iter().map(|(_, bytes)| bytes).collect();
        let all = seeds.len() as u64 + target.smoke;
        let run = explore(target, &Subject::product(), &seeds, 1, |executed| executed < all);
        let seconds = start.elapsed().as_secs_f64();
        println!("{:14} {:>7} {:>10} {seconds:>8.1}", target.name, seeds.len(), run.executions);
        if let Some(finding) = run.found {
            found = true;
            let path = std::env::temp_dir().join(format!("bemr-fuzz-{}.input", target.name));
            write(&path, &finding.input)?;
            println!(
                "{}: {}\nagain: bemr-fuzz run {} {}",
                target.name,
                finding.message,
                target.name,
                path.display()
            );
        }
        if seeds.is_empty() {
            return Err(format!("{}: no corpus", target.name));
        }
    }
    Ok(found)
}

pub(crate) fn make(only: &[String]) -> Result<bool, String> {
    known(only)?;
    for target in seeds::order().filter(|target| named(only, target)) {
        let bar = ProgressBar::new_spinner();
        let inputs = seeds::made(target, |executed| bar.set_message(format!("{}: {executed}", target.name)));
        bar.finish_and_clear();
        corpus::write(target.name, &inputs).map_err(|error| format!("corpus of {}: {error}", target.name))?;
        let size: usize = inputs.iter().map(|(_, bytes)| bytes.len()).sum();
        println!("{}: {} inputs, {size} bytes", target.name, inputs.len());
    }
    Ok(false)
}
pub(crate) fn merge_into_corpus(kept: &Path, most: usize, only: &[String]) -> Result<bool, String> {
    known(only)?;
    quietly();
    let mut found = false;
    for target in TARGETS.iter().filter(|target| named(only, target)) {
        let from = kept.join(target.name);
        let merged = merge(target, &corpus::folder(target.name), &from, most)
            .map_err(|error| format!("{}: {error}", target.name))?;
        println!("{:14} {:>5} taken, {:>5} left", target.name, merged.taken.len(), merged.left);
        for name in &merged.faults {
            found = true;
            println!("again: bemr-fuzz run {} {}", target.name, from.join(name).display());
        }
    }
    Ok(found)
}
