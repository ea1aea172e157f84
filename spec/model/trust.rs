//! The KDC's certificates and revocation lists, as an actor knows them (chapter 4).
//!
//! Everybody goes on under the certificate that they begin with: it runs out, and it is revoked; nobody takes up a new one.

use crate::checks::Checks;
use crate::rename::renamed;
use crate::{Actor, Flaws, Members, RevocationList, Serial, Setup, Time};
use bemr_spec::{Clause, Rules, order};

/// What one actor trusts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Trust {
    users: u8,
    /// When the certificates that everybody begins with run out.
    ends: Time,
    list: RevocationList,
}

/// Flaws of which each has another certificate shown: true, but not the one that the principal acts under.
const ODD: [Clause; 5] = [
    Clause::CertificateWithinValidity,
    Clause::CertificateNotRevoked,
    Clause::SubjectIsClaimedPrincipal,
    Clause::RoleMaySubmit,
    Clause::RoleFitsPlace,
];

/// The serial of the certificate that an actor begins with.
pub(super) fn first_serial(users: u8, actor: Actor) -> Option<Serial> {
    let serial = match actor {
        Actor::Bsd => 1,
        Actor::Cloud => 2,
        Actor::User(number) if number < users => 3 + Serial::from(number),
        Actor::User(_) | Actor::Kdc => return None,
        Actor::Validator(number) => 3 + Serial::from(users) + Serial::from(number),
    };
    Some(serial)
}

impl Trust {
    /// What everybody begins with: the KDC's first list.
    pub(super) fn new(setup: &Setup) -> Trust {
        let list =
            RevocationList { number: 1, issued: 0, next_update: setup.lifetimes.list, serials: Vec::new() };
        Trust { users: setup.users, ends: setup.lifetimes.certificate, list }
    }

    /// The number of the list held.
    pub(super) const fn list(&self) -> u32 {
        self.list.number
    }

    /// Takes a newer list.
    pub(super) fn take(&mut self, rules: &Rules, list: &RevocationList, flaws: Flaws) -> Result<(), Clause> {
        let mut asked = Checks::of(rules, flaws).in_order(order::REVOCATION_LIST);
        asked.require(Clause::RevocationListAdvances, list.number > self.list.number)?;
        asked.rest()?;
        self.list = list.clone();
        Ok(())
    }

    /// Whether a certificate that was verified before still holds.
    pub(super) fn recheck(&self, checks: &Checks<'_>, now: Time, holder: Actor) -> Result<(), Clause> {
        checks.require(Clause::CertificateWithinValidity, now < self.ends)?;
        self.recheck_as_signed(checks, now, holder)
    }

    /// As [`Trust::recheck`], for what was signed while the certificate was valid: whoever took it then saw to that.
    pub(super) fn recheck_as_signed(
        &self,
        checks: &Checks<'_>,
        now: Time,
        holder: Actor,
    ) -> Result<(), Clause> {
        let mut asked = checks.in_order(order::CERTIFICATE_NOW);
        asked.require(Clause::CertificateWithinValidity, true)?;
        let current = self.list.issued <= now && now < self.list.next_update;
        asked.require(Clause::RevocationListIsCurrent, current)?;
        let odd = ODD.iter().any(|flaw| checks.has(*flaw));
        let revoked = first_serial(self.users, holder)
            .is_some_and(|serial| self.list.serials.binary_search(&serial).is_ok());
        asked.require(Clause::CertificateNotRevoked, odd || !revoked)
    }

    /// Whether these users hold certificates under which what they are named in was signed.
    pub(super) fn certifies(&self, rules: &Rules, now: Time, users: Members) -> bool {
        let checks = Checks::of(rules, Flaws::NONE);
        users.iter().all(|user| self.recheck_as_signed(&checks, now, Actor::User(user)).is_ok())
    }

    /// A certificate that is shown, in the order of chapter 4.
    pub(super) fn verify(&self, checks: &Checks<'_>, now: Time, holder: Actor) -> Result<(), Clause> {
        Trust::is_the_kdcs(checks)?;
        self.recheck(checks, now, holder)
    }

    /// As [`Trust::verify`], of what was signed before.
    pub(super) fn verify_as_signed(
        &self,
        checks: &Checks<'_>,
        now: Time,
        holder: Actor,
    ) -> Result<(), Clause> {
        Trust::is_the_kdcs(checks)?;
        self.recheck_as_signed(checks, now, holder)
    }

    /// The checks of a certificate up to the KDC's signature. The KDC certifies only elements that differ: a flaw of GRP-01,
    /// GRP-02 or KEY-03 is of what else the message holds.
    fn is_the_kdcs(checks: &Checks<'_>) -> Result<(), Clause> {
        checks.in_order(order::CERTIFICATE).require(Clause::CertificateSignedByKdc, true)
    }
}

renamed!(Trust { users: of_nobody, ends, list });
