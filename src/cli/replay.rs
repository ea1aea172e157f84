//! `bemr replay` and `bemr trace verify`: traces, for people.

use crate::{ExitStatus, print, print_json, tell};
use bemr_lab::sequence::{html, mermaid, svg, text};
use bemr_lab::trace::{Flaw, Header, Replay, Step, Trace, rerun};
use serde::Serialize;
use std::path::PathBuf;

/// Options of `bemr replay`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// The trace, as `bemr run --trace` writes it.
    trace: PathBuf,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Prints one JSON document instead.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for a terminal.
    Text,
    /// A Mermaid sequence diagram.
    Mermaid,
    /// A drawing.
    Svg,
    /// A page to go through step by step.
    Html,
}

/// Options of `bemr trace`.
#[derive(clap::Args)]
pub(super) struct TraceOptions {
    #[command(subcommand)]
    command: TraceCommand,
}

#[derive(clap::Subcommand)]
enum TraceCommand {
    /// Says whether a trace is of the format and each step can follow the ones before it.
    Verify {
        /// The trace.
        file: PathBuf,
        /// Prints one JSON document.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct Shown<'a> {
    header: &'a Header,
    steps: &'a [Step],
    #[serde(flatten)]
    rerun: Replay,
}

pub(super) fn replay(options: &Options) -> Result<ExitStatus, String> {
    let trace = Trace::open(&options.trace).map_err(|error| error.to_string())?;
    let rerun = rerun(&trace);
    let (found, said) = match &rerun {
        Replay::Agrees { steps, both: true } => (
            ExitStatus::Nothing,
            format!("model and implementation do these {steps} steps as the trace says"),
        ),
        Replay::Agrees { steps, both: false } => {
            (ExitStatus::Nothing, format!("the model explains all {steps} steps"))
        }
        Replay::Parts { step, difference } => {
            let again = format!("bemr replay {}", options.trace.display());
            (ExitStatus::Something, format!("step {step}: {difference}\nagain: {again}"))
        }
        Replay::NotCompared => (ExitStatus::Nothing, "not run again".to_owned()),
    };
    if options.json {
        print_json(&Shown { header: &trace.header, steps: &trace.steps, rerun })?;
        return Ok(found);
    }
    let shown = match options.format {
        Format::Text => text(&trace),
        Format::Mermaid => mermaid(&trace.header, &trace.steps),
        Format::Svg => svg(&trace),
        Format::Html => html(&trace),
    };
    print(shown.trim_end_matches('\n'))?;
    tell(&said);
    Ok(found)
}

#[derive(Default, Serialize)]
struct Verdict {
    consistent: bool,
    steps: Option<usize>,
    refused: Option<usize>,
    line: Option<u64>,
    field: Option<String>,
    problem: Option<String>,
}

pub(super) fn trace(options: &TraceOptions) -> Result<ExitStatus, String> {
    let TraceCommand::Verify { file, json } = &options.command;
    let (verdict, said) = match Trace::open(file) {
        Ok(trace) => {
            let refused = trace.steps.iter().filter(|step| step.clause.is_some()).count();
            let steps = trace.steps.len();
            let said = format!("consistent: {}, {steps} steps, {refused} refused", trace.header.format);
            (
                Verdict {
                    consistent: true,
                    steps: Some(steps),
                    refused: Some(refused),
                    ..Verdict::default()
                },
                said,
            )
        }
        Err(error) if error.flaw == Flaw::Inconsistent => {
            let said = format!("INCONSISTENT: {error}");
            let (line, field, problem) = (Some(error.line), Some(error.field), Some(error.problem));
            (Verdict { line, field, problem, ..Verdict::default() }, said)
        }
        Err(error) => return Err(error.to_string()),
    };
    if *json {
        print_json(&verdict)?;
    } else {
        print(&said)?;
    }
    Ok(if verdict.consistent { ExitStatus::Nothing } else { ExitStatus::Something })
}
