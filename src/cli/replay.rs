//! `bemr replay` and `bemr trace verify`.

use crate::{ExitStatus, note, print, print_json};
use bemr_lab::sequence::{html, mermaid, svg, text};
use bemr_lab::trace::{Flaw, Header, Replay, Step, Trace, rerun};
use serde::Serialize;
use std::path::PathBuf;

/// Options of `bemr replay`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// The trace, as `bemr run --trace` writes it.
    trace: PathBuf,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Prints one JSON document instead.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line per step.
    Text,
    /// A Mermaid sequence diagram.
    Mermaid,
    /// A sequence diagram as SVG.
    Svg,
    /// A page with a sequence diagram and buttons to step through it.
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
    /// Checks that a trace conforms to the format and that each step is consistent with those before it.
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
    let result = match &rerun {
        Replay::Agrees { steps, both: true } => {
            format!("model and implementation agree with the trace in all {steps} steps")
        }
        Replay::Agrees { steps, both: false } => format!("the model explains all {steps} steps"),
        Replay::Diverges { step, difference } => {
            format!("step {step}: {difference}\nreproduce: bemr replay {}", options.trace.display())
        }
        Replay::NotCompared => "not executed again".to_owned(),
    };
    let status = ExitStatus::of(!matches!(rerun, Replay::Diverges { .. }));
    if options.json {
        print_json(&Shown { header: &trace.header, steps: &trace.steps, rerun })?;
        return Ok(status);
    }
    let shown = match options.format {
        Format::Text => text(&trace),
        Format::Mermaid => mermaid(&trace),
        Format::Svg => svg(&trace),
        Format::Html => html(&trace),
    };
    print(shown.trim_end_matches('\n'))?;
    note(&result);
    Ok(status)
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
    let (verdict, summary) = match Trace::open(file) {
        Ok(trace) => {
            let refused = trace.steps.iter().filter(|step| step.clause.is_some()).count();
            let steps = trace.steps.len();
            let summary = format!("consistent: {}, {steps} steps, {refused} refused", trace.header.format);
            let (steps, refused) = (Some(steps), Some(refused));
            (Verdict { consistent: true, steps, refused, ..Verdict::default() }, summary)
        }
        Err(error) if error.flaw == Flaw::Inconsistent => {
            let summary = format!("INCONSISTENT: {error}");
            let (line, field, problem) = (Some(error.line), Some(error.field), Some(error.problem));
            (Verdict { line, field, problem, ..Verdict::default() }, summary)
        }
        Err(error) => return Err(error.to_string()),
    };
    if *json {
        print_json(&verdict)?;
    } else {
        print(&summary)?;
    }
    Ok(ExitStatus::of(verdict.consistent))
}
