// In the copy this is `crate::mutant`: which mutant is on, and which of them a process comes by.

use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ON: LazyLock<usize> =
    LazyLock::new(|| std::env::var("MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0));

/// Where the numbers of the mutants go that a process comes by.
static REACHED: LazyLock<Option<std::path::PathBuf>> =
    LazyLock::new(|| std::env::var_os("MUTANTS_REACHED").map(Into::into));

static PASSED: [AtomicBool; 8192] = [const { AtomicBool::new(false) }; 8192];

pub(crate) fn on(number: usize) -> bool {
    if let Some(path) = &*REACHED
        && !PASSED[number].swap(true, Ordering::Relaxed)
        && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path)
    {
        let _ = file.write_all(format!("{number}\n").as_bytes());
    }
    *ON == number
}

/// Two iterators of one type, for a function that does not name its own.
pub(crate) enum Either<A, B> {
    Left(A),
    Right(B),
}

pub(crate) fn either<A: Iterator, B: Iterator<Item = A::Item>>(
    number: usize,
    mutant: impl FnOnce() -> B,
    otherwise: A,
) -> Either<A, B> {
    if on(number) { Either::Right(mutant()) } else { Either::Left(otherwise) }
}

impl<A: Iterator, B: Iterator<Item = A::Item>> Iterator for Either<A, B> {
    type Item = A::Item;

    fn next(&mut self) -> Option<A::Item> {
        match self {
            Either::Left(left) => left.next(),
            Either::Right(right) => right.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Either::Left(left) => left.size_hint(),
            Either::Right(right) => right.size_hint(),
        }
    }
}

impl<A: DoubleEndedIterator, B: DoubleEndedIterator<Item = A::Item>> DoubleEndedIterator for Either<A, B> {
    fn next_back(&mut self) -> Option<A::Item> {
        match self {
            Either::Left(left) => left.next_back(),
            Either::Right(right) => right.next_back(),
        }
    }
}

impl<A: ExactSizeIterator, B: ExactSizeIterator<Item = A::Item>> ExactSizeIterator for Either<A, B> {}
