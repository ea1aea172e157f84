//! Enrolment, certificates and revocation lists (chapter 4).

use super::prelude::*;
use bemr::keys::{Identity, Kdc, Lifetimes, TrustAnchor, TrustStore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

data! {
    /// The pinned KDC, and the revocation list that is held.
    Trust { issuer: String, key: Hex, list: Hex }
    /// What a verified certificate says.
    Principal { subject: String, role: String, signing_key: Hex, agreement_key: Hex }
    CertificateInput { trust: Trust, now: u64, as_of: u64, certificate: Hex }
    ListInput {
        issuer: String, key: Hex,
        /// The list that is held; empty when there is none.
        held: Hex,
        list: Hex,
    }
    /// What is held afterwards.
    Held { list: u32, serials: Vec<u64> }
    EnrolInput {
        issuer: String,
        /// What its secret signing key is drawn from.
        drawn: Hex,
        certificate_lifetime: u64, list_lifetime: u64,
        admitted: Vec<Admitted>, earlier: Vec<Earlier>,
        now: u64, request: Hex,
    }
    /// A subject and its role.
    Admitted { subject: String, role: String }
    /// What the KDC issues.
    Issued { certificate: Hex }
}

/// What the KDC did before.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::vectors) enum Earlier {
    /// It certified.
    Enrol {
        /// When.
        now: u64,
        /// The request.
        request: Hex,
    },
    /// It took back a certificate.
    Revoke {
        /// Whose serial.
        serial: u64,
    },
}

pub(in crate::vectors) fn name(text: &str) -> Result<Name, Stop> {
    Name::new(text).ok_or_else(|| Stop::Malformed(format!("`{text}` is no name")))
}

pub(super) fn role(text: &str) -> Result<Role, Stop> {
    let known = Role::ALL.into_iter().find(|role| role.name() == text);
    known.ok_or_else(|| Stop::Malformed(format!("no role `{text}`")))
}

impl Trust {
    pub(in crate::vectors) fn of(anchor: &TrustAnchor, list: &RevocationList) -> Trust {
        let issuer = anchor.issuer.as_str().to_owned();
        Trust { issuer, key: Hex(anchor.key.encode()), list: Hex::of(list) }
    }

    pub(in crate::vectors) fn store(&self, suite: Suite) -> Result<TrustStore, Stop> {
        let key = VerifyingKey::decode(&RULES, suite, &self.key.0)?;
        let anchor = TrustAnchor { issuer: name(&self.issuer)?, suite, key };
        Ok(TrustStore::new(&RULES, anchor, self.list.decode()?)?)
    }
}

/// A KDC whose key signs whatever is asked for.
pub(super) struct Authority {
    suite: Suite,
    key: SigningKey,
    pub(super) identity: Identity,
}

pub(super) const LIFETIME: u64 = 1_000_000_000;

impl Authority {
    pub(super) fn new(suite: Suite, kind: &str) -> Authority {
        let mut rng = rng(kind);
        let key = SigningKey::generate(suite, &mut rng);
        Authority { suite, key, identity: Identity::generate(suite, &mut rng) }
    }

    /// Its anchor, and this list.
    pub(super) fn trust(&self, list: &RevocationList) -> Trust {
        let key = self.key.verifying_key().clone();
        Trust::of(&TrustAnchor { issuer: known("kdc"), suite: self.suite, key }, list)
    }

    pub(super) fn list(&self, number: u32, serials: &[u64]) -> RevocationList {
        self.list_until(number, serials, START.after(LIFETIME))
    }

