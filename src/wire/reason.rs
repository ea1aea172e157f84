//! Why a submission or a request was refused.

use bemr_spec::Clause;
use std::fmt;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// The clause that decided, two bytes on the wire: the code of the clause, or zero for none.
///
/// A code that no clause of this version has decodes and encodes unchanged, and names no clause: the sender may follow
/// a later version.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
pub struct Reason(u16);

impl Reason {
    /// No clause: the record was committed, or the request carried out.
    pub const NONE: Reason = Reason(0);

    /// The reason with this code of the register; zero for none.
    pub const fn from_code(code: u16) -> Reason {
        Reason(code)
    }

    /// The clause; nothing for [`Reason::NONE`] and for a code that no clause has.
    pub fn clause(self) -> Option<Clause> {
        Clause::from_code(self.0)
    }
}

impl From<Clause> for Reason {
    fn from(clause: Clause) -> Reason {
        Reason(clause.code())
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.clause() {
            Some(clause) => write!(f, "Reason({})", clause.id()),
            None => write!(f, "Reason({})", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{decode, encode};
    use bemr_spec::Rules;

    #[test]
    fn every_code_decodes_and_only_a_clause_names_one() {
        let rules = Rules::hardened();
        for code in 0..=u16::MAX {
            let reason: Reason = decode(&rules, &code.to_be_bytes()).unwrap();
            assert_eq!(encode(&reason), code.to_be_bytes());
            assert_eq!(reason.clause().map(Clause::code), Clause::from_code(code).map(|_| code));
        }
        assert_eq!(Reason::NONE.clause(), None);
        assert_eq!(Reason::from(Clause::RangeRule).clause(), Some(Clause::RangeRule));
    }
}
