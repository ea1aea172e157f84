//! The message tables of the chapters, read as the chapters show them.
//!
//! A message is a heading with nothing but its name in backticks, and under it a table
//! `field | type | size | set by | checked by`. The types are those of the TLS presentation language:
//!
//! | type | on the wire |
//! |---|---|
//! | `uint8`, `uint16`, `uint24`, `uint32`, `uint64` | big-endian |
//! | `opaque[N]` | N bytes |
//! | `opaque<a..b>` | a length as wide as b needs (1 to 4 bytes), then that many bytes, at least a and at most b |
//! | `T<a..b>` | the same length in bytes, then so many bytes of `T`s |
//! | `optional<T>` | the byte 0, or the byte 1 and a `T` |
//! | `enum (n bytes)` | one of the values listed under the table as ``- `name = value` `` |
//! | `select(field)` | what the value of that earlier enum stands for: the message that its list names behind it, ``- `name = value`: `Message` ``, or else the fields under the heading `Outer.name` |
//! | another heading's name | that message or enum |
//!
//! When a table has two enums, each list stands under a line that names its field in backticks. An enum that several
//! messages share has a heading of its own and no table, but the words `enum (n bytes)` or `enum of n bytes` and its
//! list; or its list stands under a line that begins ``  `Role` is an enum (1 byte)  ``. `Name`, `Text`, `Height`,
//! `Version`, `Time`, `Digest`, `Suite` and `Signature` are known without a table.
//!
//! `checked by` lists clauses, `LED-01 to LED-03` for all between; it is empty or says `nobody` where no clause does.
//! A size that is numbers alone has to be that of the type; other words, such as `2 + element`, are for people.
//!
//! [`Tables::walk`] parses bytes by the tables alone: a second decoder, independent of the implementation's. What the
//! fields mean and whether they are true is not for this module.

mod parse;
mod render;
mod types;
mod walk;

#[cfg(test)]
mod tests;

pub use types::{Bounds, Enumeration, Type};
pub use walk::{Mismatch, Tree};

use crate::Clause;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The chapters: file name and text, in order.
pub static CHAPTERS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/chapters.rs"));

/// Every message and enum of some chapters, checked against each other.
#[derive(Clone, Debug)]
pub struct Tables {
    definitions: BTreeMap<String, Definition>,
    order: Vec<String>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// A table.
    Message(Message),
    /// An enum that messages share.
    Enum {
        /// The file name of its chapter.
        chapter: String,
        /// Its values.
        values: Enumeration,
    },
    /// A type that needs no table.
    Known(Type),
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name; with a dot for the case of a select.
    pub name: String,
    /// The file name of its chapter.
    pub chapter: String,
    /// The line of its heading.
    pub line: usize,
    /// Its fields, in the order of the wire.
    pub fields: Vec<Field>,
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its size in bytes, as the table says it.
    pub size: String,
    /// Who sets it.
    pub set_by: String,
    /// The clauses that check it; empty when nobody does.
    pub checked_by: Vec<Clause>,
}

/// A table that cannot be taken as law.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// The file name of the chapter.
    pub chapter: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.chapter, self.line, self.what)
    }
}

impl std::error::Error for Flaw {}

impl Tables {
    /// The tables of [`CHAPTERS`].
    ///
    /// # Errors
    /// Every flaw in them.
    pub fn of_the_chapters() -> Result<&'static Tables, &'static [Flaw]> {
        static TABLES: LazyLock<Result<Tables, Vec<Flaw>>> = LazyLock::new(|| Tables::parse(CHAPTERS));
        TABLES.as_ref().map_err(Vec::as_slice)
    }

    /// What `name` stands for.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.get(name)
    }

    /// The messages, in the order of the chapters.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.order.iter().filter_map(|name| match &self.definitions[name] {
            Definition::Message(message) => Some(message),
            _ => None,
        })
    }
}
