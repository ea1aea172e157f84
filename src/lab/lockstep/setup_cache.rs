//! Networks that are set up once for many runs: setting up is most of what a short run costs.
//!
//! The cache holds what depends on rules and setup alone, so that a run is the same with and without it.

use crate::simulator::ProvisionedKeys;
use crate::sut::{OddCertificates, SystemUnderTest};
use bemr::crypto::Suite;
use bemr_model::Setup;
use bemr_spec::{Refusal, Rules};
use std::collections::VecDeque;

/// How many networks are kept.
const MOST: usize = 512;

/// What a network begins with, before it has actors.
#[derive(Clone)]
struct CachedSetup {
    foundation: ProvisionedKeys,
    odd: OddCertificates,
}

/// The networks that were set up last.
#[derive(Default)]
pub struct SetupCache {
    founded: VecDeque<((Rules, Setup), CachedSetup)>,
}

impl std::fmt::Debug for SetupCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SetupCache({})", self.founded.len())
    }
}

impl SetupCache {
    /// The implementation's side, with certificates that do not hold.
    ///
    /// # Errors
    /// As [`SystemUnderTest::on`].
    pub(super) fn sut(
        &mut self,
        rules: Rules,
        setup: &Setup,
    ) -> Result<(SystemUnderTest, crate::forge::Certificates), Refusal> {
        // Users and sessions come later.
        let key = (rules, Setup { users: 0, established: false, ..*setup });
        let place = self.founded.iter().position(|(known, _)| *known == key);
        let CachedSetup { foundation, odd } = match place {
            Some(place) => self.founded[place].1.clone(),
            None => {
                let foundation = SystemUnderTest::foundation_of(Suite::Tiny, rules, setup)?;
                let odd = OddCertificates::of(&foundation)?;
                let founded = CachedSetup { foundation, odd };
                self.founded.truncate(MOST - 1);
                self.founded.push_front((key, founded.clone()));
                founded
            }
        };
        let mut sut = SystemUnderTest::founded(foundation, rules, setup)?;
        let odd = sut.hand_out(odd)?;
        Ok((sut, odd))
    }
}
