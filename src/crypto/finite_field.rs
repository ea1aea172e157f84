//! The finite-field suites: the subgroup of order q = (p - 1) / 2 of the integers modulo a safe prime p.
//!
//! One code for all of them; a suite differs by p and by the number of words that p needs.

use super::exponentiation::{self, Comb};
use super::group::{self, Group, InSuite};
use super::jacobi;
use super::montgomery::{Modulus, Residue};
use bemr_spec::{Clause, Refusal, Rules};
use crypto_bigint::{Odd, U2048, U3072, Uint, Word};
use std::sync::LazyLock;
use zeroize::{Zeroize, Zeroizing};

/// Words of the residues of ffdhe2048.
pub(super) const WORDS_2048: usize = U2048::LIMBS;
/// Words of the residues of ffdhe3072.
pub(super) const WORDS_3072: usize = U3072::LIMBS;
/// Words of the residues of the tiny group: two are the fewest that the product takes.
#[cfg(bemr_weaken)]
pub(super) const WORDS_TINY: usize = crypto_bigint::U128::LIMBS;

/// RFC 7919, appendix A.1.
pub(super) const P_2048: &str = "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FB\
     CC939DCE249B3EF97D2FE363630C75D8F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0\
     856365553DED1AF3B557135E7F57C935984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE735\
     30ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4\
     AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F619172FE9CE98583FF\
     8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA\
     886B423861285C97FFFFFFFFFFFFFFFF";

/// RFC 7919, appendix A.2.
pub(super) const P_3072: &str = "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FB\
     CC939DCE249B3EF97D2FE363630C75D8F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0\
     856365553DED1AF3B557135E7F57C935984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE735\
     30ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4\
     AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F619172FE9CE98583FF\
     8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA\
     886B4238611FCFDCDE355B3B6519035BBC34F4DEF99C023861B46FC9D6E6C9077AD91D2691F7F7EE\
     598CB0FAC186D91CAEFE130985139270B4130C93BC437944F4FD4452E2D74DD364F2E21E71F54BFF\
     5CAE82AB9C9DF69EE86D2BC522363A0DABC521979B0DEADA1DBF9A42D5C4484E0ABCD06BFA53DDEF\
     3C1B20EE3FD59D7C25E41D2B66C62E37FFFFFFFFFFFFFFFF";

/// 2^64 - 8489: the greatest safe prime below 2^64 that is 7 modulo 8, so that 2 is a square.
#[cfg(bemr_weaken)]
pub(super) const P_TINY: &str = "FFFFFFFFFFFFDED7";

/// The group of ffdhe2048.
pub(super) fn ffdhe2048() -> &'static FiniteField<WORDS_2048> {
    static GROUP: LazyLock<FiniteField<WORDS_2048>> = LazyLock::new(|| FiniteField::new(P_2048));
    &GROUP
}

/// The group of ffdhe3072.
pub(super) fn ffdhe3072() -> &'static FiniteField<WORDS_3072> {
    static GROUP: LazyLock<FiniteField<WORDS_3072>> = LazyLock::new(|| FiniteField::new(P_3072));
    &GROUP
}

/// The tiny group.
#[cfg(bemr_weaken)]
pub(super) fn tiny() -> &'static FiniteField<WORDS_TINY> {
    static GROUP: LazyLock<FiniteField<WORDS_TINY>> = LazyLock::new(|| FiniteField::new(P_TINY));
    &GROUP
}

/// A group: the modulus p, the order q and the table of the generator 2.
pub(super) struct FiniteField<const L: usize> {
    p: Modulus<L>,
    q: Modulus<L>,
    /// Bytes of p, hence of every encoding.
    width: usize,
    /// Bits of q.
    bits: usize,
    generator: Residue<L>,
    comb: Comb<L>,
}

/// The table of a public key: a challenge times a batch coefficient, summed over 2^16 signatures, stays below 2^400.
pub(super) struct Table<const L: usize> {
    base: Residue<L>,
    comb: Comb<L>,
}

/// An integer below q, as its encoding; erased when dropped.
#[derive(Clone, Zeroize)]
pub(super) struct Scalar<const L: usize>(Zeroizing<Vec<u8>>);

impl<const L: usize> Scalar<L> {
    fn integer(&self) -> Uint<L> {
        FiniteField::integer(&self.0)
    }
}

impl<const L: usize> FiniteField<L> {
    /// Bytes of `L` words.
    const CHUNK: usize = L * size_of::<Word>();
    const GENERATOR_BLOCKS: usize = 16;
    const KEY_BLOCKS: usize = 4;
    const KEY_BITS: usize = 400;

    fn new(hex: &str) -> Self {
        let value = Uint::<L>::from_be_hex(&format!("{hex:0>width$}", width = 2 * Self::CHUNK));
        let odd =
            |value: Uint<L>| Odd::new(value).into_option().expect("p is a safe prime, so q is odd as well");
        let p = Modulus::new(odd(value));
        let generator = p.enter(&Uint::from(2u8));
        let bits = (Uint::<L>::BITS - value.leading_zeros()) as usize - 1;
        let comb = Comb::new(&p, &generator, bits, Self::GENERATOR_BLOCKS);
        FiniteField { p, q: Modulus::new(odd(value.shr(1))), width: hex.len() / 2, bits, generator, comb }
    }

