//! Elements of a suite's prime-order group, and its scalars.
//!
//! [`Group`] is what a suite provides; everything above this file works on [`Element`] and [`Scalar`] alone and does
//! not know which suite it is.

use super::finite_field::{self, WORDS_2048, WORDS_3072};
use super::montgomery::Residue;
use super::ristretto::Ristretto;
use super::{
    Suite,
    finite_field::{Scalar as FieldScalar, Table as FieldTable},
};
use bemr_spec::{Clause, Refusal, Rules, constants};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar as CurveScalar;
use rand::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

#[cfg(bemr_weaken)]
use super::finite_field::WORDS_TINY;

/// A group of prime order q.
pub(super) trait Group {
    type Point: InSuite<Point>;
    type Table: InSuite<Table>;
    /// An integer modulo q; erased when dropped.
    type Scalar: InSuite<Integer>;

    /// Refuses by GRP-04, GRP-01, GRP-02, in this order.
    fn decode(&self, rules: &Rules, bytes: &[u8]) -> Result<Self::Point, Refusal>;
    fn encode(&self, point: &Self::Point) -> Vec<u8>;
    fn generator(&self) -> Self::Point;
    fn is_identity(&self, point: &Self::Point) -> bool;

    /// In constant time.
    fn base_power(&self, secret: &Self::Scalar) -> Self::Point;
    /// In constant time.
    fn power(&self, base: &Self::Point, secret: &Self::Scalar) -> Self::Point;

    fn table(&self, base: &Self::Point) -> Self::Table;
    /// The generator if an exponent is given, keys with tables and other points to their powers, all multiplied; not in constant time.
    fn public_product(
        &self,
        generator: Option<&Self::Scalar>,
        keys: &[(&Self::Table, &Self::Scalar)],
        others: &[(&Self::Point, &Self::Scalar)],
    ) -> Self::Point;

    /// The scalar of a big-endian integer of any length.
    fn reduce(&self, bytes: &[u8]) -> Self::Scalar;
    /// The scalar of an encoding; nothing when the bytes are not the encoding of an integer below q.
    fn scalar(&self, bytes: &[u8]) -> Option<Self::Scalar>;
    fn scalar_bytes<'a>(&self, scalar: &'a Self::Scalar) -> &'a [u8];
    /// `sum + a * b`.
    fn multiply_add(&self, sum: &Self::Scalar, a: &Self::Scalar, b: &Self::Scalar) -> Self::Scalar;
    fn negate(&self, a: &Self::Scalar) -> Self::Scalar;
}

/// One suite's inside of a value that any suite can have.
pub(super) trait InSuite<Any>: Sized {
    fn into_any(self) -> Any;
    /// Nothing when the value is of another suite.
    fn from_any(any: &Any) -> Option<&Self>;
}

/// A point of any suite.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Point {
    Ffdhe2048(Box<Residue<WORDS_2048>>),
    Ffdhe3072(Box<Residue<WORDS_3072>>),
    Ristretto255(Box<RistrettoPoint>),
    #[cfg(bemr_weaken)]
    Tiny(Box<Residue<WORDS_TINY>>),
}

/// A table of any suite.
pub(super) enum Table {
    Ffdhe2048(Box<FieldTable<WORDS_2048>>),
    Ffdhe3072(Box<FieldTable<WORDS_3072>>),
    Ristretto255(Box<RistrettoPoint>),
    #[cfg(bemr_weaken)]
    Tiny(Box<FieldTable<WORDS_TINY>>),
}

/// A scalar of any suite.
#[derive(Clone)]
pub(super) enum Integer {
    Ffdhe2048(FieldScalar<WORDS_2048>),
    Ffdhe3072(FieldScalar<WORDS_3072>),
    Ristretto255(Zeroizing<CurveScalar>),
    #[cfg(bemr_weaken)]
    Tiny(FieldScalar<WORDS_TINY>),
}

