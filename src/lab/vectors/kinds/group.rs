//! Elements and scalars, and the exchange (chapter 3).

use super::drawn_bytes::Tape;
use super::draws::{rng, scalar_bytes};
use super::{Kind, Made, RULES, SUITES, Stop};
use crate::forge::near_elements;
use crate::vectors::Hex;
use bemr::crypto::{Element, Ephemeral, Scalar, Suite};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What decodes.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Encoding {
    encoding: Hex,
}

/// The decoding of an element.
pub(in crate::vectors) enum DecodeElement {}

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