    /// A list that is current until then.
    pub(super) fn list_until(&self, number: u32, serials: &[u64], next_update: Time) -> RevocationList {
        let body = RevocationListBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            issuer: known("kdc"),
            list: Version(number),
            issued: START,
            next_update,
            serials: serials.to_vec().into(),
        };
        RevocationList { signature: self.sign(Domain::REVOCATION_LIST, &encode(&body)), body }
    }

    pub(super) fn certificate(
        &self,
        serial: u64,
        subject: &str,
        role: Role,
        identity: &Identity,
    ) -> Certificate {
        let body = CertificateBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            serial,
            subject: known(subject),
            role,
            signing_key: identity.signing_key().verifying_key().encode().into(),
            agreement_key: identity.agreement_key().encapsulation_key().encode().into(),
            not_before: START,
            not_after: START.after(LIFETIME),
            issuer: known("kdc"),
        };
        Certificate { signature: self.sign(Domain::CERTIFICATE, &encode(&body)), body }
    }

    /// Signs a certificate whose body changed.
    pub(super) fn sign_again(&self, certificate: &mut Certificate) {
        certificate.signature = self.sign(Domain::CERTIFICATE, &encode(&certificate.body));
    }

    fn sign(&self, tag: Domain, message: &[u8]) -> Signature {
        self.key.sign(&RULES, tag, message)
    }
}

/// A certificate is verified.
impl CertificateInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Principal, Stop> {
        let (mut store, certificate) = (self.trust.store(suite)?, self.certificate.decode()?);
        let principal = store.verify_as_of(&RULES, Time(self.now), Time(self.as_of), &certificate)?;
        Ok(Principal {
            subject: principal.name().as_str().to_owned(),
            role: principal.role().name().to_owned(),
            signing_key: Hex(principal.signing_key().encode()),
            agreement_key: Hex(principal.agreement_key().encode()),
        })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::*;
        let authority = Authority::new(suite, Self::NAME);
        let genuine = authority.certificate(7, "dr-ada", Role::Doctor, &authority.identity);
        let (now, end) = (START.0 + 10, START.0 + LIFETIME);
        let trust = authority.trust(&authority.list(3, &[5, 9]));
        let given = CertificateInput { trust, now, as_of: now, certificate: Hex::of(&genuine) };
        let mut cases = Cases::of(suite, given);
        let (next_update, issued) = ("RevocationListBody.next_update", "RevocationListBody.issued");
        type Row<'a> = (Option<Clause>, &'a str, &'a [&'a str], u64, u64);
        let times: [Row<'_>; 8] = [
            (None, "as it was made", &[], now, now),
            (None, "in its first millisecond", &[], START.0, START.0),
            (None, "in its last millisecond", &[], end - 1, end - 1),
            (None, "of now, as of its beginning", &[], end - 1, START.0),
            (Some(CertificateWithinValidity), "before its beginning", &[], now, START.0 - 1),
            (Some(CertificateWithinValidity), "at its end", &[], now, end),
            (Some(RevocationListIsCurrent), "when the list has run out", &[next_update], end, now),
            (Some(RevocationListIsCurrent), "before the list was made", &[issued], START.0 - 1, now),
        ];
        for (clause, comment, fields, now, as_of) in times {
            cases.add(clause, comment, |input| (input.now, input.as_of) = (now, as_of)).about(fields);
        }
        let revoked = authority.trust(&authority.list(4, &[5, 7, 9]));
        cases
            .invalid(CertificateNotRevoked, "its serial is in the list", |input| input.trust = revoked)
            .about(&["RevocationListBody.serials"]);
        let mut twice = genuine.clone();
        twice.body.agreement_key = twice.body.signing_key.clone();
        authority.sign_again(&mut twice);
        cases
            .invalid(KeysHaveOneUse, "one key for both uses", |input| input.certificate = Hex::of(&twice))
            .about(&["CertificateBody.signing_key", "CertificateBody.agreement_key"]);
        let mut sweep = Sweep::new(suite, &["dr-ben", "~"], 2);
        let repair = signed_again(|certificate: &mut Certificate| authority.sign_again(certificate));
        cases.sweep(&mut sweep, "Certificate", |input| &mut input.certificate, &repair);
        // A signature that covers less than the whole body.
        for (comment, subject) in
            [("another subject, not signed again", "dr-ben"), ("the signature of another", "dr-ada")]
        {
            let signature = genuine.signature.clone();
            let other = authority.certificate(8, subject, Role::Doctor, &authority.identity);
            let other = Certificate { signature, ..other };
            cases
                .invalid(CertificateSignedByKdc, comment, |input| input.certificate = Hex::of(&other))
                .about(&["Certificate.signature"]);
        }
        Ok(cases.all())
    }
}

