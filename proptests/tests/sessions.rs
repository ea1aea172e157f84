//! Random runs of certificates, handshakes, records and seals through the public interface.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world is to stop")]

use bemr::crypto::{Digest, Domain, Suite};
use bemr::keys::{Credentials, Identity, Kdc, Lifetimes, TrustStore};
use bemr::session::{AwaitingHello, AwaitingResponse, Custodian, SealChain, Sent, Session, UsedKey, stage};
use bemr::wire::{
    Certificate, ContentType, EnrolmentRequest, Name, Packet, RevocationList, Role, Seal, SealChainStart,
    SessionType, Time, decode, encode,
};
use bemr_spec::{Clause, Rules, constants};
use proptest::prelude::*;
use proptest::sample::Index;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const HARD: Rules = Rules::hardened();
const SUITE: Suite = Suite::Ristretto255;
const NOW: Time = Time(5_000);

struct Ward {
    rng: ChaCha20Rng,
    kdc: Kdc,
    trust: TrustStore,
    user: Credentials,
    bsd: Credentials,
    custodian: Credentials,
}

impl Ward {
    fn new(seed: u64) -> Ward {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let lifetimes = Lifetimes { certificate: 1_000_000, list: 1_000_000 };
        let mut kdc = Kdc::new(Name::new("kdc").unwrap(), SUITE, lifetimes, &mut rng);
        let list = kdc.revocation_list(&HARD, NOW);
        let mut trust = TrustStore::new(&HARD, kdc.anchor(), list).unwrap();
        let mut enrol = |subject: &str, role| {
            let subject = Name::new(subject).unwrap();
            let identity = Identity::generate(SUITE, &mut rng);
            kdc.admit(subject.clone(), role);
            let request = identity.enrolment_request(&HARD, subject, role);
            let certificate = kdc.enrol(&HARD, NOW, &request).unwrap();
            let certified = trust.verify(&HARD, NOW, &certificate).unwrap();
            Credentials::new(&HARD, Arc::new(identity), certified).unwrap()
        };
        let user = enrol("alice", Role::Doctor);
        let bsd = enrol("bsd", Role::Bsd);
        let custodian = enrol("vault", Role::Custodian);
        Ward { rng, kdc, trust, user, bsd, custodian }
    }

    fn hello(&mut self) -> (AwaitingResponse, Vec<u8>) {
        let rng = &mut self.rng;
        AwaitingResponse::begin(&HARD, rng, NOW, &self.user, SessionType::Initial, self.bsd.name()).unwrap()
    }

    fn session(&mut self) -> (Session, Session) {
        let (near, hello) = self.hello();
        let mut listener = AwaitingHello::new(&self.bsd);
        let (far, response) = listener.on_hello(&HARD, &mut self.rng, NOW, &hello).unwrap();
        let (near, finish) = near.on_response(&HARD, &mut self.trust, NOW, &response).unwrap();
        (near, far.on_finish(&HARD, &mut self.trust, NOW, &finish).unwrap())
    }
}

/// What the network does with the records of one direction.
#[derive(Clone, Debug)]
enum Move {
    /// The sender seals so many records, which wait in the network.
    Send(usize),
    /// One that was sent before arrives, perhaps not for the first time.
    Deliver(Index),
    /// One that was sent before arrives with a flipped bit.
    Flip(Index, Index),
    /// One that was sent before comes back to its sender.
    Reflect(Index),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (1..4usize).prop_map(Move::Send),
        1 => (1000..1100usize).prop_map(Move::Send),
        6 => any::<Index>().prop_map(Move::Deliver),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(record, bit)| Move::Flip(record, bit)),
        1 => any::<Index>().prop_map(Move::Reflect),
    ];
    prop::collection::vec(one, 1..40)
}

