//! Grants, revocations and erasures.

use super::{Edits, Forge, change, nobody, other_suite, table};
use bemr::crypto::Domain;
use bemr::keys::Permission;
use bemr::wire::{Erase, EraseBody, Grant, GrantBody, Message, Revoke, RevokeBody, Time, encode};
use bemr_model::Flaws;
use bemr_spec::Clause;

const GRANT: &Edits<GrantBody> = &[
    (Clause::ProtocolVersionIsOne, &[|body| body.version = 2]),
    (Clause::SuiteMatches, &[|body| body.suite = other_suite(body.suite)]),
    (Clause::StatementAdvances, &[|body| body.issued = Time(0)]),
    (Clause::GrantByOwner, &[|_| (), |body| body.cloud = nobody(), |body| body.owner = nobody()]),
];

const REVOKE: &Edits<RevokeBody> = &[
    (Clause::ProtocolVersionIsOne, &[|body| body.version = 2]),
    (Clause::SuiteMatches, &[|body| body.suite = other_suite(body.suite)]),
    (Clause::StatementAdvances, &[|body| body.issued = Time(0)]),
    (Clause::RevokeByOwner, &[|_| (), |body| body.cloud = nobody(), |body| body.owner = nobody()]),
];

const ERASE: &Edits<EraseBody> = &[
    (Clause::ProtocolVersionIsOne, &[|body| body.version = 2]),
    (Clause::SuiteMatches, &[|body| body.suite = other_suite(body.suite)]),
    (Clause::ErasureByAuthority, &[|body| body.cloud = nobody(), |_| (), |_| (), |_| ()]),
];

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
        let mut forged = genuine.clone();
        let body = &mut forged.body;
        self.edit(GRANT, body, flaws);
        if flaws.has(Clause::RoleMayRead) {
            // The administrator or server with whom the forger can do most.
            let barred = || self.directory.iter().filter(|one| !one.role().may(Permission::Read));
            let reader = barred().find(|one| self.certificate(one.certificate(), flaws).is_some())?;
            body.key.reader = reader.name().clone();
            forged.reader = reader.certificate().clone();
        }
        forged.reader = self.certificate(&forged.reader, flaws)?;
        let (owner, body) = (&genuine.body.owner, encode(body));
        forged.signature = self.signed(flaws, (Clause::GrantByOwner, 3), owner, Domain::GRANT, &body)?;
        Some(forged)
    }

    /// A revocation of its owner. CLD-16 as of a grant.
    pub fn revoke(&self, genuine: &Revoke, flaws: Flaws) -> Option<Revoke> {
        table::require("Revoke", flaws)?;
        let mut forged = genuine.clone();
        self.edit(REVOKE, &mut forged.body, flaws);
        let (owner, body) = (&genuine.body.owner, encode(&forged.body));
        forged.signature = self.signed(flaws, (Clause::RevokeByOwner, 3), owner, Domain::REVOKE, &body)?;
        Some(forged)
    }

    /// An erasure of its authorities, who all conspire. Beside a flaw of a certificate, CLD-13 is about the cloud's name, and
    /// comes first.
    pub fn erase(&self, genuine: &Erase, flaws: Flaws) -> Option<Erase> {
        table::require("Erase", flaws)?;
        let mut forged = genuine.clone();
        self.edit(ERASE, &mut forged.body, flaws);
        let message = encode(&forged.body);
        let way = flaws.has(Clause::ErasureByAuthority).then(|| self.way(flaws, 4));
        change(&mut forged.approvals, |approvals| {
            for (place, approval) in approvals.iter_mut().enumerate() {
                let (signed, who) = (way != Some(1) || place > 0, &approval.authority.body.subject);
                approval.signature = self.sign_or_not(signed, flaws, who, Domain::ERASE, &message)?;
            }
            let first = approvals.first_mut()?;
            first.authority = self.certificate(&first.authority, flaws)?;
            match way {
                Some(2) => drop(approvals.pop()?),
                Some(3) => *approvals.last_mut()? = approvals.first()?.clone(),
                _ => {}
            }
            Some(())
        })?;
        Some(forged)
    }
}
