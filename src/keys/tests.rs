use super::*;
use crate::crypto::{DecapsulationKey, Digest, Domain, SigningKey, Suite};
use crate::wire::{Certificate, EnrolmentRequest, Name, RevocationList, Role, Time, Version, decode, encode};
use bemr_spec::{Clause, Refusal, Rules};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::Arc;

pub(crate) const SUITE: Suite = Suite::Ristretto255;
/// Two suites that are not the one in use.
pub(crate) const OTHERS: [Suite; 2] = match SUITE {
    Suite::Ffdhe2048 => [Suite::Ristretto255, Suite::Ffdhe3072],
    Suite::Ffdhe3072 => [Suite::Ristretto255, Suite::Ffdhe2048],
    _ => [Suite::Ffdhe2048, Suite::Ffdhe3072],
};
pub(crate) const NOW: Time = Time(1_000_000);
pub(crate) const LIFETIMES: Lifetimes = Lifetimes { certificate: 1_000_000, list: 3_000_000 };
const HARD: Rules = Rules::hardened();

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A KDC, somebody who trusts it, and a generator.
pub(crate) struct World {
    pub(crate) rng: ChaCha20Rng,
    pub(crate) kdc: Kdc,
    pub(crate) trust: TrustStore,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut kdc = Kdc::new(name("kdc"), SUITE, LIFETIMES, &mut rng);
        let list = kdc.revocation_list(&HARD, NOW);
        let trust = TrustStore::new(&HARD, kdc.anchor(), list).unwrap();
        World { rng, kdc, trust }
    }

    pub(crate) fn request(&mut self, subject: &str, role: Role) -> (Arc<Identity>, EnrolmentRequest) {
        let identity = Identity::generate(SUITE, &mut self.rng);
        let request = identity.enrolment_request(&HARD, name(subject), role);
        (Arc::new(identity), request)
    }

    pub(crate) fn enrol(&mut self, subject: &str, role: Role) -> Credentials {
        let (identity, request) = self.request(subject, role);
        self.kdc.admit(name(subject), role);
        let certificate = self.kdc.enrol(&HARD, NOW, &request).unwrap();
        let certified = self.trust.verify(&HARD, NOW, &certificate).unwrap();
        Credentials::new(&HARD, identity, certified).unwrap()
    }

    pub(crate) fn revoke(&mut self, credentials: &Credentials) {
        assert!(self.kdc.revoke(credentials.certified().certificate().body.serial));
        let list = self.kdc.revocation_list(&HARD, NOW);
        self.trust.update(&HARD, list).unwrap();
    }
}

/// `run` is refused by `clause`, and its mutant lets the same input through.
pub(crate) fn only<T>(clause: Clause, mut run: impl FnMut(&Rules) -> Result<T, Refusal>) -> T {
    match run(&HARD) {
        Ok(_) => panic!("nothing refused what {clause} forbids"),
        Err(refusal) => assert_eq!(refusal.clause(), clause, "{refusal}"),
    }
    run(&HARD.without(clause)).unwrap_or_else(|refusal| panic!("the mutant of {clause} says {refusal}"))
}

#[test]
fn a_certificate_gives_back_what_was_enrolled() {
    let mut world = World::new(1);
    let alice = world.enrol("alice", Role::Doctor);
    let body = &alice.certified().certificate().body;
    assert_eq!((alice.name().as_str(), alice.role(), body.serial), ("alice", Role::Doctor, 1));
    assert_eq!((body.not_before, body.not_after), (NOW, NOW.after(LIFETIMES.certificate)));
    let message = b"m";
    let signature = alice.identity().signing_key().sign(&HARD, Domain::T_INITIAL, message);
    assert!(alice.certified().signing_key().verify(&HARD, Domain::T_INITIAL, message, &signature));
    let certificate = alice.certified().certificate();
    assert_eq!(&decode::<Certificate>(&HARD, &encode(certificate)).unwrap(), certificate);
    world.enrol("bob", Role::Doctor);
    assert_eq!(world.kdc.last_serial(), 2);
}

#[test]
fn key_01_a_proof_of_possession_by_another_key_is_refused() {
    let mut world = World::new(2);
    world.kdc.admit(name("eve"), Role::Doctor);
    let (_, own) = world.request("eve", Role::Doctor);
    let (_, victim) = world.request("eve", Role::Doctor);
    // Eve asks for a certificate that holds the victim's keys: the first step of identity misbinding.
    let mut signing = own.clone();
    signing.body.signing_key = victim.body.signing_key.clone();
    let mut agreement = own.clone();
    agreement.body.agreement_key = victim.body.agreement_key.clone();
    let mut swapped = own.clone();
    std::mem::swap(&mut swapped.signing_proof, &mut swapped.agreement_proof);
    for request in [signing, agreement, swapped] {
        only(Clause::EnrolmentProvesPossession, |rules| {
            let mut world = World::new(2);
            world.kdc.admit(name("eve"), Role::Doctor);
            world.kdc.enrol(rules, NOW, &request)
        });
    }
}

