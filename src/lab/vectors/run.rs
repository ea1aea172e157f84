//! Puts vectors to an implementation, this one or another, and compares what it answers with what they say.

use crate::vectors::kinds::Entry;
use crate::vectors::{Answer, File, Outcome};
use bemr_spec::Clause;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A test as one line that somebody is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The kind of the test.
    pub kind: String,
    /// The suite.
    pub suite: String,
    /// Its number.
    #[serde(rename = "tcId")]
    pub tc_id: u64,
    /// What is given.
    pub input: Value,
}

/// The line that answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The number of the test.
    #[serde(rename = "tcId")]
    pub tc_id: u64,
    /// What became of it.
    pub result: Evaluated,
    /// The clause that refused it; null where none did.
    pub clause: Option<Clause>,
    /// What it gave; null where it gave nothing.
    pub output: Value,
    /// Why there is no answer; null where there is one.
    pub problem: Option<String>,
}

/// What became of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evaluated {
    /// It was taken.
    Valid,
    /// It was refused.
    Invalid,
    /// Tests of this kind or suite are not answered.
    Unsupported,
    /// It is no test.
    Malformed,
}

/// The longest line of an answer.
const MAX_LINE: u64 = 16 << 20;

/// How long another implementation may think about one test.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who is asked.
pub enum Respondent {
    /// This implementation.
    This,
    /// A program that reads questions and writes replies.
    Other(Box<Program>),
}

/// A program that answers.
pub struct Program {
    child: Child,
    lines: Receiver<std::io::Result<Vec<u8>>>,
}

impl Program {
    /// Starts it.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub fn start(command: &[String]) -> Result<Program, String> {
        let (program, arguments) = command.split_first().ok_or("no program is named")?;
        let started =
            Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| format!("{program}: {error}"))?;
        let out = child.stdout.take().ok_or("it has no standard output")?;
        let (say, lines) = channel();
        std::thread::spawn(move || {
            let mut out = BufReader::new(out);
            loop {
                let mut line = Vec::new();
                let read = (&mut out).take(MAX_LINE).read_until(b'\n', &mut line);
                let ended = !matches!(read, Ok(1..)) || line.last() != Some(&b'\n');
                if say.send(read.map(|_| line)).is_err() || ended {
                    return;
                }
            }
        });
        Ok(Program { child, lines })
    }

    fn ask(&mut self, question: &Question) -> Result<Reply, String> {
        let mut line = serde_json::to_vec(question).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let input = self.child.stdin.as_mut().ok_or("it has no standard input")?;
        input
            .write_all(&line)
            .and_then(|()| input.flush())
            .map_err(|error| format!("it does not read: {error}"))?;
        let line = self.lines.recv_timeout(PATIENCE).map_err(|_| "no answer came".to_owned())?;
        let line = line.map_err(|error| error.to_string())?;
        let reply: Reply = serde_json::from_slice(&line).map_err(|error| format!("its answer: {error}"))?;
        if reply.tc_id != question.tc_id {
            return Err(format!("its answer is to test {}", reply.tc_id));
        }
        Ok(reply)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It ends when its input does; one that does not is ended.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What this implementation replies.
pub fn reply(question: &Question) -> Reply {
    let Question { kind, suite, tc_id, input } = question;
    let bare = |result, problem| Reply { tc_id: *tc_id, result, clause: None, output: Value::Null, problem };
    let Some(entry) = Entry::find(kind).filter(|entry| entry.suites.contains(&suite.as_str())) else {
        return bare(Evaluated::Unsupported, Some(format!("no tests of kind `{kind}` for suite `{suite}`")));
    };
    match entry.answer(suite, input) {
        Ok(Answer { result, clause, output }) => {
            let result = if result == Outcome::Valid { Evaluated::Valid } else { Evaluated::Invalid };
            Reply { tc_id: *tc_id, result, clause, output, problem: None }
        }
        Err(problem) => bare(Evaluated::Malformed, Some(problem)),
    }
}

/// The reply to what is no question.
pub fn no_question(problem: String) -> Reply {
    let (result, output) = (Evaluated::Malformed, Value::Null);
    Reply { tc_id: 0, result, clause: None, output, problem: Some(problem) }
}

/// A test that was answered otherwise than its file says.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The file.
    pub file: String,
    /// The number of the test.
    #[serde(rename = "tcId")]
    pub tc_id: u64,
    /// What the test is about.
    pub comment: String,
    /// What the file says: `valid`, or the clause.
    pub expected: String,
    /// What was answered.
    pub answered: String,
}

/// How the tests of a file went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// Answered as the file says.
    pub agreed: u64,
    /// Not answered: the kind or suite is not supported.
    pub unsupported: u64,
    /// Answered otherwise.
    pub differing: Vec<Difference>,
}

/// Asks every test of a file.
///
/// # Errors
/// What keeps the respondent from answering.
pub fn run(file: &File, who: &mut Respondent, mut done: impl FnMut()) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for test in &file.tests {
        let question = Question {
            kind: file.kind.clone(),
            suite: file.suite.clone(),
            tc_id: test.tc_id,
            input: test.input.clone(),
        };
        let replied = match who {
            Respondent::This => reply(&question),
            Respondent::Other(program) => program
                .ask(&question)
                .map_err(|problem| format!("{} tcId {}: {problem}", file.name(), test.tc_id))?,
        };
        done();
        let Answer { result, clause, output } = &test.answer;
        let same = match replied.result {
            Evaluated::Unsupported => {
                tally.unsupported += 1;
                continue;
            }
            Evaluated::Malformed => false,
            Evaluated::Valid => *result == Outcome::Valid && replied.output == *output,
            Evaluated::Invalid => *result == Outcome::Invalid && replied.clause == *clause,
        };
        if same {
            tally.agreed += 1;
            continue;
        }
        let id = |clause: &Option<Clause>| clause.map_or("valid", Clause::id).to_owned();
        let answered = match replied.result {
            Evaluated::Malformed => replied.problem.unwrap_or_else(|| "malformed".to_owned()),
            Evaluated::Valid if *result == Outcome::Valid => {
                format!("another output: {}", shortened(&replied.output))
            }
            _ => id(&replied.clause),
        };
        tally.differing.push(Difference {
            file: file.name(),
            tc_id: test.tc_id,
            comment: test.comment.clone(),
            expected: id(clause),
            answered,
        });
    }
    Ok(tally)
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
