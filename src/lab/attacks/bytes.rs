//! Attacks on bytes that are no equations: a signature of one message accepted for another, a cipher without authentication, a digest of
//! few possible values.

use crate::attacks::evidence::{Evidence, stopped_by};
use bemr::crypto::{AeadKey, Digest, Domain, SigningKey, Suite};
use bemr::records::commitment_of;
use bemr::wire::Name;
use bemr_spec::Clause;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// C-06: a signature of stage *initial* is taken for one of stage *block*.
pub(super) fn tag_confusion() -> Result<Evidence, String> {
    let key = SigningKey::generate(Suite::Ristretto255, &mut ChaCha20Rng::seed_from_u64(6));
    let body = b"one shape for both transactions";
    stopped_by(Clause::ChallengeCoversKeyAndTag, |rules| {
        let signature = key.sign(rules, Domain::T_INITIAL, body);
        key.verifying_key().check(rules, Domain::T_BLOCK, body, &signature)?;
        Ok("the user's signature of T_initial, taken for the signature of a T_block".to_owned())
    })
}

/// C-20: bits of the patient's id flip on the way; a nonce that repeats gives the difference of two plaintexts.
pub(super) fn malleable() -> Result<Evidence, String> {
    let (key, nonce) = (AeadKey::from_bytes([7; 32]), [0; 12]);
    let (sent, other) = (b"pid=4711", b"pid=0815");
    let (first, second) = (key.seal(&nonce, b"", sent), key.seal(&nonce, b"", other));
    let difference = first.iter().zip(&second).map(|(one, two)| one ^ two);
    if !difference.zip(sent.iter().zip(other)).all(|(seen, (one, two))| seen == one ^ two) {
        return Err("a repeated nonce tells nothing".to_owned());
    }
    stopped_by(Clause::TagVerifiedBeforeUse, |rules| {
        let mut flipped = first.clone();
        flipped[4] ^= b'4' ^ b'9';
        let opened = key.open_checked(rules, &nonce, b"", &flipped)?;
        Ok(format!("what was sealed as {:?} opens as {:?}", text(sent), text(&opened)))
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What an attribute of few values can be.
const VALUES: [&[u8]; 4] = [b"male", b"female", b"other", b"unknown"];

/// C-30: the attribute behind a public digest is found by trying all of its values. A commitment has 2^256 openings.
pub(super) fn guessed_attribute() -> Result<Evidence, String> {
    let hidden = VALUES[2];
    let published = Digest::of(Domain::COMMITMENT, hidden);
    let guesses = || VALUES.iter().enumerate();
    let (tries, found) = guesses()
        .find(|(_, guess)| Digest::of(Domain::COMMITMENT, guess) == published)
        .ok_or("no value has this digest")?;
    let name = Name::new("gender").ok_or("a name of graphic characters")?;
    let committed = |opening: &[u8; 32], value: &[u8]| commitment_of(0, &name, value, opening);
    let commitment = committed(&[0x5a; 32], hidden);
    // Without the opening, which is not public, every value can give this commitment.
    if guesses().any(|(_, guess)| committed(&[0; 32], guess) == commitment) {
        return Err("the commitment does not hide".to_owned());
    }
    let published = format!("the attribute {:?}, from its digest, after {} tries", text(found), tries + 1);
    Ok(Evidence { published, refused_by: Clause::CheckedAttributesOpened, steps: tries + 1 })
}
