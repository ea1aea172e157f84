//! Signatures (chapter 3).

use super::draws::{Nothing, drawn, rng, tag};
use super::group::{greatest, plus_one};
use super::{Kind, Made, RULES, SUITES, Stop};
use crate::forge::near_elements;
use crate::vectors::Hex;
use bemr::crypto::{
    Digest, Domain, Element, Scalar, Signature, SigningKey, Suite, VerifyingKey, expand_info, extract,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        let digest = Digest::of(Domain::SIGNATURE_NONCE, &tagged);
        let context = [&suite.number()[..], &[0], digest.as_bytes()].concat();
        let label = Domain::SIGNATURE_NONCE.label().as_bytes();
        let mut bytes = vec![0; suite.scalar_len() + 16];
        expand_info(&extract(b"", &input.secret.0), &[&[label.len() as u8], label, &context], &mut bytes)
            .map_err(|error| Stop::Malformed(error.to_string()))?;
        let nonce = Scalar::reduce(suite, &bytes);
        let commitment = Element::base_power(&nonce).encode();
        let covered = [&suite.number()[..], &public, &commitment, &tagged].concat();
        let challenge = Digest::of(Domain::SIGNATURE_CHALLENGE, &covered);
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
        let one = |secret: &[u8], tag: Domain, message: &[u8]| SignInput {
            secret: secret.into(),
            tag: tag.label().to_owned(),
            message: message.into(),
        };
        made.push(Made::valid("the check value of chapter 3", one(&check, Domain::VOTE, b"a message")));
        made.push(Made::valid("an empty message", one(&check, Domain::VOTE, b"")));
        made.push(Made::valid("another tag", one(&check, Domain::T_VALID, b"a message")));
        for secret in [Scalar::reduce(suite, &[1]).encode().to_vec(), greatest(suite)] {
            made.push(Made::valid(
                "a secret at the end of its range",
                one(&secret, Domain::CERTIFICATE, b"m"),
            ));
        }
        for length in [1, 55, 64, 300] {
            let secret = Scalar::random(suite, &mut rng).encode().to_vec();
            let message = drawn(&mut rng, length);
            made.push(Made::valid(format!("{length} bytes"), one(&secret, Domain::T_BLOCK, &message)));
        }
        made.iter_mut().for_each(|made| made.flags.push(Clause::NonceIsDerived));
        made.push(Made::invalid(
            Clause::ScalarInRange,
            "no secret",
            one(&vec![0; check.len()], Domain::VOTE, b"m"),
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
        let signature = key.sign(&RULES, Domain::VOTE, &message);
        let genuine = VerifyInput {
            public: Hex(key.verifying_key().encode()),
            tag: Domain::VOTE.label().to_owned(),
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
        made.push(
            wrong("another tag", &|input| input.tag = Domain::T_VALID.label().to_owned()).shows(&tagged),
        );
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
        let bare = key.sign(&lacking, Domain::VOTE, &message);
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
