//! Networks that are founded once and live many lives: most of what a short life costs is its birth.
//!
//! What is kept is what the rules and the setup alone make, so a life goes the same with a nursery and without.

use crate::simulator::Foundation;
use crate::sut::{OddCertificates, Rig};
use bemr::crypto::Suite;
use bemr_model::Setup;
use bemr_spec::{Refusal, Rules};
use std::collections::VecDeque;

/// How many networks are kept.
const MOST: usize = 512;

/// What a network begins with, before anybody is there.
#[derive(Clone)]
struct Founded {
    foundation: Foundation,
    odd: OddCertificates,
}

/// The networks that were founded last.
#[derive(Default)]
pub struct Nursery {
    founded: VecDeque<((Rules, Setup), Founded)>,
}

impl std::fmt::Debug for Nursery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nursery({})", self.founded.len())
    }
}

impl Nursery {
    /// The implementation's side, with certificates that do not hold.
    ///
    /// # Errors
    /// As [`Rig::on`].
    pub(super) fn rig(
        &mut self,
        rules: Rules,
        setup: &Setup,
    ) -> Result<(Rig, crate::forge::Certificates), Refusal> {
        // Users and sessions come later.
        let key = (rules, Setup { users: 0, acquainted: false, ..*setup });
        let place = self.founded.iter().position(|(known, _)| *known == key);
        let Founded { foundation, odd } = match place {
            Some(place) => self.founded[place].1.clone(),
            None => {
                let foundation = Rig::foundation_of(Suite::Tiny, rules, setup)?;
                let odd = OddCertificates::of(&foundation)?;
                let founded = Founded { foundation, odd };
                self.founded.truncate(MOST - 1);
                self.founded.push_front((key, founded.clone()));
                founded
            }
        };
        let mut rig = Rig::founded(foundation, rules, setup)?;
        let odd = rig.hand_out(odd)?;
        Ok((rig, odd))
    }
}
