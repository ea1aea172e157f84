//! The attacks of chapter 18: each is executed on the protocol as published, and stopped by the clauses that the chapter names.
//!
//! For a *searched* attack the catalogue states what the adversary can do, which clauses the paper does not have, and which goal is at
//! stake. A search of the model finds the run, model and implementation execute it in lockstep with real bytes, and with every clause in
//! force one of them refuses it. *Computed* attacks are equations or bytes at real sizes, or are measured over many runs.

mod algebra;
pub mod algebraic;
mod bytes;
mod capabilities;
mod catalogue;
mod evidence;
mod forged;
mod limits;
mod rates;
mod replay;
mod report;
mod scenarios;
pub mod threshold;

pub use algebra::{encoded, refusal_of};
pub use capabilities::{WEAKNESSES, Weakness, weaknesses, weaknesses_as_markdown};
pub use catalogue::{Attack, CATALOGUE, How};
pub use evidence::{Evidence, evidence_of};
pub use limits::limited;
pub use replay::{Pair, Side, carry_out};
pub use report::{Hardened, Outcome, Published, Row, TABLE, markdown, outcome};
