//! The trust store: one pinned KDC key, its newest revocation list, and the certificates verified so far.
//!
//! A [`Certificate`] is bytes that claim something. A [`CertifiedPrincipal`] can only come from here.

use crate::crypto::{Digest, Domain, EncapsulationKey, Suite, VerifyingKey};
use crate::wire::{Certificate, Name, PROTOCOL_VERSION, RevocationList, Role, Time, encode};
use bemr_spec::{Clause, Refusal, Rules, constants};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What everybody pins: the KDC's name and public key.
#[derive(Clone, Debug)]
pub struct TrustAnchor {
    /// The KDC.
    pub issuer: Name,
    /// The suite of its key and of every key that it certifies.
    pub suite: Suite,
    /// Its public signing key.
    pub key: VerifyingKey,
}

/// A principal whose certificate a trust store verified, with its keys parsed and prepared.
///
/// A certificate that nobody verified cannot stand in its place:
///
/// ```compile_fail,E0308
/// fn trust(certificate: &bemr::wire::Certificate) -> &bemr::keys::CertifiedPrincipal {
///     certificate
/// }
/// ```
///
/// The certificate held when it was verified; [`TrustStore::recheck`] checks whether it still does.
#[derive(Debug)]
pub struct CertifiedPrincipal {
    certificate: Certificate,
    signing: VerifyingKey,
    agreement: EncapsulationKey,
}

impl CertifiedPrincipal {
    /// The certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whose it is.
    pub const fn name(&self) -> &Name {
        &self.certificate.body.subject
    }

    /// The one role of the principal.
    pub const fn role(&self) -> Role {
        self.certificate.body.role
    }

    /// The public signing key.
    pub const fn signing_key(&self) -> &VerifyingKey {
        &self.signing
    }

    /// The public agreement key.
    pub const fn agreement_key(&self) -> &EncapsulationKey {
        &self.agreement
    }

    /// Goes on when a message that claims to come from `name` in `role` may come from this principal.
    ///
    /// # Errors
    /// KEY-09.
    pub fn require_claim(&self, rules: &Rules, name: &Name, role: Role) -> Result<(), Refusal> {
        rules
            .require(Clause::SubjectIsClaimedPrincipal, self.name() == name && self.role() == role)
            .map_err(|refusal| refusal.at(format!("{name} as {}", role.name())))
    }
}

/// Verifies certificates.
#[derive(Clone, Debug)]
pub struct TrustStore {
    anchor: TrustAnchor,
    list: RevocationList,
    verified: BTreeMap<Digest, Arc<CertifiedPrincipal>>,
}

impl TrustStore {
    /// A store that trusts `anchor` and starts from its revocation list `list`.
    ///
    /// # Errors
    /// As [`TrustStore::update`].
    pub fn new(rules: &Rules, mut anchor: TrustAnchor, list: RevocationList) -> Result<TrustStore, Refusal> {
        anchor.key.precompute();
        check_list(rules, &anchor, None, &list)?;
        Ok(TrustStore { anchor, list, verified: BTreeMap::new() })
    }

    /// The suite of every key in this system.
    pub const fn suite(&self) -> Suite {
        self.anchor.suite
    }

    /// The revocation list in use.
    pub const fn revocation_list(&self) -> &RevocationList {
        &self.list
    }

    /// Takes a newer revocation list.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(revocation_list)]
    pub fn update(&mut self, rules: &Rules, list: RevocationList) -> Result<(), Refusal> {
        check_list(rules, &self.anchor, Some(&self.list), &list)?;
        self.list = list;
        Ok(())
    }

    /// Holds again a list that it held before.
    pub(crate) fn hold(&mut self, list: RevocationList) {
        self.list = list;
    }

    /// The principal that `certificate` vouches for, when it holds at `now`.
    ///
    /// The signature of a certificate is verified once; its validity and revocation every time.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(certificate)]
    pub fn verify(
        &mut self,
        rules: &Rules,
        now: Time,
        certificate: &Certificate,
    ) -> Result<Arc<CertifiedPrincipal>, Refusal> {
        self.verify_as_of(rules, now, now, certificate)
    }

    /// As [`TrustStore::verify`], for what was signed at `then`: the certificate has to have been valid then, and
    /// not to be revoked now.
    ///
    /// # Errors
    /// As [`TrustStore::verify`].
    pub fn verify_as_of(
        &mut self,
        rules: &Rules,
        now: Time,
        then: Time,
        certificate: &Certificate,
    ) -> Result<Arc<CertifiedPrincipal>, Refusal> {
        let digest = Digest::of(Domain::CERTIFICATE, &encode(certificate));
        let known = self.verified.get(&digest).cloned();
        let principal = match known {
            Some(principal) => principal,
            None => Arc::new(self.parse(rules, certificate)?),
        };
        self.recheck_as_of(rules, now, then, &principal)?;
        // A mutant that skips the signature must not leave behind a memory that it was verified.
        if rules.in_force(Clause::CertificateSignedByKdc) && !self.verified.contains_key(&digest) {
            self.make_room(now);
            self.verified.insert(digest, Arc::clone(&principal));
        }
        Ok(principal)
    }

    /// Goes on when a principal verified before still holds its certificate at `now`.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(certificate_now)]
    pub fn recheck(&self, rules: &Rules, now: Time, principal: &CertifiedPrincipal) -> Result<(), Refusal> {
        self.recheck_as_of(rules, now, now, principal)
    }