#[test]
fn key_01_the_proofs_cover_every_field_of_the_request() {
    let mut world = World::new(3);
    world.kdc.admit(name("mallory"), Role::Administrator);
    let (_, mut request) = world.request("alice", Role::Doctor);
    request.body.subject = name("mallory");
    request.body.role = Role::Administrator;
    let refusal = world.kdc.enrol(&HARD, NOW, &request).unwrap_err();
    assert_eq!(refusal.clause(), Clause::EnrolmentProvesPossession);
}

#[test]
fn key_02_a_second_certificate_waits_for_the_end_of_the_first() {
    let enrolled = || {
        let mut world = World::new(4);
        let first = world.enrol("alice", Role::Doctor);
        let (_, again) = world.request("alice", Role::Doctor);
        (world, first, again)
    };
    let second = only(Clause::OnePrincipalOneCertificate, |rules| {
        let (mut world, _, again) = enrolled();
        world.kdc.enrol(rules, NOW, &again)
    });
    assert_eq!(second.body.serial, 2, "the mutant is the KDC of C-19: two certificates for one name");

    let (mut world, first, again) = enrolled();
    let last = Time(first.certified().certificate().body.not_after.0 - 1);
    assert!(world.kdc.enrol(&HARD, last, &again).is_err());
    assert!(world.kdc.enrol(&HARD, last.after(1), &again).is_ok());

    let (mut world, first, again) = enrolled();
    world.revoke(&first);
    assert!(world.kdc.enrol(&HARD, NOW, &again).is_ok());
}

#[test]
fn key_03_no_key_serves_twice() {
    // One key for both uses.
    only(Clause::KeysHaveOneUse, |rules| {
        let mut world = World::new(5);
        world.kdc.admit(name("alice"), Role::Doctor);
        let (_, mut request) = world.request("alice", Role::Doctor);
        request.body.agreement_key = request.body.signing_key.clone();
        // Proofs of an identity that has but one key cannot be made here; possession is not what is shown.
        let weaker = rules.without(Clause::EnrolmentProvesPossession);
        world.kdc.enrol(&weaker, NOW, &request)
    });
    // The keys of a revoked certificate, once more: a replayed request must not bring them back.
    only(Clause::KeysHaveOneUse, |rules| {
        let mut world = World::new(6);
        world.kdc.admit(name("alice"), Role::Doctor);
        let (_, request) = world.request("alice", Role::Doctor);
        let first = world.kdc.enrol(&HARD, NOW, &request).unwrap();
        world.kdc.revoke(first.body.serial);
        world.kdc.enrol(rules, NOW, &request)
    });
    // A careless KDC.
    only(Clause::KeysHaveOneUse, |rules| {
        let mut world = World::new(7);
        world.kdc.admit(name("alice"), Role::Doctor);
        let (_, mut request) = world.request("alice", Role::Doctor);
        request.body.agreement_key = request.body.signing_key.clone();
        let careless = HARD.without(Clause::KeysHaveOneUse).without(Clause::EnrolmentProvesPossession);
        let certificate = world.kdc.enrol(&careless, NOW, &request).unwrap();
        world.trust.verify(rules, NOW, &certificate)
    });
}

#[test]
fn key_04_a_certificate_of_another_kdc_is_refused() {
    let mut world = World::new(8);
    let alice = world.enrol("alice", Role::Doctor);
    let genuine = alice.certified().certificate().clone();
    let mut escalated = genuine.clone();
    escalated.body.role = Role::Administrator;
    let rogue = SigningKey::generate(SUITE, &mut world.rng);
    let mut forged = genuine.clone();
    forged.signature = rogue.sign(&HARD, Domain::CERTIFICATE, &encode(&forged.body));
    let mut lifted = genuine.clone();
    lifted.signature = alice.identity().signing_key().sign(&HARD, Domain::T_INITIAL, &encode(&lifted.body));
    let mut other_issuer = genuine;
    other_issuer.body.issuer = name("kdc2");
    for certificate in [escalated, forged, lifted, other_issuer] {
        only(Clause::CertificateSignedByKdc, |rules| world.trust.verify(rules, NOW, &certificate));
        // The mutant left no memory behind.
        assert!(world.trust.verify(&HARD, NOW, &certificate).is_err());
    }
}

