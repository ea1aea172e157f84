//! A second initiator and a second custodian, written from the chapters with hash, HKDF and cipher alone: they share
//! no line with the room that they talk to.

use super::{HARD, Ward};
use crate::crypto::{AeadKey, Domain, Ephemeral};
use crate::keys::tests::{NOW, SUITE};
use crate::session::{AwaitingHello, SealChain, stage};
use crate::wire::{ContentType, IdentityProof, SessionType, decode, encode};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::{Digest as _, Sha256};

fn labelled(label: &str, rest: &[u8]) -> Vec<u8> {
    [&[label.len() as u8], label.as_bytes(), rest].concat()
}

fn digest(label: &str, message: &[u8]) -> [u8; 32] {
    Sha256::digest(labelled(label, message)).into()
}

fn expand(key: &[u8], label: &str, context: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    Hkdf::<Sha256>::from_prk(key).unwrap().expand(&labelled(label, context), &mut out).unwrap();
    out
}

fn aead(key: [u8; 32]) -> AeadKey {
    AeadKey::from_bytes(key)
}

/// Two bytes of length, then that many.
fn vector(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    bytes.split_at(2 + length)
}

fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> [u8; 32] {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes
}

const TRANSCRIPT: &str = "bemr/1 handshake transcript";

#[test]
fn an_initiator_written_from_the_chapter_opens_a_session() {
    let mut ward = Ward::new(110);
    let user = ward.user.clone();
    let certificate = encode(user.certified().certificate());
    let rng = &mut ward.world.rng;
    let pair = Ephemeral::generate(SUITE, rng);

    let element = pair.public().encode();
    let hello = [
        &[0, 1][..],
        &(SUITE as u16).to_be_bytes(),
        &[SessionType::Initial as u8],
        &random(rng),
        &(element.len() as u16).to_be_bytes(),
        &element,
    ]
    .concat();
    let mut listener = AwaitingHello::new(&ward.bsd);
    let (far, response) = listener.on_hello(&HARD, rng, NOW, &[&[1], &hello[..]].concat()).unwrap();

    assert_eq!(response[0], 2);
    let (nonce, rest) = response[1..].split_at(32);
    let (ephemeral, proof) = vector(rest);
    let peer = crate::crypto::Element::decode(&HARD, SUITE, &ephemeral[2..]).unwrap();
    let shared = pair.agree(&peer);
    let t1 = digest(TRANSCRIPT, &[&[1], &hello[..], nonce, ephemeral].concat());
    let (secret, _) = Hkdf::<Sha256>::extract(Some(&t1), shared.as_bytes());

    let key = aead(expand(&secret, "bemr/1 handshake responder proof key", &t1));
    let opened = key.open(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &t1, &proof[2..]).unwrap();
    let theirs: IdentityProof = decode(&HARD, &opened).unwrap();
    let t2 = digest(TRANSCRIPT, &[&[2], &t1[..], &encode(&theirs.certificate)].concat());
    let bsd = ward.bsd.certified();
    assert!(bsd.signing_key().verify(&HARD, Domain::RESPONDER_SIGNATURE, &t2, &theirs.signature));
    assert_eq!(theirs.confirmation, expand(&secret, "bemr/1 handshake responder confirmation", &t2));

    let t3 = digest(TRANSCRIPT, &[&[3], &t2[..], proof, &certificate].concat());
    let signature = user.identity().signing_key().sign(&HARD, Domain::INITIATOR_SIGNATURE, &t3);
    let confirmation = expand(&secret, "bemr/1 handshake initiator confirmation", &t3);
    let plain = [&certificate[..], &encode(&signature), &confirmation].concat();
    let key = aead(expand(&secret, "bemr/1 handshake initiator proof key", &t1));
    let sealed = key.seal(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &t1, &plain);
    let finish = [&[3][..], &(sealed.len() as u16).to_be_bytes(), &sealed].concat();
    let mut session = far.on_finish(&HARD, &mut ward.world.trust, NOW, &finish).unwrap();

    // Three records each way, by hand here.
    let id = expand(&secret, "bemr/1 session id", &t3);
    assert_eq!(session.id().0.as_bytes(), &id);
    let mut there = expand(&secret, "bemr/1 chain initiator to responder", &t3);
    let mut back = expand(&secret, "bemr/1 chain responder to initiator", &t3);
    for sequence in 1..=3u8 {
        let header = |direction: u8| [&id[..], &[direction, 1, 0, 0, 0, 0, 0, 0, 0, sequence]].concat();
        let nonce = |direction: u8| [direction, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, sequence];
        let key = aead(expand(&there, "bemr/1 record key", b""));
        there = expand(&there, "bemr/1 chain next", b"");
        let sealed = key.seal(&nonce(1), &header(1), &[sequence; 5]);
        let packet = [&[4][..], &header(1), &(sealed.len() as u32).to_be_bytes(), &sealed].concat();
        assert_eq!(session.open_record(&HARD, &packet).unwrap().message.as_slice(), [sequence; 5]);

        let sent = session.seal_record(&HARD, ContentType::Initial, b"outcome").unwrap().record;
        let key = aead(expand(&back, "bemr/1 record key", b""));
        back = expand(&back, "bemr/1 chain next", b"");
        let expected = [&[4][..], &header(2), &[0, 0, 0, 7 + 16]].concat();
        assert_eq!(sent[..47], expected);
        assert_eq!(key.open(&nonce(2), &header(2), &sent[47..]).unwrap(), b"outcome");
    }
}

