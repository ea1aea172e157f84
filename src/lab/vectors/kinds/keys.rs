//! Enrolment, certificates and revocation lists (chapter 4).

use super::draws::rng;
use super::{Kind, Made, RULES, SUITES, Stop, known};
use crate::forge::{Sweep, mended};
use crate::simulator::START;
use crate::vectors::Hex;
use crate::vectors::replayer::Own;
use bemr::crypto::{Domain, Signature, SigningKey, Suite, VerifyingKey};
use bemr::keys::{Identity, Kdc, Lifetimes, TrustAnchor, TrustStore};
use bemr::wire::{
    Certificate, CertificateBody, EnrolmentRequest, Name, PROTOCOL_VERSION, RevocationList,
    RevocationListBody, Role, Time, Version, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::vectors) fn name(text: &str) -> Result<Name, Stop> {
    Name::new(text).ok_or_else(|| Stop::Malformed(format!("`{text}` is no name")))
}

/// The pinned KDC, and the revocation list that is held.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Trust {
    pub(super) issuer: String,
    pub(super) key: Hex,
    pub(super) list: Hex,
}

impl Trust {
    pub(in crate::vectors) fn of(anchor: &TrustAnchor, list: &RevocationList) -> Trust {
        Trust {
            issuer: anchor.issuer.as_str().to_owned(),
            key: Hex(anchor.key.encode()),
            list: Hex(encode(list)),
        }
    }

    pub(in crate::vectors) fn anchor(&self, suite: Suite) -> Result<TrustAnchor, Stop> {
        let key = VerifyingKey::decode(&RULES, suite, &self.key.0)?;
        Ok(TrustAnchor { issuer: name(&self.issuer)?, suite, key })
    }

    pub(in crate::vectors) fn store(&self, suite: Suite) -> Result<TrustStore, Stop> {
        Ok(TrustStore::new(&RULES, self.anchor(suite)?, decode(&RULES, &self.list.0)?)?)
    }
}

/// A KDC whose key signs whatever is asked for.
pub(super) struct Authority {
    suite: Suite,
    key: SigningKey,
    pub(super) identity: Identity,
}

pub(super) const LIFE: u64 = 1_000_000_000;

impl Authority {
    pub(super) fn new(suite: Suite, kind: &str) -> Authority {
        let mut rng = rng(kind);
        Authority {
            suite,
            key: SigningKey::generate(suite, &mut rng),
            identity: Identity::generate(suite, &mut rng),
        }
    }

    fn issuer() -> Name {
        known("kdc")
    }

    pub(super) fn anchor(&self) -> TrustAnchor {
        TrustAnchor { issuer: Self::issuer(), suite: self.suite, key: self.key.verifying_key().clone() }
    }

    pub(super) fn list(&self, number: u32, serials: &[u64]) -> RevocationList {
        let body = RevocationListBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            issuer: Self::issuer(),
            list: Version(number),
            issued: START,
            next_update: START.after(LIFE),
            serials: serials.to_vec().into(),
        };
        RevocationList { signature: self.sign(Domain::REVOCATION_LIST, &encode(&body)), body }
    }

    /// A list that is current until then.
    pub(super) fn list_until(&self, number: u32, until: Time) -> RevocationList {
        let mut list = self.list(number, &[]);
        list.body.next_update = until;
        list.signature = self.sign(Domain::REVOCATION_LIST, &encode(&list.body));
        list
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
            not_after: START.after(LIFE),
            issuer: Self::issuer(),
        };
        Certificate { signature: self.sign(Domain::CERTIFICATE, &encode(&body)), body }
    }

    /// The holder of a certificate, with its keys.
    pub(super) fn own(certificate: &Certificate, identity: &Identity) -> Own {
        Own {
            signing: (*identity.signing_key().to_bytes()).as_slice().into(),
            agreement: (*identity.agreement_key().to_bytes()).as_slice().into(),
            certificate: Hex(encode(certificate)),
        }
    }

    pub(super) fn sign(&self, tag: Domain, message: &[u8]) -> Signature {
        self.key.sign(&RULES, tag, message)
    }
}

/// What a verified certificate says.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Principal {
    subject: String,
    role: String,
    signing_key: Hex,
    agreement_key: Hex,
}

/// A certificate is verified.
pub(in crate::vectors) enum VerifyCertificate {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct CertificateInput {
    trust: Trust,
    now: u64,
    as_of: u64,
    certificate: Hex,
}

impl Kind for VerifyCertificate {
    const NAME: &'static str = "certificate";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = CertificateInput;
    type Output = Principal;

