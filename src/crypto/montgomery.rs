//! Integers modulo an odd number in Montgomery form, in constant time.
//!
//! `crypto-bigint` holds the integers and finds the parameters. The product alone is ours, because every cost of the
//! finite-field suites is a number of products: two rows at a time it takes five sixths of the time of the library's.
//! Nothing here branches on a value or indexes by one.

use crypto_bigint::modular::FixedMontyParams;
use crypto_bigint::{NonZero, Odd, Uint, WideWord, Word};
use subtle::{Choice, ConditionallySelectable};
use zeroize::DefaultIsZeroes;

/// A residue in Montgomery form, always below the modulus, so equal residues are equal words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Residue<const L: usize>(pub(super) [Word; L]);

impl<const L: usize> Default for Residue<L> {
    fn default() -> Self {
        Residue([0; L])
    }
}

impl<const L: usize> DefaultIsZeroes for Residue<L> {}

/// An odd modulus of `L` words, `L` even.
pub(super) struct Modulus<const L: usize> {
    value: Odd<Uint<L>>,
    negated_inverse: Word,
    /// The residue of 1, which is R = 2^(bits of `L` words) modulo the modulus.
    one: Residue<L>,
    /// The residue of R.
    radix: Residue<L>,
}

impl<const L: usize> Modulus<L> {
    /// The modulus with this value.
    pub(super) fn new(value: Odd<Uint<L>>) -> Self {
        const { assert!(L.is_multiple_of(2), "the product takes two words at a time") };
        let params = FixedMontyParams::new_vartime(value);
        Modulus {
            value,
            negated_inverse: params.mod_neg_inv().0,
            one: Residue(params.one().to_words()),
            radix: Residue(params.r2().to_words()),
        }
    }

    /// The modulus as an integer.
    pub(super) const fn value(&self) -> &Uint<L> {
        self.value.as_ref()
    }

    /// The same, known not to be zero.
    pub(super) const fn nonzero(&self) -> &NonZero<Uint<L>> {
        self.value.as_nz_ref()
    }

    /// The residue of 1.
    pub(super) const fn one(&self) -> Residue<L> {
        self.one
    }

    /// The residue of R, the least power of two that `L` words do not hold.
    pub(super) const fn radix(&self) -> Residue<L> {
        self.radix
    }

    /// The residue of any integer of `L` words.
    pub(super) fn enter(&self, integer: &Uint<L>) -> Residue<L> {
        self.product(&Residue(integer.to_words()), &self.radix)
    }

    /// The least integer of a residue.
    pub(super) fn leave(&self, residue: &Residue<L>) -> Uint<L> {
        self.times(residue, &Uint::ONE)
    }

    /// The least integer of a residue times an integer of `L` words.
    pub(super) fn times(&self, residue: &Residue<L>, integer: &Uint<L>) -> Uint<L> {
        Uint::from_words(self.product(&Residue(integer.to_words()), residue).0)
    }

    /// The sum of two residues.
    pub(super) fn sum(&self, a: &Residue<L>, b: &Residue<L>) -> Residue<L> {
        let (a, b) = (Uint::from_words(a.0), Uint::from_words(b.0));
        Residue(a.add_mod(&b, self.nonzero()).to_words())
    }

    /// The square of a residue.
    pub(super) fn square(&self, a: &Residue<L>) -> Residue<L> {
        self.product(a, a)
    }

    /// The product of two residues, of which the first may be any `L` words.
    ///
    /// Each pass adds two words' worth of `a * b` and the two multiples of the modulus that clear the lowest two
    /// words of the sum, and moves it down by them. Four carries run side by side.
    pub(super) fn product(&self, a: &Residue<L>, b: &Residue<L>) -> Residue<L> {
        let (a, b, m) = (&a.0, &b.0, self.value().as_words());
        let mut sum = [0; L];
        let mut top: Word = 0;
        for pair in a.chunks_exact(2) {
            let (a0, a1) = (pair[0], pair[1]);
            let (low, mut carry_a0) = multiply_add(sum[0], a0, b[0], 0);
            let u0 = low.wrapping_mul(self.negated_inverse);
            let (_, mut carry_u0) = multiply_add(low, u0, m[0], 0);
            let low;
            (low, carry_a0) = multiply_add(sum[1], a0, b[1], carry_a0);
            let second;
            (second, carry_u0) = multiply_add(low, u0, m[1], carry_u0);
            let (low, mut carry_a1) = multiply_add(second, a1, b[0], 0);
            let u1 = low.wrapping_mul(self.negated_inverse);
            let (_, mut carry_u1) = multiply_add(low, u1, m[0], 0);
            for j in 2..L {
                let mut word = sum[j];
                (word, carry_a0) = multiply_add(word, a0, b[j], carry_a0);
                (word, carry_u0) = multiply_add(word, u0, m[j], carry_u0);
                (word, carry_a1) = multiply_add(word, a1, b[j - 1], carry_a1);
                (word, carry_u1) = multiply_add(word, u1, m[j - 1], carry_u1);
                sum[j - 2] = word;
            }
            let high = WideWord::from(top) + WideWord::from(carry_a0) + WideWord::from(carry_u0);
            let mut word = high as Word;
            (word, carry_a1) = multiply_add(word, a1, b[L - 1], carry_a1);
            (word, carry_u1) = multiply_add(word, u1, m[L - 1], carry_u1);
            sum[L - 2] = word;
            let high = (high >> Word::BITS) + WideWord::from(carry_a1) + WideWord::from(carry_u1);
            sum[L - 1] = high as Word;
            top = (high >> Word::BITS) as Word;
        }
        Residue(self.below_modulus(sum, top))
    }

    /// `top || sum`, which is below twice the modulus, less the modulus if it is not below it.
    fn below_modulus(&self, mut sum: [Word; L], top: Word) -> [Word; L] {
        let mut difference = [0; L];
        let mut borrow = false;
        for ((out, &word), &m) in difference.iter_mut().zip(&sum).zip(self.value().as_words()) {
            let (less, under) = word.overflowing_sub(m);
            let (less, under_too) = less.overflowing_sub(Word::from(borrow));
            *out = less;
            borrow = under | under_too;
        }
        let smaller = Choice::from(top as u8 | u8::from(!borrow));
        let mask = Word::conditional_select(&0, &Word::MAX, smaller);
        for (word, less) in sum.iter_mut().zip(&difference) {
            *word = (*word & !mask) | (less & mask);
        }
        sum
    }
}

/// `sum + a * b + carry` as low and high word; it fits.
#[inline(always)]
const fn multiply_add(sum: Word, a: Word, b: Word, carry: Word) -> (Word, Word) {
    let wide = sum as WideWord + a as WideWord * b as WideWord + carry as WideWord;
    (wide as Word, (wide >> Word::BITS) as Word)
}