    fn bytes(&self, integer: &Uint<L>) -> Vec<u8> {
        let bytes = Zeroizing::new(integer.to_be_bytes());
        bytes.as_ref()[bytes.as_ref().len() - self.width..].to_vec()
    }

    fn scalar_of(&self, integer: &Uint<L>) -> Scalar<L> {
        Scalar(Zeroizing::new(self.bytes(integer)))
    }

    /// The integer of a big-endian encoding of at most `L` words.
    fn integer(bytes: &[u8]) -> Uint<L> {
        Uint::from_be_slice_truncated(bytes, Uint::<L>::BITS)
    }

    /// An integer of any size modulo q.
    fn modulo_q(&self, bytes: &[u8]) -> Uint<L> {
        let residue = bytes.rchunks(Self::CHUNK).rev().fold(Residue::default(), |sum, chunk| {
            let shifted = self.q.product(&sum, &self.q.radix());
            self.q.sum(&shifted, &self.q.enter(&Self::integer(chunk)))
        });
        self.q.leave(&residue)
    }
}

impl<const L: usize> Group for FiniteField<L>
where
    Residue<L>: InSuite<group::Point>,
    Table<L>: InSuite<group::Table>,
    Scalar<L>: InSuite<group::Integer>,
{
    type Point = Residue<L>;
    type Table = Table<L>;
    type Scalar = Scalar<L>;

    fn decode(&self, rules: &Rules, bytes: &[u8]) -> Result<Residue<L>, Refusal> {
        rules.require(Clause::SuiteMatches, bytes.len() == self.width)?;
        // Longer than p only when GRP-04 is not in force.
        if bytes.len() > self.width {
            return Err(Refusal::new(Clause::ElementInRange));
        }
        let integer = Self::integer(bytes);
        let in_range = integer > Uint::ONE && integer < self.p.value().wrapping_sub(&Uint::ONE);
        rules.require(Clause::ElementInRange, in_range)?;
        let point = self.p.enter(&integer);
        rules.check(Clause::ElementInSubgroup, || {
            let least = if integer < *self.p.value() { integer } else { self.p.leave(&point) };
            jacobi::symbol(&self.bytes(&least), &self.bytes(self.p.value())) == 1
        })?;
        Ok(point)
    }

    fn encode(&self, point: &Residue<L>) -> Vec<u8> {
        self.bytes(&self.p.leave(point))
    }

    fn generator(&self) -> Residue<L> {
        self.generator
    }

    fn is_identity(&self, point: &Residue<L>) -> bool {
        *point == self.p.one()
    }

    fn base_power(&self, secret: &Scalar<L>) -> Residue<L> {
        self.comb.secret_power(&self.p, &Zeroizing::new(secret.integer()))
    }

    fn power(&self, base: &Residue<L>, secret: &Scalar<L>) -> Residue<L> {
        exponentiation::secret_power(&self.p, base, &Zeroizing::new(secret.integer()), self.bits)
    }

    fn table(&self, base: &Residue<L>) -> Table<L> {
        let bits = self.bits.min(Self::KEY_BITS);
        Table { base: *base, comb: Comb::new(&self.p, base, bits, Self::KEY_BLOCKS) }
    }

    fn public_product(
        &self,
        generator: Option<&Scalar<L>>,
        keys: &[(&Table<L>, &Scalar<L>)],
        others: &[(&Residue<L>, &Scalar<L>)],
    ) -> Residue<L> {
        let mut combs: Vec<_> =
            generator.map(|exponent| (&self.comb, exponent.integer())).into_iter().collect();
        let mut others: Vec<_> = others.iter().map(|(base, e)| (**base, e.integer())).collect();
        for (table, exponent) in keys {
            let exponent = exponent.integer();
            if table.comb.covers(&exponent) {
                combs.push((&table.comb, exponent));
            } else {
                others.push((table.base, exponent));
            }
        }
        self.p.product(
            &Comb::public_product(&self.p, &combs),
            &exponentiation::public_product(&self.p, &others),
        )
    }

    fn reduce(&self, bytes: &[u8]) -> Scalar<L> {
        self.scalar_of(&Zeroizing::new(self.modulo_q(bytes)))
    }

    fn scalar(&self, bytes: &[u8]) -> Option<Scalar<L>> {
        let below = bytes.len() == self.width && Self::integer(bytes) < *self.q.value();
        below.then(|| Scalar(Zeroizing::new(bytes.to_vec())))
    }

    fn scalar_bytes<'a>(&self, scalar: &'a Scalar<L>) -> &'a [u8] {
        &scalar.0
    }

    fn multiply_add(&self, sum: &Scalar<L>, a: &Scalar<L>, b: &Scalar<L>) -> Scalar<L> {
        let [sum, a, b] = [sum, a, b].map(|scalar| Zeroizing::new(scalar.integer()));
        let product = Zeroizing::new(self.q.times(&Zeroizing::new(self.q.enter(&a)), &b).to_words());
        let sum = Zeroizing::new(self.q.sum(&Residue(*product), &Residue(sum.to_words())));
        self.scalar_of(&Zeroizing::new(Uint::from_words(sum.0)))
    }

    fn negate(&self, a: &Scalar<L>) -> Scalar<L> {
        let a = Zeroizing::new(a.integer());
        self.scalar_of(&Zeroizing::new(a.neg_mod(self.q.nonzero())))
    }
}
