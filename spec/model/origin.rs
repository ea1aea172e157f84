//! Which of several things a term means, and who made it.
//!
//! A genuine thing is identified by its place among those of its maker; a forgery by the genuine thing that it imitates and by its
//! [`Forgery`], so that messages with other flaws are other messages. A trace holds a genuine one as an integer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;

/// Who made a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The actor whose name it bears, by the protocol.
    #[default]
    Genuine,
    /// An adversary, with the keys or in the name of that actor.
    Forged(Forgery),
}

/// Which forgery of one genuine thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Forgery(NonZeroU32);

impl Forgery {
    /// The only one, where the thing imitates no other.
    pub const ONLY: Forgery = Forgery(NonZeroU32::MIN);

    /// The forgery with this set of flaws, as bits.
    pub const fn of(flaws: u32) -> Forgery {
        Forgery(NonZeroU32::MIN.saturating_add(flaws))
    }

    const fn flaws(self) -> u32 {
        self.0.get() - 1
    }
}

/// The ordinal of a hello, response, T_block or request among those of its maker, and its origin. Every forgery comes after all
/// that is genuine.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(from = "Written<u32>", into = "Written<u32>")]
pub struct Ordinal {
    origin: Origin,
    place: u32,
}

impl Ordinal {
    /// The `place`th that its maker made.
    pub const fn nth(place: u32) -> Ordinal {
        Ordinal { origin: Origin::Genuine, place }
    }

    /// The one that its maker makes next.
    #[must_use]
    pub const fn next(self) -> Ordinal {
        Ordinal { place: self.place + 1, ..self }
    }

    /// Who made it.
    pub const fn origin(self) -> Origin {
        self.origin
    }

    /// Whether an adversary made it.
    pub const fn is_forged(self) -> bool {
        matches!(self.origin, Origin::Forged(_))
    }

    /// What it imitates; itself, where it is genuine.
    #[must_use]
    pub const fn genuine(self) -> Ordinal {
        Ordinal::nth(self.place)
    }

    /// This forgery of it; of a forgery, another one of the same thing.
    #[must_use]
    pub const fn forged(self, forgery: Forgery) -> Ordinal {
        Ordinal { origin: Origin::Forged(forgery), ..self }
    }

    /// Of the same origin as `other`: what is done to one message is done to another of its kind.
    #[must_use]
    pub const fn made_as(self, other: Ordinal) -> Ordinal {
        match other.origin {
            Origin::Genuine => self,
            forged => Ordinal { origin: forged, ..self },
        }
    }
}

/// A submission, by the order of the users' commands, from 0; or one that no command made.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(from = "Written<Submission>", into = "Written<Submission>")]
pub struct Tid {
    origin: Origin,
    submission: Submission,
}

/// What a tid is that of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Submission {
    /// A user's command, by its place.
    Nth(u16),
    /// None of a user.
    Of(Nobody),
}

/// Tids that no command made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Nobody {
    Invented,
    Impersonated,
    Unknown,
}

impl Default for Submission {
    fn default() -> Submission {
        Submission::Nth(0)
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.submission {
            Submission::Nth(place) => write!(f, "{place}")?,
            Submission::Of(Nobody::Invented) => f.write_str("invented")?,
            Submission::Of(Nobody::Impersonated) => f.write_str("impersonated")?,
            Submission::Of(Nobody::Unknown) => f.write_str("unknown")?,
        }
        match self.origin {
            Origin::Genuine => Ok(()),
            Origin::Forged(forgery) => write!(f, " (forgery {})", forgery.flaws()),
        }
    }
}

impl Tid {
    /// The first submission of a run.
    pub const FIRST: Tid = Tid::nth(0);
    /// What nobody ever submitted.
    pub const UNKNOWN: Tid = Tid::genuine_of(Submission::Of(Nobody::Unknown));
    /// What a BSD invents: no user submitted it.
    pub const INVENTED: Tid = Tid::genuine_of(Submission::Of(Nobody::Invented));
    /// What a user submits in the name of another.
    pub const IMPERSONATED: Tid = Tid::genuine_of(Submission::Of(Nobody::Impersonated));

    const fn genuine_of(submission: Submission) -> Tid {
        Tid { origin: Origin::Genuine, submission }
    }

    /// The submission that the `place`th command made.
    pub const fn nth(place: u16) -> Tid {
        Tid::genuine_of(Submission::Nth(place))
    }

    /// Its place among the submissions of a run, if a command made it.
    pub const fn place(self) -> Option<usize> {
        match (self.origin, self.submission) {
            (Origin::Genuine, Submission::Nth(place)) => Some(place as usize),
            _ => None,
        }
    }

    /// What it imitates; itself, where it is genuine.
    #[must_use]
    pub const fn genuine(self) -> Tid {
        Tid::genuine_of(self.submission)
    }

    /// The forgery of it with this set of flaws, as bits: a T_initial whose ciphertext is another has another tid.
    #[must_use]
    pub const fn forged(self, flaws: u32) -> Tid {
        Tid { origin: Origin::Forged(Forgery::of(flaws)), ..self }
    }

