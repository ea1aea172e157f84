//! Inputs out of nothing, from what is declared: for a campaign that begins without a corpus, and for what no corpus holds.
//!
//! Nothing that was kept is looked at here: mutators do that.

mod resource;
mod run;

pub use resource::resource;
pub use run::life;
