//! Grants, revocations and erasures.

use super::{Forge, nobody, other_suite, table};
use bemr::crypto::Domain;
use bemr::keys::Permission;
use bemr::wire::{Erase, Grant, Message, Name, Revoke, Time, encode};
use bemr_model::Flaws;
use bemr_spec::Clause;

impl Forge<'_> {
    /// A grant, revocation or erasure; nothing for another message.
    pub fn order(&self, genuine: &Message, flaws: Flaws) -> Option<Message> {
        match genuine {
            Message::Grant(grant) => Some(Message::Grant(Box::new(self.grant(grant, flaws)?))),
            Message::Revoke(revoke) => Some(Message::Revoke(self.revoke(revoke, flaws)?)),
            Message::Erase(erase) => Some(Message::Erase(self.erase(erase, flaws)?)),
            _ => None,
        }
    }

    /// A grant of its owner. CLD-16 fails where a grant to this reader was revoked before.
    pub fn grant(&self, genuine: &Grant, flaws: Flaws) -> Option<Grant> {
        table::require("Grant", flaws)?;
        let owner = genuine.body.owner.clone();
        let mut forged = genuine.clone();
        let body = &mut forged.body;
        if flaws.has(Clause::ProtocolVersionIsOne) {
            body.version = 2;
        }
        if flaws.has(Clause::SuiteMatches) {
            body.suite = other_suite(body.suite);
        }
        if flaws.has(Clause::StatementAdvances) {
            body.issued = Time(0);
        }
        if flaws.has(Clause::RoleMayRead) {
            // The administrator or server with whom the forger can do most.
            let barred = || self.directory.iter().filter(|one| !one.role().may(Permission::Read));
            let reader = barred().find(|one| self.certificate(one.certificate(), flaws).is_some())?;
            body.key.reader = reader.name().clone();
            forged.reader = reader.certificate().clone();
        }
        forged.reader = self.certificate(&forged.reader, flaws)?;
        let signed = self.spoil_owner(&mut body.owner, &mut body.cloud, flaws, Clause::GrantByOwner);
        forged.signature = self.sign_or_not(signed, flaws, &owner, Domain::GRANT, &encode(body))?;
        Some(forged)
    }

    /// A revocation of its owner. CLD-16 as of a grant.
    pub fn revoke(&self, genuine: &Revoke, flaws: Flaws) -> Option<Revoke> {
        table::require("Revoke", flaws)?;
        let owner = genuine.body.owner.clone();
        let mut forged = genuine.clone();
        let body = &mut forged.body;
        if flaws.has(Clause::ProtocolVersionIsOne) {
            body.version = 2;
        }
        if flaws.has(Clause::SuiteMatches) {
            body.suite = other_suite(body.suite);
        }
        if flaws.has(Clause::StatementAdvances) {
            body.issued = Time(0);
        }
        let signed = self.spoil_owner(&mut body.owner, &mut body.cloud, flaws, Clause::RevokeByOwner);
        forged.signature = self.sign_or_not(signed, flaws, &owner, Domain::REVOKE, &encode(body))?;
        Some(forged)
    }

    /// Whether the statement shall be signed; with `clause` among the flaws something is wrong with it.
    fn spoil_owner(&self, owner: &mut Name, cloud: &mut Name, flaws: Flaws, clause: Clause) -> bool {
        match flaws.has(clause).then(|| self.way(flaws, 3)) {
            Some(0) => return false,
            Some(1) => *cloud = nobody(),
            Some(_) => *owner = nobody(),
            None => {}
        }
        true
    }

    /// An erasure of its authorities, who all conspire. AuxiliaryProperty a flaw of a certificate, CLD-13 is about the cloud's name, and
    /// comes first.
    pub fn erase(&self, genuine: &Erase, flaws: Flaws) -> Option<Erase> {
        table::require("Erase", flaws)?;
        let mut forged = genuine.clone();
        let body = &mut forged.body;
        if flaws.has(Clause::ProtocolVersionIsOne) {
            body.version = 2;
        }
        if flaws.has(Clause::SuiteMatches) {
            body.suite = other_suite(body.suite);
        }
        let way = flaws.has(Clause::ErasureByAuthority).then(|| self.way(flaws, 4));
        if way == Some(0) {
            body.cloud = nobody();
        }
        let message = encode(body);
        let mut approvals = forged.approvals.as_slice().to_vec();
        for (place, approval) in approvals.iter_mut().enumerate() {
            let signed = way != Some(1) || place > 0;
            approval.signature =
                self.sign_or_not(signed, flaws, &approval.authority.body.subject, Domain::ERASE, &message)?;
        }
        let first = approvals.first_mut()?;
        first.authority = self.certificate(&first.authority, flaws)?;
        match way {
            Some(2) => drop(approvals.pop()?),
            Some(3) => *approvals.last_mut()? = approvals.first()?.clone(),
            _ => {}
        }
        forged.approvals = approvals.into();
        Some(forged)
    }
}
