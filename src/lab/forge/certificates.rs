//! Certificates that do not hold, for the keys of principals who have a certificate that does.

use super::{Forge, flip_last, nobody};
use bemr::crypto::Signature;
use bemr::keys::{Credentials, Kdc};
use bemr::wire::{
    Certificate, CertificateBody, EnrolmentBody, EnrolmentRequest, Name, RevocationList, Role, Time,
};
use bemr_model::Flaws;
use bemr_spec::{Clause, Refusal, Rules};
use std::collections::BTreeMap;
use std::sync::Arc;

/// For one principal, certificates of its own keys.
#[derive(Clone, Debug)]
struct Odd {
    expired: Certificate,
    revoked: Certificate,
    renamed: Certificate,
    /// Its role stands in another place.
    misplaced: Certificate,
    /// Its role may not submit.
    barred: Certificate,
}

/// Certificates that do not hold, made once for a world; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Certificates(Arc<BTreeMap<Name, Odd>>);

impl Certificates {
    /// Has the KDC make them at `now`, against its own rules, and gives its next revocation list, which everybody has to hear
    /// before one of them is shown. Who is enrolled stays as it was.
    ///
    /// # Errors
    /// Those of [`Kdc::enrol`].
    pub fn make<'a>(
        rules: &Rules,
        kdc: &mut Kdc,
        now: Time,
        whose: impl IntoIterator<Item = &'a Credentials>,
    ) -> Result<(Certificates, RevocationList), Refusal> {
        let forbidden =
            [Clause::KeysHaveOneUse, Clause::OnePrincipalOneCertificate, Clause::EnrolmentProvesPossession];
        let lax = forbidden.into_iter().fold(*rules, |rules, clause| rules.without(clause));
        let all = kdc.aside(|kdc| Certificates::enrol(&lax, kdc, now, whose))?;
        Ok((Certificates(Arc::new(all)), kdc.revocation_list(rules, now)))
    }

    fn enrol<'a>(
        lax: &Rules,
        kdc: &mut Kdc,
        now: Time,
        whose: impl IntoIterator<Item = &'a Credentials>,
    ) -> Result<BTreeMap<Name, Odd>, Refusal> {
        let mut all = BTreeMap::new();
        for own in whose {
            let CertificateBody { version, suite, signing_key, agreement_key, .. } =
                own.certified().certificate().body.clone();
            let (subject, role) = (own.name().clone(), own.role());
            let body = EnrolmentBody { version, suite, subject, role, signing_key, agreement_key };
            // Nobody asks for the proofs.
            let none = Signature::from_bytes(&[]);
            let mut request = EnrolmentRequest { body, signing_proof: none.clone(), agreement_proof: none };
            let mut enrol = |subject: &Name, role: Role, now: Time| {
                kdc.admit(subject.clone(), role);
                (request.body.subject, request.body.role) = (subject.clone(), role);
                kdc.enrol(lax, now, &request)
            };
            let elsewhere = if own.role() == Role::Validator { Role::Cloud } else { Role::Validator };
            let odd = Odd {
                renamed: enrol(&nobody(), own.role(), now)?,
                misplaced: enrol(own.name(), elsewhere, now)?,
                barred: enrol(own.name(), Role::Administrator, now)?,
                expired: enrol(own.name(), own.role(), Time(0))?,
                revoked: enrol(own.name(), own.role(), now)?,
            };
            kdc.revoke(odd.revoked.body.serial);
            all.insert(own.name().clone(), odd);
        }
        Ok(all)
    }
}

impl Forge<'_> {
    /// A certificate like `genuine` that fails the checks of KEY-04, KEY-05, KEY-06 or KEY-09, ROL-01 or ROL-04 among `flaws`.
    pub(super) fn certificate(&self, genuine: &Certificate, flaws: Flaws) -> Option<Certificate> {
        let odd = || self.certificates.0.get(&genuine.body.subject);
        let mut certificate = if flaws.has(Clause::CertificateWithinValidity) {
            odd()?.expired.clone()
        } else if flaws.has(Clause::CertificateNotRevoked) {
            odd()?.revoked.clone()
        } else if flaws.has(Clause::SubjectIsClaimedPrincipal) {
            odd()?.renamed.clone()
        } else if flaws.has(Clause::RoleFitsPlace) {
            odd()?.misplaced.clone()
        } else if flaws.has(Clause::RoleMaySubmit) {
            odd()?.barred.clone()
        } else {
            genuine.clone()
        };
        if flaws.has(Clause::CertificateSignedByKdc) {
            certificate.signature = Signature::from_bytes(&flip_last(certificate.signature.as_bytes())?);
        }
        Some(certificate)
    }
}