#[test]
fn key_05_a_certificate_holds_from_its_first_instant_to_before_its_last() {
    let mut world = World::new(9);
    let alice = world.enrol("alice", Role::Doctor);
    let certificate = alice.certified().certificate().clone();
    let (first, end) = (certificate.body.not_before, certificate.body.not_after);
    assert!(world.trust.verify(&HARD, first, &certificate).is_ok());
    assert!(world.trust.verify(&HARD, Time(end.0 - 1), &certificate).is_ok());
    only(Clause::CertificateWithinValidity, |rules| world.trust.verify(rules, end, &certificate));
    let refusal = world.trust.verify(&HARD, Time(first.0 - 1), &certificate).unwrap_err();
    assert_eq!(refusal.clause(), Clause::CertificateWithinValidity);
}

#[test]
fn key_06_a_revoked_certificate_is_refused_even_if_it_was_verified_before() {
    let mut world = World::new(10);
    let alice = world.enrol("alice", Role::Doctor);
    let bob = world.enrol("bob", Role::Doctor);
    let certificate = alice.certified().certificate().clone();
    world.revoke(&alice);
    only(Clause::CertificateNotRevoked, |rules| world.trust.verify(rules, NOW, &certificate));
    only(Clause::CertificateNotRevoked, |rules| world.trust.recheck(rules, NOW, alice.certified()));
    assert!(world.trust.verify(&HARD, NOW, bob.certified().certificate()).is_ok());
}

#[test]
fn key_07_a_list_of_another_kdc_is_refused() {
    let mut world = World::new(11);
    let alice = world.enrol("alice", Role::Doctor);
    world.kdc.revoke(1);
    let genuine = world.kdc.revocation_list(&HARD, NOW);
    let mut emptied = genuine.clone();
    emptied.body.serials = Vec::new().into();
    only(Clause::RevocationListSignedByKdc, |rules| {
        let mut trust = TrustStore::new(&HARD, world.kdc.anchor(), genuine.clone()).unwrap();
        emptied.body.list = Version(genuine.body.list.0 + 1);
        trust
            .update(rules, emptied.clone())
            .map(|()| trust.verify(&HARD, NOW, alice.certified().certificate()))
    })
    .expect("the mutant unrevokes");
    let mut other = genuine;
    other.body.issuer = name("kdc2");
    assert!(world.trust.update(&HARD, other).is_err());
}

#[test]
fn key_08_an_older_list_is_refused() {
    let mut world = World::new(12);
    let alice = world.enrol("alice", Role::Doctor);
    let old = world.trust.revocation_list().clone();
    world.revoke(&alice);
    let current = world.trust.revocation_list().clone();
    for stale in [old, current] {
        let taken = only(Clause::RevocationListAdvances, |rules| {
            world.trust.update(rules, stale.clone()).map(|()| world.trust.revocation_list().clone())
        });
        assert_eq!(taken, stale);
        let next = world.kdc.revocation_list(&HARD, NOW);
        world.trust.update(&HARD, next).unwrap();
    }
}

#[test]
fn serials_of_a_list_stand_in_one_order() {
    let mut world = World::new(13);
    let mut list: RevocationList = world.kdc.revocation_list(&HARD, NOW);
    for serials in [vec![2, 1], vec![1, 1]] {
        list.body.serials = serials.into();
        let refusal = world.trust.update(&HARD, list.clone()).unwrap_err();
        assert_eq!(refusal.clause(), Clause::OneEncodingPerValue);
    }
}

#[test]
fn key_09_a_claim_is_that_of_the_certificate() {
    let mut world = World::new(14);
    let alice = world.enrol("alice", Role::Assistant);
    let certified = Arc::clone(alice.certified());
    certified.require_claim(&HARD, &name("alice"), Role::Assistant).unwrap();
    for (subject, role) in [("bob", Role::Assistant), ("alice", Role::Doctor)] {
        only(Clause::SubjectIsClaimedPrincipal, |rules| certified.require_claim(rules, &name(subject), role));
    }
    let stranger = Arc::new(Identity::generate(SUITE, &mut world.rng));
    only(Clause::SubjectIsClaimedPrincipal, |rules| {
        Credentials::new(rules, Arc::clone(&stranger), Arc::clone(&certified))
    });
}