    /// Of the same origin as `other`.
    #[must_use]
    pub const fn made_as(self, other: Tid) -> Tid {
        match other.origin {
            Origin::Genuine => self,
            forged => Tid { origin: forged, ..self },
        }
    }
}

/// As a trace holds it: what is genuine as its place alone.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
enum Written<T> {
    Genuine(T),
    Forged {
        /// What it imitates.
        of: T,
        /// Its flaws, as bits.
        forgery: u32,
    },
}

impl<T> Written<T> {
    fn new(origin: Origin, of: T) -> Written<T> {
        match origin {
            Origin::Genuine => Written::Genuine(of),
            Origin::Forged(forgery) => Written::Forged { of, forgery: forgery.flaws() },
        }
    }

    fn parts(self) -> (Origin, T) {
        match self {
            Written::Genuine(of) => (Origin::Genuine, of),
            Written::Forged { of, forgery } => (Origin::Forged(Forgery::of(forgery)), of),
        }
    }
}

impl From<Ordinal> for Written<u32> {
    fn from(ordinal: Ordinal) -> Written<u32> {
        Written::new(ordinal.origin, ordinal.place)
    }
}

impl From<Written<u32>> for Ordinal {
    fn from(written: Written<u32>) -> Ordinal {
        let (origin, place) = written.parts();
        Ordinal { origin, place }
    }
}

impl From<Tid> for Written<Submission> {
    fn from(tid: Tid) -> Written<Submission> {
        Written::new(tid.origin, tid.submission)
    }
}

impl From<Written<Submission>> for Tid {
    fn from(written: Written<Submission>) -> Tid {
        let (origin, submission) = written.parts();
        Tid { origin, submission }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgery_names_what_it_imitates_and_comes_after_all_that_is_genuine() {
        let forgeries = [Forgery::ONLY, Forgery::of(0b10), Forgery::of(1 << 24)];
        let last = Ordinal::nth(u32::MAX);
        let mut seen = std::collections::BTreeSet::new();
        for place in [0, 1, 77, 10_000, u32::MAX] {
            let genuine = Ordinal::nth(place);
            assert_eq!((genuine.origin(), genuine.genuine()), (Origin::Genuine, genuine));
            assert!(seen.insert(genuine));
            for forgery in forgeries {
                let forged = genuine.forged(forgery);
                assert_eq!((forged.origin(), forged.genuine()), (Origin::Forged(forgery), genuine));
                assert_eq!(Ordinal::nth(3).made_as(forged), Ordinal::nth(3).forged(forgery));
                assert!(forged > last && seen.insert(forged));
            }
        }
        assert_eq!(Forgery::of(0), Forgery::ONLY);
        assert_eq!(Ordinal::nth(3).made_as(last), Ordinal::nth(3));
    }

    #[test]
    fn a_forged_tid_names_its_submission_and_has_no_place() {
        for genuine in [Tid::FIRST, Tid::nth(u16::MAX), Tid::INVENTED, Tid::IMPERSONATED, Tid::UNKNOWN] {
            assert_eq!(genuine.genuine(), genuine);
            for flaws in [0, 1, 0b11, 1 << 20] {
                let forged = genuine.forged(flaws);
                assert_eq!((forged.genuine(), forged.place()), (genuine, None));
                assert_eq!(Tid::FIRST.made_as(forged), Tid::FIRST.forged(flaws));
                assert!(forged > Tid::UNKNOWN && forged != genuine.forged(flaws + 1));
            }
        }
        let named = [Tid::INVENTED, Tid::IMPERSONATED, Tid::UNKNOWN];
        assert!(named.iter().all(|tid| tid.place().is_none() && *tid > Tid::nth(u16::MAX)));
    }

    #[test]
    fn a_trace_holds_a_genuine_thing_as_an_integer_and_a_forgery_with_what_it_imitates() {
        let written = |tid: Tid| serde_json::to_string(&tid).expect("JSON");
        for (tid, text) in [
            (Tid::nth(2), "2"),
            (Tid::UNKNOWN, r#""unknown""#),
            (Tid::nth(2).forged(5), r#"{"of":2,"forgery":5}"#),
            (Tid::INVENTED.forged(0), r#"{"of":"invented","forgery":0}"#),
        ] {
            assert_eq!(written(tid), text);
            assert_eq!(serde_json::from_str::<Tid>(text).expect("its own form"), tid);
        }
        let forged = Ordinal::nth(7).forged(Forgery::ONLY);
        assert_eq!(serde_json::to_string(&forged).expect("JSON"), r#"{"of":7,"forgery":0}"#);
        assert_eq!(serde_json::from_str::<Ordinal>(r#"{"of":7,"forgery":0}"#).expect("its own form"), forged);
        for other in [r#"{"of":7}"#, r#"{"of":7,"forgery":0,"mood":1}"#, "-1", r#""nobody""#] {
            assert!(serde_json::from_str::<Tid>(other).is_err(), "{other}");
        }
    }
}
