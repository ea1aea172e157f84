//! Elements and scalars, and the exchange (chapter 3).

use super::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

data! {
    /// What decodes.
    Encoding { encoding: Hex }
    DrawInput { drawn: Hex }
    DrawOutput { scalar: Hex, power: Hex }
    AgreeInput { drawn: Hex, peer: Hex }
    AgreeOutput { public: Hex, shared: Hex }
}

// In the schema both are what decodes.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(in crate::vectors) struct EncodedElement(Encoding);

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(in crate::vectors) struct EncodedScalar(Encoding);

impl EncodedElement {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Encoding, Stop> {
        let element = Element::decode(&RULES, suite, &self.0.encoding.0)?;
        Ok(Encoding { encoding: Hex(element.encode()) })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let generator = Encoding { encoding: Hex(Element::generator(suite).encode()) };
        let mut cases = Cases::of(suite, EncodedElement(generator));
        cases.valid("the generator", |_| ());
        let powers = [(); 3].map(|()| Element::base_power(&Scalar::random(suite, &mut rng)).encode());
        for (number, power) in (1..).zip(&powers) {
            cases.valid(format!("a power of it, {number}"), |input| input.0.encoding = power.into());
        }
        cases.encodings(|input| &mut input.0.encoding, near_elements(suite, &powers[0]));
        Ok(cases.all())
    }
}

/// q - 1 as it is encoded.
pub(super) fn greatest(suite: Suite) -> Vec<u8> {
    Scalar::reduce(suite, &[1]).negate().encode().to_vec()
}

/// The number after this one, in the order of the suite's bytes.
pub(super) fn plus_one(suite: Suite, mut bytes: Vec<u8>) -> Vec<u8> {
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

impl EncodedScalar {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Encoding, Stop> {
        let scalar = Scalar::decode(&RULES, suite, &self.0.encoding.0)?;
        Ok(Encoding { encoding: scalar.encode().into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::{ScalarInRange, SuiteMatches};
        let random = Scalar::random(suite, &mut rng(Self::NAME)).encode().to_vec();
        let length = random.len();
        let q = plus_one(suite, greatest(suite));
        let all = [
            (None, "one", Scalar::reduce(suite, &[1]).encode().to_vec()),
            (None, "q - 1", greatest(suite)),
            (None, "a random one", random.clone()),
            (Some(ScalarInRange), "zero", vec![0; length]),
            (Some(ScalarInRange), "q", q.clone()),
            (Some(ScalarInRange), "q + 1", plus_one(suite, q)),
            (Some(ScalarInRange), "all ones", vec![0xff; length]),
            (Some(SuiteMatches), "one byte less", random[1..].to_vec()),
            (Some(SuiteMatches), "one byte more", [random, vec![0]].concat()),
            (Some(SuiteMatches), "nothing", Vec::new()),
        ];
        let case = |(clause, comment, bytes)| {
            Case::new(comment, clause, EncodedScalar(Encoding { encoding: Hex(bytes) }))
        };
        Ok(all.map(case).into())
    }
}

/// A secret scalar out of random bytes, and the power of the generator.
impl DrawInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<DrawOutput, Stop> {
        let scalar = drawing(&self.drawn, |tape| Scalar::random(suite, tape))?;
        let power = Element::base_power(&scalar).encode();
        Ok(DrawOutput { scalar: scalar.encode().into(), power: Hex(power) })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let mut random = || scalar_bytes(&mut rng, suite);
        let length = suite.scalar_len() + 16;
        let least = [vec![0; length - 1], vec![1]].concat();
        let all = [
            ("random", random()),
            ("random again", random()),
            ("all ones", vec![0xff; length]),
            ("the least", least),
            ("zero, so that it is drawn again", [vec![0; length], random()].concat()),
        ];
        Ok(all.map(|(comment, bytes)| Case::new(comment, None, DrawInput { drawn: Hex(bytes) })).into())
    }
}

/// Ephemeral Diffie–Hellman, one side of it.
impl AgreeInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<AgreeOutput, Stop> {
        let pair = drawing(&self.drawn, |tape| Ephemeral::generate(suite, tape))?;
        let peer = Element::decode(&RULES, suite, &self.peer.0)?;
        let shared = pair.try_agree(&peer)?;
        Ok(AgreeOutput { public: Hex(pair.public().encode()), shared: shared.as_bytes().into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let [own, other] = [(); 2].map(|()| scalar_bytes(&mut rng, suite));
        let public = |bytes: &[u8]| Hex(Ephemeral::generate(suite, &mut given(bytes)).public().encode());
        let given = AgreeInput { drawn: (&own).into(), peer: public(&other) };
        let neighbours = near_elements(suite, &given.peer.0);
        let mut cases = Cases::of(suite, given);
        cases.valid("one side", |_| ());
        cases.valid("the other", |input| *input = AgreeInput { drawn: (&other).into(), peer: public(&own) });
        cases.encodings(|input| &mut input.peer, neighbours);
        Ok(cases.all())
    }
}
