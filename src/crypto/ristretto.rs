//! The suite ristretto255 (RFC 9496): a prime-order group on Curve25519, by `curve25519-dalek`.

use super::group::Group;
use bemr_spec::{Clause, Refusal, Rules};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use zeroize::Zeroizing;

/// The group; it needs nothing but its name.
pub(super) struct Ristretto;

impl Group for Ristretto {
    type Point = RistrettoPoint;
    // A table would take longer to build than it ever saves.
    type Table = RistrettoPoint;
    type Scalar = Zeroizing<Scalar>;

    fn decode(&self, rules: &Rules, bytes: &[u8]) -> Result<RistrettoPoint, Refusal> {
        rules.require(Clause::SuiteMatches, bytes.len() == 32)?;
        let point = CompressedRistretto::from_slice(bytes)
            .ok()
            .and_then(|encoding| encoding.decompress())
            .ok_or(Refusal::new(Clause::ElementInRange))?;
        rules.require(Clause::ElementInRange, !point.is_identity())?;
        Ok(point)
    }

    fn encode(&self, point: &RistrettoPoint) -> Vec<u8> {
        point.compress().to_bytes().to_vec()
    }

    fn generator(&self) -> RistrettoPoint {
        RISTRETTO_BASEPOINT_POINT
    }

    fn is_identity(&self, point: &RistrettoPoint) -> bool {
        point.is_identity()
    }

    fn base_power(&self, secret: &Zeroizing<Scalar>) -> RistrettoPoint {
        RistrettoPoint::mul_base(secret)
    }

    fn power(&self, base: &RistrettoPoint, secret: &Zeroizing<Scalar>) -> RistrettoPoint {
        base * **secret
    }

    fn table(&self, base: &RistrettoPoint) -> RistrettoPoint {
        *base
    }

    fn public_product(
        &self,
        generator: Option<&Zeroizing<Scalar>>,
        keys: &[(&RistrettoPoint, &Zeroizing<Scalar>)],
        others: &[(&RistrettoPoint, &Zeroizing<Scalar>)],
    ) -> RistrettoPoint {
        let factors = || keys.iter().chain(others);
        if let (Some(generator), 1, Some((base, exponent))) = (generator, factors().count(), factors().next())
        {
            return RistrettoPoint::vartime_double_scalar_mul_basepoint(exponent, base, generator);
        }
        let exponents = generator.into_iter().chain(factors().map(|(_, exponent)| *exponent));
        let points = generator
            .map(|_| RISTRETTO_BASEPOINT_POINT)
            .into_iter()
            .chain(factors().map(|(point, _)| **point));
        RistrettoPoint::vartime_multiscalar_mul(exponents.map(|exponent| **exponent), points)
    }

    fn reduce(&self, bytes: &[u8]) -> Zeroizing<Scalar> {
        // Below 2^128, as the coefficients of a batch are, there is nothing to reduce.
        if bytes.len() <= 16 {
            let number = bytes.iter().fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
            return Zeroizing::new(Scalar::from(number));
        }
        if bytes.len() <= 32 {
            return Zeroizing::new(Scalar::from_bytes_mod_order(*little_endian(bytes)));
        }
        // Horner's rule over 32-byte digits, of which dalek reduces two at a time.
        let (first, rest) = bytes.split_at(bytes.len() % 32 + 32);
        let mut sum = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&little_endian(first)));
        for digit in rest.chunks(32) {
            let mut wide = little_endian(digit);
            wide[32..].copy_from_slice(sum.as_bytes());
            *sum = Scalar::from_bytes_mod_order_wide(&wide);
        }
        sum
    }

    fn scalar(&self, bytes: &[u8]) -> Option<Zeroizing<Scalar>> {
        let array = Zeroizing::new(<[u8; 32]>::try_from(bytes).ok()?);
        Option::from(Scalar::from_canonical_bytes(*array)).map(Zeroizing::new)
    }

    fn scalar_bytes<'a>(&self, scalar: &'a Zeroizing<Scalar>) -> &'a [u8] {
        scalar.as_bytes()
    }

    fn multiply_add(
        &self,
        sum: &Zeroizing<Scalar>,
        a: &Zeroizing<Scalar>,
        b: &Zeroizing<Scalar>,
    ) -> Zeroizing<Scalar> {
        Zeroizing::new(**a * **b + **sum)
    }

    fn negate(&self, a: &Zeroizing<Scalar>) -> Zeroizing<Scalar> {
        Zeroizing::new(-**a)
    }
}

/// The bytes of a big-endian integer, the least significant first.
fn little_endian<const N: usize>(bytes: &[u8]) -> Zeroizing<[u8; N]> {
    let mut little = Zeroizing::new([0; N]);
    little.iter_mut().zip(bytes.iter().rev()).for_each(|(out, byte)| *out = *byte);
    little
}