macro_rules! in_suite {
    ($any:ident, $into:path: $($(#[$cfg:meta])* $variant:ident = $inside:ty;)*) => {
        $($(#[$cfg])* impl InSuite<$any> for $inside {
            fn into_any(self) -> $any {
                $any::$variant($into(self))
            }

            fn from_any(any: &$any) -> Option<&Self> {
                match any {
                    $any::$variant(inside) => Some(inside),
                    _ => None,
                }
            }
        })*
    };
}

in_suite! { Point, Box::new:
    Ffdhe2048 = Residue<WORDS_2048>;
    Ffdhe3072 = Residue<WORDS_3072>;
    Ristretto255 = RistrettoPoint;
    #[cfg(bemr_weaken)] Tiny = Residue<WORDS_TINY>;
}

in_suite! { Table, Box::new:
    Ffdhe2048 = FieldTable<WORDS_2048>;
    Ffdhe3072 = FieldTable<WORDS_3072>;
    Ristretto255 = RistrettoPoint;
    #[cfg(bemr_weaken)] Tiny = FieldTable<WORDS_TINY>;
}

in_suite! { Integer, std::convert::identity:
    Ffdhe2048 = FieldScalar<WORDS_2048>;
    Ffdhe3072 = FieldScalar<WORDS_3072>;
    Ristretto255 = Zeroizing<CurveScalar>;
    #[cfg(bemr_weaken)] Tiny = FieldScalar<WORDS_TINY>;
}

/// Evaluates an expression with the group of a suite.
macro_rules! with_group {
    ($suite:expr, $group:ident => $result:expr) => {
        match $suite {
            Suite::Ffdhe2048 => {
                let $group = finite_field::ffdhe2048();
                $result
            }
            Suite::Ffdhe3072 => {
                let $group = finite_field::ffdhe3072();
                $result
            }
            Suite::Ristretto255 => {
                let $group = &Ristretto;
                $result
            }
            #[cfg(bemr_weaken)]
            Suite::Tiny => {
                let $group = finite_field::tiny();
                $result
            }
        }
    };
}

/// Records a group operation, in this repository's builds.
macro_rules! tally {
    ($operation:ident($($input:expr),*)) => {
        #[cfg(bemr_weaken)]
        super::operations::note(|| super::operations::Operation::$operation($($input),*));
    };
}

fn inside<Any, T: InSuite<Any>>(any: &Any) -> &T {
    T::from_any(any).expect("the callers in this file compare the suites first")
}

/// A member of a suite's prime-order group, never the identity.
#[derive(Clone, PartialEq, Eq)]
pub struct Element(Point);

/// An integer modulo the order q of a suite's group; erased when dropped.
#[derive(Clone)]
pub struct Scalar(Integer);

impl Element {
    /// Parses an element.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(element)]
    pub fn decode(rules: &Rules, suite: Suite, bytes: &[u8]) -> Result<Element, Refusal> {
        tally!(Decode(suite, bytes.to_vec()));
        with_group!(suite, group => group.decode(rules, bytes).map(|point| Element(point.into_any())))
    }

    /// Its one encoding, [`Suite::element_len`] bytes. On the curve it takes a root in the field, as decoding does.
    pub fn encode(&self) -> Vec<u8> {
        tally!(Encode(self.clone()));
        with_group!(self.suite(), group => group.encode(inside(&self.0)))
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        match self.0 {
            Point::Ffdhe2048(_) => Suite::Ffdhe2048,
            Point::Ffdhe3072(_) => Suite::Ffdhe3072,
            Point::Ristretto255(_) => Suite::Ristretto255,
            #[cfg(bemr_weaken)]
            Point::Tiny(_) => Suite::Tiny,
        }
    }

    /// The generator of a suite's group.
    pub fn generator(suite: Suite) -> Element {
        Element(with_group!(suite, group => group.generator().into_any()))
    }

    /// The generator to a secret power, in constant time.
    pub fn base_power(exponent: &Scalar) -> Element {
        tally!(BasePower(exponent.clone()));
        Element(with_group!(exponent.suite(), group => group.base_power(inside(&exponent.0)).into_any()))
    }

    /// This element to a secret power, in constant time.
    ///
    /// # Errors
    /// GRP-04 when the two are not of one suite.
    pub fn power(&self, exponent: &Scalar) -> Result<Element, Refusal> {
        let suite = same_suite(self.suite(), [exponent.suite()])?;
        tally!(Power(self.clone(), exponent.clone()));
        Ok(Element(with_group!(suite, group => group.power(inside(&self.0), inside(&exponent.0)).into_any())))
    }

    /// The generator to the power of `generator`, if that is given, and each of `factors` to its power, all
    /// multiplied. Not in constant time: for public numbers alone.
    ///
    /// # Errors
    /// GRP-04 when not all are of one suite; GRP-01 when the product is the identity.
    pub fn public_product(
        suite: Suite,
        generator: Option<&Scalar>,
        factors: &[(&Factor, &Scalar)],
    ) -> Result<Element, Refusal> {
        let suites = factors.iter().flat_map(|(factor, exponent)| [factor.element.suite(), exponent.suite()]);
        let suite = same_suite(suite, suites.chain(generator.map(Scalar::suite)))?;
        let (keys, others): (Vec<_>, Vec<_>) = factors.iter().partition(|(factor, _)| factor.table.is_some());
        tally!(Product(
            suite,
            generator.cloned(),
            factors.iter().map(|(factor, exponent)| ((*factor).clone(), (*exponent).clone())).collect()
        ));
        with_group!(suite, group => {
            let keys: Vec<_> = keys
                .iter()
                .filter_map(|(factor, e)| Some((inside(factor.table.as_deref()?), inside(&e.0))))
                .collect();
            let others: Vec<_> =
                others.iter().map(|(factor, e)| (inside(&factor.element.0), inside(&e.0))).collect();
            let product = group.public_product(generator.map(|e| inside(&e.0)), &keys, &others);
            if group.is_identity(&product) {
                return Err(Refusal::new(Clause::ElementInRange));
            }
            Ok(Element(product.into_any()))
        })
    }
}

impl Zeroize for Element {
    /// For shared secrets; what is left is no element.
    fn zeroize(&mut self) {
        match &mut self.0 {
            Point::Ffdhe2048(inside) => inside.zeroize(),
            Point::Ffdhe3072(inside) => inside.zeroize(),
            Point::Ristretto255(inside) => inside.zeroize(),
            #[cfg(bemr_weaken)]
            Point::Tiny(inside) => inside.zeroize(),
        }
    }
}

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No suite has shorter elements.
        let mut digits = [0; 16];
        let first = base16ct::lower::encode_str(&self.encode()[..8], &mut digits).expect("two digits a byte");
        write!(f, "Element({}, {first}..)", self.suite())
    }
}