#[test]
fn a_custodian_written_from_the_chapter_opens_the_seals() {
    let mut ward = Ward::new(111);
    let (mut user, mut bsd) = ward.session(SessionType::Initial);
    let (owner, custodian) = (ward.bsd.clone(), ward.custodian.clone());
    let (mut chain, start) =
        SealChain::open(&HARD, &mut ward.world.rng, &owner, custodian.certified()).unwrap();

    let body = [&[0, 1][..], &(SUITE as u16).to_be_bytes(), &[3], b"bsd", &[5], b"vault"].concat();
    let start = encode(&start);
    let (found, encapsulation) = start.split_at(body.len());
    assert_eq!(found, body);
    let agreement = custodian.identity().agreement_key();
    let shared = agreement.decapsulate(&HARD, &vector(encapsulation).0[2..], &body).unwrap();
    let id = digest("bemr/1 seal chain", &start);
    let mut chain_key = expand(shared.expose(), "bemr/1 seal chain", &id);

    for index in 1..=3u8 {
        let record = user.seal_record(&HARD, ContentType::Initial, &[index]).unwrap().record;
        let mut keys = vec![bsd.open_record(&HARD, &record).unwrap().key];
        let tid = crate::crypto::Digest::from_bytes([index; 32]);
        let (seal, evidence) = chain.seal::<stage::Initial>(&HARD, tid, &mut keys).unwrap();
        let seal = encode(&seal);

        let number = [0, 0, 0, 0, 0, 0, 0, index];
        let entry = [&record[1..33], &[1], &number, &[5], b"alice"].concat();
        let context = [
            &[0, 1][..],
            &id,
            &number,
            &[index; 32],
            &[1],
            &[3],
            b"bsd",
            &(entry.len() as u32).to_be_bytes(),
            &entry,
        ]
        .concat();
        let (found, wrapped) = seal.split_at(context.len());
        assert_eq!(found, context);
        let key = aead(expand(&chain_key, "bemr/1 seal key", b""));
        chain_key = expand(&chain_key, "bemr/1 seal next", b"");
        let nonce: [u8; 12] = [&[0; 4][..], &number].concat().try_into().unwrap();
        let secret = key.open(&nonce, &context, &wrapped[4..]).unwrap();
        let key = aead(secret.try_into().unwrap());
        let nonce = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, index];
        assert_eq!(key.open(&nonce, &record[1..43], &record[47..]).unwrap(), [index]);
        let carried = evidence.digest_for(&HARD, &tid).unwrap();
        assert_eq!(carried.0.as_bytes(), &digest("bemr/1 seal", &seal));
    }
}