/// Whatever decodes, encodes to the bytes that it came from.
fn same<T>(bytes: &[u8]) -> Result<(), TestCaseError>
where
    T: tls_codec::DeserializeBytes + tls_codec::Serialize,
{
    if let Ok(value) = decode::<T>(&HARD, bytes) {
        prop_assert_eq!(encode(&value), bytes);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is lost, repeated, reordered or changed: a message is taken at most once, in order, as it was
    /// sent, and the clause of each refusal is the one that two numbers decide.
    #[test]
    fn a_receiver_takes_what_was_sent_in_order_and_once(seed: u64, moves in moves()) {
        let (mut near, mut far) = Ward::new(seed).session();
        let mut sent: Vec<Vec<u8>> = Vec::new();
        let mut last = 0;
        let mut taken = BTreeSet::new();
        for step in moves {
            match step {
                Move::Send(count) => for _ in 0..count {
                    let message = (sent.len() as u64 + 1).to_be_bytes();
                    sent.push(near.seal_record(&HARD, ContentType::Initial, &message).unwrap().record);
                },
                Move::Deliver(which) if !sent.is_empty() => {
                    let at = which.index(sent.len());
                    let sequence = at as u64 + 1;
                    let result = far.open_record(&HARD, &sent[at]);
                    if sequence <= last {
                        prop_assert_eq!(result.unwrap_err().clause(), Clause::SequenceAdvances);
                    } else if sequence > last + constants::RECORDS_SKIPPED {
                        prop_assert_eq!(result.unwrap_err().clause(), Clause::SkipIsBounded);
                    } else {
                        let opened = result.unwrap();
                        prop_assert_eq!(opened.message.as_slice(), sequence.to_be_bytes());
                        prop_assert_eq!(opened.key.position().sequence, sequence);
                        prop_assert!(taken.insert(sequence));
                        last = sequence;
                    }
                }
                Move::Flip(which, bit) if !sent.is_empty() => {
                    let mut record = sent[which.index(sent.len())].clone();
                    let bit = bit.index(8 * record.len());
                    record[bit / 8] ^= 1 << (bit % 8);
                    prop_assert!(far.open_record(&HARD, &record).is_err());
                }
                Move::Reflect(which) if !sent.is_empty() => {
                    let result = near.open_record(&HARD, &sent[which.index(sent.len())]);
                    prop_assert_eq!(result.unwrap_err().clause(), Clause::DirectionIsIncoming);
                }
                _ => {}
            }
        }
        // Nothing above disturbed the other direction.
        let record = far.seal_record(&HARD, ContentType::Initial, b"back").unwrap().record;
        let opened = near.open_record(&HARD, &record).unwrap();
        prop_assert_eq!(opened.message.as_slice(), b"back");
    }

    /// Bytes inserted, removed or changed anywhere in a handshake open no session and end none.
    #[test]
    fn a_mangled_handshake_opens_nothing_and_ends_nothing(
        seed: u64,
        which in 0..3usize,
        at: Index,
        remove in 0..4usize,
        insert in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let mut ward = Ward::new(seed);
        let mangle = |packet: &[u8]| {
            let at = at.index(packet.len());
            let mut mangled = packet.to_vec();
            mangled.splice(at..(at + remove).min(packet.len()), insert.iter().copied());
            (mangled != packet).then_some(mangled)
        };
        let (mut near, hello) = ward.hello();
        let mut listener = AwaitingHello::new(&ward.bsd);
        let (mut far, response) = listener.on_hello(&HARD, &mut ward.rng, NOW, &hello).unwrap();
        if which == 0 && let Some(mangled) = mangle(&hello)
            && let Ok((_, answer)) = listener.on_hello(&HARD, &mut ward.rng, NOW, &mangled)
        {
            near = near.on_response(&HARD, &mut ward.trust, NOW, &answer).unwrap_err().state;
        }
        if which == 1 && let Some(mangled) = mangle(&response) {
            near = near.on_response(&HARD, &mut ward.trust, NOW, &mangled).unwrap_err().state;
        }
        let (near, finish) = near.on_response(&HARD, &mut ward.trust, NOW, &response).unwrap();
        if which == 2 && let Some(mangled) = mangle(&finish) {
            far = far.on_finish(&HARD, &mut ward.trust, NOW, &mangled).unwrap_err().state;
        }
        let far = far.on_finish(&HARD, &mut ward.trust, NOW, &finish).unwrap();
        prop_assert_eq!(near.id(), far.id());
    }

    /// The custodian recovers each sealed key in whatever order, and with it that record alone.
    #[test]
    fn seals_open_in_any_order_for_the_custodian(
        seed: u64,
        sizes in prop::collection::vec(1..4usize, 1..6),
        order in prop::collection::vec(any::<Index>(), 1..12),
    ) {
        let mut ward = Ward::new(seed);
        let (mut user, mut bsd) = ward.session();
        let (mut chain, start) =
            SealChain::open(&HARD, &mut ward.rng, &ward.bsd, ward.custodian.certified()).unwrap();
        let mut seals: Vec<(Seal, Vec<Vec<u8>>)> = Vec::new();
        for (n, size) in sizes.iter().enumerate() {
            let sent: Vec<Sent> =
                (0..*size).map(|_| user.seal_record(&HARD, ContentType::Initial, &[n as u8]).unwrap()).collect();
            let mut keys: Vec<UsedKey> =
                sent.iter().map(|sent| bsd.open_record(&HARD, &sent.record).unwrap().key).collect();
            let tid = Digest::of(Domain::TRANSACTION_ID, &[n as u8]);
            let (seal, evidence) = chain.seal::<stage::Initial>(&HARD, tid, &mut keys).unwrap();
            prop_assert!(keys.is_empty());
            prop_assert!(evidence.digest_for(&HARD, &tid).is_ok());
            seals.push((seal, sent.into_iter().map(|sent| sent.record).collect()));
        }
        let start: SealChainStart = decode(&HARD, &encode(&start)).unwrap();
        let mut opened =
            Custodian::new(&HARD, ward.custodian.clone()).unwrap().open_chain(&HARD, &start).unwrap();
        for which in order {
            let n = which.index(seals.len());
            let (seal, records) = &seals[n];
            let seal: Seal = decode(&HARD, &encode(seal)).unwrap();
            let keys = opened.open(&HARD, &seal).unwrap();
            prop_assert_eq!(keys.len(), records.len());
            for (key, record) in keys.iter().zip(records) {
                let message = key.open_record(&HARD, record).unwrap();
                prop_assert_eq!(message.as_slice(), [n as u8]);
                for other in records.iter().filter(|other| *other != record) {
                    prop_assert!(key.open_record(&HARD, other).is_err());
                }
            }
        }
    }

    /// One encoding per value, over bytes near to real messages and far from them.
    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        seed in 0..8u64,
        which in 0..6usize,
        at: Index,
        byte: u8,
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut ward = Ward::new(seed);
        let carol = Identity::generate(SUITE, &mut ward.rng);
        let samples: [Vec<u8>; 4] = [
            encode(ward.user.certified().certificate()),
            encode(&ward.kdc.revocation_list(&HARD, NOW)),
            ward.hello().1,
            encode(&carol.enrolment_request(&HARD, Name::new("carol").unwrap(), Role::Assistant)),
        ];
        let mut bytes = samples.get(which).cloned().unwrap_or(noise);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        same::<Certificate>(&bytes)?;
        same::<RevocationList>(&bytes)?;
        same::<Packet>(&bytes)?;
        same::<EnrolmentRequest>(&bytes)?;
        same::<Seal>(&bytes)?;
        same::<SealChainStart>(&bytes)?;
    }

    /// At every instant at most one certificate of a subject holds, whatever is asked, revoked or expires.
    #[test]
    fn one_certificate_at_a_time(
        steps in prop::collection::vec((0..3u8, 0..2usize, 0..400_000u64), 1..24),
    ) {
        let mut ward = Ward::new(1);
        let subjects = ["dan", "eve"].map(|subject| Name::new(subject).unwrap());
        let mut issued: BTreeMap<Name, Vec<Certificate>> = BTreeMap::new();
        let mut now = NOW;
        for (what, who, wait) in steps {
            let subject = &subjects[who];
            ward.kdc.admit(subject.clone(), Role::Assistant);
            match what {
                0 => now = now.after(wait),
                1 => if let Some(last) = issued.get(subject).and_then(|all| all.last()) {
                    ward.kdc.revoke(last.body.serial);
                },
                _ => {
                    let identity = Identity::generate(SUITE, &mut ward.rng);
                    let request = identity.enrolment_request(&HARD, subject.clone(), Role::Assistant);
                    match ward.kdc.enrol(&HARD, now, &request) {
                        Ok(certificate) => issued.entry(subject.clone()).or_default().push(certificate),
                        Err(refusal) => {
                            prop_assert_eq!(refusal.clause(), Clause::OnePrincipalOneCertificate);
                        }
                    }
                }
            }
            let list = ward.kdc.revocation_list(&HARD, now);
            ward.trust.update(&HARD, list).unwrap();
            for all in issued.values() {
                let holding = all.iter().filter(|c| ward.trust.verify(&HARD, now, c).is_ok()).count();
                prop_assert!(holding <= 1);
            }
        }
    }
}
