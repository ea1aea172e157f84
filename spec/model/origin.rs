//! Which of several things a term means, and who made it.
//!
//! A genuine thing is told by its place among those of its maker. A forgery is told by the genuine thing that it imitates and
//! by its [`Forgery`], so that messages with other flaws are other messages. Traces hold both as one integer; the
//! conversions are here and nowhere else.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

/// Who made a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The actor whose name it bears, by the protocol.
    Genuine,
    /// An adversary, with the keys or in the name of that actor.
    Forged(Forgery),
}

/// Which forgery of one genuine thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgery(NonZeroU32);

impl Forgery {
    /// The only one, where the thing imitates no other.
    pub const ONLY: Forgery = Forgery(NonZeroU32::MIN);

    /// So many forgeries of one thing are told apart: a prime, so that few sets of flaws share one.
    const MOST: u32 = 9_973;

    /// The forgery with this set of flaws, as bits.
    pub const fn of(flaws: u32) -> Forgery {
        Forgery(NonZeroU32::MIN.saturating_add(flaws % Forgery::MOST))
    }
}

/// The ordinal of a hello, response, T_block, request or revocation list among those of its maker, and its origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ordinal(u32);

impl Ordinal {
    /// A run is far too short for an actor to make as many things of one sort.
    const SPAN: u32 = 10_000;

    /// The `place`th that its maker made.
    pub const fn nth(place: u32) -> Ordinal {
        Ordinal(place)
    }

    /// The one that its maker makes next.
    #[must_use]
    pub const fn next(self) -> Ordinal {
        Ordinal(self.0 + 1)
    }

    /// Who made it.
    pub const fn origin(self) -> Origin {
        match NonZeroU32::new(self.0 / Ordinal::SPAN) {
            None => Origin::Genuine,
            Some(forgery) => Origin::Forged(Forgery(forgery)),
        }
    }

    /// Whether an adversary made it.
    pub const fn is_forged(self) -> bool {
        matches!(self.origin(), Origin::Forged(_))
    }

    /// What it imitates; itself, where it is genuine.
    #[must_use]
    pub const fn genuine(self) -> Ordinal {
        Ordinal(self.0 % Ordinal::SPAN)
    }

    /// This forgery of it; of a forgery, another forgery.
    #[must_use]
    pub const fn forged(self, forgery: Forgery) -> Ordinal {
        Ordinal(self.0 + forgery.0.get() * Ordinal::SPAN)
    }

    /// Of the same origin as `other`: what is done to one message is done to another of its kind.
    #[must_use]
    pub const fn made_as(self, other: Ordinal) -> Ordinal {
        match other.origin() {
            Origin::Genuine => self,
            Origin::Forged(forgery) => self.forged(forgery),
        }
    }
}

impl From<Ordinal> for u32 {
    fn from(ordinal: Ordinal) -> u32 {
        ordinal.0
    }
}

