//! The register of clauses, generated from the chapters by the build script.

include!(concat!(env!("OUT_DIR"), "/clauses.rs"));

/// What an actor says of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Verdict {
    /// The input was taken; the state may have changed.
    Accept,
    /// The input is harmless and changes nothing, such as a duplicate.
    Ignore,
    /// The input breaks a clause and changes nothing.
    Reject,
}

struct Entry {
    id: &'static str,
    code: u16,
    name: &'static str,
    verdict: Verdict,
    must: &'static str,
    why: &'static str,
    paper: &'static [u16],
    stops: &'static [&'static str],
    findings: &'static [&'static str],
    chapter: &'static str,
}

impl Clause {
    const fn entry(self) -> &'static Entry {
        &REGISTER[self as usize]
    }

    /// The id that the chapters use, such as `KEY-03`.
    pub const fn id(self) -> &'static str {
        self.entry().id
    }

    /// Its code on the wire: a hundred times the place of its prefix, plus its number.
    pub const fn code(self) -> u16 {
        self.entry().code
    }

    /// The clause with this code, if there is one.
    pub fn from_code(code: u16) -> Option<Clause> {
        let place = Clause::ALL.binary_search_by_key(&code, |clause| clause.code()).ok()?;
        Some(Clause::ALL[place])
    }

    /// The name that the code uses, such as `KeysHaveOneUse`.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// What an actor says when the clause does not hold: [`Verdict::Reject`] or [`Verdict::Ignore`].
    pub const fn verdict(self) -> Verdict {
        self.entry().verdict
    }

    /// The normative sentence.
    pub const fn must(self) -> &'static str {
        self.entry().must
    }

    /// The reason for it.
    pub const fn why(self) -> &'static str {
        self.entry().why
    }

    /// The numbers of the paper's statements that it comes from (P-n).
    pub const fn paper(self) -> &'static [u16] {
        self.entry().paper
    }

    /// The attacks that it stops (C-nn).
    pub const fn stops(self) -> &'static [&'static str] {
        self.entry().stops
    }

    /// The findings of the review of the first specification that it answers (R-nn); none for a clause of that specification.
    pub const fn findings(self) -> &'static [&'static str] {
        self.entry().findings
    }

    /// The file name of its chapter.
    pub const fn chapter(self) -> &'static str {
        self.entry().chapter
    }

    /// The clause with this id or name, if there is one.
    pub fn find(text: &str) -> Option<Clause> {
        Clause::ALL.into_iter().find(|c| c.id().eq_ignore_ascii_case(text) || c.name() == text)
    }
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.id(), self.name())
    }
}

impl serde::Serialize for Clause {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> serde::Deserialize<'de> for Clause {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Clause, D::Error> {
        let id = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let found = Clause::ALL.into_iter().find(|clause| clause.id() == id);
        found.ok_or_else(|| serde::de::Error::custom(format!("no clause has the id {id:?}")))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Clause {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Clause".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let ids = Clause::ALL.map(Clause::id);
        schemars::json_schema!({ "description": "A clause, by its id.", "enum": ids.to_vec() })
    }
}
