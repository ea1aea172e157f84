//! The KDC: certifies keys, takes certificates back, makes lists of them (chapter 4).

use crate::checks::Checks;
use crate::trust::first_serial;
use crate::{
    Actor, Command, Enrolment, Flaws, Gossip, Key, Lifetimes, Output, RevocationList, Role, Serial, Setup,
    Time, View,
};
use bemr_spec::{Clause, Rules, order};
use std::collections::{BTreeMap, BTreeSet};

/// The latest certificate of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Issued {
    serial: Serial,
    not_after: Time,
}

/// The KDC.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kdc {
    lifetimes: Lifetimes,
    latest: BTreeMap<Actor, Issued>,
    certified: BTreeSet<Key>,
    revoked: BTreeSet<Serial>,
    serial: Serial,
    list: u32,
    /// Whether somebody got a second certificate while the first was in force: only without KEY-02.
    pub(super) doubled: bool,
}

impl Kdc {
    /// A KDC that has certified everybody in `setup`, and made its first list.
    pub(super) fn new(setup: &Setup, everybody: impl Iterator<Item = Actor>) -> Kdc {
        let not_after = setup.lifetimes.certificate;
        let latest: BTreeMap<Actor, Issued> = everybody
            .filter_map(|actor| {
                Some((actor, Issued { serial: first_serial(setup.users, actor)?, not_after }))
            })
            .collect();
        let serial = latest.len() as Serial;
        let certified = (0..2 * serial).map(Key).collect();
        Kdc {
            lifetimes: setup.lifetimes,
            latest,
            certified,
            revoked: BTreeSet::new(),
            serial,
            list: 1,
            doubled: false,
        }
    }

    pub(super) fn command(
        &mut self,
        rules: &Rules,
        now: Time,
        command: Command,
    ) -> Option<Result<Vec<Output>, Clause>> {
        match command {
            Command::Enrol(request) => Some(self.enrol(rules, now, &request).map(|()| Vec::new())),
            Command::RevokeCertificate { subject } => {
                self.revoked.insert(self.latest.get(&subject)?.serial);
                Some(Ok(vec![self.issue_list(now)]))
            }
            Command::IssueList => Some(Ok(vec![self.issue_list(now)])),
            _ => None,
        }
    }

    fn enrol(&mut self, rules: &Rules, now: Time, request: &Enrolment) -> Result<(), Clause> {
        let mut asked = Checks::of(rules, request.flaws).in_order(order::ENROLMENT);
        // Everybody is admitted who has a certificate at the beginning, in the role that it is for.
        let subject = request.subject.filter(|subject| self.latest.contains_key(subject));
        let admitted = subject.is_some_and(|subject| Role::of(subject) == Some(request.role));
        asked.require(Clause::EnrolmentIsAdmitted, admitted)?;
        let keys = [request.signing, request.agreement];
        let fresh = keys[0] != keys[1] && keys.iter().all(|key| !self.certified.contains(key));
        asked.require(Clause::KeysHaveOneUse, fresh)?;
        let latest = subject.and_then(|subject| self.latest.get(&subject));
        let in_force = latest.is_some_and(|one| now < one.not_after && !self.revoked.contains(&one.serial));
        asked.require(Clause::OnePrincipalOneCertificate, !in_force)?;
        asked.rest()?;
        self.doubled |= in_force;
        self.serial += 1;
        self.certified.extend(keys);
        if let Some(subject) = subject {
            let not_after = now.saturating_add(self.lifetimes.certificate);
            self.latest.insert(subject, Issued { serial: self.serial, not_after });
        }
        Ok(())
    }

    fn issue_list(&mut self, now: Time) -> Output {
        self.list += 1;
        let list = RevocationList {
            number: self.list,
            issued: now,
            next_update: now.saturating_add(self.lifetimes.list),
            serials: self.revoked.iter().copied().collect(),
        };
        Output::Publish(Gossip::RevocationList { list, flaws: Flaws::NONE })
    }

    pub(super) fn view(&self) -> View {
        View::Kdc { serial: self.serial, revoked: self.revoked.iter().copied().collect(), list: self.list }
    }
}
