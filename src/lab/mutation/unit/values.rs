//! Values that are given to the functions that judge them, and makers whose products are looked at.

use crate::mutation::unit::{Door, Input};
use bemr::actors::bsd::{Event, State};
use bemr::crypto::{
    AeadKey, DecapsulationKey, Digest, Domain, Element, Scalar, Signature, SigningKey, Suite,
};
use bemr::keys::Permission;
use bemr::records::{Facts, Opened, PolicyRegistry, Record, map};
use bemr::session::{Sealed, stage};
use bemr::wire::{Height, Name, PolicyRef, Role, Time, Version};
use bemr_spec::Clause::*;
use bemr_spec::{Clause, Refusal, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

type Look = fn(&Rules) -> Result<(), String>;

const CASES: &[(Clause, &str, Look)] = &[
    (NonceIsDerived, "two messages, signed by one key", |rules| {
        let key = SigningKey::generate(SUITE, &mut rng());
        let commitment = |message: &[u8]| {
            key.sign(rules, Domain::VOTE, message).as_bytes().get(..SUITE.element_len()).map(<[u8]>::to_vec)
        };
        holds(commitment(b"one") != commitment(b"two"), "one nonce for two messages")
    }),
    (ChallengeCoversKeyAndTag, "a vote's signature, shown for a T_valid", |rules| {
        let key = SigningKey::generate(SUITE, &mut rng());
        let vote = key.sign(rules, Domain::VOTE, b"m");
        holds(!key.verifying_key().verify(rules, Domain::T_VALID, b"m", &vote), "it was taken")
    }),
    (CommitmentRecomputed, "random numbers, shown for a signature", |rules| {
        let mut rng = rng();
        let key = SigningKey::generate(SUITE, &mut rng);
        let commitment = Element::base_power(&Scalar::random(SUITE, &mut rng)).encode();
        let random = [commitment.as_slice(), Scalar::random(SUITE, &mut rng).encode()].concat();
        refused(
            CommitmentRecomputed,
            key.verifying_key().check(rules, Domain::VOTE, b"m", &Signature::from_bytes(&random)),
        )
    }),
    (EncapsulationIsContextual, "a key, decapsulated in another context", |rules| {
        let mut rng = rng();
        let recipient = DecapsulationKey::generate(SUITE, &mut rng);
        let (encapsulation, key) = recipient.encapsulation_key().encapsulate(rules, &mut rng, b"here");
        let there =
            recipient.decapsulate(rules, &encapsulation, b"there").map_err(|refusal| refusal.to_string())?;
        holds(there.open(&[0; 12], b"", &key.seal(&[0; 12], b"", b"secret")).is_none(), "it opened")
    }),
    (TagVerifiedBeforeUse, "a ciphertext with another bit", |rules| {
        let key = AeadKey::from_bytes([7; 32]);
        let mut sealed = key.seal(&[1; 12], b"", b"ten thousand");
        sealed[0] ^= 1;
        refused(TagVerifiedBeforeUse, key.open_checked(rules, &[1; 12], b"", &sealed))
    }),
    (ScalarInRange, "zero for a scalar", |rules| {
        refused(ScalarInRange, Scalar::decode(rules, SUITE, &vec![0; SUITE.scalar_len()]))
    }),
    (SuiteMatches, "an element of another suite", |rules| {
        let other = SigningKey::generate(Suite::Tiny, &mut rng()).verifying_key().encode();
        refused(SuiteMatches, Element::decode(rules, Suite::Ffdhe2048, &other))
    }),
    (RoleMayGrant, "a grant by an administrator", |rules| {
        refused(RoleMayGrant, Role::Administrator.require(rules, Permission::Grant))
    }),
    (RecordIsJson, "a byte order mark before the record", |rules| {
        refused(RecordIsJson, Record::read(rules, "\u{feff}{\"resourceType\":\"Patient\"}".as_bytes()))
    }),
    (EventFitsState, "a receipt while votes are awaited", |rules| {
        refused(EventFitsState, State::AwaitingVotes.expects(rules, Event::ReceiptArrived))
    }),
    (TemplateIsInForce, "a template before its time", |rules| {
        let registry = PolicyRegistry::shipped(name("network"));
        let template = PolicyRef { id: name("observation"), version: Version(1) };
        refused(TemplateIsInForce, registry.policy(rules, &template, &[], Height(0)).map(|_| ()))
    }),
    (SubjectRule, "a record of another patient", |rules| {
        let hardened = Rules::hardened();
        let registry = PolicyRegistry::shipped(name("network"));
        let policy = registry.policy_in_force(&name("condition"), Height(1)).ok_or("no such template")?;
        let text = br#"{"resourceType":"Condition","subject":{"reference":"Patient/1"},"onsetDateTime":"2019-03-04"}"#;
        let record = Record::read(&hardened, text).map_err(|refusal| refusal.to_string())?;
        let values = map(&hardened, policy.template(), &record).map_err(|refusal| refusal.to_string())?;
        let opened: Opened =
            (0..).zip(values).filter(|(index, _)| policy.checked_attributes().contains(index)).collect();
        let facts = Facts { role: Role::Doctor, issued: Time(2_000_000_000_000), patient: name("Patient/2") };
        refused(SubjectRule, policy.evaluate(rules, &opened, &facts).map_err(Refusal::from))
    }),
    (SealBeforeNextStage, "evidence of no seal", |rules| {
        refused(
            SealBeforeNextStage,
            Sealed::<stage::Initial>::none(rules, Digest::of(Domain::T_BLOCK, b"")).map(|_| ()),
        )
    }),
];

const SUITE: Suite = Suite::Tiny;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

fn name(text: &str) -> Name {
    Name::new(text).expect("short printable ASCII")
}

fn holds(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// Whether it was refused by this clause.
fn refused<T>(clause: Clause, result: Result<T, Refusal>) -> Result<(), String> {
    match result {
        Err(refusal) if refusal.clause() == clause => Ok(()),
        Err(refusal) => Err(format!("{} instead of {}", refusal.clause().id(), clause.id())),
        Ok(_) => Err(format!("taken instead of {}", clause.id())),
    }
}

pub(super) fn doors() -> impl Iterator<Item = Door> {
    CASES.iter().map(|(clause, name, look)| Door {
        clause: *clause,
        name: (*name).to_owned(),
        input: Input::Value(*look),
    })
}
