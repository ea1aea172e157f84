//! JSON as records are written in it: RFC 8259 with unique keys, bounded, numbers kept as their literals.
//!
//! The grammar is `serde_json`'s. What it would let slip is checked here: repeated keys, depth, and numbers, whose
//! digits a binary number would lose.

use bemr_spec::{Clause, Refusal, Rules, constants};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// With REC-04 out of force the depth still ends somewhere: the stack is not a rule.
const STACK_DEPTH: usize = 512;

/// A JSON value.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Box<str>),
    String(Box<str>),
    Array(Vec<Json>),
    Object(BTreeMap<Box<str>, Json>),
}

impl Json {
    /// The member `key` of an object.
    pub(super) fn member(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// The characters of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is an object with contents: FHIR has no element of nothing but an `id`.
    pub(super) fn has_other_than_id(&self) -> bool {
        matches!(self, Json::Object(members) if members.keys().any(|key| &**key != "id"))
    }

    /// The elements of an array; of anything else none.
    pub(super) fn elements(&self) -> &[Json] {
        match self {
            Json::Array(elements) => elements,
            _ => &[],
        }
    }
}

/// Reads the one JSON value that `bytes` hold.
///
/// # Errors
/// The first check of [`RECORD_BODY`](bemr_spec::order::RECORD_BODY) that fails, from REC-05 to REC-03.
/// The place has line and column, both from 1, the column in bytes.
pub(super) fn read(rules: &Rules, bytes: &[u8]) -> Result<Json, Refusal> {
    rules
        .require(Clause::RecordWithinSize, bytes.len() <= constants::RECORD_BYTES)
        .map_err(|refusal| refusal.at(format!("more than {} bytes", constants::RECORD_BYTES)))?;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) if rules.in_force(Clause::RecordIsUtf8) => {
            let (line, column) = position(bytes, error.valid_up_to());
            return Err(Refusal::new(Clause::RecordIsUtf8).at(format!("line {line}, column {column}")));
        }
        Err(_) => String::from_utf8_lossy(bytes),
    };
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            // Without REC-02 it is passed over.
            let none = rules.require(Clause::RecordIsJson, false);
            none.map_err(|refusal| refusal.at("line 1, column 1: a byte order mark"))?;
            rest
        }
        None => &text,
    };
    let _: &RawValue = serde_json::from_str(text).map_err(|error| {
        let problem = problem(&error);
        Refusal::new(Clause::RecordIsJson).at(format!(
            "line {}, column {}: {problem}",
            error.line(),
            // At the end of an empty line it counts from 0.
            error.column().max(1)
        ))
    })?;
    let mut reader = Reader { rules, text, at: 0, path: Vec::new() };
    reader.measure()?;
    reader.value()
}

/// The line and column of the byte at `offset`.
fn position(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset.min(bytes.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    (1 + before.iter().filter(|&&byte| byte == b'\n').count(), 1 + before.len() - line_start)
}

/// The message of `serde_json`, without its position.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

enum Step {
    Key(Box<str>),
    Index(usize),
}

/// Walks once through a text that is known to be JSON.
struct Reader<'a> {
    rules: &'a Rules,
    text: &'a str,
    /// The offset of what comes next.
    at: usize,
    path: Vec<Step>,
}

