//! The attacks of chapter 18: each is carried out on the protocol as the paper has it, and stopped by the clauses that the
//! chapter names.
//!
//! *Searched* attacks are not written down anywhere: what is written down is what the adversary can do, which clauses the
//! paper does not have, and which goal is at stake. A search of the model finds the run, the implementation goes through it
//! with real bytes, and under every clause in force one of them refuses it. *Computed* attacks are equations or bytes at
//! real sizes, or are measured over many runs.

mod algebra;
pub mod algebraic;
mod bytes;
mod catalogue;
pub mod cliff;
mod forged;
mod limits;
mod pair;
mod rates;
mod report;
mod scenes;
mod shown;
mod weakness;

pub use algebra::{encoded, refusal_of};
pub use catalogue::{Attack, CATALOGUE, How};
pub use limits::limited;
pub use pair::{Pair, Side, carry_out};
pub use report::{Hardened, Outcome, Published, Row, TABLE, markdown, outcome};
pub use shown::{Exhibit, exhibit};
pub use weakness::{WEAKNESSES, Weakness, weaknesses, weaknesses_as_markdown};
