//! Where each clause is enforced, and which tests show it.
//!
//! A clause is *enforced* where code outside tests names it as a value, `Clause::Name`; comparing with it or matching
//! on it is not enforcing. It is *shown* by a test that names it, itself or through functions and constants of its own
//! file. The sources are read as tokens, so comments and strings do not count, and macros do.

mod scan;

use super::{Sources, cell, heading};
use crate::specgen::machines::Chart;
use bemr_spec::Clause;
use bemr_spec::messages::Tables;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io;

/// The coverage of every clause, in the order of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// One entry for each clause.
    pub clauses: Vec<Covered>,
}

/// The coverage of one clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The file name of its chapter.
    pub chapter: String,
    /// The code that enforces it.
    pub enforced: Vec<Place>,
    /// The tests that show it.
    pub shown: Vec<Place>,
    /// The fields of messages that it checks, such as `Vote.signature`.
    pub fields: Vec<String>,
    /// The state machines in which it decides.
    pub machines: Vec<String>,
}

/// A function, constant or macro.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Its file, from the root of the project.
    pub file: String,
    /// Its name, with its type's before it.
    pub item: String,
}

impl Coverage {
    /// The coverage that was last generated.
    pub fn recorded() -> Coverage {
        let text = include_str!("../../../spec/generated/coverage.json");
        serde_json::from_str(text).expect("coverage.json is what `to_json` wrote")
    }

    /// The coverage of `sources`.
    ///
    /// # Errors
    /// A source that is not Rust.
    pub fn of(sources: &Sources, tables: &Tables, machines: &[Chart]) -> io::Result<Coverage> {
        let (enforced, shown) = scan::mentions(sources)?;
        let places = |mentions: &scan::Mentions, clause| {
            mentions.get(&clause).map_or_else(Vec::new, |places| places.iter().cloned().collect())
        };
        let covered = |clause: Clause| Covered {
            id: clause.id().to_owned(),
            name: clause.name().to_owned(),
            chapter: clause.chapter().to_owned(),
            enforced: places(&enforced, clause),
            shown: places(&shown, clause),
            fields: tables
                .messages()
                .flat_map(|message| message.fields.iter().map(move |field| (message, field)))
                .filter(|(_, field)| field.checked_by.contains(&clause))
                .map(|(message, field)| format!("{}.{}", message.name, field.name))
                .collect(),
            machines: machines
                .iter()
                .filter(|machine| machine.names(clause))
                .map(|machine| machine.name.to_owned())
                .collect(),
        };
        Ok(Coverage { clauses: Clause::ALL.into_iter().map(covered).collect() })
    }

    /// The entry of a clause.
    pub fn covered(&self, clause: Clause) -> Option<&Covered> {
        self.clauses.iter().find(|covered| covered.id == clause.id())
    }

    /// The ids of the clauses that no code enforces.
    pub fn unenforced(&self) -> Vec<&str> {
        self.clauses.iter().filter(|c| c.enforced.is_empty()).map(|c| c.id.as_str()).collect()
    }

    /// The ids of the clauses that no test shows.
    pub fn unshown(&self) -> Vec<&str> {
        self.clauses.iter().filter(|c| c.shown.is_empty()).map(|c| c.id.as_str()).collect()
    }

    /// As JSON, for programs.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("names and lists are JSON");
        text.push('\n');
        text
    }

    /// As tables, one for each chapter.
    pub fn render(&self) -> String {
        let mut out = heading("Coverage", "the sources");
        let (all, enforced, shown) = (
            self.clauses.len(),
            self.clauses.len() - self.unenforced().len(),
            self.clauses.len() - self.unshown().len(),
        );
        write!(out, "\n{all} clauses; {enforced} enforced by code, {shown} shown by tests.\n")
            .expect("a string grows");
        let mut chapter = "";
        for covered in &self.clauses {
            if covered.chapter != chapter {
                chapter = &covered.chapter;
                write!(
                    out,
                    "\n## [{chapter}](../chapters/{chapter})\n\n\
                     | clause | enforced in | shown by | fields | machines |\n|---|---|---|---|---|\n"
                )
                .expect("a string grows");
            }
            writeln!(
                out,
                "| {} {} | {} | {} | {} | {} |",
                covered.id,
                covered.name,
                places(&covered.enforced),
                places(&covered.shown),
                words(&covered.fields),
                words(&covered.machines)
            )
            .expect("a string grows");
        }
        out
    }
}

fn places(places: &[Place]) -> String {
    let links = places.iter().map(|place| format!("[`{}`](../../{})", cell(&place.item), place.file));
    let links: Vec<String> = links.collect();
    if links.is_empty() { "**nothing**".to_owned() } else { links.join("<br>") }
}

fn words(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(" ")
}