/// A revocation list comes in.
impl ListInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Held, Stop> {
        let none = self.held.0.is_empty();
        let first = if none { &self.list } else { &self.held };
        let trust = Trust { issuer: self.issuer.clone(), key: self.key.clone(), list: first.clone() };
        let mut store = trust.store(suite)?;
        if !none {
            store.update(&RULES, self.list.decode()?)?;
        }
        let body = &store.revocation_list().body;
        Ok(Held { list: body.list.0, serials: body.serials.iter().copied().collect() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::{OneEncodingPerValue, RevocationListAdvances};
        let authority = Authority::new(suite, Self::NAME);
        let Trust { issuer, key, list: held } = authority.trust(&authority.list(3, &[5]));
        let list = Hex::of(&authority.list(4, &[5, 9]));
        let mut cases = Cases::of(suite, ListInput { issuer, key, held, list });
        cases.valid("the next one", |_| ());
        cases.valid("the first one", |input| input.held.0.clear());
        type Row<'a> = (Option<Clause>, &'a str, &'a [&'a str], u32, &'a [u64]);
        let lists: [Row<'_>; 5] = [
            (None, "one that skips numbers", &[], 9, &[]),
            (Some(RevocationListAdvances), "the same number", &["RevocationListBody.list"], 3, &[5]),
            (Some(RevocationListAdvances), "an older one", &["RevocationListBody.list"], 2, &[]),
            (Some(OneEncodingPerValue), "a serial twice", &["RevocationListBody.serials"], 4, &[5, 5]),
            (Some(OneEncodingPerValue), "out of order", &["RevocationListBody.serials"], 4, &[9, 5]),
        ];
        for (clause, comment, fields, number, serials) in lists {
            let list = authority.list(number, serials);
            cases.add(clause, comment, |input| input.list = Hex::of(&list)).about(fields);
        }
        let mut sweep = Sweep::new(suite, &["~"], 2);
        let repair = signed_again(|list: &mut RevocationList| {
            list.signature = authority.sign(Domain::REVOCATION_LIST, &encode(&list.body));
        });
        cases.sweep(&mut sweep, "RevocationList", |input| &mut input.list, &repair);
        Ok(cases.all())
    }
}

/// The owners of these keys prove that they have them, for this request.
fn prove(request: &mut EnrolmentRequest, signing: &Identity, agreement: &Identity) {
    let bytes = encode(&request.body);
    request.signing_proof = signing.signing_key().sign(&RULES, Domain::POSSESSION_SIGNING, &bytes);
    let domain = Domain::POSSESSION_AGREEMENT;
    request.agreement_proof = agreement.agreement_key().prove_possession(&RULES, domain, &bytes);
}

