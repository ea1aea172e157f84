//! The fast arithmetic against `num-bigint`: powers and products in the tiny group, whose code is that of the large ones;
//! sums and residues in those as well. Powers there take too long for an input.

use crate::{Seen, Subject};
use arbitrary::{Result, Unstructured};
use bemr::crypto::{Element, Factor, Scalar, Suite};
use bemr_spec::{Clause, Rules};
use num_bigint::BigUint;
use std::sync::LazyLock;

/// A number of at most so many bytes more than a scalar: plain bytes, or what lies around a power of two, 0 or q.
fn number(bytes: &mut Unstructured<'_>, suite: Suite, q: &BigUint) -> Result<BigUint> {
    let near = BigUint::from(bytes.int_in_range(0..=2_u8)?);
    Ok(match bytes.int_in_range(0..=5_u8)? {
        0 => near,
        1 => q + near - 1_u8,
        2 => (BigUint::from(1_u8) << bytes.int_in_range(0..=q.bits())?) + near - 1_u8,
        _ => {
            let length = bytes.int_in_range(0..=suite.scalar_len() + 16)?.min(bytes.len());
            BigUint::from_bytes_be(bytes.bytes(length)?)
        }
    })
}

/// The suites over a field: most inputs are for the tiny one.
const SUITES: [Suite; 3] = [Suite::Tiny, Suite::Ffdhe2048, Suite::Ffdhe3072];

/// p and q of a suite of [`SUITES`].
fn parameters(place: usize) -> &'static (BigUint, BigUint) {
    static READ: LazyLock<[(BigUint, BigUint); 3]> = LazyLock::new(|| {
        SUITES.map(|suite| {
            let p = suite.modulus().and_then(|digits| BigUint::parse_bytes(digits.as_bytes(), 16));
            let p = p.expect("a suite over a field has a modulus in hexadecimal digits");
            let q = &p >> 1_u8;
            (p, q)
        })
    });
    &READ[place]
}

fn padded(integer: &BigUint, length: usize) -> Vec<u8> {
    let bytes = if *integer == BigUint::ZERO { Vec::new() } else { integer.to_bytes_be() };
    [vec![0; length.saturating_sub(bytes.len())], bytes].concat()
}

/// One operation of one suite.
pub(super) fn run(subject: &Subject, input: &[u8], seen: &mut Seen) {
    // Bytes that end too early are no input.
    let _ = operate(subject, &mut Unstructured::new(input), seen);
}

fn operate(subject: &Subject, bytes: &mut Unstructured<'_>, seen: &mut Seen) -> Result<()> {
    let place = usize::from(bytes.int_in_range(0..=15_u8)?.saturating_sub(13));
    let (suite, (p, q)) = (SUITES[place], parameters(place));
    let operation = bytes.int_in_range(0..=if suite == Suite::Tiny { 5_u8 } else { 2 })?;
    let integers = [number(bytes, suite, q)?, number(bytes, suite, q)?, number(bytes, suite, q)?];
    let scalars = integers.clone().map(|integer| Scalar::reduce(suite, &integer.to_bytes_be()));
    let (length, width) = (suite.scalar_len(), suite.element_len());
    let agree = |what: &str, fast: &[u8], oracle: &BigUint, length: usize| {
        assert!(fast == padded(oracle, length), "{suite:?}, {what}: {fast:02x?}, and it is {oracle:x}");
    };
    let [a, b, c] = &integers;
    seen.note((suite.name(), operation, a.bits().div_ceil(24), b.bits() > q.bits()));
    match operation {
        0 => agree("residue", scalars[0].encode(), &(a % q), length),
        1 => {
            let sum =
                subject.plus_product.unwrap_or(Scalar::plus_product)(&scalars[0], &scalars[1], &scalars[2])
                    .expect("one suite");
            agree("sum", sum.encode(), &((a + b * c) % q), length);
        }
        2 => agree("negative", scalars[0].negate().encode(), &((q - a % q) % q), length),
        3 if !scalars[0].is_zero() => {
            let base = BigUint::from(2_u8).modpow(a, p);
            let element = Element::base_power(&scalars[0]);
            agree("power of the generator", &element.encode(), &base, width);
            let power = element.power(&scalars[1]).expect("one suite");
            agree("power", &power.encode(), &base.modpow(&(b % q), p), width);
        }
        4 => product(p, q, suite, &integers, &scalars),
        5 => {
            let candidate = a % (p + 3_u8);
            let decoded = Element::decode(&Rules::hardened(), suite, &padded(&candidate, width));
            let one = BigUint::from(1_u8);
            let inside = one < candidate && candidate < p - 1_u8;
            let due = match (inside, candidate.modpow(q, p) == one) {
                (false, _) => Err(Clause::ElementInRange),
                (true, false) => Err(Clause::ElementInSubgroup),
                (true, true) => Ok(padded(&candidate, width)),
            };
            let found = decoded.map(|element| element.encode()).map_err(|refusal| refusal.clause());
            assert!(found == due, "{candidate:x}: {found:?}, and it is {due:?}");
        }
        _ => {}
    }
    Ok(())
}

/// The generator to the first power, by two others, one of them with a table.
fn product(p: &BigUint, q: &BigUint, suite: Suite, integers: &[BigUint; 3], scalars: &[Scalar; 3]) {
    let two = BigUint::from(2_u8);
    let bases = [BigUint::from(9_u8), BigUint::from(25_u8)];
    let mut factors = bases.clone().map(|base| {
        let bytes = padded(&base, suite.element_len());
        Factor::from(
            Element::decode(&Rules::hardened(), suite, &bytes).expect("the square of a small number"),
        )
    });
    factors[0].precompute();
    let powers = [(&factors[0], &scalars[1]), (&factors[1], &scalars[2])];
    let fast = Element::public_product(suite, Some(&scalars[0]), &powers);
    let [a, b, c] = integers.each_ref().map(|integer| integer % q);
    let due = two.modpow(&a, p) * bases[0].modpow(&b, p) * bases[1].modpow(&c, p) % p;
    match fast {
        Ok(element) => assert!(element.encode() == padded(&due, suite.element_len()), "a product is {due:x}"),
        Err(refusal) => assert!(due == BigUint::from(1_u8), "{refusal}: a product is {due:x}"),
    }
}
