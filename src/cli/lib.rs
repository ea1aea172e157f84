//! The command `bemr`: reads arguments and files, calls the library and the laboratory, prints.
//!
//! With `--json` a command prints one JSON document on standard output; everything else goes to standard error. The
//! exit code is 0 when every decision stands, 1 when something did not verify, 2 for arguments, inputs and files that
//! could not be used; 1 takes precedence over 2.

mod adversary;
mod attack;
mod audit;
mod check;
mod check_page;
mod experiment;
mod explore;
mod files;
mod fuzz_report;
mod inputs;
mod mutation;
mod output;
mod replay;
mod report;
mod report_parts;
mod run;
mod run_loop;
mod spec;
mod trace_file;
mod vectors;

use clap::{Parser, Subcommand};
use files::{write as write_file, write_into};
use output::{bar, note, print, print_json};
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
    /// Submits records to a network, from a user to the cloud, and reads each one back.
    Run(run::Options),
    /// Replays ledger, cloud log and audit log from public data and checks that they are consistent.
    Audit(audit::Options),
    /// Executes a trace again and shows it as a sequence diagram, step by step with verdict and clause.
    Replay(replay::Options),
    /// Checks the format of a trace file.
    Trace(replay::TraceOptions),
    /// Checks everything: explores the model, executes random runs in lockstep, replays regression traces.
    Check(check::Options),
    /// Executes the attacks on the published protocol and names the clause that stops each.
    Attack(attack::Options),
    /// Lists the named adversaries, or validates and describes one.
    Adversary(adversary::Options),
    /// Measures decision rules under Byzantine validators, beside the provable bounds.
    Experiment(experiment::Options),
    /// Explores every reachable state of the model in the configurations of a suite.
    Explore(explore::Options),
    /// Summarises a fuzzing campaign and whether it found the planted bugs.
    FuzzReport(fuzz_report::Options),
    /// Runs every checker against the protocol without one clause, for each clause.
    #[command(alias = "kill-matrix")]
    MutationMatrix(mutation::Options),
    /// Prints a clause, where it is enforced and what tests it; without one, the register.
    Spec(spec::Options),
    /// Generates test vectors and verifies this or another implementation against them.
    Vectors(vectors::Options),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ExitStatus {
    /// All held.
    Success,
    /// Some input could not be read, or some output not written.
    BadInput,
    /// Something did not verify.
    Failure,
}

impl ExitStatus {
    fn of(holds: bool) -> ExitStatus {
        if holds { ExitStatus::Success } else { ExitStatus::Failure }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        match status {
            ExitStatus::Success => ExitCode::SUCCESS,
            ExitStatus::Failure => ExitCode::from(1),
            ExitStatus::BadInput => ExitCode::from(2),
        }
    }
}

/// A write beyond a quota on the size of files fails from now on, where the signal would end the process without a word.
#[cfg(unix)]
fn report_file_size_quota() {
    let seen = std::sync::Arc::default();
    // Where the handler cannot be set, the process ends as it would have.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, seen);
}

/// Runs the command line.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    report_file_size_quota();
    let status = match Arguments::parse().command {
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
        Command::MutationMatrix(options) => mutation::mutation_matrix(&options),
        Command::Spec(options) => spec::spec(&options),
        Command::Vectors(options) => vectors::vectors(&options),
    };
    match status {
        Ok(status) => status.into(),
        Err(message) => {
            note(&format!("bemr: {message}"));
            ExitStatus::BadInput.into()
        }
    }
}