/// The KDC answers a request, after others.
impl EnrolInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Issued, Stop> {
        let lifetimes = Lifetimes { certificate: self.certificate_lifetime, list: self.list_lifetime };
        let issuer = name(&self.issuer)?;
        let mut kdc = drawing(&self.drawn, |tape| Kdc::new(issuer, suite, lifetimes, tape))?;
        for Admitted { subject, role: text } in &self.admitted {
            kdc.admit(name(subject)?, role(text)?);
        }
        for earlier in &self.earlier {
            match earlier {
                Earlier::Enrol { now, request } => {
                    let done = kdc.enrol(&RULES, Time(*now), &request.decode()?);
                    done.map_err(|refusal| Stop::Malformed(format!("an earlier request: {refusal}")))?;
                }
                Earlier::Revoke { serial } => drop(kdc.revoke(*serial)),
            }
        }
        let certificate = kdc.enrol(&RULES, Time(self.now), &self.request.decode()?)?;
        Ok(Issued { certificate: Hex::of(&certificate) })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::*;
        let mut rng = rng(Self::NAME);
        let drawn = Hex(scalar_bytes(&mut rng, suite));
        let [ada, ben, renewed] = [(); 3].map(|()| Identity::generate(suite, &mut rng));
        let request = |identity: &Identity, subject: &str, role: Role| {
            identity.enrolment_request(&RULES, known(subject), role)
        };
        let admitted =
            |subject: &str| Admitted { subject: subject.to_owned(), role: Role::Doctor.name().to_owned() };
        let genuine = request(&ada, "dr-ada", Role::Doctor);
        let anew = request(&renewed, "dr-ada", Role::Doctor);
        let now = START.0;
        let given = EnrolInput {
            issuer: "kdc".to_owned(),
            drawn,
            certificate_lifetime: LIFETIME,
            list_lifetime: LIFETIME,
            admitted: vec![admitted("dr-ada"), admitted("dr-ben")],
            earlier: Vec::new(),
            now,
            request: Hex::of(&genuine),
        };
        let enrolled = Earlier::Enrol { now, request: Hex::of(&genuine) };
        let revoked: &[Earlier] = &[enrolled, Earlier::Revoke { serial: 1 }];
        let (none, once) = (&revoked[..0], &revoked[..1]);
        // One agreement key for two, and one key for two uses.
        let mut shared = request(&ben, "dr-ben", Role::Doctor);
        shared.body.agreement_key = ada.agreement_key().encapsulation_key().encode().into();
        prove(&mut shared, &ben, &ada);
        let mut crossed = genuine.clone();
        std::mem::swap(&mut crossed.signing_proof, &mut crossed.agreement_proof);
        let mut cases = Cases::of(suite, given);
        cases.valid("the first", |_| ());
        let ben = request(&ben, "dr-ben", Role::Doctor);
        let (nobody, administrator) =
            (request(&ada, "~", Role::Doctor), request(&ada, "dr-ada", Role::Administrator));
        let (subject, role) = ("EnrolmentBody.subject", "EnrolmentBody.role");
        let (signing, agreement) = ("EnrolmentBody.signing_key", "EnrolmentBody.agreement_key");
        let proof = "EnrolmentRequest.signing_proof";
        let second = Some(OnePrincipalOneCertificate);
        let reused = Some(KeysHaveOneUse);
        let unknown = Some(EnrolmentIsAdmitted);
        let unproven = Some(EnrolmentProvesPossession);
        type Row<'a> = (Option<Clause>, &'a str, &'a [&'a str], &'a [Earlier], u64, &'a EnrolmentRequest);
        let rows: [Row<'_>; 9] = [
            (None, "a second principal", &[], once, now, &ben),
            (None, "renewed when the first has run out", &[], once, now + LIFETIME, &anew),
            (None, "renewed when the first was revoked", &[], revoked, now + 1, &anew),
            (second, "a second certificate", &[subject], once, now + LIFETIME - 1, &anew),
            (reused, "the keys of a revoked certificate", &[signing], revoked, now + 1, &genuine),
            (unknown, "nobody admitted", &[subject], none, now, &nobody),
            (unknown, "another role", &[role], none, now, &administrator),
            (reused, "an agreement key of somebody else", &[agreement], once, now, &shared),
            (unproven, "the proofs exchanged", &[proof], none, now, &crossed),
        ];
        for (clause, comment, fields, earlier, now, request) in rows {
            let change = |input: &mut EnrolInput| {
                (input.earlier, input.now, input.request) = (earlier.to_vec(), now, Hex::of(request));
            };
            cases.add(clause, comment, change).about(fields);
        }
        let mut sweep = Sweep::new(suite, &["~", "dr-ben"], 2);
        let repair = signed_again(|request: &mut EnrolmentRequest| prove(request, &ada, &ada));
        cases.sweep(&mut sweep, "EnrolmentRequest", |input| &mut input.request, &repair);
        Ok(cases.all())
    }
}
