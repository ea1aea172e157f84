//! Reads a trace, strictly and in bounded memory: every line is what the writer would write, and each step can follow the
//! ones before it.

use super::consistency::Agreement;
use super::{FORMAT, Header, LATEST, MAX_BYTES, MAX_LINE, MAX_NESTING, MAX_STEPS, MESSAGES, Step, Trace};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// The suites, in every build.
pub(super) const SUITES: [&str; 4] = ["ffdhe2048", "ffdhe3072", "ristretto255", "tiny"];

/// Text without control characters.
pub const PRINTABLE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// What is wrong with a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It cannot be read: it is not there, too large, or a line is not of the format.
    Unreadable,
    /// Every line up to this one is of the format, and this one cannot follow the others.
    Inconsistent,
}

/// Why a trace was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// Of which kind.
    pub flaw: Flaw,
    /// The file, where it is one.
    pub file: Option<String>,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The field, as a path from the line's object; empty for the line as a whole.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl TraceError {
    pub(super) fn new(flaw: Flaw, field: impl Into<String>, problem: impl Into<String>) -> TraceError {
        TraceError { flaw, file: None, line: 0, field: field.into(), problem: problem.into() }
    }

    fn unreadable(field: impl Into<String>, problem: impl Into<String>) -> TraceError {
        TraceError::new(Flaw::Unreadable, field, problem)
    }

    fn on(mut self, line: u64) -> TraceError {
        self.line = line;
        self
    }

    /// Names the file. Control characters in the name are escaped, so that it stays on its line.
    fn of(mut self, path: &Path) -> TraceError {
        let mut name = String::new();
        for c in path.display().to_string().chars() {
            if c.is_control() { name.extend(c.escape_default()) } else { name.push(c) }
        }
        self.file = Some(name);
        self
    }
}

impl std::fmt::Display for TraceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for TraceError {}

impl Trace {
    /// Reads the trace in a file.
    ///
    /// # Errors
    /// What is wrong with it, with file, line and field.
    pub fn open(path: &Path) -> Result<Trace, TraceError> {
        let open = || {
            if !std::fs::metadata(path)?.is_file() {
                return Err(std::io::Error::new(ErrorKind::InvalidInput, "not a file"));
            }
            File::open(path)
        };
        let file = open().map_err(|error| TraceError::unreadable("", error.to_string()).of(path))?;
        Trace::read(BufReader::new(file)).map_err(|error| error.of(path))
    }

    /// Reads a trace; bytes are a reader too.
    ///
    /// # Errors
    /// What is wrong with it, with line and field.
    pub fn read(input: impl BufRead) -> Result<Trace, TraceError> {
        let mut lines = Lines { input: input.take(MAX_BYTES + 1), number: 0, bytes: 0, line: Vec::new() };
        let Some(first) = lines.next()? else {
            return Err(TraceError::unreadable("", "empty; a trace begins with its header").on(1));
        };
        let header = header(first).map_err(|error| error.on(1))?;
        let mut agreement = Agreement::begin(&header).map_err(|error| error.on(1))?;
        let mut steps = Vec::new();
        while let Some(line) = lines.next()? {
            let taken = step(line).and_then(|step| agreement.take(&step).map(|()| step));
            steps.push(taken.map_err(|error| error.on(lines.number))?);
        }
        Ok(Trace { header, steps })
    }
}

/// The lines of an input, each bounded before it is read.
struct Lines<R> {
    input: std::io::Take<R>,
    number: u64,
    bytes: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<&[u8]>, TraceError> {
        self.line.clear();
        self.number += 1;
        let refuse = |problem: String| Err(TraceError::unreadable("", problem).on(self.number));
        let mut bounded = (&mut self.input).take(MAX_LINE as u64 + 1);
        if let Err(error) = bounded.read_until(b'\n', &mut self.line) {
            return refuse(error.to_string());
        }
        self.bytes += self.line.len() as u64;
        if self.line.is_empty() {
            return Ok(None);
        }
        if self.bytes > MAX_BYTES {
            return refuse(format!("a trace of more than {MAX_BYTES} bytes"));
        }
        if self.number > MAX_STEPS + 1 {
            return refuse(format!("more than {MAX_STEPS} steps"));
        }
        match self.line.pop() {
            Some(b'\n') => Ok(Some(&self.line)),
            _ if self.line.len() >= MAX_LINE => refuse(format!("longer than {MAX_LINE} bytes")),
            _ => refuse("cut short: the line does not end".to_owned()),
        }
    }
}