    fn judge(suite: Suite, input: &CertificateInput) -> Result<Principal, Stop> {
        let mut store = input.trust.store(suite)?;
        let certificate = decode(&RULES, &input.certificate.0)?;
        let principal = store.verify_as_of(&RULES, Time(input.now), Time(input.as_of), &certificate)?;
        Ok(Principal {
            subject: principal.name().as_str().to_owned(),
            role: principal.role().name().to_owned(),
            signing_key: Hex(principal.signing_key().encode()),
            agreement_key: Hex(principal.agreement_key().encode()),
        })
    }

    fn make(suite: Suite) -> Result<Vec<Made<CertificateInput>>, Refusal> {
        use Clause::{
            CertificateNotRevoked, CertificateWithinValidity, KeysHaveOneUse, RevocationListIsCurrent,
        };
        let authority = Authority::new(suite, Self::NAME);
        let (anchor, list) = (authority.anchor(), authority.list(3, &[5, 9]));
        let now = START.0 + 10;
        let genuine = authority.certificate(7, "dr-ada", Role::Doctor, &authority.identity);
        let given = CertificateInput {
            trust: Trust::of(&anchor, &list),
            now,
            as_of: now,
            certificate: Hex(encode(&genuine)),
        };
        let at = |now: u64, as_of: u64| CertificateInput { now, as_of, ..given.clone() };
        let end = START.0 + LIFE;
        let mut made = vec![
            Made::valid("as it was made", given.clone()),
            Made::valid("in its first millisecond", at(START.0, START.0)),
            Made::valid("in its last millisecond", at(end - 1, end - 1)),
            Made::valid("of now, as of its beginning", at(end - 1, START.0)),
            Made::invalid(CertificateWithinValidity, "before its beginning", at(now, START.0 - 1)),
            Made::invalid(CertificateWithinValidity, "at its end", at(now, end)),
            Made::invalid(RevocationListIsCurrent, "when the list has run out", at(end, now))
                .of("RevocationListBody.next_update"),
            Made::invalid(RevocationListIsCurrent, "before the list was made", at(START.0 - 1, now))
                .of("RevocationListBody.issued"),
        ];
        let revoked = authority.list(4, &[5, 7, 9]);
        let listed = CertificateInput { trust: Trust::of(&anchor, &revoked), ..given.clone() };
        made.push(
            Made::invalid(CertificateNotRevoked, "its serial is in the list", listed)
                .of("RevocationListBody.serials"),
        );
        let mut twice = genuine.clone();
        twice.body.agreement_key = twice.body.signing_key.clone();
        twice.signature = authority.sign(Domain::CERTIFICATE, &encode(&twice.body));
        let one_key = CertificateInput { certificate: Hex(encode(&twice)), ..given.clone() };
        made.push(
            Made::invalid(KeysHaveOneUse, "one key for both uses", one_key)
                .of("CertificateBody.signing_key")
                .of("CertificateBody.agreement_key"),
        );
        let mut sweep = Sweep::new(suite, &["dr-ben", "~"], 2);
        let mend = mended(|certificate: &mut Certificate, way| {
            if way == 0 {
                certificate.signature = authority.sign(Domain::CERTIFICATE, &encode(&certificate.body));
            }
        });
        let input = |bytes: &[u8]| CertificateInput { certificate: bytes.into(), ..given.clone() };
        made.extend(Self::swept(suite, &mut sweep, "Certificate", &encode(&genuine), mend, input));
        // A signature that covers less than the whole body.
        for (near, way) in
            [("another subject, not signed again", "dr-ben"), ("the signature of another", "dr-ada")]
        {
            let mut other = authority.certificate(8, way, Role::Doctor, &authority.identity);
            other.signature = genuine.signature.clone();
            let clause = Clause::CertificateSignedByKdc;
            made.push(Made::invalid(clause, near, input(&encode(&other))).of("Certificate.signature"));
        }
        Ok(made)
    }
}

/// A revocation list comes in.
pub(in crate::vectors) enum TakeList {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct ListInput {
    issuer: String,
    key: Hex,
    /// The list that is held; empty when there is none.
    held: Hex,
    list: Hex,
}

/// What is held afterwards.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Held {
    list: u32,
    serials: Vec<u64>,
}

impl Kind for TakeList {
    const NAME: &'static str = "revocation-list";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = ListInput;
    type Output = Held;

