//! Writes a trace.

use super::{Header, MAX_BYTES, MAX_LINE, MAX_STEPS, Step, Trace};
use serde::Serialize;
use std::io::{self, ErrorKind, Write};

/// Writes a trace line by line, and nothing that is larger than a reader takes.
pub struct TraceWriter<W> {
    out: W,
    bytes: u64,
    lines: u64,
}

impl<W: Write> TraceWriter<W> {
    /// Begins a trace with its header.
    ///
    /// # Errors
    /// What `out` says; a line that is too large.
    pub fn begin(out: W, header: &Header) -> io::Result<TraceWriter<W>> {
        let mut writer = TraceWriter { out, bytes: 0, lines: 0 };
        writer.line(header)?;
        Ok(writer)
    }

    /// Writes a step.
    ///
    /// # Errors
    /// What the output says; a trace that is too large.
    pub fn step(&mut self, step: &Step) -> io::Result<()> {
        self.line(step)
    }

    /// Whatever it wrote to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.bytes += text.len() as u64;
        self.lines += 1;
        if text.len() > MAX_LINE + 1 || self.bytes > MAX_BYTES || self.lines > MAX_STEPS + 1 {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "larger than a trace may be"));
        }
        self.out.write_all(&text)
    }
}

impl Trace {
    /// Writes it.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut writer = TraceWriter::begin(out, &self.header)?;
        self.steps.iter().try_for_each(|step| writer.step(step))
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes)
            .expect("memory takes all that is written, and every part of a trace has a JSON form");
        bytes
    }
}
