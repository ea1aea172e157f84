//! Fuzzing without a fuzzing engine: `cargo run --release -p bemr-fuzz -- smoke`, and what the corpus is made with.
#![allow(clippy::disallowed_types, reason = "a smoke test says how long it took")]

use bemr_fuzz::campaign::{Engine, Plan, campaign};
use bemr_fuzz::engine::{execute, explore, smallest};
use bemr_fuzz::merge::merge;
use bemr_fuzz::speed::speed;
use bemr_fuzz::targets::as_trace;
use bemr_fuzz::{Seen, Subject, TARGETS, Target, corpus, dictionary, kept, seeds, target};
use clap::{Parser, Subcommand};
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What the fuzz targets do, on a stable compiler.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Replays the corpus of every target and a fixed number of mutants.
    Smoke,
    /// Looks for the planted bugs, then for others, and writes a report for `bemr fuzz-report`.
    Campaign {
        /// Seconds after which a planted bug counts as missed.
        #[arg(long, default_value_t = 600)]
        patience: u64,
        /// Seconds for each target.
        #[arg(long, default_value_t = 600)]
        each: u64,
        /// Uses libFuzzer: it takes a nightly compiler and cargo-fuzz.
        #[arg(long)]
        libfuzzer: bool,
        /// Begins from nothing and not from the corpus.
        #[arg(long)]
        empty: bool,
        /// How many run at once.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
        threads: u8,
        /// Where chance begins.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only this target, and those named so.
        #[arg(long, value_name = "TARGET")]
        only: Vec<String>,
        /// Where it keeps inputs that show something new, and goes on from; by default fuzz/kept. libFuzzer keeps none.
        #[arg(long, value_name = "DIR")]
        kept: Option<PathBuf>,
        /// Where the report goes; inputs that show a fault go beside it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Counts executions a second, beside those of a target that does nothing.
    Speed {
        /// Seconds for each count; the best of three counts.
        #[arg(long, default_value_t = 5)]
        each: u64,
        /// Uses libFuzzer: it takes a nightly compiler and cargo-fuzz.
        #[arg(long)]
        libfuzzer: bool,
        /// Only of this target, and those named so.
        only: Vec<String>,
    },
    /// Executes inputs of a target.
    Run {
        /// The target.
        target: String,
        /// The inputs.
        files: Vec<PathBuf>,
    },
    /// Makes an input as small as it can be, while it shows the same fault, or exercises all that it did where it shows none.
    Minimise {
        /// The target.
        target: String,
        /// The input.
        file: PathBuf,
        /// Where the smaller one goes.
        out: PathBuf,
    },
    /// Takes into the corpus what campaigns kept and the corpus does not exercise. Nothing in the corpus is changed or removed.
    Merge {
        /// Where the campaigns kept it; by default fuzz/kept.
        #[arg(long, value_name = "DIR")]
        kept: Option<PathBuf>,
        /// Only of this target, and those named so.
        only: Vec<String>,
    },
    /// Writes the trace of a life: up to where model and implementation part, made short.
    Trace {
        /// An input of the lockstep target.
        file: PathBuf,
        /// Where the trace goes.
        out: PathBuf,
    },
    /// Makes the corpus anew.
    Seeds {
        /// Only of this target, and those named so.
        only: Vec<String>,
    },
    /// Makes the dictionary anew.
    Dictionary,
}

fn main() -> ExitCode {
    match Arguments::parse().command.act() {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::from(1),
        Err(problem) => {
            eprintln!("bemr-fuzz: {problem}");
            ExitCode::from(2)
        }
    }
}

