//! Hashing, key derivation, encryption, elements, scalars, signatures, encapsulation and exchange (chapter 3).

use super::tape::Tape;
use super::{Kind, Made, NONE, RULES, SUITES, Stop};
use crate::crypto::{
    AeadKey, DecapsulationKey, Digest, Element, EncapsulationKey, Ephemeral, MAX_EXPANDED, Scalar, Signature,
    SigningKey, Suite, Tag, VerifyingKey, expand_info, extract,
};
use crate::vectors::Hex;
use bemr_spec::{Clause, Refusal};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Randomness of the vectors themselves: one seed for each kind.
pub(super) fn rng(kind: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(*Digest::of(Tag::PUBLIC_STATE, kind.as_bytes()).as_bytes())
}

pub(super) fn drawn(rng: &mut ChaCha20Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// The bytes that one scalar is drawn from.
pub(super) fn scalar_bytes(rng: &mut ChaCha20Rng, suite: Suite) -> Vec<u8> {
    drawn(rng, suite.scalar_len() + 16)
}

pub(super) fn tag(label: &str) -> Result<Tag, Stop> {
    let known = Tag::ALL.iter().copied().find(|tag| tag.label() == label);
    known.ok_or_else(|| Stop::Malformed(format!("no tag `{label}`")))
}

/// Nothing comes out but that it is taken.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Nothing {}

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
        let one = |tag: &Tag, message: Vec<u8>| {
            let input = HashInput { tag: tag.label().to_owned(), message: Hex(message) };
            Made::valid(format!("{} bytes", input.message.0.len()), input)
        };
        let every = Tag::ALL.iter().flat_map(|tag| [one(tag, Vec::new()), one(tag, drawn(&mut rng, 33))]);
        let mut made: Vec<_> = every.collect();
        // Around the blocks of SHA-256.
        for length in [1, 31, 32, 40, 41, 42, 63, 64, 65, 104, 105, 1000] {
            made.push(one(&Tag::VOTE, drawn(&mut rng, length)));
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
            let tag = Tag::ALL[place % Tag::ALL.len()].label().to_owned();
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

/// What decodes.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Encoding {
    encoding: Hex,
}

/// The decoding of an element.
pub(in crate::vectors) enum DecodeElement {}

/// Encodings near an element, and the clause that refuses each.
pub(in crate::vectors) fn near_elements(
    suite: Suite,
    genuine: &[u8],
) -> Vec<(Clause, &'static str, Vec<u8>)> {
    use Clause::{ElementInRange, ElementInSubgroup, SuiteMatches};
    let mut near = vec![
        (SuiteMatches, "nothing", Vec::new()),
        (SuiteMatches, "one byte less", genuine[1..].to_vec()),
        (SuiteMatches, "one byte more", [&[0], genuine].concat()),
    ];
    let small = |number: u8| [vec![0; genuine.len() - 1], vec![number]].concat();
    near.push((ElementInRange, "zero", small(0)));
    near.push((
        ElementInRange,
        "one",
        if suite == Suite::Ristretto255 {
            let mut bytes = vec![0; genuine.len()];
            bytes[0] = 1;
            bytes
        } else {
            small(1)
        },
    ));
    near.push((ElementInRange, "all ones", vec![0xff; genuine.len()]));
    if let Some(digits) = suite.modulus() {
        let p = num_bigint::BigUint::parse_bytes(digits.as_bytes(), 16).expect("digits of a number");
        let bytes = |number: num_bigint::BigUint| {
            let bytes = number.to_bytes_be();
            [vec![0; genuine.len() - bytes.len()], bytes].concat()
        };
        near.push((ElementInRange, "p - 1", bytes(&p - 1u8)));
        near.push((ElementInRange, "p", bytes(p.clone())));
        near.push((ElementInRange, "p + 1", bytes(&p + 1u8)));
        near.push((ElementInSubgroup, "-g, the least outside the subgroup beside p - 1", bytes(&p - 2u8)));
        let element = num_bigint::BigUint::from_bytes_be(genuine);
        near.push((ElementInSubgroup, "the negative of an element", bytes(&p - element)));
    } else {
        let mut negative = genuine.to_vec();
        negative[0] ^= 1;
        near.push((ElementInRange, "the other sign", negative));
        let mut high = genuine.to_vec();
        high[31] |= 0x80;
        near.push((ElementInRange, "the same number with its highest bit set", high));
        let even = (2..=u8::MAX).step_by(2).map(|number| {
            let mut bytes = vec![0; genuine.len()];
            bytes[0] = number;
            bytes
        });
        let no_element = |bytes: &Vec<u8>| Element::decode(&RULES, suite, bytes).is_err();
        near.extend(
            even.into_iter()
                .find(no_element)
                .map(|bytes| (ElementInRange, "the least even number that is none", bytes)),
        );
    }
    near
}

impl Kind for DecodeElement {
    const NAME: &'static str = "element";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = Encoding;
    type Output = Encoding;

    fn judge(suite: Suite, input: &Encoding) -> Result<Encoding, Stop> {
        let element = Element::decode(&RULES, suite, &input.encoding.0)?;
        Ok(Encoding { encoding: Hex(element.encode()) })
    }

    fn make(suite: Suite) -> Result<Vec<Made<Encoding>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let generator = Element::generator(suite).encode();
        let mut made = vec![Made::valid("the generator", Encoding { encoding: Hex(generator) })];
        for number in 1..=3 {
            let power = Element::base_power(&Scalar::random(suite, &mut rng)).encode();
            made.push(Made::valid(format!("a power of it, {number}"), Encoding { encoding: Hex(power) }));
        }
        let genuine = made[1].input.encoding.0.clone();
        made.extend(near_elements(suite, &genuine).into_iter().map(|(clause, comment, bytes)| {
            Made::invalid(clause, comment, Encoding { encoding: Hex(bytes) })
        }));
        Ok(made)
    }
}