    fn judge(suite: Suite, input: &ListInput) -> Result<Held, Stop> {
        let first = if input.held.0.is_empty() { &input.list } else { &input.held };
        let trust = Trust { issuer: input.issuer.clone(), key: input.key.clone(), list: first.clone() };
        let mut store = trust.store(suite)?;
        if !input.held.0.is_empty() {
            store.update(&RULES, decode(&RULES, &input.list.0)?)?;
        }
        let body = &store.revocation_list().body;
        Ok(Held { list: body.list.0, serials: body.serials.iter().copied().collect() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<ListInput>>, Refusal> {
        let authority = Authority::new(suite, Self::NAME);
        let held = authority.list(3, &[5]);
        let genuine = authority.list(4, &[5, 9]);
        let anchor = authority.anchor();
        let given = ListInput {
            issuer: anchor.issuer.as_str().to_owned(),
            key: Hex(anchor.key.encode()),
            held: Hex(encode(&held)),
            list: Hex(encode(&genuine)),
        };
        let input = |list: &RevocationList| ListInput { list: Hex(encode(list)), ..given.clone() };
        let first = ListInput { held: Hex::default(), ..given.clone() };
        let mut made = vec![
            Made::valid("the next one", given.clone()),
            Made::valid("the first one", first),
            Made::valid("one that skips numbers", input(&authority.list(9, &[]))),
            Made::invalid(Clause::RevocationListAdvances, "the same number", input(&authority.list(3, &[5])))
                .of("RevocationListBody.list"),
            Made::invalid(Clause::RevocationListAdvances, "an older one", input(&authority.list(2, &[])))
                .of("RevocationListBody.list"),
            Made::invalid(Clause::OneEncodingPerValue, "a serial twice", input(&authority.list(4, &[5, 5])))
                .of("RevocationListBody.serials"),
            Made::invalid(Clause::OneEncodingPerValue, "out of order", input(&authority.list(4, &[9, 5])))
                .of("RevocationListBody.serials"),
        ];
        let mut sweep = Sweep::new(suite, &["~"], 2);
        let mend = mended(|list: &mut RevocationList, way| {
            if way == 0 {
                list.signature = authority.sign(Domain::REVOCATION_LIST, &encode(&list.body));
            }
        });
        let input = |bytes: &[u8]| ListInput { list: bytes.into(), ..given.clone() };
        made.extend(Self::swept(suite, &mut sweep, "RevocationList", &encode(&genuine), mend, input));
        Ok(made)
    }
}

/// The KDC answers a request, after others.
pub(in crate::vectors) enum Enrol {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct EnrolInput {
    issuer: String,
    /// What its secret signing key is drawn from.
    drawn: Hex,
    certificate_lifetime: u64,
    list_lifetime: u64,
    admitted: Vec<Admitted>,
    earlier: Vec<Earlier>,
    now: u64,
    request: Hex,
}

/// A subject and its role.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Admitted {
    subject: String,
    role: String,
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

/// What the KDC issues.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Issued {
    certificate: Hex,
}

pub(super) fn role(text: &str) -> Result<Role, Stop> {
    let known = Role::ALL.into_iter().find(|role| role.name() == text);
    known.ok_or_else(|| Stop::Malformed(format!("no role `{text}`")))
}

/// The owners of these keys prove that they have them, for this request.
fn prove(request: &mut EnrolmentRequest, signing: &Identity, agreement: &Identity) {
    let bytes = encode(&request.body);
    request.signing_proof = signing.signing_key().sign(&RULES, Domain::POSSESSION_SIGNING, &bytes);
    let domain = Domain::POSSESSION_AGREEMENT;
    request.agreement_proof = agreement.agreement_key().prove_possession(&RULES, domain, &bytes);
}

impl Kind for Enrol {
    const NAME: &'static str = "enrolment";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = EnrolInput;
    type Output = Issued;

    fn judge(suite: Suite, input: &EnrolInput) -> Result<Issued, Stop> {
        let lifetimes = Lifetimes { certificate: input.certificate_lifetime, list: input.list_lifetime };
        let mut tape = super::drawn_bytes::Tape::of(&input.drawn.0);
        let mut kdc = Kdc::new(name(&input.issuer)?, suite, lifetimes, &mut tape);
        tape.end()?;
        for Admitted { subject, role: text } in &input.admitted {
            kdc.admit(name(subject)?, role(text)?);
        }
        for earlier in &input.earlier {
            match earlier {
                Earlier::Enrol { now, request } => {
                    let done = kdc.enrol(&RULES, Time(*now), &decode(&RULES, &request.0)?);
                    done.map_err(|refusal| Stop::Malformed(format!("an earlier request: {refusal}")))?;
                }
                Earlier::Revoke { serial } => {
                    kdc.revoke(*serial);
                }
            }
        }
        let certificate = kdc.enrol(&RULES, Time(input.now), &decode(&RULES, &input.request.0)?)?;
        Ok(Issued { certificate: Hex(encode(&certificate)) })
    }

    fn make(suite: Suite) -> Result<Vec<Made<EnrolInput>>, Refusal> {
        use Clause::{
            EnrolmentIsAdmitted, EnrolmentProvesPossession, KeysHaveOneUse, OnePrincipalOneCertificate,
        };
        let mut rng = rng(Self::NAME);
        let drawn = super::draws::scalar_bytes(&mut rng, suite);
        let ada = Identity::generate(suite, &mut rng);
        let ben = Identity::generate(suite, &mut rng);
        let renewed = Identity::generate(suite, &mut rng);
        let request = |identity: &Identity, subject: &str, role: Role| {
            identity.enrolment_request(&RULES, known(subject), role)
        };
        let admitted = |subject: &str, role: Role| Admitted {
            subject: subject.to_owned(),
            role: role.name().to_owned(),
        };
        let genuine = request(&ada, "dr-ada", Role::Doctor);
        let now = START.0;
        let given = EnrolInput {
            issuer: "kdc".to_owned(),
            drawn: Hex(drawn),
            certificate_lifetime: LIFE,
            list_lifetime: LIFE,
            admitted: vec![admitted("dr-ada", Role::Doctor), admitted("dr-ben", Role::Doctor)],
            earlier: Vec::new(),
            now,
            request: Hex(encode(&genuine)),
        };
        let enrolled = Earlier::Enrol { now, request: Hex(encode(&genuine)) };
        let after = |earlier: &[Earlier], now: u64, request: &EnrolmentRequest| EnrolInput {
            earlier: earlier.to_vec(),
            now,
            request: Hex(encode(request)),
            ..given.clone()
        };
        let anew = request(&renewed, "dr-ada", Role::Doctor);
        let once = [enrolled.clone()];
        let revoked = [enrolled, Earlier::Revoke { serial: 1 }];
        let mut made = vec![
            Made::valid("the first", given.clone()),
            Made::valid("a second principal", after(&once, now, &request(&ben, "dr-ben", Role::Doctor))),
            Made::valid("renewed when the first has run out", after(&once, now + LIFE, &anew)),
            Made::valid("renewed when the first was revoked", after(&revoked, now + 1, &anew)),
            Made::invalid(
                OnePrincipalOneCertificate,
                "a second certificate",
                after(&once, now + LIFE - 1, &anew),
            )
            .of("EnrolmentBody.subject"),
            Made::invalid(
                KeysHaveOneUse,
                "the keys of a revoked certificate",
                after(&revoked, now + 1, &genuine),
            )
            .of("EnrolmentBody.signing_key"),
            Made::invalid(
                EnrolmentIsAdmitted,
                "nobody admitted",
                after(&[], now, &request(&ada, "~", Role::Doctor)),
            )
            .of("EnrolmentBody.subject"),
            Made::invalid(
                EnrolmentIsAdmitted,
                "another role",
                after(&[], now, &request(&ada, "dr-ada", Role::Administrator)),
            )
            .of("EnrolmentBody.role"),
        ];
        // One agreement key for two, and one key for two uses.
        let mixed = |signing: &Identity, agreement: &Identity| {
            let mut mixed = request(signing, "dr-ben", Role::Doctor);
            mixed.body.agreement_key = agreement.agreement_key().encapsulation_key().encode().into();
            prove(&mut mixed, signing, agreement);
            mixed
        };
        let shared = after(&once, now, &mixed(&ben, &ada));
        made.push(
            Made::invalid(KeysHaveOneUse, "an agreement key of somebody else", shared)
                .of("EnrolmentBody.agreement_key"),
        );
        let mut crossed = genuine.clone();
        std::mem::swap(&mut crossed.signing_proof, &mut crossed.agreement_proof);
        made.push(
            Made::invalid(EnrolmentProvesPossession, "the proofs exchanged", after(&[], now, &crossed))
                .of("EnrolmentRequest.signing_proof"),
        );
        let mut sweep = Sweep::new(suite, &["~", "dr-ben"], 2);
        let mend = mended(|request: &mut EnrolmentRequest, way| {
            if way == 0 {
                prove(request, &ada, &ada);
            }
        });
        let input = |bytes: &[u8]| EnrolInput { request: bytes.into(), ..given.clone() };
        made.extend(Self::swept(suite, &mut sweep, "EnrolmentRequest", &encode(&genuine), mend, input));
        Ok(made)
    }
}
