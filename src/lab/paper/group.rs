//! The integers modulo a prime, and a generator of which nobody checked anything.

use bemr::crypto::Suite;
use num_bigint::BigUint;

/// A group as the paper leaves it: its elements are all the integers from 1 to p - 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The prime.
    pub p: BigUint,
    /// The generator.
    pub g: BigUint,
    /// The order of the generator.
    pub order: BigUint,
}

impl Group {
    /// The group of RFC 7919 that a finite-field suite has, with its generator 2; nothing for a curve.
    pub fn of(suite: Suite) -> Option<Group> {
        let p = BigUint::parse_bytes(suite.modulus()?.as_bytes(), 16)?;
        let order = &p >> 1u8;
        Some(Group { p, g: BigUint::from(2u8), order })
    }

    /// The greatest prime below 2^2048 that is 5 modulo 8, with the generator 2, whose order is p - 1: as good a group as any
    /// to somebody who knows only that p has to be a large prime.
    pub fn careless() -> Group {
        let p = (BigUint::from(1u8) << 2048u16) - 8507u16;
        let order = &p - 1u8;
        Group { p, g: BigUint::from(2u8), order }
    }

    /// p - 1, the modulus of exponents that every element has.
    pub fn exponents(&self) -> BigUint {
        &self.p - 1u8
    }

    /// The generator to a power.
    pub fn power(&self, exponent: &BigUint) -> BigUint {
        self.g.modpow(exponent, &self.p)
    }
}
