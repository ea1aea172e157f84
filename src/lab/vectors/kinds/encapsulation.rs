//! Key encapsulation (chapter 3).

use super::prelude::*;

data! {
    EncapsulateInput { public: Hex, context: Hex, drawn: Hex }
    EncapsulateOutput { encapsulation: Hex, key: Hex }
    DecapsulateInput { secret: Hex, encapsulation: Hex, context: Hex }
    Key { key: Hex }
}

/// A key for the holder of a public key.
impl EncapsulateInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<EncapsulateOutput, Stop> {
        let public = EncapsulationKey::decode(&RULES, suite, &self.public.0)?;
        let (encapsulation, key) =
            drawing(&self.drawn, |tape| public.encapsulate(&RULES, tape, &self.context.0))?;
        Ok(EncapsulateOutput { encapsulation: Hex(encapsulation), key: key.expose().into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let case = |context: &[u8]| {
            let public = Hex(DecapsulationKey::generate(suite, &mut rng).encapsulation_key().encode());
            let drawn = Hex(scalar_bytes(&mut rng, suite));
            let input = EncapsulateInput { public, context: context.into(), drawn };
            let mut case = Case::new(format!("a context of {} bytes", context.len()), None, input);
            case.shows(Clause::EncapsulationIsContextual);
            case
        };
        Ok([&b"context"[..], b"", &[7; 100]].map(case).into())
    }
}

/// The key out of an encapsulation.
impl DecapsulateInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Key, Stop> {
        let secret = DecapsulationKey::from_bytes(&RULES, suite, &self.secret.0)?;
        let key = secret.decapsulate(&RULES, &self.encapsulation.0, &self.context.0)?;
        Ok(Key { key: key.expose().into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let [secret, ephemeral] =
            [0x42, 0x17].map(|byte| Scalar::reduce(suite, &vec![byte; suite.scalar_len() + 16]));
        let encapsulation = Element::base_power(&ephemeral).encode();
        let neighbours = near_elements(suite, &encapsulation);
        let (secret, context) = (secret.encode().into(), b"context".into());
        let given = DecapsulateInput { secret, encapsulation: Hex(encapsulation), context };
        let mut cases = Cases::of(suite, given);
        cases.valid("the check value of chapter 3", |_| ());
        cases
            .valid("another context, hence another key", |input| input.context = b"contexu".into())
            .shows(Clause::EncapsulationIsContextual);
        cases.encodings(|input| &mut input.encapsulation, neighbours);
        Ok(cases.all())
    }
}
