//! Powers of residues: of a base with a table, of any base, and products of many.
//!
//! The names state who may see the exponent: `secret_*` runs in constant time and reads every entry of a table for
//! each digit; `public_*` does not.

use super::montgomery::{Modulus, Residue};
use crypto_bigint::{Uint, Word};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// Powers of one base, laid out as a comb: the exponent is cut into [`Comb::TEETH`] rows of `columns` bits, a digit is
/// the column across them, and the columns into blocks of `depth`, each block with a table of its own.
pub(super) struct Comb<const L: usize> {
    bits: usize,
    columns: usize,
    depth: usize,
    blocks: Vec<Box<[Residue<L>]>>,
}

impl<const L: usize> Comb<L> {
    /// Rows of the exponent, so bits of a digit. Short residues are multiplied sooner than a long table is read.
    const TEETH: usize = if L > 4 { 6 } else { 4 };

    /// A table for exponents below `2^bits`, with up to `blocks` blocks of `2^TEETH` residues.
    pub(super) fn new(modulus: &Modulus<L>, base: &Residue<L>, bits: usize, blocks: usize) -> Self {
        let columns = bits.div_ceil(Self::TEETH);
        let depth = columns.div_ceil(blocks);
        let mut blocks = vec![vec![modulus.one()]; columns.div_ceil(depth)];
        let mut power = *base;
        for bit in 0..Self::TEETH * columns {
            let column = bit % columns;
            if column.is_multiple_of(depth) {
                // One row more: each digit so far, without this bit and with it.
                let table = &mut blocks[column / depth];
                for digit in 0..table.len() {
                    table.push(modulus.product(&table[digit], &power));
                }
            }
            power = modulus.square(&power);
        }
        Comb { bits, columns, depth, blocks: blocks.into_iter().map(Vec::into_boxed_slice).collect() }
    }

    /// Whether the table reaches far enough for this exponent.
    pub(super) fn covers(&self, exponent: &Uint<L>) -> bool {
        (Uint::<L>::BITS - exponent.leading_zeros_vartime()) as usize <= self.bits
    }

    /// The base to the power of a secret exponent, which the table covers.
    pub(super) fn secret_power(&self, modulus: &Modulus<L>, exponent: &Uint<L>) -> Residue<L> {
        let mut power = Zeroizing::new(modulus.one());
        for offset in (0..self.depth).rev() {
            if offset + 1 < self.depth {
                *power = modulus.square(&power);
            }
            for (table, digit) in self.digits(exponent, offset) {
                *power = modulus.product(&power, &select(table, digit));
            }
        }
        *power
    }

    /// The product of the powers of several bases with tables, for public exponents; the squarings are shared.
    pub(super) fn public_product(modulus: &Modulus<L>, terms: &[(&Comb<L>, Uint<L>)]) -> Residue<L> {
        let depth = terms.iter().map(|(comb, _)| comb.depth).max().unwrap_or(0);
        let mut power = modulus.one();
        for offset in (0..depth).rev() {
            if power != modulus.one() {
                power = modulus.square(&power);
            }
            for (comb, exponent) in terms.iter().filter(|(comb, _)| offset < comb.depth) {
                for (table, digit) in comb.digits(exponent, offset).filter(|(_, digit)| *digit != 0) {
                    power = modulus.product(&power, &table[digit]);
                }
            }
        }
        power
    }

    /// For each block, its table and the exponent's digit in the column at `offset`.
    fn digits(&self, exponent: &Uint<L>, offset: usize) -> impl Iterator<Item = (&[Residue<L>], usize)> {
        self.blocks.iter().enumerate().filter_map(move |(block, table)| {
            let column = block * self.depth + offset;
            let digit =
                (0..Self::TEETH).map(|row| bits_at(exponent, row * self.columns + column, 1) << row).sum();
            (column < self.columns).then_some((&**table, digit))
        })
    }
}

/// Bits of a window of an exponent whose base has no table beforehand: a long table pays for long exponents alone.
const fn secret_window<const L: usize>() -> usize {
    if L > 4 { 5 } else { 3 }
}
const PUBLIC_WINDOW: usize = 4;

/// Any base to the power of a secret exponent below `2^bits`.
pub(super) fn secret_power<const L: usize>(
    modulus: &Modulus<L>,
    base: &Residue<L>,
    exponent: &Uint<L>,
    bits: usize,
) -> Residue<L> {
    let width = const { secret_window::<L>() };
    let table = powers(modulus, base, 1 << width);
    let mut power = Zeroizing::new(modulus.one());
    for window in (0..bits.div_ceil(width)).rev() {
        for _ in 0..width {
            *power = modulus.square(&power);
        }
        let digit = bits_at(exponent, window * width, width);
        *power = modulus.product(&power, &select(&table, digit));
    }
    *power
}

/// The product of any bases to the power of public exponents; the squarings are shared.
pub(super) fn public_product<const L: usize>(
    modulus: &Modulus<L>,
    terms: &[(Residue<L>, Uint<L>)],
) -> Residue<L> {
    let tables: Vec<_> = terms.iter().map(|(base, _)| powers(modulus, base, 1 << PUBLIC_WINDOW)).collect();
    let bits = terms
        .iter()
        .map(|(_, exponent)| (Uint::<L>::BITS - exponent.leading_zeros_vartime()) as usize)
        .max()
        .unwrap_or(0);
    let mut power = modulus.one();
    for window in (0..bits.div_ceil(PUBLIC_WINDOW)).rev() {
        if power != modulus.one() {
            for _ in 0..PUBLIC_WINDOW {
                power = modulus.square(&power);
            }
        }
        for (table, (_, exponent)) in tables.iter().zip(terms) {
            let digit = bits_at(exponent, window * PUBLIC_WINDOW, PUBLIC_WINDOW);
            if digit != 0 {
                power = modulus.product(&power, &table[digit]);
            }
        }
    }
    power
}

/// The powers 0 to `count - 1` of a base.
fn powers<const L: usize>(modulus: &Modulus<L>, base: &Residue<L>, count: usize) -> Vec<Residue<L>> {
    std::iter::successors(Some(modulus.one()), |power| Some(modulus.product(power, base)))
        .take(count)
        .collect()
}

/// `count` bits of an exponent from bit `from` upwards; bits beyond the end are zero.
fn bits_at<const L: usize>(exponent: &Uint<L>, from: usize, count: usize) -> usize {
    let bit = |i: usize| {
        exponent
            .as_words()
            .get(i / Word::BITS as usize)
            .map_or(0, |word| word >> (i % Word::BITS as usize) & 1)
    };
    (0..count).map(|i| (bit(from + i) as usize) << i).sum()
}

/// The entry of a table at a secret place.
fn select<const L: usize>(table: &[Residue<L>], place: usize) -> Residue<L> {
    let mut chosen = Residue::default();
    for (index, entry) in table.iter().enumerate() {
        let mask = Word::conditional_select(&0, &Word::MAX, index.ct_eq(&place));
        for (out, word) in chosen.0.iter_mut().zip(&entry.0) {
            *out |= word & mask;
        }
    }
    chosen
}