    /// As [`TrustStore::recheck`], for what was signed at `then`: the certificate has to have been valid then, and not to
    /// be revoked now.
    ///
    /// # Errors
    /// As [`TrustStore::recheck`].
    pub fn recheck_as_of(
        &self,
        rules: &Rules,
        now: Time,
        then: Time,
        principal: &CertifiedPrincipal,
    ) -> Result<(), Refusal> {
        let body = &principal.certificate.body;
        let list = &self.list.body;
        rules
            .require(Clause::CertificateWithinValidity, body.not_before <= then && then < body.not_after)
            .and_then(|()| {
                rules.require(Clause::RevocationListIsCurrent, list.issued <= now && now < list.next_update)
            })
            .and_then(|()| {
                rules.check(Clause::CertificateNotRevoked, || {
                    list.serials.as_slice().binary_search(&body.serial).is_err()
                })
            })
            .map_err(|refusal| refusal.at(body.subject.as_str()))
    }

    fn parse(&self, rules: &Rules, certificate: &Certificate) -> Result<CertifiedPrincipal, Refusal> {
        let body = &certificate.body;
        rules.require(Clause::ProtocolVersionIsOne, body.version == PROTOCOL_VERSION)?;
        rules.require(Clause::SuiteMatches, body.suite == self.anchor.suite)?;
        let (key, signature) = (&self.anchor.key, &certificate.signature);
        rules
            .require(Clause::CertificateSignedByKdc, body.issuer == self.anchor.issuer)
            .and_then(|()| {
                key.vouches(
                    rules,
                    Clause::CertificateSignedByKdc,
                    Domain::CERTIFICATE,
                    &encode(body),
                    signature,
                )
            })
            .map_err(|refusal| refusal.at(body.subject.as_str()))?;
        let mut signing = VerifyingKey::decode(rules, self.anchor.suite, body.signing_key.as_slice())
            .map_err(|refusal| refusal.at("signing_key"))?;
        let agreement = EncapsulationKey::decode(rules, self.anchor.suite, body.agreement_key.as_slice())
            .map_err(|refusal| refusal.at("agreement_key"))?;
        rules.require(Clause::KeysHaveOneUse, body.signing_key != body.agreement_key)?;
        signing.precompute();
        Ok(CertifiedPrincipal { certificate: certificate.clone(), signing, agreement })
    }

    /// Forgets the certificates that have expired, or one, when the memory is full.
    fn make_room(&mut self, now: Time) {
        if self.verified.len() >= constants::CERTIFICATES_REMEMBERED {
            self.verified.retain(|_, principal| now < principal.certificate.body.not_after);
        }
        if self.verified.len() >= constants::CERTIFICATES_REMEMBERED {
            self.verified.pop_first();
        }
    }
}

fn check_list(
    rules: &Rules,
    anchor: &TrustAnchor,
    current: Option<&RevocationList>,
    list: &RevocationList,
) -> Result<(), Refusal> {
    let body = &list.body;
    rules.require(Clause::ProtocolVersionIsOne, body.version == PROTOCOL_VERSION)?;
    rules.require(Clause::SuiteMatches, body.suite == anchor.suite)?;
    rules
        .check(Clause::OneEncodingPerValue, || {
            body.serials.as_slice().is_sorted_by(|serial, next| serial < next)
        })
        .map_err(|refusal| refusal.at("serials"))?;
    rules
        .require(Clause::RevocationListAdvances, current.is_none_or(|current| body.list > current.body.list))
        .map_err(|refusal| refusal.at(format!("list {}", body.list)))?;
    rules.require(Clause::RevocationListSignedByKdc, body.issuer == anchor.issuer)?;
    let (clause, domain) = (Clause::RevocationListSignedByKdc, Domain::REVOCATION_LIST);
    anchor.key.vouches(rules, clause, domain, &encode(body), &list.signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{LIFETIMES, NOW, World};
    use crate::wire::Role;

    const HARD: Rules = Rules::hardened();

    /// A store that remembers as many certificates as it can, all of them alike.
    fn full(world: &mut World) -> TrustStore {
        let known = world.enrol("alice", Role::Doctor).certified().clone();
        let mut trust = world.trust.clone();
        trust.verified = (0..constants::CERTIFICATES_REMEMBERED as u64)
            .map(|n| (Digest::of(Domain::CERTIFICATE, &n.to_be_bytes()), Arc::clone(&known)))
            .collect();
        trust
    }

    #[test]
    fn one_certificate_gives_way_to_another_when_the_memory_is_full() {
        let mut world = World::new(51);
        let mut trust = full(&mut world);
        let before = trust.verified.clone();
        let bob = world.enrol("bob", Role::Doctor).certified().certificate().clone();
        trust.verify(&HARD, NOW, &bob).unwrap();
        assert_eq!(trust.verified.len(), constants::CERTIFICATES_REMEMBERED);
        assert_eq!(before.keys().filter(|digest| !trust.verified.contains_key(*digest)).count(), 1);
    }

    #[test]
    fn the_expired_make_room_first() {
        let mut world = World::new(52);
        let mut trust = full(&mut world);
        let end = NOW.after(LIFETIMES.certificate);
        let (_, request) = world.request("alice", Role::Doctor);
        let renewed = world.kdc.enrol(&HARD, end, &request).unwrap();
        trust.verify(&HARD, end, &renewed).unwrap();
        assert_eq!(trust.verified.len(), 1);
    }

    #[test]
    fn what_is_remembered_stays_while_there_is_room() {
        let mut world = World::new(53);
        for who in ["alice", "bob", "carol"] {
            world.enrol(who, Role::Doctor);
        }
        assert_eq!(world.trust.verified.len(), 3);
    }
}
