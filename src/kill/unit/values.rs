//! x
use crate::kill::unit::Door;
pub(super) fn doors() -> impl Iterator<Item = Door> { std::iter::empty() }
