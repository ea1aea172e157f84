//! The attacks that are equations (chapter 18, *Equations*): C-03, C-13, C-14, C-14b, C-15, C-16. All integers are public.

use crate::paper::{Group, Reading, Signature, StaticKey};
use num_bigint::BigUint;

/// C-03: the secret of a static key modulo `order`, from one answer to an element of that order. `confirms` says whether a
/// session key is the one that the victim has, as any message under it does.
pub fn residue_of_static_key(
    group: &Group,
    element: &BigUint,
    order: u32,
    confirms: impl Fn(&[u8; 32]) -> bool,
) -> Option<u32> {
    (0..order).find(|guess| confirms(&StaticKey::key(&element.modpow(&BigUint::from(*guess), &group.p))))
}

/// C-13: a message and a signature of it that holds under `public`, for any `u`, where messages are not hashed.
pub fn message_for(group: &Group, public: &BigUint, u: &BigUint) -> (Vec<u8>, Signature) {
    let exponents = group.exponents();
    let r = group.power(u) * public % &group.p;
    let s = &exponents - &r % &exponents;
    let message = u * &s % &exponents;
    (message.to_bytes_be(), Signature { r, s })
}

/// C-14: a signature of any message, where p is 1 modulo 4 and the generator divides p - 1; nothing where it does not, or
/// is too large to take logarithms in.
pub fn with_dividing_generator(
    group: &Group,
    reading: &Reading,
    public: &BigUint,
    message: &[u8],
) -> Option<Signature> {
    let exponents = group.exponents();
    let generator = u32::try_from(&group.g).ok()?;
    if &exponents % generator != BigUint::ZERO || &exponents % 4u8 != BigUint::ZERO {
        return None;
    }
    let (r, t) = (&exponents / generator, (&group.p - 3u8) >> 1u8);
    // The order of g^r divides g.
    let target = public.modpow(&r, &group.p);
    let base = group.power(&r);
    let z = (0..generator).find(|z| base.modpow(&BigUint::from(*z), &group.p) == target)?;
    let digest = reading.digest(message, &r) % &exponents;
    let difference = (digest + &exponents - &r * z % &exponents) % &exponents;
    let s = t * difference % &exponents;
    Some(Signature { r, s })
}

/// C-14b: a signature of any message under every key, on the groups of RFC 7919 and RFC 3526 with the generator 2.
pub fn on_standard_group(group: &Group, reading: &Reading, message: &[u8]) -> Signature {
    let q = &group.order;
    let r = q.clone();
    let s = q - reading.digest(message, &r) % q;
    // q is odd: one of s and s + q is even.
    let s = if s.bit(0) { s + q } else { s };
    Signature { r, s }
}

/// C-15: the secret key, modulo the order, from signatures of two messages with one nonce; nothing when their nonces differ
/// or the equations have no one solution.
pub fn secret_of_one_nonce(
    group: &Group,
    reading: &Reading,
    first: (&[u8], &Signature),
    second: (&[u8], &Signature),
) -> Option<BigUint> {
    let q = &group.order;
    let ((one, first), (other, second)) = (first, second);
    let (h1, h2) = (reading.digest(one, &first.r) % q, reading.digest(other, &second.r) % q);
    let r = (first.r == second.r).then_some(&first.r)?;
    let less = |a: &BigUint, b: &BigUint| (a + q - b % q) % q;
    let k = less(&h1, &h2) * less(&first.s, &second.s).modinv(q)? % q;
    let numerator = less(&h1, &(&k * &first.s % q));
    Some(numerator * r.modinv(q)? % q)
}

/// C-16: from the signature of one message that of another, where r >= p is not refused and the digest is that of the message
/// alone; nothing when the digest has no inverse.
pub fn from_another(
    group: &Group,
    reading: &Reading,
    (message, signature): (&[u8], &Signature),
    other: &[u8],
) -> Option<Signature> {
    let (p, q) = (&group.p, &group.order);
    let Signature { r, s } = signature;
    let digest = reading.digest(message, r) % q;
    let u = reading.digest(other, r) * digest.modinv(q)? % q;
    let s = s * &u % q;
    // The number below p * q that is r * u modulo q and r modulo p.
    let wanted = r * &u % q;
    let steps = (wanted + q - r % q) % q * p.modinv(q)? % q;
    Some(Signature { r: r + p * steps, s })
}
