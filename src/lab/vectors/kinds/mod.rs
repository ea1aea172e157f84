//! The kinds of vectors: what is given, what comes out, and how this implementation evaluates it.

mod audit;
mod block;
mod cases;
mod cloud;
mod contracts;
mod draws;
mod encapsulation;
mod group;
mod handshake;
mod keys;
mod merkle;
mod policy;
mod prelude;
mod quorum;
mod records;
mod run;
mod seals;
mod signatures;
mod symmetric;
mod transport;
mod voters;
mod wire;

use crate::vectors::file::{Answer, EVERY, FORMAT, File, Outcome, Test, strictly};
use bemr::crypto::Suite;
use bemr::wire::Name;
use bemr_spec::{Clause, Refusal, Rules};
use cases::Case;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use keys::{Trust, name};

/// A name that is written here.
pub(super) fn known(text: &str) -> Name {
    Name::new(text).expect("short printable ASCII")
}

pub(super) const RULES: Rules = Rules::hardened();

/// Why there is no output: the clause that refuses, or what of the input is not of its form.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(Refusal),
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

/// What a kind is given: the kind itself.
pub(super) trait Vector: Clone + Serialize + DeserializeOwned + JsonSchema {
    /// The name of the kind, in files and their names.
    const NAME: &'static str;
    /// The suites that there are files for.
    const SUITES: &'static [&'static str];
    /// What comes out.
    type Output: Serialize + DeserializeOwned + JsonSchema;

    /// What the protocol makes of it.
    fn evaluate(&self, suite: Suite) -> Result<Self::Output, Stop>;

    /// The tests of the kind.
    fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal>;
}

/// The names of the suites.
const SUITES: &[&str] = &["ffdhe2048", "ffdhe3072", "ristretto255", "tiny"];
/// The suites in which what does not depend on the group costs little.
const QUICK: &[&str] = &["ristretto255", "tiny"];
/// The suite of networks whose configuration names none.
const DEFAULT: &[&str] = &["ristretto255"];
/// What needs no suite.
const NONE: &[&str] = &[EVERY];

/// The path of a field, and what is wrong with it.
type Problem = (String, String);

/// A kind, whatever its types.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The suites that there are files for.
    pub suites: &'static [&'static str],
    pub(super) shape: fn(&Value, Option<&Value>) -> Result<(), Problem>,
    evaluate: fn(Suite, &Value) -> Result<Answer, String>,
    generate: fn(&str) -> Result<File, String>,
    /// The schemas of input and output.
    pub(super) schemas: fn(&mut SchemaGenerator) -> (Schema, Schema),
}

/// Every kind: its name, the suites that there are files for, what is given, and what comes out.
macro_rules! kinds {
    ($($name:literal ($suites:expr): $module:ident::$input:ident => $output:ty,)*) => {
        $(impl Vector for $module::$input {
            const NAME: &'static str = $name;
            const SUITES: &'static [&'static str] = $suites;
            type Output = $output;

            fn evaluate(&self, suite: Suite) -> Result<$output, Stop> {
                $module::$input::evaluate(self, suite)
            }

            fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
                $module::$input::cases(suite)
            }
        })*

        /// Every kind.
        pub const KINDS: &[Entry] = &[$(entry::<$module::$input>()),*];
    };
}