/// An element in a product of public powers, with a table of its powers when it comes back often.
#[derive(Clone)]
pub struct Factor {
    element: Element,
    table: Option<std::sync::Arc<Table>>,
}

impl Factor {
    /// The element.
    pub fn element(&self) -> &Element {
        &self.element
    }

    /// Builds the table, which clones share: 66 KB for ffdhe2048, 98 KB for ffdhe3072, nothing for ristretto255, where
    /// it would not pay.
    pub fn precompute(&mut self) {
        if self.table.is_none() {
            let suite = self.element.suite();
            tally!(Table(self.element.clone()));
            let table = with_group!(suite, group => group.table(inside(&self.element.0)).into_any());
            self.table = Some(std::sync::Arc::new(table));
        }
    }
}

impl From<Element> for Factor {
    fn from(element: Element) -> Factor {
        Factor { element, table: None }
    }
}

impl PartialEq for Factor {
    fn eq(&self, other: &Self) -> bool {
        self.element == other.element
    }
}

impl Eq for Factor {}

impl std::fmt::Debug for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.element.fmt(f)
    }
}

fn same_suite(suite: Suite, others: impl IntoIterator<Item = Suite>) -> Result<Suite, Refusal> {
    // Enforced under all rules: there is no arithmetic between two groups.
    if others.into_iter().all(|other| other == suite) {
        Ok(suite)
    } else {
        Err(Refusal::new(Clause::SuiteMatches))
    }
}

