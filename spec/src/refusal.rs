//! What an actor answers when it does not take an input.

use crate::{Clause, Verdict};

/// An input was not taken: the clause that it breaks and, where they exist, the clause of a primitive because of which it
/// breaks it, and the place in the input.
///
/// Two refusals are equal when they name the same clause; cause and place are for people and checkers.
#[derive(Clone, Debug)]
pub struct Refusal {
    clause: Clause,
    cause: Option<Clause>,
    place: Option<Box<str>>,
}

impl Refusal {
    /// A refusal by `clause`.
    pub const fn new(clause: Clause) -> Self {
        Refusal { clause, cause: None, place: None }
    }

    /// The same refusal with the field, line or other place that shows the cause. Never a secret.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into().into_boxed_str());
        self
    }

    /// The same refusal, because the value did not pass the check of `cause`, which chapter 3 makes of a primitive.
    #[must_use]
    pub const fn because(mut self, cause: Clause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The clause that the input breaks.
    pub const fn clause(&self) -> Clause {
        self.clause
    }

    /// [`Verdict::Reject`] or [`Verdict::Ignore`], as the clause says.
    pub const fn verdict(&self) -> Verdict {
        self.clause.verdict()
    }

    /// Of what chapter 14 lists, the clause of the primitive that did not let the value pass.
    pub const fn cause(&self) -> Option<Clause> {
        self.cause
    }

    /// Where in the input the cause stands.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }
}

impl PartialEq for Refusal {
    fn eq(&self, other: &Self) -> bool {
        self.clause == other.clause
    }
}

impl Eq for Refusal {}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.clause)?;
        match self.place() {
            Some(place) => write!(f, ": {place}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}
