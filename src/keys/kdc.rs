//! The key distribution center: it certifies public keys and lists the certificates that it takes back.
//!
//! It is no escrow: no secret key of a principal is made here or comes here.

use crate::crypto::{Domain, EncapsulationKey, SigningKey, Suite, VerifyingKey};
use crate::keys::TrustAnchor;
use crate::wire::{
    Certificate, CertificateBody, EnrolmentRequest, Name, PROTOCOL_VERSION, RevocationList,
    RevocationListBody, Role, Time, Version, encode,
};
use bemr_spec::{Clause, Refusal, Rules};
use rand::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long what the KDC signs holds, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// A certificate.
    pub certificate: u64,
    /// A revocation list.
    pub list: u64,
}

/// The latest certificate of a subject.
#[derive(Clone)]
struct Issued {
    serial: u64,
    not_after: Time,
}

/// The KDC. It keeps one entry for each admitted principal and two for each certificate, and nothing for a refused
/// request.
// Two of it would give one serial twice: checkers alone go on twice from one beginning.
#[cfg_attr(bemr_weaken, derive(Clone))]
pub struct Kdc {
    name: Name,
    suite: Suite,
    signing: Arc<SigningKey>,
    lifetimes: Lifetimes,
    admitted: BTreeMap<Name, Role>,
    latest: BTreeMap<Name, Issued>,
    certified_keys: BTreeSet<Vec<u8>>,
    revoked: BTreeSet<u64>,
    last_serial: u64,
    last_list: Version,
}

impl Kdc {
    /// A KDC with a fresh signing key that has certified nobody.
    pub fn new<R: CryptoRng + ?Sized>(name: Name, suite: Suite, lifetimes: Lifetimes, rng: &mut R) -> Kdc {
        Kdc {
            name,
            suite,
            signing: Arc::new(SigningKey::generate(suite, rng)),
            lifetimes,
            admitted: BTreeMap::new(),
            latest: BTreeMap::new(),
            certified_keys: BTreeSet::new(),
            revoked: BTreeSet::new(),
            last_serial: 0,
            last_list: Version(0),
        }
    }

    /// What everybody pins.
    pub fn anchor(&self) -> TrustAnchor {
        TrustAnchor {
            issuer: self.name.clone(),
            suite: self.suite,
            key: self.signing.verifying_key().clone(),
        }
    }

    /// Admits `subject` to `role`, and to no other, as decided outside the protocol.
    pub fn admit(&mut self, subject: Name, role: Role) {
        self.admitted.insert(subject, role);
    }

    /// Certifies the keys of a request, from `now` on.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(enrolment)]
    pub fn enrol(
        &mut self,
        rules: &Rules,
        now: Time,
        request: &EnrolmentRequest,
    ) -> Result<Certificate, Refusal> {
        let body = &request.body;
        rules.require(Clause::ProtocolVersionIsOne, body.version == PROTOCOL_VERSION)?;
        rules.require(Clause::SuiteMatches, body.suite == self.suite)?;
        let signing = VerifyingKey::decode(rules, self.suite, body.signing_key.as_slice())
            .map_err(|refusal| refusal.at("signing_key"))?;
        let agreement = EncapsulationKey::decode(rules, self.suite, body.agreement_key.as_slice())
            .map_err(|refusal| refusal.at("agreement_key"))?;
        rules
            .check(Clause::EnrolmentIsAdmitted, || self.admitted.get(&body.subject) == Some(&body.role))
            .map_err(|refusal| refusal.at(format!("{} as {}", body.subject, body.role.name())))?;
        let keys = [body.signing_key.as_slice(), body.agreement_key.as_slice()];
        rules.check(Clause::KeysHaveOneUse, || {
            keys[0] != keys[1] && keys.iter().all(|key| !self.certified_keys.contains(*key))
        })?;
        rules
            .check(Clause::OnePrincipalOneCertificate, || !self.has_certificate_in_force(&body.subject, now))
            .map_err(|refusal| refusal.at(body.subject.as_str()))?;
        let message = encode(body);
        rules
            .check(Clause::EnrolmentProvesPossession, || {
                signing.verify(rules, Domain::POSSESSION_SIGNING, &message, &request.signing_proof)
            })
            .map_err(|refusal| refusal.at("signing_proof"))?;
        rules
            .check(Clause::EnrolmentProvesPossession, || {
                let proof = &request.agreement_proof;
                agreement.verify_possession(rules, Domain::POSSESSION_AGREEMENT, &message, proof)
            })
            .map_err(|refusal| refusal.at("agreement_proof"))?;

        self.last_serial += 1;
        self.certified_keys.extend(keys.map(<[u8]>::to_vec));
        let body = CertificateBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            serial: self.last_serial,
            subject: body.subject.clone(),
            role: body.role,
            signing_key: body.signing_key.clone(),
            agreement_key: body.agreement_key.clone(),
            not_before: now,
            not_after: now.after(self.lifetimes.certificate),
            issuer: self.name.clone(),
        };
        let issued = Issued { serial: body.serial, not_after: body.not_after };
        self.latest.insert(body.subject.clone(), issued);
        let signature = self.signing.sign(rules, Domain::CERTIFICATE, &encode(&body));
        Ok(Certificate { body, signature })
    }

    fn has_certificate_in_force(&self, subject: &Name, now: Time) -> bool {
        self.latest
            .get(subject)
            .is_some_and(|issued| now < issued.not_after && !self.revoked.contains(&issued.serial))
    }

    /// The secret signing key, for checkers that sign what it would not.
    #[cfg(bemr_weaken)]
    pub fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    /// The last serial that was used.
    pub const fn last_serial(&self) -> u64 {
        self.last_serial
    }

    /// The number of the last list.
    pub const fn last_list(&self) -> Version {
        self.last_list
    }

    /// The serials that were taken back, ascending.
    pub fn revoked(&self) -> impl Iterator<Item = u64> {
        self.revoked.iter().copied()
    }

    /// Lets a checker have certified what the rules forbid. Serials, lists and revocations stay; who is admitted, which
    /// certificates are in force and which keys were certified is afterwards as it was.
    #[cfg(bemr_weaken)]
    pub fn aside<T>(&mut self, odd: impl FnOnce(&mut Kdc) -> T) -> T {
        let before = (self.admitted.clone(), self.latest.clone(), self.certified_keys.clone());
        let made = odd(self);
        (self.admitted, self.latest, self.certified_keys) = before;
        made
    }

    /// Takes back the certificate with this serial; false when none was issued. The next list contains it.
    pub fn revoke(&mut self, serial: u64) -> bool {
        let known = (1..=self.last_serial).contains(&serial);
        if known {
            self.revoked.insert(serial);
        }
        known
    }

    /// The next revocation list, from `now` on.
    pub fn revocation_list(&mut self, rules: &Rules, now: Time) -> RevocationList {
        self.last_list.0 += 1;
        let body = RevocationListBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            issuer: self.name.clone(),
            list: self.last_list,
            issued: now,
            next_update: now.after(self.lifetimes.list),
            serials: self.revoked.iter().copied().collect::<Vec<_>>().into(),
        };
        let signature = self.signing.sign(rules, Domain::REVOCATION_LIST, &encode(&body));
        RevocationList { body, signature }
    }
}

impl std::fmt::Debug for Kdc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kdc")
            .field("name", &self.name)
            .field("last_serial", &self.last_serial)
            .finish_non_exhaustive()
    }
}