impl Reader<'_> {
    /// Refuses a document, already known to be JSON, that is too deep or has too many values.
    fn measure(&self) -> Result<(), Refusal> {
        let bound =
            if self.rules.in_force(Clause::DepthWithinBound) { constants::RECORD_DEPTH } else { STACK_DEPTH };
        let (mut depth, mut values, mut in_string, mut escaped) = (0, 1, false, false);
        for (at, byte) in self.text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'[' | b'{' => {
                    depth += 1;
                    values += 1;
                    if depth > bound {
                        let place = self.place(at);
                        return Err(Refusal::new(Clause::DepthWithinBound)
                            .at(format!("{place}: deeper than {bound} arrays and objects")));
                    }
                }
                b']' | b'}' => depth -= 1,
                b',' => values += 1,
                _ => {}
            }
            if values > constants::RECORD_VALUES && self.rules.in_force(Clause::RecordWithinSize) {
                let place = self.place(at);
                return Err(Refusal::new(Clause::RecordWithinSize)
                    .at(format!("{place}: more than {} values", constants::RECORD_VALUES)));
            }
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Json, Refusal> {
        Ok(match self.next()? {
            b'{' => Json::Object(self.object()?),
            b'[' => Json::Array(self.array()?),
            b'"' => Json::String(self.string()?),
            _ => match self.word() {
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                "null" => Json::Null,
                number => Json::Number(number.into()),
            },
        })
    }

    fn array(&mut self) -> Result<Vec<Json>, Refusal> {
        let mut elements = Vec::new();
        self.at += 1;
        if self.next()? == b']' {
            self.at += 1;
            return Ok(elements);
        }
        loop {
            self.path.push(Step::Index(elements.len()));
            elements.push(self.value()?);
            self.path.pop();
            if self.ends(b']')? {
                return Ok(elements);
            }
        }
    }

    fn object(&mut self) -> Result<BTreeMap<Box<str>, Json>, Refusal> {
        let mut members = BTreeMap::new();
        self.at += 1;
        if self.next()? == b'}' {
            self.at += 1;
            return Ok(members);
        }
        loop {
            self.next()?;
            let key = self.string()?;
            // The colon.
            self.next()?;
            self.at += 1;
            self.next()?;
            if self.rules.in_force(Clause::NoDuplicateKeys) && members.contains_key(&key) {
                let (place, path, key) = (self.place(self.at), self.path(), shown(&key));
                return Err(Refusal::new(Clause::NoDuplicateKeys)
                    .at(format!("{place}: {path} has the key \"{key}\" twice")));
            }
            self.path.push(Step::Key(key));
            let value = self.value()?;
            if let Some(Step::Key(key)) = self.path.pop() {
                members.insert(key, value);
            }
            if self.ends(b'}')? {
                return Ok(members);
            }
        }
    }

    /// Takes what comes after an element: the end, or the comma before the next one.
    fn ends(&mut self, end: u8) -> Result<bool, Refusal> {
        let ended = self.next()? == end;
        self.at += 1;
        Ok(ended)
    }

    /// The next byte that is no white space; it stays.
    fn next(&mut self) -> Result<u8, Refusal> {
        let rest = &self.text.as_bytes()[self.at..];
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let spaces = rest.iter().position(|byte| !space(byte));
        let spaces = spaces.ok_or_else(|| self.not_json(self.at, "it ends too soon"))?;
        self.at += spaces;
        Ok(rest[spaces])
    }

    /// Takes a literal that is no string.
    fn word(&mut self) -> &str {
        let rest = &self.text[self.at..];
        let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Takes a string. What can still be wrong with it is half a surrogate pair.
    fn string(&mut self) -> Result<Box<str>, Refusal> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut end = start + 1;
        let mut escapes = false;
        while let Some(byte) = bytes.get(end).filter(|byte| **byte != b'"') {
            escapes |= *byte == b'\\';
            end += if *byte == b'\\' { 2 } else { 1 };
        }
        if end >= bytes.len() {
            return Err(self.not_json(start, "it ends too soon"));
        }
        self.at = end + 1;
        match escapes {
            false => Ok(self.text[start + 1..end].into()),
            true => serde_json::from_str(&self.text[start..=end])
                .map_err(|error| self.not_json(start, &problem(&error))),
        }
    }

    fn not_json(&self, offset: usize, problem: &str) -> Refusal {
        let (place, path) = (self.place(offset), self.path());
        Refusal::new(Clause::RecordIsJson).at(format!("{place}: {path}: {problem}"))
    }

    fn place(&self, offset: usize) -> String {
        let (line, column) = position(self.text.as_bytes(), offset);
        format!("line {line}, column {column}")
    }

    fn path(&self) -> String {
        let mut path = String::from("$");
        for step in &self.path {
            match step {
                Step::Key(key) => path.extend([".", shown(key).as_str()]),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

/// A key for a message on one line: escaped, and cut after 64 characters.
fn shown(key: &str) -> String {
    let mut shown: String = key.chars().take(64).flat_map(char::escape_debug).collect();
    if key.chars().nth(64).is_some() {
        shown.push('…');
    }
    shown
}
