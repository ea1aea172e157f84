//! Key encapsulation (chapter 3).

use super::drawn_bytes::Tape;
use super::draws::{rng, scalar_bytes};
use super::{Kind, Made, RULES, SUITES, Stop};
use crate::forge::near_elements;
use crate::vectors::Hex;
use bemr::crypto::{DecapsulationKey, Element, EncapsulationKey, Scalar, Suite};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
