//! Fuzzing without a fuzzing engine: `cargo run --release -p bemr-fuzz -- smoke`, and what the corpus is made with.
#![allow(clippy::disallowed_types, reason = "a smoke test says how long it took")]

mod corpora;
mod inputs;

use crate::corpora::{make, merge_into_corpus, smoke};
use crate::inputs::{find, minimise, run, subject};
use bemr_fuzz::campaign::{Engine, Plan, campaign};
use bemr_fuzz::canaries::canaries;
use bemr_fuzz::speed::speed;
use bemr_fuzz::targets::as_trace;
use bemr_fuzz::{TARGETS, Target, dictionary, kept, target};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

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
    /// Lists the planted bugs; looks for the one that is named, and writes the input that shows it.
    Planted {
        /// The bug.
        #[arg(requires = "out")]
        name: Option<String>,
        /// Where the input goes.
        out: Option<PathBuf>,
    },
    /// Executes inputs of a target.
    Run {
        /// With this planted bug.
        #[arg(long, value_name = "NAME")]
        planted: Option<String>,
        /// The target.
        target: String,
        /// The inputs.
        files: Vec<PathBuf>,
    },
    /// Makes an input as small as it can be, while it shows the same fault, or exercises all that it did where it shows none.
    Minimise {
        /// With this planted bug.
        #[arg(long, value_name = "NAME")]
        planted: Option<String>,
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
        /// At most so many of each target: the corpus is to be small.
        #[arg(long, default_value_t = 20)]
        most: usize,
        /// Only of this target, and those named so.
        only: Vec<String>,
    },
    /// Writes the trace of a life: up to where model and implementation part, made short.
    Trace {
        /// With this planted bug.
        #[arg(long, value_name = "NAME")]
        planted: Option<String>,
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
                // Hours later would be too late to hear that the report cannot be written.
                write(&out, b"")?;
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
            Command::Planted { name: Some(name), out: Some(out) } => find(&name, &out),
            Command::Planted { .. } => {
                canaries().for_each(|bug| println!("{:28} {:11} {}", bug.name, bug.target, bug.what));
                Ok(false)
            }
            Command::Run { planted, target: name, files } => {
                run(&subject(planted.as_deref())?, &name, &files)
            }
            Command::Minimise { planted, target, file, out } => {
                minimise(&subject(planted.as_deref())?, &target, &file, &out)
            }
            Command::Merge { kept, most, only } => {
                merge_into_corpus(&kept.unwrap_or_else(kept::folder), most, &only)
            }
            Command::Trace { planted, file, out } => {
                let (trace, parted) = as_trace(&subject(planted.as_deref())?, &read(&file)?);
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
    let folder = path.parent().unwrap_or(Path::new(""));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, bytes));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

/// What is found is told by whoever looks for it, not by every panic.
fn quietly() {
    std::panic::set_hook(Box::new(|_| ()));
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
