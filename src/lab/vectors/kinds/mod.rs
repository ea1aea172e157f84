//! The kinds of vectors: what is given, what comes out, and who judges it.

mod audit;
mod block;
mod cloud;
mod contracts;
mod drawn_bytes;
mod draws;
mod encapsulation;
mod group;
mod handshake;
mod keys;
mod merkle;
mod policy;
mod quorum;
mod records;
mod run;
mod seals;
mod signatures;
mod symmetric;
mod transport;
mod voters;
mod wire;

use crate::forge::{MutatedMessage, Sweep};
use crate::vectors::file::{Answer, EVERY, FORMAT, File, Id, Outcome, Test, strictly};
use bemr::crypto::Suite;
use bemr::wire::Name;
use bemr_spec::{Clause, Refusal, Rules};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;

pub(super) use keys::{Trust, name};

/// A name that is written here.
pub(super) fn known(text: &str) -> Name {
    Name::new(text).expect("short printable ASCII")
}

pub(super) const RULES: Rules = Rules::hardened();

/// Why there is no answer: the clause that refuses, or what of the input is not of its form.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is refused.
    Refused(Refusal),
    /// It is no test.
    Malformed(String),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Refusal {
        match stop {
            Stop::Refused(refusal) => refusal,
            Stop::Malformed(problem) => Refusal::new(Clause::EventFitsState).at(problem),
        }
    }
}

impl From<String> for Stop {
    fn from(problem: String) -> Stop {
        Stop::Malformed(problem)
    }
}

/// One kind of vectors.
pub(super) trait Kind {
    /// Its name, in files and their names.
    const NAME: &'static str;
    /// Whether a suite is used.
    const SUITES: &'static [&'static str];
    /// What is given.
    type Input: Serialize + DeserializeOwned + JsonSchema;
    /// What comes out.
    type Output: Serialize + DeserializeOwned + JsonSchema;

    /// Judges it.
    fn judge(suite: Suite, input: &Self::Input) -> Result<Self::Output, Stop>;

    /// Makes the tests.
    fn make(suite: Suite) -> Result<Vec<Made<Self::Input>>, Refusal>;

    /// The tests of a message of this table with one field changed; `input` has the message in its place.
    fn swept(
        suite: Suite,
        sweep: &mut Sweep<'_>,
        table: &str,
        genuine: &[u8],
        mend: impl Fn(&MutatedMessage, u8) -> Option<Vec<u8>>,
        input: impl Fn(&[u8]) -> Self::Input,
    ) -> Vec<Made<Self::Input>> {
        let judge = |input: &Self::Input| rejected_by(Self::judge(suite, input));
        swept(sweep, table, genuine, mend, input, judge)
    }
}

/// As [`Kind::swept`], by another judge than that of the kind.
pub(super) fn swept<I>(
    sweep: &mut Sweep<'_>,
    table: &str,
    genuine: &[u8],
    mend: impl Fn(&MutatedMessage, u8) -> Option<Vec<u8>>,
    input: impl Fn(&[u8]) -> I,
    judge: impl Fn(&I) -> Option<Clause>,
) -> Vec<Made<I>> {
    let found = sweep.run(table, genuine, mend, |bytes| judge(&input(bytes)));
    found.into_iter().map(|(near, clause)| Made::near(clause, &near, input(&near.bytes))).collect()
}

/// As [`swept`], where the changed message is not one part of the input but has others follow it.
pub(super) fn swept_inputs<I: Clone>(
    sweep: &mut Sweep<'_>,
    table: &str,
    genuine: &[u8],
    changed: impl Fn(&MutatedMessage, u8) -> Option<I>,
    judge: impl Fn(&I) -> Option<Clause>,
) -> Vec<Made<I>> {
    // A message and a way stand for the input that they make.
    let inputs = RefCell::new(BTreeMap::new());
    let input = |key: &[u8]| inputs.borrow().get(key).cloned();
    let mend = |near: &MutatedMessage, way: u8| {
        let key = [near.bytes.as_slice(), &[way]].concat();
        inputs.borrow_mut().insert(key.clone(), changed(near, way)?);
        Some(key)
    };
    let found = sweep.run(table, genuine, mend, |key| judge(&input(key)?));
    let made =
        |(near, clause): (MutatedMessage, Clause)| Some(Made::near(clause, &near, input(&near.bytes)?));
    found.into_iter().filter_map(made).collect()
}

