//! The command `bemr`: reads arguments and files, drives the rooms below, prints.
//!
//! With `--json` a command prints one JSON document on standard output; everything else goes to standard error. The
//! exit code is 0 when every decision stands, 1 when something did not verify, 2 for arguments, inputs and files that
//! could not be used; 1 wins over 2.

mod adversary;
mod attack;
mod audit;
mod check;
mod check_page;
mod experiment;
mod explore;
mod fuzz_report;
mod inputs;
mod mutation;
mod replay;
mod report;
mod report_parts;
mod run;
mod run_loop;
mod spec;
mod trace_file;
mod vectors;

use clap::{Parser, Subcommand};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// A formally-tested reference implementation of the B-EMR medical-record protocol.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Carries records from a user through the network to the cloud, and back.
    Run(run::Options),
    /// Replays ledger, cloud log and audit log from public data, and says whether all is consistent.
    Audit(audit::Options),
    /// Shows a trace as a sequence diagram, step by step with verdict and clause.
    Replay(replay::Options),
    /// Looks at a trace as a file.
    Trace(replay::TraceOptions),
    /// Checks everything: every state of the model, random lives in lockstep, every kept trace.
    Check(check::Options),
    /// Carries out the attacks on the published protocol, and shows what stops each.
    Attack(attack::Options),
    /// Lists the adversaries that have names, or says what one does and whether it can be.
    Adversary(adversary::Options),
    /// Measures what a decision is worth when validators lie, beside what is provable.
    Experiment(experiment::Options),
    /// Searches every state of the model within a scope.
    Explore(explore::Options),
    /// Says what a fuzzing campaign did, and whether it found what was planted for it.
    FuzzReport(fuzz_report::Options),
    /// Shows every checker a protocol that lacks a clause, clause after clause, and says who notices.
    KillMatrix(mutation::Options),
    /// Prints a clause, where it is enforced and what tests it; without one, the register.
    Spec(spec::Options),
    /// Makes test vectors, and puts them to this implementation or another.
    Vectors(vectors::Options),
}

/// What a command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ExitStatus {
    /// All held.
    Nothing,
    /// Some input could not be read, or some output not written.
    BadInput,
    /// Something did not verify.
    Something,
}

impl From<ExitStatus> for ExitCode {
    fn from(found: ExitStatus) -> ExitCode {
        match found {
            ExitStatus::Nothing => ExitCode::SUCCESS,
            ExitStatus::Something => ExitCode::from(1),
            ExitStatus::BadInput => ExitCode::from(2),
        }
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let found = match arguments.command {
        Command::Run(options) => run::run(&options),
        Command::Audit(options) => audit::audit(&options),
        Command::Replay(options) => replay::replay(&options),
        Command::Trace(options) => replay::trace(&options),
        Command::Check(options) => check::check(&options),
        Command::Attack(options) => attack::attack(&options),
        Command::Adversary(options) => adversary::adversary(&options),
        Command::Experiment(options) => experiment::experiment(&options),
        Command::Explore(options) => explore::explore(&options),
        Command::FuzzReport(options) => fuzz_report::fuzz_report(&options),
        Command::KillMatrix(options) => mutation::kill_matrix(&options),
        Command::Spec(options) => spec::spec(&options),
        Command::Vectors(options) => vectors::vectors(&options),
    };
    match found {
        Ok(found) => found.into(),
        Err(message) => {
            tell(&format!("bemr: {message}"));
            ExitStatus::BadInput.into()
        }
    }
}

/// Prints lines on standard output.
fn print(lines: &str) -> Result<(), String> {
    write(std::io::stdout().lock(), lines).map_err(|error| format!("standard output: {error}"))
}

/// Prints a line on standard error.
fn tell(line: &str) {
    // Where that fails there is nobody left to tell.
    let _ = write(std::io::stderr().lock(), line);
}

/// A reader that went away is no error.
fn write(mut out: impl Write, lines: &str) -> std::io::Result<()> {
    match out.write_all(lines.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), String> {
    print(&serde_json::to_string_pretty(value).map_err(|error| error.to_string())?)
}
