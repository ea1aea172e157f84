//! Decimal numbers compared exactly, whatever their precision and exponent.

use std::cmp::Ordering;

/// A decimal number: `0.d1 d2 d3 … × 10^exponent` with `d1` not zero, negated or not; zero has no digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    exponent: i64,
    digits: Box<[u8]>,
}

impl Decimal {
    /// The longest literal, in bytes.
    pub const MAX_LITERAL: usize = 1024;

    /// The most digits of an exponent.
    pub const MAX_EXPONENT_DIGITS: usize = 9;

    /// Parses the literal of a JSON number.
    ///
    /// # Errors
    /// Nothing when `literal` is not such a literal, is longer than [`Decimal::MAX_LITERAL`] or has more than
    /// [`Decimal::MAX_EXPONENT_DIGITS`] digits in its exponent.
    pub fn parse(literal: &str) -> Option<Decimal> {
        if literal.len() > Decimal::MAX_LITERAL {
            return None;
        }
        let (negative, magnitude) = match literal.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, literal),
        };
        let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (magnitude, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let digits = [whole.as_bytes(), fraction.as_bytes()].concat();
        let Some(first) = digits.iter().position(|&digit| digit != b'0') else {
            return Some(Decimal { negative: false, exponent: 0, digits: Box::default() });
        };
        let end = digits.iter().rposition(|&digit| digit != b'0').map_or(first, |last| last + 1);
        let exponent = exponent + whole.len() as i64 - first as i64;
        Some(Decimal { negative, exponent, digits: digits[first..end].into() })
    }

    fn magnitude(&self, other: &Decimal) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn exponent_of(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let fits = (1..=Decimal::MAX_EXPONENT_DIGITS).contains(&digits.len()) && all_digits(digits);
    fits.then(|| digits.parse::<i64>().ok().map(|exponent| sign * exponent)).flatten()
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