/// The decoding of a scalar.
pub(in crate::vectors) enum DecodeScalar {}

/// q - 1 as it is encoded.
fn greatest(suite: Suite) -> Vec<u8> {
    Scalar::reduce(suite, &[1]).negate().encode().to_vec()
}

/// The number after this one, in the order of the suite's bytes.
fn plus_one(suite: Suite, mut bytes: Vec<u8>) -> Vec<u8> {
    let little = suite == Suite::Ristretto255;
    if little {
        bytes.reverse();
    }
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    if little {
        bytes.reverse();
    }
    bytes
}

impl Kind for DecodeScalar {
    const NAME: &'static str = "scalar";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = Encoding;
    type Output = Encoding;

    fn judge(suite: Suite, input: &Encoding) -> Result<Encoding, Stop> {
        let scalar = Scalar::decode(&RULES, suite, &input.encoding.0)?;
        Ok(Encoding { encoding: scalar.encode().into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<Encoding>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let random = Scalar::random(suite, &mut rng).encode().to_vec();
        let input = |bytes: &[u8]| Encoding { encoding: bytes.into() };
        let last = greatest(suite);
        let q = plus_one(suite, last.clone());
        use Clause::{ScalarInRange, SuiteMatches};
        Ok(vec![
            Made::valid("one", input(Scalar::reduce(suite, &[1]).encode())),
            Made::valid("q - 1", input(&last)),
            Made::valid("a random one", input(&random)),
            Made::invalid(ScalarInRange, "zero", input(&vec![0; random.len()])),
            Made::invalid(ScalarInRange, "q", input(&q)),
            Made::invalid(ScalarInRange, "q + 1", input(&plus_one(suite, q.clone()))),
            Made::invalid(ScalarInRange, "all ones", input(&vec![0xff; random.len()])),
            Made::invalid(SuiteMatches, "one byte less", input(&random[1..])),
            Made::invalid(SuiteMatches, "one byte more", input(&[random.as_slice(), &[0]].concat())),
            Made::invalid(SuiteMatches, "nothing", input(&[])),
        ])
    }
}

/// A secret scalar out of random bytes, and the power of the generator.
pub(in crate::vectors) enum Draw {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct DrawInput {
    drawn: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct DrawOutput {
    scalar: Hex,
    power: Hex,
}

impl Kind for Draw {
    const NAME: &'static str = "draw";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = DrawInput;
    type Output = DrawOutput;

    fn judge(suite: Suite, input: &DrawInput) -> Result<DrawOutput, Stop> {
        let mut tape = Tape::of(&input.drawn.0);
        let scalar = Scalar::random(suite, &mut tape);
        tape.end()?;
        let power = Element::base_power(&scalar).encode();
        Ok(DrawOutput { scalar: scalar.encode().into(), power: Hex(power) })
    }

    fn make(suite: Suite) -> Result<Vec<Made<DrawInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let length = suite.scalar_len() + 16;
        let one = |comment: &str, bytes: Vec<u8>| Made::valid(comment, DrawInput { drawn: Hex(bytes) });
        let zeros = vec![0; length];
        let mut least = zeros.clone();
        *least.last_mut().expect("16 bytes at least") = 1;
        Ok(vec![
            one("random", scalar_bytes(&mut rng, suite)),
            one("random again", scalar_bytes(&mut rng, suite)),
            one("all ones", vec![0xff; length]),
            one("the least", least),
            one("zero, so that it is drawn again", [zeros, scalar_bytes(&mut rng, suite)].concat()),
        ])
    }
}

/// A signature, with its nonce.
pub(in crate::vectors) enum Sign {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct SignInput {
    secret: Hex,
    tag: String,
    message: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct SignOutput {
    public: Hex,
    nonce: Hex,
    challenge: Hex,
    signature: Hex,
}

impl Kind for Sign {
    const NAME: &'static str = "sign";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = SignInput;
    type Output = SignOutput;

    fn judge(suite: Suite, input: &SignInput) -> Result<SignOutput, Stop> {
        let key = SigningKey::from_bytes(&RULES, suite, &input.secret.0)?;
        let (tag, message) = (tag(&input.tag)?, input.message.0.as_slice());
        let signature = key.sign(&RULES, tag, message);
        let public = key.verifying_key().encode();
        // Once more, as the chapter says it, for the two numbers that a signature does not show.
        let label = tag.label().as_bytes();
        let tagged = [&[label.len() as u8], label, message].concat();
        let digest = Digest::of(Tag::SIGNATURE_NONCE, &tagged);
        let context = [&suite.number()[..], &[0], digest.as_bytes()].concat();
        let label = Tag::SIGNATURE_NONCE.label().as_bytes();
        let mut bytes = vec![0; suite.scalar_len() + 16];
        expand_info(&extract(b"", &input.secret.0), &[&[label.len() as u8], label, &context], &mut bytes)
            .map_err(|error| Stop::Malformed(error.to_string()))?;
        let nonce = Scalar::reduce(suite, &bytes);
        let commitment = Element::base_power(&nonce).encode();
        let covered = [&suite.number()[..], &public, &commitment, &tagged].concat();
        let challenge = Digest::of(Tag::SIGNATURE_CHALLENGE, &covered);
        let challenge = Scalar::reduce(suite, challenge.as_bytes());
        if !signature.as_bytes().starts_with(&commitment) {
            return Err(Stop::Malformed("the nonce is not that of the signature".to_owned()));
        }
        Ok(SignOutput {
            public: Hex(public),
            nonce: nonce.encode().into(),
            challenge: challenge.encode().into(),
            signature: signature.as_bytes().into(),
        })
    }

    fn make(suite: Suite) -> Result<Vec<Made<SignInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let mut made = Vec::new();
        let check = Scalar::reduce(suite, &vec![0x42; suite.scalar_len() + 16]).encode().to_vec();
        let one = |secret: &[u8], tag: Tag, message: &[u8]| SignInput {
            secret: secret.into(),
            tag: tag.label().to_owned(),
            message: message.into(),
        };
        made.push(Made::valid("the check value of chapter 3", one(&check, Tag::VOTE, b"a message")));
        made.push(Made::valid("an empty message", one(&check, Tag::VOTE, b"")));
        made.push(Made::valid("another tag", one(&check, Tag::T_VALID, b"a message")));
        for secret in [Scalar::reduce(suite, &[1]).encode().to_vec(), greatest(suite)] {
            made.push(Made::valid("a secret at the end of its range", one(&secret, Tag::CERTIFICATE, b"m")));
        }
        for length in [1, 55, 64, 300] {
            let secret = Scalar::random(suite, &mut rng).encode().to_vec();
            let message = drawn(&mut rng, length);
            made.push(Made::valid(format!("{length} bytes"), one(&secret, Tag::T_BLOCK, &message)));
        }
        made.iter_mut().for_each(|made| made.flags.push(Clause::NonceIsDerived));
        made.push(Made::invalid(
            Clause::ScalarInRange,
            "no secret",
            one(&vec![0; check.len()], Tag::VOTE, b"m"),
        ));
        Ok(made)
    }
}

/// The verification of a signature.
pub(in crate::vectors) enum Verify {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct VerifyInput {
    public: Hex,
    tag: String,
    message: Hex,
    signature: Hex,
}

impl Kind for Verify {
    const NAME: &'static str = "verify";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = VerifyInput;
    type Output = Nothing;

    fn judge(suite: Suite, input: &VerifyInput) -> Result<Nothing, Stop> {
        let key = VerifyingKey::decode(&RULES, suite, &input.public.0)?;
        let signature = Signature::from_bytes(&input.signature.0);
        key.check(&RULES, tag(&input.tag)?, &input.message.0, &signature)?;
        Ok(Nothing {})
    }

    fn make(suite: Suite) -> Result<Vec<Made<VerifyInput>>, Refusal> {
        use Clause::{ChallengeCoversKeyAndTag, CommitmentRecomputed, ScalarInRange, SuiteMatches};
        let mut rng = rng(Self::NAME);
        let key = SigningKey::generate(suite, &mut rng);
        let other = SigningKey::generate(suite, &mut rng);
        let message = b"what is signed".to_vec();
        let signature = key.sign(&RULES, Tag::VOTE, &message);
        let genuine = VerifyInput {
            public: Hex(key.verifying_key().encode()),
            tag: Tag::VOTE.label().to_owned(),
            message: Hex(message.clone()),
            signature: signature.as_bytes().into(),
        };
        let split = suite.element_len();
        let mut made = vec![Made::valid("as it was made", genuine.clone())];
        let with = |change: &dyn Fn(&mut VerifyInput)| {
            let mut input = genuine.clone();
            change(&mut input);
            input
        };
        let wrong = |comment: &str, change: &dyn Fn(&mut VerifyInput)| {
            Made::invalid(CommitmentRecomputed, comment, with(change))
        };
        let tagged = [ChallengeCoversKeyAndTag];
        made.push(wrong("another tag", &|input| input.tag = Tag::T_VALID.label().to_owned()).shows(&tagged));
        made.push(
            wrong("another key", &|input| input.public = Hex(other.verifying_key().encode())).shows(&tagged),
        );
        made.push(wrong("another message", &|input| input.message.0[0] ^= 1));
        made.push(wrong("a longer message", &|input| input.message.0.push(0)));
        made.push(wrong("the last bit of the commitment", &|input| input.signature.0[split - 1] ^= 1));
        made.push(wrong("the first bit of the commitment", &|input| input.signature.0[0] ^= 0x80));
        let negated = |bytes: &[u8]| {
            Scalar::decode(&RULES, suite, bytes).map(|scalar| scalar.negate().encode().to_vec())
        };
        let negative = negated(&signature.as_bytes()[split..])?;
        made.push(wrong("the negative response", &|input| {
            input.signature.0.splice(split.., negative.iter().copied());
        }));
        // Nothing but the key itself, as if the secret were the nonce: R = g^s.
        let random = Scalar::random(suite, &mut rng);
        let forged = [Element::base_power(&random).encode(), random.encode().to_vec()].concat();
        made.push(wrong("a commitment that the response gives without the key", &|input| {
            input.signature = Hex(forged.clone());
        }));
        let lacking = RULES.without(ChallengeCoversKeyAndTag);
        let bare = key.sign(&lacking, Tag::VOTE, &message);
        made.push(
            wrong("signed with a challenge that covers neither key nor tag", &|input| {
                input.signature = bare.as_bytes().into();
            })
            .shows(&tagged),
        );
        let response = |bytes: Vec<u8>| {
            with(&move |input| {
                input.signature.0.splice(split.., bytes.iter().copied());
            })
        };
        made.push(Made::invalid(ScalarInRange, "a response of zero", response(vec![0; suite.scalar_len()])));
        let q = plus_one(suite, greatest(suite));
        made.push(Made::invalid(ScalarInRange, "a response of q", response(q)));
        made.push(Made::invalid(
            ScalarInRange,
            "a response of all ones",
            response(vec![0xff; suite.scalar_len()]),
        ));
        let short = with(&|input| input.signature.0.truncate(suite.signature_len() - 1));
        made.push(Made::invalid(SuiteMatches, "one byte less", short));
        made.push(Made::invalid(SuiteMatches, "one byte more", with(&|input| input.signature.0.push(0))));
        made.push(Made::invalid(SuiteMatches, "nothing", with(&|input| input.signature.0.clear())));
        let public = genuine.public.0.clone();
        for (clause, comment, bytes) in near_elements(suite, &public) {
            let input = with(&|input| input.public = Hex(bytes.clone()));
            made.push(Made::invalid(clause, format!("a key that is {comment}"), input));
        }
        Ok(made)
    }
}

/// A key for the holder of a public key.
pub(in crate::vectors) enum Encapsulate {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct EncapsulateInput {
    public: Hex,
    context: Hex,
    drawn: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct EncapsulateOutput {
    encapsulation: Hex,
    key: Hex,
}

impl Kind for Encapsulate {
    const NAME: &'static str = "encapsulate";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = EncapsulateInput;
    type Output = EncapsulateOutput;

    fn judge(suite: Suite, input: &EncapsulateInput) -> Result<EncapsulateOutput, Stop> {
        let key = EncapsulationKey::decode(&RULES, suite, &input.public.0)?;
        let mut tape = Tape::of(&input.drawn.0);
        let (encapsulation, key) = key.encapsulate(&RULES, &mut tape, &input.context.0);
        tape.end()?;
        Ok(EncapsulateOutput { encapsulation: Hex(encapsulation), key: key.expose().into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<EncapsulateInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let mut made = Vec::new();
        for context in [&b"context"[..], b"", &[7; 100]] {
            let key = DecapsulationKey::generate(suite, &mut rng);
            let input = EncapsulateInput {
                public: Hex(key.encapsulation_key().encode()),
                context: context.into(),
                drawn: Hex(scalar_bytes(&mut rng, suite)),
            };
            let comment = format!("a context of {} bytes", context.len());
            made.push(Made::valid(comment, input).shows(&[Clause::EncapsulationIsContextual]));
        }
        Ok(made)
    }
}

/// The key out of an encapsulation.
pub(in crate::vectors) enum Decapsulate {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct DecapsulateInput {
    secret: Hex,
    encapsulation: Hex,
    context: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Key {
    key: Hex,
}

impl Kind for Decapsulate {
    const NAME: &'static str = "decapsulate";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = DecapsulateInput;
    type Output = Key;

    fn judge(suite: Suite, input: &DecapsulateInput) -> Result<Key, Stop> {
        let secret = DecapsulationKey::from_bytes(&RULES, suite, &input.secret.0)?;
        let key = secret.decapsulate(&RULES, &input.encapsulation.0, &input.context.0)?;
        Ok(Key { key: key.expose().into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<DecapsulateInput>>, Refusal> {
        let secret = Scalar::reduce(suite, &vec![0x42; suite.scalar_len() + 16]);
        let ephemeral = Scalar::reduce(suite, &vec![0x17; suite.scalar_len() + 16]);
        let genuine = DecapsulateInput {
            secret: secret.encode().into(),
            encapsulation: Hex(Element::base_power(&ephemeral).encode()),
            context: b"context".into(),
        };
        let mut made = vec![Made::valid("the check value of chapter 3", genuine.clone())];
        let context = DecapsulateInput { context: b"contexu".into(), ..genuine.clone() };
        made.push(
            Made::valid("another context, hence another key", context)
                .shows(&[Clause::EncapsulationIsContextual]),
        );
        for (clause, comment, bytes) in near_elements(suite, &genuine.encapsulation.0) {
            let input = DecapsulateInput { encapsulation: Hex(bytes), ..genuine.clone() };
            made.push(Made::invalid(clause, comment, input));
        }
        Ok(made)
    }
}

/// Ephemeral Diffie–Hellman, one side of it.
pub(in crate::vectors) enum Agree {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct AgreeInput {
    drawn: Hex,
    peer: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct AgreeOutput {
    public: Hex,
    shared: Hex,
}

impl Kind for Agree {
    const NAME: &'static str = "agree";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = AgreeInput;
    type Output = AgreeOutput;

    fn judge(suite: Suite, input: &AgreeInput) -> Result<AgreeOutput, Stop> {
        let mut tape = Tape::of(&input.drawn.0);
        let pair = Ephemeral::generate(suite, &mut tape);
        tape.end()?;
        let peer = Element::decode(&RULES, suite, &input.peer.0)?;
        let shared = pair.try_agree(&peer)?;
        Ok(AgreeOutput { public: Hex(pair.public().encode()), shared: shared.as_bytes().into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<AgreeInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let bytes = [scalar_bytes(&mut rng, suite), scalar_bytes(&mut rng, suite)];
        let public = |bytes: &[u8]| Ephemeral::generate(suite, &mut Tape::of(bytes)).public().encode();
        let one = |own: usize| AgreeInput { drawn: (&bytes[own]).into(), peer: Hex(public(&bytes[1 - own])) };
        let mut made = vec![Made::valid("one side", one(0)), Made::valid("the other", one(1))];
        for (clause, comment, peer) in near_elements(suite, &public(&bytes[1])) {
            let input = AgreeInput { drawn: (&bytes[0]).into(), peer: Hex(peer) };
            made.push(Made::invalid(clause, comment, input));
        }
        Ok(made)
    }
}
