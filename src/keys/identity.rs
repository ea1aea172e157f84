//! A principal's own key pairs, and these pairs with the certificate that vouches for them.

use crate::crypto::{DecapsulationKey, Domain, SigningKey, Suite};
use crate::keys::CertifiedPrincipal;
use crate::wire::{EnrolmentBody, EnrolmentRequest, Name, PROTOCOL_VERSION, Role, encode};
use bemr_spec::{Clause, Refusal, Rules};
use rand::CryptoRng;
use std::sync::Arc;

/// The two secret keys of a principal. Made where they are used; they never leave, and are erased when dropped.
pub struct Identity {
    suite: Suite,
    signing: SigningKey,
    agreement: DecapsulationKey,
}

impl Identity {
    /// Two fresh pairs.
    pub fn generate<R: CryptoRng + ?Sized>(suite: Suite, rng: &mut R) -> Identity {
        let signing = SigningKey::generate(suite, rng);
        let agreement = DecapsulationKey::generate(suite, rng);
        Identity { suite, signing, agreement }
    }

    /// The identity with these two keys, which are of one suite.
    ///
    /// # Errors
    /// GRP-04 when they are not.
    pub fn of(rules: &Rules, signing: SigningKey, agreement: DecapsulationKey) -> Result<Identity, Refusal> {
        let suite = signing.verifying_key().suite();
        rules.require(Clause::SuiteMatches, agreement.encapsulation_key().suite() == suite)?;
        Ok(Identity { suite, signing, agreement })
    }

    /// The suite of both keys.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The secret signing key.
    pub const fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    /// The secret agreement key.
    pub const fn agreement_key(&self) -> &DecapsulationKey {
        &self.agreement
    }

    /// A request to certify both public keys, with proofs of possession of both secret ones (KEY-01).
    pub fn enrolment_request(&self, rules: &Rules, subject: Name, role: Role) -> EnrolmentRequest {
        let body = EnrolmentBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            subject,
            role,
            signing_key: self.signing.verifying_key().encode().into(),
            agreement_key: self.agreement.encapsulation_key().encode().into(),
        };
        let bytes = encode(&body);
        EnrolmentRequest {
            signing_proof: self.signing.sign(rules, Domain::POSSESSION_SIGNING, &bytes),
            agreement_proof: self.agreement.prove_possession(rules, Domain::POSSESSION_AGREEMENT, &bytes),
            body,
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// An identity and the verified certificate of its keys: what a principal needs to open sessions.
#[derive(Clone, Debug)]
pub struct Credentials {
    identity: Arc<Identity>,
    certified: Arc<CertifiedPrincipal>,
}

impl Credentials {
    /// Joins the two.
    ///
    /// # Errors
    /// KEY-09 when the certificate is for other keys.
    pub fn new(
        rules: &Rules,
        identity: Arc<Identity>,
        certified: Arc<CertifiedPrincipal>,
    ) -> Result<Credentials, Refusal> {
        let body = &certified.certificate().body;
        let same = body.signing_key.as_slice() == identity.signing.verifying_key().encode()
            && body.agreement_key.as_slice() == identity.agreement.encapsulation_key().encode();
        rules.require(Clause::SubjectIsClaimedPrincipal, same).map_err(|refusal| refusal.at("own keys"))?;
        Ok(Credentials { identity, certified })
    }

    /// The secret keys.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the KDC certified of them.
    pub const fn certified(&self) -> &Arc<CertifiedPrincipal> {
        &self.certified
    }

    /// Whose they are.
    pub fn name(&self) -> &Name {
        self.certified.name()
    }

    /// As what.
    pub fn role(&self) -> Role {
        self.certified.role()
    }
}