kinds! {
    "hash" (NONE): symmetric::HashInput => symmetric::HashOutput,
    "derive" (NONE): symmetric::ExpandInput => symmetric::ExpandOutput,
    "encrypt" (NONE): symmetric::EncryptInput => symmetric::Ciphertext,
    "decrypt" (NONE): symmetric::DecryptInput => symmetric::Plaintext,
    "element" (SUITES): group::EncodedElement => group::Encoding,
    "scalar" (SUITES): group::EncodedScalar => group::Encoding,
    "draw" (SUITES): group::DrawInput => group::DrawOutput,
    "sign" (SUITES): signatures::SignInput => signatures::SignOutput,
    "verify" (SUITES): signatures::VerifyInput => draws::Nothing,
    "encapsulate" (SUITES): encapsulation::EncapsulateInput => encapsulation::EncapsulateOutput,
    "decapsulate" (SUITES): encapsulation::DecapsulateInput => encapsulation::Key,
    "agree" (SUITES): group::AgreeInput => group::AgreeOutput,
    "certificate" (SUITES): keys::CertificateInput => keys::Principal,
    "revocation-list" (SUITES): keys::ListInput => keys::Held,
    "enrolment" (SUITES): keys::EnrolInput => keys::Issued,
    "initiator" (SUITES): handshake::InitiatorInput => handshake::Shaken,
    "responder" (SUITES): handshake::ResponderInput => handshake::Shaken,
    "seal-record" (NONE): transport::SealRecordInput => transport::SealRecordOutput,
    "open-record" (NONE): transport::OpenRecordInput => transport::OpenRecordOutput,
    "open-seal" (SUITES): seals::OpenSealInput => seals::OpenSealOutput,
    "quorum" (SUITES): quorum::QuorumInput => quorum::DigestOf,
    "merkle-tree" (NONE): merkle::TreeInput => merkle::TreeOutput,
    "merkle-inclusion" (NONE): merkle::InclusionInput => draws::Nothing,
    "merkle-consistency" (NONE): merkle::ConsistencyInput => draws::Nothing,
    "block" (SUITES): block::BlockInput => block::Standing,
    "cloud-head" (SUITES): cloud::HeadInput => cloud::Remembered,
    "cloud-leaf" (QUICK): cloud::LeafInput => cloud::LeafOutput,
    "audit" (DEFAULT): audit::AuditInput => audit::Summary,
    "decode" (DEFAULT): wire::DecodeInput => draws::Nothing,
    "record" (NONE): records::MapInput => records::Mapped,
    "value" (NONE): records::ValueInput => draws::Nothing,
    "contracts" (NONE): contracts::ContractsInput => contracts::Checked,
    "policy-change" (QUICK): policy::ChangeInput => policy::InForce,
    "run" (SUITES): run::RunInput => run::RunOutput,
}

const fn entry<V: Vector>() -> Entry {
    Entry {
        name: V::NAME,
        suites: V::SUITES,
        shape: |input, output| {
            let at = |part: &str, (field, problem): Problem| (format!("{part}.{field}"), problem);
            strictly::<V>(input).map_err(|wrong| at("input", wrong))?;
            output.map_or(Ok(()), |output| {
                strictly::<V::Output>(output).map(drop).map_err(|wrong| at("output", wrong))
            })
        },
        evaluate: |suite, input| {
            let input = strictly::<V>(input).map_err(|(field, problem)| format!("{field}: {problem}"))?;
            answer(suite, &input)
        },
        generate: generate::<V>,
        schemas: |generator| (generator.subschema_for::<V>(), generator.subschema_for::<V::Output>()),
    }
}

fn answer<V: Vector>(suite: Suite, input: &V) -> Result<Answer, String> {
    match input.evaluate(suite) {
        Ok(output) => {
            let output = serde_json::to_value(&output).map_err(|error| error.to_string())?;
            Ok(Answer { result: Outcome::Valid, clause: None, output })
        }
        Err(Stop::Refused(refusal)) => {
            let clause = Some(refusal.clause());
            Ok(Answer { result: Outcome::Invalid, clause, output: Value::Null })
        }
        Err(Stop::Malformed(problem)) => Err(problem),
    }
}

fn generate<V: Vector>(suite: &str) -> Result<File, String> {
    let used = suite_of(suite).ok_or("no such suite")?;
    let cases = V::cases(used).map_err(|refusal| format!("{} {suite}: {refusal}", V::NAME))?;
    let test = |(tc_id, Case { comment, clause, flags, fields, input }): (u64, Case<V>)| {
        let answer = answer(used, &input)?;
        if answer.clause != clause {
            let [answered, clause] = [answer.clause, clause].map(|one| one.map_or("accepted", Clause::id));
            return Err(format!("{} {suite}: {comment}: {answered} instead of {clause}", V::NAME));
        }
        let input = serde_json::to_value(&input).map_err(|error| error.to_string())?;
        Ok(Test { tc_id, comment, flags, fields, input, answer })
    };
    let tests: Vec<Test> = (1..).zip(cases).map(test).collect::<Result<_, String>>()?;
    Ok(File {
        format: FORMAT.to_owned(),
        kind: V::NAME.to_owned(),
        suite: suite.to_owned(),
        number_of_tests: tests.len() as u64,
        tests,
    })
}

/// The suite of this name; for `every` one that nobody looks at.
fn suite_of(name: &str) -> Option<Suite> {
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
        (self.evaluate)(suite_of(suite).ok_or_else(|| format!("no suite `{suite}`"))?, input)
    }

    /// The file of this kind for a suite.
    ///
    /// # Errors
    /// A test on which specification and implementation differ.
    pub fn file(&self, suite: &str) -> Result<File, String> {
        (self.generate)(suite)
    }
}
