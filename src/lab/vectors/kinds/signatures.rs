//! Signatures (chapter 3).

use super::group::{greatest, plus_one};
use super::prelude::*;

data! {
    SignInput { secret: Hex, tag: String, message: Hex }
    SignOutput { public: Hex, nonce: Hex, challenge: Hex, signature: Hex }
    VerifyInput { public: Hex, tag: String, message: Hex, signature: Hex }
}

/// A signature, with its nonce.
impl SignInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<SignOutput, Stop> {
        let key = SigningKey::from_bytes(&RULES, suite, &self.secret.0)?;
        let (tag, message) = (tag(&self.tag)?, self.message.0.as_slice());
        let signature = key.sign(&RULES, tag, message);
        let public = key.verifying_key().encode();
        // Once more, as the chapter says it, for the two numbers that a signature does not show.
        let label = tag.label().as_bytes();
        let tagged = [&[label.len() as u8], label, message].concat();
        let digest = Digest::of(Domain::SIGNATURE_NONCE, &tagged);
        let context = [&suite.number()[..], &[0], digest.as_bytes()].concat();
        let label = Domain::SIGNATURE_NONCE.label().as_bytes();
        let mut bytes = vec![0; suite.scalar_len() + 16];
        expand_info(&extract(b"", &self.secret.0), &[&[label.len() as u8], label, &context], &mut bytes)
            .map_err(|error| Stop::Malformed(error.to_string()))?;
        let nonce = Scalar::reduce(suite, &bytes);
        let commitment = Element::base_power(&nonce).encode();
        let covered = [&suite.number()[..], &public, &commitment, &tagged].concat();
        let challenge = Digest::of(Domain::SIGNATURE_CHALLENGE, &covered);
        let challenge = Scalar::reduce(suite, challenge.as_bytes());
        if !signature.as_bytes().starts_with(&commitment) {
            return Err(Stop::Malformed("the nonce is not that of the signature".to_owned()));
        }
        let (nonce, challenge) = (nonce.encode().into(), challenge.encode().into());
        Ok(SignOutput { public: Hex(public), nonce, challenge, signature: signature.as_bytes().into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let check = Scalar::reduce(suite, &vec![0x42; suite.scalar_len() + 16]).encode().to_vec();
        let input = |secret: &[u8], tag: Domain, message: &[u8]| SignInput {
            secret: secret.into(),
            tag: tag.label().to_owned(),
            message: message.into(),
        };
        let end = "a secret at the end of its range";
        let mut cases = vec![
            Case::new("the check value of chapter 3", None, input(&check, Domain::VOTE, b"a message")),
            Case::new("an empty message", None, input(&check, Domain::VOTE, b"")),
            Case::new("another tag", None, input(&check, Domain::T_VALID, b"a message")),
            Case::new(end, None, input(Scalar::reduce(suite, &[1]).encode(), Domain::CERTIFICATE, b"m")),
            Case::new(end, None, input(&greatest(suite), Domain::CERTIFICATE, b"m")),
        ];
        for length in [1, 55, 64, 300] {
            let secret = Scalar::random(suite, &mut rng).encode().to_vec();
            let input = input(&secret, Domain::T_BLOCK, &drawn(&mut rng, length));
            cases.push(Case::new(format!("{length} bytes"), None, input));
        }
        for case in &mut cases {
            case.shows(Clause::NonceIsDerived);
        }
        let none = input(&vec![0; check.len()], Domain::VOTE, b"m");
        cases.push(Case::new("no secret", Some(Clause::ScalarInRange), none));
        Ok(cases)
    }
}

/// The verification of a signature.
impl VerifyInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Nothing, Stop> {
        let key = VerifyingKey::decode(&RULES, suite, &self.public.0)?;
        let signature = Signature::from_bytes(&self.signature.0);
        key.check(&RULES, tag(&self.tag)?, &self.message.0, &signature)?;
        Ok(Nothing {})
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::{ChallengeCoversKeyAndTag, CommitmentRecomputed, ScalarInRange, SuiteMatches};
        let mut rng = rng(Self::NAME);
        let [key, other] = [(); 2].map(|()| SigningKey::generate(suite, &mut rng));
        let message = b"what is signed";
        let signature = key.sign(&RULES, Domain::VOTE, message);
        let public = key.verifying_key().encode();
        let neighbours = near_elements(suite, &public);
        let given = VerifyInput {
            public: Hex(public),
            tag: Domain::VOTE.label().to_owned(),
            message: message.into(),
            signature: signature.as_bytes().into(),
        };
        let split = suite.element_len();
        let mut cases = Cases::of(suite, given);
        cases.valid("as it was made", |_| ());
        let wrong = CommitmentRecomputed;
        cases
            .invalid(wrong, "another tag", |input| input.tag = Domain::T_VALID.label().to_owned())
            .shows(ChallengeCoversKeyAndTag);
        cases
            .invalid(wrong, "another key", |input| input.public = Hex(other.verifying_key().encode()))
            .shows(ChallengeCoversKeyAndTag);
        cases.invalid(wrong, "another message", |input| input.message.0[0] ^= 1);
        cases.invalid(wrong, "a longer message", |input| input.message.0.push(0));
        cases.invalid(wrong, "the last bit of the commitment", |input| input.signature.0[split - 1] ^= 1);
        cases.invalid(wrong, "the first bit of the commitment", |input| input.signature.0[0] ^= 0x80);
        let response = |input: &mut VerifyInput, bytes: &[u8]| {
            input.signature.0.truncate(split);
            input.signature.0.extend(bytes);
        };
        let negative = Scalar::decode(&RULES, suite, &signature.as_bytes()[split..])?.negate();
        cases.invalid(wrong, "the negative response", |input| response(input, negative.encode()));
        // Nothing but the key itself, as if the secret were the nonce: R = g^s.
        let random = Scalar::random(suite, &mut rng);
        let forged = [Element::base_power(&random).encode(), random.encode().to_vec()].concat();
        let comment = "a commitment that the response gives without the key";
        cases.invalid(wrong, comment, |input| input.signature = Hex(forged));
        let bare = key.sign(&RULES.without(ChallengeCoversKeyAndTag), Domain::VOTE, message);
        cases
            .invalid(wrong, "signed with a challenge that covers neither key nor tag", |input| {
                input.signature = bare.as_bytes().into();
            })
            .shows(ChallengeCoversKeyAndTag);
        let length = suite.scalar_len();
        for (comment, bytes) in [
            ("a response of zero", vec![0; length]),
            ("a response of q", plus_one(suite, greatest(suite))),
            ("a response of all ones", vec![0xff; length]),
        ] {
            cases.invalid(ScalarInRange, comment, |input| response(input, &bytes));
        }
        cases.invalid(SuiteMatches, "one byte less", |input| {
            input.signature.0.truncate(suite.signature_len() - 1)
        });
        cases.invalid(SuiteMatches, "one byte more", |input| input.signature.0.push(0));
        cases.invalid(SuiteMatches, "nothing", |input| input.signature.0.clear());
        for (clause, comment, bytes) in neighbours {
            cases.invalid(clause, format!("a key that is {comment}"), |input| input.public = Hex(bytes));
        }
        Ok(cases.all())
    }
}
