//! The kill matrix: what each check says of a protocol that lacks one clause.
//!
//! For every clause there is a mutant, `Rules::hardened().without(clause)`. Every [`Checker`] is shown every mutant, and says
//! whether it notices, after how many cases, and how many steps show it. A clause that nobody notices the lack of is a clause
//! that the checks do not check. As a control every checker is shown the rules with nothing missing, and has to notice nothing.
//!
//! Checkers that share a way of going wrong are of one [`Family`]: two of one family count once. Nothing is measured in time:
//! the same sources give the same matrix.
//!
//! Nothing here decides what a clause is for. Clauses whose lack breaks no goal that the model has are named in [`DEFENCE`],
//! each with the reason for it.

mod attack;
mod checker;
mod corpus;
mod fuzz;
mod goals;
mod lockstep;
mod matrix;
mod reasons;
mod report;
mod traces;
pub mod unit;

pub use checker::{CHECKERS, Checker, Family, Finding, Kind, Mutant, Notice};
pub use corpus::{Corpus, CorpusError, WitnessTrace};
pub use matrix::{Matrix, Progress, Row, run};
pub use reasons::DEFENCE;
pub use report::{Entry, Published, render};
