//! Why a clause is there whose lack breaks no goal.

use bemr_spec::Clause;
#[allow(unused_imports)]
use bemr_spec::Clause::*;

/// Clauses whose mutant is noticed by a difference alone, and what they are for.
pub const DEFENCE: &[(Clause, &str)] = &[];
