//! The evidence that a computed attack works, and the clause that stops it.

use crate::attacks::{Attack, How};
use bemr_spec::{Clause, Refusal, Rules};
use serde::Serialize;

/// An attack that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What the adversary has at the end.
    pub published: String,
    /// The clause that stops it.
    pub refused_by: Clause,
    /// How many steps or tries it took.
    pub steps: usize,
}

/// Executes an attack that is computed; nothing for the others.
pub fn evidence_of(attack: &Attack) -> Option<Result<Evidence, String>> {
    match attack.how {
        How::Computed { show, .. } => Some(show()),
        How::Searched { .. } => None,
    }
}

/// The attempt succeeds where `clause` is missing and is refused where it is in force.
pub(super) fn stopped_by(
    clause: Clause,
    attempt: impl Fn(&Rules) -> Result<String, Refusal>,
) -> Result<Evidence, String> {
    let published = attempt(&Rules::hardened().without(clause))
        .map_err(|refusal| format!("refused without {}: {refusal}", clause.id()))?;
    match attempt(&Rules::hardened()) {
        Ok(_) => Err(format!("{} does not stop it", clause.id())),
        Err(_) => Ok(Evidence { published, refused_by: clause, steps: 1 }),
    }
}