/// The clause that rejects.
pub(super) fn rejected_by<T>(judged: Result<T, Stop>) -> Option<Clause> {
    match judged {
        Err(Stop::Refused(refusal)) => Some(refusal.clause()),
        Ok(_) | Err(Stop::Malformed(_)) => None,
    }
}

/// A test that was made, and what the specification says of it.
pub(super) struct Made<I> {
    comment: String,
    clause: Option<Clause>,
    flags: Vec<Clause>,
    fields: Vec<String>,
    input: I,
}

impl<I> Made<I> {
    /// One that is taken.
    pub(super) fn valid(comment: impl Into<String>, input: I) -> Made<I> {
        Made { comment: comment.into(), clause: None, flags: Vec::new(), fields: Vec::new(), input }
    }

    /// One that this clause refuses.
    pub(super) fn invalid(clause: Clause, comment: impl Into<String>, input: I) -> Made<I> {
        Made { comment: comment.into(), clause: Some(clause), flags: vec![clause], fields: Vec::new(), input }
    }

    /// It shows that these clauses are kept.
    pub(super) fn shows(mut self, clauses: &[Clause]) -> Made<I> {
        self.flags.extend(clauses);
        self
    }

    /// It is about this field of a table.
    pub(super) fn of(mut self, field: impl Into<String>) -> Made<I> {
        self.fields.push(field.into());
        self
    }

    /// A neighbour that this clause refuses.
    pub(super) fn near(clause: Clause, near: &MutatedMessage, input: I) -> Made<I> {
        let comment = near.comment();
        Made { comment, clause: Some(clause), flags: vec![clause], fields: near.fields.clone(), input }
    }
}

/// The names of the suites.
pub(super) const SUITES: &[&str] = &["ffdhe2048", "ffdhe3072", "ristretto255", "tiny"];
/// What needs no suite.
pub(super) const NONE: &[&str] = &[EVERY];

type Shape = fn(&Value, Option<&Value>) -> Result<(), (String, String)>;

/// A kind, whatever its types.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The suites that there are files for.
    pub suites: &'static [&'static str],
    pub(super) shape: Shape,
    judge: fn(Suite, &Value) -> Result<Answer, String>,
    make: fn(&str) -> Result<File, String>,
    /// The schemas of input and output.
    pub(super) schemas: fn(&mut SchemaGenerator) -> (Schema, Schema),
}

/// Every kind.
pub const KINDS: &[Entry] = &[
    entry::<symmetric::Hash>(),
    entry::<symmetric::Expand>(),
    entry::<symmetric::Encrypt>(),
    entry::<symmetric::Decrypt>(),
    entry::<group::DecodeElement>(),
    entry::<group::DecodeScalar>(),
    entry::<group::Draw>(),
    entry::<signatures::Sign>(),
    entry::<signatures::Verify>(),
    entry::<encapsulation::Encapsulate>(),
    entry::<encapsulation::Decapsulate>(),
    entry::<group::Agree>(),
    entry::<keys::VerifyCertificate>(),
    entry::<keys::TakeList>(),
    entry::<keys::Enrol>(),
    entry::<handshake::Initiator>(),
    entry::<handshake::Responder>(),
    entry::<transport::SealRecord>(),
    entry::<transport::OpenRecord>(),
    entry::<seals::OpenSeal>(),
    entry::<quorum::VerifyQuorum>(),
    entry::<merkle::Tree>(),
    entry::<merkle::Inclusion>(),
    entry::<merkle::Consistency>(),
    entry::<block::TakeBlock>(),
    entry::<cloud::TakeHead>(),
    entry::<cloud::CheckLeaf>(),
    entry::<audit::Audit>(),
    entry::<wire::Decode>(),
    entry::<records::MapRecord>(),
    entry::<records::ReadValue>(),
    entry::<contracts::RunContracts>(),
    entry::<policy::ChangePolicy>(),
    entry::<run::Run>(),
];

