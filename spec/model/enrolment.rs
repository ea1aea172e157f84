//! What the KDC is asked and what it publishes (chapter 4), as terms.

use crate::{Actor, Flaws, Time};
use serde::{Deserialize, Serialize};

/// A certificate, by its serial: those that a setup begins with are numbered from 1 in the order of actors.
pub type Serial = u32;

/// A public key, by number: equal numbers are equal keys. The certificate with serial *s* of a setup's beginning has the keys
/// 2*s* − 2, for signatures, and 2*s* − 1, for agreement.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Key(pub u32);

/// What a principal is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Submits, reads, grants.
    Doctor,
    /// The same.
    Assistant,
    /// Changes policy.
    Administrator,
    /// Takes submissions.
    Bsd,
    /// Votes.
    Validator,
    /// Stores.
    Cloud,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 6] =
        [Role::Doctor, Role::Assistant, Role::Administrator, Role::Bsd, Role::Validator, Role::Cloud];

    /// The role that an actor is admitted to; nothing for the KDC, which certifies itself.
    pub const fn of(actor: Actor) -> Option<Role> {
        Some(match actor {
            Actor::Bsd => Role::Bsd,
            Actor::Cloud => Role::Cloud,
            Actor::User(0 | 1) => Role::Doctor,
            Actor::User(2) => Role::Assistant,
            Actor::User(_) => Role::Administrator,
            Actor::Validator(_) => Role::Validator,
            Actor::Kdc => return None,
        })
    }
}

/// A request for a certificate.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Who shall be certified; somebody whom nobody admitted when there is none.
    pub subject: Option<Actor>,
    /// As what.
    pub role: Role,
    /// The key for signatures.
    pub signing: Key,
    /// The key for agreement.
    pub agreement: Key,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Flaws::is_empty")]
    pub flaws: Flaws,
}

/// A revocation list.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RevocationList {
    /// From 1, which is the one that a setup begins with.
    pub number: u32,
    /// From when on it holds.
    pub issued: Time,
    /// Until when.
    pub next_update: Time,
    /// The certificates that are revoked, ascending.
    pub serials: Vec<Serial>,
}

/// How long what the KDC signs holds, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// A certificate.
    pub certificate: Time,
    /// A revocation list.
    pub list: Time,
}

impl Lifetimes {
    /// Ten years: longer than anything that is looked at.
    pub const LONG: Lifetimes = Lifetimes { certificate: 315_576_000_000, list: 315_576_000_000 };

    pub(super) fn are_long(&self) -> bool {
        *self == Lifetimes::LONG
    }
}

impl Default for Lifetimes {
    fn default() -> Lifetimes {
        Lifetimes::LONG
    }
}