/// A submission, by the order of the users' commands, from 0; or one that no command made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tid(u16);

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Tid {
    /// The first submission of a run.
    pub const FIRST: Tid = Tid::nth(0);
    /// What nobody ever submitted.
    pub const UNKNOWN: Tid = Tid(u16::MAX);
    /// What a BSD invents: no user submitted it.
    pub const INVENTED: Tid = Tid(98);
    /// What a user submits in the name of another.
    pub const IMPERSONATED: Tid = Tid(99);

    /// Of fewer submissions than this can the forgeries be told.
    const MOST: u16 = 100;
    /// Forgeries that change the tid begin here.
    const FORGED: u16 = 20_000;
    /// So many forgeries of one submission are told apart.
    const SPAN: u16 = 350;

    /// The submission that the `place`th command made.
    pub const fn nth(place: u16) -> Tid {
        Tid(place)
    }

    /// Its place among the submissions of a run, if a command made it there.
    pub const fn place(self) -> usize {
        self.0 as usize
    }

    /// What it imitates; itself, where it is genuine.
    #[must_use]
    pub const fn genuine(self) -> Tid {
        match self.among_forged() {
            Some(among) => Tid(among / Tid::SPAN),
            None => self,
        }
    }

    const fn among_forged(self) -> Option<u16> {
        match self.0.checked_sub(Tid::FORGED) {
            Some(among) if among / Tid::SPAN < Tid::MOST => Some(among),
            _ => None,
        }
    }

    /// The forgery of it with this set of flaws, as bits: a T_initial whose ciphertext is another has another tid.
    pub const fn forged(self, flaws: u32) -> Option<Tid> {
        if self.0 >= Tid::MOST {
            return None;
        }
        Some(Tid(Tid::FORGED + self.0 * Tid::SPAN + (flaws % Tid::SPAN as u32) as u16))
    }

    /// Of the same origin as `other`; nothing where it is itself none of the first submissions.
    pub const fn made_as(self, other: Tid) -> Option<Tid> {
        match other.among_forged() {
            None => Some(self),
            Some(among) => self.forged((among % Tid::SPAN) as u32),
        }
    }
}

/// The schema of the integer that a trace holds: what it is among the things of its sort, the field that holds it says.
macro_rules! schema_of_integer {
    ($($name:ident: $integer:ty),*) => {
        $(impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                <$integer>::schema_name()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$integer>::json_schema(generator)
            }
        })*
    };
}
schema_of_integer!(Ordinal: u32, Tid: u16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgery_names_what_it_imitates_and_no_two_forgeries_share_a_name() {
        let forgeries = [Forgery::ONLY, Forgery::of(0b10), Forgery::of(1 << 24), Forgery::of(u32::MAX)];
        let mut seen = std::collections::BTreeSet::new();
        for place in [0, 1, 77, Ordinal::SPAN - 1] {
            let genuine = Ordinal::nth(place);
            assert_eq!((genuine.origin(), genuine.genuine()), (Origin::Genuine, genuine));
            assert!(seen.insert(genuine));
            for forgery in forgeries {
                let forged = genuine.forged(forgery);
                assert_eq!((forged.origin(), forged.genuine()), (Origin::Forged(forgery), genuine));
                assert_eq!(Ordinal::nth(3).made_as(forged), Ordinal::nth(3).forged(forgery));
                assert!(seen.insert(forged));
            }
        }
        assert_eq!(Forgery::of(0), Forgery::ONLY);
    }

    #[test]
    fn a_forged_tid_names_its_submission_and_a_tid_of_nobody_imitates_none() {
        let mut seen = std::collections::BTreeSet::new();
        for place in 0..Tid::MOST {
            let genuine = Tid::nth(place);
            assert_eq!(genuine.genuine(), genuine);
            assert!(seen.insert(genuine));
            for flaws in [0, 1, 0b11, 349] {
                let forged = genuine.forged(flaws).expect("it is one of the first");
                assert_eq!(forged.genuine(), genuine);
                assert_eq!(Tid::FIRST.made_as(forged), Tid::FIRST.forged(flaws));
                assert!(seen.insert(forged));
                assert_eq!(forged.forged(flaws), None, "its forgery could not be told from another");
            }
        }
        assert_eq!(Tid::UNKNOWN.genuine(), Tid::UNKNOWN);
        assert!(!seen.contains(&Tid::UNKNOWN));
    }

    #[test]
    fn a_trace_holds_an_origin_as_one_integer() {
        let forged = Ordinal::nth(7).forged(Forgery::ONLY);
        assert_eq!(serde_json::to_string(&forged).expect("a number"), "10007");
        assert_eq!(serde_json::from_str::<Ordinal>("10007").expect("a number"), forged);
        let forged = Tid::nth(2).forged(0b101).expect("it is one of the first");
        assert_eq!(serde_json::to_string(&forged).expect("a number"), "20705");
        assert_eq!(serde_json::from_str::<Tid>("20705").expect("a number"), forged);
    }
}