#[test]
fn key_10_only_who_was_admitted_is_certified_and_only_in_that_role() {
    let mut world = World::new(15);
    world.kdc.admit(name("alice"), Role::Assistant);
    for (subject, role) in [("mallory", Role::Assistant), ("alice", Role::Administrator)] {
        let (_, request) = world.request(subject, role);
        only(Clause::EnrolmentIsAdmitted, |rules| {
            let mut fresh = World::new(15);
            fresh.kdc.admit(name("alice"), Role::Assistant);
            fresh.kdc.enrol(rules, NOW, &request)
        });
    }
}

#[test]
fn key_11_nothing_holds_under_a_list_that_ran_out() {
    let mut world = World::new(16);
    let long = Lifetimes { certificate: 10_000_000, list: 1_000 };
    let mut kdc = Kdc::new(name("kdc"), SUITE, long, &mut world.rng);
    kdc.admit(name("alice"), Role::Doctor);
    let (_, request) = world.request("alice", Role::Doctor);
    let certificate = kdc.enrol(&HARD, NOW, &request).unwrap();
    let list = kdc.revocation_list(&HARD, NOW);
    let mut trust = TrustStore::new(&HARD, kdc.anchor(), list).unwrap();
    assert!(trust.verify(&HARD, NOW.after(999), &certificate).is_ok());
    only(Clause::RevocationListIsCurrent, |rules| trust.verify(rules, NOW.after(1_000), &certificate));
    trust.update(&HARD, kdc.revocation_list(&HARD, NOW.after(1_000))).unwrap();
    assert!(trust.verify(&HARD, NOW.after(1_000), &certificate).is_ok());
}

#[test]
fn a_wrong_version_or_suite_is_refused_by_name() {
    let mut world = World::new(17);
    let alice = world.enrol("alice", Role::Doctor);
    let mut certificate = alice.certified().certificate().clone();
    certificate.body.version = 2;
    let refusal = world.trust.verify(&HARD, NOW, &certificate).unwrap_err();
    assert_eq!(refusal.clause(), Clause::ProtocolVersionIsOne);
    certificate.body.version = 1;
    certificate.body.suite = OTHERS[0];
    let refusal = world.trust.verify(&HARD, NOW, &certificate).unwrap_err();
    assert_eq!(refusal.clause(), Clause::SuiteMatches);
    let (_, mut request) = world.request("alice", Role::Doctor);
    request.body.version = 0;
    assert_eq!(world.kdc.enrol(&HARD, NOW, &request).unwrap_err().clause(), Clause::ProtocolVersionIsOne);
    request.body.version = 1;
    request.body.suite = OTHERS[1];
    assert_eq!(world.kdc.enrol(&HARD, NOW, &request).unwrap_err().clause(), Clause::SuiteMatches);
}

#[test]
fn a_refused_enrolment_changes_nothing() {
    let mut world = World::new(18);
    world.kdc.admit(name("alice"), Role::Doctor);
    let (_, request) = world.request("alice", Role::Doctor);
    let mut spoiled = request.clone();
    spoiled.signing_proof = spoiled.agreement_proof.clone();
    assert!(world.kdc.enrol(&HARD, NOW, &spoiled).is_err());
    assert_eq!(world.kdc.enrol(&HARD, NOW, &request).unwrap().body.serial, 1);
}

#[test]
fn every_bit_of_a_certificate_matters() {
    let mut world = World::new(19);
    let alice = world.enrol("alice", Role::Doctor);
    let bytes = encode(alice.certified().certificate());
    let fresh = || TrustStore::new(&HARD, world.kdc.anchor(), world.trust.revocation_list().clone()).unwrap();
    let mut trust = fresh();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let result = decode(&HARD, &flipped).and_then(|c: Certificate| trust.verify(&HARD, NOW, &c));
        assert!(result.is_err(), "byte {at}");
    }
    assert!(trust.verify(&HARD, NOW, alice.certified().certificate()).is_ok());
}

#[test]
fn secrets_do_not_show() {
    let mut world = World::new(20);
    let alice = world.enrol("alice", Role::Doctor);
    assert_eq!(format!("{:?}", alice.identity()), "Identity(..)");
    assert!(!format!("{:?}", world.kdc).contains("signing"));
}

#[test]
fn rol_01_02_03_05_each_permission_belongs_to_its_roles() {
    use Role::*;
    let allowed = [
        (Permission::Submit, Clause::RoleMaySubmit, vec![Doctor, Assistant]),
        (Permission::Read, Clause::RoleMayRead, vec![Doctor, Assistant]),
        (Permission::ChangePolicy, Clause::RoleMayChangePolicy, vec![Administrator]),
        (Permission::Grant, Clause::RoleMayGrant, vec![Doctor, Assistant]),
    ];
    for (permission, clause, roles) in allowed {
        for role in Role::ALL {
            if roles.contains(&role) {
                role.require(&HARD, permission).unwrap();
            } else {
                only(clause, |rules| role.require(rules, permission));
            }
        }
    }
}