const fn entry<K: Kind>() -> Entry {
    Entry {
        name: K::NAME,
        suites: K::SUITES,
        shape: |input, output| {
            let at = |part: &str, (field, problem): (String, String)| (format!("{part}.{field}"), problem);
            strictly::<K::Input>(input).map_err(|wrong| at("input", wrong))?;
            output.map_or(Ok(()), |output| {
                strictly::<K::Output>(output).map(drop).map_err(|wrong| at("output", wrong))
            })
        },
        judge: |suite, input| {
            let input =
                strictly::<K::Input>(input).map_err(|(field, problem)| format!("{field}: {problem}"))?;
            answered::<K>(suite, &input)
        },
        make: make::<K>,
        schemas: |generator| (generator.subschema_for::<K::Input>(), generator.subschema_for::<K::Output>()),
    }
}

fn answered<K: Kind>(suite: Suite, input: &K::Input) -> Result<Answer, String> {
    match K::judge(suite, input) {
        Ok(output) => {
            let output = serde_json::to_value(&output).map_err(|error| error.to_string())?;
            Ok(Answer { result: Outcome::Valid, clause: None, output })
        }
        Err(Stop::Refused(refusal)) => {
            let clause = Some(Id(refusal.clause()));
            Ok(Answer { result: Outcome::Invalid, clause, output: Value::Null })
        }
        Err(Stop::Malformed(problem)) => Err(problem),
    }
}

fn make<K: Kind>(suite: &str) -> Result<File, String> {
    let used = suite_of(suite).ok_or("no such suite")?;
    let made = K::make(used).map_err(|refusal| format!("{} {suite}: {refusal}", K::NAME))?;
    let mut tests = Vec::with_capacity(made.len());
    for (tc_id, Made { comment, clause, flags, fields, input }) in (1..).zip(made) {
        let answer = answered::<K>(used, &input)?;
        let answered = answer.clause.map(|id| id.0);
        if answered != clause {
            let id = |clause: Option<Clause>| clause.map_or("taken", Clause::id);
            return Err(format!(
                "{} {suite}: {comment}: {} instead of {}",
                K::NAME,
                id(answered),
                id(clause)
            ));
        }
        let input = serde_json::to_value(&input).map_err(|error| error.to_string())?;
        let flags = flags.into_iter().map(Id).collect();
        tests.push(Test { tc_id, comment, flags, fields, input, answer });
    }
    Ok(File {
        format: FORMAT.to_owned(),
        kind: K::NAME.to_owned(),
        suite: suite.to_owned(),
        number_of_tests: tests.len() as u64,
        tests,
    })
}

/// The suite of this name; for `every` one that nobody looks at.
pub(super) fn suite_of(name: &str) -> Option<Suite> {
    if name == EVERY { Some(Suite::Ristretto255) } else { name.parse().ok() }
}

impl Entry {
    /// The kind of this name.
    pub fn find(name: &str) -> Option<&'static Entry> {
        KINDS.iter().find(|entry| entry.name == name)
    }

    /// What this implementation answers to a test.
    ///
    /// # Errors
    /// What of the input is not of its form.
    pub fn answer(&self, suite: &str, input: &Value) -> Result<Answer, String> {
        (self.judge)(suite_of(suite).ok_or_else(|| format!("no suite `{suite}`"))?, input)
    }

    /// The file of this kind for a suite.
    ///
    /// # Errors
    /// A test on which specification and implementation differ.
    pub fn file(&self, suite: &str) -> Result<File, String> {
        (self.make)(suite)
    }
}
