//! Hashing, key derivation and encryption (chapter 3).

use super::draws::{drawn, rng, tag};
use super::{Kind, Made, NONE, RULES, Stop};
use crate::vectors::Hex;
use bemr::crypto::{AeadKey, Digest, Domain, MAX_EXPANDED, Suite, expand_info, extract};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A digest under a tag.
pub(in crate::vectors) enum Hash {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct HashInput {
    tag: String,
    message: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct HashOutput {
    digest: Hex,
}

impl Kind for Hash {
    const NAME: &'static str = "hash";
    const SUITES: &'static [&'static str] = NONE;
    type Input = HashInput;
    type Output = HashOutput;

    fn judge(_: Suite, input: &HashInput) -> Result<HashOutput, Stop> {
        Ok(HashOutput { digest: Digest::of(tag(&input.tag)?, &input.message.0).as_bytes().into() })
    }

    fn make(_: Suite) -> Result<Vec<Made<HashInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let one = |tag: &Domain, message: Vec<u8>| {
            let input = HashInput { tag: tag.label().to_owned(), message: Hex(message) };
            Made::valid(format!("{} bytes", input.message.0.len()), input)
        };
        let every = Domain::ALL.iter().flat_map(|tag| [one(tag, Vec::new()), one(tag, drawn(&mut rng, 33))]);
        let mut made: Vec<_> = every.collect();
        // Around the blocks of SHA-256.
        for length in [1, 31, 32, 40, 41, 42, 63, 64, 65, 104, 105, 1000] {
            made.push(one(&Domain::VOTE, drawn(&mut rng, length)));
        }
        Ok(made)
    }
}

/// HKDF: extract, then expand.
pub(in crate::vectors) enum Expand {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct ExpandInput {
    salt: Hex,
    material: Hex,
    tag: String,
    context: Hex,
    length: u16,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct ExpandOutput {
    extracted: Hex,
    expanded: Hex,
}

impl Kind for Expand {
    const NAME: &'static str = "derive";
    const SUITES: &'static [&'static str] = NONE;
    type Input = ExpandInput;
    type Output = ExpandOutput;

    fn judge(_: Suite, input: &ExpandInput) -> Result<ExpandOutput, Stop> {
        let extracted = extract(&input.salt.0, &input.material.0);
        let label = tag(&input.tag)?.label().as_bytes();
        let mut expanded = vec![0; usize::from(input.length)];
        expand_info(&extracted, &[&[label.len() as u8], label, &input.context.0], &mut expanded)
            .map_err(|error| Stop::Malformed(error.to_string()))?;
        Ok(ExpandOutput { extracted: (*extracted).into(), expanded: Hex(expanded) })
    }

    fn make(_: Suite) -> Result<Vec<Made<ExpandInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let lengths = [
            (0, 32, 0, 32),
            (32, 32, 32, 32),
            (32, 256, 0, 32),
            (7, 65, 100, 32),
            (64, 1, 1, 1),
            (65, 8, 2, 24),
            (0, 384, 34, 400),
            (32, 32, 0, MAX_EXPANDED as u16),
        ];
        let mut made = Vec::new();
        for (place, (salt, material, context, length)) in lengths.into_iter().enumerate() {
            let tag = Domain::ALL[place % Domain::ALL.len()].label().to_owned();
            let (salt, material) = (Hex(drawn(&mut rng, salt)), Hex(drawn(&mut rng, material)));
            let context = Hex(drawn(&mut rng, context));
            let input = ExpandInput { salt, material, tag, context, length };
            made.push(Made::valid(format!("{length} bytes"), input));
        }
        Ok(made)
    }
}

/// AES-256-GCM, one way.
pub(in crate::vectors) enum Encrypt {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct EncryptInput {
    key: Hex,
    nonce: Hex,
    associated: Hex,
    plaintext: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Ciphertext {
    ciphertext: Hex,
}

impl Kind for Encrypt {
    const NAME: &'static str = "encrypt";
    const SUITES: &'static [&'static str] = NONE;
    type Input = EncryptInput;
    type Output = Ciphertext;

    fn judge(_: Suite, input: &EncryptInput) -> Result<Ciphertext, Stop> {
        let key = AeadKey::from_bytes(input.key.array()?);
        let sealed = key.seal(&input.nonce.array()?, &input.associated.0, &input.plaintext.0);
        Ok(Ciphertext { ciphertext: Hex(sealed) })
    }

    fn make(_: Suite) -> Result<Vec<Made<EncryptInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let lengths = [(0, 0), (0, 1), (1, 0), (42, 16), (20, 15), (16, 17), (64, 300)];
        let one = |(associated, plaintext): (usize, usize)| {
            let mut draw = |length| Hex(drawn(&mut rng, length));
            let (key, nonce) = (draw(32), draw(12));
            let input = EncryptInput { key, nonce, associated: draw(associated), plaintext: draw(plaintext) };
            Made::valid(format!("{plaintext} bytes with {associated}"), input)
        };
        Ok(lengths.into_iter().map(one).collect())
    }
}

/// And back.
pub(in crate::vectors) enum Decrypt {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct DecryptInput {
    key: Hex,
    nonce: Hex,
    associated: Hex,
    ciphertext: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Plaintext {
    plaintext: Hex,
}

impl Kind for Decrypt {
    const NAME: &'static str = "decrypt";
    const SUITES: &'static [&'static str] = NONE;
    type Input = DecryptInput;
    type Output = Plaintext;

    fn judge(_: Suite, input: &DecryptInput) -> Result<Plaintext, Stop> {
        let key = AeadKey::from_bytes(input.key.array()?);
        let (nonce, associated) = (input.nonce.array()?, &input.associated.0);
        let plaintext = key.open_checked(&RULES, &nonce, associated, &input.ciphertext.0)?;
        Ok(Plaintext { plaintext: Hex(plaintext) })
    }

    fn make(_: Suite) -> Result<Vec<Made<DecryptInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let (key, nonce) = (drawn(&mut rng, 32), drawn(&mut rng, 12));
        let (associated, plaintext) = (drawn(&mut rng, 9), drawn(&mut rng, 20));
        let right = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).expect("32 were drawn");
        let ciphertext = AeadKey::from_bytes(right(&key)).seal(
            &nonce.as_slice().try_into().expect("12 were drawn"),
            &associated,
            &plaintext,
        );
        let genuine = DecryptInput {
            key: Hex(key),
            nonce: Hex(nonce),
            associated: Hex(associated),
            ciphertext: Hex(ciphertext),
        };
        type Change = fn(&mut DecryptInput);
        let wrong: [(&str, Change); 7] = [
            ("the first bit of the ciphertext", |input| input.ciphertext.0[0] ^= 0x80),
            ("the last bit of the tag", |input| {
                *input.ciphertext.0.last_mut().expect("16 bytes at least") ^= 1
            }),
            ("the first bit of the tag", |input| input.ciphertext.0[20] ^= 0x80),
            ("a bit of the associated data", |input| input.associated.0[8] ^= 1),
            ("a bit of the nonce", |input| input.nonce.0[11] ^= 1),
            ("one byte less", |input| input.ciphertext.0.truncate(35)),
            ("fewer bytes than a tag has", |input| input.ciphertext.0.truncate(15)),
        ];
        let mut made = vec![Made::valid("as it was made", genuine.clone())];
        for (comment, change) in wrong {
            let mut input = genuine.clone();
            change(&mut input);
            made.push(Made::invalid(Clause::TagVerifiedBeforeUse, comment, input));
        }
        Ok(made)
    }
}
