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

/// The scalar of an encoding that [`Group::is_scalar`] holds of, or the residue of any other 32 bytes.
fn scalar(bytes: &[u8]) -> Zeroizing<Scalar> {
    let mut array = Zeroizing::new([0; 32]);
    array.copy_from_slice(bytes);
    Zeroizing::new(Scalar::from_bytes_mod_order(*array))
}

impl Group for Ristretto {
    type Point = RistrettoPoint;
    // A table would take longer to build than it ever saves.
    type Table = RistrettoPoint;

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

    fn base_power(&self, secret: &[u8]) -> RistrettoPoint {
        RistrettoPoint::mul_base(&scalar(secret))
    }

    fn power(&self, base: &RistrettoPoint, secret: &[u8]) -> RistrettoPoint {
        base * *scalar(secret)
    }

    fn table(&self, base: &RistrettoPoint) -> RistrettoPoint {
        *base
    }

    fn public_product(
        &self,
        generator: Option<&[u8]>,
        keys: &[(&RistrettoPoint, &[u8])],
        others: &[(&RistrettoPoint, &[u8])],
    ) -> RistrettoPoint {
        let factors = || keys.iter().chain(others);
        if let (Some(generator), 1, Some((base, exponent))) = (generator, factors().count(), factors().next())
        {
            let (exponent, generator) = (scalar(exponent), scalar(generator));
            return RistrettoPoint::vartime_double_scalar_mul_basepoint(&exponent, base, &generator);
        }
        let exponents = generator.into_iter().chain(factors().map(|(_, exponent)| *exponent));
        let points = generator
            .map(|_| RISTRETTO_BASEPOINT_POINT)
            .into_iter()
            .chain(factors().map(|(point, _)| **point));
        RistrettoPoint::vartime_multiscalar_mul(exponents.map(|exponent| *scalar(exponent)), points)
    }

    fn reduce(&self, bytes: &[u8]) -> Vec<u8> {
        // Horner's rule over 32-byte digits, of which dalek reduces two at a time.
        let mut sum = Zeroizing::new(Scalar::ZERO);
        for chunk in bytes.rchunks(32).rev() {
            let mut wide = Zeroizing::new([0; 64]);
            for (out, byte) in wide.iter_mut().zip(chunk.iter().rev()) {
                *out = *byte;
            }
            wide[32..].copy_from_slice(sum.as_bytes());
            *sum = Scalar::from_bytes_mod_order_wide(&wide);
        }
        sum.as_bytes().to_vec()
    }

    fn is_scalar(&self, bytes: &[u8]) -> bool {
        bytes.try_into().is_ok_and(|array| bool::from(Scalar::from_canonical_bytes(array).is_some()))
    }

    fn multiply_add(&self, sum: &[u8], a: &[u8], b: &[u8]) -> Vec<u8> {
        (*scalar(a) * *scalar(b) + *scalar(sum)).as_bytes().to_vec()
    }

    fn negate(&self, a: &[u8]) -> Vec<u8> {
        (-*scalar(a)).as_bytes().to_vec()
    }
}