impl Scalar {
    /// A uniform scalar other than 0.
    pub fn random<R: CryptoRng + ?Sized>(suite: Suite, rng: &mut R) -> Scalar {
        let mut wide = Zeroizing::new(vec![0; Scalar::wide_len(suite)]);
        loop {
            rng.fill_bytes(&mut wide);
            let scalar = Scalar::reduce(suite, &wide);
            if !scalar.is_zero() {
                return scalar;
            }
        }
    }

    /// Bytes of which the residue modulo q is uniform but for a part in 2^128.
    pub(super) const fn wide_len(suite: Suite) -> usize {
        suite.scalar_len() + constants::SCALAR_SURPLUS_BYTES
    }

    /// The residue modulo q of a big-endian integer of any length.
    pub fn reduce(suite: Suite, bytes: &[u8]) -> Scalar {
        Scalar(with_group!(suite, group => group.reduce(bytes).into_any()))
    }

    /// Parses a scalar other than 0.
    ///
    /// # Errors
    /// GRP-04 for a wrong length; GRP-03 for 0, for q and for all above it.
    pub fn decode(rules: &Rules, suite: Suite, bytes: &[u8]) -> Result<Scalar, Refusal> {
        rules.require(Clause::SuiteMatches, bytes.len() == suite.scalar_len())?;
        let scalar = with_group!(suite, group => group.scalar(bytes).map(InSuite::into_any).map(Scalar));
        let scalar = scalar.filter(|scalar| !scalar.is_zero());
        rules.require(Clause::ScalarInRange, scalar.is_some())?;
        if let Some(scalar) = scalar {
            return Ok(scalar);
        }
        // Not in range, and the clause not in force: the residue is what careless code would compute with.
        let mut integer = bytes.to_vec();
        if suite == Suite::Ristretto255 {
            integer.reverse();
        }
        Ok(Scalar::reduce(suite, &integer))
    }

    /// Its one encoding, [`Suite::scalar_len`] bytes.
    pub fn encode(&self) -> &[u8] {
        with_group!(self.suite(), group => group.scalar_bytes(inside(&self.0)))
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        match self.0 {
            Integer::Ffdhe2048(_) => Suite::Ffdhe2048,
            Integer::Ffdhe3072(_) => Suite::Ffdhe3072,
            Integer::Ristretto255(_) => Suite::Ristretto255,
            #[cfg(bemr_weaken)]
            Integer::Tiny(_) => Suite::Tiny,
        }
    }

    /// Whether it is 0, in constant time.
    pub fn is_zero(&self) -> bool {
        self.encode().iter().fold(0, |sum, byte| sum | byte) == 0
    }

    /// `self + a * b`, all of one suite.
    ///
    /// # Errors
    /// GRP-04 when they are not.
    pub fn plus_product(&self, a: &Scalar, b: &Scalar) -> Result<Scalar, Refusal> {
        let suite = same_suite(self.suite(), [a.suite(), b.suite()])?;
        Ok(Scalar(with_group!(suite, group => {
            group.multiply_add(inside(&self.0), inside(&a.0), inside(&b.0)).into_any()
        })))
    }

    /// `-self`.
    #[must_use]
    pub fn negate(&self) -> Scalar {
        Scalar(with_group!(self.suite(), group => group.negate(inside(&self.0)).into_any()))
    }
}

impl Zeroize for Scalar {
    fn zeroize(&mut self) {
        match &mut self.0 {
            Integer::Ffdhe2048(inside) => inside.zeroize(),
            Integer::Ffdhe3072(inside) => inside.zeroize(),
            Integer::Ristretto255(inside) => inside.zeroize(),
            #[cfg(bemr_weaken)]
            Integer::Tiny(inside) => inside.zeroize(),
        }
    }
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scalar({}, ..)", self.suite())
    }
}
