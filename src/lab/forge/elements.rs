//! Encodings beside those of elements and scalars (chapter 3).

use bemr::crypto::{Element, Signature, Suite};
use bemr_model::Flaws;
use bemr_spec::{Clause, Rules};

/// Encodings near an element, and the clause that refuses each.
pub(crate) fn near_elements(suite: Suite, genuine: &[u8]) -> Vec<(Clause, &'static str, Vec<u8>)> {
    use Clause::{ElementInRange, ElementInSubgroup, SuiteMatches};
    let mut near = vec![
        (SuiteMatches, "nothing", Vec::new()),
        (SuiteMatches, "one byte less", genuine[1..].to_vec()),
        (SuiteMatches, "one byte more", [&[0], genuine].concat()),
    ];
    let small = |number: u8| [vec![0; genuine.len() - 1], vec![number]].concat();
    let little = |number: u8| [vec![number], vec![0; genuine.len() - 1]].concat();
    near.push((ElementInRange, "zero", small(0)));
    near.push((ElementInRange, "one", if suite == Suite::Ristretto255 { little(1) } else { small(1) }));
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
        let even = (2..=u8::MAX).step_by(2).map(little);
        let no_element = |bytes: &Vec<u8>| Element::decode(&Rules::hardened(), suite, bytes).is_err();
        let least = even.into_iter().find(no_element);
        near.extend(least.map(|bytes| (ElementInRange, "the least even number that is none", bytes)));
    }
    near
}

/// A signature whose response is no scalar.
pub(super) fn no_scalar(genuine: &Signature) -> Option<Signature> {
    let mut bytes = genuine.as_bytes().to_vec();
    let suite = Suite::ALL.iter().find(|suite| suite.element_len() + suite.scalar_len() == bytes.len())?;
    bytes.get_mut(suite.element_len()..)?.fill(u8::MAX);
    Some(Signature::from_bytes(&bytes))
}

/// The encoding of the neutral element (GRP-01), of a number outside the subgroup (GRP-02), or `genuine` itself.
pub(super) fn element(genuine: &[u8], flaws: Flaws) -> Option<Vec<u8>> {
    let suite = Suite::ALL.iter().copied().find(|suite| suite.element_len() == genuine.len());
    let number = |number: u8| {
        let zeros = vec![0; genuine.len().saturating_sub(1)];
        zeros.into_iter().chain([number]).collect::<Vec<u8>>()
    };
    if flaws.has(Clause::ElementInRange) {
        return Some(number(u8::from(suite? != Suite::Ristretto255)));
    }
    if flaws.has(Clause::ElementInSubgroup) {
        // Half of all numbers are; Ristretto has none.
        let refused = |bytes: &Vec<u8>| {
            let decoded = Element::decode(&Rules::hardened(), suite?, bytes);
            decoded.err().filter(|refusal| refusal.clause() == Clause::ElementInSubgroup)
        };
        return (2..=u8::MAX).map(number).find(|bytes| refused(bytes).is_some());
    }
    Some(genuine.to_vec())
}

/// What is no element by this clause, as long as `genuine`.
pub(crate) fn no_element(genuine: &[u8], clause: Clause) -> Option<Vec<u8>> {
    element(genuine, Flaws::of(clause))
}
