//! The trace of a run in a file.

use crate::files::Output;
use bemr_lab::trace::{Header, Recorder, Step, TraceWriter};
use std::fs::File;
use std::io::LineWriter;
use std::path::PathBuf;

/// The first bytes of a trace.
pub(super) const HEAD: &str = "{\"format\"";

/// Writes each line before the next event, so that a killed run leaves a trace that is consistent with its store.
pub(super) struct Tracer {
    path: PathBuf,
    out: TraceWriter<LineWriter<File>>,
    recorder: Recorder,
}

impl Tracer {
    pub(super) fn begin(to: Output, recorder: Recorder, header: &Header) -> Result<Tracer, String> {
        let (path, file) = to.begin()?;
        match TraceWriter::begin(LineWriter::new(file), header) {
            Ok(out) => Ok(Tracer { path, out, recorder }),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Writes the steps that `record` returns.
    pub(super) fn write(
        &mut self,
        record: impl FnOnce(&mut Recorder) -> Result<Vec<Step>, &'static str>,
    ) -> Result<(), String> {
        let written = match record(&mut self.recorder) {
            Ok(steps) => {
                steps.iter().try_for_each(|step| self.out.step(step)).map_err(|error| error.to_string())
            }
            Err(problem) => Err(problem.to_owned()),
        };
        written.map_err(|problem| format!("{}: {problem}", self.path.display()))
    }
}