fn header(line: &[u8]) -> Result<Header, TraceError> {
    let any = document(line)?;
    match any.get("format") {
        Some(Value::String(format)) if format == FORMAT => {}
        Some(Value::String(format)) => {
            let shown: String = format.chars().take(40).flat_map(char::escape_default).collect();
            return Err(TraceError::unreadable("format", format!("`{shown}` is not `{FORMAT}`")));
        }
        Some(_) => return Err(TraceError::unreadable("format", format!("not the string `{FORMAT}`"))),
        None => return Err(TraceError::unreadable("format", "missing; the first line is the header")),
    }
    let header: Header = exactly(line)?;
    printable("program", &header.program, 64)?;
    if let Some(note) = &header.note {
        printable("note", note, 4096)?;
    }
    check("suite", SUITES.contains(&header.suite.as_str()), "no such suite")?;
    check("setup.users", (1..=5).contains(&header.setup.users), "not 1 to 5")?;
    check("setup.validators", (1..=64).contains(&header.setup.validators), "not 1 to 64")?;
    check("start", header.start <= LATEST, "after the year 9999")?;
    Ok(header)
}

fn step(line: &[u8]) -> Result<Step, TraceError> {
    let step: Step = exactly(line)?;
    check("step", (1..=MAX_STEPS).contains(&step.step), "not 1 to 1048576")?;
    check("time", step.time <= LATEST, "after the year 9999")?;
    for (index, send) in step.sends.iter().enumerate() {
        let known = MESSAGES.contains(&send.message.as_str());
        check(&format!("sends[{index}].message"), known, "no message has this name")?;
    }
    Ok(step)
}

fn check(field: &str, holds: bool, problem: &str) -> Result<(), TraceError> {
    if holds { Ok(()) } else { Err(TraceError::unreadable(field, problem)) }
}

fn printable(field: &str, text: &str, most: usize) -> Result<(), TraceError> {
    let length = (1..=most).contains(&text.chars().count());
    check(field, length, &format!("not 1 to {most} characters"))?;
    check(field, !text.chars().any(char::is_control), "a control character")
}

/// The line as some JSON, whatever it says.
fn document(line: &[u8]) -> Result<Value, TraceError> {
    let text = std::str::from_utf8(line).map_err(|error| {
        TraceError::unreadable("", format!("column {}: not UTF-8", error.valid_up_to() + 1))
    })?;
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            let problem = format!("column {}: deeper than {MAX_NESTING} arrays and objects", index + 1);
            return Err(TraceError::unreadable("", problem));
        }
    }
    let value: Value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    if value.is_object() { Ok(value) } else { Err(TraceError::unreadable("", "not an object")) }
}

/// Its text without the line, which is always the first.
fn not_json(error: &serde_json::Error) -> TraceError {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    TraceError::unreadable("", format!("column {}: {what}", error.column()))
}

/// The value of which the line is the only form.
fn exactly<T: DeserializeOwned + Serialize>(line: &[u8]) -> Result<T, TraceError> {
    let read = document(line)?;
    let value: T = serde_path_to_error::deserialize(&read).map_err(|error| misfit(&error))?;
    let written = serde_json::to_vec(&value).expect("what was read from JSON has a JSON form");
    if written == line {
        return Ok(value);
    }
    let same: Value = serde_json::from_slice(&written).expect("what was just written is JSON");
    Err(difference("", &read, &same).unwrap_or_else(|| {
        let column = written.iter().zip(line).take_while(|(ours, theirs)| ours == theirs).count() + 1;
        let problem =
            format!("column {column}: not in the one form: no spaces, the fields in their order, each once");
        TraceError::unreadable("", problem)
    }))
}

/// Where a value is not of its type.
fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> TraceError {
    let path = error.path().to_string();
    let mut field: String = path.chars().filter(|c| !c.is_control()).take(200).collect();
    if field == "." {
        field.clear();
    }
    let text = error.inner().to_string();
    if text.starts_with("unknown field") {
        return TraceError::unreadable(field, "unknown field");
    }
    match text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        Some(missing) => {
            let dot = if field.is_empty() { "" } else { "." };
            TraceError::unreadable(field + dot + missing, "missing field")
        }
        None => {
            let what: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
            TraceError::unreadable(field, what)
        }
    }
}

/// The first field in which what was read differs from what would be written.
fn difference(path: &str, read: &Value, written: &Value) -> Option<TraceError> {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            let strange = read.keys().find(|key| !written.contains_key(*key));
            if let Some(key) = strange {
                let shown: String = key.chars().take(40).flat_map(char::escape_default).collect();
                return Some(TraceError::unreadable(inner(&shown), "unknown field, or one that is left out"));
            }
            written.iter().find_map(|(key, value)| match read.get(key) {
                Some(there) => difference(&inner(key), there, value),
                None => Some(TraceError::unreadable(inner(key), "missing field")),
            })
        }
        (Value::Array(read), Value::Array(written)) if read.len() == written.len() => {
            let pairs = read.iter().zip(written).enumerate();
            pairs
                .into_iter()
                .find_map(|(index, (read, written))| difference(&format!("{path}[{index}]"), read, written))
        }
        _ if read == written => None,
        _ => Some(TraceError::unreadable(path, format!("not in the one form, which is {written}"))),
    }
}
