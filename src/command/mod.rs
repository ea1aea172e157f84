//! The command `bemr`: reads arguments and files, drives the rooms below, prints.
//!
//! With `--json` a command prints one JSON document on standard output; everything else goes to standard error. The
//! exit code is 0 when all held, 1 when something was found, 2 for input that could not be read.

mod audit;
mod inputs;
mod run;
mod spec;

use clap::{Parser, Subcommand};
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
    /// Prints a clause, where it is enforced and what tests it; without one, the register.
    Spec(spec::Options),
}

/// What a command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// All held.
    Nothing,
    /// Some input could not be read.
    BadInput,
    /// Something did not hold.
    Something,
}

impl From<Found> for ExitCode {
    fn from(found: Found) -> ExitCode {
        match found {
            Found::Nothing => ExitCode::SUCCESS,
            Found::Something => ExitCode::from(1),
            Found::BadInput => ExitCode::from(2),
        }
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let found = match arguments.command {
        Command::Run(options) => run::run(&options),
        Command::Audit(options) => audit::audit(&options),
        Command::Spec(options) => spec::spec(&options),
    };
    match found {
        Ok(found) => found.into(),
        Err(message) => {
            eprintln!("bemr: {message}");
            Found::BadInput.into()
        }
    }
}

/// Prints a line on standard output; a reader that went away is no error.
fn print(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    // A closed pipe means that nobody reads on.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n"));
}

fn print_json(value: &impl serde::Serialize) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    print(&text);
    Ok(())
}