impl Command {
    /// Whether something was found.
    fn act(self) -> Result<bool, String> {
        match self {
            Command::Smoke => smoke(),
            Command::Campaign { patience, each, libfuzzer, empty, threads, seed, only, kept, out } => {
                let (patience, each) = (Duration::from_secs(patience), Duration::from_secs(each));
                let engine = if libfuzzer { Engine::LibFuzzer } else { Engine::Stable };
                let kept = Some(kept.unwrap_or_else(kept::folder));
                let plan = Plan { engine, patience, each, empty, threads: threads.into(), seed, only, kept };
                quietly();
                let (report, findings) = campaign(&plan, |line| eprintln!("{line}"))?;
                let written = serde_json::to_vec_pretty(&report).map_err(|error| error.to_string())?;
                write(&out, &written)?;
                for (name, input) in &findings {
                    let beside = out.with_extension(format!("{name}.input"));
                    write(&beside, input)?;
                    eprintln!("{name}: again: bemr-fuzz run {name} {}", beside.display());
                }
                Ok(report.uninformative().is_some() || !findings.is_empty())
            }
            Command::Speed { each, libfuzzer, only } => {
                known(&only)?;
                quietly();
                let engine = if libfuzzer { Engine::LibFuzzer } else { Engine::Stable };
                println!("{:14} {:>12} {:>12} {:>7}", "target", "a second", "of nothing", "ratio");
                for target in TARGETS.iter().filter(|target| named(&only, target)) {
                    let speed = speed(engine, target, Duration::from_secs(each))?;
                    println!("{:14} {speed}", target.name);
                }
                Ok(false)
            }
            Command::Run { target: name, files } => run(&name, &files),
            Command::Minimise { target, file, out } => minimise(&target, &file, &out),
            Command::Merge { kept, only } => merge_into_corpus(&kept.unwrap_or_else(kept::folder), &only),
            Command::Trace { file, out } => {
                let (trace, parted) = as_trace(&Subject::product(), &read(&file)?);
                write(&out, &trace.to_bytes())?;
                eprintln!("{}", parted.as_deref().unwrap_or("model and implementation agree"));
                Ok(parted.is_some())
            }
            Command::Seeds { only } => make(&only),
            Command::Dictionary => {
                write(&dictionary::path(), dictionary::dictionary().as_bytes())?;
                Ok(false)
            }
        }
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// What is found is told by whoever looks for it, not by every panic.
fn quietly() {
    std::panic::set_hook(Box::new(|_| ()));
}

fn smoke() -> Result<bool, String> {
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

fn run(name: &str, files: &[PathBuf]) -> Result<bool, String> {
    let target = target(name).ok_or_else(|| format!("{name}: no such target"))?;
    quietly();
    let mut found = false;
    for file in files {
        let mut seen = Seen::default();
        match execute(target, &Subject::product(), &read(file)?, &mut seen) {
            Ok(()) => println!("{}: {} things seen", file.display(), seen.len()),
            Err(message) => {
                found = true;
                println!("{}: {message}", file.display());
            }
        }
    }
    Ok(found)
}

fn minimise(name: &str, file: &PathBuf, out: &PathBuf) -> Result<bool, String> {
    let target = target(name).ok_or_else(|| format!("{name}: no such target"))?;
    quietly();
    let (subject, input) = (Subject::product(), read(file)?);
    let small = smallest(target, &subject, &input);
    write(out, &small)?;
    let fault = execute(target, &subject, &small, &mut Seen::default()).err();
    println!(
        "{}: {} of {} bytes: {}",
        out.display(),
        small.len(),
        input.len(),
        fault.as_deref().unwrap_or("no fault")
    );
    Ok(fault.is_some())
}

fn merge_into_corpus(kept: &Path, only: &[String]) -> Result<bool, String> {
    known(only)?;
    quietly();
    let mut found = false;
    for target in TARGETS.iter().filter(|target| named(only, target)) {
        let from = kept.join(target.name);
        let merged = merge(target, &corpus::folder(target.name), &from)
            .map_err(|error| format!("{}: {error}", target.name))?;
        println!("{:14} {:>5} taken, {:>5} left", target.name, merged.taken.len(), merged.left);
        for name in &merged.faults {
            found = true;
            println!("again: bemr-fuzz run {} {}", target.name, from.join(name).display());
        }
    }
    Ok(found)
}

/// Whether all of these are targets.
fn known(names: &[String]) -> Result<(), String> {
    let unknown = names.iter().find(|name| target(name).is_none());
    unknown.map_or(Ok(()), |name| Err(format!("{name}: no such target")))
}

/// Whether a target is one of these; every one is, where there is none.
fn named(only: &[String], target: &Target) -> bool {
    only.is_empty() || only.iter().any(|name| name == target.name)
}

fn make(only: &[String]) -> Result<bool, String> {
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
