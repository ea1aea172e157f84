//! Hashing, key derivation and encryption (chapter 3).

use super::prelude::*;

data! {
    HashInput { tag: String, message: Hex }
    HashOutput { digest: Hex }
    ExpandInput { salt: Hex, material: Hex, tag: String, context: Hex, length: u16 }
    ExpandOutput { extracted: Hex, expanded: Hex }
    EncryptInput { key: Hex, nonce: Hex, associated: Hex, plaintext: Hex }
    Ciphertext { ciphertext: Hex }
    DecryptInput { key: Hex, nonce: Hex, associated: Hex, ciphertext: Hex }
    Plaintext { plaintext: Hex }
}

/// A digest under a domain separator.
impl HashInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<HashOutput, Stop> {
        Ok(HashOutput { digest: Digest::of(tag(&self.tag)?, &self.message.0).as_bytes().into() })
    }

    pub(super) fn cases(_: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let mut case = |tag: &Domain, length: usize| {
            let input = HashInput { tag: tag.label().to_owned(), message: Hex(drawn(&mut rng, length)) };
            Case::new(format!("{length} bytes"), None, input)
        };
        let mut cases: Vec<_> = Domain::ALL.iter().flat_map(|tag| [case(tag, 0), case(tag, 33)]).collect();
        // Around the blocks of SHA-256.
        let lengths = [1, 31, 32, 40, 41, 42, 63, 64, 65, 104, 105, 1000];
        cases.extend(lengths.map(|length| case(&Domain::VOTE, length)));
        Ok(cases)
    }
}

/// HKDF: extract, then expand.
impl ExpandInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<ExpandOutput, Stop> {
        let extracted = extract(&self.salt.0, &self.material.0);
        let label = tag(&self.tag)?.label().as_bytes();
        let mut expanded = vec![0; usize::from(self.length)];
        expand_info(&extracted, &[&[label.len() as u8], label, &self.context.0], &mut expanded)
            .map_err(|error| Stop::Malformed(error.to_string()))?;
        Ok(ExpandOutput { extracted: (*extracted).into(), expanded: Hex(expanded) })
    }

    pub(super) fn cases(_: Suite) -> Result<Vec<Case<Self>>, Refusal> {
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
        let case = |(place, (salt, material, context, length)): (usize, (usize, usize, usize, u16))| {
            let tag = Domain::ALL[place % Domain::ALL.len()].label().to_owned();
            let [salt, material, context] =
                [salt, material, context].map(|bytes| Hex(drawn(&mut rng, bytes)));
            let input = ExpandInput { salt, material, tag, context, length };
            Case::new(format!("{length} bytes"), None, input)
        };
        Ok(lengths.into_iter().enumerate().map(case).collect())
    }
}

/// AES-256-GCM, one way.
impl EncryptInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<Ciphertext, Stop> {
        let key = AeadKey::from_bytes(self.key.array()?);
        Ok(Ciphertext {
            ciphertext: Hex(key.seal(&self.nonce.array()?, &self.associated.0, &self.plaintext.0)),
        })
    }

    pub(super) fn cases(_: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let lengths = [(0, 0), (0, 1), (1, 0), (42, 16), (20, 15), (16, 17), (64, 300)];
        let case = |(associated, plaintext): (usize, usize)| {
            let [key, nonce, data, text] =
                [32, 12, associated, plaintext].map(|length| Hex(drawn(&mut rng, length)));
            let input = EncryptInput { key, nonce, associated: data, plaintext: text };
            Case::new(format!("{plaintext} bytes with {associated}"), None, input)
        };
        Ok(lengths.into_iter().map(case).collect())
    }
}

/// And back.
impl DecryptInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<Plaintext, Stop> {
        let key = AeadKey::from_bytes(self.key.array()?);
        let (nonce, associated) = (self.nonce.array()?, &self.associated.0);
        Ok(Plaintext { plaintext: Hex(key.open_checked(&RULES, &nonce, associated, &self.ciphertext.0)?) })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let [key, nonce, associated, plaintext] = [32, 12, 9, 20].map(|length| Hex(drawn(&mut rng, length)));
        let genuine = EncryptInput { key, nonce, associated, plaintext };
        let Ciphertext { ciphertext } = genuine.evaluate(suite)?;
        let EncryptInput { key, nonce, associated, .. } = genuine;
        let mut cases = Cases::of(suite, DecryptInput { key, nonce, associated, ciphertext });
        cases.valid("as it was made", |_| ());
        type Change = fn(&mut DecryptInput);
        let wrong: [(&str, Change); 7] = [
            ("the first bit of the ciphertext", |input| input.ciphertext.0[0] ^= 0x80),
            ("the last bit of the tag", |input| input.ciphertext.0[35] ^= 1),
            ("the first bit of the tag", |input| input.ciphertext.0[20] ^= 0x80),
            ("a bit of the associated data", |input| input.associated.0[8] ^= 1),
            ("a bit of the nonce", |input| input.nonce.0[11] ^= 1),
            ("one byte less", |input| input.ciphertext.0.truncate(35)),
            ("fewer bytes than a tag has", |input| input.ciphertext.0.truncate(15)),
        ];
        for (comment, change) in wrong {
            cases.invalid(Clause::TagVerifiedBeforeUse, comment, change);
        }
        Ok(cases.all())
    }
}