#[test]
fn rol_04_a_role_fills_one_place() {
    let places = [Party::User, Party::Bsd, Party::Validator, Party::Cloud, Party::Custodian];
    for role in Role::ALL {
        for place in places {
            if role.place() == place {
                role.require_place(&HARD, place).unwrap();
            } else {
                only(Clause::RoleFitsPlace, |rules| role.require_place(rules, place));
            }
        }
    }
}

#[test]
fn the_chapter_shows_the_matrix_of_the_code() {
    let chapter = crate::tests::chapter("04-principals-keys-certificates.md");
    for role in Role::ALL {
        let cell = |permission| if role.may(permission) { "yes" } else { "no" };
        let [submit, read, grant, change] = Permission::ALL.map(cell);
        let place = format!("{:?}", role.place()).to_lowercase();
        let row = format!("| {} | {submit} | {read} | {grant} | {change} | {place} |", role.name());
        assert!(chapter.contains(&row), "the chapter lacks {row}");
    }
}

#[test]
fn a_certificate_is_known_by_its_whole_encoding() {
    let mut world = World::new(21);
    let alice = world.enrol("alice", Role::Doctor);
    let certificate = alice.certified().certificate();
    let again = world.trust.verify(&HARD, NOW, certificate).unwrap();
    assert!(Arc::ptr_eq(&again, alice.certified()), "verified once, remembered by digest");
    let digest = Digest::of(Domain::CERTIFICATE, &encode(certificate));
    let mut other = certificate.clone();
    other.body.serial += 1;
    assert_ne!(digest, Digest::of(Domain::CERTIFICATE, &encode(&other)));
}

#[test]
fn messages_of_the_kdc_have_the_bytes_of_the_chapter() {
    let mut world = World::new(22);
    let alice = world.enrol("alice", Role::Assistant);
    world.revoke(&alice);
    let (identity, request) = world.request("bob", Role::Cloud);
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let suite = (SUITE as u16).to_be_bytes();
    let keys = |identity: &Identity| {
        let signing = vector(&identity.signing_key().verifying_key().encode());
        [signing, vector(&identity.agreement_key().encapsulation_key().encode())].concat()
    };
    let verifies =
        |domain, body: &[u8], signature: &_| world.kdc.anchor().key.verify(&HARD, domain, body, signature);

    let body = [&[0, 1][..], &suite, &[3], b"bob", &[6], &keys(&identity)].concat();
    let proofs = [encode(&request.signing_proof), encode(&request.agreement_proof)].concat();
    assert_eq!(encode(&request), [&body[..], &proofs].concat());
    let public = identity.signing_key().verifying_key();
    assert!(public.verify(&HARD, Domain::POSSESSION_SIGNING, &body, &request.signing_proof));

    let certificate = alice.certified().certificate();
    let body = [
        &[0, 1][..],
        &suite,
        &1u64.to_be_bytes(),
        &[5],
        b"alice",
        &[2],
        &keys(alice.identity()),
        &NOW.0.to_be_bytes(),
        &(NOW.0 + LIFETIMES.certificate).to_be_bytes(),
        &[3],
        b"kdc",
    ]
    .concat();
    assert_eq!(encode(certificate), [body.clone(), encode(&certificate.signature)].concat());
    assert!(verifies(Domain::CERTIFICATE, &body, &certificate.signature));

    let list = world.trust.revocation_list();
    let body = [
        &[0, 1][..],
        &suite,
        &[3],
        b"kdc",
        &2u32.to_be_bytes(),
        &NOW.0.to_be_bytes(),
        &(NOW.0 + LIFETIMES.list).to_be_bytes(),
        &8u32.to_be_bytes(),
        &1u64.to_be_bytes(),
    ]
    .concat();
    assert_eq!(encode(list), [body.clone(), encode(&list.signature)].concat());
    assert!(verifies(Domain::REVOCATION_LIST, &body, &list.signature));
}

#[test]
fn grp_04_the_two_keys_of_an_identity_are_of_one_suite() {
    let mut rng = ChaCha20Rng::seed_from_u64(41);
    let mut of = |suite: Suite| {
        let signing = SigningKey::generate(SUITE, &mut rng);
        Identity::of(&HARD, signing, DecapsulationKey::generate(suite, &mut rng))
    };
    assert_eq!(of(SUITE).unwrap().suite(), SUITE);
    assert_eq!(of(OTHERS[0]).unwrap_err().clause(), Clause::SuiteMatches);
}
